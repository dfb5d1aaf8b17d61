import numpy as np

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
    assert one.column_sums(5, 7, 1, ints(2, 0, 9)).tolist() == [10, 1, 0]
    assert one.column_sums(5, 6, 1, ints(2, 0)).tolist() == [0, 1]
    assert one.column_sums(5, 7, 40, ints(0, 2)).tolist() == [0, 0]
