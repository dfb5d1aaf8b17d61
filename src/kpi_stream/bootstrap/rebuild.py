"""Counting again into a new epoch while the old one serves, then switching to it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kpi_stream.adapters.clock import Clock
from kpi_stream.adapters.kafka.access import Access
from kpi_stream.adapters.kafka.epoch_topics import epochs_present, make_epoch, remove_epoch
from kpi_stream.adapters.kafka.epochs import Serving, positions, record
from kpi_stream.adapters.kafka.position import Position
from kpi_stream.adapters.kafka.refold import Folded, OnProgress, RefoldOptions, refold
from kpi_stream.adapters.kafka.writer import OrderedWriter, TransactionalWriter, Writer
from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.ports import Fenced, Guarantee, Topics
from kpi_stream.bootstrap.broker import advising, layout, require
from kpi_stream.bootstrap.collection import collect_seldom
from kpi_stream.bootstrap.common import application, broker_options, now_ms, strategy_path, topics
from kpi_stream.bootstrap.epochs import find_epoch
from kpi_stream.bootstrap.stores import store_options
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import InputError, StateError
from kpi_stream.domain.events import STATE_VERSION
from kpi_stream.settings import PREFIX, Settings

READ, WRITE = ("Read",), ("Write",)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user chose."""

    strategy: Path | None = None
    """Its folder; None: as the services."""
    again: bool = False
    """Count from the first event although an epoch has these definitions already."""
    switch_to: int | None = None
    """An epoch that there is; None: one that has these definitions, or a new one."""
    accept_missing: bool = False
    """Go on although events have expired."""


