"""The events of all other subjects: audits, controls, appeals, refunds, operators, surveys ...

Rates come from the options; amounts and outcomes are assumptions unless they name a source.
"""

import numpy as np
from numpy.typing import NDArray

from kpi_stream.adapters.simulator.declarations import Words, cumulative, pick, pseudonym
from kpi_stream.adapters.simulator.office_hours import HOUR_MS, Moments, OfficeHours
from kpi_stream.adapters.simulator.options import SimulationOptions
from kpi_stream.adapters.simulator.wire import EventWriter, base32

_AUDIT_FINDS = (0.54, 0.63)  # start and end of the history
_AUDIT_MEAN_CENTS = 1_800_000
_ACTIONS = ("seizure", "inspection", "hold", "destruction")
_ACTION_WEIGHTS = (0.62, 0.22, 0.14, 0.02)
_SEIZURE_MEAN_CENTS = 2_020_000
"""US$ 224.8 m in 17,919 actions (2024), of which the seizures carry the value.

Source: contadoresyempresas.com.pe; the share of seizures is an assumption."""
_AMOUNT_SIGMA = 1.2
_GOODS = ("clothing", "footwear", "electronics", "cigarettes", "spirits", "medicines", "fuel")
_OUTCOMES, _OUTCOME_WEIGHTS = ("dismissed", "upheld", "partial"), (0.62, 0.22, 0.16)
_APPEAL_H, _REFUND_H = (600.0, 0.5, 1_600.0), (110.0, 0.5, 700.0)
"""Median hours, standard deviation of the logarithm, cap in hours, until the outcome."""
_REFUND_CENTS = 300_000
_ROLES = ("importer", "exporter", "agent", "warehouse", "express")
_ROLE_WEIGHTS = (221, 125, 60, 18, 2)
"""Certified operators by role in 2024. Source: comexperu.org.pe, 2025-08-15."""
_CHANGES, _CHANGE_WEIGHTS = ("granted", "suspended", "revoked"), (0.85, 0.10, 0.05)
_OPERATORS = 600
_SCORES = (1, 2, 3, 4, 5)
_SCORE_WEIGHTS = ((5, 7, 14, 42, 32), (3, 5, 10, 44, 38))  # start and end of the history
_REVISIONS = ("annual review", "new legislation", "technical adjustment")


