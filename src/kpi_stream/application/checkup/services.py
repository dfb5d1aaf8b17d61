"""What is to be said of workers, scorecard, and whether they and the counts are of one strategy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kpi_stream.application.checkup.frame import Answer, Finding, warning


@dataclass(frozen=True, slots=True)
class Service:
    """One process, asked over HTTP."""

    name: str
    """`worker` or `scorecard`."""
    address: str
    answers: bool
    """Whether it answers at all."""
    healthy: bool = False
    ready: bool = False
    reason: str = ""
    """Why it is not, or what it does."""
    known: bool = True
    """Whether it let us see its metrics."""
    version: str | None = None
    """Of the program; None where it does not say."""


def services(seen: Sequence[Service], version: str) -> Answer:
    """Judge processes of one kind.

    Args:
        seen: Those that were asked.
        version: Of this program.
    """
    said = "; ".join(f"{each.address}: {each.reason}" for each in seen)
    findings = tuple(found for each in seen for found in _service(each, version))
    return Answer(said, findings, usable=all(each.answers and each.known for each in seen))


def _service(seen: Service, version: str) -> Iterator[Finding]:
    place = f"{seen.name} {seen.address}"
    if not seen.answers:
        setting = "WORKER_URLS" if seen.name == "worker" else "SCORECARD_URL"
        yield Finding(
            place,
            seen.reason,
            f"start it: kpi-stream {seen.name}; or say where it is in KPI_STREAM_{setting}",
        )
        return
    if not seen.healthy:
        yield Finding(place, f"is not well: {seen.reason}", "look into its log, and restart it")
    elif not seen.ready:
        yield warning(
            place, f"is not ready: {seen.reason}", "ask again; where it stays so, look into its log"
        )
    if not seen.known:
        yield Finding(
            place,
            "does not know us, so its metrics cannot be seen",
            "set KPI_STREAM_SCORECARD_USERNAME and KPI_STREAM_SCORECARD_PASSWORD_FILE to the login "
            "of its HTTP endpoints",
        )
    elif seen.version not in {None, version}:
        yield warning(
            place,
            f"runs version {seen.version}, and this program is {version}",
            "bring both to one version; see docs/operations.md#upgrade",
        )


@dataclass(frozen=True, slots=True)
class Strategies:
    """By which strategy each part works."""

    fingerprint: str
    """How this machine's strategy counts."""
    version: str
    """All of this machine's strategy."""
    counted: Mapping[int, str | None]
    """By which definitions each partition was counted last, as its worker wrote."""
    judged: str
    """All of the scorecard's strategy."""
    matches: bool | None
    """Whether the scorecard finds that the rows fit; None where it does not say."""
    reloaded: bool | None
    """Whether its last attempt to read the strategy was accepted."""


def strategies(seen: Strategies) -> Answer:
    """Judge whether they are one."""
    said = f"strategy {seen.version}, counts {seen.fingerprint}"
    return Answer(said, tuple(_strategies(seen)))


def _strategies(seen: Strategies) -> Iterator[Finding]:
    for partition, fingerprint in sorted(seen.counted.items()):
        if fingerprint != seen.fingerprint:
            yield Finding(
                f"kpi.rows partition {partition}",
                f"is counted by other definitions ({fingerprint}) than this machine's strategy "
                f"({seen.fingerprint})",
                "name the workers' strategy in KPI_STREAM_STRATEGY, or count by this one: "
                "kpi-stream rebuild",
            )
    if seen.judged != seen.version:
        yield Finding(
            "scorecard",
            f"judges by another strategy ({seen.judged}) than this machine's ({seen.version})",
            "give both the same folder, and have the scorecard read it again: kill -HUP, or "
            "docker compose kill -s HUP scorecard",
        )
    if seen.matches is False:
        yield Finding(
            "scorecard",
            "shows nothing, since the rows were counted by other definitions than its own",
            "give it the workers' strategy, or count by its own: kpi-stream rebuild",
        )
    if seen.reloaded is False:
        yield Finding(
            "scorecard",
            "refused the strategy when it last read it, and goes on with the one before",
            "kpi-stream check lists the problems; put them right and reload",
        )
