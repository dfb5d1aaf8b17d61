"""What several commands need: the strategy, the codec, the names and addresses."""

import re
from datetime import UTC, datetime
from pathlib import Path

from kpi_stream.adapters.clock import Clock
from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.adapters.strategy_files import packaged_strategy_path
from kpi_stream.application.fold import Retention
from kpi_stream.application.ports import BrokerOptions, Topics
from kpi_stream.bootstrap.security import secured
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.strategy import Strategy
from kpi_stream.domain.windows import DAY_MS
from kpi_stream.settings import PREFIX, Settings


def strategy_path(settings: Settings) -> Path:
    """Return the strategy's folder: the configured one, or the packaged one."""
    return settings.strategy or packaged_strategy_path()


def event_codec(settings: Settings, strategy: Strategy) -> EventCodec:
    """Return the codec for the events that the strategy's offices send."""
    return EventCodec(
        strategy.offices, round(settings.allowed_skew_s * 1000), settings.max_event_bytes
    )


def retention(settings: Settings) -> Retention:
    """Return how long subjects stay in the state."""
    return Retention(
        settings.forget_complete_days * DAY_MS,
        settings.forget_incomplete_days * DAY_MS,
        settings.remember_left_days * DAY_MS,
    )


def now_ms() -> int:
    """Return the wall clock, in milliseconds since 1970 UTC."""
    return Clock().now_ms()


def utc_text(ms: int) -> str:
    """Return an instant as a date and a time of day in UTC."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}Z"


_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}")


def broker_options(settings: Settings) -> BrokerOptions:
    """Return how to reach Kafka.

    Raises:
        InputError: An address is not host:port, or the security settings or their files are wrong.
    """
    servers = tuple(each.strip() for each in settings.brokers.split(","))
    for each in servers:
        if not _ADDRESS.fullmatch(each):
            msg = (
                f"{PREFIX}BROKERS: {each!r} is no address; it should be host:port, "
                "several of them separated by commas"
            )
            raise InputError(msg)
    return secured(BrokerOptions(servers), settings)


def topics(settings: Settings, epoch: int | None = None) -> Topics:
    """Return the topics' names in an epoch; without one, the names of what has none are meant."""
    return Topics().with_epoch(_suffix(epoch or settings.epoch))


def application(settings: Settings, epoch: int | None = None) -> str:
    """Return the consumer group of an epoch, which is the prefix of its transactional ids."""
    return ".".join(filter(None, (settings.app_id, _suffix(epoch or settings.epoch))))


def _suffix(epoch: int | None) -> str:
    return "" if epoch in {None, 1} else str(epoch)
