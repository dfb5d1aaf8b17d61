"""PromQL over many KPIs at once, each at the window in which it is judged."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from kpi_stream.adapters.grafana.dashboards import units
from kpi_stream.adapters.grafana.dashboards.controls import HERE, OFFICE, usual_window
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.promql import quoted, select
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL, Direction, Kpi, Strategy, Target, Unit

_WORST = (Status.OFF_TRACK, Status.AT_RISK, Status.NO_DATA, Status.ON_TRACK)
"""The order of the rows of a table, which begins with what needs somebody."""

UNMEASURED = "not_measured"
"""Kind of the KPIs that have no figures."""


def measured(strategy: Strategy) -> tuple[Kpi, ...]:
    """Return the KPIs that have figures."""
    return tuple(kpi for kpi in strategy.kpis if kpi.measure.kind != UNMEASURED)


def targets_of(strategy: Strategy, kpi: Kpi) -> tuple[Target, ...]:
    """Return every target of a KPI, the nation's first."""
    own = [target for target in strategy.targets if target.kpi == kpi.id]
    return tuple(sorted(own, key=lambda target: target.dimension != NATIONAL))


def targets_here(strategy: Strategy, kpi: Kpi) -> tuple[Target, ...]:
    """Return the targets that judge a KPI in the nation or in offices, the nation's first."""
    found = targets_of(strategy, kpi)
    return tuple(target for target in found if target.dimension in {NATIONAL, OFFICE})


def main_window(strategy: Strategy, kpi: Kpi) -> str:
    """Return the window in which a KPI is judged, or else the one in which it is best known."""
    targets = targets_of(strategy, kpi)
    if targets:
        return targets[0].window
    usual = usual_window(strategy)
    return usual if usual in kpi.windows else kpi.windows[0]


def over(
    strategy: Strategy,
    kpis: Iterable[Kpi],
    family: c.Family | Mapping[Unit, c.Family],
    labels: Mapping[str, str],
    at: Mapping[str, str] | None = None,
) -> str:
    """Return the series of KPIs, each at its own window.

    Args:
        strategy: Theirs.
        kpis: The KPIs.
        family: What of them; one family, or one for each unit.
        labels: More matchers, as for `select`; the dimension is one of them.
        at: Window by KPI, where it is not the main one. It may be a variable.
    """
    by_place: dict[tuple[str, str, str], list[Kpi]] = {}
    whole = labels["dimension"]
    for kpi in kpis:
        found = family if isinstance(family, c.Family) else family[kpi.unit]
        fixed = (at or {}).get(kpi.id)
        for window, dimension in [(fixed, whole)] if fixed else _windows(strategy, kpi, whole):
            by_place.setdefault((found.name, window, dimension), []).append(kpi)
    families = {each.name: each for each in _all(family)}
    return " or ".join(
        select(
            families[name], **{**labels, "kpi": _any_of(group), "window": of, "dimension": where}
        )
        for (name, of, where), group in by_place.items()
    )


def _windows(strategy: Strategy, kpi: Kpi, dimension: str) -> list[tuple[str, str]]:
    """Return (window, dimension): offices may be judged in another window than the nation."""
    main = main_window(strategy, kpi)
    own = {target.window for target in targets_here(strategy, kpi) if target.dimension == OFFICE}
    if dimension != HERE["dimension"] or not own or main in own:
        return [(main, dimension)]
    return [(main, NATIONAL), (min(own), OFFICE)]


def texts(
    strategy: Strategy,
    kpis: Iterable[Kpi],
    family: Mapping[Unit, c.Family],
    label: str,
    labels: Mapping[str, str],
    at: Mapping[str, str] | None = None,
) -> str:
    """Return one series a KPI whose label is its figure as a text, each in its own unit."""
    return written(strategy, kpis, label, lambda group: over(strategy, group, family, labels, at))


def written(
    strategy: Strategy,
    kpis: Iterable[Kpi],
    label: str,
    figure: Callable[[Iterable[Kpi]], str],
    wording: Callable[[Kpi, Strategy], units.Wording] = units.wording,
) -> str:
    """Return the same for any figure: PromQL of some KPIs that share a wording."""
    by_wording: dict[units.Wording, list[Kpi]] = {}
    for kpi in kpis:
        by_wording.setdefault(wording(kpi, strategy), []).append(kpi)
    return " or ".join(
        units.written(figure(group), how, label) for how, group in by_wording.items()
    )


