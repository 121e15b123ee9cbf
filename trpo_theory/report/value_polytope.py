"""The value polytope as a figure: the values of all policies of a two-state MDP, and paths of updates in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from trpo_theory import landscape
from trpo_theory.landscape import ValuePolytope
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import RealLike
from trpo_theory.report import style
from trpo_theory.report.names import named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def value_polytope(mdp: FiniteMDP, paths: Mapping[str, RealLike] | None = None, *, width: str = "column") -> Figure:
    """The figure of `landscape.value_polytope(mdp, paths)`; see `draw` for an existing `ValuePolytope`.

    Args:
        mdp: an MDP of two states.
        paths: for each name, policies (T, 2, A), such as `landscape.improvement_path` makes.
        width: "column" or "page".
    """
    return draw(landscape.value_polytope(mdp, paths), width=width)


def draw(polytope: ValuePolytope, *, width: str = "column") -> Figure:
    """The set of all values filled, the segments between deterministic policies, and the paths with a marker for each step."""
    from matplotlib.collections import LineCollection, PolyCollection

    with style.styled():
        figure = style.new_figure(width, ratio=0.95 if width == "column" else 0.6)
        axes = figure.add_subplot()
        axes.add_collection(
            PolyCollection(list(polytope.strips), facecolors="0.9", edgecolors="0.9", linewidths=0.3, zorder=0),
        )
        axes.add_collection(LineCollection(list(polytope.edges), colors="0.45", linewidths=0.8, zorder=1))
        axes.plot(*polytope.vertices.T, ls="none", marker="o", ms=3.5, color="0.25", zorder=2)
        _label_vertices(axes, polytope)
        for index, (name, values) in enumerate(polytope.paths.items()):
            colour, marker = style.UPDATES[index % len(style.UPDATES)]
            look = {"color": colour, "marker": marker, "ls": style.DASHES[index % len(style.DASHES)]}
            axes.plot(*values.T, **look, lw=1.1, ms=3.6, mec="white", mew=0.4, label=named(name), zorder=4 + index)
            axes.plot(*values[:1].T, "o", ms=5.5, mfc="white", mec="black", mew=0.9, zorder=99)
        axes.plot(
            *polytope.optimum.value[:, None],
            ls="none",
            marker="*",
            ms=11,
            mfc=style.YELLOW,
            mec="black",
            mew=0.8,
            zorder=3,
        )
        axes.margins(0.1)
        axes.autoscale_view()
        states = polytope.mdp.state_labels or ("0", "1")
        axes.set_xlabel(f"value of state {states[0]} (discounted reward)")
        axes.set_ylabel(f"value of state {states[1]} (discounted reward)")
        if polytope.paths:
            axes.legend(loc="best", title="problem of the update", title_fontsize=7)
    return figure


def _label_vertices(axes: Axes, polytope: ValuePolytope) -> None:
    """The actions of each deterministic policy, if there are at most four."""
    from matplotlib import patheffects

    if len(polytope.vertices) > 4:
        return
    names = polytope.mdp.action_labels or tuple(str(action) for action in range(polytope.mdp.actions))
    middle = polytope.vertices.mean(0)
    spread = np.ptp(polytope.vertices, axis=0)
    for choice, place in zip(polytope.choices, polytope.vertices, strict=True):
        away = (place - middle) / np.where(spread > 0, spread, 1.0)
        to_the_left = away[1] >= 0 if abs(away[0]) < 0.35 else away[0] > 0
        axes.annotate(
            ", ".join(str(names[action]) for action in choice),
            *(place, (-5 if to_the_left else 5, 5 if away[1] >= 0 else -5)),
            textcoords="offset points",
            ha="right" if to_the_left else "left",
            va="bottom" if away[1] >= 0 else "top",
            fontsize=6.5,
            color=style.GREY,
            path_effects=[patheffects.withStroke(linewidth=1.5, foreground="white")],
        )
