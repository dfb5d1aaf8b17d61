"""The command line in this process: what a command prints, and how it ends."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from kpi_stream import cli

UNTIL = "2026-06-30T12:00:00-05:00"


class Printed(NamedTuple):
    """What a command printed."""

    out: str
    err: str


Run = Callable[..., Printed]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine, and a terminal of 100 columns."""
    for name in [name for name in os.environ if name.startswith("KPI_STREAM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def kpi_stream(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; it must end with the code, and never with a traceback."""

    def run(*words: str | Path, code: int = 0) -> Printed:
        monkeypatch.setattr("sys.argv", ["kpi-stream", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = Printed(*capsys.readouterr())
        assert (ended.value.code, code) == (code, code), printed.err
        assert "Traceback" not in printed.err
        return printed

    return run


@pytest.fixture(scope="package")
def events(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file of about 3,000 events, faults among them."""
    path = tmp_path_factory.mktemp("cli") / "events.jsonl.gz"
    words = f"simulate --days 40 --per-day 8 --seed 5 --until {UNTIL} --malformed 0.01".split()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["kpi-stream", *words, "--output", str(path)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert ended.value.code == 0
    return path
