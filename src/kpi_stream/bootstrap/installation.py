"""What is known of an installation before anybody is asked: settings, strategy, their files."""

from dataclasses import dataclass
from pathlib import Path

from kpi_stream.adapters.strategy_files import load_strategy
from kpi_stream.application.checkup.frame import Answer
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.ports import BrokerOptions
from kpi_stream.bootstrap.common import broker_options, strategy_path
from kpi_stream.bootstrap.http import checked_access
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.settings import Settings


@dataclass(frozen=True, slots=True)
class Generated:
    """With which options the files for Grafana and Prometheus were generated."""

    strategy: Path | None = None
    """None: as the services."""
    language: str | None = None
    """None: the strategy's."""
    grafana_url: str = Edition.grafana_url
    runbook_url: str = Edition.runbook_url


class Installation:
    """Read by the first check, used by those after it.

    Args:
        options: Of the command.
    """

    settings: Settings
    edition: Edition
    broker: BrokerOptions
    fingerprint: str
    """How the strategy counts."""

    def __init__(self, options: Generated) -> None:
        self._options = options

    def read(self) -> Answer:
        """Read settings, strategy, and the files that the settings name.

        Raises:
            InputError: A setting, or a file that one names, cannot be used.
            StrategyError: The strategy is wrong.
        """
        self.settings = settings = Settings.load()
        options = self._options
        strategy = load_strategy(options.strategy or strategy_path(settings))
        self.edition = Edition(
            strategy,
            options.language or strategy.language,
            options.grafana_url.rstrip("/"),
            options.runbook_url.rstrip("/"),
        )
        self.fingerprint = Catalogue(strategy).fingerprint
        self.broker = broker_options(settings)
        checked_access(settings)
        return Answer(
            f"{len(settings.model_fields_set)} set, the others at their defaults; strategy "
            f"{strategy.id} with {len(strategy.kpis)} KPIs"
        )
