"""The doctor, against the HTTP stub of Grafana with everything generated loaded into it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest

from kpi_stream.adapters.clock import Clock
from kpi_stream.adapters.grafana.client import Access, GrafanaClient, GrafanaError
from kpi_stream.adapters.grafana.compare import Variable
from kpi_stream.adapters.grafana.doctor import Doctor, cannot_ask
from kpi_stream.adapters.grafana.provisioning.contact_points import WEBHOOK_TOKEN
from kpi_stream.adapters.grafana.provisioning.sources import PROMETHEUS_URL
from tests.support.grafana_loaded import API, ENVIRONMENT, generated, load, put
from tests.support.grafana_stub import TOKEN, Answer, GrafanaStub, cut, page, says


@pytest.fixture
def grafana() -> Iterator[GrafanaStub]:
    """A Grafana that has read the files of a strategy."""
    with GrafanaStub() as stub:
        put(stub)
        yield stub


def ask(
    stub: GrafanaStub, name: str = "harbour", language: str = "en", prometheus: str | None = None
) -> list[str]:
    """Return the lines of what is found."""
    with NamedTemporaryFile("w") as token:
        token.write(TOKEN)
        token.flush()
        client = GrafanaClient(Access(stub.url, Path(token.name)), Clock().monotonic)
        variables = (
            Variable(PROMETHEUS_URL, prometheus),
            Variable(WEBHOOK_TOKEN, may_be_empty=True),
        )
        doctor = Doctor(client, generated(name, language), variables)
        lines = []
        try:
            for finding in doctor.examine(lambda _: None):
                lines.append(str(finding))  # noqa: PERF401  (what was found before an error counts)
        except GrafanaError as err:
            lines.append(str(cannot_ask(err)))
        finally:
            client.close()
    return lines


@pytest.mark.parametrize(
    ("name", "language"), [("sunat", "es"), ("harbour", "en"), ("pocket", "es"), ("pocket", "en")]
)
def test_what_was_generated_and_loaded_is_well(name: str, language: str) -> None:
    """Nothing that Grafana does to the files is taken for a difference."""
    with GrafanaStub() as stub:
        load(stub, generated(name, language))
        assert ask(stub, name, language) == []
        asked = [each.path for each in stub.seen]
        boards = [each for each in asked if each.startswith("/api/dashboards/uid/")]
        assert len(boards) == len(stub.dashboards) > 4
        assert f"{API}/alert-rules" in asked
        assert {each.method for each in stub.seen} == {"GET"}


def at(stub: GrafanaStub, path: str) -> Any:
    """Return what is served at a path, to be changed."""
    return stub.served[path]


def board(stub: GrafanaStub) -> Any:
    """Return the strategic map with its meta data."""
    return stub.dashboards["harbour-map"]


def rule(stub: GrafanaStub) -> Any:
    """Return the first alert rule."""
    return at(stub, f"{API}/alert-rules")[0]


def changed(name: str) -> Callable[[GrafanaStub], object]:
    """Return a spoiler of Grafana by name."""
    source = "/api/datasources/uid/harbour-prometheus"
    spoilers: dict[str, Callable[[GrafanaStub], object]] = {
        "no folder": lambda g: g.served.pop("/api/folders/harbour-folder"),
        "folder renamed": lambda g: at(g, "/api/folders/harbour-folder").update(title="Mine"),
        "no source": lambda g: g.served.pop(source),
        "source of another type": lambda g: at(g, source).update(type="loki"),
        "source without address": lambda g: at(g, source).update(url=""),
        "source editable": lambda g: at(g, source).update(readOnly=False),
        "source scrapes otherwise": lambda g: at(g, source)["jsonData"].update(timeInterval="60s"),
        "source asleep": lambda g: g.served.update(
            {f"{source}/health": Answer(400, {"status": "ERROR", "message": "connection refused"})}
        ),
        "no board": lambda g: g.dashboards.pop("harbour-map"),
        "board changed": lambda g: board(g)["dashboard"]["panels"][0].update(title="Mine"),
        "panel added": lambda g: board(g)["dashboard"]["panels"].append({"id": 99}),
        "board tagged": lambda g: board(g)["dashboard"].update(iteration=1, liveNow=True),
        "board moved": lambda g: board(g)["meta"].update(folderUid="general"),
        "board saved": lambda g: board(g)["meta"].update(provisioned=False),
        "board left over": lambda g: g.dashboards.update(
            old={"meta": {"folderUid": "harbour-folder"}, "dashboard": {"title": "Old"}}
        ),
        "no rule": lambda g: at(g, f"{API}/alert-rules").pop(0),
        "rule paused": lambda g: rule(g).update(isPaused=True),
        "rule slower": lambda g: rule(g).update({"for": "3d"}),
        "rule of another query": lambda g: rule(g)["data"][0]["model"].update(expr="vector(1)"),
        "rule relabelled": lambda g: rule(g)["labels"].update(owner="Me"),
        "rule routed": lambda g: rule(g).update(notification_settings={"receiver": "me"}),
        "rule elsewhere": lambda g: rule(g).update(folderUID="theirs"),
        "rule left over": lambda g: at(g, f"{API}/alert-rules").append(
            {**rule(g), "uid": "harbour-rule-old", "title": "Old"}
        ),
        "no contact point": lambda g: at(g, f"{API}/contact-points").pop(),
        "contact point reworded": lambda g: at(g, f"{API}/contact-points")[0]["settings"].update(
            subject="Alert!"
        ),
        "policies replaced": lambda g: at(g, f"{API}/policies").update(receiver="other", routes=[]),
        "policy unmuted": lambda g: at(g, f"{API}/policies")["routes"][1].pop(
            "mute_time_intervals"
        ),
        "no mute timing": lambda g: at(g, f"{API}/mute-timings").clear(),
        "mute timing longer": lambda g: at(g, f"{API}/mute-timings")[0]["time_intervals"].pop(),
        "no template": lambda g: at(g, f"{API}/templates").pop(),
        "template reworded": lambda g: at(g, f"{API}/templates")[0].update(template="{{ . }}"),
        "database gone": lambda g: g.served.update({"/api/health": {"database": "failing"}}),
    }
    return spoilers[name]


@pytest.mark.parametrize(
    ("name", "place", "problem", "remedy"),
    [
        ("no folder", "folder harbour-folder", "is missing", "generate"),
        ("folder renamed", "folder harbour-folder", "title is 'Mine', not ", "generate"),
        ("no source", "data source harbour-prometheus", "is missing", "start"),
        ("source of another type", "data source", "type is 'loki', not 'prometheus'", "generate"),
        (
            *("source without address", "data source harbour-prometheus", "url is empty: "),
            "set KPI_STREAM_PROMETHEUS_URL",
        ),
        ("source editable", "data source", "readOnly is False, not True", "generate"),
        (
            *("source scrapes otherwise", "data source"),
            *("jsonData.timeInterval is '60s', not '15s'", "generate"),
        ),
        (
            *("source asleep", "data source harbour-prometheus"),
            *("does not answer at http://prometheus:9090: Grafana answers 400", "Prometheus"),
        ),
        ("no board", "dashboard harbour-map", "is missing", "generate"),
        ("board changed", "dashboard harbour-map", "panels[0].title is 'Mine', not ", "generate"),
        ("panel added", "dashboard harbour-map", "the number of panels is ", "generate"),
        ("board tagged", "dashboard harbour-map", "liveNow is True, not missing", "generate"),
        ("board moved", "dashboard harbour-map", "is in folder 'general'", "harbour-folder"),
        ("board saved", "dashboard harbour-map", "was saved by hand", "delete it"),
        ("board left over", "dashboard old", "not generated ('Old')", "delete it"),
        ("no rule", "alert rule harbour-rule-", "is missing", "start"),
        ("rule paused", "alert rule harbour-rule-", "isPaused is True, not False", "generate"),
        ("rule slower", "alert rule harbour-rule-", "for is '3d', not ", "generate"),
        (
            *("rule of another query", "alert rule harbour-rule-"),
            *("data[0].model.expr is 'vector(1)', not ", "generate"),
        ),
        ("rule relabelled", "alert rule harbour-rule-", "labels.owner is 'Me', not ", "generate"),
        ("rule routed", "alert rule harbour-rule-", "notification_settings is", "generate"),
        ("rule elsewhere", "alert rule harbour-rule-", "folder is 'Theirs', not ", "generate"),
        ("rule left over", "alert rule harbour-rule-old", "not generated any more", "deleteRules"),
        ("no contact point", "contact point harbour-webhook", "is missing", "start"),
        (
            *("contact point reworded", "contact point harbour-email"),
            *("settings.subject is 'Alert!', not ", "generate"),
        ),
        ("policies replaced", "notification policies", "receiver is 'other', not ", "start"),
        ("policy unmuted", "notification policies", "routes[1].mute_time_intervals", "start"),
        ("no mute timing", "mute timing harbour-outside-office-hours", "is missing", "start"),
        ("mute timing longer", "mute timing harbour", "the number of time_intervals is", "start"),
        ("no template", "message template harbour.message", "is missing", "start"),
        (
            "template reworded",
            "message template harbour.subject",
            "template is '{{ . }}'",
            "start",
        ),
        ("database gone", "grafana", "its database is 'failing'", "log"),
    ],
)
def test_each_difference_is_one_line_with_its_remedy(
    grafana: GrafanaStub, name: str, place: str, problem: str, remedy: str
) -> None:
    """What is wrong, where, and what to do; nothing else is blamed for it."""
    changed(name)(grafana)
    (line,) = ask(grafana)
    assert line.startswith(place), line
    assert problem in line, line
    assert remedy in line.rpartition("; ")[2], line


def test_the_interval_of_a_group_counts(grafana: GrafanaStub) -> None:
    """A group that is evaluated less often alerts later, whatever its rules say."""
    path = next(each for each in grafana.served if "/rule-groups/" in each)
    at(grafana, path)["interval"] = 600
    (line,) = ask(grafana)
    assert "is evaluated every 600 s, not 30s" in line


def test_every_difference_of_one_thing_is_one_finding(grafana: GrafanaStub) -> None:
    """The first of them and how many more, so that another language is not a thousand lines."""
    lines = ask(grafana, language="es")
    assert any("more differences)" in each for each in lines)
    of_boards = [each for each in lines if each.startswith("dashboard ")]
    assert len(of_boards) == len(grafana.dashboards)


def test_a_variable_that_is_not_set() -> None:
    """An empty address is named with the variable that Grafana's environment lacks."""
    with GrafanaStub() as stub:
        unset = {name: url for name, url in ENVIRONMENT.items() if "EMAIL" not in name}
        load(stub, generated("harbour", "en"), unset)
        (line,) = ask(stub)
        assert line == (
            "contact point harbour-email: settings.addresses is empty: KPI_STREAM_ALERT_EMAIL is "
            "not set in Grafana's environment; set KPI_STREAM_ALERT_EMAIL and start Grafana again"
        )


