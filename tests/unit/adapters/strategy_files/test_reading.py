import shutil
from datetime import date
from pathlib import Path

import pytest

from kpi_stream.adapters.strategy_files import check_strategy
from kpi_stream.adapters.strategy_files.yaml_text import read_yaml, scalar
from kpi_stream.domain.errors import Problem

MINIMAL = Path(__file__).parents[3] / "strategies" / "minimal"


def read(tmp_path: Path, text: str) -> tuple[object, list[Problem]]:
    """Return what a file of that text holds."""
    file = tmp_path / "kpis.yaml"
    file.write_text(text, encoding="utf-8")
    return read_yaml(file)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("046", "046"),
        ("0", 0),
        ("-3", -3),
        ("110_000", 110_000),
        ("0.10", 0.1),
        ("16:30", "16:30"),
        ("NO", "NO"),
        ("on", "on"),
        ("true", True),
        ("false", False),
        ("~", None),
        ("1e5", "1e5"),
        (".inf", ".inf"),
        ("2026-12-31", date(2026, 12, 31)),
        ("2026-02-30", "2026-02-30"),
        ("2026-01", "2026-01"),
    ],
)
def test_a_word_means_what_it_looks_like(word: str, value: object):
    """Codes with leading zeros, times and countries stay texts, unlike in YAML 1.1."""
    found = scalar(word)
    assert found == value
    assert type(found) is type(value)


def test_quotes_make_a_text(tmp_path: Path):
    """What stands in quotes is a text whatever it looks like."""
    assert read(tmp_path, "a: \"10\"\nb: 'true'\nc: |\n  5\n") == (
        {"a": "10", "b": "true", "c": "5\n"},
        [],
    )


def test_every_doubled_key_is_reported(tmp_path: Path):
    """Each key that appears twice is a problem with both lines; the first value is kept."""
    value, problems = read(tmp_path, "a: 1\nb:\n  - {c: 1, c: 2}\na: 2\n")
    assert value == {"a": 1, "b": [{"c": 1}]}
    assert [str(problem) for problem in problems] == [
        "kpis.yaml: b[0].c: appears twice, on lines 3 and 3; keep one",
        "kpis.yaml: a: appears twice, on lines 1 and 4; keep one",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: !!python/object:os.system {}\n", "a: line 1: the tag"),
        ("a: &x [*x]\n", "a[0]: line 1: an alias"),
        ("? [a]\n: 1\n", "line 1: a key that is not a word"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1"),
        ("a: \x07\n", "is not YAML"),
        ("# nothing\n", "is empty"),
    ],
)
def test_what_is_not_plain_yaml_is_refused(tmp_path: Path, text: str, words: str):
    """Tags, aliases, several documents and control characters are problems, not crashes."""
    _, problems = read(tmp_path, text)
    assert len(problems) == 1
    assert words in str(problems[0])


def test_deep_nesting_is_refused(tmp_path: Path):
    """A file of nothing but brackets is a problem, not a crash."""
    value, problems = read(tmp_path, "[" * 100_000)
    assert value is None
    assert len(problems) == 1


def test_a_file_in_another_encoding_is_refused(tmp_path: Path):
    """Spanish in Latin-1 is named as what it is."""
    file = tmp_path / "kpis.yaml"
    file.write_bytes("a: ñ".encode("latin-1"))
    assert read_yaml(file) == (None, [Problem("kpis.yaml", "", "is not UTF-8 text (byte 3)")])


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path):
    """A wrong path is one clear problem."""
    (problem,) = check_strategy(tmp_path / "nowhere")
    assert problem.file == str(tmp_path / "nowhere")
    assert problem.message == "is not a readable folder: No such file or directory"


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path):
    """One unreadable file is a problem, and does not make references to it problems."""
    folder = tmp_path / "strategy"
    shutil.copytree(MINIMAL, folder)
    (folder / "kpis.yaml").unlink()
    (folder / "kpis.yaml").mkdir()
    assert check_strategy(folder) == [Problem("kpis.yaml", "", "cannot be read: Is a directory")]


def test_one_wrong_entry_does_not_make_its_references_wrong(tmp_path: Path):
    """A KPI whose form is wrong is one problem, although objectives and targets name it."""
    folder = tmp_path / "strategy"
    shutil.copytree(MINIMAL, folder)
    kpis = folder / "kpis.yaml"
    kpis.write_text(kpis.read_text().replace("unit: seconds", "unit: hours"))
    message = "'hours' is unknown; one of count, money, ratio, seconds"
    assert check_strategy(folder) == [Problem("kpis.yaml", "kpis[0] (release-time).unit", message)]
