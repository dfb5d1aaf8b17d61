"""The API over HTTP: every path against what the scorecard and the rows say, and every refusal."""

import asyncio
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from kpi_stream.adapters.web.server import WebServer
from kpi_stream.adapters.web.site import Site
from kpi_stream.application.as_of import Freshness, PartitionProgress
from kpi_stream.application.judge import Transition
from kpi_stream.application.scorecard import Scorecard
from kpi_stream.domain import strategy as s
from kpi_stream.domain.status import Status
from kpi_stream.domain.worklist import OfficeList, Waiting
from tests.support.page_site import page_site
from tests.support.scorecard import (
    ADVANCE,
    HOUR_MS,
    NOON_MS,
    PLANNED,
    RED,
    RELEASE,
    Rows,
    national,
    numbered,
    strategy,
    target,
    text,
    totals,
)
from tests.support.web_site import FakeSite

Json = Any
LIMIT = 24 * HOUR_MS


def strategy_with_lists() -> s.Strategy:
    """Two offices, targets for all and for one of them, a limit with its worklist."""
    made = strategy(
        target(ADVANCE, 0.8),
        target(ADVANCE, 0.6, id="advance-118", dimension="office", members=("118",)),
        target(RED, 0.2, low=0.1),
    )
    limit = replace(
        made.kpis[0],
        id="in-time",
        measure=s.Within(("numbered",), ("released",), LIMIT),
        name=text("In time"),
    )
    return replace(
        made,
        kpis=(*made.kpis, limit),
        worklists=(s.Worklist("late", "in-time", close=0.75, size=2),),
    )


def counted() -> FakeSite:
    """A site: 118 numbered 10, of which 4 in advance; 235 numbered 5, all in advance."""
    decided = strategy_with_lists()
    site, table, rows = FakeSite(), totals(decided), Rows(decided)
    events = [
        numbered(f"D{at}", NOON_MS - HOUR_MS, anticipated=at < 4 or at >= 10, office=where)
        for at, where in enumerate(["118"] * 10 + ["235"] * 5)
    ]
    for key, value in rows.flush(events, NOON_MS):
        if key != b"@":
            table.apply_row(0, key, value)
    card = Scorecard(decided, table)
    site.read, site.rows = decided, table
    site.latest = card.evaluate(NOON_MS)
    return site


def ask(site: Site, *paths: str) -> list[tuple[int, Json]]:
    """Return (status, body) of paths below /api/v1."""

    async def run() -> list[tuple[int, Json]]:
        server = WebServer(site, 0)
        await server.start()
        try:
            url = f"http://127.0.0.1:{server.port}"
            found = []
            async with aiohttp.ClientSession(url) as session:
                for path in paths:
                    async with session.get(f"/api/v1{path}") as answer:
                        assert answer.content_type == "application/json", path
                        assert answer.headers["Cache-Control"] == "no-store", path
                        found.append((answer.status, await answer.json()))
            return found
        finally:
            await server.close()

    return asyncio.run(run())


def answer(site: FakeSite, path: str) -> Json:
    """Return the body of one path that answers."""
    ((status, body),) = ask(site, path)
    assert status == 200, body
    return body


def moved(sequence: int, before: Status, after: Status, of: str = ADVANCE) -> Transition:
    """Return a change of a status."""
    return Transition(
        national(of), sequence, before, after, NOON_MS + sequence, 0.5, 0.8, 0.8, None, 15, None,
        f"{of}-goal", 1, "digest",
    )  # fmt: skip


def test_a_kpi_is_told_with_its_members_and_what_they_add_to_the_gap() -> None:
    """9 of 15 against 80 %: the contributions of the offices add up to the gap."""
    body = answer(counted(), f"/kpis/{ADVANCE}?window=24h")
    assert body["reading"] == {
        "window": "24h", "dimension": "national", "member": "", "value": 0.6, "numerator": 9,
        "denominator": 15, "samples": 15, "no_data": None,
    }  # fmt: skip
    judged = body["judgement"]
    assert (judged["status"], judged["expected"], judged["target"]["value"]) == (
        "off_track",
        0.8,
        0.8,
    )
    assert judged["gap"] == pytest.approx(-0.2)
    (offices,) = body["breakdown"]
    assert [(each["member"], each["value"], each["samples"]) for each in offices["members"]] == [
        ("118", 0.4, 10),
        ("235", 1.0, 5),
    ]
    shares = [each["contribution"] for each in offices["members"]]
    assert shares == pytest.approx([(4 - 8) / 15, (5 - 4) / 15])
    assert offices["total"] == pytest.approx(sum(shares)) == pytest.approx(judged["gap"])
    assert "0.20 below" in body["sentence"]["en"]
    assert body["benchmarks"][0]["who"] == "Singapore"
    assert body["definition"]["minimum_sample"] == 2
    assert body["distribution"] is None
    assert [point["expected"] for point in body["trajectory"]] == pytest.approx([0.8] * 25)


