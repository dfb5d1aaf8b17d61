"""The order of checks, what rests on what, and how a check-up ends."""

from collections.abc import Callable

import pytest

from kpi_stream.application.checkup.frame import (
    Answer,
    Check,
    Finding,
    NotAsked,
    Result,
    Severity,
    Standing,
    examine,
    exit_code,
    warning,
)
from kpi_stream.domain.errors import InputError, Problem, StateError, StrategyError, Unavailable

WRONG = Finding("there", "is wrong", "put it right")


def made(*plan: Check) -> tuple[list[str], dict[str, Result]]:
    """Return which checks were made, and all results."""
    asked: list[str] = []
    return asked, {each.check: each for each in examine(plan, asked.append)}


def failing(error: Exception) -> Callable[[], Answer]:
    """Return a check that ends with an error."""

    def ask() -> Answer:
        raise error

    return ask


def test_a_check_is_made_where_those_below_it_have_findings() -> None:
    """What is wrong with one thing is no reason to look no further."""
    asked, found = made(
        Check("a", lambda: Answer("seen", (WRONG,))), Check("b", lambda: Answer("fine"), ("a",))
    )
    assert asked == ["a", "b"]
    assert found["a"] == Result("a", Standing.FINDINGS, "seen", (WRONG,))
    assert found["b"] == Result("b", Standing.WELL, "fine")


@pytest.mark.parametrize(
    "below",
    [lambda: Answer("empty", (WRONG,), usable=False), failing(Unavailable("away; start it"))],
)
def test_a_check_is_not_made_where_one_below_it_gives_nothing(below: Callable[[], Answer]) -> None:
    """Neither is one above that; another is."""
    asked, found = made(
        Check("a", below),
        Check("b", lambda: Answer("fine"), ("a",)),
        Check("c", lambda: Answer("fine"), ("b",)),
        Check("d", lambda: Answer("fine")),
    )
    assert asked == ["a", "d"]
    assert found["b"].standing is found["c"].standing is Standing.NOT_MADE
    assert (found["b"].said, found["c"].said) == ("rests on a", "rests on b")
    assert found["d"].standing is Standing.WELL


def test_what_is_not_configured_is_not_asked_nor_what_rests_on_it() -> None:
    """With the reason of the first."""
    asked, found = made(
        Check("a", lambda: NotAsked("X is not set")), Check("b", lambda: Answer("fine"), ("a",))
    )
    assert asked == ["a"]
    assert found["b"] == Result("b", Standing.NOT_ASKED, "X is not set")
    assert exit_code(found.values()) == 0


@pytest.mark.parametrize(
    ("error", "standing", "code"),
    [
        (InputError("no such file; name another"), Standing.REFUSED, 2),
        (Unavailable("no such file; name another"), Standing.REFUSED, 2),
        (StateError("no such file; name another"), Standing.FINDINGS, 1),
    ],
)
def test_an_error_is_a_finding_with_its_remedy(
    error: Exception, standing: Standing, code: int
) -> None:
    """What cannot be asked is another exit code than what is wrong."""
    _, found = made(Check("a", failing(error)))
    assert found["a"].findings == (Finding("a", "no such file", "name another"),)
    assert (found["a"].standing, exit_code(found.values())) == (standing, code)


def test_an_error_without_a_remedy_keeps_its_text() -> None:
    """Its line ends with the problem."""
    _, found = made(Check("a", failing(Unavailable("it is away"))))
    (finding,) = found["a"].findings
    assert (finding.problem, finding.fix) == ("it is away", "")
    assert str(finding) == "problem: a: it is away"


def test_a_wrong_strategy_gives_each_problem() -> None:
    """With its file and place."""
    error = StrategyError([Problem("a.yaml", "x", "no"), Problem("b.yaml", "y[1]", "neither")])
    _, found = made(Check("settings", failing(error)))
    assert [each.place for each in found["settings"].findings] == ["a.yaml: x", "b.yaml: y[1]"]
    assert exit_code(found.values()) == 2


def test_a_warning_is_a_finding() -> None:
    """For a script too."""
    _, found = made(Check("a", lambda: Answer("", (warning("there", "is odd", "look"),))))
    assert found["a"].findings[0].severity is Severity.WARNING
    assert exit_code(found.values()) == 1
    assert str(found["a"].findings[0]) == "warning: there: is odd; look"


def test_an_error_of_the_program_is_none_of_the_installation() -> None:
    """It is not told as a finding."""
    with pytest.raises(ZeroDivisionError):
        made(Check("a", failing(ZeroDivisionError())))
