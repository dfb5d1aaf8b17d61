"""What takes longer shows so on a terminal, and nowhere else."""

import io

import pytest
from rich.console import Console

from kpi_stream.cli import progress


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_waited_for(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    """With the time that it took; it is gone afterwards, and the cursor is back."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=80)
    monkeypatch.setattr(progress, "Console", lambda **_: console)
    with progress.waiting("reading events.jsonl"):
        pass
    assert ("reading events.jsonl" in out.getvalue()) is terminal
    assert ("0:00:00" in out.getvalue()) is terminal
    assert out.getvalue().endswith("\x1b[2K") is terminal
