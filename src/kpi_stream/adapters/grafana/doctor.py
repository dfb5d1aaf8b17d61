"""Asks Grafana for everything that was generated for it, and says what is not as it should be."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from kpi_stream.adapters.grafana.client import GrafanaError, Trouble
from kpi_stream.adapters.grafana.compare import Difference, Variable, differences, seconds
from kpi_stream.adapters.grafana.generated import Generated, Group, Json, read

_OWN_OF_DASHBOARD = ("id", "version", "iteration", "gnetId")
_OWN_OF_SOURCE = (
    *("id", "orgId", "typeLogoUrl", "typeName", "user", "database", "basicAuth", "basicAuthUser"),
    *("withCredentials", "secureJsonFields", "version", "accessControl", "apiVersion"),
)
_OWN_OF_RULE = (
    *("id", "orgID", "folderUID", "ruleGroup", "updated", "provenance", "guid"),
    "missingSeriesEvalsToResolve",
)
_OWN_OF_ALERTING = ("provenance", "version", "kind")

_GENERATE = "run kpi-stream generate and give Grafana the files"
_RESTART = "run kpi-stream generate, give Grafana the files and start it again"
_RIGHTS = "give its service account the role Editor (Viewer is enough to look)"

_FIXES = {
    Trouble.UNREACHABLE: "start Grafana, or set KPI_STREAM_GRAFANA_URL to where it is reached",
    Trouble.UNKNOWN: "look into Grafana's log, and at what KPI_STREAM_GRAFANA_URL names",
    Trouble.TOKEN: (
        "make a token under Administration > Service accounts, into the file that "
        "KPI_STREAM_GRAFANA_TOKEN_FILE names"
    ),
    Trouble.FORBIDDEN: _RIGHTS,
    Trouble.BUSY: "ask again later",
    Trouble.REFUSED: "look at what KPI_STREAM_GRAFANA_URL names",
}


class Asked(Protocol):
    """Of `client.GrafanaClient`, what is needed here."""

    url: str

    def get(self, path: str, **query: str | int | list[str]) -> Any:  # noqa: ANN401  (JSON)
        """Return the answer to GET."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    place: str
    problem: str
    fix: str

    def __str__(self) -> str:
        """Return it as one line."""
        return " ".join(f"{self.place}: {self.problem}; {self.fix}".split())


def cannot_ask(error: GrafanaError) -> Finding:
    """Return why nothing (more) can be said about Grafana."""
    return Finding("grafana", str(error), _FIXES[error.trouble])


