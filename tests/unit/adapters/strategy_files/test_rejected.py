import shutil
from pathlib import Path

import pytest

from kpi_stream.adapters.strategy_files import check_strategy, load_strategy
from kpi_stream.domain.errors import StrategyError
from tests.support.golden import Golden

STRATEGIES = Path(__file__).parents[3] / "strategies"
MINIMAL = STRATEGIES / "minimal"
REJECTED = sorted(path.name for path in (STRATEGIES / "rejected").iterdir())
WORDS = "problem.txt"
REMOVED = ".removed"

SEVERAL = {"list-missing", "many-at-once", "way-of-two-kinds"}
"""Examples of more than one problem; each other one is wrong in exactly one way."""


def rejected(reason: str, into: Path) -> Path:
    """Return a folder that is right but for the files of one example."""
    folder = into / reason
    shutil.copytree(MINIMAL, folder)
    for file in (STRATEGIES / "rejected" / reason).iterdir():
        if file.name.endswith(REMOVED):
            (folder / file.name.removesuffix(REMOVED)).unlink()
        elif file.name != WORDS:
            shutil.copy(file, folder)
    return folder


def test_the_base_of_the_examples_is_right():
    """Without an example's files nothing is wrong."""
    assert check_strategy(MINIMAL) == []


@pytest.mark.parametrize("reason", REJECTED)
def test_an_example_is_refused_for_its_reason(reason: str, tmp_path: Path, golden: Golden):
    """Each example is refused with the file, the path and the words that stand beside it."""
    problems = check_strategy(rejected(reason, tmp_path))
    assert problems
    assert (len(problems) > 1) == (reason in SEVERAL)
    text = "".join(f"{problem}\n" for problem in problems)
    golden.check(STRATEGIES / "rejected" / reason / WORDS, text)


def test_many_problems_are_reported_at_once(tmp_path: Path):
    """One check names the problems of all nine files."""
    problems = check_strategy(rejected("many-at-once", tmp_path))
    assert len(problems) >= 12
    assert {problem.file for problem in problems} == {
        "benchmarks.yaml",
        "dimensions.yaml",
        "initiatives.yaml",
        "kpis.yaml",
        "objectives.yaml",
        "stages.yaml",
        "strategy.yaml",
        "targets.yaml",
        "worklists.yaml",
    }


def test_loading_refuses_with_every_problem(tmp_path: Path):
    """What cannot be loaded says the same as the check, all of it."""
    folder = rejected("many-at-once", tmp_path)
    with pytest.raises(StrategyError) as refusal:
        load_strategy(folder)
    assert list(refusal.value.problems) == check_strategy(folder)
