"""The oracle shares no code with what it judges."""

import ast
import re
from pathlib import Path

ORACLE = Path(__file__).parents[1] / "oracle"
ALLOWED = {
    # the standard library's
    "csv", "random", "re", "gzip", "json", "math", "shutil", "tempfile",
    "collections", "collections.abc", "datetime", "decimal", "fractions", "pathlib", "typing",
    "zoneinfo",
    # libraries
    "duckdb", "yaml",
}  # fmt: skip


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "." * node.level)
    return found


def test_the_oracle_imports_only_libraries_and_itself() -> None:
    """No module of the product, directly or through the other test rigs."""
    files = sorted(ORACLE.rglob("*.py"))
    assert len(files) >= 5
    for path in files:
        outside = {
            name for name in imported(path) - ALLOWED if not name.startswith("tests.oracle.")
        }
        assert not outside, f"{path.name} imports {outside}"


def test_the_oracle_loads_no_module_by_name() -> None:
    """Neither `importlib` nor `__import__`, nor a subprocess, nor the product's name in code."""
    for path in sorted(ORACLE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not names & {"__import__", "eval", "exec", "importlib", "subprocess", "runpy"}
        mentions = re.findall(r"kpi_stream", path.read_text("utf-8"))
        # The folder of the packaged strategy is data, named once.
        assert len(mentions) == (1 if path.name == "strategies.py" else 0), path.name
