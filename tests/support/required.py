"""Skips, and the setting that turns them into failures.

A test that lacks something skips with ``missing("kafka", "java is not installed")``. With
``KPI_STREAM_REQUIRE=kafka,promtool`` (names, separated by commas) a skip for one of these names is
a failure; with ``KPI_STREAM_REQUIRE=all`` every skip is one. So a run in which everything must be
there cannot pass by leaving tests out.
"""

import os
from collections.abc import Generator
from typing import NoReturn

import pytest

VARIABLE = "KPI_STREAM_REQUIRE"


def missing(resource: str, reason: str) -> NoReturn:
    """Skip the running test, or fail it where `resource` is required."""
    pytest.skip(f"{resource}: {reason}")


def required() -> frozenset[str]:
    """Return the names in the environment; ``all`` stands for every one."""
    return frozenset(filter(None, (n.strip() for n in os.environ.get(VARIABLE, "").split(","))))


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    resource = reason.removeprefix("Skipped: ").partition(":")[0]
    names = required()
    if "all" in names or resource in names:
        report.outcome = "failed"
        report.longrepr = f"{reason} (a skip is a failure: {VARIABLE}={','.join(sorted(names))})"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that skipped although what it lacks is required."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a module that skipped as a whole although what it lacks is required."""
    report = yield
    _refuse_skip(report)
    return report
