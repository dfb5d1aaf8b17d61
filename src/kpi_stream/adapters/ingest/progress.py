"""How far a file was ingested: a small JSON file beside it, replaced as a whole.

It names what it belongs to (the first bytes of the file, the mapping, the topic), so that a place
in one file is never taken for a place in another.
"""

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path

from kpi_stream.adapters.ingest.reader import HEAD_BYTES, EventFile
from kpi_stream.domain.errors import InputError

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Detail:
    """One rejection, for a person to read."""

    line: int
    reason: str
    detail: str


@dataclass(slots=True)
class Place:
    """What was acknowledged so far, and of what."""

    topic: str
    topic_id: str | None
    mapping: str
    """Digest of the mapping file; empty without one."""
    head_bytes: int
    head: str
    """Digest of the first `head_bytes` bytes of the content."""
    end: int = 0
    """Bytes of the content that are done with."""
    line: int = 0
    """Lines that are done with."""
    accepted: int = 0
    """Events that Kafka has."""
    rejected: dict[str, int] = field(default_factory=dict)
    """Rejections by reason."""
    rejected_bytes: int = 0
    """Length of the file of rejections."""
    details: list[Detail] = field(default_factory=list)
    """The first rejections."""


def place_of(file: EventFile, mapping: Path | None, topic: str, topic_id: str | None) -> Place:
    """Return the place at the start of a file."""
    head = file.head(HEAD_BYTES)
    digest = sha256(mapping.read_bytes()).hexdigest() if mapping else ""
    return Place(topic, topic_id, digest, len(head), sha256(head).hexdigest())


def resume(state: Path, file: EventFile, start: Place) -> Place:
    """Return the place where an earlier run stopped, or the start where there was none.

    Raises:
        InputError: The earlier run had another file, mapping or topic, or its state is damaged.
    """
    try:
        stored = json.loads(state.read_bytes())
        version = stored.pop("version")
        stored["details"] = [Detail(**each) for each in stored["details"]]
        place = Place(**stored)
    except FileNotFoundError:
        return start
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as err:
        raise InputError(_restart(state, "is damaged")) from err
    if version != _VERSION:
        raise InputError(_restart(state, "was written by another version"))
    if place.topic != start.topic or (
        place.topic_id and start.topic_id and place.topic_id != start.topic_id
    ):
        gone = place.topic == start.topic
        why = f"is about {'an earlier topic named' if gone else 'the topic'} {place.topic}"
        raise InputError(_restart(state, why))
    if place.mapping != start.mapping:
        raise InputError(_restart(state, "was written with another mapping"))
    if sha256(file.head(place.head_bytes)).hexdigest() != place.head:
        raise InputError(_restart(state, f"is about another content of {file.path.name}"))
    return place


def save(place: Place, state: Path) -> None:
    """Replace the state file.

    Raises:
        InputError: It cannot be written.
    """
    partial = state.with_name(state.name + ".partial")
    try:
        partial.write_text(json.dumps({"version": _VERSION, **asdict(place)}, indent=1) + "\n")
        partial.replace(state)
    except OSError as err:
        msg = f"{state}: cannot be written: {err.strerror}; the place in the file is kept there"
        raise InputError(msg) from err


def _restart(state: Path, why: str) -> str:
    return f"{state}: {why}; use --restart to forget it and send the file from its first line"