@dataclass(frozen=True, slots=True)
class EpochReport:
    """One epoch, as it is."""

    epoch: int
    serving: bool
    fingerprint: str | None
    """By which definitions it is counted; None before its first event."""
    state_version: int | None
    events: int
    """Offsets of the log that it has applied, all partitions together."""
    flushed_ms: int | None
    """When it was written last."""


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild did."""

    epoch: int
    """The epoch that serves now."""
    previous: int
    """The one that served before; the same where nothing had to be done."""
    fingerprint: str
    events: int
    rejected: int
    seconds: float


def rebuild(settings: Settings, wanted: Wanted, on_progress: OnProgress) -> RebuildReport:
    """Fold the events into another epoch up to where the serving one is, then switch to it.

    Raises:
        InputError: The settings pin an epoch, events have expired, an epoch does not fit.
        StrategyError: The strategy is wrong.
        StateError: What an earlier run left cannot be trusted, or another process writes it.
        Unavailable: No broker answers; the next run goes on where this one was.
    """
    collect_seldom()
    strategy = load_strategy(wanted.strategy or strategy_path(settings))
    fingerprint = Catalogue(strategy).fingerprint
    began = Clock().monotonic()
    serving = _serving(settings)
    with advising(settings):
        found = {each.epoch: each for each in _epochs(settings, serving)}
        number = choose(wanted, found, serving, fingerprint)
        if number == serving.epoch:
            return RebuildReport(number, number, fingerprint, 0, 0, 0.0)
        broker = broker_options(settings)
        old, new = topics(settings, serving.epoch), topics(settings, number)
        make_epoch(broker, old, new, layout(settings))
    settings = settings.model_copy(update={"epoch": number})
    require(settings, _access(settings, old))
    folded = Folded()
    stores = store_options(settings, strategy, folded)
    options = RefoldOptions(
        stores,
        old,
        settings.flush_max_events,
        wanted.accept_missing or settings.accept_missing_events,
    )

    async def run() -> None:
        writer = _record_writer(settings)
        try:
            # Of two rebuilds only the one that began last can switch.
            await writer.start()
            await refold(options, on_progress, folded)
            now = Serving(number, serving.epoch, serving.switch + 1, fingerprint, now_ms())
            await record(writer, new, now)
        except Fenced as err:
            msg = f"another rebuild was started meanwhile ({err}); this one ends without a switch"
            raise StateError(msg) from err
        finally:
            await writer.stop()

    asyncio.run(run())
    return RebuildReport(
        number,
        serving.epoch,
        fingerprint,
        folded.total,
        folded.reasons.total(),
        Clock().monotonic() - began,
    )


def list_epochs(settings: Settings) -> list[EpochReport]:
    """Return the epochs that there are, the newest last.

    Raises:
        InputError: A topic is missing, or not allowed.
        Unavailable: No broker answers.
    """
    serving = _serving(settings)
    with advising(settings):
        return _epochs(settings, serving)


def remove(settings: Settings, epoch: int) -> list[str]:
    """Delete the state topics of an epoch that does not serve; return their names.

    Raises:
        InputError: It serves, or there is none, or it is not allowed.
        Unavailable: No broker answers.
    """
    serving = _serving(settings)
    if epoch == serving.epoch:
        msg = f"epoch {epoch} serves; only another one can be removed"
        raise InputError(msg)
    with advising(settings):
        names = remove_epoch(broker_options(settings), topics(settings, epoch))
    if not names:
        msg = f"there is no epoch {epoch}; those that there are: kpi-stream rebuild --list"
        raise InputError(msg)
    return names


def _serving(settings: Settings) -> Serving:
    if settings.epoch is not None:
        msg = (
            f"{PREFIX}EPOCH pins epoch {settings.epoch}; unset it, here and for every worker and "
            "scorecard, so that they follow the switch"
        )
        raise InputError(msg)
    return find_epoch(settings).serving


def _epochs(settings: Settings, serving: Serving) -> list[EpochReport]:
    broker = broker_options(settings)
    numbers = epochs_present(broker, Topics())
    rows = {topics(settings, each).rows: READ for each in numbers}
    require(settings, Access({Topics().epochs: READ, **rows}))

    async def read() -> list[Mapping[int, Position]]:
        return [await positions(broker, topics(settings, each)) for each in numbers]

    reports = []
    for number, found in zip(numbers, asyncio.run(read()), strict=True):
        newest = max(found.values(), key=lambda each: each.flushed_ms, default=None)
        meta = {} if newest is None else newest.meta
        fingerprint, version = meta.get("fingerprint"), meta.get("state_version")
        reports.append(
            EpochReport(
                number,
                number == serving.epoch,
                fingerprint if isinstance(fingerprint, str) else None,
                version if isinstance(version, int) else None,
                sum(each.applied + 1 for each in found.values()),
                None if newest is None else newest.flushed_ms,
            )
        )
    return reports


def choose(
    wanted: Wanted, found: Mapping[int, EpochReport], serving: Serving, fingerprint: str
) -> int:
    """Return the number of the epoch to count into; the serving one's if nothing is to be done."""
    fits = [
        each.epoch
        for each in found.values()
        if each.fingerprint is None
        or (each.fingerprint, each.state_version) == (fingerprint, STATE_VERSION)
    ]
    if wanted.switch_to is not None:
        return _named(wanted.switch_to, found, fits, fingerprint)
    if not wanted.again and serving.epoch in fits:
        # Without any event yet, the record alone can say what is to be counted there.
        counted = found[serving.epoch].fingerprint or serving.fingerprint
        if counted in {None, fingerprint}:
            return serving.epoch
    # A rebuild that was killed left the newest one; an older one is the way back.
    others = [each for each in fits if each > (serving.epoch if wanted.again else 0)]
    others = [each for each in others if each != serving.epoch]
    return max(others, default=max([serving.epoch, *found]) + 1)


def _named(number: int, found: Mapping[int, EpochReport], fits: list[int], fingerprint: str) -> int:
    if number not in found:
        there = ", ".join(map(str, found)) or "none"
        msg = f"there is no epoch {number}; there are: {there}"
        raise InputError(msg)
    if number not in fits:
        msg = (
            f"epoch {number} is counted by other definitions ({found[number].fingerprint}) than "
            f"those of this strategy ({fingerprint}): name the strategy that it is counted by"
        )
        raise InputError(msg)
    return number


def _access(settings: Settings, serving: Topics) -> Access:
    """Return what a rebuild does with Kafka; docs/security.md has the same as ACLs."""
    names, prefix = topics(settings), application(settings)
    exact = settings.processing_guarantee is Guarantee.EXACTLY_ONCE
    return Access(
        {
            names.events: READ,
            serving.rows: READ,
            names.declarations: READ + WRITE,
            names.rows: READ + WRITE,
            names.worklist: WRITE,
            names.epochs: READ + WRITE,
        },
        transactional_ids=(f"{prefix}-0", _rebuild_id(settings)) if exact else (),
    )


def _rebuild_id(settings: Settings) -> str:
    return f"{settings.app_id}-rebuild"


def _record_writer(settings: Settings) -> Writer:
    broker = broker_options(settings)
    if settings.processing_guarantee is Guarantee.EXACTLY_ONCE:
        name = _rebuild_id(settings)
        return TransactionalWriter(broker, 0, transactional_id=name, compression=None)
    return OrderedWriter(broker, 0, transactional_id=None, compression=None)
