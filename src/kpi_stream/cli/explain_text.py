"""How an explanation looks in a terminal, in the strategy's language."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kpi_stream.application.display import member_name, number, presentation, shown
from kpi_stream.application.explain import OFFICE
from kpi_stream.application.handbook.formula import formula
from kpi_stream.cli.cells import named, plain_table
from kpi_stream.domain.strategy import Amount, Direction, Kpi, Strategy, Unit

SHOWN = 5
"""Members of a dimension that have a line; the others share one."""

WORDS: Mapping[str, Mapping[str, str]] = {
    "definition": {"es": "Qué mide", "en": "Definition"},
    "source": {"es": "Fuente", "en": "Source"},
    "now": {"es": "Ahora", "en": "Now"},
    "before": {"es": "Antes", "en": "Before"},
    "change": {"es": "Cambio", "en": "Change"},
    "quantile": {"es": "promedio", "en": "mean"},
    "of": {"es": "{above} de {below}", "en": "{above} of {below}"},
    "few": {"es": "menos que la muestra mínima", "en": "below the minimum sample"},
    "member": {"es": "Miembro", "en": "Member"},
    "weight": {"es": "Peso", "en": "Weight"},
    "mix": {"es": "Mezcla", "en": "Mix"},
    "rate": {"es": "Tasa", "en": "Rate"},
    "total": {"es": "Efecto", "en": "Effect"},
    "gap": {"es": "Brecha", "en": "Gap"},
    "others": {"es": "los otros {n}", "en": "the other {n}"},
    "all": {"es": "juntos", "en": "together"},
    "costs": {
        "es": "Los que más cuestan frente a {against}",
        "en": "Those that cost most against {against}",
    },
    "of_mean": {
        "es": "Un percentil no se descompone: se explica el promedio de las mismas duraciones.",
        "en": "A quantile does not split: what follows is the mean of the same durations.",
    },
}
WHY_NOT: Mapping[str, Mapping[str, str]] = {
    "not_measured": {"es": "Este indicador no se mide.", "en": "This KPI is not measured."},
    "stock": {
        "es": "Un saldo no tiene pasado con qué compararlo.",
        "en": "A stock has no past to compare with.",
    },
    "lift": {
        "es": "Un cociente de tasas no se descompone por miembros.",
        "en": "A ratio of two shares does not split by member.",
    },
    "plan": {
        "es": "El plan es de todos juntos y no se descompone.",
        "en": "The plan is one for all and does not split.",
    },
    "not_kept": {
        "es": "Las horas anteriores a esta ventana ya no se guardan; use --versus.",
        "en": "The hours before this window are not kept any more; use --versus.",
    },
    "no_rows": {
        "es": "En el periodo anterior aún no se contaba nada.",
        "en": "Nothing had been counted yet in the earlier period.",
    },
    "empty": {
        "es": "Uno de los dos periodos no tiene datos.",
        "en": "One of the two periods has no data.",
    },
}
CAUTIONS: Mapping[str, Mapping[str, str]] = {
    "unfinished": {
        "es": "El día de hoy aún no termina; a una suma todavía le falta.",
        "en": "Today is not over yet; a sum still lacks the rest of it.",
    },
    "unlike": {
        "es": "Los periodos no tienen los mismos días; una suma no es comparable sin más.",
        "en": "The periods have not the same number of days, which a sum depends on.",
    },
    "partly": {
        "es": "Los primeros datos son de un día dentro del periodo anterior.",
        "en": "The first data are of a day within the earlier period.",
    },
}

_Json = Mapping[str, Any]


def print_explanation(console: Console, found: _Json, strategy: Strategy, language: str) -> None:
    """Print an explanation.

    Args:
        console: Where to.
        found: As the API says it.
        strategy: Gives names, formats and the definition.
        language: `es` or `en`.
    """
    kpi = next(each for each in strategy.kpis if each.id == found["kpi"])
    say = _Speaker(kpi, strategy, language)
    office = found["office"]
    of_office = "" if office is None else f" · {member_name(strategy, OFFICE, office, language)}"
    console.print(Text(f"{named(kpi, language)} · {found['window']}{of_office}", style="bold"))
    for name, text in (
        ("definition", formula(kpi, strategy, language)),
        ("source", kpi.source),
    ):
        console.print(Text(f"{say.word(name)}: {text}"))
    console.print()
    for name, period in (("now", "period"), ("before", "previous")):
        if name == "now" or found[period] is not None:
            console.print(Text(say.reading(name, found[name], found[period])))
    if found["change"] is not None:
        style = say.tone(found["change"])
        console.print(Text(f"{say.word('change')}: {say.moved(found['change'])}", style=style))
    notes = [CAUTIONS[each][language] for each in found["cautions"]]
    if found["why_not"] is not None:
        notes.append(WHY_NOT[found["why_not"]][language])
    elif found["of_mean"]:
        notes.append(say.word("of_mean"))
    for note in notes:
        console.print(Text(note, style="italic"))
    for split in found["splits"]:
        console.print()
        console.print(_split(split, say))
    if found["costs"]:
        console.print()
        console.print(_costs(found, say))


class _Speaker:
    """Puts the numbers of one KPI into words."""

    def __init__(self, kpi: Kpi, strategy: Strategy, language: str) -> None:
        self.kpi, self.strategy, self.language = kpi, strategy, language
        self.plain = isinstance(kpi.measure, Amount)
        self._zone = ZoneInfo(strategy.calendar.time_zone)

    def word(self, name: str) -> str:
        """Return a word in the reader's language."""
        return WORDS[name][self.language]

    def value(self, value: float | None) -> str:
        """Return a value of the KPI."""
        return shown(value, self.kpi, self.strategy, self.language)

    def moved(self, change: float) -> str:
        """Return a difference of two values, with its sign; of percentages, in points."""
        divisor, decimals, suffix = presentation(self.kpi)
        text = number(abs(change) / divisor, decimals, self.language)
        nothing = not any(each in "123456789" for each in text)
        sign = "" if nothing else "+" if change > 0 else "\N{MINUS SIGN}"
        money = f"{self.strategy.currency} " if self.kpi.unit is Unit.MONEY else ""
        return f"{sign}{money}{text}{' pp' if suffix == ' %' else suffix}"

    def tone(self, change: float) -> str:
        """Return the style of a change: whether it is for the better."""
        if self.kpi.direction is Direction.BAND or not change:
            return ""
        return "green" if (change > 0) is (self.kpi.direction is Direction.UP) else "red"

    def reading(self, name: str, one: _Json, period: _Json | None) -> str:
        """Return a reading with its counts and its period."""
        value = one["value"] if one["quantile"] is None else one["quantile"]
        parts = [f"{self.word(name)}: {self.value(value)}"]
        if one["quantile"] is not None:
            parts.append(f"{self.word('quantile')} {self.value(one['value'])}")
        if self.kpi.unit is Unit.RATIO and not self.plain and one["denominator"]:
            counts = [number(one[each], 0, self.language) for each in ("numerator", "denominator")]
            parts.append(self.word("of").format(above=counts[0], below=counts[1]))
        parts.append(f"n {number(one['samples'], 0, self.language)}")
        if one["samples"] < self.kpi.minimum_sample and value is not None:
            parts.append(self.word("few"))
        if period is not None:
            parts.append(self._period(period))
        return " · ".join(parts)

    def _period(self, period: _Json) -> str:
        start, end = (datetime.fromisoformat(period[each]) for each in ("from", "to"))
        first, after = start.astimezone(self._zone), end.astimezone(self._zone)
        if first.time() == after.time() == datetime.min.time():
            return f"{first:%Y-%m-%d} \N{EN DASH} {after - timedelta(days=1):%Y-%m-%d}"
        return f"{first:%Y-%m-%d %H:%M} \N{EN DASH} {after:%Y-%m-%d %H:%M}"


