"""Where the time of the worker and of the replay goes, by kind of work and by function."""

import json
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.cluster import Cluster
from benchmarks.feed import Feed
from benchmarks.machine import load_average, on_its_core
from benchmarks.result import Result, Table
from benchmarks.sampler import COLLECTION
from kpi_stream.adapters.strategy_files import packaged_strategy_path
from tests.support.processes import Process

_TOP = 15
_WITHIN_S = 1_800.0
_ROOT = "/kpi_stream/"
_NOTE = (
    "Sampled by processor time (sampler.py), in pure Python, whose functions can be seen; decode, "
    "fold and drain have a smaller share once compiled. The worker from its first event on."
)

Stack: TypeAlias = list[str]
Rule: TypeAlias = tuple[str, Callable[[str, Stack], bool]]


def _calls(file: str, function: str = "") -> Callable[[str, Stack], bool]:
    """Return a test whether a function, or any function of some file, is on the stack."""
    return lambda _, stack: any(file in each and each.endswith(function) for each in stack)


# The first that fits counts.
_KINDS: tuple[Rule, ...] = (
    (COLLECTION, _calls(COLLECTION)),
    ("metrics (answering a scrape)", _calls("http/server.py")),
    ("fetch (client's own thread)", lambda name, _: name != "MainThread"),
    ("start-up", _calls("importlib._bootstrap")),
    ("start-up", _calls("strategy_files/")),
    ("decode: JSON to event", _calls("adapters/events/")),
    ("fold: read a subject's state", _calls("state_codec.py", "decode_subject")),
    ("fold: add to the rows", _calls("application/row_store.py", "RowStore.add")),
    ("fold: contributions before and after", _calls("application/recount.py")),
    ("fold: the rest", _calls("application/fold.py", "PartitionFold.apply")),
    ("drain: rows", _calls("application/row_store.py")),
    ("drain: subjects", _calls("application/fold.py", "PartitionFold.drain")),
    ("totals: add rows up", _calls("application/totals.py")),
    ("evaluate and print", _calls("application/scorecard.py")),
    ("evaluate and print", _calls("cli/offline.py", "_print")),
    ("read the file", _calls("adapters/event_files.py")),
    ("produce: batches and transaction", _calls("kafka/writer.py")),
    ("produce: batches and transaction", _calls("aiokafka/")),
    ("store: loop over a batch", _calls("kafka/store.py")),
    ("replay: loop over the events", _calls("application/replay.py")),
    ("Faust", _calls("/faust/")),
    ("Faust", _calls("/mode/")),
    ("the rest", lambda *_: True),
)


def measure(feed: Feed) -> Result:
    """Sample one run of the worker and one of the replay."""
    with tempfile.TemporaryDirectory(prefix="kpi-stream-benchmark-") as folder:
        profiles = {
            "worker": _worker(feed, Path(folder) / "worker.json"),
            "replay": _replay(feed, Path(folder)),
        }
    tables = []
    for name, found in profiles.items():
        tables += [
            _shares(f"Where the {name}'s processor time goes", "work", _kinds(found), 99),
            _shares(f"The {name}'s functions by own time", "function", _functions(found), _TOP),
        ]
    return Result(
        tuple(tables),
        (_NOTE,),
        {
            name: {
                "load_average": found["load_average"],
                "kinds": dict(_kinds(found)),
                "functions": dict(_functions(found)),
            }
            for name, found in profiles.items()
        },
    )


def _worker(feed: Feed, output: Path) -> dict[str, Any]:
    load = load_average()
    program = ("-m", "benchmarks.sampler", str(output), "SIGUSR1")
    with Cluster(feed) as cluster:
        epoch, _ = cluster.new_epoch()
        with cluster.worker(epoch, packaged_strategy_path(), program=program) as worker:
            worker.first_sample(60.0)
            worker.process.send(signal.SIGUSR1)
            worker.samples(cluster.events, _WITHIN_S)
    return {"stacks": json.loads(output.read_text()), "load_average": load}


def _replay(feed: Feed, folder: Path) -> dict[str, Any]:
    load, output = load_average(), folder / "replay.json"
    command = [sys.executable, "-m", "benchmarks.sampler", str(output), "now"]
    command += ["replay", str(feed.path), "--format", "json"]
    with Process(on_its_core(command), log=folder / "replay.log") as process:
        process.wait(within_s=_WITHIN_S)
    return {"stacks": json.loads(output.read_text()), "load_average": load}


def _kinds(found: dict[str, Any]) -> list[tuple[str, float]]:
    """Return the share of each kind of work, in the order of the table of kinds."""
    totals: Counter[str] = Counter()
    for thread, stack, ns in found["stacks"]:
        totals[next(kind for kind, fits in _KINDS if fits(thread, stack))] += ns
    every = totals.total()
    return [(kind, totals[kind] / every) for kind in dict(_KINDS) if totals[kind]]


def _functions(found: dict[str, Any]) -> list[tuple[str, float]]:
    """Return the share of each function without those that it calls, the largest first."""
    totals: Counter[str] = Counter()
    for _, stack, ns in found["stacks"]:
        totals[_short(stack[0]) if stack else "outside of Python"] += ns
    every = totals.total()
    return [(name, ns / every) for name, ns in totals.most_common(_TOP)]


def _short(name: str) -> str:
    file, colon, function = name.rpartition(":")
    for root in (_ROOT, "/benchmarks/", "/site-packages/", "/lib/python"):
        if root in file:
            file = file.rpartition(root)[2]
            break
    return f"{file.removesuffix('.py')}: {function}" if colon else name


def _shares(title: str, heading: str, shares: list[tuple[str, float]], most: int) -> Table:
    rows = tuple((name, f"{share:.1%}") for name, share in shares[:most])
    return Table(title, (heading, "share"), rows)
