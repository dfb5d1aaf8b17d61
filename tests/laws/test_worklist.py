"""The worklists of a partition that is drained and restarted, against a list sorted afresh."""

import random
from collections import Counter
from dataclasses import replace
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
from kpi_stream.domain.windows import PANE_MS
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
    later_h: int = 0
    """Hours since the recording of the event before."""

    @property
    def at_ms(self) -> int:
        """When it happened: in any quarter of an hour, though the same one for a subject."""
        return START + self.after_h * HOUR + self.subject % 4 * PANE_MS


def lives(chance: random.Random, count: int) -> list[Step]:
    """Return so many steps of a few declarations, so that many wait and many of those are late."""
    milestones = ["numbered"] * 3 + ["arrived"] * 3 + ["discharged", "released", "cancelled"]
    return [
        Step(
            subject=chance.randrange(count // 4 + 1),
            milestone=chance.choice(milestones),
            after_h=chance.randint(-200, 90),
            office=chance.choice(OFFICES),
            regime=chance.choice(["10", "10", "40"]),
            later_h=chance.choice([0] * 9 + [1, 5, 20]),
        )
        for _ in range(count)
    ]


def event(step: Step, number: int, recorded_ms: int | None = None) -> Event:
    """Return the event of a step; the first of a milestone counts."""
    kind = BY_MILESTONE[step.milestone]
    values: tuple[Value, ...] = tuple(None for _ in kind.fields)
    if kind is NUMBERED:
        named = {"office": step.office, "regime": step.regime, "cif_cents": 1, "duties_cents": 1}
        values = tuple(named.get(name) for name in kind.fields)
    recorded_ms = recorded_ms or START + number
    return Event(str(step.subject), kind, Fact(recorded_ms, f"e{number}", step.at_ms, values))


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
        begun = max(life[name].at_ms for name in ("arrived", "discharged") if name in life)
        entry = (begun + LIMIT, str(subject))
        found.setdefault(life["numbered"].office, []).append(entry)
    return {
        office: sorted(each, key=lambda e: (e[0], f"declaration:{e[1]}"))
        for office, each in found.items()
    }


@given(st.integers(0, 400), st.integers(1, 10), st.integers(0, 1 << 32))
def test_the_topic_holds_whoever_waits(count: int, size: int, seed: int):
    """After any drains and restarts: the first due, in order, and the others counted by pane.

    What happens is random rather than hypothesis' choice, which is made of few and equal things.
    """
    chance = random.Random(seed)
    taken = lives(chance, count)
    worklists = tuple(replace(each, size=size) for each in STRATEGY.worklists)
    catalogue, codec = Catalogue(replace(STRATEGY, worklists=worklists)), MsgspecStateCodec()
    fold, topic = PartitionFold(catalogue, codec), {}
    subjects: dict[bytes, bytes | None] = {}

    def drain() -> None:
        changes = fold.drain()
        subjects.update(changes.subjects)
        for key, value in changes.worklists:
            if value is None:
                topic.pop(key, None)
            else:
                topic[key] = value

    recorded_ms = START
    for number, step in enumerate(taken):
        recorded_ms += step.later_h * HOUR + 1
        fold.apply(event(step, number, recorded_ms))
        if chance.random() < 0.2:
            drain()
        if chance.random() < 0.02:
            drain()
            meta, fold = fold.meta(), PartitionFold(catalogue, codec)
            for key, value in subjects.items():
                fold.restore_subject(key, value)
            fold.restore_meta(meta)
            fold.restored()
    drain()
    found = dict(office_list(*record) for record in topic.items())
    wanted = expected(taken)
    assert found.keys() == wanted.keys()
    for office, each in found.items():
        assert [(one.due_ms, one.subject) for one in each.listed] == wanted[office][:size]
        assert all(one.stage for one in each.listed)
        assert held(each, recorded_ms) == panes(wanted[office][size:], recorded_ms)


def office_list(key: bytes, value: bytes) -> tuple[str, OfficeList]:
    """Return the office and the list of a record."""
    worklist, office, each = decode(key, value)
    assert worklist == STRATEGY.worklists[0].id
    return office, each


def held(listed: OfficeList, recorded_ms: int) -> Counter[int]:
    """Return how many follow in each pane, what is over at a recording as one pane."""
    passed, found = recorded_ms // PANE_MS - 1, Counter[int]()
    for pane, count in listed.later.items():
        assert count > 0
        found[max(pane, passed)] += count
    return found


def panes(waiting: list[tuple[int, str]], recorded_ms: int) -> Counter[int]:
    """Return the same of those that wait, from their due times."""
    passed = recorded_ms // PANE_MS - 1
    return Counter(max(due_ms // PANE_MS, passed) for due_ms, _ in waiting)


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
