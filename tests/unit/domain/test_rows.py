import pytest

from kpi_stream.domain.rows import Row, RowKey, decode_key, encode_key


@pytest.mark.parametrize(
    ("key", "record"),
    [
        (RowKey(fine=True, start=2, generation=0, members="118|-|sea"), b"f|1800|118|-|sea"),
        (RowKey(fine=True, start=-1, generation=0, members="-"), b"f|-900|-"),
        (RowKey(fine=False, start=719_162, generation=0, members="-"), b"d|1969-12-31|0|-"),
        (
            RowKey(fine=False, start=719_163, generation=739_579, members="a|b"),
            b"d|1970-01-01|739579|a|b",
        ),
    ],
)
def test_a_key_is_written_and_read(key: RowKey, record: bytes):
    """A key survives the topic, before 1970 as well."""
    assert encode_key(key) == record
    assert decode_key(record) == key


@pytest.mark.parametrize(
    "record", [b"@", b"", b"x|1|2", b"f|noon|-", b"d|2025-13-01|0|-", b"f|900"]
)
def test_what_is_no_key_is_refused(record: bytes):
    """Anything else is refused rather than counted somewhere."""
    with pytest.raises(ValueError, match=r".+"):
        decode_key(record)


def test_a_row_holds_no_zeros():
    """What was added and taken back leaves nothing behind."""
    row = Row()
    row.add((("a", 2), ("b", 1)))
    row.add((("a", 2),), -1)
    assert row.counters == {"b": 1}
    row.add((("c", 1),), -1)
    assert row.counters == {"b": 1, "c": -1}
