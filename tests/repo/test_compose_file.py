"""The Compose file is valid, keeps to the norms, and says what it needs."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import compose_norms
from tests.support.compose import EXAMPLE, FILE, REQUIRED, ROOT, Config, compose, raw, resolved
from tests.support.documents import blocks, code, files

TEXT = FILE.read_text()
OPERATIONS = ROOT / "docs" / "operations.md"
SERVICES = {"kafka", "topics", "worker", "scorecard", "prometheus", "grafana"}
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?+])([^}]*))?\}")


@pytest.fixture(scope="module")
def config() -> Config:
    """The file with every profile, resolved."""
    return resolved()


def test_it_has_the_services(config: Config):
    """Without a profile the six; with `demo` a feed, with `alertmanager` that."""
    profiles = {name: each.get("profiles", []) for name, each in config["services"].items()}
    assert {name for name, each in profiles.items() if not each} == SERVICES
    assert profiles["simulator"] == ["demo"]
    assert profiles["alertmanager"] == ["alertmanager"]
    assert compose("config", "-q", env=REQUIRED, profiles="demo").returncode == 0


@pytest.mark.parametrize("variable", REQUIRED)
@pytest.mark.parametrize("value", [None, ""])
def test_it_names_what_is_missing(variable: str, value: str | None):
    """Without a required variable nothing is started, and the message names it."""
    env = {name: text for name, text in REQUIRED.items() if name != variable}
    if value is not None:
        env[variable] = value
    result = compose("config", "-q", env=env)
    assert result.returncode != 0
    assert f"required variable {variable} is missing a value" in result.stderr
    assert ".env.example" in result.stderr


def test_nothing_else_is_required():
    """The three are all that has no default."""
    assert {name for name, kind, _ in VARIABLE.findall(TEXT) if kind == "?"} == set(REQUIRED)


def test_every_service_keeps_to_the_norms(config: Config):
    """Pinned, not root, read-only, without capabilities, limited, checked, rotated, inside."""
    assert compose_norms.violations(config) == []


def _drop(*names: str) -> Callable[[Config], None]:
    def mutate(service: Config) -> None:
        for name in names:
            service.pop(name, None)

    return mutate


def _set(**values: Any) -> Callable[[Config], None]:
    return lambda service: service.update(values)


BIND = {"type": "bind", "source": "/var/run/docker.sock", "target": "/s", "read_only": True}
ANYWHERE = {"target": 9100, "published": "9100", "host_ip": "0.0.0.0"}  # noqa: S104  (is refused)
MUTATIONS: list[tuple[str, Callable[[Config], None], str]] = [
    ("grafana", _set(image="grafana/grafana:latest"), "is not pinned"),
    ("grafana", _set(image="grafana/grafana"), "is not pinned"),
    ("kafka", _set(image="apache/kafka:4"), "is not pinned"),
    ("worker", _drop("user"), "runs as root"),
    ("worker", _set(user="0:0"), "runs as root"),
    ("kafka", _set(user="root"), "runs as root"),
    ("prometheus", _drop("read_only"), "can write to its root"),
    ("topics", _drop("cap_drop"), "keeps capabilities"),
    ("topics", _set(cap_add=["NET_ADMIN"]), "keeps capabilities"),
    ("worker", _set(privileged=True), "is privileged"),
    ("scorecard", _set(security_opt=[]), "may gain privileges"),
    ("scorecard", _drop("init"), "has no init"),
    ("worker", _set(volumes=[BIND | {"read_only": False}]), "can write to /s of the host"),
    ("worker", _set(volumes=[BIND]), "holds the engine's socket"),
    ("simulator", _drop("mem_limit"), "has no mem_limit"),
    ("kafka", _set(pids_limit=0), "has no pids_limit"),
    ("alertmanager", _drop("healthcheck"), "has no health check"),
    ("worker", _set(healthcheck={"disable": True, "test": ["NONE"]}), "has no health check"),
    ("grafana", _drop("logging"), "its log grows for ever"),
    ("worker", _drop("restart"), "restart is not unless-stopped"),
    ("simulator", _set(restart="always"), "restart is not no"),
    ("worker", _set(stop_grace_period="25s"), "is killed before it can have ended"),
    ("scorecard", _set(stop_grace_period="7s"), "is killed before it can have ended"),
    ("kafka", _set(stop_grace_period="5s"), "is killed before it can have ended"),
    ("scorecard", _set(ports=[ANYWHERE]), "is published beyond 127.0.0.1"),
    ("kafka", _set(ports=[ANYWHERE | {"host_ip": "127.0.0.1"}]), "is published"),
    ("prometheus", _set(networks={"edge": None, "inside": None}), "is on the edge"),
    ("grafana", _set(networks={"edge": None}), "is on the networks ['edge']"),
    ("worker", _set(network_mode="host"), "has network_mode"),
    ("worker", _set(container_name="worker"), "has container_name"),
    (
        "worker",
        _set(depends_on={"topics": {"condition": "service_started"}}),
        "does not wait until topics works",
    ),
]


@pytest.mark.parametrize(
    ("service", "mutate", "said"), MUTATIONS, ids=[f"{name}: {said}" for name, _, said in MUTATIONS]
)
def test_each_norm_is_looked_at(
    config: Config, service: str, mutate: Callable[[Config], None], said: str
):
    """A file that breaks one norm is found out, for that norm and that service."""
    broken = copy.deepcopy(config)
    mutate(broken["services"][service])
    found = compose_norms.violations(broken)
    assert [each for each in found if each.startswith(f"{service}: ") and said in each], found


def test_a_backend_that_reaches_out_is_found(config: Config):
    """The network of Kafka and Prometheus leads nowhere."""
    broken = copy.deepcopy(config)
    del broken["networks"]["inside"]["internal"]
    assert compose_norms.violations(broken) == ["networks: inside is not internal"]


def test_the_exceptions_are_still_needed(config: Config):
    """Whoever may break a norm does; otherwise the exception goes."""
    services = config["services"]
    assert {name for name, each in services.items() if "healthcheck" not in each} == set(
        compose_norms.UNCHECKED
    )
    assert {name for name, each in services.items() if "edge" in each["networks"]} == set(
        compose_norms.OUTSIDE
    )
    assert {name for name, each in services.items() if "ports" in each} == compose_norms.PUBLISHED


def test_no_secret_stands_in_the_file():
    """Secrets are files, or come from outside without a default."""
    assert compose_norms.inline_secrets(raw()) == []


@pytest.mark.parametrize("value", ["admin", "${TOKEN:-changeme}", "a${TOKEN}"])
def test_a_secret_in_the_file_is_found(value: str):
    """A word, a default, and a word beside a variable."""
    broken = {"services": {"grafana": {"environment": {"GF_SECURITY_ADMIN_PASSWORD": value}}}}
    assert compose_norms.inline_secrets(broken) == ["grafana: GF_SECURITY_ADMIN_PASSWORD"]


def test_workers_can_be_several():
    """As many as asked for, each known to the group by its container's name, none with a port."""
    worker = resolved(KPI_STREAM_WORKERS="3")["services"]["worker"]
    assert worker["scale"] == 3
    assert worker["environment"]["KPI_STREAM_INSTANCE_ID"] == "{hostname}"
    assert not {"hostname", "container_name", "network_mode"} & set(worker)
    assert "ports" not in worker


