"""Annotations on their way to Grafana: real sockets, a real thread, Grafana's bad days."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kpi_stream.adapters.clock import Clock
from kpi_stream.adapters.grafana.annotations import GrafanaAnnotator, Patience
from kpi_stream.adapters.grafana.client import Access, GrafanaClient
from kpi_stream.application.judge import Transition
from kpi_stream.domain.status import Status
from tests.support.grafana_stub import (
    TOKEN,
    Bad,
    GrafanaStub,
    cut,
    cut_afterwards,
    hang,
    page,
    says,
)
from tests.support.processes import eventually
from tests.support.scorecard import ADVANCE, NOON_MS, RELEASE, national, strategy, target

GOALS = strategy(target(ADVANCE, 0.8), target(RELEASE, 3_600.0))
UIDS = {ADVANCE: "test-kpi-advance-share", RELEASE: "test-kpi-release-time"}
QUICK = Patience(capacity=5, first_s=0.01, longest_s=0.04)
WITHIN_S = 20.0


class Counts:
    """Counts, as the metrics do."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.waiting = 0

    def annotated(self, outcome: str) -> None:
        """Add one."""
        self.outcomes[outcome] += 1

    def annotations_waiting(self, count: int) -> None:
        """Keep the newest."""
        self.waiting = count


def change(sequence: int, kpi: str = ADVANCE) -> Transition:
    """Return one change of a status."""
    return Transition(
        *(national(kpi), sequence, Status.ON_TRACK, Status.OFF_TRACK, NOON_MS + sequence * 1_000),
        *(0.1, 0.8, 0.8, None, 100, None, f"{kpi}-goal", 1, "0123"),
    )


