"""A row of a CSV file becomes events, as its mapping says."""

import json
from base64 import b32encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from kpi_stream.adapters.ingest.mapping import Cell, EventMap, Mapping, Scalar, Time
from kpi_stream.domain.errors import EventRejected, Reason

Row = dict[str, str]
"""A row by column name; an empty cell is an empty str."""

_TRUE = frozenset({"1", "true", "yes", "y", "si", "sí", "s", "verdadero", "x"})
_FALSE = frozenset({"0", "false", "no", "n", "falso", ""})
_ID_BYTES = 10


def events_of(row: Row, mapping: Mapping) -> Iterator[bytes | EventRejected]:
    """Yield the events of a row as JSON; what cannot be made is yielded as its rejection."""
    try:
        events = _chosen(row, mapping)
        common = _common(row, mapping)
    except EventRejected as rejected:
        yield rejected
        return
    for event in events:
        try:
            made = _event(row, mapping, event, common)
        except EventRejected as rejected:
            yield rejected
        else:
            if made is not None:
                yield made


def _chosen(row: Row, mapping: Mapping) -> list[EventMap]:
    events = [
        event
        for event in mapping.events
        if event.when is None or row[event.when.column].strip() in event.when.any_of
    ]
    if mapping.activity is None:
        return events
    activity = row[mapping.activity].strip()
    if activity in mapping.ignore:
        return []
    named = [event for event in mapping.events if event.activity == activity]
    if not named:
        known = ", ".join(dict.fromkeys(event.activity or "" for event in mapping.events))
        detail = (
            f'column "{mapping.activity}": the mapping has no activity {activity!r}; '
            f"it has {known}; name it under `events` or `ignore`"
        )
        raise EventRejected(Reason.UNKNOWN_TYPE, detail)
    return [event for event in events if event.activity == activity]


def _common(row: Row, mapping: Mapping) -> dict[str, Any]:
    common: dict[str, Any] = {}
    for name, cell in (("subject", mapping.subject), ("office", mapping.office)):
        value = _value(row, cell)
        if value is None:
            detail = f'column "{cell.column}": empty, but every event needs its {name}'
            raise EventRejected(Reason.INVALID_FIELD, detail)
        common[name] = str(value)
    return common


def _event(row: Row, mapping: Mapping, event: EventMap, common: dict[str, Any]) -> bytes | None:
    time = event.occurred_at or mapping.occurred_at
    occurred = _time(row, time) if time else None
    if occurred is None:
        if mapping.activity is None:
            return None  # wide: it has not happened
        detail = f'column "{time.column if time else ""}": empty, but an event needs its time'
        raise EventRejected(Reason.INVALID_FIELD, detail)
    recorded = _time(row, mapping.recorded_at) if mapping.recorded_at else None
    content = {
        "type": event.type,
        "schema_version": 1,
        **common,
        "occurred_at": occurred,
        "recorded_at": recorded or occurred,
        "source": mapping.source,
    }
    for name, cell in event.fields.items():
        value = _value(row, cell)
        if value is not None:
            content[name] = value
    identifier = _value(row, mapping.event_id) if mapping.event_id else None
    content["event_id"] = str(identifier) if identifier is not None else _identifier(content)
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _identifier(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return b32encode(blake2b(canonical, digest_size=_ID_BYTES).digest()).decode().rstrip("=")


def _time(row: Row, time: Time) -> str | None:
    text = row[time.column].strip()
    if not text:
        return None
    try:
        if time.format == "iso":
            moment = datetime.fromisoformat(text)
        else:
            moment = datetime.strptime(text, time.format)  # noqa: DTZ007  (the zone follows)
    except ValueError:
        right = "an ISO time" if time.format == "iso" else f"a time like {time.format}"
        detail = f'column "{time.column}": {text!r} is not {right}'
        raise EventRejected(Reason.INVALID_FIELD, detail) from None
    if moment.tzinfo is None:
        if time.time_zone is None:
            detail = (
                f'column "{time.column}": {text!r} has no offset; '
                "give the mapping's time a `time_zone`"
            )
            raise EventRejected(Reason.NAIVE_TIME, detail)
        moment = moment.replace(tzinfo=ZoneInfo(time.time_zone))
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _value(row: Row, cell: Cell) -> Scalar:
    if cell.column is None:
        return cell.constant
    text = row[cell.column].strip()
    if cell.values is not None and text in cell.values:
        return cell.values[text]
    if not text:
        return cell.default
    if cell.values is not None:
        detail = (
            f'column "{cell.column}": {text!r} is not among the mapping\'s values '
            f"({', '.join(cell.values)})"
        )
        raise EventRejected(Reason.INVALID_FIELD, detail)
    try:
        return _CONVERT[cell.convert](text, cell)
    except (ValueError, ArithmeticError) as err:
        detail = f'column "{cell.column}": {text!r} is not {_NOUN[cell.convert]}'
        raise EventRejected(Reason.INVALID_FIELD, detail) from err


def _number(text: str, cell: Cell) -> Decimal:
    plain = text.replace(cell.thousands, "") if cell.thousands else text
    number = Decimal(plain.replace(cell.decimal, "."))
    if not number.is_finite():
        raise InvalidOperation
    return number


def _integer(text: str, cell: Cell) -> int:
    number = _number(text, cell)
    if number != number.to_integral_value():
        raise ValueError
    return int(number)


def _boolean(text: str, _: Cell) -> bool:
    word = text.casefold()
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE


_CONVERT: dict[str, Callable[[str, Cell], Scalar]] = {
    "text": lambda text, cell: text.zfill(cell.width),
    "integer": _integer,
    "number": lambda text, cell: float(_number(text, cell)),
    "cents": lambda text, cell: int((_number(text, cell) * 100).to_integral_value()),
    "boolean": _boolean,
    "hash": lambda text, _: blake2b(text.encode(), digest_size=8, person=b"ingest").hexdigest(),
}
_NOUN = {
    "text": "text",
    "integer": "a whole number",
    "number": "a number",
    "cents": "an amount",
    "boolean": "yes or no",
    "hash": "text",
}
