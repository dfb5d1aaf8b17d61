"""A golden file fails on any difference, and only an explicit update writes it."""

from pathlib import Path

import pytest

from tests.support.golden import Golden


def test_a_difference_fails_and_is_not_written(tmp_path: Path):
    """Another text than the file's fails and leaves the file alone; so does a missing file."""
    path = tmp_path / "readings.json"
    with pytest.raises(AssertionError, match="make golden"):
        Golden(update=False).check(path, "new\n")
    path.write_text("old\n")
    with pytest.raises(AssertionError):
        Golden(update=False).check(path, "new\n")
    assert path.read_text() == "old\n"


def test_an_update_is_what_the_next_check_expects(tmp_path: Path):
    """After an update the same text passes."""
    path = tmp_path / "case" / "readings.json"
    Golden(update=True).check(path, "new\n")
    Golden(update=False).check(path, "new\n")
