"""What stands above every dashboard: its variables, its links, its annotations."""

from collections import Counter
from typing import cast

from grafana_foundation_sdk.builders import dashboard as sdk
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.common import DataSourceRef

from kpi_stream.adapters.grafana.notes import TAG
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.strategy import NATIONAL, Strategy
from kpi_stream.domain.windows import DAY_MS, WindowKind, parse

OFFICE = "office"
"""The dimension whose members are the offices."""

NATION = "()"
"""Value of the variable `office` for the nation: a pattern that only the empty text meets.

Grafana knows no option with an empty value, so `member=~"$office"` is how to select with it."""

HERE = {"dimension": f"=~{NATIONAL}|{OFFICE}", "member": "=~$office"}
"""Matchers of the chosen office's series, or of the nation's; for `promql.select`."""

WINDOW = "$window"
"""The chosen window, in a query."""

_DAYS = {
    WindowKind.NOW: 0,
    WindowKind.MONTH: 31,
    WindowKind.QUARTER: 92,
    WindowKind.YEAR: 365,
    WindowKind.TWELVE_MONTHS: 366,
}
"""Longest length of a window without a number, to put them in order."""

_GRAFANA = DataSourceRef("grafana", "-- Grafana --")


def windows(strategy: Strategy) -> tuple[str, ...]:
    """Return every window that a KPI declares, shortest first."""
    declared = {window for kpi in strategy.kpis for window in kpi.windows}
    return tuple(sorted(declared, key=_length_ms))


def _length_ms(name: str) -> int:
    window = parse(name)
    if window.kind is WindowKind.DAYS:
        return window.length * DAY_MS
    return window.length or _DAYS[window.kind] * DAY_MS


def usual_window(strategy: Strategy) -> str:
    """Return the window that most targets judge, or else most KPIs declare."""
    judged = Counter(target.window for target in strategy.targets)
    declared = Counter(window for kpi in strategy.kpis for window in kpi.windows)
    return max(declared, key=lambda window: (judged[window], declared[window], window))


def source_variable(edition: Edition) -> Builder[model.VariableModel]:
    """Return the variable `datasource`: which Prometheus."""
    uid = places.datasource_uid(edition.strategy)
    return (
        sdk.DatasourceVariable("datasource")
        .label(edition.say("Fuente", "Source"))
        .type("prometheus")
        .current(model.VariableOption(selected=True, text="Prometheus", value=uid))
    )


def office_variable(edition: Edition, chosen: str) -> Builder[model.VariableModel]:
    """Return the variable `office`: the nation, or an office by its code."""
    options = {NATION: edition.say("Nacional", "National")}
    for dimension in edition.strategy.dimensions:
        if dimension.id == OFFICE:
            for member in dimension.members:
                options[member.code] = edition.text(member.name)
    return _custom("office", edition.say("Aduana", "Office"), options, chosen)


def window_variable(edition: Edition) -> Builder[model.VariableModel]:
    """Return the variable `window`: over which time a KPI is measured."""
    options = {name: name for name in windows(edition.strategy)}
    label = edition.say("Ventana", "Window")
    return _custom("window", label, options, usual_window(edition.strategy))


def _custom(
    name: str, label: str, options: dict[str, str], chosen: str
) -> Builder[model.VariableModel]:
    written = ", ".join(
        f"{text.replace(',', chr(92) + ',')} : {value}" for value, text in options.items()
    )
    listed = [
        model.VariableOption(selected=value == chosen, text=text, value=value)
        for value, text in options.items()
    ]
    current = model.VariableOption(selected=True, text=options[chosen], value=chosen)
    return (
        sdk.CustomVariable(name)
        .label(label)
        .values(written)
        .options(listed)
        .current(current)
        .allow_custom_value(allow_custom_value=False)
    )


def links(edition: Edition, uid: str) -> list[Builder[model.DashboardLink]]:
    """Return the links to the other dashboards, from the general to the specific."""
    strategy = edition.strategy
    titles = (
        (places.map_uid(strategy), edition.say("Mapa", "Map")),
        (places.scorecard_uid(strategy), edition.say("Tablero", "Scorecard")),
        (places.office_uid(strategy), edition.say("Aduana", "Office")),
        (places.initiatives_uid(strategy), edition.say("Iniciativas", "Initiatives")),
        (places.pipeline_uid(strategy), edition.say("Flujo de datos", "Pipeline")),
    )
    found: list[Builder[model.DashboardLink]] = [
        _kept(title)
        .type(model.DashboardLinkType.LINK)
        .icon("dashboard")
        .url(f"/d/{other}")
        .tooltip(title)
        for other, title in titles
        if other != uid
    ]
    dropdown = _kept("KPI").type(model.DashboardLinkType.DASHBOARDS).icon("external link")
    found.append(dropdown.tags([strategy.id, "kpi"]).as_dropdown(as_dropdown=True))
    return found


def _kept(title: str) -> sdk.DashboardLink:
    return sdk.DashboardLink(title).keep_time(keep_time=True).include_vars(include_vars=True)


def annotations(edition: Edition, kpi: str) -> list[Builder[model.AnnotationQuery]]:
    """Return the annotations that are shown: those of the dashboard, and those of the KPI."""
    own = (
        sdk.AnnotationQuery()
        .name(edition.say("Anotaciones del tablero y alertas", "Annotations and alerts"))
        .built_in(1)
        .type("dashboard")
        .datasource(_GRAFANA)
        .icon_color("#0072B2")
    )
    tags = [TAG, edition.strategy.id, *([f"kpi:{kpi}"] if kpi else [])]
    tagged = (
        sdk.AnnotationQuery()
        .name(edition.say("Estados y metas", "Statuses and targets"))
        .type("tags")
        .datasource(_GRAFANA)
        .icon_color("#E69F00")
        .enable(enable=bool(kpi))
        .target(_tagged(tags))
    )
    return [own.hide(hide=True), tagged]


def _tagged(tags: list[str]) -> Builder[Dataquery]:
    target = sdk.AnnotationTarget().limit(100).match_any(match_any=False).type("tags").tags(tags)
    # The SDK asks for a query, and has this class for the one of tags, which is none to it.
    return cast("Builder[Dataquery]", target)
