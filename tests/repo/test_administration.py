"""Outside of the packaged strategy nothing knows an administration.

What is looked at is code: names and the strings that a program works with. Docstrings, comments and
help texts may give examples (`046`, `America/Lima`, a KPI of the packaged strategy) and the Spanish
terms of the procedure, which the event contract does on purpose.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from tests.support.documents import ROOT, files

PACKAGE = ROOT / "src" / "kpi_stream"
MODULES = [ROOT / name for name in files() if name.startswith("src/") and name.endswith(".py")]
ALLOWED = {
    # The one place that names the packaged folder.
    ("adapters/strategy_files/loading.py", "sunat"),
    # An example in a message.
    ("adapters/ingest/mapping.py", "; write an IANA name such as America/Lima"),
}
TWO_DIGITS = {
    # A count in the expected text of a message.
    "adapters/prometheus/rule_tests/feed.py",
    # Transport codes of the public data set of declarations.
    "adapters/simulator/csv_source.py",
}
"""Where two digits stand that could be the code of a regime."""

STRATEGY = load_strategy(packaged_strategy_path())
MEMBERS = {each.id: {member.code for member in each.members} for each in STRATEGY.dimensions}
REGIMES = MEMBERS["regime"]
CODES = {each.code for each in (*STRATEGY.kpis, *STRATEGY.objectives)} - {""} | STRATEGY.offices
CODES |= {STRATEGY.currency, STRATEGY.calendar.time_zone}
IDS = {
    each.id
    for each in (*STRATEGY.kpis, *STRATEGY.objectives, *STRATEGY.targets, *STRATEGY.initiatives)
}
WORDS = re.compile(
    r"sunat|peru|perú|callao|lima\b|soles\b|\bPEN\b|superintendencia|intendencia", re.IGNORECASE
)


def texts(source: str) -> Iterator[str]:
    """Yield every name and every string of a module that is not a docstring."""
    tree = ast.parse(source)
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in documentation and not node.value.startswith("kpi-stream "):
                yield node.value
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def known(source: str) -> list[str]:
    """Return what a module knows of the packaged strategy's administration."""
    return [
        text
        for text in texts(source)
        if text in CODES or text in IDS or WORDS.search(text) or _names_an_id(text)
    ]


def test_an_example_of_a_command_is_help():
    """What the help of a command shows as an example is words, too."""
    assert known('EXAMPLES = ("kpi-stream replay events.jsonl --kpi hit-rate",)') == []


def _names_an_id(text: str) -> bool:
    """Return whether an id of the strategy stands in a text; ids of one word are words."""
    return any("-" in each and each in text for each in IDS)


def test_no_code_knows_the_administration():
    """No module outside of the packaged strategy names its offices, KPIs, currency or country."""
    assert len(MODULES) > 80
    found = {
        (str(path.relative_to(PACKAGE)), text)
        for path in MODULES
        for text in known(path.read_text())
    }
    assert found == ALLOWED


def test_regimes_are_known_to_few():
    """The code of a regime stands in no module but those that are listed with their reason."""
    found = {
        str(path.relative_to(PACKAGE)) for path in MODULES if REGIMES & set(texts(path.read_text()))
    }
    assert found == TWO_DIGITS


def test_the_packaged_strategy_is_no_code():
    """Its folder holds YAML alone."""
    suffixes = {path.suffix for path in (PACKAGE / "sunat").rglob("*") if path.is_file()}
    assert suffixes == {".yaml"}


@pytest.mark.parametrize(
    "source",
    [
        'OFFICES = {"118": 0.5}',
        'if kpi.id == "release-time-mean": pass',
        'WORDS = f"see hit-rate for {kpi}"',
        "def sunat_calendar(): pass",
        'ZONE = "America/Lima"',
        'PRICE = "USD"',
        "row.callao += 1",
    ],
)
def test_knowledge_is_seen(source: str):
    """A code, an id, a name, a zone or a currency in code is found."""
    assert known(source)


@pytest.mark.parametrize(
    "source",
    ['"""An office, for example 118 (Callao)."""', "x = 1  # as SUNAT has it", 'NAME = "office"'],
)
def test_examples_in_words_are_allowed(source: str):
    """Docstrings and comments may give examples."""
    assert known(source) == []
