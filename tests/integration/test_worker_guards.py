"""What a store refuses: state, topics and events that cannot be trusted."""

from dataclasses import replace
from typing import Any

import pytest
from kafka import KafkaAdminClient

from kpi_stream.adapters.kafka.dead_letters import RejectLimit
from kpi_stream.adapters.kafka.reader import TopicReader
from kpi_stream.adapters.kafka.topics import Layout, TopicFacts, topics_init
from kpi_stream.application.ports import POSITION_KEY, BrokerOptions, Guarantee
from kpi_stream.domain.errors import InputError, KpiStreamError, StateError
from tests.support.counting import CountingFold, encode
from tests.support.kafka import Kafka
from tests.support.stores import Rig, Source, events, fed, filled
from tests.support.streams import new_topics, records_of, send


async def refused(rig: Rig, error: type[KpiStreamError], text: str, **changes: Any) -> None:
    """Opening must fail with this error and text."""
    with pytest.raises(error, match=text):
        await rig.open(**changes)


async def with_state(rig: Rig) -> None:
    """State with ten events applied."""
    await filled(rig)
    store = await rig.open()
    fed(store, events(0, 9))
    await store.close(5)


def create_again(rig: Rig, topic: str) -> None:
    """Delete a topic and create it again: it has the name and another id."""
    admin = KafkaAdminClient(bootstrap_servers=rig.brokers)
    admin.delete_topics([topic])
    topics_init(BrokerOptions((rig.brokers,)), rig.topics, Layout(partitions=1))
    admin.close()


def test_a_recreated_source_topic_is_refused(rig: Rig) -> None:
    """Its offsets mean other events; all of them would be skipped in silence."""

    async def scenario() -> None:
        await with_state(rig)
        create_again(rig, rig.topics.events)
        await filled(rig)
        text = rf"{rig.topics.events} was created again since the state was written"
        await refused(rig, StateError, text)

    rig.run(scenario())


@pytest.mark.parametrize("which", ["events", "rows"])
def test_a_suspended_store_does_not_go_on_beside_a_recreated_topic(exact: Rig, which: str) -> None:
    """It is opened anew then, and that says what is wrong."""

    async def scenario() -> None:
        await filled(exact)
        store = await exact.open()
        fed(store, events(0, 9))
        assert await store.suspend(5)
        create_again(exact, getattr(exact.topics, which))
        with pytest.raises(StateError, match="was created again"):
            await store.resume()
        await refused(exact, StateError, "created again")

    exact.run(scenario())


def test_a_source_that_ends_before_the_applied_offset_is_refused(rig: Rig) -> None:
    """The same where the broker has no topic ids."""

    async def nothing() -> dict[str, TopicFacts]:
        return {}

    async def scenario() -> None:
        await with_state(rig)
        other = new_topics(rig.brokers)
        rig.topics = replace(rig.topics, events=other.events)
        await send(rig.brokers, rig.topics.events, [encode("s", n) for n in range(5)])
        text = r"partition 0 ends at \d, but events up to offset 9 are applied"
        await refused(rig, StateError, text, topic_facts=nothing)

    rig.run(scenario())


