"""A file of events goes to Kafka: JSONL, or CSV through a mapping; resumable, with a report.

What an event is, is not known here: the contract comes in as a function.
"""

from kpi_stream.adapters.ingest.ingest import (
    Decode,
    IngestProgress,
    IngestReport,
    ingest_file,
)
from kpi_stream.adapters.ingest.progress import Detail
from kpi_stream.adapters.ingest.sender import KafkaSender, Sender

__all__ = [
    "Decode",
    "Detail",
    "IngestProgress",
    "IngestReport",
    "KafkaSender",
    "Sender",
    "ingest_file",
]
