"""What the jobs in Python have in common: their settings, and what they say about themselves.

A job prints a line at the first event, at every twelfth of them, when all events and releases are
counted, and at its end; the harness reads these lines (runs.py). The jobs in Java do the same.

| variable | meaning |
|---|---|
| PEER_BROKERS, PEER_GROUP | where Kafka is, and the consumer group |
| PEER_IN, PEER_OUT | topics |
| PEER_STATE | folder for the engine's own state |
| PEER_EVENTS, PEER_RELEASES | how many there are |
| PEER_GUARANTEE | in the engine's own words |
"""

import os
import time
from datetime import datetime

BROKERS = os.environ["PEER_BROKERS"]
GROUP = os.environ["PEER_GROUP"]
IN, OUT = os.environ["PEER_IN"], os.environ["PEER_OUT"]
STATE = os.environ["PEER_STATE"]
EVENTS, RELEASES = int(os.environ["PEER_EVENTS"]), int(os.environ["PEER_RELEASES"])
GUARANTEE = os.environ.get("PEER_GUARANTEE", "")

PLACE = {"transport.arrived": 0, "release.granted": 1}
"""Of the two moments of a declaration; other types are not looked at."""
PANE_S = 300
_MARK = max(1, EVENTS // 12)

count = {"events": 0, "released": 0, "done": 0}


def say(moment: str) -> None:
    """Print where the job is, with its processor time so far."""
    print(
        f"{moment} t={time.time():.3f} cpu={time.process_time():.3f} "
        f"events={count['events']} released={count['released']}",
        flush=True,
    )


def event() -> None:
    """Count one event that was read."""
    count["events"] += 1
    if count["events"] == 1:
        say("FIRST")
    elif count["events"] % _MARK == 0:
        say("MARK")


def check() -> None:
    """Say so once everything is counted."""
    if not count["done"] and count["events"] >= EVENTS and count["released"] >= RELEASES:
        count["done"] = 1
        say("LAST")


def seconds(text: str) -> int:
    """Return the seconds since 1970 of an RFC 3339 time."""
    return int(datetime.fromisoformat(text).timestamp())