def test_a_secret_is_neither_wanted_nor_shown() -> None:
    """The webhook's token may be set, and Grafana serves it redacted."""
    with GrafanaStub() as stub:
        environment = {**ENVIRONMENT, "KPI_STREAM_ALERT_WEBHOOK_TOKEN": "s3cret"}
        load(stub, generated("harbour", "en"), environment)
        assert ask(stub) == []


def test_the_address_of_prometheus_can_be_checked(grafana: GrafanaStub) -> None:
    """Without the option any will do, since only Grafana's environment has it."""
    assert ask(grafana, prometheus="http://prometheus:9090") == []
    (line,) = ask(grafana, prometheus="http://elsewhere:9090")
    assert "url is 'http://prometheus:9090', not 'http://elsewhere:9090'" in line


def test_peoples_own_are_left_alone(grafana: GrafanaStub) -> None:
    """A rule that somebody made in Grafana, and a dashboard in another folder, are no findings."""
    rules = at(grafana, f"{API}/alert-rules")
    rules.append({**rules[0], "uid": "mine", "provenance": ""})
    rules.append({**rules[0], "uid": "another-administration-s", "folderUID": "theirs"})
    grafana.dashboards["mine"] = {"meta": {"folderUid": "general"}, "dashboard": {"title": "Mine"}}
    assert ask(grafana) == []


