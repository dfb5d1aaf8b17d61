"""Carries out a Dockerfile's build stage in a folder, as far as that needs no container.

Instructions are taken in their order: COPY brings what the ignore file lets through, RUN runs in a
shell, with every path of the image moved below the folder. Nothing else of the machine's Python is
seen than its interpreter and the standard library, since the stage makes virtual environments.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

_RUN_S = 600


class Instruction(NamedTuple):
    """One instruction."""

    word: str
    rest: str


def parse(text: str) -> list[list[Instruction]]:
    """Return the instructions by stage; the first list is what stands before the first FROM."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    stages: list[list[Instruction]] = [[]]
    for line in filter(None, (each.strip() for each in joined.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append(Instruction(word, rest.strip()))
    return stages


def copied(stage: list[Instruction]) -> list[str]:
    """Return the paths of the project that a stage copies."""
    return [source for each in stage if each.word == "COPY" for source in _sources(each)[0]]


def _sources(instruction: Instruction) -> tuple[list[str], str]:
    """Return what a COPY takes from the project, and where to; nothing for another stage's."""
    words = instruction.rest.split()
    if words[0].startswith("--from="):
        return [], words[-1]
    return words[:-1], words[-1]


class Ignored:
    """What an ignore file keeps back: the last pattern that fits a path or a folder of it counts.

    Args:
        text: The ignore file.
    """

    def __init__(self, text: str) -> None:
        lines = (line.strip() for line in text.splitlines())
        self._patterns = [line for line in lines if line and not line.startswith("#")]

    def __contains__(self, path: str) -> bool:
        parts = path.split("/")
        parents = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
        ignored = False
        for pattern in self._patterns:
            wanted = pattern.removeprefix("!")
            if any(_fits(parent, wanted) for parent in parents):
                ignored = not pattern.startswith("!")
        return ignored


def _fits(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch(path.rpartition("/")[2], pattern[3:])
    return path.count("/") == pattern.count("/") and fnmatch(path, pattern)


class Build:
    """A build in a folder of its own.

    Args:
        context: The project.
        folder: Stands for the root of the image.
        environment: What its commands find beside what the file sets.
    """

    def __init__(self, context: Path, folder: Path, **environment: str) -> None:
        self._context, self._folder = context, folder
        self._ignored = Ignored((context / ".dockerignore").read_text())
        self._env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment}
        self._workdir = folder

    def path(self, text: str) -> str:
        """Return a text with the image's absolute paths moved below the folder."""
        return re.sub(r"(?<![\w./=])/(?=opt|build)", f"{self._folder}/", text)

    def run(self, stage: list[Instruction]) -> Iterator[str]:
        """Carry out a stage; yields each command that has run.

        Raises:
            AssertionError: A command failed, or an instruction is not known here.
        """
        for instruction in stage:
            match instruction.word:
                case "FROM" | "LABEL":
                    pass
                case "ENV":
                    self._env |= dict(pair.split("=", 1) for pair in instruction.rest.split())
                case "WORKDIR":
                    self._workdir = Path(self.path(instruction.rest))
                    self._workdir.mkdir(parents=True)
                case "COPY":
                    self._copy(instruction)
                case "RUN":
                    self._shell(instruction.rest)
                    yield instruction.rest
                case other:
                    msg = f"{other} cannot be carried out here"
                    raise AssertionError(msg)

    def _copy(self, instruction: Instruction) -> None:
        sources, target = _sources(instruction)
        for source in sources:
            root = self._context / source
            for path in self._files(source):
                # A folder's content goes into the target, a file goes there by its name.
                name = path.relative_to(root) if root.is_dir() else Path(path.name)
                goal = self._workdir / target / name
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, goal)

    def _files(self, source: str) -> list[Path]:
        root = self._context / source
        found = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())
        kept = [p for p in found if str(p.relative_to(self._context)) not in self._ignored]
        assert kept, f"COPY {source}: there is nothing, or all of it is ignored"
        return kept

    def _shell(self, command: str) -> None:
        command = re.sub(r"^python ", f"{sys.executable} ", self.path(command))
        result = subprocess.run(
            ["bash", "-c", command],
            cwd=self._workdir,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=_RUN_S,
            check=False,
        )
        assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"


def words(instruction: Instruction) -> list[str]:
    """Return the words of an instruction that is written as a JSON list."""
    found: list[str] = json.loads(instruction.rest)
    return found
