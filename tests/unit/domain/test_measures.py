import pytest

from kpi_stream.domain import strategy as s
from kpi_stream.domain.catalogue import HISTOGRAM
from kpi_stream.domain.events import BY_NAME, Event, Fact, Kind, Value
from kpi_stream.domain.measures import MEASURES, CompiledMeasure
from kpi_stream.domain.subject import Subject
from kpi_stream.domain.windows import HOUR_MS, LocalDays

LIMA = LocalDays("America/Lima")
NOON = 1_764_003_600_000  # 2025-11-24T12:00 in Lima
PAID = s.Amount("settled", "amount_cents")


def compiled(spec: s.Measure) -> CompiledMeasure:
    """Return a measure with the counters `m.*`."""
    return MEASURES[spec.kind](spec, "m", LIMA)


def declaration(**hours: float | list[tuple[float, tuple[Value, ...]]]) -> Subject:
    """Return a declaration that reached milestones so many hours after noon."""
    names = {each.milestone: each for each in BY_NAME.values() if each.kind is Kind.DECLARATION}
    subject = Subject(Kind.DECLARATION)
    for milestone, when in hours.items():
        kind = names[milestone]
        facts = when if isinstance(when, list) else [(when, (None,) * len(kind.fields))]
        for number, (hour, values) in enumerate(facts):
            at = NOON + round(hour * HOUR_MS)
            subject.apply(Event("s", kind, Fact(at, f"{milestone}{number}", at, values)))
    return subject


def counted(spec: s.Measure, subject: Subject) -> list[tuple[float, dict[str, int]]]:
    """Return what is contributed, as (hours after noon, counters)."""
    return [
        ((at - NOON) / HOUR_MS, dict(counters))
        for term in compiled(spec).terms
        for at, counters in term.contribute(subject)
    ]


def test_a_duration_counts_at_its_end():
    """Its sum is in milliseconds, and it waits for both of its ends."""
    spec = s.Duration(("arrived",), "released")
    assert counted(spec, declaration(arrived=1, released=3)) == [
        (3, {"m.n": 1, "m.sum_ms": 2 * HOUR_MS})
    ]
    assert counted(spec, declaration(arrived=1)) == []
    assert counted(spec, declaration(released=1)) == []


def test_a_duration_below_zero_is_zero_and_counted_as_such():
    """Released before the arrival is no waiting, and can be seen."""
    spec = s.Duration(("arrived",), "released", statistic=HISTOGRAM)
    assert counted(spec, declaration(arrived=3, released=1)) == [
        (1, {"m.n": 1, "m.h0": 1, "m.clamped": 1})
    ]
    assert counted(spec, declaration(arrived=1, released=1)) == [(1, {"m.n": 1, "m.h0": 1})]


def test_a_duration_starts_with_the_latest_of_its_starts():
    """All required starts must be there, the others only count where they are."""
    spec = s.Duration(("arrived", "numbered"), "released", ("discharged",))
    assert counted(spec, declaration(arrived=1, released=9)) == []
    both = {"arrived": 1.0, "numbered": 2.0, "released": 9.0}
    assert counted(spec, declaration(**both))[0][1]["m.sum_ms"] == 7 * HOUR_MS
    assert counted(spec, declaration(**both, discharged=5))[0][1]["m.sum_ms"] == 4 * HOUR_MS
    assert counted(spec, declaration(**both, discharged=0))[0][1]["m.sum_ms"] == 7 * HOUR_MS


@pytest.mark.parametrize(
    ("hours", "wanted"),
    [
        ({"arrived": 0}, [(48, {"m.due": 1})]),
        ({"arrived": 0, "released": 48}, [(48, {"m.due": 1, "m.done": 1})]),
        ({"arrived": 0, "released": 48.001}, [(48, {"m.due": 1})]),
        ({"arrived": 0, "released": -5}, [(48, {"m.due": 1, "m.done": 1})]),
        ({"arrived": 0, "discharged": 10, "released": 57}, [(58, {"m.due": 1, "m.done": 1})]),
        ({"arrived": 0, "refused": 3}, [(48, {"m.due": 1, "m.done": 1})]),
        ({"arrived": 0, "released": 1, "cancelled": 2}, []),
        ({"released": 1}, []),
    ],
)
def test_within_counts_when_it_is_due(
    hours: dict[str, float], wanted: list[tuple[float, dict[str, int]]]
):
    """The contribution lies at start + limit, done or not; a cancelled one is not due."""
    spec = s.Within(("arrived",), ("released", "refused"), 48 * HOUR_MS, ("discharged",))
    assert counted(spec, declaration(**hours)) == wanted


