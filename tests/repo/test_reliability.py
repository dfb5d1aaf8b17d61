"""The fault matrix: each row names tests that exist, and each fault test has a row."""

import ast
import re
from typing import NamedTuple

import pytest

from tests.support.documents import ROOT

PAGE = ROOT / "docs" / "reliability.md"
HEADINGS = ("fault", "test")
"""Of the first and of the last column of a part of the matrix."""
_CODE = re.compile(r"`([^`]+)`")
_PATH = re.compile(r"tests/[\w/]+\.py")
_TEST = re.compile(r"(?:^|::)(test_\w+)$")


class Row(NamedTuple):
    """One fault."""

    fault: str
    files: tuple[str, ...]
    tests: tuple[str, ...]


def matrix(text: str) -> list[Row]:
    """Return the rows of all tables whose columns are those of the matrix."""
    rows, inside = [], False
    for line in text.splitlines():
        cells = [each.strip() for each in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if not cells:
            inside = False
        elif (cells[0], cells[-1]) == HEADINGS:
            inside = True
        elif inside and set(line) - set("|-: "):
            named = _CODE.findall(cells[-1])
            files = tuple(path for each in named for path in _PATH.findall(each))
            tests = tuple(found[1] for each in named if (found := _TEST.search(each)))
            rows.append(Row(cells[0], files, tests))
    return rows


def defined(path: str) -> set[str]:
    """Return the tests of a file."""
    tree = ast.parse((ROOT / path).read_text())
    return {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}


ROWS = matrix(PAGE.read_text())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.fault[:40])
def test_a_fault_names_tests_that_exist(row: Row):
    """At least one file of tests, and each test by its name is in one of them."""
    assert row.files
    assert [each for each in row.files if not (ROOT / each).exists()] == []
    there = set().union(*map(defined, row.files))
    assert [each for each in row.tests if each not in there] == []


def test_every_fault_test_has_a_row():
    """A file in tests/faults that the page does not name shows something nobody promised."""
    named = {path for row in ROWS for path in row.files}
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "faults").glob("test_*.py")}
    assert files - named == set()


def test_a_wrong_row_is_seen():
    """A row without a test, with a missing file or with a missing name."""
    path = "tests/repo/test_reliability.py"
    page = (
        "| fault | seen | test |\n|---|---|---|\n| a | b `x` | |\n| c | d | `tests/no.py` |\n"
        f"| e | f \\| g | `{path}` (`test_gone`), `{path}::test_old` |\n\n| h | `i` | j |\n"
    )
    assert matrix(page) == [
        Row("a", (), ()),
        Row("c", ("tests/no.py",), ()),
        Row("e", (path, path), ("test_gone", "test_old")),
    ]
    assert "test_gone" not in defined(path)
