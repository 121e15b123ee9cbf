"""The report: one page of all experiments that are finished in a directory, made from their files alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from experiments.contract import WithBlocks
from experiments.framework import Place, registry
from trpo_theory.report import style
from trpo_theory.report.page import Figure, Page, Section, Shown
from trpo_theory.report.page.blocks import as_block

PAGE = "index.html"
FIRST = ("pictures",)
"""These come first; the others follow in the order in which they run."""
_DOTS, _ON_SCREEN = 300, 150
"""Dots an inch of the files (as `style.save` writes them), and on the screen (chosen)."""
TITLE = "What the bounds behind TRPO promise, and what they keep"
LEAD = (
    "Finite Markov decision processes are solved exactly, and the lower bounds, updates and claims of the "
    "policy-improvement literature are put to the test on them. Every number on this page is recomputed from its "
    "definition; every table and figure can be saved from it."
)


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
    order = [name for name in FIRST if name in experiments] + [name for name in experiments if name not in FIRST]
    places = [Place(experiments[name], out) for name in order]
    places = [place for place in places if place.is_of_this_code()]
    Page(TITLE, LEAD, [section(place) for place in places]).write(out / PAGE)
    return out / PAGE, [place.experiment.NAME for place in places]


def section(place: Place) -> Section:
    """An experiment's section: lead and summary, figures, then blocks or tables."""
    experiment, frames = place.experiment, place.frames()
    captions = experiment.captions()
    if isinstance(experiment, WithBlocks):
        blocks = experiment.blocks(frames)
    else:
        blocks = [Shown(table, captions.get(name, "")) for name, table in experiment.tables(frames).items()]
    figures = [_figure(place, name, captions[name]) for name in experiment.figures(frames)]
    lead = f"{experiment.LEAD} {experiment.summary(frames)}".strip()
    if place.manifest() is not None and not place.is_done(experiment.Settings()):
        lead += " (These are the numbers of a short run.)"
    return Section(experiment.NAME, experiment.TITLE, lead, [*figures, *blocks])


def _figure(place: Place, name: str, caption: str) -> Figure:
    """A figure: its PNG at the width of a column of text or of the page, with the PDF as a download."""
    image, vectors = ((place.folder / f"{name}.{suffix}").read_bytes() for suffix in ("png", "pdf"))
    inches = int.from_bytes(image[16:20], "big") / _DOTS
    width = None if inches > 0.75 * style.WIDTH["page"] else round(_ON_SCREEN * inches)
    alt = caption.replace("$", "").replace("`", "")
    return Figure(name, image, caption, alt, {"pdf": vectors}, width=width)
