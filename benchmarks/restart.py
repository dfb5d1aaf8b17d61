"""How soon a worker counts again after it ended: well or by kill -9, with a name or without.

One worker with the default settings on an Apache Kafka of its own; a new event waits for it each
time. With a name (`KPI_STREAM_INSTANCE_ID`) the group knows it again; without one, a killed worker
keeps its partitions until its session has timed out.
"""

import tempfile
from dataclasses import asdict
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.machine import load_average, on_its_core
from benchmarks.result import Result, Table, spread
from kpi_stream.adapters.simulator import Record
from tests.support.feeding import simulated
from tests.support.fresh_site import fresh_site
from tests.support.kafka import Kafka
from tests.support.processes import Process
from tests.support.restarts import ENDS, Restart, restarts
from tests.support.site import COMMAND
from tests.support.verdict import judge

AIM_S = 5.0
"""From the start of a worker with a name of its own to its first new event, at most."""
NAMED = "a name of its own"
RESTARTS = 20
"""Of each case, at scale 1."""
_PER_DAY = 400
"""Declarations; in 30 days 12,000, about 100,000 events: their state is read at each start."""
_DEFAULT_FLUSH_S = 0.3
_GROUP = "KPI_STREAM_APP_ID"


def measure(scale: float) -> Result:
    """Restart a worker again and again, in each of the four ways."""
    count = max(2, round(RESTARTS * scale))
    load = load_average()
    cases: dict[str, list[Restart]] = {}
    with tempfile.TemporaryDirectory(prefix="kpi-stream-benchmark-") as name:
        folder = Path(name)
        records = simulated(
            folder, days=30, per_day=max(1, round(_PER_DAY * scale)), seed=1, share=0.005
        )
        with Kafka(folder / "kafka", long_lived=True) as kafka:
            for named, how in ((NAMED, "the-worker"), ("no name", "")):
                for end in ENDS:
                    found = _restarts(kafka.bootstrap, folder, records, count, end, how)
                    cases[f"{named}, {end}"] = found
    return Result(
        (_table(cases, load),),
        (_note(len(records)),),
        {case: [asdict(each) for each in found] for case, found in cases.items()},
    )


def _note(events: int) -> str:
    return (
        "Until the first new event is in the rows, for every reader: the start of the process, "
        f"joining the group, reading the state of {events:,} events back, and a flush. Silent: "
        "from the signal on. Exact: after each case rows, subjects and dead letters equal those "
        "of the offline fold."
    )


def _restarts(
    brokers: str, folder: Path, records: list[Record], count: int, end: str, name: str
) -> list[Restart]:
    settings: dict[str, Any] = {"flush_interval_s": _DEFAULT_FLUSH_S, "instance_id": name}
    with fresh_site(brokers, folder, **settings) as site:
        site.send(records[:-count])
        worker = Process(
            on_its_core([*COMMAND, "worker"]),
            log=site.folder / f"{site.env[_GROUP]}.log",
            env=site.env,
        )
        site.processes.append(worker.start())
        found = restarts(site, worker, records[-count:], end)
        worker.terminate(within_s=60)
        judge(site)
    return found


def _table(cases: dict[str, list[Restart]], load: float) -> Table:
    rows = []
    for case, found in cases.items():
        counted = [each.counted_s for each in found]
        silent = [each.silent_s for each in found]
        for what, values in (("from the start", counted), ("silent", silent)):
            least, middle, most = spread(values, ".1f")
            p90 = f"{quantiles(values, n=10, method='inclusive')[-1]:.1f}"
            rows.append((case, what, str(len(found)), least, middle, p90, most, f"{load:.1f}"))
    headings = ("worker", "seconds", "restarts", "min", "median", "p90", "max", "load average")
    return Table("A worker that is started again", headings, tuple(rows))
