"""The soak of the benchmarks in five minutes: nothing grows that should not, and it is exact."""

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import soak
from benchmarks import soak_samples as watch
from kpi_stream.application.monitoring import conventions
from kpi_stream.application.monitoring.conventions import Family
from kpi_stream.domain.errors import Reason
from kpi_stream.domain.events import EVENT_TYPES
from kpi_stream.domain.subject import Outcome
from kpi_stream.settings import PREFIX
from tests.support.kafka import KafkaMissing, kafka_jars
from tests.support.required import missing

CLIENT_SOCKETS = 2
"""Of one Kafka client on one broker: one to the broker as such, one to it as a coordinator."""
EXECUTOR_THREADS = 32
"""At most, of an event loop's default executor, which has none before the first question."""
GROWTH_BYTES = 64 << 20
"""In the minutes after the warm-up: less than 150 bytes for each of some 450,000 events, which is
less than one object with its place in a dictionary takes."""
ROW_BYTES = 350
"""What a scorecard holds of each row for good: key, value and their place (340 in a year of rows).
A year passes in the five minutes, and so do its 140,000 rows."""


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_five_minutes(
    tmp_path: Path, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three workers, of which two come and go: memory, descriptors, transactions, series, rows."""
    for name in [each for each in os.environ if each.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    try:
        kafka_jars()
    except KafkaMissing as err:
        missing("kafka", str(err))
    options = soak.Options(
        minutes=5,
        rate=2_000,
        folder=tmp_path / "soak",
        seed=chance.randrange(1_000),
        rebalance_s=15,
        sample_s=5,
    )
    samples, summary = soak.run(options)
    soak.shown(samples, summary)

    assert summary.differing_rows == 0
    assert summary.rows > 1_000
    assert sum(summary.outcomes.values()) == summary.events > 10_000
    assert summary.unexpected == {}
    assert sum(summary.actions.values()) >= 10

    ids = soak.PARTITIONS + 1
    """One for each partition, and the scorecard's; no restart adds one."""
    assert summary.transactions == watch.Transactions(ids, 0, 0)
    counted = watch.warm(samples)
    asked = [each.transactions for each in counted if each.transactions is not None]
    assert len(asked) > 10
    assert {each.ids for each in asked} == {ids}
    assert max(each.hanging for each in asked) == 0
    assert max(each.open for each in asked) <= ids

    partitions = soak.PARTITIONS
    assert spread(counted, soak.STEADY, "descriptors") <= CLIENT_SOCKETS * partitions
    assert spread(counted, soak.SCORECARD, "descriptors") <= CLIENT_SOCKETS
    assert most(counted, soak.STEADY, "series") <= most_series(samples)
    assert most(counted, soak.SCORECARD, "series") <= 1.2 * most(
        counted[: len(counted) // 2], soak.SCORECARD, "series"
    )
    new_rows = summary.rows * (1 - watch.WARM_UP)
    for name, held in ((soak.STEADY, 0.0), (soak.SCORECARD, new_rows * ROW_BYTES)):
        assert spread(counted, name, "threads") <= EXECUTOR_THREADS
        growth = watch.slope_per_hour(watch.of(counted, name, "rss_bytes"))
        assert growth * (counted[-1].at_s - counted[0].at_s) / 3600 <= GROWTH_BYTES + held


def values(samples: Sequence[watch.Sample], name: str, what: str) -> list[float]:
    """Return one figure of a process over time, which is known most of the time."""
    found = [value for _, value in watch.of(samples, name, what)]
    assert len(found) > len(samples) // 2
    return found


def most(samples: Sequence[watch.Sample], name: str, what: str) -> float:
    """Return the largest value."""
    return max(values(samples, name, what))


def spread(samples: Sequence[watch.Sample], name: str, what: str) -> float:
    """Return how far the values lie apart."""
    found = values(samples, name, what)
    return max(found) - min(found)


def most_series(samples: Sequence[watch.Sample]) -> float:
    """Return how many series a worker can have: those before an event, and every label's values."""
    before = samples[0].processes[soak.STEADY].series
    assert before is not None
    families = [each for each in vars(conventions).values() if isinstance(each, Family)]
    of_partitions = sum(1 for each in families if each.labels == ("partition",))
    of_events = len(EVENT_TYPES) * len(Outcome) + len(Reason)
    return before + of_events + of_partitions * soak.PARTITIONS


def test_what_grows_is_seen() -> None:
    """A worker that keeps 200 bytes an event has a slope beyond what is accepted."""
    leak, rate = 200, 2_000
    samples = [
        watch.Sample(
            at_s,
            {soak.STEADY: watch.Seen(1, (150 << 20) + at_s * rate * leak, 24, 5, 100)},
            watch.Transactions(5, 1, 0),
            0,
            at_s * rate,
            0,
        )
        for at_s in range(0, 300, 5)
    ]
    counted = watch.warm(samples)
    growth = watch.slope_per_hour(watch.of(counted, soak.STEADY, "rss_bytes"))
    assert growth * (counted[-1].at_s - counted[0].at_s) / 3600 > GROWTH_BYTES
