"""What all experiments share: each is found by listing, run, written as CSV with a manifest, and presented from that."""

from __future__ import annotations

import ast
import datetime
import hashlib
import importlib
import json
import pkgutil
import re
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd

import trpo_theory
from experiments.contract import Experiment, Frames, WithText
from trpo_theory.errors import InvalidInput
from trpo_theory.io._atomic import atomic_write
from trpo_theory.report import Table, screen, style
from trpo_theory.report.table_files import made_directory, write

ORDER = (
    *("lower_bound", "catalogue", "updates", "safe_steps", "trusted_steps"),
    *("sharp_gaps", "sharp_divergences", "horizons", "linear_mean_kl"),
    *("step_sizes", "curves", "audit_runs", "trusted_runs", "power", "errata", "scaling", "pictures"),
)
"""The order in which experiments run and are reported; those that are not named here come last, by name."""
MANIFEST = "manifest.json"
_ROOT = Path(__file__).parent
_PRESENTATION = ("report", "cli")
"""Rooms of the package that do not decide numbers: a change in them does not make a run out of date."""
_NOTHING = "nan"
"""How a missing number is written in a CSV."""
_WHOLE = re.compile(r"-?\d+")


@cache
def registry() -> dict[str, Experiment]:
    """The experiments by name: every module of this folder that defines `NAME`.

    Raises:
        TypeError: for one that does not have all parts of an `Experiment`.
    """
    names = [module.name for module in pkgutil.iter_modules([str(_ROOT)]) if _defines_name(module.name)]
    found: dict[str, Experiment] = {}
    for name in sorted(names, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name)):
        module = importlib.import_module(f"experiments.{name}")
        if not isinstance(module, Experiment):
            parts = [part for part in _parts() if not hasattr(module, part)]
            raise TypeError(f"got experiments/{name} without {', '.join(parts)}; wanted an Experiment; fix: add them")
        found[module.NAME] = module
    return found


def _parts() -> list[str]:
    methods = [name for name, value in vars(Experiment).items() if callable(value) and not name.startswith("_")]
    return [*Experiment.__annotations__, *methods]


def _defines_name(module: str) -> bool:
    """Whether a module of this folder assigns or imports `NAME`, without running it."""
    path = _ROOT / module / "__init__.py" if (_ROOT / module).is_dir() else _ROOT / f"{module}.py"
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "NAME" for target in node.targets):
            return True
        if isinstance(node, ast.ImportFrom) and any((alias.asname or alias.name) == "NAME" for alias in node.names):
            return True
    return False


