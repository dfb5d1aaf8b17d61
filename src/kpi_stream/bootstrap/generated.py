"""What is generated: from the code (schemas, settings, API), and from a strategy (all the rest)."""

import re
from collections.abc import Mapping
from pathlib import Path

from kpi_stream.adapters.events.schema import schema_text, schemas
from kpi_stream.adapters.grafana.provisioning import provisioning_files
from kpi_stream.adapters.prometheus.rule_tests import rule_test_files
from kpi_stream.adapters.prometheus.rules import rule_files
from kpi_stream.adapters.web.api.openapi import document_text
from kpi_stream.application.handbook import handbook_files
from kpi_stream.application.monitoring.edition import Edition
from kpi_stream.domain.errors import InputError
from kpi_stream.settings import PREFIX, Settings

_TABLE = re.compile(r"(<!-- settings -->\n).*?(<!-- /settings -->)", re.DOTALL)

OWNED = (
    "grafana/dashboards/*.json",
    "grafana/provisioning/*/*.yaml",
    "deploy/prometheus/rules/*.yml",
    "deploy/prometheus/tests/*.yml",
)
"""Places where every file is generated; one that no longer is generated is removed."""


def settings_table() -> str:
    """Return the settings as a Markdown table."""
    lines = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for name, each in Settings.model_fields.items():
        default = "" if each.default in (None, "") else f"`{each.default}`"
        lines.append(f"| `{PREFIX}{name.upper()}` | {default} | {each.description} |")
    return "\n".join(lines) + "\n"


def project_files(root: Path) -> dict[Path, str]:
    """Return what is generated from the code itself, by path.

    Raises:
        InputError: There is no README, or it has no place for the settings.
    """
    readme = root / "README.md"
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as err:
        msg = f"{readme}: cannot be read: {err.strerror}; name the project's folder with --root"
        raise InputError(msg) from err
    if _TABLE.search(text) is None:
        msg = f"{readme}: the marks <!-- settings --> and <!-- /settings --> are missing"
        raise InputError(msg)
    files = {readme: _TABLE.sub(lambda found: found[1] + settings_table() + found[2], text)}
    for name, schema in schemas().items():
        files[root / "schemas" / f"{name}.json"] = schema_text(schema)
    files[root / "docs" / "openapi.json"] = document_text()
    return files


def strategy_files(root: Path, edition: Edition) -> dict[Path, str]:
    """Return what is generated from a strategy, by path: dashboards, rules, documents.

    Raises:
        InputError: The library that dashboards are built with is not installed.
    """
    try:
        # An installation that only counts and judges does not have it.
        from kpi_stream.adapters.grafana.dashboards import dashboard_files  # noqa: PLC0415
    except ModuleNotFoundError as err:
        msg = f"{err.name} is not installed; install kpi-stream[generate], or use make venv"
        raise InputError(msg) from err
    files = {
        **dashboard_files(edition),
        **provisioning_files(edition),
        **rule_files(edition),
        **rule_test_files(edition),
        **handbook_files(edition),
    }
    return {root / path: content for path, content in files.items()}


def orphans(root: Path, files: Mapping[Path, str]) -> list[Path]:
    """Return files in the generated places that are not generated any more."""
    found = {path for pattern in OWNED for path in root.glob(pattern)}
    return sorted(found - set(files))
