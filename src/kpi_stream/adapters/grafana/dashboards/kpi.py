"""One dashboard a KPI: what it is, what it should be, what moves it, what it means."""

from collections.abc import Iterable

from grafana_foundation_sdk.builders import stat, text
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.text import TextMode

from kpi_stream.adapters.grafana.dashboards import (
    figures,
    kpi_behind,
    kpi_charts,
    kpi_members,
    kpi_numbers,
)
from kpi_stream.adapters.grafana.dashboards.builder import GREY, Board, Box, Json, query
from kpi_stream.adapters.grafana.dashboards.controls import OFFICE
from kpi_stream.adapters.grafana.dashboards.kpi_text import about
from kpi_stream.adapters.grafana.dashboards.texts import kpi_title
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.places import KpiPanel
from kpi_stream.application.monitoring.promql import select
from kpi_stream.domain.strategy import Kpi

_TEXT = 30
_DIMENSIONS = 40
"""Ids of the text panel and of the first dimension after the offices."""


def build(edition: Edition) -> Iterable[Json]:
    """Return the dashboard of every KPI."""
    for kpi in edition.strategy.kpis:
        yield _board(edition, kpi).json()


def _board(edition: Edition, kpi: Kpi) -> Board:
    board = Board(
        edition,
        places.kpi_uid(edition.strategy, kpi.id),
        kpi_title(edition, kpi),
        edition.text(kpi.question),
        since="now-180d",
        kpi=kpi.id,
    )
    if kpi.measure.kind == figures.UNMEASURED:
        _no_figure(board, kpi)
        _text(board, kpi, Box(6, 0, 18, 16))
        return board
    bottom = kpi_numbers.add(board, kpi, 0)
    kpi_charts.value(board, kpi, Box(0, bottom, 16, 16))
    _text(board, kpi, Box(16, bottom, 8, 16))
    bottom += 16
    bottom = kpi_charts.history(board, kpi, bottom)
    bottom = kpi_behind.add(board, kpi, bottom)
    dimensions = sorted(kpi.dimensions, key=lambda name: name != OFFICE)
    for at, dimension in enumerate(dimensions):
        number = KpiPanel.BY_OFFICE if dimension == OFFICE else _DIMENSIONS + at
        box = Box(12 * (at % 2), bottom + 12 * (at // 2), 12, 12)
        kpi_members.add(board, kpi, dimension, number, box)
    return board


def _no_figure(board: Board, kpi: Kpi) -> None:
    edition = board.edition
    word = edition.say("○ No se mide", "○ Not measured")
    panel = (
        stat.Panel()
        .unit("none")
        .mappings([model.ValueMap({"1": model.ValueMappingResult(text=word, color=GREY, index=0)})])
        .graph_mode(common.BigValueGraphMode.NONE)
        .with_target(
            query(
                f"max({select(c.KPI_NO_DATA, kpi=kpi.id, reason=figures.UNMEASURED)})", instant=True
            )
        )
    )
    board.add(
        panel,
        KpiPanel.VALUE,
        Box(0, 0, 6, 4),
        edition.say("Valor", "Value"),
        edition.say(
            "La estrategia nombra este KPI y dice por qué aún no hay cifra; vea el texto al lado.",
            "The strategy names this KPI and says why there is no figure yet; see the text beside.",
        ),
    )


def _text(board: Board, kpi: Kpi, box: Box) -> None:
    edition = board.edition
    panel = text.Panel().mode(TextMode.MARKDOWN).content(about(edition, kpi))
    board.add(
        panel,
        _TEXT,
        box,
        edition.say("Qué cuenta exactamente", "What it counts exactly"),
        edition.say(
            "Definición, fórmula, metas, responsables e iniciativas, tal como están en la "
            "estrategia.",
            "Definition, formula, targets, owners and initiatives, as they are in the strategy.",
        ),
    )
