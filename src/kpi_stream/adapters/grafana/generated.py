"""What was generated for Grafana, in the form in which its HTTP interface serves it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from kpi_stream.adapters.grafana.compare import Variable, interpolated

Json: TypeAlias = dict[str, Any]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast where PyYAML was built with it."""

_AS_IS = ("data", "annotations")
"""Parts of a rule in which Grafana replaces no `$NAME`."""
_RENAMED = {"keepFiringFor": "keep_firing_for"}
_OF_FILES = frozenset(("dashboardUid", "panelId", "orgId"))
"""Keys of a file that the HTTP interface has elsewhere, or not at all."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of rules."""

    name: str
    folder: str
    """Title of the folder."""
    interval: str
    rules: tuple[Json, ...]


@dataclass(slots=True)
class Generated:
    """Everything that Grafana should serve."""

    dashboards: dict[str, Json] = field(default_factory=dict)
    """By uid."""
    folders: dict[str, str] = field(default_factory=dict)
    """Titles of the dashboards' folders, by uid."""
    sources: list[Json] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    contact_points: dict[str, Json] = field(default_factory=dict)
    """By uid."""
    policies: list[Json] = field(default_factory=list)
    mute_timings: dict[str, Json] = field(default_factory=dict)
    """By name."""
    templates: dict[str, str] = field(default_factory=dict)
    """Texts, by name."""


def read(files: Mapping[str, str], variables: Iterable[Variable]) -> Generated:
    """Return what Grafana makes of generated files.

    Args:
        files: Their contents, by path: dashboards as JSON, provisioning files as YAML.
        variables: What is known about Grafana's environment.
    """
    known = {each.name: each for each in variables}
    made = Generated()
    for path, text in files.items():
        if path.endswith(".json"):
            board = json.loads(text)
            made.dashboards[board["uid"]] = board
        elif path.endswith((".yaml", ".yml")):
            _add(made, yaml.load(text, _LOADER), known)  # noqa: S506  (a safe one)
    return made


def _add(made: Generated, file: Json, known: Mapping[str, Variable]) -> None:
    for provider in interpolated(file.get("providers", []), known):
        made.folders[provider["folderUid"]] = provider["folder"]
    for source in interpolated(file.get("datasources", []), known):
        source["readOnly"] = not source.pop("editable", True)
        made.sources.append(_without(source, "orgId", "version"))
    for group in file.get("groups", []):
        name, folder = (interpolated(group[key], known) for key in ("name", "folder"))
        rules = tuple(_rule(each, known) for each in group["rules"])
        made.groups.append(Group(name, folder, group["interval"], rules))
    for point in interpolated(file.get("contactPoints", []), known):
        for receiver in point["receivers"]:
            made.contact_points[receiver["uid"]] = {"name": point["name"], **receiver}
    for policy in interpolated(file.get("policies", []), known):
        made.policies.append(_without(policy, "orgId"))
    for timing in interpolated(file.get("muteTimes", []), known):
        made.mute_timings[timing["name"]] = _without(timing, "orgId")
    for template in file.get("templates", []):
        made.templates[template["name"]] = template["template"]


def _rule(rule: Json, known: Mapping[str, Variable]) -> Json:
    return {
        _RENAMED.get(key, key): value if key in _AS_IS else interpolated(value, known)
        for key, value in rule.items()
        if key not in _OF_FILES
    }


def _without(value: Json, *keys: str) -> Json:
    return {key: each for key, each in value.items() if key not in keys}
