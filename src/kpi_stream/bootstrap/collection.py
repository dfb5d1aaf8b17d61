"""How often Python looks for cyclic garbage in a process that folds events."""

import gc

_YOUNG = 1_000_000
"""Objects more than at the last look before the next one. Events, facts and contributions make no
cycles and die with the next drain, so nearly all that a look finds is alive; the default of 700
and even 100,000 cost a tenth of a worker's time and more (docs/adr/0016-throughput.md)."""
_OLDER = 50


def collect_seldom() -> None:
    """Look for cyclic garbage once a million new objects are alive."""
    gc.set_threshold(_YOUNG, _OLDER, _OLDER)
