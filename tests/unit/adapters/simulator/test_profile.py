"""The profile of an administration: which offices get how much, by which mode."""

from pathlib import Path

import pytest

import kpi_stream
from kpi_stream.adapters.simulator import OfficeShare, read_profile
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from kpi_stream.domain.errors import InputError

CODES = frozenset({"A", "B"})


def test_a_profile_gives_offices_in_its_order(tmp_path):
    """Shares and modes come from the file; without modes an office takes every mode."""
    path = tmp_path / "profile.yaml"
    path.write_text("offices:\n  B: {share: 2, modes: {sea: 1, air: 3}}\n  A: {share: 1}\n")
    profile = read_profile(path, CODES)
    assert profile.offices == (
        OfficeShare("B", 2.0, {"sea": 1.0, "air": 3.0}),
        OfficeShare("A", 1.0, {}),
    )
    assert profile.regimes == ()


def test_a_profile_may_name_regimes(tmp_path):
    """Regimes keep their order: the first is the ordinary one."""
    path = tmp_path / "profile.yaml"
    path.write_text('offices: {A: {share: 1}}\nregimes: {"40": 3, "10": 1}\n')
    assert read_profile(path, CODES).regimes == (("40", 3.0), ("10", 1.0))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("offices: {C: {share: 1}}", "no office 'C'"),
        ("offices: {A: {share: 0}}", r"offices\.A\.share: .*greater than 0"),
        ("offices: {A: {share: 1, modes: {tube: 1}}}", r"offices\.A\.modes\.tube"),
        ("offices: {}", "offices: "),
        ("{offices: {A: {share: 1}}, regimes: {sea: 1}}", r"regimes\.sea"),
        ("- A", "profile: "),
        ("offices: [", "is not YAML"),
    ],
)
def test_a_wrong_profile_is_refused_with_its_place(tmp_path, content, words):
    """The text names the file and the place in it."""
    path = tmp_path / "profile.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=rf"profile\.yaml: .*{words}"):
        read_profile(path, CODES)


def test_a_missing_profile_is_named(tmp_path):
    """The text names the file."""
    with pytest.raises(InputError, match=r"profile\.yaml: cannot be read"):
        read_profile(tmp_path / "profile.yaml", CODES)


def test_the_packaged_profile_fits_the_packaged_strategy():
    """Every office of the profile is one of the strategy, and sea and air lead."""
    folder = packaged_strategy_path()
    offices = read_profile(
        folder / "simulation" / "profile.yaml", load_strategy(folder).offices
    ).offices
    assert sum(office.share for office in offices) == pytest.approx(100, abs=1)
    busiest = sorted(offices, key=lambda office: -office.share)[:2]
    assert [max(office.modes, key=office.modes.__getitem__) for office in busiest] == ["sea", "air"]


def test_the_simulator_knows_no_administration():
    """No module of the package names one, or one of its office codes."""
    package = Path(kpi_stream.__file__).parent / "adapters" / "simulator"
    for path in package.glob("*.py"):
        words = path.read_text().casefold()
        assert not {"sunat", "peru", "callao", "lima"} & set(words.split()), path.name
