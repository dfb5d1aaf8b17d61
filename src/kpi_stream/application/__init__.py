"""The use cases: fold events into rows, evaluate the scorecard, replay, explain.

Here belongs the order in which the domain is called, behind small protocols for what is outside;
the outside itself (Kafka, files, HTTP, the clock) does not: it is an adapter's.
"""
