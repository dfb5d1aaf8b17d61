"""The metrics of the scorecard process."""

from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

from kpi_stream import __version__
from kpi_stream.adapters.prometheus.families import Gauges, chosen, own_registry
from kpi_stream.adapters.prometheus.kpi_families import (
    add_evaluation,
    add_freshness,
    add_strategy,
    add_waiting,
)
from kpi_stream.adapters.prometheus.pages import Pages
from kpi_stream.application.as_of import Freshness
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.scorecard import Evaluation
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import Strategy
from kpi_stream.domain.worklist import Worksheet

_EVALUATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Around the aim of 50 ms; beyond a second the next evaluation is late."""
_FORMS = 4
"""Of the page that are kept at a time; a scraper says which form, and which version, it wants."""
_END = b"# EOF\n"
"""Of a page in OpenMetrics."""


class _Snapshot:
    """What was last said, translated at scrape time."""

    def __init__(self) -> None:
        self.version = 0
        """Another one after each change, and after it: a page made meanwhile is made again."""
        self.evaluation: Evaluation | None = None
        self.freshness: Freshness | None = None
        self.strategy: Strategy | None = None
        self.reload_ok = True
        self.reloaded_ms: int | None = None
        self.matches: bool | None = None
        self.sheets: Mapping[tuple[str, str], Worksheet] = {}

    def gauges(self, names: frozenset[str]) -> Gauges:
        """Return the families of this scrape."""
        gauges = Gauges(names)
        # The evaluation is replaced, never changed, so a scrape in another thread is consistent.
        evaluation, freshness = self.evaluation, self.freshness
        strategy = self.strategy if evaluation is None else evaluation.strategy
        if evaluation is not None:
            add_evaluation(gauges, evaluation)
            add_waiting(gauges, self.sheets)
        if strategy is not None:
            add_strategy(gauges, strategy)
        if freshness is not None:
            add_freshness(gauges, freshness)
            if evaluation is not None:
                gauges.set(c.LAST_EVALUATION, freshness.now_ms / 1000)
        gauges.set(c.RELOAD_SUCCESSFUL, self.reload_ok)
        gauges.set(
            c.RELOAD_TIMESTAMP, None if self.reloaded_ms is None else self.reloaded_ms / 1000
        )
        gauges.set(c.STRATEGY_MATCHES, self.matches)
        gauges.info(c.BUILD_INFO, __version__)
        return gauges


class ScorecardMetrics:
    """Everything that the scorecard exports, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = own_registry()
        self._snapshot = _Snapshot()
        self._forms: dict[str, Pages] = {}
        self._said: dict[tuple[str, frozenset[str]], bytes] = {}
        self._said_version = -1
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._duration = Histogram(
            c.EVALUATION_DURATION.name,
            c.EVALUATION_DURATION.help,
            registry=self._registry,
            buckets=_EVALUATION_BUCKETS,
        )
        self._transitions = _counter(c.STATUS_TRANSITIONS, self._registry)
        for status in Status:
            self._transitions.labels(status.value)  # 0 is a number: nothing has changed yet
        self._published = _counter(c.PUBLISHED, self._registry)
        self._failures = _counter(c.PUBLISH_FAILURES, self._registry)
        self._annotations = _counter(c.ANNOTATIONS, self._registry)
        for outcome in ("sent", "failed", "dropped"):
            self._annotations.labels(outcome)
        self._annotations_waiting = Gauge(
            c.ANNOTATIONS_WAITING.name, c.ANNOTATIONS_WAITING.help, registry=self._registry
        )

    def evaluated(self, evaluation: Evaluation, seconds: float) -> None:
        """Take an evaluation and how long it took."""
        self._snapshot.evaluation = evaluation
        self._snapshot.version += 1
        self._duration.observe(seconds)
        for each in evaluation.transitions:
            self._transitions.labels(each.after.value).inc()

    def fresh(self, freshness: Freshness) -> None:
        """Take how new the rows are."""
        self._snapshot.freshness = freshness
        self._snapshot.version += 1

    def waiting(self, sheets: Mapping[tuple[str, str], Worksheet]) -> None:
        """Take how long the worklists are, by worklist and office."""
        self._snapshot.sheets = sheets
        self._snapshot.version += 1

    def suspended(self) -> None:
        """Say nothing about the KPIs: the rows were counted by other definitions."""
        self._snapshot.evaluation = None
        self._snapshot.version += 1

    def matches(self, matches: bool) -> None:  # noqa: FBT001
        """Take whether the rows were counted by the strategy's definitions."""
        self._snapshot.matches = matches
        self._snapshot.version += 1

    def strategy(self, strategy: Strategy, now_ms: int) -> None:
        """Take a strategy that is in force from now on."""
        self._snapshot.strategy = strategy
        self._snapshot.reload_ok = True
        self._snapshot.reloaded_ms = now_ms
        self._snapshot.version += 1

    def reload_refused(self) -> None:
        """Note that a strategy was refused; the one before stays in force."""
        self._snapshot.reload_ok = False
        self._snapshot.version += 1

    def published(self, records: Mapping[str, int]) -> None:
        """Add records written, by topic."""
        for topic, count in records.items():
            self._published.labels(topic).inc(count)

    def publish_failed(self) -> None:
        """Add one attempt to publish that failed."""
        self._failures.inc()

    def annotated(self, outcome: str) -> None:
        """Add one annotation (an attempt, where it failed) by outcome; from any thread."""
        self._annotations.labels(outcome).inc()

    def annotations_waiting(self, count: int) -> None:
        """Take how many annotations are not sent yet; from any thread."""
        self._annotations_waiting.set(count)

    def render(self, accept: str, names: frozenset[str] = frozenset()) -> tuple[bytes, str]:
        """Return (body, content type) for a scraper's Accept header.

        With names, of the samples with one of them alone. What the scorecard said last is written
        once a form and once a choice of names, however many scrapers ask.
        """
        encode, content_type = choose_encoder(accept)
        version = self._snapshot.version
        if version != self._said_version:
            self._said, self._said_version = {}, version
        said = self._said.get((content_type, names))
        if said is None:
            form = self._forms.get(content_type) or Pages(encode)
            said = form.page(self._snapshot.gauges(names))
            if len(self._forms) < _FORMS:
                self._forms[content_type] = form
            if len(self._said) < _FORMS:
                self._said[content_type, names] = said
        return encode(chosen(self._registry, names)).removesuffix(_END) + said, content_type


def _counter(family: c.Family, registry: CollectorRegistry) -> Counter:
    return Counter(family.name, family.help, family.labels, registry=registry)
