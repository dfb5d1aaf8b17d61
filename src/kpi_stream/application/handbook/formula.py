"""A measure in words: what is counted, divided by what, and when it counts."""

from collections.abc import Callable
from typing import Any, NamedTuple

from kpi_stream.application.handbook.clauses import Speaker
from kpi_stream.domain import strategy as s
from kpi_stream.domain.attributes import milestone
from kpi_stream.domain.events import Kind


def formula(kpi: s.Kpi, strategy: s.Strategy, language: str) -> str:
    """Return the formula of a KPI in words, with its milestones, limits and conditions."""
    return _WORDS[kpi.measure.kind].formula(kpi.measure, Speaker(strategy, language))


def counts_when(kpi: s.Kpi, strategy: s.Strategy, language: str) -> str:
    """Return at which time something counts; empty where nothing is measured."""
    return _WORDS[kpi.measure.kind].counts_when(kpi.measure, Speaker(strategy, language))


def _duration(measure: s.Duration, say: Speaker) -> str:
    kind = milestone(measure.end).kind
    subjects = say.subjects(kind) + say.where(measure.where)
    ways = {
        "mean": say("Promedio del tiempo", "Mean of the time"),
        "p50": say("Mediana del tiempo", "Median of the time"),
    }
    percentile = measure.statistic.removeprefix("p")
    what = ways.get(measure.statistic) or say(
        f"Percentil {percentile} del tiempo", f"{percentile}th percentile of the time"
    )
    return say(
        f"{what} desde {_start(measure, say)} hasta {say.one(measure.end)}, de {subjects}.",
        f"{what} from {_start(measure, say)} to {say.one(measure.end)}, of {subjects}.",
    )


def _start(measure: s.Duration | s.Within, say: Speaker) -> str:
    """Return where the clock starts: the latest of several, of which some may be missing."""
    required = [say.one(name) for name in measure.start]
    optional = [say.one(name) for name in measure.start_if_present]
    text = required[0]
    if len(required) > 1:
        text = say("lo último entre ", "the latest of ") + say.both(required)
    if optional:
        text += say(
            f" (o desde {say.either(optional)}, si ocurre después)",
            f" (or from {say.either(optional)}, where that is later)",
        )
    return text


def _within(measure: s.Within, say: Speaker) -> str:
    kind = milestone(measure.start[0]).kind
    subjects, where = say.subjects(kind), say.where(measure.where)
    ends = say.either([say.one(name) for name in measure.end])
    limit = say.span(measure.limit_ms)
    left_out = ""
    if kind is Kind.DECLARATION:
        left_out = say(" Las legajadas no cuentan.", " Cancelled ones do not count.")
    return say(
        f"{_capital(subjects)}{where} con {ends} dentro de {limit} desde {_start(measure, say)}"
        f" ÷ {subjects}{where} para las que ese plazo ya venció.{left_out}",
        f"{_capital(subjects)}{where} with {ends} within {limit} of {_start(measure, say)}"
        f" ÷ {subjects}{where} for which that limit has passed.{left_out}",
    )


def _same_day(measure: s.SameDay, say: Speaker) -> str:
    subjects = say.subjects(milestone(measure.opened).kind)
    where = say.where(measure.where)
    decisions = say.either([say.one(name) for name in measure.decisions])
    if len(measure.decisions) > 1:
        decisions = say(f"la primera decisión ({decisions})", f"the first decision ({decisions})")
    opened = say.one(measure.opened)
    return say(
        f"{_capital(subjects)}{where} con {decisions} el mismo día que {opened}"
        f" ÷ {subjects}{where} con {opened}.",
        f"{_capital(subjects)}{where} with {decisions} on the same day as {opened}"
        f" ÷ {subjects}{where} with {opened}.",
    )


def _sum(amount: s.Amount, say: Speaker) -> str:
    events = say.many(amount.of).lower() + say.where(amount.where)
    field = say.field(f"{amount.of}.{amount.field}")
    return say(f"Suma {_of(field)} de {events}", f"Sum of {field} of {events}")


def _amount(measure: s.Amount, say: Speaker) -> str:
    return f"{_sum(measure, say)}."


def _amount_share(measure: s.AmountShare, say: Speaker) -> str:
    whole = _sum(measure.whole, say)
    return f"{_sum(measure.part, say)} ÷ {whole[:1].lower()}{whole[1:]}."


