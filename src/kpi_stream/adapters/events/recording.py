"""What can be told of an event without decoding all of it: for long logs."""

import re
from collections.abc import Callable, Iterable

import msgspec

from kpi_stream.adapters.events.times import NotAnInstant, instant_ms


class _Recorded(msgspec.Struct, gc=False):
    recorded_at: str


_decode = msgspec.json.Decoder(_Recorded).decode


def recorded_ms(value: bytes) -> int | None:
    """Return `recorded_at` in milliseconds since 1970 UTC; None where there is none to be read.

    Whether the event would be accepted is another question, which costs six times as much.
    """
    try:
        return instant_ms(_decode(value).recorded_at)
    except (msgspec.MsgspecError, NotAnInstant, RecursionError, UnicodeDecodeError):
        return None


def one_of(types: Iterable[str]) -> Callable[[bytes], bool]:
    """Return a function that tells which messages are certainly of one of these types.

    One that corrects another event is not, nor one that has a second place to look for its type.
    Whether the event would be accepted is another question.
    """
    names = "|".join(map(re.escape, sorted(types)))
    if not names:
        return lambda _: False
    search = re.compile(rf'"type"\s*:\s*"(?:{names})"'.encode()).search

    def is_one(value: bytes) -> bool:
        return (
            search(value) is not None
            and b'"corrects"' not in value
            and b"\\" not in value
            and value.count(b'"type"') == 1
        )

    return is_one
