"""One edition of everything generated: a strategy, in a language, with its addresses."""

from dataclasses import dataclass

from kpi_stream.domain.strategy import Strategy, Text


@dataclass(frozen=True)
class Edition:
    """For whom files are generated."""

    strategy: Strategy
    language: str
    """`es` or `en`."""
    grafana_url: str = "http://localhost:3000"
    """Where people reach Grafana, without a slash at the end."""
    runbook_url: str = "http://localhost:9100/runbook"
    """Where people read the runbook; `#` and an alert's name are added."""

    def text(self, text: Text) -> str:
        """Return a text in this edition's language."""
        return text[self.language]

    def say(self, es: str, en: str) -> str:
        """Return one of two texts."""
        return es if self.language == "es" else en
