"""A KPI's page: everything about it, against what the API says."""

import re
from datetime import datetime, timedelta, timezone

import pytest

from kpi_stream.application.display import STATUS_WORDS
from kpi_stream.domain.status import Status
from tests.browser.conftest import Open
from tests.browser.shown import apart, plain, said
from tests.support.page_site import PageSite


def test_a_kpis_page_says_everything_about_it(opened: Open, served: tuple[PageSite, str], api):
    """Value, sentence, members with what they add, formula; the API's, as a reader writes them."""
    site, _ = served
    body = api("/kpis/anticipated-share")
    page = opened("/kpi/anticipated-share")
    assert plain(page.inner_text(".big")) == said(
        site, "anticipated-share", body["reading"]["value"]
    )
    text = plain(page.inner_text("article"))
    assert plain(body["sentence"]["es"]) in text
    assert plain(body["definition"]["formula"]["es"]) in text
    offices = next(each for each in body["breakdown"] if each["dimension"] == "office")
    tables = page.locator(".splits table")
    assert tables.count() == len(body["breakdown"]) == 3
    first = plain(tables.nth(body["breakdown"].index(offices)).inner_text())
    assert said(site, "anticipated-share", offices["members"][0]["value"]) in first
    for place, part in enumerate(body["breakdown"]):
        shown_gaps = tables.nth(place).locator("tbody tr td:nth-child(4)").all_inner_texts()
        gaps = [each["contribution"] for each in part["members"]]
        wanted = [apart(site, "anticipated-share", each) for each in gaps[:12]]
        if gaps[12:]:
            wanted.append(apart(site, "anticipated-share", sum(gaps[12:])))
        assert [plain(each) for each in shown_gaps] == wanted
        assert sum(gaps) == pytest.approx(body["judgement"]["gap"])
    assert page.locator(".chart canvas").count() == 1
    for each in body["initiatives"]:
        assert each["name"]["es"] in text
    assert body["definition"]["source"] in text
    assert body["definition"]["owner"] in text
    for each in body["benchmarks"]:
        assert f"{each['who']}, {each['period']}" in text


def test_a_kpis_page_tells_how_its_status_changed(opened: Open, served: tuple[PageSite, str], api):
    """Each change with the time of the strategy's zone."""
    site, _ = served
    changes = api("/kpis/hit-rate")["statuses"]
    assert changes
    page = opened("/kpi/hit-rate")
    rows = [
        plain(each)
        for each in page.locator("section", has=page.locator("h2", has_text="Historia"))
        .locator("tbody tr")
        .all_inner_texts()
    ]
    lima = timezone(timedelta(hours=-5))
    for row, each in zip(rows, changes, strict=True):
        at = datetime.fromisoformat(each["at"]).astimezone(lima)
        assert row.startswith(f"{at:%d}")
        assert f"{at:%H:%M}" in row
        before, after = (STATUS_WORDS[Status(each[name])]["es"] for name in ("before", "after"))
        assert re.search(f"{before} → . {after}", row)
        assert said(site, "hit-rate", each["value"]) in row


@pytest.mark.parametrize("kpi", ["release-time-mean", "release-time-p90"])
def test_a_kpis_page_explains_why_it_moved(
    opened: Open, served: tuple[PageSite, str], api, kpi: str
):
    """Before, now, mix and rate by dimension, who costs most; of a quantile also the mean."""
    site, _ = served
    body = api(f"/kpis/{kpi}/explanation")
    page = opened(f"/kpi/{kpi}")
    text = plain(page.inner_text("article"))
    before, now = body["before"], body["now"]
    mean = [said(site, kpi, each["value"]) for each in (before, now)]
    if body["of_mean"]:
        quantile = [said(site, kpi, each["quantile"]) for each in (before, now)]
        assert quantile != mean
        assert f"De {quantile[0]} a {quantile[1]} frente a la ventana anterior" in text
        assert f"El promedio, de {mean[0]} a {mean[1]}" in text
    else:
        assert f"De {mean[0]} a {mean[1]} frente a la ventana anterior" in text
    assert body["cautions"] == ["partly"]
    assert "El periodo anterior no se contó entero." in text
    section = page.locator("section", has=page.locator("h2", has_text="Por qué cambió"))
    rows = [plain(each) for each in section.locator("tbody tr").all_inner_texts()]
    for row, split in zip(rows, body["splits"], strict=True):
        parts = (split["mix"], split["rate"], body["change"])
        assert " ".join(apart(site, kpi, each) for each in parts) in row
    costs = [plain(each) for each in section.locator("ol li").all_inner_texts()]
    for row, each in zip(costs, body["costs"], strict=True):
        assert apart(site, kpi, each["gap"]) in row
        assert said(site, kpi, each["value"]) in row


def test_a_duration_shows_how_long_it_took_how_many(opened: Open, api):
    """One bar each of the distribution, and the stages of the way elsewhere."""
    body = api("/kpis/release-time-median")
    assert sum(each["count"] for each in body["distribution"]) == body["reading"]["samples"]
    page = opened("/kpi/release-time-median")
    assert page.locator(".histogram rect").count() == len(body["distribution"])
