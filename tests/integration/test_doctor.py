"""`kpi-stream doctor grafana`: its lines, its exit codes, its JSON."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kpi_stream.cli import cli
from tests.support.grafana_loaded import API, STRATEGIES, put
from tests.support.grafana_stub import TOKEN, Answer, GrafanaStub, says

HARBOUR = STRATEGIES["harbour"]


@pytest.fixture
def grafana() -> Iterator[GrafanaStub]:
    """A Grafana that has read the files of a strategy."""
    with GrafanaStub() as stub:
        put(stub)
        yield stub


@pytest.fixture(autouse=True)
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the token."""
    file = tmp_path / "token"
    file.write_text(TOKEN)
    monkeypatch.setenv("KPI_STREAM_GRAFANA_TOKEN_FILE", str(file))
    return file


def run(stub: GrafanaStub, *options: str) -> Result:
    """Run the command."""
    words = ["doctor", "grafana", "--strategy", str(HARBOUR), "--language", "en", *options]
    return CliRunner().invoke(cli, words, env={"KPI_STREAM_GRAFANA_URL": stub.url})


def test_the_command_says_what_it_asks_for(grafana: GrafanaStub) -> None:
    """On standard error, since a big strategy takes a while; and that all is well."""
    result = run(grafana)
    assert (result.exit_code, result.stdout) == (0, "")
    *lines, last = result.stderr.splitlines()
    assert last == f"{grafana.url}: all is well"
    assert f"asking for {len(grafana.dashboards)} dashboards" in lines
    rules = grafana.served[f"{API}/alert-rules"]
    assert f"asking for {len(rules)} alert rules" in lines  # type: ignore[arg-type]


def test_links_are_compared_with_those_it_was_generated_with(grafana: GrafanaStub) -> None:
    """The same options as for `kpi-stream generate`."""
    url = ("--runbook-url", "https://wiki.example.org/kpi")
    result = run(grafana, *url, "--prometheus-url", "http://prometheus:9090")
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    rules = [each for each in lines if each.startswith("alert rule ")]
    assert len(rules) == len(grafana.served[f"{API}/alert-rules"])
    assert all("annotations.runbook_url is" in each for each in rules), rules


def test_no_grafana_at_all(token: Path) -> None:
    """Nobody listens; or there is no token; or nobody said where."""
    with GrafanaStub() as stub:
        gone = stub
    result = run(gone)
    assert result.exit_code == 2
    assert "cannot be reached; start Grafana" in result.stdout
    token.unlink()
    assert "cannot be read" in run(gone).stdout
    result = CliRunner().invoke(cli, ["doctor", "grafana"], standalone_mode=False)
    assert "KPI_STREAM_GRAFANA_URL is not set" in str(result.exception)


def test_it_breaks_off_in_the_middle(grafana: GrafanaStub) -> None:
    """What was found before is shown, and the exit code says that it is not everything."""
    grafana.served.pop("/api/folders/harbour-folder")
    grafana.served[f"{API}/alert-rules"] = Answer(500, {"message": "database is locked"})
    result = run(grafana)
    assert result.exit_code == 2
    first, last = result.stdout.splitlines()
    assert first.startswith("folder harbour-folder: is missing")
    assert last.startswith("grafana: Grafana answers 500: database is locked")


def test_findings_as_json(grafana: GrafanaStub) -> None:
    """For a machine: the same findings in parts; an empty list where all is well."""
    assert json.loads(run(grafana, "--json").stdout) == []
    grafana.dashboards.pop("harbour-map")
    result = run(grafana, "--json")
    assert result.exit_code == 1
    (finding,) = json.loads(result.stdout)
    assert finding["place"] == "dashboard harbour-map"
    assert finding["problem"] == "is missing"
    assert set(finding) == {"place", "problem", "fix"}
    grafana.always = says(401)
    assert [each["place"] for each in json.loads(run(grafana, "--json").stdout)] == ["grafana"]
