"""The stream: who listens is told of each evaluation, for as long as he keeps up."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from kpi_stream.adapters.web.api import base as b
from kpi_stream.adapters.web.api.activity import TransitionRow, transition_row
from kpi_stream.adapters.web.api.queries import NOT_YET, Refusal
from kpi_stream.adapters.web.api.strategy import version
from kpi_stream.application.judge import Judged
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.domain.readings import SeriesKey
from kpi_stream.domain.strategy import Strategy

STREAMS = 32
"""At once; half of the connections that the door admits."""
PING_S = 15.0
"""Silence after which a sign of life is sent."""
_BEHIND = 4
"""Events that may wait for one listener; whoever is further behind is cut off."""

HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    # Proxies of the nginx kind would keep events back.
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}


class EvaluationEvent(b.Model):
    """What an evaluation brought; the data of an event `evaluation`."""

    as_of: b.Instant
    caught_up: bool | None
    stale: bool
    data_age_s: float | None
    version: str
    """Of the strategy, as in `/strategy`."""
    changed: list[str]
    """The KPIs of which a reading or a status is another."""
    transitions: list[TransitionRow]


class Listener:
    """One stream.

    Args:
        cut: Ends its connection.
    """

    def __init__(self, cut: Callable[[], None]) -> None:
        self.events: asyncio.Queue[bytes | None] = asyncio.Queue(_BEHIND)
        self.cut = cut


class Hub:
    """Everybody who listens."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._said: dict[str, object] = {}
        self._latest: bytes | None = None
        self._of: tuple[Strategy | None, str] = (None, "")

    def __len__(self) -> int:
        """Return how many listen."""
        return len(self._listeners)

    def tell(self, evaluation: Evaluation | None) -> None:
        """Tell everybody; whoever has not taken the ones before is cut off, not waited for."""
        if evaluation is None:
            self._latest = None
            return
        event = self._event(evaluation)
        # Whoever comes later asks for everything anyway.
        self._latest = message(event.model_copy(update={"changed": [], "transitions": []}))
        said = message(event)
        for each in list(self._listeners):
            try:
                each.events.put_nowait(said)
            except asyncio.QueueFull:
                self._listeners.discard(each)
                each.cut()

    def close(self) -> None:
        """End every stream in good order, as far as the listener takes it."""
        for each in list(self._listeners):
            try:
                each.events.put_nowait(None)
            except asyncio.QueueFull:
                each.cut()

    async def serve(self, request: web.Request, going_on: Callable[[], None]) -> web.StreamResponse:
        """Serve one stream until the listener hangs up or falls behind.

        Args:
            request: Whose.
            going_on: Is told each time that something reached the connection.

        Raises:
            Refusal: So many listen already.
        """
        if len(self._listeners) >= STREAMS:
            raise Refusal(NOT_YET, f"{STREAMS} streams are open; ask for /scorecard instead")
        transport = request.transport
        listener = Listener(lambda: None if transport is None else transport.abort())
        self._listeners.add(listener)
        try:
            response = web.StreamResponse(headers=HEADERS)
            await response.prepare(request)
            await response.write(self._latest or ping())
            while True:
                going_on()
                said = await _next(listener)
                if said is None:
                    return response
                await response.write(said)
        finally:
            self._listeners.discard(listener)

    def _event(self, evaluation: Evaluation) -> EvaluationEvent:
        freshness = evaluation.freshness
        if self._of[0] is not evaluation.strategy:
            self._of = (evaluation.strategy, version(evaluation.strategy))
        said = _content(evaluation)
        changed = sorted(
            kpi for kpi in said.keys() | self._said.keys() if said.get(kpi) != self._said.get(kpi)
        )
        self._said = said
        return EvaluationEvent(
            as_of=b.instant(evaluation.as_of_ms),
            caught_up=None if freshness is None else freshness.caught_up,
            stale=evaluation.stale,
            data_age_s=None if freshness is None else b.seconds(freshness.data_age_ms),
            version=self._of[1],
            changed=changed,
            transitions=[transition_row(each) for each in evaluation.transitions],
        )


def message(event: EvaluationEvent) -> bytes:
    """Return an event as it is sent."""
    return f"event: evaluation\ndata: {event.model_dump_json()}\n\n".encode()


def ping() -> bytes:
    """Return a sign of life; an event of its own, since a page does not see comments."""
    return b"event: ping\ndata: {}\n\n"


async def _next(listener: Listener) -> bytes | None:
    try:
        async with asyncio.timeout(PING_S):
            return await listener.events.get()
    except TimeoutError:
        return ping()


def _content(evaluation: Evaluation) -> dict[str, object]:
    """Return what a KPI says, by KPI: its national readings and everything that is judged."""
    judged: dict[SeriesKey, Judged] = {each.key: each for each in evaluation.judged}
    found: dict[str, list[object]] = {}
    for key, each in evaluation.readings.items():
        if not key.member and key not in judged:
            found.setdefault(key.kpi, []).append((key, each.value, each.samples))
    for key, one in judged.items():
        said = (key, one.reading.value, one.reading.samples, one.status)
        found.setdefault(key.kpi, []).append(said)
    return {kpi: tuple(each) for kpi, each in found.items()}