def test_a_kpi_of_one_office_is_held_against_the_offices_target() -> None:
    """Its own target where there is one; where there is none, the reading alone."""
    site = counted()
    (_, own), (_, other) = ask(
        site, f"/kpis/{ADVANCE}?office=118", f"/kpis/{ADVANCE}?office=235&window=24h"
    )
    assert (own["window"], own["office"], own["reading"]["value"]) == ("24h", "118", 0.4)
    assert own["judgement"]["expected"] == 0.6
    assert other["judgement"] is None
    assert other["reading"]["value"] == 1.0
    assert other["sentence"]["en"] == "It is 1.00; it has no target."


def test_what_has_no_reading_says_why() -> None:
    """Not measured, or too few."""
    (_, planned), (_, empty) = ask(counted(), f"/kpis/{PLANNED}", f"/kpis/{RELEASE}")
    assert planned["reading"]["no_data"] == "not_measured"
    assert planned["sentence"]["es"] == "no source"
    assert (empty["reading"]["no_data"], empty["breakdown"]) == ("too_few", [])
    assert empty["sentence"]["en"] == "No data: 0 of 2 needed."


def test_the_scorecard_of_an_office() -> None:
    """Its judged series, else its reading; a KPI that is not counted by office has none."""
    site = counted()
    site.changes = [moved(1, Status.ON_TRACK, Status.OFF_TRACK)]
    everything, (_, one) = answer(site, "/scorecard"), ask(site, "/scorecard?office=235")[0]
    (_, advance) = everything["perspectives"][0]["objectives"][0]["kpis"]
    national_one = next(each for each in advance["series"] if each["dimension"] == "national")
    assert (national_one["status_before"], national_one["gap"]) == (
        "on_track",
        pytest.approx(-0.2),
    )
    (_, advance) = one["perspectives"][0]["objectives"][0]["kpis"]
    (series,) = advance["series"]
    assert (series["dimension"], series["member"], series["value"]) == ("office", "235", 1.0)
    assert "status" not in series
    assert one["office"] == "235"


def test_the_worklist_says_who_is_late_and_who_is_close() -> None:
    """Of a limit of 24 h: late by an hour, three quarters used, and one that has time."""
    site = counted()

    def waiting(subject: str, due_ms: int, where: str) -> Waiting:
        return Waiting(due_ms, subject, where, "red", "", 0)

    hours = {"late": -1, "close": 5, "early": 10}
    mine = [waiting(name, NOON_MS + left * HOUR_MS, "118") for name, left in hours.items()]
    others = [waiting("other", NOON_MS - 2 * HOUR_MS, "235")]
    pane = (NOON_MS - 3 * HOUR_MS) // (HOUR_MS // 4)
    site.lists = {"late": [OfficeList(tuple(mine), {}), OfficeList(tuple(others), {pane: 7})]}
    (listed,) = answer(site, "/worklist")["worklists"]
    assert [each["subject"] for each in listed["entries"]] == ["other", "late"]
    assert (listed["late"], listed["close"], listed["more"]) == (9, 1, 8)
    assert (listed["limit_s"], listed["close_share"]) == (86400.0, 0.75)
    first = listed["entries"][1]
    assert first["used"] == pytest.approx(25 / 24)
    assert (first["started"], first["due"]) == (
        "2026-06-14T11:00:00.000Z",
        "2026-06-15T11:00:00.000Z",
    )
    assert (first["stage"], first["holder"], first["waiting_since"]) == (None, None, None)
    (listed,) = answer(site, "/worklist?office=118&limit=1")["worklists"]
    assert [each["subject"] for each in listed["entries"]] == ["late"]
    assert (listed["late"], listed["close"], listed["more"]) == (1, 1, 1)


def test_transitions_come_newest_first() -> None:
    """All of them, or those of a KPI, and no more than are wanted."""
    site = counted()
    site.changes = [
        moved(1, Status.ON_TRACK, Status.AT_RISK),
        moved(1, Status.ON_TRACK, Status.OFF_TRACK, RED),
        moved(2, Status.AT_RISK, Status.OFF_TRACK),
    ]

    def shown(path: str) -> list[tuple[str, int]]:
        found = answer(site, f"/transitions{path}")["transitions"]
        return [(each["kpi"], each["sequence"]) for each in found]

    assert shown("") == [(ADVANCE, 2), (RED, 1), (ADVANCE, 1)]
    assert shown("?limit=1") == [(ADVANCE, 2)]
    assert shown(f"?kpi={RED}") == [(RED, 1)]
    changes = answer(site, f"/kpis/{ADVANCE}?window=24h")["statuses"]
    assert [(each["before"], each["after"]) for each in changes] == [
        ("at_risk", "off_track"),
        ("on_track", "at_risk"),
    ]


def test_initiatives_and_quality() -> None:
    """Overdue actions by the local day; an office that is silent, and one that never was heard."""
    site = counted()
    (one,) = answer(site, "/initiatives")["initiatives"]
    assert [each["responsible"] for each in one["overdue_actions"]] == ["Ana"]
    quality = answer(site, "/quality")
    assert (quality["conflicting"], quality["clamped"], quality["rejected"]) == (0, 0, None)
    assert quality["silent_offices"] == []


