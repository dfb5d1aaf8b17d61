"""The life of the declarations of one day: when each milestone is reached, as columns.

The order of events depends on the clearance mode. Anticipated: numbered, channel, payment, arrival,
release, and for some the release before the arrival. Deferred: arrival, discharge, numbering,
payment, channel, release. Urgent: either side of the arrival.
"""

from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from kpi_stream.adapters.simulator import risk, stages
from kpi_stream.adapters.simulator.declarations import Declarations
from kpi_stream.adapters.simulator.office_hours import HOUR_MS, Moments, OfficeHours
from kpi_stream.adapters.simulator.options import TRANSPORT_MODES, SimulationOptions
from kpi_stream.adapters.simulator.stages import Draws

ANTICIPATED, DEFERRED, URGENT = 0, 1, 2
CLEARANCE_MODES = ("anticipated", "deferred", "urgent")

_ROAD = TRANSPORT_MODES.index("road")
_SEA = TRANSPORT_MODES.index("sea")

# Assumptions, each a share of the declarations named beside it.
_URGENT = (0.06, 0.25, 0.10, 0.10, 0.10, 0.10)  # of those not anticipated, by mode
_URGENT_BEFORE = 0.6  # urgent: numbered before the arrival
_GUARANTEED = 0.30  # anticipated: guaranteed or paid at once
_BEFORE_ARRIVAL = 0.36  # anticipated, green: released without waiting for the arrival
_DOCUMENTS = 0.30  # orange, red: documents are asked for
_DISCRETION, _NEW_RISK = 0.009, 0.002  # all: the channel is changed
_FOUND_BY_REVIEW = 0.45  # true discrepancies: found by a document review
_FALSE_ALARM = 0.01  # no discrepancy: the control says there is one
_ADJUSTED = 0.9  # found discrepancies: the assessment changes
_SCANNED, _SCANNED_RED = 0.02, 0.30
_AGENCY_CHAPTERS = (*range(1, 25), 28, 29, 30, 31, 38)
_AGENCY, _AGENCY_OTHER, _DENIED = 0.40, 0.04, 0.02
_AMENDED_TWICE = 0.1  # amended
_ABANDONED = 0.12  # cancelled
_AEO = (0.28, 0.34)  # all: importer is a trusted operator, start and end of the history
_ELECTRONIC = (0.972, 0.990)
_REFUSED = 0.008

_DECLARED = frozenset({"manifested", "arrived", "discharged", "numbered", "refused"})

_DAYTIME = 0.8  # numbered around the middle of the day; the rest at any hour
_NOON_H, _NOON_SPREAD_H, _MIDNIGHT_H = 13.5, 3.2, 23.9

_BASE_PACE = 1.18
"""Calibration: with it, release_hours 33 gives a mean release time of 33 h."""
_BASE_HOURS = 33.0


@dataclass(slots=True)
class Life:
    """Milestones and attributes of the declarations of one day."""

    at: dict[str, Moments]
    """Milestone -> when, in ms; NaN where it is never reached. A trailing 2 is a second time."""
    expected: Moments
    """The arrival, also where a cancellation comes before it."""
    clearance: NDArray[np.int64]
    aeo: NDArray[np.bool_]
    electronic: NDArray[np.bool_]
    selection: risk.Selection
    channel: NDArray[np.int64]
    """The channel after a change."""
    discretion: NDArray[np.bool_]
    """The change of the channel was an officer's own decision."""
    guaranteed: NDArray[np.bool_]
    found: NDArray[np.bool_]
    """Review or inspection says that there is a discrepancy."""
    scan_found: NDArray[np.bool_]
    denied: NDArray[np.bool_]
    """The first decision of the other agency is a denial."""
    duties_after_cents: NDArray[np.int64]
    abandoned: NDArray[np.bool_]


