"""How subjects and rows are written in the state topics: msgpack and JSON, by msgspec.

A subject is `[newest_ms, reached, conflicting, [facts by slot], [corrected ids]]`; a slot is nil or
a list of `[recorded_ms, event_id, occurred_ms, [values]]`. A row is a JSON object of its counters,
so that a person can read the topic.
"""

import msgspec

from kpi_stream.domain.errors import StateError
from kpi_stream.domain.events import TYPES_OF_KIND, Fact, Kind
from kpi_stream.domain.subject import Subject

_State = tuple[int, int, bool, list[list[Fact] | None], list[str]]
_Head = tuple[int, int, bool, msgspec.Raw, list[str]]


class MsgspecStateCodec:
    """Implements `application.ports.StateCodec`."""

    subject_head = b"\x95"
    """An array of five, in msgpack."""

    def __init__(self) -> None:
        """Build the coders once; they are reused for every record."""
        self._pack = msgspec.msgpack.Encoder().encode
        self._unpack = msgspec.msgpack.Decoder(_State).decode
        self._unpack_head = msgspec.msgpack.Decoder(_Head).decode
        self.encode_counters = msgspec.json.Encoder(order="sorted").encode
        self.encode_ordered = msgspec.json.Encoder().encode
        self._counters = msgspec.json.Decoder(dict[str, int]).decode

    def encode_subject(self, subject: Subject) -> bytes:
        """Return a subject's state as bytes."""
        return self._pack(
            (
                subject.newest_ms,
                subject.reached,
                subject.conflicting,
                subject.facts,
                subject.corrected,
            )
        )

    def decode_subject(self, kind: Kind, record: bytes) -> Subject:
        """Return the state that `encode_subject` wrote.

        Raises:
            StateError: The bytes are not a state of that kind.
        """
        try:
            newest_ms, reached, conflicting, facts, corrected = self._unpack(record)
        except msgspec.DecodeError as err:
            msg = f"a {kind} record cannot be read: {err}"
            raise StateError(msg) from err
        missing = len(TYPES_OF_KIND[kind]) - len(facts)
        if missing:
            # Slots are append-only: an older record simply lacks the newest milestones.
            facts.extend([None] * missing)
        return Subject(kind, facts, corrected, newest_ms, reached=reached, conflicting=conflicting)

    def reached(self, record: bytes) -> int | None:
        """Return one bit a slot that has facts, without decoding the rest.

        None where they do not say what counts: corrections may have taken some of them back, or
        the bytes are not a state.
        """
        try:
            _, reached, _, _, corrected = self._unpack_head(record)
        except msgspec.DecodeError:
            return None
        return None if corrected else reached

    def decode_counters(self, record: bytes) -> dict[str, int]:
        """Return the counters that `encode_counters` wrote.

        Raises:
            StateError: The bytes are not the counters of a row.
        """
        try:
            return self._counters(record)
        except msgspec.DecodeError as err:
            msg = f"a row record cannot be read: {err}"
            raise StateError(msg) from err
