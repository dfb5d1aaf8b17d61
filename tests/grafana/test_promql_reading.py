"""The reader of PromQL knows which labels a result has, or refuses the expression."""

import pytest

from tests.support.promql_reading import read

FAMILIES = {"value": frozenset({"kpi", "window"}), "info": frozenset({"kpi", "owner"})}
TARGET = {"job", "instance"}


def labels(expr: str) -> set[str] | None:
    """Return the labels of the result."""
    found = read(expr, lambda name: FAMILIES[name]).labels
    return None if found is None else set(found)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("value", {"kpi", "window"} | TARGET),
        ("sum(value)", set()),
        ("sum by (kpi) (value)", {"kpi"}),
        ("sum(value) by (kpi)", {"kpi"}),
        ("max without (job, instance) (value)", {"kpi", "window"}),
        ("topk by (kpi) (1, value)", {"kpi", "window"} | TARGET),
        ('count_values by (kpi) ("text", value)', {"kpi", "text"}),
        ('label_replace(max by (kpi) (value), "uid", "$1", "kpi", "(.+)")', {"kpi", "uid"}),
        ("max by (kpi) (value) * on (kpi) group_left (owner) info", {"kpi", "owner"}),
        ("max by (kpi) (value) * on (kpi) max by (kpi, owner) (info)", {"kpi"}),
        ("max by (kpi) (value) or max by (window) (value)", {"kpi", "window"}),
        ("max by (kpi) (value) unless on (kpi) info", {"kpi"}),
        ("sum by (kpi) (rate(value[$__rate_interval] offset 1d)) > 0.5", {"kpi"}),
        ("1000 * -max by (kpi) (value) ^ 2 + 1e3", {"kpi"}),
        ('absent(value{kpi="a",window=~"b"})', {"kpi"}),
        ("vector(1)", set()),
        ("time() - 5", None),
    ],
)
def test_labels(expr: str, expected: set[str] | None):
    """Aggregations, matching and functions change the labels as Prometheus does."""
    assert labels(expr) == expected


def test_selectors():
    """Each selector is found with its matchers, its span and the function around it."""
    expr = r'rate(value{kpi="a\"b",window!~"c|d"}[5m]) + (info)'
    first, second = read(expr, lambda name: FAMILIES[name]).selectors
    assert first.matchers == (("kpi", "=", 'a"b'), ("window", "!~", "c|d"))
    assert (first.name, first.range, first.within) == ("value", "5m", "rate")
    assert (second.name, second.range, second.within) == ("info", "", "")


@pytest.mark.parametrize("expr", ["", "sum(value", "value)", "value{kpi}", "value value", "£"])
def test_what_it_cannot_read_is_refused(expr: str):
    """Nothing is read by half."""
    with pytest.raises(ValueError, match=r"expected|unexpected"):
        read(expr, lambda name: FAMILIES[name])
