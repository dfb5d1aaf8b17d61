"""The import contracts hold, and each of them goes red when it is broken on purpose."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
]

INWARD = "Imports point inward"
INDEPENDENT = "Adapters do not know each other"
PURE = "The core is pure"
NO_NUMPY = "The domain needs no numpy"
FAUST = "Only adapters/faust_app imports faust"
PROMETHEUS = "Only adapters/prometheus imports prometheus_client"
GRAFANA = "Only adapters/grafana imports Grafana's libraries"
MARKDOWN = "Only adapters/web imports markdown_it"
ACYCLIC = "No import cycles"

# contract, new module, its text, and the modules it needs beside it
VIOLATIONS = [
    (INWARD, "domain/broken.py", "import kpi_stream.application"),
    (INWARD, "domain/broken.py", "import kpi_stream.adapters"),
    (INWARD, "application/broken.py", "import kpi_stream.adapters"),
    (INWARD, "adapters/broken.py", "import kpi_stream.__main__"),
    (INWARD, "helpers.py", '"""A top-level module that no layer names."""'),
    (INDEPENDENT, "adapters/broken.py", "import kpi_stream.adapters.embedded_broker"),
    (PURE, "domain/broken.py", "import time"),
    (PURE, "domain/broken.py", "import logging"),
    (PURE, "domain/broken.py", "import random"),
    (PURE, "domain/broken.py", "from pathlib import Path"),
    (PURE, "domain/broken.py", "import pydantic"),
    (PURE, "application/broken.py", "import msgspec"),
    (PURE, "application/broken.py", "import asyncio"),
    (PURE, "application/broken.py", "import aiokafka"),
    (PURE, "application/broken.py", "import faust"),
    (NO_NUMPY, "domain/broken.py", "import numpy"),
    (FAUST, "adapters/broken.py", "import faust"),
    (FAUST, "worker.py", "from mode import Service"),
    (PROMETHEUS, "adapters/grafana_broken.py", "import prometheus_client"),
    (GRAFANA, "adapters/broken.py", "import grafana_api"),
    (GRAFANA, "bootstrap/broken.py", "from grafana_foundation_sdk.models import dashboard"),
    (MARKDOWN, "adapters/broken.py", "import markdown_it"),
    (ACYCLIC, "domain/broken.py", "import kpi_stream.domain.other"),
]
# The other half of the cycle; harmless in the other cases.
COMPANION = ("domain/other.py", "import kpi_stream.domain.broken")


def lint(folder: Path) -> tuple[int, str]:
    """Run lint-imports on the package in `folder` and return its exit code and output."""
    script = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [script, "--no-cache", "--config", folder / "pyproject.toml"],
        cwd=folder,
        env={"PYTHONPATH": str(folder / "src"), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


def broken(output: str) -> set[str]:
    """Return the names of the contracts that the output calls broken."""
    return {
        name for name in CONTRACTS if re.search(rf"^{re.escape(name)} BROKEN", output, re.MULTILINE)
    }


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the package that a test may break."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    return tmp_path


def test_every_contract_is_kept():
    """The package as it is keeps every contract."""
    code, output = lint(ROOT)
    assert (code, broken(output)) == (0, set()), output
    assert all(f"{name} KEPT" in output for name in CONTRACTS)


def test_allowed_imports_stay_allowed(copy: Path):
    """The one adapter that may import a library may, as a module and as a package."""
    adapters = copy / "src/kpi_stream/adapters"
    for package, text in {
        "faust_app": "import faust, mode",
        "prometheus": "import prometheus_client",
        "grafana": "import grafana_api, grafana_foundation_sdk",
        "web": "import markdown_it",
    }.items():
        (adapters / package).mkdir(exist_ok=True)
        (adapters / package / "__init__.py").write_text(f"{text}\n")
        (adapters / package / "inner.py").write_text(f"{text}\n")
    code, output = lint(copy)
    assert code == 0, output


@pytest.mark.parametrize(("contract", "module", "text"), VIOLATIONS)
def test_a_violation_is_found(copy: Path, contract: str, module: str, text: str):
    """A forbidden import breaks the contract that forbids it."""
    package = copy / "src/kpi_stream"
    (package / module).write_text(f"{text}\n")
    if contract == ACYCLIC:
        (package / COMPANION[0]).write_text(f"{COMPANION[1]}\n")
    code, output = lint(copy)
    assert code == 1, output
    assert contract in broken(output), output


def test_every_contract_was_broken_once():
    """No contract is without a case above that shows it red."""
    assert {contract for contract, _, _ in VIOLATIONS} == set(CONTRACTS)
