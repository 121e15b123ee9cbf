"""The report: one page of all experiments that are finished in a directory, made from their files alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from experiments.contract import WithBlocks, WithFullRun
from experiments.framework import Place, registry
from trpo_theory.report import screen
from trpo_theory.report.front import LEAD, TITLE, front
from trpo_theory.report.names import in_prose, with_names
from trpo_theory.report.page import Figure, Page, Section, Shown
from trpo_theory.report.page.blocks import as_block

PAGE = "index.html"
FIRST, LAST = ("pictures",), ("catalogue",)
"""These come first, and last, as one looks things up in it; the others are in the order in which they run."""


@dataclass(frozen=True)
class Folded:
    """Blocks that are hidden until the reader opens them.

    Attributes:
        summary: the line to click.
        items: the blocks, as `Section` takes them.
    """

    summary: str
    items: Sequence[Any] = field(default_factory=tuple)

    def to_html(self) -> str:
        """A `<details>`."""
        inside = "\n".join(as_block(item).to_html() for item in self.items)
        return f"<details>\n<summary>{escape(self.summary)}</summary>\n{inside}\n</details>\n"


def assemble(out: Path) -> tuple[Path, list[str]]:
    """Write the page of all experiments that this code has finished; returns its path and their names."""
    experiments = registry()
    others = [name for name in experiments if name not in (*FIRST, *LAST)]
    order = [name for name in (*FIRST, *others, *LAST) if name in experiments]
    places = [Place(experiments[name], out) for name in order]
    places = [place for place in places if place.is_of_this_code()]
    Page(TITLE, LEAD, [*front(), *map(section, places)]).write(out / PAGE)
    return out / PAGE, [place.experiment.NAME for place in places]


def section(place: Place) -> Section:
    """An experiment's section: lead and summary, figures, then blocks or tables."""
    experiment, frames = place.experiment, place.frames()
    captions = {name: in_prose(caption) for name, caption in experiment.captions().items()}
    lead = f"{experiment.LEAD} {experiment.summary(frames)}".strip()
    short = place.manifest() is not None and not place.is_done(experiment.Settings())
    if short and isinstance(experiment, WithFullRun):
        dated, blocks = experiment.last_full_run()
        lead = f"{experiment.LEAD} {dated} The short run of this page judged some of them anew: {experiment.summary(frames)}"
    elif isinstance(experiment, WithBlocks):
        blocks = experiment.blocks(frames)
    else:
        tables = experiment.tables(frames).items()
        blocks = [Shown(with_names(table), captions.get(name, "")) for name, table in tables]
    if short and not isinstance(experiment, WithFullRun):
        lead += " (These are the numbers of a short run.)"
    figures = [_figure(place, name, captions[name]) for name in experiment.figures(frames)]
    return Section(experiment.NAME, in_prose(experiment.TITLE), in_prose(lead), [*figures, *blocks])


def _figure(place: Place, name: str, caption: str) -> Figure:
    """A figure: its SVG, and that for a narrow screen if there is one, with the PDF as a download."""
    image, vectors = ((place.folder / f"{name}.{suffix}").read_bytes() for suffix in ("svg", "pdf"))
    small = place.folder / f"{name}{screen.NARROW}.svg"
    narrow = small.read_bytes() if small.exists() else None
    return Figure(name, image, caption, screen.title_of(image), {"pdf": vectors}, narrow=narrow)
