import json

import msgspec
import pytest

from kpi_stream.adapters.kafka.dead_letter_log import Letter, Origin, Place
from kpi_stream.cli.letters import as_json, as_text


def letter(value: bytes | None, key: bytes | None = b"k") -> Letter:
    """A dead letter with a header that is no text and one that would clear a screen."""
    headers = (("trace", b"\xff\x00"), ("title", b"\x1b[2J"))
    origin = Origin("customs.events", 2, 9, 1_000)
    return Letter(
        Place(2, 17),
        2_000,
        key,
        value,
        headers,
        "not_json",
        "d\u202e",
        origin,
        1,
        500,
        {"value": 9},
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b'{"a":1.10,"b":[1e999]}', '    {\n      "a": 1.10,\n      "b": [\n        1e999'),
        (b"{cut", "    {cut\n"),
        (b"line\nline\xc2\x9b", "    line\n    line\\x9b\n"),
        (
            b"\xff" * 40,
            "    ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff\n",
        ),
        (None, "(a tombstone: no value)"),
        (b"", "(empty)"),
        (b"[" * 3_000 + b"]" * 3_000, "[[["),
    ],
)
def test_any_value_is_shown_and_none_harms_a_terminal(value: bytes | None, said: str) -> None:
    """JSON laid out with its numbers as they came, text escaped, other bytes in hex."""
    text = as_text(letter(value), redriven=True)
    assert text.startswith("letter 2:17, sent back\n")
    assert said in text
    assert "header    trace = ff00 (hex)\n" in text
    assert "header    title = \\x1b[2J\n" in text
    assert "tries     1, first received 1970-01-01 00:00Z" in text
    assert "not kept whole: value 9 bytes" in text
    assert all(each.isprintable() or each == "\n" for each in text)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b'{ "a":\n1.10 }', {"value": {"a": 1.1}}),
        (b"NaN", {"text": "NaN"}),
        (b"\xff", {"base64": "/w=="}),
        (None, {"text": None}),
    ],
)
def test_json_is_one_line_and_says_what_the_value_is(
    value: bytes | None, said: dict[str, object]
) -> None:
    """`value` is there for JSON alone: such a line is a fix."""
    line = msgspec.json.encode(as_json(letter(value, key=None), redriven=False))
    assert b"\n" not in line
    found = json.loads(line)
    assert said.items() <= found.items()
    assert ("value" in found) == ("value" in said)
    assert (found["letter"], found["key"], found["tries"]) == ("2:17", None, 1)
    assert found["origin"]["first_received_at"] == "1970-01-01T00:00:00.500+00:00"
    assert found["headers"][0] == {"name": "trace", "base64": "/wA="}
