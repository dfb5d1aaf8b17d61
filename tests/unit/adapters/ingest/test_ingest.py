"""What becomes of the lines of a file: sent, rejected with a reason, and never lost."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from kpi_stream.adapters.events.codec import EventCodec
from kpi_stream.adapters.ingest import IngestReport, ingest_file
from kpi_stream.adapters.ingest import ingest as module
from kpi_stream.domain.errors import InputError, Unavailable
from tests.unit.adapters.ingest.conftest import KeepingSender

NOW_MS = 1_800_000_000_000


def event(number: int, **changes: object) -> dict[str, object]:
    """Return a valid event."""
    return {
        "event_id": f"e{number}",
        "type": "goods.exited",
        "schema_version": 1,
        "subject": f"118-{number}",
        "occurred_at": "2025-03-01T10:00:00Z",
        "recorded_at": "2025-03-01T10:00:05Z",
        "office": "118",
    } | changes


def lines(*events: dict[str, object]) -> bytes:
    """Return events as JSONL."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in events)


@pytest.fixture
def run(decode):
    """Ingest with the packaged contract."""

    def run(
        path: Path,
        sender: KeepingSender | None = None,
        **options: Any,
    ) -> IngestReport:
        return ingest_file(path, sender or KeepingSender(), decode=decode, now_ms=NOW_MS, **options)

    return run


@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz"])
def test_lines_arrive_as_they_are(tmp_path, run, name):
    """Every line is sent byte for byte, keyed by its subject; blank lines count for nothing."""
    content = lines(event(1)) + b"\n" + lines(event(2)).rstrip(b"\n")
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    sender = KeepingSender()
    report = run(path, sender)
    sent = [json.dumps(event(number)).encode() for number in (1, 2)]
    assert sender.kept == [(b"118-1", sent[0]), (b"118-2", sent[1])]
    assert sender.flushes == 1
    assert (report.accepted, report.rejected, report.rejected_path) == (2, {}, None)
    assert not list(tmp_path.glob("*.rejected.jsonl"))


def test_rejected_lines_are_kept_with_their_reason(tmp_path, run):
    """What is not an event is not sent, but written down with line, reason and text."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        lines(event(1), event(2, office="999"))
        + b"{broken\n"
        + lines(event(4, recorded_at="2030-01-01T00:00:00Z"))
    )
    sender = KeepingSender()
    report = run(path, sender)
    assert [key for key, _ in sender.kept] == [b"118-1"]
    assert report.rejected == {"unknown_office": 1, "not_json": 1, "future_time": 1}
    assert [(each.line, each.reason) for each in report.details] == [
        (2, "unknown_office"),
        (3, "not_json"),
        (4, "future_time"),
    ]
    told = [json.loads(line) for line in report.rejected_path.read_text().splitlines()]
    assert [(each["line"], each["reason"]) for each in told] == [
        (2, "unknown_office"),
        (3, "not_json"),
        (4, "future_time"),
    ]
    assert told[1]["text"] == "{broken"
    assert report.rejected_path == tmp_path / "events.jsonl.rejected.jsonl"


@pytest.mark.parametrize("packed", [False, True])
def test_an_interrupted_run_goes_on_behind_its_last_checkpoint(tmp_path, run, monkeypatch, packed):
    """After a failure the next run repeats less than a checkpoint and loses nothing."""
    monkeypatch.setattr(module, "CHECKPOINT_LINES", 10)
    path = tmp_path / ("events.jsonl.gz" if packed else "events.jsonl")
    content = b"".join(
        b"{broken\n" if number % 7 == 3 else lines(event(number)) for number in range(50)
    )
    path.write_bytes(gzip.compress(content) if packed else content)
    good = [f"118-{number}".encode() for number in range(50) if number % 7 != 3]

    first = KeepingSender(breaks_after=30)
    with pytest.raises(Unavailable, match="broker is gone"):
        run(path, first)
    second = KeepingSender()
    report = run(path, second)

    # Records 0 to 29 are lines 0 to 34; the last checkpoint was behind line 29.
    assert [key for key, _ in first.kept] == good[:30]
    assert [key for key, _ in second.kept] == [k for k in good if int(k.split(b"-")[1]) >= 30]
    assert (report.resumed_after, report.lines, report.accepted) == (30, 50, len(good))
    assert report.rejected == {"not_json": 7}
    told = [json.loads(line)["line"] for line in report.rejected_path.read_text().splitlines()]
    assert told == [number + 1 for number in range(50) if number % 7 == 3]


def test_rejections_behind_the_last_checkpoint_are_told_anew(tmp_path, decode, monkeypatch):
    """What an interrupted run wrote there is gone if the next run accepts those lines."""
    monkeypatch.setattr(module, "CHECKPOINT_LINES", 2)
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x\n" + lines(event(1), event(2, office="999"), event(3)))
    with pytest.raises(Unavailable):
        ingest_file(path, KeepingSender(breaks_after=1), decode=decode, now_ms=NOW_MS)
    widened = EventCodec(frozenset({"118", "999"}), 0, 65_536).decode_value
    report = ingest_file(path, KeepingSender(), decode=widened, now_ms=NOW_MS)
    assert (report.accepted, report.rejected) == (3, {"not_json": 1})
    (told,) = report.rejected_path.read_text().splitlines()
    assert json.loads(told)["line"] == 1


def test_a_finished_file_is_not_sent_again_unless_asked(tmp_path, run):
    """A second run sends nothing and says so; restart sends all of it again."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines(event(1), event(2)) + b"x\n")
    run(path)
    second = KeepingSender()
    report = run(path, second)
    assert (second.kept, report.already_complete, report.accepted) == ([], True, 2)
    third = KeepingSender()
    report = run(path, third, restart=True)
    assert (len(third.kept), report.already_complete, report.rejected) == (
        2,
        False,
        {"not_json": 1},
    )
    assert len(report.rejected_path.read_text().splitlines()) == 1


