"""A year of Peru's traffic, replayed: time and memory.

`kpi-stream replay` reads the events from a pipe while the simulator makes them on another core, so
that no disk holds them. With a scale below 1 two shares are replayed, that one and its half, and
the whole year is extrapolated from them, and called so.
"""

import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

from benchmarks.feed import SPOILT, simulated, simulation
from benchmarks.machine import load_average, on_its_core
from benchmarks.peers.runs import peak_rss_bytes
from benchmarks.result import Result, Table

EVENTS = 36_000_000
"""A year of Peru's declarations, about."""
_PER_DAY = 10_400.0
_DAYS = 365
_REPORT_EVERY = 100_000
_KIB = 1024 if sys.platform != "darwin" else 1


@dataclass(frozen=True, slots=True)
class Replayed:
    """One replay."""

    share: float
    events: int
    seconds: float
    """By the clock; at least as long as the simulator takes."""
    cpu_seconds: float
    peak_rss_bytes: int
    growth: list[tuple[int, int]]
    """Events simulated so far, and the most memory until then."""
    load_average: float


def measure(scale: float) -> Result:
    """Replay the year at that scale, and at half of it where it is not a whole one."""
    shares = (scale,) if scale >= 1 else (scale / 2, scale)
    found = [_replay(share) for share in shares]
    return Result(
        (_table(found),),
        (_note(found),),
        {"scale": scale, "replays": [asdict(each) for each in found]},
    )


def extrapolated(found: list[Replayed]) -> tuple[float, float]:
    """Return (CPU seconds, peak bytes) of the whole year, on a line through the two shares."""
    half, whole = found

    def at_all(small: float, large: float) -> float:
        slope = (large - small) / (whole.events - half.events)
        return large + slope * (EVENTS - whole.events)

    return (
        at_all(half.cpu_seconds, whole.cpu_seconds),
        at_all(half.peak_rss_bytes, whole.peak_rss_bytes),
    )


def _replay(share: float) -> Replayed:
    load, began = load_average(), time.monotonic()
    make = [sys.executable, "-m", "benchmarks.year", str(_PER_DAY * share)]
    fold = on_its_core([sys.executable, "-m", "kpi_stream", "replay", "/dev/stdin"])
    with (
        subprocess.Popen(make, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as maker,
        subprocess.Popen(
            [*fold, "--format", "json"], stdin=maker.stdout, stdout=subprocess.DEVNULL
        ) as folder,
    ):
        assert maker.stdout is not None
        assert maker.stderr is not None
        maker.stdout.close()  # so that the maker hears of the folder's end
        growth: list[tuple[int, int]] = []
        for line in maker.stderr:
            growth.append((int(line), peak_rss_bytes(folder.pid)))
            print(
                f"{growth[-1][0]:,} events, {growth[-1][1] / 2**20:,.0f} MiB, "
                f"{time.monotonic() - began:,.0f} s",
                flush=True,
            )
        _, status, used = os.wait4(folder.pid, 0)
        folder.returncode = os.waitstatus_to_exitcode(status)
    if folder.returncode or maker.returncode:
        msg = f"replay ended with {folder.returncode}, the simulator with {maker.returncode}"
        raise RuntimeError(msg)
    return Replayed(
        share=share,
        events=growth[-1][0],
        seconds=time.monotonic() - began,
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak_rss_bytes=used.ru_maxrss * _KIB,
        growth=growth,
        load_average=load,
    )


def _table(found: list[Replayed]) -> Table:
    rows = [
        (
            f"{each.share:.3g} of the traffic, measured",
            f"{each.events:,}",
            f"{each.seconds / 60:.1f}",
            f"{each.cpu_seconds / 60:.1f}",
            f"{each.events / each.cpu_seconds:,.0f}",
            f"{each.peak_rss_bytes / 2**20:,.0f} MiB",
            f"{each.load_average:.1f}",
        )
        for each in found
    ]
    if len(found) > 1:
        cpu_s, peak = extrapolated(found)
        rows.append(
            (
                "all of it, **extrapolated**",
                f"{EVENTS:,}",
                "",
                f"{cpu_s / 60:.0f}",
                f"{EVENTS / cpu_s:,.0f}",
                f"{peak / 2**20:,.0f} MiB",
                "",
            )
        )
    headings = ("year", "events", "minutes", "CPU minutes", "events / CPU-second", "peak RSS")
    return Table("A year, replayed", (*headings, "load average"), tuple(rows))


def _note(found: list[Replayed]) -> str:
    how = (
        "The whole is extrapolated on a straight line through the two shares that were measured."
        if len(found) > 1
        else "All of it was measured."
    )
    return (
        f"{_DAYS} days of about {_PER_DAY:,.0f} declarations at full traffic, the packaged "
        f"strategy, one process, all partitions in it. {how} The minutes by the clock include "
        "waiting for the simulator, which works on another core."
    )


def _make(per_day: float) -> None:
    """Write a year of events to standard output, and the count so far to standard error."""
    out, written = sys.stdout.buffer, 0
    for record in simulated(simulation(days=_DAYS, per_day=per_day, injections=SPOILT)):
        out.write(record.value + b"\n")
        written += 1
        if written % _REPORT_EVERY == 0:
            print(written, file=sys.stderr, flush=True)
    out.flush()
    print(written, file=sys.stderr, flush=True)


if __name__ == "__main__":
    _make(float(sys.argv[1]))