def test_an_end_reported_too_low_is_not_believed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded broker does that; the last applied event is looked for instead."""

    async def scenario() -> None:
        await with_state(rig)
        original = TopicReader.ends

        async def ends(reader: TopicReader) -> dict[int, int]:
            return {0: 4} if reader._topic == rig.topics.events else await original(reader)

        monkeypatch.setattr(TopicReader, "ends", ends)
        store = await rig.open()
        assert store.applied == 9
        await store.close(None)

    rig.run(scenario())


def test_lost_rows_are_refused(rig: Rig) -> None:
    """Subjects that know events whose rows are gone would never count them again."""

    async def scenario() -> None:
        await with_state(rig)
        rig.topics = replace(rig.topics, rows=new_topics(rig.brokers).rows)
        text = r"applied up to offset 9|up to offset 9 applied, .* has none.*Start a new epoch"
        await refused(rig, StateError, text)

    rig.run(scenario())


def test_lost_subjects_are_built_again_from_the_events(rig: Rig) -> None:
    """The rows know which events they have, so nothing counts twice."""

    async def scenario() -> None:
        await with_state(rig)
        rig.topics = replace(rig.topics, declarations=new_topics(rig.brokers).declarations)
        store = await rig.open()
        assert store.applied == -1
        fed(store, events(0, 14))
        await store.close(5)
        assert await rig.row() == (15, 3, sum(range(15)))

    rig.run(scenario())


def test_state_of_another_strategy_is_refused(rig: Rig) -> None:
    """The fold says so, by the fingerprint in the position record."""

    async def scenario() -> None:
        await with_state(rig)
        await refused(
            rig,
            StateError,
            "the state is of counting-1, not of other",
            fold_factory=lambda partition: CountingFold(partition, "other"),
        )

    rig.run(scenario())


def test_a_damaged_position_is_refused(rig: Rig) -> None:
    """Somebody has written to a topic that is not theirs."""

    async def scenario() -> None:
        await with_state(rig)
        await send(rig.brokers, rig.topics.rows, [(POSITION_KEY, b"?")])
        await refused(rig, StateError, "the position record is damaged")

    rig.run(scenario())


def test_a_missing_topic_is_refused(rig: Rig) -> None:
    """The text has the command that creates it."""

    async def scenario() -> None:
        rig.topics = replace(rig.topics, rows="no.such.topic")
        await refused(rig, InputError, r"no\.such\.topic.*kpi-stream topics init")

    rig.run(scenario())


def test_a_defect_stops_and_names_the_event(rig: Rig) -> None:
    """The event is neither counted nor passed over."""

    async def scenario() -> None:
        await filled(rig)
        store = await rig.open()
        defect = Source(3, b"s", b'["defect", 0]')
        with pytest.raises(StateError, match=r"offset 3 could not be folded: .*a defect in the"):
            fed(store, [*events(0, 2), defect])
        await store.close(5)
        assert await rig.row() == (0, 0, 0)

    rig.run(scenario())


def test_too_many_rejects_stop_before_they_fill_the_dead_letters(rig: Rig) -> None:
    """The limit is asked with every batch."""

    async def scenario() -> None:
        await filled(rig)
        store = await rig.open(reject_limit=RejectLimit(0.5, 10))
        with pytest.raises(InputError, match="10 of the last 10 events were rejected"):
            fed(store, [Source(n, b"s", b"{") for n in range(10)])
        await store.close(None)
        assert await records_of(rig.brokers, rig.topics.dead_letters) == []

    rig.run(scenario())


def test_a_restart_does_not_fill_the_dead_letters_by_as_much_again(rig: Rig) -> None:
    """The window is part of the state: what was rejected before the restart counts on."""

    async def scenario() -> None:
        await filled(rig)
        limit = RejectLimit(0.5, 10)
        store = await rig.open(reject_limit=limit)
        fed(store, [Source(n, b"s", b"{") for n in range(9)])
        await store.close(5)
        assert len(await records_of(rig.brokers, rig.topics.dead_letters)) == 9
        for _ in range(2):
            store = await rig.open(reject_limit=limit)
            with pytest.raises(InputError, match=r"12 of the last 12 .* partition 0 offset 11, "):
                fed(store, [Source(n, b"s", b"{") for n in range(9, 12)])
            await store.close(5)  # also where somebody asks for a flush
        assert len(await records_of(rig.brokers, rig.topics.dead_letters)) == 9
        store = await rig.open(reject_limit=RejectLimit(0, 10))
        fed(store, [Source(n, b"s", b"{") for n in range(9, 12)])
        await store.close(5)
        assert len(await records_of(rig.brokers, rig.topics.dead_letters)) == 12

    rig.run(scenario())


def test_a_record_too_large_for_its_topic_is_explained(kafka: Kafka) -> None:
    """Trying again would not help."""
    topics = new_topics(kafka.bootstrap)
    exact = Rig(kafka.bootstrap, topics, Guarantee.EXACTLY_ONCE)

    async def scenario() -> None:
        await filled(exact)
        store = await exact.open()
        fed(store, [Source(0, *encode("s" * 1_100_000, 1))])
        with pytest.raises(InputError, match=r"max\.message\.bytes"):
            await store.flush()
        await store.close(None)

    exact.run(scenario())
