"""What every output of the scorecard must keep, whether it is scraped or written."""

import asyncio
import json
from abc import ABC, abstractmethod

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kpi_stream.adapters.kafka.scorecard.publisher import Publisher
from kpi_stream.adapters.kafka.scorecard.records import encode_key
from kpi_stream.adapters.prometheus.scorecard import ScorecardMetrics
from kpi_stream.adapters.web.api.scorecard import scorecard
from kpi_stream.application.ports import BrokerOptions
from kpi_stream.application.scorecard import Evaluation, Scorecard
from kpi_stream.domain.hysteresis import Damping
from kpi_stream.domain.readings import SeriesKey
from tests.support.scorecard import (
    ADVANCE,
    NOON_MS,
    FakeTotals,
    national,
    office,
    strategy,
    target,
)
from tests.support.scorecard_lists import TOPICS, lists_for_topics

EACH = target(ADVANCE, 0.8, id="each", dimension="office", members=("*",))


class OutputContract(ABC):
    """The rules; a subclass for each output."""

    @pytest.fixture(autouse=True)
    def _card(self) -> None:
        self.totals = FakeTotals(
            {national(ADVANCE): 1 / 3, office(ADVANCE, "118"): None, office(ADVANCE, "235"): 0.0}
        )
        goals = strategy(target(ADVANCE, 0.8), EACH)
        self.card = Scorecard(goals, self.totals, damping=Damping(1))

    @abstractmethod
    def put(self, evaluation: Evaluation) -> None:
        """Hand an evaluation to the output."""

    @abstractmethod
    def value(self, key: SeriesKey) -> float | None:
        """Return what a reader of the output sees; None where there is no value."""

    @abstractmethod
    def status(self, key: SeriesKey) -> str | None:
        """Return the status that a reader sees; None where the series is not there."""

    def test_a_value_is_neither_rounded_nor_scaled(self) -> None:
        """A third stays a third to the last bit, and a ratio stays a ratio."""
        self.put(self.card.evaluate(NOON_MS))
        assert self.value(national(ADVANCE)) == 1 / 3

    def test_zero_is_a_value(self) -> None:
        """An office where nothing is in advance has a share of 0, which is data."""
        self.put(self.card.evaluate(NOON_MS))
        assert self.value(office(ADVANCE, "235")) == 0.0
        assert self.status(office(ADVANCE, "235")) == "off_track"

    def test_no_data_is_not_a_number(self) -> None:
        """It has a status of its own and no value."""
        self.put(self.card.evaluate(NOON_MS))
        assert self.value(office(ADVANCE, "118")) is None
        assert self.status(office(ADVANCE, "118")) == "no_data"

    def test_a_target_that_is_taken_back_disappears(self) -> None:
        """After a reload without it nothing holds its status."""
        self.put(self.card.evaluate(NOON_MS))
        del self.totals.values[office(ADVANCE, "118")]
        self.card = self.card.with_strategy(strategy(target(ADVANCE, 0.8)), self.totals)
        self.put(self.card.evaluate(NOON_MS + 1))
        assert self.status(office(ADVANCE, "118")) is None
        assert self.status(office(ADVANCE, "235")) is None
        assert self.status(national(ADVANCE)) == "off_track"


class TestExposition(OutputContract):
    """`/metrics`."""

    @pytest.fixture(autouse=True)
    def _metrics(self) -> None:
        self.metrics = ScorecardMetrics()

    def put(self, evaluation: Evaluation) -> None:
        """Take it for the next scrape."""
        self.metrics.evaluated(evaluation, 0.01)

    def value(self, key: SeriesKey) -> float | None:
        """Scrape."""
        found = self._samples("kpi_stream_kpi_value_ratio", key)
        return found[0][1] if found else None

    def status(self, key: SeriesKey) -> str | None:
        """Scrape."""
        found = self._samples("kpi_stream_kpi_status", key)
        return next((labels["status"] for labels, value in found if value == 1), None)

    def _samples(self, name: str, key: SeriesKey) -> list[tuple[dict[str, str], float]]:
        body, _ = self.metrics.render("")
        return [
            (sample.labels, sample.value)
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
            if sample.name == name and key._asdict().items() <= sample.labels.items()
        ]


class TestTopics(OutputContract):
    """`kpi.readings`."""

    @pytest.fixture(autouse=True)
    def _publisher(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log = lists_for_topics(monkeypatch)
        self.publisher = Publisher(BrokerOptions(("nowhere",)), TOPICS, transactional_id=None)
        asyncio.run(self.publisher.open())

    def put(self, evaluation: Evaluation) -> None:
        """Publish."""
        asyncio.run(self.publisher.publish(evaluation, evaluation.transitions, every=True))

    def value(self, key: SeriesKey) -> float | None:
        """Read the topic as it is after compaction."""
        found: float | None = (self._record(key) or {}).get("value")
        return found

    def status(self, key: SeriesKey) -> str | None:
        """Read the topic as it is after compaction."""
        found: str | None = (self._record(key) or {}).get("status")
        return found

    def _record(self, key: SeriesKey) -> dict[str, float | str | None] | None:
        latest = {each.key: each.value for each in self.log.records[TOPICS.readings]}
        value = latest.get(encode_key(key))
        return None if value is None else json.loads(value)


class TestJson(OutputContract):
    """`/api/v1/scorecard`."""

    def put(self, evaluation: Evaluation) -> None:
        """Take it, through JSON as a browser does."""
        self.shown = json.loads(json.dumps(scorecard(evaluation), allow_nan=False))

    def value(self, key: SeriesKey) -> float | None:
        """Look it up."""
        found: float | None = (self._series(key) or {}).get("value")
        return found

    def status(self, key: SeriesKey) -> str | None:
        """Look it up."""
        found: str | None = (self._series(key) or {}).get("status")
        return found

    def _series(self, key: SeriesKey) -> dict[str, float | str | None] | None:
        for band in self.shown["perspectives"]:
            for objective in band["objectives"]:
                for kpi in objective["kpis"]:
                    for series in kpi["series"]:
                        words = (
                            kpi["kpi"],
                            *(series[n] for n in ("window", "dimension", "member")),
                        )
                        if words == tuple(key):
                            return dict(series)
        return None