class Site:
    """A Grafana and an annotator of it."""

    def __init__(self, stub: GrafanaStub, token: Path) -> None:
        self.stub, self.counts, self.token = stub, Counts(), token
        self.stub.dashboards = {uid: {"meta": {}, "dashboard": {}} for uid in UIDS.values()}
        self.annotator = self.make(QUICK)

    def make(self, patience: Patience) -> GrafanaAnnotator:
        """Return another annotator, as after a restart."""
        client = GrafanaClient(Access(self.stub.url, self.token, 0.3), Clock().monotonic)
        return GrafanaAnnotator(client, self.counts, lambda: 0.0, patience)

    def tell(self, *transitions: Transition) -> None:
        """Give transitions."""
        self.annotator.take(transitions, GOALS)

    def until(self, **outcomes: int) -> None:
        """Wait until so much was counted, and nothing waits."""
        eventually(
            lambda: dict(self.counts.outcomes) == outcomes and self.counts.waiting == 0,
            within_s=WITHIN_S,
            what=f"{outcomes}; there are {self.counts.outcomes}, {self.counts.waiting} waiting",
        )

    def sequences(self) -> list[int]:
        """Return the numbers of the changes that Grafana has."""
        return [(each["time"] - NOON_MS) // 1_000 for each in self.stub.annotations]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A Grafana and an annotator that has started."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with GrafanaStub() as stub:
        made = Site(stub, token)
        made.annotator.start()
        yield made
        stub.let_go.set()
        made.annotator.close(WITHIN_S)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged."""
    return [each.getMessage() for each in caplog.records if "grafana" in each.name]


def test_a_change_is_on_the_dashboard_of_its_kpi(site: Site) -> None:
    """Bound by uid and panel, at the instant that was judged, found by the dashboard's tags."""
    site.tell(change(1))
    site.until(sent=1)
    (made,) = site.stub.annotations
    assert (made["dashboardUID"], made["panelId"]) == (UIDS[ADVANCE], 1)
    assert (made["time"], made["timeEnd"]) == (NOON_MS + 1_000, NOON_MS + 1_000)
    assert {"kpi-stream", f"kpi:{ADVANCE}"} <= set(made["tags"])
    assert made["text"] == "■ Off track: 0.10, should be 0.80 (n 100) · 24h"


def test_they_are_sent_in_order(site: Site) -> None:
    """Oldest first, one connection, no second attempt."""
    site.tell(change(1), change(2, RELEASE))
    site.tell(change(3))
    site.until(sent=3)
    assert site.sequences() == [1, 2, 3]


@pytest.mark.parametrize(
    "bad",
    [
        says(401, "Invalid API key"),
        says(403, "Access denied"),
        says(429),
        says(500),
        page(502),
        says(503),
        page(),
        page(200, "{}"),
        page(200, "[]"),
        cut,
    ],
)
def test_a_bad_day_delays_and_loses_nothing(
    site: Site, caplog: pytest.LogCaptureFixture, bad: Bad
) -> None:
    """Each attempt is counted; the outage is logged once, and its end once."""
    caplog.set_level(logging.INFO)
    site.stub.always = bad
    site.tell(change(1))
    eventually(lambda: site.counts.outcomes["failed"] >= 4, within_s=WITHIN_S, what="four attempts")
    assert site.counts.waiting == 1
    site.stub.always = None
    eventually(lambda: site.counts.outcomes["sent"], within_s=WITHIN_S, what="sent")
    site.tell(change(2))
    eventually(lambda: site.counts.outcomes["sent"] == 2, within_s=WITHIN_S, what="the next")
    assert site.sequences() == [1, 2]
    assert site.counts.outcomes["dropped"] == 0
    outage, end = lines(caplog)
    assert outage.startswith("no annotations for now, they wait and are sent later: ")
    failed = site.counts.outcomes["failed"]
    assert end == f"Grafana takes annotations again, after {failed} failed attempts"


def test_an_answer_that_was_lost_makes_no_second_annotation(site: Site) -> None:
    """Grafana did it and the connection broke: it is looked for, by its id, before a repetition."""
    site.stub.bad.extend([cut_afterwards])
    site.tell(change(1), change(2))
    site.until(failed=1, sent=2)
    assert site.sequences() == [1, 2]
    assert [each.method for each in site.stub.seen] == ["POST", "GET", "POST"]
    assert len(site.stub.seen[1].query["tags"]) == 3


def test_a_lost_request_is_sent_again(site: Site) -> None:
    """Grafana did not do it: the look finds nothing, also where others have the same instant."""
    site.tell(change(1, RELEASE))
    site.until(sent=1)
    site.stub.bad.extend([cut, says(500), hang])
    site.tell(change(1))
    eventually(lambda: site.counts.outcomes["sent"] == 2, within_s=WITHIN_S, what="sent")
    assert site.sequences() == [1, 1]
    assert [each["dashboardUID"] for each in site.stub.annotations] == [
        UIDS[RELEASE],
        UIDS[ADVANCE],
    ]


@pytest.mark.parametrize("bad", [says(400, "bad request data"), says(404), says(422)])
def test_what_grafana_refuses_for_good_is_given_up(
    site: Site, caplog: pytest.LogCaptureFixture, bad: Bad
) -> None:
    """Repeating it would keep the others from being sent; it is logged with Grafana's reason."""
    site.stub.bad.append(bad)
    site.tell(change(1), change(2))
    site.until(dropped=1, sent=1)
    assert site.sequences() == [2]
    (line,) = lines(caplog)
    assert line.startswith("an annotation was given up: Grafana answers 4")


@pytest.mark.parametrize("status", [403, 500])
def test_one_without_a_dashboard_does_not_stop_the_others(site: Site, status: int) -> None:
    """Grafana answers 403, or 500 in older versions; once others pass it is given up."""
    del site.stub.dashboards[UIDS[RELEASE]]
    site.stub.bad.append(says(status))
    site.tell(change(1, RELEASE), change(2), change(3, RELEASE), change(4))
    eventually(
        lambda: site.counts.outcomes["dropped"] == 2 and site.counts.waiting == 0,
        within_s=WITHIN_S,
        what="the others",
    )
    assert sorted(site.sequences()) == [2, 4]


def test_the_oldest_make_room(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A Grafana that hangs for days costs the memory of a full queue; the loss is counted."""
    site.stub.always = hang
    site.tell(change(1))
    assert site.stub.hanging.wait(WITHIN_S)
    for number in range(2, 9):
        site.tell(change(number))
    assert site.counts.waiting == QUICK.capacity
    site.stub.always = None
    site.stub.let_go.set()
    eventually(lambda: site.counts.outcomes["sent"] == 5, within_s=WITHIN_S, what="the rest")
    assert site.sequences() == [4, 5, 6, 7, 8]
    assert site.counts.outcomes["dropped"] == 3
    assert [each for each in lines(caplog) if "oldest" in each] == [
        "5 annotations wait for Grafana, the oldest are dropped"
    ]


@pytest.mark.parametrize(
    ("jitter", "pauses"),
    [(0.0, [0.5, 1.0, 2.0, 4.0, 4.0]), (1.0, [1.0, 2.0, 4.0, 8.0, 8.0])],
)
def test_pauses_double_within_limits_and_are_spread(
    site: Site, monkeypatch: pytest.MonkeyPatch, jitter: float, pauses: list[float]
) -> None:
    """Half of each pause is by chance, so that many scorecards do not ask at once."""
    slept = pauses_of(monkeypatch)
    site.stub.always = says(503)
    client = GrafanaClient(Access(site.stub.url, site.token), Clock().monotonic)
    patience = Patience(first_s=1.0, longest_s=8.0)
    annotator = GrafanaAnnotator(client, Counts(), lambda: jitter, patience)
    annotator.take([change(1)], GOALS)
    annotator.start()
    eventually(lambda: len(slept) >= 5, within_s=WITHIN_S, what="five pauses")
    annotator.close(WITHIN_S)
    assert slept[:5] == pauses


def test_grafana_says_how_long_to_wait(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its word goes before the own pauses, but nobody waits for a day."""
    slept = pauses_of(monkeypatch)
    site.stub.bad.extend(says(429, Retry_After=each) for each in ("7", "86400", "0"))
    site.tell(change(1))
    site.until(failed=3, sent=1)
    assert slept == [7.0, 300.0, 0.01]


def pauses_of(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Keep the length of each pause in place of waiting for it."""
    slept: list[float] = []

    def pause(annotator: GrafanaAnnotator, seconds: float) -> None:
        assert annotator
        slept.append(seconds)

    monkeypatch.setattr(GrafanaAnnotator, "_pause", pause)
    return slept


def test_an_end_sends_what_is_waiting(site: Site) -> None:
    """Also in the middle of a long pause after a failure: Grafana may be there again."""
    patient = site.make(Patience(first_s=1_000.0))
    site.stub.bad.append(says(503))
    patient.start()
    patient.take([change(1), change(2)], GOALS)
    eventually(lambda: site.counts.outcomes["failed"], within_s=WITHIN_S, what="the pause")
    patient.close(WITHIN_S)
    assert site.sequences() == [1, 2]
    assert site.counts.outcomes == {"failed": 1, "sent": 2}


def test_an_end_without_grafana_tries_once(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """What it does not take then is counted and logged."""
    site.stub.always = says(503)
    patient = site.make(Patience(first_s=1_000.0))
    patient.take([change(1), change(2)], GOALS)
    patient.start()
    patient.close(WITHIN_S)
    assert site.counts.outcomes["dropped"] == 2
    assert len(site.stub.posts()) in (1, 2)  # a pause that had begun is cut short
    assert "2 annotations were not sent to Grafana before the end" in lines(caplog)


def test_an_end_does_not_wait_for_a_grafana_that_hangs(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """What was not sent is counted and logged; the connection is left to the process's end."""
    site.stub.always = hang
    site.tell(change(1), change(2))
    assert site.stub.hanging.wait(WITHIN_S)
    client = GrafanaClient(Access(site.stub.url, site.token, 1_000.0), Clock().monotonic)
    endlessly = GrafanaAnnotator(client, site.counts, lambda: 0.0)
    site.stub.hanging.clear()
    endlessly.take([change(3), change(4)], GOALS)
    endlessly.start()
    assert site.stub.hanging.wait(WITHIN_S)
    ended = threading.Event()
    threading.Thread(target=lambda: (endlessly.close(0.01), ended.set()), daemon=True).start()
    assert ended.wait(WITHIN_S)
    assert not site.stub.let_go.is_set()  # it hangs still
    assert "2 annotations were not sent to Grafana before the end" in lines(caplog)
    assert site.counts.outcomes["dropped"] == 2


def test_a_mistake_of_the_program_loses_one(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The thread goes on, and the log has the traceback."""
    fail_once(monkeypatch)
    site.tell(change(1), change(2))
    site.until(dropped=1, sent=1)
    assert site.sequences() == [2]
    assert "ZeroDivisionError" in caplog.text


def fail_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next request fail with what nobody expects."""
    right: Callable[..., object] = GrafanaClient.post

    def post(*_: object) -> object:
        monkeypatch.setattr(GrafanaClient, "post", right)
        raise ZeroDivisionError

    monkeypatch.setattr(GrafanaClient, "post", post)
