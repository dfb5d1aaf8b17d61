"""What the events mean: one entry per event type, free of any wire format.

An event says that something happened to one *subject* (a declaration, an audit, ...). Each type
fills one *milestone* of its subject with a *fact*. The table below is the vocabulary that the
strategy files use: `numbered.regime` is the field `regime` of the milestone `numbered`.

The wire format (required fields, bounds, examples) is the pydantic contract in
`adapters/events`; a test keeps the two tables equal.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Kind(StrEnum):
    """What a subject is; subjects of different kinds never share state."""

    DECLARATION = "declaration"
    AUDIT = "audit"
    CONTROL = "control"
    APPEAL = "appeal"
    REFUND = "refund"
    OPERATOR = "operator"
    SURVEY = "survey"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event and the milestone that it sets."""

    name: str
    """The wire name, for example `release.granted`."""
    kind: Kind
    milestone: str
    """The word for the fact in strategy files, for example `released`."""
    fields: tuple[str, ...] = ()
    """Fields kept in the subject's state, in this order; all others are validated and dropped."""
    repeatable: bool = False
    """True: every event counts, once per event_id. False: one winner (set-once)."""
    opens: bool = False
    """True for the type without which its subject is not counted at all."""
    completes: bool = False
    """True where nothing more is expected of the subject; it may leave the state afterwards."""
    slot: int = field(default=-1)
    """Position of the milestone in the state of its kind; append-only (see STATE_VERSION)."""


STATE_VERSION = 1
"""Raised when the meaning or position of a stored fact changes; see CHANGELOG, heading State."""

_D = Kind.DECLARATION

_DECLARED: tuple[EventType, ...] = (
    EventType("manifest.transmitted", _D, "manifested", ("transport_mode",)),
    EventType("transport.arrived", _D, "arrived"),
    EventType("discharge.completed", _D, "discharged"),
    EventType(
        "declaration.numbered",
        _D,
        "numbered",
        (
            "office",
            "regime",
            "transport_mode",
            "clearance_mode",
            "aeo",
            "electronic",
            "cif_cents",
            "duties_cents",
        ),
        opens=True,
    ),
    EventType("declaration.rejected", _D, "refused", ("reason_code",), completes=True),
    EventType("debt.settled", _D, "settled", ("settlement", "amount_cents"), repeatable=True),
    EventType("channel.assigned", _D, "channel_assigned", ("channel", "basis")),
    EventType(
        "channel.changed",
        _D,
        "channel_changed",
        ("from_channel", "channel", "basis"),
        repeatable=True,
    ),
    EventType("officer.assigned", _D, "officer_assigned", ("officer",), repeatable=True),
    EventType("documents.requested", _D, "documents_requested", (), repeatable=True),
    EventType("documents.received", _D, "documents_received", (), repeatable=True),
    EventType("review.completed", _D, "reviewed", ("result", "officer")),
    EventType("inspection.started", _D, "inspection_started", ("officer",)),
    EventType("inspection.completed", _D, "inspected", ("result", "officer")),
    EventType("scan.completed", _D, "scanned", ("result",), repeatable=True),
    EventType(
        "oga.decided", _D, "oga_decided", ("agency", "result", "waiting_ms"), repeatable=True
    ),
    EventType(
        "assessment.adjusted",
        _D,
        "adjusted",
        ("duties_before_cents", "duties_after_cents", "gain_cents", "officer"),
        repeatable=True,
    ),
    EventType("declaration.amended", _D, "amended", ("after_release",), repeatable=True),
    EventType("declaration.cancelled", _D, "cancelled", ("reason_code",), completes=True),
    EventType("release.granted", _D, "released", ("officer",)),
    EventType("goods.exited", _D, "exited", (), completes=True),
    EventType("regularization.completed", _D, "regularized"),
    EventType(
        "audit.completed",
        Kind.AUDIT,
        "audited",
        ("office", "finding", "amount_cents"),
        opens=True,
        completes=True,
    ),
    EventType(
        "enforcement.recorded",
        Kind.CONTROL,
        "enforced",
        ("office", "action", "value_cents", "weight_grams"),
        opens=True,
        completes=True,
    ),
    EventType("appeal.filed", Kind.APPEAL, "appeal_filed", ("office",), opens=True),
    EventType("appeal.resolved", Kind.APPEAL, "appeal_resolved", ("outcome",), completes=True),
    EventType(
        "refund.requested", Kind.REFUND, "refund_requested", ("office", "amount_cents"), opens=True
    ),
    EventType("refund.paid", Kind.REFUND, "refund_paid", ("amount_cents",), completes=True),
    EventType(
        "aeo.status_changed",
        Kind.OPERATOR,
        "aeo_changed",
        ("office", "role", "status"),
        repeatable=True,
        opens=True,
    ),
    EventType(
        "survey.answered",
        Kind.SURVEY,
        "answered",
        ("office", "score"),
        opens=True,
        completes=True,
    ),
    EventType(
        "target.revised",
        Kind.TARGET,
        "target_revised",
        ("office", "kpi", "old_value", "new_value", "author"),
        repeatable=True,
        opens=True,
    ),
)


def _with_slots(types: tuple[EventType, ...]) -> tuple[EventType, ...]:
    counts: dict[Kind, int] = {}
    placed = []
    for each in types:
        slot = counts.get(each.kind, 0)
        counts[each.kind] = slot + 1
        placed.append(
            EventType(
                each.name,
                each.kind,
                each.milestone,
                each.fields,
                each.repeatable,
                each.opens,
                each.completes,
                slot,
            )
        )
    return tuple(placed)


EVENT_TYPES: tuple[EventType, ...] = _with_slots(_DECLARED)
BY_NAME: dict[str, EventType] = {each.name: each for each in EVENT_TYPES}
BY_MILESTONE: dict[str, EventType] = {each.milestone: each for each in EVENT_TYPES}
TYPES_OF_KIND: dict[Kind, tuple[EventType, ...]] = {
    kind: tuple(each for each in EVENT_TYPES if each.kind is kind) for kind in Kind
}

Value: TypeAlias = str | int | bool | None
"""A kept field: a code, integer cents, milliseconds or grams, a flag, or None where absent."""


class Fact(NamedTuple):
    """One event as its subject remembers it."""

    recorded_ms: int
    """When the source system wrote it down; milliseconds since 1970 UTC."""
    event_id: str
    occurred_ms: int
    """Event time; milliseconds since 1970 UTC."""
    values: tuple[Value, ...]
    """The kept fields in the order of `EventType.fields`."""


class Event(NamedTuple):
    """An accepted event: its subject, its type and the fact that it reports."""

    subject: str
    type: EventType
    fact: Fact
    corrects: str | None = None
    """The event_id that this event replaces everywhere, whichever of the two arrives first."""
