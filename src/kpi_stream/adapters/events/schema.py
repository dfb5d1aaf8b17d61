"""The contract as JSON Schema (draft 2020-12): for producers, and to derive the fast decoder."""

import json
from pathlib import Path
from typing import Any

from kpi_stream.adapters.events.contract import MODELS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each event type, by its wire name."""
    return {
        name: {"$schema": DIALECT, **model.model_json_schema()} for name, model in MODELS.items()
    }


def schema_text(schema: dict[str, Any]) -> str:
    """Return the text of a schema file, the same for the same contract."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> None:
    """Write `<type>.json` for each event type into the folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / f"{name}.json").write_text(schema_text(schema), encoding="utf-8")
