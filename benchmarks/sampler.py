"""Runs the product's command line and notes where its processor time goes.

    python -m benchmarks.sampler OUTPUT.json now|SIGUSR1 worker
    python -m benchmarks.sampler OUTPUT.json now replay events.jsonl

A timer of processor time (SIGPROF) interrupts the process; each time the stacks of its threads are
noted with the processor time that each thread has had since the last interruption. Nothing is
traced between two interruptions, so the shares are those of the undisturbed program. They are
exact to the timer's tick (4 ms); a function of C counts for the Python function that calls it, and
the collection of cyclic garbage for itself (`COLLECTION`).

The package runs as pure Python, also where it is compiled: compiled functions leave no frames, and
their time would be noted of whatever Python function comes next.
"""

import atexit
import gc
import json
import signal
import sys
import threading
import time
from collections import Counter
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

_EVERY_S = 0.004
_DEPTH = 60
_MAIN = threading.main_thread()
_PACKAGE = next(iter(getattr(find_spec("kpi_stream"), "submodule_search_locations", ())))
"""Its folder; a clone above it may have the same name."""
COLLECTION = "collection of cyclic garbage"


class Sampler:
    """Collects stacks, weighted by the processor time that they stand for."""

    def __init__(self) -> None:
        self.stacks: Counter[tuple[str, tuple[str, ...]]] = Counter()
        """Nanoseconds by thread and stack, innermost function first."""
        self._before_ns: dict[int, int] = {}
        self._collecting: threading.Thread | None = None

    def start(self) -> None:
        """Begin to note; only once."""
        for thread in threading.enumerate():
            self._used_ns(thread)
        gc.callbacks.append(self._collection)
        signal.signal(signal.SIGPROF, self._interrupted)
        # A system call that was interrupted goes on by itself.
        signal.siginterrupt(signal.SIGPROF, False)  # noqa: FBT003  (takes no keyword)
        signal.setitimer(signal.ITIMER_PROF, _EVERY_S, _EVERY_S)

    def stop(self) -> None:
        """Note nothing more."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _interrupted(self, _: int, frame: FrameType | None) -> None:
        frames = sys._current_frames()  # noqa: SLF001  (the documented way to see them)
        for thread in threading.enumerate():
            at = frame if thread is _MAIN else frames.get(thread.ident or 0)
            # An interruption during a collection is answered after it, in whatever runs then.
            self._note(thread, (COLLECTION,) if thread is self._collecting else _stack(at))

    def _collection(self, phase: str, _: dict[str, int]) -> None:
        """Tell the collection from the function during which it happens to begin."""
        thread = threading.current_thread()
        if phase == "start":
            self._note(thread, _stack(sys._getframe(1)))  # noqa: SLF001  (as above)
            self._collecting = thread
        else:
            self._note(thread, (COLLECTION,))
            self._collecting = None

    def _note(self, thread: threading.Thread, stack: tuple[str, ...]) -> None:
        used = self._used_ns(thread)
        if used:
            self.stacks[thread.name, stack] += used

    def _used_ns(self, thread: threading.Thread) -> int:
        """Return the thread's processor time since it was last asked for."""
        ident = thread.ident
        if ident is None or not thread.is_alive():
            return 0
        now_ns = time.clock_gettime_ns(time.pthread_getcpuclockid(ident))
        used = now_ns - self._before_ns.get(ident, 0)
        self._before_ns[ident] = now_ns
        return used

    def save(self, path: Path) -> None:
        """Write what was noted."""
        stacks = [[name, list(stack), ns] for (name, stack), ns in self.stacks.items()]
        path.write_text(json.dumps(stacks))


def _stack(frame: FrameType | None) -> tuple[str, ...]:
    names: list[str] = []
    while frame is not None and len(names) < _DEPTH:
        code = frame.f_code
        names.append(f"{code.co_filename}:{code.co_qualname}")
        frame = frame.f_back
    return tuple(names)


def _sources(folder: str) -> FileFinder:
    """Find the package's sources and nothing compiled from them; for `sys.path_hooks`."""
    if not Path(folder).is_relative_to(_PACKAGE):
        raise ImportError
    return FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES))


def _run(output: Path, begin: str, arguments: list[str]) -> None:
    sys.path_hooks.insert(0, _sources)
    from kpi_stream.cli import main  # noqa: PLC0415

    sampler = Sampler()

    def save() -> None:
        sampler.stop()
        sampler.save(output)

    atexit.register(save)
    if begin == "now":
        sampler.start()
    else:
        signal.signal(signal.Signals[begin], lambda *_: sampler.start())
    sys.argv = ["kpi-stream", *arguments]
    main()


if __name__ == "__main__":
    _run(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
