"""The simulation as a stream of records in the order of the log.

A day of declarations spreads over weeks of events. Days are generated one after the other into
buckets, one a day of the log, and a bucket is handed out once no later day can add to it. Memory
holds about three months of events, however long the history is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, takewhile

import numpy as np

from kpi_stream.adapters.simulator import injection, stages
from kpi_stream.adapters.simulator.csv_source import CsvDeclarations
from kpi_stream.adapters.simulator.declaration_events import DeclarationEvents
from kpi_stream.adapters.simulator.declarations import GeneratedDeclarations, Source
from kpi_stream.adapters.simulator.life import LifeModel
from kpi_stream.adapters.simulator.office_hours import DAY_MS, OfficeHours
from kpi_stream.adapters.simulator.options import HISTORY_DAYS, SimulationOptions
from kpi_stream.adapters.simulator.other_events import OtherEvents
from kpi_stream.adapters.simulator.wire import EventWriter, Record, Turn, base32, digest

_REPLICA_DIGITS, _DAY_DIGITS = 5, 4


@dataclass(frozen=True, slots=True)
class Due:
    """A record of the live part and the moment to send it."""

    due_ms: int
    """Wall clock, milliseconds since 1970 UTC; never before the record's own time."""
    record: Record


class Simulation:
    """Generates days; each is the same whenever and however often it is asked for.

    Args:
        options: What to simulate.

    Raises:
        InputError: The file of declarations, the calendar or an option is wrong.
    """

    def __init__(self, options: SimulationOptions) -> None:
        self.options = options
        self.hours = OfficeHours(options.calendar)
        self.today = self.hours.day_of(options.now_ms)
        self.source: Source
        if options.declarations is None:
            self.source = GeneratedDeclarations(
                options, self.hours, last_day=self.today, days=options.days or HISTORY_DAYS
            )
        else:
            self.source = CsvDeclarations(options.declarations, options, today=self.today)
        self.first_day = self.source.first_day
        self._lives = LifeModel(options, self.hours, self.source.fraud)
        self._declarations = DeclarationEvents(options)
        self._others = OtherEvents(options, self.hours)

    @property
    def first_ms(self) -> int:
        """No record of the history is older; milliseconds since 1970 UTC."""
        return self.hours.midnight_ms(self.first_day) - stages.BEFORE_MS

    def on(self, day: int, replica: int = 0) -> list[Turn]:
        """Return the records that come from one local day, in no particular order."""
        options = self.options
        tag = base32(digest(options.seed, replica), _REPLICA_DIGITS) + base32(day, _DAY_DIGITS)
        draws = (np.random.default_rng([options.seed, day, replica, part]) for part in range(4))
        declaring, living, writing, spoiling = draws
        span = max(1, self.today - self.first_day)
        progress = min(1.0, max(0.0, (day - self.first_day) / span))
        declared = self.source.on(day, declaring, replica)
        life = self._lives.draw(day, progress, declared, living)
        writer = EventWriter(tag, options.source, writing)
        subjects = self._declarations.write(day, declared, life, writer)
        self._others.write(day, progress, subjects, writer)
        return injection.inject(writer.turns, options.injections, spoiling)

    def records(
        self, from_day: int, *, volume: int = 1, volume_from_ms: int = 0
    ) -> Iterator[Record]:
        """Yield records in the order of the log, without end.

        Args:
            from_day: Ordinal of the first local day that is generated.
            volume: Copies of each day, each with its own subjects and its own chance.
            volume_from_ms: A further copy leaves out subjects that begin before this.
        """
        buckets: dict[int, list[Turn]] = {}
        handed_out = -(10**9)
        for day in count(from_day):
            for turn in self._day(day, volume, volume_from_ms):
                buckets.setdefault(turn[0] // DAY_MS, []).append(turn)
            complete = (self.hours.midnight_ms(day + 1) - stages.BEFORE_MS) // DAY_MS
            for bucket in sorted(each for each in buckets if each < complete):
                if bucket < handed_out:
                    msg = "A day added to a part of the log that was handed out"
                    raise AssertionError(msg)
                handed_out = bucket
                for append_ms, _, key, value in sorted(buckets.pop(bucket)):
                    yield Record(key, value, append_ms)

    def _day(self, day: int, volume: int, volume_from_ms: int) -> Iterator[Turn]:
        yield from self.on(day)
        for replica in range(1, volume):
            turns = self.on(day, replica)
            begins: dict[bytes | None, int] = {}
            for turn in turns:
                begins[turn[2]] = min(turn[0], begins.get(turn[2], turn[0]))
            yield from (turn for turn in turns if begins[turn[2]] >= volume_from_ms)


def simulate(options: SimulationOptions) -> Iterator[Record]:
    """Yield the history in the order of the log, up to and including `options.now_ms`.

    The same options give the same bytes.

    Raises:
        InputError: The file of declarations, the calendar or an option is wrong.
    """
    simulation = Simulation(options)
    return takewhile(
        lambda record: record.append_ms <= options.now_ms,
        simulation.records(simulation.first_day),
    )


def live(
    options: SimulationOptions,
    *,
    from_ms: int | None = None,
    start_ms: int | None = None,
    speed: float = 1.0,
    volume: int = 1,
) -> Iterator[Due]:
    """Yield what comes after the history, without end, each with the moment to send it.

    An event can not be recorded in the future, so simulated time can catch up with the clock but
    never overtake it: `speed` matters while `from_ms` lies behind `start_ms`. `volume` makes the
    feed denser instead, at true durations.

    Args:
        options: As given to `simulate`.
        from_ms: Records up to this are left out; None: `options.now_ms`.
        start_ms: The clock at the start; None: `options.now_ms`.
        speed: Simulated milliseconds a millisecond while catching up; greater than 0.
        volume: How many times as many declarations are numbered from now on; at least 1.

    Raises:
        InputError: The file of declarations, the calendar or an option is wrong.
    """
    after = options.now_ms if from_ms is None else from_ms
    start = options.now_ms if start_ms is None else start_ms
    simulation = Simulation(options)
    longest = stages.AFTER_MS + injection.AFTER_MS
    first = max(simulation.first_day, simulation.hours.day_of(after - longest))
    for record in simulation.records(first, volume=volume, volume_from_ms=after + 1):
        if record.append_ms > after:
            scaled = start + round((record.append_ms - after) / speed)
            yield Due(max(record.append_ms, scaled), record)
