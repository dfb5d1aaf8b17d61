"""A skip is a failure where what it lacks is required, and a skip everywhere else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.required import VARIABLE

ROOT = Path(__file__).parents[2]

# The real one, so that the test fails when it no longer brings the rule in.
CONFTEST = (ROOT / "conftest.py").read_text()
SKIPPING = """
import pytest
from tests.support.required import missing

def test_a():
    missing("kafka", "java is not installed")

@pytest.fixture
def promtool():
    missing("promtool", "not installed")

def test_b(promtool):
    pass

@pytest.mark.skip(reason="marked")
def test_c():
    pass

@pytest.mark.xfail(reason="expected")
def test_d():
    assert False
"""
SKIPPED_DOCTEST = '''"""
>>> 1 + 1  # doctest: +SKIP
3
"""'''
SKIPPED_MODULE = """
import pytest
pytest.skip("browser: none", allow_module_level=True)
"""


def run(folder: Path, require: str | None) -> tuple[int, str]:
    """Run the tests above with the variable set and return exit code and closing line."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_skipping.py").write_text(SKIPPING)
    (folder / "test_module.py").write_text(SKIPPED_MODULE)
    (folder / "package.py").write_text(SKIPPED_DOCTEST)
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    if require is not None:
        environment[VARIABLE] = require
    command = [sys.executable, "-m", "pytest", "-q", "-W", "ignore", "--doctest-modules", "-p"]
    command += [
        "no:cacheprovider",
        "--continue-on-collection-errors",
        "--rootdir",
        str(folder),
        str(folder),
    ]
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("require", "code", "closing"),
    [
        (None, 0, "6 skipped, 1 xfailed"),
        ("", 0, "6 skipped, 1 xfailed"),
        ("other", 0, "6 skipped, 1 xfailed"),
        ("kafka", 1, "1 failed, 5 skipped, 1 xfailed"),
        ("kafka, promtool", 1, "1 failed, 4 skipped, 1 xfailed, 1 error"),
        ("browser", 1, "4 skipped, 1 xfailed, 2 errors"),
        ("all", 1, "2 failed, 1 xfailed, 4 errors"),
    ],
)
def test_a_skip_fails_where_required(tmp_path: Path, require: str, code: int, closing: str):
    """Each name turns its own skips into failures, `all` turns every one, nothing turns none."""
    result = run(tmp_path, require)
    assert result[0] == code
    assert result[1].startswith(f"{closing} in ")
