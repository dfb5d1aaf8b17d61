"""The architecture page shows the tree as it is, the layers as they are, and true directions."""

import re
import tomllib

import pytest

from tests.support.documents import ARCHITECTURE, ROOT, blocks, files

TEXT = ARCHITECTURE.read_text()
PACKAGE = "src/kpi_stream/"
MOST_LINES = 120
TABLE = TEXT[TEXT.index("## Where do I add") :]
ROWS = [line for line in TABLE.splitlines() if line.startswith("| ")][1:]


def drawn(tree: str) -> list[str]:
    """Return the folders of a drawn tree, as paths from the root."""
    paths: list[str] = []
    above: list[tuple[int, str]] = []
    for line in tree.splitlines():
        indent, name = len(line) - len(line.lstrip()), line.split()[0]
        above = [each for each in above if each[0] < indent]
        path = (above[-1][1] if above else "") + name
        above.append((indent, path))
        paths.append(path)
    return paths


def real() -> set[str]:
    """Return the folders that the tree is to show.

    All of the package, of what is deployed, of the documents and of the examples; the first level
    of Grafana's files and of the tests; and what else lies at the top and is not hidden.
    """
    found = set()
    for name in files():
        folders = name.split("/")[:-1]
        for depth in range(1, len(folders) + 1):
            path = "/".join(folders[:depth]) + "/"
            deep = path.startswith((PACKAGE, "deploy/", "docs/", "examples/"))
            if deep or depth == 1 or (depth == 2 and path.startswith(("grafana/", "tests/"))):
                found.add(path)
    return {path for path in found if not path.startswith(".")} - {"src/"}


def test_the_tree_is_the_real_one():
    """Every folder is drawn once, and every drawn folder exists."""
    (tree,) = blocks(ARCHITECTURE, "text")
    paths = drawn(tree)
    assert sorted(paths) == sorted(real())


def test_every_folder_says_what_is_in_it():
    """Each line of the tree has a description, but for those that only hold others."""
    (tree,) = blocks(ARCHITECTURE, "text")
    bare = [line.strip() for line in tree.splitlines() if len(line.split()) < 2]
    assert bare == [PACKAGE, "tests/", "examples/"]


def test_a_folder_that_moved_is_seen():
    """The drawing is read by its indentation."""
    assert drawn("a/  x\n  b/  x\n    c/  x\n  d/  x\ne/  x") == [
        "a/",
        "a/b/",
        "a/b/c/",
        "a/d/",
        "e/",
    ]


def test_it_is_one_page():
    """The page stays as short as it says it is."""
    assert len(TEXT.splitlines()) <= MOST_LINES


def test_the_layers_are_those_of_the_contract():
    """The drawn arrows name the layers of import-linter in their order."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    (layers,) = [each["layers"] for each in contracts if each["type"] == "layers"]
    names = [re.findall(r"\w+", layer) for layer in layers if not layer.startswith("(")]
    line = next(each for each in TEXT.splitlines() if "→ `bootstrap` →" in each)
    order = [re.findall(r"`(\w+)`", part) for part in line.split("→")]
    assert order[0] == ["cli"]
    assert names[1][0] == "cli"
    assert [set(each) for each in order[1:]] == [set(each) for each in names[2:]]


def test_there_are_directions():
    """The table below is found, and each row has its four cells."""
    assert len(ROWS) > 12
    assert [row for row in ROWS if row.count("|") != 5] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip(" *"))
def test_a_row_names_what_exists(row: str):
    """Files, folders and tests that a row names exist; its last cell names a test or the check."""
    _, _, touch, _, red, _ = row.split("|")
    names = re.findall(r"`([\w./]+(?:/|\.\w+))`", touch)
    places = ("", PACKAGE, f"{PACKAGE}adapters/strategy_files/", f"{PACKAGE}sunat/")
    assert [name for name in names if not any((ROOT / at / name).exists() for at in places)] == []
    tests = re.findall(r"`(tests/[\w./]+)`", red)
    assert tests or "kpi-stream check" in red
    assert [name for name in tests if not (ROOT / name).is_file()] == []
