"""Figures for the screen: SVG that follows light and dark, and a narrow drawing in which panels stand below each other."""

from __future__ import annotations

import io
import re
import textwrap
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trpo_theory.io._atomic import atomic_write
from trpo_theory.report import style
from trpo_theory.report.colours import on_dark
from trpo_theory.report.table_files import made_directory

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NARROW = "-narrow"
"""What the name of a narrow drawing ends in."""
_WIDE = 1.3
"""A figure wider than so many columns of a paper has a narrow drawing, too. Chosen: a telephone shows one column at its size."""
_LETTERS = 62
"""Of a line of a title at the left of a narrow drawing. Chosen: the width of a column at 7 points."""
_COLOUR = re.compile(r"(?<=[ :])#[0-9a-f]{6}(?=[;\"])")
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_REFERENCE = re.compile(r"(?:href=\"#|url\(#)([^\")]+)")
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_ROOT = re.compile(r"<svg\b[^>]*?\bviewBox=\"([^\"]*)\"[^>]*>", re.DOTALL)


def svg(figure: Figure, name: str) -> bytes:
    """The figure as SVG, letters as outlines; the same figure gives the same bytes. Its title says what is drawn.

    Args:
        figure: the figure.
        name: of the file.
    """
    import matplotlib

    file = io.BytesIO()
    style.number_short_log_axes(figure)
    with style.styled(), matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Title": described(figure)})
    return file.getvalue()


def save(figure: Figure, directory: str | Path, name: str) -> list[Path]:
    """Write NAME.svg and, of a figure too wide for a telephone, NAME-narrow.svg, each atomically; that changes the figure."""
    directory = made_directory(directory)
    paths = [directory / f"{name}.svg"]
    contents = [svg(figure, name)]
    if is_wide(figure):
        paths.append(directory / f"{name}{NARROW}.svg")
        contents.append(svg(narrow(figure), name))
    for path, content in zip(paths, contents, strict=True):
        with atomic_write(path) as file:
            file.write(content)
    return paths


def is_wide(figure: Figure) -> bool:
    """Whether it would be too small to read on a telephone."""
    return figure.get_figwidth() > _WIDE * style.WIDTH["column"]


def narrow(figure: Figure) -> Figure:
    """The same figure, its panels one below the other at the width of a column; it is changed.

    A panel that shared its neighbour's axis gets the labels that it went without.
    """
    for axes in figure.axes:
        if not axes.axison and not (axes.texts or axes.get_legend()):
            axes.remove()
    panels = [axes for axes in figure.axes if axes.get_subplotspec() is not None]
    heights = [_height(axes, figure) for axes in panels]
    for axes in panels:
        _label_alone(axes, panels)
        left = axes.get_title(loc="left")
        if left:
            axes.set_title(textwrap.fill(left.replace("\n", " "), _LETTERS), loc="left", fontsize=7, color=style.GREY)
    grid = figure.add_gridspec(len(panels), 1, height_ratios=heights)
    for place, axes in enumerate(panels):
        axes.set_subplotspec(grid[place, 0])
    figure.set_size_inches(style.WIDTH["column"], sum(heights))
    with style.styled():
        for legend in list(figure.legends):
            _fit(legend, figure)
    return figure


def _height(axes: Axes, figure: Figure) -> float:
    """Of a panel, in inches: as it was, or what a square needs, or a legend in a place of its own."""
    legend = axes.get_legend()
    if legend is not None and not axes.axison:
        return legend.get_window_extent().height / figure.dpi + 0.2
    if axes.get_aspect() == 1.0:
        return style.WIDTH["column"]
    spec = cast(Any, axes.get_subplotspec())
    return figure.get_figheight() * len(spec.rowspan) / spec.get_gridspec().nrows


def described(figure: Figure) -> str:
    """What the panels show, in words: axes, their titles, and the names of lines.

    >>> from trpo_theory.report.figures import lines
    >>> import pandas as pd
    >>> described(lines(pd.DataFrame({"x": [1, 2], "y": [3, 4]}), "x", "y", xlabel="steps", ylabel="return", log="x"))
    'A chart of return over steps (log scale).'
    """
    panels = [_panel(axes) for axes in figure.axes if axes.axison and (axes.get_xlabel() or axes.get_ylabel())]
    common = " over ".join(filter(None, (figure.get_supylabel(), figure.get_supxlabel())))
    panels = panels or [_panel(axes) + f": {common}" for axes in figure.axes if axes.get_title() and common]
    names = [text.get_text() for legend in _legends(figure) for text in legend.get_texts()]
    names += [text.get_text() for axes in figure.axes for text in axes.texts]
    names = list(dict.fromkeys(" ".join(_plain(name).split()) for name in names if name.strip()))
    several = len(panels) > 1
    shown = "; ".join(f"{k}, {panel}" for k, panel in enumerate(panels, 1)) if several else "".join(panels)
    start = f"{len(panels)} charts: " if several else "A chart of " if panels else "A diagram of "
    listed = ", ".join(names)
    return f"{start}{shown or listed}.{f' Shown: {listed}.' if panels and listed else ''}"


