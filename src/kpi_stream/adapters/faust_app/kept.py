"""Stores of partitions that were taken away and may come back.

A rebalance takes every partition of a worker, and gives most of them back. What is in memory is
flushed and kept until it is known who owns the partition next. If it comes back and nobody has
opened it meanwhile, its state need not be read again. The same holds for a store that was being
opened when its partition was taken: rebalances come in rows while workers start and end.
"""

import asyncio
import logging
from collections.abc import Awaitable, Iterable

from kpi_stream.application.ports import Fenced, Store
from kpi_stream.domain.errors import KpiStreamError, Unavailable

_log = logging.getLogger(__name__)


async def quietly(closing: Awaitable[None], number: int) -> None:
    """Close a store; what it could not flush is read and applied again by the next owner."""
    try:
        await closing
    except (Fenced, Unavailable) as err:
        _unflushed(number, err)


def _unflushed(number: int, error: Exception) -> None:
    _log.warning("partition %d was closed without a flush: %s", number, error)


class KeptStores:
    """Suspended stores, by the number of their partition."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._stores: dict[int, Store] = {}
        self._staying: frozenset[int] | None = None
        """Those of the last assignment; None before the first: all."""

    async def suspend(self, number: int, store: Store, flush_within_s: float) -> bool:
        """Flush a store and keep it; return whether it is kept, or else is to be closed."""
        try:
            kept = await store.suspend(flush_within_s)
        except (Fenced, Unavailable) as err:
            _unflushed(number, err)
            return False
        if kept:
            self._stores[number] = store
            await self._let_go()  # it may be known by now that it has gone elsewhere
        return kept

    async def resumed(self, number: int) -> Store | None:
        """Return the store of a partition that came back, if it still is what is stored."""
        store = self._stores.pop(number, None)
        if store is None:
            return None
        try:
            await store.resume()
        except KpiStreamError as err:
            _log.info("partition %d is opened anew: %s", number, err)
            await quietly(store.close(None), number)
            return None
        return store

    async def let_go(self, but: Iterable[int] = ()) -> None:
        """Close the stores of all partitions but some, and those that come too late."""
        self._staying = frozenset(but)
        await self._let_go()

    async def _let_go(self) -> None:
        if (staying := self._staying) is None:
            return
        going = [number for number in self._stores if number not in staying]
        closing = [quietly(self._stores.pop(number).close(None), number) for number in going]
        await asyncio.gather(*closing)
