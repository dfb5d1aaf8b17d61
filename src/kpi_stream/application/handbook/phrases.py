"""What is said about a strategy in one edition: windows, places, values, dates, links."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from kpi_stream.application.display import member_name, shown
from kpi_stream.application.handbook.markdown import escaped
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.strategy import (
    NATIONAL,
    Direction,
    Kpi,
    Objective,
    Target,
    TrajectoryKind,
    Unit,
)
from kpi_stream.domain.windows import WindowKind, parse

_NAMED = {
    WindowKind.MONTH: ("mes en curso", "month to date"),
    WindowKind.QUARTER: ("trimestre en curso", "quarter to date"),
    WindowKind.YEAR: ("año en curso", "year to date"),
    WindowKind.TWELVE_MONTHS: ("últimos 12 meses", "last 12 months"),
    WindowKind.NOW: ("ahora", "now"),
}
_LENGTHS = {
    "s": (("segundo", "segundos"), ("second", "seconds")),
    "m": (("minuto", "minutos"), ("minute", "minutes")),
    "h": (("hora", "horas"), ("hour", "hours")),
    "d": (("día", "días"), ("day", "days")),
}
_DISPLAYS = {
    "h": ("horas", "hours"),
    "min": ("minutos", "minutes"),
    "d": ("días", "days"),
    "%": ("porcentaje", "percent"),
    "x": ("veces", "times"),
    "M": ("millones", "millions"),
}
_UNITS = {
    Unit.SECONDS: ("segundos", "seconds"),
    Unit.RATIO: ("razón", "ratio"),
    Unit.COUNT: ("cantidad", "count"),
}
_DIRECTIONS = {
    Direction.UP: ("más es mejor", "more is better"),
    Direction.DOWN: ("menos es mejor", "less is better"),
    Direction.BAND: ("dentro de una banda", "within a band"),
}
_TRAJECTORIES = {
    TrajectoryKind.LINEAR: ("lineal", "linear"),
    TrajectoryKind.STEP: ("por escalones", "in steps"),
    TrajectoryKind.MILESTONES: ("por hitos", "by milestones"),
    TrajectoryKind.GEOMETRIC: ("a ritmo constante", "at a constant rate"),
}


def window(edition: Edition, name: str) -> str:
    """Return a window in words.

    Example:
        >>> from types import SimpleNamespace
        >>> [window(Edition(SimpleNamespace(), "es"), each) for each in ("24h", "mtd")]
        ['últimas 24 horas', 'mes en curso']
    """
    kind = parse(name).kind
    if kind in _NAMED:
        return edition.say(*_NAMED[kind])
    count, unit = name[:-1], name[-1]
    spanish, english = _LENGTHS[unit]
    if count == "1":
        return edition.say(f"última {spanish[0]}", f"last {english[0]}").replace(
            "última día", "último día"
        )
    last = "últimas" if unit == "h" else "últimos"
    return edition.say(f"{last} {count} {spanish[1]}", f"last {count} {english[1]}")


def unit(edition: Edition, kpi: Kpi) -> str:
    """Return the unit in which readers see a KPI, and which way is better."""
    what = edition.say(*_DISPLAYS[kpi.display]) if kpi.display in _DISPLAYS else ""
    if kpi.unit is Unit.MONEY:
        currency = edition.strategy.currency
        what = edition.say(f"{what} de {currency}", f"{what} of {currency}") if what else currency
    return f"{what or edition.say(*_UNITS[kpi.unit])}; {edition.say(*_DIRECTIONS[kpi.direction])}"


def value(edition: Edition, kpi: Kpi, number: float) -> str:
    """Return a value of a KPI as its readers see it."""
    return shown(number, kpi, edition.strategy, edition.language)


def day(edition: Edition, at: datetime) -> str:
    """Return the local date of an instant."""
    return at.astimezone(ZoneInfo(edition.strategy.calendar.time_zone)).date().isoformat()


def last_day(edition: Edition, target: Target) -> str:
    """Return the last day of a target; its deadline is the midnight that ends it."""
    return day(edition, target.deadline - timedelta(seconds=1))


def goal(edition: Edition, kpi: Kpi, target: Target) -> str:
    """Return what must be reached."""
    high = value(edition, kpi, target.value)
    if target.low is not None:
        low = value(edition, kpi, target.low)
        return edition.say(f"de {low} a {high}", f"{low} to {high}")
    if kpi.direction is Direction.DOWN:
        return edition.say(f"{high} o menos", f"{high} or less")
    return edition.say(f"{high} o más", f"{high} or more")


def trajectory(edition: Edition, kpi: Kpi, target: Target) -> str:
    """Return the shape of the way to a target, with the points in between."""
    if target.low is not None:
        return edition.say("constante", "constant")
    shape = edition.say(*_TRAJECTORIES[target.trajectory])
    points = [f"{day(edition, at)}: {value(edition, kpi, point)}" for at, point in target.points]
    return f"{shape} ({'; '.join(points)})" if points else shape


def scope(edition: Edition, target: Target) -> str:
    """Return what a target judges."""
    if target.dimension == NATIONAL:
        return edition.say("nacional", "national")
    name = dimension(edition, target.dimension)
    if target.members == ("*",):
        return f"{name}: " + edition.say("cada valor", "each value")
    members = (
        member_name(edition.strategy, target.dimension, each, edition.language)
        for each in target.members
    )
    return f"{name}: {', '.join(members)}"


def dimension(edition: Edition, name: str) -> str:
    """Return the name of a dimension."""
    for each in edition.strategy.dimensions:
        if each.id == name:
            return edition.text(each.name)
    return edition.say("nacional", "national") if name == NATIONAL else name


def titled(code: str, name: str) -> str:
    """Return a name with its code before it, as Markdown."""
    return escaped(f"{code} {name}".strip())


def kpi_title(edition: Edition, kpi: Kpi) -> str:
    """Return a KPI's code and name, as Markdown."""
    return titled(kpi.code, edition.text(kpi.name))


def objective_title(edition: Edition, objective: Objective) -> str:
    """Return an objective's code and name, as Markdown."""
    return titled(objective.code, edition.text(objective.name))


def dashboard(edition: Edition, uid: str, panel: int | None = None) -> str:
    """Return the address of a dashboard, or of one panel of it."""
    address = f"{edition.grafana_url}/d/{uid}"
    return address if panel is None else f"{address}?viewPanel={panel}"


def lasting(edition: Edition, seconds: int) -> str:
    """Return a time to wait in words.

    Example:
        >>> from types import SimpleNamespace
        >>> [lasting(Edition(SimpleNamespace(), "en"), each) for each in (60, 900, 21_600)]
        ['1 minute', '15 minutes', '6 hours']
    """
    for size, name in ((3600, "h"), (60, "m"), (1, "s")):
        if seconds and seconds % size == 0:
            count = seconds // size
            spanish, english = _LENGTHS[name]
            many = count != 1
            return edition.say(f"{count} {spanish[many]}", f"{count} {english[many]}")
    return edition.say("nada", "nothing")
