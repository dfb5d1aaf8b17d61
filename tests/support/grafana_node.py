"""Grafana's own types and functions, asked through node: the package in `tests/grafana`."""

import fcntl
import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1] / "grafana"
_LOCK = PACKAGE / "package-lock.json"
_INSTALLED = PACKAGE / "node_modules" / ".kpi-stream-lock.json"
"""A copy of the lock file that was installed, written when everything is there."""
INSTALL_S, ANSWER_S = 500, 280
"""Longest times to wait; a hung process is to fail and not to hang the run."""


@cache
def node() -> str:
    """Return node's path with the package installed; it comes with the development tools.

    Processes that run tests side by side wait for the one that installs.
    """
    found, npm = (str(Path(sys.executable).with_name(name)) for name in ("node", "npm"))
    with (PACKAGE / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _INSTALLED.exists() or _INSTALLED.read_bytes() != _LOCK.read_bytes():
            command = [npm, "ci", "--ignore-scripts", "--no-progress"]
            _run(command, "", INSTALL_S)
            shutil.copyfile(_LOCK, _INSTALLED)
    return found


def ask(check: str, request: Any = None) -> Any:
    """Return what a check of `tests/grafana/main.mjs` answers."""
    written = json.dumps({"check": check, "input": request})
    return json.loads(_run([node(), "main.mjs"], written, ANSWER_S))


@cache
def units() -> frozenset[str]:
    """Return the ids of Grafana's own units."""
    return frozenset(ask("units"))


def _run(command: list[str], given: str, wait_s: int) -> str:
    done = subprocess.run(
        command,
        cwd=PACKAGE,
        input=given,
        capture_output=True,
        text=True,
        timeout=wait_s,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr or done.stdout}"
    return done.stdout