def test_the_folder_of_the_rules_is_known_by_its_title(grafana: GrafanaStub) -> None:
    """Grafana makes that folder under a uid of its own choice."""
    title = at(grafana, "/api/folders/harbour-folder")["title"]
    grafana.served["/api/folders/chosen"] = {"uid": "chosen", "title": f"{title}: alerts"}
    for each in at(grafana, f"{API}/alert-rules"):
        each["folderUID"] = "chosen"
    for path in [each for each in grafana.served if "/rule-groups/" in each]:
        group = path.rpartition("/")[2]
        grafana.served[f"{API}/folder/chosen/rule-groups/{group}"] = grafana.served.pop(path)
    assert ask(grafana) == []


def test_a_viewer_can_look_but_not_annotate() -> None:
    """The one thing that its token cannot do is said."""
    with GrafanaStub(role="Viewer") as stub:
        load(stub, generated("harbour", "en"))
        (line,) = ask(stub)
        assert line.startswith("token: may write no annotations; ")
        assert "Editor" in line


def test_what_may_not_be_read_is_a_finding_and_the_rest_is_asked(grafana: GrafanaStub) -> None:
    """An older Grafana, or custom roles: the other parts are compared all the same."""
    grafana.served[f"{API}/alert-rules"] = Answer(403, {"message": "Permissions needed: x"})
    at(grafana, f"{API}/policies")["receiver"] = "other"
    forbidden, other = ask(grafana)
    assert "alert rules: Grafana forbids it" in forbidden
    assert "Permissions needed: x; give its service account the role" in forbidden
    assert other.startswith("notification policies: receiver")


@pytest.mark.parametrize(
    ("bad", "problem", "remedy"),
    [
        (says(401, "Invalid API key"), "does not know the token", "Service accounts"),
        (says(429), "too many requests", "later"),
        (says(503), "answers 503", "log"),
        (says(302, Location="/login"), "redirects", "KPI_STREAM_GRAFANA_URL"),
        (page(), "is it Grafana?", "KPI_STREAM_GRAFANA_URL"),
        (page(200, "[]"), "answers /health as Grafana does not", "KPI_STREAM_GRAFANA_URL"),
        (cut, "broke the connection", "log"),
    ],
)
def test_a_grafana_that_cannot_be_asked(
    grafana: GrafanaStub, bad: Any, problem: str, remedy: str
) -> None:
    """One line, its remedy; nothing is said about what was not seen."""
    grafana.always = bad
    (line,) = ask(grafana)
    assert line.startswith("grafana: ")
    assert problem in line
    assert remedy in line
