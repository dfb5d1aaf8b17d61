"""`kpi-stream dlq` on real processes: dead letters are seen, and go back once."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from kpi_stream.adapters.embedded_broker import EmbeddedBroker
from kpi_stream.adapters.kafka.dead_letter_log import MARKER, REDRIVEN
from kpi_stream.adapters.simulator import Record
from kpi_stream.adapters.strategy_files import load_strategy, packaged_strategy_path
from tests.support.event_examples import accepted
from tests.support.kafka import Kafka
from tests.support.processes import Process, eventually
from tests.support.site import COMMAND, PARTITIONS, TOPICS, WITHIN_S, Site, run

STRATEGY = load_strategy(packaged_strategy_path())
GOOD = {**json.loads(accepted()["declaration.numbered"]), "office": "118"}


def event(number: int, **changes: Any) -> Record:
    """A declaration of its own, fit to be counted unless something is changed."""
    subject = f"118-2025-10-{number:06}"
    value = {**GOOD, "event_id": f"e{number}", "subject": subject, **changes}
    return Record(subject.encode(), json.dumps(value).encode(), 0)


@pytest.fixture
def site(own_kafka: Kafka, tmp_path: Path) -> Iterator[Site]:
    """Apache Kafka with its topics."""
    with Site(own_kafka.bootstrap, tmp_path, exactly_once=True) as made:
        yield made


def rejected(site: Site, records: list[Record]) -> Process:
    """Let a worker count the records; return it, running."""
    worker = site.worker()
    site.send(records)
    with site.rows(STRATEGY) as rows:
        site.wait_until_counted(rows, worker)
    return worker


def listed(site: Site, *options: str) -> dict[str, Any]:
    """What `dlq list` says."""
    said: dict[str, Any] = json.loads(site.run("dlq", "list", "--json", *options))
    return said


def counts(site: Site) -> dict[str, tuple[int, int, int]]:
    """Letters, redriven and tried by reason."""
    found: dict[str, Counter[str]] = {}
    for group in listed(site)["groups"]:
        found.setdefault(group["reason"], Counter()).update(
            {name: group[name] for name in ("letters", "redriven", "tried")}
        )
    return {why: (each["letters"], each["redriven"], each["tried"]) for why, each in found.items()}


def test_fixed_events_go_back_and_count_once(site: Site, tmp_path: Path) -> None:
    """Listed, shown, fixed by a file, sent back, counted; a second run has nothing to send."""
    bad = [event(n, office="999") for n in range(10)]
    wrong_key = Record(b"someone else", event(20).value, 0)
    worker = rejected(site, [event(n) for n in range(100, 140)] + [*bad, wrong_key])
    assert counts(site) == {"unknown_office": (10, 0, 0), "key_mismatch": (1, 0, 0)}

    # By hand: the lines of `show`, with the office put right.
    lines = site.run("dlq", "show", "--reason", "unknown_office", "--json").splitlines()
    letters = [json.loads(line) for line in lines]
    assert {letter["key"] for letter in letters} == {each.key.decode() for each in bad if each.key}
    assert all(letter["origin"]["topic"] == TOPICS.events for letter in letters)
    for letter in letters:
        letter["value"]["office"] = "118"
    (mismatch,) = listed(site, "--reason", "key_mismatch")["letters"]
    fixes = tmp_path / "fixes.jsonl"
    fix = {"letter": mismatch["letter"], "key": json.loads(wrong_key.value or b"")["subject"]}
    text = [json.dumps(each) for each in letters[:8]]
    text.append(json.dumps(fix | {"value": json.loads(wrong_key.value or b"")}))
    fixes.write_text("\n".join(text) + "\n")

    dry = run("dlq", "redrive", "--values", fixes, "--dry-run", env=site.env)
    assert dry.stdout == f"9 dead letters would be sent to {TOPICS.events}, 9 of them fixed\n"
    assert counts(site)["unknown_office"] == (10, 0, 0)
    sent = run("dlq", "redrive", "--values", fixes, env=site.env)
    assert sent.stdout == f"9 dead letters sent to {TOPICS.events}, 9 of them fixed\n"
    assert "would be rejected" not in sent.stderr
    again = run("dlq", "redrive", "--values", fixes, env=site.env)
    assert again.stdout.startswith("0 dead letters sent")
    assert "9 had been sent back before" in again.stderr

    eventually(
        lambda: site.outcomes(worker) == {"counted": 49, "rejected": 11},
        within_s=WITHIN_S,
        what="the fixed events are counted",
    )
    assert counts(site) == {"unknown_office": (10, 8, 0), "key_mismatch": (1, 1, 0)}
    assert worker.terminate() == 0
    # Each lies with the others of its key.
    places: dict[bytes, set[int]] = {}
    for record in site.records(TOPICS.events, 60):
        if record.key != wrong_key.key:
            places.setdefault(record.key, set()).add(record.partition)
    assert {len(each) for each in places.values()} == {1}


def test_what_is_rejected_again_counts_its_tries(site: Site) -> None:
    """Headers, key, partition and the first time of receipt stay; the rest says what happened."""
    bad = event(1, office="999")
    worker = rejected(site, [bad])
    (first,) = site.records(TOPICS.dead_letters, 1)
    for tries in (1, 2):
        report = run("dlq", "redrive", "--all", env=site.env)
        assert "1 would be rejected again (1 unknown_office): sent all the same" in report.stderr
        eventually(
            lambda want=tries: (  # type: ignore[misc]
                listed(site)["letters"] and listed(site)["letters"][0]["tries"] == want
            ),
            within_s=WITHIN_S,
            what="it is back among the dead letters",
        )
    left = run("dlq", "redrive", "--all", "--only-accepted", env=site.env)
    assert left.stdout.startswith("0 dead letters sent")
    assert counts(site) == {"unknown_office": (3, 2, 2)}
    letters = [
        each for each in site.records(TOPICS.dead_letters, 5) if MARKER not in dict(each.headers)
    ]
    assert [(each.partition, each.key, each.value) for each in letters] == [
        (first.partition, bad.key, bad.value)
    ] * 3
    received = dict(first.headers)["source.timestamp"]
    last = dict(letters[-1].headers)
    assert [last[name] for name in REDRIVEN] == [
        b"2",
        f"{letters[1].partition}:{letters[1].offset}".encode(),
        received,
    ]
    # The names stand there once, however often it was tried.
    assert Counter(name for name, _ in letters[-1].headers).most_common(1)[0][1] == 1
    assert worker.terminate() == 0


@pytest.mark.slow
def test_a_killed_redrive_sends_every_letter_once(site: Site, tmp_path: Path) -> None:
    """`kill -9` at random moments, then to its end: no event twice, none left out, in order."""
    site.env["KPI_STREAM_DEAD_LETTER_LIMIT"] = "0"
    total, chance = 30_000, random.Random(7)
    worker = rejected(site, [event(n, office="999") for n in range(total)])
    assert worker.terminate() == 0
    redrive = Process(
        [*COMMAND, "dlq", "redrive", "--all"], log=tmp_path / "redrive.log", env=site.env
    )
    log = KafkaConsumer(bootstrap_servers=site.brokers)
    partitions = [TopicPartition(TOPICS.events, each) for each in range(PARTITIONS)]

    def size() -> int:
        return sum(log.end_offsets(partitions).values())

    moments = [size()]
    for _ in range(6):
        with redrive.start():
            eventually(
                lambda: not redrive.running or size() > moments[-1],
                within_s=WITHIN_S,
                what="the redrive sends",
            )
            time.sleep(chance.uniform(0, 0.1))
            redrive.kill()
        moments.append(size())
    log.close()
    # The kills fell into the work.
    assert total <= moments[0] < moments[1] < moments[2] < 2 * total, moments
    run("dlq", "redrive", "--all", env=site.env)
    sent: dict[int, list[int]] = {}
    for record in site.records(TOPICS.events, 2 * total):
        headers = dict(record.headers)
        if REDRIVEN[0] in headers:
            partition, offset = map(int, headers[REDRIVEN[1]].split(b":"))
            assert partition == record.partition
            sent.setdefault(partition, []).append(offset)
    letters: dict[int, list[int]] = {}
    for record in site.records(TOPICS.dead_letters, total):
        if dict(record.headers).get("reason"):
            letters.setdefault(record.partition, []).append(record.offset)
    assert sum(map(len, sent.values())) == total
    assert {p: sorted(each) for p, each in sent.items()} == {
        p: sorted(each) for p, each in letters.items()
    }


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    """An embedded broker of this module's own, since its topics have the product's names."""
    with EmbeddedBroker() as made:
        yield made


def test_without_transactions_it_says_what_that_means(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """The embedded broker: letters go back and are marked, with words about a kill."""
    with Site(broker.bootstrap, tmp_path, exactly_once=False, app_id="dlq-plain") as site:
        already = len(site.records(TOPICS.dead_letters, 0))
        worker = rejected(site, [event(n, office="999") for n in range(30)])
        site.records(TOPICS.dead_letters, already + 30)
        assert worker.terminate() == 0
        first = run("dlq", "redrive", "--reason", "unknown_office", env=site.env)
        assert "an event still counts once, by its event_id" in first.stderr
        assert first.stdout.startswith("30 dead letters sent")
        assert run("dlq", "redrive", "--all", env=site.env).stdout.startswith("0 dead letters")
        env = {**site.env, "KPI_STREAM_PROCESSING_GUARANTEE": "exactly_once"}
        refused = run("dlq", "redrive", "--all", env=env, code=2)
        assert "choose at_least_once" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["redrive"], "say which dead letters go back"),
        (["redrive", "--offset", "17"], "'17' is no place of a dead letter"),
        (["show", "9:1"], r"[0, 1, 2, 3], and [9] are needed"),
        (["show", "0:77"], "1 of the 1 places hold no such dead letter"),
        (["list", "--since", "soon"], "--since 'soon' is not a time"),
        (["redrive", "--values", "no-such-file"], "no-such-file: cannot be read"),
    ],
)
def test_a_slip_gives_words(
    broker: EmbeddedBroker, tmp_path: Path, words: list[str], said: str
) -> None:
    """Exit code 2 and what would be right."""
    with Site(broker.bootstrap, tmp_path, exactly_once=False) as site:
        done = run("dlq", *words, env=site.env, code=2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
