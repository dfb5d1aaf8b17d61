"""Records of readings and transitions, and what a restart makes of them."""

import json
from dataclasses import replace

import pytest

from kpi_stream.adapters.kafka.reader import Record
from kpi_stream.adapters.kafka.scorecard.memory import KEPT, Memory
from kpi_stream.adapters.kafka.scorecard.records import (
    decode_key,
    decode_state,
    decode_transition,
    encode_key,
    encode_reading,
    encode_transition,
)
from kpi_stream.application.scorecard import Evaluation, Scorecard
from kpi_stream.domain.hysteresis import Damping
from kpi_stream.domain.status import Status
from tests.support.scorecard import (
    ADVANCE,
    NOON_MS,
    RELEASE,
    FakeTotals,
    national,
    office,
    strategy,
    target,
)


def evaluations(*values: float | None, hold: int = 2) -> list[Evaluation]:
    """Return evaluations a second apart, one for each value of the judged KPI."""
    totals = FakeTotals()
    card = Scorecard(strategy(target(ADVANCE, 0.8)), totals, damping=Damping(hold, 0.0))
    made = []
    for at, value in enumerate(values):
        totals.values = {national(ADVANCE): value, national(RELEASE): 90.0}
        made.append(card.evaluate(NOON_MS + 1 + at * 1000))
    return made


def record(key: bytes, value: bytes | None) -> Record:
    """Return a record as it is read."""
    return Record(0, 0, key, value, 0)


def reading(evaluation: Evaluation) -> Record:
    """Return the record of the judged reading."""
    (judged,) = evaluation.judged
    return record(
        encode_key(judged.key), encode_reading(judged.reading, judged, evaluation.as_of_ms)
    )


def transition(evaluation: Evaluation) -> Record:
    """Return the record of the one transition."""
    (told,) = evaluation.transitions
    return record(encode_key(told.key), encode_transition(told))


def test_a_judged_reading_remembers_its_status() -> None:
    """What the next process must know is read back from it, to the millisecond."""
    *_, held = evaluations(0.9, 0.1)
    as_of_ms, state = decode_state(reading(held).value or b"")
    assert as_of_ms == NOON_MS + 1001
    assert state == held.judged[0].state
    assert state.candidate is Status.OFF_TRACK


def test_a_reading_is_readable_by_others() -> None:
    """Values are not rounded, no data is null with a reason, times are RFC 3339."""
    (evaluation,) = evaluations(None)
    told = json.loads(reading(evaluation).value or b"")
    assert told["as_of"] == "2026-06-15T12:00:00.001Z"
    assert (told["value"], told["no_data"], told["samples"]) == (None, "too_few", 1)
    assert (told["status"], told["expected"], told["target"]) == ("no_data", 0.8, f"{ADVANCE}-goal")
    plain = encode_reading(evaluation.readings[national(RELEASE)], None, evaluation.as_of_ms)
    assert "status" not in json.loads(plain)
    assert decode_state(plain) == (NOON_MS + 1, None)


def test_a_key_is_its_series() -> None:
    """Four words; anything else is not ours."""
    for key in (national(ADVANCE), office(ADVANCE, "118")):
        assert decode_key(encode_key(key)) == key
    with pytest.raises(ValueError, match="not the key of a series"):
        decode_key(b"a|b|c")


@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b'{"as_of": 1, "state": {}}', b"null"])
def test_what_is_not_ours_is_refused(value: bytes) -> None:
    """A damaged record is an error, not an empty memory."""
    with pytest.raises(ValueError):  # noqa: PT011  (json's own text, or ours)
        decode_state(value)
    with pytest.raises(ValueError):  # noqa: PT011
        decode_transition(national(ADVANCE), value)


def test_a_transition_ahead_of_the_readings_is_believed() -> None:
    """Killed between the two writes: the log knows of a change that the reading does not."""
    _, held, changed = evaluations(0.9, 0.1, 0.1)
    memory = Memory()
    memory.take_readings([reading(held)])
    memory.take_transitions([transition(changed)])
    state = memory.states[national(ADVANCE)]
    assert (state.status, state.sequence, state.since_ms) == (
        Status.OFF_TRACK,
        1,
        NOON_MS + 2001,
    )
    assert state == changed.judged[0].state


def test_the_latest_transitions_are_read_back_whole() -> None:
    """As they were told, each once, and of a long log only the newest."""
    (*_, changed) = evaluations(0.9, 0.1, 0.1)
    (told,) = changed.transitions
    memory = Memory()
    memory.take_transitions([transition(changed), transition(changed)])
    assert memory.transitions == (told,)
    later = [replace(told, sequence=each) for each in range(2, KEPT + 3)]
    memory.take_transitions(record(encode_key(each.key), encode_transition(each)) for each in later)
    assert memory.transitions == tuple(later[-KEPT:])


def test_an_old_transition_does_not_undo_a_newer_reading() -> None:
    """The reading holds the latest change and what has been held since."""
    made = evaluations(0.9, 0.1, 0.1, 0.9)
    memory = Memory()
    memory.take_readings(map(reading, made))
    memory.take_transitions([transition(made[2])])
    assert memory.states[national(ADVANCE)] == made[3].judged[0].state
    assert memory.states[national(ADVANCE)].held == 1


def test_a_tombstone_is_forgotten_and_the_newest_as_of_kept() -> None:
    """A series that was taken back has no status."""
    memory = Memory()
    memory.take_readings(map(reading, evaluations(0.9, 0.9)))
    assert memory.published == {national(ADVANCE)}
    memory.take_readings([record(encode_key(national(ADVANCE)), None)])
    assert (memory.states, memory.published) == ({}, set())
    assert memory.as_of_ms == NOON_MS + 1001
