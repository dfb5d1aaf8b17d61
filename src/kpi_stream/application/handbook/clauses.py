"""Parts of sentences in one language: lists, spans of time, milestones, conditions."""

from collections.abc import Sequence

from kpi_stream.application.display import number
from kpi_stream.application.handbook.words import CODES, FIELDS, FLAGS, MILESTONES, SUBJECTS
from kpi_stream.domain.events import Kind
from kpi_stream.domain.strategy import Condition, Strategy

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_SPOKEN_IN_DAYS_MS = 4 * _DAY_MS
"""Limits are spoken of in hours up to three days: 48 hours, 72 hours."""


class Speaker:
    """Puts a strategy's definitions into words of one language.

    Example:
        >>> from types import SimpleNamespace
        >>> say = Speaker(SimpleNamespace(dimensions=()), "en")
        >>> say.where((Condition("numbered.regime", frozenset({"10"})),))
        ' where the regime is 10'
    """

    def __init__(self, strategy: Strategy, language: str) -> None:
        """Take the strategy that names codes, and the language, `es` or `en`."""
        self.strategy, self.language = strategy, language

    def __call__(self, es: str, en: str) -> str:
        """Return one of two texts."""
        return es if self.language == "es" else en

    def one(self, milestone: str) -> str:
        """Return a milestone with its article."""
        return MILESTONES[milestone].one[self.language]

    def of(self, milestone: str) -> str:
        """Return a milestone in the genitive; in Spanish `de` melts with `el`."""
        one = self.one(milestone)
        if self.language != "es":
            return f"of {one}"
        return f"del {one[3:]}" if one.startswith("el ") else f"de {one}"

    def many(self, milestone: str) -> str:
        """Return the events of a milestone, with a capital."""
        text = MILESTONES[milestone].many[self.language]
        return text[:1].upper() + text[1:]

    def subjects(self, kind: Kind) -> str:
        """Return many subjects of a kind."""
        return SUBJECTS[kind][self.language]

    def both(self, parts: Sequence[str]) -> str:
        """Return a list that ends with "and"."""
        return self._list(parts, self("y", "and"))

    def either(self, parts: Sequence[str]) -> str:
        """Return a list that ends with "or"."""
        return self._list(parts, self("o", "or"))

    def neither(self, parts: Sequence[str]) -> str:
        """Return a list of what all must be missing."""
        return self._list(parts, self("ni", "or"))

    def _list(self, parts: Sequence[str], word: str) -> str:
        if len(parts) == 1:
            return parts[0]
        if word == "y" and parts[-1].startswith(("i", "hi")):
            word = "e"
        elif word == "o" and parts[-1].startswith(("o", "ho")):
            word = "u"
        return f"{', '.join(parts[:-1])} {word} {parts[-1]}"

    def span(self, ms: int) -> str:
        """Return a span of time in its usual unit.

        Example:
            >>> from types import SimpleNamespace
            >>> say = Speaker(SimpleNamespace(dimensions=()), "es")
            >>> [say.span(hours * 3_600_000) for hours in (1, 48, 120)]
            ['1 hora', '48 horas', '5 días']
        """
        if ms >= _SPOKEN_IN_DAYS_MS and ms % _DAY_MS == 0:
            return self._counted(ms // _DAY_MS, ("día", "días"), ("day", "days"))
        if ms % _HOUR_MS == 0:
            return self._counted(ms // _HOUR_MS, ("hora", "horas"), ("hour", "hours"))
        if ms % 60_000 == 0:
            return self._counted(ms // 60_000, ("minuto", "minutos"), ("minute", "minutes"))
        return f"{number(ms / 1000, 3, self.language)} s"

    def _counted(self, count: int, es: tuple[str, str], en: tuple[str, str]) -> str:
        words = es if self.language == "es" else en
        return f"{count} {words[count != 1]}"

    def field(self, attribute: str) -> str:
        """Return an attribute's field with its article."""
        return FIELDS[attribute.rpartition(".")[2]][self.language]

    def where(self, *conditions: tuple[Condition, ...]) -> str:
        """Return what restricts something, with a space before it; empty without conditions."""
        clauses = [self._clause(each) for group in conditions for each in group]
        if not clauses:
            return ""
        return f" {self('donde', 'where')} {self._list(clauses, self('y', 'and'))}"

    def _clause(self, condition: Condition) -> str:
        head, _, tail = condition.attribute.partition(".")
        values = condition.any_of
        if values is not None and values <= {True, False} and len(values) == 1:
            return self._flag(head, tail, is_true=(True in values) is not condition.negate)
        field = self.field(condition.attribute)
        verb = self._verb(field)
        if values is None:
            limit = self._quantity(tail, condition.at_least or 0)
            if condition.negate:
                return f"{field} {verb} {self('menor que', 'below')} {limit}"
            return f"{field} {verb} {self('por lo menos', 'at least')} {limit}"
        names = sorted(self._value(condition.attribute, str(each)) for each in values)
        if condition.negate:
            return f"{field} {self(f'no {verb}', f'{verb} not')} {self.either(names)}"
        return f"{field} {verb} {self.either(names)}"

    def _verb(self, field: str) -> str:
        if self.language == "es":
            return "son" if field.startswith("los ") else "es"
        return "are" if field.startswith(("the duties", "the declared duties")) else "is"

    def _flag(self, head: str, tail: str, *, is_true: bool) -> str:
        if head == "has":
            happened = self("ocurrió", "has happened")
            never = self("no ocurrió", "has not happened")
            word, one = happened if is_true else never, self.one(tail)
            return f"{word} {one}" if self.language == "es" else f"{one} {word}"
        return FLAGS[tail][0 if is_true else 1][self.language]

    def _value(self, attribute: str, text: str) -> str:
        for dimension in self.strategy.dimensions:
            # A channel is one thing, whichever event names it.
            if dimension.attribute.rpartition(".")[2] != attribute.rpartition(".")[2]:
                continue
            for member in dimension.members:
                if member.code == text:
                    name = member.name[self.language]
                    return name if text.isalpha() else f"{name} ({text})"
        return CODES[text][self.language] if text in CODES else text

    def _quantity(self, field: str, value: int) -> str:
        if field.endswith("_ms"):
            return self.span(value)
        if field.endswith("_cents"):
            return f"{self.strategy.currency} {number(value / 100, 2, self.language)}"
        return number(value, 0, self.language)
