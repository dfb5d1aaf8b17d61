"""Checks in their order: one that rests on another is not made where that one failed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kpi_stream.domain.errors import InputError, KpiStreamError, StrategyError, Unavailable


class Severity(StrEnum):
    """How bad a finding is."""

    PROBLEM = "problem"
    """Something does not work, or will not after the next restart."""
    WARNING = "warning"
    """It works, and is not as it should be."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    place: str
    problem: str
    fix: str
    """What to do, a command where there is one."""
    severity: Severity = Severity.PROBLEM

    def __str__(self) -> str:
        """Return it as one line."""
        fix = f"; {self.fix}" * bool(self.fix)
        return " ".join(f"{self.severity}: {self.place}: {self.problem}{fix}".split())


def warning(place: str, problem: str, fix: str) -> Finding:
    """Return a finding about something that works all the same."""
    return Finding(place, problem, fix, Severity.WARNING)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check saw."""

    said: str
    """In a few words, also where all is well."""
    findings: Sequence[Finding] = ()
    usable: bool = True
    """Whether what rests on it can be asked."""


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Why a check does not belong to this installation."""

    reason: str


@dataclass(frozen=True, slots=True)
class Check:
    """One check."""

    name: str
    ask: Callable[[], Answer | NotAsked]
    needs: Sequence[str] = ()
    """The checks that it rests on, which come before it."""


class Standing(StrEnum):
    """What became of a check."""

    WELL = "well"
    FINDINGS = "findings"
    REFUSED = "cannot be asked"
    """Nobody answers, or a setting or a right is missing: what is there remains unknown."""
    NOT_MADE = "not made"
    """An earlier check failed that it rests on."""
    NOT_ASKED = "not asked"
    """It is not configured."""


@dataclass(frozen=True, slots=True)
class Result:
    """One check, and what it found."""

    check: str
    standing: Standing
    said: str
    findings: Sequence[Finding] = ()
    usable: bool = True
    """Whether what rests on it can be asked."""


def examine(checks: Iterable[Check], progress: Callable[[str], None]) -> Iterator[Result]:
    """Yield the result of each check, as it is made.

    Args:
        checks: In an order in which each comes after those that it rests on.
        progress: Is told the name of the check that is made next.
    """
    made: dict[str, Result] = {}
    for check in checks:
        made[check.name] = _resting(check, made) or _made(check, progress)
        yield made[check.name]


def exit_code(results: Iterable[Result]) -> int:
    """Return 0 where all is well, 1 where something is not, 2 where something cannot be asked."""
    standings = {each.standing for each in results}
    if Standing.REFUSED in standings:
        return 2
    return 1 if Standing.FINDINGS in standings else 0


def finding_of(place: str, error: KpiStreamError) -> Finding:
    """Return an error as a finding: the text of one ends with its remedy."""
    problem, _, fix = str(error).rpartition("; ")
    return Finding(place, problem or fix, fix if problem else "")


def _resting(check: Check, made: dict[str, Result]) -> Result | None:
    """Return why a check is not made; None where it can be."""
    for name in check.needs:
        below = made[name]
        if below.standing is Standing.NOT_ASKED:
            return Result(check.name, Standing.NOT_ASKED, below.said)
        if not below.usable:
            return Result(check.name, Standing.NOT_MADE, f"rests on {name}", usable=False)
    return None


def _made(check: Check, progress: Callable[[str], None]) -> Result:
    progress(check.name)
    try:
        answer = check.ask()
    except StrategyError as err:
        fix = "put it right; kpi-stream check lists every problem"
        findings = [
            Finding(f"{each.file}: {each.path}", each.message, fix) for each in err.problems
        ]
        return Result(check.name, Standing.REFUSED, "the strategy is wrong", findings, usable=False)
    except (InputError, Unavailable) as err:
        found = finding_of(check.name, err)
        return Result(check.name, Standing.REFUSED, found.problem, (found,), usable=False)
    except KpiStreamError as err:
        found = finding_of(check.name, err)
        return Result(check.name, Standing.FINDINGS, found.problem, (found,), usable=False)
    if isinstance(answer, NotAsked):
        return Result(check.name, Standing.NOT_ASKED, answer.reason)
    standing = Standing.FINDINGS if answer.findings else Standing.WELL
    return Result(check.name, standing, answer.said, answer.findings, answer.usable)
