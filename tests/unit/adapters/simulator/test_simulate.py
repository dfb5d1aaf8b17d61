"""The history: valid, in order, the same every time, and what an administration looks like."""

import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import pairwise, takewhile
from pathlib import Path

import pytest

from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.adapters.simulator import (
    OfficeShare,
    Rates,
    Simulation,
    office_shares,
    simulate,
    stages,
)
from kpi_stream.adapters.simulator.options import TRANSPORT_MODES
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.events import EVENT_TYPES
from tests.unit.adapters.simulator.conftest import (
    NOW_MS,
    OFFICES,
    events_of,
    milliseconds,
    simulation_options,
)

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def history():
    """A history that is long enough for every type of event."""
    options = simulation_options(days=200, rates=Rates(target_revisions=1.0))
    return list(simulate(options))


def test_every_event_is_accepted_and_every_type_occurs(history):
    """The contract takes each record, at the time at which it is appended."""
    codec = EventCodec(frozenset(office.code for office in OFFICES), 0, 65_536)
    types = Counter(codec.decode(*record).type.name for record in history)
    assert set(types) == {each.name for each in EVENT_TYPES}


def test_records_are_in_order_and_end_at_now(history):
    """Turns never go back, and the history reaches `now` but not beyond."""
    turns = [record.append_ms for record in history]
    assert all(one <= other for one, other in pairwise(turns))
    assert NOW_MS - DAY_MS < turns[-1] <= NOW_MS
    first = turns[0]
    assert NOW_MS - 200 * DAY_MS - stages.BEFORE_MS <= first < NOW_MS - 199 * DAY_MS


def test_identities_are_unique(history):
    """No event_id occurs twice."""
    identities = [event["event_id"] for event in events_of(history)]
    assert len(set(identities)) == len(identities)


def test_the_same_options_give_the_same_bytes_in_every_process():
    """Neither the hashing of strings nor the run before has any influence."""
    program = (
        "import hashlib\n"
        "from kpi_stream.adapters.simulator import Injections, simulate\n"
        "from tests.unit.adapters.simulator.conftest import simulation_options\n"
        "spoilt = Injections(.05, .05, .05, .05, .05, .05)\n"
        "records = simulate(simulation_options(injections=spoilt))\n"
        "print(hashlib.sha256(repr(list(records)).encode()).hexdigest())\n"
    )
    root = Path(__file__).parents[4]
    digests = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert digests[0] == digests[1]
    assert len(digests[0].strip()) == hashlib.sha256().digest_size * 2


def test_another_seed_gives_other_bytes(options):
    """The seed decides."""
    assert list(simulate(options(seed=1))) != list(simulate(options(seed=2)))


def test_a_day_does_not_depend_on_where_the_history_begins(options):
    """With a fixed trend, a longer history has the same last days."""
    flat = {"trend": 0.0, "anticipated": (0.75, 0.75)}
    short, long = Simulation(options(days=10, **flat)), Simulation(options(days=300, **flat))
    kept = [
        [turn for turn in each.on(each.today) if b'"declaration.numbered"' in turn[3]]
        for each in (short, long)
    ]
    assert [turn[2] for turn in kept[0]] == [turn[2] for turn in kept[1]]
    assert kept[0]


def test_no_event_is_outside_the_bounds_of_its_day(options):
    """What is handed out early, and what is repeated for the live part, rests on these bounds."""
    simulation = Simulation(options(per_day=400.0))
    for day in range(simulation.today - 30, simulation.today):
        midnight = simulation.hours.midnight_ms(day)
        turns = [turn[0] for turn in simulation.on(day)]
        assert midnight - stages.BEFORE_MS <= min(turns)
        assert max(turns) <= midnight + stages.AFTER_MS


def test_a_life_follows_its_clearance_mode(history):
    """Deferred: after the discharge; anticipated: before the arrival; channel as the law says."""
    lives = defaultdict(dict)
    for event in events_of(history):
        lives[event["subject"]].setdefault(event["type"], milliseconds(event["occurred_at"]))
        if event["type"] == "declaration.numbered":
            lives[event["subject"]]["mode"] = event["clearance_mode"]
            lives[event["subject"]]["by road"] = event["transport_mode"] == "road"
    seen, before_arrival = Counter(), 0
    for life in lives.values():
        mode, numbered = life.get("mode"), life.get("declaration.numbered")
        arrived, channel = life.get("transport.arrived"), life.get("channel.assigned")
        if mode is None or arrived is None or channel is None:
            continue
        seen[mode] += 1
        assert numbered <= channel
        if mode == "deferred":
            assert life["discharge.completed"] <= numbered
            assert life["debt.settled"] <= channel
        if mode == "anticipated":
            assert numbered < arrived
            assert not life["by road"] or arrived <= channel
        released = life.get("release.granted")
        if released is not None:
            assert max(life["debt.settled"], channel) <= released
            before_arrival += released < arrived
        if "goods.exited" in life:
            assert max(released, life["discharge.completed"]) <= life["goods.exited"]
    assert set(seen) == {"anticipated", "deferred", "urgent"}
    assert before_arrival > 100


