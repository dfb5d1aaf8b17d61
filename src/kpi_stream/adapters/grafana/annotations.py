"""Tells Grafana of changed statuses and strategies, in a thread of its own.

Nothing that Grafana does or fails to do reaches the scorecard: what is told waits in a bounded
queue, and only the thread waits for Grafana. Transitions are told once they are published, so a
restart, which never publishes one again, never annotates one again either; what was still
waiting when a process was killed is not told. An attempt that may have worked although no answer
came is looked up before it is repeated. So each is written once or, at worst, not at all.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kpi_stream.adapters.grafana.client import GrafanaError, Trouble
from kpi_stream.adapters.grafana.notes import Note, of_reload, of_transitions
from kpi_stream.application.judge import Transition
from kpi_stream.domain.strategy import Strategy

log = logging.getLogger(__name__)

_LONGEST_RETRY_AFTER_S = 300.0
"""A longer Retry-After is not believed."""

_OWN_FAULT = (403, 500)
"""Statuses that Grafana gives where it is about one annotation alone, as where its dashboard does
not exist; but also where the token may write none, or its database is gone."""


class Counts(Protocol):
    """What is counted, as `adapters.prometheus.scorecard` exports it; called from the thread."""

    def annotated(self, outcome: str) -> None:
        """Add one: sent, failed (an attempt that is repeated) or dropped (given up)."""

    def annotations_waiting(self, count: int) -> None:
        """Take how many annotations are not sent yet."""


class Grafana(Protocol):
    """Of `client.GrafanaClient`, what is needed here."""

    url: str

    def get(self, path: str, **query: str | int | list[str]) -> Any:  # noqa: ANN401  (JSON)
        """Return the answer to GET."""
        ...

    def post(self, path: str, body: dict[str, object]) -> Any:  # noqa: ANN401  (JSON)
        """Return the answer to POST."""
        ...

    def close(self) -> None:
        """Close the connections."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How much is kept, and how attempts are spaced."""

    capacity: int = 5_000
    """Annotations that wait at most, about 1 kB each; a new one drops the oldest."""
    first_s: float = 1.0
    """Pause after the first failed attempt; it doubles from one to the next."""
    longest_s: float = 60.0


@dataclass(slots=True)
class _Waiting:
    note: Note
    uncertain: bool = False
    """An attempt may have worked although no answer came."""
    blamed_after: int | None = None
    """How many annotations had been sent when Grafana did not like this one."""


