"""The log of a service: standard error, without the small talk of libraries."""

import logging

from kpi_stream.adapters.log_limit import Repeats
from kpi_stream.settings import Settings

_TALKATIVE = ("aiokafka", "faust", "kafka", "markdown_it", "mode")
"""Libraries that tell of every step they take, at any level; their warnings are heard."""


def log_to_stderr(settings: Settings) -> None:
    """Write the log, at the level of the settings, to standard error."""
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for handler in logging.root.handlers:
        handler.addFilter(Repeats(_TALKATIVE))
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(max(logging.WARNING, logging.root.level))
