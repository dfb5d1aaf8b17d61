"""Puts provisioning files into the stub of Grafana, as Grafana reads them and serves them again.

From its readers of files (`pkg/services/provisioning`) and the models of its HTTP interface
(`pkg/services/ngalert/api/tooling/definitions`); shares no code with what it is there to test.
"""

import copy
import json
import pickle
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from kpi_stream.adapters.grafana.dashboards import dashboard_files
from kpi_stream.adapters.grafana.provisioning import provisioning_files
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.monitoring.edition import Edition
from tests.support.documents import ROOT
from tests.support.grafana_stub import GrafanaStub

STRATEGIES = {
    "sunat": packaged_strategy_path(),
    "harbour": ROOT / "tests" / "strategies" / "harbour",
    "pocket": ROOT / "tests" / "strategies" / "pocket",
}

ENVIRONMENT = {
    "KPI_STREAM_PROMETHEUS_URL": "http://prometheus:9090",
    "KPI_STREAM_ALERT_EMAIL": "duty@example.org;chief@example.org",
    "KPI_STREAM_ALERT_WEBHOOK_URL": "https://duty.example.org/alerts",
}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNITS = {"y": 31_536_000, "w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SECRET = ("authorization_credentials",)
API = "/api/v1/provisioning"


@cache
def generated(name: str, language: str) -> dict[str, str]:
    """Return the files of a strategy in a language."""
    edition = Edition(load_strategy(STRATEGIES[name]), language)
    return {**dashboard_files(edition), **provisioning_files(edition)}


def put(stub: GrafanaStub) -> None:
    """Load the English files of the harbour; faster from the second time on."""
    stub.dashboards, stub.served = pickle.loads(_harbour())  # noqa: S301  (its own)


@cache
def _harbour() -> bytes:
    """Return what a Grafana serves that has read the files; loading them takes a while."""
    with GrafanaStub() as stub:
        load(stub, generated("harbour", "en"))
        stub.served["/api/folders/theirs"] = {"uid": "theirs", "title": "Theirs"}
        return pickle.dumps((stub.dashboards, stub.served))


def load(
    stub: GrafanaStub, files: Mapping[str, str], environment: Mapping[str, str] = ENVIRONMENT
) -> None:
    """Start a Grafana with these files and this environment."""
    texts = [text for path, text in files.items() if path.endswith(".yaml")]
    documents = [yaml.load(text, _LOADER) for text in texts]  # noqa: S506  (a safe one)
    whole: dict[str, list[Any]] = {}
    for document in documents:
        for key, values in document.items():
            if isinstance(values, list):
                whole.setdefault(key, []).extend(values)
    for source in whole["datasources"]:
        _source(stub, _expand(source, environment))
    folders: dict[str, str] = {}
    for provider in _expand(whole["providers"], environment):
        folders[provider["folder"]] = provider["folderUid"]
        _boards(stub, files, provider)
    rules = _rules(stub, whole.get("groups", []), folders, environment)
    for title, uid in folders.items():
        stub.served[f"/api/folders/{uid}"] = {"id": 7, "uid": uid, "title": title, "version": 1}
    points = [
        {"uid": each["uid"], "name": point["name"], "type": each["type"], "provenance": "file"}
        | {"disableResolveMessage": each.get("disableResolveMessage", False)}
        | {"settings": _settings(each["settings"])}
        for point in _expand(whole.get("contactPoints", []), environment)
        for each in point["receivers"]
    ]
    (policy,) = _expand(whole["policies"], environment)
    timings = _expand(whole.get("muteTimes", []), environment)
    stub.served |= {
        f"{API}/alert-rules": rules,
        f"{API}/contact-points": points,
        f"{API}/policies": {**_route(policy), "provenance": "file"},
        f"{API}/mute-timings": [
            {"name": each["name"], "time_intervals": each["time_intervals"]}
            | {"version": "6b1f", "provenance": "file"}
            for each in timings
        ],
        f"{API}/templates": [
            {"name": each["name"], "template": each["template"].strip(), "provenance": "file"}
            for each in whole.get("templates", [])
        ],
    }


def _expand(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _expand(each, environment) for key, each in value.items()}
    if isinstance(value, list):
        return [_expand(each, environment) for each in value]
    if not isinstance(value, str):
        return value

    def variable(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else environment.get(found[1] or found[2], "")

    return re.sub(r"\$\$|\$\{(\w+)\}|\$(\w+)", variable, value)


def _source(stub: GrafanaStub, source: Any) -> None:
    path = f"/api/datasources/uid/{source['uid']}"
    served = {key: source[key] for key in ("uid", "name", "type", "access", "url", "jsonData")}
    stub.served[path] = served | {
        "id": 1, "orgId": 1, "typeLogoUrl": "public/app/logo.svg", "user": "", "database": "",
        "basicAuth": False, "basicAuthUser": "", "withCredentials": False, "version": 1,
        "isDefault": source["isDefault"], "secureJsonFields": {},
        "readOnly": not source["editable"],
    }  # fmt: skip
    working = {"status": "OK", "message": "Successfully queried the Prometheus API."}
    stub.served[f"{path}/health"] = working


def _boards(stub: GrafanaStub, files: Mapping[str, str], provider: Any) -> None:
    for path, text in files.items():
        if path.endswith(".json"):
            board = json.loads(text)
            uid = board["uid"]
            meta = {
                "type": "db", "canSave": True, "slug": uid, "url": f"/d/{uid}/{uid}", "version": 3,
                "folderUid": provider["folderUid"], "folderTitle": provider["folder"],
                "provisioned": not provider["allowUiUpdates"],
                "provisionedExternalId": path.rpartition("/")[2],
                "annotationsPermissions": {"dashboard": {"canAdd": stub.role != "Viewer"}},
            }  # fmt: skip
            id_ = 2_896_204_983_521_280 + len(stub.dashboards)
            stub.dashboards[uid] = {"meta": meta, "dashboard": {**board, "id": id_, "version": 3}}


def _rules(
    stub: GrafanaStub, groups: Any, folders: dict[str, str], environment: Mapping[str, str]
) -> list[Any]:
    rules = []
    for group in groups:
        name, title = (_expand(group[key], environment) for key in ("name", "folder"))
        # A folder that does not exist yet gets a uid of Grafana's own.
        folder = folders.setdefault(title, f"bf{len(folders)}x9")
        members = [_rule(each, folder, name, environment) for each in group["rules"]]
        path = f"{API}/folder/{folder}/rule-groups/{name}"
        interval = _seconds(group["interval"])
        stub.served[path] = {"title": name, "folderUid": folder, "interval": interval}
        rules += members
    return rules


def _rule(rule: Any, folder: str, group: str, environment: Mapping[str, str]) -> Any:
    data = copy.deepcopy(rule["data"])
    for query in data:
        query.setdefault("queryType", "")
        query["model"] |= {"intervalMs": 1_000, "maxDataPoints": 43_200}
    return {
        "id": 1, "uid": rule["uid"], "orgID": 1, "folderUID": folder, "ruleGroup": group,
        "title": _expand(rule["title"], environment), "condition": rule["condition"], "data": data,
        "updated": "2026-10-01T00:00:00Z", "noDataState": rule["noDataState"],
        "execErrState": rule["execErrState"], "for": _go(rule.get("for", "0s")),
        "keep_firing_for": _go(rule.get("keepFiringFor", "0s")),
        "annotations": rule["annotations"], "labels": _expand(rule["labels"], environment),
        "provenance": "file", "isPaused": rule["isPaused"], "notification_settings": None,
        "record": None,
    }  # fmt: skip


def _settings(settings: Any) -> Any:
    return {
        key: "[REDACTED]" if key in _SECRET else value
        for key, value in settings.items()
        if key not in _SECRET or value
    }


def _route(route: Any) -> Any:
    waits = ("group_wait", "group_interval", "repeat_interval")
    kept = ("receiver", "group_by", "object_matchers", "mute_time_intervals")
    made = {key: route[key] for key in kept if route.get(key)}
    made |= {key: _go(route[key]) for key in waits if key in route}
    if route.get("routes"):
        made["routes"] = [_route(each) for each in route["routes"]]
    return made


def _seconds(text: str) -> int:
    return sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"(\d+)([a-z])", text))


def _go(text: str) -> str:
    """Write a duration as Prometheus' library does: years and weeks only where they divide it."""
    rest, written = _seconds(text), ""
    for unit, size in _UNITS.items():
        if unit in "yw" and rest % size:
            continue
        if rest >= size:
            written += f"{rest // size}{unit}"
            rest %= size
    return written or "0s"
