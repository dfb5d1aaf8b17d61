"""The feed of the reduced job, its answer, and how outputs are held against it."""

import random
from collections import Counter
from datetime import datetime

import msgspec
import pytest

from benchmarks import exactness
from benchmarks.core import Case, Clock, Core
from benchmarks.peers import ours
from benchmarks.peers.engines import ENGINES, NAMES
from benchmarks.peers.feed import Expected, PeerFeed, answer, events, peer_feed, summed
from benchmarks.peers.install import JOBS, Missing, classpath
from benchmarks.peers.runs import _LINE, Run, differences, settle
from benchmarks.peers.side_by_side import _attempt, joined
from benchmarks.peers.tables import tables
from benchmarks.worker import REDUCED
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.bootstrap.common import event_codec
from kpi_stream.settings import Settings

DECLARATIONS = 300
_LATER_MS = 4_000_000_000_000


@pytest.fixture
def feed(tmp_path, monkeypatch) -> PeerFeed:
    """Return a small feed, made in a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return peer_feed(DECLARATIONS / 200_000)


def counted(feed: PeerFeed) -> exactness.Counted:
    """Return the rows that the core makes of the feed."""
    core, clock = Core(Case(REDUCED)), Clock()
    for partition, lines in core.batches(feed.feed.path):
        core.take(partition, lines, clock)
    for partition in range(4):
        core.drain(partition, clock)
    return exactness.Counted(core._rows)


def test_the_feed_is_in_order_whole_and_always_the_same(feed):
    """Six events a declaration, by time; the same bytes again."""
    lines = list(feed.feed.lines())
    assert len(lines) == feed.expected.events == DECLARATIONS * 6
    assert feed.expected.releases == DECLARATIONS
    times = [msgspec.json.decode(line)["occurred_at"] for line in lines]
    assert times == sorted(times)
    assert list(events(DECLARATIONS)[1]) == lines
    of_subject = Counter(msgspec.json.decode(line)["subject"] for line in lines)
    assert set(of_subject.values()) == {6}


def test_the_product_accepts_every_event(feed):
    """Whoever is measured on it does the whole work for each."""
    decode = event_codec(Settings(), load_strategy(REDUCED)).decode
    for line in feed.feed.lines():
        decode(msgspec.json.decode(line)["subject"].encode(), line, _LATER_MS)


def test_the_answer_is_that_of_a_join_by_hand(feed):
    """Arrival and release of each, from the text of the events alone."""
    arrived, panes = {}, {}
    for line in feed.feed.lines():
        event = msgspec.json.decode(line)
        moment = datetime.fromisoformat(event["occurred_at"])
        if event["type"] == "transport.arrived":
            arrived[event["subject"]] = moment
        if event["type"] == "release.granted":
            start = int(moment.timestamp()) // 300 * 300
            pane = panes.setdefault(f"{event['office']}|{start}", [0, 0])
            pane[0] += 1
            pane[1] += int((moment - arrived[event["subject"]]).total_seconds())
    assert panes == feed.expected.panes


def test_the_first_tenth_has_its_own_answer(feed):
    """Only what was both arrived and released within it."""
    moments, lines = events(DECLARATIONS)
    tenth = feed.part.events
    assert tenth == DECLARATIONS * 6 // 10
    assert answer(moments[:tenth], list(lines)[:tenth]) == feed.part
    assert 0 < feed.part.releases < feed.expected.releases


def test_the_products_rows_come_to_the_answer(feed):
    """Panes of a quarter of an hour and days, without the channel; one wrong counter is seen."""
    rows = counted(feed)
    assert ours._wrong(rows, feed.expected) == 0
    assert sum(number for number, _ in ours.panes_of(rows).values()) == DECLARATIONS
    key = next(each for each in rows.rows if each[1].startswith(b"f|"))
    kept = rows.rows.pop(key)
    assert ours._wrong(rows, feed.expected) == 1
    rows.rows[key] = kept.replace(b'_ms":', b'_ms":1')
    assert ours._wrong(rows, feed.expected) == 1


def test_panes_add_up(feed):
    """A longer pane holds what the shorter ones hold; partitions of a key are added."""
    wider = feed.expected.wider(900)
    assert sum(number for number, _ in wider.values()) == DECLARATIONS
    assert summed({"1|0|0": [1, 2], "1|0|3": [3, 4]}, 300) == {"1|0": [4, 6]}
    assert differences({"a": [1, 1]}, {"a": [1, 2], "b": [1, 1]}) == 2


def test_an_output_is_waited_for_until_it_is_right():
    """It comes to the answer, or nothing more is to be expected."""
    outputs = iter([{}, {"a": [1, 1]}, {"a": [2, 2]}])
    assert settle(lambda: next(outputs), {"a": [2, 2]}) == {"a": [2, 2]}
    assert settle(dict, {"a": [2, 2]}, ended=lambda: True) == {}


def test_every_job_says_what_the_harness_reads():
    """The lines of the jobs in Python and in Java have one form."""
    (found,) = _LINE.findall("FIRST t=1795706552.514 cpu=0.847 events=1 released=0")
    assert found == ("FIRST", "1795706552.514", "0.847", "1", "0")
    sources = [*JOBS.glob("counting.py"), *JOBS.parent.glob("*/*.java")]
    assert len(sources) == 3
    for source in sources:
        text = source.read_text()
        assert "t=" in text
        assert "released=" in text


def test_an_engine_that_cannot_run_is_said_and_stops_no_other(monkeypatch):
    """Without Java the reason is given; the table shows it."""
    monkeypatch.setattr("benchmarks.peers.install.shutil.which", lambda _: None)
    with pytest.raises(Missing, match="java is not installed"):
        classpath("flink")
    found = {name: {"runs": [], "killed": [], "missing": ""} for name in NAMES}
    found["flink"]["missing"] = "cannot run here: java | is not installed"
    (table,) = tables(found)
    assert table.title == "What failed or cannot run here"
    assert table.rows == (
        (
            ENGINES["flink"].title,
            ENGINES["flink"].promise,
            "cannot run here: java / is not installed",
        ),
    )


def test_an_engine_that_fails_is_tried_once_more():
    """A second failure is the last; both are in the table."""
    run = Run(1.0, 1.0, 1.0, 1.0, 1.0, 1, 0, 1.0)
    outcomes = iter([RuntimeError("tripped"), run, RuntimeError("fell")])

    def measured() -> Run:
        outcome = next(outcomes)
        if isinstance(outcome, RuntimeError):
            raise outcome
        return outcome

    found = {"faust": {"runs": [], "killed": [], "missing": ""}}
    _attempt("run 1", found["faust"], "runs", measured)
    assert len(found["faust"]["runs"]) == 1
    assert "started again; run 1: tripped" in tables(found)[-1].rows[0][-1]
    _attempt("run 2", found["faust"], "runs", measured)
    assert found["faust"]["missing"] == "failed twice; run 2: fell"


def test_what_is_wrong_after_a_crash_is_shown_as_wrong():
    """Too many releases are a share above the answer."""
    chance = random.Random(1)
    run = {
        **dict.fromkeys(("per_second", "per_cpu_second", "warm_per_cpu_second"), chance.random()),
        "peak_rss_bytes": 1 << 20,
        "wrong_panes": 0,
        "load_average": 1.0,
    }
    killed = {
        "at_share": 0.5,
        "resumed_s": None,
        "wrong_panes": 3,
        "counted": 1017,
        "wanted": 1000,
    }
    shown = tables({"quix": {"runs": [run], "killed": [killed], "missing": ""}})
    assert shown[0].rows[0][-2] == "1 of 1"
    assert "**wrong** (+1.7%)" in shown[1].rows[0]


def test_an_engine_can_be_measured_again_alone():
    """What was kept of the others stays, if it was the same feed."""
    before = {"scale": 1.0, "engines": {"flink": "old", "kpi-stream": "old"}}
    assert joined({"kpi-stream": "new"}, before, 1.0) == {"kpi-stream": "new", "flink": "old"}
    assert joined({"kpi-stream": "new"}, before, 0.5) == {"kpi-stream": "new"}
    assert joined({"kpi-stream": "new"}, None, 1.0) == {"kpi-stream": "new"}


def test_an_answer_is_kept_and_read_again(feed):
    """The second time the same feed comes from the cache."""
    again = peer_feed(DECLARATIONS / 200_000)
    assert again == feed
    assert isinstance(again.expected, Expected)
