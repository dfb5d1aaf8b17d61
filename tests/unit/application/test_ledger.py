"""Sparse sums, beside a dictionary that adds up the slow way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_stream.application import ledger as module
from kpi_stream.application.ledger import Ledger

KEPT = 5
entries = st.tuples(
    st.integers(-3, 12), st.sampled_from((0, 1, 9)), st.integers(0, 3), st.integers(-2, 3)
)
steps = st.lists(st.one_of(st.lists(entries, max_size=6), st.integers(0, 14)), max_size=12)


def ints(*values: int) -> np.ndarray:
    """Return an array of integers."""
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize("merged_at", [0, 4, 10**6])
@given(
    steps=steps,
    spans=st.lists(st.tuples(st.integers(-4, 16), st.integers(-4, 16)), max_size=3),
)
def test_sums_are_those_of_a_dictionary(
    merged_at: int,
    steps: list[list[tuple[int, int, int, int]] | int],
    spans: list[tuple[int, int]],
):
    """Whatever was added in whatever order, sorted in or still waiting; a number moves on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MERGED_AT", merged_at)
        one, added, present = Ledger(KEPT), dict[tuple[int, int, int], int](), 0
        one.move(present)
        for step in steps:
            if isinstance(step, int):
                present = max(present, step)
                one.move(step)
                continue
            one.add(*(ints(*column) for column in (zip(*step, strict=True) if step else [()] * 4)))
            for pane, member, column, delta in step:
                # What is older when it comes is dropped, or is not read: no difference.
                key = pane, member, column
                added[key] = added.get(key, 0) + delta
        for member in (0, 1, 9, 40):
            expected = [
                [
                    sum(
                        value
                        for (pane, of, at), value in added.items()
                        if (of, at) == (member, column) and max(first, present - KEPT) <= pane < end
                    )
                    for column in (3, 0, 7)
                ]
                for first, end in spans
            ]
            assert one.column_sums(spans, member, ints(3, 0, 7)).tolist() == expected


def test_its_memory_is_what_is_counted():
    """Sixteen bytes a count that is not zero, however far apart; what is taken back is gone."""
    one = Ledger(kept=1_000)
    one.move(0)
    columns = np.arange(50_000, dtype=np.int64)
    zeros = np.zeros(50_000, dtype=np.int64)
    one.add(zeros, zeros, columns, zeros + 1)
    one.add(zeros, zeros + 7, columns, zeros + 1)
    assert one.nbytes == 16 * 100_000
    one.add(zeros, zeros + 7, columns, zeros - 1)
    one.add(zeros, zeros, columns, zeros + 1)
    assert one.column_sums([(0, 1)], 0, ints(0, 1)).tolist() == [[2, 2]]
    assert one.column_sums([(0, 1)], 7, ints(0, 1)).tolist() == [[0, 0]]
    assert one.nbytes == 16 * 50_000


def test_too_many_columns_are_refused():
    """Rather than counted for somebody else."""
    one = Ledger(kept=1)
    with pytest.raises(OverflowError, match="65,536 columns"):
        one.add(ints(0), ints(0), ints(1 << 16), ints(1))
