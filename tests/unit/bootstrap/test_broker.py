"""How the topics are made follows from the settings."""

import pytest

from kpi_stream.bootstrap.broker import layout
from kpi_stream.domain.errors import InputError
from kpi_stream.settings import Settings


def test_every_setting_of_the_topics_reaches_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions, copies, copies in sync and retention, each from its own variable."""
    for name, value in {
        "PARTITIONS": "12",
        "REPLICATION_FACTOR": "3",
        "MIN_INSYNC_REPLICAS": "2",
        "EVENTS_RETENTION_DAYS": "800",
    }.items():
        monkeypatch.setenv(f"KPI_STREAM_{name}", value)
    made = layout(Settings.load())
    assert (made.partitions, made.replication) == (12, 3)
    assert (made.min_insync_replicas, made.events_retention_days) == (2, 800)


@pytest.mark.parametrize("name", ["EVENTS_RETENTION_DAYS", "STRATEGY", "COMPRESSION"])
def test_an_empty_variable_is_an_unset_one_where_that_is_possible(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A Compose file passes on what is not set as an empty text."""
    monkeypatch.setenv(f"KPI_STREAM_{name}", "")
    assert Settings.load() == Settings()
    assert getattr(Settings.load(), name.lower()) is None


def test_an_empty_variable_with_a_default_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets a number to nothing did not mean the default."""
    monkeypatch.setenv("KPI_STREAM_PARTITIONS", "")
    with pytest.raises(InputError, match="KPI_STREAM_PARTITIONS"):
        Settings.load()
