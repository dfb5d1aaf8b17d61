"""What is to be said of a Prometheus: does it scrape us, are our rules loaded and in order?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kpi_stream.application.checkup.frame import Answer, Finding, warning

_RELOAD = "kill -HUP its process, or docker compose kill -s HUP prometheus"
_LOOK = "look at it under Status > Rule health in Prometheus"
_SHOWN = 5
"""Rules that are named; of many the number says enough."""


@dataclass(frozen=True, slots=True)
class Target:
    """One address that it scrapes."""

    job: str
    address: str
    up: bool
    error: str
    """Of the last scrape; empty where it went well."""


def targets(seen: Sequence[Target], jobs: Sequence[str]) -> Answer:
    """Judge what it scrapes.

    Args:
        seen: What it scrapes.
        jobs: What it should: the alerts ask for these names.
    """
    ours = [each for each in seen if each.job in jobs]
    up = sum(each.up for each in ours)
    said = f"{up} of {len(ours)} targets of ours are up"
    return Answer(said, tuple(_targets(ours, jobs)))


def _targets(ours: Sequence[Target], jobs: Sequence[str]) -> Iterator[Finding]:
    for job in jobs:
        if not any(each.job == job for each in ours):
            yield Finding(
                f"job {job}",
                "Prometheus scrapes no address under this name",
                "add it to its scrape_configs as in deploy/prometheus/prometheus.yml; "
                f"then {_RELOAD}",
            )
    for each in ours:
        if not each.up:
            yield Finding(
                f"target {each.address}",
                f"the last scrape failed: {each.error or 'not scraped yet'}",
                "start what should answer there, or put its address, login and certificate right "
                "in Prometheus' configuration",
            )


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, as far as it can be compared."""

    group: str
    name: str
    expr: str
    labels: Mapping[str, str]
    for_s: float = 0.0
    keep_s: float = 0.0
    error: str = ""
    """Of its last evaluation; empty where it went well, or was none yet."""

    @property
    def key(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """What tells it from the others."""
        return self.group, self.name, tuple(sorted(self.labels.items()))

    def same(self, other: "Rule") -> bool:
        """Whether both say the same; `expr` must be written in one way."""
        return (self.expr, self.for_s, self.keep_s) == (other.expr, other.for_s, other.keep_s)


def rules(seen: Sequence[Rule], ours: Sequence[Rule]) -> Answer:
    """Judge which rules it has loaded.

    Args:
        seen: Those that it has.
        ours: Those that `kpi-stream generate` writes for this strategy.
    """
    loaded = {each.key: each for each in seen}
    groups = {each.group for each in ours}
    missing = [each for each in ours if each.key not in loaded]
    changed = [each for each in ours if each.key in loaded and not each.same(loaded[each.key])]
    known = {each.key for each in ours}
    extra = [each for each in seen if each.group in groups and each.key not in known]
    failing = [each for each in seen if each.group in groups and each.error]
    said = f"{len(ours) - len(missing)} of {len(ours)} rules are loaded"
    files = "kpi-stream generate, give Prometheus deploy/prometheus/rules under rule_files; then "
    findings = [
        *_many(missing, "is not loaded", files + _RELOAD),
        *_many(changed, "is another than the generated one", files + _RELOAD),
        *_many(extra, "is not generated any more", files + _RELOAD),
        *(
            Finding(f"rule {each.name}", f"its evaluation failed: {each.error}", _LOOK)
            for each in failing[:_SHOWN]
        ),
    ]
    return Answer(said, tuple(findings))


def _many(found: Sequence[Rule], what: str, fix: str) -> Iterator[Finding]:
    if not found:
        return
    names = list(dict.fromkeys(f"{each.group}/{each.name}" for each in found))
    more = f" and {len(names) - _SHOWN} more" * (len(names) > _SHOWN)
    place = f"rule {', '.join(names[:_SHOWN])}{more}"
    count = f" ({len(found)} rules)" * (len(found) > len(names))
    make = Finding if what == "is not loaded" else warning
    yield make(place, f"{what}{count}", fix)