class OtherEvents:
    """Writes a day's events of everything that is not a declaration.

    Args:
        options: Of the simulation: rates, offices, KPIs.
        hours: Humans decide in office hours.
    """

    def __init__(self, options: SimulationOptions, hours: OfficeHours) -> None:
        self._rates, self._kpis = options.rates, options.kpis
        self._hours = hours
        self._codes = np.array([office.code for office in options.offices], dtype=object)
        self._edges = cumulative([office.share for office in options.offices])
        self._seeded = options.seed

    def write(self, day: int, progress: float, declarations: Words, to: EventWriter) -> None:
        """Write the events of one local day.

        Args:
            day: Its ordinal.
            progress: Where the day is in the history, 0 at its start and 1 at its end.
            declarations: Subjects of the day's declarations; appeals name one of them, and the
                rates are per 100 of them.
            to: Where the events go.
        """
        midnight = self._hours.midnight_ms(day)
        self._audits(midnight, progress, declarations, to)
        self._controls(midnight, declarations, to)
        self._appeals(midnight, declarations, to)
        self._refunds(midnight, declarations, to)
        self._operators(midnight, declarations, to)
        self._surveys(midnight, progress, declarations, to)
        self._revisions(midnight, declarations, to)

    def _audits(self, midnight: int, progress: float, declarations: Words, to: EventWriter) -> None:
        n = self._count(self._rates.audits, declarations, to)
        rate = _AUDIT_FINDS[0] + (_AUDIT_FINDS[1] - _AUDIT_FINDS[0]) * progress
        finding = to.rng.random(n) < rate
        amount = np.where(finding, _amounts(to.rng, n, _AUDIT_MEAN_CENTS), 0)
        subject, office = self._subjects("audit", n, to), self._offices(n, to)
        moment = self._hours.after(self._moments(midnight, n, to), 0.0)
        to.add("audit.completed", moment, subject, office, finding=finding, amount_cents=amount)

    def _controls(self, midnight: int, declarations: Words, to: EventWriter) -> None:
        n = self._count(self._rates.controls, declarations, to)
        action = pick(cumulative(_ACTION_WEIGHTS), to.rng, n)
        seized = action == _ACTIONS.index("seizure")
        value = _amounts(to.rng, n, _SEIZURE_MEAN_CENTS)
        value = np.where(seized | (action == _ACTIONS.index("hold")), value, 0)
        weight = np.round(np.exp(3.0 + 1.5 * to.rng.standard_normal(n)), 3)
        to.add(
            "enforcement.recorded",
            self._moments(midnight, n, to),
            self._subjects("control", n, to),
            self._offices(n, to),
            action=np.array(_ACTIONS, object)[action],
            goods=np.array(_GOODS, object)[to.rng.integers(0, len(_GOODS), n)],
            value_cents=value,
            weight_kg=np.where(value > 0, weight, 0.0),
        )

    def _appeals(self, midnight: int, declarations: Words, to: EventWriter) -> None:
        if len(declarations) == 0:
            return
        n = self._count(self._rates.appeals, declarations, to)
        about = declarations[to.rng.integers(0, len(declarations), n)]
        subject, office = self._subjects("appeal", n, to), self._offices(n, to)
        filed = self._moments(midnight, n, to)
        resolved = self._hours.after(filed + _wait(to.rng, n, _APPEAL_H), 0.0)
        outcome = np.array(_OUTCOMES, object)[pick(cumulative(_OUTCOME_WEIGHTS), to.rng, n)]
        to.add("appeal.filed", filed, subject, office, declaration=about)
        to.add("appeal.resolved", resolved, subject, office, outcome=outcome)

    def _refunds(self, midnight: int, declarations: Words, to: EventWriter) -> None:
        n = self._count(self._rates.refunds, declarations, to)
        subject, office = self._subjects("refund", n, to), self._offices(n, to)
        amount = _amounts(to.rng, n, _REFUND_CENTS)
        requested = self._moments(midnight, n, to)
        paid = self._hours.after(requested + _wait(to.rng, n, _REFUND_H), 0.0)
        to.add("refund.requested", requested, subject, office, amount_cents=amount)
        to.add("refund.paid", paid, subject, office, amount_cents=amount)

    def _operators(self, midnight: int, declarations: Words, to: EventWriter) -> None:
        n = self._count(self._rates.operators, declarations, to)
        number = to.rng.integers(0, _OPERATORS, n).tolist()
        # An operator keeps its office and its role over all its changes.
        fixed = [np.random.default_rng([self._seeded, 77, each]).random(2) for each in number]
        u = np.array(fixed).reshape(n, 2)
        role = np.searchsorted(cumulative(_ROLE_WEIGHTS), u[:, 1], side="right")
        status = pick(cumulative(_CHANGE_WEIGHTS), to.rng, n)
        to.add(
            "aeo.status_changed",
            self._hours.after(self._moments(midnight, n, to), 0.0),
            np.array([f"operator-{pseudonym(str(each))}" for each in number], object),
            self._codes[np.searchsorted(self._edges, u[:, 0], side="right")],
            role=np.array(_ROLES, object)[role],
            status=np.array(_CHANGES, object)[status],
        )

    def _surveys(
        self, midnight: int, progress: float, declarations: Words, to: EventWriter
    ) -> None:
        n = self._count(self._rates.surveys, declarations, to)
        old, new = (cumulative(weights) for weights in _SCORE_WEIGHTS)
        edges = old + (new - old) * progress
        score = np.array(_SCORES)[pick(edges, to.rng, n)]
        subject, office = self._subjects("survey", n, to), self._offices(n, to)
        to.add("survey.answered", self._moments(midnight, n, to), subject, office, score=score)

    def _revisions(self, midnight: int, declarations: Words, to: EventWriter) -> None:
        if not self._kpis:
            return
        n = self._count(self._rates.target_revisions, declarations, to)
        kpi = np.array(self._kpis, object)[to.rng.integers(0, len(self._kpis), n)]
        old = np.round(0.5 + to.rng.random(n) / 2, 3)
        to.add(
            "target.revised",
            self._hours.after(self._moments(midnight, n, to), 0.0),
            np.array([f"target-{each}" for each in kpi], object),
            np.full(n, self._codes[0], object),
            kpi=kpi,
            old_value=old,
            new_value=np.round(old * (0.95 + to.rng.random(n) / 10), 3),
            author="planning-office",
            reason=np.array(_REVISIONS, object)[to.rng.integers(0, len(_REVISIONS), n)],
        )

    def _count(self, per_hundred: float, declarations: Words, to: EventWriter) -> int:
        return int(to.rng.poisson(per_hundred * len(declarations) / 100))

    def _offices(self, n: int, to: EventWriter) -> Words:
        return np.asarray(self._codes[pick(self._edges, to.rng, n)])

    def _subjects(self, kind: str, n: int, to: EventWriter) -> Words:
        return np.array([f"{kind}-{to.prefix}{base32(i, 4)}" for i in range(n)], dtype=object)

    def _moments(self, midnight: int, n: int, to: EventWriter) -> Moments:
        hour = np.clip(13.0 + 3.5 * to.rng.standard_normal(n), 0.0, 23.9)
        return np.asarray(midnight + np.floor(hour * HOUR_MS))


def _amounts(rng: np.random.Generator, n: int, mean_cents: int) -> NDArray[np.int64]:
    mu = np.log(mean_cents) - _AMOUNT_SIGMA**2 / 2
    return np.asarray(np.exp(mu + _AMOUNT_SIGMA * rng.standard_normal(n)).astype(np.int64))


def _wait(rng: np.random.Generator, n: int, stage: tuple[float, float, float]) -> Moments:
    median, sigma, cap = stage
    hours = np.minimum(median * np.exp(sigma * rng.standard_normal(n)), cap)
    return np.asarray(np.floor(hours * HOUR_MS))
