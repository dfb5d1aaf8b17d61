"""Which epoch a process works in: the one in its settings, or the one that Kafka says serves."""

import asyncio
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kpi_stream.adapters.kafka.access import Access, missing_topics
from kpi_stream.adapters.kafka.epochs import EpochLog, Predecessor, Serving
from kpi_stream.adapters.kafka.store import Handover
from kpi_stream.adapters.kafka.topics import topic_facts
from kpi_stream.application.ports import Guarantee, Topics
from kpi_stream.bootstrap.broker import advising
from kpi_stream.bootstrap.common import application, broker_options, topics
from kpi_stream.domain.errors import InputError
from kpi_stream.settings import Settings

_log = logging.getLogger(__name__)
_RECORD = {Topics().epochs: ("Read",)}


@dataclass(slots=True)
class Epoch:
    """The epoch of one process, and whether it is over."""

    settings: Settings
    """With the epoch's number."""
    serving: Serving
    """What Kafka says serves; where the settings pin an epoch, that nothing is known."""
    log: EpochLog | None
    """None where the settings pin the epoch."""
    over: bool = False

    async def end(self) -> None:
        """Return once another epoch serves; never where the settings pin this one."""
        if self.log is None:
            await asyncio.Event().wait()
            return
        now = await self.log.changed(self.serving)
        _log.warning(
            "epoch %d serves now instead of %d: this process ends in good order and starts again",
            now.epoch,
            self.serving.epoch,
        )
        self.over = True

    @property
    def reads(self) -> Mapping[str, Sequence[str]]:
        """What of Kafka it needs, in the words of `Access`."""
        return {} if self.log is None else _RECORD

    @property
    def handover(self) -> Handover | None:
        """From the epoch that served before; None where none has."""
        previous, settings = self.serving.previous, self.settings
        if previous is None:
            return None
        broker, names = broker_options(settings), topics(settings, previous)

        async def events_topic_id() -> str | None:
            found = await asyncio.to_thread(topic_facts, broker, [names.events])
            return found[names.events].topic_id if names.events in found else None

        predecessor = Predecessor(
            broker,
            names,
            application(settings, previous),
            events_topic_id,
            settings.processing_guarantee is Guarantee.EXACTLY_ONCE,
        )
        return Handover(self.serving.switch, predecessor.judged)

    def require_definitions(self, fingerprint: str) -> None:
        """Do nothing where a strategy counts as the epoch is counted.

        Raises:
            InputError: It does not; nothing of it may get into the epoch.
        """
        counted = self.serving.fingerprint
        if counted not in {None, fingerprint}:
            msg = (
                f"epoch {self.serving.epoch} serves, and is counted by other KPI definitions "
                f"({counted}) than those of this strategy ({fingerprint}): give this process the "
                "strategy that the rebuild had, or count by this one with: kpi-stream rebuild"
            )
            raise InputError(msg)

    def start_again(self) -> None:
        """Replace this process by a new one of the same command, if the epoch is over.

        So it needs nobody who starts it: neither Compose nor systemd, which may leave alone what
        ended in good order.
        """
        if self.over:
            sys.stdout.flush()
            sys.stderr.flush()
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def find_epoch(settings: Settings) -> Epoch:
    """Return the epoch to work in.

    Raises:
        InputError: The topic that says it may not be read.
        StateError: The record in it is damaged.
        Unavailable: No broker answers.
    """
    if settings.epoch is not None:
        return Epoch(settings, Serving(settings.epoch), None)
    broker, exact = (
        broker_options(settings),
        settings.processing_guarantee is Guarantee.EXACTLY_ONCE,
    )
    log = EpochLog(broker, Topics(), certain_ends=exact)
    with advising(settings):
        missing = missing_topics(broker, Access(_RECORD))
    # What is missing is told with everything else that is.
    serving = Serving() if missing else asyncio.run(log.serving())
    return Epoch(settings.model_copy(update={"epoch": serving.epoch}), serving, log)
