"""What two sets of readings disagree on, in words that a person can act on."""

from collections.abc import Collection, Mapping

from tests.oracle.oracle import Key, OracleReading

NOTHING = OracleReading(None, 0, 0, 0)
QUANTILE_ERROR = 0.01
"""A quantile of a histogram may be off by this share of the true value."""
EXACT_MS = 100
"""Below this many milliseconds a quantile is exact."""
SHOWN = 20


def _close(expected: float | None, actual: float | None, tolerance: float) -> bool:
    if expected is None or actual is None:
        return expected is actual
    return abs(actual - expected) <= tolerance * abs(expected)


def _fields(
    expected: OracleReading, actual: OracleReading, *, quantile: bool
) -> list[tuple[str, float | None, float | None]]:
    tolerance = 0.0
    if quantile and expected.numerator >= EXACT_MS:
        # The numerator is a whole number of milliseconds, so rounding adds half of one.
        tolerance = QUANTILE_ERROR + 0.5 / expected.numerator
    pairs = [
        ("samples", expected.samples, actual.samples, 0.0),
        ("numerator", expected.numerator, actual.numerator, tolerance),
        ("denominator", expected.denominator, actual.denominator, 0.0),
        # Counts are equal to the unit; dividing them may differ in the last bit of a float.
        ("value", expected.value, actual.value, max(tolerance, 1e-12)),
    ]
    return [
        (name, wanted, found)
        for name, wanted, found, allowed in pairs
        if not _close(wanted, found, allowed)
    ]


def differences(
    expected: Mapping[Key, OracleReading],
    actual: Mapping[Key, OracleReading],
    quantiles: Collection[str],
) -> list[str]:
    """Return one line for each series on which the product and the oracle disagree.

    A series that one side does not have is no difference where the other has no samples in it.

    Args:
        expected: The oracle's.
        actual: The product's.
        quantiles: KPIs that may be off by 1 %; all others are equal to the unit.
    """
    found = []
    for key in sorted({*expected, *actual}):
        wanted, given = expected.get(key), actual.get(key)
        if wanted is None or given is None:
            there = wanted or given or NOTHING
            if there.samples == 0 and there.numerator == 0:
                continue
        wrong = _fields(wanted or NOTHING, given or NOTHING, quantile=key[0] in quantiles)
        if wrong:
            text = "; ".join(f"{name}: oracle {one}, product {two}" for name, one, two in wrong)
            found.append(f"{' / '.join(part or '-' for part in key)}: {text}")
    return found


def report(found: list[str]) -> str:
    """Return the first differences, one a line, with how many there are."""
    lines = found[:SHOWN]
    if len(found) > SHOWN:
        lines.append(f"... and {len(found) - SHOWN} more")
    return "\n".join([f"{len(found)} series differ", *lines])
