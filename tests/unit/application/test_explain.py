"""Edges of an explanation: what is not split, what costs, what a reader is told."""

from dataclasses import replace
from fractions import Fraction

import pytest

from kpi_stream.application.explain import Explainer
from kpi_stream.application.explanation import Caution, Explanation, WhyNot
from kpi_stream.application.periods import named
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.status import Expectation
from kpi_stream.domain.strategy import Direction
from tests.laws.brute import Raw
from tests.laws.rig import Partition, totals_of
from tests.laws.strategies import DAY, HOUR, catalogue, strategy

NOON = 1_711_861_200_000 + 12 * HOUR  # 2024-03-31T12:00 in Lima


def life(
    name: str,
    released_ms: int,
    *,
    hours: int = 10,
    office: str = "118",
    mode: str = "urgent",
    paid: int | None = None,
) -> list[Raw]:
    """Return the events of a declaration: so many hours from arrival to release."""
    arrived = released_ms - hours * HOUR
    values = (office, "10", "sea", mode, True, True, 0, 0)
    events = [
        Raw("transport.arrived", name, "a", arrived, arrived, ()),
        Raw("declaration.numbered", name, "n", arrived, arrived, values),
        Raw("release.granted", name, "r", released_ms, released_ms, (None,)),
    ]
    if paid is not None:
        events.append(Raw("debt.settled", name, "p", released_ms, released_ms, ("paid", paid)))
    return events


OLD = life("old", NOON - 80 * DAY)
"""So that there are rows before both periods."""


def explained(kpi: str, window: str, *lives: list[Raw], **options: object) -> Explanation:
    """Return the explanation at noon."""
    compiled = options.pop("by", catalogue())
    assert isinstance(compiled, Catalogue)
    events = sorted((each for one in lives for each in one), key=lambda each: each.recorded_ms)
    log = Partition(compiled).take(events).drain().row_log
    explainer = Explainer(compiled, totals_of(compiled, log))
    return explainer.explain(kpi, window, NOON, **options)


def turned(direction: Direction) -> Catalogue:
    """Return the strategy with every KPI turned in a direction."""
    kpis = tuple(replace(each, direction=direction) for each in strategy().kpis)
    return Catalogue(replace(strategy(), kpis=kpis))


def test_mix_and_rate_of_a_mean():
    """Half of what took 10 h becomes three quarters, and the others get faster by 10 h.

    before: 118 10 h x 1, 235 30 h x 1: 20 h         now: 118 10 h x 3, 235 20 h x 1: 12.5 h
    """
    earlier = [life("a", NOON - 40 * DAY), life("b", NOON - 40 * DAY, hours=30, office="235")]
    now = [life(f"c{number}", NOON - DAY) for number in range(3)]
    now.append(life("d", NOON - DAY, hours=20, office="235"))
    found = explained("release-mean", "30d", OLD, *earlier, *now)
    assert (found.before.value, found.now.value, found.change) == (72_000, 45_000, -27_000)
    (office,) = [each for each in found.splits if each.dimension == "office"]
    effects = {
        each.member: (each.mix * found.scale / 3600, each.rate * found.scale / 3600)
        for each in office.effects
    }
    quarter, middle = Fraction(1, 4), Fraction(65, 4)
    assert effects == {
        "118": (quarter * (10 - middle), 0),
        "235": (-quarter * (25 - middle), -10 * Fraction(3, 8)),
    }
    assert (office.mix + office.rate) * found.scale == found.change
    assert found.cautions == ()


def test_a_sum_grows_from_nothing():
    """An earlier window that was counted and held none is 0, not unknown."""
    lives = [OLD, life("a", NOON - 40 * DAY), life("b", NOON - DAY, paid=700)]
    found = explained("paid", "30d", *lives)
    assert (found.before.value, found.now.value, found.change) == (0, 7, 7)
    assert [[e.total * found.scale for e in split.effects] for split in found.splits] == [[7], [7]]
    assert found.costs == ()
    assert found.cautions == (Caution.UNFINISHED,)


