"""An alert's texts as Grafana's templates: `{name}` becomes a number, `{$label}` a label."""

import json
from collections.abc import Mapping

from kpi_stream.application.monitoring.alert import Alert, Number, Show
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.application.monitoring.messages import DATE_FORMATS, NOTHING, PLACE
from kpi_stream.domain.strategy import Text


def template(text: Text, alert: Alert, edition: Edition) -> str:
    """Return a text of an alert with its numbers and labels as Go template actions.

    What stands in braces and is neither stays as it is.

    Args:
        text: With `{name}` for a number and `{$label}` for a label of the series.
        alert: Has the numbers and the names of members.
        edition: In Spanish, a comma is decimal and the day comes before the month.

    Example:
        >>> from types import SimpleNamespace
        >>> rule = SimpleNamespace(numbers=[Number("late", "x", 0)], names={})
        >>> print(template({"en": "{$office}: {late}"}, rule, Edition(None, "en")))
        {{ $labels.office }}: {{ with $values.late }}{{ printf "%.0f" .Value }}{{ else }}—{{ end }}
    """
    known = {each.name: each for each in alert.numbers}
    parts: list[str] = []
    end = 0
    source = edition.text(text)
    for found in PLACE.finditer(source):
        dollar, name = found.groups()
        if dollar:
            action = _label(name, alert.names.get(name, {}), edition)
        elif name in known:
            action = _number(known[name], edition.language)
        else:
            continue
        parts += [_plain(source[end : found.start()]), action]
        end = found.end()
    return "".join(parts) + _plain(source[end:])


def _number(number: Number, language: str) -> str:
    # An absent key of a map is false to `with`; without it the whole text would be lost.
    shown = f"{{{{ {_shown(number, language)} }}}}{number.suffix}"
    return f"{{{{ with $values.{number.name} }}}}{shown}{{{{ else }}}}{NOTHING}{{{{ end }}}}"


def _shown(number: Number, language: str) -> str:
    if number.show is Show.DURATION:
        return "humanizeDuration .Value"
    if number.show is Show.DATE:
        return f'(toTime .Value).Format "{DATE_FORMATS[language]}"'
    plain = f'printf "%.{number.decimals}f" .Value'
    return f'reReplaceAll "[.]" "," ({plain})' if language == "es" else plain


def _label(name: str, names: Mapping[str, Text], edition: Edition) -> str:
    label = f"{{{{ $labels.{name} }}}}"
    if not names:
        return label
    chain = "".join(
        f"{{{{ {'else if' if at else 'if'} eq $labels.{name} {json.dumps(value)} }}}}"
        f"{_plain(edition.text(text))}"
        for at, (value, text) in enumerate(names.items())
    )
    return f"{chain}{{{{ else }}}}{label}{{{{ end }}}}"


def _plain(text: str) -> str:
    """Return a text in which neither a template nor Grafana finds anything to replace.

    Example:
        >>> _plain("{{ x }} ${HOME}")
        '{{ "{{" }} x }} {{ "$" }}{HOME}'
    """
    return text.replace("{{", '{{ "{{" }}').replace("${", '{{ "$" }}{')
