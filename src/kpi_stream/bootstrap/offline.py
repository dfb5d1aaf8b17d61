"""What needs no broker: replay, and the explanation of a file."""

from pathlib import Path

from kpi_stream.adapters.event_files import read_lines
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.application.replay import Replay, Tally
from kpi_stream.application.scorecard import Evaluation, Scorecard
from kpi_stream.bootstrap.collection import collect_seldom
from kpi_stream.bootstrap.common import event_codec, now_ms, retention
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.events import Event
from kpi_stream.domain.strategy import Strategy
from kpi_stream.settings import Settings


def replay_file(
    path: Path, strategy: Strategy, settings: Settings, as_of_ms: int | None = None
) -> tuple[Evaluation, Tally]:
    """Fold a file and judge it at an instant; by default the newest recording in it.

    Raises:
        InputError: The file cannot be read, or no event in it was accepted.
    """
    replay, at_ms = folded(path, strategy, settings, as_of_ms)
    return Scorecard(strategy, replay.table).evaluate(at_ms), replay.tally


def folded(
    path: Path, strategy: Strategy, settings: Settings, as_of_ms: int | None = None
) -> tuple[Replay, int]:
    """Return what a file folds to, and the instant that it is read at, as in `replay_file`.

    Raises:
        InputError: The file cannot be read, or no event in it was accepted.
    """
    collect_seldom()
    codec = event_codec(settings, strategy)

    def decode(_: bytes | None, value: bytes | None, received_ms: int) -> Event:
        return codec.decode_value(value, received_ms)

    replay = Replay(strategy, MsgspecStateCodec(), retention(settings))
    replay.take(((None, line) for line in read_lines(path)), decode, now_ms(), as_of_ms)
    if as_of_ms is None and replay.tally.newest_ms < 0:
        reasons = ", ".join(f"{n} {reason}" for reason, n in replay.tally.rejected.items())
        msg = f"{path}: no event was accepted ({reasons or 'the file is empty'})"
        raise InputError(msg)
    replay.drain()
    at_ms = replay.tally.newest_ms if as_of_ms is None else as_of_ms
    return replay, at_ms
