"""The reduced job as other engines do it, beside the product, in one run on one machine.

The job: join arrival and release of each declaration; count the releases and add up the seconds by
office and 5-minute pane; the state survives a crash. `jobs/` has it for engines in Python, and
`kafka_streams/` and `flink/` for those in Java.
"""
