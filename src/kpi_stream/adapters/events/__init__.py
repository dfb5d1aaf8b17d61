"""The wire format of the events: one pydantic contract, and the decoders and schemas made from it.

Here belongs what a message must look like; what an event means is in `domain.events`.
"""
