import pytest

from kpi_stream.domain.events import BY_MILESTONE, BY_NAME, Event, Fact, Kind, Value
from kpi_stream.domain.subject import COMPLETING, OPENING, Outcome, Subject


def event(
    type_name: str,
    event_id: str,
    *,
    recorded: int = 10,
    occurred: int = 5,
    values: tuple[Value, ...] = (),
    corrects: str | None = None,
) -> Event:
    """Return an event of a declaration, at small times."""
    return Event("s", BY_NAME[type_name], Fact(recorded, event_id, occurred, values), corrects)


def applied(*events: Event) -> tuple[Subject, list[Outcome]]:
    """Return a declaration after some events, and what became of each."""
    subject = Subject(Kind.DECLARATION)
    return subject, [subject.apply(each) for each in events]


def released(subject: Subject) -> int | None:
    """Return when the declaration was released."""
    found = subject.winner(BY_MILESTONE["released"].slot)
    return None if found is None else found.occurred_ms


def test_the_first_written_wins():
    """Of two values of a set-once milestone the one recorded first counts, whichever came first."""
    early = event("release.granted", "z", recorded=1, occurred=50, values=(None,))
    late = event("release.granted", "a", recorded=2, occurred=40, values=(None,))
    for order in ((early, late), (late, early)):
        subject, outcomes = applied(*order)
        assert released(subject) == 50
        assert outcomes == [Outcome.COUNTED, Outcome.CONFLICTING]
        assert subject.conflicting


def test_recorded_together_the_smaller_id_wins():
    """The event id decides between two that were recorded at the same time."""
    subject, _ = applied(
        event("release.granted", "b", occurred=1, values=(None,)),
        event("release.granted", "a", occurred=2, values=(None,)),
    )
    assert released(subject) == 2


def test_two_sources_that_agree_are_no_conflict():
    """The same content under another event id is counted once and contradicts nothing."""
    subject, outcomes = applied(
        event("release.granted", "a", values=(None,)), event("release.granted", "b", values=(None,))
    )
    assert outcomes == [Outcome.COUNTED, Outcome.COUNTED]
    assert not subject.conflicting


def test_the_same_again_is_a_duplicate():
    """A redelivery changes nothing, and the subject knows so beforehand."""
    once = event("debt.settled", "a", values=("paid", 7))
    subject, outcomes = applied(once, once)
    assert outcomes == [Outcome.COUNTED, Outcome.DUPLICATE]
    assert subject.knows(once)
    assert not subject.knows(once._replace(corrects="b"))


def test_a_correction_contradicts_nothing():
    """What is replaced is no rival, in either order of arrival."""
    wrong = event("release.granted", "a", occurred=1, values=(None,))
    right = event("release.granted", "b", occurred=2, values=(None,), corrects="a")
    for order in ((wrong, right), (right, wrong)):
        subject, outcomes = applied(*order)
        assert outcomes == [Outcome.COUNTED, Outcome.COUNTED]
        assert released(subject) == 2
        assert not subject.conflicting


def test_a_correction_of_a_correction():
    """Only the last of a chain counts; two that replace each other are both gone."""
    chain = [
        event("release.granted", "a", occurred=1, values=(None,)),
        event("release.granted", "b", occurred=2, values=(None,), corrects="a"),
        event("release.granted", "c", occurred=3, values=(None,), corrects="b"),
    ]
    assert released(applied(*chain)[0]) == 3
    circle = [chain[0]._replace(corrects="b"), chain[1]]
    assert released(applied(*circle)[0]) is None


def test_a_correction_resolves_a_conflict():
    """Two sources that differ are in conflict until one of them is corrected."""
    subject, _ = applied(
        event("release.granted", "a", occurred=1, values=(None,)),
        event("release.granted", "b", occurred=2, values=(None,)),
    )
    assert subject.conflicting
    subject.apply(event("release.granted", "c", occurred=2, values=(None,), corrects="a"))
    assert not subject.conflicting


def test_a_repeatable_milestone_counts_every_event_id_once():
    """Payments add up; one id with two contents counts as first written, and is a conflict."""
    slot = BY_MILESTONE["settled"].slot
    subject, outcomes = applied(
        event("debt.settled", "a", occurred=1, values=("paid", 7)),
        event("debt.settled", "b", occurred=2, values=("paid", 7)),
        event("debt.settled", "a", recorded=9, occurred=3, values=("paid", 8)),
    )
    assert [fact.values[1] for fact in subject.alive(slot)] == [8, 7]
    assert outcomes[-1] is Outcome.CONFLICTING
    assert subject.conflicting
    latest = subject.latest(slot)
    assert latest is not None
    assert latest.occurred_ms == 3


def test_the_channel_is_the_latest_change():
    """A change wins over the assignment, and of several the one that happened last."""
    assigned = event("channel.assigned", "a", occurred=9, values=("green", "risk"))
    changes = [
        event("channel.changed", name, occurred=at, values=("green", to, "discretion"))
        for name, at, to in (("b", 3, "red"), ("c", 2, "orange"))
    ]
    assert applied()[0].channel is None
    assert applied(assigned)[0].channel == "green"
    assert applied(assigned, *changes)[0].channel == "red"
    gone = [each._replace(corrects=name) for each, name in zip(changes, "bc", strict=True)]
    assert applied(assigned, *gone)[0].channel == "green"
    assert Subject(Kind.AUDIT).channel is None


def test_a_subject_is_complete_until_that_is_corrected():
    """The goods' exit completes a declaration; its correction opens it again."""
    exited = event("goods.exited", "a")
    assert applied(exited)[0].complete
    moved = event("transport.arrived", "b", corrects="a")
    assert not applied(exited, moved)[0].complete
    assert not applied(event("release.granted", "a", values=(None,)))[0].complete


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_opens_once(kind: Kind):
    """A kind has one opening event, and an office in it."""
    assert OPENING[kind].opens
    assert "office" in OPENING[kind].fields
    assert all(slot >= 0 for slot in COMPLETING[kind])
