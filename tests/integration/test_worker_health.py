"""What a real worker says of its health: idle, busy, spare, and cut off from Kafka."""

import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.adapters.simulator import Record
from tests.support.kafka import Kafka
from tests.support.processes import Process, eventually
from tests.support.site import Site, metrics_url

WITHIN_S = 180.0
STALLED_AFTER_S = 3


@pytest.fixture
def site(own_kafka: Kafka, tmp_path: Path) -> Iterator[Site]:
    """A Kafka with two partitions, without any worker."""
    chosen = {"partitions": 2, "stalled_after_s": STALLED_AFTER_S, "session_timeout_s": 6}
    with Site(own_kafka.bootstrap, tmp_path, exactly_once=True, **chosen) as made:
        yield made


def ask(worker: Process, path: str) -> tuple[int, str]:
    """Return status and text of an answer; (0, "") while the worker does not serve."""
    try:
        url = metrics_url(worker).removesuffix("/metrics") + path
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  (loopback)
            return answer.status, answer.read().decode().strip()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode().strip()
    except OSError:
        return 0, ""


def wait_for(worker: Process, path: str, answer: tuple[int, str]) -> None:
    """Wait until the worker answers so; the text may go on."""
    worker.wait_until(
        lambda: ask(worker, path)[0] == answer[0] and ask(worker, path)[1].startswith(answer[1]),
        within_s=WITHIN_S,
        what=f"{path} is {answer}",
    )


def test_idle_is_well_and_cut_off_is_not(site: Site, own_kafka: Kafka) -> None:
    """Without any event for longer than the limit it is well; with a broker that hangs it is not.

    Once the broker goes on, so does the worker, and says so.
    """
    worker = site.worker()
    wait_for(worker, "/-/ready", (200, "ready; partitions 0, 1"))
    with pytest.raises(TimeoutError):
        eventually(
            lambda: ask(worker, "/-/healthy")[0] != 200,
            within_s=2 * STALLED_AFTER_S,
            what="an idle worker is taken for a stalled one",
        )
    own_kafka.process.send(signal.SIGSTOP)
    try:
        wait_for(worker, "/-/healthy", (503, "partition 0: nothing moved for "))
        assert ask(worker, "/-/healthy")[1].endswith("; no fetch is answered")
    finally:
        own_kafka.process.send(signal.SIGCONT)
    wait_for(worker, "/-/healthy", (200, "healthy"))
    site.send([Record(b"s", b"{", 0)])
    with pytest.raises(TimeoutError):
        eventually(
            lambda: ask(worker, "/-/healthy")[0] != 200,
            within_s=2 * STALLED_AFTER_S,
            what="a worker that counted is taken for a stalled one",
        )
    assert worker.terminate() == 0


def test_a_spare_is_ready(site: Site) -> None:
    """Three workers for two partitions: one has none, and is ready and well all the same."""
    workers = [site.worker() for _ in range(3)]
    for worker in workers:
        wait_for(worker, "/-/ready", (200, "ready"))
    eventually(
        lambda: (
            sorted(ask(worker, "/-/ready")[1] for worker in workers)
            == ["ready; a spare without a partition", "ready; partition 0", "ready; partition 1"]
        ),
        within_s=WITHIN_S,
        what="the partitions are shared out",
    )
    assert {ask(worker, "/-/healthy") for worker in workers} == {(200, "healthy")}


def test_idle_is_well_on_the_embedded_broker_too(tmp_path: Path) -> None:
    """It answers the fetches of empty partitions as well."""
    chosen = {"stalled_after_s": STALLED_AFTER_S, "session_timeout_s": 1}
    with (
        EmbeddedBroker().start() as broker,
        Site(broker.bootstrap, tmp_path, exactly_once=False, **chosen) as site,
    ):
        worker = site.worker()
        wait_for(worker, "/-/ready", (200, "ready; partitions 0, 1, 2, 3"))
        with pytest.raises(TimeoutError):
            eventually(
                lambda: ask(worker, "/-/healthy")[0] != 200,
                within_s=2 * STALLED_AFTER_S,
                what="an idle worker is taken for a stalled one",
            )
