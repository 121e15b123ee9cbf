"""The square of policies as a figure: η, L, the region M > η(old), trust regions and steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trpo_theory import landscape
from trpo_theory.landscape import PolicySquare, Section
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import RealLike
from trpo_theory.report import style
from trpo_theory.report.names import named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

LEVELS = 14
"""Contours of η, about; chosen by eye."""
_LONG_STEP = 0.1
"""A step shorter than this share of the way to the edge has its section drawn to five times its length only. Chosen."""
_SURROGATE: dict[str, Any] = {"color": "0.2", "lw": 0.7, "ls": (0, (4, 3))}


def policy_square(mdp: FiniteMDP, old: RealLike, delta: float, *, width: str = "page", **options: Any) -> Figure:
    """The figure of `landscape.policy_square(mdp, old, delta, **options)`; see `draw` for an existing `PolicySquare`.

    Args:
        mdp: as for `landscape.policy_square`.
        old: the old policy, (2, 2).
        delta: the radius of the trust regions, nats.
        **options: bound=, problems= and resolution= of `landscape.policy_square`.
        width: "page" (with a section along the first step, where M touches η) or "column" (the square alone).
    """
    return draw(landscape.policy_square(mdp, old, delta, **options), width=width)


def draw(square: PolicySquare, *, width: str = "page") -> Figure:
    """η as filled contours, L as dashed ones, the region M > η(old), the trust regions in max-KL and mean-KL, and the steps."""
    with style.styled():
        if width == "page":
            figure = style.new_figure(width, ratio=0.62)
            grid = figure.add_gridspec(2, 2, width_ratios=(1.3, 1), height_ratios=(1.05, 1))
            axes, aside, beside = (figure.add_subplot(part) for part in (grid[:, 0], grid[0, 1], grid[1, 1]))
        else:
            figure = style.new_figure(width, ratio=1.4)
            axes, aside, beside = *figure.subplots(2, 1, height_ratios=(1.75, 1)), None
        _fields(axes, square)
        handles = [_surrogate_line(), *_regions(axes, square), *_steps(axes, square)]
        aside.axis("off")
        aside.legend(handles=handles, loc="center" if beside is None else "upper left", borderaxespad=0)
        if beside is not None:
            _section(beside, square)
    return figure


def _fields(axes: Axes, square: PolicySquare) -> None:
    levels = _levels(square.expected_return)
    nodes = square.nodes
    filled = axes.contourf(nodes, nodes, square.expected_return.T, levels, cmap=_pale(), zorder=0)
    filled.set_edgecolor("face")
    surrogate = axes.contour(
        *(nodes, nodes, square.surrogate.T, _around(levels, square.surrogate)),
        colors=_SURROGATE["color"],
        linewidths=_SURROGATE["lw"],
        linestyles=[_SURROGATE["ls"]],
        zorder=1,
    )
    places = _label_places(surrogate, square)
    if places:
        axes.clabel(surrogate, fontsize=6, inline_spacing=2, manual=places)
    bar = axes.figure.colorbar(filled, cax=axes.inset_axes((1.03, 0, 0.04, 1)))
    bar.set_label("return η of the policy (discounted reward)")
    bar.outline.set_linewidth(0.4)
    states = square.mdp.state_labels or ("0", "1")
    action = (square.mdp.action_labels or ("0", "1"))[0]
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set_xlabel(f"new policy, P({action} | {states[0]})")
    axes.set_ylabel(f"new policy, P({action} | {states[1]})")
    axes.spines[:].set_visible(True)


def _levels(field: np.ndarray) -> np.ndarray:
    from matplotlib.ticker import MaxNLocator

    low, high = float(field.min()), float(field.max())
    levels = np.asarray(MaxNLocator(LEVELS).tick_values(low, high))
    return levels if len(levels) > 1 else np.array([low - 0.5, high + 0.5])


def _around(levels: np.ndarray, field: np.ndarray) -> np.ndarray:
    """The levels, continued to the range of the field."""
    step = levels[1] - levels[0]
    below, above = (levels[0] - field.min()) / step, (field.max() - levels[-1]) / step
    return levels[0] + step * np.arange(-max(int(below), 0), len(levels) + max(int(above), 0))


def _label_places(contours: Any, square: PolicySquare) -> list[tuple[float, float]]:
    """For every second contour, a point near the end that is further from old."""
    places = []
    for segments in contours.allsegs[::2]:
        if len(segments) and len(segments[0]) > 20:
            line = segments[0]
            ends = line[[len(line) // 8, -1 - len(line) // 8]]
            far = np.abs(ends - square.old[:, 0]).sum(-1).argmax()
            places.append(tuple(float(x) for x in ends[far]))
    return places


def _pale() -> Colormap:
    """Cividis mixed with white, so that black and coloured lines are legible on all of it."""
    import matplotlib
    from matplotlib.colors import ListedColormap

    colours = matplotlib.colormaps["cividis"](np.linspace(0.1, 1, 256))
    colours[:, :3] = 0.42 + 0.58 * colours[:, :3]
    return ListedColormap(colours)


def _surrogate_line() -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], **_SURROGATE, label="surrogate L, at η's levels")


def _regions(axes: Axes, square: PolicySquare) -> list[Any]:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Polygon

    promise, box, oval = (
        Polygon(square.improving_region, fc=to_rgba(style.VERMILLION, 0.3), ec=style.VERMILLION, lw=0.8, zorder=2),
        Polygon(square.max_kl_region, fill=False, ec=style.BLUE, lw=1.4, zorder=3),
        Polygon(square.mean_kl_region, fill=False, ec=style.GREEN, lw=1.4, ls=(0, (5, 1.5)), zorder=3),
    )
    promise.set_label(f"M > η(old): sure to improve\n({square.bound.id})")
    box.set_label(f"max-KL ≤ {square.delta:g} nats")
    oval.set_label(f"mean-KL ≤ {square.delta:g} nats")
    return [axes.add_patch(patch) for patch in (promise, box, oval)]


def _steps(axes: Axes, square: PolicySquare) -> list[Any]:
    from matplotlib import patheffects

    halo = [patheffects.withStroke(linewidth=2.6, foreground="white")]
    start = square.old[:, 0]
    point: dict[str, Any] = {"ls": "none", "clip_on": False}
    handles = []
    for index, (name, solution) in enumerate(square.steps.items()):
        colour, marker = style.UPDATES[index % len(style.UPDATES)]
        end = solution.policy[:, 0]
        axes.plot(*np.stack([start, end], -1), color=colour, lw=1.0, path_effects=halo, zorder=4)
        label = f"{named(name)} step: η = {solution.expected_return_new:.4g}"
        handles += axes.plot(
            *end[:, None], marker=marker, ms=5.5, mfc=colour, mec="white", mew=0.7, label=label, zorder=6, **point
        )
    best, eta = square.optimum.policy[:, :1], float(square.optimum.expected_return)
    for place, marker, size, face, zorder, label in (
        (start[:, None], "o", 6, "white", 8, f"old: η = {square.expected_return_old:.4g}"),
        (best, "*", 11, style.YELLOW, 7, f"optimal: η = {eta:.4g}"),
    ):
        handles += axes.plot(
            *place, marker=marker, ms=size, mfc=face, mec="black", mew=0.9, label=label, zorder=zorder, **point
        )
    return handles


def _section(axes: Axes, square: PolicySquare) -> None:
    """η, L and M along the first step that is not zero: M equals η at old and is nowhere above it."""
    sections = ((index, name, square.section(name)) for index, name in enumerate(square.steps))
    index, name, section = next((found for found in sections if found[2] is not None), (0, "", None))
    if section is None:
        axes.axis("off")
        return
    solution = square.steps[name]
    colour, marker = style.UPDATES[index % len(style.UPDATES)]
    axes.axhline(square.expected_return_old, color="0.6", lw=0.6, zorder=0)
    axes.plot(section.distance, section.expected_return, color="black", label="η")
    axes.plot(section.distance, section.surrogate, **{**_SURROGATE, "lw": 1.2}, label="L")
    axes.plot(section.distance, section.lower_bound, color=style.VERMILLION, lw=1.2, ls=(0, (1, 1)), label="M")
    reached = float(np.hypot(*solution.change[:, 0]))
    axes.plot(
        [reached], [float(solution.expected_return_new)], marker, ms=5.5, mfc=colour, mec="white", mew=0.7, zorder=6
    )
    axes.plot([0], [square.expected_return_old], "o", ms=6, mfc="white", mec="black", mew=0.9, zorder=6, clip_on=False)
    wall = float(section.distance[-1])
    end = wall if reached > _LONG_STEP * wall else reached / (2 * _LONG_STEP)
    axes.set(xlim=(0, end), ylim=_section_limits(section, end))
    axes.set_xlabel(f"distance from old, along the {named(name)} step")
    axes.set_ylabel("discounted reward")
    axes.legend(loc="best", ncols=3, handlelength=1.8, columnspacing=1.2)


def _section_limits(section: Section, end: float) -> tuple[float, float]:
    """The range of η and L up to the distance `end`, extended below by half of it for M."""
    curves = np.stack([section.expected_return, section.surrogate])[:, section.distance <= end]
    low, high = float(curves.min()), float(curves.max())
    spread = (high - low) or 1.0
    return low - 0.5 * spread, high + 0.06 * spread
