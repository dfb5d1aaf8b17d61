"""What is said of workers and scorecard, and of their strategy."""

from dataclasses import replace

import pytest

from kpi_stream.application.checkup.services import Service, Strategies, services, strategies

WELL = Service(
    "worker", "http://w:9101", answers=True, healthy=True, ready=True, reason="ok", version="1.0"
)
ONE = Strategies("aa", "11", {0: "aa", 1: "aa"}, "11", matches=True, reloaded=True)


@pytest.mark.parametrize(
    ("change", "said", "usable"),
    [
        ({}, None, True),
        ({"version": None}, None, True),
        (
            {"answers": False, "reason": "refused"},
            "problem: worker http://w:9101: refused; start it: kpi-stream worker; or say where",
            False,
        ),
        (
            {"healthy": False, "ready": False, "reason": "it hangs"},
            "problem: worker http://w:9101: is not well: it hangs; look into its log, and restart",
            True,
        ),
        ({"ready": False, "reason": "it reads"}, "warning: worker http://w:9101: is not re", True),
        ({"known": False}, "problem: worker http://w:9101: does not know us", False),
        ({"version": "0.9"}, "warning: worker http://w:9101: runs version 0.9, and this", True),
    ],
)
def test_a_process(change: dict[str, object], said: str | None, usable: bool) -> None:  # noqa: FBT001
    """One thing is said of each; what does not answer, or not to us, carries nothing else."""
    answer = services([WELL, replace(WELL, **change)], "1.0")  # type: ignore[arg-type]
    lines = [str(each) for each in answer.findings]
    assert len(lines) == (said is not None)
    assert all(line.startswith(said or "") for line in lines)
    assert answer.usable is usable


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({}, []),
        ({"counted": {}, "matches": None, "reloaded": None}, []),
        (
            {"counted": {0: "aa", 1: "bb", 2: None}},
            ["kpi.rows partition 1", "kpi.rows partition 2"],
        ),
        ({"judged": "22"}, ["scorecard"]),
        ({"matches": False}, ["scorecard"]),
        ({"reloaded": False}, ["scorecard"]),
    ],
)
def test_their_strategy(change: dict[str, object], places: list[str]) -> None:
    """What is not told is not judged."""
    found = strategies(replace(ONE, **change)).findings  # type: ignore[arg-type]
    assert [each.place for each in found] == places
    assert all(each.fix for each in found)
