"""How the declarations of one administration are shared out: a YAML file beside its strategy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kpi_stream.adapters.simulator.options import OfficeShare
from kpi_stream.domain.errors import InputError

Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Office(BaseModel):
    model_config = ConfigDict(extra="forbid")

    share: Weight
    modes: dict[Literal["sea", "air", "road", "rail", "river", "mail"], Weight] = {}


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    offices: Annotated[dict[str, _Office], Field(min_length=1)]
    regimes: dict[Annotated[str, Field(pattern=r"^\d{2}$")], Weight] = {}


@dataclass(frozen=True, slots=True)
class Profile:
    """The traffic of one administration."""

    offices: tuple[OfficeShare, ...]
    """Those that get declarations, in the order of the file."""
    regimes: tuple[tuple[str, float], ...]
    """Codes and weights, the ordinary one first; empty where the file names none."""


def read_profile(path: Path, codes: frozenset[str]) -> Profile:
    """Return the profile of an administration.

    Args:
        path: A YAML file, for example:

            offices:
              "118": {share: 52, modes: {sea: 1}}
              "235": {share: 29, modes: {air: 9, mail: 1}}
            regimes: {"10": 9, "70": 1}
        codes: The offices of the strategy.

    Raises:
        InputError: The file is missing or wrong; the text names every problem with its place.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        profile = _Document.model_validate(document)
    except OSError as err:
        msg = f"{path}: cannot be read: {err.strerror}"
        raise InputError(msg) from err
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        msg = f"{path}: is not YAML: {err}"
        raise InputError(msg) from err
    except ValidationError as err:
        problems = [
            f"{path}: {'.'.join(map(str, each['loc'])) or 'profile'}: {each['msg']}"
            for each in err.errors()
        ]
        raise InputError("\n".join(problems)) from err
    unknown = [code for code in profile.offices if code not in codes]
    if unknown:
        msg = f"{path}: offices: the strategy has no office {unknown[0]!r}"
        raise InputError(msg)
    offices = tuple(
        OfficeShare(code, office.share, {str(mode): part for mode, part in office.modes.items()})
        for code, office in profile.offices.items()
    )
    return Profile(offices, tuple(profile.regimes.items()))
