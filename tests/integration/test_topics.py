"""`topics init` on both brokers: creates, checks, changes nothing that exists."""

import threading

import pytest
from kafka import KafkaAdminClient

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.adapters.kafka.topics import Layout, topic_facts, topic_settings, topics_init
from kpi_stream.application.ports import BrokerOptions, Topics
from kpi_stream.domain.errors import Unavailable
from tests.support.kafka import Kafka
from tests.support.streams import new_topics


@pytest.fixture(params=["embedded_broker", pytest.param("kafka", marks=pytest.mark.kafka)])
def brokers(request: pytest.FixtureRequest) -> str:
    """The address of each kind of broker."""
    broker: EmbeddedBroker | Kafka = request.getfixturevalue(request.param)
    return broker.bootstrap


def test_topics_are_created_once(brokers: str) -> None:
    """A second run finds them and has nothing to say."""
    topics = new_topics(brokers, partitions=3)
    again = topics_init(BrokerOptions((brokers,)), topics, Layout(partitions=3))
    assert [report.name for report in again] == [
        topics.events,
        topics.declarations,
        topics.rows,
        topics.dead_letters,
        topics.readings,
        topics.transitions,
        topics.epochs,
        topics.worklist,
    ]
    for report in again:
        assert (report.created, report.problems, report.differences) == (False, (), ())
        assert report.ok


def test_another_number_of_partitions_is_a_problem_with_a_remedy(brokers: str) -> None:
    """The partition of an event follows from it, so it cannot be changed in passing."""
    topics = new_topics(brokers, partitions=2)
    reports = {
        report.name: report
        for report in topics_init(BrokerOptions((brokers,)), topics, Layout(partitions=5))
    }
    assert not reports[topics.rows].ok
    assert [*map(str, reports[topics.rows].problems)] == [
        (
            "has 2 partitions, 5 are needed: ask for 2, or delete the topic and start a new epoch "
            "with: kpi-stream rebuild --again (an event's partition follows from their number)"
        ),
    ]
    assert reports[topics.readings].ok


def test_a_state_topic_that_is_not_compacted_is_a_problem(brokers: str) -> None:
    """Its records would expire, and the KPIs with them."""
    topics = new_topics(brokers)
    plain = Topics(events=topics.events, rows=topics.dead_letters)
    reports = topics_init(BrokerOptions((brokers,)), plain, Layout(partitions=1))
    problem = str(next(each for each in reports if each.name == topics.dead_letters).problems[0])
    assert "has cleanup.policy=delete, compact is needed" in problem
    assert f"--entity-name {topics.dead_letters} --add-config cleanup.policy=compact" in problem


def test_a_recreated_topic_has_another_id(brokers: str) -> None:
    """The id is how a worker notices."""
    topics = new_topics(brokers)
    options = BrokerOptions((brokers,))

    def topic_id() -> str | None:
        return topic_facts(options, [topics.events])[topics.events].topic_id

    before = topic_id()
    assert before is not None
    assert topic_id() == before
    admin = KafkaAdminClient(bootstrap_servers=brokers)
    admin.delete_topics([topics.events])
    topics_init(options, topics, Layout(partitions=1))
    assert topic_id() not in (None, before)
    admin.close()


def test_settings_reach_kafka(kafka: Kafka) -> None:
    """The events keep the broker's time, the state is compacted, dead letters may be larger."""
    topics = new_topics(kafka.bootstrap)
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    events = topic_settings(admin, topics.events)
    rows, dead_letters = (
        topic_settings(admin, topics.rows),
        topic_settings(admin, topics.dead_letters),
    )
    admin.close()
    assert (events["message.timestamp.type"], events["retention.ms"]) == ("LogAppendTime", "-1")
    assert (rows["cleanup.policy"], rows["min.cleanable.dirty.ratio"]) == ("compact", "0.1")
    assert int(dead_letters["max.message.bytes"]) > int(events["max.message.bytes"])


def test_a_setting_that_differs_is_reported_and_left_alone(kafka: Kafka) -> None:
    """An operator's own choice works; it is only said."""
    topics = new_topics(kafka.bootstrap)
    layout = Layout(partitions=1, events_retention_days=7)
    report = topics_init(BrokerOptions((kafka.bootstrap,)), topics, layout)[0]
    assert report.ok
    assert [*map(str, report.differences)] == ["has retention.ms=-1, asked for 604800000"]


def test_a_setting_that_the_broker_does_not_know_is_left_out(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older broker still gets its topics; the report says what is missing."""
    monkeypatch.setattr(
        "kpi_stream.adapters.kafka.topics._COMPACTED",
        {"cleanup.policy": "compact", "no.such.setting": "1"},
    )
    topics = Topics(*(f"unknown.{number}" for number in range(8)))
    reports = topics_init(BrokerOptions((kafka.bootstrap,)), topics, Layout(partitions=1))
    refused = {report.name: report.refused for report in reports}
    assert refused[topics.rows] == ("no.such.setting=1",)
    assert refused[topics.events] == ()


def test_no_broker_is_said_plainly_and_leaves_no_thread_behind() -> None:
    """The text has the address."""
    before = threading.active_count()
    with pytest.raises(Unavailable, match=r"no Kafka broker answers at 127\.0\.0\.1:1 .*refused"):
        topics_init(BrokerOptions(("127.0.0.1:1",)), Topics())
    assert threading.active_count() == before
