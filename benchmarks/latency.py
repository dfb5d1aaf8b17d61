"""From the append of an event to its effect on the scorecard's `/metrics`.

The whole strategy, one worker and one scorecard, which share the measured core, and a feed that
happens now. Probes are released declarations of offices that no other event names, one office a
partition: the k-th release that `/metrics` shows for an office is the k-th that was appended to its
partition.
"""

import http.client
import re
import time
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise, product
from multiprocessing import get_context
from statistics import median, quantiles
from urllib.parse import urlsplit

from benchmarks.cluster import PARTITIONS, Cluster, Worker
from benchmarks.live_feed import Load, Sent, send_live
from benchmarks.machine import load_average
from benchmarks.result import Result, Table
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.ports import Topics
from tests.support.processes import eventually

AIM_S = 1.0
"""Of the 99th percentile."""
RATES = (1_000, 5_000, 20_000)
"""Events a second."""
INTERVALS_S = (1.0, 0.5)
"""Between two evaluations of the scorecard: the default, and one for who wants it sooner."""
_SECONDS = 40.0
_PROBES = 200
_KPI, _WINDOW = "release-time-mean", "24h"
_POLL_S = 0.05
"""Shortest time between two polls: more of them would take the core from the broker."""
_LATEST_S = 60.0
"""After the last event; a probe that is not seen by then ends the benchmark."""
_HELP = f"# HELP {c.KPI_SAMPLES.name} ".encode()
_SERIES = re.compile(rb"^" + c.KPI_SAMPLES.name.encode() + rb"\{([^}]*)\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Run:
    """One rate and one interval, once."""

    per_second: float
    """As sent."""
    wanted_per_second: int
    interval_s: float
    probes: int
    p50_s: float
    p99_s: float
    longest_s: float
    poll_s: float
    """Median time between two answers: the resolution of the figures above."""
    feeder_late_s: float
    """The longest that the feed was behind its rate."""
    load_average: float


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer of `/metrics`."""

    at_s: float
    """When the answer was there, seconds since 1970."""
    counts: tuple[int, ...]
    """Releases, by partition of the probes."""


class Poller:
    """Asks a scorecard, which evaluates so often, again and again how many probes it counts."""

    def __init__(self, url: str, probed: tuple[str, ...], interval_s: float) -> None:
        self.interval_s = interval_s
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        # A whole page, 20 times a second, would be an eighth of the measured core.
        self._path, self._probed = f"{parts.path}?name[]={c.KPI_SAMPLES.name}", probed

    def look(self) -> Seen:
        """Ask once."""
        self._connection.request("GET", self._path)
        body = self._connection.getresponse().read()
        at_s = time.time()
        counts = samples(body, self._probed)
        return Seen(at_s, tuple(counts.get(office, 0) for office in self._probed))

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def samples(body: bytes, offices: tuple[str, ...]) -> dict[str, int]:
    """Return how many declarations each office has released, from the text of `/metrics`."""
    found = {}
    fixed = {f'kpi="{_KPI}"', f'window="{_WINDOW}"', 'dimension="office"'}
    # Looked for in its own family, since a page has a megabyte.
    family = body.partition(_HELP)[2].partition(b"# HELP")[0]
    for labels, value in _SERIES.findall(family):
        words = labels.decode().split(",")
        member = next(each for each in words if each.startswith("member=")).split('"')[1]
        if member in offices and fixed <= set(words):
            found[member] = round(float(value))
    return found


def delays(
    seen: list[Seen], appended_at_s: list[list[float]], base: tuple[int, ...]
) -> list[float]:
    """Return for every probe how long after its append an answer first counted it.

    Args:
        seen: The answers, in order.
        appended_at_s: By partition and probe.
        base: What the answers said before the first probe.

    Raises:
        ValueError: A probe is in no answer.
    """
    found = []
    for partition, appended in enumerate(appended_at_s):
        answers = iter(seen)
        answer = next(answers)
        for number, at_s in enumerate(appended, base[partition] + 1):
            while answer.counts[partition] < number:
                try:
                    answer = next(answers)
                except StopIteration:
                    msg = f"probe {number} of partition {partition} was never seen"
                    raise ValueError(msg) from None
            found.append(answer.at_s - at_s)
    return found


def measure(runs: int, scale: float) -> Result:
    """Measure every rate at every interval, so many times; a small scale is a short time."""
    found: list[Run] = []
    path = packaged_strategy_path()
    offices = next(each for each in load_strategy(path).dimensions if each.id == "office")
    codes = tuple(member.code for member in offices.members)
    base = (0,) * PARTITIONS
    with Cluster(None) as cluster, ProcessPoolExecutor(1, get_context("spawn")) as feeder:
        epoch, _ = cluster.new_epoch()
        worker = cluster.start_worker(epoch, path)
        # The slow feeds first: what a fast one leaves makes every later run dearer.
        for rate, interval_s in product(RATES, INTERVALS_S):
            further = {"EVALUATION_INTERVAL_S": str(interval_s)}
            scorecard, url = cluster.start_scorecard(epoch, path, further)
            poller = Poller(url, codes[-PARTITIONS:], interval_s)
            # Neither joining the group nor the first evaluation belongs to the figures.
            load = _load(cluster, codes, 0.0, RATES[0], interval_s)
            base = _with(base, feeder.submit(send_live, load).result())
            for _ in range(runs):
                load = _load(cluster, codes, scale, rate, interval_s)
                run, sent = _run(worker, poller, feeder, load, base)
                found.append(run)
                base = _with(base, sent)
            poller.close()
            scorecard.terminate(within_s=60)
        worker.stop()
    return Result(
        (_table(found),),
        (_note(found),),
        {"scale": scale, "runs": [asdict(run) for run in found]},
    )


def _load(
    cluster: Cluster, codes: tuple[str, ...], scale: float, rate: int, interval_s: float
) -> Load:
    return Load(
        cluster.broker.bootstrap_servers[0],
        Topics().events,
        codes[:-PARTITIONS],
        codes[-PARTITIONS:],
        rate,
        max(5.0, _SECONDS * min(scale, 1.0)),
        max(PARTITIONS * 5, round(_PROBES * min(scale, 1.0))),
        f"{interval_s:g}-{rate}-{time.time_ns()}",
    )


def _run(
    worker: Worker,
    poller: Poller,
    feeder: ProcessPoolExecutor,
    load: Load,
    base: tuple[int, ...],
) -> tuple[Run, Sent]:
    """Measure once.

    Args:
        worker: Counts.
        poller: Looks.
        feeder: Sends.
        load: What.
        base: The probes of all runs before, by partition.
    """
    average, interval_s = load_average(), poller.interval_s
    _caught_up(worker)
    eventually(
        lambda: poller.look().counts == base,
        within_s=_LATEST_S,
        what=f"the scorecard shows the {sum(base)} probes before",
    )
    seen: list[Seen] = []
    sending: Future[Sent] = feeder.submit(send_live, load)
    wanted = sum(base) + load.probes
    deadline = float("inf")
    while not seen or sum(seen[-1].counts) < wanted:
        if sending.done() and deadline == float("inf"):
            sending.result()
            deadline = time.monotonic() + _LATEST_S
        if time.monotonic() > deadline:
            break
        asked = time.monotonic()
        seen.append(poller.look())
        time.sleep(max(0.0, _POLL_S - (time.monotonic() - asked)))
    sent = sending.result()
    late = delays(seen, sent.probes_at_s, base)
    run = Run(
        per_second=sent.events / sent.seconds,
        wanted_per_second=round(load.per_second),
        interval_s=interval_s,
        probes=len(late),
        p50_s=median(late),
        p99_s=quantiles(late, n=100, method="inclusive")[-1],
        longest_s=max(late),
        poll_s=median(after.at_s - before.at_s for before, after in pairwise(seen)),
        feeder_late_s=sent.late_s,
        load_average=average,
    )
    print(
        f"{run.per_second:,.0f} events/s, evaluated every {interval_s:g} s: "
        f"p50 {run.p50_s:.2f} s, p99 {run.p99_s:.2f} s, polled every {run.poll_s:.3f} s, "
        f"load {average:.1f}",
        flush=True,
    )
    return run, sent


def _with(base: tuple[int, ...], sent: Sent) -> tuple[int, ...]:
    """Return the probes of one run more, by partition."""
    return tuple(known + len(more) for known, more in zip(base, sent.probes_at_s, strict=True))


def _caught_up(worker: Worker) -> None:
    """Wait until nothing of an earlier run is left."""

    def idle() -> bool:
        sample = worker.sample()
        return bool(sample.events) and not sample.lag and sample.flushed >= sample.events

    eventually(idle, within_s=600, what="the worker has counted the run before")


def _table(found: list[Run]) -> Table:
    rows = []
    for interval_s in INTERVALS_S:
        for rate in RATES:
            runs = [r for r in found if r.interval_s == interval_s and r.wanted_per_second == rate]
            p99 = [run.p99_s for run in runs]
            rows.append(
                (
                    f"{rate:,}",
                    f"{median(run.per_second for run in runs):,.0f}",
                    f"{interval_s:g} s",
                    f"{median(run.p50_s for run in runs):.2f} s",
                    f"{min(p99):.2f} s",
                    f"{median(p99):.2f} s",
                    f"{max(p99):.2f} s",
                    f"{max(run.longest_s for run in runs):.2f} s",
                    f"{median(run.poll_s for run in runs) * 1000:.0f} ms",
                    f"{max(run.feeder_late_s for run in runs):.2f} s",
                    f"{max(run.load_average for run in runs):.1f}",
                )
            )
    headings = (
        *("events / s wanted", "sent", "evaluated every", "p50, median", "p99, min", "median"),
        *("max", "longest", "resolution", "feed behind by at most", "load average"),
    )
    return Table("From the append to /metrics, packaged strategy", headings, tuple(rows))


def _note(found: list[Run]) -> str:
    return (
        f"{found[0].probes} probes a run; {len(found) // len(RATES) // len(INTERVALS_S)} runs of "
        "each. The resolution is the time between two answers of `/metrics`, which is asked for "
        "that one family (`?name[]=`): a delay is too long by half of it on average. Worker and "
        f"scorecard share the measured core. Aim: p99 of at most {AIM_S:g} s."
    )
