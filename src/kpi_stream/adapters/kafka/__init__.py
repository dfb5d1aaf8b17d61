"""Kafka, through kafka-python (administration) and aiokafka (reading and writing).

Here belongs everything that speaks of topics, transactions and offsets: creating topics, reading a
compacted topic, and the durable state of a partition. Which worker owns which partition is decided
in `adapters.faust_app`; what a record means is the fold's and the codec's business.
"""
