"""The job as Bytewax does it; run by `python -m bytewax.run`, which takes the recovery's options.

It reads to the end of the log and ends then: a window is written when it closes.
"""

import atexit
from datetime import UTC, datetime, timedelta

import bytewax.operators as op
import bytewax.operators.windowing as win
import counting
import orjson
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow

_ALIGNED = datetime(2026, 1, 1, tzinfo=UTC)
# Results are lost where one partition lags behind another for longer than this. All of a small feed
# is read from one partition before the next.
_WAIT = timedelta(hours=24) if counting.EVENTS > 500_000 else timedelta(days=30)


def decode(message: KafkaSourceMessage) -> tuple[str, tuple[int, int, str]] | None:
    """Keep the two types that matter, by declaration."""
    counting.event()
    event = orjson.loads(message.value)
    place = counting.PLACE.get(event["type"])
    if place is None:
        return None
    return event["subject"], (place, counting.seconds(event["occurred_at"]), event["office"])


def join(
    moments: tuple[int, int] | None, event: tuple[int, int, str]
) -> tuple[tuple[int, int], tuple[str, tuple[int, int]] | None]:
    """Return the moments, and (office, (released, seconds)) once both are known."""
    place, at, office = event
    arrived, released = moments or (0, 0)
    before = arrived and released
    arrived, released = (at, released) if place == 0 else (arrived, at)
    done = arrived and released and not before
    return (arrived, released), (office, (released, released - arrived)) if done else None


def add(total: tuple[int, int], joined: tuple[int, int]) -> tuple[int, int]:
    """Count one release in its pane."""
    counting.count["released"] += 1
    return total[0] + 1, total[1] + joined[1]


def message(pane: tuple[str, tuple[int, tuple[int, int]]]) -> KafkaSinkMessage[bytes, bytes]:
    """Return a pane as it is written."""
    office, (number, (count, total)) = pane
    start = int(_ALIGNED.timestamp()) + number * counting.PANE_S
    return KafkaSinkMessage(f"{office}|{start}".encode(), orjson.dumps({"n": count, "s": total}))


atexit.register(counting.say, "LAST")
flow = Dataflow("peers")
source = op.input("in", flow, KafkaSource([counting.BROKERS], [counting.IN], tail=False))
events = op.filter_map("decode", source, decode)
joined = op.filter_map("unkey", op.stateful_map("join", events, join), lambda pair: pair[1])
panes = win.fold_window(
    "panes",
    joined,
    win.EventClock(
        ts_getter=lambda pair: datetime.fromtimestamp(pair[0], UTC),
        wait_for_system_duration=_WAIT,
    ),
    win.TumblingWindower(length=timedelta(seconds=counting.PANE_S), align_to=_ALIGNED),
    lambda: (0, 0),
    add,
    lambda one, other: (one[0] + other[0], one[1] + other[1]),
    ordered=False,
)
op.output(
    "out", op.map("message", panes.down, message), KafkaSink([counting.BROKERS], counting.OUT)
)