def title_of(content: bytes) -> str:
    """The title of an SVG file, "" without one."""
    found = _TITLE.search(content.decode())
    return unescape(found[1]) if found else ""


def inlined(content: bytes, name: str, alt: str, *, classes: str = "") -> str:
    """An SVG file as an element of a page, an image with a name, whose colours follow the page's light or dark.

    Args:
        content: the file.
        name: what makes its ids those of no other figure.
        alt: the name for readers who cannot see it.
        classes: of the element.
    """
    text = content.decode()
    root = _ROOT.search(text)
    if root is None:
        return _named(text, alt)
    box = root[1].split()
    body = text[root.end() :]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<title>.*?</title>", "", body, flags=re.DOTALL)
    body = body.replace("xlink:href", "href")
    body = _renamed(body, name)
    body = re.sub(r"(?<=\bd=\")[^\"]*|(?<=\b[xy]=\")[^\"]*", lambda found: _NUMBER.sub(_rounded, found[0]), body)
    body = _COLOUR.sub(lambda found: f"light-dark({found[0]},{on_dark(found[0])})", body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    width, height = (round(float(length) / 72 * _PIXELS) for length in box[2:])
    return (
        f'<svg class="{classes}" xmlns="http://www.w3.org/2000/svg" viewBox="{root[1]}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(alt)}">{body}'
    )


_PIXELS = 140
"""CSS pixels of an inch of a figure: its text of 8 points is then as large as the text around it. Chosen."""


def _named(text: str, alt: str) -> str:
    """An SVG file of another program: with a name, and with a viewBox, by which it can shrink."""
    start = text[text.index("<svg") :]
    tag = start[: start.index(">") + 1]
    size = [re.search(rf'\b{side}="([\d.]+)', tag) for side in ("width", "height")]
    box = f' viewBox="0 0 {size[0][1]} {size[1][1]}"' if size[0] and size[1] else ""
    return start.replace(tag, f'{tag[:-1]}{box} role="img" aria-label="{escape(alt)}">', 1)


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _renamed(body: str, name: str) -> str:
    """Ids that are referred to begin with the name; the others are dropped."""
    used = set(_REFERENCE.findall(body))
    body = re.sub(r' id="([^"]*)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", body)
    return _REFERENCE.sub(lambda found: found[0].replace(f"#{found[1]}", f"#{name}-{found[1]}"), body)


def _label_alone(axes: Axes, panels: list[Axes]) -> None:
    """Tick labels, and the label of an axis that only the first of a row or the last of a column has."""
    if not axes.axison:
        return
    own = cast(Any, axes.get_subplotspec())
    axes.tick_params(labelleft=bool(axes.get_yticks().size), labelbottom=True)
    for other in panels:
        spec = cast(Any, other.get_subplotspec())
        if not axes.get_ylabel() and spec.rowspan == own.rowspan:
            axes.set_ylabel(other.get_ylabel())
        if not axes.get_xlabel() and spec.colspan == own.colspan:
            axes.set_xlabel(other.get_xlabel())


def _fit(legend: Any, figure: Figure) -> None:
    """The same legend above the figure, in as many columns as fit its width."""
    handles, labels = legend.legend_handles, [text.get_text() for text in legend.get_texts()]
    title = legend.get_title().get_text()
    for columns in (3, 2, 1):
        legend.remove()
        legend = figure.legend(
            handles, labels, loc="outside upper center", ncols=columns, columnspacing=1.2, title=title or None
        )
        if legend.get_window_extent().width <= figure.get_figwidth() * figure.dpi:
            return


def _legends(figure: Figure) -> list[Any]:
    own = [axes.get_legend() for axes in figure.axes]
    return [legend for legend in (*figure.legends, *own) if legend is not None]


def _panel(axes: Axes) -> str:
    scale = {"x": axes.get_xscale(), "y": axes.get_yscale()}
    x, y = (
        f"{' '.join(_plain(label).split())}{' (log scale)' if scale[axis] == 'log' else ''}" if label else ""
        for axis, label in (("x", axes.get_xlabel()), ("y", axes.get_ylabel()))
    )
    title = " ".join(_plain(axes.get_title()).split())
    return f"{title}{': ' if title else ''}{' over '.join(part for part in (y, x) if part)}"


def _plain(text: str) -> str:
    r"""Mathtext as words: $\max$ as max, without braces."""
    return re.sub(r"\\(?:mathrm|text|bar|hat|tilde)\b|[\\${}]", "", text)
