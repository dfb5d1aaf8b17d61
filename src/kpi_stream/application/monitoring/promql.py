"""PromQL from families: names are taken from the conventions, label values are escaped."""

from kpi_stream.application.monitoring.conventions import Family


def select(family: Family, **labels: str) -> str:
    """Return a vector selector.

    Args:
        family: The family; only its own labels may be matched (and `job`, `instance`).
        labels: Value by label. A value that starts with `=~`, `!~` or `!=` brings its operator.

    Raises:
        ValueError: The family has no such label.

    Example:
        >>> from kpi_stream.application.monitoring import conventions as c
        >>> print(select(c.KPI_STATUS, kpi="hit-rate", status="=~at_risk|off_track"))
        kpi_stream_kpi_status{kpi="hit-rate",status=~"at_risk|off_track"}
    """
    matchers = []
    for label, value in labels.items():
        if label not in (*family.labels, "job", "instance", "le"):
            msg = f"{family.name} has no label {label!r}"
            raise ValueError(msg)
        operator, text = "=", value
        for each in ("=~", "!~", "!="):
            if value.startswith(each):
                operator, text = each, value.removeprefix(each)
        matchers.append(f"{label}{operator}{quoted(text)}")
    return family.name + ("{" + ",".join(matchers) + "}" if matchers else "")


def quoted(text: str) -> str:
    r"""Return a PromQL string literal.

    Example:
        >>> quoted('a"b')
        '"a\\"b"'
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