@dataclass(slots=True)
class LifeModel:
    """Draws lives; holds what does not change from day to day."""

    options: SimulationOptions
    hours: OfficeHours
    fraud: float
    """Share of declarations with a true discrepancy."""
    _agency: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the share of declarations that need a permit, by chapter."""
        self._agency = np.full(100, _AGENCY_OTHER)
        self._agency[list(_AGENCY_CHAPTERS)] = _AGENCY

    def draw(
        self, day: int, progress: float, declared: Declarations, rng: np.random.Generator
    ) -> Life:
        """Return the lives of the declarations numbered on a local day.

        Args:
            day: Ordinal of the day.
            progress: Where the day is in the history, 0 at its start and 1 at its end.
            declared: The declarations.
            rng: Where chance comes from.
        """
        n = len(declared)
        draws = Draws(rng, n, declared.mode)
        pace = self._pace(progress)
        aeo_share = _between(_AEO, progress)
        # By importer, so that an operator stays trusted.
        trust = np.array([crc32(word.encode()) % 10_000 for word in declared.importer])
        aeo = trust < aeo_share * 10_000
        distance = risk.separation(progress)
        selection = risk.select(
            declared.fraud,
            aeo,
            rng,
            thresholds=self._thresholds(aeo_share, distance),
            distance=distance,
            random_share=self.options.random_selection,
        )
        life = Life(
            at={},
            expected=np.zeros(n),
            clearance=self._clearance(draws, progress),
            aeo=aeo,
            electronic=draws.chance(_between(_ELECTRONIC, progress)),
            selection=selection,
            channel=selection.channel,
            discretion=draws.chance(_DISCRETION),
            guaranteed=draws.chance(_GUARANTEED),
            found=np.zeros(n, np.bool_),
            scan_found=declared.fraud & draws.chance(_FOUND_BY_REVIEW),
            denied=draws.chance(_DENIED),
            duties_after_cents=declared.duties_cents,
            abandoned=draws.chance(_ABANDONED),
        )
        self._arrive(life, draws, self.hours.midnight_ms(day), pace)
        self._select(life, draws, pace)
        self._control(life, draws, declared, pace)
        self._release(life, draws, declared, pace)
        self._end(life, draws)
        return life

    def _pace(self, progress: float) -> float:
        improvement = 1.0 + self.options.trend * (0.5 - progress)
        return _BASE_PACE * self.options.release_hours / _BASE_HOURS * improvement

    def _thresholds(self, trusted: float, distance: float) -> tuple[float, float]:
        red, orange = risk.RED_SHARE, risk.RED_SHARE + risk.ORANGE_SHARE
        both = {"fraud": self.fraud, "trusted": trusted, "distance": distance}
        return risk.threshold(orange, **both), risk.threshold(red, **both)

    def _clearance(self, draws: Draws, progress: float) -> NDArray[np.int64]:
        anticipated = draws.chance(_between(self.options.anticipated, progress))
        urgent = draws.chance(np.array(_URGENT)[draws.mode])
        return np.where(anticipated, ANTICIPATED, np.where(urgent, URGENT, DEFERRED))

    def _arrive(self, life: Life, draws: Draws, midnight: int, pace: float) -> None:
        """Set numbering, manifest, arrival and discharge."""
        noon = _NOON_H + _NOON_SPREAD_H * draws.rng.standard_normal(draws.n)
        hour = np.where(draws.chance(_DAYTIME), noon, draws.between(0.0, _MIDNIGHT_H))
        numbered = midnight + np.floor(np.clip(hour, 0.0, _MIDNIGHT_H) * HOUR_MS)
        unload = draws.duration(stages.UNLOAD)
        urgent = life.clearance == URGENT
        early = (life.clearance == ANTICIPATED) | (urgent & draws.chance(_URGENT_BEFORE))
        lead = np.where(urgent, draws.duration(stages.URGENT_LEAD), draws.duration(stages.LEAD))
        wait = np.where(
            urgent, draws.duration(stages.URGENT_WAIT, pace), draws.duration(stages.DEFERRAL, pace)
        )
        arrived = np.where(early, numbered + lead, numbered - wait - unload)
        life.expected = arrived
        life.at.update(
            numbered=numbered,
            arrived=arrived,
            discharged=arrived + unload,
            manifested=arrived - draws.duration(stages.NOTICE),
            refused=_only(numbered - draws.duration(stages.REFUSE), draws.chance(_REFUSED)),
        )

    def _select(self, life: Life, draws: Draws, pace: float) -> None:
        """Set payment, channel, change of channel and the officer."""
        numbered, arrived = life.at["numbered"], life.at["arrived"]
        anticipated = life.clearance == ANTICIPATED
        urgent = life.clearance == URGENT
        at_once = draws.duration(stages.PAY_AT_ONCE)
        later = np.where(
            anticipated,
            draws.duration(stages.PAY_ANTICIPATED),
            draws.duration(stages.PAY_DEFERRED, pace),
        )
        life.guaranteed &= anticipated
        settled = numbered + np.where(life.guaranteed | urgent, at_once, later)
        # By land the channel also needs the arrival.
        ready = np.where(anticipated, numbered, settled)
        by_land = (draws.mode == _ROAD) & (anticipated | urgent)
        ready = np.where(by_land, np.maximum(ready, arrived), ready)
        channel = ready + draws.duration(stages.SYSTEM)
        moved = life.discretion | draws.chance(_NEW_RISK)
        moved &= life.channel != risk.RED
        life.discretion &= moved
        life.channel = np.where(moved, life.channel + 1, life.channel)
        changed = self._office(channel, draws.duration(stages.ASSIGN), moved)
        start = np.where(moved, changed, channel)
        controlled = life.channel != risk.GREEN
        life.at.update(
            settled=settled,
            channel_assigned=channel,
            channel_changed=changed,
            officer_assigned=self._office(start, draws.duration(stages.ASSIGN), controlled),
        )

    def _control(self, life: Life, draws: Draws, declared: Declarations, pace: float) -> None:
        """Set documents, review, inspection, scan and the permit of another agency."""
        at = life.at
        orange, red = life.channel == risk.ORANGE, life.channel == risk.RED
        asked = (orange | red) & draws.chance(_DOCUMENTS)
        requested = self._office(
            at["officer_assigned"], draws.duration(stages.ASK_DOCUMENTS), asked
        )
        received = requested + draws.duration(stages.SEND_DOCUMENTS)
        ready = np.fmax(at["officer_assigned"], received)
        reviewed = self._office(ready, draws.duration(stages.REVIEW, pace), orange)
        ready = np.fmax(ready, np.maximum(at["discharged"], at["settled"]))
        started = self._office(ready, draws.duration(stages.QUEUE_INSPECTION, pace), red)
        inspected = self._office(started, draws.duration(stages.INSPECT, pace), red)
        true, u = declared.fraud, draws.rng.random(draws.n)
        share = np.where(red, self.options.detection, _FOUND_BY_REVIEW)
        life.found = (orange | red) & np.where(true, u < share, u < _FALSE_ALARM)
        scanned = np.where(red, draws.chance(_SCANNED_RED), draws.chance(_SCANNED))
        scanned &= (draws.mode == _SEA) | (draws.mode == _ROAD)
        needs = draws.chance(self._agency[declared.hs_chapter])
        decided = self._office(
            at["numbered"] + draws.duration(stages.AGENCY, pace), np.zeros(draws.n), needs
        )
        again = self._office(
            decided + draws.duration(stages.AGENCY_AGAIN), np.zeros(draws.n), needs & life.denied
        )
        at.update(
            documents_requested=requested,
            documents_received=received,
            reviewed=reviewed,
            inspection_started=started,
            inspected=inspected,
            scanned=_only(at["discharged"] + draws.duration(stages.SCAN), scanned),
            oga_decided=decided,
            oga_decided2=again,
        )

    def _release(self, life: Life, draws: Draws, declared: Declarations, pace: float) -> None:
        """Set adjustment, second payment and release."""
        at = life.at
        control = np.fmax(at["reviewed"], at["inspected"])
        adjusting = life.found & draws.chance(_ADJUSTED)
        adjusted = self._office(control, draws.duration(stages.ADJUST), adjusting)
        settled2 = adjusted + draws.duration(stages.PAY_ADJUSTED, pace)
        raised = 1.0 + np.exp(-1.4 + 0.9 * draws.rng.standard_normal(draws.n))
        after = (declared.duties_cents * np.minimum(raised, 4.0)).astype(np.int64) + 100
        life.duties_after_cents = np.where(adjusting, after, declared.duties_cents)
        green = life.channel == risk.GREEN
        anticipated = life.clearance == ANTICIPATED
        free = ~anticipated | (green & draws.chance(_BEFORE_ARRIVAL))
        registered = at["arrived"] + draws.duration(stages.REGISTER_ARRIVAL, pace)
        ready = np.maximum(at["settled"], at["channel_assigned"])
        for milestone in (at["channel_changed"], control, settled2):
            ready = np.fmax(ready, milestone)
        for milestone in (at["oga_decided"], at["oga_decided2"], np.where(free, ready, registered)):
            ready = np.fmax(ready, milestone)
        by_officer = self._office(ready, draws.duration(stages.DECIDE, pace), ~green)
        automatic = ready + draws.duration(stages.SYSTEM)
        at.update(
            adjusted=adjusted,
            settled2=settled2,
            released=np.where(green, automatic, by_officer),
        )

    def _end(self, life: Life, draws: Draws) -> None:
        """Set exit, regularisation, amendments and cancellation; a cancelled life ends there."""
        at = life.at
        exited = np.maximum(at["released"], at["discharged"]) + draws.duration(stages.EXIT)
        regularized = self._office(
            at["discharged"] + draws.duration(stages.REGULARIZE),
            np.zeros(draws.n),
            life.clearance != DEFERRED,
        )
        amended = _only(
            at["numbered"] + draws.duration(stages.AMEND), draws.chance(self.options.amended)
        )
        again = _only(amended + draws.duration(stages.AMEND), draws.chance(_AMENDED_TWICE))
        cancelled = _only(
            at["numbered"]
            + np.where(
                life.abandoned, draws.duration(stages.ABANDON), draws.duration(stages.CANCEL)
            ),
            draws.chance(self.options.cancelled),
        )
        at.update(exited=exited, regularized=regularized, amended=amended, amended2=again)
        gone = ~np.isnan(cancelled)
        for milestone in ("released", "exited", "regularized"):
            at[milestone] = _only(at[milestone], ~gone)
        # Goods that nobody clears arrive and are declared, and no more; any other life goes on
        # until its cancellation.
        for milestone, moment in at.items():
            if milestone not in _DECLARED:
                gone_by = gone & ((moment >= cancelled) | life.abandoned)
                at[milestone] = _only(moment, ~gone_by)
            elif milestone not in {"numbered", "refused"}:
                at[milestone] = _only(moment, ~(gone & (moment >= cancelled)))
        at["cancelled"] = cancelled

    def _office(self, start: Moments, work: Moments, which: NDArray[np.bool_]) -> Moments:
        """Return when `work` is done in office hours; NaN for the others."""
        return self.hours.after(_only(start, which), work)


def _only(moments: Moments, which: NDArray[np.bool_]) -> Moments:
    return np.where(which, moments, np.nan)


def _between(edges: tuple[float, float], progress: float) -> float:
    return edges[0] + (edges[1] - edges[0]) * progress
