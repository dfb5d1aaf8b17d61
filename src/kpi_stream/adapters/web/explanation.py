"""An explanation as JSON, for the API and for `kpi-stream explain --json`.

Values and effects are in the KPI's unit and not rounded; the effects of one dimension add up to the
change within the last bit of a floating-point number (as fractions they do exactly).
"""

from datetime import UTC, datetime
from fractions import Fraction

from kpi_stream.application.explanation import Explanation, Split, Sum
from kpi_stream.application.periods import Period
from kpi_stream.domain.decomposition import Effect, Part
from kpi_stream.domain.strategy import Amount

Json = dict[str, object]


def explanation_json(found: Explanation) -> Json:
    """Return everything that is said about a KPI's movement."""
    return {
        "kpi": found.kpi.id,
        "window": found.window,
        "office": found.office,
        "as_of": _time(found.as_of_ms),
        "period": _period(found.period),
        "previous": _period(found.previous),
        "now": _sum(found.now),
        "before": _sum(found.before),
        "change": found.change,
        "of_mean": found.of_mean,
        "why_not": found.why_not,
        "cautions": list(found.cautions),
        "splits": [_split(each, found) for each in found.splits],
        "against": found.against,
        "costs": [
            {
                "dimension": each.dimension,
                "member": each.member,
                "gap": float(each.gap * found.scale),
                "value": each.value,
                "samples": each.samples,
            }
            for each in found.costs
        ],
    }


def _split(split: Split, found: Explanation) -> Json:
    plain = isinstance(found.kpi.measure, Amount)
    below_before = sum(each.before.denominator for each in split.effects)
    below_now = sum(each.now.denominator for each in split.effects)

    def effect(each: Effect) -> Json:
        return {
            "member": each.member,
            # A sum has no weights: each member stands for itself.
            "weight_before": None if plain else each.before.denominator / below_before,
            "weight_now": None if plain else each.now.denominator / below_now,
            "value_before": _value(each.before, found.scale),
            "value_now": _value(each.now, found.scale),
            "mix": float(each.mix * found.scale),
            "rate": float(each.rate * found.scale),
        }

    return {
        "dimension": split.dimension,
        "mix": float(split.mix * found.scale),
        "rate": float(split.rate * found.scale),
        "effects": [effect(each) for each in split.effects],
    }


def _value(part: Part, scale: Fraction) -> float | None:
    return float(Fraction(*part) * scale) if part.denominator else None


def _sum(one: Sum) -> Json:
    return {
        "value": one.value,
        "quantile": one.quantile,
        "numerator": one.numerator,
        "denominator": one.denominator,
        "samples": one.samples,
    }


def _period(period: Period | None) -> Json | None:
    if period is None:
        return None
    return {"from": _time(period.start_ms), "to": _time(period.end_ms)}


def _time(ms: int) -> str:
    whole, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
