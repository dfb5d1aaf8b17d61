"""A strategy as a folder of YAML files: reading, checking all of it at once, and building it.

Here belongs whatever knows the files: their keys, the way people write durations and amounts, and
the words about what is wrong. What a strategy means is in `domain/strategy.py`.
"""

from kpi_stream.adapters.strategy_files.loading import (
    check_strategy,
    load_strategy,
    packaged_strategy_path,
)

__all__ = ["check_strategy", "load_strategy", "packaged_strategy_path"]
