"""How often, and where, Python looks for cyclic garbage in the processes that run for months."""

import gc

_YOUNG = 1_000_000
"""Objects more than at the last look before the next one. Events, facts and contributions make no
cycles and die with the next drain, so nearly all that a look finds is alive; the default of 700
and even 100,000 cost a tenth of a worker's time and more (docs/adr/0016-throughput.md)."""
_OLDER = 50


def collect_seldom() -> None:
    """Look for cyclic garbage once a million new objects are alive."""
    gc.set_threshold(_YOUNG, _OLDER, _OLDER)


def keep_for_good() -> None:
    """Look no more at what there is now: libraries, and whatever was read at the start.

    A scorecard makes some thousand objects an evaluation, so that Python looks often; beside a
    year of rows a tenth of its evaluations took twice as long for it.
    """
    gc.collect()
    gc.freeze()
