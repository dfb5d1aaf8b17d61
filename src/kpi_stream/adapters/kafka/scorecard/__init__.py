"""Kafka as the scorecard sees it: rows in, readings and transitions out.

Here belongs how they lie in their topics and how a restart finds its memory again; when to
evaluate or to publish is decided in `adapters.scorecard_app`.
"""
