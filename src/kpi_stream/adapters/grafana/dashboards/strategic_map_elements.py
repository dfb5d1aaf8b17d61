"""The strategic map as elements of Grafana's Canvas.

Canvas places an element by percent of the panel under the constraint `scale`; fonts keep their
size. Its connections are straight and hold what bends them in pixels of one screen, so a bend is
an element of its own: invisible, its corner at the bend, and one straight connection to the next.

Of the kinds of elements a rectangle says what it is told where its field is missing; a metric
value would say `Field not found` and a text `Double click to set text`.
"""

from collections.abc import Iterable, Iterator

from kpi_stream.adapters.grafana.dashboards.builder import GREY, Json, status_word
from kpi_stream.adapters.grafana.dashboards.texts import kpi_title
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.strategy_map import (
    LABEL_PX,
    NAME_PX,
    SMALL_PX,
    Arrow,
    Band,
    Box,
    Point,
    Rect,
    StrategyMap,
    breakable,
)
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import Objective

STATUS, ATTAINMENT, WORST, VALUE = "status", "attainment", "worst", "value"
"""First words of the names of the fields; the objective's id follows."""

LINE_PX = 1.5
"""Width of an arrow; its head is ten times as long."""

_CORNER = (-1.0, 1.0)
"""The corner of an element at which its placement begins, where y counts upwards."""

_BEND = 0.5
"""Percent; Canvas makes ten pixels of it, from the same corner."""

_BAND = "rgba(128, 128, 128, 0.09)"
_LINE = "rgba(128, 128, 128, 0.55)"
_ARROW = "#8E8E8E"
_NOTHING = "transparent"


def field(kind: str, objective: str) -> str:
    """Return the name of the field that an element shows."""
    return f"{kind} {objective}"


def elements(edition: Edition, drawn: StrategyMap) -> list[Json]:
    """Return everything on the map, from the bottom to the top."""
    covers = {box.objective.id: _cover(edition, box, drawn) for box in drawn.boxes}
    bends = _connect(covers, drawn.arrows)
    found = [each for band in drawn.bands for each in _band(edition, band, drawn)]
    found += bends
    for box in drawn.boxes:
        found += _box(edition, box, drawn)
    return [*found, *covers.values()]


def _placed(kind: str, name: str, rect: Rect, **more: object) -> Json:
    return {
        "type": kind,
        "name": name,
        "constraint": {"horizontal": "scale", "vertical": "scale"},
        "placement": {
            "left": rect.left,
            "top": rect.top,
            "right": round(100 - rect.right, 3),
            "bottom": round(100 - rect.bottom, 3),
        },
        "background": {"color": {"fixed": _NOTHING}},
        "border": {"color": {"fixed": _NOTHING}},
        **more,
    }


def _said(
    text: Json, size: int, *, align: str = "left", valign: str = "middle", colour: str = "text"
) -> Json:
    return {
        "text": text,
        "size": size,
        "align": align,
        "valign": valign,
        "color": {"fixed": colour},
    }


def _fixed(text: str) -> Json:
    return {"mode": "fixed", "fixed": text}


def _of_field(name: str, otherwise: str) -> Json:
    return {"mode": "field", "field": name, "fixed": otherwise}


def _band(edition: Edition, band: Band, drawn: StrategyMap) -> Iterator[Json]:
    name = edition.text(band.perspective.name)
    where = edition.say("perspectiva", "perspective")
    yield _placed(
        "rectangle",
        f"{where} {band.perspective.id}",
        band.rect,
        background={"color": {"fixed": _BAND}},
        border={"color": {"fixed": _NOTHING}, "radius": 6},
        config=_said(_fixed(""), LABEL_PX),
    )
    yield _placed(
        "text",
        f"{where}: {name} ({band.perspective.id})",
        band.label,
        config=_said(_fixed(breakable(name, LABEL_PX, drawn.label_px)), LABEL_PX, align="center"),
    )


