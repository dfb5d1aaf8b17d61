"""Files of records: whole or not there, and the same bytes every time."""

import gzip
from collections.abc import Iterator

import pytest

from kpi_stream.adapters.simulator import Record, write_jsonl
from kpi_stream.domain.errors import InputError

RECORDS = [Record(b"k", b'{"n":1}', 10), Record(None, b"\xffbroken", 20)]


@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz"])
def test_a_record_is_a_line(tmp_path, name):
    """Each value is one line, malformed ones as they are, and the count comes back."""
    path = tmp_path / name
    told = []
    assert write_jsonl(RECORDS, path, lambda *each: told.append(each)) == 2
    content = path.read_bytes()
    lines = gzip.decompress(content) if name.endswith("gz") else content
    assert lines == b'{"n":1}\n\xffbroken\n'
    assert told[-1] == (2, 20)


def test_a_compressed_file_has_no_time_and_no_name_in_it(tmp_path):
    """The same records give the same bytes, whatever the file is called and whenever."""
    write_jsonl(RECORDS, tmp_path / "a.gz")
    write_jsonl(RECORDS, tmp_path / "b.gz")
    content = (tmp_path / "a.gz").read_bytes()
    assert content == (tmp_path / "b.gz").read_bytes()
    assert content[4:8] == bytes(4)


def test_an_interrupted_file_is_not_there(tmp_path):
    """A failure half-way leaves the earlier file as it was, and nothing else."""
    path = tmp_path / "events.jsonl"
    write_jsonl(RECORDS[:1], path)

    def failing() -> Iterator[Record]:
        yield RECORDS[1]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_jsonl(failing(), path)
    assert path.read_bytes() == b'{"n":1}\n'
    assert [each.name for each in tmp_path.iterdir()] == ["events.jsonl"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    """The text says which file and why."""
    with pytest.raises(InputError, match=r"gone/events\.jsonl: cannot be written: No such file"):
        write_jsonl(RECORDS, tmp_path / "gone" / "events.jsonl")
