"""Pages lead where they say: links, decisions, tests that they cite, pictures."""

import importlib.util
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from kpi_stream.adapters.simulator import SimulationOptions, office_shares, simulate, write_jsonl
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.adapters.web.api.scorecard import scorecard
from kpi_stream.bootstrap.offline import replay_file
from kpi_stream.domain.events import STATE_VERSION
from kpi_stream.settings import Settings
from tests.support.documents import (
    DECISIONS,
    README,
    ROOT,
    anchors,
    broken_links,
    code,
    links,
    pages,
)

RECORDS = sorted(DECISIONS.glob("[0-9]*.md"))
HALF_A_PAGE = 400
"""Words; the README of the folder says half a page."""
IMAGES = ROOT / "docs" / "img"
NOON_MS = 1_773_853_650_000  # 2026-03-18T17:07:30Z


def named(path: Path) -> str:
    """Return a page's path from the root, for the name of a test."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", pages(), ids=named)
def test_every_relative_link_resolves(page: Path):
    """A link within the project leads to a file or folder, and its anchor to a heading."""
    assert broken_links(page) == []


def test_a_broken_link_is_seen(tmp_path: Path):
    """A missing file, a missing anchor and a missing picture are found; code and URLs are not."""
    page = tmp_path / "page.md"
    page.write_text(
        "# Some heading: here\n[a](gone.md) [b](#some-heading-here) [c](#other) ![d](no.svg)\n"
        "[e](https://example.org/x) `[f](gone.md)` [g](page.md#some-heading-here)\n"
    )
    assert anchors(page) == {"some-heading-here"}
    assert broken_links(page) == ["gone.md", "#other", "no.svg"]


def test_every_page_can_be_reached():
    """From the README one can click to every page, but for those beside what they describe."""
    seen, ahead = set(), [README]
    while ahead:
        page = ahead.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        for link in links(page):
            name = link.partition("#")[0]
            if name and "://" not in name:
                target = (page.parent / name).resolve()
                ahead.append(target / "README.md" if target.is_dir() else target)
    lonely = {named(page) for page in pages()} - {named(page) for page in seen}
    assert lonely <= {"tests/strategies/README.md"}


def test_every_decision_is_listed_once_in_order():
    """The list has each record, under its own number and title."""
    listed = re.findall(
        r"^\| \[(\d{4})\]\((.+?)\) \| (.+) \|$", (DECISIONS / "README.md").read_text(), re.MULTILINE
    )
    assert [name for _, name, _ in listed] == [path.name for path in RECORDS]
    assert [int(number) for number, _, _ in listed] == list(range(1, len(RECORDS) + 1))
    for number, name, title in listed:
        heading = (DECISIONS / name).read_text().splitlines()[0]
        assert heading == f"# {number}: {title}"


@pytest.mark.parametrize("path", RECORDS, ids=named)
def test_a_decision_is_short_and_has_its_parts(path: Path):
    """What, why, on what evidence, at what cost; in half a page."""
    text = path.read_text()
    assert [part for part in ("Decision.", "Cost.") if f"**{part}**" not in text] == []
    assert re.search(r"\*\*(Why|It proves)", text)
    assert re.search(r"`(tests/[\w./]+|docs/[\w./]+)`", text), "no evidence in the project"
    assert len(text.split()) <= HALF_A_PAGE


CITED = re.compile(r"(?<![\w/.-])(?:tests|docs|src|benchmarks|examples)/[\w./-]*\w")


def cited() -> list[tuple[str, str]]:
    """Return (page, path) of every file or folder of the project that the code of a page names."""
    return [
        (named(page), name)
        for page in pages()
        for line in code(page)
        for name in CITED.findall(line)
    ]


def test_everything_cited_exists():
    """A page names no test, module, example or folder that is gone."""
    assert len(cited()) > 60
    assert [each for each in cited() if not (ROOT / each[1]).exists()] == []


def test_decisions_that_the_code_names_exist():
    """A docstring that refers to ADR-0002 refers to something."""
    numbers = {path.name[:4] for path in RECORDS}
    named_in_code = {
        number
        for path in (ROOT / "src").rglob("*.py")
        for number in re.findall(r"ADR-(\d{4})", path.read_text())
    }
    assert named_in_code
    assert named_in_code <= numbers


def test_the_changelog_names_the_version_of_the_state():
    """The newest State entry is that of the state that this program writes."""
    text = (ROOT / "CHANGELOG.md").read_text()
    entry = text[text.index("### State") :]
    assert f"Version {STATE_VERSION}." in entry
    for topic in ("customs.events", "kpi.declarations", "kpi.rows", "kpi.readings"):
        assert f"`{topic}`" in entry


@pytest.mark.parametrize("picture", sorted(IMAGES.glob("*.svg")), ids=named)
def test_a_picture_needs_nothing_from_elsewhere(picture: Path):
    """It is a whole SVG with a title, a ground of its own, and no reference to the outside."""
    text = picture.read_text()
    root = ET.fromstring(text)  # noqa: S314  (our own file)
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    assert root.find("{http://www.w3.org/2000/svg}rect") is not None
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert picture.stat().st_size < 64_000
    assert picture in [(page.parent / link).resolve() for page in pages() for link in links(page)]


@pytest.fixture
def draw() -> Callable[..., str]:
    """The function of the script that draws the screenshot."""
    spec = importlib.util.spec_from_file_location("scorecard_picture", IMAGES / "scorecard.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.drawn


def test_the_screenshot_can_be_drawn_again(draw: Callable[..., str], tmp_path: Path):
    """From the JSON that the scorecard serves now, with the frame of the committed picture."""
    strategy = load_strategy(packaged_strategy_path())
    options = SimulationOptions(
        now_ms=NOON_MS,
        offices=office_shares(sorted(strategy.offices)),
        calendar=strategy.calendar,
        days=40,
        per_day=10.0,
        kpis=tuple(each.id for each in strategy.kpis),
    )
    write_jsonl(simulate(options), tmp_path / "events.jsonl", lambda *_: None)
    evaluation, _ = replay_file(tmp_path / "events.jsonl", strategy, Settings())
    document = json.loads(json.dumps(scorecard(evaluation)))
    document["caught_up"] = True
    picture = draw(document)
    committed = (IMAGES / "scorecard.svg").read_text()
    assert ET.fromstring(picture) is not None  # noqa: S314
    assert "Release time, mean" in picture
    assert (
        picture.partition("<style>")[0].partition("viewBox")[0]
        == (committed.partition("<style>")[0].partition("viewBox")[0])
    )
