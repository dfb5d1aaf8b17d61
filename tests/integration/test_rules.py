"""Prometheus' own tools on the rules, their cases and the configuration; and wrong rules."""

import functools
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from kpi_stream.adapters.prometheus.rule_tests import rule_test_files
from kpi_stream.adapters.prometheus.rules import rule_files
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring.alerts import alerts
from kpi_stream.application.monitoring.edition import Edition
from tests.support.required import missing

ROOT = Path(__file__).parents[2]
STRATEGIES = ROOT / "tests" / "strategies"
EDITIONS = {
    "sunat": Edition(load_strategy(packaged_strategy_path()), "es"),
    "harbour": Edition(load_strategy(STRATEGIES / "harbour"), "en"),
    "pocket": Edition(load_strategy(STRATEGIES / "pocket"), "es"),
}
RULES, TESTS = "deploy/prometheus/rules", "deploy/prometheus/tests"
LONG = {"kpi-at-risk", "kpi-off-track", "kpi-projected-miss", "declarations-ageing"}
"""With hours of waiting, or many series; of these the quick run tries one."""


@functools.cache
def files(strategy: str) -> dict[str, str]:
    """Return the rule files of a strategy and their cases, by path."""
    edition = EDITIONS[strategy]
    return {**rule_files(edition), **rule_test_files(edition)}


def promtool(*words: str | Path) -> tuple[int, str]:
    """Return the exit code and what promtool said."""
    program = shutil.which("promtool") or missing("promtool", "promtool is not installed")
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def written(root: Path, content: Mapping[str, str]) -> Path:
    """Write files below a folder and return it."""
    for path, text in content.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def parsed(text: str) -> Any:
    """Return the content of a YAML document; libyaml is ten times as fast."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


def anchors(strategy: str) -> list[str]:
    """Return the rule files of a strategy by their names."""
    named = dict.fromkeys(each.anchor for each in alerts(EDITIONS[strategy].strategy))
    return [*named, "recording"]


@pytest.mark.parametrize("strategy", EDITIONS)
def test_promtool_accepts_every_rule(strategy: str, tmp_path: Path) -> None:
    """Well formed, and no two rules that would write the same series."""
    root = written(tmp_path, files(strategy))
    code, said = promtool("check", "rules", *sorted((root / RULES).iterdir()))
    assert (code, "FAILED" in said) == (0, False), said
    assert said.count("SUCCESS") == len(anchors(strategy))


CASES = [
    pytest.param(
        strategy,
        anchor,
        id=f"{strategy}-{anchor}",
        marks=[pytest.mark.slow]
        if anchor in LONG and (strategy, anchor) != ("pocket", "kpi-off-track")
        else [],
    )
    for strategy in EDITIONS
    for anchor in anchors(strategy)
]


@pytest.mark.parametrize(("strategy", "anchor"), CASES)
def test_every_rule_does_what_its_cases_say(strategy: str, anchor: str, tmp_path: Path) -> None:
    """Before and after the threshold, recovery, flapping, no data, a stale feed."""
    root = written(tmp_path, files(strategy))
    code, said = promtool("test", "rules", root / TESTS / f"{anchor}.yml")
    assert code == 0, said[:4000]


@pytest.mark.parametrize(("strategy", "count"), [("sunat", 93), ("harbour", 25), ("pocket", 29)])
def test_every_alert_is_seen_silent_and_firing(strategy: str, count: int) -> None:
    """By name and constant labels, in the cases of its file."""
    quiet: set[str] = set()
    fired: set[frozenset[tuple[str, str]]] = set()
    for path, text in files(strategy).items():
        cases = parsed(text)["tests"] if path.startswith(TESTS) else ()
        for check in (each for case in cases for each in case.get("alert_rule_test", ())):
            quiet |= set() if check["exp_alerts"] else {check["alertname"]}
            for each in check["exp_alerts"]:
                fired.add(frozenset({"alert": check["alertname"], **each["exp_labels"]}.items()))
    every = alerts(EDITIONS[strategy].strategy)
    assert len(every) == count
    assert quiet == {each.name for each in every}
    for each in every:
        own = {("alert", each.name), *each.labels.items()}
        assert any(own <= labels for labels in fired), (each.name, each.key)


Rule = dict[str, Any]
Change = Callable[[Rule], None]


def expression(old: str, new: str) -> Change:
    """Return a change of the expression."""

    def change(rule: Rule) -> None:
        rule["expr"] = rule["expr"].replace(old, new)

    return change


def recorded(name: str, expr: str) -> Change:
    """Return another expression for a recording rule."""

    def change(rule: Rule) -> None:
        if rule["record"] == name:
            rule["expr"] = expr

    return change


def longer(field: str, seconds: int) -> Change:
    """Return a change of a time by some seconds."""

    def change(rule: Rule) -> None:
        number, unit = rule[field][:-1], rule[field][-1]
        total = int(number) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[unit] + seconds
        rule[field] = f"{total}s"

    return change


def setting(field: str, name: str, value: str) -> Change:
    """Return a change of a label or an annotation."""

    def change(rule: Rule) -> None:
        rule[field][name] = value

    return change


def annotation(name: str, old: str, new: str) -> Change:
    """Return a change within an annotation."""

    def change(rule: Rule) -> None:
        rule["annotations"][name] = rule["annotations"][name].replace(old, new)

    return change


def per_worker(above: str, below: str) -> str:
    """Return the average of the workers' own ratios: what must not be recorded."""
    return f"avg(sum by (instance) (rate({above}[5m])) / sum by (instance) (rate({below}[5m])))"


