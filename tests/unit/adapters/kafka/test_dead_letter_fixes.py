from pathlib import Path

import pytest

from kpi_stream.adapters.kafka.dead_letter_fixes import FixFile
from kpi_stream.adapters.kafka.dead_letter_log import Place
from kpi_stream.adapters.kafka.redrive import Fix
from kpi_stream.domain.errors import InputError


def test_the_value_is_taken_letter_for_letter(tmp_path: Path) -> None:
    """No number is read and written again; other fields, as `show` prints them, do not matter."""
    path = tmp_path / "fixes.jsonl"
    first = '{"reason": "x", "letter": "2:17", "value": {"a": 1.10, "b": 1e400}, "key": "né"}'
    path.write_text(f'{first}\n\n{{"value": null, "letter": "0:4"}}')
    with FixFile(path) as fixes:
        assert fixes.places == {Place(2, 17), Place(0, 4)}
        assert fixes.get(Place(0, 4)) == Fix(b"null", None)
        assert fixes.get(Place(2, 17)) == Fix(b'{"a": 1.10, "b": 1e400}', "né".encode())
        assert fixes.get(Place(1, 1)) is None


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    """With its line; nothing is sent then."""
    path = tmp_path / "fixes.jsonl"
    path.write_text(
        '{"letter": "0:1", "value": 1}\n{"letter": "0:2"}\nno\n{"letter": "17", "value": 1}\n'
        '{"letter": "0:1", "value": 2}\n'
    )
    with pytest.raises(InputError) as error:
        FixFile(path)
    lines = str(error.value).splitlines()
    assert [line.partition(": line ")[2][0] for line in lines] == ["2", "3", "4", "5"]
    assert "required field `value`" in lines[0]
    assert "write it as PARTITION:OFFSET" in lines[2]
    assert lines[3].endswith("letter 0:1 is there twice")