def _box(edition: Edition, box: Box, drawn: StrategyMap) -> Iterator[Json]:
    key = box.objective.id
    empty = status_word(edition, Status.NO_DATA)
    if not box.objective.kpis:
        empty = "○ " + edition.say("Sin indicador", "No KPI")
    yield _placed(
        "rectangle",
        f"{key}: box",
        box.rect,
        background={"color": {"fixed": "panel-bg"}},
        border={"color": {"fixed": _LINE}, "width": 1, "radius": 4},
        config=_said(_fixed(""), NAME_PX),
    )
    judged = bool(box.objective.kpis)
    colour = {"fixed": GREY, "field": field(STATUS, key)} if judged else {"fixed": GREY}
    yield _placed(
        "rectangle",
        f"{key}: colour",
        box.stripe,
        background={"color": colour},
        border={"color": {"fixed": _NOTHING}, "radius": 4},
        config=_said(_fixed(""), NAME_PX),
    )
    title = breakable(edition.text(box.title), NAME_PX, drawn.text_px)
    yield _placed(
        "text", f"{key}: name", box.name, config=_said(_fixed(title), NAME_PX, valign="top")
    )
    state = _of_field(field(STATUS, key), empty) if judged else _fixed(empty)
    yield _placed("rectangle", f"{key}: status", box.status, config=_said(state, NAME_PX))
    if not judged:
        return
    for kind, rect, size, align in (
        (ATTAINMENT, box.attainment, NAME_PX, "right"),
        (WORST, box.worst, SMALL_PX, "left"),
        (VALUE, box.value, SMALL_PX, "left"),
    ):
        shown = _said(_of_field(field(kind, key), ""), size, align=align)
        yield _placed("rectangle", f"{key}: {kind}", rect, config=shown)


def _cover(edition: Edition, box: Box, drawn: StrategyMap) -> Json:
    """Return what lies over a box: its name is the head of the tooltip, with the links below."""
    title = edition.text(box.title)
    same = sum(edition.text(each.title) == title for each in drawn.boxes)
    return _placed(
        "rectangle",
        title if same == 1 else f"{title} ({box.objective.id})",
        box.rect,
        config=_said(_fixed(""), NAME_PX),
        links=list(_links(edition, box.objective)),
        connections=[],
    )


def _links(edition: Edition, objective: Objective) -> Iterator[Json]:
    strategy = edition.strategy
    known = {kpi.id: kpi for kpi in strategy.kpis}
    for part in objective.kpis:
        url = places.link(places.kpi_uid(strategy, part.kpi))
        yield {"title": kpi_title(edition, known[part.kpi]), "url": url}
    if any(objective.id in each.objectives for each in strategy.initiatives):
        url = places.link(places.initiatives_uid(strategy))
        yield {"title": edition.say("Sus iniciativas", "Its initiatives"), "url": url}


def _connect(covers: dict[str, Json], arrows: Iterable[Arrow]) -> list[Json]:
    """Add the connections to the boxes, and return the bends; arrows share their common way."""
    bends: dict[Point, Json] = {}
    drawn: set[tuple[str, Point, Point]] = set()
    for arrow in arrows:
        for here, there in zip(arrow.points, arrow.points[1:], strict=False):
            first, last = here == arrow.points[0], there == arrow.points[-1]
            for point, end in ((here, first), (there, last)):
                if not end and point not in bends:
                    at = Rect(point.x, point.y, point.x + _BEND, point.y + _BEND)
                    name = f"{arrow.cause} → {arrow.effect} ({len(bends) + 1})"
                    bends[point] = _placed(
                        "rectangle", name, at, config=_said(_fixed(""), SMALL_PX), connections=[]
                    )
            source = covers[arrow.cause] if first else bends[here]
            target = covers[arrow.effect] if last else bends[there]
            if (target["name"], here, there) in drawn:
                continue
            drawn.add((target["name"], here, there))
            source["connections"].append(
                {
                    "targetName": target["name"],
                    "path": "straight",
                    "source": _anchor(source, here) if first else _xy(*_CORNER),
                    "target": _anchor(target, there) if last else _xy(*_CORNER),
                    "color": {"fixed": _ARROW},
                    "size": {"fixed": LINE_PX, "min": 1, "max": 10},
                    "direction": {"mode": "fixed", "fixed": "forward" if last else "none"},
                }
            )
    return list(bends.values())


def _anchor(element: Json, point: Point) -> Json:
    """Return a point on an element as Canvas counts: from -1 to 1, y upwards."""
    place = element["placement"]
    right, bottom = 100 - place["right"], 100 - place["bottom"]
    across = 2 * (point.x - place["left"]) / (right - place["left"]) - 1
    down = 2 * (point.y - place["top"]) / (bottom - place["top"]) - 1
    return _xy(round(across, 4), round(-down, 4))


def _xy(x: float, y: float) -> Json:
    return {"x": x + 0.0, "y": y + 0.0}
