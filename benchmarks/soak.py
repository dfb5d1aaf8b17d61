"""An hour of load with forced rebalances: does anything grow that should not, and is it exact?

One worker lives through all of it while the others are killed, stopped and started, so that it is
given partitions and gives them back all the time; the scorecard lives through all of it as well.
Subjects stay in the state for weeks of the feed's time instead of a year, so that what may grow
is full after the warm-up, and what grows then is a leak.
"""

import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import click
from kafka.admin import ConfigResource

from benchmarks import exactness, soak_feed
from benchmarks import soak_samples as watch
from benchmarks.feed import kept
from benchmarks.machine import description, is_compiled, load_average
from benchmarks.result import Result, show
from kpi_stream.adapters.embedded_broker import free_port
from kpi_stream.adapters.kafka.administration import administration
from kpi_stream.adapters.kafka.topics import Layout, topics_init
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.ports import BrokerOptions, Topics
from kpi_stream.domain.errors import Unavailable
from kpi_stream.settings import PREFIX, Settings
from tests.support.kafka import Kafka
from tests.support.processes import Process, eventually
from tests.support.site import Rows

PARTITIONS = 4
HARRIED = ("killed and stopped 1", "killed and stopped 2")
STEADY, SCORECARD, BROKER, FEED = "steady worker", "scorecard", "broker", "feed"
DOCUMENT = Path(__file__).parents[1] / "docs" / "reliability.md"
RETENTION = {"forget_complete_days": 10, "forget_incomplete_days": 30, "remember_left_days": 30}
"""Days of the feed's time; by default 60, 400 and 400, which a run does not pass through."""
_CLEANED = {"segment.ms": "30000", "delete.retention.ms": "60000"}
"""Half a minute of the run is three days of the feed's time, and a minute nearly a week."""
_WITHIN_S = 300.0
_DRAINED_S = 1_800.0
_LAG_S = 30.0
"""Of events; more than these the workers shall not be behind."""
_PROGRAM = (sys.executable, "-m", "kpi_stream")


@dataclass(frozen=True, slots=True)
class Options:
    """What is to be run."""

    minutes: float
    rate: float
    """Events a second, unless the workers cannot keep up with it."""
    folder: Path
    """Gets samples, logs and, while it runs, the broker's data."""
    seed: int = 1
    rebalance_s: float = 45.0
    """Between two forced rebalances."""
    sample_s: float = 10.0

    @property
    def hold(self) -> Path:
        """While this file exists, the feed waits."""
        return self.folder / "hold"


def _hasten_cleaning(broker: BrokerOptions) -> None:
    """Let the broker clean the state's topics in time with the feed.

    A worker reads them whole when it opens. With the product's own settings they would hold a
    year's tombstones by the end of an hour, instead of a week's.

    Raises:
        RuntimeError: The broker does not take the settings.
    """
    topics = Topics()
    compacted = (topics.declarations, topics.rows, topics.worklist, topics.readings)
    with administration(broker) as admin:
        resources = [ConfigResource("topic", name, _CLEANED) for name in compacted]
        answers = admin.alter_configs(resources)["topic"]
    if any(answers.get(name) != "OK" for name in compacted):
        msg = f"the topics are not cleaned in a soak's time: {answers}"
        raise RuntimeError(msg)


