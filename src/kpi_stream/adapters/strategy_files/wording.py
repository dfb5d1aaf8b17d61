"""What is wrong, in words that say what would be right."""

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from kpi_stream.adapters.strategy_files import measure_models, models
from kpi_stream.adapters.strategy_files.base import SHAPES
from kpi_stream.adapters.strategy_files.yaml_text import step

_MANY = 12


def _known_keys() -> frozenset[str]:
    keys: set[str] = set()
    for module in (models, measure_models):
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, BaseModel):
                keys |= {info.alias or name for name, info in each.model_fields.items()}
    return frozenset(keys)


_KEYS = _known_keys()


def suggest(name: str, known: Collection[str]) -> str:
    """Return what may have been meant: a close name, else the names if they are few.

    Example:
        >>> suggest("ofice", ["office", "regime"])
        "did you mean 'office'?"
        >>> suggest("x", ["office", "regime"])
        'one of office, regime'
    """
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    if not known:
        return "there is none"
    shown = sorted(known)[:_MANY]
    return f"one of {', '.join(shown)}{', ...' if len(known) > _MANY else ''}"


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """Return the words about a name that nothing bears."""
    return f"unknown {what} {name!r}; {suggest(name, known)}"


def repeated(names: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield position and name of everything that was there before."""
    seen: set[str] = set()
    for at, name in enumerate(names):
        if name in seen:
            yield at, name
        seen.add(name)


def place_and_words(error: ErrorDetails, data: object, place: str) -> tuple[str, str]:
    """Return where in the file an error of form is, and what to say about it.

    Args:
        error: One of pydantic's.
        data: What was validated, as it was read.
        place: The path of `data` in the file.
    """
    here, path = data, place
    for at, key in enumerate(error["loc"]):
        if isinstance(here, Mapping):
            if key in here:
                here, path = here[key], step(path, key)
            elif at == len(error["loc"]) - 1 and error["type"] == "missing":
                path = step(path, key)
            # Anything else is pydantic's name for one member of a union.
        elif isinstance(here, list) and isinstance(key, int) and key < len(here):
            here, path = here[key], step(path, key)
    if error["type"].startswith("union_tag"):
        path = step(path, "kind")
    return path, _words(error, path)


def _text(found: object) -> str:
    if found is None:
        return "is empty; write a text"
    if isinstance(found, Mapping | list):
        return "must be a text"
    return f'{found} is not a text; write it in quotes: "{found}"'


def _allowed(expected: object) -> list[str]:
    return str(expected).replace("'", "").replace(" or ", ", ").split(", ")


_WORDS: Mapping[str, Callable[[Any, Mapping[str, Any]], str]] = {
    "missing": lambda _, __: "is missing",
    "union_tag_not_found": lambda _, __: "is missing",
    "string_too_short": lambda _, __: "is empty; write a text",
    "too_short": lambda _, __: "is empty; name at least one",
    "string_type": lambda found, _: _text(found),
    "string_pattern_mismatch": lambda found, ctx: f"{found!r} is not {SHAPES[ctx['pattern']]}",
    "literal_error": lambda found, ctx: (
        f"{found!r} is unknown; {suggest(str(found), _allowed(ctx['expected']))}"
    ),
    "enum": lambda found, ctx: (
        f"{found!r} is unknown; {suggest(str(found), _allowed(ctx['expected']))}"
    ),
    "union_tag_invalid": lambda _, ctx: (
        f"unknown kind {ctx['tag']!r}; {suggest(ctx['tag'], _allowed(ctx['expected_tags']))}"
    ),
    "value_error": lambda _, ctx: str(ctx["error"]),
    "date_type": lambda found, _: f"{found!r} is not a date; write 2026-12-31 without quotes",
    "tuple_type": lambda _, __: "must be a list",
    "dict_type": lambda _, __: "must be a mapping of keys to values",
    "model_type": lambda _, __: "must be a mapping of keys to values",
    "int_type": lambda found, _: f"{found!r} is not a whole number",
    "float_type": lambda found, _: f"{found!r} is not a number",
    "greater_than": lambda found, ctx: f"{found} is not more than {ctx['gt']:g}",
    "greater_than_equal": lambda found, ctx: f"{found} is less than {ctx['ge']:g}",
    "less_than_equal": lambda found, ctx: f"{found} is more than {ctx['le']:g}",
    "bool_type": lambda found, _: f"{found!r} is not true or false",
}
"""By pydantic's name for the error; takes what was found and the error's context."""


def _words(error: ErrorDetails, path: str) -> str:
    found = error["input"]
    if error["type"] == "extra_forbidden":
        key = path.rpartition(".")[2]
        close = difflib.get_close_matches(key, _KEYS - {key}, n=1)
        return f"unknown key; {f'did you mean {close[0]!r}?' if close else 'remove it'}"
    words = _WORDS.get(error["type"])
    if words is not None:
        return words(found, error.get("ctx", {}))
    message = error["msg"]
    return f"{message[0].lower()}{message[1:]}, not {found!r}"
