"""The example messages: one accepted and at least one rejected for each type of event.

`accepted/<type>.json` is the message; `rejected/<type>.<reason>[-detail].json` is one that must be
rejected for just that reason. The Kafka key of every message of a type is the subject of its
accepted example, so that a key mismatch can be shown as well.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.domain.errors import Reason

FOLDER = Path(__file__).parents[1] / "examples" / "events"
OFFICES = frozenset({"118", "235"})
SKEW_MS = 300_000
MAX_BYTES = 4096
RECEIVED_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z, after everything in the examples that is not from the future."""


@dataclass(frozen=True)
class Rejected:
    """A message that must not be accepted."""

    name: str
    type: str
    reason: Reason
    value: bytes


def codec() -> EventCodec:
    """Return the codec that the examples are made for."""
    return EventCodec(OFFICES, SKEW_MS, MAX_BYTES)


def accepted() -> dict[str, bytes]:
    """Return the accepted messages by event type."""
    return {path.stem: path.read_bytes() for path in sorted((FOLDER / "accepted").glob("*"))}


def rejected() -> list[Rejected]:
    """Return the rejected messages, with what their file names say."""
    found = []
    for path in sorted((FOLDER / "rejected").glob("*")):
        event_type, _, why = path.stem.rpartition(".")
        reason = Reason(why.partition("-")[0])
        found.append(Rejected(path.stem, event_type, reason, path.read_bytes()))
    return found


def key_of(event_type: str) -> bytes:
    """Return the Kafka key of the messages of a type."""
    subject: str = json.loads(accepted()[event_type])["subject"]
    return subject.encode()
