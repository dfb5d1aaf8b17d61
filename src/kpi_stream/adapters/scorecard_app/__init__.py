"""The scorecard process: when to read, evaluate, publish, reload and end.

Here belongs the order in time, with asyncio; reading, judging, publishing and serving are others',
behind the protocols in `ports`.
"""