def test_where_nothing_was_counted_yet_a_sum_did_not_grow():
    """Before the first row nothing is known, which is not 0."""
    found = explained("paid", "30d", life("b", NOON - DAY, paid=700))
    assert (found.why_not, found.change, found.splits) == (WhyNot.NO_ROWS, None, ())
    assert found.now.value == 7


def test_rows_that_begin_within_the_earlier_period_are_told():
    """The first rows are of the arrival, 35 days ago."""
    lives = [life("a", NOON - 35 * DAY), life("b", NOON - DAY)]
    assert explained("release-mean", "30d", *lives).cautions == (Caution.PARTLY,)


def test_months_of_other_lengths_are_no_like_sums():
    """March has 31 days, February 29; a mean does not mind."""
    lives = [life("a", NOON - 90 * DAY, paid=1), life("b", NOON - 40 * DAY), life("c", NOON - DAY)]
    assert explained("paid", "mtd", *lives).cautions == (Caution.UNFINISHED, Caution.UNLIKE)
    assert explained("release-mean", "mtd", *lives).cautions == ()


def test_nothing_to_divide_by_is_said():
    """Neither window holds a release, or only one does."""
    assert explained("release-mean", "30d", life("a", NOON - 80 * DAY)).why_not is WhyNot.EMPTY
    both = [life("a", NOON - 80 * DAY), life("b", NOON - DAY)]
    found = explained("release-mean", "30d", *both)
    assert (found.why_not, found.now.samples, found.before.samples) == (WhyNot.EMPTY, 1, 0)


def test_a_quantile_is_explained_by_the_mean():
    """Both quantiles are there; what is split, and held against, is the mean."""
    earlier = [life(f"a{number}", NOON - 40 * DAY, hours=10 + number) for number in range(5)]
    now = [life(f"b{number}", NOON - DAY, hours=20 + number, office="235") for number in range(5)]
    goal = Expectation(Direction.UP, 1.0, None, 0.0, 0.1, None)
    found = explained("release-p50", "30d", *earlier, *now, against=goal)
    assert found.of_mean
    assert found.now.quantile == pytest.approx(22 * 3600, rel=0.01)
    assert found.before.quantile == pytest.approx(12 * 3600, rel=0.01)
    assert found.change == 36_000
    assert found.against == 22 * 3600


def test_a_capped_dimension_keeps_what_is_largest_in_both():
    """Two modes of three are kept; the third is `other` now and then."""
    lives = []
    for days, modes in ((40, "aab"), (1, "abbcc")):
        for number, mode in enumerate(modes):
            lives.append(life(f"{days}/{number}", NOON - days * DAY, mode=mode))
    (split,) = [e for e in explained("release-mean", "30d", *lives).splits if e.dimension == "mode"]
    parts = {each.member: (each.before[1], each.now[1]) for each in split.effects}
    assert parts == {"a": (2, 1), "b": (1, 2), "other": (0, 2)}


def test_the_three_that_cost_most_are_named():
    """Held against the expectation; of a dimension with one member it would be the whole."""
    earlier = [life("a", NOON - 40 * DAY)]
    now = [
        *(life(f"u{number}", NOON - DAY, hours=2, office="235") for number in range(2)),
        *(life(f"s{number}", NOON - DAY, hours=50, mode="deferred") for number in range(2)),
    ]
    goal = Expectation(Direction.DOWN, 10 * 3600.0, None, 0.0, 0.1, None)
    found = explained(
        "release-mean", "30d", *earlier, *now, against=goal, by=turned(Direction.DOWN)
    )
    assert [(each.dimension, each.member) for each in found.costs] == [
        ("mode", "deferred"),
        ("office", "118"),
    ]
    assert {each.gap * found.scale for each in found.costs} == {20 * 3600}
    assert {(each.value, each.samples) for each in found.costs} == {(50 * 3600, 2)}
    assert found.against == 36_000


