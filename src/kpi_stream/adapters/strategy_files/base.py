"""The kinds of value that the models of all files are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

SHAPES = {
    r"^[a-z][a-z0-9]*([-_][a-z0-9]+)*$": "lower-case words joined by hyphens",
    r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,31}$": "1 to 32 letters, digits or . _ : - without spaces",
    r"^(mean|p[1-9][0-9]?)$": "mean, or a quantile from p1 to p99",
    r"^[A-Z]{3}$": "three capital letters, such as USD",
}
"""The patterns of texts, each with the words for what fits it."""
_SLUG, _MEMBER, STATISTIC, CURRENCY = SHAPES

Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Slug = Annotated[str, StringConstraints(pattern=_SLUG, max_length=64)]
MemberCode = Annotated[str, StringConstraints(pattern=_MEMBER)]
"""A member is a label and part of a row's key: short ASCII, no separator."""

_LANGUAGE_LETTERS = 2


class FileModel(BaseModel):
    """Base of everything in the files: no unknown keys, no conversion between types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TextModel(BaseModel):
    """A text by language; Spanish and English are required, others may be added."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    __pydantic_extra__: dict[str, Words]
    es: Words
    en: Words

    @model_validator(mode="after")
    def _languages(self) -> "TextModel":
        odd = [key for key in self.__pydantic_extra__ if len(key) != _LANGUAGE_LETTERS]
        if odd:
            msg = f"{odd[0]!r} is not a language code such as es, en or fr"
            raise ValueError(msg)
        return self

    def by_language(self) -> dict[str, str]:
        """Return the text as the domain holds it."""
        return {"es": self.es, "en": self.en, **self.__pydantic_extra__}
