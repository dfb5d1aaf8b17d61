"""The least that an engine in Python can do: librdkafka reads, orjson decodes, a dictionary counts.

No state outlives it and nothing is written until its end; a limit, not an engine.
"""

import atexit

import counting
import orjson
from confluent_kafka import Consumer, Producer

BATCH = 5_000


def run() -> None:
    """Read everything, then write the panes."""
    declarations: dict[str, list[int]] = {}
    panes: dict[str, list[int]] = {}
    consumer = Consumer(
        {
            "bootstrap.servers": counting.BROKERS,
            "group.id": counting.GROUP,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "fetch.queue.backoff.ms": 10,
        }
    )
    consumer.subscribe([counting.IN])
    while counting.count["events"] < counting.EVENTS:
        for message in consumer.consume(BATCH, 1.0):
            counting.event()
            event = orjson.loads(message.value())
            place = counting.PLACE.get(event["type"])
            if place is None:
                continue
            moments = declarations.setdefault(event["subject"], [0, 0])
            before = moments[0] and moments[1]
            moments[place] = counting.seconds(event["occurred_at"])
            if moments[0] and moments[1] and not before:
                pane = moments[1] // counting.PANE_S * counting.PANE_S
                total = panes.setdefault(f"{event['office']}|{pane}", [0, 0])
                total[0] += 1
                total[1] += moments[1] - moments[0]
                counting.count["released"] += 1
    counting.check()
    consumer.close()
    producer = Producer({"bootstrap.servers": counting.BROKERS, "linger.ms": 50})
    for key, (number, seconds) in panes.items():
        producer.produce(counting.OUT, orjson.dumps({"n": number, "s": seconds}), key.encode())
        producer.poll(0)
    producer.flush(60)


if __name__ == "__main__":
    atexit.register(counting.say, "CLOSED")
    run()