STALE = f" * (1 - max({c.STALE.name}))"
CAUGHT_UP = f"min({c.CAUGHT_UP.name})"
FLUSH = c.FLUSH_DURATION.name
WRONG = [
    ("kpi-off-track", "forgets that a feed is stale", expression(STALE, "")),
    ("kpi-off-track", "judges history", expression(CAUGHT_UP, "vector(1)")),
    ("kpi-off-track", "watches another status", expression("off_track", "at_risk")),
    ("kpi-off-track", "disturbs nobody at night", setting("labels", "severity", "warning")),
    ("kpi-off-track", "shows seconds as days", annotation("summary", " / 86400", "")),
    ("kpi-off-track", "tells the day after", annotation("description", "(6300)", "92700")),
    ("kpi-off-track", "mixes members up", annotation("summary", "if eq (label", "if ne (label")),
    ("kpi-off-track", "links to no window", annotation("dashboard_url", "&var-window=", "&w=")),
    ("kpi-below-band", "minds the edge", expression("< bool", "<= bool")),
    ("kpi-below-band", "looks at the other edge", expression('"lower"', '"upper"')),
    ("kpi-above-band", "minds the edge", expression("> bool", ">= bool")),
    ("kpi-above-band", "looks the other way", expression("> bool", "< bool")),
    ("kpi-above-band", "forgets that a feed is stale", expression(STALE, "")),
    ("kpi-at-risk", "watches another status", expression("at_risk", "off_track")),
    ("kpi-projected-miss", "repeats what is off track", expression("(1 - max", "(1 - 0 * max")),
    ("feed-stale", "is the other way round", expression("max(", "1 - max(")),
    ("feed-stale", "has no runbook", setting("annotations", "runbook_url", "")),
    ("office-silent", "has a lower limit", expression("7200", "7199")),
    ("office-silent", "has a higher limit", expression("7200", "7260")),
    (
        "office-silent",
        "treats all offices alike",
        expression(f" * max by (office) ({c.OFFICE_ACTIVE.name})", ""),
    ),
    ("office-silent", "forgets that a feed is stale", expression(STALE, "")),
    ("worker-lagging", "has a lower limit", expression("10000", "9999")),
    ("worker-lagging", "has a higher limit", expression("10000", "11000")),
    ("worker-lagging", "counts a moving partition twice", expression("max by (partition)", "")),
    ("worker-lagging", "minds what is worked off", expression(">= bool", "* 0 + 1 >= bool 0 *")),
    ("events-rejected", "has a lower limit", expression("0.01)", "0.0009)")),
    ("events-rejected", "has a higher limit", expression("0.01)", "0.6)")),
    ("events-rejected", "minds single mistakes", expression(">= bool 5", ">= bool 4")),
    ("events-rejected", "needs an accepted event", expression(" or vector(0)", "")),
    ("worker-down", "needs two", expression("bool 1)", "bool 2)")),
    ("worker-down", "forgets those before", expression("[30m:1m]", "[1m:1m]")),
    ("worker-down", "needs a worker", expression(" or vector(0)", "")),
    ("scorecard-down", "needs a scorecard", expression(" or vector(0)", "")),
    ("scorecard-stalled", "has a lower limit", expression("60", "59")),
    ("scorecard-stalled", "has a higher limit", expression("60", "120")),
    ("strategy-reload-refused", "is the other way round", expression("< bool 1", "> bool 0")),
    (
        "strategy-mismatch",
        "watches the reload",
        expression(c.STRATEGY_MATCHES.name, c.RELOAD_SUCCESSFUL.name),
    ),
    ("declarations-ageing", "expects half as much", expression("(max by", "(2 * max by")),
    ("declarations-ageing", "compares with an hour ago", expression("offset 1d", "offset 1h")),
    ("declarations-ageing", "has no patience with gaps", expression("[1h]", "[1m]")),
    ("declarations-ageing", "forgets that a feed is stale", expression(STALE, "")),
    (
        "recording",
        "averages shares",
        recorded(c.REJECTED_SHARE.name, per_worker(c.REJECTED.name, c.EVENTS.name)),
    ),
    (
        "recording",
        "averages means",
        recorded(c.FLUSH_MEAN.name, per_worker(f"{FLUSH}_sum", f"{FLUSH}_count")),
    ),
    ("recording", "confuses the codes", expression("2 * max", "1 * max")),
    ("recording", "forgets the rejects", expression('"outcome", "rejected"', '"outcome", "x"')),
]


