"""The OpenAPI document, made from the endpoints and the models of their answers."""

import json
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import kpi_stream
from kpi_stream.adapters.web.api import queries as q
from kpi_stream.adapters.web.api.base import Problem
from kpi_stream.adapters.web.api.routes import ENDPOINTS, PREFIX, Endpoint
from kpi_stream.adapters.web.api.stream import EvaluationEvent

Json = dict[str, Any]

_PLACE = "#/components/schemas/{model}"
_KPI = {
    "name": "kpi",
    "in": "path",
    "required": True,
    "description": "A KPI's id.",
    "schema": {"type": "string", "minLength": 1, "pattern": "^[a-z0-9-]+$"},
}
_SAYS = {
    q.BAD: "A parameter is unknown or wrong; `problems` has a line for each.",
    q.UNKNOWN: "There is no such thing.",
    q.NOT_YET: "Nothing is read yet, or too much is asked at once.",
}


def document() -> Json:
    """Return the document as JSON; the same for every strategy."""
    models: list[type[BaseModel]] = [each.answer for each in ENDPOINTS.values()]
    models += [EvaluationEvent, Problem]
    _, schemas = models_json_schema(
        [(each, "serialization") for each in models], ref_template=_PLACE
    )
    paths: Json = {
        PREFIX + each.path: {"get": _get(name, each)} for name, each in ENDPOINTS.items()
    }
    paths[f"{PREFIX}/stream"] = {"get": _stream()}
    paths[f"{PREFIX}/openapi.json"] = {"get": _itself()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kpi-stream",
            "version": kpi_stream.__version__,
            "summary": "The scorecard of an administration, live.",
            "description": (
                "Times are RFC 3339 in UTC; values are in the KPI's unit (seconds, ratio 0..1, "
                "major units of money, count) and not rounded; null is no data. With a login "
                "(KPI_STREAM_HTTP_USERNAME) every path asks for it by HTTP Basic."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"login": []}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"login": {"type": "http", "scheme": "basic"}},
        },
    }


def document_text() -> str:
    """Return the document as it is committed and served."""
    return json.dumps(document(), indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def _get(name: str, endpoint: Endpoint) -> Json:
    return {
        "operationId": name,
        "summary": endpoint.summary,
        "parameters": [
            *([_KPI] if "{kpi}" in endpoint.path else []),
            *_parameters(endpoint.query),
        ],
        "responses": {
            "200": _json("The answer.", endpoint.answer.__name__),
            **{
                str(status): _json(_SAYS[status], Problem.__name__)
                for status in (q.BAD, *endpoint.refuses)
            },
            "401": {"description": "User and password are needed."},
        },
    }


def _parameters(query: type[q.Query]) -> list[Json]:
    schema = query.model_json_schema()
    found = []
    for name, each in schema.get("properties", {}).items():
        given = _given(each, schema.get("$defs", {}))
        description = given.pop("description", each.get("description", ""))
        found.append(
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": description,
                "schema": given,
            }
        )
    return found


def _given(schema: Json, defs: Json) -> Json:
    """Return what may be given: a parameter that is left out is not null, and it has no title."""
    kinds = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    (only,) = kinds
    if "$ref" in only:
        only = defs[only["$ref"].rpartition("/")[2]]
    kept = {key: value for key, value in only.items() if key not in {"title", "description"}}
    if schema.get("default") is not None:
        kept["default"] = schema["default"]
    if "description" in schema:
        kept["description"] = schema["description"]
    return kept


def _stream() -> Json:
    return {
        "operationId": "stream",
        "summary": "Server-sent events: `evaluation` once an evaluation, `ping` in silence.",
        "description": (
            "The data of an `evaluation` is an EvaluationEvent. Whoever reads too slowly is cut "
            "off and connects again; 503 where too many listen."
        ),
        "responses": {
            "200": {
                "description": "The events, without an end.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            "400": _json(_SAYS[q.BAD], Problem.__name__),
            "401": {"description": "User and password are needed."},
            "503": _json("Too many listen already.", Problem.__name__),
        },
    }


def _itself() -> Json:
    return {
        "operationId": "openapi",
        "summary": "This document.",
        "responses": {
            "200": {
                "description": "The document.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "400": _json(_SAYS[q.BAD], Problem.__name__),
            "401": {"description": "User and password are needed."},
        },
    }


def _json(description: str, model: str) -> Json:
    schema = {"$ref": _PLACE.format(model=model)}
    return {"description": description, "content": {"application/json": {"schema": schema}}}
