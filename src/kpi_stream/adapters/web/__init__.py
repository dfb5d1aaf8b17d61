"""The two services over HTTP, with aiohttp: metrics, health, reload, and the scorecard as JSON.

Here belongs what a URL answers, whom, and how much of the process a caller may take; what the
answer says comes from the process that is served.
"""
