"""The other engines, fetched and built the first time, in the user's cache.

Those in Python need versions of their own, so each has a virtual environment; those in Java are
built by Maven. Nothing is installed where the product runs.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.feed import kept

FOLDER = Path(__file__).parent
JOBS = FOLDER / "jobs"
_WITHIN_S = 900


class Missing(Exception):
    """An engine cannot run on this machine; the text says why."""


def classpath(name: str) -> str:
    """Return the class path of a job in Java, after building it.

    Args:
        name: Its folder.

    Raises:
        Missing: There is no Java, no compiler or no Maven, or it could not fetch or build.
    """
    for program, what in (("java", "Java 17"), ("javac", "a JDK 17"), ("mvn", "Maven")):
        if shutil.which(program) is None:
            msg = f"{program} is not installed ({what})"
            raise Missing(msg)
    sources = sorted((FOLDER / name).iterdir())

    def build(folder: Path) -> None:
        command = ["mvn", "--batch-mode", "--quiet", "--file", str(FOLDER / name / "pom.xml")]
        command += [f"-Dbuilt={folder}", "compile", "dependency:copy-dependencies"]
        _run([*command, f"-DoutputDirectory={folder / 'jars'}"])

    folder = _once(name, sources, build)
    return f"{folder / 'classes'}:{folder / 'jars'}/*"


def python_with(name: str) -> Path:
    """Return the Python of a virtual environment, after making it.

    Args:
        name: As in `requirements-NAME.txt`.

    Raises:
        Missing: It could not be made, or a package could not be fetched.
    """
    requirements = JOBS / f"requirements-{name}.txt"

    def make(folder: Path) -> None:
        _run([sys.executable, "-m", "venv", str(folder)])
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        _run([*pip, "--disable-pip-version-check", "--requirement", str(requirements)])

    return _once(name, [requirements], make) / "bin" / "python"


def _once(name: str, sources: list[Path], make: Callable[[Path], None]) -> Path:
    """Return the folder that `make` fills; another content of the sources is another folder.

    A virtual environment cannot be moved, so a mark says that a folder is whole.
    """
    content = b"".join(source.read_bytes() for source in sources) + sys.version.encode()
    folder = kept(f"peer-{name}-{hashlib.sha256(content).hexdigest()[:8]}")
    whole = folder / "whole"
    with kept(f"peer-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            print(f"installing {name}, once ...", flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            whole.touch()
    return folder


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_WITHIN_S)
    except subprocess.TimeoutExpired as err:
        msg = f"not within {_WITHIN_S} s: {' '.join(command[:4])}"
        raise Missing(msg) from err
    except subprocess.CalledProcessError as err:
        said = [line for line in (err.stdout + err.stderr).splitlines() if "ERR" in line.upper()]
        msg = f"{Path(command[0]).name} failed: {said[0][:200] if said else err}"
        raise Missing(msg) from err
