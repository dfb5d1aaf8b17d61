"""The rigs of the tests: processes, brokers, skips that may fail.

Here belongs what starts and stops something for a test; no product code does, and no assertion
about KPIs.
"""
