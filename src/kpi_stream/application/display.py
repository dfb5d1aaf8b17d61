"""How values are shown to people; rounded here and nowhere before a comparison."""

from kpi_stream.domain.readings import NoData
from kpi_stream.domain.status import Status
from kpi_stream.domain.strategy import Holder, Kpi, Strategy, Text, Unit

MARKS = {
    Status.ON_TRACK: "●",
    Status.AT_RISK: "▲",
    Status.OFF_TRACK: "■",
    Status.NO_DATA: "○",
}
"""A status is a shape before it is a colour."""

STATUS_WORDS: dict[Status, Text] = {
    Status.ON_TRACK: {"es": "En meta", "en": "On track"},
    Status.AT_RISK: {"es": "En riesgo", "en": "At risk"},
    Status.OFF_TRACK: {"es": "Fuera de meta", "en": "Off track"},
    Status.NO_DATA: {"es": "Sin datos", "en": "No data"},
}

HOLDERS: dict[Holder, Text] = {
    Holder.TRADER: {"es": "Operador y su agente", "en": "Trader and broker"},
    Holder.CARRIER: {"es": "Transportista", "en": "Carrier"},
    Holder.PORT: {"es": "Puerto, aeropuerto, almacén", "en": "Port, airport, warehouse"},
    Holder.BANK: {"es": "Banco", "en": "Bank"},
    Holder.CUSTOMS: {"es": "Aduana", "en": "Customs"},
    Holder.AGENCIES: {"es": "Otras entidades", "en": "Other agencies"},
}
"""Who holds the time."""

NO_DATA_WORDS: dict[NoData, Text] = {
    NoData.TOO_FEW: {
        "es": "muy pocos: {samples} de {minimum}",
        "en": "{samples} of {minimum} needed",
    },
    NoData.STALE: {"es": "sin eventos recientes", "en": "no recent events"},
    NoData.NOT_MEASURED: {"es": "no se mide", "en": "not measured"},
    NoData.NO_PLAN: {"es": "sin plan", "en": "no plan"},
}

_SCALES = {"h": 3600.0, "min": 60.0, "d": 86_400.0, "M": 1e6, "%": 0.01}
_SUFFIXES = {
    "h": " h",
    "min": " min",
    "d": " d",
    "M": " M",
    "%": " %",
    "x": " \N{MULTIPLICATION SIGN}",
}
_DECIMALS = {"h": 1, "min": 0, "d": 1, "M": 1, "%": 1, "x": 2}


def presentation(kpi: Kpi) -> tuple[float, int, str]:
    """Return (divisor, decimals, suffix) of a KPI's values, for tools that format by themselves.

    A ratio that is shown as it is has two decimals; with none, every share would be 0 or 1.
    """
    plain = 2 if kpi.unit is Unit.RATIO else 0
    return (
        _SCALES.get(kpi.display, 1.0),
        _DECIMALS.get(kpi.display, plain),
        _SUFFIXES.get(kpi.display, " s" if kpi.unit is Unit.SECONDS else ""),
    )


def number(value: float, decimals: int, language: str) -> str:
    """Return a number as a reader of the language writes it.

    Example:
        >>> number(1234.56, 1, "es"), number(1234.56, 1, "en")
        ('1 234,6', '1,234.6')
    """
    text = f"{value:,.{decimals}f}"
    if language != "es":
        return text
    # SI's thin space between thousands and the decimal comma, as Peruvian official texts use them.
    return text.replace(",", " ").replace(".", ",")


def shown(value: float | None, kpi: Kpi, strategy: Strategy, language: str) -> str:
    """Return a KPI's value with its unit, or a dash where there is none.

    Args:
        value: In the KPI's unit (seconds, ratio, major units of money, count).
        kpi: Says how its readers see the value.
        strategy: Gives the currency.
        language: `es` or `en`.
    """
    if value is None:
        return "—"
    divisor, decimals, suffix = presentation(kpi)
    text = number(value / divisor, decimals, language) + suffix
    return f"{strategy.currency} {text}" if kpi.unit is Unit.MONEY else text


def member_name(strategy: Strategy, dimension: str, member: str, language: str) -> str:
    """Return the name of a member, or its code where the strategy gives none."""
    for each in strategy.dimensions:
        if each.id == dimension:
            for known in each.members:
                if known.code == member:
                    return known.name[language]
    return member
