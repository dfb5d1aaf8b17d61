"""The checks that ask Kafka."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kpi_stream.adapters.kafka import examination
from kpi_stream.adapters.kafka.administration import administration
from kpi_stream.adapters.kafka.epochs import positions
from kpi_stream.adapters.kafka.position import Position
from kpi_stream.adapters.kafka.topics import (
    REPLICATION,
    TopicReport,
    alteration,
    topic_facts,
    topics_check,
)
from kpi_stream.adapters.kafka.writer import TRANSACTION_TIMEOUT_MS
from kpi_stream.application.checkup import kafka as judged
from kpi_stream.application.checkup.frame import Answer, Finding, NotAsked, warning
from kpi_stream.application.monitoring.alerts.feed import LAG_EVENTS
from kpi_stream.application.ports import Guarantee, Topics
from kpi_stream.bootstrap.broker import advising, layout, user_of
from kpi_stream.bootstrap.common import application, topics
from kpi_stream.bootstrap.epochs import find_epoch
from kpi_stream.bootstrap.installation import Installation
from kpi_stream.domain.errors import Unavailable
from kpi_stream.settings import PREFIX, Settings

_READ_WITHIN_S = 60.0
"""How long it may take to read the newest position of every partition."""


class KafkaChecks:
    """Asks the broker of an installation.

    Args:
        of: The installation.
        now_ms: Our wall clock.
    """

    def __init__(self, of: Installation, now_ms: Callable[[], int]) -> None:
        self._of, self._now_ms = of, now_ms
        self._cluster = judged.Cluster(())
        self._names = Topics()
        self._partitions = 0
        self._settings: Settings | None = None
        self._positions: Mapping[int, Position] = {}

    @property
    def settings(self) -> Settings:
        """The settings; once the topics were asked about with the number of the epoch."""
        return self._settings or self._of.settings

    def reached(self) -> Answer:
        """Is the broker there, and of a version that suits?"""
        with self._admin() as admin:
            self._cluster = examination.cluster(admin)
        return judged.cluster(self._cluster, self.settings.replication_factor)

    def topics(self) -> Answer:
        """Are the topics as `topics init` would make them, and all their copies there?"""
        epoch = find_epoch(self.settings)
        self._settings = epoch.settings
        self._names = topics(epoch.settings)
        with advising(self.settings):
            reports = topics_check(self._of.broker, self._names, layout(self.settings))
            facts = topic_facts(self._of.broker, [self._names.events, self._names.rows])
        findings = tuple(found for each in reports for found in _of_topic(each))
        usable = len(facts) > 1
        self._partitions = facts[self._names.events].partitions if usable else 0
        wrong = sum(not each.ok for each in reports)
        return Answer(
            f"{len(reports) - wrong} of {len(reports)} can be used; epoch {epoch.serving.epoch}",
            findings,
            usable,
        )

    def transactions(self) -> Answer | NotAsked:
        """Can the workers' transactions be had?"""
        if self.settings.processing_guarantee is not Guarantee.EXACTLY_ONCE:
            return NotAsked(f"{PREFIX}PROCESSING_GUARANTEE is at_least_once, which needs none")
        ids = [f"{application(self.settings)}-0", f"{self.settings.app_id}-scorecard"]
        # Where nobody is known, everybody may use any; asking would make the topic behind them.
        asked = [] if self._of.broker.security_protocol == "PLAINTEXT" else ids
        with self._admin() as admin:
            seen = examination.transactions(admin, self._cluster.brokers[0].node, asked)
        return judged.transactions(
            seen,
            len(self._cluster.brokers),
            TRANSACTION_TIMEOUT_MS,
            ids,
            user_of(self.settings) if asked else "everybody",
        )

    def counting(self) -> Answer:
        """Do workers run, and how far are they?"""
        self._positions = self._read_positions()
        counted = {
            partition: max(each.applied + 1, each.position or 0)
            for partition, each in self._positions.items()
        }
        group = application(self.settings)
        with self._admin() as admin:
            seen = examination.counting(admin, group, self._names.events, self._partitions, counted)
        return judged.counting(seen, group, LAG_EVENTS)

    def clocks(self) -> Answer:
        """Is the broker's clock ours?"""
        with self._admin() as admin:
            seen = examination.clocks(admin, self._names.events, self._partitions, self._now_ms)
        return judged.clocks(seen, round(self.settings.allowed_skew_s * 1000))

    def fingerprints(self) -> dict[int, str | None]:
        """Return by which definitions each partition was counted; of those that were."""
        return {
            partition: str(each.meta["fingerprint"]) if "fingerprint" in each.meta else None
            for partition, each in self._positions.items()
        }

    def _read_positions(self) -> Mapping[int, Position]:
        async def read() -> Mapping[int, Position]:
            try:
                async with asyncio.timeout(_READ_WITHIN_S):
                    return await positions(self._of.broker, self._names)
            except TimeoutError as err:
                msg = f"{self._names.rows} could not be read within {_READ_WITHIN_S:.0f} s"
                raise Unavailable(msg) from err

        with advising(self.settings):
            return asyncio.run(read())

    @contextmanager
    def _admin(self) -> Iterator[Any]:
        with advising(self.settings), administration(self._of.broker) as admin:
            yield admin


def _of_topic(report: TopicReport) -> Iterator[Finding]:
    place = f"topic {report.name}"
    for fault in report.problems:
        yield Finding(place, fault.problem, fault.fix)
    for each in report.differences:
        fix = alteration(report.name, each.setting, each.asked)
        if each.setting == REPLICATION:
            fix = "kafka-reassign-partitions.sh, or ask for what there is in "
            fix += f"{PREFIX}REPLICATION_FACTOR"
        yield warning(place, str(each), fix)
