"""The live part: it goes on where the history ends, at the clock's pace or behind it."""

from collections import Counter
from itertools import islice, takewhile

from kpi_stream.adapters.simulator import Simulation, live, simulate
from tests.unit.adapters.simulator.conftest import NOW_MS, events_of

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def test_live_continues_the_history_without_gap_or_repetition(options):
    """History and live part together are the endless stream, whole and in order."""
    chosen = options(days=150)
    simulation = Simulation(chosen)
    end = NOW_MS + 3 * DAY_MS
    whole = list(takewhile(lambda r: r.append_ms <= end, simulation.records(simulation.first_day)))
    rest = [due.record for due in takewhile(lambda d: d.record.append_ms <= end, live(chosen))]
    assert [*simulate(chosen), *rest] == whole
    assert rest


def test_nothing_is_due_before_it_is_recorded(options):
    """Even at a high speed an event does not come from the future."""
    for due in islice(live(options(), speed=1000.0), 500):
        assert due.due_ms == due.record.append_ms > NOW_MS


def test_speed_catches_up_with_the_clock(options):
    """Behind the clock, time passes as many times as fast; then at its own pace."""
    # simulated   -2 d ......................... now ........
    # clock       now .. (10 x) .. now + 0.22 d = simulated
    begin = NOW_MS - 2 * DAY_MS
    meet = NOW_MS + 2 * DAY_MS / 9
    dues = list(islice(live(options(), from_ms=begin, start_ms=NOW_MS, speed=10.0), 1500))
    assert dues[0].record.append_ms > begin
    for due in dues:
        scaled = NOW_MS + (due.record.append_ms - begin) / 10
        assert abs(due.due_ms - max(scaled, due.record.append_ms)) <= 1
    assert dues[0].due_ms < meet < dues[-1].due_ms
    assert [due.due_ms for due in dues] == sorted(due.due_ms for due in dues)


def test_volume_makes_the_feed_denser_with_whole_lives(options):
    """More declarations are numbered, each with its own subject, and none begins in the middle."""

    def subjects(volume: int) -> Counter[str]:
        end = NOW_MS + 2 * DAY_MS
        dues = takewhile(lambda d: d.record.append_ms <= end, live(options(), volume=volume))
        return Counter(
            event["subject"]
            for event in events_of(due.record for due in dues)
            if event["type"] == "declaration.numbered"
        )

    one, five = subjects(1), subjects(5)
    assert max(five.values()) == 1
    assert one.keys() < five.keys()
    assert 3 < len(five) / len(one) < 7


def test_a_subject_of_a_copy_is_known_from_its_beginning(options):
    """No event of a further copy belongs to a subject that began before the live part."""
    end = NOW_MS + 30 * DAY_MS
    chosen = options(per_day=5.0)
    plain = {d.record.key for d in takewhile(lambda d: d.record.append_ms <= end, live(chosen))}
    events = events_of(
        due.record
        for due in takewhile(lambda d: d.record.append_ms <= end, live(chosen, volume=2))
        if due.record.key not in plain
    )
    known = {event["subject"] for event in events if event["type"] == "declaration.numbered"}
    released = {event["subject"] for event in events if event["type"] == "goods.exited"}
    assert released
    assert released <= known