class Site:
    """Broker, workers, scorecard and feed."""

    def __init__(self, options: Options, kafka: Kafka, stretch: tuple[Path, int]) -> None:
        """Make the processes; only the topics exist yet."""
        self.brokers = kafka.bootstrap
        self.broker = BrokerOptions((kafka.bootstrap,))
        self._kafka, self._options = kafka, options
        eventually(self._topics_made, within_s=_WITHIN_S, what="the topics are made")
        _hasten_cleaning(self.broker)
        order = soak_feed.Order(
            kafka.bootstrap, str(stretch[0]), stretch[1], PARTITIONS, options.rate,
            options.minutes * 60, str(options.hold),
        )  # fmt: skip
        self._ports = {name: free_port() for name in (STEADY, *HARRIED, SCORECARD)}
        self.feed = self._process(FEED, sys.executable, "-m", "benchmarks.soak_feed", order.text)
        self.scorecard = self._process(SCORECARD, *_PROGRAM, "scorecard")
        self.workers = {
            name: self._process(name, *_PROGRAM, "worker") for name in (STEADY, *HARRIED)
        }
        self.began_at = 0.0

    def sample(self) -> watch.Sample:
        """Look at everything."""
        processes = {
            **self.workers, SCORECARD: self.scorecard, FEED: self.feed, BROKER: self._kafka.process
        }  # fmt: skip
        at_s = time.monotonic() - self.began_at
        looked_at = {
            name: found
            for name, each in processes.items()
            if (found := watch.seen(each, self._url(name))) is not None
        }
        return watch.Sample(
            at_s, looked_at, watch.transactions(self.brokers), self.lag(), self.sent,
            watch.disk_bytes(self._kafka.folder / "data"),
        )  # fmt: skip

    @property
    def sent(self) -> int:
        """How many events the feed says it has sent."""
        words = self.feed.output().rpartition("sent ")[2].split()
        return int(words[0]) if words else 0

    def ready(self, name: str) -> bool:
        """Return whether a worker has its partitions open."""
        return watch.page(f"http://127.0.0.1:{self._ports[name]}/-/ready") is not None

    def lag(self) -> int | None:
        """Return what the scorecard says of the lag."""
        return watch.lag(watch.page(str(self._url(SCORECARD))))

    def _topics_made(self) -> bool:
        """Make the topics; on a busy machine Kafka takes longer than a client waits."""
        try:
            topics_init(self.broker, Topics(), Layout(partitions=PARTITIONS))
        except Unavailable:
            return False
        return True

    def _url(self, name: str) -> str | None:
        port = self._ports.get(name)
        return None if port is None else f"http://127.0.0.1:{port}/metrics"

    def _process(self, name: str, *command: str) -> Process:
        port = str(self._ports.get(name, 0))
        settings = {
            "BROKERS": self._kafka.bootstrap,
            "PARTITIONS": str(PARTITIONS),
            "WORKER_PORT": port,
            "SCORECARD_PORT": port,
            **{key.upper(): str(days) for key, days in RETENTION.items()},
        }
        return Process(
            command,
            log=self._options.folder / f"{name.replace(' ', '-')}.log",
            env={PREFIX + key: value for key, value in settings.items()},
            dies_with_parent=True,
        )


class Disturber:
    """Kills, stops and starts workers, by a chance that a seed decides."""

    def __init__(self, site: Site, seed: int) -> None:
        """Begin with all of them running."""
        self._site, self._workers, self._chance = site, site.workers, random.Random(seed)
        self._leaving: str | None = None
        self.actions: Counter[str] = Counter()
        self.unexpected: Counter[str] = Counter()

    def act(self) -> str:
        """Force one rebalance and return what was done."""
        if self._leaving is not None:
            self._workers[self._leaving].start()
            self._leaving = None
            what = "a worker joined"
        else:
            name = self._chance.choice(HARRIED)
            # What is told to end before it can listen to that ends with an error.
            if self._chance.random() < 0.5 or not self._site.ready(name):
                self._workers[name].kill()
                self._workers[name].start()
                what = "kill -9"
            else:
                self._ended(name, self._workers[name].terminate(within_s=_WITHIN_S))
                self._leaving = name
                what = "a worker left"
        self.actions[what] += 1
        return what

    def look_after(self) -> None:
        """Start again, and count, what ended by itself."""
        for name, process in self._workers.items():
            if name != self._leaving and not process.running:
                self._ended(name, process.wait(within_s=1), asked=False)
                process.start()

    def end(self) -> None:
        """End all of them in good order."""
        for name, process in self._workers.items():
            if process.running:
                process.wait_until(
                    partial(self._site.ready, name), within_s=_WITHIN_S, what="it is ready"
                )
                self._ended(name, process.terminate(within_s=_WITHIN_S))

    def _ended(self, name: str, code: int, *, asked: bool = True) -> None:
        if code or not asked:
            self.unexpected[f"{name} with {code}"] += 1


