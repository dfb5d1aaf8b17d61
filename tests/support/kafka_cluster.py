"""A cluster of real Apache Kafka nodes for tests that take brokers away from under the product.

Each node is one process, broker and controller at once, with two listeners: CLIENTS, which may lie
behind a proxy that the node gives out as its own address, and INSIDE, for the nodes themselves and
for what the test looks at without the fault.
"""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from kpi_stream.adapters.embedded_broker import HOST, answers
from tests.support.faulty_proxy import FaultyProxy
from tests.support.kafka import kafka_java
from tests.support.ports import free_port
from tests.support.processes import Process, eventually

# The cleaner's buffer is half of a small heap by default, and sessions as short as the product's.
_SETTINGS = """\
process.roles=broker,controller
node.id={number}
controller.quorum.voters={voters}
listeners=CLIENTS://{host}:{clients},INSIDE://{host}:{inside},CONTROLLER://{host}:{controller}
advertised.listeners=CLIENTS://{host}:{advertised},INSIDE://{host}:{inside}
controller.listener.names=CONTROLLER
inter.broker.listener.name=INSIDE
listener.security.protocol.map=CONTROLLER:PLAINTEXT,CLIENTS:PLAINTEXT,INSIDE:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=5000
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
"""
_CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw"
_READY_S = 120.0


class Node:
    """One node; stopped or killed, it can be started again on its data and address.

    Args:
        number: Its id, from 1.
        folder: Gets settings, data and log.
        heap: The Java heap.
        proxied: Whether clients come through a proxy.
        data: Where the data lie; None: in the folder.
    """

    def __init__(
        self, number: int, folder: Path, *, heap: str, proxied: bool, data: Path | None
    ) -> None:
        self.number, self.folder = number, folder
        self.data = data or folder / "data"
        self.clients, self.inside, self.controller = (free_port() for _ in range(3))
        self.proxy = FaultyProxy(self.clients) if proxied else None
        self.settings = folder / "server.properties"
        self.java = kafka_java(heap)
        self.process = Process(
            [*self.java, "kafka.Kafka", self.settings],
            log=folder / "kafka.log",
            dies_with_parent=True,
        )

    @property
    def advertised(self) -> str:
        """Where clients are told to come to, as host:port."""
        return f"{HOST}:{self.proxy.port if self.proxy else self.clients}"

    def format(self, values: Mapping[str, Any]) -> None:
        """Write the settings and prepare the data."""
        self.folder.mkdir(parents=True, exist_ok=True)
        port = self.advertised.rpartition(":")[2]
        own = {"number": self.number, "host": HOST, "data": self.data, "advertised": port}
        ports = {"clients": self.clients, "inside": self.inside, "controller": self.controller}
        self.settings.write_text(_SETTINGS.format(**own, **ports, **values))
        tool = [*self.java, "kafka.tools.StorageTool", "format"]
        tool += ["--cluster-id", _CLUSTER_ID, "--config", str(self.settings)]
        subprocess.run(tool, check=True, capture_output=True, timeout=_READY_S)

    def start(self) -> None:
        """Start and return once it answers."""
        self.process.start()
        self.wait()

    def wait(self) -> None:
        """Return once it answers."""
        self.process.wait_until(
            lambda: answers(self.inside), within_s=_READY_S, what="Kafka answers"
        )

    def stop(self) -> None:
        """End it in its own time: it hands its partitions over first."""
        if self.process.running:
            self.process.terminate(within_s=_READY_S)

    def kill(self) -> None:
        """End it at once (kill -9)."""
        self.process.kill()


class KafkaCluster:
    """The nodes, as a context manager.

    Args:
        folder: Gets a folder for each node.
        nodes: How many: one, or three with three copies of which two must be in step.
        heap: The Java heap of each.
        proxied: Whether each node's clients come through a `FaultyProxy`.
        data: Where a single node keeps its data; None: in its folder.
    """

    def __init__(
        self,
        folder: Path,
        nodes: int = 3,
        *,
        heap: str = "256m",
        proxied: bool = False,
        data: Path | None = None,
    ) -> None:
        self.nodes = [
            Node(number, folder / f"node-{number}", heap=heap, proxied=proxied, data=data)
            for number in range(1, nodes + 1)
        ]
        self._stack = ExitStack()

    @property
    def bootstrap(self) -> str:
        """The addresses for clients; through the proxies where there are any."""
        return ",".join(node.advertised for node in self.nodes)

    @property
    def inside(self) -> str:
        """The addresses that no fault of a proxy reaches."""
        return ",".join(f"{HOST}:{node.inside}" for node in self.nodes)

    @property
    def proxy(self) -> FaultyProxy:
        """The proxy in front of the first node."""
        found = self.nodes[0].proxy
        assert found is not None, "the cluster has no proxies"
        return found

    def start(self) -> Self:
        """Format and start all nodes, and return once each knows the others."""
        copies = len(self.nodes)
        voters = ",".join(f"{each.number}@{HOST}:{each.controller}" for each in self.nodes)
        values = {"voters": voters, "copies": copies, "in_sync": max(1, copies - 1)}
        with ThreadPoolExecutor(copies) as threads:
            list(threads.map(lambda node: node.format(values), self.nodes))
        # By the test's own thread: with it the kernel ends them.
        for node in self.nodes:
            self._stack.callback(node.kill)
            node.process.start()
        for node in self.nodes:
            node.wait()
        eventually(
            lambda: len(self._ask(lambda admin: admin.describe_cluster())["brokers"]) == copies,
            within_s=_READY_S,
            what="every node has joined",
        )
        return self

    def __enter__(self) -> Self:
        for node in self.nodes:
            if node.proxy is not None:
                self._stack.enter_context(node.proxy)
        try:
            return self.start()
        except BaseException:
            self._stack.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def heal(self) -> None:
        """End every fault: good networks, and all nodes running."""
        for node in self.nodes:
            if node.proxy is not None:
                node.proxy.heal()
            if not node.process.running:
                node.start()

    def leader(self, topic: str, partition: int, *, after: Node | None = None) -> Node:
        """Return the node that leads a partition, once there is one; another than `after`."""

        def node() -> Node | None:
            number = self._partitions([topic])[topic, partition]["leader"]
            found = self.nodes[number - 1] if number > 0 else None
            return None if found is after else found

        return eventually(node, within_s=_READY_S, what=f"{topic} {partition} has a leader")

    def wait_until_whole(self, topics: list[str]) -> None:
        """Return once every copy of these topics is in step: another node may go now."""
        eventually(
            lambda: all(
                set(each["isr"]) == set(each["replicas"])
                for each in self._partitions(topics).values()
            ),
            within_s=_READY_S,
            what="all copies are in step",
        )

    def _partitions(self, topics: list[str]) -> dict[tuple[str, int], dict[str, Any]]:
        return {
            (topic["topic"], each["partition"]): each
            for topic in self._ask(lambda admin: admin.describe_topics(topics))
            for each in topic["partitions"]
        }

    def _ask(self, question: Callable[[Any], Awaitable[Any]]) -> Any:
        """Return an answer of any node that gives one."""

        async def ask(node: Node) -> Any:
            # kafka-python would leave sockets open that were refused by a node that is away.
            admin = AIOKafkaAdminClient(bootstrap_servers=f"{HOST}:{node.inside}")
            try:
                await admin.start()
                return await question(admin)
            finally:
                await admin.close()

        def answer() -> Any:
            for node in self.nodes:
                with suppress(KafkaError, OSError):
                    if node.process.running:
                        return asyncio.run(ask(node))
            return None

        return eventually(answer, within_s=_READY_S, what="a node answers")
