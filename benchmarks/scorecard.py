"""The scorecard with a year of rows: reading them, evaluating every second, answering a scrape.

The rows are those of a simulated year in four partitions, compacted. While the scorecard evaluates,
rows of the present pane change, as they do beside a running worker. The evaluations step over a
local midnight: there panes and days change, and every window is added up anew. Times are processor
time of the one thread that works, so that a busy machine does not show in them.
"""

import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

import msgspec
from aiokafka.partitioner import murmur2

from benchmarks.apart import apart, rss_bytes
from benchmarks.cluster import PARTITIONS
from benchmarks.feed import SPOILT, UNTIL_MS, digest_of, kept, simulated, simulation
from benchmarks.machine import load_average
from benchmarks.result import Result, Table, spread
from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.adapters.prometheus.scorecard import ScorecardMetrics
from kpi_stream.adapters.scorecard_app.ports import ScorecardOptions
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.fold import PartitionFold
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.replay import DRAIN_EVERY
from kpi_stream.application.scorecard import Scorecard
from kpi_stream.application.totals import RowTotals
from kpi_stream.bootstrap.collection import keep_for_good
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import EventRejected

AIM_MS = 50
"""Of one evaluation."""
SCRAPE_AIM_MS = 100
_DAYS = 365
_PER_DAY = (100.0, 2_000.0)
_SKEW_MS = 300_000
_EVALUATIONS = 240
"""One a second, half of them before midnight."""
_CHANGED = 200
"""Rows that change between two evaluations."""
_SCRAPES = 20
_NOTE = (
    f"{_EVALUATIONS} evaluations over a midnight, {_CHANGED} rows changed before each. "
    f"Aims: at most {AIM_MS} ms an evaluation and {SCRAPE_AIM_MS} ms a scrape."
)

Rows = list[tuple[int, bytes, bytes]]
"""Partition, key and value."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one year of rows costs."""

    rows: int
    rows_per_cpu_second: float
    """Taken in while starting, until the first evaluation can begin."""
    first_ms: float
    """The first evaluation: every window is added up, every forecast is made."""
    median_ms: float
    p95_ms: float
    longest_ms: float
    """Of the evaluations after the first."""
    readings: int
    scrape_ms: float
    """The first after an evaluation; below, any further one."""
    again_ms: float
    scrape_bytes: int
    series: int
    """Lines of `/metrics` that have a value."""
    sheets_bytes: int
    """The dense sums."""
    rss_bytes: int
    """By which the process grew: sums, and every row once more to tell a difference."""
    load_average: float


def measure(runs: int, scale: float) -> Result:
    """Measure a small and a large administration, in turn, so many times."""
    paths = {
        f"{per_day * scale:g} declarations a day": _rows_of_a_year(per_day * scale)
        for per_day in _PER_DAY
    }
    cases: dict[str, list[Found]] = {name: [] for name in paths}
    for _ in range(runs):
        for name, path in paths.items():
            cases[name].append(found := apart(_scorecard, path))
            print(
                f"{name}: an evaluation takes {found.median_ms:.1f} ms, at midnight "
                f"{found.longest_ms:.0f}, load {found.load_average:.1f}",
                flush=True,
            )
    return Result(
        (_times(cases), _sizes(cases)),
        (_NOTE,),
        {name: [asdict(each) for each in found] for name, found in cases.items()},
    )


def _times(cases: dict[str, list[Found]]) -> Table:
    figures: tuple[tuple[str, Callable[[Found], float], str], ...] = (
        ("rows taken in / CPU-second", lambda each: each.rows_per_cpu_second, ",.0f"),
        ("first evaluation, CPU ms", lambda each: each.first_ms, ".0f"),
        ("evaluation, median, CPU ms", lambda each: each.median_ms, ".1f"),
        ("evaluation, p95, CPU ms", lambda each: each.p95_ms, ".1f"),
        ("evaluation, longest (midnight), CPU ms", lambda each: each.longest_ms, ".1f"),
        ("/metrics, median, CPU ms", lambda each: each.scrape_ms, ".1f"),
        ("/metrics again, CPU ms", lambda each: each.again_ms, ".1f"),
        ("load average", lambda each: each.load_average, ".1f"),
    )
    return Table(
        "The scorecard with a year of rows, packaged strategy",
        ("a year of", "figure", "min", "median", "max"),
        tuple(
            (name, title, *spread([figure(each) for each in found], form))
            for name, found in cases.items()
            for title, figure, form in figures
        ),
    )


def _sizes(cases: dict[str, list[Found]]) -> Table:
    figures: tuple[tuple[str, Callable[[Found], str]], ...] = (
        ("rows", lambda each: f"{each.rows:,}"),
        ("readings", lambda each: f"{each.readings:,}"),
        ("series", lambda each: f"{each.series:,}"),
        ("/metrics, KiB", lambda each: f"{each.scrape_bytes / 1024:,.0f}"),
        ("sums, MiB", lambda each: f"{each.sheets_bytes / 2**20:,.0f}"),
        ("growth of the process, MiB", lambda each: f"{each.rss_bytes / 2**20:,.0f}"),
    )
    return Table(
        "Its sizes, which hardly differ between runs; those of the first",
        ("size", *cases),
        tuple((title, *(size(found[0]) for found in cases.values())) for title, size in figures),
    )