@pytest.mark.parametrize(
    ("hours", "same"),
    [
        ({"numbered": 0, "released": 11.99}, 1),
        ({"numbered": 0, "released": 12}, 0),
        ({"numbered": 0, "inspected": 3, "released": 30}, 1),
        ({"numbered": 0}, 0),
        ({"numbered": 0, "released": -11.5}, 1),
        ({"numbered": 0, "released": -12.5, "inspected": 1}, 0),
    ],
)
def test_same_day_looks_at_the_first_decision(hours: dict[str, float], same: int):
    """Decided on the local day of registration, by whichever decision was first."""
    spec = s.SameDay("numbered", ("inspected", "released"))
    wanted = {"m.n": 1, "m.same": 1} if same else {"m.n": 1}
    assert counted(spec, declaration(**hours)) == [(0, wanted)]


def test_a_share_counts_each_event_of_a_repeatable_milestone():
    """Conditions on the milestone itself see the event at hand."""
    spec = s.Share("settled", (s.Condition("settled.settlement", frozenset({"paid"})),))
    payments = declaration(settled=[(1, ("paid", 5)), (2, ("guaranteed", 0))])
    assert counted(spec, payments) == [(1, {"m.whole": 1, "m.part": 1}), (2, {"m.whole": 1})]


def test_an_amount_of_nothing_is_an_event_all_the_same():
    """0 cents are data: the event counts, the sum does not change."""
    payments = declaration(settled=[(1, ("paid", 5)), (2, ("guaranteed", 0))])
    assert counted(PAID, payments) == [(1, {"m.n": 1, "m.sum": 5}), (2, {"m.n": 1})]


def test_both_sides_of_an_amount_share_count_at_their_own_time():
    """A gain that is found on another day than the payment belongs to that day."""
    spec = s.AmountShare(s.Amount("adjusted", "gain_cents"), PAID)
    both = declaration(settled=[(1, ("paid", 50))], adjusted=[(9, (10, 30, 20, None))])
    assert counted(spec, both) == [
        (9, {"m.part_n": 1, "m.part": 20}),
        (1, {"m.n": 1, "m.whole": 50}),
    ]


def test_what_is_closed_leaves_the_stock_where_it_entered():
    """A closed declaration contributes nothing, as if it had never been open."""
    spec = s.Stock("numbered", ("released",), 0)
    assert counted(spec, declaration(numbered=1)) == [(1, {"m.open": 1})]
    assert counted(spec, declaration(numbered=1, cancelled=2)) == [(1, {"m.open": 1})]
    assert counted(spec, declaration(numbered=1, released=2)) == []


def test_a_lift_counts_in_the_group_that_it_belongs_to():
    """Inspected by risk and found: a hit of the one group; neither group: nothing at all."""
    spec = s.Lift(
        "inspected",
        (s.Condition("inspected.result", frozenset({"discrepancy"})),),
        (s.Condition("channel_assigned.basis", frozenset({"risk"})),),
        (s.Condition("channel_assigned.basis", frozenset({"random"})),),
    )

    def found(basis: str, result: str) -> list[tuple[float, dict[str, int]]]:
        subject = declaration(
            channel_assigned=[(0, ("red", basis))], inspected=[(1, (result, None))]
        )
        return counted(spec, subject)

    assert found("risk", "discrepancy") == [(1, {"m.gwhole": 1, "m.gpart": 1})]
    assert found("random", "conforming") == [(1, {"m.awhole": 1})]
    assert [counters for _, counters in found("mandatory", "discrepancy") if counters] == []


@pytest.mark.parametrize(
    ("spec", "sums", "value", "samples"),
    [
        (s.Duration(("arrived",), "released"), (3000, 2), 1.5, 2),
        (s.Duration(("arrived",), "released"), (0, 0), None, 0),
        (s.Within(("arrived",), ("released",), 1), (1, 4), 0.25, 4),
        (s.SameDay("numbered", ("released",)), (0, 4), 0.0, 4),
        (s.Share("numbered", ()), (0, 0), None, 0),
        (PAID, (12_345, 2), 123.45, 2),
        (PAID, (0, 0), 0.0, 0),
        (s.Amount("enforced", "weight_grams"), (1500, 1), 1500.0, 1),
        (s.AmountShare(PAID, PAID), (5, 20, 3), 0.25, 3),
        (s.AmountShare(PAID, PAID), (5, 0, 3), None, 3),
        (s.Stock("numbered", ("released",), 1), (1, 2), 0.5, 2),
        (s.Lift("inspected", (), (), ()), (2, 4, 1, 10), 5.0, 4),
        (s.Lift("inspected", (), (), ()), (2, 4, 0, 10), None, 4),
        (s.Lift("inspected", (), (), ()), (0, 0, 1, 10), None, 0),
        (s.Plan(PAID, {}), (5000, 7, 10_000), 0.5, 7),
        (s.Plan(PAID, {}), (5000, 7, 0), None, 7),
    ],
)
def test_sums_become_a_value(
    spec: s.Measure, sums: tuple[int, ...], value: float | None, samples: int
):
    """Nothing to divide by is no value, and 0 is one."""
    found = compiled(spec).read(sums)
    assert (found.value, found.samples) == (value, samples)
