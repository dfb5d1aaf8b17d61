"""The check of provisioning files finds each kind of mistake, in files that are right otherwise."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml

from kpi_stream.adapters.grafana.provisioning import files_for
from kpi_stream.application.monitoring.alerts import alerts
from tests.support.dashboards import edition
from tests.support.grafana_provisioning import check, read, undeclared

Tree = dict[str, Any]
Change = Callable[[Any], None]

EDITION = edition("harbour-en")
ALERTS = alerts(EDITION.strategy)
# A national KPI, one by office, the last of the processes: small files are quick to read.
SOME = (
    next(each for each in ALERTS if "label_replace" not in each.expr),
    next(each for each in ALERTS if "label_replace" in each.expr),
    ALERTS[-1],
)
FILES = files_for(EDITION, SOME)
BOARDS = [
    {"uid": uid, "panels": [{"id": each.panel} for each in SOME if each.dashboard == uid]}
    for uid in {each.dashboard for each in SOME}
]
ALERTING = "grafana/provisioning/alerting"
SOURCES = "grafana/provisioning/datasources/harbour.yaml"
PROVIDERS = "grafana/provisioning/dashboards/harbour.yaml"
POINTS, POLICIES = f"{ALERTING}/contact-points.yaml", f"{ALERTING}/policies.yaml"
RULES, MUTES = f"{ALERTING}/rules.yaml", f"{ALERTING}/mute-timings.yaml"
TEMPLATES = f"{ALERTING}/templates.yaml"


def put(place: str, value: object) -> Change:
    """Return a change that puts a value at a place, such as `groups.0.rules.0.uid`."""

    def change(tree: Any) -> None:
        *way, last = (int(part) if part.isdigit() else part for part in place.split("."))
        for part in way:
            tree = tree[part]
        tree[last] = value

    return change


def drop(place: str) -> Change:
    """Return a change that takes a key away."""

    def change(tree: Any) -> None:
        *way, last = (int(part) if part.isdigit() else part for part in place.split("."))
        for part in way:
            tree = tree[part]
        del tree[last]

    return change


def again(place: str, **differently: object) -> Change:
    """Return a change that repeats the first of a list, with some keys changed."""

    def change(tree: Any) -> None:
        for part in (int(part) if part.isdigit() else part for part in place.split(".")):
            tree = tree[part]
        tree.append(tree[0] | differently)

    return change


def changed(path: str, change: Change) -> Mapping[str, str]:
    """Return the files with one of them changed."""
    tree: Tree = read(FILES[path])
    change(tree)
    return {**FILES, path: yaml.safe_dump(tree, allow_unicode=True)}


RULE = "groups.0.rules.0"
QUERY = f"{RULE}.data.0"
LAST = len(read(FILES[RULES])["groups"][0]["rules"][0]["data"]) - 1
THRESHOLD = f"{RULE}.data.{LAST}"
MISTAKES: dict[str, tuple[str, Change, str]] = {
    # Keys that Grafana would ignore in silence.
    "unknown key": (RULES, put(f"{RULE}.keep_firing_for", "5m"), "Extra inputs"),
    "key in small letters": (RULES, put(f"{RULE}.dashboard_uid", "x"), "Extra inputs"),
    "key with the field's name": (RULES, put(f"{RULE}.for_", "5m"), "Extra inputs"),
    "unknown option": (SOURCES, put("datasources.0.jsonData.timeinterval", "15s"), "Extra inputs"),
    "no version": (SOURCES, drop("apiVersion"), "apiVersion"),
    "no annotation": (RULES, drop(f"{RULE}.annotations.runbook_url"), "missing: runbook_url"),
    "no label": (RULES, drop(f"{RULE}.labels.owner"), "the label owner is missing"),
    "no perspective": (RULES, drop(f"{RULE}.labels.perspective"), "label perspective is missing"),
    # What is named is there.
    "no contact point": (POINTS, put("contactPoints", []), "no contact point 'harbour-on-duty'"),
    "other receiver": (POLICIES, put("policies.0.routes.0.receiver", "x"), "no contact point 'x'"),
    "root without": (POLICIES, drop("policies.0.receiver"), "the root policy has no contact point"),
    "no mute timing": (MUTES, put("muteTimes", []), "no mute timing"),
    "no template": (TEMPLATES, put("templates.0.template", '{{ define "x" }}'), "no template"),
    "folder of the dashboards": (
        RULES,
        put("groups.0.folder", "Almadra Harbour Customs"),
        "Grafana may make a second folder 'Almadra Harbour Customs'",
    ),
    "other source": (RULES, put(f"{QUERY}.datasourceUid", "x"), "no data source 'x'"),
    "other in the model": (
        RULES,
        put(f"{QUERY}.model.datasource.uid", "x"),
        "its model names another data source",
    ),
    "no dashboard": (RULES, put(f"{RULE}.dashboardUid", "x"), "no dashboard 'x'"),
    "no panel": (RULES, put(f"{RULE}.panelId", 4711), "no panel 4711 on the dashboard"),
    "other annotation": (
        RULES,
        put(f"{RULE}.annotations.__panelId__", "4711"),
        "__panelId__ is not the rule's panel",
    ),
    "other dashboard annotation": (
        RULES,
        put(f"{RULE}.annotations.__dashboardUid__", "x"),
        "__dashboardUid__ is not the rule's dashboard",
    ),
    "leads elsewhere": (
        RULES,
        put(f"{RULE}.annotations.dashboard_url", "http://g/d/x?viewPanel=1"),
        "dashboard_url leads elsewhere",
    ),
    # Dollars: doubled where Grafana interpolates, and nowhere else.
    "dollar in a label": (
        RULES,
        put(f"{RULE}.labels.at", "{{ $labels.at }}"),
        "'$labels' is inter",
    ),
    "dollar in a title": (RULES, put(f"{RULE}.title", "NZ$ 5"), "'$' is interpolated"),
    "dollar in a policy": (POLICIES, put("policies.0.group_by", ["$x"]), "group_by"),
    "dollar in a receiver": (
        POINTS,
        put("contactPoints.0.receivers.0.settings.subject", "$HOME"),
        "'$HOME' is interpolated",
    ),
    "doubled in an annotation": (
        RULES,
        put(f"{RULE}.annotations.summary", "{{ $$labels.kpi }}"),
        "summary is taken as it stands",
    ),
    "braces in an annotation": (
        RULES,
        put(f"{RULE}.annotations.summary", "${HOME}"),
        "summary would be interpolated",
    ),
    "doubled in a model": (
        RULES,
        put(f"{QUERY}.model.expr", "rate(x[$$__rate_interval])"),
        "an expression is taken as it stands",
    ),
    "variable in a model": (
        RULES,
        put(f"{QUERY}.model.expr", 'x{office="$office"}'),
        "has no dashboard variables",
    ),
    # Times.
    "range backwards": (RULES, put(f"{QUERY}.relativeTimeRange", {"from": 0, "to": 0}), "ago than"),
    "range in words": (RULES, put(f"{QUERY}.relativeTimeRange.from", "10m"), "valid integer"),
    "range in fractions": (RULES, put(f"{QUERY}.relativeTimeRange.from", 1.5), "valid integer"),
    "no range": (RULES, drop(f"{QUERY}.relativeTimeRange"), "no time range"),
    "interval of 15 s": (RULES, put("groups.0.interval", "15s"), "no multiple of 10 s"),
    "interval of 0 s": (RULES, put("groups.0.interval", "0s"), "no multiple of 10 s"),
    "interval in fractions": (RULES, put("groups.0.interval", "1.5m"), "groups.0.interval"),
    "for between": (RULES, put(f"{RULE}.for", "45s"), "no whole number of evaluations"),
    # Names.
    "uid too long": (RULES, put(f"{RULE}.uid", "x" * 41), "uid"),
    "uid with a dot": (RULES, put(f"{RULE}.uid", "a.b"), "uid"),
    "folder in a folder": (PROVIDERS, put("providers.0.folder", "a/b"), "folder"),
    "uid twice": (RULES, again(f"{RULE[:-2]}", title="x"), "rule uid"),
    "title twice": (RULES, again(f"{RULE[:-2]}", uid="x"), "rule title"),
    "group twice": (RULES, again("groups"), "kpi-off-track' twice"),
    "receiver twice": (POINTS, again("contactPoints.0.receivers"), "receiver uid"),
    "point twice": (POINTS, again("contactPoints"), "contact point 'harbour-on-duty' twice"),
    "mute timing twice": (MUTES, again("muteTimes"), "mute timing 'harbour-outside"),
    "template twice": (TEMPLATES, again("templates"), "template 'harbour.subject' twice"),
    "provider twice": (PROVIDERS, again("providers"), "folder uid 'harbour-folder' twice"),
    "source twice": (SOURCES, again("datasources", name="x"), "data source uid"),
    "two defaults": (
        SOURCES,
        lambda tree: (
            put("datasources.0.isDefault", value=True)(tree),
            again("datasources", name="x", uid="y")(tree),
        )[1],
        "more than one default",
    ),
    "reserved label": (RULES, put(f"{RULE}.labels.alertname", "x"), "alertname is reserved"),
    "label with a hyphen": (RULES, put(f"{RULE}.labels.a-b", "x"), "labels"),
    # Queries.
    "no such condition": (RULES, put(f"{RULE}.condition", "Z"), "'Z' is no ref id"),
    "other ref id": (RULES, put(f"{QUERY}.model.refId", "Z"), "its model has the ref id 'Z'"),
    "reads nothing": (RULES, put(f"{THRESHOLD}.model.expression", "Z"), "reads 'Z'"),
    "no type": (RULES, put(f"{THRESHOLD}.model.type", "treshold"), "no expression of type"),
    "no evaluator": (
        RULES,
        put(f"{THRESHOLD}.model.conditions.0.evaluator.type", "above"),
        "no evaluator 'above'",
    ),
    "no limit": (
        RULES,
        put(f"{THRESHOLD}.model.conditions.0.evaluator.params", []),
        "takes one number",
    ),
    "no expression uid": (
        RULES,
        put(f"{THRESHOLD}.model.datasource.uid", "x"),
        "its model is no expression",
    ),
    "range query": (RULES, put(f"{QUERY}.model.range", value=True), "takes an instant query"),
    "empty query": (RULES, put(f"{QUERY}.model.expr", " "), "no expression"),
    "unnamed query": (RULES, put(f"{RULE}.annotations.summary", "x"), "is used nowhere"),
    "unknown value": (
        RULES,
        put(f"{RULE}.annotations.summary", "{{ $values.nope }}"),
        "no ref id 'nope'",
    ),
    # Words of a closed set.
    "state in small letters": (RULES, put(f"{RULE}.noDataState", "Ok"), "noDataState"),
    "empty flag": (RULES, put(f"{RULE}.isPaused", ""), "isPaused"),
    "empty settings": (POINTS, put("contactPoints.0.receivers.1.settings", {}), "url"),
    "kind of receiver": (POINTS, put("contactPoints.0.receivers.0.type", "pigeon"), "pigeon"),
    "operator": (
        POLICIES,
        put("policies.0.routes.0.object_matchers", [["severity", "==", "critical"]]),
        "no matcher",
    ),
    "muted root": (
        POLICIES,
        put("policies.0.mute_time_intervals", ["harbour-outside-office-hours"]),
        "may neither match nor be muted",
    ),
    "two trees": (POLICIES, again("policies"), "more than one tree"),
    "over midnight": (
        MUTES,
        put("muteTimes.0.time_intervals.0.times", [{"start_time": "22:00", "end_time": "06:00"}]),
        "over midnight",
    ),
    "no zone": (MUTES, put("muteTimes.0.time_intervals.0.location", "Peru/Lima"), "Lima"),
    "no weekday": (MUTES, put("muteTimes.0.time_intervals.1.weekdays", ["lunes"]), "weekdays"),
    "day 32": (MUTES, put("muteTimes.0.time_intervals.0.days_of_month", ["32"]), "1..31"),
}


def test_the_files_are_right():
    """Nothing is found before anything is changed."""
    assert check(FILES, BOARDS) == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake: str):
    """One change of one file is found, and said in words that name it."""
    path, change, words = MISTAKES[mistake]
    found = check(changed(path, change), BOARDS)
    assert [each for each in found if words in each], found


def test_files_that_grafana_does_not_read_are_found():
    """Another folder, another ending, another language than YAML."""
    text = FILES[MUTES]
    (folder,) = check({**FILES, "grafana/provisioning/alerts/x.yaml": text}, BOARDS)
    assert "reads no folder 'alerts'" in folder
    (ending, *_) = check({**FILES, f"{ALERTING}/x.yml.bak": "apiVersion: 1"}, BOARDS)
    assert "reads only .yaml and .yml" in ending
    (syntax,) = check({**FILES, f"{ALERTING}/x.yaml": "a: [1"}, BOARDS)
    assert "x.yaml: while parsing" in syntax


def test_a_dashboard_twice_is_found():
    """Grafana would keep one of the two, and not say which."""
    (problem,) = check(FILES, [*BOARDS, BOARDS[0]])
    assert problem.startswith("dashboard ")


def test_a_panel_that_is_a_row_is_no_panel():
    """A row cannot be viewed alone; the panels that it hides can."""
    hidden = [{**board, "panels": [{"id": 0, "type": "row", **board}]} for board in BOARDS]
    assert check(FILES, hidden) == []
    rows = [
        {**board, "panels": [{**panel, "type": "row"} for panel in board["panels"]]}
        for board in BOARDS
    ]
    assert len(check(FILES, rows)) == len(SOME)


def test_a_variable_that_nobody_declares_is_found():
    """Grafana would read it as an empty text."""
    files = changed(POINTS, put("contactPoints.0.receivers.1.settings.url", "$KPI_STREAM_NEW"))
    declared = undeclared(FILES, ())
    assert declared == [
        "KPI_STREAM_ALERT_EMAIL",
        "KPI_STREAM_ALERT_WEBHOOK_TOKEN",
        "KPI_STREAM_ALERT_WEBHOOK_URL",
        "KPI_STREAM_PROMETHEUS_URL",
    ]
    assert undeclared(files, declared) == ["KPI_STREAM_NEW"]