def _scorecard(path: Path) -> Found:
    load, rows = load_average(), _read(path)
    strategy = load_strategy(packaged_strategy_path())
    catalogue, codec = Catalogue(strategy), MsgspecStateCodec()
    before = rss_bytes()
    totals = RowTotals(catalogue, codec)
    table, options = ReadingTable(catalogue, totals), ScorecardOptions()
    scorecard = Scorecard(
        strategy, table, damping=options.damping, forecast_budget=options.forecast_budget
    )
    first_as_of_ms = UNTIL_MS - _EVALUATIONS // 2 * 1000
    began = time.thread_time()
    for row in rows:
        table.apply_row(*row)
    totals.settle(first_as_of_ms)
    taken_in = time.thread_time() - began
    keep_for_good()  # as the service does
    took, evaluation = [], None
    changes = _changes(rows)
    for number in range(_EVALUATIONS):
        for row in next(changes):
            table.apply_row(*row)
        began = time.thread_time()
        evaluation = scorecard.evaluate(first_as_of_ms + number * 1000)
        took.append((time.thread_time() - began) * 1000)
    assert evaluation is not None
    metrics = ScorecardMetrics()
    metrics.strategy(strategy, UNTIL_MS)
    metrics.evaluated(evaluation, 0.0)
    scrapes: tuple[list[float], list[float]] = ([], [])
    body = b""
    for _ in range(_SCRAPES):
        metrics.evaluated(evaluation, 0.0)
        for took_ms in scrapes:
            began = time.thread_time()
            body, _ = metrics.render("")
            took_ms.append((time.thread_time() - began) * 1000)
    return Found(
        rows=len(rows),
        rows_per_cpu_second=len(rows) / taken_in,
        first_ms=took[0],
        median_ms=median(took[1:]),
        p95_ms=quantiles(took[1:], n=20)[-1],
        longest_ms=max(took[1:]),
        readings=len(evaluation.readings),
        scrape_ms=median(scrapes[0]),
        again_ms=median(scrapes[1]),
        scrape_bytes=len(body),
        series=sum(1 for line in body.splitlines() if not line.startswith(b"#")),
        sheets_bytes=totals.nbytes,
        rss_bytes=rss_bytes() - before,
        load_average=load,
    )


def _changes(rows: Rows) -> Iterator[Rows]:
    """Yield the newest rows again and again, each time with one more of everything."""
    decode = msgspec.json.Decoder(dict[str, int]).decode
    newest = sorted((row for row in rows if row[1].startswith(b"f|")), key=lambda row: row[1])
    held = [(partition, key, decode(value)) for partition, key, value in newest[-_CHANGED:]]
    while True:
        for _, _, counters in held:
            for name in counters:
                counters[name] += 1
        yield [(p, key, msgspec.json.encode(counters)) for p, key, counters in held]


def _rows_of_a_year(per_day: float) -> Path:
    """Return the file of a year's rows, folded if this machine does not have it yet."""
    strategy = load_strategy(packaged_strategy_path())
    catalogue, codec = Catalogue(strategy), MsgspecStateCodec()
    options = simulation(days=_DAYS, per_day=per_day, injections=SPOILT)
    path = kept(f"rows-{digest_of(options, catalogue.fingerprint)}.msgpack.gz")
    if path.exists():
        return path
    print(f"folding a year of {per_day:g} declarations a day ...", flush=True)
    decode = EventCodec(strategy.offices, _SKEW_MS, 1 << 16).decode
    folds = [PartitionFold(catalogue, codec) for _ in range(PARTITIONS)]
    held: dict[tuple[int, bytes], bytes] = {}

    def drain() -> None:
        for partition, fold in enumerate(folds):
            for key, value in fold.drain().rows:
                if value is None:
                    held.pop((partition, key), None)
                else:
                    held[partition, key] = value

    for number, record in enumerate(simulated(options), 1):
        try:
            event = decode(record.key, record.value, UNTIL_MS)
            folds[_partition(record.key)].apply(event)
        except EventRejected:
            continue
        if number % DRAIN_EVERY == 0:
            drain()
    drain()
    rows = [(partition, key, value) for (partition, key), value in held.items()]
    partial = path.with_suffix(".partial")
    partial.write_bytes(gzip.compress(msgspec.msgpack.encode(rows), 6))
    partial.replace(path)
    return path


def _read(path: Path) -> Rows:
    return msgspec.msgpack.decode(gzip.decompress(path.read_bytes()), type=Rows)


def _partition(key: bytes | None) -> int:
    """Return where Kafka's clients put a key."""
    return 0 if key is None else int(murmur2(key) & 0x7FFFFFFF) % PARTITIONS
