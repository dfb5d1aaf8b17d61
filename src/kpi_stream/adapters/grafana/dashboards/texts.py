"""Words that several dashboards use."""

from kpi_stream.adapters.grafana.dashboards.controls import OFFICE
from kpi_stream.application.display import STATUS_WORDS
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import OTHER, UNKNOWN, Kpi, Objective


def kpi_title(edition: Edition, kpi: Kpi) -> str:
    """Return code and name of a KPI."""
    return f"{kpi.code} {edition.text(kpi.name)}".strip()


def objective_title(edition: Edition, objective: Objective) -> str:
    """Return code and name of an objective."""
    return f"{objective.code} {edition.text(objective.name)}".strip()


def no_target(edition: Edition) -> str:
    """Return what stands in the place of a status or a goal where there is no target."""
    return edition.say("— sin meta", "— no target")


def only_national(edition: Edition, kpi: Kpi) -> str:
    """Return what stands in the place of a value; of some KPIs there is none for an office."""
    if OFFICE in kpi.dimensions:
        return edition.text(STATUS_WORDS[Status.NO_DATA])
    return edition.say("○ Sin datos, o sólo nacional", "○ No data, or national only")


def member_names(edition: Edition, dimension: str) -> dict[str, str]:
    """Return the name of every member of a dimension that may have a series, by its code."""
    names = {
        member.code: edition.text(member.name)
        for each in edition.strategy.dimensions
        if each.id == dimension
        for member in each.members
    }
    names[OTHER] = edition.say("Otros", "Other")
    names[UNKNOWN] = edition.say("No se sabe", "Not known")
    return names
