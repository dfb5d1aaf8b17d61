"""The position record: up to where a state topic's partition has the events applied.

It lies under the reserved key in both state topics and is the last record of every flush, so a
reader of the topic knows how fresh the rest is, and a worker knows where to go on.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from kpi_stream.domain.errors import StateError


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
        return json.dumps({**self.meta, **own}, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, value: bytes | None, where: str) -> Self:
        """Read a record's value.

        Args:
            value: The value; None (a tombstone) is as wrong as a damaged one.
            where: Topic and partition, for the error's text.

        Raises:
            StateError: It is no position record.
        """
        try:
            stored = json.loads(value or b"")
            own = {name: stored.pop(name) for name in ("applied", "end", "topic_id", "flushed_ms")}
            position, rejects = stored.pop("position", None), stored.pop("rejects", {})
            return cls(**own, position=position, rejects=rejects, meta=stored)
        except (ValueError, KeyError, AttributeError, TypeError) as err:
            msg = f"{where}: the position record is damaged ({value!r})"
            raise StateError(msg) from err
