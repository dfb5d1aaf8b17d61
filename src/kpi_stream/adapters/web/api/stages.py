"""Who holds the time: the way and its stages."""

from kpi_stream.adapters.web.api import base as b
from kpi_stream.application.stages import WayReading
from kpi_stream.domain.strategy import Holder


class StageRow(b.Model):
    """One stage of the subjects that came to the end in the window."""

    stage: str
    holder: Holder
    inside: bool
    samples: int
    """How many subjects had it."""
    mean_s: float | None
    """Of those that had it."""
    part_s: float | None
    """What it adds to the mean of the whole way; these add up to that mean. Null for what comes
    after the way."""
    p50_s: float | None
    p90_s: float | None


class WayRow(b.Model):
    """The way of one member."""

    member: str
    samples: int
    mean_s: float | None
    stages: list[StageRow]


class StagesAnswer(b.Model):
    """The way by one dimension, the members with most subjects first."""

    as_of: b.Instant
    window: str
    dimension: str
    members: list[WayRow]


def stages_answer(
    found: tuple[WayReading, ...], window: str, dimension: str, as_of_ms: int
) -> StagesAnswer:
    """Return the stages as they are shown."""
    ranked = sorted(found, key=lambda each: (-each.samples, each.member))
    return StagesAnswer(
        as_of=b.instant(as_of_ms),
        window=window,
        dimension=dimension,
        members=[_way(each) for each in ranked],
    )


def _way(way: WayReading) -> WayRow:
    return WayRow(
        member=way.member,
        samples=way.samples,
        mean_s=way.mean,
        stages=[
            StageRow(
                stage=each.stage.id,
                holder=each.stage.holder,
                inside=each.inside,
                samples=each.samples,
                mean_s=each.mean,
                part_s=way.part(each),
                p50_s=each.p50,
                p90_s=each.p90,
            )
            for each in way.stages
        ],
    )
