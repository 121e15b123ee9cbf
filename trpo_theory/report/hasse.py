"""The Hasse diagram of an order, as a figure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from trpo_theory.entries.kinds import MAPPING, SERIES, TEXT, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.report import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SWEEPS = 12
"""Of ordering the levels by the mean place of their neighbours. Chosen: the order stops changing before."""
_LETTERS = 120
"""Of a line of the caption. Chosen: the width of a page at 7 points."""
_LEVEL = 0.16
"""Height of a level, as a share of the figure's width. Chosen by eye."""


def levels(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The elements in levels, the lowest first, each just below the lowest that is above it; few lines cross.

    What nothing is above stands as high as the longest chain below it is long.

    Args:
        pairs: (above, below), without circles.
    """
    below: dict[str, set[str]] = {}
    for high, low in pairs:
        below.setdefault(high, set()).add(low)
        below.setdefault(low, set())
    height: dict[str, int] = {}

    def height_of(name: str) -> int:
        if name not in height:
            height[name] = 1 + max((height_of(one) for one in below[name]), default=-1)
        return height[name]

    for name in below:
        height_of(name)
    for name in sorted(height, key=lambda one: -height[one]):  # as high as what is above allows
        over = [height[high] for high, lower in below.items() if name in lower]
        height[name] = min(over) - 1 if over else height[name]
    found = [
        sorted(name for name in below if height[name] == level) for level in range(max(height.values(), default=-1) + 1)
    ]
    return _with_few_crossings(found, below)


def _with_few_crossings(found: list[list[str]], below: Mapping[str, set[str]]) -> list[list[str]]:
    """Each level sorted by the mean place of what its elements are joined to, up and down in turn."""
    joined = {name: set(lower) for name, lower in below.items()}
    for high, lower in below.items():
        for low in lower:
            joined[low].add(high)
    place = {name: k / max(len(row), 1) for row in found for k, name in enumerate(row)}
    for _ in range(_SWEEPS):
        for row in found:
            row.sort(key=lambda name: sum(place[one] for one in joined[name]) / max(len(joined[name]), 1))
            place |= {name: (k + 0.5) / len(row) for k, name in enumerate(row)}
    return found


def _pair(one: object) -> tuple[str, str]:
    if isinstance(one, (tuple, list)) and [type(name) for name in one] == [str, str]:
        return one[0], one[1]
    raise InvalidInput(
        got=f"{one!r} as a pair", wanted="(above, below), two names", fix='write ("trpo/kl", "trpo/tv"), say'
    )


def hasse_diagram(
    pairs: Iterable[tuple[str, str]], *, labels: Mapping[str, str] | None = None, caption: str = ""
) -> Figure:
    """A figure of an order: what is below is joined to what covers it by a line.

    Args:
        pairs: (above, below) of the transitive reduction.
        labels: a second line under an element.
        caption: above the diagram: what a line means.
    """
    expect(SERIES, pairs=pairs)
    expect(MAPPING.or_none, labels=labels)
    expect(TEXT, caption=caption)
    pairs, labels = [_pair(one) for one in pairs], labels or {}
    rows = levels(pairs)
    places = {name: ((k + 0.5) / len(row), level) for level, row in enumerate(rows) for k, name in enumerate(row)}
    with style.styled():
        figure = style.new_figure("page", ratio=_LEVEL * max(len(rows), 2))
        axes = figure.subplots()
        for high, low in pairs:
            (x0, y0), (x1, y1) = places[high], places[low]
            axes.plot([x0, x1], [y0, y1], color=style.GREY, lw=0.8, zorder=1)
        for name, (x, y) in places.items():
            text = f"{name}\n{labels[name]}" if name in labels else name
            box = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": style.GREY, "linewidth": 0.6}
            axes.text(x, y, text, ha="center", va="center", fontsize=6.5, bbox=box, zorder=2)
        axes.set_xlim(0, 1)
        axes.set_ylim(-0.5, len(rows) - 0.5)
        axes.set_axis_off()
        axes.set_title(textwrap.fill(caption, _LETTERS), fontsize=7, color=style.GREY, loc="left")
    return figure
