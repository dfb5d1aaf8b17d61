"""A written history in a real Prometheus, against `replay` at the same instants."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kpi_stream.adapters.event_files import read_lines
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.recording import CODES, recordings
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.bootstrap.offline import replay_file
from kpi_stream.cli import cli
from kpi_stream.cli.parameters import instant
from kpi_stream.domain.status import Status
from kpi_stream.settings import Settings
from tests.support.prometheus import Labels, Prometheus, make_blocks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STRATEGY = load_strategy(packaged_strategy_path())
INSTANCE = "scorecard:9100"
FROM, UNTIL = "2026-05-27T00:00:00-05:00", "2026-06-02T18:00:00-05:00"
STEP_H = 3
FAULTS = "--duplicates 0.03 --disorder 0.1 --late 0.05 --corrections 0.03 --malformed 0.01".split()
INSTANTS = (
    "2026-05-27T06:00:00-05:00",
    "2026-05-31T21:00:00-05:00",  # the last of a month
    "2026-06-01T00:00:00-05:00",  # month to date is empty
    "2026-06-02T12:00:00-05:00",
    "2026-06-02T18:00:00-05:00",  # the last one
)


def run(*words: str | Path) -> str:
    """Run a command that must succeed; return what it tells people."""
    result = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Events in one file and in two, and the history that is written from the two."""
    made = tmp_path_factory.mktemp("backfill")
    whole = made / "whole.jsonl"
    words = f"--days 30 --per-day 15 --seed 11 --until {UNTIL}".split()
    run("simulate", *words, *FAULTS, "--output", whole)
    # As two partitions hold them: each in the order of its log, neither a stretch of time.
    lines = list(read_lines(whole))
    for name, part in (("a.jsonl", lines[::2]), ("b.jsonl", lines[1::2])):
        (made / name).write_bytes(b"\n".join(part) + b"\n")
    options = f"--from {FROM} --to {UNTIL} --step {STEP_H}h --output".split()
    run("backfill", made / "a.jsonl", made / "b.jsonl", *options, made / "history")
    return made


@pytest.fixture(scope="module")
def blocks(folder: Path) -> Path:
    """The blocks of the history."""
    make_blocks(folder / "history", folder / "blocks")
    return folder / "blocks"


@pytest.fixture(scope="module")
def prometheus(folder: Path, blocks: Path) -> Iterator[Prometheus]:
    """A server over the blocks of the history."""
    shutil.copytree(blocks, folder / "storage")
    with Prometheus(folder / "storage", folder / "prometheus.log") as server:
        yield server


def replayed(folder: Path, at_ms: int) -> Evaluation:
    """Return what `kpi-stream replay --as-of` says."""
    evaluation, tally = replay_file(folder / "whole.jsonl", STRATEGY, Settings(), at_ms)
    assert sum(tally.outcomes.values()) > 500
    return evaluation


def numbers(evaluation: Evaluation) -> Iterator[tuple[str, dict[str, str], float | None]]:
    """Yield what replay says of every series: name, labels and number, None for no series."""
    unit = {kpi.id: kpi.unit for kpi in STRATEGY.kpis}
    for key, reading in evaluation.readings.items():
        labels = key._asdict()
        yield c.KPI_VALUE[unit[key.kpi]].name, labels, reading.value
        if reading.value is not None:
            yield c.KPI_NUMERATOR.name, labels, reading.numerator
            yield c.KPI_DENOMINATOR.name, labels, reading.denominator
            yield c.KPI_SAMPLES.name, labels, reading.samples
    for each in evaluation.judged:
        labels, suffix = each.key._asdict(), unit[each.key.kpi]
        yield c.KPI_EXPECTED[suffix].name, labels, each.expected
        low, high = each.target.low, each.target.value
        ends = {"goal": high} if low is None else {"lower": low, "upper": high}
        for bound, value in ends.items():
            yield c.KPI_TARGET[suffix].name, {**labels, "bound": bound}, value
        for status in Status:
            is_it = float(each.status is status)
            yield c.KPI_STATUS.name, {**labels, "status": status.value}, is_it
        yield c.KPI_ATTAINMENT.name, labels, each.attainment
        ahead = None if each.forecast is None else each.forecast.value
        yield c.KPI_FORECAST[suffix].name, labels, ahead
        yield c.STATUS_CODE.name, labels, CODES[each.status]
    for one in evaluation.objectives:
        yield c.OBJECTIVE_ATTAINMENT.name, {"objective": one.objective.id}, one.attainment
        yield c.OBJECTIVE_STATUS_CODE.name, {"objective": one.objective.id}, CODES[one.status]


def place(name: str, labels: dict[str, str]) -> Labels:
    """Return the labels of a series as Prometheus gives them: an empty one is none."""
    scraped = {} if ":" in name else {"job": c.SCORECARD_JOB, "instance": INSTANCE}
    every = {"__name__": name, **labels, **scraped}
    return tuple(sorted((label, value) for label, value in every.items() if value))


@pytest.mark.parametrize("at", INSTANTS)
def test_prometheus_has_the_numbers_of_replay(folder: Path, prometheus: Prometheus, at: str):
    """Every value, status, expectation and target, to the last bit; no data is no series."""
    at_ms = instant("", at, STRATEGY)
    found = prometheus.query('{__name__=~".+"}', at_ms / 1000)
    evaluation = replayed(folder, at_ms)
    wanted = {place(name, labels): value for name, labels, value in numbers(evaluation)}
    assert {where: found.get(where) for where in wanted} == wanted
    assert len(wanted) > 1000
    # And no value that replay does not know.
    values = {family.name for family in c.KPI_VALUE.values()}
    there = {where for where in found if dict(where)["__name__"] in values}
    assert there == {where for where in there if wanted.get(where) is not None}


def test_some_numbers_change_from_one_instant_to_the_next(prometheus: Prometheus):
    """What is compared above is not the same number five times."""
    last = instant("", UNTIL, STRATEGY) / 1000
    selector = f'{c.KPI_VALUE[STRATEGY.kpis[0].unit].name}{{dimension="national"}}'
    times = prometheus.times(selector, 6 * 86_400, last)
    assert times == {last - STEP_H * 3600 * each for each in range(6 * 24 // STEP_H + 1)}
    changed = prometheus.query(f"changes({selector}[6d]) > 10", last)
    assert len(changed) > 1


def test_the_recorded_families_are_what_the_rules_would_have_recorded(prometheus: Prometheus):
    """Each rule, evaluated over the past, gives what is written in its place."""
    at_s = instant("", INSTANTS[3], STRATEGY) / 1000
    compared = 0
    for each in recordings():
        ruled = prometheus.query(each.expr, at_s)
        written = {
            tuple(pair for pair in labels if pair[0] != "__name__"): value
            for labels, value in prometheus.query(each.family.name, at_s).items()
        }
        assert written == ruled, each.family.name
        compared += len(ruled)
    assert compared > 50


def test_a_lookback_of_the_step_leaves_no_gap(blocks: Path, tmp_path: Path):
    """At any minute between two samples the one before is found; with five minutes it is not."""
    selector = c.AS_OF.name
    before_next = instant("", INSTANTS[3], STRATEGY) / 1000 + STEP_H * 3600 - 60
    for lookback, found in (("5m", 0), (f"{STEP_H}h", 1)):
        storage = shutil.copytree(blocks, tmp_path / lookback)
        with Prometheus(storage, tmp_path / f"{lookback}.log", lookback) as server:
            assert len(server.query(selector, before_next)) == found