def target_texts(
    strategy: Strategy,
    kpis: Iterable[Kpi],
    label: str,
    labels: Mapping[str, str],
    at: Mapping[str, str] | None = None,
) -> str:
    """Return one series a KPI whose label is its target as a text; a band has two edges."""
    kpis = tuple(kpis)
    goals = [kpi for kpi in kpis if kpi.direction is not Direction.BAND]
    bands = [kpi for kpi in kpis if kpi.direction is Direction.BAND]
    found = []
    if goals:
        found.append(texts(strategy, goals, c.KPI_TARGET, label, {**labels, "bound": "goal"}, at))
    if bands:
        lower = texts(strategy, bands, c.KPI_TARGET, "lower", {**labels, "bound": "lower"}, at)
        upper = texts(strategy, bands, c.KPI_TARGET, "upper", {**labels, "bound": "upper"}, at)
        both = f"({upper}) * on (kpi) group_left (lower) ({lower})"
        band = f'label_join({both}, "{label}", " \N{EN DASH} ", "lower", "upper")'
        found.append(f"max by (kpi, {label}) ({band})")
    return " or ".join(found)


def known(edition: Edition, kpis: Iterable[Kpi]) -> str:
    """Return one series a KPI with the labels title, owner, objective, and uid of its page."""
    info = select(c.KPI_INFO, kpi=_any_of(tuple(kpis)))
    titled = f'label_join({info}, "title", " ", "code", "name_{edition.language}")'
    # A KPI without a code would begin with the space.
    trimmed = f'label_replace({titled}, "title", "$1", "title", " ?(.*)")'
    return with_uid(f"max by (kpi, title, owner, objective) ({trimmed})", edition.strategy)


def with_uid(expr: str, strategy: Strategy) -> str:
    """Return the series with the label `uid`: the dashboard of their KPI."""
    usual = places.kpi_uid(strategy, "$1")
    prefix = usual.removesuffix("$1")
    found = f'label_replace({expr}, "uid", {quoted(usual)}, "kpi", "(.+)")'
    for kpi in strategy.kpis:
        uid = places.kpi_uid(strategy, kpi.id)
        if uid != prefix + kpi.id:  # too long, so that it ends with a digest
            found = f'label_replace({found}, "uid", {quoted(uid)}, "kpi", {quoted(kpi.id)})'
    return found


def worst_first(
    strategy: Strategy, kpis: Iterable[Kpi], at: Mapping[str, str] | None = None
) -> str:
    """Return one series a KPI whose value is its place in the order, the worst first.

    Within a status, less attained is worse; what has no status comes last.
    """
    rows = tuple(kpis)
    with_figures = [kpi for kpi in rows if kpi.measure.kind != UNMEASURED]
    last = f"{len(_WORST)} * max by (kpi) ({select(c.KPI_INFO, kpi=_any_of(rows))})"
    if not with_figures:
        return last
    return f"{placed(strategy, with_figures, HERE, at)} or on (kpi) {last}"


def placed(
    strategy: Strategy,
    kpis: Sequence[Kpi],
    labels: Mapping[str, str],
    at: Mapping[str, str] | None = None,
) -> str:
    """Return the place of each KPI: 0 off track, 1 at risk, 2 no data, 3 on track, and a bit.

    Within a status, more attained is a little more.

    Args:
        strategy: Theirs.
        kpis: Those that have figures.
        labels: Of the judged series, as for `over`.
        at: Window by KPI, as for `over`.
    """
    statuses = (
        over(strategy, kpis, c.KPI_STATUS, {**labels, "status": status.value}, at)
        for status in _WORST
    )
    ranks = (f"{rank} * ({those})" for rank, those in enumerate(statuses))
    rank = f"sum by (kpi) ({' or '.join(ranks)})"
    # Less than 1, so that it never changes the rank.
    met = over(strategy, kpis, c.KPI_ATTAINMENT, labels, at)
    less = f"clamp(max by (kpi) ({met}), 0, 2) / 2.1"
    return f"{rank} + on (kpi) {less} or on (kpi) {rank}"


def _all(family: c.Family | Mapping[Unit, c.Family]) -> tuple[c.Family, ...]:
    return (family,) if isinstance(family, c.Family) else tuple(family.values())


def _any_of(kpis: Sequence[Kpi]) -> str:
    ids = [kpi.id for kpi in kpis]
    return ids[0] if len(ids) == 1 else "=~" + "|".join(ids)
