import pytest

from kpi_stream.adapters.kafka.position import Position
from kpi_stream.domain.errors import StateError

WRONG = b'{"applied":"9","end":20,"topic_id":null,"flushed_ms":1}'


@pytest.mark.parametrize("position", [None, 12])
def test_a_position_record_is_read_as_it_was_written(position: int | None) -> None:
    """The fold's own entries lie flat beside the others."""
    meta, rejects = {"watermark_ms": 5, "state_version": 1}, {"events": 7, "oversized": 2}
    written = Position(9, 20, "id", 1_000, position, meta, rejects, state_id="state", state_begin=3)
    assert Position.from_bytes(written.to_bytes(), "kpi.rows 0") == written
    assert b'"watermark_ms":5,"state_version":1,"applied":9,"end":20' in written.to_bytes()


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'{"applied":1}', b"7", WRONG])
def test_a_damaged_position_record_is_an_error(value: bytes | None) -> None:
    """Counting on from a guess would count wrongly."""
    with pytest.raises(StateError, match=r"kpi.rows partition 0: the position record is damaged"):
        Position.from_bytes(value, "kpi.rows partition 0")
