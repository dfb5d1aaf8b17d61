"""Injected faults: in their shares, each what it says, and the truth can be told from them."""

import json
from collections import Counter, defaultdict

import pytest

from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.adapters.simulator import Injections, Simulation, simulate, stages
from kpi_stream.adapters.simulator import injection as module
from kpi_stream.domain.errors import EventRejected, InputError, Reason
from kpi_stream.domain.events import BY_NAME
from tests.unit.adapters.simulator.conftest import OFFICES, events_of, milliseconds

HOUR_MS = 3_600_000
CODEC = EventCodec(frozenset(office.code for office in OFFICES), 300_000, 65_536)


def spoilt(options, **shares: float):
    """Return a clean history and the same one with faults."""
    return list(simulate(options())), list(simulate(options(injections=Injections(**shares))))


def test_duplicates_are_the_same_bytes_again(options):
    """A tenth of the records comes twice, the second time later."""
    clean, faulty = spoilt(options, duplicates=0.1)
    counts = Counter((record.key, record.value) for record in faulty)
    assert set(counts) == {(record.key, record.value) for record in clean}
    assert sum(n == 2 for n in counts.values()) / len(clean) == pytest.approx(0.1, abs=0.02)
    assert max(counts.values()) == 2


def test_disorder_moves_records_by_minutes(options):
    """The same records, some up to ten minutes behind their turn."""
    clean, faulty = spoilt(options, disorder=0.2)
    turn = {record.value: record.append_ms for record in clean}
    moved = [r.append_ms - turn[r.value] for r in faulty if r.append_ms != turn.get(r.value)]
    assert len(moved) / len(clean) == pytest.approx(0.2, abs=0.03)
    assert all(0 < by <= 600_000 for by in moved)
    recorded = [milliseconds(event["recorded_at"]) for event in events_of(faulty)]
    assert recorded != sorted(recorded)


def test_late_events_are_recorded_hours_to_days_later(options):
    """The fact is the same, but known much later."""
    clean, faulty = spoilt(options, late=0.1)
    known = {event["event_id"]: event for event in events_of(clean)}
    late = [e for e in events_of(faulty) if e["recorded_at"] != known[e["event_id"]]["recorded_at"]]
    for event in late:
        first = known[event["event_id"]]
        by = milliseconds(event["recorded_at"]) - milliseconds(first["recorded_at"])
        assert 2 * HOUR_MS <= by <= 96 * HOUR_MS
        assert event | {"recorded_at": ""} == first | {"recorded_at": ""}
    assert len(late) / len(clean) == pytest.approx(0.1, abs=0.03)


def test_a_correction_brings_back_the_truth(options):
    """The first report is wrong in its time alone; the one that corrects it is right."""
    clean, faulty = spoilt(options, corrections=0.1)
    truth = {event["event_id"]: event for event in events_of(clean)}
    reported = {event["event_id"]: event for event in events_of(faulty)}
    corrections = [event for event in reported.values() if "corrects" in event]
    assert len(corrections) / len(clean) == pytest.approx(0.1, abs=0.03)
    for event in corrections:
        right = truth[event["corrects"]]
        assert {**event, **{n: right[n] for n in ("event_id", "recorded_at")}} == {
            **right,
            "corrects": right["event_id"],
        }
        assert reported[event["corrects"]]["occurred_at"] < right["occurred_at"]


def test_conflicts_are_rivals_of_set_once_facts(options):
    """A rival has the same subject and type, another time, and is recorded later."""
    clean, faulty = spoilt(options, conflicts=0.1)
    truth = {event["event_id"]: event for event in events_of(clean)}
    rivals = [event for event in events_of(faulty) if event["event_id"] not in truth]
    assert rivals
    for event in rivals:
        first = truth[event["event_id"].removesuffix(".x")]
        assert (event["subject"], event["type"]) == (first["subject"], first["type"])
        assert event["occurred_at"] != first["occurred_at"]
        assert event["recorded_at"] > first["recorded_at"]
        assert not BY_NAME[event["type"]].repeatable


def test_every_malformed_record_is_rejected_for_its_reason(options):
    """Each way to be wrong is recognised as what it is, and every reason but `expired` occurs."""
    turn = next(t for t in Simulation(options()).on(739_000) if b'"declaration.numbered"' in t[3])
    for reason, make in module.MALFORMED:
        key, value = make(turn, 65_536)
        with pytest.raises(EventRejected) as caught:
            CODEC.decode(key, value, turn[0])
        assert caught.value.reason is reason, value[:200]
        assert b"\n" not in value
    assert {reason for reason, _ in module.MALFORMED} == set(Reason) - {Reason.EXPIRED}


def test_malformed_records_come_on_top_of_the_valid_ones(options):
    """The valid events are all there; as many as asked for are rejected beside them."""
    clean, faulty = spoilt(options, malformed=0.05)
    outcomes = defaultdict(list)
    for record in faulty:
        try:
            CODEC.decode(*record)
        except EventRejected as rejected:
            outcomes[rejected.reason].append(record)
        else:
            outcomes[None].append(record)
    assert outcomes.pop(None) == clean
    assert sum(map(len, outcomes.values())) / len(clean) == pytest.approx(0.05, abs=0.01)
    assert set(outcomes) == set(Reason) - {Reason.EXPIRED}


def test_in_a_file_no_malformed_record_adds_a_fact(options):
    """A file has no keys: there a wrong key makes a duplicate; the others are rejected."""
    clean, faulty = spoilt(options, malformed=0.05)
    values = Counter(record.value for record in clean)
    for record in (Counter(r.value for r in faulty) - values).elements():
        try:
            CODEC.decode_value(record, 2**60)
        except EventRejected:
            continue
        assert record in values


def test_all_faults_together_keep_the_order_and_the_bounds(options):
    """Nothing moves forward, and nothing is later than the live part reckons with."""
    everything = Injections(0.1, 0.1, 0.1, 0.1, 0.1, 0.1)
    simulation = Simulation(options(injections=everything))
    day = simulation.today - 20
    midnight = simulation.hours.midnight_ms(day)
    turns = [turn[0] for turn in simulation.on(day)]
    assert midnight - stages.BEFORE_MS <= min(turns)
    assert max(turns) <= midnight + stages.AFTER_MS + module.AFTER_MS
    appended = [record.append_ms for record in simulate(simulation.options)]
    assert appended == sorted(appended)
    for record in simulate(simulation.options):
        try:
            CODEC.decode(*record)
        except EventRejected:
            continue
        event = json.loads(record.value)
        assert milliseconds(event["recorded_at"]) <= record.append_ms


def test_a_share_is_between_none_and_all():
    """Anything else is refused by name."""
    with pytest.raises(InputError, match=r"injections\.late must be a share"):
        Injections(late=2.0)
