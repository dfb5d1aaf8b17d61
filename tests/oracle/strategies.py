"""Strategy folders for the tests: copies of the packaged one with other parameters."""

import re
import shutil
from pathlib import Path
from typing import Any

import yaml

SUNAT = Path(__file__).parents[2] / "src" / "kpi_stream" / "sunat"


def copy_strategy(
    folder: Path,
    minimum_sample: int = 1,
    months: dict[str, Any] | None = None,
    time_zone: str | None = None,
) -> Path:
    """Copy the SUNAT strategy with other parameters and return the folder.

    With a minimum of 1 every series with data has a value, so that every one is compared.
    """
    target = folder / "strategy"
    shutil.copytree(SUNAT, target, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    path = target / "kpis.yaml"
    content = yaml.safe_load(path.read_text("utf-8"))
    for kpi in content["kpis"]:
        kpi["minimum_sample"] = minimum_sample
        if months and kpi["measure"]["kind"] == "plan":
            kpi["measure"]["months"] = months
    path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    if time_zone:
        frame = target / "strategy.yaml"
        text = frame.read_text("utf-8")
        frame.write_text(re.sub(r"time_zone: .*", f"time_zone: {time_zone}", text), "utf-8")
    return target
