"""Why a KPI moved: from a file of events, or as a running scorecard says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kpi_stream.adapters.web.explanation import explanation_json
from kpi_stream.application.explain import OFFICE, Explainer
from kpi_stream.application.explanation import Explanation
from kpi_stream.application.periods import named
from kpi_stream.application.scorecard import Scorecard
from kpi_stream.bootstrap.offline import folded
from kpi_stream.bootstrap.scorecard_api import scorecard_client
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.readings import SeriesKey
from kpi_stream.domain.strategy import NATIONAL, Strategy
from kpi_stream.settings import Settings


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be explained."""

    kpi: str
    window: str
    office: str | None = None
    versus: str | None = None
    """`2026-10`, or `2026-10-01/2026-10-15`; None for the window before."""


def explained(
    path: Path, strategy: Strategy, settings: Settings, asked: Question, as_of_ms: int | None
) -> dict[str, Any]:
    """Return what a file of events says, as the API does.

    Raises:
        InputError: The file cannot be read, or what is asked for does not exist.
    """
    replay, at_ms = folded(path, strategy, settings, as_of_ms)
    judged = Scorecard(strategy, replay.table).evaluate(at_ms).judged
    place = (NATIONAL, "") if asked.office is None else (OFFICE, asked.office)
    key = SeriesKey(asked.kpi, asked.window, *place)
    against = next((each.against for each in judged if each.key == key), None)
    days = replay.catalogue.days
    try:
        found: Explanation = Explainer(replay.catalogue, replay.totals).explain(
            asked.kpi,
            asked.window,
            at_ms,
            office=asked.office,
            versus=None if asked.versus is None else named(asked.versus, days),
            against=against,
        )
    except ValueError as err:
        raise InputError(str(err)) from err
    return explanation_json(found)


def asked_of_scorecard(settings: Settings, url: str | None, asked: Question) -> dict[str, Any]:
    """Return what the running scorecard says.

    Raises:
        InputError: What is asked for does not exist, or a setting is wrong.
        Unavailable: The scorecard does not answer.
    """
    query = {"window": asked.window}
    if asked.office is not None:
        query["office"] = asked.office
    if asked.versus is not None:
        query["versus"] = asked.versus
    found: dict[str, Any] = scorecard_client(settings, url).get(
        f"/kpis/{asked.kpi}/explanation", query
    )
    return found
