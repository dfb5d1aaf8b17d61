"""`kpi-stream rebuild` where it cannot do what is asked, and what it says at its end."""

import io
from pathlib import Path

import pytest

from kpi_stream.adapters.embedded_broker import HOST, EmbeddedBroker
from kpi_stream.bootstrap import rebuild
from tests.support.ports import free_port
from tests.unit.cli.conftest import Run


def test_a_pinned_epoch_is_refused_with_the_remedy(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any broker is asked: the services would not follow the switch."""
    monkeypatch.setenv("KPI_STREAM_EPOCH", "2")
    for words in ("rebuild", "rebuild --list", "rebuild --remove 1 --yes"):
        printed = kpi_stream(*words.split(), code=2)
        assert printed.out == ""
        assert printed.err.startswith("kpi-stream: KPI_STREAM_EPOCH pins epoch 2; unset it")


def test_a_wrong_strategy_is_told_before_anything_is_touched(
    kpi_stream: Run, tmp_path: Path
) -> None:
    """There is no broker here, and none is asked for."""
    printed = kpi_stream("rebuild", "--strategy", tmp_path, code=2)
    assert "strategy.yaml" in printed.err


def test_a_broker_that_is_not_there_is_named(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1 and the address."""
    address = f"{HOST}:{free_port()}"
    monkeypatch.setenv("KPI_STREAM_BROKERS", address)
    for words in ("rebuild", "rebuild --list", "rebuild --remove 2 --yes"):
        printed = kpi_stream(*words.split(), code=1)
        assert printed.err.startswith(f"kpi-stream: no Kafka broker answers at {address}")


def test_topics_that_are_not_there_are_named_and_not_made(
    kpi_stream: Run, monkeypatch: pytest.MonkeyPatch, embedded_broker: EmbeddedBroker
) -> None:
    """Exit code 2 and how to make them."""
    monkeypatch.setenv("KPI_STREAM_BROKERS", embedded_broker.bootstrap)
    printed = kpi_stream("rebuild", code=2)
    assert "has no topic kpi.epoch; make what is missing with: kpi-stream topics init" in (
        printed.err
    )


def test_nothing_is_deleted_without_a_yes(kpi_stream: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question goes to whoever sits there; nobody does, so the answer is no."""
    asked: list[object] = []
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr(rebuild, "remove", lambda *words: asked.append(words))
    printed = kpi_stream("rebuild", "--remove", "2", code=130)
    assert "Delete the counts of epoch 2 for good?" in printed.err
    assert asked == []


def test_two_things_at_once_are_refused(kpi_stream: Run) -> None:
    """Which of them was meant?"""
    assert "--list and --remove" in kpi_stream("rebuild", "--list", "--remove", "2", code=2).err


@pytest.mark.parametrize(
    ("report", "texts"),
    [
        (rebuild.RebuildReport(2, 2, "abc", 0, 0, 0.0), ["epoch 2 serves", "nothing to do"]),
        (
            rebuild.RebuildReport(3, 2, "abc", 1_000_000, 50, 20.0),
            [
                "1,000,000 events counted again in 20 s (50,000/s), 50 of them rejected",
                "epoch 3 serves now",
                "--switch-to 2",
                "--remove 2",
            ],
        ),
    ],
)
def test_it_says_what_comes_next(
    kpi_stream: Run,
    monkeypatch: pytest.MonkeyPatch,
    report: rebuild.RebuildReport,
    texts: list[str],
) -> None:
    """For people on standard error; as data on standard output."""
    monkeypatch.setattr(rebuild, "rebuild", lambda *_: report)
    printed = kpi_stream("rebuild", "--json")
    assert all(each in printed.err for each in texts), printed.err
    assert f'"epoch": {report.epoch}' in printed.out
