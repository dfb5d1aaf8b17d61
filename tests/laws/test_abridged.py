"""What a history says without the events that its KPIs do not read, against all of it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_stream.application import abridged as a
from kpi_stream.application.fold import Retention
from kpi_stream.application.replay import Replay
from kpi_stream.application.whatif import Courses, courses
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.events import BY_NAME, Event
from kpi_stream.domain.strategy import Strategy
from tests.laws.brute import Raw
from tests.laws.rig import CODEC
from tests.laws.strategies import DAY, HOUR, event, feeds, strategy

AS_OF = 1_711_861_200_000 + 12 * HOUR  # 2024-03-31T12:00 in Lima
DAYS = 60
STAY = Retention(complete_ms=16 * DAY, incomplete_ms=24 * DAY, remembered_ms=20 * DAY)
INSTANTS = range(AS_OF - DAYS * DAY, AS_OF + 1, 5 * DAY)


def cut(*kpis: str) -> Strategy:
    """Return the strategy with some of its KPIs, over their longest windows."""
    whole = strategy()
    chosen = (each for each in whole.kpis if each.id in kpis)
    return replace(
        whole,
        kpis=tuple(replace(each, windows=each.windows[-1:], minimum_sample=1) for each in chosen),
    )


def dense(log: Sequence[Raw]) -> list[Event]:
    """Return a log in order, in which something is counted every third day."""
    values = ("118", "10", "sea", "urgent", True, True, 0, 0)
    clock = [
        Raw("declaration.numbered", f"day{day}", "e", at, at, values)
        for day in range(0, DAYS + 3, 3)
        for at in [AS_OF - day * DAY]
    ]
    return [event(raw) for raw in sorted([*clock, *log], key=lambda raw: raw.recorded_ms)]


def read_in_full(by: Strategy, log: Sequence[Event], stay: Retention = STAY) -> Courses:
    """Return the readings at each instant, with every event."""
    return courses(by, Replay(by, CODEC, stay), log, INSTANTS)


def abridged(by: Strategy, log: Sequence[Event], stay: Retention = STAY) -> Courses | None:
    """Return the same without what is idle; None where it is not certain."""
    shorter = a.abridged(stay)
    assert shorter is not None
    replay = Replay(by, CODEC, shorter)
    idle = a.idle_types(replay.catalogue)
    read = [each for each in log if each.type.name not in idle or each.corrects is not None]
    try:
        events = a.certain(read, replay.tally, stay)
        return courses(by, replay, events, INSTANTS, since_ms=log[0].fact.recorded_ms)
    except a.NotCertainError:
        return None


@settings(max_examples=100)
@given(
    feeds(AS_OF, max_size=40, subjects=4, ages=st.integers(0, DAYS * DAY)),
    st.sampled_from([each.id for each in strategy().kpis]),
)
def test_what_is_left_out_changes_nothing(log: list[Raw], kpi: str):
    """Whatever the events, the corrections among them and who left the state meanwhile."""
    by, ordered = cut(kpi), dense(log)
    found = abridged(by, ordered)
    assert found is None or found == read_in_full(by, ordered)


def test_little_of_a_declaration_is_read():
    """What opens or completes it, and what the KPI names; nothing of other kinds of subject."""
    idle = a.idle_types(Catalogue(cut("anticipated")))
    read = {name for name in BY_NAME if name not in idle}
    assert read == {
        "declaration.numbered",
        "declaration.rejected",
        "declaration.cancelled",
        "goods.exited",
    }


EXITED = Raw("goods.exited", "s1", "x", AS_OF - 40 * DAY, AS_OF - 40 * DAY, ())
NUMBERED = Raw(
    "declaration.numbered",
    "s1",
    "n",
    AS_OF - 40 * DAY,
    AS_OF - 40 * DAY,
    ("118", "10", "sea", "anticipated", True, True, 0, 0),
)


def after(days: int, raw: Raw) -> Raw:
    """Return an event that many days after the declaration was complete."""
    at = NUMBERED.recorded_ms + days * DAY
    return raw._replace(recorded_ms=at, occurred_ms=at, event_id=f"{raw.type}-{days}")


@pytest.mark.parametrize(
    ("log", "certain"),
    [
        # Within the shorter stay; between both; after the longer one, which is rejected.
        ([after(8, EXITED)], True),
        ([after(12, EXITED)], False),
        ([after(18, EXITED)], False),
        # One that is not read keeps the declaration in the state: the exit counts in full.
        ([after(12, NUMBERED._replace(type="debt.settled", values=("paid", 1)))], True),
        (
            [
                after(12, NUMBERED._replace(type="debt.settled", values=("paid", 1))),
                after(20, EXITED),
            ],
            False,
        ),
        # It happened too long before it was recorded.
        ([after(1, EXITED)._replace(subject="s2", occurred_ms=AS_OF - 90 * DAY)], False),
    ],
)
def test_what_might_have_been_decided_otherwise_is_noticed(log: list[Raw], certain: bool):  # noqa: FBT001
    """A subject that had left, or would have with all events, and what is too old to begin one."""
    by, ordered = cut("anticipated"), dense([NUMBERED, EXITED, *log])
    found = abridged(by, ordered)
    assert (found is not None) is certain
    assert found is None or found == read_in_full(by, ordered)


def test_a_silence_is_not_certain():
    """The watermark of all events may have risen meanwhile."""
    by = cut("anticipated")
    log = [event(NUMBERED), event(after(8, NUMBERED)._replace(subject="s2"))]
    assert abridged(by, log) is None
    assert abridged(by, [log[0], event(after(6, NUMBERED)._replace(subject="s2"))]) is not None


def test_a_short_stay_leaves_nothing_to_be_shortened():
    """Then everything is read."""
    assert a.abridged(replace(STAY, complete_ms=14 * DAY)) is None
    assert a.abridged(replace(STAY, incomplete_ms=14 * DAY)) is None
