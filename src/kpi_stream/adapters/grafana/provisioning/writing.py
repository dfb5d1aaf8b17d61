"""How provisioning files are written down: YAML, durations, names, literal dollars."""

from typing import NamedTuple, TypeAlias

import yaml

from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.messages import GENERATED

Json: TypeAlias = dict[str, object]

_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


class File(NamedTuple):
    """A provisioning file."""

    content: Json
    remark: str = ""
    """What its reader must know; becomes a comment."""


class _Dumper(yaml.SafeDumper):
    """Writes every text that has several lines as a block, and nothing as a reference."""

    def ignore_aliases(self, _: object) -> bool:
        """Return that a value is written out wherever it stands."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def write(file: File) -> str:
    """Return a file as YAML, with its remark as a comment."""
    remark = "".join(f"# {line}".rstrip() + "\n" for line in file.remark.strip().splitlines())
    body = yaml.dump(file.content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return GENERATED + remark + body


def literal(text: str) -> str:
    """Return a text that Grafana's interpolation of `$NAME` gives back unchanged."""
    return text.replace("$", "$$")


def duration(seconds: int) -> str:
    """Return whole seconds as Prometheus and Grafana write a duration.

    Example:
        >>> duration(900), duration(5400), duration(0)
        ('15m', '1h30m', '0s')
    """
    parts, rest = [], seconds
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def dashboards_folder(edition: Edition) -> str:
    """Return the title of the folder of the dashboards; a slash would mean nesting."""
    return edition.text(edition.strategy.name).replace("/", "-")


def rules_folder(edition: Edition) -> str:
    """Return the title of the folder of the rules.

    Grafana finds it by this title and makes it where it is missing, perhaps before the folder of
    the dashboards, which it finds by uid. With one title there would be two folders of that title.
    """
    return f"{dashboards_folder(edition)}: {edition.say('alertas', 'alerts')}"


def contact_point_name(edition: Edition) -> str:
    """Return the name of the contact point; names are unique in Grafana."""
    return f"{edition.strategy.id}-on-duty"


def mute_timing_name(edition: Edition) -> str:
    """Return the name of the mute timing."""
    return f"{edition.strategy.id}-outside-office-hours"


def template_name(edition: Edition, part: str) -> str:
    """Return the name under which a part of a message is defined."""
    return f"{edition.strategy.id}.{part}"
