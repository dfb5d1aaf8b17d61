"""The strategic map: where each band, box and arrow is drawn, computed once from a strategy.

Grafana's Canvas and the operators' page draw the same picture from it. Here belongs geometry:
the order of the boxes, the ways of the arrows, the room for texts. Statuses and values do not.
"""

from kpi_stream.application.strategy_map.layout import (
    LABEL_PX,
    NAME_PX,
    SMALL_PX,
    Arrow,
    Band,
    Box,
    Point,
    Rect,
    Side,
    StrategyMap,
    strategy_map,
)
from kpi_stream.application.strategy_map.wording import breakable, cut

__all__ = [
    "LABEL_PX",
    "NAME_PX",
    "SMALL_PX",
    "Arrow",
    "Band",
    "Box",
    "Point",
    "Rect",
    "Side",
    "StrategyMap",
    "breakable",
    "cut",
    "strategy_map",
]
