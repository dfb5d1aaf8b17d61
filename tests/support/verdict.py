"""The verdict of a fault test: what is stored is what one fold that never stops makes of the log.

Compared bit by bit: the rows, and the subjects as long as none of them left the state (when exactly
one is swept out depends on the flushes). The worklists list the same subjects, and count the same
others (in which pane the late ones of these stand depends on the flushes). Every event is
accounted for: the positions stand at the last one of each partition, and each rejected event lies
in the dead letters.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kpi_stream.adapters.kafka.dead_letter_log import Place, read_letter
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.fold import PartitionFold
from kpi_stream.application.ports import POSITION_KEY, Topics
from kpi_stream.bootstrap.common import event_codec, retention
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import EventRejected, Reason
from kpi_stream.settings import Settings
from tests.support.processes import Process, eventually
from tests.support.site import Site

Table = dict[tuple[int, bytes], bytes]
"""The newest value by partition and key."""

_EMPTY = b"{}"
"""A row that counts nothing any more; whether it is written at all depends on the flushes."""


@dataclass(frozen=True, slots=True)
class Folded:
    """What one fold that never stops makes of each partition of a log."""

    events: int
    """Records in the log."""
    ends: dict[int, int]
    """The offset of the last event, by partition."""
    rows: Table
    subjects: Table
    worklists: Table
    rejected: dict[tuple[int, int], Reason]
    """By partition and offset."""


def folded(
    site: Site,
    topics: Topics,
    at_least: int,
    *,
    strategy: Path | None = None,
    until: Mapping[int, int] | None = None,
) -> Folded:
    """Fold what the broker has, with its times of receipt.

    Args:
        site: Where the log is.
        topics: The names.
        at_least: How many records the log has; fewer are waited for.
        strategy: Its folder; None: the packaged one.
        until: The last offset that counts, by partition; None: all count.
    """
    settings, strategy_read = Settings(), load_strategy(strategy or packaged_strategy_path())
    decode, catalogue = event_codec(settings, strategy_read).decode, Catalogue(strategy_read)
    folds: dict[int, PartitionFold] = {}
    ends: dict[int, int] = {}
    rejected: dict[tuple[int, int], Reason] = {}
    records = site.records(topics.events, at_least)
    for record in sorted(records, key=lambda each: (each.partition, each.offset)):
        partition = record.partition
        if until is not None and record.offset > until.get(partition, -1):
            continue
        fold = folds.get(partition)
        if fold is None:
            fold = folds[partition] = PartitionFold(
                catalogue, MsgspecStateCodec(), retention(settings)
            )
        ends[partition] = record.offset
        try:
            fold.apply(decode(record.key, record.value, record.timestamp))
        except EventRejected as err:
            rejected[partition, record.offset] = err.reason
    rows: Table = {}
    subjects: Table = {}
    worklists: Table = {}
    for partition, fold in folds.items():
        changes = fold.drain()
        rows |= {(partition, key): value for key, value in changes.rows if value is not None}
        subjects |= {
            (partition, key): value for key, value in changes.subjects if value is not None
        }
        worklists |= {
            (partition, key): value for key, value in changes.worklists if value is not None
        }
    return Folded(len(records), ends, _counting(rows), subjects, _listing(worklists), rejected)


def judge(
    site: Site,
    topics: Topics | None = None,
    *,
    repeats: int = 0,
    strategy: Path | None = None,
) -> Folded:
    """Hold what is stored against the offline fold; return the latter.

    Args:
        site: Where everything is; it knows how many events were sent.
        topics: The names; None: the usual ones.
        repeats: How many dead letters are there once more. Without transactions a crash after the
            dead letters and before the rows leaves those of one flush twice; with transactions
            there is none.
        strategy: The folder of the one that counted; None: the packaged one.
    """
    topics = topics or Topics()
    expected = folded(site, topics, site.sent, strategy=strategy)
    assert expected.events == site.sent, "events of the log itself are missing, or twice in it"
    rows = site.records(topics.rows, 0)
    subjects = site.records(topics.declarations, 0)
    assert _applied(rows) == expected.ends
    assert _applied(subjects) == expected.ends
    found, wanted = _counting(_table(rows)), expected.rows
    assert differences(found, wanted) == {}
    assert differences(_table(subjects), expected.subjects) == {}
    listed = _listing(_table(site.records(topics.worklist, 0)))
    assert differences(listed, expected.worklists) == {}
    _judge_letters(site, topics, expected, repeats)
    return expected


def differences(found: Table, wanted: Table) -> dict[object, tuple[bytes | None, bytes | None]]:
    """Return the first few keys whose values differ, with what is there and what should be."""
    keys = sorted(found.keys() | wanted.keys())
    differing = [key for key in keys if found.get(key) != wanted.get(key)]
    first: dict[object, tuple[bytes | None, bytes | None]] = {
        key: (found.get(key), wanted.get(key)) for key in differing[:10]
    }
    return {f"{len(differing)} of {len(keys)} differ": (None, None), **first} if first else {}


def wait_until_counted(site: Site, *workers: Process, within_s: float) -> None:
    """Return once everything that was sent is in the rows; no worker may end before."""

    def counted() -> bool:
        for worker in workers:
            assert worker.running, worker.output()[-3_000:]
        return rows.applied() >= site.sent

    with site.rows(load_strategy(packaged_strategy_path())) as rows:
        eventually(counted, within_s=within_s, what=f"all {site.sent} events are counted")


def applied(site: Site, topics: Topics | None = None) -> dict[int, int]:
    """Return the offset of the last event in the rows, by partition."""
    return _applied(site.records((topics or Topics()).rows, 0))


def _judge_letters(site: Site, topics: Topics, expected: Folded, repeats: int) -> None:
    """Each rejected event is in the dead letters, with its reason, and no other is."""
    records = site.records(topics.dead_letters, len(expected.rejected) + repeats)
    letters = [read_letter(Place(each.partition, each.offset), each) for each in records]
    times: Counter[tuple[int, int]] = Counter()
    reasons: dict[tuple[int, int], Reason] = {}
    for letter in letters:
        assert letter is not None
        assert letter.origin.topic == topics.events
        assert letter.origin.partition == letter.place.partition
        place = (letter.origin.partition, letter.origin.offset)
        times[place] += 1
        reasons[place] = Reason(letter.reason)
    assert reasons == expected.rejected
    assert times.total() - len(times) == repeats, times.most_common(3)


def _applied(records: list[Any]) -> dict[int, int]:
    return {
        each.partition: json.loads(each.value)["applied"]
        for each in records
        if each.key == POSITION_KEY
    }


def _table(records: list[Any]) -> Table:
    newest = {(each.partition, each.key): each.value for each in records}
    return {
        at: value for at, value in newest.items() if value is not None and at[1] != POSITION_KEY
    }


def _listing(worklists: Table) -> Table:
    """Return the lists without the panes of those that are not listed, but with their number."""
    found: Table = {}
    for at, value in worklists.items():
        content = json.loads(value)
        found[at] = json.dumps([content["listed"], sum(content["later"].values())]).encode()
    return found


def _counting(rows: Table) -> Table:
    return {at: value for at, value in rows.items() if value != _EMPTY}
