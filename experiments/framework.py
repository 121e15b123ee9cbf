"""What all experiments share: each is run once, written as CSV with a manifest, and presented from these files alone."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

import pandas as pd

import trpo_theory
from trpo_theory.errors import InvalidInput
from trpo_theory.io._atomic import atomic_write
from trpo_theory.report import Table, style
from trpo_theory.report.tables import made_directory, write

MODULES = (
    *("lower_bound", "catalogue", "updates", "safe_steps", "sharp_gaps", "step_sizes"),
    *("curves", "audit_runs", "errata", "scaling", "pictures"),
)
"""In the order in which they run."""
MANIFEST = "manifest.json"
_PRESENTATION = ("report", "cli")
_NOTHING = "nan"
_WHOLE = re.compile(r"-?\d+")


@cache
def registry() -> dict[str, ModuleType]:
    """The experiments by name."""
    found = [name for name in MODULES if importlib.util.find_spec(f"experiments.{name}")]
    modules = [importlib.import_module(f"experiments.{name}") for name in found]
    return {module.NAME: module for module in modules}


@dataclass(frozen=True)
class Place:
    """Where an experiment's files are: its data in one folder, beside it what is made of them.

    Attributes:
        experiment: the module.
        out: the directory of all experiments.
    """

    experiment: ModuleType
    out: Path

    @property
    def folder(self) -> Path:
        """Of tables and figures."""
        return self.out / self.experiment.NAME

    @property
    def data(self) -> Path:
        """Of the frames and their manifest."""
        return self.folder / "data"

    def manifest(self) -> dict[str, Any] | None:
        """What the last run wrote, if every file of it is as it was left; else None."""
        try:
            manifest = json.loads((self.data / MANIFEST).read_text(encoding="utf-8"))
            whole = all(_hash(self.data / file["file"]) == file["sha256"] for file in manifest["frames"].values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return manifest if whole else None

    def is_done(self, settings: Any) -> bool:
        """Whether these settings were run already, by this code."""
        manifest = self.manifest()
        return manifest is not None and all(
            manifest.get(name) == value for name, value in _recipe(self.experiment, settings).items()
        )

    def is_of_this_code(self) -> bool:
        """Whether what is there was made by the code as it is now, with any settings."""
        manifest = self.manifest()
        return manifest is not None and manifest.get("code") == code_of(self.experiment)

    def run(self, settings: Any, advance: Callable[[], None] = lambda: None) -> None:
        """Run it and write its frames, the manifest last: what has none is not finished."""
        began = perf_counter()
        frames = self.experiment.run(settings, advance)
        seconds = perf_counter() - began
        made_directory(self.data)
        (self.data / MANIFEST).unlink(missing_ok=True)
        files = {}
        for name, frame in frames.items():
            file = f"{self.experiment.NAME}{name and '-'}{name}.csv"
            content = frame.to_csv(index=False, lineterminator="\n", na_rep=_NOTHING).encode()
            with atomic_write(self.data / file) as stream:
                stream.write(content)
            timing = name.endswith("timing")
            files[name] = {"file": file, "sha256": hashlib.sha256(content).hexdigest(), "timing": timing}
        manifest = {**_recipe(self.experiment, settings), "seconds": round(seconds, 2), "frames": files}
        with atomic_write(self.data / MANIFEST) as stream:
            stream.write((json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())

    def frames(self) -> dict[str, pd.DataFrame]:
        """The frames as they were written, every digit.

        Raises:
            InvalidInput: where no finished run is.
        """
        manifest = self.manifest()
        if manifest is None:
            raise InvalidInput(
                got=f"no finished run of {self.experiment.NAME} in {str(self.data)!r}",
                wanted="its frames and their manifest",
                fix=f"run python -m experiments {self.experiment.NAME} --out {self.out}",
            )
        return {name: read_frame(self.data / file["file"]) for name, file in manifest["frames"].items()}

    def present(self, frames: dict[str, pd.DataFrame]) -> list[Path]:
        """Write every table as LaTeX, Markdown, CSV and HTML, and every figure as PDF and PNG."""
        paths = []
        for name, table in self.experiment.tables(frames).items():
            paths += write(table, self.folder, name, suffixes=(".tex", ".md", ".csv", ".html"))
        for name, draw in self.experiment.figures(frames).items():
            paths += style.save(draw(), self.folder, name)
        return paths


def read_frame(path: Path) -> pd.DataFrame:
    """A frame from its CSV: floats to the last bit; an empty cell is empty text, `nan` is not a number."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    return pd.DataFrame({name: _values(frame[name].tolist()) for name in frame}, columns=frame.columns)


def _values(texts: list[str]) -> Any:
    """A column's values: truths, whole numbers, or floats where all cells are such; else texts."""
    if texts and set(texts) <= {"True", "False"}:
        return [text == "True" for text in texts]
    if texts and all(_WHOLE.fullmatch(text) for text in texts):
        return [int(text) for text in texts]
    try:
        return [float(text) for text in texts] if texts else pd.Series(texts, dtype=object)
    except ValueError:
        return texts


def shown(experiment: ModuleType, frames: dict[str, pd.DataFrame]) -> str | list[Table]:
    """What the terminal shows: the experiment's own text, or its tables."""
    text = getattr(experiment, "terminal", lambda _: None)(frames)
    return list(experiment.tables(frames).values()) if text is None else text


def code_of(experiment: ModuleType) -> str:
    """The SHA-256 of what decides the numbers: the package without its presentation, the experiment's files, the shared ones."""
    own, root = Path(str(experiment.__file__)), Path(__file__).parent
    shared = [root / "iterating.py", *sorted((root / "benchmarks").glob("*.py"))]
    paths = shared + (sorted(own.parent.rglob("*.py")) if own.name == "__init__.py" else [own])
    return hashlib.sha256("".join([_package(), *map(_hash, paths)]).encode()).hexdigest()


@cache
def _package() -> str:
    root = Path(trpo_theory.__path__[0])
    paths = [path.relative_to(root) for path in sorted(root.rglob("*.py"))]
    return "".join(f"{path.as_posix()} {_hash(root / path)}\n" for path in paths if path.parts[0] not in _PRESENTATION)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _recipe(experiment: ModuleType, settings: Any) -> dict[str, Any]:
    """What a run is known by, as JSON has it."""
    recipe = {
        "experiment": experiment.NAME,
        "version": version("trpo-theory"),
        "code": code_of(experiment),
        "settings": asdict(settings),
    }
    return json.loads(json.dumps(recipe, default=str))
