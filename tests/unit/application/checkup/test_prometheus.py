"""What is said of what a Prometheus scrapes and of its rules."""

from dataclasses import replace

from kpi_stream.application.checkup.prometheus import Rule, Target, rules, targets

JOBS = ("scorecard", "worker")
UP = [
    Target("scorecard", "http://s/metrics", up=True, error=""),
    Target("worker", "w", up=True, error=""),
]
RULE = Rule("ours", "Down", "up < 1", {"severity": "critical"}, 120.0, 60.0)


def test_targets_that_are_up() -> None:
    """Others' are none of our business."""
    answer = targets([*UP, Target("node", "n", up=False, error="refused")], JOBS)
    assert (answer.said, answer.findings) == ("2 of 2 targets of ours are up", ())


def test_targets_that_are_not() -> None:
    """A job without an address, and one whose scrape failed."""
    down = replace(UP[1], up=False, error="connection refused")
    missing, failed = targets([down], JOBS).findings
    assert missing.place == "job scorecard"
    assert (failed.place, failed.problem) == (
        "target w",
        "the last scrape failed: connection refused",
    )


def test_rules_that_are_loaded() -> None:
    """Also where a rule has others of its name, told by their labels."""
    other = replace(RULE, labels={"severity": "warning"})
    answer = rules([other, RULE, Rule("theirs", "X", "1", {})], [RULE, other])
    assert (answer.said, answer.findings) == ("2 of 2 rules are loaded", ())


def test_rules_that_are_not() -> None:
    """Each kind is one line, however many there are; and what it says of the last evaluation."""
    ours = [replace(RULE, name=f"Down{number}") for number in range(9)]
    loaded = [
        replace(ours[0], expr="up < 2"),
        replace(ours[1], for_s=0.0),
        replace(ours[2], keep_s=0.0),
        replace(ours[3], error="too many samples"),
        Rule("ours", "Old", "1", {}),
    ]
    missing, changed, old, failing = map(str, rules(loaded, ours).findings)
    assert missing.startswith(
        "problem: rule ours/Down4, ours/Down5, ours/Down6, ours/Down7, ours/Down8: is not loaded;"
    )
    assert changed.startswith(
        "warning: rule ours/Down0, ours/Down1, ours/Down2: is another than the generated one;"
    )
    assert old.startswith("warning: rule ours/Old: is not generated any more;")
    assert failing.startswith("problem: rule Down3: its evaluation failed: too many samples;")
    (all_of_them,) = map(str, rules([], ours).findings)
    assert "ours/Down4 and 4 more: is not loaded" in all_of_them
