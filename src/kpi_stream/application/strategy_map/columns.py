"""Where things stand from left to right: boxes, lanes, and the ends of arrows on the boxes.

An arrow is straight where it can be: its end may move along its share of the box's edge, and a
lane within its share of the gap, until both ends stand above each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import TypeAlias

from kpi_stream.application.strategy_map.ordering import Lane, Net, Order, Slot

LEFT_PX = 128.0
"""Where boxes may begin: the names of the bands stand before."""

EDGE_PX = 10.0
"""Room between the last box and the edge of its band."""

BOX_PX = 232.0
"""The widest box: a line of 30 letters is easy to read, a longer one is not."""

GAP_PX = 34.0
"""The least room between two boxes: an arrow from side to side must be seen in it."""

LANE_PX = 16.0
"""Room for one more arrow between two boxes."""

_LANES_SHARE = 0.3
"""Lanes never take more than this share of a band from its boxes."""

_MARGIN = 0.08
"""Share of an edge at its corners where no arrow ends."""

_APART_PX = 4.0
"""Two vertical lines nearer than this look like one."""

_ALL_ORDERS = 6
"""Up to so many tracks every order is tried (720); beyond, neighbours are exchanged."""

Interval: TypeAlias = tuple[float, float]
End: TypeAlias = tuple[Slot, int, str]
"""(what, gutter, effect): where a net meets a box; of a lane, gutter is -1: it is one line."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What is known before any height is."""

    boxes: Mapping[str, Interval]
    ends: Mapping[End, float]
    level: Mapping[tuple[int, str, bool], int]
    """Number of a net's track in its gutter, from above; a straight line needs none."""

    def x(self, net: Net, slot: Slot) -> float:
        """Return where a net meets a slot."""
        return self.ends[_end(net, slot)]

    def tracks(self, gutter: int) -> int:
        """Return how many tracks lie in a gutter."""
        return max((at + 1 for key, at in self.level.items() if key[0] == gutter), default=0)


def columns(order: Order, width_px: float) -> Columns:
    """Return the horizontal half of the layout."""
    boxes, lanes = _spread(order, width_px)
    shares = _shares(order, boxes, lanes)
    ends = _straightened(order, shares)
    level: dict[tuple[int, str, bool], int] = {}
    for gutter in sorted({net.gutter for net in order.nets}):
        level.update(_tracks([net for net in order.nets if net.gutter == gutter], ends))
    return Columns(boxes, ends, level)


def _spread(order: Order, width_px: float) -> tuple[dict[str, Interval], dict[Lane, Interval]]:
    room = width_px - LEFT_PX - EDGE_PX
    most = max((sum(isinstance(s, Lane) for s in band) for band in order.bands), default=0)
    lane_px = min(LANE_PX, _LANES_SHARE * room / most) if most else 0.0
    wide = BOX_PX
    for band in order.bands:
        count = sum(isinstance(slot, str) for slot in band)
        if count:
            wide = min(wide, (room - (len(band) - count) * lane_px) / count - GAP_PX)
    boxes: dict[str, Interval] = {}
    lanes: dict[Lane, Interval] = {}
    for band in order.bands:
        count = sum(isinstance(slot, str) for slot in band)
        free = room - count * wide - (len(band) - count) * lane_px
        gap = free / count if count else free
        x, waiting, begin = LEFT_PX + gap / 2, list[Lane](), LEFT_PX
        for slot in band:
            if isinstance(slot, Lane):
                waiting.append(slot)
                x += lane_px
            else:
                lanes.update(_shared(waiting, begin, x))
                boxes[slot] = (x, x + wide)
                waiting, begin = [], x + wide
                x += wide + gap
        lanes.update(_shared(waiting, begin, width_px - EDGE_PX))
    return boxes, lanes


def _shared(lanes: Sequence[Lane], begin: float, end: float) -> Iterable[tuple[Lane, Interval]]:
    margin = min(10.0, (end - begin) / 4)
    step = (end - begin - 2 * margin) / max(len(lanes), 1)
    spare = min(_APART_PX, step / 4)
    for at, lane in enumerate(lanes):
        low = begin + margin + at * step
        yield lane, (low + spare, low + step - spare)


def _end(net: Net, slot: Slot) -> End:
    # A lane is one vertical line, whichever of its two nets asks.
    return (slot, -1, "") if isinstance(slot, Lane) else (slot, net.gutter, _name(net))


def _name(net: Net) -> str:
    return f"{'up' if net.up else 'down'}:{net.effect}"


