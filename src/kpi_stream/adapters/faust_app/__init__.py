"""The Faust application: which worker owns which partition, and when its store is flushed.

Here belongs everything that speaks of Faust: the batch transport, the agent and the life of the
process. The durable state of a partition is behind `application.ports.Store`.
"""
