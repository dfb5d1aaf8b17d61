"""Ruff refuses the clock and the environment everywhere but in the one file for each."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BANNED = [
    "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)\n",
    "from datetime import datetime\n\nNOW = datetime.utcnow()\n",
    "from datetime import date\n\nTODAY = date.today()\n",
    "import time\n\nNOW = time.time()\n",
    "from time import monotonic\n\nNOW = monotonic()\n",
    "import os\n\nHOME = os.environ['HOME']\n",
    "from os import getenv\n\nHOME = getenv('HOME')\n",
]


def banned(text: str, module: str) -> bool:
    """Return whether ruff calls the text a banned API in that module."""
    command = [Path(sys.executable).with_name("ruff"), "check", "--no-cache", "-"]
    command += ["--select", "TID251", "--stdin-filename", f"src/kpi_stream/{module}"]
    run = subprocess.run(
        command,
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode in {0, 1}, run.stderr
    return "TID251" in run.stdout


@pytest.mark.parametrize("text", BANNED)
def test_the_core_and_the_adapters_may_not(text: str):
    """Reading the clock or the environment is an error in any ordinary module."""
    assert banned(text, "domain/anything.py")
    assert banned(text, "adapters/anything.py")


def test_one_file_may():
    """The clock adapter may read the clock, and the settings the environment."""
    assert not banned(BANNED[0], "adapters/clock.py")
    assert not banned(BANNED[-1], "settings.py")
