"""The job as Quix Streams does it: a stateful apply, a group by, a tumbling window."""

import atexit
from datetime import timedelta
from typing import Any

import counting
import quixstreams.dataframe.windows.aggregations as agg
from quixstreams import Application, State

app = Application(
    broker_address=counting.BROKERS,
    consumer_group=counting.GROUP,
    auto_offset_reset="earliest",
    commit_interval=1.0,
    state_dir=counting.STATE,
    processing_guarantee=counting.GUARANTEE,
    consumer_extra_config={"session.timeout.ms": 10_000},
    loglevel="WARNING",
)


def wanted(event: dict[str, Any]) -> bool:
    """Keep the two types that matter."""
    counting.event()
    counting.check()
    return event["type"] in counting.PLACE


def join(event: dict[str, Any], state: State) -> dict[str, Any] | None:
    """Return how long a declaration took, once both moments are known."""
    moments = state.get("moments") or [0, 0]
    before = moments[0] and moments[1]
    moments[counting.PLACE[event["type"]]] = counting.seconds(event["occurred_at"])
    state.set("moments", moments)
    if not moments[0] or not moments[1] or before:
        return None
    return {"office": event["office"], "seconds": moments[1] - moments[0]}


def counted(_: object) -> None:
    """Note one release that is in its pane."""
    counting.count["released"] += 1
    counting.check()


frame = app.dataframe(app.topic(counting.IN, key_deserializer="str", value_deserializer="json"))
frame = frame.filter(wanted).apply(join, stateful=True).filter(lambda found: found is not None)
frame = frame.group_by("office", key_serializer="str", key_deserializer="str")
# With a short grace a replayed backlog silently loses results.
window = frame.tumbling_window(timedelta(seconds=counting.PANE_S), grace_ms=timedelta(days=30))
frame = window.agg(n=agg.Count(), s=agg.Sum("seconds")).current()
frame = frame.update(counted)
frame = frame.to_topic(app.topic(counting.OUT, key_serializer="str", value_serializer="json"))

if __name__ == "__main__":
    atexit.register(counting.say, "CLOSED")
    app.run()
