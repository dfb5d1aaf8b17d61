"""What every fault of a broker is followed by: load again, everything counted, the verdict."""

from tests.support.processes import Process
from tests.support.site import Site
from tests.support.verdict import judge, wait_until_counted

WITHIN_S = 180.0


def wait_for_load(site: Site, worker: Process, events: int = 1_000) -> None:
    """Return once the worker has counted so many more events than now."""

    def counted() -> int:
        try:
            return site.outcomes(worker).total()
        except OSError:
            return 0

    before = counted()
    worker.wait_until(
        lambda: counted() >= before + events, within_s=WITHIN_S, what=f"{events} events more"
    )


def settle(site: Site, worker: Process) -> None:
    """Wait until everything is counted, by this worker; end it and hear the verdict."""
    wait_until_counted(site, worker, within_s=WITHIN_S)
    assert worker.terminate(within_s=WITHIN_S) == 0
    expected = judge(site)
    assert len(expected.rows) > 500
    assert len(expected.rejected) > 20