def test_mounted_files_exist_and_are_ours(config: Config):
    """Each folder or file of the host that is mounted is in the repository."""
    mounts = {
        mount["source"]
        for service in config["services"].values()
        for mount in service.get("volumes", [])
        if mount["type"] == "bind"
    }
    assert mounts
    tracked = {str(ROOT / each) for name in files() for each in [name, *Path(name).parents]}
    assert sorted(mounts - tracked) == []


def test_a_named_volume_is_declared_and_used(config: Config):
    """Nothing durable lies in a container, and no volume is left over."""
    used = {
        mount["source"]
        for service in config["services"].values()
        for mount in service.get("volumes", [])
        if mount["type"] == "volume"
    }
    assert used == set(config["volumes"]) == {"kafka", "prometheus", "grafana", "alertmanager"}


def test_mail_needs_a_server():
    """Grafana is told to send mail where a server is named, and not before."""
    assert resolved()["services"]["grafana"]["environment"]["GF_SMTP_ENABLED"] == ""
    with_server = resolved(SMTP_HOST="mail.example.org:587")["services"]["grafana"]["environment"]
    assert with_server["GF_SMTP_ENABLED"] == "true"
    assert with_server["GF_SMTP_HOST"] == "mail.example.org:587"


def test_annotations_need_a_token():
    """Without a token the scorecard does not ask Grafana at all."""
    settings = resolved()["services"]["scorecard"]["environment"]
    assert settings["KPI_STREAM_GRAFANA_URL"] == ""
    with_token = {"GRAFANA_TOKEN_FILE": "/dev/null"}
    settings = resolved(**with_token)["services"]["scorecard"]["environment"]
    assert settings["KPI_STREAM_GRAFANA_URL"] == "http://grafana:3000"


