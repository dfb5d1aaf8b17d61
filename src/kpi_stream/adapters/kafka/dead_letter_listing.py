"""What waits among the dead letters: counts by reason and partition, and single letters."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from kpi_stream.adapters.kafka.dead_letter_log import DeadLetterReader, Letter
from kpi_stream.adapters.kafka.redrive import Selection, selected


@dataclass(slots=True)
class Group:
    """The letters of one reason and partition."""

    letters: int = 0
    redriven: int = 0
    """Of those, how many were sent back."""
    tried: int = 0
    """Of those, how many had been sent back before and were rejected again."""
    first_ms: int = 0
    """When the first of them was rejected; ms since 1970."""
    last_ms: int = 0

    def add(self, letter: Letter, *, redriven: bool) -> None:
        """Count a letter."""
        at = letter.rejected_ms
        self.first_ms = min(self.first_ms, at) if self.letters else at
        self.last_ms = max(self.last_ms, at)
        self.letters += 1
        self.redriven += redriven
        self.tried += letter.tries > 0


@dataclass(slots=True)
class Listing:
    """What was found."""

    groups: dict[tuple[str, int], Group] = field(default_factory=dict)
    """By reason and partition."""
    letters: list[Letter] = field(default_factory=list)
    """The first letters that wait, without what they keep."""
    others: int = 0
    """Records that are neither dead letters nor markers."""


OnLetter: TypeAlias = Callable[[Letter, bool], None]
"""Given a letter, and whether it was sent back."""


async def listing(reader: DeadLetterReader, selection: Selection, limit: int) -> Listing:
    """Return counts of the selected letters, and the first of those that wait."""
    found, survey = Listing(), await reader.survey()
    async for batch in reader.letters(survey):
        for place, letter in batch:
            if letter is None:
                found.others += 1
            elif selection.takes(letter):
                redriven = place.offset in survey.redriven[place.partition]
                group = found.groups.setdefault((letter.reason, place.partition), Group())
                group.add(letter, redriven=redriven)
                if not redriven and len(found.letters) < limit:
                    found.letters.append(replace(letter, value=None, headers=()))
    return found


async def show(
    reader: DeadLetterReader, selection: Selection, limit: int | None, on_letter: OnLetter
) -> int:
    """Hand over the selected letters, at most `limit`; return how many there were."""
    count, survey = 0, await reader.survey()
    async for letter, redriven in selected(reader, survey, selection):
        if limit is not None and count >= limit:
            break
        on_letter(letter, redriven)
        count += 1
    return count
