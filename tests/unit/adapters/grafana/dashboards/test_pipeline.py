"""Pipeline health: the panels that alerts point at, and the limits that they show."""

import pytest

from kpi_stream.adapters.grafana.dashboards.pipeline import build
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.application.monitoring.alerts.feed import LAG_EVENTS, REJECTED_SHARE, SILENT_S
from kpi_stream.application.monitoring.places import PipelinePanel
from tests.support import grafana_node
from tests.support.dashboards import Json, edition

CHOSEN = edition("sunat-es")

FAMILIES: dict[PipelinePanel, tuple[str, ...]] = {
    PipelinePanel.LAG: (c.WORKER_LAG.name, c.SCORECARD_LAG.name),
    PipelinePanel.REJECTS: (c.REJECTED.name,),
    PipelinePanel.DATA_AGE: (c.DATA_AGE.name, c.WORKER_DATA_AGE.name),
    PipelinePanel.UP: ("up", c.HEALTHY.name),
    PipelinePanel.RELOAD: (c.RELOAD_SUCCESSFUL.name, c.STRATEGY_MATCHES.name),
    PipelinePanel.SILENT_OFFICES: (c.OFFICE_SILENT.name, c.OFFICE_ACTIVE.name),
    PipelinePanel.EVALUATION: (c.EVALUATION_DURATION.name, c.LAST_EVALUATION.name),
    PipelinePanel.FLUSH: (c.FLUSH_DURATION.name, c.FLUSH_MEAN.name),
}


def panels() -> dict[int, Json]:
    """Return the panels by number."""
    (board,) = build(CHOSEN)
    return {each["id"]: each for each in board["panels"]}


def asked(panel: Json) -> str:
    """Return all that a panel asks for."""
    return "\n".join(each["expr"] for each in panel["targets"])


@pytest.mark.parametrize("number", PipelinePanel)
def test_a_panel_that_others_point_at_asks_for_its_families(number: PipelinePanel):
    """Every number of `places` is a panel about what its name says."""
    expr = asked(panels()[number])
    assert all(name in expr for name in FAMILIES[number])


def test_the_engineers_see_what_the_dashboard_promises():
    """Lag, rate, rejects, flush, age, restarts and memory."""
    everything = "\n".join(asked(each) for each in panels().values())
    for name in (
        c.EVENTS_RATE.name,
        c.REJECTED_SHARE.name,
        c.SKIPPED.name,
        "process_resident_memory_bytes",
        "process_start_time_seconds",
    ):
        assert name in everything


def test_every_alert_of_the_pipeline_finds_its_panel():
    """An alert's link leads to a panel that exists."""
    uid = places.pipeline_uid(CHOSEN.strategy)
    pointing = [each for each in alerts(CHOSEN.strategy) if each.dashboard == uid]
    assert pointing
    numbers = panels()
    assert all(each.panel in numbers for each in pointing)


def _limits(panel: Json) -> list[float]:
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return [each["value"] for each in steps if each["value"] is not None]


def test_the_lines_stand_where_the_alerts_begin():
    """What a reader sees as too much is what the alert calls too much."""
    found = panels()
    assert _limits(found[PipelinePanel.LAG]) == [LAG_EVENTS]
    (share,) = [each for each in found.values() if c.REJECTED_SHARE.name in asked(each)]
    assert _limits(share) == [REJECTED_SHARE]


def test_the_most_silent_office_is_first_by_name():
    """By silence times activity, as the alert counts: amber from its limit."""
    offices = [m for d in CHOSEN.strategy.dimensions if d.id == "office" for m in d.members][:2]
    seconds = {offices[0].code: 600.0, offices[1].code: SILENT_S + 60.0}
    answers = {
        ref: [
            {"metric": {"office": code}, "value": [1_790_000_000, str(value * factor)]}
            for code, value in seconds.items()
        ]
        for ref, factor in (("A", 2.0), ("C", 1.0))
    }
    answers["B"] = [
        {"metric": {"office": code}, "value": [1_790_000_000, "0.5"]} for code in seconds
    ]
    panel = panels()[PipelinePanel.SILENT_OFFICES]
    given = {"panel": panel, "answers": answers, "variables": {}, "timeZone": "America/Lima"}
    (found,) = grafana_node.ask("shown", [given])
    table = {each["name"]: each["values"] for each in found["fields"]}
    assert [each["text"] for each in table["Aduana"]] == [
        offices[1].name["es"],
        offices[0].name["es"],
    ]
    colours = [each["color"] for each in table["Según su actividad"]]
    assert colours == ["#E69F00", "#009E73"]
    assert [each["text"] for each in table["Actividad"]] == ["50%", "50%"]


@pytest.mark.parametrize(("value", "text"), [("1", "● Sí"), ("0", "■ No")])
def test_a_state_is_a_shape_and_a_word(value: str, text: str):
    """Colour alone tells the colour-blind nothing."""
    mapping = panels()[PipelinePanel.UP]["fieldConfig"]["defaults"]["mappings"][0]
    assert mapping["options"][value]["text"] == text