class GrafanaAnnotator:
    """Sends annotations, one after the other.

    Args:
        grafana: Where to.
        counts: What came of them.
        jitter: Gives numbers in 0..1, by which pauses are spread.
        patience: How much is kept, and how attempts are spaced.
    """

    def __init__(
        self,
        grafana: Grafana,
        counts: Counts,
        jitter: Callable[[], float],
        patience: Patience = Patience(),
    ) -> None:
        self._grafana, self._counts = grafana, counts
        self._jitter, self._patience = jitter, patience
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._sent = self._failures = 0
        self._complaints: set[str] = set()
        # A daemon: a Grafana that never answers does not keep the process from ending.
        self._thread = threading.Thread(target=self._work, name="annotations", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def take(self, transitions: Sequence[Transition], strategy: Strategy) -> None:
        """Take statuses that changed, in the words of a strategy; returns at once."""
        self._put(of_transitions(transitions, strategy))

    def reloaded(self, old: Strategy, new: Strategy, at_ms: int) -> None:
        """Take that a strategy has replaced another; returns at once."""
        self._put(of_reload(old, new, at_ms))

    def close(self, within_s: float) -> None:
        """Send what is waiting, also in the middle of a pause; the first failure is the end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(within_s)
        with self._changed:
            left = len(self._waiting)
            self._waiting.clear()
            for _ in range(left):
                self._counts.annotated("dropped")
            self._counts.annotations_waiting(0)
        if left:
            log.warning("%d annotations were not sent to Grafana before the end", left)
        if not self._thread.is_alive():
            self._grafana.close()

    def _put(self, notes: Sequence[Note]) -> None:
        dropped = 0
        with self._changed:
            for note in notes:
                if len(self._waiting) >= self._patience.capacity:
                    self._waiting.popleft()
                    dropped += 1
                    self._counts.annotated("dropped")
                self._waiting.append(_Waiting(note))
            waiting = len(self._waiting)
            # Within the lock, or the thread's older number could come last.
            self._counts.annotations_waiting(waiting)
            self._changed.notify_all()
        if dropped:
            self._complain(
                "full", "%d annotations wait for Grafana, the oldest are dropped", waiting
            )

    # The thread.

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                if not self._waiting:
                    return
                first, last_try = self._waiting[0], self._closing
            try:
                self._send(first)
            except GrafanaError as err:
                pause_s = self._failed(first, err)
            except Exception:
                # A mistake of this program; the next annotation may be a better one.
                log.exception("an annotation was given up")
                self._done(first, "dropped")
                continue
            else:
                self._done(first, "sent")
                self._succeeded()
                continue
            if pause_s and last_try:
                return
            self._pause(pause_s)

    def _send(self, waiting: _Waiting) -> None:
        if waiting.uncertain and self._is_there(waiting.note):
            return
        answer = self._grafana.post("/annotations", waiting.note.body())
        if not isinstance(answer, dict) or "id" not in answer:
            text = f"Grafana at {self._grafana.url} answers what is no annotation; is it Grafana?"
            raise GrafanaError(Trouble.UNKNOWN, text)

    def _is_there(self, note: Note) -> bool:
        found = self._grafana.get(
            "/annotations",
            **{"from": note.at_ms, "to": note.at_ms + 1, "limit": 1},
            tags=[*note.tags[:2], note.id],
            type="annotation",
            matchAny="false",
        )
        if not isinstance(found, list):
            text = f"Grafana at {self._grafana.url} answers what is no list; is it Grafana?"
            raise GrafanaError(Trouble.UNKNOWN, text)
        return bool(found)

    def _failed(self, waiting: _Waiting, error: GrafanaError) -> float:
        """Decide what becomes of an annotation; return the pause in seconds, 0 for none."""
        if error.trouble is Trouble.REFUSED:
            self._complain("refused", "an annotation was given up: %s", error)
            self._done(waiting, "dropped")
            return 0.0
        self._counts.annotated("failed")
        if error.trouble is Trouble.UNKNOWN:
            waiting.uncertain = True
        if error.status in _OWN_FAULT and self._is_its_own_fault(waiting):
            self._complain("refused", "an annotation was given up: %s", error)
            self._done(waiting, "dropped")
            return 0.0
        self._failures += 1
        self._complain(
            "outage",
            "no annotations for now, they wait and are sent later: %s",
            error,
        )
        if error.retry_after_s is not None:
            return min(error.retry_after_s, _LONGEST_RETRY_AFTER_S) or self._patience.first_s
        doubled = self._patience.first_s * 2.0 ** min(self._failures - 1, 16)
        return min(doubled, self._patience.longest_s) * (0.5 + self._jitter() / 2)

    def _is_its_own_fault(self, waiting: _Waiting) -> bool:
        """Return whether others pass while this one does not; moves it behind them."""
        if waiting.blamed_after not in (None, self._sent):
            return True
        waiting.blamed_after = self._sent
        with self._changed:
            if self._waiting and self._waiting[0] is waiting:
                self._waiting.rotate(-1)
        return False

    def _done(self, waiting: _Waiting, outcome: str) -> None:
        with self._changed:
            # It may have been dropped meanwhile, as the oldest: then it was counted as such.
            if not self._waiting or self._waiting[0] is not waiting:
                return
            self._waiting.popleft()
            self._counts.annotated(outcome)
            self._counts.annotations_waiting(len(self._waiting))

    def _succeeded(self) -> None:
        self._sent += 1
        if self._failures:
            log.info("Grafana takes annotations again, after %d failed attempts", self._failures)
        self._failures = 0
        self._complaints -= {"outage", "refused"}
        if not self._waiting:
            self._complaints.discard("full")

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)

    def _complain(self, kind: str, text: str, *words: object) -> None:
        # Once an outage, not once an attempt.
        if kind not in self._complaints:
            self._complaints.add(kind)
            log.warning(text, *words)
