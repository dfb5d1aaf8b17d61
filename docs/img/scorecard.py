# ruff: noqa: INP001  (a script, not a package)
"""Draw the scorecard of a running demo as `docs/img/scorecard.svg`.

Start `make demo`, wait for the scorecard, then in another terminal:

    .venv/bin/python docs/img/scorecard.py http://127.0.0.1:9100
"""

import io
import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from rich.console import Console

from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.cli.demo.table import scorecard_table

PICTURE = Path(__file__).with_name("scorecard.svg")
COLUMNS = 150

# Rich's own frame fetches a font from elsewhere and clips every line; neither is needed.
FRAME = """<svg xmlns="http://www.w3.org/2000/svg" role="img" xml:space="preserve" viewBox="BOX">
<title>The scorecard of the demo in a terminal</title>
<style>
text {{ font: 20.26px "DejaVu Sans Mono", ui-monospace, Menlo, Consolas, monospace }}
{styles}
</style>
<rect x="-20" y="-16" width="100%" height="100%" rx="12" fill="#202124"/>
{matrix}
</svg>
"""
_RUN = re.compile(
    r'<text class="(\S+)" x="(\S+)" y="(\S+)" textLength="(\S+)"[^>]*>(.*?)</text>', re.DOTALL
)

_LINE = 100
"""A run of more characters is a line of the frame, which must be as wide as the table."""


def drawn(document: dict[str, Any], language: str = "en") -> str:
    """Return the picture of what the scorecard's API answered."""
    strategy = load_strategy(packaged_strategy_path())
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(scorecard_table(document, strategy, language, COLUMNS))
    picture = console.export_svg(code_format=FRAME, unique_id="s")
    lines = [line for line in _RUN.sub(_placed, picture).splitlines() if line.strip()]
    bottom = max(float(y) for y in re.findall(r'y="([0-9.]+)"', picture))
    box = f"-20 -16 {COLUMNS * 12.2 + 40:.0f} {bottom + 40:.0f}"
    return "\n".join(lines).replace("BOX", box, 1) + "\n"


def _placed(run: re.Match[str]) -> str:
    """Place a run of characters by its first visible one: not every viewer keeps leading spaces."""
    style, x, y, length, text = run.groups()
    text = text.replace("&#160;", " ").rstrip()
    before = len(text) - len(text.lstrip())
    if not text:
        return ""
    width = float(length) / len(run[5].replace("&#160;", " "))
    at = f'class="{style}" x="{float(x) + before * width:.1f}" y="{float(y):.1f}"'
    if len(text) > _LINE:
        at += f' textLength="{float(length):.1f}"'
    return f"<text {at}>{text.lstrip()}</text>\n"


if __name__ == "__main__":
    with urlopen(f"{sys.argv[1]}/api/v1/scorecard", timeout=30) as answer:  # noqa: S310  (as given)
        PICTURE.write_text(drawn(json.load(answer)), encoding="utf-8")
