"""The monthly review as one HTML document that prints, and as CSV files.

Here belongs how a review looks; what it says comes from `application/review.py`. The document
holds everything that it shows: no script, no font, no picture and no request to anywhere.
"""

from kpi_stream.adapters.review.document import document
from kpi_stream.adapters.review.tables import write_tables

__all__ = ["document", "write_tables"]
