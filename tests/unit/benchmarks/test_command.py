"""The command of the benchmarks: what it lists, keeps and survives."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from benchmarks import __main__ as command
from benchmarks import result

Invoke = Callable[..., Result]


def table(title: str, *, exact: bool = True) -> result.Result:
    """Return findings with one table."""
    return result.Result((result.Table(title, ("a",), (("b",),)),), (), {"run": 1}, exact)


@pytest.fixture(autouse=True)
def untouched(monkeypatch) -> None:
    """Leave this process its settings and its cores."""
    monkeypatch.setattr(command, "use_defaults", lambda: None)
    monkeypatch.setattr(command, "leave_its_core", lambda: None)


@pytest.fixture
def invoke(tmp_path, monkeypatch) -> Invoke:
    """Run the command with benchmarks of the test's own, kept in a folder of its own."""

    def fails(_: command.Asked) -> result.Result:
        msg = "no broker"
        raise RuntimeError(msg)

    own = {
        "broken": command.Benchmark(1, "fails", fails),
        "right": command.Benchmark(2, "is exact", lambda _: table("right")),
        "wrong": command.Benchmark(3, "is not", lambda _: table("wrong", exact=False)),
    }
    monkeypatch.setattr(command, "BENCHMARKS", own)
    monkeypatch.setattr(command.main.params[0], "type", command.click.Choice([*own]))
    monkeypatch.setattr(command.report, "RESULTS", tmp_path / "results.json")
    return lambda *words: CliRunner().invoke(command.main, words)


def test_one_that_fails_stops_no_other_and_is_not_kept(invoke, tmp_path):
    """The rest is measured, and the exit code says that something went wrong."""
    said = invoke("broken", "right")
    assert said.exit_code == 1
    assert "broken: failed" in said.output
    assert set(json.loads((tmp_path / "results.json").read_text())) == {"right"}
    assert invoke("right").exit_code == 0


def test_wrong_counts_end_it_with_an_error(invoke):
    """The figures of a run that counted wrongly are worth nothing."""
    said = invoke("wrong")
    assert said.exit_code == 1
    assert "wrong: a run counted wrongly" in said.output


def test_another_size_is_kept_only_if_wanted(invoke, tmp_path):
    """So that a small run, to try something, never replaces a figure; results add up."""
    invoke("right", "--scale", "0.1")
    assert not (tmp_path / "results.json").exists()
    invoke("right", "--scale", "0.1", "--keep")
    invoke("wrong")
    kept = json.loads((tmp_path / "results.json").read_text())
    assert list(kept) == ["right", "wrong"]
    assert kept["right"]["machine"]["cores"]
    assert kept["right"]["measured"]


def test_the_help_says_how_long_each_takes():
    """Before an hour is spent on it."""
    said = CliRunner().invoke(command.main, ["--help"]).output
    for name, each in command.BENCHMARKS.items():
        assert f"{name:<10} {each.minutes:>3} min" in said


def test_an_unknown_engine_is_refused():
    """With the names that there are."""
    said = CliRunner().invoke(command.main, ["peers", "--engines", "flink,spark"])
    assert said.exit_code == 2
    assert "no such engine: spark" in said.output
