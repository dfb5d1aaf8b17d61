"""A real Apache Kafka for tests and benchmarks, from its own jars, without a container.

Maven copies the jars once into the user's cache. A broker is one process: a single KRaft node on
free ports of the loopback address, its data in a folder of the test.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from kpi_stream.adapters.embedded_broker import HOST, answers
from tests.support.ports import free_port
from tests.support.processes import Process

POM = Path(__file__).parent / "kafka_jars" / "pom.xml"

# A killed broker may register again only after its old session has timed out (9 s by default).
_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=5000
"""
# A random, fixed id: every broker of a test is a cluster by itself.
_CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw"
_MAVEN_S = 600
_READY_S = 180.0


class KafkaMissing(Exception):
    """Kafka cannot run on this machine; the text says what is missing."""


def kafka_jars() -> Path:
    """Return the folder with Kafka's jars, after copying them there the first time.

    Two test runs at once wait for each other. The folder is named for the content of the POM, so
    another version is another folder, and it appears whole or not at all.

    Raises:
        KafkaMissing: Java or Maven is not installed, or Maven could not fetch the jars.
    """
    if shutil.which("java") is None:
        msg = "java is not installed (version 17 or newer)"
        raise KafkaMissing(msg)
    pom = POM.read_bytes()
    version = re.findall(r"<version>(.+?)</version>", pom.decode())[0]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kpi-stream"
    jars = cache / f"kafka-{version}-{hashlib.sha256(pom).hexdigest()[:8]}"
    if jars.exists():
        return jars
    if shutil.which("mvn") is None:
        msg = "mvn (Maven) is not installed"
        raise KafkaMissing(msg)
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.exists():
            partial = cache / "kafka.partial"
            shutil.rmtree(partial, ignore_errors=True)
            _copy_jars(partial)
            partial.rename(jars)
    return jars


def _copy_jars(folder: Path) -> None:
    command = ["mvn", "--batch-mode", "--quiet", "--file", str(POM)]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    maven = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=_MAVEN_S,
        check=False,
    )
    if maven.returncode != 0:
        msg = f"Maven could not fetch Kafka's jars: {(maven.stdout + maven.stderr)[-500:]}"
        raise KafkaMissing(msg)


def kafka_java(heap: str, *, long_lived: bool = False) -> list[str]:
    """Return the command that runs one of Kafka's classes.

    Args:
        heap: The Java heap, for example 512m.
        long_lived: Let Java's second compiler work: it takes a core for minutes before it pays.

    Raises:
        KafkaMissing: As `kafka_jars`.
    """
    java = ["java", f"-Xmx{heap}", f"-Xms{heap}", "-XX:+UseSerialGC"]
    java += [] if long_lived else ["-XX:TieredStopAtLevel=1"]
    return [*java, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{kafka_jars()}/*"]


class Kafka:
    """One broker, as a context manager; stopped or killed, it can be started again on its data.

    Args:
        folder: Gets the settings, the data and the log; empty at the first start.
        heap: The Java heap, for example 512m.
        long_lived: As for `kafka_java`.
    """

    def __init__(self, folder: Path, *, heap: str = "512m", long_lived: bool = False) -> None:
        self.folder = folder
        self._port = free_port()
        self._settings = folder / "server.properties"
        self._java = kafka_java(heap, long_lived=long_lived)
        self.process = Process(
            [*self._java, "kafka.Kafka", self._settings],
            log=folder / "kafka.log",
            dies_with_parent=True,
        )

    @property
    def bootstrap(self) -> str:
        """The address for clients, as host:port; the same after a restart."""
        return f"{HOST}:{self._port}"

    def start(self) -> Self:
        """Start the broker and return once it answers; data of an earlier start is still there."""
        if not self._settings.exists():
            self._format()
        self.process.start()
        self.process.wait_until(
            lambda: answers(self._port), within_s=_READY_S, what="Kafka answers"
        )
        return self

    def stop(self) -> None:
        """End the broker in its own time (SIGTERM); nothing if it has ended."""
        if self.process.running:
            self.process.terminate(within_s=_READY_S)

    def kill(self) -> None:
        """End the broker at once (kill -9)."""
        self.process.kill()

    def restart(self) -> None:
        """Stop and start again, on the same address and data."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A test's data is thrown away: no need for an orderly end.
        self.kill()

    def _format(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = _SETTINGS.format(
            host=HOST, port=self._port, controller=free_port(), data=self.folder / "data"
        )
        self._settings.write_text(settings)
        tool = [*self._java, "kafka.tools.StorageTool", "format"]
        tool += ["--cluster-id", _CLUSTER_ID, "--config", str(self._settings)]
        subprocess.run(tool, check=True, capture_output=True, timeout=_READY_S)
