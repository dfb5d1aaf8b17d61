"""What needs no broker: replay, and what is generated from the code."""

import re
from pathlib import Path

from kpi_stream.adapters.event_files import read_lines
from kpi_stream.adapters.events.schema import schema_text, schemas
from kpi_stream.adapters.state_codec import MsgspecStateCodec
from kpi_stream.application.replay import Replay, Tally
from kpi_stream.application.scorecard import Evaluation, Scorecard
from kpi_stream.bootstrap.common import event_codec, now_ms, retention
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.events import Event
from kpi_stream.domain.strategy import Strategy
from kpi_stream.settings import PREFIX, Settings


def replay_file(
    path: Path, strategy: Strategy, settings: Settings, as_of_ms: int | None = None
) -> tuple[Evaluation, Tally]:
    """Fold a file and judge it at an instant; by default the newest recording in it.

    Raises:
        InputError: The file cannot be read, or no event in it was accepted.
    """
    codec = event_codec(settings, strategy)

    def decode(_: bytes | None, value: bytes | None, received_ms: int) -> Event:
        return codec.decode_value(value, received_ms)

    replay = Replay(strategy, MsgspecStateCodec(), retention(settings))
    replay.take(((None, line) for line in read_lines(path)), decode, now_ms(), as_of_ms)
    if as_of_ms is None and replay.tally.newest_ms < 0:
        reasons = ", ".join(f"{n} {reason}" for reason, n in replay.tally.rejected.items())
        msg = f"{path}: no event was accepted ({reasons or 'the file is empty'})"
        raise InputError(msg)
    replay.drain()
    at_ms = replay.tally.newest_ms if as_of_ms is None else as_of_ms
    return Scorecard(strategy, replay.table).evaluate(at_ms), replay.tally


_TABLE = re.compile(r"(<!-- settings -->\n).*?(<!-- /settings -->)", re.DOTALL)


def settings_table() -> str:
    """Return the settings as a Markdown table."""
    lines = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for name, each in Settings.model_fields.items():
        default = "" if each.default in (None, "") else f"`{each.default}`"
        lines.append(f"| `{PREFIX}{name.upper()}` | {default} | {each.description} |")
    return "\n".join(lines) + "\n"


def generated_files(root: Path) -> dict[Path, str]:
    """Return the content of every generated file, by path.

    Raises:
        InputError: There is no README, or it has no place for the settings.
    """
    readme = root / "README.md"
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as err:
        msg = f"{readme}: cannot be read: {err.strerror}; name the project's folder with --root"
        raise InputError(msg) from err
    if _TABLE.search(text) is None:
        msg = f"{readme}: the marks <!-- settings --> and <!-- /settings --> are missing"
        raise InputError(msg)
    files = {readme: _TABLE.sub(lambda found: found[1] + settings_table() + found[2], text)}
    for name, schema in schemas().items():
        files[root / "schemas" / f"{name}.json"] = schema_text(schema)
    return files
