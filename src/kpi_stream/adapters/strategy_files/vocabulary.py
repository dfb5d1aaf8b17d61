"""What an attribute can hold, so that a condition that can never be true is found while reading.

The event contract decides what is accepted on the wire; a test keeps this table equal to it.
"""

from kpi_stream.domain.events import BY_MILESTONE, Kind

FLAGS = frozenset({"aeo", "electronic", "after_release", "finding"})
NUMBERS = frozenset(
    {
        "amount_cents",
        "cif_cents",
        "duties_after_cents",
        "duties_before_cents",
        "duties_cents",
        "gain_cents",
        "score",
        "value_cents",
        "waiting_ms",
        "weight_grams",
    }
)
_CHANNELS = ("green", "orange", "red")
_RESULTS = ("conforming", "discrepancy")
_MODES = ("sea", "air", "road", "river", "rail", "mail")
CODES: dict[str, tuple[str, ...]] = {
    "channel": _CHANNELS,
    "manifested.transport_mode": _MODES,
    "numbered.transport_mode": _MODES,
    "numbered.clearance_mode": ("anticipated", "deferred", "urgent"),
    "settled.settlement": ("paid", "guaranteed"),
    "channel_assigned.channel": _CHANNELS,
    "channel_assigned.basis": ("risk", "random", "mandatory"),
    "channel_changed.from_channel": _CHANNELS,
    "channel_changed.channel": _CHANNELS,
    "channel_changed.basis": ("discretion", "risk", "mandatory"),
    "reviewed.result": _RESULTS,
    "inspected.result": _RESULTS,
    "scanned.result": _RESULTS,
    "oga_decided.result": ("approved", "denied"),
    "enforced.action": ("seizure", "hold", "inspection", "destruction"),
    "appeal_resolved.outcome": ("upheld", "dismissed", "partial"),
    "aeo_changed.role": ("importer", "exporter", "agent", "warehouse", "express"),
    "aeo_changed.status": ("granted", "suspended", "revoked"),
}
"""The closed sets of codes, by attribute; what is in no table holds any code."""


def kind_of(attribute: str) -> Kind | None:
    """Return the kind of subject that has the attribute; None where every kind has it."""
    if attribute == "office":
        return None
    if attribute == "channel":
        return Kind.DECLARATION
    head, _, tail = attribute.partition(".")
    return BY_MILESTONE[tail if head == "has" else head].kind


def is_flag(attribute: str) -> bool:
    """Return whether the attribute is true or false."""
    head, _, tail = attribute.partition(".")
    return head == "has" or tail in FLAGS


def is_number(attribute: str) -> bool:
    """Return whether the attribute is a number."""
    return attribute.partition(".")[2] in NUMBERS
