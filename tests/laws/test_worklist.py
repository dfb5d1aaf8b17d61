"""The worklists of a partition that is drained and restarted, against a list sorted afresh."""

import random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.fold import PartitionFold
from kpi_stream.application.worklist import decode
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import StateError
from kpi_stream.domain.events import BY_MILESTONE, Event, Fact, Value
from kpi_stream.domain.strategy import OTHER, Worklist
from kpi_stream.domain.worklist import OfficeList, Waiting, sheets, worksheet

HOUR = 3_600_000
LIMIT = 48 * HOUR
START = 1_767_243_600_000
SIZE = 50
STRATEGY = load_strategy(packaged_strategy_path())
CATALOGUE = Catalogue(STRATEGY)
OFFICES = ("118", "235")
NUMBERED = BY_MILESTONE["numbered"]


class Step(NamedTuple):
    """One event of a declaration."""

    subject: int
    milestone: str
    after_h: int
    office: str = OFFICES[0]
    regime: str = "10"


steps = st.builds(
    Step,
    st.integers(0, 120),
    st.sampled_from(["numbered"] * 3 + ["arrived"] * 3 + ["discharged", "released", "cancelled"]),
    st.integers(0, 90),
    st.sampled_from(OFFICES),
    st.sampled_from(["10", "10", "40"]),
)


def event(step: Step, number: int) -> Event:
    """Return the event of a step; the first of a milestone counts."""
    kind = BY_MILESTONE[step.milestone]
    values: tuple[Value, ...] = tuple(None for _ in kind.fields)
    if kind is NUMBERED:
        named = {"office": step.office, "regime": step.regime, "cif_cents": 1, "duties_cents": 1}
        values = tuple(named.get(name) for name in kind.fields)
    at_ms = START + step.after_h * HOUR
    return Event(str(step.subject), kind, Fact(START + number, f"e{number}", at_ms, values))


def expected(taken: list[Step]) -> dict[str, list[tuple[int, str]]]:
    """Return (due, subject) of those that wait, by office, sorted afresh."""
    lives: dict[int, dict[str, Step]] = {}
    for step in taken:
        lives.setdefault(step.subject, {}).setdefault(step.milestone, step)
    found: dict[str, list[tuple[int, str]]] = {}
    for subject, life in lives.items():
        if "numbered" not in life or "arrived" not in life or life["numbered"].regime != "10":
            continue
        if "released" in life or "cancelled" in life:
            continue
        begun = max(life[name].after_h for name in ("arrived", "discharged") if name in life)
        entry = (START + begun * HOUR + LIMIT, str(subject))
        found.setdefault(life["numbered"].office, []).append(entry)
    return {
        office: sorted(each, key=lambda e: (e[0], f"declaration:{e[1]}"))
        for office, each in found.items()
    }


@given(st.lists(steps, max_size=400), st.randoms(use_true_random=False))
def test_the_topic_holds_whoever_waits(taken: list[Step], chance: random.Random):
    """After any drains and restarts: the first due, in order, and the others counted by pane."""
    fold, topic, codec = PartitionFold(CATALOGUE, MsgspecStateCodec()), {}, MsgspecStateCodec()
    subjects: dict[bytes, bytes | None] = {}

    def drain() -> None:
        changes = fold.drain()
        subjects.update(changes.subjects)
        for key, value in changes.worklists:
            if value is None:
                topic.pop(key, None)
            else:
                topic[key] = value

    for number, step in enumerate(taken):
        fold.apply(event(step, number))
        if chance.random() < 0.05:
            drain()
        if chance.random() < 0.02:
            drain()
            meta, fold = fold.meta(), PartitionFold(CATALOGUE, codec)
            for key, value in subjects.items():
                fold.restore_subject(key, value)
            fold.restore_meta(meta)
            fold.restored()
    drain()
    found: dict[str, OfficeList] = {}
    for key, value in topic.items():
        worklist, office, each = decode(key, value)
        assert worklist == STRATEGY.worklists[0].id
        found[office] = each
    wanted = expected(taken)
    assert found.keys() == wanted.keys()
    for office, each in found.items():
        assert [(one.due_ms, one.subject) for one in each.listed] == wanted[office][:SIZE]
        assert sum(each.later.values()) == len(wanted[office]) - len(each.listed)
        assert all(one.stage for one in each.listed)