class Doctor:
    """Compares one Grafana with what was generated for it.

    Args:
        grafana: Whom to ask.
        files: What was generated, by path.
        variables: What is known about Grafana's environment.
    """

    def __init__(
        self, grafana: Asked, files: Mapping[str, str], variables: Iterable[Variable]
    ) -> None:
        self._grafana = grafana
        self._generated: Generated = read(files, variables)
        # What is wrong with these folders themselves is said once, not for each rule.
        self._titles = dict(self._generated.folders)

    def examine(self, progress: Callable[[str], None]) -> Iterator[Finding]:
        """Yield what is wrong, as it is found.

        Args:
            progress: Is told what is asked for next.

        Raises:
            GrafanaError: Grafana cannot be asked (any more).
        """
        made = self._generated
        rules = sum(len(group.rules) for group in made.groups)
        steps: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
            ("health", self._health),
            ("folder", self._folders),
            ("data source", self._sources),
            (f"{len(made.dashboards)} dashboards", self._dashboards),
            (f"{rules} alert rules", self._rules),
            ("contact points", self._contact_points),
            ("notification policies", self._policies),
            ("mute timings", self._mute_timings),
            ("message templates", self._templates),
        )
        for name, step in steps:
            progress(name)
            try:
                yield from step()
            except GrafanaError as err:
                if err.trouble is not Trouble.FORBIDDEN:
                    raise
                yield Finding(name, str(err), _RIGHTS)

    def _health(self) -> Iterator[Finding]:
        health = self._object("/health")
        if health.get("database") != "ok":
            problem = f"its database is {health.get('database')!r}"
            yield Finding("grafana", problem, "look into Grafana's log")

    def _folders(self) -> Iterator[Finding]:
        for uid, title in self._generated.folders.items():
            served = self._there(f"/folders/{quote(uid)}")
            if served is None:
                yield Finding(f"folder {uid}", "is missing", _RESTART)
            else:
                yield from _compared(f"folder {uid}", {"title": title}, served, _RESTART, served)

    def _sources(self) -> Iterator[Finding]:
        for source in self._generated.sources:
            uid = source["uid"]
            place, path = f"data source {uid}", f"/datasources/uid/{quote(uid)}"
            served = self._there(path)
            if served is None:
                yield Finding(place, "is missing", _RESTART)
                continue
            yield from _compared(place, source, served, _RESTART, _OWN_OF_SOURCE)
            try:
                answer = self._object(f"{path}/health")
                working, said = answer.get("status") == "OK", answer.get("message")
            except GrafanaError as err:
                if err.trouble is not Trouble.REFUSED:
                    raise
                working, said = False, err
            if not working:
                fix = "start Prometheus, and see that Grafana reaches it at that address"
                yield Finding(place, f"does not answer at {served.get('url')}: {said}", fix)

    def _dashboards(self) -> Iterator[Finding]:
        may_write = True
        for uid, board in self._generated.dashboards.items():
            place = f"dashboard {uid}"
            served = self._there(f"/dashboards/uid/{quote(uid)}")
            if served is None:
                yield Finding(place, "is missing", f"{_GENERATE} (its log says why it took none)")
                continue
            meta, model = self._part(served, "meta"), self._part(served, "dashboard")
            yield from _compared(place, board, model, _GENERATE, _OWN_OF_DASHBOARD)
            folder = meta.get("folderUid")
            if folder not in self._generated.folders:
                fix = f"delete it there; Grafana puts it into {', '.join(self._generated.folders)}"
                yield Finding(place, f"is in folder {folder!r}", fix)
            if meta.get("provisioned") is False:
                fix = "delete it in Grafana, which then reads the file again"
                yield Finding(place, "was saved by hand, so its file does not count", fix)
            rights = meta.get("annotationsPermissions") or {}
            may_write &= rights.get("dashboard", {}).get("canAdd", True) is not False
        yield from self._left_dashboards()
        if not may_write:
            yield Finding("token", "may write no annotations", _RIGHTS)

    def _left_dashboards(self) -> Iterator[Finding]:
        for folder in self._generated.folders:
            for each in self._list("/search", folderUIDs=folder, type="dash-db", limit=5000):
                if each.get("uid") not in self._generated.dashboards:
                    problem = f"is in the folder, but not generated ({each.get('title')!r})"
                    fix = "delete it, or move what people made to another folder"
                    yield Finding(f"dashboard {each.get('uid')}", problem, fix)

    def _rules(self) -> Iterator[Finding]:
        served = {each.get("uid"): each for each in self._list("/v1/provisioning/alert-rules")}
        expected, folders = set(), {group.folder for group in self._generated.groups}
        for group in self._generated.groups:
            at: str | None = None
            for rule in group.rules:
                uid = rule["uid"]
                expected.add(uid)
                found = served.get(uid)
                if found is None:
                    yield Finding(f"alert rule {uid}", "is missing", _RESTART)
                    continue
                yield from _compared(f"alert rule {uid}", rule, found, _RESTART, _OWN_OF_RULE)
                where = {"folder": self._title(found), "group": found.get("ruleGroup")}
                wanted = {"folder": group.folder, "group": group.name}
                yield from _compared(f"alert rule {uid}", wanted, where, _RESTART)
                at = found.get("folderUID")
            if at is not None:
                yield from self._interval(group, at)
        for uid, found in served.items():
            # Grafana keeps the rules of a file that is gone; people's own have no provenance.
            if uid in expected or found.get("provenance") != "file":
                continue
            if self._title(found) in folders:
                problem = f"is not generated any more ({found.get('title')!r})"
                fix = f"name it under deleteRules in a file of grafana/provisioning/alerting: {uid}"
                yield Finding(f"alert rule {uid}", problem, fix)

    def _interval(self, group: Group, folder: str) -> Iterator[Finding]:
        path = f"/v1/provisioning/folder/{quote(folder)}/rule-groups/{quote(group.name, safe='')}"
        served = self._there(path)
        if served is None:
            return
        interval = served.get("interval")
        if seconds(interval) != seconds(group.interval):
            problem = f"is evaluated every {interval} s, not {group.interval}"
            yield Finding(f"alert rules {group.name!r}", problem, _RESTART)

    def _contact_points(self) -> Iterator[Finding]:
        served = {each.get("uid"): each for each in self._list("/v1/provisioning/contact-points")}
        for uid, point in self._generated.contact_points.items():
            yield from _named(f"contact point {uid}", point, served.get(uid))

    def _policies(self) -> Iterator[Finding]:
        for policy in self._generated.policies:
            served = self._object("/v1/provisioning/policies")
            yield from _compared(
                "notification policies", policy, served, _RESTART, _OWN_OF_ALERTING
            )

    def _mute_timings(self) -> Iterator[Finding]:
        served = {each.get("name"): each for each in self._list("/v1/provisioning/mute-timings")}
        for name, timing in self._generated.mute_timings.items():
            yield from _named(f"mute timing {name}", timing, served.get(name))

    def _templates(self) -> Iterator[Finding]:
        served = {each.get("name"): each for each in self._list("/v1/provisioning/templates")}
        for name, text in self._generated.templates.items():
            found = served.get(name)
            if found is not None:
                found = {**found, "template": str(found.get("template")).strip()}
            template = {"name": name, "template": text.strip()}
            yield from _named(f"message template {name}", template, found)

    # How Grafana is asked.

    def _title(self, rule: Json) -> str:
        """Return the title of the folder of a rule, which Grafana finds by its title."""
        uid = str(rule.get("folderUID"))
        if uid not in self._titles:
            folder = self._there(f"/folders/{quote(uid)}")
            self._titles[uid] = "" if folder is None else str(folder.get("title"))
        return self._titles[uid]

    def _there(self, path: str) -> Json | None:
        """Return an object, None where Grafana has none."""
        try:
            return self._object(path)
        except GrafanaError as err:
            if err.status == 404:  # noqa: PLR2004  (not found)
                return None
            raise

    def _object(self, path: str) -> Json:
        return self._checked(self._grafana.get(path), path)

    def _part(self, whole: Json, name: str) -> Json:
        return self._checked(whole.get(name), name)

    def _list(self, path: str, **query: str | int | list[str]) -> list[Json]:
        answer = self._grafana.get(path, **query)
        if not isinstance(answer, list):
            answer = [None]
        return [self._checked(each, path) for each in answer]

    def _checked(self, answer: object, path: str) -> Json:
        if not isinstance(answer, dict):
            text = f"Grafana at {self._grafana.url} answers {path} as Grafana does not"
            raise GrafanaError(Trouble.UNKNOWN, text)
        return answer


def _named(place: str, generated: Json, served: Json | None) -> Iterator[Finding]:
    if served is None:
        yield Finding(place, "is missing", _RESTART)
    else:
        yield from _compared(place, generated, served, _RESTART, _OWN_OF_ALERTING)


def _compared(
    place: str, generated: Json, served: Json, fix: str, ignored: Iterable[str] = ()
) -> Iterator[Finding]:
    """Yield one finding for all differences: the first of them, and how many more there are."""
    allowed = set(ignored) - set(generated)
    found = differences(generated, served, allowed)
    # An empty variable has a remedy of its own.
    for each in [each for each in found if _is_unset(each)]:
        found.remove(each)
        name = each.generated.name if isinstance(each.generated, Variable) else ""
        yield Finding(place, str(each), f"set {name} and start Grafana again")
    if found:
        more = f" (and {len(found) - 1} more differences)" if len(found) > 1 else ""
        yield Finding(place, f"{found[0]}{more}", fix)


def _is_unset(difference: Difference) -> bool:
    variable = difference.generated
    return isinstance(variable, Variable) and variable.value is None
