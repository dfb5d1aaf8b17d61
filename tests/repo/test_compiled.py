"""The compiled build of the core: asked for explicitly, and the same core."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.support.required import missing

ROOT = Path(__file__).parents[2]
CORE_TESTS = (
    "tests/unit/domain",
    "tests/unit/application/test_fold.py",
    "tests/unit/application/test_intake.py",
    "tests/unit/application/test_recount.py",
    "tests/unit/application/test_row_store.py",
    "tests/unit/adapters/events",
    "tests/laws/test_fold.py",
    "tests/laws/test_codec.py",
    "tests/laws/test_histogram.py",
    "tests/laws/test_stages.py",
    "tests/laws/test_worklist.py",
    "tests/laws/test_windows.py",
)
SAY_WHAT_RUNS = """
import importlib, hatch_build
for name in hatch_build.COMPILED:
    module = "kpi_stream." + name.removesuffix(".py").replace("/", ".")
    print(importlib.import_module(module).__file__)
"""


def wheel(folder: Path, **environment: str) -> Path:
    """Build the package as it is here and return the unpacked wheel."""
    source, wheels, site = folder / "source", folder / "wheels", folder / "site"
    source.mkdir()
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "wheel"]
    command += ["--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(source)]
    subprocess.run(command, check=True, env={**os.environ, **environment})
    (built,) = wheels.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(site)
    assert not list(source.rglob("*.so")), "the build left something in the source tree"
    return site


def test_a_wheel_is_pure_unless_asked(tmp_path: Path):
    """Without the variable there is no extension module, and no compiler is needed."""
    site = wheel(tmp_path, CC="/bin/false", HATCH_BUILD_HOOK_ENABLE_CUSTOM="")
    assert (site / "kpi_stream/application/fold.py").exists()
    assert not list(site.rglob("*.so"))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with its core compiled."""
    if shutil.which("cc") is None:
        missing("compiler", "there is no cc")
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        missing("compiler", "Python's header files are not installed")
    folder = tmp_path_factory.mktemp("compiled")
    # Not optimised: what mypyc made of the core is the same, and is there sooner.
    return wheel(folder, HATCH_BUILD_HOOK_ENABLE_CUSTOM="1", MYPYC_OPT_LEVEL="0")


def run(site: Path, *arguments: str) -> str:
    """Return what Python prints that finds the package there."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_compiled_core_passes_the_tests_of_the_core(compiled: Path):
    """Every module that is to be compiled is, and the core's tests and laws are green with it."""
    files = run(compiled, "-c", SAY_WHAT_RUNS).split()
    assert files
    assert all(file.startswith(str(compiled)) and file.endswith(".so") for file in files)
    run(compiled, "-m", "pytest", "-q", "--timeout=900", *CORE_TESTS)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_compiled_core_counts_what_the_oracle_counts(compiled: Path):
    """Every KPI, window and member, against the SQL that shares no code."""
    run(compiled, "-m", "pytest", "-q", "--timeout=900", "tests/golden/test_against_oracle.py")
