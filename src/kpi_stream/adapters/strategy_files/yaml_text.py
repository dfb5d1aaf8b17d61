"""YAML text to plain values, with every doubled key reported instead of the last one winning.

Plain scalars are read by the YAML 1.2 core rules, not by PyYAML's 1.1 ones: there `046` is 38,
`16:30` is 990 and `NO` is false, which are an office, a time and Norway. A number with leading
zeros is a text here, and an ISO date is a date.
"""

import re
from datetime import date
from pathlib import Path
from typing import TypeAlias

import yaml

from kpi_stream.domain.errors import Problem

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | float | bool | date | None"

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_DECIMAL = re.compile(r"[-+]?[0-9]+\.[0-9]+([eE][-+]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("bool", "float", "int", "map", "merge", "null", "seq", "str", "timestamp", "value")
)
"""What PyYAML itself gives to nodes without a tag."""


def step(path: str, key: str | int) -> str:
    """Return the path one key or index deeper.

    Example:
        >>> step(step("kpis[2]", "where"), "numbered.regime")
        'kpis[2].where[numbered.regime]'
    """
    if isinstance(key, int) or not re.fullmatch(r"[A-Za-z_][\w-]*", key):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def read_yaml(path: Path) -> tuple[Value, list[Problem]]:
    """Return what a YAML file holds and what is wrong with it as YAML.

    The value is None where the file cannot be read at all.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except OSError as error:
        return None, [Problem(path.name, "", f"cannot be read: {error.strerror or error}")]
    except UnicodeDecodeError as error:
        return None, [Problem(path.name, "", f"is not UTF-8 text (byte {error.start})")]
    except yaml.YAMLError as error:
        return None, [Problem(path.name, "", _syntax(error))]
    except RecursionError:
        return None, [Problem(path.name, "", "is nested too deeply")]
    if root is None:
        return None, [Problem(path.name, "", "is empty")]
    reader = _Reader(path.name)
    value = reader.value(root, "")
    return value, reader.problems


def _syntax(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        context = f" {error.context}" if error.context else ""
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}{context}"
    return f"is not YAML: {' '.join(str(error).split())}"


class _Reader:
    """Turns nodes into values and collects what is wrong on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._read: dict[int, Value] = {}

    def value(self, node: yaml.Node, path: str) -> Value:
        # An alias is the same node again: it would hide what a file says, and may be endless.
        if id(node) in self._read:
            self._add(node, path, "an alias (*name) of this value; write the value out")
            return self._read[id(node)]
        self._read[id(node)] = None
        self._read[id(node)] = value = self._value(node, path)
        return value

    def _value(self, node: yaml.Node, path: str) -> Value:
        if node.tag not in _PLAIN_TAGS:
            self._add(node, path, f"the tag {node.tag}; only plain YAML is read")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, step(path, at)) for at, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.style:
            return str(node.value)
        return scalar(node.value)

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Value]:
        found: dict[str, Value] = {}
        lines: dict[str, int] = {}
        for key_node, item in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._add(key_node, path, "a key that is not a word")
                continue
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in found:
                message = f"appears twice, on lines {lines[key]} and {line}; keep one"
                self.problems.append(Problem(self.file, step(path, key), message))
                continue
            lines[key] = line
            found[key] = self.value(item, step(path, key))
        return found

    def _add(self, node: yaml.Node, path: str, what: str) -> None:
        self.problems.append(Problem(self.file, path, f"line {node.start_mark.line + 1}: {what}"))


def scalar(text: str) -> str | int | float | bool | date | None:
    """Return the value of an unquoted word.

    Example:
        >>> [scalar(word) for word in ("046", "16:30", "NO", "10", "0.5", "true")]
        ['046', '16:30', 'NO', 10, 0.5, True]
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text
    return text
