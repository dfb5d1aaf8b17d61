"""What a PromQL expression selects and which labels its result has; its syntax is promtool's.

Enough of the language for dashboards and rules: an expression that uses something else is refused
with ValueError, never misread.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

LABELS_OF_A_TARGET = frozenset({"job", "instance"})

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
    |(?P<range>\[[^\]]*\])
    |(?P<number>[0-9.][0-9a-zA-Z.]*|\$__[a-z_]+)
    |(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^(){},=<>@])
    )""",
    re.VERBOSE,
)
_END = ("end", "")
_AGGREGATIONS = frozenset(
    "sum min max avg count stddev stdvar group topk bottomk quantile count_values".split()
)
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"or"}),
    frozenset({"and", "unless"}),
    frozenset({"==", "!=", "<", ">", "<=", ">="}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%", "atan2"}),
    frozenset({"^"}),
)
_COMPARISONS = _LEVELS[2]
Labels = frozenset[str] | None
"""Labels of a vector, or None of a scalar."""


@dataclass(frozen=True)
class Selector:
    """A vector selector."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]
    """(label, operator, value)."""
    range: str
    """As written, without brackets; empty for an instant."""
    within: str
    """The function whose argument it is; empty if it is none's."""


@dataclass
class Reading:
    """What an expression holds."""

    selectors: list[Selector] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    """Labels in by, without, on, ignoring and group_left."""
    made: set[str] = field(default_factory=set)
    """Labels that functions write."""
    labels: Labels = None


def read(expr: str, labels_of: Callable[[str], frozenset[str]]) -> Reading:
    """Return what an expression holds.

    Args:
        expr: PromQL, with Grafana's variables in texts and ranges only.
        labels_of: Labels of a family by the name in the selector.

    Raises:
        ValueError: It is no expression, or one that this reader does not know.
    """
    reader = _Reader(list(_tokens(expr)), labels_of)
    reader.reading.labels = reader.binary(0)
    if reader.peek():
        msg = f"unexpected {reader.peek()!r}"
        raise ValueError(msg)
    return reader.reading


def _tokens(expr: str) -> Iterator[tuple[str, str]]:
    at, whole = 0, expr.rstrip()
    while at < len(whole):
        found = _TOKEN.match(whole, at)
        if found is None or found.lastgroup is None:
            msg = f"unexpected {whole[at : at + 20]!r}"
            raise ValueError(msg)
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


def unquoted(text: str) -> str:
    """Return the value of a string literal."""
    if text[0] == "`":
        return text[1:-1]
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), text[1:-1])