def changed(anchor: str, change: Change) -> str:
    """Return a rule file of which every rule is changed, and at least one differs by it."""
    content = parsed(files("pocket")[f"{RULES}/{anchor}.yml"])
    before = str(content)
    for rule in content["groups"][0]["rules"]:
        change(rule)
    assert str(content) != before, "this changes nothing"
    return str(yaml.safe_dump(content, allow_unicode=True))


@pytest.mark.parametrize(
    ("anchor", "change"),
    [
        pytest.param(
            anchor,
            change,
            id=f"{anchor} {what}",
            marks=[pytest.mark.slow] if anchor in LONG else [],
        )
        for anchor, what, change in WRONG
    ],
)
def test_a_wrong_rule_is_noticed(anchor: str, change: Change, tmp_path: Path) -> None:
    """Each of these fails its own cases, and is a rule that Prometheus would take."""
    root = written(tmp_path, files("pocket"))
    rules = root / RULES / f"{anchor}.yml"
    rules.write_text(changed(anchor, change), encoding="utf-8")
    code, said = promtool("check", "rules", rules)
    assert code == 0, said
    code, said = promtool("test", "rules", root / TESTS / f"{anchor}.yml")
    assert code == 1, said
    assert "got:" in said


@pytest.mark.parametrize(
    "anchor",
    [
        pytest.param(each, marks=[pytest.mark.slow] if each in LONG else [])
        for each in anchors("pocket")
        if each != "recording"
    ],
)
@pytest.mark.parametrize("field", ["for", "keep_firing_for"])
@pytest.mark.parametrize("steps", [-1, 1])
def test_a_minute_more_or_less_is_noticed(
    anchor: str, field: str, steps: int, tmp_path: Path
) -> None:
    """By the first case of each alert alone: one step of its timeline."""
    root = written(tmp_path, files("pocket"))
    tests = root / TESTS / f"{anchor}.yml"
    content = parsed(tests.read_text(encoding="utf-8"))
    step_s = int(content["evaluation_interval"].removesuffix("m")) * 60
    content["tests"] = content["tests"][:1]
    tests.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    assert promtool("test", "rules", tests)[0] == 0
    rules = root / RULES / f"{anchor}.yml"
    rules.write_text(changed(anchor, longer(field, steps * step_s)), encoding="utf-8")
    code, said = promtool("test", "rules", tests)
    assert code == 1, said


def test_promtool_accepts_the_configuration(tmp_path: Path) -> None:
    """With the rules of the packaged strategy where it looks for them."""
    root = written(tmp_path, files("sunat"))
    config = root / "deploy" / "prometheus" / "prometheus.yml"
    shutil.copy(ROOT / "deploy" / "prometheus" / "prometheus.yml", config)
    code, said = promtool("check", "config", config)
    assert code == 0, said
    assert f"{len(anchors('sunat'))} rule files found" in said
    first = next((root / RULES).iterdir())
    first.write_text("groups: [{name: wrong, rules: [{record: a, expr: '('}]}]", encoding="utf-8")
    assert promtool("check", "config", config)[0] != 0


def test_the_configuration_fits_the_alerts_and_the_services() -> None:
    """Jobs are those of the conventions, targets are services of Compose at their ports."""
    config = parsed((ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    compose = parsed((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    services = compose["services"]
    assert config["global"]["scrape_interval"] == "15s"
    scorecard, workers = config["scrape_configs"]
    assert scorecard["job_name"] == c.SCORECARD_JOB
    assert workers["job_name"] == c.WORKER_JOB
    port = services["scorecard"]["environment"]["KPI_STREAM_SCORECARD_PORT"]
    assert scorecard["static_configs"] == [{"targets": [f"scorecard:{port}"]}]
    found = workers["dns_sd_configs"][0]
    assert (found["names"], found["type"]) == (["worker"], "A")
    assert str(found["port"]) == services["worker"]["environment"]["KPI_STREAM_WORKER_PORT"]
    manager = config["alerting"]["alertmanagers"][0]["dns_sd_configs"][0]
    assert manager["names"] == ["alertmanager"]
    assert f"--web.listen-address=:{manager['port']}" in services["alertmanager"]["command"]
    assert "--storage.tsdb.retention.time=400d" in services["prometheus"]["command"]