def test_whoever_is_late_and_not_listed_is_late_at_once():
    """Not close, until the pane is over in which the list was written."""
    fold, waiting = PartitionFold(CATALOGUE, MsgspecStateCodec()), SIZE + 20
    for number in range(waiting):
        fold.apply(event(Step(number, "numbered", 0), 2 * number))
        fold.apply(event(Step(number, "arrived", number // 10), 2 * number + 1))
    # The newest recording is in the middle of a pane, and all are late by then.
    now_ms = START + 2 * LIMIT + 400_000
    late = Step(10_000, "exited", 0)
    fold.apply(event(late, now_ms - START))
    ((key, value),) = fold.drain().worklists
    assert value is not None
    (worklist,) = STRATEGY.worklists
    sheet = worksheet([decode(key, value)[2]], worklist, LIMIT, now_ms)
    assert (sheet.late, sheet.close, len(sheet.listed)) == (waiting, 0, SIZE)


@given(
    st.lists(st.integers(-100, 100), max_size=30),
    st.lists(st.integers(-100, 100), max_size=30),
    st.integers(1, 10),
)
def test_a_sheet_puts_lists_together(one: list[int], other: list[int], size: int):
    """Late and close ones of all lists in one order; the others are counted, none twice."""
    worklist = Worklist("release", "released-within-48h", close=0.75, size=size)
    now_ms = START + LIMIT

    def listed(office: str, hours: list[int]) -> OfficeList:
        waiting = [
            Waiting(now_ms + each * HOUR, f"{office}{at}", office, None, "", 0)
            for at, each in enumerate(sorted(hours))
        ]
        later: dict[int, int] = {}
        for each in waiting[size:]:
            pane = each.due_ms // 900_000
            later[pane] = later.get(pane, 0) + 1
        return OfficeList(tuple(waiting[:size]), later)

    sheet = worksheet([listed("a", one), listed("b", other)], worklist, LIMIT, now_ms)
    every = sorted(one + other)
    assert sheet.late == sum(each < 0 for each in every)
    assert sheet.close == sum(0 <= each <= 12 for each in every)
    dues = [(each.due_ms - now_ms) // HOUR for each in sheet.listed]
    assert dues == [each for each in every if each <= 12][:size]
    assert sheet.more == sheet.late + sheet.close - len(sheet.listed)


def test_every_office_has_a_sheet():
    """Also one where nothing waits; what no office of the strategy has, has one of its own."""
    late = OfficeList((Waiting(START + LIMIT, "s1", "118", None, "", 0),), {})
    held = {"118": {"release": [late], "gone": [late]}}
    found = sheets(STRATEGY, lambda office: held.get(office, {}), START + LIMIT + 1)
    assert found.keys() == {("release", office) for office in (*STRATEGY.offices, OTHER)}
    assert {key[1]: each.late for key, each in found.items() if each.late} == {"118": 1}
    before = sheets(STRATEGY, lambda office: held.get(office, {}), START + LIMIT)
    assert (before["release", "118"].late, before["release", "118"].close) == (0, 1)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"release|118", b"{"),
        (b"release|118", b"[]"),
        (b"release|118", b'{"listed":[[1]],"later":{}}'),
        (b"release|118", b'{"listed":[],"later":{"x":1}}'),
        (b"release", b'{"listed":[],"later":{}}'),
    ],
)
def test_what_is_no_worklist_is_refused(key: bytes, value: bytes):
    """The words name the key."""
    with pytest.raises(StateError, match="release"):
        decode(key, value)
