"""The licences of all locked packages, as docs/licences.md: `python -m tests.support.licences`.

They are what the installed packages say of themselves, in SPDX's names.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "licences.md"
LOCKS = {
    "requirements.lock": "the services",
    "requirements-demo.lock": "the demonstration",
    "requirements-dev.lock": "development",
}
"""What each lock file is for; each holds those before it."""

ALLOWED = frozenset(
    "0BSD Apache-2.0 BSD BSD-2-Clause BSD-3-Clause CC0-1.0 MIT MPL-2.0 PSF-2.0 Zlib".split()
) | {"Repoze Public License"}
"""What may be installed: none asks more of whoever uses it unchanged than to keep its notice."""

_CLASSIFIER = "License :: "
_SAID = {
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License Version 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""Other words for the same, from before packages used SPDX's."""
_TEXT_OF_MIT = "Permission is hereby granted, free of charge"


@dataclass(frozen=True, slots=True)
class Locked:
    """A package of the lock files."""

    name: str
    purpose: str
    here: bool
    """Whether it is installed on this Python and this system."""


def locked() -> list[Locked]:
    """Return each package that some Linux installation gets, by name."""
    found: dict[str, Locked] = {}
    for lock, purpose in LOCKS.items():
        for requirement in _requirements(ROOT / lock):
            marker = requirement.marker
            if marker is not None and not marker.evaluate({**_LINUX, "extra": ""}):
                here = False
                if "win32" in str(marker):
                    continue
            else:
                here = True
            known = found.get(requirement.name)
            found[requirement.name] = Locked(
                requirement.name,
                purpose if known is None else known.purpose,
                here or (known is not None and known.here),
            )
    return [found[name] for name in sorted(found)]


_LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}


def _requirements(lock: Path) -> Iterator[Requirement]:
    for line in lock.read_text(encoding="utf-8").splitlines():
        if re.match(r"[a-z0-9]", line):
            yield Requirement(line.removesuffix("\\").strip())


def licence(name: str) -> str:
    """Return what an installed package says of its licence."""
    found = metadata.metadata(name)
    expression = found.get("License-Expression")
    if expression:
        return expression
    text = (found.get("License") or "").strip()
    if text in _SAID or text in ALLOWED:
        return _SAID.get(text, text)
    classified = [
        each.rpartition(" :: ")[2]
        for each in found.get_all("Classifier", [])
        if each.startswith(_CLASSIFIER) and "DFSG" not in each
    ]
    if classified:
        return " OR ".join(sorted({_SAID.get(each, each) for each in classified}))
    return "MIT" if _TEXT_OF_MIT in " ".join(text.split()) else text or "not said"


def refused(expression: str) -> list[str]:
    """Return the licences of an expression that are not allowed.

    Example:
        >>> refused("MIT AND (GPL-3.0-only OR BSD-2-Clause)")
        ['GPL-3.0-only']
    """
    parts = re.split(r" (?:AND|OR|WITH) ", expression.replace("(", "").replace(")", ""))
    return [each for each in parts if each not in ALLOWED]


def rows() -> dict[str, str]:
    """Return the line of each package; of one that is not installed here, the page's own."""
    written = written_rows()
    return {
        each.name: f"| {each.name} | {licence(each.name)} | {each.purpose} |"
        if each.here
        else written.get(each.name, f"| {each.name} | not said | {each.purpose} |")
        for each in locked()
    }


def written_rows() -> Mapping[str, str]:
    """Return the lines of the page as it is."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    return {
        found[1]: found[0] for found in re.finditer(r"^\| ([a-z0-9._-]+) \|.*$", text, re.MULTILINE)
    }


def page() -> str:
    """Return the whole page."""
    return _HEAD + "\n".join(rows().values()) + "\n"


_HEAD = """\
# Licences

Of every package in the lock files, as it states its licence itself; written by `make licences`,
and checked by `tests/repo/test_licences.py`, which also refuses a licence that is not on its list.
The list holds none that asks more of whoever uses a package unchanged than to keep its notice.
kpi-stream itself is under the [Apache License 2.0](../LICENSE). Packages for Windows alone are left
out.

Not packages of Python, and so not here: Kafka, Prometheus and Alertmanager (Apache-2.0), and
Grafana (AGPL-3.0), each run as a program of its own.

| Package | Licence | Installed for |
|---|---|---|
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}: {len(rows())} packages\n")