def _shares(
    order: Order, boxes: Mapping[str, Interval], lanes: Mapping[Lane, Interval]
) -> dict[End, Interval]:
    middle: dict[Slot, float] = {**{k: sum(v) / 2 for k, v in boxes.items()}}
    middle.update({lane: sum(v) / 2 for lane, v in lanes.items()})
    found: dict[End, Interval] = {(lane, -1, ""): v for lane, v in lanes.items()}
    # Ends on one edge of a box: of one gutter, so the gutter tells the edge.
    edges: dict[tuple[str, int], list[tuple[float, End]]] = {}
    for net in order.nets:
        for slot in (net.sink, *net.sources):
            if isinstance(slot, str):
                others = net.sources if slot == net.sink else (net.sink,)
                toward = sum(middle[each] for each in others) / len(others)
                edges.setdefault((slot, net.gutter), []).append((toward, _end(net, slot)))
    for (slot, _), arriving in edges.items():
        left, right = boxes[slot]
        margin = _MARGIN * (right - left)
        step = (right - left - 2 * margin) / len(arriving)
        spare = min(_APART_PX, step / 4) if len(arriving) > 1 else 0.0
        for at, (_, end) in enumerate(sorted(arriving, key=lambda one: (one[0], one[1][2]))):
            low = left + margin + at * step
            found[end] = (low + spare, low + step - spare)
    return found


def _straightened(order: Order, shares: dict[End, Interval]) -> dict[End, float]:
    # Long ways first: a jog less in every gutter that they pass.
    lanes_first = sorted(
        order.nets, key=lambda net: (not isinstance(net.sink, Lane), len(net.sources))
    )
    for net in lanes_first:
        sink = _end(net, net.sink)
        for source in sorted(
            (_end(net, slot) for slot in net.sources),
            key=lambda end: abs(sum(shares[end]) - sum(shares[sink])),
        ):
            low = max(shares[sink][0], shares[source][0])
            high = min(shares[sink][1], shares[source][1])
            if low <= high and not _same_row(net, source[0], net.sink):
                x = min(max(sum(shares[sink]) / 2, low), high)
                shares[sink] = shares[source] = (x, x)
                break
    return {end: (low + high) / 2 for end, (low, high) in shares.items()}


def _same_row(net: Net, source: Slot, sink: Slot) -> bool:
    return _is_lower(net, source) == _is_lower(net, sink)


def _is_lower(net: Net, slot: Slot) -> bool:
    """Return whether a slot stands below the net's gutter."""
    if isinstance(slot, Lane):
        return slot.band == net.gutter
    if slot == net.sink:
        return not net.up
    # A cause beside its effect leaves by the top, like one below.
    return net.up or slot in net.beside


@dataclass(frozen=True, slots=True)
class _Wires:
    """A net as the lines it is drawn with."""

    key: tuple[int, str, bool]
    upper: tuple[float, ...]
    lower: tuple[float, ...]

    @property
    def extent(self) -> Interval:
        return min(self.upper + self.lower), max(self.upper + self.lower)

    @property
    def straight(self) -> bool:
        low, high = self.extent
        return high - low < 1e-6  # noqa: PLR2004  (the same number, computed twice)


def _tracks(nets: Sequence[Net], ends: Mapping[End, float]) -> dict[tuple[int, str, bool], int]:
    wires = []
    for net in nets:
        slots = (net.sink, *net.sources)
        upper = tuple(ends[_end(net, s)] for s in slots if not _is_lower(net, s))
        lower = tuple(ends[_end(net, s)] for s in slots if _is_lower(net, s))
        wires.append(_Wires((net.gutter, net.effect, net.up), upper, lower))
    bent = [each for each in wires if not each.straight]
    level: dict[tuple[int, str, bool], int] = {}
    placed: list[tuple[_Wires, int]] = []
    for wire in _best_order(bent):
        low, high = wire.extent
        above = [
            at + 1
            for other, at in placed
            if other.extent[0] - LANE_PX < high and low < other.extent[1] + LANE_PX
        ]
        level[wire.key] = max(above, default=0)
        placed.append((wire, level[wire.key]))
    return level


def _best_order(wires: list[_Wires]) -> Sequence[_Wires]:
    if len(wires) <= _ALL_ORDERS:
        return min(permutations(wires), key=_order_cost, default=())
    best = sorted(wires, key=lambda wire: wire.extent)
    least = _order_cost(best)
    for _ in wires:
        for at, _neighbour in enumerate(pairwise(tuple(best))):
            tried = [*best[:at], best[at + 1], best[at], *best[at + 2 :]]
            cost = _order_cost(tried)
            if cost < least:
                best, least = tried, cost
    return best


def _order_cost(wires: Sequence[_Wires]) -> int:
    """Return crossings, and a hundred for two lines upon each other; `wires` go from above."""
    cost = 0
    for at, above in enumerate(wires):
        for below in wires[at + 1 :]:
            cost += sum(below.extent[0] < x < below.extent[1] for x in above.lower)
            cost += sum(above.extent[0] < x < above.extent[1] for x in below.upper)
            cost += 100 * sum(
                abs(x - other) < _APART_PX for x in above.lower for other in below.upper
            )
    return cost
