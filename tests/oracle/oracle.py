"""The oracle: every KPI, window, dimension and member at an instant, by SQL over the events."""

import csv
import re
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from tests.oracle.lines import FIELDS, Refused, raw_lines, read_line
from tests.oracle.local_time import DAY_MS, LocalTime, Window, floor_pane, milliseconds
from tests.oracle.parameters import KpiParameters, Parameters, read_parameters

HERE = Path(__file__).parent
NULL = "\\N"
FLAGS = frozenset({"aeo", "electronic", "after_release", "finding"})
NUMBERS = frozenset({"score", "waiting_ms", "weight_grams"})

Key = tuple[str, str, str, str]
"""KPI, window, dimension, member; `national` and the empty text for the whole."""


class OracleReading(NamedTuple):
    """What the oracle says of one series."""

    value: float | None
    """In the KPI's unit; None where there are too few samples or nothing to divide by."""
    numerator: int
    denominator: int
    samples: int


class Wait(NamedTuple):
    """A declaration that waits for its release."""

    subject: str
    office: str
    due_ms: int
    """When its 48 hours are over."""
    channel: str | None
    stage: str
    since_ms: int
    """When the newest event of its way happened."""


class Section(NamedTuple):
    """One query of `kpis.sql`."""

    form: str
    older_ms: int
    """Limit of a stock; 0 otherwise."""
    query: str


# Form -> what to add up. The columns are the numerator, the denominator and the samples; where
# the reading needs more, a fourth.
SUMS = {
    "mean": "sum(took), count(*), count(*)",
    "p50": "list_sort(list(took))[1 + (50 * (count(*) - 1)) // 100], 1, count(*)",
    "p90": "list_sort(list(took))[1 + (90 * (count(*) - 1)) // 100], 1, count(*)",
    "share": "count_if(part), count(*), count(*)",
    "due": "count_if(part), count(*), count(*)",
    "amount": "sum(amount), 1, count(*)",
    "plan": "sum(amount), 1, count(*)",
    "amount_share": "coalesce(sum(part), 0), coalesce(sum(whole), 0), count_if(counts)",
    "stock": "count_if(counts_at < {older}), count(*), count(*)",
    "lift": (
        "count_if(grouped AND part) * count_if(against),"
        " count_if(grouped) * count_if(against AND part),"
        " least(count_if(grouped), count_if(against))"
    ),
}


def sections(text: str) -> dict[str, Section]:
    """Return the queries of a file by KPI id.

    Raises:
        ValueError: A heading names a form that does not exist, or an id twice.
    """
    found: dict[str, Section] = {}
    parts = re.split(r"^-- kpi: (\S+) (\w+)(?: (\d+)d)?$", text, flags=re.MULTILINE)[1:]
    for kpi, form, days, query in zip(*[iter(parts)] * 4, strict=True):
        if form not in SUMS or kpi in found:
            msg = f"{kpi}: unknown form {form}, or declared twice"
            raise ValueError(msg)
        # Between two headings lie one statement and the comment that introduces the next.
        found[kpi] = Section(form, int(days or 0) * DAY_MS, query[: query.index(";\n")])
    return found


