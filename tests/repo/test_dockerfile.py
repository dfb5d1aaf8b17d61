"""The image can be built from what is sent to the engine, from the lock files alone."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import hatch_build
from kpi_stream import __version__
from tests.support.compose import ROOT, resolved
from tests.support.dockerfile import Build, Ignored, Instruction, copied, parse, words
from tests.support.ports import free_port

TEXT = (ROOT / "deploy" / "Dockerfile").read_text()
ARGUMENTS, BUILD, FINAL = parse(TEXT)
PIP = re.compile(r"pip\b.* (?:install|wheel) ")


def values(word: str) -> list[str]:
    """Return what the instructions of that name say in the last stage."""
    return [each.rest for each in FINAL if each.word == word]


def test_there_are_two_stages():
    """What builds is not what runs: of the first only the environment is taken over."""
    assert len(parse(TEXT)) == 3
    assert values("RUN") == []
    assert values("COPY") == ["--from=build /opt/kpi-stream /opt/kpi-stream"]


def test_the_base_is_pinned():
    """One exact version of Python on one Debian: what the first stage compiles fits the second."""
    python, debian = [each.rest for each in ARGUMENTS if each.word == "ARG"]
    assert re.fullmatch(r"PYTHON=3\.\d+\.\d+", python)
    assert re.fullmatch(r"DEBIAN=[a-z]+", debian)
    bases = [each.rest.split()[0] for stage in (BUILD, FINAL) for each in stage[:1]]
    # The slim image has no compiler, the other one does.
    assert bases == ["python:${PYTHON}-${DEBIAN}", "python:${PYTHON}-slim-${DEBIAN}"]


def test_the_core_is_compiled():
    """The variable is set before the wheel is built, and what reads it is sent along."""
    asked = BUILD.index(Instruction("ENV", "HATCH_BUILD_HOOK_ENABLE_CUSTOM=1"))
    built = next(at for at, each in enumerate(BUILD) if " wheel " in each.rest)
    assert asked < built
    assert "hatch_build.py" in copied(BUILD[:built])


def test_it_runs_as_a_number_that_is_not_root():
    """The same number as in the Compose file."""
    (user,) = values("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    services = resolved()["services"]
    assert {services[name]["user"] for name in ("topics", "worker", "scorecard")} == {user}


def test_the_versions_are_that_of_the_package():
    """Label and Compose file name the version that is built."""
    assert f'image.version="{__version__}"' in "".join(values("LABEL"))
    services = resolved()["services"]
    ours = {each["image"] for each in services.values() if "build" in each}
    assert ours == {f"kpi-stream:{__version__}"}


def test_nothing_is_installed_without_a_hash():
    """Each call of pip has hashes to check, or no index to ask."""
    calls = [each.rest for each in BUILD if each.word == "RUN" and PIP.search(each.rest)]
    assert len(calls) == 4
    for call in calls:
        locked = "--require-hashes" in call and "--only-binary=:all:" in call
        alone = "--no-deps" in call and ("--no-index" in call or "--no-build-isolation" in call)
        assert locked or alone, call
    assert "PIP_NO_CACHE_DIR=1" in "".join(each.rest for each in BUILD if each.word == "ENV")


def test_what_is_copied_is_there_and_sent():
    """Every path that a COPY names exists and is not kept back; the rest of the project is."""
    ignored = Ignored((ROOT / ".dockerignore").read_text())
    names = copied(BUILD)
    assert len(names) > 4
    assert [name for name in names if not (ROOT / name).exists() or name in ignored] == []
    kept_back = [".git", ".env", "secrets/grafana_admin_password", "tests/conftest.py", ".venv"]
    assert [name for name in kept_back if name not in ignored] == []
    assert "src/kpi_stream/__pycache__/cli.pyc" in ignored
    assert "src/kpi_stream/sunat/kpis.yaml" not in ignored


def test_an_ignored_file_is_seen():
    """The last pattern that fits counts, and a folder stands for what is in it."""
    ignored = Ignored("# all\n*\n!src\n!notes.md\nsrc/secret\n**/__pycache__\n")
    paths = ("src/a/b.py", "notes.md", "x", "src/secret/k", "src/__pycache__/b")
    found = [path for path in paths if path in ignored]
    assert found == ["x", "src/secret/k", "src/__pycache__/b"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_install_steps_work_in_an_empty_root(tmp_path: Path):
    """From the lock files to a `kpi-stream` that runs, knows its strategy, and has no pip."""
    build = Build(ROOT, tmp_path, MYPYC_OPT_LEVEL="0")
    ran = list(build.run(BUILD))
    assert len(ran) == sum(each.word == "RUN" for each in BUILD) > 4
    installed = tmp_path / "opt" / "kpi-stream" / "bin"
    (entrypoint,) = [words(each) for each in FINAL if each.word == "ENTRYPOINT"]
    nobody = free_port()
    environment = {
        "PATH": f"{installed}:/usr/bin:/bin",
        "KPI_STREAM_WORKER_PORT": str(nobody),
        "KPI_STREAM_BROKERS": f"127.0.0.1:{nobody}",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [installed / entrypoint[0], *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("--version").stdout == f"kpi-stream, version {__version__}\n"
    checked = run("check")
    assert checked.returncode == 0, checked.stderr
    assert f"no answer on port {nobody}" in run("healthcheck", "worker").stderr
    # The services' own imports: Faust, Kafka, Prometheus, without a broker.
    assert "no Kafka broker answers" in run("worker").stderr
    compiled = {path.name.partition(".")[0] for path in tmp_path.glob("opt/kpi-stream/**/*.so")}
    assert {Path(name).stem for name in hatch_build.COMPILED} <= compiled
    assert not list(installed.glob("pip*"))
    assert not (installed / "hatchling").exists()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-build.lock"])
def test_every_locked_package_is_there_for_the_image(tmp_path: Path, lock: str):
    """With a wheel for the image's Python, which need not be that of the tests."""
    version = re.search(r"PYTHON=(3\.\d+)", TEXT)
    assert version is not None
    platforms = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--require-hashes", "--only-binary=:all:", "--python-version", version[1]),
            *(word for platform in platforms for word in ("--platform", platform)),
            *("-r", ROOT / lock, "-d", tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert len(list(tmp_path.glob("*.whl"))) > 30


def test_an_instruction_that_cannot_be_carried_out_is_no_success(tmp_path: Path):
    """A step that the test does not know is a failure, and so is one that fails."""
    with pytest.raises(AssertionError, match="ADD cannot"):
        list(Build(ROOT, tmp_path).run([Instruction("ADD", "x y")]))
    with pytest.raises(AssertionError, match="false"):
        list(Build(ROOT, tmp_path).run([Instruction("RUN", "false")]))
    with pytest.raises(AssertionError, match="ignored"):
        list(Build(ROOT, tmp_path).run([Instruction("COPY", "tests tests")]))
