"""Expected outputs kept in files: compared in a test, written again only by ``make golden``."""

from pathlib import Path


class Golden:
    """Compares texts with files; with `update`, writes the files instead."""

    def __init__(self, *, update: bool) -> None:
        self._update = update

    def check(self, path: Path, text: str) -> None:
        """Fail unless the file holds exactly `text`; a missing file holds nothing.

        Raises:
            AssertionError: They differ; pytest shows the lines.
        """
        if self._update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        expected = path.read_text() if path.exists() else ""
        assert text == expected, f"{path.name} differs; if the change is right: make golden"
