"""Which subjects are late, or about to be, and who holds them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kpi_stream.adapters.web.api import base as b
from kpi_stream.domain import strategy as s
from kpi_stream.domain.worklist import OfficeList, Waiting, limits, worksheet

EVERY = 1_000_000
"""More than any partition lists."""


class EntryOf(b.Model):
    """A subject that waits."""

    subject: str
    office: str
    channel: str | None
    started: b.Instant
    due: b.Instant
    used: b.Share
    """Share of the limit that is used up; more than 1 is late."""
    stage: str | None
    """The stage in which it waits; null where the strategy has none."""
    holder: s.Holder | None
    waiting_since: b.Instant | None


class WorklistRow(b.Model):
    """One list: those whose time is up first."""

    id: str
    kpi: str
    limit_s: b.Seconds
    close_share: b.Share
    """The share of the limit from which on a subject is listed."""
    entries: list[EntryOf]
    more: int
    """Late and close ones that are not in `entries`; with a filter by stage or holder, of the
    listed ones and of those whose stage the lists do not name."""
    late: int
    """All that are late, listed or not, whatever their stage."""
    close: int
    """All that are close to the limit, listed or not, whatever their stage."""


class WorklistAnswer(b.Model):
    """The worklists of everything or of one office."""

    as_of: b.Instant
    office: str | None
    worklists: list[WorklistRow]


@dataclass(frozen=True, slots=True)
class Filter:
    """What is wanted of a list."""

    stage: str | None = None
    holder: str | None = None
    limit: int | None = None


def worklist_answer(
    strategy: s.Strategy,
    lists: Mapping[str, Iterable[OfficeList]],
    as_of_ms: int,
    office: str | None,
    wanted: Filter,
) -> WorklistAnswer:
    """Return the worklists at an instant.

    Args:
        strategy: Says how long the limits are and who holds a stage.
        lists: What the partitions hold, by worklist; of the office that is asked for.
        as_of_ms: The instant, milliseconds since 1970 UTC.
        office: The office, None for all.
        wanted: Which of them.
    """
    stages = () if strategy.way is None else strategy.way.stages
    holders = {each.id: each.holder for each in stages}
    limit_of, rows = limits(strategy), []
    for one in strategy.worklists:
        limit_ms = limit_of[one.id]
        sheet = worksheet(lists.get(one.id, ()), replace(one, size=EVERY), limit_ms, as_of_ms)
        chosen = [
            each
            for each in sheet.listed
            if wanted.stage in (None, each.stage)
            and wanted.holder in (None, holders.get(each.stage))
        ]
        size = one.size if wanted.limit is None else wanted.limit
        rows.append(
            WorklistRow(
                id=one.id,
                kpi=one.kpi,
                limit_s=limit_ms / 1000,
                close_share=one.close,
                entries=[_entry(each, limit_ms, as_of_ms, holders) for each in chosen[:size]],
                more=sheet.more + max(len(chosen) - size, 0),
                late=sheet.late,
                close=sheet.close,
            )
        )
    return WorklistAnswer(as_of=b.instant(as_of_ms), office=office, worklists=rows)


def _entry(each: Waiting, limit_ms: int, as_of_ms: int, holders: Mapping[str, s.Holder]) -> EntryOf:
    return EntryOf(
        subject=each.subject,
        office=each.office,
        channel=each.channel,
        started=b.instant(each.due_ms - limit_ms),
        due=b.instant(each.due_ms),
        used=each.used(limit_ms, as_of_ms),
        stage=each.stage or None,
        holder=holders.get(each.stage),
        waiting_since=b.instant(each.since_ms) if each.stage else None,
    )
