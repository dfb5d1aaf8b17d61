"""What Grafana serves against what was generated, with what Grafana itself does to it taken away.

Grafana fills in variables of its environment, writes a duration in its own way, leaves out what is
empty and adds keys of its own.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_VARIABLE = re.compile(r"\$\{?([A-Z][A-Z0-9_]*)\}?")
_DURATION = re.compile(r"(\d+)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_DURATIONS = frozenset(
    ("for", "keep_firing_for", "group_wait", "group_interval", "repeat_interval", "interval")
)
"""Keys whose value is a duration."""
_OPEN = frozenset(("model", "settings", "jsonData"))
"""Keys below which Grafana may add something: defaults of a query, of a receiver, of a source."""
_SHOWN_CHARS = 60
_REDACTED = "[REDACTED]"
"""What Grafana shows in the place of a secret."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A value that comes from Grafana's environment."""

    name: str
    value: str | None = None
    """What it should be; None where that is not known, and anything but nothing will do."""
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where Grafana has something else."""

    path: str
    generated: object
    served: object

    def __str__(self) -> str:
        """Return it in words."""
        generated = self.generated
        if isinstance(generated, Variable):
            if generated.value is None:
                return f"{self.path} is empty: {generated.name} is not set in Grafana's environment"
            generated = generated.value
        return f"{self.path} is {_shown(self.served)}, not {_shown(generated)}"


def interpolated(value: Any, known: Mapping[str, Variable]) -> Any:  # noqa: ANN401  (JSON)
    """Return what Grafana makes of a value in a provisioning file; unknown variables stay open.

    Example:
        >>> interpolated({"a": ["$X", "2 $$"]}, {})
        {'a': [Variable(name='X', value=None, may_be_empty=False), '2 $']}
    """
    if isinstance(value, Mapping):
        return {key: interpolated(each, known) for key, each in value.items()}
    if isinstance(value, list):
        return [interpolated(each, known) for each in value]
    if not isinstance(value, str):
        return value
    found = _VARIABLE.fullmatch(value)
    if found is not None:
        return known.get(found[1], Variable(found[1]))
    return value.replace("$$", "$")


def differences(
    generated: Any,  # noqa: ANN401  (JSON)
    served: Any,  # noqa: ANN401  (JSON)
    ignored: Collection[str] = (),
) -> list[Difference]:
    """Return every place in which two JSON values differ for a reader.

    Args:
        generated: What should be.
        served: What Grafana has.
        ignored: Keys of the outermost object that are Grafana's own.
    """
    if isinstance(served, Mapping):
        served = {key: each for key, each in served.items() if key not in ignored}
    return list(_differences(generated, served, "", "", extras=False))


def _differences(
    generated: Any,  # noqa: ANN401  (JSON)
    served: Any,  # noqa: ANN401  (JSON)
    path: str,
    key: str,
    *,
    extras: bool,
) -> Iterator[Difference]:
    if isinstance(generated, Variable):
        if not _fits(generated, served):
            yield Difference(path, generated, served)
    elif isinstance(generated, Mapping) and isinstance(served, Mapping):
        yield from _of_objects(generated, served, path, extras=extras)
    elif isinstance(generated, list) and isinstance(served, list):
        if len(generated) != len(served):
            yield Difference(f"the number of {path}", len(generated), len(served))
            return
        for number, pair in enumerate(zip(generated, served, strict=True)):
            yield from _differences(*pair, f"{path}[{number}]", key, extras=extras)
    elif not _same(generated, served, key):
        yield Difference(path, generated, served)


def _of_objects(
    generated: Mapping[str, Any], served: Mapping[str, Any], path: str, *, extras: bool
) -> Iterator[Difference]:
    for name in dict.fromkeys((*generated, *served)):
        inner = f"{path}.{name}" if path else name
        if name in generated:
            may_add = extras or name in _OPEN
            yield from _differences(generated[name], served.get(name), inner, name, extras=may_add)
        elif not extras and not _is_empty(served[name]):
            yield Difference(inner, None, served[name])


def _same(generated: object, served: object, key: str) -> bool:
    if _is_empty(generated) and _is_empty(served):
        return True
    if isinstance(generated, bool) is not isinstance(served, bool):
        return False
    if key in _DURATIONS:
        return seconds(generated) == seconds(served)
    return generated == served


def _fits(variable: Variable, served: object) -> bool:
    if _is_empty(served):
        return variable.may_be_empty
    return variable.value is None or served in (variable.value, _REDACTED)


def _is_empty(value: object) -> bool:
    return value is None or value is False or value in ("", [], {})


def seconds(value: object) -> float | None:
    """Return a duration in seconds, from a number of them or from Prometheus' way to write it.

    Example:
        >>> seconds("1h30m"), seconds("90m"), seconds(30), seconds("soon")
        (5400, 5400, 30.0, None)
    """
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str) or _DURATION.sub("", value):
        return None
    return sum(int(count) * _SECONDS[unit] for count, unit in _DURATION.findall(value))


def _shown(value: object) -> str:
    text = "missing" if value is None else repr(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}..."
