"""The position record: up to where a state topic's partition has the events applied.

It lies under the reserved key in both state topics and is the last record of every flush, so a
reader of the topic knows how fresh the rest is, and a worker knows where to go on.
"""

import json
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from kpi_stream.domain.errors import StateError

_NUMBERS = ("applied", "end", "flushed_ms")
_OPTIONAL = ("position", "rejects", "switch", "state_id", "state_begin")


@dataclass(frozen=True, slots=True)
class Position:
    """What one position record says."""

    applied: int
    """The offset of the last event applied; -1 before the first."""
    end: int
    """The end of the source partition as last seen: the next offset to be written."""
    topic_id: str | None
    """The id of the source topic, which changes when it is created again; None where unknown."""
    flushed_ms: int
    """When it was written; ms since 1970."""
    position: int | None = None
    """The next offset to be read; beyond applied + 1 where the log ends in transaction markers."""
    meta: Mapping[str, object] = field(default_factory=dict)
    """What the fold adds: watermark_ms, fingerprint, state_version."""
    rejects: Mapping[str, int] = field(default_factory=dict)
    """How many of the last events were rejected; see `dead_letters.RejectWatch`."""
    switch: int = 0
    """The number of the switch of epochs since when this epoch judges the events itself; those that
    it counted before, or while another served, have their dead letters from that one."""
    state_id: str | None = None
    """The id of the topic that it lies in, as it was when the partition was opened; None where
    unknown. A topic that was created again under a worker gets the id of the one before."""
    state_begin: int = 0
    """The first offset of the topic's partition that belongs to the state; a log that begins later
    has lost a part of it."""

    def to_bytes(self) -> bytes:
        """Return the record's value: one flat JSON object."""
        own: dict[str, object] = {
            "applied": self.applied,
            "end": self.end,
            "topic_id": self.topic_id,
            "flushed_ms": self.flushed_ms,
        }
        if self.position is not None:
            own["position"] = self.position
        if self.rejects:
            own["rejects"] = dict(self.rejects)
        if self.switch:
            own["switch"] = self.switch
        if self.state_id is not None:
            own["state_id"] = self.state_id
        if self.state_begin:
            own["state_begin"] = self.state_begin
        return json.dumps({**self.meta, **own}, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, value: bytes | None, where: str) -> Self:
        """Read a record's value.

        Args:
            value: The value; None (a tombstone) is as wrong as a damaged one.
            where: Topic, partition and offset, for the error's text.

        Raises:
            StateError: It is no position record.
        """
        try:
            stored = json.loads(value or b"")
            own: dict[str, Any] = {name: operator.index(stored.pop(name)) for name in _NUMBERS}
            own |= {name: stored.pop(name) for name in _OPTIONAL if name in stored}
            return cls(**own, topic_id=stored.pop("topic_id"), meta=stored)
        except (ValueError, KeyError, AttributeError, TypeError) as err:
            msg = f"{where}: the position record is damaged ({value!r})"
            raise StateError(msg) from err
