"""The services of the Compose file as processes of this machine, without an engine.

Each gets the command, the environment and the mounted files that the resolved file gives it.
Three things are moved: the name of a service with its port becomes a free port of the loopback
address, a path of the container becomes the folder mounted there (an empty one for a volume), and
what an image would do before the command is done here. Nothing is left out.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from kpi_stream.adapters.embedded_broker import HOST
from tests.support.compose import Config, seconds
from tests.support.kafka import kafka_jars
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.required import missing

PORTS = {"kafka": (9092, 9093), "worker": (9101,), "scorecard": (9100,), "prometheus": (9090,)}
"""The services that listen, with their ports in the containers."""

OURS = "kpi-stream:0.1.0"
"""The image whose entry point is the command line of this project."""

_JAVA_S = 120


class Rehearsal:
    """The services on the loopback address; leaving the context kills what is still running.

    Args:
        config: The resolved Compose file.
        folder: Gets volumes, logs and moved files.
    """

    def __init__(self, config: Config, folder: Path) -> None:
        self._services, self._folder = config["services"], folder
        self._ports = {(name, port): free_port() for name, ports in PORTS.items() for port in ports}
        self.processes: dict[str, Process] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self.processes.values():
            process.kill()

    def url(self, service: str) -> str:
        """Return where a service's own HTTP server is."""
        return f"http://{HOST}:{self._ports[service, PORTS[service][0]]}"

    def settings(self, service: str) -> dict[str, str]:
        """Return the environment that the Compose file gives a service."""
        return dict(self._services[service].get("environment", {}))

    def depends_on(self, service: str) -> dict[str, str]:
        """Return what a service waits for: other services, each with its condition."""
        others = self._services[service].get("depends_on", {})
        return {name: how["condition"] for name, how in others.items()}

    def run(self, service: str, *, within_s: float) -> int:
        """Run a service that ends by itself; return its exit code."""
        return self.start(service).wait(within_s=within_s)

    def start(self, service: str) -> Process:
        """Start a service."""
        process = Process(
            self._command(service),
            log=self._folder / f"{service}.log",
            env=self._environment(service),
            cwd=self._folder,
            dies_with_parent=True,
        )
        self.processes[service] = process
        return process.start()

    def stop(self, service: str) -> int:
        """Ask a service to end, within the time that Compose gives it; return its exit code."""
        grace_s = seconds(self._services[service].get("stop_grace_period", "10s"))
        return self.processes[service].terminate(within_s=grace_s)

    def healthy(self, service: str) -> bool:
        """Return whether a service's health check succeeds, which is run as it stands."""
        check = self._services[service]["healthcheck"]
        kind, *words = check["test"]
        line = words[0] if kind == "CMD-SHELL" else shlex.join(words)
        java = shlex.join(["java", "-cp", f"{kafka_jars()}/*"])
        tools = {
            "kpi-stream": shlex.join([sys.executable, "-m", "kpi_stream"]),
            "/opt/kafka/bin/kafka-broker-api-versions.sh": (
                f"{java} $KAFKA_HEAP_OPTS org.apache.kafka.tools.BrokerApiVersionsCommand"
            ),
        }
        for program, here in tools.items():
            line = re.sub(rf"(?<![\w/.-]){re.escape(program)}(?= )", lambda _, to=here: to, line)
        result = subprocess.run(
            ["sh", "-c", self._here(service, line)],
            env={**os.environ, **self._environment(service)},
            capture_output=True,
            timeout=seconds(check["timeout"]) + 10,  # a slower machine than a site's
            check=False,
        )
        return result.returncode == 0

    def _environment(self, service: str) -> dict[str, str]:
        values: Mapping[str, Any] = self._services[service].get("environment", {})
        moved = {name: self._here(service, str(value)) for name, value in values.items()}
        own = {str(port): str(self._ports[service, port]) for port in PORTS.get(service, ())}
        # A whole value that is one of the service's ports, or the address of every interface.
        return {n: own.get(v, HOST if v == "0.0.0.0" else v) for n, v in moved.items()}  # noqa: S104

    def _here(self, service: str, text: str) -> str:
        """Return a text of a service with addresses and paths as they are here."""
        text = self._paths(service, self._addresses(text))
        for port in PORTS.get(service, ()):
            mine = self._ports[service, port]
            # Its own port: on every address (://:9092, =:9090) or on the loopback address.
            text = re.sub(rf"(?<=[/=]):{port}\b", f"{HOST}:{mine}", text)
            text = re.sub(rf"\b(?:127\.0\.0\.1|localhost):{port}\b", f"{HOST}:{mine}", text)
        return text

    def _addresses(self, text: str) -> str:
        for (name, port), here in self._ports.items():
            text = re.sub(rf"(?<![\w.-]){name}:{port}\b", f"{HOST}:{here}", text)
        return text

    def _paths(self, service: str, text: str) -> str:
        for target, source in self.mounts(service).items():
            text = re.sub(rf"(?<![\w.-]){re.escape(target)}(?=[/\s,]|$)", str(source), text)
        return text

    def mounts(self, service: str) -> dict[str, Path]:
        """Return what is mounted in a service: paths of the container to paths of this machine."""
        found = {}
        for mount in self._services[service].get("volumes", []):
            target = mount["target"]
            if mount["type"] == "bind":
                found[target] = Path(mount["source"])
            else:
                found[target] = self._folder / "volumes" / mount["source"]
                found[target].mkdir(parents=True, exist_ok=True)
        return found | {
            f"/run/secrets/{each['source']}": Path("/dev/null")
            for each in self._services[service].get("secrets", [])
        }

    def _command(self, service: str) -> list[str]:
        definition = self._services[service]
        words = [self._here(service, word) for word in definition.get("command") or []]
        if definition["image"] == OURS:
            return [sys.executable, "-m", "kpi_stream", *words]
        return self._kafka() if service == "kafka" else self._prometheus(words)

    def _kafka(self) -> list[str]:
        """Return how the image starts the broker, once its own program has made the settings.

        That program, which turns KAFKA_LOG_DIRS into log.dirs, is in Kafka's jars.
        """
        java = ["java", "-cp", f"{kafka_jars()}/*"]
        made = self._folder / "kafka-config"
        made.mkdir(exist_ok=True)
        setup = ["kafka.docker.KafkaDockerWrapper", "setup"]
        for which in ("default", "mounted", "final"):
            setup += [f"--{which}-configs-dir", str(made)]
        environment = self._environment("kafka")
        result = subprocess.run(
            [*java, *setup],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=_JAVA_S,
            check=False,
        )
        # At another start the data are there, which the image does not mind either.
        known = "already formatted" in result.stdout + result.stderr
        assert result.returncode == 0 or known, result.stderr[-2000:]
        heap = shlex.split(environment["KAFKA_HEAP_OPTS"])
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        return ["java", *heap, quiet, *java[1:], "kafka.Kafka", str(made / "server.properties")]

    def _prometheus(self, words: list[str]) -> list[str]:
        program = shutil.which("prometheus")
        if program is None:
            missing("prometheus", "prometheus is not installed")
        (flag,) = [each for each in words if each.startswith("--config.file=")]
        config = Path(flag.partition("=")[2])
        moved = self._folder / "prometheus-config"
        shutil.copytree(config.parent, moved, dirs_exist_ok=True)
        document = yaml.safe_load(config.read_text())
        for job in document["scrape_configs"]:
            # No name server here: what is asked of it is known.
            for found in job.pop("dns_sd_configs", []):
                targets = [f"{name}:{found['port']}" for name in found["names"]]
                job.setdefault("static_configs", []).append({"targets": targets})
        text = self._here("prometheus", yaml.safe_dump(document))
        (moved / config.name).write_text(text)
        here = f"--config.file={moved / config.name}"
        return [program, *(here if word == flag else word for word in words)]
