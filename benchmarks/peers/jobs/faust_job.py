"""The job as plain Faust does it: an agent, two tables with changelogs.

The key of a pane has the source partition, since two partitions count the same office.
"""

import atexit
import sys

import counting
import faust

app = faust.App(
    counting.GROUP,
    broker=f"kafka://{counting.BROKERS}",
    store="memory://",
    datadir=counting.STATE,
    topic_partitions=4,
    topic_replication_factor=1,
    topic_disable_leader=True,
    broker_session_timeout=10,
    broker_rebalance_timeout=10,
    broker_heartbeat_interval=2,
    broker_commit_interval=1.0,
    consumer_auto_offset_reset="earliest",
    stream_wait_empty=False,
    web_enabled=False,
)
events = app.topic(counting.IN, value_serializer="json", key_serializer="raw")
out = app.topic(counting.OUT, value_serializer="json", key_serializer="raw")
declarations = app.Table("declarations", partitions=4)
panes = app.Table("panes", partitions=4)


@app.agent(events)
async def join(stream: faust.Stream[dict[str, str]]) -> None:
    """Join arrival and release; count and add up."""
    async for event in stream:
        counting.event()
        place = counting.PLACE.get(event["type"])
        if place is not None:
            subject = event["subject"]
            moments = list(declarations.get(subject) or (0, 0))
            before = moments[0] and moments[1]
            moments[place] = counting.seconds(event["occurred_at"])
            declarations[subject] = moments
            if moments[0] and moments[1] and not before:
                pane = moments[1] // counting.PANE_S * counting.PANE_S
                partition = stream.current_event.message.partition
                key = f"{event['office']}|{pane}|{partition}"
                number, total = panes.get(key) or (0, 0)
                panes[key] = number, total = [number + 1, total + moments[1] - moments[0]]
                counting.count["released"] += 1
                await out.send(key=key.encode(), value={"n": number, "s": total})
        counting.check()


if __name__ == "__main__":
    atexit.register(counting.say, "CLOSED")
    sys.argv = ["faust", "worker", "--loglevel", "warn", "--without-web"]
    app.main()
