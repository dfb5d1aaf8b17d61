"""The PromQL of tables and figures, evaluated by Prometheus itself on series written down here.

No server: `promtool test rules` evaluates expressions over invented series.
"""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from kpi_stream.adapters.grafana.dashboards import figures, units
from kpi_stream.adapters.grafana.dashboards.controls import HERE, NATION
from kpi_stream.adapters.grafana.dashboards.kpi_numbers import Tile
from kpi_stream.application.display import shown
from kpi_stream.application.monitoring import conventions as c
from kpi_stream.application.monitoring import places
from kpi_stream.application.monitoring.promql import select
from kpi_stream.domain.readings import NoData
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import NATIONAL, Kpi, Strategy, Unit
from tests.support.dashboards import boards, edition, panels
from tests.support.required import missing

SUNAT = edition("sunat-en").strategy
POCKET = edition("pocket-en").strategy
CALLAO = "118"

Samples = Mapping[str, float]
"""Values by series."""


def kpi_of(strategy: Strategy, name: str) -> Kpi:
    """Return a KPI by id."""
    return next(each for each in strategy.kpis if each.id == name)


def series(family: c.Family, of: str, window: str, office: str = "", **more: str) -> str:
    """Return a series of a KPI, of the nation or of an office."""
    dimension = "office" if office else NATIONAL
    labels = {"kpi": of, "window": window, "dimension": dimension, "member": office, **more}
    return select(family, **labels)


def chosen(expr: str, office: str = NATION, window: str = "30d") -> str:
    """Return a query as Grafana sends it."""
    return expr.replace("$office", office).replace("$window", window)


