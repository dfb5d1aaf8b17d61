"""A worker whose event loop hangs at its first event: `python -m tests.support.hung_worker worker`.

Everything else is the worker's own; what hangs stands for a defect that waits for ever.
"""

import time

from kpi_stream.adapters.kafka.store import PartitionStore
from kpi_stream.cli import main

_FOR_EVER_S = 1e6


def _hang(self: PartitionStore, *_: object) -> None:
    del self
    time.sleep(_FOR_EVER_S)


if __name__ == "__main__":
    PartitionStore.process = _hang  # type: ignore[assignment]
    main()
