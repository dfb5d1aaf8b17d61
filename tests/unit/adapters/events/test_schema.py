"""The committed JSON Schemas are those of the contract."""

import json
from pathlib import Path

from kpi_stream.adapters.events.schema import schemas, write_schemas
from kpi_stream.domain.events import BY_NAME

COMMITTED = Path(__file__).parents[4] / "schemas"


def test_the_committed_schemas_are_generated_from_the_contract(tmp_path: Path) -> None:
    """A file too many, one too few or an old one: write them again with `kpi-stream schema`."""
    write_schemas(tmp_path / "new" / "schemas")
    generated = {path.name: path.read_text() for path in (tmp_path / "new/schemas").iterdir()}
    assert {path.name: path.read_text() for path in COMMITTED.iterdir()} == generated
    assert set(generated) == {f"{name}.json" for name in BY_NAME}


def test_a_schema_tells_a_producer_what_the_codec_demands() -> None:
    """Required fields, allowed values, bounds and what the event is."""
    schema = schemas()["channel.changed"]
    assert {"event_id", "subject", "occurred_at", "channel", "reason"} <= set(schema["required"])
    assert not {"source", "corrects"} & set(schema["required"])
    assert schema["properties"]["channel"]["enum"] == ["green", "orange", "red"]
    assert schema["properties"]["occurred_at"]["format"] == "date-time"
    assert schema["properties"]["type"]["const"] == "channel.changed"
    assert schema["description"].startswith("Cambio de canal")
    money = schemas()["debt.settled"]["properties"]["amount_cents"]
    assert (money["type"], money["minimum"], money["maximum"]) == ("integer", 0, 10**15)


def test_a_schema_stands_alone() -> None:
    """No references, so that one file is enough for a producer."""
    assert "$ref" not in json.dumps(schemas())
