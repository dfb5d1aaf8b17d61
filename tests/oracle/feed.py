"""Hand-made feeds: short words for valid events, written to a JSONL file."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# A valid value of every field that a type needs; a test names only what it is about.
DEFAULTS: dict[str, dict[str, Any]] = {
    "manifest.transmitted": {
        "manifest_id": "M1",
        "transport_mode": "sea",
        "eta": "2026-03-01T00:00:00Z",
    },
    "transport.arrived": {"manifest_id": "M1"},
    "discharge.completed": {"manifest_id": "M1"},
    "declaration.numbered": {
        "regime": "10",
        "transport_mode": "sea",
        "clearance_mode": "anticipated",
        "importer": "h1",
        "declarant": "a1",
        "aeo": False,
        "electronic": True,
        "hs_chapter": "84",
        "origin": "CN",
        "cif_cents": 100_000,
        "duties_cents": 20_000,
    },
    "declaration.rejected": {"reason_code": "R1"},
    "debt.settled": {"settlement": "paid", "amount_cents": 20_000},
    "channel.assigned": {"channel": "green", "basis": "risk"},
    "channel.changed": {
        "from_channel": "green",
        "channel": "red",
        "basis": "discretion",
        "officer": "o1",
        "reason": "seen",
    },
    "officer.assigned": {"officer": "o1"},
    "documents.requested": {},
    "documents.received": {},
    "review.completed": {"result": "conforming", "officer": "o1"},
    "inspection.started": {"officer": "o1"},
    "inspection.completed": {"result": "conforming", "officer": "o1"},
    "scan.completed": {"result": "conforming"},
    "oga.decided": {"agency": "senasa", "result": "approved", "waiting_hours": 4},
    "assessment.adjusted": {
        "duties_before_cents": 20_000,
        "duties_after_cents": 25_000,
        "officer": "o1",
    },
    "declaration.amended": {"after_release": False},
    "declaration.cancelled": {"reason_code": "C1"},
    "release.granted": {},
    "goods.exited": {},
    "regularization.completed": {},
    "audit.completed": {"finding": True, "amount_cents": 5_000},
    "enforcement.recorded": {
        "action": "seizure",
        "goods": "shoes",
        "value_cents": 1_000,
        "weight_kg": 12.5,
    },
    "appeal.filed": {"declaration": "D1"},
    "appeal.resolved": {"outcome": "upheld"},
    "refund.requested": {"amount_cents": 700},
    "refund.paid": {"amount_cents": 700},
    "aeo.status_changed": {"role": "importer", "status": "granted"},
    "survey.answered": {"score": 4},
    "target.revised": {
        "kpi": "k",
        "old_value": 0.5,
        "new_value": 0.6,
        "author": "chief",
        "reason": "new plan",
    },
}


def instant(text: str) -> datetime:
    """Return a time of March 2026 in Lima, for example `02 14:30`; or any ISO time with offset."""
    if len(text) == len("02 14:30"):
        return datetime.fromisoformat(f"2026-03-{text.replace(' ', 'T')}:00-05:00")
    return datetime.fromisoformat(text)


class Feed:
    """Collects events in the order in which a file would hold them."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def event(
        self,
        kind: str,
        subject: str,
        at: str,
        recorded: str | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Add an event and return it.

        Args:
            kind: Its type on the wire.
            subject: What it is about.
            at: When it happened, in the words of `instant`.
            recorded: When it was written down; one minute later unless told.
            fields: Envelope or own fields that differ from the defaults.
        """
        occurred = instant(at)
        written = instant(recorded) if recorded else occurred + timedelta(minutes=1)
        event = {
            "event_id": f"e{len(self.lines)}",
            "type": kind,
            "schema_version": 1,
            "subject": subject,
            "occurred_at": occurred.astimezone(UTC).isoformat(),
            "recorded_at": written.astimezone(UTC).isoformat(),
            "office": "118",
            **DEFAULTS[kind],
            **fields,
        }
        self.lines.append(json.dumps(event))
        return event

    def line(self, text: str) -> None:
        """Add a line as it is."""
        self.lines.append(text)

    def write(self, path: Path) -> Path:
        """Write the file and return its path."""
        path.write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8")
        return path