@pytest.mark.parametrize(
    ("low", "goal", "costly"),
    [(0.0, 0.2, ["118"]), (0.4, 0.6, []), (0.8, 0.9, ["235"])],
    ids=["above", "inside", "below"],
)
def test_a_band_costs_on_the_side_on_which_it_is_missed(low: float, goal: float, costly: list[str]):
    """118 is all anticipated and 235 not: a half; each edge has its own culprits."""
    modes = {"118": "anticipated", "235": "urgent"}
    lives = [
        life(f"{office}/{days}", NOON - days * DAY, office=office, mode=mode)
        for office, mode in modes.items()
        for days in (1, 40)
    ]
    band = Expectation(Direction.BAND, goal, low, 0.0, 0.1, None)
    found = explained("anticipated", "30d", *lives, against=band, by=turned(Direction.BAND))
    assert [each.member for each in found.costs if each.dimension == "office"] == costly


def test_a_share_of_amounts_counts_events_as_samples():
    """What is below the line are cents; behind it stands one payment."""
    audit = [Raw("audit.completed", "u", "u", NOON, NOON, ("118", True, 50))]
    lives = [life("a", NOON - 40 * DAY, paid=1000), life("b", NOON - DAY, paid=1000), audit]
    found = explained("audit-share", "30d", *lives)
    assert (found.now.numerator, found.now.denominator, found.now.samples) == (50, 1000, 1)


@pytest.mark.parametrize(
    ("kpi", "window", "why"),
    [
        ("open-7d", "now", WhyNot.STOCK),
        ("targeting-lift", "30d", WhyNot.LIFT),
        ("plan", "mtd", WhyNot.PLAN),
        ("satisfaction", "30d", WhyNot.NOT_MEASURED),
    ],
)
def test_what_does_not_split_says_so(kpi: str, window: str, why: WhyNot):
    """With the reading, where there is one."""
    lives = [life("a", NOON - 40 * DAY, paid=100), life("b", NOON - DAY, paid=100)]
    still = life("c", NOON - 12 * DAY)[:2]
    found = explained(kpi, window, *lives, still)
    assert (found.why_not, found.splits, found.costs) == (why, (), ())
    if why is WhyNot.STOCK:
        assert (found.now.numerator, found.now.denominator, found.now.value) == (1, 1, 1.0)
    if why is WhyNot.PLAN:
        assert found.now.value is not None
        assert found.before.value is not None


def test_what_never_splits_says_that_first():
    """Also where the earlier period holds nothing either."""
    found = explained("plan", "mtd", life("b", NOON - DAY, paid=100))
    assert (found.why_not, found.before.value) == (WhyNot.PLAN, None)


def test_any_period_may_be_compared_with():
    """December against March."""
    versus = named("2023-12", catalogue().days)
    lives = [life("a", NOON - 95 * DAY, hours=40), life("b", NOON - DAY)]
    found = explained("release-mean", "mtd", *lives, versus=versus)
    assert (found.previous, found.change) == (versus, -30 * 3600)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"window": "9d"}, "unknown window '9d'; one of 1h, 24h"),
        ({"office": "999"}, "unknown office '999'; one of 118, 235"),
        ({"kpi": "held-mean", "office": "118"}, "held-mean is not counted by office"),
        ({"versus": "2024-03"}, "is not over yet"),
        ({"versus": "2021-12"}, "begins more than 760 days ago"),
    ],
)
def test_what_cannot_be_asked_is_refused(options: dict[str, str], said: str):
    """With what could be."""
    asked = {"kpi": "release-mean", "window": "30d", **options}
    kpi, window = asked.pop("kpi"), asked.pop("window")
    rest: dict[str, object] = dict(asked)
    if "versus" in asked:
        rest["versus"] = named(asked["versus"], catalogue().days)
    with pytest.raises(ValueError, match=said):
        explained(kpi, window, life("a", NOON - DAY), **rest)


def test_an_unknown_kpi_is_no_key():
    """The caller asked its strategy before."""
    with pytest.raises(KeyError):
        explained("nothing", "30d", life("a", NOON - DAY))


def test_one_office_alone():
    """What another office did changes nothing."""
    mine = [life("a", NOON - 40 * DAY, hours=10), life("b", NOON - DAY, hours=30)]
    theirs = [life("c", NOON - 40 * DAY, hours=99, office="235")]
    found = explained("release-mean", "30d", *mine, *theirs, office="118")
    assert found.change == 20 * 3600
    assert "office" not in {each.dimension for each in found.splits}
    assert {sum(e.total for e in s.effects) * found.scale for s in found.splits} == {20 * 3600}