def test_a_file_that_grew_is_continued(tmp_path, run):
    """Lines that were added since are sent, and only they."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines(event(1)))
    run(path)
    with path.open("ab") as file:
        file.write(lines(event(2)))
    sender = KeepingSender()
    report = run(path, sender)
    assert [key for key, _ in sender.kept] == [b"118-2"]
    assert (report.resumed_after, report.accepted) == (1, 2)


def test_a_place_in_another_content_is_refused(tmp_path, run):
    """The place of another file of the same name is not used, and the text says what to do."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines(event(1)))
    run(path)
    path.write_bytes(lines(event(7), event(8)))
    with pytest.raises(
        InputError, match=r"events\.jsonl\.ingest\.json: .*another content.*--restart"
    ):
        run(path)


def test_a_place_in_an_earlier_topic_is_refused(tmp_path, run):
    """A topic that was made anew under the same name is not taken for the old one."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines(event(1)))
    run(path)
    with pytest.raises(InputError, match=r"an earlier topic named customs\.events.*--restart"):
        run(path, KeepingSender(topic_id="two"))


@pytest.mark.parametrize("content", ["", "[]", '{"version": 9}', '{"version": 1, "line": 3}'])
def test_a_damaged_place_is_refused(tmp_path, run, content):
    """A state file that is not whole is not guessed at."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines(event(1)))
    (tmp_path / "events.jsonl.ingest.json").write_text(content)
    with pytest.raises(InputError, match="--restart"):
        run(path)


def test_the_place_can_be_kept_elsewhere(tmp_path, run):
    """A given state file is used in place of the one beside the file."""
    path, state = tmp_path / "events.jsonl", tmp_path / "elsewhere.json"
    path.write_bytes(lines(event(1)))
    run(path, resume_state=state)
    assert state.exists()
    assert not (tmp_path / "events.jsonl.ingest.json").exists()


def test_progress_reaches_the_size_of_the_file(tmp_path, run, monkeypatch):
    """Progress is told at checkpoints, in bytes on disk, and ends at all of them."""
    monkeypatch.setattr(module, "CHECKPOINT_LINES", 2)
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines(*(event(number) for number in range(5))))
    told = []
    run(path, on_progress=told.append)
    assert [each.accepted for each in told] == [2, 4, 5]
    assert told[-1].bytes_read == told[-1].bytes_total == path.stat().st_size


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("events.jsonl", None, r"events\.jsonl: cannot be read: No such file"),
        ("events.csv", b"a,b\n", r"events\.csv: a CSV file needs a mapping"),
        ("events.jsonl.gz", b"not gzip", r"events\.jsonl\.gz: not a gzip file"),
        (
            "events.jsonl.gz",
            gzip.compress(lines(*(event(n) for n in range(99))))[:-20],
            r"events\.jsonl\.gz.*: the compressed file ends early",
        ),
    ],
)
def test_an_unreadable_file_is_named(tmp_path, run, name, content, words):
    """What is wrong with a file is said with its name."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        run(path)
