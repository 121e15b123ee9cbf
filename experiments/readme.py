"""`python -m experiments.readme [NAME ...] [--out DIR]`: update the results that the README and docs/ show.

Writes the tables (Markdown, and CSV with every digit), the figures, the witnesses and the catalogue's verdicts of finished
full runs to experiments/results/, with an index for the page of an installed package, and the tables into the documents
between `<!-- experiments: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.contract import Frames
from experiments.framework import Place, registry
from trpo_theory.errors import InvalidInput, TrpoTheoryError
from trpo_theory.io._atomic import atomic_write
from trpo_theory.report import stored
from trpo_theory.report.table_files import write

TABLES = {
    **{"lower-bound-bounds": "lower-bound", "curves": "curves", "errata": "errata"},
    **{"sharp-gaps": "sharp-gaps", "sharp-gaps-limit": "sharp-gaps", "sharp-gaps-mean": "sharp-gaps"},
    **{"horizons": "horizons", "horizons-discounts": "horizons"},
    "linear-mean-kl": "linear-mean-kl",
    "audit-runs": "audit-runs",
    "power": "power",
}
KEPT = {
    **{"safe-steps": "safe-steps", "step-sizes": "step-sizes", "step-sizes-updates": "step-sizes"},
    **{"updates": "updates", "updates-conic": "updates", "updates-separate": "updates"},
    **{f"trusted-steps-{part}": "trusted-steps" for part in ("kl", "radius", "penalty", "clips", "frozenlake-4x4-09")},
    **{
        f"trusted-steps-{part}": "trusted-steps"
        for part in ("frozenlake-4x4-099", "frozenlake-8x8-095", "cliffwalking-099")
    },
    "trusted-runs": "trusted-runs",
    **{"power-missed": "power", "power-margins": "power"},
    **{"sharp-divergences": "sharp-divergences"},
}
"""Tables that are committed, and shown in the chapter on trusted steps or nowhere."""
MEASURED = ("waits",)
"""Tables of seconds, that a benchmark of the same name writes: they are copied here from its --out, and shown like the others."""
FIGURES = {
    "pictures-square": "pictures",
    "pictures-polytope": "pictures",
    "power": "power",
    "horizons-excess": "horizons",
}
"""Figures that the guides show, each with its experiment."""
DRAWN = {
    **{f"trusted-steps-{part}": "trusted-steps" for part in ("sizes", "curves", "clips")},
    "trusted-runs-shares": "trusted-runs",
}
"""Figures that the chapter on trusted steps shows."""
DATA = {"errata": ("witnesses",), "pictures": ("square", "polytope"), "trusted-steps": ("updates",)}
"""Frames that are committed too, so that tests can check the shown results without running the experiment."""
ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "experiments" / "results"
README = ROOT / "README.md"
CHAPTER = ROOT / "docs/trusted-steps.md"
CATALOGUE = "catalogue"
"""The experiment whose verdicts are kept whole, for the page of a short run."""
_OF_A_WITNESS = (
    "transition",
    "reward",
    "gamma",
    "initial",
    "old",
    "new",
    "reference",
    "noise",
    "size",
    "groups",
    "slack",
)
"""What the page draws of one; the rest stands in its record."""
DOCUMENTS = (README, CHAPTER, ROOT / "docs/results.md", *sorted((ROOT / "docs/guides").glob("*.md")))
"""What may show results."""
_BEGINS = re.compile(r"<!-- experiments: (\S+) -->")
_BLOCK = "<!-- experiments: {name} -->\n{text}<!-- end -->"


def main(arguments: list[str] | None = None) -> int:
    """Bring the results and the documents up to date; 0, or 2 where a full run is missing."""
    parser = argparse.ArgumentParser("python -m experiments.readme", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where they ran (default: out)")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of which experiments (default: all that are shown)")
    options = parser.parse_args(arguments)
    try:
        refresh(options.out, names=options.names)
    except (TrpoTheoryError, OSError) as error:
        print(f"experiments: {error}", file=sys.stderr)
        return 2
    print(f"{RESULTS}, the README and docs/ show what {options.out} has.")
    return 0


def refresh(
    out: Path, results: Path = RESULTS, documents: Sequence[Path] = DOCUMENTS, names: Sequence[str] = ()
) -> None:
    """Copy tables and figures from `out` to `results`, and the tables into the documents that show them.

    Raises:
        InvalidInput: if an experiment has no full run by the current code, or nothing of it is shown.
    """
    shown = {*TABLES.values(), *KEPT.values(), *FIGURES.values(), *DRAWN.values(), CATALOGUE}
    for name in sorted({*names} - shown):
        raise InvalidInput(
            got=f"the experiment {name}", wanted=f"one of {', '.join(sorted(shown))}", fix="check the spelling"
        )
    places = {name: Place(registry()[name], out) for name in sorted({*names} or shown)}
    for name, place in places.items():
        if not place.is_done(place.experiment.Settings()):
            raise InvalidInput(
                got=f"no full run of {name} by this code in {str(out)!r}",
                wanted="a finished run with the full settings",
                fix=f"run python -m experiments {name} --out {out}",
            )
    frames = {name: place.frames() for name, place in places.items()}
    for name, experiment in _of(places, {**TABLES, **KEPT}):
        table = places[experiment].experiment.tables(frames[experiment])[name]
        write(table, results, name, suffixes=(".md", ".csv"))
    for name, experiment in _of(places, {**FIGURES, **DRAWN}):
        _copy(places[experiment].folder / f"{name}.png", results)
    for experiment, kept in DATA.items():
        for frame in kept if experiment in places else ():
            _copy(places[experiment].data / f"{experiment}-{frame}.csv", results)
    if CATALOGUE in places:
        _write(results / stored.CATALOGUE, kept_catalogue(frames[CATALOGUE], places[CATALOGUE].manifest() or {}))
    _write(results / stored.INDEX, index())
    for document in documents:
        text = document.read_text(encoding="utf-8")
        with atomic_write(document) as stream:
            stream.write(spliced(text, results).encode())


def kept_catalogue(frames: Frames, manifest: dict[str, Any]) -> str:
    """Verdicts and witnesses of a full run as JSON, a line a claim, with the version, the commit and the day."""
    witnesses = {row["id"]: json.loads(row["content"]) for row in frames["witnesses"].to_dict("records")}
    lines = []
    for row in frames[""].to_dict("records"):
        kept = {
            name: row[name] for name in ("id", "verdict", "instances", "effective", "min_slack", "note", "searched")
        }
        kept |= {
            "proof": row["proof"],
            "min_slack": None if row["min_slack"] in ("", None) else float(row["min_slack"]),
        }
        witness = witnesses.get(row["id"])
        kept["witness"] = witness and {name: witness[name] for name in _OF_A_WITNESS if name in witness}
        lines.append(json.dumps(kept, ensure_ascii=False).replace("NaN", "null"))
    top = {name: manifest.get(name, "") for name in ("version", "commit", "date")}
    return f'{json.dumps(top)[:-1]}, "claims": [\n' + ",\n".join(lines) + "\n]}\n"


def index() -> str:
    """The experiments of which tables are kept, with their headings, for the page outside a checkout."""
    names: dict[str, list[str]] = {}
    for name, experiment in {**TABLES, **KEPT}.items():
        names.setdefault(experiment, []).append(name)
    found = [
        {"name": experiment.NAME, "title": experiment.TITLE, "lead": experiment.LEAD, "tables": names[experiment.NAME]}
        for experiment in registry().values()
        if experiment.NAME in names
    ]
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as stream:
        stream.write(text.encode())


def _of(places: dict[str, Place], shown: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, experiment) for name, experiment in shown.items() if experiment in places]


def spliced(text: str, results: Path = RESULTS) -> str:
    """A document with its tables as `results` has them."""
    for name in _BEGINS.findall(text):
        table = (results / f"{name}.md").read_text(encoding="utf-8")
        block = _BLOCK.format(name=name, text=table)
        pattern = _BLOCK.format(name=re.escape(name), text=".*?")
        text = re.sub(pattern, lambda _, block=block: block, text, flags=re.DOTALL)
    return text


def _copy(path: Path, directory: Path) -> None:
    with atomic_write(directory / path.name) as stream:
        stream.write(path.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
