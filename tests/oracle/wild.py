"""A feed without manners: any order, any gap, any contradiction, drawn at random.

The simulator tells plausible stories; this one does not. Milestones come before the registration
or never, events repeat, contradict and correct each other in chains, arrive weeks late and out of
order, and every tenth line is none. Nothing comes so late that its subject has left the state
(30 days after its last event), since the oracle knows no leaving.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.oracle.feed import DEFAULTS

Event = dict[str, Any]

DECLARATION = [kind for kind in DEFAULTS if kind.split(".")[0] not in {
    "declaration", "audit", "enforcement", "appeal", "refund", "aeo", "survey", "target",
}] + ["declaration.amended"]  # fmt: skip
ENDINGS = ("declaration.cancelled", "declaration.rejected", "goods.exited")
ALONE = ("audit.completed", "enforcement.recorded", "survey.answered", "appeal.filed")
LATER = ("release.granted", "goods.exited")
"""Mostly after the arrival, since half of all durations would be 0 otherwise."""
NICKS = {
    "release.granted": ("transport.arrived", 48),
    "review.completed": ("channel.assigned", 24),
}
"""What has to be done within so many hours of what."""
LIMITS = [timedelta(hours=hours) for hours in (0, 0, 0, 24, 24, 48, 48, 120, 168, 720)]
"""Lengths of windows and limits, before an instant of reading."""
SPREAD = timedelta(days=24)
"""Everything about one subject is recorded within this time of its first event."""
CHOICES: dict[str, tuple[Any, ...]] = {
    "regime": ("10", "10", "10", "40", "20", "99"),
    "transport_mode": ("sea", "air", "road", "mail"),
    "clearance_mode": ("anticipated", "deferred", "urgent"),
    "aeo": (True, False, False),
    "electronic": (True, True, False),
    "channel": ("green", "orange", "red"),
    "from_channel": ("green", "orange", "red"),
    "result": ("conforming", "discrepancy"),
    "settlement": ("paid", "guaranteed"),
    "after_release": (True, False),
    "finding": (True, False),
    "action": ("seizure", "hold", "inspection", "destruction"),
    "score": (1, 2, 3, 4, 5),
}
BASES = {
    "channel.assigned": ("risk", "risk", "random", "mandatory"),
    "channel.changed": ("discretion", "risk", "mandatory"),
}


class Wild:
    """Draws a feed; the same seed gives the same bytes.

    Args:
        seed: Any integer.
        offices: Codes that events may name.
        first: When the first subject begins; aware.
        edges: When the feed will be read; the last subject begins at the last of them. Much
            happens around these instants, and around those at which a limit then ends.
    """

    def __init__(
        self, seed: int, offices: list[str], first: datetime, edges: list[datetime]
    ) -> None:
        self._chance = random.Random(seed)
        self._offices, self._edges = offices, edges
        self._first, self._span = first, max(edges) - first
        self._anchor = first
        self._number = 0

    def lines(self, subjects: int) -> Iterator[bytes]:
        """Yield the lines of a feed in the order of the log."""
        turns: list[tuple[datetime, int, bytes]] = []
        for number in range(subjects):
            kind = "D" if self._chance.random() < 0.8 else "X"
            events = self._declaration(number) if kind == "D" else self._alone(number)
            for event in self._spoilt(events):
                turns.append((self._turn(event), len(turns), json.dumps(event).encode()))
        for _, _, line in sorted(turns):
            yield line
            if self._chance.random() < 0.02:
                yield self._refused(line)

    def write(self, path: Path, subjects: int) -> Path:
        """Write a feed and return its path."""
        path.write_bytes(b"".join(line + b"\n" for line in self.lines(subjects)))
        return path

    def _turn(self, event: Event) -> datetime:
        """Return when the log gets an event: up to two days after it was recorded."""
        jitter = self._chance.choice((0, 0, 0, 1, 60, 3600, 172_800))
        recorded: str = event["recorded_at"]
        return datetime.fromisoformat(recorded) + timedelta(seconds=self._chance.random() * jitter)

    def _begin(self) -> datetime:
        """Return when a subject begins, and choose the instant around which it will be busy."""
        chance = self._chance
        if chance.random() < 0.3:
            self._anchor = chance.choice(self._edges) - chance.choice(LIMITS)
            return self._anchor - timedelta(days=chance.random())
        # Recent subjects are drawn more often, so that rolling windows are full.
        begin: datetime = self._first + self._span * chance.random() ** 0.25
        self._anchor = begin.replace(minute=begin.minute // 15 * 15, second=0, microsecond=0)
        return begin

    def _declaration(self, number: int) -> list[Event]:
        chance, begin = self._chance, self._begin()
        kinds = [kind for kind in DECLARATION if chance.random() < 0.55]
        kinds += [kind for kind in DECLARATION if chance.random() < 0.1]
        if chance.random() < 0.97:
            kinds.append("declaration.numbered")
        if chance.random() < 0.4:
            kinds.append(chance.choice(ENDINGS))
        if chance.random() < 0.5:
            kinds.append("release.granted")
        events = [self._event(kind, f"D{number}", begin) for kind in kinds]
        if chance.random() < 0.1:
            self._in_the_nick_of_time(events)
        return events

    def _in_the_nick_of_time(self, events: list[Event]) -> None:
        """Let releases and reviews come when their limit ends, or a millisecond beside it."""
        times = {event["type"]: datetime.fromisoformat(event["occurred_at"]) for event in events}
        for event in events:
            start, hours = NICKS.get(event["type"], ("", 0))
            if start in times:
                beside = timedelta(hours=hours, milliseconds=self._chance.choice((0, 0, -1, 1)))
                event["occurred_at"] = self._time(times[start] + beside)
                event["recorded_at"] = self._time(times[start] + beside + timedelta(minutes=1))

    def _alone(self, number: int) -> list[Event]:
        kind = self._chance.choice(ALONE)
        return [self._event(kind, f"{kind[0]}{number}", self._begin())]

    def _event(self, kind: str, subject: str, begin: datetime) -> Event:
        chance = self._chance
        occurred = begin + SPREAD * 0.3 * chance.random() ** 3
        if kind in LATER:
            occurred += SPREAD * 0.1 * chance.random()
        if chance.random() < 0.2:
            minutes = chance.choice((0, 0, 15 * chance.random(), -15 * chance.random()))
            beside = timedelta(minutes=minutes, milliseconds=chance.choice((0, 0, -1, 1)))
            occurred = self._anchor + beside
        # A quarter is dated up to five minutes ahead of its recording, which is allowed.
        after = chance.choice((-300, 1, 600, 36_000)) * chance.random()
        if chance.random() < 0.03:
            after = chance.random() * 0.6 * SPREAD.total_seconds()
        recorded = occurred + timedelta(seconds=after)
        fields = {
            name: chance.choice(CHOICES[name]) if name in CHOICES else value
            for name, value in DEFAULTS[kind].items()
        }
        if kind == "oga.decided":
            fields["result"] = chance.choice(("approved", "denied"))
        if kind in BASES:
            fields["basis"] = chance.choice(BASES[kind])
        for name in fields:
            if name.endswith("_cents"):
                fields[name] = chance.choice((0, 1, chance.randrange(10**7)))
        self._number += 1
        return {
            "event_id": f"e{self._number}",
            "type": kind,
            "schema_version": 1,
            "subject": subject,
            "occurred_at": self._time(occurred),
            "recorded_at": self._time(recorded),
            "office": chance.choice(self._offices),
            **fields,
        }

    def _time(self, at: datetime) -> str:
        """Return the time in one of the ways in which a producer may write it."""
        text = at.astimezone(UTC).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z") if self._chance.random() < 0.5 else text

    def _spoilt(self, events: list[Event]) -> list[Event]:
        """Return the events with rivals, corrections and repetitions among them."""
        chance, spoilt = self._chance, list(events)
        for event in events:
            luck = chance.random()
            if luck < 0.08:
                spoilt.append(self._rival(event))
            elif luck < 0.16:
                first = self._rival(event)
                first["corrects"] = event["event_id"]
                spoilt.append(first)
                if chance.random() < 0.3:
                    second = self._rival(first)
                    second["corrects"] = chance.choice((first["event_id"], event["event_id"]))
                    spoilt.append(second)
            elif luck < 0.18:
                # The same id again with another content: the one written first counts.
                spoilt.append(self._rival(event) | {"event_id": event["event_id"]})
        return spoilt + [dict(event) for event in spoilt if chance.random() < 0.08]

    def _rival(self, event: Event) -> Event:
        """Return another report of the same fact, up to a week later."""
        written = datetime.fromisoformat(event["recorded_at"])
        begin = datetime.fromisoformat(event["occurred_at"])
        rival = self._event(event["type"], event["subject"], begin)
        gap = timedelta(seconds=self._chance.choice((0, 3600, 259_200)) * self._chance.random())
        recorded = max(written + gap, datetime.fromisoformat(rival["occurred_at"]))
        return rival | {"recorded_at": self._time(recorded)}

    def _refused(self, line: bytes) -> bytes:
        """Return a line that is to be refused, made from a good one."""
        event = json.loads(line)
        changes: list[Event | bytes] = [
            line[: len(line) // 2],
            b"\xff\xfe",
            b"null",
            {"type": "declaration.forgotten"},
            {"schema_version": 2},
            {"event_id": ""},
            {"occurred_at": "2026-01-05T10:00:00"},
            {"recorded_at": "2026-13-05T10:00:00Z"},
            {"occurred_at": "2099-01-01T00:00:00Z"},
            {"office": "no-such-office"},
            {"type": "debt.settled", "settlement": "paid", "amount_cents": -1},
            {"type": "debt.settled", "settlement": "paid", "amount_cents": 1.0},
            {"source": "x" * 70_000},
        ]
        change = self._chance.choice(changes)
        return change if isinstance(change, bytes) else json.dumps(event | change).encode()
