import pytest

from kpi_stream.domain.attributes import all_of, clock, getter, slots_of
from kpi_stream.domain.events import BY_MILESTONE, BY_NAME, Event, Fact, Kind, Value
from kpi_stream.domain.strategy import Condition
from kpi_stream.domain.subject import Subject

D = Kind.DECLARATION


def declaration(*facts: tuple[str, str, int, tuple[Value, ...]]) -> Subject:
    """Return a declaration that knows (type, event id, time, values)."""
    subject = Subject(D)
    for name, event_id, at, values in facts:
        subject.apply(Event("s", BY_NAME[name], Fact(at, event_id, at, values)))
    return subject


NUMBERED = ("declaration.numbered", "n", 1, ("118", "10", "sea", "urgent", True, True, 1, 0))
PAID = ("debt.settled", "p", 5, ("paid", 100))
SECURED = ("debt.settled", "g", 9, ("guaranteed", 0))


def holds(subject: Subject, *conditions: Condition, fact: Fact | None = None) -> bool:
    """Return whether the conditions hold, with a payment at hand if a fact is given."""
    at_hand = BY_MILESTONE["settled"] if fact is not None else None
    test = all_of(conditions, D, at_hand)
    assert test is not None
    return test(subject, fact)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("office", "118"),
        ("numbered.regime", "10"),
        ("numbered.aeo", True),
        ("has.settled", True),
        ("has.released", False),
        ("settled.settlement", "guaranteed"),
        ("released.officer", None),
        ("channel", None),
    ],
)
def test_an_attribute_is_read(attribute: str, value: Value):
    """An attribute is that of the winner or of the latest event; None where it is not known."""
    assert getter(attribute, D)(declaration(NUMBERED, PAID, SECURED), None) == value


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ("nowhere.x", "unknown milestone 'nowhere'; one of manifested"),
        ("numbered.colour", "no field 'colour'; one of office, regime"),
        ("arrived.colour", "no field 'colour'; one of -"),
        ("audited.finding", "belongs to audit subjects, not to declaration"),
        ("regime", "unknown attribute 'regime'; write milestone.field"),
        ("has.nothing", "unknown milestone 'nothing'"),
    ],
)
def test_an_attribute_that_does_not_exist_is_named(attribute: str, words: str):
    """The error says what is wrong and what would be right."""
    with pytest.raises(ValueError, match=words):
        slots_of(attribute, D)


def test_a_flag_is_no_number():
    """True equals 1 in Python, yet a condition on the number 1 does not hold for a flag."""
    subject = declaration(NUMBERED)
    assert holds(subject, Condition("numbered.aeo", frozenset({True})))
    assert not holds(subject, Condition("numbered.aeo", frozenset({1})))
    assert holds(subject, Condition("numbered.cif_cents", frozenset({1})))
    assert not holds(subject, Condition("numbered.cif_cents", frozenset({True})))


def test_what_is_missing_fails_every_test_but_a_negated_one():
    """An unknown officer is not o1, and is not among those that are not o1 unless negated."""
    subject = declaration(NUMBERED)
    for condition in (
        Condition("released.officer", frozenset({"o1"})),
        Condition("scanned.result", frozenset({"conforming"})),
        Condition("settled.amount_cents", at_least=0),
    ):
        negated = Condition(condition.attribute, condition.any_of, condition.at_least, negate=True)
        assert not holds(subject, condition)
        assert holds(subject, negated)


def test_at_least_includes_its_limit():
    """A value equal to the limit is at least the limit."""
    subject = declaration(NUMBERED, PAID)
    assert holds(subject, Condition("settled.amount_cents", at_least=100))
    assert not holds(subject, Condition("settled.amount_cents", at_least=101))
    assert holds(subject, Condition("settled.amount_cents", at_least=101, negate=True))


def test_the_event_at_hand_is_asked_about_itself():
    """Where payments are counted one by one, each is asked for its own settlement."""
    subject = declaration(NUMBERED, PAID, SECURED)
    paid, secured = subject.alive(BY_MILESTONE["settled"].slot)
    condition = Condition("settled.settlement", frozenset({"paid"}))
    assert holds(subject, condition, fact=paid)
    assert not holds(subject, condition, fact=secured)
    assert not holds(subject, condition)


def test_all_conditions_must_hold():
    """Several conditions are joined by and; none at all is no test."""
    subject = declaration(NUMBERED)
    sea = Condition("numbered.transport_mode", frozenset({"sea"}))
    assert holds(subject, sea, Condition("office", frozenset({"118"})))
    assert not holds(subject, sea, Condition("office", frozenset({"235"})))
    assert all_of((), D) is None


def test_a_clock_reads_the_latest_repetition():
    """The time of a repeatable milestone is that of its last event, whenever it was written."""
    assert clock("settled", D)(declaration(SECURED, PAID)) == 9
    assert clock("numbered", D)(declaration(NUMBERED)) == 1
    assert clock("released", D)(declaration(NUMBERED)) is None


def test_what_was_corrected_is_not_read():
    """A corrected fact has neither time nor fields."""
    subject = declaration(NUMBERED)
    arrived = Event("s", BY_NAME["transport.arrived"], Fact(2, "a", 2, ()), corrects="n")
    subject.apply(arrived)
    assert clock("numbered", D)(subject) is None
    assert getter("numbered.regime", D)(subject, None) is None
    assert not holds(subject, Condition("numbered.regime", frozenset({"10"})))
    assert not holds(subject, Condition("has.numbered", frozenset({True})))
