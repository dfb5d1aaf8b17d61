"""The files of one folder, read and checked for form: what the checks across files work on.

An entry whose form is wrong is reported once and left out, but its id stays known, so that one
mistake does not make every reference to it a mistake.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from kpi_stream.adapters.strategy_files import models as m
from kpi_stream.adapters.strategy_files.wording import place_and_words, suggest, unknown
from kpi_stream.adapters.strategy_files.yaml_text import Value, read_yaml
from kpi_stream.domain.errors import Problem

M = TypeVar("M", bound=BaseModel)

HEAD = "strategy.yaml"
STAGES = "stages.yaml"
FILES = {
    HEAD: True,
    "dimensions.yaml": True,
    "objectives.yaml": True,
    "kpis.yaml": True,
    "targets.yaml": True,
    "initiatives.yaml": False,
    "benchmarks.yaml": False,
    STAGES: False,
    "worklists.yaml": False,
}
"""The files of a strategy, and whether each must be there."""
_BESIDE = {STAGES: ("way",)}
"""Keys that stand beside the list of a file."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[M]):
    """One item of a list, and where it stands."""

    file: str
    place: str
    """For example `kpis[2] (released-within-48h)`."""
    item: M

    def problem(self, where: str, message: str) -> Problem:
        """Return a problem somewhere in this entry; `where` is empty for all of it."""
        path = f"{self.place}.{where}" if where else self.place
        return Problem(self.file, path, message)


@dataclass(frozen=True, slots=True)
class Section(Generic[M]):
    """A list of entries of one file."""

    file: str = ""
    entries: tuple[Entry[M], ...] = ()
    """Those whose form is right."""
    ids: frozenset[str] = frozenset()
    """Those of all entries, as far as they can be read."""
    complete: bool = False
    """False where the list cannot be read: then nothing can be said about references to it."""
    whole: bool = False
    """Whether the form of every entry is right."""

    def get(self, name: str) -> M | None:
        """Return the entry of that id, if its form is right."""
        return next((each.item for each in self.entries if _id(each.item) == name), None)

    def missing(self, what: str, name: str) -> str | None:
        """Return the words about a reference to nothing; None where it may be right."""
        if not self.complete or name in self.ids:
            return None
        return unknown(what, name, self.ids)


@dataclass(slots=True)
class Draft:
    """All files of a folder."""

    head: m.HeadModel | None = None
    perspectives: Section[m.PerspectiveModel] = field(default_factory=Section)
    dimensions: Section[m.DimensionModel] = field(default_factory=Section)
    objectives: Section[m.ObjectiveModel] = field(default_factory=Section)
    kpis: Section[m.KpiModel] = field(default_factory=Section)
    targets: Section[m.TargetModel] = field(default_factory=Section)
    initiatives: Section[m.InitiativeModel] = field(default_factory=Section)
    benchmarks: Section[m.BenchmarkModel] = field(default_factory=Section)
    way: m.WayModel | None = None
    stages: Section[m.StageModel] = field(default_factory=Section)
    worklists: Section[m.WorklistModel] = field(default_factory=Section)


def _id(item: BaseModel) -> str:
    return str(getattr(item, "id", ""))


def read_draft(folder: Path) -> tuple[Draft, list[Problem]]:
    """Return what the files of a folder say, and everything that is wrong with their form."""
    try:
        names = sorted(each.name for each in folder.iterdir())
    except OSError as error:
        why = error.strerror or str(error)
        return Draft(), [Problem(str(folder), "", f"is not a readable folder: {why}")]
    problems = [
        Problem(name, "", f"is not a file of a strategy; {suggest(name, FILES)}")
        for name in names
        if name.endswith((".yaml", ".yml")) and name not in FILES
    ]
    problems += [
        Problem(name, "", "is missing") for name in FILES if FILES[name] and name not in names
    ]
    contents: dict[str, dict[str, Value]] = {}
    for name in FILES:
        if name not in names:
            continue
        value, found = read_yaml(folder / name)
        problems += found
        if isinstance(value, dict):
            contents[name] = value
        elif not found:
            problems.append(Problem(name, "", "must be a mapping of keys to values"))
    draft, form = Draft(), _Form(contents, problems)
    draft.head = form.head()
    draft.perspectives = form.section(HEAD, "perspectives", m.PerspectiveModel)
    draft.dimensions = form.section("dimensions.yaml", "dimensions", m.DimensionModel)
    draft.objectives = form.section("objectives.yaml", "objectives", m.ObjectiveModel)
    draft.kpis = form.section("kpis.yaml", "kpis", m.KpiModel)
    draft.targets = form.section("targets.yaml", "targets", m.TargetModel)
    draft.initiatives = form.section("initiatives.yaml", "initiatives", m.InitiativeModel)
    draft.benchmarks = form.section("benchmarks.yaml", "benchmarks", m.BenchmarkModel)
    draft.way = form.way()
    draft.stages = form.section(STAGES, "stages", m.StageModel)
    draft.worklists = form.section("worklists.yaml", "worklists", m.WorklistModel)
    return draft, problems


class _Form:
    """Validates the contents of the files against the models and collects the problems."""

    def __init__(self, contents: dict[str, dict[str, Value]], problems: list[Problem]) -> None:
        self._contents = contents
        self._problems = problems

    def head(self) -> m.HeadModel | None:
        content = self._contents.get(HEAD)
        if content is None:
            return None
        own = {key: value for key, value in content.items() if key != "perspectives"}
        return self._model(HEAD, "", m.HeadModel, own)

    def way(self) -> m.WayModel | None:
        content = self._contents.get(STAGES)
        if content is None:
            return None
        if "way" not in content:
            self._problems.append(Problem(STAGES, "way", "is missing"))
            return None
        return self._model(STAGES, "way", m.WayModel, content["way"])

    def section(self, file: str, key: str, model: type[M]) -> Section[M]:
        content = self._contents.get(file)
        if content is None:
            return Section(file)
        if file != HEAD:
            keys = (*_BESIDE.get(file, ()), key)
            only = " and ".join(repr(each) for each in keys)
            self._problems += [
                Problem(file, other, f"unknown key; this file has only {only}")
                for other in content
                if other not in keys
            ]
        items = content.get(key)
        if not isinstance(items, list):
            message = "must be a list" if key in content else "is missing; it is a list"
            self._problems.append(Problem(file, key, message))
            return Section(file)
        ids = [item["id"] for item in items if isinstance(item, dict) and "id" in item]
        entries = tuple(self._entries(file, key, model, items))
        known, whole = frozenset(str(each) for each in ids), len(entries) == len(items)
        return Section(file, entries, known, complete=True, whole=whole)

    def _entries(
        self, file: str, key: str, model: type[M], items: list[Value]
    ) -> Iterator[Entry[M]]:
        first: dict[str, int] = {}
        for at, item in enumerate(items):
            name = item.get("id") if isinstance(item, dict) else None
            place = f"{key}[{at}] ({name})" if isinstance(name, str) else f"{key}[{at}]"
            if isinstance(name, str) and first.setdefault(name, at) != at:
                message = f"{name!r} is the id of {key}[{first[name]}] already"
                self._problems.append(Problem(file, f"{place}.id", message))
            found = self._model(file, place, model, item)
            if found is not None:
                yield Entry(file, place, found)

    def _model(self, file: str, place: str, model: type[M], data: Value) -> M | None:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            # A union reports one error for each of its members; the first says enough.
            by_path: dict[str, str] = {}
            for each in error.errors(include_url=False):
                by_path.setdefault(*place_and_words(each, data, place))
            self._problems += [Problem(file, path, words) for path, words in by_path.items()]
            return None
