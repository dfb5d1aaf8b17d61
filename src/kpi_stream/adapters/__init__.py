"""The outside world: one module or package for each third-party library or device.

Here belongs translation between a library and the application's protocols; no KPI arithmetic does,
and adapters do not import each other: ``bootstrap`` wires them.
"""
