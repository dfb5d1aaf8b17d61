"""A strategy that counts something else than the stored rows do."""

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError

import pytest

from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.fold import PartitionFold
from kpi_stream.application.monitoring import conventions
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import StateError
from kpi_stream.domain.strategy import Strategy, Within
from tests.support.fresh_site import fresh_site
from tests.support.kafka import Kafka
from tests.support.ports import free_port
from tests.support.site import TOPICS, keyed, page, run, samples
from tests.support.streams import state_ends

STRATEGY = load_strategy(packaged_strategy_path())
WITHIN_S = 180.0
REMEDY = "kpi-stream rebuild"


def other_strategies() -> list[Strategy]:
    """The packaged strategy with a KPI more, a KPI less, and one that counts something else."""
    kpis = STRATEGY.kpis
    chosen = next(each for each in kpis if isinstance(each.measure, Within))
    measure = replace(chosen.measure, limit_ms=chosen.measure.limit_ms + 1)
    added = [*kpis, replace(chosen, id="another", measure=measure)]
    removed = [each for each in kpis if each is not chosen]
    redefined = [*removed, replace(chosen, measure=measure)]
    # A worklist of the one that is removed would be no strategy any more.
    return [
        replace(STRATEGY, kpis=tuple(each), worklists=()) for each in (added, removed, redefined)
    ]


@pytest.mark.parametrize("number", range(3), ids=["added", "removed", "redefined"])
def test_no_state_is_continued_under_other_kpis(number: int) -> None:
    """Whatever a KPI counts is part of the fingerprint; what it is called is not."""
    written = PartitionFold(Catalogue(STRATEGY), MsgspecStateCodec()).meta()
    other = PartitionFold(Catalogue(other_strategies()[number]), MsgspecStateCodec())
    with pytest.raises(StateError, match=f"under other KPI definitions .*{REMEDY}"):
        other.restore_meta(written)


@pytest.mark.timeout(400)
def test_a_strategy_that_changed_stops_the_worker_and_suspends_the_scorecard(
    kafka: Kafka, tmp_path: Path
) -> None:
    """Nothing is counted under another meaning, and nothing judged; the endpoints say why."""
    folder, path = tmp_path / "strategy", tmp_path / "events.jsonl"
    shutil.copytree(packaged_strategy_path(), folder)
    run("simulate", "--days", "5", "--per-day", "10", "-o", path)
    with fresh_site(kafka.bootstrap, tmp_path, strategy=folder) as site:
        first = site.worker()
        site.send(keyed(path))
        with site.rows(STRATEGY) as rows:
            site.wait_until_counted(rows, first)
        assert first.terminate() == 0
        site.send(keyed(path))
        kpis = folder / "kpis.yaml"
        text = kpis.read_text()
        assert "limit: 48h" in text
        kpis.write_text(text.replace("limit: 48h", "limit: 47h", 1))
        before = state_ends(kafka.bootstrap, TOPICS)
        second = site.worker()
        assert second.wait(within_s=WITHIN_S) == 1
        (line,) = [each for each in second.output().splitlines() if each.startswith("kpi-stream: ")]
        assert "under other KPI definitions" in line
        assert REMEDY in line
        assert state_ends(kafka.bootstrap, TOPICS) == before

        port = free_port()
        url = f"http://127.0.0.1:{port}"
        scorecard = site.start("scorecard", scorecard_port=port)

        def suspended() -> bool:
            with suppress(OSError):
                return (conventions.STRATEGY_MATCHES.name, 0) in {
                    (each.name, each.value) for each in samples(f"{url}/metrics")
                }
            return False

        scorecard.wait_until(suspended, within_s=WITHIN_S, what="the scorecard says so")
        with pytest.raises(HTTPError) as error:
            page(f"{url}/-/ready")
        with error.value as answer:
            assert "counted by other KPI definitions" in answer.read().decode()
        assert page(f"{url}/-/healthy")
        assert scorecard.terminate() == 0
