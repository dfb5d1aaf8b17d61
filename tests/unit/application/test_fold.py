import pytest

from kpi_stream.application.fold import LEAVES_BYTES, LIVE_KEPT, PartitionFold, Retention
from kpi_stream.domain.errors import DamagedSubject, EventRejected, Reason, StateError
from kpi_stream.domain.subject import Outcome
from tests.laws.brute import Raw
from tests.laws.rig import CODEC, Partition, summed
from tests.laws.strategies import DAY, catalogue, event

NOW = 1_711_846_800_000
VALUES = ("118", "10", "sea", "urgent", True, True, 0, 0)
NUMBERED = Raw("declaration.numbered", "s1", "e1", NOW, NOW, VALUES)


def fold() -> PartitionFold:
    """Return an empty fold."""
    return PartitionFold(catalogue(), CODEC)


def test_nothing_counts_before_its_opening():
    """Without its opening event a subject is remembered, and contributes once it is known."""
    paid = Raw("debt.settled", "s1", "e2", NOW, NOW, ("paid", 7))
    partition = Partition(catalogue()).take([paid]).drain()
    assert summed(partition.rows) == {}
    assert list(partition.subjects) == [b"declaration:s1"]
    partition.take([NUMBERED]).drain()
    assert any("7" in value.decode() for value in partition.rows.values())


def test_kinds_do_not_share_subjects():
    """An audit and a declaration of one name are two subjects."""
    audit = Raw("audit.completed", "s1", "e1", NOW, NOW, ("118", True, 5))
    partition = Partition(catalogue()).take([NUMBERED, audit]).drain()
    assert sorted(partition.subjects) == [b"audit:s1", b"declaration:s1"]
    assert partition.fold.subjects == 2


def test_a_drain_writes_only_what_changed():
    """A duplicate, and a drain after a drain, write nothing."""
    one = fold()
    one.apply(event(NUMBERED))
    changes = one.drain()
    assert len(changes.subjects) == 1
    assert changes.rows
    assert one.apply(event(NUMBERED)) is Outcome.DUPLICATE
    assert one.drain() == ([], [], [])


def test_an_event_that_the_rows_have_changes_the_subject_alone():
    """Recovery without transactions brings the subjects up to the rows."""
    one = fold()
    assert one.apply(event(NUMBERED), count_rows=False) is Outcome.COUNTED
    changes = one.drain()
    assert [key for key, _ in changes.subjects] == [b"declaration:s1"]
    assert changes.rows == []
    assert one.watermark_ms == NOW


def test_the_watermark_is_the_newest_recorded_time():
    """It never goes back, and a duplicate may be the newest that was seen."""
    one = fold()
    assert one.watermark_ms == -1
    one.apply(event(NUMBERED))
    one.apply(event(NUMBERED._replace(subject="s2", recorded_ms=NOW - 1)))
    assert one.watermark_ms == NOW
    again = fold()
    again.restore_meta(one.meta())
    assert again.watermark_ms == NOW


def test_what_is_too_old_for_an_unknown_subject_is_expired():
    """The subject may have left and been forgotten, so its event must not count by half."""
    one = fold()
    one.apply(event(NUMBERED))
    late = NUMBERED._replace(subject="s2", occurred_ms=NOW - 400 * DAY)
    one.apply(event(late))
    with pytest.raises(EventRejected, match="declaration s3 has left the state") as caught:
        one.apply(event(late._replace(subject="s3", occurred_ms=NOW - 400 * DAY - 1)))
    assert caught.value.reason is Reason.EXPIRED
    assert one.subjects == 2


def test_an_expired_event_does_not_move_the_watermark():
    """What is rejected changes nothing, the clock of the partition included."""
    short = Retention(complete_ms=DAY, incomplete_ms=DAY, remembered_ms=400 * DAY)
    one = PartitionFold(catalogue(), CODEC, short)
    one.apply(event(NUMBERED))
    one.apply(event(NUMBERED._replace(subject="s2", recorded_ms=NOW + 2 * DAY)))
    with pytest.raises(EventRejected):
        one.apply(event(NUMBERED._replace(event_id="e2", recorded_ms=NOW + 9 * DAY)))
    assert one.watermark_ms == NOW + 2 * DAY


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"state_version": 0}, "the stored state has version 0, this program writes 1"),
        ({"fingerprint": "abc"}, r"counted under other KPI definitions \(abc, the strategy now"),
    ],
)
def test_a_state_of_other_definitions_is_refused(changed: dict[str, object], words: str):
    """Rows are never continued under another meaning."""
    with pytest.raises(StateError, match=words):
        fold().restore_meta({**fold().meta(), **changed})


@pytest.mark.parametrize("value", [b"1234567", b"", b"garbage of some length"])
def test_what_is_no_record_of_a_subject_is_refused(value: bytes):
    """A record is the time of leaving, and a state behind it unless the subject has left."""
    with pytest.raises(StateError, match="b'declaration:s1' holds no state of a subject, but b'"):
        fold().restore_subject(b"declaration:s1", value)
    fold().restore_subject(b"declaration:s1", b"12345678")


def test_a_damage_further_in_shows_when_the_state_is_used():
    """It names the key, so that whoever has read the record can find it."""
    written = Partition(catalogue()).take([NUMBERED]).drain().subjects[b"declaration:s1"]
    one = fold()
    one.restore_subject(b"declaration:s1", written[:-4])
    one.restored()
    with pytest.raises(DamagedSubject, match="a declaration record cannot be read") as damage:
        one.apply(event(NUMBERED))
    assert damage.value.key == "declaration:s1"


def test_a_tombstone_removes_what_was_restored():
    """A topic that was not compacted yet may hold a subject and its end."""
    one = fold()
    one.restore_subject(b"declaration:s1", bytes(LEAVES_BYTES))
    one.restore_subject(b"declaration:s1", None)
    one.restored()
    assert one.subjects == 0
    assert one.apply(event(NUMBERED)) is Outcome.COUNTED


def test_the_states_are_those_that_have_not_left():
    """Subjects in memory and in the stored form are seen once each, markers are not."""
    one = fold()
    one.apply(event(NUMBERED))
    one.drain()
    one.apply(event(NUMBERED._replace(subject="s2")))
    one.restore_subject(b"declaration:s3", bytes(LEAVES_BYTES))
    assert len(list(one.states())) == 2


def test_what_stays_decoded_after_a_drain_is_bounded():
    """Up to a number of subjects; beyond it all of them are only records again."""
    one = fold()
    numbered = event(NUMBERED)
    for number in range(LIVE_KEPT + 1):
        one.apply(numbered._replace(subject=f"s{number}"))
        if number == 0:
            one.drain()
            assert list(one._live) == ["declaration:s0"]
    one.drain()
    assert not one._live
    assert one.apply(numbered) is Outcome.DUPLICATE
    assert one.subjects == LIVE_KEPT + 1


def test_a_subject_that_leaves_does_not_stay_decoded():
    """The sweep takes it out of both places."""
    retention = Retention(DAY, DAY, 10 * DAY)
    one = PartitionFold(catalogue(), CODEC, retention)
    one.apply(event(NUMBERED))
    one.drain()
    one.apply(event(NUMBERED._replace(subject="s2", recorded_ms=NOW + 3 * DAY)))
    one.drain()
    assert list(one._live) == ["declaration:s2"]