def _split(split: _Json, say: _Speaker) -> Table:
    dimension = next(each for each in say.strategy.dimensions if each.id == split["dimension"])
    table = plain_table()
    columns = ["before", "now"] if say.plain else ["before", "now", "weight", "mix", "rate"]
    table.add_column(dimension.name[say.language], ratio=3, no_wrap=True, overflow="ellipsis")
    for name in (*columns, "total"):
        table.add_column(say.word(name), justify="right", no_wrap=True)
    for each in split["effects"][:SHOWN]:
        name = member_name(say.strategy, dimension.id, each["member"], say.language)
        values = [say.value(each["value_before"]), say.value(each["value_now"])]
        if not say.plain:
            values.append(_weights(each["weight_before"], each["weight_now"], say.language))
        _add(table, name, values, (each,), say)
    rest = split["effects"][SHOWN:]
    blank = [""] * (2 if say.plain else 3)
    if rest:
        _add(table, say.word("others").format(n=len(rest)), blank, rest, say)
    _add(table, say.word("all"), blank, split["effects"], say, style="bold")
    return table


def _add(
    table: Table,
    name: str,
    values: Sequence[str],
    effects: Sequence[_Json],
    say: _Speaker,
    style: str | None = None,
) -> None:
    mix, rate = (sum(each[part] for each in effects) for part in ("mix", "rate"))
    parts = [] if say.plain else [say.moved(mix), say.moved(rate)]
    total = Text(say.moved(mix + rate), style=say.tone(mix + rate))
    table.add_row(name, *values, *parts, total, style=style)


def _weights(before: float, now: float, language: str) -> str:
    return f"{number(before * 100, 0, language)} → {number(now * 100, 0, language)} %"


def _costs(found: _Json, say: _Speaker) -> Table:
    against = say.value(found["against"])
    table = plain_table(say.word("costs").format(against=against))
    table.add_column(say.word("member"), ratio=3, no_wrap=True, overflow="ellipsis")
    for name in (say.word("now"), "n", say.word("gap")):
        table.add_column(name, justify="right", no_wrap=True)
    dimensions = {each.id: each.name[say.language] for each in say.strategy.dimensions}
    for each in found["costs"]:
        name = member_name(say.strategy, each["dimension"], each["member"], say.language)
        table.add_row(
            f"{dimensions[each['dimension']]}: {name}",
            say.value(each["value"]),
            number(each["samples"], 0, say.language),
            Text(say.moved(each["gap"]), style=say.tone(each["gap"])),
        )
    return table