@dataclass(frozen=True)
class Place:
    """The files of an experiment: its frames in a folder `data`, and beside it the tables and figures made from them.

    Attributes:
        experiment: the experiment.
        out: the output directory of all experiments.
    """

    experiment: Experiment
    out: Path

    @property
    def folder(self) -> Path:
        """The folder of tables and figures."""
        return self.out / self.experiment.NAME

    @property
    def data(self) -> Path:
        """The folder of the frames and their manifest."""
        return self.folder / "data"

    def manifest(self) -> dict[str, Any] | None:
        """The manifest of the last run, if none of its files has changed since; else None."""
        try:
            manifest = json.loads((self.data / MANIFEST).read_text(encoding="utf-8"))
            whole = all(_hash(self.data / file["file"]) == file["sha256"] for file in manifest["frames"].values())
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return manifest if whole else None

    def is_done(self, settings: Any) -> bool:
        """Whether a finished run of this code with these settings exists."""
        manifest = self.manifest()
        return manifest is not None and all(
            manifest.get(name) == value for name, value in _recipe(self.experiment, settings).items()
        )

    def is_of_this_code(self) -> bool:
        """Whether a finished run of this code exists, with any settings."""
        manifest = self.manifest()
        return manifest is not None and manifest.get("code") == code_of(self.experiment)

    def run(self, settings: Any, advance: Callable[[], None] = lambda: None) -> None:
        """Run the experiment and write its frames; the manifest comes last and marks the run as finished."""
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
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        made = {"date": today, "commit": _commit(), "seconds": round(seconds, 2)}
        manifest = {**_recipe(self.experiment, settings), **made, "frames": files}
        with atomic_write(self.data / MANIFEST) as stream:
            stream.write((json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())

    def frames(self) -> Frames:
        """The frames of the finished run, to the last digit.

        Raises:
            InvalidInput: if there is none.
        """
        manifest = self.manifest()
        if manifest is None:
            raise InvalidInput(
                got=f"no finished run of {self.experiment.NAME} in {str(self.data)!r}",
                wanted="its frames and their manifest",
                fix=f"run python -m experiments {self.experiment.NAME} --out {self.out}",
            )
        return {name: read_frame(self.data / file["file"]) for name, file in manifest["frames"].items()}

    def present(self, frames: Frames) -> list[Path]:
        """Write every table as LaTeX, Markdown, CSV and HTML, and every figure as PDF, PNG and SVG."""
        paths = []
        for name, table in self.experiment.tables(frames).items():
            paths += write(table, self.folder, name, suffixes=(".tex", ".md", ".csv", ".html"))
        for name, draw in self.experiment.figures(frames).items():
            figure = draw()
            paths += [*style.save(figure, self.folder, name), *screen.save(figure, self.folder, name)]
        return paths


def read_frame(path: Path) -> pd.DataFrame:
    """A frame from its CSV: floats to the last bit; an empty cell is an empty string, `nan` is NaN."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    return pd.DataFrame({name: _values(frame[name].tolist()) for name in frame}, columns=frame.columns)


def _values(texts: list[str]) -> Any:
    """The values of a column: booleans, integers or floats if all cells are; else strings."""
    if texts and set(texts) <= {"True", "False"}:
        return [text == "True" for text in texts]
    if texts and all(_WHOLE.fullmatch(text) for text in texts):
        return [int(text) for text in texts]
    try:
        return [float(text) for text in texts] if texts else pd.Series(texts, dtype=object)
    except ValueError:
        return texts


def shown(experiment: Experiment, frames: Frames) -> str | list[Table]:
    """What the terminal shows: the experiment's own text, or its tables."""
    return experiment.terminal(frames) if isinstance(experiment, WithText) else list(experiment.tables(frames).values())


def code_of(experiment: Experiment) -> str:
    """The SHA-256 of the code that decides the numbers: the package without its presentation, the experiment, shared files."""
    own = Path(str(vars(experiment)["__file__"]))
    shared = [_ROOT / "iterating.py", *sorted((_ROOT / "benchmarks").glob("*.py"))]
    paths = shared + (sorted(own.parent.rglob("*.py")) if own.name == "__init__.py" else [own])
    return hashlib.sha256("".join([_package(), *map(_hash, paths)]).encode()).hexdigest()


@cache
def _package() -> str:
    root = Path(trpo_theory.__path__[0])
    paths = [path.relative_to(root) for path in sorted(root.rglob("*.py"))]
    return "".join(f"{path.as_posix()} {_hash(root / path)}\n" for path in paths if path.parts[0] not in _PRESENTATION)


def _commit() -> str:
    """The commit of this checkout, with a + where files of the package differ from it; "" outside one."""
    git = ["git", "-C", str(_ROOT.parent)]
    try:
        commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run(
            [*git, "diff", "--quiet", "HEAD", "--", "trpo_theory"], capture_output=True, check=False
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit.stdout.strip() + "+" * bool(changed.returncode)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _recipe(experiment: Experiment, settings: Any) -> dict[str, Any]:
    """What identifies a run, as JSON values."""
    recipe = {
        "experiment": experiment.NAME,
        "version": version("trpo-theory"),
        "code": code_of(experiment),
        "settings": asdict(settings),
    }
    return json.loads(json.dumps(recipe, default=str))
