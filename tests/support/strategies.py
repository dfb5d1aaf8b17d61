"""The packaged strategy, changed: a KPI more, another one, and one that counts something else."""

import shutil
from pathlib import Path

from kpi_stream.adapters.strategy_files import packaged_strategy_path

_KPI = """
  - id: {id}
    code: {code}
    name: {{es: "Prueba {code}", en: "Test {code}"}}
    question: {{es: "¿Cuántas?", en: "How many?"}}
    measure:
      kind: share
      of: numbered
      part: {{{part}: true}}
    unit: ratio
    display: "%"
    direction: down
    windows: [7d, 30d, ytd]
    dimensions: [office]
    minimum_sample: 1
    owner: Jefatura de Despacho
    source: A test
"""
_OBJECTIVE = """
  - id: objective-of-{id}
    code: {code}
    name: {{es: "Prueba {code}", en: "Test {code}"}}
    statement: {{es: Una prueba., en: A test.}}
    perspective: processes
    owner: Jefatura de Despacho
    causes: [timely-control]
    kpis:
      - {{kpi: {id}, weight: 1}}
"""
_TARGET = """
  - id: target-of-{id}
    kpi: {id}
    window: 30d
    baseline: {{value: 0.10, date: 2024-12-31}}
    value: 0.05
    deadline: 2026-12-31
    trajectory: linear
    tolerance: {{green: 0.02, amber: 0.10}}
    owner: Jefatura de Despacho
    approver: Intendencia
    version: 1
    assumption: true
"""


def packaged_with(folder: Path, kpi: str, part: str) -> Path:
    """Copy the packaged strategy into a new folder, with one KPI more, and return the folder.

    Args:
        folder: Does not exist yet.
        kpi: Id of the KPI, the share of declarations of which `part` is true.
        part: A condition, such as `has.released`.
    """
    shutil.copytree(packaged_strategy_path(), folder)
    names = {"id": kpi, "code": kpi[:4].upper(), "part": part}
    for file, text in (("kpis", _KPI), ("objectives", _OBJECTIVE), ("targets", _TARGET)):
        with (folder / f"{file}.yaml").open("a", encoding="utf-8") as yaml:
            yaml.write(text.format(**names))
    return folder


def redefine(folder: Path, before: str, after: str) -> None:
    """Replace a piece of the KPIs' definitions, which must be there once."""
    path = folder / "kpis.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, after), encoding="utf-8")
