"""The stages of a way add up, for any order of events, against one loop over every millisecond."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from kpi_stream.domain.events import BY_MILESTONE, TYPES_OF_KIND, Event, Fact, Kind
from kpi_stream.domain.stages import CompiledWay
from kpi_stream.domain.strategy import Holder, Stage, Way
from kpi_stream.domain.subject import Subject

WAY = Way(
    "arrived",
    "released",
    (
        Stage("unload", {}, Holder.PORT, ("discharged",)),
        Stage("pay", {}, Holder.BANK, ("settled",), begin="numbered"),
        Stage("papers", {}, Holder.TRADER, ("documents_received",), begin="documents_requested"),
        Stage("control", {}, Holder.CUSTOMS, ("reviewed", "inspected")),
        Stage("release", {}, Holder.CUSTOMS, ("released",)),
        Stage("exit", {}, Holder.TRADER, ("exited",)),
    ),
)
COMPILED = CompiledWay(WAY, "way")
ONCE = ("arrived", "discharged", "numbered", "reviewed", "inspected", "released", "exited")
AGAIN = ("settled", "documents_requested", "documents_received")

times = st.integers(1, 40)
lives = st.fixed_dictionaries(
    {name: st.lists(times, max_size=1) for name in ONCE}
    | {name: st.lists(times, max_size=3, unique=True) for name in AGAIN}
)
"""When each milestone was reached, in milliseconds."""


def subject_of(life: Mapping[str, list[int]]) -> Subject:
    """Return the subject of a life."""
    subject = Subject(Kind.DECLARATION)
    for name, each in life.items():
        for number, at in enumerate(each):
            kind = BY_MILESTONE[name]
            values = tuple(None for _ in kind.fields)
            fact = Fact(100 + number, f"{name}{number}", at, values)
            subject.apply(Event("s", kind, fact))
    return subject


def owner(life: Mapping[str, list[int]], at: int) -> str:
    """Return who has a millisecond: the first stage that is open in it."""
    if life["discharged"] and at < life["discharged"][0]:
        return "unload"
    for name, begins, ends in (
        ("pay", life["numbered"], life["settled"]),
        ("papers", life["documents_requested"], life["documents_received"]),
    ):
        for begun in begins:
            over = [end for end in ends if begun <= end <= at]
            if begun <= at and not over:
                return name
    controls = life["reviewed"] + life["inspected"]
    if controls and at < max(controls):
        return "control"
    return "release"


@given(lives)
def test_each_millisecond_has_one_stage(life: Mapping[str, list[int]]):
    """The split is what a loop over the milliseconds finds, and adds up to the whole."""
    took = COMPILED.split(subject_of(life))
    if not life["arrived"] or not life["released"]:
        assert took is None
        return
    assert took is not None
    start, end = life["arrived"][0], life["released"][0]
    found = [owner(life, at) for at in range(start, end)]
    names = [stage.id for stage in WAY.stages[: COMPILED.inner]]
    assert [each or 0 for each in took] == [found.count(name) for name in names]
    assert sum(each or 0 for each in took) == max(0, end - start)
    # Nothing, as against no time at all, where it did not begin before both were over.
    begun = {
        "unload": [0] * len(life["discharged"]),
        "pay": life["numbered"],
        "papers": life["documents_requested"],
        "control": [0] * len(life["reviewed"] + life["inspected"]),
        "release": [0],
    }
    part = [any(at <= max(start, end) for at in begun[name]) for name in names]
    assert [each is not None for each in took] == part


@given(lives)
def test_what_is_counted_is_the_split(life: Mapping[str, list[int]]):
    """Counters hold the same milliseconds, and the exit comes on top."""
    subject = subject_of(life)
    found: dict[str, int] = {}
    for term in COMPILED.terms:
        for _, counters in term.contribute(subject):
            for name, value in counters:
                found[name] = found.get(name, 0) + value
    took = COMPILED.split(subject)
    if took is None:
        assert not found
        return
    assert found.get("way.n") == 1
    assert found.get("way.sum_ms") == sum(each or 0 for each in took)
    for stage, each in zip(COMPILED.stages, took, strict=False):
        assert found.get(stage.n) == (None if each is None else 1)
        assert found.get(stage.sum) == each
    if life["exited"]:
        begun = max(life["arrived"][0], life["released"][0])
        assert found["way.exit.sum_ms"] == max(0, life["exited"][0] - begun)


@given(lives)
def test_the_stage_of_an_open_subject_has_not_ended(life: Mapping[str, list[int]]):
    """Whoever is named as the one to wait for can still end it."""
    standing = COMPILED.standing(subject_of(life))
    assert (standing is None) == (not life["arrived"] or bool(life["released"]))
    if standing is None:
        return
    stage = WAY.stages[standing.stage]
    newest = max((at for name in ONCE[:-1] + AGAIN for at in life[name]), default=0)
    assert life["arrived"][0] <= standing.since_ms <= newest
    if stage.begin is None and stage.id != "release":
        assert not any(life[name] for name in stage.end)
    elif stage.begin is not None:
        assert life[stage.begin]
        assert not any(end >= max(life[stage.begin]) for name in stage.end for end in life[name])


def test_every_kind_of_event_has_a_slot():
    """The way names milestones of declarations only."""
    assert {BY_MILESTONE[name] for name in ONCE + AGAIN} <= set(TYPES_OF_KIND[Kind.DECLARATION])
