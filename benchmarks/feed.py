"""The feed that everything is measured on: made once by the product's own simulator, then kept.

It is dense and as untidy as real feeds are: some events come twice, out of order, late, corrected,
contradicted or malformed.
"""

import hashlib
import inspect
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kpi_stream.adapters import simulator
from kpi_stream.adapters.event_files import read_lines
from kpi_stream.adapters.simulator import Injections, Record, SimulationOptions, simulate
from kpi_stream.adapters.simulator import write_jsonl as write
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.bootstrap.feeds import simulation_options
from kpi_stream.domain.catalogue import canonical

UNTIL_MS = 1_761_973_200_000
"""Where every feed ends: 2025-11-01T00:00:00-05:00. Fixed, so that the bytes never change."""
SPOILT = Injections(
    duplicates=0.005,
    disorder=0.02,
    late=0.005,
    corrections=0.002,
    conflicts=0.0005,
    malformed=0.0005,
)
_DAYS = 30
_PER_DAY = 4_200
"""With 30 days 126,000 declarations and 1.2 million events."""
_SEED = 7


@dataclass(frozen=True, slots=True)
class Feed:
    """A file of events in the order of their recording."""

    path: Path
    """JSONL, gzipped."""
    events: int
    declarations: int
    """How many were numbered, about."""
    days: int
    """Days in which they were."""

    @property
    def mean_bytes(self) -> float:
        """Mean length of an event in bytes."""
        return sum(map(len, self.lines())) / self.events

    def lines(self) -> Iterator[bytes]:
        """Yield the events as they were written."""
        return read_lines(self.path)


def feed(scale: float) -> Feed:
    """Return the feed, simulated if this machine does not have it yet.

    Args:
        scale: 1 for the published figures; smaller ones have fewer declarations a day.
    """
    options = simulation(days=_DAYS, per_day=_PER_DAY * scale, injections=SPOILT)
    path = kept(f"feed-{_digest(options)}.jsonl.gz")
    if not path.exists():
        print(f"simulating {_DAYS} days of {_PER_DAY * scale:g} declarations ...", flush=True)
        write(simulate(options), path)
    events = sum(1 for _ in read_lines(path))
    return Feed(path, events, round(_DAYS * _PER_DAY * scale), _DAYS)


def simulation(*, days: int, per_day: float, injections: Injections) -> SimulationOptions:
    """Return what the simulator needs, with the offices of the packaged strategy."""
    folder = packaged_strategy_path()
    return simulation_options(
        load_strategy(folder),
        folder,
        now_ms=UNTIL_MS,
        injections=injections,
        days=days,
        per_day=per_day,
        seed=_SEED,
    )


def simulated(options: SimulationOptions) -> Iterator[Record]:
    """Yield a feed that is too large to be kept."""
    return simulate(options)


def kept(name: str) -> Path:
    """Return where a file that takes long to make is kept for the next run."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "kpi-stream" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def digest_of(options: SimulationOptions, *further: str) -> str:
    """Return a word that changes when the simulated bytes, or what is made of them, would."""
    return hashlib.sha256("\n".join([_digest(options), *further]).encode()).hexdigest()[:12]


def _digest(options: SimulationOptions) -> str:
    digest = hashlib.sha256(canonical(options).encode())
    for source in sorted(Path(inspect.getfile(simulator)).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]
