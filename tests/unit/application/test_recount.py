"""What an event changes: only what can answer is asked, and what changes is found."""

from collections import Counter

from kpi_stream.application.recount import Plan
from kpi_stream.domain.events import BY_NAME, Kind
from kpi_stream.domain.subject import Outcome, Subject
from kpi_stream.domain.terms import Contributions
from tests.laws.brute import Raw
from tests.laws.strategies import catalogue, event

NOW = 1_711_846_800_000
VALUES = ("118", "10", "sea", "urgent", True, True, 0, 0)
NUMBERED = Raw("declaration.numbered", "s1", "e1", NOW, NOW, VALUES)
ASSIGNED = Raw("channel.assigned", "s1", "e2", NOW, NOW, ("red", "risk"))
CHANGED = Raw("channel.changed", "s1", "e3", NOW, NOW, ("red", "green", "risk"))


class Sums:
    """Rows without panes: counters by members."""

    def __init__(self) -> None:
        self.calls = 0
        self._sums: Counter[tuple[str, str]] = Counter()

    def add(self, members: str, contributions: Contributions, sign: int) -> None:
        """As `RowStore.add`."""
        self.calls += 1
        for _, counters in contributions:
            for name, value in counters:
                self._sums[members, name] += sign * value

    @property
    def held(self) -> dict[tuple[str, str], int]:
        """The counters that are not 0."""
        return {at: value for at, value in self._sums.items() if value}


def take(subject: Subject, sums: Sums, *raws: Raw) -> None:
    """Let plans take events, one after the other."""
    for raw in raws:
        of = BY_NAME[raw.type]
        touched = catalogue().touched(of)
        if raw.corrects is not None:
            touched = catalogue().counted(of.kind)
        assert Plan(of, touched).take(event(raw), subject, sums.add) is not Outcome.DUPLICATE


def defined(subject: Subject) -> dict[tuple[str, str], int]:
    """Return what a subject contributes by definition."""
    sums = Sums()
    for each in catalogue().counted(subject.kind):
        sums.add(each.group.members(subject), each.term.contribute(subject), 1)
    return sums.held


def test_an_event_that_no_measure_looks_at_only_changes_the_subject():
    """Nothing is asked and nothing added."""
    subject, sums = Subject(Kind.DECLARATION), Sums()
    plan = Plan(BY_NAME[NUMBERED.type], ())
    assert plan.take(event(NUMBERED), subject, sums.add) is Outcome.COUNTED
    assert subject.winner(BY_NAME[NUMBERED.type].slot) is not None
    assert sums.calls == 0


def test_a_member_that_changes_moves_what_was_counted():
    """A new channel takes the contributions from the old rows to the new ones."""
    subject, sums = Subject(Kind.DECLARATION), Sums()
    take(subject, sums, NUMBERED)
    opened = sums.held
    take(subject, sums, ASSIGNED)
    assert sums.held == defined(subject) != opened
    assert any("red" in members for members, _ in sums.held)
    take(subject, sums, CHANGED)
    assert sums.held == defined(subject)
    assert not any("red" in members for members, _ in sums.held)
    assert any("green" in members for members, _ in sums.held)


def test_a_correction_of_the_opening_takes_everything_out_and_back():
    """Whatever it replaces, in whatever order the two arrive."""
    subject, sums = Subject(Kind.DECLARATION), Sums()
    take(subject, sums, NUMBERED, ASSIGNED)
    take(
        subject,
        sums,
        NUMBERED._replace(event_id="e4", values=("235", *VALUES[1:]), corrects="e1"),
    )
    assert sums.held == defined(subject)
    assert not any(members.startswith("118") for members, _ in sums.held)
    take(subject, sums, ASSIGNED._replace(event_id="e5", corrects="e4"))
    assert sums.held == {}
    take(subject, sums, NUMBERED._replace(event_id="e6", corrects="e0"))
    assert sums.held == defined(subject) != {}
