"""`kpi-stream report`: a document, tables, and clear words where there is nothing to tell."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_document_and_tables_are_written(kpi_stream: Run, events: Path, here: Path) -> None:
    """Standard output names the files, one a line."""
    words = ["--period", "2026-06", "--events", events, "--csv", "june", "--language", "en"]
    printed = kpi_stream("report", *words)
    assert printed.err == ""
    names = printed.out.splitlines()
    assert names[0] == "report-2026-06.html"
    assert sorted(names[1:]) == sorted(f"june/{path.name}" for path in (here / "june").iterdir())
    assert "Monthly review and Time Release Study: June 2026" in Path(names[0]).read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--period June", "--period 'June' is not a month; write it as 2026-10\n"),
        ("--period 2199-12", "--period 2199-12 has not begun yet\n"),
        ("--period 2026-01", "nothing was counted in 2026-01; "),
        ("--period 2026-06 --office Callao", "--office 'Callao' is not in the strategy; one of "),
        ("--period 2026-06 -o nowhere/x.html", "nowhere/x.html: cannot be written: "),
    ],
)
def test_a_mistake_is_named(kpi_stream: Run, events: Path, words: str, said: str) -> None:
    """One line and exit code 2."""
    printed = kpi_stream("report", *words.split(), "--events", events, code=2)
    assert printed.err.startswith(f"kpi-stream: {said}")
    assert printed.out == ""
