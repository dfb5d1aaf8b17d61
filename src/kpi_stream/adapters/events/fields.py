"""The kinds of field that events are made of.

Whatever the contract demands of a field is in its JSON Schema as well, so producers see it and the
fast decoder can be derived from it. Bounds that no administration can reach keep sums exact.
"""

from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from kpi_stream.adapters.events.times import NotAnInstant, instant_ms
from kpi_stream.domain.errors import Reason


def _instant(text: str) -> int:
    try:
        return instant_ms(text)
    except NotAnInstant as error:
        raise PydanticCustomError(
            error.reason.value, "{detail}", {"detail": error.detail}
        ) from None


class _InstantText:
    """RFC 3339 text on the wire, integer milliseconds since 1970 UTC in the model."""

    def __get_pydantic_core_schema__(self, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            _instant, core_schema.str_schema(strict=True)
        )

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time"}


def _integer(value: object) -> object:
    # Python holds 1 == 1.0 == True, so a Literal alone would take all three.
    if type(value) is not int:
        raise PydanticCustomError(Reason.INVALID_FIELD.value, "should be an integer")
    return value


Instant = Annotated[int, _InstantText()]
"""Any offset is taken, none is refused; fractions of a millisecond are cut off."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
"""An identifier of another system: ASCII, so that it is the same text in every tool."""
OptionalCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{0,64}$")]
"""As Code; empty means that there is none."""
OfficeCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,16}$")]
RegimeCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
HsChapter = Annotated[str, StringConstraints(pattern=r"^(?:0[1-9]|[1-9][0-9])$")]
"""The first two digits of the Harmonized System code, 01..99."""
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2; the list of countries changes, so only the form is checked."""

SchemaVersion = Annotated[Literal[1], BeforeValidator(_integer)]
SourceText = Annotated[str, StringConstraints(max_length=64)]
Remark = Annotated[str, StringConstraints(min_length=1, max_length=500)]
"""Free text; it is checked and dropped, never a label."""

Cents = Annotated[int, Field(ge=0, le=10**15)]
"""Integer hundredths of the strategy's currency, up to 10 million million of it."""
Score = Annotated[int, Field(ge=1, le=5)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
Hours = Annotated[_Number, Field(ge=0, le=100_000)]
"""Up to 11 years."""
Kilograms = Annotated[_Number, Field(ge=0, le=10**9)]
"""Up to a million tonnes."""
KpiValue = Annotated[_Number, Field(ge=0, le=10**15)]
"""In the unit of the KPI; no KPI has negative values."""

TransportMode = Literal["sea", "air", "road", "river", "rail", "mail"]
ClearanceMode = Literal["anticipated", "deferred", "urgent"]
Channel = Literal["green", "orange", "red"]
Result = Literal["conforming", "discrepancy"]