def run(options: Options) -> tuple[list[watch.Sample], watch.Summary]:
    """Run to the end, compare, and return what was seen; the folder has the same.

    Raises:
        RuntimeError: A process that nothing starts again has ended.
    """
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    for old in (
        folder / watch.SAMPLES,
        folder / watch.SUMMARY,
        options.hold,
        *folder.glob("*.log"),
    ):
        old.unlink(missing_ok=True)
    path = folder / "stretch.jsonl"
    events = options.rate * options.minutes * 60
    stretch = (path, soak_feed.stretch(events / soak_feed.STRETCHES, path))
    load = load_average()
    with _kafka(folder / "kafka") as kafka:
        site = Site(options, kafka, stretch)
        disturber = Disturber(site, options.seed)
        seconds, drained_s = _loaded(site, disturber, options)
        disturber.end()
        disturber.unexpected[SCORECARD] += bool(site.scorecard.terminate(within_s=_WITHIN_S))
        transactions = watch.transactions(kafka.bootstrap)
        strategy = load_strategy(packaged_strategy_path())
        expected = exactness.offline(site, strategy, Settings.model_validate(RETENTION))
        found = exactness.committed(site, Topics())
    summary = watch.Summary(
        minutes=options.minutes,
        rate=options.rate,
        events=site.sent,
        seconds=seconds,
        drained_s=drained_s,
        actions=dict(disturber.actions),
        unexpected=dict(+disturber.unexpected),
        transactions=transactions,
        differing_rows=found.differences(expected),
        rows=len(expected.rows),
        outcomes={str(name): count for name, count in expected.outcomes.items()},
        compiled=is_compiled(),
        machine=description(),
        load=(load, load_average()),
    )
    (folder / watch.SUMMARY).write_text(json.dumps(asdict(summary), indent=1) + "\n")
    path.unlink()
    return watch.read(folder)[0], summary


def _loaded(site: Site, disturber: Disturber, options: Options) -> tuple[float, float]:
    """Load and disturb it; return the seconds of sending, and those until all was counted."""
    with ExitStack() as running:
        for process in (*site.workers.values(), site.scorecard):
            running.enter_context(process)
        eventually(lambda: site.lag() is not None, within_s=_WITHIN_S, what="the scorecard serves")
        running.enter_context(site.feed)
        site.began_at = began = time.monotonic()
        sample_at, act_at = began, began + options.rebalance_s
        while site.feed.running:
            now = time.monotonic()
            disturber.look_after()
            if now >= sample_at:
                sample = site.sample()
                watch.write(options.folder, sample)
                _hold(options, sample.lag)
                sample_at = now + options.sample_s
            # The one before must be got over: what never ends is another fault, not this one.
            if now >= act_at and not options.hold.exists():
                print(f"{now - began:6.0f} s: {disturber.act()}", flush=True)
                act_at = now + options.rebalance_s
            time.sleep(0.1)
        if site.feed.wait(within_s=1):
            msg = f"the feed ended with an error:\n{site.feed.output()[-2000:]}"
            raise RuntimeError(msg)
        ended = time.monotonic()
        with Rows(site.brokers, load_strategy(packaged_strategy_path()), exactly_once=True) as rows:
            eventually(
                lambda: rows.applied() >= site.sent, within_s=_DRAINED_S, what="all is counted"
            )
        drained_s = time.monotonic() - ended
        running.pop_all()
    return float(site.feed.output().rpartition(" in ")[2].split()[0]), drained_s


def _hold(options: Options, lag: int | None) -> None:
    """Let the feed wait while more is waiting than may, as far as that is known."""
    if lag is None:
        return
    if lag > options.rate * _LAG_S:
        options.hold.touch()
    else:
        options.hold.unlink(missing_ok=True)


@contextmanager
def _kafka(folder: Path) -> Iterator[Kafka]:
    """Run a broker whose data is removed afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with Kafka(folder, heap="1g", long_lived=True) as kafka:
            yield kafka
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def shown(samples: list[watch.Sample], summary: watch.Summary | None) -> Result:
    """Print the tables, and return them."""
    found = watch.result(samples, summary)
    show(found)
    return found


@click.command()
@click.option("--minutes", type=click.FloatRange(0.5), default=60, show_default=True)
@click.option("--rate", type=click.FloatRange(1), default=20_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the forced rebalances.")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="For samples and logs."
)
@click.option("--report", is_flag=True, help="Run nothing: show what the folder has.")
@click.option("--document", is_flag=True, help="Write it into docs/reliability.md as well.")
def main(
    minutes: float,
    rate: float,
    seed: int,
    folder: Path | None,
    report: bool,  # noqa: FBT001
    document: bool,  # noqa: FBT001
) -> None:
    """Load three workers at a fixed rate, disturb them, and watch what grows.

    Where the machine cannot keep up with the rate, events are left out, and the tables say so.
    """
    for name in [each for each in os.environ if each.startswith(PREFIX)]:
        del os.environ[name]
    folder = (folder or kept("soak")).resolve()
    if not report:
        run(Options(minutes, rate, folder, seed))
    samples, summary = watch.read(folder)
    found = shown(samples, summary)
    if document and summary is not None:
        text = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(watch.documented(text, found, summary), encoding="utf-8")
    if summary is not None and not found.exact:
        sys.exit("it counted wrongly")
