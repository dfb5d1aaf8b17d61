import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kpi_stream.application.sheets import Sheet


def ints(*values: int) -> np.ndarray:
    """Return an array of integers."""
    return np.array(values, dtype=np.int64)


def sheet(present: int = 10) -> Sheet:
    """Return a sheet of five panes back and two ahead, at a present pane."""
    found = Sheet(kept=5, ahead=2)
    found.move(present)
    return found


def test_a_total_follows_what_is_added_later():
    """A cached total and a fresh one are the same, also after the sheet grew.

    ```
    pane   5  6  7  8  9 | 10 11
           ^ kept          ^ present, ahead
    ```
    """
    one = sheet()
    one.add(ints(5, 11), ints(0, 0), ints(0, 0), ints(1, 10))
    assert one.total("w", 5, 12).tolist() == [[11]]
    one.add(ints(6), ints(2), ints(3), ints(100))
    cached, fresh = one.total("w", 5, 12), one.total("other", 5, 12)
    assert cached.tolist() == fresh.tolist()
    assert cached[2, 3] == 100
    assert cached[0, 0] == 11
    one.add(ints(6), ints(2), ints(3), ints(-100))
    assert one.total("w", 5, 12)[2, 3] == 0


def test_what_lies_outside_of_a_window_is_not_in_its_total():
    """Windows are half-open."""
    one = sheet()
    assert one.total("w", 6, 8).tolist() == [[0]]
    one.add(ints(5, 6, 7, 8), ints(0, 0, 0, 0), ints(0, 0, 0, 0), ints(1, 10, 100, 1000))
    assert one.total("w", 6, 8).tolist() == [[110]]
    assert one.total("w", 6, 9).tolist() == [[1110]]


def test_old_panes_fall_out_when_the_present_moves():
    """A pane that is not kept any more is gone, and the rest stays where it was."""
    one = sheet()
    one.add(ints(5, 6, 11), ints(0, 0, 0), ints(0, 0, 0), ints(1, 10, 100))
    assert one.total("w", 0, 99).tolist() == [[111]]
    one.move(11)
    assert one.base == 6
    assert one.total("w", 0, 99).tolist() == [[110]]
    one.move(9)
    assert one.base == 6
    one.move(500)
    assert one.total("w", 0, 999).tolist() == [[0]]


def test_a_sheet_says_what_it_has_room_for():
    """What is too old is dropped by the caller, what is too far ahead has to wait."""
    here, later = sheet().holds(ints(4, 5, 11, 12))
    assert here.tolist() == [False, True, True, False]
    assert later.tolist() == [False, False, False, True]


def test_panes_before_1970_have_numbers_below_zero():
    """Negative pane numbers are panes like any other."""
    one = sheet(present=-3)
    one.add(ints(-8, -4, -2), ints(0, 0, 0), ints(0, 0, 0), ints(1, 10, 100))
    assert one.total("w", -8, -3).tolist() == [[11]]
    assert one.total("empty", 0, 0).tolist() == [[0]]


def test_the_sums_of_columns_that_are_not_there_are_zero():
    """A member or a counter that was never seen has been counted 0 times."""
    one = sheet()
    one.add(ints(5, 6), ints(1, 1), ints(0, 2), ints(1, 10))
    assert one.column_sums([(5, 7), (5, 6)], 1, ints(2, 0, 9)).tolist() == [[10, 1, 0], [0, 1, 0]]
    assert one.column_sums([(5, 7)], 40, ints(0, 2)).tolist() == [[0, 0]]
    assert one.column_sums([(6, 6), (90, 95)], 1, ints(0)).tolist() == [[0], [0]]
    assert one.column_sums([], 1, ints(0, 2)).shape == (0, 2)


entries = st.tuples(st.integers(-6, 3), st.integers(0, 2), st.integers(0, 2), st.integers(-2, 3))
windows = st.tuples(st.sampled_from((3, 5, 8)), st.sampled_from((0, 1)))


@given(
    start=st.integers(-20, 20),
    steps=st.lists(
        st.tuples(st.integers(-1, 4), st.lists(entries, max_size=5), st.lists(windows, max_size=3)),
        max_size=12,
    ),
)
def test_a_window_that_goes_on_is_a_window_read_anew(
    start: int, steps: list[tuple[int, list[tuple[int, int, int, int]], list[tuple[int, int]]]]
):
    """However the present moves on, and the window with it, and whatever is counted meanwhile.

    Each window is so many panes long and ends so many panes from the present one, and a count lies
    so many from it.
    """
    one = Sheet(kept=5, ahead=2)
    panes: dict[int, np.ndarray] = {}
    present = start
    for on, counts, wanted in steps:
        present += on
        one.move(present)
        first = one.base
        assert first is not None
        dated = [(present + back, *rest) for back, *rest in counts]
        held = [each for each in dated if first <= each[0] < first + one.size]
        one.add(*(ints(*column) for column in (zip(*held, strict=True) if held else [()] * 4)))
        panes = {pane: sums for pane, sums in panes.items() if pane >= first}
        for pane, member, column, delta in held:
            panes.setdefault(pane, np.zeros((3, 3), dtype=np.int64))[member, column] += delta
        spans, sums_of_spans = [], []
        for length, until in wanted:
            end = present + until
            found = one.total((length, until), end - length, end)
            expected = np.zeros((3, 3), dtype=np.int64)
            for pane, sums in panes.items():
                expected += sums if end - length <= pane < end else 0
            height, width = found.shape
            shown = np.zeros((max(height, 3), max(width, 3)), dtype=np.int64)
            shown[:height, :width] = found
            assert shown[:3, :3].tolist() == expected.tolist()
            spans.append((end - length, end))
            sums_of_spans.append(expected)
        for member in range(3):
            sums = one.column_sums(spans, member, ints(0, 1, 2))
            assert sums.tolist() == [each[member].tolist() for each in sums_of_spans]


def test_touched_panes_are_counted_from_the_first_that_is_kept():
    """Also where the ring has gone around; what fell out is touched no more."""
    one = sheet(present=13)
    one.add(ints(8, 14), ints(0, 0), ints(0, 0), ints(1, 1))
    assert sorted(one.take_touched().tolist()) == [0, 6]
    assert one.take_touched().tolist() == []
    one.add(ints(8, 12), ints(0, 0), ints(0, 0), ints(1, 1))
    one.move(15)
    assert one.take_touched().tolist() == [2]
    found = one.any_of(ints(0, 2, 4, 6), ints(0), ints(0))
    assert found[:, 0].tolist() == [False, True, True, False]
