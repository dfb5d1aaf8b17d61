"""Customs events in, judged KPIs out: a streaming scorecard on Kafka."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("kpi-stream")
