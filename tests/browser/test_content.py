"""What stands on the page, against what the API says."""

import random
import re
from dataclasses import replace

import pytest

from kpi_stream.adapters.grafana.dashboards.initiatives import SLOW
from kpi_stream.application.display import (
    HOLDERS,
    MARKS,
    STATUS_WORDS,
    number,
    presentation,
)
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import Holder
from tests.browser.conftest import Open, settled, wait_until
from tests.browser.shown import THIN, apart, cells, kpis, plain, said, series, why
from tests.support.page_site import PageSite


def test_the_scorecard_has_the_apis_numbers(opened: Open, served: tuple[PageSite, str], api):
    """Each series with value or why there is none, expectation, gap, target, forecast, samples."""
    site, _ = served
    marks = {str(each): f"{MARKS[each]} {text['es']}" for each, text in STATUS_WORDS.items()}
    wanted = []
    for kpi, each in series(api("/scorecard")):
        if each["dimension"] == "office" and each.get("status") == "no_data":
            continue
        value = why(site, kpi, each) if each["value"] is None else said(site, kpi, each["value"])
        target = each.get("target")
        goal = "—" if target is None else said(site, kpi, target["value"])
        if target is not None and target["low"] is not None:
            goal = f"{said(site, kpi, target['low'])} \N{EN DASH} {goal}"
        wanted.append(
            (
                marks.get(each.get("status", ""), "· Sin meta"),
                value,
                said(site, kpi, each.get("expected")),
                apart(site, kpi, each.get("gap")),
                goal,
                said(site, kpi, each.get("forecast")),
                f"{each['samples']:,}".replace(",", " "),
            )
        )
    page = opened("/scorecard")
    names = ("status", "value", "expected", "gap", "target", "forecast", "samples")
    found = []
    for row in cells(page):
        row["target"] = re.sub(r" [a-z]+\.? \d{4}$", "", row["target"])
        found.append(tuple(row[name] for name in names))
    assert len(wanted) > 15
    assert any(each[1].startswith("muy pocos") for each in wanted)
    assert sorted(found) == sorted(wanted)
    ages = {row["age"] for row in cells(page)}
    assert ages == {"2 s"}
    assert page.locator("table.scorecard .sparkline").count() > 15


def test_the_filters_live_in_the_address(opened: Open, api):
    """A choice changes the address; the address alone brings the same rows."""
    page = opened("/scorecard")
    every = len(cells(page))
    page.select_option("select[name=status]", "off_track")
    wait_until(page, "location.search.includes('status=off_track')")
    rows = cells(page)
    off = [each for _, each in series(api("/scorecard")) if each.get("status") == "off_track"]
    assert 0 < len(rows) == len(off) < every
    again = opened(page.url.partition("127.0.0.1")[2].partition("/")[2].join(["/", ""]))
    assert len(cells(again)) == len(rows)
    page.select_option("select[name=status]", "")
    owner = "Jefatura de Despacho"
    page.select_option("select[name=owner]", owner)
    wait_until(page, "location.search.includes('owner=')")
    owned = cells(page)
    assert {row["owner"] for row in owned} == {owner}
    assert 0 < len(owned) < every
    page.select_option("select[name=owner]", "")
    page.select_option("select[name=perspective]", index=1)
    wait_until(page, "location.search.includes('perspective=')")
    assert 0 < len(cells(page)) < every
    page.go_back()
    wait_until(page, "!location.search.includes('perspective=')")
    assert len(cells(page)) == every


def test_an_office_is_kept_from_view_to_view(opened: Open, api):
    """Chosen on the scorecard, it is there on the KPI's page and on the worklist."""
    page = opened("/scorecard?office=118")
    own = [each for _, each in series(api("/scorecard?office=118"))]
    assert len(cells(page)) == len(own) > 0
    assert {each["member"] for each in own} == {"118"}
    page.click("table.scorecard tbody th a")
    page.wait_for_selector("article.kpi")
    settled(page)
    assert "office=118" in page.url
    assert page.input_value("select[name=office]") == "118"
    page.click("nav a[href*='/worklist']")
    wait_until(page, "location.pathname === '/worklist'")
    assert "office=118" in page.url


def test_the_stages_add_up_on_the_page(opened: Open, api):
    """Every stage with its party and its part."""
    window = "ytd"
    body = api(f"/stages?window={window}")
    (whole,) = body["members"]
    parts = [each["part_s"] for each in whole["stages"] if each["inside"]]
    assert sum(parts) == pytest.approx(whole["mean_s"])
    page = opened(f"/stages?window={window}")
    rows = [plain(each) for each in page.locator("section.way tbody tr").all_inner_texts()]
    for row, stage in zip(rows, whole["stages"], strict=True):
        assert HOLDERS[Holder(stage["holder"])]["es"] in row
        long = [stage[name] for name in ("mean_s", "p90_s", "part_s") if stage[name]]
        for each in (each for each in long if 5_400 <= each < 360_000):
            assert f"{each / 3_600:.1f} h".replace(".", ",") in row
    split = api(f"/stages?window={window}&dimension=channel")
    page.select_option("select[name=dimension]", "channel")
    wait_until(page, f"document.querySelectorAll('section.way').length === {len(split['members'])}")


def test_the_worklist_names_who_waits(opened: Open, api):
    """Each listed declaration with its office and its share of the limit, the fullest first."""
    body = api("/worklist")
    (listed,) = body["worklists"]
    assert listed["entries"]
    page = opened("/worklist")
    shown_subjects = page.locator("table.worklist tbody th").all_inner_texts()
    assert shown_subjects == [each["subject"] for each in listed["entries"]]
    text = plain(page.inner_text(".counts"))
    assert f"Vencidas {listed['late']}" in text
    assert f"Por vencer {listed['close']}" in text
    holder = next(each["holder"] for each in listed["entries"] if each["holder"])
    own = api(f"/worklist?holder={holder}")["worklists"][0]["entries"]
    page.select_option("select[name=holder]", holder)
    wait_until(page, f"document.querySelectorAll('table.worklist tbody tr').length === {len(own)}")


