import json
import random
from collections import Counter

from kpi_stream.application.row_store import HOT_DAYS, RowStore
from kpi_stream.domain.rows import decode_key
from kpi_stream.domain.windows import PANES_KEPT, LocalDays
from tests.laws.rig import CODEC
from tests.laws.strategies import DAY, MINUTE

NOW = 1_711_854_000_000  # 2024-03-31T03:00Z
PANE = 15 * MINUTE
ONE = (("a", 1),)


def store() -> RowStore:
    """Return an empty store whose watermark is NOW."""
    rows = RowStore(LocalDays("UTC"), CODEC)
    rows.advance(NOW)
    return rows


def test_a_contribution_goes_to_its_pane_and_to_its_day():
    """Both resolutions hold it, once."""
    rows = store()
    rows.add("x", ((NOW + 1, ONE),), 1)
    assert dict(rows.drain(NOW)) == {
        b"d|2024-03-31|0|x": b'{"a":1}',
        b"f|1711854000|x": b'{"a":1}',
    }
    assert rows.drain(NOW) == []
    assert len(rows) == 2


def test_what_was_taken_back_before_it_was_written_is_not_written():
    """A contribution that came and went within one drain leaves no record."""
    rows = store()
    rows.add("x", ((NOW, ONE),), 1)
    rows.add("x", ((NOW, ONE),), -1)
    assert rows.drain(NOW) == []


def test_an_emptied_row_is_written_as_empty():
    """A tombstone would mean that the pane went cold; readers would keep its counts."""
    rows = store()
    rows.add("x", ((NOW, ONE),), 1)
    rows.drain(NOW)
    rows.add("x", ((NOW, ONE),), -1)
    assert {value for _, value in rows.drain(NOW)} == {b"{}"}


def test_a_pane_that_goes_cold_is_taken_out_of_the_topic():
    """Its day stays, and what comes for it later goes to the day alone."""
    rows = store()
    rows.add("x", ((NOW, ONE),), 1)
    rows.drain(NOW)
    rows.advance(NOW + PANES_KEPT * PANE)
    assert rows.drain(NOW + PANES_KEPT * PANE) == []
    later = NOW + (PANES_KEPT + 1) * PANE
    rows.advance(later)
    assert rows.drain(later) == [(b"f|1711854000|x", None)]
    rows.add("x", ((NOW, ONE),), 1)
    assert rows.drain(later) == [(b"d|2024-03-31|0|x", b'{"a":2}')]


def test_a_pane_that_was_never_written_needs_no_tombstone():
    """A pane that went cold between two drains was never in the topic."""
    rows = store()
    rows.add("x", ((NOW, ONE),), 1)
    later = NOW + (PANES_KEPT + 1) * PANE
    rows.advance(later)
    assert rows.drain(later) == [(b"d|2024-03-31|0|x", b'{"a":1}')]


def test_a_day_that_is_let_go_is_continued_in_a_generation():
    """The generation is named by the watermark's day and is itself let go with that day."""
    rows = store()
    rows.add("x", ((NOW, ONE),), 1)
    rows.drain(NOW)
    for days in (HOT_DAYS, HOT_DAYS + 1, HOT_DAYS + 2):
        rows.advance(NOW + days * DAY)
        rows.add("x", ((NOW, ONE),), 1)
        written = [decode_key(key) for key, value in rows.drain(NOW + days * DAY) if value]
        today = LocalDays("UTC").day_of(NOW + days * DAY)
        assert [each.generation for each in written] == [0 if days == HOT_DAYS else today]
    rows.advance(NOW + (HOT_DAYS + 3) * DAY)
    rows.drain(NOW + (HOT_DAYS + 3) * DAY)
    assert len(rows) == 0


def test_what_was_hot_at_the_event_is_no_generation_at_the_drain():
    """Where a drain happens does not show in the rows."""
    rows = store()
    rows.add("x", ((NOW, ONE),), 1)
    rows.drain(NOW)
    rows.add("x", ((NOW, ONE),), 1)
    later = NOW + (HOT_DAYS + 1) * DAY
    rows.advance(later)
    assert (b"d|2024-03-31|0|x", b'{"a":2}') in rows.drain(later)


def test_a_restored_row_is_continued():
    """Absolute values go on from what the topic says; a tombstone ends the row."""
    rows = RowStore(LocalDays("UTC"), CODEC)
    rows.restore(b"d|2024-03-31|0|x", b'{"a":41}')
    rows.restore(b"d|2024-03-31|0|y", b'{"a":7}')
    rows.restore(b"d|2024-03-31|0|y", None)
    rows.restore(b"d|2024-01-01|0|x", b'{"a":9}')
    rows.restored(NOW)
    assert len(rows) == 1
    rows.add("x", ((NOW, ONE),), 1)
    assert (b"d|2024-03-31|0|x", b'{"a":42}') in rows.drain(NOW)


def test_a_restored_pane_that_is_cold_is_taken_out():
    """A worker that was down for long cleans up with its first drain."""
    rows = RowStore(LocalDays("UTC"), CODEC)
    rows.restore(b"f|1711854000|x", b'{"a":41}')
    later = NOW + (PANES_KEPT + 1) * PANE
    rows.restored(later)
    assert rows.drain(later) == [(b"f|1711854000|x", None)]


def test_counters_are_written_in_the_order_of_their_names_however_they_came():
    """Of rows with few and with many, as these come, go, change, and are read back."""
    chance, rows, topic = random.Random(5), store(), dict[bytes, bytes | None]()
    counts: dict[str, Counter[str]] = {"few": Counter(), "many": Counter()}
    for _ in range(200):
        for members, known in counts.items():
            for _ in range(chance.randint(0, 5)):
                name = f"h{chance.randrange(5 if members == 'few' else 150)}"
                sign = -1 if known[name] and chance.random() < 0.4 else 1
                known[name] += sign
                rows.add(members, ((NOW, ((name, 1),)),), sign)
        for key, value in rows.drain(NOW):
            topic[key] = value
            held = +counts[decode_key(key).members]
            assert value == json.dumps(held, sort_keys=True, separators=(",", ":")).encode()
        if chance.random() < 0.05:
            rows = store()
            for key, value in topic.items():
                rows.restore(key, value)
