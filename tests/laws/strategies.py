"""What the laws are tried on: a strategy with every kind of measure, and lists of events.

Few subjects, event ids and values, so that duplicates, conflicts, corrections and corrections of
corrections meet often.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from kpi_stream.domain import strategy as s
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.events import BY_NAME, Event, Fact
from tests.laws.brute import EPOCH, VOCABULARY, Raw

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
WINDOWS = ("1h", "24h", "7d", "30d", "mtd", "qtd", "ytd", "12m")
ZONES = ("America/Lima", "Europe/Madrid", "America/Sao_Paulo", "America/Asuncion", "UTC")
YES, NO = (True,), (False,)
TEXT = {"es": "texto", "en": "text"}


def _if(attribute: str, *values: str | int | bool, negate: bool = False) -> s.Condition:
    return s.Condition(attribute, any_of=frozenset(values), negate=negate)


_IMPORT = (_if("numbered.regime", "10"),)
_PAID = s.Amount("settled", "amount_cents")
_GAIN = s.Amount("adjusted", "gain_cents", (s.Condition("adjusted.gain_cents", at_least=100),))
_PLAN = {
    f"{year}-{month:02}": 1000 * month + 7 for year in range(1965, 2027) for month in range(1, 13)
}
del _PLAN["2018-02"]  # a month without a plan

_ALL = ("office", "regime", "channel", "aeo", "mode")
# id -> (measure, dimensions, minimum sample, windows)
_KPIS: dict[str, tuple[s.Measure, tuple[str, ...], int, tuple[str, ...]]] = {
    "release-mean": (s.Duration(("arrived",), "released", (), _IMPORT), _ALL, 1, WINDOWS),
    "release-p50": (
        s.Duration(("arrived",), "released", (), _IMPORT, "p50"),
        _ALL,
        1,
        WINDOWS,
    ),
    "release-p29": (
        s.Duration(("arrived",), "released", (), _IMPORT, "p29"),
        _ALL,
        2,
        WINDOWS,
    ),
    "held-mean": (
        s.Duration(
            ("channel_assigned", "numbered"),
            "exited",
            ("settled", "documents_received"),
            (_if("channel", "orange", "red"), _if("has.cancelled", *NO)),
        ),
        ("channel",),
        1,
        WINDOWS,
    ),
    "payment-p90": (s.Duration(("numbered",), "settled", (), (), "p90"), ("mode",), 1, WINDOWS),
    "within-48h": (
        s.Within(("arrived",), ("released", "settled"), 48 * HOUR, ("discharged",)),
        _ALL,
        1,
        WINDOWS,
    ),
    "within-10m": (s.Within(("numbered",), ("channel_assigned",), 10 * MINUTE), (), 2, WINDOWS),
    "same-day": (
        s.SameDay(
            "numbered",
            ("inspected", "released", "settled"),
            (_if("numbered.aeo", *YES, negate=True),),
        ),
        ("office",),
        1,
        WINDOWS,
    ),
    "anticipated": (
        s.Share("numbered", (_if("numbered.clearance_mode", "anticipated"),), _IMPORT),
        ("office", "aeo", "mode"),
        1,
        WINDOWS,
    ),
    "by-discretion": (
        s.Share(
            "channel_changed",
            (_if("channel_changed.basis", "discretion"),),
            (_if("channel_assigned.channel", "green", negate=True),),
        ),
        ("channel",),
        1,
        WINDOWS,
    ),
    "aeo-granted": (
        s.Share("aeo_changed", (_if("aeo_changed.status", "granted"),)),
        ("office",),
        1,
        WINDOWS,
    ),
    "audits-with-findings": (
        s.Share("audited", (_if("audited.finding", *YES),)),
        ("office",),
        1,
        WINDOWS,
    ),
    "paid": (
        s.Amount("settled", "amount_cents", (_if("settled.settlement", "paid"),)),
        ("office", "mode"),
        1,
        WINDOWS,
    ),
    "weight": (s.Amount("enforced", "weight_grams"), (), 1, WINDOWS),
    "gain-share": (s.AmountShare(_GAIN, _PAID), ("office", "channel"), 1, WINDOWS),
    "audit-share": (
        s.AmountShare(s.Amount("audited", "amount_cents"), _PAID),
        ("office",),
        1,
        WINDOWS,
    ),
    "open-7d": (s.Stock("numbered", ("released", "cancelled"), 7 * DAY), _ALL, 1, ("now",)),
    "open-30d": (s.Stock("numbered", ("released", "cancelled"), 30 * DAY), _ALL, 1, ("now",)),
    "open-36h": (s.Stock("arrived", ("exited",), 36 * HOUR, _IMPORT), ("office",), 1, ("now",)),
    "targeting-lift": (
        s.Lift(
            "inspected",
            (_if("inspected.result", "discrepancy"),),
            (_if("channel_assigned.basis", "risk"),),
            (_if("channel_assigned.basis", "random"),),
        ),
        ("office",),
        1,
        WINDOWS,
    ),
    "plan": (s.Plan(_PAID, _PLAN), (), 1, ("mtd", "qtd", "ytd")),
    "satisfaction": (s.NotMeasured(TEXT), (), 1, ("30d",)),
}


def _members(*codes: str) -> tuple[s.Member, ...]:
    return tuple(s.Member(code, TEXT) for code in codes)


@cache
def strategy(time_zone: str = "America/Lima") -> s.Strategy:
    """Return a strategy with a KPI of every kind, over every sort of dimension."""
    return s.Strategy(
        id="laws",
        name=TEXT,
        vision=TEXT,
        language="es",
        currency="USD",
        calendar=s.Calendar(time_zone, frozenset(range(5)), 8 * 60, 17 * 60),
        perspectives=(),
        objectives=(),
        dimensions=(
            s.Dimension("office", TEXT, "office", _members("118", "235")),
            s.Dimension("regime", TEXT, "numbered.regime", _members("10", "40")),
            s.Dimension("channel", TEXT, "channel", _members("green", "orange", "red")),
            s.Dimension("aeo", TEXT, "numbered.aeo", _members("true", "false")),
            s.Dimension("mode", TEXT, "numbered.clearance_mode", cap=2),
        ),
        kpis=tuple(
            s.Kpi(
                name,
                TEXT,
                TEXT,
                measure,
                s.Unit.RATIO,
                s.Direction.UP,
                windows,
                dimensions,
                minimum,
                "owner",
                "source",
            )
            for name, (measure, dimensions, minimum, windows) in _KPIS.items()
        ),
        targets=(),
    )


@cache
def catalogue(time_zone: str = "America/Lima") -> Catalogue:
    """Return the strategy compiled, once a zone."""
    return Catalogue(strategy(time_zone))


def event(raw: Raw) -> Event:
    """Return an event as the codec would."""
    event_type = BY_NAME[raw.type]
    assert event_type.fields == VOCABULARY[raw.type][2]
    fact = Fact(raw.recorded_ms, raw.event_id, raw.occurred_ms, raw.values)
    return Event(raw.subject, event_type, fact, raw.corrects)


_CENTS = st.sampled_from([0, 1, 99, 100, 12_345, 10**12])
_OFFICE = st.sampled_from(["118", "235", "999"])
_CHANNEL = st.sampled_from(["green", "orange", "red"])
_RESULT = st.sampled_from(["conforming", "discrepancy"])
_FIELDS: dict[str, st.SearchStrategy[str | int | bool | None]] = {
    "office": _OFFICE,
    "regime": st.sampled_from(["10", "10", "40", "70"]),
    "transport_mode": st.just("sea"),
    "clearance_mode": st.sampled_from(["anticipated", "deferred", "urgent", "other", "x|y"]),
    "aeo": st.booleans(),
    "electronic": st.just(value=True),
    "settlement": st.sampled_from(["paid", "guaranteed"]),
    "channel": _CHANNEL,
    "from_channel": _CHANNEL,
    "basis": st.sampled_from(["risk", "random", "discretion"]),
    "result": _RESULT,
    "officer": st.sampled_from([None, "o1"]),
    "reason_code": st.just("r1"),
    "finding": st.booleans(),
    "action": st.just("seizure"),
    "weight_grams": _CENTS,
    "role": st.just("importer"),
    "status": st.sampled_from(["granted", "revoked"]),
}
_TYPES = [
    *VOCABULARY,
    # those that most measures are made of come more often
    *["transport.arrived", "release.granted", "debt.settled", "channel.assigned"] * 2,
    *["inspection.completed", "channel.changed", "assessment.adjusted"],
]
_IDS = st.sampled_from([f"e{number}" for number in range(12)])
AGES = st.one_of(
    st.integers(0, 2 * HOUR),
    st.integers(0, 9 * DAY),
    st.integers(0, 45 * DAY),
    st.integers(0, 420 * DAY),
    # on the edges of panes, of days and of the retention of fine panes
    st.sampled_from([0, 1, 15 * MINUTE, HOUR, DAY, 2 * DAY, 7 * DAY, 8 * DAY, 30 * DAY]),
)
"""How long before `as_of` an event was recorded."""
_DELAYS = st.one_of(st.just(0), st.integers(-5 * MINUTE, 3 * HOUR), st.integers(0, 50 * DAY))


@st.composite
def raws(
    draw: st.DrawFn,
    as_of_ms: int,
    subjects: int = 3,
    ages: st.SearchStrategy[int] = AGES,
    type_name: str | None = None,
) -> Raw:
    """Return one event recorded up to `as_of_ms`, of any type or the named one."""
    name = type_name or draw(st.sampled_from(_TYPES))
    recorded = as_of_ms - draw(ages)
    values = tuple(draw(_FIELDS.get(each, _CENTS)) for each in VOCABULARY[name][2])
    return Raw(
        name,
        f"s{draw(st.integers(1, subjects))}",
        draw(_IDS),
        recorded,
        recorded - draw(_DELAYS),
        values,
        draw(st.one_of(st.none(), st.none(), st.none(), _IDS)),
    )


@st.composite
def feeds(
    draw: st.DrawFn,
    as_of_ms: int,
    max_size: int = 30,
    subjects: int = 3,
    ages: st.SearchStrategy[int] = AGES,
) -> list[Raw]:
    """Return events recorded up to `as_of_ms`, in no order, most of their subjects opened."""
    least = draw(st.integers(0, max_size * 2 // 3))
    events = draw(st.lists(raws(as_of_ms, subjects, ages), min_size=least, max_size=max_size))
    for number in range(1, subjects + 1):
        if draw(st.integers(0, 9)):
            opening = draw(raws(as_of_ms, 1, ages, "declaration.numbered"))
            events.append(
                opening._replace(subject=f"s{number}", event_id=f"n{number}", corrects=None)
            )
    again = draw(st.lists(st.sampled_from(events), max_size=3)) if events else []
    return draw(st.permutations(events + again))


# Local dates on which something ends or clocks change: the epoch, leap days, ends of months,
# quarters and years, summer time of Madrid and (at midnight) of São Paulo and Asunción.
_DATES = [
    date.fromisoformat(text)
    for text in (
        "1969-12-31 1970-01-01 2018-02-17 2018-02-18 2018-11-03 2018-11-04 2023-10-01 "
        "2024-02-29 2024-03-01 2024-03-24 2024-03-31 2024-04-01 2024-10-27 2024-12-31 "
        "2025-01-01 2025-02-28"
    ).split()
]
_TIMES_MS = st.one_of(
    st.sampled_from([0, 1, 15 * MINUTE, DAY // 2, DAY - 15 * MINUTE, DAY - 1]),
    st.integers(0, DAY - 1),
)


@st.composite
def instants(draw: st.DrawFn, time_zone: str) -> int:
    """Return an instant in milliseconds, often on an edge of local calendars."""
    day = draw(st.sampled_from(_DATES)) + timedelta(days=draw(st.sampled_from([0, 0, 0, 1, 7, 8])))
    # Hours of the wall clock: those that do not exist or come twice are among them.
    midnight = datetime.combine(day, time(), ZoneInfo(time_zone))
    local = midnight + timedelta(milliseconds=draw(_TIMES_MS))
    return (local.astimezone(UTC) - EPOCH) // timedelta(milliseconds=1)
