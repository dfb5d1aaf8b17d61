import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.domain.errors import StateError
from kpi_stream.domain.events import TYPES_OF_KIND, Kind
from kpi_stream.domain.subject import Subject
from tests.laws.strategies import event, feeds

CODEC = MsgspecStateCodec()


def content(subject: Subject) -> tuple[object, ...]:
    """Return everything that a subject remembers, types of values included."""
    typed = [
        [(*fact[:3], [(type(value), value) for value in fact.values]) for fact in facts or ()]
        for facts in subject.facts
    ]
    return (
        subject.kind,
        typed,
        subject.corrected,
        subject.newest_ms,
        subject.reached,
        subject.conflicting,
    )


@settings(max_examples=60)
@given(feeds(1_711_846_800_000))
def test_a_subject_is_read_as_it_was_written(events: list):
    """Every fact survives, a flag as a flag and a number as a number."""
    subjects: dict[tuple[Kind, str], Subject] = {}
    for each in map(event, events):
        key = (each.type.kind, each.subject)
        subjects.setdefault(key, Subject(each.type.kind)).apply(each)
    for (kind, _), subject in subjects.items():
        again = CODEC.decode_subject(kind, CODEC.encode_subject(subject))
        assert content(again) == content(subject)
        assert CODEC.encode_subject(again) == CODEC.encode_subject(subject)


def test_an_older_record_lacks_the_newest_milestones():
    """Slots are appended, so a record of an earlier version is read with empty ones."""
    older = msgspec.msgpack.encode((7, 1, False, [[(7, "e", 7, [])]], []))
    subject = CODEC.decode_subject(Kind.DECLARATION, older)
    assert len(subject.facts) == len(TYPES_OF_KIND[Kind.DECLARATION])
    assert subject.facts[-1] is None
    assert CODEC.decode_subject(Kind.DECLARATION, CODEC.encode_subject(subject)).newest_ms == 7


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode((7, 1, False, [])),
        msgspec.msgpack.encode(("7", 1, False, [], [])),
        msgspec.msgpack.encode((7, 1, False, [[("e", 7)]], [])),
        CODEC.encode_subject(Subject(Kind.AUDIT))[:-1],
    ],
)
def test_a_damaged_subject_is_an_error(record: bytes):
    """State that cannot be read stops the worker instead of being counted as nothing."""
    with pytest.raises(StateError, match="a audit record cannot be read"):
        CODEC.decode_subject(Kind.AUDIT, record)


@given(st.dictionaries(st.text(max_size=5), st.integers(-(2**63), 2**63 - 1)))
def test_counters_are_read_as_they_were_written(counters: dict[str, int]):
    """A row survives the topic, negative counters of a generation included."""
    assert CODEC.decode_counters(CODEC.encode_counters(counters)) == counters


def test_a_row_can_be_read_by_a_person():
    """Counters are written as JSON, in one order."""
    assert CODEC.encode_counters({"b.n": 2, "a.sum": -1}) == b'{"a.sum":-1,"b.n":2}'


@pytest.mark.parametrize("record", [b"", b"[]", b'{"a":1.5}', b'{"a":"1"}', b'{"a":1', b"\xff"])
def test_a_damaged_row_is_an_error(record: bytes):
    """A row that cannot be read is an error, not an empty row."""
    with pytest.raises(StateError, match="a row record cannot be read"):
        CODEC.decode_counters(record)
