"""What is generated from the packaged strategy is committed as it is generated today."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kpi_stream.application.monitoring.places import map_uid
from kpi_stream.bootstrap.generated import orphans, strategy_files
from kpi_stream.cli import cli
from tests.support.dashboards import STRATEGIES, edition
from tests.support.documents import ROOT, files

POCKET = STRATEGIES / "pocket"
BOARD = f"grafana/dashboards/{map_uid(edition('pocket-es').strategy)}.json"


def generate(root: Path, *more: str) -> Result:
    """Run the command for the small strategy."""
    return CliRunner().invoke(
        cli, ["generate", "--strategy", str(POCKET), "--root", str(root), *more]
    )


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The small strategy's files."""
    assert generate(tmp_path).exit_code == 0
    return tmp_path


def test_every_generated_file_is_current():
    """`make generate` would change nothing, and every file of it belongs to the repository."""
    current = strategy_files(ROOT, edition("sunat-es"))
    assert [path for path, text in current.items() if path.read_text() != text] == []
    assert orphans(ROOT, current) == []
    assert {str(path.relative_to(ROOT)) for path in current} <= set(files())


def test_two_strategies_share_no_dashboard():
    """Their files can lie in one folder of one Grafana."""
    sunat, pocket = (
        {path.name for path in strategy_files(Path(), edition(name)) if "dashboards" in path.parts}
        for name in ("sunat-es", "pocket-es")
    )
    assert sunat & pocket == set()


def test_the_same_strategy_gives_the_same_files(made: Path):
    """Generating again writes nothing."""
    again = generate(made)
    assert (again.exit_code, again.output) == (0, "")
    assert generate(made, "--check").exit_code == 0


@pytest.mark.parametrize("change", [lambda path: path.unlink(), lambda path: path.write_text("{}")])
def test_a_changed_file_is_found_and_repaired(made: Path, change):
    """`--check` names it and leaves it; without it, it is written again."""
    whole = (made / BOARD).read_text()
    change(made / BOARD)
    check = generate(made, "--check")
    assert check.exit_code == 1
    assert f"{made / BOARD} is not what is generated" in check.output
    assert not (made / BOARD).exists() or (made / BOARD).read_text() == "{}"
    assert generate(made).exit_code == 0
    assert (made / BOARD).read_text() == whole


def test_a_file_of_yesterday_is_found_and_removed(made: Path):
    """A KPI that left the strategy leaves no dashboard; what a site has put beside it stays."""
    old = made / "grafana/dashboards/pocket-kpi-gone.json"
    old.write_text("{}")
    own = made / "grafana/provisioning/alerting/site.yml"
    own.write_text("apiVersion: 1\n")
    check = generate(made, "--check")
    assert check.exit_code == 1
    assert f"{old} is not generated any more" in check.output
    assert generate(made).exit_code == 0
    assert not old.exists()
    assert own.exists()


def test_english_by_option(made: Path):
    """Every word that a reader sees changes, no uid does."""
    spanish = {path.name for path in made.rglob("*.*")}
    assert generate(made, "--language", "en").exit_code == 0
    assert {path.name for path in made.rglob("*.*")} == spanish
    assert "Runbook" in (made / "docs/runbook.md").read_text()
