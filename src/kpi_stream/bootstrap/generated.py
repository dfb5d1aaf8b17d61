"""What is generated from the code: event schemas and the README's table of settings."""

import re
from pathlib import Path

from kpi_stream.adapters.events.schema import schema_text, schemas
from kpi_stream.domain.errors import InputError
from kpi_stream.settings import PREFIX, Settings

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
