import json
from datetime import date

import pytest

from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.application.totals import RowTotals
from kpi_stream.domain.catalogue import Catalogue
from kpi_stream.domain.errors import OtherDefinitions, StateError
from kpi_stream.domain.windows import Span
from tests.laws.rig import CODEC
from tests.laws.strategies import DAY, catalogue

NOW = 1_711_861_200_000  # 2024-03-31T00:00 in Lima
TODAY = date(2024, 3, 31).toordinal()
PANE = NOW // 900_000
ROW = "118|-|-|-|-"
DAYS = Span((0, 0), (TODAY - 9, TODAY + 1))


def day(number: int = 0, generation: int = 0, members: str = ROW) -> bytes:
    """Return the key of a day row, so many days before today."""
    text = date.fromordinal(TODAY - number).isoformat()
    return f"d|{text}|{generation}|{members}".encode()


def totals(*rows: tuple[bytes, bytes | None], partition: int = 0) -> RowTotals:
    """Return the totals of some records, settled now."""
    found = RowTotals(catalogue(), CODEC)
    for key, value in rows:
        found.apply_row(partition, key, value)
    found.settle(NOW)
    return found


def test_generations_and_partitions_are_added_up():
    """Several rows of one day are one day."""
    found = totals((day(), b'{"a":1}'), (day(generation=9), b'{"a":10}'))
    found.apply_row(1, day(), b'{"a":100,"b":7}')
    found.settle(NOW)
    assert found.member_sums(DAYS, 0, ("a", "b", "c")) == (111, 7, 0)
    assert len(found) == 3


def test_a_row_replaces_its_predecessor():
    """Records are absolute: a counter that is missing now is 0."""
    found = totals((day(), b'{"a":5,"b":1}'), (day(), b'{"a":2}'), (day(), b'{"a":2}'))
    assert found.member_sums(DAYS, 0, ("a", "b")) == (2, 0)
    found.apply_row(0, day(), b"{}")
    found.settle(NOW)
    assert found.member_sums(DAYS, 0, ("a", "b")) == (0, 0)


def test_each_dimension_has_its_members():
    """A row counts for the nation and for its member of each declared dimension."""
    found = totals((day(), b'{"a":1}'), (day(members="118|10|-|-|-"), b'{"a":10}'))
    number = found.members["office", "118"]
    assert found.member_sums(DAYS, number, ("a",)) == (11,)
    assert found.member_sums(DAYS, found.members["regime", "10"], ("a",)) == (10,)
    assert found.member_sums(DAYS, 0, ("a",)) == (11,)
    assert ("channel", "-") not in found.members


def test_what_falls_due_far_ahead_waits():
    """A pane beyond the sheet's room is added when the present comes near it."""
    ahead = f"f|{(PANE + 2000) * 900}|{ROW}".encode()
    found = totals((ahead, b'{"a":3}'))
    at = Span((PANE + 2000, PANE + 2001), (0, 0))
    assert found.member_sums(at, 0, ("a",)) == (0,)
    found.settle(NOW + 10 * DAY)
    assert found.member_sums(at, 0, ("a",)) == (0,)
    found.settle(NOW + 20 * DAY)
    assert found.member_sums(at, 0, ("a",)) == (3,)


def test_what_is_older_than_anything_read_is_dropped():
    """A day of four years ago has no room, and disturbs nothing."""
    found = totals((day(1500), b'{"a":1}'), (day(1), b'{"a":2}'))
    assert found.member_sums(Span((0, 0), (TODAY - 2000, TODAY + 1)), 0, ("a",)) == (2,)


def test_histogram_buckets_are_kept_apart():
    """A bucket is known by its number, and is summed like a counter."""
    found = totals((day(), b'{"x.h7":2,"x.h120":1,"x.n":3,"x.hold":1}'))
    assert sorted(found.buckets["x.h"]) == [7, 120]
    assert found.member_sums(DAYS, 0, ("x.h7", "x.n", "x.hold", "x.h120")) == (2, 3, 1, 1)
    assert found.histogram("x.h")[0].tolist() == [7, 120]
    assert [column >= 0 for column in found.columns(("x.n", "never"))] == [True, False]
    assert found.nbytes > 0


def test_the_buckets_of_stages_take_what_is_counted_and_no_more():
    """A stage has hundreds of them: beside the KPIs' they would widen every pane and member."""
    strategy = load_strategy(packaged_strategy_path())
    compiled = Catalogue(strategy)
    assert compiled.way is not None
    members = "|".join(["118", *["-"] * (len(strategy.dimensions) - 1)])
    counted = {f"{stage.histogram}{at}": at for stage in compiled.way.stages for at in range(300)}
    found = RowTotals(compiled, MsgspecStateCodec())
    found.settle(NOW)
    empty = found.nbytes
    found.apply_row(0, day(members=members), json.dumps(counted).encode())
    found.settle(NOW)
    names = tuple(counted)
    for member in (0, found.members["office", "118"]):
        assert found.member_sums(DAYS, member, names) == tuple(counted.values())
    two_members, of_a_count = 2, 16
    assert found.nbytes - empty <= two_members * len(counted) * of_a_count


def test_a_tombstone_leaves_the_pane_to_time():
    """The worker let go of a cold pane; what readers still hold of it was right."""
    pane = f"f|{(PANE - 5) * 900}|{ROW}".encode()
    found = totals((pane, b'{"a":3}'), (pane, None))
    at = Span((PANE - 5, PANE - 4), (0, 0))
    assert found.member_sums(at, 0, ("a",)) == (3,)
    assert len(found) == 0
    found.settle(NOW + 20 * DAY)
    assert found.member_sums(at, 0, ("a",)) == (0,)


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        (b"@", b"{}", ValueError),
        (day(), b"[]", StateError),
        (day(members="118|-"), b'{"a":1}', OtherDefinitions),
        (day(members=f"{ROW}|-"), b'{"a":1}', OtherDefinitions),
    ],
)
def test_what_is_no_row_is_an_error(key: bytes, value: bytes, error: type[Exception]):
    """A record that is no row stops the reader rather than being skipped."""
    with pytest.raises(error):
        RowTotals(catalogue(), CODEC).apply_row(0, key, value)
