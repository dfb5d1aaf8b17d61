"""Writes the records of one flush: in one transaction, or in an order that a reader can repair.

Records are put into batches here (`create_batch`, `send_batch`), which takes a third of the time of
sending them one by one.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, zip_longest
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordListTooLargeError,
    UnknownError,
    UnsupportedVersionError,
)
from aiokafka.producer.message_accumulator import BatchBuilder

from kpi_stream.adapters.kafka.connection import client_arguments
from kpi_stream.adapters.kafka.refusals import refused
from kpi_stream.application.ports import BrokerOptions, Fenced
from kpi_stream.domain.errors import InputError, Unavailable

BATCH_BYTES = 900_000
"""A batch must stay below the topic's `max.message.bytes`, by default 1,048,588."""
TRANSACTION_TIMEOUT_MS = 60_000
"""After this the broker gives up an open transaction, so that readers are not held back for ever.
A flush takes milliseconds; a broker's `transaction.max.timeout.ms` is 15 minutes by default."""
WRITE_S = TRANSACTION_TIMEOUT_MS / 1000
"""How long a transaction may take here: the client would wait for ever for a broker that does not
answer, and by then the broker has given it up. Seconds."""
_STOP_S = 2.0


class OutRecord(NamedTuple):
    """One record to be written; a bare pair is as good and cheaper to make."""

    key: bytes | None
    value: bytes | None


class Part(NamedTuple):
    """The records of one flush for one topic, in order."""

    topic: str
    records: Sequence[tuple[bytes | None, bytes | None]]
    """Key and value."""
    headers: Sequence[list[tuple[str, bytes]]] = ()
    """Of each record; empty where none has any."""
    partition: int | None = None
    """None: the writer's own."""


class Writer(ABC):
    """Writes the flushes of one partition."""

    def __init__(
        self,
        broker: BrokerOptions,
        partition: int,
        *,
        transactional_id: str | None,
        compression: str | None,
    ) -> None:
        options: dict[str, object] = {"linger_ms": 0, "max_batch_size": BATCH_BYTES}
        if transactional_id is None:
            options["acks"] = "all"
        else:
            options["transactional_id"] = transactional_id
            options["transaction_timeout_ms"] = TRANSACTION_TIMEOUT_MS
        self._partition = partition
        self._name = transactional_id or f"partition {partition}"
        self._producer = AIOKafkaProducer(
            **client_arguments(broker), compression_type=compression, **options
        )

    @abstractmethod
    async def start(self) -> None:
        """Connect; from now on no other writer of this partition succeeds, where that can be."""

    @abstractmethod
    async def write(self, parts: Sequence[Part]) -> None:
        """Return once every record is durable.

        Raises:
            Fenced: Another worker has opened the partition.
            Unavailable: It is unknown what of it is durable; the state must be read again.
            InputError: A record is larger than its topic allows.
        """

    async def stop(self) -> None:
        """Disconnect; a broken connection does not matter any more."""
        with suppress(KafkaError, OSError, asyncio.TimeoutError):
            await asyncio.wait_for(self._producer.stop(), _STOP_S)
        self._forget()

    def _forget(self) -> None:
        """Take the error of a lost transaction out of the client's own futures.

        Whoever wrote was told; a future that holds an error and is asked by nobody complains at
        length when it is thrown away.
        """
        client = self._producer
        accumulator = client._message_accumulator  # noqa: SLF001
        batches = [*chain(*accumulator._batches.values()), *accumulator._pending_batches]  # noqa: SLF001
        futures = [each._drain_waiter for each in batches]  # noqa: SLF001
        if client._txn_manager is not None:  # noqa: SLF001
            futures.append(client._txn_manager.wait_for_transaction_end())  # noqa: SLF001
        for each in futures:
            if each is not None and each.done() and not each.cancelled():
                each.exception()

    def _batches(self, part: Part) -> Iterator[BatchBuilder]:
        batch = self._producer.create_batch()
        none: list[tuple[str, bytes]] = []
        for (key, value), headers in zip_longest(part.records, part.headers, fillvalue=none):
            if batch.append(key=key, value=value, headers=headers, timestamp=None) is None:
                yield batch
                # An empty batch takes any record, also one larger than a batch.
                batch = self._producer.create_batch()
                batch.append(key=key, value=value, headers=headers, timestamp=None)
        if batch.record_count():
            yield batch

    async def _send(self, part: Part) -> None:
        # One batch in flight a partition: their order is certain without idempotence, and the
        # embedded broker loses count of its end otherwise.
        partition = self._partition if part.partition is None else part.partition
        for batch in self._batches(part):
            batch.close()
            await (await self._producer.send_batch(batch, part.topic, partition=partition))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (ProducerFenced, InvalidProducerEpoch) as err:
            msg = f"another worker has taken over {self._name}"
            raise Fenced(msg) from err
        except (MessageSizeTooLargeError, RecordListTooLargeError) as err:
            msg = f"a record is larger than its topic's max.message.bytes allows: {err}"
            raise InputError(msg) from err
        except (TimeoutError, KafkaError, OSError) as err:
            if (refusal := refused(err, f"{self._name} cannot be written: Kafka")) is not None:
                raise refusal from err
            msg = f"{self._name} could not be written: {err!r}"
            raise Unavailable(msg) from err


class TransactionalWriter(Writer):
    """Every flush is one transaction; opening it ends those of the partition's previous owner."""

    async def start(self) -> None:
        """Connect and fence the previous owner.

        The producer id, which fences, is fetched only by the first transaction. Without this empty
        one the previous owner's transaction would still be open while the state is read.
        """
        with self._translated():
            async with asyncio.timeout(WRITE_S):
                try:
                    await self._producer.start()
                    await self._producer.begin_transaction()
                except (UnknownError, UnsupportedVersionError) as err:
                    msg = (
                        "the broker knows no transactions, which processing_guarantee = "
                        "exactly_once needs; choose at_least_once"
                    )
                    raise InputError(msg) from err
                await self._producer.abort_transaction()

    async def write(self, parts: Sequence[Part]) -> None:
        """Write all parts at once, in one transaction."""
        with self._translated():
            async with asyncio.timeout(WRITE_S):
                await self._write(parts)

    async def _write(self, parts: Sequence[Part]) -> None:
        await self._producer.begin_transaction()
        # Every answer is awaited before the commit: what failed must not be committed.
        answers = await asyncio.gather(*map(self._send, parts), return_exceptions=True)
        failed = [answer for answer in answers if answer is not None]
        if failed:
            # One refused part fails the others in words that say nothing.
            raise next((each for each in failed if refused(each, "") is not None), failed[0])
        await self._producer.commit_transaction()


class OrderedWriter(Writer):
    """Without transactions: one part after the other, so a crash leaves a prefix of them."""

    async def start(self) -> None:
        """Connect; there is no fencing without transactions."""
        with self._translated():
            await self._producer.start()

    async def write(self, parts: Sequence[Part]) -> None:
        """Write one part after the other."""
        with self._translated():
            for part in parts:
                await self._send(part)
