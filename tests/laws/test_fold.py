"""The fold: rows depend on which events there were, never on how or when they came."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from kpi_stream.application.fold import Retention
from kpi_stream.application.readings import ReadingTable
from kpi_stream.application.row_store import HOT_DAYS
from kpi_stream.domain.catalogue import CONFLICTING
from kpi_stream.domain.measures import MEASURES
from kpi_stream.domain.rows import decode_key
from kpi_stream.domain.subject import OPENING
from kpi_stream.domain.windows import PANES_KEPT
from tests.laws.brute import VOCABULARY, Raw, known
from tests.laws.rig import FOR_EVER, Partition, Rows, restored, summed, totals_of
from tests.laws.strategies import DAY, catalogue, event, feeds, raws, strategy

AS_OF = 1_711_846_800_000  # 2024-03-31T01:00Z, the hour in which Madrid's clocks go forward
PANE_MS = 15 * 60_000

CALM, DRAIN, RESTART = "calm", "drain", "restart"
STEPS = st.lists(st.sampled_from([CALM, CALM, DRAIN, RESTART]), min_size=40, max_size=40)


def fold(events: Iterable[Raw], zone: str = "America/Lima") -> Partition:
    """Return a partition that took the events in one go."""
    return Partition(catalogue(zone)).take(events).drain()


def interrupted(
    events: Iterable[Raw], steps: Iterable[str], retention: Retention = FOR_EVER
) -> Partition:
    """Return a partition that was drained and restarted between events."""
    partition = Partition(catalogue(), retention)
    for raw, step in zip(events, steps, strict=False):
        partition.take([raw])
        if step != CALM:
            partition.drain()
        if step == RESTART:
            partition.restart()
    return partition.drain()


def days(rows: Rows) -> Rows:
    """Return the rows of days alone."""
    return {at: row for at, row in rows.items() if not at[0]}


def hot(rows: Rows, watermark_ms: int) -> Rows:
    """Return the rows of days, and of the fine panes that are read."""
    edge = watermark_ms // PANE_MS - PANES_KEPT
    return {at: row for at, row in rows.items() if not at[0] or at[1] >= edge}


def flags(partition: Partition) -> int:
    """Return how many opened subjects are in conflict, by the rows."""
    return sum(row.get(CONFLICTING, 0) for at, row in summed(partition.rows).items() if not at[0])


def test_every_kind_of_measure_is_enrolled():
    """The strategy of the laws has a KPI of every kind that can be counted."""
    assert {kpi.measure.kind for kpi in strategy().kpis} >= set(MEASURES)


@settings(max_examples=100)
@given(st.data())
def test_order_does_not_matter(data: st.DataObject):
    """Any order of the same events gives the same rows, conflicts and duplicates."""
    events = data.draw(feeds(AS_OF))
    shuffled = data.draw(st.permutations(events))
    one, other = fold(events), fold(shuffled)
    assert hot(summed(one.rows), AS_OF) == hot(summed(other.rows), AS_OF)
    assert one.outcomes.total() == other.outcomes.total() == len(events)
    distinct = {(VOCABULARY[raw.type], *raw[1:6]) for raw in events}
    assert one.outcomes["duplicate"] == len(events) - len(distinct)
    assert other.outcomes["duplicate"] == len(events) - len(distinct)
    assert set(one.outcomes) <= {"counted", "duplicate", "conflicting"}


@settings(max_examples=60)
@given(feeds(AS_OF))
def test_conflicts_are_counted_at_the_opening(events: list[Raw]):
    """As many subjects are in conflict as have two living facts that contradict each other."""
    assert flags(fold(events)) == sum(each.conflicting for each in known(events).values())


@settings(max_examples=100)
@given(feeds(AS_OF), STEPS, STEPS)
def test_splits_and_restarts_do_not_matter(events: list[Raw], steps: list[str], more: list[str]):
    """Drains and restarts anywhere leave the same subjects and the same rows."""
    one, other = interrupted(events, steps), interrupted(events, more)
    assert summed(one.rows) == summed(other.rows)
    assert one.subjects == other.subjects
    assert one.outcomes == other.outcomes
    assert one.meta == other.meta


@settings(max_examples=60)
@given(feeds(AS_OF), st.integers(1, 4))
def test_partitions_do_not_matter(events: list[Raw], partitions: int):
    """Subjects spread over several folds read the same through the totals."""
    folds = [Partition(catalogue()) for _ in range(partitions)]
    for raw in events:
        folds[sum(raw.subject.encode()) % partitions].take([raw])
    spread = totals_of(catalogue(), *(each.drain().row_log for each in folds))
    whole = totals_of(catalogue(), fold(events).row_log)
    got, wanted = (ReadingTable(catalogue(), each).readings(AS_OF) for each in (spread, whole))
    assert got == wanted


@settings(max_examples=80)
@given(st.data())
def test_a_correction_equals_having_known_it_from_the_start(data: st.DataObject):
    """An event and its correction, of whatever type, leave what the correction alone leaves."""
    events = data.draw(feeds(AS_OF))
    right = data.draw(raws(AS_OF))._replace(event_id="right", corrects="wrong")
    wrong = data.draw(raws(AS_OF))._replace(event_id="wrong", subject=right.subject, corrects=None)
    one = fold(data.draw(st.permutations([*events, wrong, right])))
    other = fold(data.draw(st.permutations([*events, right._replace(corrects=None)])))
    if VOCABULARY[wrong.type][0] == VOCABULARY[right.type][0]:
        assert hot(summed(one.rows), AS_OF) == hot(summed(other.rows), AS_OF)


@settings(max_examples=80)
@given(feeds(AS_OF), STEPS)
def test_rows_are_the_sum_of_the_contributions_of_the_final_states(
    events: list[Raw], steps: list[str]
):
    """Whatever the feed was, its rows are what its subjects contribute in the end."""
    partition = interrupted(sorted(events, key=lambda each: each.recorded_ms), steps)
    watermark = partition.fold.watermark_ms
    wanted: Rows = {}
    for subject in partition.fold.states():
        for each in catalogue().counted(subject.kind):
            if subject.winner(OPENING[subject.kind].slot) is None:
                continue
            members = each.group.members(subject)
            for time_ms, counters in each.term.contribute(subject):
                fine = (True, time_ms // PANE_MS, members)
                day = (False, catalogue().days.day_of(time_ms), members)
                for at in (fine, day):
                    row = wanted.setdefault(at, {})
                    for name, value in counters:
                        row[name] = row.get(name, 0) + value
    wanted = {at: row for at, row in wanted.items() if row}
    got = summed(partition.rows)
    assert hot(got, watermark) == hot(wanted, watermark)
    # What went cold was taken out of the topic by the last drain.
    assert got == hot(got, watermark)


# From the past on, in the order of the log but for some that come late.
@st.composite
def logs(draw: st.DrawFn, max_days: int) -> list[Raw]:
    """Return a log of up to `max_days`, most of it in the order of its recording."""
    ages = st.one_of(st.integers(0, max_days * DAY), st.integers(0, max_days).map(DAY.__mul__))
    events = draw(feeds(AS_OF, 24, subjects=3, ages=ages))
    late = draw(
        st.lists(st.integers(0, max_days * DAY), min_size=len(events), max_size=len(events))
    )
    held_up = draw(st.lists(st.booleans(), min_size=len(events), max_size=len(events)))
    arrivals = [
        raw.recorded_ms + (by if each else 0)
        for raw, by, each in zip(events, late, held_up, strict=True)
    ]
    return [raw for _, raw in sorted(zip(arrivals, events, strict=True), key=lambda pair: pair[0])]


@settings(max_examples=80)
@given(logs(200), STEPS)
def test_no_late_event_is_lost_with_the_rows_that_were_let_go(log: list[Raw], steps: list[str]):
    """Days far behind the watermark are exact: their generations add up, restarts or not.

    ```
    watermark - 200 d ............ - 40 d ..................... watermark
       cold: a generation a day       hot: one row, held in memory
    ```
    """
    partition = interrupted(log, steps)
    assert days(summed(partition.rows)) == days(summed(fold(log).rows))
    watermark = partition.fold.watermark_ms
    held = {decode_key(key) for key in partition.rows}
    assert all(at.start >= watermark // PANE_MS - PANES_KEPT for at in held if at.fine)


def test_a_late_event_opens_a_generation():
    """What is added to a day that was let go stands in a row of its own."""
    values = ("118", "10", "sea", "urgent", True, True, 0, 0)
    first = Raw("declaration.numbered", "s1", "e1", AS_OF, AS_OF, values)
    later = AS_OF + (HOT_DAYS + 2) * DAY
    tick = Raw("transport.arrived", "s9", "e9", later, later, ())
    late = Raw("declaration.numbered", "s2", "e2", later, AS_OF, values)
    partition = Partition(catalogue()).take([first]).drain().take([tick]).drain().restart()
    partition.take([late, late._replace(subject="s3")]).drain()
    day = catalogue().days.day_of(AS_OF)
    generations = {
        at.generation
        for key in partition.rows
        if not (at := decode_key(key)).fine and at.start == day
    }
    assert generations == {0, catalogue().days.day_of(later)}
    assert days(summed(partition.rows)) == days(
        summed(fold([first, late, late._replace(subject="s3")]).rows)
    )


class Lives:
    """The oracle of expiry: it keeps everything and looks at the whole log again."""

    def __init__(self, retention: Retention) -> None:
        self.retention, self.watermark = retention, -1
        self.lives: dict[tuple[str, str], list[list[Raw]]] = {}

    def take(self, raw: Raw) -> bool:
        """Return whether the event is accepted."""
        kept = self.retention
        lives = self.lives.setdefault((VOCABULARY[raw.type][0], raw.subject), [])
        if lives:
            corrected = {each.corrects for each in lives[-1]}
            complete = any(
                "c" in VOCABULARY[each.type][3] and each.event_id not in corrected
                for each in lives[-1]
            )
            stays = kept.complete_ms if complete else kept.incomplete_ms
            left = max(each.recorded_ms for each in lives[-1]) + stays
            if left < self.watermark <= left + kept.remembered_ms:
                return False
            known_still = self.watermark <= left
        if not lives or not known_still:
            if raw.occurred_ms < self.watermark - kept.remembered_ms:
                return False
            lives.append([])
        lives[-1].append(raw)
        self.watermark = max(self.watermark, raw.recorded_ms)
        return True

    def accepted(self) -> list[Raw]:
        """Return what was accepted; a subject that was forgotten is another one afterwards."""
        return [
            raw._replace(subject=f"{raw.subject}/{number}")
            for lives in self.lives.values()
            for number, life in enumerate(lives)
            for raw in life
        ]


SHORT = Retention(complete_ms=2 * DAY, incomplete_ms=5 * DAY, remembered_ms=6 * DAY)
HASTY = Retention(complete_ms=5 * DAY, incomplete_ms=2 * DAY, remembered_ms=DAY)


@settings(max_examples=120)
@given(logs(30), STEPS, st.sampled_from([SHORT, HASTY]))
def test_expiry_depends_on_the_log_alone(log: list[Raw], steps: list[str], retention: Retention):
    """Which events are expired depends on what was logged before them, not on drains.

    ```
    newest event ... complete_ms ... left ......... remembered_ms ......... forgotten
                     accepted       |  expired, nothing is changed by it   | unknown again
    ```
    """
    lives, partition, wanted = Lives(retention), Partition(catalogue(), retention), 0
    for raw, step in zip(log, steps, strict=False):
        accepted = lives.take(raw)
        wanted += not accepted
        before = partition.fold.watermark_ms
        partition.take([raw])
        assert partition.outcomes["expired"] == wanted, raw
        assert accepted or partition.fold.watermark_ms == before
        if step != CALM:
            partition.drain()
        if step == RESTART:
            partition.restart()
    partition.drain()
    everything = fold(lives.accepted())
    watermark = partition.fold.watermark_ms
    assert watermark == lives.watermark
    assert hot(summed(partition.rows), watermark) == hot(summed(everything.rows), watermark)


def test_a_subject_leaves_is_remembered_and_forgotten():
    """A complete subject becomes a marker of eight bytes, and later nothing."""
    exited = Raw("goods.exited", "s1", "e1", AS_OF, AS_OF, ())
    partition = Partition(catalogue(), SHORT).take([exited]).drain()

    def pass_days(number: int) -> bytes | None:
        at = AS_OF + number * DAY
        partition.take([Raw("transport.arrived", "clock", f"e{at}", at, at, ())]).drain()
        return partition.subjects.get(b"declaration:s1")

    assert len(pass_days(1) or b"") > 8
    assert len(pass_days(4) or b"") == 8
    assert len(partition.restart().drain().subjects[b"declaration:s1"]) == 8
    partition.take([exited._replace(event_id="e2")])
    assert partition.outcomes["expired"] == 1
    assert len(pass_days(7) or b"") == 8
    assert pass_days(10) is None


@settings(max_examples=80)
@given(logs(200), STEPS, st.data())
def test_recovery_without_transactions(log: list[Raw], steps: list[str], data: st.DataObject):
    """After a crash between rows and subjects, the subjects catch up and the rows stay exact."""
    cut = data.draw(st.integers(0, len(log)))
    written = data.draw(st.integers(0, cut))
    partition = interrupted(log[:written], steps)
    subjects, meta = dict(partition.subjects), dict(partition.meta)
    partition.take(log[written:cut]).drain()
    again = Partition(catalogue())
    again.rows, again.subjects = dict(partition.rows), subjects
    again.fold = restored(catalogue(), FOR_EVER, subjects, again.rows, meta)
    for raw, step in zip(log[written:], steps, strict=False):
        written += 1
        again.fold.apply(event(raw), written > cut)
        if step != CALM:
            again.drain()
    again.drain()
    straight = fold(log)
    assert again.subjects == straight.subjects
    watermark = straight.fold.watermark_ms
    assert hot(summed(again.rows), watermark) == hot(summed(straight.rows), watermark)


def test_a_generation_survives_a_crash_before_its_subjects_were_written():
    """Rows that are ahead of the subjects by a day keep the generation that was opened in it.

    ```
    rows written:     event 1 ... event 2 (40 days later, opens a generation for the day of 1)
    subjects written: event 1   | crash; event 2 comes again, then event 3 continues the generation
    ```
    """
    values = ("118", "10", "sea", "urgent", True, True, 0, 0)
    first = Raw("declaration.numbered", "s1", "e1", AS_OF, AS_OF, values)
    now = AS_OF + (HOT_DAYS + 1) * DAY
    second, third = (
        Raw("debt.settled", "s1", name, now, AS_OF, ("paid", amount))
        for name, amount in (("e2", 1), ("e3", 2))
    )
    partition = Partition(catalogue()).take([first]).drain()
    subjects, meta = dict(partition.subjects), dict(partition.meta)
    partition.take([second]).drain()
    again = Partition(catalogue())
    again.rows, again.subjects = dict(partition.rows), subjects
    again.fold = restored(catalogue(), FOR_EVER, subjects, again.rows, meta)
    again.fold.apply(event(second), count_rows=False)
    again.drain().take([third]).drain()
    assert days(summed(again.rows)) == days(summed(fold([first, second, third]).rows))
