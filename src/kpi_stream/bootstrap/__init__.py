"""Where adapters are named once and put together; nothing here decides or counts.

`common`, `generated` and `offline` need no broker, `broker` asks whether it is there, `feeds`
brings events in, `services` runs the processes; each is imported by the commands that need it, so
that a check does not load Faust.
"""
