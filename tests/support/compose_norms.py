"""What every service of the Compose file must keep to, with the exceptions and their reasons."""

import re
from collections.abc import Iterator

from kpi_stream.adapters.faust_app import app
from kpi_stream.adapters.faust_app.partitions import FlushOptions
from kpi_stream.adapters.scorecard_app import process
from kpi_stream.adapters.web import service
from tests.support.compose import Config, seconds

UNCHECKED = {
    "topics": "runs once, and its exit code is what others wait for",
    "simulator": "a feed: that it is silent is what the scorecard's stale feed says",
}
"""Services without a health check."""

RUNS_ONCE = {
    "topics": "tries again on failure; done, it is done",
    "simulator": "another start would send another history",
}
"""Services that are not started again whatever happens."""

OUTSIDE = {
    "grafana": "people look at it, and it sends mail",
    "scorecard": "people look at its page",
    "alertmanager": "sends mail; publishes nothing",
}
"""Services on the network `edge`."""

PUBLISHED = {"grafana", "scorecard"}
"""Services with a port on the host."""

SHORTEST_STOP_S = {
    "worker": FlushOptions().revoke_s + app._STOP_S,
    "scorecard": process._LAST_WORDS_S + service._SHUTDOWN_S,
}
"""What a service may take to end in good order, in seconds; all others: 10, Docker's default."""

_PINNED = re.compile(r":v?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$")
_SECRET = re.compile(r"PASSWORD|TOKEN|SECRET|CREDENTIAL|PRIVATE_KEY")
_REFERENCE = re.compile(r"\$\{\w+(:?-|:\?[^}]*)?\}")


def violations(config: Config) -> list[str]:
    """Return what a resolved file does that it must not, as `service: what`."""
    found = [
        f"{name}: {problem}"
        for name, service in config["services"].items()
        for problem in (
            *_process(service),
            *_mounts(service),
            *_limits(name, service),
            *_reach(name, service),
        )
    ]
    if not config["networks"]["inside"].get("internal"):
        found.append("networks: inside is not internal")
    return found


def _process(service: Config) -> Iterator[str]:
    if not _PINNED.search(service["image"]):
        yield f"image {service['image']} is not pinned"
    if service.get("user", "0").partition(":")[0] in {"0", "root"}:
        yield "runs as root"
    if service.get("read_only") is not True:
        yield "can write to its root"
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
        yield "keeps capabilities"
    if service.get("privileged"):
        yield "is privileged"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "may gain privileges"
    if service.get("init") is not True:
        yield "has no init: a child that ends stays"


def _mounts(service: Config) -> Iterator[str]:
    for mount in service.get("volumes", []):
        if mount["type"] == "bind" and not mount.get("read_only"):
            yield f"can write to {mount['target']} of the host"
        if "docker.sock" in mount.get("source", ""):
            yield "holds the engine's socket"


def _limits(name: str, service: Config) -> Iterator[str]:
    for limit in ("mem_limit", "pids_limit"):
        if not int(service.get(limit, 0)):
            yield f"has no {limit}"
    check = service.get("healthcheck", {})
    if name not in UNCHECKED and (not check.get("test") or check.get("disable")):
        yield "has no health check"
    options = service.get("logging", {}).get("options", {})
    if not {"max-size", "max-file"} <= options.keys():
        yield "its log grows for ever"
    wanted = {"topics": "on-failure:5", "simulator": "no"}.get(name, "unless-stopped")
    if service.get("restart") != wanted:
        yield f"restart is not {wanted}"
    if seconds(service.get("stop_grace_period", "10s")) <= SHORTEST_STOP_S.get(name, 9):
        yield "is killed before it can have ended"


def _reach(name: str, service: Config) -> Iterator[str]:
    for port in service.get("ports", []):
        if port.get("host_ip") != "127.0.0.1":
            yield "is published beyond 127.0.0.1"
        if name not in PUBLISHED:
            yield "is published"
    networks = set(service.get("networks", {}))
    if "edge" in networks and name not in OUTSIDE:
        yield "is on the edge"
    if "inside" not in networks or networks - {"edge", "inside"}:
        yield f"is on the networks {sorted(networks)}"
    for mode in ("network_mode", "pid", "ipc", "userns_mode", "devices", "container_name"):
        if mode in service:
            yield f"has {mode}"
    for other, how in service.get("depends_on", {}).items():
        if how["condition"] == "service_started" and name != "prometheus":
            yield f"does not wait until {other} works"


def inline_secrets(raw: Config) -> list[str]:
    """Return the variables of an unresolved file that hold a secret themselves.

    A secret is the name of a file, or comes from outside and has no default.
    """
    return [
        f"{name}: {variable}"
        for name, service in raw["services"].items()
        for variable, value in service.get("environment", {}).items()
        if _SECRET.search(variable)
        and not variable.endswith("_FILE")
        and not _REFERENCE.fullmatch(str(value))
    ]
