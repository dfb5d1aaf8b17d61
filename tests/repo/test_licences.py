"""Every locked package has a licence that is allowed, docs/licences.md says which, and a hash."""

import re
from pathlib import Path

import pytest

from tests.support import licences

ROOT = Path(__file__).parents[2]


def test_the_page_is_current() -> None:
    """One line a package; `make licences` writes them."""
    assert licences.written_rows() == licences.rows()
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page()


def test_no_licence_is_outside_the_list() -> None:
    """One that asks more of us is a decision, and not an accident of a lock file."""
    found = {name: row.split(" | ")[1] for name, row in licences.rows().items()}
    assert len(found) > 70
    assert {name: each for name, each in found.items() if licences.refused(each)} == {}


@pytest.mark.parametrize(
    "expression", ["GPL-3.0-only", "MIT AND AGPL-3.0-only", "not said", "Proprietary", ""]
)
def test_others_are_refused(expression: str) -> None:
    """The list is a list of what is allowed."""
    assert licences.refused(expression)


@pytest.mark.parametrize("lock", licences.LOCKS)
def test_every_package_has_hashes(lock: str) -> None:
    """Pip refuses a file that was exchanged, and, with --require-hashes, a package without one."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) > 30
    line = re.compile(r"[a-z0-9._-]+==\S+( ; [^#]+?)?( +--hash=sha256:[0-9a-f]{64})+")
    assert [each[:60] for each in lines if not line.fullmatch(each.rstrip())] == []


def test_nothing_is_installed_without_its_hash() -> None:
    """Everywhere that installs from a lock file, and nothing but ourselves comes from elsewhere."""
    for name in ("Makefile", "deploy/Dockerfile"):
        text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
        installs = re.findall(
            r"^.*\bpip\b.*\binstall\b.*$|^.*\$\(PIP\) install.*$", text, re.MULTILINE
        )
        assert installs
        for each in installs:
            assert "--require-hashes" in each or "--no-deps" in each, each
