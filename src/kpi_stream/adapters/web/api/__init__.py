"""The JSON API under /api/v1: what is answered, as pydantic models, and the document about it.

Each module holds the models of an answer and what fills them; the OpenAPI document is made from the
same models, so both say the same. Times are RFC 3339 in UTC, values in base units and not rounded;
null is no data. Here belongs how an answer looks and what is read for it; what it means belongs to
the application.
"""