def test_humans_work_in_office_hours(history):
    """Reviews, inspections and audits end when the offices are open."""
    human = {"review.completed", "inspection.completed", "audit.completed", "channel.changed"}
    minutes = [
        (milliseconds(event["occurred_at"]) // 60_000 - 5 * 60) % 1440
        for event in events_of(history)
        if event["type"] in human
    ]
    assert minutes
    assert all(510 <= minute <= 990 for minute in minutes)


def test_a_cancelled_declaration_ends_there(history):
    """Nothing is released, leaves or happens after the cancellation."""
    ends = {
        event["subject"]: milliseconds(event["occurred_at"])
        for event in events_of(history)
        if event["type"] == "declaration.cancelled"
    }
    after = [
        event
        for event in events_of(history)
        if event["subject"] in ends
        and (
            event["type"] in {"release.granted", "goods.exited"}
            or milliseconds(event["occurred_at"]) > ends[event["subject"]]
        )
    ]
    assert ends
    assert not after


def test_the_trend_improves_the_release_time(options):
    """With a trend the second half of the history is faster than the first, without it is not."""

    def ratio(trend: float) -> float:
        fixed = {"anticipated": (0.75, 0.75), "per_day": 40.0, "days": 120, "trend": trend}
        arrived, halves = {}, ([], [])
        for event in events_of(simulate(options(**fixed))):
            moment = milliseconds(event["occurred_at"])
            if event["type"] == "transport.arrived":
                arrived[event["subject"]] = moment
            if event["type"] == "release.granted" and event["subject"] in arrived:
                late = moment > NOW_MS - 60 * DAY_MS
                halves[late].append(max(0, moment - arrived[event["subject"]]))
        first, second = (sum(half) / len(half) for half in halves)
        return second / first

    assert ratio(0.8) < 0.8
    assert 0.9 < ratio(0.0) < 1.1


def test_offices_get_their_share_and_their_modes(history):
    """Declarations are spread as the options say, and arrive by what the office has."""
    numbered = [e for e in events_of(history) if e["type"] == "declaration.numbered"]
    counts = Counter(event["office"] for event in numbered)
    assert counts["A-SEA"] / len(numbered) == pytest.approx(0.6, abs=0.03)
    assert {e["transport_mode"] for e in numbered if e["office"] == "A-SEA"} == {"sea"}
    assert {e["transport_mode"] for e in numbered if e["office"] == "C-LAND"} == {"road", "rail"}


def test_offices_by_rank_and_by_weight():
    """Without weights the first codes are the busiest; with weights the others get nothing."""
    ranked = office_shares([f"o{n}" for n in range(25)])
    assert [office.share for office in ranked] == sorted(
        (office.share for office in ranked), reverse=True
    )
    assert [o.code for o in office_shares(["x", "y", "z"], {"z": 2.0, "x": 1.0})] == ["x", "z"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"offices": ()}, "needs an office"),
        ({"offices": (OfficeShare("A", 0.0),)}, "Office A: share must be positive"),
        ({"offices": (OfficeShare("A", 1.0, {"tube": 1.0}),)}, "unknown transport mode tube"),
        ({"per_day": 0.0}, "per_day must be greater than 0"),
        ({"days": 0}, "days must be at least 1"),
        ({"amended": 1.5}, "amended must be a share between 0 and 1"),
        ({"anticipated": (0.5, float("nan"))}, "anticipated must be a share"),
    ],
)
def test_wrong_options_are_named(options, changes, words):
    """An option out of its range is refused with its name."""
    with pytest.raises(InputError, match=words):
        options(**changes)


def test_the_stream_has_no_end(options):
    """Behind the history the same stream goes on, in order."""
    simulation = Simulation(options(days=5))
    later = NOW_MS + 40 * DAY_MS
    records = simulation.records(simulation.first_day)
    turns = [r.append_ms for r in takewhile(lambda r: r.append_ms < later, records)]
    assert turns == sorted(turns)
    assert later - turns[-1] < DAY_MS


def test_the_modes_are_those_of_the_contract():
    """Each mode is a value that the contract knows; the order decides the bytes."""
    assert TRANSPORT_MODES == ("sea", "air", "road", "rail", "river", "mail")
