"""The events of declarations: one life becomes its life-cycle events."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from kpi_stream.adapters.simulator import risk
from kpi_stream.adapters.simulator.declarations import Declarations, Words, cumulative, pick
from kpi_stream.adapters.simulator.life import CLEARANCE_MODES, Life
from kpi_stream.adapters.simulator.office_hours import HOUR_MS
from kpi_stream.adapters.simulator.options import TRANSPORT_MODES, SimulationOptions
from kpi_stream.adapters.simulator.wire import EventWriter, iso

_OFFICERS_AT_LEAST = 2
_OFFICERS = 90
"""Officers of the whole administration, shared out like the declarations. An assumption."""

_AGENCIES = ("health", "agriculture", "fisheries", "transport", "industry")
_CLASSES = ("value", "classification", "quantity", "origin")
_RESULTS = np.array(("conforming", "discrepancy"), dtype=object)
_VALUE = {
    "clearance": np.array(CLEARANCE_MODES, dtype=object),
    "channel": np.array(risk.CHANNELS, dtype=object),
    "basis": np.array(risk.BASES, dtype=object),
    "mode": np.array(TRANSPORT_MODES, dtype=object),
}


class DeclarationEvents:
    """Writes the events of the declarations of a day.

    Args:
        options: Of the simulation: regimes, offices.
    """

    def __init__(self, options: SimulationOptions) -> None:
        self._regimes = _words([code for code, _ in options.regimes])
        self._regime_edges = cumulative([weight for _, weight in options.regimes])
        total = sum(office.share for office in options.offices)
        self._officers = {
            office.code: max(_OFFICERS_AT_LEAST, round(_OFFICERS * office.share / total))
            for office in options.offices
        }

    def write(self, day: int, declared: Declarations, life: Life, to: EventWriter) -> Words:
        """Write every event of the lives, and return their subjects.

        Args:
            day: Ordinal of the local day of the numbering.
            declared: The declarations.
            life: What happens to them, and when.
            to: Where the events go.
        """
        n, rng = len(declared), to.rng
        year = date.fromordinal(day).year
        regime = self._regimes[pick(self._regime_edges, rng, n)]
        office, at = declared.office, life.at
        subject = _words(
            [
                f"{code}-{year}-{kind}-{serial}"
                for code, kind, serial in zip(office, regime, declared.serial, strict=True)
            ]
        )
        mode = _VALUE["mode"][declared.mode]
        officer = self._officer(office, rng)
        carrier = rng.integers(0, 40, n)
        manifest = _words(
            [
                f"{how}-{moment // (24 * HOUR_MS):.0f}-{which:02d}"
                for how, moment, which in zip(mode, life.expected, carrier.tolist(), strict=True)
            ]
        )
        result = _RESULTS[life.found.astype(np.int64)]

        to.add(
            "manifest.transmitted",
            at["manifested"],
            subject,
            office,
            manifest_id=manifest,
            transport_mode=mode,
            eta=_eta(life, rng, n),
        )
        to.add("transport.arrived", at["arrived"], subject, office, manifest_id=manifest)
        to.add("discharge.completed", at["discharged"], subject, office, manifest_id=manifest)
        to.add(
            "declaration.numbered",
            at["numbered"],
            subject,
            office,
            regime=regime,
            transport_mode=mode,
            clearance_mode=_VALUE["clearance"][life.clearance],
            importer=declared.importer,
            declarant=declared.declarant,
            aeo=life.aeo,
            electronic=life.electronic,
            hs_chapter=[f"{chapter:02d}" for chapter in declared.hs_chapter.tolist()],
            origin=declared.origin,
            cif_cents=declared.cif_cents,
            duties_cents=declared.duties_cents,
        )
        # A refused attempt never got a number: it is a subject of its own.
        to.add(
            "declaration.rejected",
            at["refused"],
            _words([f"{each}-R" for each in subject]),
            office,
            reason_code=_chosen(("incomplete", "tariff", "manifest"), rng, n),
        )
        self._channel(subject, declared, life, officer, to)
        self._control(subject, declared, life, officer, result, to)
        self._outcome(subject, declared, life, officer, to)
        return subject

    def _channel(
        self, subject: Words, declared: Declarations, life: Life, officer: Words, to: EventWriter
    ) -> None:
        at, office, chosen = life.at, declared.office, life.selection
        to.add(
            "debt.settled",
            at["settled"],
            subject,
            office,
            settlement=np.where(life.guaranteed, "guaranteed", "paid"),
            amount_cents=declared.duties_cents,
        )
        to.add(
            "channel.assigned",
            at["channel_assigned"],
            subject,
            office,
            channel=_VALUE["channel"][chosen.channel],
            basis=_VALUE["basis"][chosen.basis],
        )
        to.add(
            "channel.changed",
            at["channel_changed"],
            subject,
            office,
            from_channel=_VALUE["channel"][chosen.channel],
            channel=_VALUE["channel"][life.channel],
            basis=np.where(life.discretion, "discretion", "risk"),
            officer=officer,
            reason=np.where(life.discretion, "officer's decision", "new risk information"),
        )
        to.add("officer.assigned", at["officer_assigned"], subject, office, officer=officer)

    def _control(
        self,
        subject: Words,
        declared: Declarations,
        life: Life,
        officer: Words,
        result: Words,
        to: EventWriter,
    ) -> None:
        at, office = life.at, declared.office
        to.add("documents.requested", at["documents_requested"], subject, office)
        to.add("documents.received", at["documents_received"], subject, office)
        to.add("review.completed", at["reviewed"], subject, office, result=result, officer=officer)
        to.add("inspection.started", at["inspection_started"], subject, office, officer=officer)
        plain = {"result": result, "officer": officer}
        found = np.where(life.found, at["inspected"], np.nan)
        kind = _chosen(_CLASSES, to.rng, len(declared))
        to.add("inspection.completed", found, subject, office, **plain, discrepancy_class=kind)
        clean = np.where(life.found, np.nan, at["inspected"])
        to.add("inspection.completed", clean, subject, office, **plain)
        to.add(
            "scan.completed",
            at["scanned"],
            subject,
            office,
            result=_RESULTS[life.scan_found.astype(np.int64)],
        )
        agency = _words([_AGENCIES[chapter % len(_AGENCIES)] for chapter in declared.hs_chapter])
        first, second = at["oga_decided"], at["oga_decided2"]
        to.add(
            "oga.decided",
            first,
            subject,
            office,
            agency=agency,
            result=np.where(life.denied, "denied", "approved"),
            waiting_hours=np.round((first - at["numbered"]) / HOUR_MS, 2),
        )
        to.add(
            "oga.decided",
            second,
            subject,
            office,
            agency=agency,
            result="approved",
            waiting_hours=np.round((second - first) / HOUR_MS, 2),
        )

    def _outcome(
        self, subject: Words, declared: Declarations, life: Life, officer: Words, to: EventWriter
    ) -> None:
        at, office, duties = life.at, declared.office, declared.duties_cents
        to.add(
            "assessment.adjusted",
            at["adjusted"],
            subject,
            office,
            duties_before_cents=duties,
            duties_after_cents=life.duties_after_cents,
            officer=officer,
        )
        to.add(
            "debt.settled",
            at["settled2"],
            subject,
            office,
            settlement="paid",
            amount_cents=life.duties_after_cents - duties,
        )
        for again in ("", "2"):
            moment = at["amended" + again]
            late = moment > at["released"]
            to.add("declaration.amended", moment, subject, office, after_release=late)
        to.add(
            "declaration.cancelled",
            at["cancelled"],
            subject,
            office,
            reason_code=np.where(life.abandoned, "abandoned", "requested"),
        )
        automatic = life.channel == risk.GREEN
        released = at["released"]
        to.add("release.granted", np.where(automatic, released, np.nan), subject, office)
        by_officer = np.where(automatic, np.nan, released)
        to.add("release.granted", by_officer, subject, office, officer=officer)
        to.add("goods.exited", at["exited"], subject, office)
        to.add("regularization.completed", at["regularized"], subject, office)

    def _officer(self, office: Words, rng: np.random.Generator) -> Words:
        u = rng.random(len(office)).tolist()
        return _words(
            [
                f"{code}-o{int(drawn * self._officers[code]):02d}"
                for code, drawn in zip(office, u, strict=True)
            ]
        )


def _eta(life: Life, rng: np.random.Generator, n: int) -> list[str]:
    # The forecast of the arrival misses by some hours either way.
    forecast = life.expected + 3 * HOUR_MS * rng.standard_normal(n)
    return iso(forecast.astype(np.int64))


def _chosen(words: tuple[str, ...], rng: np.random.Generator, n: int) -> Words:
    return np.array(words, dtype=object)[rng.integers(0, len(words), n)]


def _words(values: list[str]) -> NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
