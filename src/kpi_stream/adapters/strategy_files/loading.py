"""The three ways in: load a strategy, check one, and find the packaged one."""

from importlib.resources import files
from pathlib import Path

from kpi_stream.adapters.strategy_files.building import build_strategy
from kpi_stream.adapters.strategy_files.check_frame import calendar_problems, dimension_problems
from kpi_stream.adapters.strategy_files.check_kpis import kpi_problems
from kpi_stream.adapters.strategy_files.check_map import (
    benchmark_problems,
    initiative_problems,
    objective_problems,
)
from kpi_stream.adapters.strategy_files.check_stages import stage_problems, worklist_problems
from kpi_stream.adapters.strategy_files.check_targets import target_problems
from kpi_stream.adapters.strategy_files.draft import Draft, read_draft
from kpi_stream.domain.errors import Problem, StrategyError
from kpi_stream.domain.strategy import Strategy

_CHECKS = (
    calendar_problems,
    dimension_problems,
    objective_problems,
    kpi_problems,
    target_problems,
    initiative_problems,
    benchmark_problems,
    stage_problems,
    worklist_problems,
)


def packaged_strategy_path() -> Path:
    """Return the folder of the strategy that comes with the package."""
    return Path(str(files("kpi_stream").joinpath("sunat")))


def load_strategy(path: Path) -> Strategy:
    """Return the strategy in a folder.

    Raises:
        StrategyError: Something is wrong; it carries every problem of every file.
    """
    draft, problems = _examine(path)
    if problems:
        raise StrategyError(problems)
    return build_strategy(draft)


def check_strategy(path: Path) -> list[Problem]:
    """Return everything that is wrong with the strategy in a folder, by file and path."""
    return _examine(path)[1]


def _examine(path: Path) -> tuple[Draft, list[Problem]]:
    draft, problems = read_draft(path)
    for check in _CHECKS:
        problems += check(draft)
    return draft, sorted(problems)
