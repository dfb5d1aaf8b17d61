"""Compiles the hot path into the wheel with mypyc, where that is asked for.

    HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 python -m pip wheel --no-deps .

Without the variable, and for an editable install in any case, the package is pure Python; compiled
modules lie beside the same sources in the wheel, and Python prefers them. Why it is not the plugin
hatch-mypyc: that compiles inside the source tree, where what it leaves would be imported by every
later run, and it moves pyproject.toml away meanwhile (docs/adr/0016-throughput.md).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "kpi_stream"
COMPILED = (
    "domain/events.py",
    "domain/subject.py",
    "domain/attributes.py",
    "domain/terms.py",
    "domain/measures.py",
    "domain/catalogue.py",
    "domain/stages.py",
    "domain/worklist.py",
    "domain/windows.py",
    "domain/histogram.py",
    "domain/rows.py",
    "application/row_store.py",
    "application/recount.py",
    "application/worklist.py",
    "application/fold.py",
    "application/intake.py",
    "adapters/state_codec.py",
    "adapters/events/times.py",
    "adapters/events/fast.py",
    "adapters/events/codec.py",
)
"""What runs once an event or once a row; nothing else gains."""

_SETUP = """
from mypyc.build import mypycify
from setuptools import setup

setup(
    name="core",
    packages=[],
    ext_modules=mypycify(
        ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent", *{files!r}],
        opt_level="{opt_level}",
        group_name="kpi_stream_core",
    ),
)
"""


class CompiledCore(BuildHookInterface[Any]):
    """Adds the extension modules to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile a copy of the sources, so that the tree stays as it is."""
        if version == "editable":
            return
        # The wheel is written after this method, so the folder is removed in `finalize`.
        self._folder = Path(tempfile.mkdtemp(prefix="kpi-stream-compiled-"))
        shutil.copytree(Path(self.root) / "src" / PACKAGE, self._folder / PACKAGE)
        files = [f"{PACKAGE}/{name}" for name in COMPILED]
        # The variable of mypyc's own command; 0 compiles in less than half the time, for tests.
        opt_level = os.environ.get("MYPYC_OPT_LEVEL", "3")
        (self._folder / "setup.py").write_text(
            _SETUP.format(files=files, opt_level=opt_level), encoding="utf-8"
        )
        done = subprocess.run(
            [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"],
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            msg = f"mypyc could not compile the core:\n{done.stdout}"
            raise RuntimeError(msg)
        shutil.rmtree(self._folder / "build")
        for module in self._folder.rglob("*.so"):
            build_data["force_include"][str(module)] = str(module.relative_to(self._folder))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the copy."""
        del build_data, artifact_path
        if version != "editable":
            shutil.rmtree(self._folder)
