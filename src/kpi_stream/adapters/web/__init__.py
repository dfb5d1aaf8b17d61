"""The scorecard over HTTP, with aiohttp: metrics, health, reload, and the scorecard as JSON.

Here belongs what a URL answers; what the answer says comes from the process that is served.
"""
