"""What the codec owes to any input; as a program, atheris looks for one that it fails.

    python -m tests.support.fuzz_codec -max_total_time=60 [FOLDER]

The options are libFuzzer's. FOLDER keeps the inputs that reached new code; without it the search
begins at the examples each time. An input that fails is written to the current folder. atheris
(Apache-2.0, from PyPI, for CPython 3.11 to 3.13 on Linux) is not among the dependencies.
"""

import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.domain.errors import EventRejected, Reason
from kpi_stream.domain.events import Event
from tests.support.event_examples import RECEIVED_MS, accepted, codec, rejected

_CODEC = codec()
_LONGEST_DETAIL = 400
_KEY_BYTES = 40


def judged(
    key: bytes | None,
    value: bytes | None,
    received_ms: int = RECEIVED_MS,
    *,
    codec: EventCodec = _CODEC,
) -> str:
    """Return `event`, or the reason of the rejection; any other outcome is an error here."""
    try:
        event = codec.decode(key, value, received_ms)
    except EventRejected as err:
        return _reason(err)
    assert isinstance(event, Event)
    assert event.subject.encode() == key
    # A repetition is told by the same bytes giving the same event.
    assert codec.decode(key, value, received_ms) == event
    return "event"


def _reason(rejected: EventRejected) -> str:
    assert isinstance(rejected.reason, Reason)
    assert 0 < len(rejected.detail) <= _LONGEST_DETAIL
    # It becomes a header and a line of a log.
    rejected.detail.encode()
    return rejected.reason.value


def one_input(data: bytes) -> None:
    """Judge the bytes as a value: under the key of its subject, as far as it has one."""
    judged(_subject(data), data)


def _subject(value: bytes) -> bytes:
    """Return what stands behind the first `"subject": "`; finding it is not what is tested."""
    _, _, rest = value.partition(b'"subject": "')
    return rest[:_KEY_BYTES].partition(b'"')[0]


def main(arguments: list[str]) -> None:
    """Search until libFuzzer's limits."""
    fuzz: Any = import_module("atheris")
    fuzz.instrument_all()
    with tempfile.TemporaryDirectory() as folder:
        for number, value in enumerate([*accepted().values(), *(r.value for r in rejected())]):
            Path(folder, f"{number}.json").write_bytes(value)
        fuzz.Setup([sys.argv[0], *arguments, folder], one_input)
        fuzz.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
