"""Ports for what the tests start: none is given twice, so that whoever is restarted finds its own.

Each process of a test run has a share of its own, below the ports that `free_port` of the product
gives to brokers and demos, and below those that the system gives to whoever connects.
"""

import os
import random
from itertools import cycle

from kpi_stream.adapters.embedded_broker import is_free

_SHARE = 1_000
_SHARES = 10
_number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
_first = 10_000 + _number * _SHARE
# In an order that another run on the same machine does not have.
_ports = cycle(random.SystemRandom().sample(range(_first, _first + _SHARE), _SHARE))


def free_port() -> int:
    """Return a TCP port on the loopback address that nobody listens on or was given before."""
    return next(port for port in _ports if is_free(port))
