"""Every file of the repository is small, speaks of the product alone, and says what is true."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_LINES = 400

# Written in pieces, so that this file does not hold what it looks for.
HOSTS = ["py|pi.org", "python|hosted.org", "npm|js.org", "npm|js.com", "crates|.io"]
HOSTS += ["repo.maven|.apache.org", "repo1|.maven.org", "proxy.go|lang.org", "deb.deb|ian.org"]
FOLDERS = ["/wo|rk/", "/ro|ot/", "/ho|me/", "/Us|ers/", "/t|mp/brief"]
FORBIDDEN = re.compile("|".join(re.escape(text.replace("|", "")) for text in HOSTS + FOLDERS))


def tracked() -> list[Path]:
    """Return the files that git tracks or would track."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (ROOT / name for name in sorted(set(listing.stdout.split("\0")) - {""}))
    return [path for path in paths if path.is_file()]


def read(path: Path) -> str:
    """Return the text of a file; a binary one has none."""
    content = path.read_bytes()
    return "" if b"\0" in content or content[:2] == b"\x1f\x8b" else content.decode()


FILES = tracked()
PYTHON = [path for path in FILES if path.suffix == ".py"]


def test_there_is_something_to_look_at():
    """The listing holds the package and the tests, so the checks below look at something."""
    assert ROOT / "src/kpi_stream/__init__.py" in PYTHON
    assert Path(__file__) in PYTHON


def test_no_module_is_long():
    """No Python file has more than 400 lines."""
    sizes = {path.relative_to(ROOT): len(read(path).splitlines()) for path in PYTHON}
    assert {path: lines for path, lines in sizes.items() if lines > MAX_LINES} == {}


def test_no_machine_path_and_no_registry_host():
    """No text names a folder of somebody's machine or the host of a package registry."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in FILES
        for number, line in enumerate(read(path).splitlines(), 1)
        if FORBIDDEN.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("text", ["see /wo|rk/x", "https://py|pi.org/simple", "from /ho|me/me/x"])
def test_the_pattern_finds_them(text: str):
    """The pattern above finds what it is for."""
    assert FORBIDDEN.search(text.replace("|", ""))


def test_metric_names_stand_in_one_file():
    """Only `conventions.py` contains metric names of this product."""
    name = re.compile(r"""["']kpi_stream_[a-z]""")
    elsewhere = [
        path.relative_to(ROOT)
        for path in PYTHON
        if path.is_relative_to(ROOT / "src")
        and path.name != "conventions.py"
        and name.search(read(path))
    ]
    assert elsewhere == []


@pytest.mark.parametrize("folder", ["domain", "application", "adapters"])
def test_each_layer_says_what_belongs_there(folder: str):
    """The docstring of each layer says what belongs there and what does not."""
    text = (ROOT / "src/kpi_stream" / folder / "__init__.py").read_text()
    assert "Here belongs" in text
    assert re.search(r"\b(does not|no)\b", text)


def make_targets() -> set[str]:
    """Return the targets that the Makefile declares as commands."""
    return set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))


def mentioned_targets() -> set[tuple[str, str]]:
    """Return (document, target) for every `make X` in the code of the Markdown pages."""
    found = set()
    for path in FILES:
        if path.suffix == ".md":
            code = re.findall(r"```.*?```|`[^`\n]+`", read(path), re.DOTALL)
            for target in re.findall(r"\bmake ([a-z][a-z-]*)", "\n".join(code)):
                found.add((path.name, target))
    return found


def test_every_mentioned_make_target_exists():
    """Every `make X` in a page is a target of the Makefile."""
    mentioned = mentioned_targets()
    assert mentioned, "no page mentions a make target: the pattern is wrong"
    assert [pair for pair in sorted(mentioned) if pair[1] not in make_targets()] == []


def test_lock_files_are_hashed_and_name_no_index():
    """Every locked package is pinned with a hash, and no lock file says where from."""
    locks = [path for path in FILES if path.suffix == ".lock"]
    assert len(locks) == 4
    for lock in locks:
        text = lock.read_text()
        packages = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)
        assert len(packages) > 30
        assert [p for p in packages if "==" not in p or "--hash=sha256:" not in p] == []
        assert "://" not in text
        assert "--index" not in text
