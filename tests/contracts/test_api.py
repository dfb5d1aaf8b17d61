"""The API's document against what the API answers: schemathesis asks, from the document alone."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.adapters.web.access import HttpAccess, Reread, login_digest
from kpi_stream.adapters.web.api.openapi import document
from kpi_stream.adapters.web.api.routes import ENDPOINTS, PREFIX
from kpi_stream.adapters.web.server import WebServer
from kpi_stream.adapters.web.threaded import Threaded
from kpi_stream.domain.strategy import Holder
from tests.support.page_site import page_site

load_all_checks()
LOGIN = ("reader", "word")
EXAMPLES = 20


def references(part: Any) -> Iterator[str]:
    """Yield every reference within a document."""
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A scorecard with simulated months behind it."""
    access = HttpAccess(login=Reread(lambda: login_digest(*LOGIN), ()))
    with Threaded(WebServer(page_site(), 0, access=access)) as server:
        yield server.url


# Without the stream: it has no end.
api = schemathesis.openapi.from_dict(document()).exclude(path=f"{PREFIX}/stream")


@api.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
def test_every_answer_is_as_the_document_says(case: Any, url: str) -> None:
    """Status, content and headers, for what is allowed and for what is not.

    One check is left out, that whatever the document allows is answered with 200: which offices,
    windows and periods there are, only the strategy knows, and others are told so by 400.
    """
    case.call_and_validate(base_url=url, auth=LOGIN, excluded_checks=[positive_data_acceptance])


def questions() -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    """Yield (path, its parameters, the query) of what can be asked of the packaged strategy."""
    strategy = load_strategy(packaged_strategy_path())
    way = strategy.way
    assert way is not None
    for path in ("/strategy", "/initiatives", "/quality"):
        yield path, {}, {}
    for kpi in strategy.kpis:
        for query in [{}, *({"window": each} for each in kpi.windows)]:
            yield "/kpis/{kpi}", {"kpi": kpi.id}, query
        yield "/kpis/{kpi}/explanation", {"kpi": kpi.id}, {}
        yield "/kpis/{kpi}/explanation", {"kpi": kpi.id}, {"versus": "2026-09-05/2026-09-20"}
        yield "/transitions", {}, {"kpi": kpi.id, "limit": "3"}
        if "office" in kpi.dimensions:
            yield "/kpis/{kpi}", {"kpi": kpi.id}, {"office": "118"}
            yield "/kpis/{kpi}/explanation", {"kpi": kpi.id}, {"office": "118"}
    for office in ("", *sorted(strategy.offices)):
        own = {"office": office} if office else {}
        yield "/scorecard", {}, own
        yield "/worklist", {}, own
    for window in way.windows:
        yield "/stages", {}, {"window": window}
    for dimension in way.dimensions:
        yield "/stages", {}, {"dimension": dimension}
    for stage in way.stages:
        yield "/worklist", {}, {"stage": stage.id, "limit": "2"}
    for holder in Holder:
        yield "/worklist", {}, {"holder": holder}


def test_what_can_be_answered_is_answered_as_the_document_says(url: str) -> None:
    """Every KPI, window, office, stage and dimension of the packaged strategy: 200, and valid."""
    seen = set()
    for path, parameters, query in questions():
        case = api[PREFIX + path]["GET"].Case(path_parameters=parameters, query=query)
        answer = case.call(base_url=url, auth=LOGIN)
        assert answer.status_code == 200, (path, parameters, query, answer.text)
        case.validate_response(answer)
        seen.add(path)
    assert seen == {each.path for each in ENDPOINTS.values()}


def test_the_document_names_every_path() -> None:
    """Those of the API, the stream and itself; and every reference leads somewhere."""
    made = document()
    paths = {PREFIX + each.path for each in ENDPOINTS.values()}
    assert set(made["paths"]) == paths | {f"{PREFIX}/stream", f"{PREFIX}/openapi.json"}
    known = made["components"]["schemas"]
    found = list(references(made))
    assert len(found) > 30
    assert [each for each in found if each.rpartition("/")[2] not in known] == []
    assert made["openapi"] == "3.1.0"
