"""What a shell is told that could come next; bash is asked for real."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kpi_stream import cli
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.cli.completion import SHELLS, VARIABLE
from tests.support.grafana_loaded import STRATEGIES
from tests.support.required import missing
from tests.unit.cli.conftest import Run

SUNAT = load_strategy(packaged_strategy_path())


def completed(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch, line: str, shell: str = "zsh"
) -> list[str]:
    """Return what the command answers to a shell whose line is so; the last word is begun."""
    monkeypatch.setenv(VARIABLE, f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", f"kpi-stream {line}")
    monkeypatch.setenv("COMP_CWORD", str(line.count(" ") + 1))
    lines = kpi_stream().out.splitlines()
    if shell == "bash":
        return [each.partition(",")[2] for each in lines]
    return lines[1::3]


def test_commands_are_completed_without_importing_them(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, in their order; a key that is pressed waits for no import."""
    monkeypatch.setattr(cli, "import_module", None)
    assert completed(kpi_stream, monkeypatch, "") == list(cli.COMMANDS)
    assert completed(kpi_stream, monkeypatch, "wor") == ["worklist", "worker"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("topics ", ["init"]),
        ("doctor gra", ["grafana"]),
        ("explain K01", ["K01"]),
        ("explain release-time-m", ["release-time-mean", "release-time-median"]),
        ("replay events.jsonl --kpi hit-", ["hit-rate"]),
        ("worklist --office 11", ["118"]),
        ("report --office 11", ["118"]),
        ("explain release-time-mean --office 23", ["235"]),
        ("explain --lang", ["--language"]),
        ("replay --format j", ["json"]),
    ],
)
def test_what_is_begun_is_completed(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch, line: str, found: list[str]
) -> None:
    """Commands, options, choices, KPIs and offices."""
    assert completed(kpi_stream, monkeypatch, line, "bash") == found


def test_nothing_begun_gives_every_kpi_once(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its id; the codes come when one is begun."""
    assert completed(kpi_stream, monkeypatch, "explain ") == [each.id for each in SUNAT.kpis]


def test_the_strategy_that_is_meant(kpi_stream: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one of the option, or of the setting; one that cannot be read completes nothing."""
    harbour = STRATEGIES["harbour"]
    offices = sorted(load_strategy(harbour).offices)
    line = f"explain --strategy {harbour} x --office "
    assert completed(kpi_stream, monkeypatch, line) == offices
    monkeypatch.setenv("KPI_STREAM_STRATEGY", str(harbour))
    assert completed(kpi_stream, monkeypatch, "worklist --office ") == offices
    monkeypatch.setenv("KPI_STREAM_STRATEGY", "nowhere")
    assert completed(kpi_stream, monkeypatch, "worklist --office ") == []
    monkeypatch.setenv("KPI_STREAM_PARTITIONS", "many")
    assert completed(kpi_stream, monkeypatch, "explain ") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_for_each_shell(kpi_stream: Run, shell: str) -> None:
    """It asks this command by the variable that the command hears."""
    script = kpi_stream("completion", shell).out
    assert f"{VARIABLE}={shell}_complete" in script


def test_fish_does_not_cut_a_description_at_its_comma(kpi_stream: Run) -> None:
    """The median and the 90th percentile of a KPI differ in what follows it."""
    script = kpi_stream("completion", "fish").out
    assert 'string split --max 1 "," $completion' in script
    assert script.count("string split") == 1


def test_bash_completes_with_the_script(tmp_path: Path, kpi_stream: Run) -> None:
    """As a person would: the script is read, and a key is pressed."""
    bash = shutil.which("bash") or missing("bash", "it is not installed")
    (tmp_path / "kpi-stream").write_text(f'#!/bin/sh\nexec {sys.executable} -m kpi_stream "$@"\n')
    (tmp_path / "kpi-stream").chmod(0o755)
    (tmp_path / "script").write_text(kpi_stream("completion", "bash").out)
    pressed = """\
. "$1/script"
complete -p kpi-stream > /dev/null || exit 3
COMP_WORDS=(kpi-stream worklist --office 11) COMP_CWORD=3 COMPREPLY=()
_kpi_stream_completion kpi-stream
printf '%s\\n' "${COMPREPLY[@]}"
"""
    done = subprocess.run(
        [bash, "-c", pressed, "bash", str(tmp_path)],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "118\n"), done.stderr
