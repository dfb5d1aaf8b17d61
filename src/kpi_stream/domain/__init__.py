"""What events, KPIs, targets and statuses mean, as pure functions and frozen values.

Here belongs what a customs officer could check with pencil and paper; no file, broker, clock,
random number, log line or framework does, and time is always an argument.
"""
