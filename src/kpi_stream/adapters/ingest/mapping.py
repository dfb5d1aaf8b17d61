"""The mapping file: how a row of somebody else's CSV file becomes events.

Two shapes, and mixtures of them:

* long: one row an event, as process mining exports it. `activity` names the column that says which
  event it is, and each entry of `events` names its `activity`.
* wide: one row a case with one column a time. Each entry of `events` names the column of its time;
  an empty cell means that it did not happen (yet).
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from kpi_stream.domain.errors import InputError
from kpi_stream.domain.events import BY_NAME


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Scalar = str | int | float | bool | None
"""A value as YAML or JSON writes it."""


class Cell(_Model):
    """Where a field's value comes from, and what to make of it."""

    column: str | None = None
    constant: Scalar = None
    values: dict[str, Scalar] | None = None
    """What the cell may say, and what that means; anything else is an error."""
    convert: Literal["text", "integer", "number", "cents", "boolean", "hash"] = "text"
    """`cents`: an amount in major units becomes integer cents. `hash`: a stable pseudonym."""
    default: Scalar = None
    """Used where the cell is empty; without one an empty cell leaves the field out."""
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " "] = ""
    width: Annotated[int, Field(ge=0, le=64)] = 0
    """Text is filled with zeros from the left to this many characters."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.column is None) == (self.constant is None):
            msg = "name either a column or a constant"
            raise ValueError(msg)
        if self.thousands == self.decimal:
            msg = "thousands and decimal are the same character"
            raise ValueError(msg)
        return self


class Time(_Model):
    """A column with a time."""

    column: str
    format: str = "iso"
    """`iso`, or a format of Python's strptime such as `%d/%m/%Y %H:%M`."""
    time_zone: str | None = None
    """IANA name; needed where the times do not say their offset."""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError) as err:
                msg = f"unknown time zone {name!r}; write an IANA name such as America/Lima"
                raise ValueError(msg) from err
        return name


class Condition(_Model):
    """Which rows an event is made from."""

    column: str
    any_of: tuple[str, ...]


class EventMap(_Model):
    """One event type, and how it is filled."""

    type: str
    activity: str | None = None
    occurred_at: Time | None = None
    """Overrides the mapping's own."""
    when: Condition | None = None
    fields: dict[str, Cell] = {}

    @field_validator("type")
    @classmethod
    def _known_type(cls, name: str) -> str:
        if name not in BY_NAME:
            msg = f"unknown event type {name!r}; one of {', '.join(sorted(BY_NAME))}"
            raise ValueError(msg)
        return name


class Mapping(_Model):
    """A whole mapping file."""

    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8-sig"
    subject: Cell
    """What the event is about, for example the number of the declaration."""
    office: Cell
    source: str = ""
    activity: str | None = None
    """Long shape: the column that says which event a row is."""
    ignore: tuple[str, ...] = ()
    """Activities that are no event; any other unknown activity is rejected."""
    occurred_at: Time | None = None
    recorded_at: Time | None = None
    """None: an event is recorded when it occurs."""
    event_id: Cell | None = None
    """None: made from the content, so that sending a file twice changes nothing."""
    events: Annotated[tuple[EventMap, ...], Field(min_length=1)]

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            by_line = "a\n".encode(name).endswith(b"a\n")
        except LookupError:
            by_line = False
        if not by_line:
            msg = f"cannot read {name!r}; write utf-8, latin-1, cp1252 or another 8-bit encoding"
            raise ValueError(msg)
        return name

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for number, event in enumerate(self.events):
            if (event.activity is None) != (self.activity is None):
                msg = f"events[{number}]: `activity` belongs here exactly if the mapping has one"
                raise ValueError(msg)
            if event.occurred_at is None and self.occurred_at is None:
                msg = f"events[{number}]: no `occurred_at`, neither here nor for the whole mapping"
                raise ValueError(msg)
            if self.event_id is not None and self.activity is None:
                msg = "`event_id` needs one event a row (the long shape)"
                raise ValueError(msg)
        return self

    def columns(self) -> tuple[str, ...]:
        """Return every column that the mapping reads, in a stable order."""
        cells = [self.subject, self.office, self.event_id]
        times = [self.occurred_at, self.recorded_at]
        names = [self.activity]
        for event in self.events:
            cells += event.fields.values()
            times.append(event.occurred_at)
            names.append(event.when.column if event.when else None)
        names += [each.column for each in (*cells, *times) if each is not None]
        return tuple(dict.fromkeys(name for name in names if name is not None))


def read_mapping(path: Path) -> Mapping:
    """Return the mapping of a YAML file.

    Raises:
        InputError: The file is missing or wrong; the text names every problem with its place.
    """
    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as err:
        msg = f"{path}: cannot be read: {err.strerror}"
        raise InputError(msg) from err
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        msg = f"{path}: is not YAML: {err}"
        raise InputError(msg) from err
    try:
        return Mapping.model_validate(document)
    except ValidationError as err:
        problems = [
            f"{path}: {_place(problem['loc'])}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in err.errors()
        ]
        raise InputError("\n".join(problems)) from err


def _place(location: tuple[int | str, ...]) -> str:
    place = ""
    for part in location:
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    return place.removeprefix(".") or "mapping"
