"""The text of the past, read back by the strict parser of OpenMetrics."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from kpi_stream.adapters.prometheus.history import RECORDED, HistoryText
from kpi_stream.adapters.prometheus.history_files import (
    BLOCK_MS,
    HistoryStream,
    history_folder,
)
from kpi_stream.adapters.prometheus.scorecard import ScorecardMetrics
from kpi_stream.application.as_of import Freshness, PartitionProgress
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.recording import CODES
from kpi_stream.application.scorecard import Evaluation, Scorecard
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.strategy import Strategy
from tests.support.scorecard import (
    ADVANCE,
    HOUR_MS,
    NOON_MS,
    RED,
    RELEASE,
    FakeTotals,
    national,
    office,
    strategy,
    target,
)

Samples = dict[tuple[str, tuple[tuple[str, str], ...], float], float]
INSTANCE = "scorecard:9100"
SCRAPED = {"job": c.SCORECARD_JOB, "instance": INSTANCE}

PROCESS = {
    *(c.BUILD_INFO, c.EVALUATION_DURATION, c.LAST_EVALUATION, c.STATUS_TRANSITIONS),
    *(c.PUBLISHED, c.PUBLISH_FAILURES, c.ANNOTATIONS, c.ANNOTATIONS_WAITING),
    *(c.RELOAD_SUCCESSFUL, c.RELOAD_TIMESTAMP, c.STRATEGY_MATCHES),
    *(c.WATERMARK, c.SCORECARD_LAG),
}
"""What the scorecard exports about itself and its feed: there was none in the past. A family that
is judged belongs into `kpi_families`, and then has a past by itself."""


def made(*, named: str = "Chief") -> tuple[Strategy, FakeTotals]:
    """Return a strategy with targets, and its readings."""
    judging = strategy(target(ADVANCE, 0.8), target(RELEASE, 100.0), target(RED, 0.12, low=0.04))
    first, *others = judging.kpis
    totals = FakeTotals(
        {
            national(ADVANCE): 0.1 + 0.2,
            national(RELEASE): 1e17 / 3,
            national(RED): None,
            office(ADVANCE, "118"): 0.7,
        }
    )
    totals.points = [(NOON_MS - (9 - at) * 24 * HOUR_MS, 0.75) for at in range(10)]
    return replace(judging, kpis=(replace(first, owner=named), *others)), totals


def evaluated(instants: int = 3, *, named: str = "Chief") -> Iterator[Evaluation]:
    """Yield evaluations an hour apart; an office is gone at the second one."""
    judging, totals = made(named=named)
    card = Scorecard(judging, totals)
    for number in range(instants):
        at_ms = NOON_MS + number * HOUR_MS
        if number == 1:
            gone = totals.values.pop(office(ADVANCE, "118"))
        if number == 2:
            totals.values[office(ADVANCE, "118")] = gone
        fresh = Freshness(at_ms, caught_up=True, now_ms=at_ms, watermark_ms=at_ms, partitions=())
        yield card.evaluate(at_ms, fresh)


def text_of(evaluations: Iterator[Evaluation]) -> str:
    """Return the whole text of some evaluations."""
    text = HistoryText(INSTANCE)
    for each in evaluations:
        text.add(each)
    return "".join(text.lines())


def read(text: str) -> Samples:
    """Return every sample by name, labels and time, as the strict parser reads it."""
    return {
        (sample.name, tuple(sorted(sample.labels.items())), float(sample.timestamp)): sample.value
        for family in openmetrics(text)
        for sample in family.samples
    }


def live(evaluation: Evaluation) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return what the live scorecard exports at an evaluation."""
    metrics = ScorecardMetrics()
    assert evaluation.freshness is not None
    partition = PartitionProgress(0, 9, evaluation.as_of_ms, 10, 0)
    metrics.fresh(replace(evaluation.freshness, partitions=(partition,)))
    metrics.strategy(evaluation.strategy, NOON_MS)
    metrics.matches(matches=True)
    metrics.published({"kpi.readings": 1})
    metrics.evaluated(evaluation, 0.02)
    body, _ = metrics.render("")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in plain(body.decode())
        for sample in family.samples
    }


def test_it_is_what_a_scrape_would_have_said():
    """At each instant: the same names, labels and values, with the labels of the scrape."""
    about_itself = {each.name for each in PROCESS}
    found = read(text_of(evaluated()))
    for evaluation in evaluated():
        wanted = {
            (name, tuple(sorted({**dict(labels), **SCRAPED}.items()))): value
            for (name, labels), value in live(evaluation).items()
            if name.startswith("kpi_stream_") and _family(name) not in about_itself
        }
        at_s = evaluation.as_of_ms / 1000
        then = {(name, labels): v for (name, labels, at), v in found.items() if at == at_s}
        recorded = {each.name for each in RECORDED}
        assert {place: v for place, v in then.items() if place[0] not in recorded} == wanted
        assert len(wanted) > 60


def _family(name: str) -> str:
    """Return the family of a sample; those of a histogram have endings."""
    for ending in ("_bucket", "_sum", "_count"):
        if name.removesuffix(ending) == c.EVALUATION_DURATION.name:
            return c.EVALUATION_DURATION.name
    return name