class Oracle:
    """Reads a file of events once and answers for any instant.

    Args:
        events_path: JSONL, gzipped where the name ends in `.gz`.
        strategy_dir: The YAML files of a strategy.
        received_at: When the file is read; decides which events come from the future.
        skew: How far clocks may differ.
        max_bytes: Longer lines are refused.
        queries: The text of the KPI queries; the SUNAT ones unless told.
    """

    def __init__(
        self,
        events_path: Path,
        strategy_dir: Path,
        received_at: datetime = datetime(2100, 1, 1, tzinfo=UTC),
        skew: timedelta = timedelta(minutes=5),
        max_bytes: int = 65_536,
        queries: str | None = None,
    ) -> None:
        self.parameters: Parameters = read_parameters(strategy_dir)
        self.time = LocalTime(self.parameters.time_zone)
        text = queries if queries is not None else (HERE / "kpis.sql").read_text("utf-8")
        self.sections = sections(text)
        self.rejected: Counter[str] = Counter()
        self._as_of: int | None = None
        self._db = duckdb.connect()
        limits = (milliseconds(received_at), skew // timedelta(milliseconds=1), max_bytes)
        self._load(events_path, limits)

    def _load(self, path: Path, limits: tuple[int, int, int]) -> None:
        numbers = {name for name in FIELDS if name.endswith("_cents")} | NUMBERS
        kinds = dict.fromkeys(FIELDS, "VARCHAR")
        kinds |= dict.fromkeys(numbers, "BIGINT") | dict.fromkeys(FLAGS, "BOOLEAN")
        columns = {"line": "BIGINT", "type": "VARCHAR", "subject": "VARCHAR"}
        columns |= {"event_id": "VARCHAR", "recorded_ms": "BIGINT", "occurred_ms": "BIGINT"}
        columns |= {"corrects": "VARCHAR", "content": "VARCHAR"} | kinds
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "accepted.csv"
            with table.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(self._accepted(path, limits))
            self._db.execute(
                "CREATE TABLE accepted AS SELECT * FROM read_csv("  # noqa: S608 - own names
                "?, header = false, nullstr = ?, quote = '\"', escape = '\"', delim = ',',"
                f" auto_detect = false, columns = {columns})",
                [str(table), NULL],
            )

    def _accepted(self, path: Path, limits: tuple[int, int, int]) -> Iterable[list[Any]]:
        for number, raw in enumerate(raw_lines(path)):
            try:
                line = read_line(raw, self.parameters.offices, *limits)
            except Refused as refusal:
                self.rejected[str(refusal)] += 1
                continue
            kept = [line.kept.get(name) for name in FIELDS]
            values = [*line[:5], line.corrects, line.content, *kept]
            yield [number, *(NULL if value is None else value for value in values)]

    def _prepare(self, as_of: datetime) -> int:
        at = milliseconds(as_of)
        if at != self._as_of:
            self._db.execute("SET VARIABLE as_of = ?", [at])
            for name in ("facts.sql", "subjects.sql"):
                self._db.execute((HERE / name).read_text("utf-8"))
            self._days()
            self._as_of = at
        return at

    def _days(self) -> None:
        first, last = self._db.execute(
            "SELECT coalesce(min(occurred_ms), 0), coalesce(max(occurred_ms), 0) FROM counted"
        ).fetchall()[0]
        days = self.time.days(first, last)
        self._db.execute(
            "CREATE OR REPLACE TEMP TABLE days AS"
            " SELECT unnest(?::DATE[]) AS day, unnest(?::BIGINT[]) AS start",
            [[str(day) for day, _, _ in days], [start for _, start, _ in days]],
        )

    @property
    def newest(self) -> datetime:
        """The newest time at which an accepted event was recorded."""
        (newest,) = self._db.execute("SELECT max(recorded_ms) FROM accepted").fetchall()[0]
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=newest)

    def readings(
        self,
        as_of: datetime,
        kpis: Collection[str] | None = None,
        windows: Collection[str] | None = None,
    ) -> dict[Key, OracleReading]:
        """Return every series that has samples at an instant, and each national one.

        Args:
            as_of: Aware; only events recorded at or before it are known.
            kpis: Only these ids; all of them if None.
            windows: Only these windows; all of them if None.

        Raises:
            KeyError: A measured KPI of the strategy has no query.
        """
        at = self._prepare(as_of)
        found: dict[Key, OracleReading] = {}
        for kpi in self.parameters.kpis.values():
            if kpis is not None and kpi.id not in kpis:
                continue
            names = [name for name in kpi.windows if windows is None or name in windows]
            if kpi.measured:
                found |= self._read(kpi, [self.time.window(name, at) for name in names], at)
            else:
                nothing = OracleReading(None, 0, 0, 0)
                found |= {(kpi.id, name, "national", ""): nothing for name in names}
        return found

    def stages(
        self, as_of: datetime, windows: Collection[str], dimensions: Collection[str]
    ) -> dict[Key, OracleReading]:
        """Return how long each stage took, as readings: their mean, in the place of a KPI's."""
        at = self._prepare(as_of)
        self._db.execute((HERE / "stages.sql").read_text("utf-8"))
        found: dict[Key, OracleReading] = {}
        names = self._db.execute("SELECT DISTINCT stage FROM stage_parts").fetchall()
        for (stage,) in names:
            section = Section("mean", 0, f"SELECT * FROM stage_parts WHERE stage = '{stage}'")  # noqa: S608 - own
            like = KpiParameters(
                stage, tuple(windows), tuple(dimensions), 1, "seconds", measured=True
            )
            spans = [self.time.window(name, at) for name in windows]
            found |= self._read(like, spans, at, section)
        return found

    def waiting(self, as_of: datetime) -> list[Wait]:
        """Return who waits for the release, the first due first."""
        self._prepare(as_of)
        for name in ("stages.sql", "worklist.sql"):
            found = self._db.execute((HERE / name).read_text("utf-8"))
        return [Wait(*row) for row in found.fetchall()]

    def _read(
        self, kpi: KpiParameters, windows: list[Window], at: int, section: Section | None = None
    ) -> dict[Key, OracleReading]:
        if not windows:
            return {}
        section = section or self.sections[kpi.id]
        due = section.form == "due"
        spans = ", ".join(
            f"('{each.name}', {each.due_start}, {each.due_end})"
            if due
            else f"('{each.name}', {each.start}, {each.end})"
            for each in windows
        )
        members = "".join(f", {self._member(name)} AS in_{name}" for name in kpi.dimensions)
        sets = ", ".join(["(span)", *(f"(span, in_{name})" for name in kpi.dimensions)])
        picked = "".join(f", in_{name}" for name in kpi.dimensions)
        sums = SUMS[section.form].format(older=self._older(section, at))
        rows = self._db.execute(
            f"WITH contributions AS (SELECT *{members} FROM ({section.query})),"  # noqa: S608 - own
            f" spans (span, since, until) AS (VALUES {spans})"
            f" SELECT span, {sums}{picked} FROM contributions"
            " JOIN spans ON contributions.counts_at >= since AND contributions.counts_at < until"
            f" GROUP BY GROUPING SETS ({sets})"
        ).fetchall()
        empty = (0, 1 if ", 1, " in sums else 0, 0)
        found = {
            (kpi.id, each.name, "national", ""): self._reading(kpi, section, each.name, empty, at)
            for each in windows
        }
        for span, top, bottom, samples, *values in rows:
            dimension, member = "national", ""
            for name, value in zip(kpi.dimensions, values, strict=True):
                if value is not None:
                    dimension, member = name, value
            key = (kpi.id, span, dimension, member)
            found[key] = self._reading(kpi, section, span, (int(top), int(bottom), samples), at)
        return found

    def _older(self, section: Section, at: int) -> int:
        """Return the instant before which an open subject is old: whole panes, or whole days."""
        limit = at - section.older_ms
        if section.older_ms <= 7 * DAY_MS:
            return floor_pane(limit)
        return self.time.start_of(self.time.day_of(limit))

    def _member(self, dimension: str) -> str:
        column, members = self.parameters.dimensions[dimension]
        listed = ", ".join(f"'{member}'" for member in members)
        text = f"CAST({column} AS VARCHAR)"
        return (
            f"CASE WHEN {column} IS NULL THEN 'unknown'"
            f" WHEN {text} IN ({listed}) THEN {text} ELSE 'other' END"
        )

    def _reading(
        self,
        kpi: KpiParameters,
        section: Section,
        span: str,
        sums: tuple[int, int, int],
        at: int,
    ) -> OracleReading:
        top, bottom, samples = sums
        scale = 1
        ratio: Fraction | None
        if section.form in {"mean", "p50", "p90"}:
            scale = 1000
        elif section.form == "amount" and kpi.unit == "money":
            scale = 100
        ratio = Fraction(top, bottom * scale) if bottom else None
        if section.form == "plan":
            planned = self.time.planned(span, at, self.parameters.plans[kpi.id])
            if planned is None:
                return OracleReading(None, 0, 0, 0)
            bottom = round(Fraction(*planned))
            ratio = Fraction(top, bottom) if bottom else None
        if ratio is None or samples < kpi.minimum_sample:
            return OracleReading(None, top, bottom, samples)
        return OracleReading(float(ratio), top, bottom, samples)

    def conflicting(self, as_of: datetime) -> int:
        """Return how many subjects hold two facts that contradict each other."""
        self._prepare(as_of)
        (count,) = self._db.execute(
            """
            SELECT count(DISTINCT (kind, subject))
            FROM (
                SELECT kind, subject
                FROM alive
                GROUP BY kind, subject, milestone, CASE WHEN repeatable THEN event_id END
                HAVING count(DISTINCT (occurred_ms, content)) > 1
            )
            """
        ).fetchall()[0]
        return int(count)

    def outcomes(self, as_of: datetime) -> dict[str, int]:
        """Return how many events known at an instant came to which end.

        Refused lines are counted whole, by reason, since their time cannot be trusted. Expiry
        (events of subjects that have left the state) is not known here.
        """
        self._prepare(as_of)
        rows = self._db.execute((HERE / "outcomes.sql").read_text("utf-8")).fetchall()
        return dict(rows) | dict(self.rejected)
