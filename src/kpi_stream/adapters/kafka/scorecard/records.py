"""How readings and transitions look in their topics: JSON, one object a record.

The key is the series, `kpi|window|dimension|member`. `kpi.readings` is compacted: its last record
of a key is the present. A judged reading carries its status and what the scorecard remembers of
it, so the topic is the memory that a restart begins with. `kpi.transitions` is a log; `sequence`
numbers the changes of a series, so a reader can tell a change told twice.
"""

import json
from datetime import UTC, datetime

from kpi_stream.application.judge import Judged, Transition
from kpi_stream.domain.hysteresis import StatusState
from kpi_stream.domain.readings import NoData, Reading, SeriesKey
from kpi_stream.domain.status import Status
from kpi_stream.domain.trajectory import to_ms


def encode_key(key: SeriesKey) -> bytes:
    """Return the record key of a series.

    Example:
        >>> encode_key(SeriesKey("release-time", "30d", "office", "118"))
        b'release-time|30d|office|118'
    """
    return "|".join(key).encode()


def decode_key(key: bytes) -> SeriesKey:
    """Return the series of a record key.

    Raises:
        ValueError: It is not the key of a series.
    """
    parts = key.decode().split("|")
    if len(parts) != len(SeriesKey._fields):
        msg = f"not the key of a series: {key!r}"
        raise ValueError(msg)
    return SeriesKey(*parts)


def encode_reading(reading: Reading, judged: Judged | None, as_of_ms: int) -> bytes:
    """Return the record of a reading at an instant, with its status where it has a target."""
    record: dict[str, object] = {
        **reading.key._asdict(),
        "as_of": _time(as_of_ms),
        "value": reading.value,
        "numerator": reading.numerator,
        "denominator": reading.denominator,
        "samples": reading.samples,
        "no_data": reading.no_data,
    }
    if judged is not None:
        state = judged.state
        record |= {
            "expected": judged.expected,
            "attainment": judged.attainment,
            "status": state.status,
            "status_since": _time(state.since_ms),
            "target": judged.target.id,
            "target_version": judged.target.version,
            "state": {
                "sequence": state.sequence,
                "candidate": state.candidate,
                "held": state.held,
                "target": state.target,
            },
        }
    return _json(record)


def decode_state(value: bytes) -> tuple[int, StatusState | None]:
    """Return (as_of in milliseconds, what was remembered) of a reading's record.

    Raises:
        ValueError: It is not the record of a reading.
    """
    try:
        record = json.loads(value)
        as_of_ms = _ms(record["as_of"])
        if "state" not in record:
            return as_of_ms, None
        state = record["state"]
        candidate = state["candidate"]
        return as_of_ms, StatusState(
            Status(record["status"]),
            _ms(record["status_since"]),
            int(state["sequence"]),
            None if candidate is None else Status(candidate),
            int(state["held"]),
            str(state["target"]),
        )
    except (KeyError, TypeError, AttributeError) as err:
        msg = f"not the record of a reading: {value[:200]!r}"
        raise ValueError(msg) from err


def encode_transition(transition: Transition) -> bytes:
    """Return the record of a status that changed."""
    return _json(
        {
            **transition.key._asdict(),
            "sequence": transition.sequence,
            "from": transition.before,
            "to": transition.after,
            "as_of": _time(transition.as_of_ms),
            "value": transition.value,
            "expected": transition.expected,
            "goal": transition.goal,
            "low": transition.low,
            "samples": transition.samples,
            "no_data": transition.no_data,
            "target": transition.target,
            "target_version": transition.version,
            "state": {"target": transition.digest},
        }
    )


def decode_transition(key: SeriesKey, value: bytes) -> Transition:
    """Return a transition.

    Raises:
        ValueError: It is not the record of one.
    """
    try:
        record = json.loads(value)
        no_data = record["no_data"]
        return Transition(
            key,
            int(record["sequence"]),
            Status(record["from"]),
            Status(record["to"]),
            _ms(record["as_of"]),
            record["value"],
            record["expected"],
            record["goal"],
            record["low"],
            int(record["samples"]),
            None if no_data is None else NoData(no_data),
            str(record["target"]),
            int(record["target_version"]),
            str(record["state"]["target"]),
        )
    except (KeyError, TypeError, AttributeError) as err:
        msg = f"not the record of a transition: {value[:200]!r}"
        raise ValueError(msg) from err


def _json(record: dict[str, object]) -> bytes:
    return json.dumps(record, separators=(",", ":"), allow_nan=False).encode()


def _time(ms: int) -> str:
    whole, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def _ms(text: str) -> int:
    return to_ms(datetime.fromisoformat(text))
