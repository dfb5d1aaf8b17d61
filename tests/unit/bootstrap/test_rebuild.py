"""Which epoch a rebuild counts into, and what a process does with the one that serves."""

import pytest

from kpi_stream.adapters.kafka.epochs import Serving
from kpi_stream.bootstrap.common import application, topics
from kpi_stream.bootstrap.epochs import Epoch, find_epoch
from kpi_stream.bootstrap.rebuild import EpochReport, Wanted, choose, list_epochs
from kpi_stream.domain.errors import InputError
from kpi_stream.domain.events import STATE_VERSION
from kpi_stream.settings import Settings

OLD, NEW = "old definitions", "new definitions"


def epochs(*found: str | None, version: int = STATE_VERSION) -> dict[int, EpochReport]:
    """Epochs from 1 on, by the definitions that they are counted by."""
    return {number: report(number, by, version) for number, by in enumerate(found, 1)}


def report(number: int, by: str | None, version: int = STATE_VERSION) -> EpochReport:
    """An epoch with some events, or none where it is counted by nothing."""
    return EpochReport(
        number,
        serving=False,
        fingerprint=by,
        state_version=None if by is None else version,
        events=0 if by is None else 9,
        flushed_ms=None if by is None else 0,
    )


@pytest.mark.parametrize(
    ("found", "serving", "wanted", "number"),
    [
        # A changed strategy goes into a new epoch.
        ([OLD], 1, Wanted(), 2),
        # A rebuild that was killed goes on, before its first flush and after it.
        ([OLD, None], 1, Wanted(), 2),
        ([OLD, NEW], 1, Wanted(), 2),
        # One of a third strategy is left alone.
        ([OLD, "third"], 1, Wanted(), 3),
        # The definitions serve already, or nothing is counted at all.
        ([NEW], 1, Wanted(), 1),
        ([OLD, NEW], 2, Wanted(), 2),
        ([None], 1, Wanted(), 1),
        # Back to an epoch of these definitions.
        ([NEW, OLD], 2, Wanted(), 1),
        ([NEW, OLD], 2, Wanted(switch_to=1), 1),
        # Once more from the first event, and on with that where it was cut off.
        ([NEW], 1, Wanted(again=True), 2),
        ([NEW, NEW], 1, Wanted(again=True), 2),
        ([NEW, NEW], 2, Wanted(again=True), 3),
    ],
)
def test_the_epoch_follows_from_what_there_is(
    found: list[str | None], serving: int, wanted: Wanted, number: int
) -> None:
    """By the definitions that each is counted by."""
    assert choose(wanted, epochs(*found), Serving(serving), NEW) == number


def test_another_version_of_the_state_is_counted_again() -> None:
    """The definitions are the same, and what is stored is another."""
    found = epochs(NEW, version=STATE_VERSION - 1)
    assert choose(Wanted(), found, Serving(), NEW) == 2


def test_an_empty_epoch_belongs_to_what_the_record_says() -> None:
    """Nothing is counted in it yet, and workers of another strategy refuse it."""
    found = epochs(OLD, None)
    assert choose(Wanted(), found, Serving(2, 1, 1, NEW), NEW) == 2
    assert choose(Wanted(), found, Serving(2, 1, 1, "third"), NEW) == 3


def test_a_removed_epoch_gives_its_number_to_no_other() -> None:
    """The newest one serves; an older one is gone."""
    found = {3: report(3, OLD)}
    assert choose(Wanted(), found, Serving(3, 2, 2), NEW) == 4


@pytest.mark.parametrize(
    ("number", "text"),
    [(7, r"no epoch 7; there are: 1, 2"), (2, r"epoch 2 is counted by other definitions \(old")],
)
def test_a_named_epoch_must_be_there_and_fit(number: int, text: str) -> None:
    """Its strategy is needed to bring it up to date."""
    with pytest.raises(InputError, match=text):
        choose(Wanted(switch_to=number), epochs(NEW, OLD), Serving(), NEW)


def test_a_pinned_epoch_follows_no_record() -> None:
    """No broker is asked; and no rebuild goes on beside it."""
    pinned = Settings(epoch=2)
    found = find_epoch(pinned)
    assert (found.settings.epoch, found.handover, found.reads) == (2, None, {})
    with pytest.raises(InputError, match="KPI_STREAM_EPOCH pins epoch 2; unset it"):
        list_epochs(pinned)


def test_names_follow_from_the_epoch() -> None:
    """The first has none in its names, whether it is pinned or not."""
    for settings in (Settings(), Settings(epoch=1)):
        assert (topics(settings).rows, application(settings)) == ("kpi.rows", "kpi-stream")
    settings = Settings(epoch=2)
    assert (topics(settings).rows, application(settings)) == ("kpi.rows.2", "kpi-stream.2")
    assert application(settings, 1) == "kpi-stream"


def test_no_other_definitions_get_into_an_epoch() -> None:
    """Also where it is empty yet, so that no stored row could tell."""
    epoch = Epoch(Settings(epoch=2), Serving(2, 1, 1, NEW), None)
    epoch.require_definitions(NEW)
    Epoch(Settings(epoch=1), Serving(), None).require_definitions(OLD)
    with pytest.raises(InputError, match=r"epoch 2 serves.*\(new definitions\).*\(old .*rebuild"):
        epoch.require_definitions(OLD)