class _Reader:
    """Recursive descent over tokens."""

    def __init__(
        self, tokens: list[tuple[str, str]], labels_of: Callable[[str], frozenset[str]]
    ) -> None:
        self.tokens, self.labels_of = [*tokens, _END], labels_of
        self.at = 0
        self.reading = Reading()
        self._within: list[str] = [""]

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)][1]

    def take(self, *expected: str) -> str:
        found = self.peek()
        if not found or (expected and found not in expected):
            msg = f"expected {' or '.join(expected) or 'more'}, found {found or 'the end'!r}"
            raise ValueError(msg)
        self.at += 1
        return found

    def binary(self, level: int) -> Labels:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while self.peek().lower() in _LEVELS[level]:
            operator = self.take().lower()
            left = self._operation(left, operator, level)
        return left

    def _operation(self, left: Labels, operator: str, level: int) -> Labels:
        if self.peek() == "bool":
            self.take()
        match, matched = "", frozenset[str]()
        if self.peek() in {"on", "ignoring"}:
            match = self.take()
            matched = self._names()
        group, brought = "", frozenset[str]()
        if self.peek() in {"group_left", "group_right"}:
            group = self.take()
            brought = self._names() if self.peek() == "(" else brought
        right = self.binary(level + 1)
        if left is None or right is None:
            return right if left is None else left
        if operator == "or":
            return left | right
        if operator in {"and", "unless"}:
            return left
        if group:
            return (left if group == "group_left" else right) | brought
        if match == "on":
            return matched & (left | right)
        return left - matched if operator not in _COMPARISONS else left

    def unary(self) -> Labels:
        if self.peek() in {"-", "+"}:
            self.take()
            return self.unary()
        found = self._primary()
        while self._modifier():
            pass
        return found

    def _modifier(self) -> bool:
        kind, text = self.tokens[self.at]
        if kind == "range" or text in {"offset", "@"}:
            self.at += 1
            if text == "offset" and self.peek() == "-":
                self.at += 1
            if kind != "range":
                self.at += 1
            return True
        return False

    def _primary(self) -> Labels:
        kind, text = self.tokens[self.at]
        if kind in {"number", "text"}:
            self.at += 1
            return None
        if text == "(":
            self.take()
            self._within.append("")
            found = self.binary(0)
            self._within.pop()
            self.take(")")
            return found
        if text == "{":
            return self._selector("")
        if kind != "name":
            msg = f"unexpected {text or 'end'!r}"
            raise ValueError(msg)
        if text in _AGGREGATIONS and self.peek(1) in {"(", "by", "without"}:
            return self._aggregation(self.take())
        if self.peek(1) == "(":
            return self._call(self.take())
        return self._selector(self.take())

    def _selector(self, name: str) -> Labels:
        matchers = []
        if self.peek() == "{":
            self.take("{")
            while self.peek() != "}":
                label, operator = self.take(), self.take("=", "!=", "=~", "!~")
                matchers.append((label, operator, unquoted(self.take())))
                if self.peek() == ",":
                    self.take()
            self.take("}")
        kind, text = self.tokens[self.at]
        span = text[1:-1] if kind == "range" else ""
        self.reading.selectors.append(Selector(name, tuple(matchers), span, self._within[-1]))
        return self.labels_of(name) | LABELS_OF_A_TARGET

    def _names(self) -> frozenset[str]:
        names = set()
        self.take("(")
        while self.peek() != ")":
            names.add(self.take())
            if self.peek() == ",":
                self.take()
        self.take(")")
        self.reading.named |= names
        return frozenset(names)

    def _grouping(self) -> tuple[str, frozenset[str]]:
        if self.peek() in {"by", "without"}:
            return self.take(), self._names()
        return "", frozenset()

    def _arguments(self, function: str) -> list[tuple[str, Labels]]:
        """Return (text if it is a literal, labels) of each argument."""
        found = []
        self.take("(")
        self._within.append(function)
        while self.peek() != ")":
            kind, text = self.tokens[self.at]
            literal = unquoted(text) if kind == "text" else ""
            found.append((literal, self.binary(0)))
            if self.peek() == ",":
                self.take()
        self._within.pop()
        self.take(")")
        return found

    def _aggregation(self, name: str) -> Labels:
        how, labels = self._grouping()
        arguments = self._arguments(name)
        if not how:
            how, labels = self._grouping()
        inner = arguments[-1][1] or frozenset()
        if name in {"topk", "bottomk"}:
            return inner
        kept = inner & labels if how == "by" else inner - labels if how else frozenset()
        if name == "count_values":
            self.reading.made.add(arguments[0][0])
            return kept | {arguments[0][0]}
        return kept

    def _call(self, name: str) -> Labels:
        arguments = self._arguments(name)
        labels = next((found for _, found in arguments if found is not None), None)
        if name in {"label_replace", "label_join"}:
            self.reading.made.add(arguments[1][0])
            return (labels or frozenset()) | {arguments[1][0]}
        if name in {"time", "scalar", "pi"}:
            return None
        if name == "vector":
            return frozenset()
        if name == "histogram_quantile":
            return (labels or frozenset()) - {"le"}
        if name in {"absent", "absent_over_time"}:
            equal = {label for label, how, _ in self.reading.selectors[-1].matchers if how == "="}
            return frozenset(equal)
        return labels