def documented() -> dict[str, str]:
    """Return the variables of .env.example with the value that stands there."""
    return dict(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE))


def test_the_example_explains_every_variable():
    """The same variables in both files; each has a comment, and its default where it has one."""
    found = {name: (kind, text) for name, kind, text in VARIABLE.findall(TEXT)}
    said = documented()
    assert set(said) == set(found)
    defaults = {
        name: text
        for name, (kind, text) in found.items()
        if kind == "-" and text not in ("", "/dev/null")
    }
    assert {name: said[name] for name in defaults} == defaults
    for paragraph in re.split(r"\n\n", EXAMPLE.read_text()):
        if re.search(r"^(# )?[A-Z_]+=", paragraph, re.MULTILINE):
            first = paragraph.splitlines()[0]
            assert re.match(r"# [A-Z]\w*[ ,.]", first), first


def test_the_example_works_once_filled_in(tmp_path: Path):
    """A copy with the required lines filled in is all that Compose needs."""
    text = EXAMPLE.read_text()
    for name in REQUIRED:
        assert re.search(rf"^{name}=", text, re.MULTILINE), "required, and not a line of its own"
    filled = re.sub(r"^(KPI_STREAM_ALERT_\w+)=$", r"\1=x", text, flags=re.MULTILINE)
    path = tmp_path / "env"
    path.write_text(filled)
    result = compose("--env-file", str(path), "config", "-q", env={})
    assert result.returncode == 0, result.stderr


def test_the_listener_of_the_operations_page_fits(tmp_path: Path):
    """The file that the page shows is accepted over ours and adds one address, on 127.0.0.1."""
    shown = next(each for each in blocks(OPERATIONS, "yaml") if "HOST://" in each)
    path = tmp_path / "docker-compose.override.yml"
    path.write_text(shown)
    result = compose("config", "--format", "json", env=REQUIRED, override=path)
    assert result.returncode == 0, result.stderr
    config = json.loads(result.stdout)
    assert compose_norms.violations(config) == ["kafka: is published", "kafka: is on the edge"]
    kafka = config["services"]["kafka"]
    assert kafka["environment"]["KAFKA_LISTENERS"].count("://") == 3
    assert kafka["environment"]["KAFKA_PROCESS_ROLES"] == "broker,controller"


def test_the_operations_page_names_services_that_exist(config: Config):
    """In its table, and wherever a command of Compose is shown."""
    text = OPERATIONS.read_text()
    table = re.findall(r"^\| `([a-z]+)` \| ", text, re.MULTILINE)
    assert set(table) == set(config["services"])
    lines = [line for line in code(OPERATIONS) if "docker compose " in line]
    named = {
        word
        for line in lines
        for command in re.findall(
            r"docker compose (?:up|exec|logs|restart|kill|ps)\b([^&|#<]*)", line
        )
        # The first word that is no option and no value of one.
        for word in re.sub(r"--?[\w-]+(?: (?:HUP|10m|demo|alertmanager)\b)?", "", command).split()[
            :1
        ]
    }
    assert {"grafana", "kafka", "prometheus", "scorecard", "worker"} <= named
    assert named <= set(config["services"])