def evaluate(folder: Path, expr: str, given: Samples, expected: Samples) -> str:
    """Return what promtool complains about; nothing if the answer is the expected one."""
    promtool = shutil.which("promtool") or missing("promtool", "promtool is not installed")
    answers = [{"labels": labels, "value": value} for labels, value in expected.items()]
    case = {
        "interval": "1m",
        "input_series": [
            {"series": name, "values": f"{value!r}x5"} for name, value in given.items()
        ],
        "promql_expr_test": [{"expr": expr, "eval_time": "3m", "exp_samples": answers}],
    }
    path = folder / "case.yml"
    path.write_text(yaml.safe_dump({"rule_files": [], "tests": [case]}), encoding="utf-8")
    done = subprocess.run(
        [promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_a_wrong_answer_is_noticed(tmp_path: Path) -> None:
    """The check can fail."""
    assert evaluate(tmp_path, "up", {"up": 1.0}, {"up": 1.0}) == ""
    assert "got" in evaluate(tmp_path, "up", {"up": 1.0}, {"up": 2.0})


TIMES = "\N{MULTIPLICATION SIGN}"
WRITTEN = [
    ("release-time-mean", 122_400.0, "34.0 h"),
    ("release-time-mean", 122_700.0, "34.1 h"),
    ("release-time-mean", 0.0, "0.0 h"),
    ("released-within-48h", 0.8286, "82.9 %"),
    ("released-within-48h", 1.0, "100.0 %"),
    ("targeting-lift", 3.5, f"3.50 {TIMES}"),
    ("targeting-lift", 3.0, f"3.00 {TIMES}"),
    ("interdiction-value", 216_249_000.0, "USD 216.2 M"),
]


@pytest.mark.parametrize(("name", "value", "text"), WRITTEN)
def test_a_value_is_written_in_its_readers_unit(
    tmp_path: Path, name: str, value: float, text: str
) -> None:
    """As the rest of the product writes it, decimals included."""
    kpi = kpi_of(SUNAT, name)
    window = figures.main_window(SUNAT, kpi)
    given = {series(c.KPI_VALUE[kpi.unit], name, window): value}
    expr = chosen(figures.texts(SUNAT, SUNAT.kpis, c.KPI_VALUE, "text", HERE))
    assert evaluate(tmp_path, expr, given, {f'{{kpi="{name}", text="{text}"}}': 1.0}) == ""
    assert shown(value, kpi, SUNAT, "en") == text


def test_a_difference_is_written_with_its_sign_and_in_points(tmp_path: Path) -> None:
    """What rounds to 0 has no sign; a difference of percentages is no percentage."""
    one, other = kpi_of(SUNAT, "released-within-48h"), kpi_of(SUNAT, "release-time-mean")
    given = {"a{kpi='released-within-48h'}": -0.0241, "b{kpi='release-time-mean'}": -0.4}
    parts = (
        units.written("a", units.gap_wording(one, SUNAT), "gap"),
        units.written("b", units.gap_wording(other, SUNAT), "gap"),
    )
    expected = {
        '{kpi="released-within-48h", gap="-2.4 pp"}': 1.0,
        '{kpi="release-time-mean", gap="0.0 h"}': 1.0,
    }
    assert evaluate(tmp_path, " or ".join(parts), given, expected) == ""


def test_a_restarted_scorecard_gives_no_second_row(tmp_path: Path) -> None:
    """The old process's samples live on for five minutes."""
    kpi = kpi_of(SUNAT, "release-time-mean")
    given = {
        series(c.KPI_VALUE[kpi.unit], kpi.id, "30d", instance="old"): 108_000.0,
        series(c.KPI_VALUE[kpi.unit], kpi.id, "30d", instance="new"): 122_400.0,
    }
    expr = chosen(figures.texts(SUNAT, [kpi], c.KPI_VALUE, "text", HERE))
    assert evaluate(tmp_path, expr, given, {f'{{kpi="{kpi.id}", text="34.0 h"}}': 1.0}) == ""


def test_a_band_is_written_with_both_edges(tmp_path: Path) -> None:
    """Other targets are one number."""
    kpi, goal = kpi_of(SUNAT, "red-channel-rate"), kpi_of(SUNAT, "release-time-mean")
    given = {
        series(c.KPI_TARGET[kpi.unit], kpi.id, "30d", bound="lower"): 0.04,
        series(c.KPI_TARGET[kpi.unit], kpi.id, "30d", bound="upper"): 0.12,
        series(c.KPI_TARGET[goal.unit], goal.id, "30d", bound="goal"): 108_000.0,
    }
    expr = chosen(figures.target_texts(SUNAT, [kpi, goal], "text", HERE))
    expected = {
        f'{{kpi="{kpi.id}", text="4.0 % \N{EN DASH} 12.0 %"}}': 1.0,
        f'{{kpi="{goal.id}", text="30.0 h"}}': 1.0,
    }
    assert evaluate(tmp_path, expr, given, expected) == ""


def test_the_worst_come_first(tmp_path: Path) -> None:
    """By status, then by attainment; without a status, and without figures, last."""
    standing = {
        "release-time-mean": (Status.OFF_TRACK, 0.0),
        "release-time-p90": (Status.OFF_TRACK, 1.05),
        "release-time-median": (Status.AT_RISK, 0.525),
        "hit-rate": (Status.NO_DATA, None),
        "electronic-rate": (Status.ON_TRACK, 2.5),
    }
    given: dict[str, float] = {}
    for name, (status, attained) in standing.items():
        given |= {
            series(c.KPI_STATUS, name, "30d", status=each.value): float(each is status)
            for each in Status
        }
        if attained is not None:
            given[series(c.KPI_ATTAINMENT, name, "30d")] = attained
    without = ("amendment-rate", "officer-workload")
    for name in (*standing, *without):
        given[select(c.KPI_INFO, kpi=name)] = 1.0
    ranks = (0.0, 0.5, 1.25, 2.0, 3.0 + 2.0 / 2.1, 4.0, 4.0)
    names = zip((*standing, *without), ranks, strict=True)
    expected = {f'{{kpi="{name}"}}': rank for name, rank in names}
    assert list(ranks) == sorted(ranks)
    expr = chosen(figures.worst_first(SUNAT, SUNAT.kpis))
    assert evaluate(tmp_path, expr, given, expected) == ""


def test_the_nation_and_an_office_are_told_apart(tmp_path: Path) -> None:
    """Each choice selects one series of a KPI."""
    kpi = kpi_of(SUNAT, "release-time-mean")
    family = c.KPI_VALUE[kpi.unit]
    given = {
        series(family, kpi.id, "30d"): 1.0,
        series(family, kpi.id, "30d", CALLAO): 2.0,
        series(family, kpi.id, "30d", "235"): 3.0,
        select(family, kpi=kpi.id, window="30d", dimension="channel", member="red"): 4.0,
    }
    expr = f"max by (kpi) ({figures.over(SUNAT, [kpi], c.KPI_VALUE, HERE)})"
    for office, value in ((NATION, 1.0), (CALLAO, 2.0)):
        expected = {f'{{kpi="{kpi.id}"}}': value}
        assert evaluate(tmp_path, chosen(expr, office), given, expected) == ""


def test_offices_may_be_judged_in_another_window_than_the_nation(tmp_path: Path) -> None:
    """Each place then has the window of its own target."""
    targets = tuple(
        replace(each, window="7d") if each.id == "release-time-mean-offices-2026" else each
        for each in SUNAT.targets
    )
    strategy = replace(SUNAT, targets=targets)
    kpi = kpi_of(strategy, "release-time-mean")
    family = c.KPI_VALUE[kpi.unit]
    given = {
        series(family, kpi.id, "30d"): 1.0,
        series(family, kpi.id, "7d"): 2.0,
        series(family, kpi.id, "30d", CALLAO): 3.0,
        series(family, kpi.id, "7d", CALLAO): 4.0,
    }
    expr = f"max by (kpi) ({figures.over(strategy, [kpi], c.KPI_VALUE, HERE)})"
    for office, value in ((NATION, 1.0), (CALLAO, 4.0)):
        expected = {f'{{kpi="{kpi.id}"}}': value}
        assert evaluate(tmp_path, chosen(expr, office), given, expected) == ""


def test_each_row_leads_to_its_own_page(tmp_path: Path) -> None:
    """Also where the uid ends with a digest; a name without a code begins with no space."""
    given = {
        select(c.KPI_INFO, kpi=kpi.id, code=kpi.code, name_en=kpi.name["en"], owner="o"): 1.0
        for kpi in POCKET.kpis[:3]
    }
    titles = ('W-01 From arrival to \\"release\\"', "W-02 From arrival to release (air)", "Soon")
    expected = {}
    for kpi, title in zip(POCKET.kpis, titles, strict=False):
        uid = places.kpi_uid(POCKET, kpi.id)
        expected[f'{{kpi="{kpi.id}", owner="o", title="{title}", uid="{uid}"}}'] = 1.0
    expr = figures.known(edition("pocket-en"), POCKET.kpis)
    assert evaluate(tmp_path, expr, given, expected) == ""


def reason_of(kpi: Kpi) -> str:
    """Return the query that says whether there is data, and why not."""
    uid = places.kpi_uid(POCKET, kpi.id)
    board = next(each for each in boards("pocket-en").values() if each["uid"] == uid)
    panel = next(each for each in panels(board) if each["id"] == Tile.REASON)
    return chosen(panel["targets"][0]["expr"])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"value": 0.5, "samples": 3.0}, 0),
        ({"samples": 2.0}, 1),
        ({"samples": 2.0, NoData.TOO_FEW: 1.0}, 1),
        ({"samples": 9.0, NoData.STALE: 1.0}, 2),
        ({"samples": 0.0, NoData.NO_PLAN: 1.0}, 4),
        ({"samples": 9.0}, None),
    ],
)
def test_why_there_is_no_data(tmp_path: Path, given: dict[str, float], code: int | None) -> None:
    """The scorecard's own reason goes first; too few cases can be seen without it."""
    kpi = kpi_of(POCKET, "soon")
    families = {"value": c.KPI_VALUE[Unit.RATIO], "samples": c.KPI_SAMPLES}
    written = {
        series(families[name], kpi.id, "7d")
        if name in families
        else series(c.KPI_NO_DATA, kpi.id, "7d", reason=name): value
        for name, value in given.items()
    }
    expected = {} if code is None else {"{}": float(code)}
    assert evaluate(tmp_path, reason_of(kpi), written, expected) == ""
