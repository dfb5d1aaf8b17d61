from kpi_stream.application import replay
from kpi_stream.application.replay import Replay
from kpi_stream.domain.errors import EventRejected, Reason
from kpi_stream.domain.events import Event
from kpi_stream.domain.readings import SeriesKey
from tests.laws.brute import Raw
from tests.laws.rig import CODEC
from tests.laws.strategies import DAY, HOUR, event, strategy

NOW = 1_711_861_200_000 + 12 * HOUR + 1  # 2024-03-31T12:00:00.001 in Lima
VALUES = ("118", "10", "sea", "anticipated", True, True, 0, 0)
NATIONAL = SeriesKey("anticipated", "7d", "national", "")


def opened(number: int, at: int = NOW) -> Raw:
    """Return the opening of a declaration."""
    return Raw("declaration.numbered", f"s{number}", "e1", at, at, VALUES)


def taken(log: list[Raw | None], as_of_ms: int | None = None) -> Replay:
    """Return a replay of a log, in which None is what the codec refuses."""
    found = Replay(strategy(), CODEC)

    def decode(_: bytes | None, value: bytes | None, received_ms: int) -> Event:
        raw = log[int(value or b"")]
        if raw is None:
            raise EventRejected(Reason.NOT_JSON, f"received at {received_ms}")
        return event(raw)

    rejected: list[str] = []
    lines = [(b"key", str(number).encode()) for number in range(len(log))]
    found.take(lines, decode, 99, as_of_ms, lambda _k, _v, err: rejected.append(str(err)))
    assert len(rejected) == sum(found.tally.rejected.values())
    return found


def test_every_event_is_in_one_count():
    """Counted, duplicate, rejected and later add up to the length of the log."""
    old = opened(4, NOW - 500 * DAY)
    log = [opened(1), opened(1), None, opened(2), old, opened(3, NOW + HOUR)]
    found = taken(log, as_of_ms=NOW)
    assert found.tally.outcomes == {"counted": 2, "duplicate": 1}
    assert found.tally.rejected == {Reason.NOT_JSON: 1, Reason.EXPIRED: 1}
    assert found.tally.later == 1
    assert found.tally.total == len(log)
    assert found.tally.newest_ms == NOW


def test_the_readings_are_those_of_the_newest_event():
    """Without an instant of its own a replay reads when its log ends."""
    found = taken([opened(1), opened(2, NOW + HOUR)])
    assert found.readings()[NATIONAL].samples == 2
    assert found.readings(NOW)[NATIONAL].samples == 1
    assert found.readings(NOW + 9 * DAY)[NATIONAL].samples == 0


def test_what_was_recorded_later_is_not_known_yet():
    """As of an instant only what was written down by then is read."""
    log = [opened(1), opened(2, NOW + 1)]
    assert taken(log, as_of_ms=NOW).readings(NOW)[NATIONAL].samples == 1


def test_drains_in_between_change_nothing(monkeypatch):
    """Memory is bounded by drains that no reading shows."""
    log: list[Raw | None] = [opened(number, NOW + number * HOUR) for number in range(40)]
    whole = taken(log).readings()
    monkeypatch.setattr(replay, "DRAIN_EVERY", 1)
    assert taken(log).readings() == whole