def test_what_happened_lately(opened: Open, api):
    """Transitions, initiatives with their overdue actions, rejects by reason, silent offices."""
    page = opened("/activity")
    transitions = api("/transitions?limit=50")["transitions"]
    changes, work, quality = (page.locator("section").nth(at) for at in range(3))
    assert changes.locator("tbody tr").count() == len(transitions) > 0
    initiatives = api("/initiatives")["initiatives"]
    assert work.locator("tbody tr").count() == len(initiatives)
    lagging = [each for each in initiatives if each["progress"] < each["elapsed"] - SLOW]
    assert work.locator("tbody .status").count() == len(lagging) > 0
    overdue = [each for one in initiatives for each in one["overdue_actions"]]
    assert f"Acciones vencidas {len(overdue)}" in plain(work.inner_text())
    body, text = api("/quality"), plain(quality.inner_text())
    assert f"{body['rejected']} de los últimos" in text
    assert body["rejected_by_reason"] == {"unknown_office": 3, "expired": 1}
    assert "aduana desconocida 3 tardío" in text
    for each in body["silent_offices"]:
        assert each["office"] not in text
    assert quality.locator("li").count() >= len(
        [each for each in body["silent_offices"] if each["silent_s"] is not None]
    )


def test_overdue_actions_are_named(opened: Open, served: tuple[PageSite, str]):
    """With the day, who is responsible, and the initiative."""
    site, _ = served
    latest = site.latest
    assert latest is not None
    judged = latest.initiatives[0]
    action = judged.initiative.actions[0]
    late = replace(judged, overdue=(action,))
    site.tell(replace(latest, initiatives=(late, *latest.initiatives[1:])))
    text = plain(opened("/activity").locator("section").nth(1).inner_text())
    assert "Acciones vencidas 1" in text
    assert action.name["es"] in text
    assert action.responsible in text
    assert f"{action.due:%d}" in text


def arrow(trend: list[float | None]) -> str:
    """Return which way recent readings go."""
    known = [each for each in trend if each is not None]
    change, size = known[-1] - known[0], max(map(abs, known))
    if abs(change) < size / 100:
        return "→"
    return "↗" if change > 0 else "↘"


def test_the_map_shows_every_objective_and_lights_its_chain(
    opened: Open, served: tuple[PageSite, str], api
):
    """A box each, with status in words and its worst KPI; a focus dims what is not of its chain."""
    site, _ = served
    strategy, body = api("/strategy"), api("/scorecard")
    page = opened("/")
    boxes = page.locator("svg.map a.box")
    assert boxes.count() == len(strategy["objectives"])
    assert page.locator("svg.map polyline").count() == len(strategy["map"]["arrows"])
    for objective in (one for band in body["perspectives"] for one in band["objectives"]):
        label = boxes.nth(
            [each["objective"] for each in strategy["map"]["boxes"]].index(objective["id"])
        ).text_content()
        assert STATUS_WORDS[Status(objective["status"])]["es"] in (label or "")
        if objective["worst"] is None:
            continue
        key = objective["worst"]
        each = next(
            one
            for kpi, one in series(body)
            if kpi == key["kpi"] and all(one[name] == key[name] for name in key if name != "kpi")
        )
        shown_worst = plain(label or "")
        assert kpis(site)[key["kpi"]].code in shown_worst
        assert f"{said(site, key['kpi'], each['value'])} {arrow(each['trend'])}" in shown_worst
        if each["expected"] is not None:
            assert f"debe {said(site, key['kpi'], each['expected'])}" in shown_worst
    boxes.nth(0).focus()
    page.wait_for_selector("svg.map .dim")


def test_both_languages(opened: Open, served: tuple[PageSite, str]):
    """Spanish by default; a click makes all of it English, numbers as well, and the address."""
    site, _ = served
    page = opened("/kpi/release-time-mean")
    assert page.get_attribute("html", "lang") == "es"
    assert page.inner_text("nav a >> nth=1") == "Tablero"
    page.click(".tools button >> nth=0")
    wait_until(page, "document.documentElement.lang === 'en'")
    assert "language=en" in page.url
    assert page.inner_text("nav a >> nth=1") == "Scorecard"
    divisor, decimals, _ = presentation(kpis(site)["release-time-mean"])
    assert (divisor, decimals) == (3600.0, 1)
    assert re.match(r"[\d,]+\.\d\sh", page.inner_text(".big"))
    leftover = re.findall(r"\b(Debe hoy|Pronóstico|Responsable)\b", page.inner_text("body"))
    assert leftover == []


def test_numbers_are_rounded_as_everywhere_else(opened: Open, chance: random.Random):
    """Whatever the number, the page shows the digits that the terminal and the report show."""
    ties = [(at / 8, places) for at in range(-40, 41) for places in (0, 1, 2)]
    cases = [(6.05, 1), (999.95, 1), (1e9, 0), (-0.04, 1), *ties]
    cases += [(chance.uniform(-1e6, 1e6), chance.choice([0, 1, 2])) for _ in range(300)]
    for language in ("es", "en"):
        found = opened("/activity").evaluate(
            """async ([cases, language]) => {
                 const { number } = await import("/static/format.js");
                 return cases.map(([value, places]) => number(value, places, language));
               }""",
            [cases, language],
        )
        wanted = [number(value, places, language) for value, places in cases]
        assert [each.replace(THIN, " ") for each in found] == wanted