def _plan(measure: s.Plan, say: Speaker) -> str:
    plan = say("lo que el plan prevé hasta hoy", "what the plan foresees until today")
    return f"{_sum(measure.amount, say)} ÷ {plan}."


def _not_measured(measure: s.NotMeasured, say: Speaker) -> str:
    return say("No se mide: ", "It is not measured: ") + measure.reason[say.language]


def _share(measure: s.Share, say: Speaker) -> str:
    part = say.many(measure.of) + say.where(measure.where, measure.part)
    return f"{part} ÷ {say.many(measure.of).lower()}{say.where(measure.where)}."


def _of(noun: str) -> str:
    """Return a Spanish noun with `de`, which melts with `el`."""
    return f"del {noun[3:]}" if noun.startswith("el ") else f"de {noun}"


def _stock(measure: s.Stock, say: Speaker) -> str:
    subjects = say.subjects(milestone(measure.opened).kind)
    where, age = say.where(measure.where), say.span(measure.older_than_ms)
    closed = say.neither([say.one(name) for name in measure.closed])
    opened = say.one(measure.opened)
    return say(
        f"{_capital(subjects)} pendientes{where} con más de {age} desde {opened}"
        f" ÷ {subjects} pendientes{where}. Pendiente es lo que tiene {opened}, pero no {closed}.",
        f"Open {subjects}{where} that are more than {age} past {opened}"
        f" ÷ open {subjects}{where}. Open is what has {opened}, but not {closed}.",
    )


def _lift(measure: s.Lift, say: Speaker) -> str:
    def side(group: tuple[s.Condition, ...]) -> str:
        events = say.many(measure.of).lower()
        return (
            f"({events}{say.where(measure.where, group, measure.part)}"
            f" ÷ {events}{say.where(measure.where, group)})"
        )

    return f"{side(measure.group)} ÷ {side(measure.against)}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _duration_at(measure: s.Duration, say: Speaker) -> str:
    return say(
        f"Cuenta en el momento {say.of(measure.end)}. "
        "Lo que termina antes de empezar cuenta como cero.",
        f"Counts at {say.one(measure.end)}. What ends before it starts counts as zero.",
    )


def _same_day_at(measure: s.SameDay, say: Speaker) -> str:
    return say(
        f"Cuenta en el momento {say.of(measure.opened)}; el día es el de la hora local.",
        f"Counts at {say.one(measure.opened)}; the day is that of local time.",
    )


def _always(es: str, en: str) -> Callable[[Any, Speaker], str]:
    return lambda _, say: say(es, en)


_EACH_EVENT = _always("Cada evento cuenta en su momento.", "Each event counts at its own time.")
_EACH_AMOUNT = _always("Cada importe cuenta en su momento.", "Each amount counts at its own time.")


class _Words(NamedTuple):
    """How a kind of measure is spoken of; each takes a measure of that kind."""

    formula: Callable[[Any, Speaker], str]
    counts_when: Callable[[Any, Speaker], str]


_WORDS: dict[str, _Words] = {
    s.Duration.kind: _Words(_duration, _duration_at),
    s.Within.kind: _Words(
        _within,
        _always(
            "Cuenta cuando vence el plazo, se haya cumplido o no.",
            "Counts when the limit has passed, whether it was kept or not.",
        ),
    ),
    s.SameDay.kind: _Words(_same_day, _same_day_at),
    s.Share.kind: _Words(_share, _EACH_EVENT),
    s.Amount.kind: _Words(_amount, _EACH_AMOUNT),
    s.AmountShare.kind: _Words(_amount_share, _EACH_AMOUNT),
    s.Stock.kind: _Words(
        _stock,
        _always(
            "Se mira lo que hay en este momento, sin ventana.",
            "Looks at what there is at this moment, without a window.",
        ),
    ),
    s.Lift.kind: _Words(_lift, _EACH_EVENT),
    s.Plan.kind: _Words(
        _plan,
        _always(
            "El plan de un mes que no ha terminado cuenta en proporción al tiempo pasado.",
            "The plan of a month that is not over counts in proportion to the time passed.",
        ),
    ),
    s.NotMeasured.kind: _Words(_not_measured, _always("", "")),
}
