"""What the runbook says about one kind of alert."""

from dataclasses import dataclass

from kpi_stream.domain.strategy import Text


def both(es: str, en: str) -> Text:
    """Return a text in both languages."""
    return {"es": es, "en": en}


@dataclass(frozen=True)
class Entry:
    """One kind of alert, as the person on duty reads about it."""

    title: Text
    means: Text
    fires: Text
    """The condition with its limits; how long it must hold is added from the rule."""
    look: Text
    """What to look at first, on the dashboard of the alert."""
    steps: tuple[Text, ...]
    """What to do, in this order."""
