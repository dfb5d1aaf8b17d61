"""The product and its peers, in turn, so that a slow minute of the machine meets all of them."""

import asyncio
import random
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from benchmarks.cluster import Cluster
from benchmarks.peers import ours
from benchmarks.peers.engines import ENGINES, NAMES, OURS
from benchmarks.peers.feed import PeerFeed, peer_feed, send
from benchmarks.peers.install import Missing
from benchmarks.peers.runs import Bench, Killed, Run, create_topic
from benchmarks.peers.tables import tables
from benchmarks.result import Result

_TOPICS = {True: "peers.events", False: "peers.events.part"}
_SEED = 20_261_126
_EARLIEST, _LATEST = 0.3, 0.7
"""Shares of the events between which an engine is killed."""


def measure(
    scale: float,
    runs: int,
    names: Sequence[str] = (),
    before: dict[str, Any] | None = None,
) -> Result:
    """Run the engines that are named, or all; then kill each once.

    An engine that cannot run here, or fails, is part of the result, with the reason.

    Args:
        scale: Of the feed.
        runs: How many of each.
        names: Engines; empty: all.
        before: Kept runs of an earlier command; what they have of other engines stays.
    """
    feed, chosen = peer_feed(scale), names or NAMES
    found: dict[str, Any] = {
        name: {"runs": [], "killed": [], "missing": ""} for name in NAMES if name in chosen
    }
    with Cluster(feed.feed) as cluster:
        bench = _bench(cluster, feed)
        for round_ in range(runs):
            for name, of_engine in found.items():
                _attempt(
                    f"{name}, run {round_ + 1} of {runs}",
                    of_engine,
                    "runs",
                    partial(_run, cluster, bench, feed, name),
                )
        chance = random.Random(_SEED)
        for name, of_engine in found.items():
            share = chance.uniform(_EARLIEST, _LATEST)
            if name != OURS and not ENGINES[name].killed:
                continue
            _attempt(
                f"{name}, killed at {share:.0%} of the events",
                of_engine,
                "killed",
                partial(_kill, cluster, bench, feed, name, share),
            )
    own = found.get(OURS, {"runs": [], "killed": []})
    shown, note = joined(found, before, scale), _note(feed, scale)
    if shown.keys() != found.keys():
        note += f" Measured again in a later run: {', '.join(found)}."
    return Result(
        tables(shown),
        (note,),
        {"scale": scale, "engines": shown},
        exact=not any(each["wrong_panes"] for each in (*own["runs"], *own["killed"])),
    )


def joined(found: dict[str, Any], before: dict[str, Any] | None, scale: float) -> dict[str, Any]:
    """Return what was found, and what was kept of other engines on the same feed."""
    kept = before["engines"] if before and before["scale"] == scale else {}
    every = {**kept, **found}
    return {name: every[name] for name in NAMES if name in every}


def _bench(cluster: Cluster, feed: PeerFeed) -> Bench:
    """Write the events once more, with their own times, for engines that go by those."""
    answers = {True: feed.expected, False: feed.part}
    for whole, topic in _TOPICS.items():
        asyncio.run(create_topic(cluster.broker, topic, {"retention.ms": "-1"}))
        bootstrap = cluster.broker.bootstrap_servers[0]
        asyncio.run(send(bootstrap, topic, feed.feed.path, answers[whole].events))
    return Bench(cluster.broker, _TOPICS, answers)


def _run(cluster: Cluster, bench: Bench, feed: PeerFeed, name: str) -> Run:
    return ours.run(cluster, feed.expected) if name == OURS else bench.run(ENGINES[name])


def _kill(cluster: Cluster, bench: Bench, feed: PeerFeed, name: str, share: float) -> Killed:
    if name == OURS:
        return ours.kill(cluster, feed.expected, share)
    return bench.kill(ENGINES[name], share)


def _attempt(
    title: str, of_engine: dict[str, Any], kind: str, measured: Callable[[], Run | Killed]
) -> None:
    """Add what was measured, or why nothing could be; one engine never stops the others."""
    if of_engine["missing"]:
        return
    try:
        one = measured()
    except Missing as err:
        of_engine["missing"] = f"cannot run here: {err}"
        print(f"{title}: {of_engine['missing']}", flush=True)
    except Exception as err:  # noqa: BLE001  (whatever a peer does, the others are measured)
        traceback.print_exc()
        why = f"{title}: {str(err)[-300:]}"
        if of_engine.get("again"):
            of_engine["missing"] = f"failed twice; {why}"
        else:
            # Some trip over a topic that they have only just made; that is said, and forgiven once.
            of_engine["again"] = f"failed once, and was started again; {why}"
            _attempt(title, of_engine, kind, measured)
    else:
        of_engine[kind].append(asdict(one))
        print(f"{title}: {_words(one)}", flush=True)


def _words(one: Run | Killed) -> str:
    exact = "exact" if not one.wrong_panes else f"WRONG in {one.wrong_panes} panes"
    if isinstance(one, Run):
        return (
            f"{one.per_second:,.0f} events/s, {one.per_cpu_second:,.0f} a CPU-second, "
            f"{one.peak_rss_bytes / 2**20:,.0f} MiB, {exact}, load {one.load_average:.1f}"
        )
    after = "nothing left" if one.resumed_s is None else f"first event after {one.resumed_s:.1f} s"
    return f"{exact} ({one.counted:,} of {one.wanted:,}), {after}, load {one.load_average:.1f}"


def _note(feed: PeerFeed, scale: float) -> str:
    return (
        f"{feed.expected.events:,} events ({feed.feed.mean_bytes:.0f} bytes each on average) of "
        f"{feed.feed.declarations:,} declarations (scale {scale:g}), in order and without "
        "repetition. Exact: every pane of the output equals the answer that the events themselves "
        "give. Faust as it comes gets the first tenth of them."
    )
