"""Figures of the trusted steps, from the frames alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.trusted_steps.running import EVERY, NAME
from trpo_theory.report.names import named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TRPO, _PPO = 0.01, 0.2
"""The usual radius of TRPO, nats of mean-KL, and the usual clip of PPO: the defaults of widely used code."""
_CASE = ["environment", "gamma"]
_CURVES = (
    *("(11) chain-rule/kl", "(11) chi2/advantage", "chi2/expected-advantage", "chi2/mean-max"),
    *("chi2/second-order", "(12), 0.01", "policy iteration"),
)
"""Methods that the figure of curves shows, of those that were run."""
_ARRIVED = 0.999
"""The share of the gain from which on a curve is not drawn further. Chosen: on the figure it is 1."""
_NO_UPDATE = 0.8
"""Where an axis of updates, logarithmic, begins."""
_MOST = 500
"""Where it ends."""


def figures(frames: dict[str, Any]) -> dict[str, Callable[[], Figure]]:
    """The KL of the largest certified steps, the gain over updates, and certified clips over the horizon."""
    return {
        f"{NAME}-sizes": lambda: _draw_sizes(frames["bounds"]),
        f"{NAME}-curves": lambda: _draw_curves(frames["curves"]),
        f"{NAME}-clips": lambda: _draw_clips(frames["clips"]),
    }


def captions() -> dict[str, str]:
    """Two sentences a figure."""
    return {
        f"{NAME}-sizes": "The largest step from the uniform policy that each bound certifies, as the largest χ² of (new, old) "
        "over the states. The grey line is TRPO's usual radius, a KL of .01, which is a χ² of about .02.",
        f"{NAME}-curves": "The share of the gain after so many updates: certified radii (full lines), the penalty "
        "problem, the "
        "unproven max-KL problem at .01 nats, and policy iteration. A class shares the policy in the states of a row, "
        "a column or a block.",
        f"{NAME}-clips": "The largest clip |new/old − 1| that is certified whatever the MDP, for three coefficients of "
        "variation "
        "of the expected advantage. Full: time by time; dashed: in closed form; grey: PPO's usual .2.",
    }


def _draw_sizes(frame: Any) -> Figure:
    from trpo_theory.report import style

    bounds = list(dict.fromkeys(frame["bound"]))
    cases = list(dict.fromkeys(zip(frame["environment"], frame["gamma"], strict=True)))
    with style.styled():
        figure = style.new_figure("page", ratio=0.035 * len(bounds) + 0.12)
        axes = figure.add_subplot()
        for k, (name, gamma) in enumerate(cases):
            rows = frame[(frame["environment"] == name) & (frame["gamma"] == gamma)]
            places = np.array([bounds.index(bound) for bound in rows["bound"]]) + (k - (len(cases) - 1) / 2) * 0.13
            look = {"color": style.COLOURS[k], "marker": style.MARKERS[k], "ls": "none", "mec": "white", "mew": 0.4}
            axes.plot(rows["radius"], places, label=f"{name}, γ = {gamma:g}", ms=5, zorder=3, **look)
        axes.axvline(2 * _TRPO, color=style.GREY, lw=0.8, ls=":")
        axes.set_xscale("log")
        axes.set_yticks(range(len(bounds)), bounds)
        axes.set_ylim(len(bounds) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        for between in range(1, len(bounds)):
            axes.axhline(between - 0.5, color="0.92", lw=0.4)
        axes.grid(visible=True, axis="x")
        axes.set_xlabel("χ² of the largest certified step")
        figure.legend(loc="outside upper center", ncols=3)
    return figure


def _draw_curves(frame: Any) -> Figure:
    from trpo_theory.report import style

    cases = list(dict.fromkeys(zip(frame["environment"], frame["gamma"], strict=True)))
    classes = list(dict.fromkeys(frame["policies"]))
    methods = [method for method in _CURVES if method in set(frame["method"])]
    with style.styled():
        figure = style.new_figure("page", ratio=0.2 * len(cases) + 0.08)
        grid = figure.subplots(len(cases), len(classes), sharex=True, sharey=True, squeeze=False)
        for row, (name, gamma) in zip(grid, cases, strict=True):
            for axes, policies in zip(row, classes, strict=True):
                here = frame[
                    (frame["environment"] == name) & (frame["gamma"] == gamma) & (frame["policies"] == policies)
                ]
                if len(here):
                    _panel(axes, here, methods)
                else:
                    axes.set_axis_off()
            row[0].set_ylabel(f"{name}\nγ = {gamma:g}", fontsize=7)
        for column in grid.T:
            lowest = [axes for axes in column if axes.axison][-1]
            lowest.tick_params(labelbottom=True)
        for axes, policies in zip(grid[0], classes, strict=True):
            axes.set_title(policies if policies == EVERY else f"shared: {policies}", fontsize=7.5)
        figure.supxlabel("updates", fontsize=8)
        figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def _panel(axes: Axes, frame: Any, methods: list[str]) -> None:
    from trpo_theory.report import style

    for k, method in enumerate(methods):
        line = frame[frame["method"] == method]
        line = line[line["share"].shift(fill_value=0.0) < _ARRIVED]
        certified = method.startswith(("chi2", "transition"))
        look = {
            "color": style.COLOURS[k % 7],
            "marker": style.MARKERS[k % 7],
            "ls": "-" if certified else style.DASHES[1],
        }
        axes.plot(line["update"], line["share"], label=named(method), ms=2.2, lw=1.0, **look)
    axes.axhline(0.99, color=style.GREY, lw=0.6, ls=":")
    axes.set_xscale("log")
    axes.set_xlim(_NO_UPDATE, _MOST)
    axes.set_ylim(-0.05, 1.05)
    axes.grid(visible=True, axis="y")


def _draw_clips(frame: Any) -> Figure:
    from trpo_theory.report import style

    frame = frame[frame["gamma"] < 1]
    with style.styled():
        figure = style.new_figure("column", ratio=0.72)
        axes = figure.add_subplot()
        for k, (cv, rows) in enumerate(frame.groupby("cv", sort=False)):
            horizon = 1 / (1 - rows["gamma"])
            look = {"color": style.COLOURS[k], "marker": style.MARKERS[k], "ms": 3}
            axes.plot(horizon, np.sqrt(rows["by_time"]), label=f"CV = {cv:g}", **look)
            axes.plot(horizon, np.sqrt(rows["pooled"]), color=style.COLOURS[k], ls=style.DASHES[1], lw=0.9)
        axes.axhline(_PPO, color=style.GREY, lw=0.8, ls=":")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.grid(visible=True)
        axes.set_xlabel("1/(1 − γ)")
        axes.set_ylabel("certified clip")
        axes.legend()
    return figure
