"""Messages to events: every check that one message can be put to, in a fixed order.

The verdict depends on the message, its key and `received_ms` alone (no clock), so a feed that is
read again gives the same events and the same rejects.
"""

import json
import re
from collections.abc import Mapping

from kpi_stream.adapters.events.fast import fast_decoder
from kpi_stream.adapters.events.strict import decode_strictly
from kpi_stream.domain.errors import EventRejected, Reason
from kpi_stream.domain.events import Event

DEEPEST = 64
"""Levels of nesting that a message of over 1000 bytes may have; an event needs one."""

# A message this short cannot nest deeply enough to exhaust the interpreter's stack.
_SHORT = 1000
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)


class EventCodec:
    """Decodes and checks messages for the offices of one strategy."""

    def __init__(self, offices: frozenset[str], skew_ms: int, max_bytes: int) -> None:
        """Derive the decoders.

        Args:
            offices: The codes that events may name.
            skew_ms: By how many milliseconds a time may be ahead of the next one in the chain
                occurred_at, recorded_at, received.
            max_bytes: The longest value that is looked at.
        """
        self._offices = offices
        self._skew_ms = skew_ms
        self._max_bytes = max_bytes
        self._plain_bytes = min(_SHORT, max_bytes)
        self._fast = fast_decoder(offices, skew_ms)

    def decode(self, key: bytes | None, value: bytes | None, received_ms: int) -> Event:
        """Return the event of a Kafka record.

        Args:
            key: The record's key; must be the event's subject.
            value: The record's value; None is a tombstone, which is no event.
            received_ms: The record's timestamp, milliseconds since 1970 UTC.

        Raises:
            EventRejected: Dead-letter the record with this reason and detail.
        """
        if key is None:
            raise EventRejected(Reason.KEY_MISMATCH, "key: should be the subject, but is null")
        event = self.decode_value(value, received_ms)
        if event[0].encode() != key:
            raise EventRejected(Reason.KEY_MISMATCH, "key: should equal the subject")
        return event

    def decode_value(self, value: bytes | None, received_ms: int) -> Event:
        """Return the event of a line of a file, which has no key; as `decode` otherwise."""
        if value is None:
            raise EventRejected(Reason.NOT_JSON, "should be an event, but is a tombstone")
        if len(value) > self._plain_bytes or not value.isascii():
            self._check_bytes(value)
        event = self._fast(value, received_ms)
        return event if event is not None else self._decide(value, received_ms)

    def _decide(self, value: bytes, received_ms: int) -> Event:
        """Return the event as the contract sees it: the precise half of `decode_value`."""
        event, office = decode_strictly(value)
        fact = event.fact
        if fact.occurred_ms > fact.recorded_ms + self._skew_ms:
            detail = "occurred_at: should not be later than recorded_at"
            raise EventRejected(Reason.FUTURE_TIME, detail)
        if fact.recorded_ms > received_ms + self._skew_ms:
            detail = "recorded_at: should not be later than the receipt of the event"
            raise EventRejected(Reason.FUTURE_TIME, detail)
        if office not in self._offices:
            detail = f"office: {office} should be an office of the strategy"
            raise EventRejected(Reason.UNKNOWN_OFFICE, detail)
        return event

    def _check_bytes(self, value: bytes) -> None:
        """Refuse what no decoder should see; short ASCII values need no such look."""
        if len(value) > self._max_bytes:
            detail = f"{len(value)} bytes; should be at most {self._max_bytes}"
            raise EventRejected(Reason.OVERSIZED, detail)
        try:
            value.decode()  # msgspec does not look into the text of fields that it skips
        except UnicodeDecodeError as error:
            detail = f"should be UTF-8; byte {error.start} is not"
            raise EventRejected(Reason.NOT_JSON, detail) from None
        if len(value) > _SHORT and value.count(b"[") + value.count(b"{") > DEEPEST:
            _check_depth(value)

    def validate(self, event: Mapping[str, object], received_ms: int) -> Event:
        """Return the event that a producer is about to send as a mapping.

        Raises:
            EventRejected: Do not send it; the worker would dead-letter it for the same reason.
        """
        try:
            value = json.dumps(event).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise EventRejected(Reason.NOT_JSON, f"should be JSON: {error}") from None
        return self.decode_value(value, received_ms)


def _check_depth(value: bytes) -> None:
    """Refuse deep nesting here, since where a decoder gives up depends on the caller's stack."""
    depth = 0
    for mark in _MARKS.finditer(value):
        if mark[0] in {b"[", b"{"}:
            depth += 1
            if depth > DEEPEST:
                raise EventRejected(Reason.NOT_JSON, f"should nest at most {DEEPEST} levels deep")
        elif mark[0] in {b"]", b"}"}:
            depth -= 1
