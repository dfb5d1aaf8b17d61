"""A dead letter on paper: whatever its bytes are, a terminal is not led astray by them."""

import base64
from datetime import UTC, datetime

import msgspec

from kpi_stream.adapters.kafka.dead_letter_log import Letter
from kpi_stream.bootstrap.common import utc_text

_HEX_BYTES = 4_096
"""What is printed of a value that is no text."""
_HEX_A_LINE = 32


def moment(ms: int) -> str:
    """Return an instant as RFC 3339, to the millisecond."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def printable(text: str) -> str:
    r"""Return the text with everything escaped that a terminal would not print as one character.

    Example:
        >>> printable("ñ\x1b[2J\u202e")
        'ñ\\x1b[2J\\u202e'
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "backslashreplace").decode()
        for each in text
    )


def as_json(letter: Letter, *, redriven: bool, whole: bool = True) -> dict[str, object]:
    """Return the letter for a program; `value` where it is JSON, else `text`, else `base64`."""
    origin = letter.origin
    said: dict[str, object] = {
        "letter": str(letter.place),
        "reason": letter.reason,
        "detail": letter.detail,
        "rejected_at": moment(letter.rejected_ms),
        "redriven": redriven,
        "tries": letter.tries,
        "origin": {
            "topic": origin.topic,
            "partition": origin.partition,
            "offset": origin.offset,
            "received_at": moment(origin.timestamp_ms),
            "first_received_at": moment(letter.first_received_ms),
        },
        **_bytes_json("key", "key_base64", letter.key),
    }
    if whole:
        said["headers"] = [
            {"name": name, **_bytes_json("text", "base64", content)}
            for name, content in letter.headers
        ]
        one_line = _formatted(letter.value, indent=-1)
        if letter.value is None:
            said["text"] = None
        elif one_line is not None:
            said["value"] = msgspec.Raw(one_line)
        else:
            said |= _bytes_json("text", "base64", letter.value)
    if letter.cut:
        said["cut"] = dict(letter.cut)
    return said


def as_text(letter: Letter, *, redriven: bool) -> str:
    """Return the letter for a person; its last lines are the value."""
    origin = letter.origin
    received = utc_text(origin.timestamp_ms)
    lines = [
        f"letter {letter.place}" + ", sent back" * redriven,
        f"  reason    {printable(letter.reason)}",
        f"  detail    {printable(letter.detail)}",
        f"  rejected  {utc_text(letter.rejected_ms)}",
        f"  from      {printable(origin.topic)} {origin.partition}:{origin.offset}, {received}",
    ]
    if letter.tries:
        first = utc_text(letter.first_received_ms)
        lines.append(f"  tries     {letter.tries}, first received {first}")
    if letter.cut:
        sizes = ", ".join(f"{name} {size} bytes" for name, size in letter.cut.items())
        lines.append(f"  cut       not kept whole: {sizes}")
    lines.append(f"  key       {'none' if letter.key is None else _escaped(letter.key)}")
    lines += [
        f"  header    {printable(name)} = {_escaped(content)}" for name, content in letter.headers
    ]
    return "\n".join([*lines, "  value", *_value_lines(letter.value), ""])


def _value_lines(value: bytes | None) -> list[str]:
    if not value:
        return ["    (a tombstone: no value)" if value is None else "    (empty)"]
    text = _formatted(value, indent=2)
    decoded = _decoded(value if text is None else text)
    if decoded is not None:
        return [f"    {printable(line)}" for line in decoded.split("\n")]
    shown = value[:_HEX_BYTES]
    lines = [
        f"    {shown[at : at + _HEX_A_LINE].hex(' ', 4)}"
        for at in range(0, len(shown), _HEX_A_LINE)
    ]
    more = len(value) - len(shown)
    return lines + ([f"    ... and {more} more bytes"] if more else [])


def _formatted(value: bytes | None, *, indent: int) -> bytes | None:
    """Return JSON laid out anew, its numbers and texts letter for letter; None if it is none."""
    try:
        if not value or _decoded(value) is None:
            return None
        msgspec.json.decode(value, type=msgspec.Raw)
        return msgspec.json.format(value, indent=indent)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _escaped(value: bytes) -> str:
    text = _decoded(value)
    return value.hex() + " (hex)" if text is None else printable(text)


def _bytes_json(text: str, other: str, value: bytes | None) -> dict[str, str | None]:
    if value is None:
        return {text: None}
    decoded = _decoded(value)
    return {other: base64.b64encode(value).decode()} if decoded is None else {text: decoded}
