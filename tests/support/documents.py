"""What the tests of the documents look at: pages, their links, code blocks and commands."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click

from kpi_stream.cli import cli

ROOT = Path(__file__).parents[2]
README, CONTRIBUTING = ROOT / "README.md", ROOT / "CONTRIBUTING.md"
ARCHITECTURE, DECISIONS = ROOT / "ARCHITECTURE.md", ROOT / "docs" / "adr"

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_ENDS = {"|", "&&", ";", ">", "#"}


@cache
def files() -> tuple[str, ...]:
    """Return the files that git tracks or would track, as paths from the root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(sorted(name for name in set(listing.split("\0")) if (ROOT / name).is_file()))


def pages() -> list[Path]:
    """Return every Markdown page of the project."""
    return [ROOT / name for name in files() if name.endswith(".md")]


def blocks(page: Path, language: str) -> list[str]:
    """Return the contents of the page's code blocks that are marked with a language."""
    return [text for mark, text in _BLOCK.findall(page.read_text()) if mark == language]


def code(page: Path) -> list[str]:
    """Return each line of code of a page, whether in a block or within a sentence."""
    text = page.read_text()
    lines = [line for _, block in _BLOCK.findall(text) for line in block.splitlines()]
    return lines + _INLINE.findall(_BLOCK.sub("", text))


def links(page: Path) -> list[str]:
    """Return the targets of a page's links and pictures, code left out."""
    return _LINK.findall(_INLINE.sub("", _BLOCK.sub("", page.read_text())))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page: those of its headings, and those that it sets itself."""
    text = _BLOCK.sub("", page.read_text())
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    named = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
    return named | set(re.findall(r'^<a id="([\w-]+)"></a>$', text, re.MULTILINE))


def broken_links(page: Path) -> list[str]:
    """Return the relative links of a page that lead nowhere."""
    broken = []
    for link in links(page):
        if re.match(r"[a-z]+://|mailto:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def commands(lines: list[str]) -> Iterator[list[str]]:
    """Yield the words after `kpi-stream` of each command in lines of code."""
    for line in lines:
        words = shlex.split(line.partition(" #")[0]) if _whole(line) else line.split()
        for at, word in enumerate(words):
            if word.endswith("kpi-stream") and at + 1 < len(words):
                rest = words[at + 1 :]
                ends = [index for index, each in enumerate(rest) if each in _ENDS]
                yield rest[: ends[0]] if ends else rest


def _whole(line: str) -> bool:
    try:
        shlex.split(line.partition(" #")[0])
    except ValueError:
        return False
    return True


def unknown_words(words: list[str]) -> list[str]:
    """Return what the command line does not know: a command, or an option of one."""
    command: click.Command = cli
    context = click.Context(cli)
    names = ["kpi-stream"]
    for word in words:
        if word.startswith("-"):
            options = {each for param in command.params for each in param.opts}
            options |= {"--help", "-h"}
            if word.partition("=")[0] not in options:
                return [f"{' '.join(names)} {word}"]
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            if found is None:
                return [f"{' '.join(names)} {word}"]
            command = found
            names.append(word)
    return []


def run_script(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a block marked `sh` in a folder that holds nothing but a way to `src`."""
    if not (folder / "src").exists():
        (folder / "src").symlink_to(ROOT / "src")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {name: os.environ[name] for name in os.environ if not name.startswith("KPI_STREAM")}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**settings, "PATH": path, "COLUMNS": "160", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