def test_every_exported_family_is_decided_on():
    """A new family is either about the process, and listed above, or it has a past."""
    (evaluation,) = evaluated(1)
    exported = {_family(name) for name, _ in live(evaluation) if name.startswith("kpi_stream_")}
    past = {name for name, _, _ in read(text_of(iter([evaluation])))}
    assert exported - past == {each.name for each in PROCESS}
    assert past - exported == {each.name for each in RECORDED}


def test_codes_are_recorded_without_the_labels_of_the_scrape():
    """As the rules of Prometheus would: one code a series, of the state that is 1."""
    found = read(text_of(evaluated(1)))
    (evaluation,) = evaluated(1)
    codes = {dict(labels)["kpi"]: v for (n, labels, _), v in found.items() if n == c.STATUS_CODE[0]}
    assert codes == {each.kpi.id: CODES[each.status] for each in evaluation.judged}
    assert len(set(codes.values())) > 1
    place = (c.OBJECTIVE_STATUS_CODE.name, (("objective", "faster"),), NOON_MS / 1000)
    assert found[place] == CODES[evaluation.objectives[0].status]


def test_a_series_that_is_gone_has_no_samples_meanwhile():
    """No data is no sample: not 0, and not the last value."""
    found = read(text_of(evaluated()))
    times = {
        (at - NOON_MS / 1000) / 3600
        for name, labels, at in found
        if name == "kpi_stream_kpi_value_ratio" and ("member", "118") in labels
    }
    assert times == {0, 2}


@pytest.mark.parametrize(
    "name", ['"quoted"', "back\\slash", "two\nlines", 'all "\\\n\\n of it', "ñ"]
)
def test_any_text_comes_back(name: str):
    """Labels are escaped as the format wants."""
    found = read(text_of(evaluated(1, named=name)))
    owners = {dict(labels)["owner"] for n, labels, _ in found if n == c.KPI_INFO.name}
    assert name in owners


def test_a_text_is_whole():
    """One end, no family and no series twice: the strict parser refuses another order."""
    text = text_of(evaluated())
    assert text.endswith("# EOF\n")
    assert text.count("# EOF") == 1
    head, _, rest = text.partition("\n# HELP")
    series = [line for line in head.splitlines() if line[0] != "#"]
    with pytest.raises(ValueError, match=r"grouping|order"):
        read("\n".join([*head.splitlines(), series[0], f"# HELP{rest}"]))


def test_a_folder_has_a_file_for_each_block(tmp_path: Path):
    """Files break where blocks do, and are named for their first instant."""
    edge = NOON_MS // BLOCK_MS * BLOCK_MS + BLOCK_MS
    judging, totals = made()
    card = Scorecard(judging, totals)
    out = tmp_path / "history"
    with history_folder(out, INSTANCE) as history:
        for at_ms in (edge - 2 * HOUR_MS, edge - HOUR_MS, edge, edge + HOUR_MS):
            history.add(card.evaluate(at_ms))
        history.flush()
        assert not out.exists()
    before, after = sorted(out.iterdir())
    assert before.name < after.name
    assert (history.files, history.samples) == (
        2,
        sum(len(read(content(p))) for p in (before, after)),
    )
    assert {at for _n, _l, at in read(content(before))} == {edge / 1000 - 7200, edge / 1000 - 3600}
    assert {at for _n, _l, at in read(content(after))} == {edge / 1000, edge / 1000 + 3600}
    assert [path.name for path in tmp_path.iterdir()] == ["history"]


def content(path: Path) -> str:
    """Return a file's text."""
    return path.read_text(encoding="utf-8")


def test_a_run_that_fails_leaves_nothing(tmp_path: Path):
    """Neither a folder that looks whole nor a part of one."""
    with pytest.raises(RuntimeError):
        _failing(tmp_path / "history")
    assert list(tmp_path.iterdir()) == []


def _failing(path: Path) -> None:
    with history_folder(path, INSTANCE) as history:
        for each in evaluated(1):
            history.add(each)
        history.flush()
        raise RuntimeError


def test_nothing_is_written_over(tmp_path: Path):
    """Files of another run would be loaded with the new ones; an empty folder is new."""
    old = tmp_path / "old"
    old.mkdir()
    (old / "file").touch()
    with pytest.raises(InputError, match="something already"), history_folder(old, INSTANCE):
        pass
    (tmp_path / "other.part").mkdir()
    with (
        pytest.raises(InputError, match="another run"),
        history_folder(tmp_path / "other", INSTANCE),
    ):
        pass
    (old / "file").unlink()
    with history_folder(old, INSTANCE) as history:
        history.flush()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "other.part"]


def test_a_stream_has_everything_in_one_text():
    """However long it is."""
    stream = io.StringIO()
    history = HistoryStream(stream, INSTANCE)
    for each in evaluated():
        history.add(each)
    history.flush()
    assert stream.getvalue() == text_of(evaluated())
    assert history.samples == len(read(stream.getvalue()))
