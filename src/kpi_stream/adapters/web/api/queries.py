"""The questions: their parameters, checked before anything is read."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kpi_stream.adapters.web.api.base import Problem
from kpi_stream.domain.strategy import Holder

BAD, UNKNOWN, NOT_YET = 400, 404, 503

Code = Annotated[str, Field(min_length=1, max_length=64)]
Office = Annotated[Code | None, Field(description="An office's code; without it, everything.")]
Window = Annotated[
    Code | None, Field(description="One of the windows; by default the first that has a target.")
]


class Refusal(Exception):
    """A question that is not answered."""

    def __init__(self, status: int, error: str, problems: tuple[str, ...] = ()) -> None:
        """Keep what is said to who asked."""
        super().__init__(error)
        self.status = status
        self.problem = Problem(error=error, problems=list(problems))


class Query(BaseModel):
    """The parameters of a question; there are no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(Query):
    """A question without parameters."""


class ScorecardQuery(Query):
    """Of `/scorecard`."""

    office: Office = None


class KpiQuery(Query):
    """Of `/kpis/{kpi}`."""

    window: Window = None
    office: Office = None


class ExplanationQuery(KpiQuery):
    """Of `/kpis/{kpi}/explanation`."""

    versus: Annotated[
        Code | None,
        Field(
            description="The period to compare with: `2026-10` or `2026-10-01/2026-10-15`; "
            "by default the same length just before."
        ),
    ] = None


class StagesQuery(Query):
    """Of `/stages`."""

    window: Annotated[Code | None, Field(description="By default the way's first.")] = None
    dimension: Annotated[Code | None, Field(description="By default everything together.")] = None


class WorklistQuery(Query):
    """Of `/worklist`."""

    office: Office = None
    stage: Annotated[Code | None, Field(description="Only those that wait in this stage.")] = None
    holder: Annotated[Holder | None, Field(description="Only those that wait in these hands.")] = (
        None
    )
    limit: Annotated[int | None, Field(ge=1, le=1000, description="At most so many a list.")] = None


class TransitionsQuery(Query):
    """Of `/transitions`."""

    limit: Annotated[int, Field(ge=1, le=500, description="At most so many.")] = 100
    kpi: Annotated[Code | None, Field(description="Only those of one KPI.")] = None


T = TypeVar("T", bound=Query)


def read(request: web.Request, of: type[T]) -> T:
    """Return the parameters of a question.

    Raises:
        Refusal: One is unknown, wrong, or given twice.
    """
    twice = sorted({each for each in request.query if len(request.query.getall(each)) > 1})
    if twice:
        problems = tuple(f"{each}: given more than once" for each in twice)
        raise Refusal(BAD, "; ".join(problems), problems)
    try:
        return of.model_validate(dict(request.query))
    except ValidationError as err:
        problems = tuple(
            f"{'.'.join(map(str, each['loc']))}: {_said(each['type'], each['msg'], of)}"
            for each in err.errors(include_url=False, include_context=False, include_input=False)
        )
        raise Refusal(BAD, "; ".join(problems), problems) from err


def _said(kind: str, message: str, of: type[Query]) -> str:
    if kind != "extra_forbidden":
        return message
    known = ", ".join(of.model_fields) or "none"
    return f"there is no such parameter; those that there are: {known}"


def one_of(name: str, given: str | None, known: Callable[[], list[str]]) -> None:
    """Check that a value is known.

    Raises:
        Refusal: It is not.
    """
    if given is not None and given not in known():
        said = f"{name}: unknown {given!r}; one of {', '.join(known()) or 'none'}"
        raise Refusal(BAD, said, (said,))
