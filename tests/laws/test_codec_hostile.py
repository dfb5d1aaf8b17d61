"""Whatever arrives, the codec gives an event or a rejection with a known reason, and nothing else.

Not another exception, which would stop the worker, and no work or memory out of proportion, which
would stall it. `tests/support/fuzz_codec.py` asks the same of inputs that atheris makes from the
branches of the code.
"""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kpi_stream.adapters.events.codec import EventCodec
from tests.support.event_examples import OFFICES, SKEW_MS, accepted, rejected
from tests.support.fuzz_codec import judged

EXAMPLES = [*accepted().values(), *(each.value for each in rejected())]
ONE = accepted()["declaration.numbered"].decode().strip()
MIB = 1 << 20
KEYS = st.none() | st.binary(max_size=80) | st.text(max_size=40).map(lambda text: text.encode())
TIMES = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-1, 0, 1_767_225_600_000])

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**320), 10**320)
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*json.loads(ONE), "x"]) | st.text(max_size=5), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=500)
@given(st.none() | st.binary(max_size=300), KEYS, TIMES)
@example(None, None, -1)
def test_any_bytes(value: bytes | None, key: bytes | None, received_ms: int) -> None:
    """Also no bytes at all, any key, and a receipt at any time."""
    judged(key, value, received_ms)


@settings(max_examples=500)
@given(JSON, KEYS)
def test_any_json(value: Any, key: bytes | None) -> None:
    """NaN, huge numbers and lone surrogates are written as Python writes them."""
    judged(key, json.dumps(value).encode())
    judged(key, json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass"))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw an example that was cut, doubled, or had bytes replaced, again and again."""
    value = bytearray(draw(st.sampled_from(EXAMPLES)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(value)))
        end = min(len(value), at + draw(st.integers(0, 12)))
        other = draw(st.sampled_from(EXAMPLES))
        begin = draw(st.integers(0, len(other)))
        value[at:end] = draw(
            st.binary(max_size=6)
            | st.just(bytes(value[at:end]) * 2)
            | st.just(other[begin : begin + draw(st.integers(0, 60))])
            | st.sampled_from([b'"', b"\\", b"\\ud800", b"NaN", b"1e999", b"9" * 400, b"[" * 70])
        )
    return bytes(value)


@settings(max_examples=1_000)
@given(mutated())
def test_damaged_events(value: bytes) -> None:
    """Most of them look like an event for a while."""
    judged(b"x", value)


def _bombs() -> dict[str, bytes]:
    """Inputs of about 1 MiB, each of which costs a careless decoder far more than its size."""
    digits = "9" * 900_000
    inside = ONE[:-1]
    bombs = {
        "open brackets": "[" * MIB,
        "open objects": '{"a":' * (MIB // 5),
        "brackets never too deep": '{"a":[' + "[[[[[[[[]]]]]]]]," * 60_000 + "1]}",
        "open text": '"' + "\\" * (MIB - 1),
        "digits": f'{inside}, "x": {digits}}}',
        "digits in a field": inside.replace('"cif_cents"', f'"cif_cents": {digits}, "x"') + "}",
        "fraction": inside.replace('"cif_cents"', f'"cif_cents": 0.{digits}, "x"') + "}",
        "exponent": inside.replace('"cif_cents"', f'"cif_cents": 1e{digits}, "x"') + "}",
        "NaN and digits": f'{{"type": "declaration.numbered", "a": NaN, "cif_cents": {digits}}}',
        "many NaN": '{"a": [' + "NaN," * 200_000 + "NaN]}",
        "one name again and again": "{" + '"type": "a",' * 80_000 + '"type": "b"}',
        "many names": "{" + ",".join(f'"k{n}":1' for n in range(80_000)) + "}",
        "long subject": inside.replace('"subject"', f'"subject": "{"a" * 900_000}", "x"') + "}",
        "long time": inside.replace('"occurred_at"', f'"occurred_at": "{digits}", "x"') + "}",
        "lone surrogates": '{"type": "' + "\\ud800" * 170_000 + '"}',
        "white space": " " * MIB,
        "nothing": "\0" * MIB,
    }
    return {name: text.encode()[:MIB] for name, text in bombs.items()}


BOMBS = _bombs()


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_cost_no_more_than_their_size(name: str) -> None:
    """1 MiB of the worst, though events are 64 KiB at most by default: memory stays in proportion.

    Work that grows with the square of the size would not end within the test's time.
    """
    codec = EventCodec(OFFICES, SKEW_MS, MIB)
    tracemalloc.start()
    try:
        assert "event" not in judged(b"118-2026-10-000001", BOMBS[name], codec=codec)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 24 * MIB


def test_what_is_too_long_is_not_looked_at() -> None:
    """10 MB, of nothing but brackets, is refused by its length."""
    assert judged(b"k", b"[" * 10_000_000) == "oversized"