def test_the_latest_rejects_are_told_by_reason() -> None:
    """All partitions together; a reason of a later version is no reason to fail."""
    site = counted()
    assert site.latest is not None
    parts = (
        PartitionProgress(0, 9, NOON_MS, 10, None, None, 500, {"expired": 3, "oversized": 0}),
        PartitionProgress(1, 9, NOON_MS, 12, None, None, 400, {"expired": 1, "new_reason": 4}),
    )
    fresh = Freshness(
        NOON_MS, caught_up=True, now_ms=NOON_MS, watermark_ms=NOON_MS, partitions=parts
    )
    site.latest = replace(site.latest, freshness=fresh)
    quality = answer(site, "/quality")
    assert (quality["rejected"], quality["rejected_of"]) == (4, 900)
    assert quality["rejected_by_reason"] == {"expired": 4}
    assert quality["lag_events"] == 2


def test_the_explanation_is_that_of_the_application() -> None:
    """The earlier window is empty here, which is why nothing is split."""
    body = answer(counted(), f"/kpis/{ADVANCE}/explanation?window=24h&office=118")
    assert (body["office"], body["now"]["value"], body["why_not"]) == ("118", 0.4, "no_rows")


def test_the_strategy_is_told_whole() -> None:
    """With the map of Grafana, how values are shown, and a version that any change changes."""
    site = counted()
    first = answer(site, "/strategy")
    assert [each["id"] for each in first["kpis"]] == [each.id for each in site.read.kpis]
    assert first["worklists"] == [
        {"id": "late", "kpi": "in-time", "limit_s": 86400.0, "close": 0.75}
    ]
    assert {each["objective"] for each in first["map"]["boxes"]} == {"faster", "sharper"}
    assert first["way"] is None
    site.read = replace(site.read, vision=text("Other"))
    assert answer(site, "/strategy")["version"] != first["version"]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/scorecard?offce=118", 400, "there is no such parameter"),
        ("/scorecard?office=999", 400, "unknown '999'; one of 118, 235"),
        ("/scorecard?office=118&office=235", 400, "given more than once"),
        (f"/kpis/{ADVANCE}?window=1h", 400, "one of 24h, 30d"),
        (f"/kpis/{ADVANCE}/explanation?versus=yesterday", 400, "is not a period"),
        (f"/kpis/{ADVANCE}/explanation?versus=2026-07", 400, "not over yet"),
        ("/kpis/none", 404, "no KPI 'none'"),
        ("/kpis/none/explanation", 404, "no KPI 'none'"),
        ("/stages", 404, "nothing into stages"),
        ("/worklist?holder=nobody", 400, "holder: "),
        ("/worklist?stage=x", 400, "unknown 'x'"),
        ("/worklist?limit=0", 400, "greater than or equal to 1"),
        ("/transitions?limit=many", 400, "valid integer"),
        ("/strategy?x=1", 400, "there is no such parameter"),
        ("/openapi.json?x=1", 400, "there is no such parameter"),
        ("/nothing", 404, "/api/v1/nothing"),
    ],
)
def test_a_wrong_question_is_told_what_is_wrong(path: str, status: int, said: str) -> None:
    """400 or 404 as JSON; a wrong parameter as a problem of its own."""
    ((found, body),) = ask(counted(), path)
    assert found == status
    assert said in body["error"]
    problems = body.get("problems", [])
    assert len(problems) == (1 if status == 400 else 0)
    assert all(said in each for each in problems)


PATHS = (
    "/strategy", "/scorecard", f"/kpis/{ADVANCE}", f"/kpis/{ADVANCE}/explanation", "/stages",
    "/worklist", "/transitions", "/initiatives", "/quality",
)  # fmt: skip


def test_before_anything_is_read_every_path_says_so() -> None:
    """503 with the reason."""
    site = FakeSite()
    site.well = (False, "the rows are being read")
    found = ask(site, *PATHS)
    assert {status for status, _ in found} == {503}
    assert all(body["error"] for _, body in found)


def test_the_members_of_one_office_are_read_from_every_row() -> None:
    """By the other dimensions: their samples add up to the office's, their gaps to its gap."""
    site = page_site()
    found = ask(
        site,
        "/kpis/anticipated-share?office=118",
        "/kpis/release-time-mean?office=118&window=30d",
        "/kpis/release-time-mean/explanation?office=118&window=30d",
    )
    assert [status for status, _ in found] == [200] * 3
    share, duration, explained = (body for _, body in found)
    for body in (share, duration):
        assert len(body["breakdown"]) > 1
        for part in body["breakdown"]:
            assert part["dimension"] != "office"
            samples = sum(each["samples"] for each in part["members"])
            assert samples == body["reading"]["samples"]
            if part["total"] is not None:
                assert part["total"] == pytest.approx(body["judgement"]["gap"])
    assert duration["breakdown"][0]["total"] is not None
    for split in explained["splits"]:
        assert split["mix"] + split["rate"] == pytest.approx(explained["change"])
