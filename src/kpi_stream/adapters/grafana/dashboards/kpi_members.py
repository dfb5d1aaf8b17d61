"""A KPI broken down by a dimension: one table, the members that pull it down first."""

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model

from kpi_stream.adapters.grafana.dashboards import figures, units
from kpi_stream.adapters.grafana.dashboards.builder import (
    Board,
    Box,
    as_text,
    one_colour,
    prop,
    query,
    status_mappings,
    transformation,
)
from kpi_stream.adapters.grafana.dashboards.controls import OFFICE, WINDOW
from kpi_stream.adapters.grafana.dashboards.parts import choosing_office, member_mapping
from kpi_stream.application.handbook import phrases
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.promql import select
from kpi_stream.domain.strategy import NATIONAL, Direction, Kpi


def chosen_or_main(edition: Edition, kpi: Kpi, family: c.Family, **labels: str) -> str:
    """Return the series at the chosen window, or at the main one where the KPI has it not.

    A link may bring a window that this KPI does not declare; its label says which one is shown.
    """
    main = figures.main_window(edition.strategy, kpi)
    chosen = select(family, kpi=kpi.id, window=WINDOW, **labels)
    usual = select(family, kpi=kpi.id, window=main, **labels)
    declared = select(c.KPI_SAMPLES, kpi=kpi.id, window=WINDOW, dimension=NATIONAL)
    return f"{chosen} or ({usual} unless on (kpi) {declared})"


def add(board: Board, kpi: Kpi, dimension: str, number: int, box: Box) -> None:
    """Add the table of one dimension."""
    edition = board.edition
    say, strategy = edition.say, edition.strategy
    name = phrases.dimension(edition, dimension)
    scale = units.scale(kpi, strategy)
    in_unit = [prop("unit", scale.unit), prop("decimals", scale.decimals)]
    value = chosen_or_main(edition, kpi, c.KPI_VALUE[kpi.unit], dimension=dimension)
    samples = chosen_or_main(edition, kpi, c.KPI_SAMPLES, dimension=dimension)
    queries = {
        "A": units.scaled(f"max by (member, window) ({value})", kpi, strategy),
        "B": f"max by (member) ({samples})",
    }
    bar = prop("custom.cellOptions", {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"})
    headings = {"member": name, "window": say("Ventana", "Window")}
    headings |= {"Value #A": say("Valor", "Value"), "Value #B": say("Muestras", "Samples")}
    shown = ["member", "Value #A", "window", "Value #B"]
    judged = {
        target.window
        for target in strategy.targets
        if target.kpi == kpi.id and target.dimension == dimension
    }
    if judged:
        window = min(judged)
        here = {"kpi": kpi.id, "window": window, "dimension": dimension}
        at = phrases.window(edition, window)
        own = select(c.KPI_VALUE[kpi.unit], **here)
        due = select(c.KPI_EXPECTED[kpi.unit], **here)
        queries["C"] = f"max by (member) ({select(c.STATUS_CODE, **here)})"
        queries["D"] = units.scaled(f"max by (member) ({own})", kpi, strategy)
        queries["E"] = units.scaled(f"max by (member) ({due})", kpi, strategy)
        headings["Value #C"] = say("Estado", "Status")
        headings["Value #D"] = f"{say('Valor', 'Value')}, {at}"
        headings["Value #E"] = f"{say('Debe hoy', 'Expected')}, {at}"
        shown = ["member", "Value #C", "Value #D", "Value #E", "Value #A", "window", "Value #B"]
    panel = (
        table.Panel()
        .unit(scale.unit)
        .decimals(scale.decimals)
        .cell_height(common.TableCellHeight.SM)
        .color_scheme(one_colour())
        .targets([query(expr, ref, table=True) for ref, expr in queries.items()])
        .transformations(
            _transformations(kpi, "Value #D" if judged else "Value #A", shown, headings)
        )
        .override_by_name(name, _member(edition, dimension))
        .override_by_name(headings["window"], [prop("custom.width", 80)])
        .override_by_name(headings["Value #A"], [bar, prop("min", 0), *in_unit])
        .override_by_name(
            headings["Value #B"],
            [prop("unit", "locale"), prop("decimals", 0), prop("custom.width", 90)],
        )
    )
    if judged:
        panel = panel.override_by_name(
            headings["Value #C"],
            [
                prop("custom.cellOptions", {"type": "color-text"}),
                prop("mappings", status_mappings(edition, "—")),
                prop("unit", "none"),
                prop("custom.width", 130),
            ],
        )
    order = ("De peor a mejor", "From worst to best")
    if kpi.direction is Direction.BAND:
        order = ("De mayor a menor", "Highest first")
    board.add(
        panel,
        number,
        box,
        say(f"Por {name.lower()}", f"By {name.lower()}"),
        say(
            f"{order[0]}, con las muestras detrás de cada valor. Quien tiene menos del mínimo de "
            "muestras no tiene valor.",
            f"{order[1]}, with the samples behind each value. A member with fewer samples than "
            "the minimum has no value.",
        ),
    )


def _member(edition: Edition, dimension: str) -> list[model.DynamicConfigValue]:
    properties = [
        prop("mappings", [member_mapping(edition, dimension)]),
        prop("custom.width", 220),
        as_text(),
    ]
    if dimension == OFFICE:
        page = {
            "title": edition.say("Abrir la aduana", "Open the office"),
            "url": choosing_office(places.office_uid(edition.strategy)),
        }
        properties.append(prop("links", [page]))
    return properties


def _transformations(
    kpi: Kpi, by: str, shown: list[str], headings: dict[str, str]
) -> list[model.DataTransformerConfig]:
    worst = {"field": by, "desc": kpi.direction is not Direction.UP}
    return [
        transformation("joinByField", {"byField": "member", "mode": "outer"}),
        transformation("sortBy", {"sort": [worst]}),
        transformation("filterFieldsByName", {"include": {"names": shown}}),
        transformation(
            "organize",
            {
                "excludeByName": {},
                "indexByName": {field: at for at, field in enumerate(shown)},
                "renameByName": {field: headings[field] for field in shown},
            },
        ),
    ]
