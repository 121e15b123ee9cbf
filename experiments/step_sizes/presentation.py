"""Tables and figures of the step-size experiment, from its frames alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.step_sizes.running import EXACT, NAME
from trpo_theory.report import Table, show
from trpo_theory.report.names import named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Step sizes"
LEAD = (
    "Plain gradient ascent on the logits of a softmax policy, equation (1), with fixed steps over decades, from exact and "
    "from sampled gradients, against the penalty, max-KL and mean-KL problems. A step too large does three kinds of "
    "harm: it overshoots where "
    "states share a row, it takes noise for advice where the gradient is sampled, and it drives the policy to a corner "
    "where the gradient vanishes, from which it does not come back."
)
_CASE = ["mdp", "policies"]
_KEYS = [*_CASE, "gradient"]


def summarised(frame: Any) -> pd.DataFrame:
    """One row a case and gradient: the best step, the largest that never fell, the worst fall, the end at the largest."""
    rows = []
    for key, group in frame.groupby(_KEYS, sort=False):
        group = group.sort_values("step")
        best, last = group.loc[group["final"].idxmax()], group.iloc[-1]
        worst = group.loc[group["largest_fall"].idxmax()]
        falls = np.flatnonzero(group["share_fell"] > 0)
        safe = len(group) - 1 if not len(falls) else falls[0] - 1
        fell = bool(worst["largest_fall"] > 0)
        size = max(abs(group["initial"].iloc[0]), abs(group["optimal"].iloc[0]))
        (best_final, best_error), (last_final, last_error) = (_readable(row, size) for row in (best, last))
        rows.append(
            {
                **dict(zip(_KEYS, key if isinstance(key, tuple) else (key,), strict=True)),
                "best_step": best["step"],
                "best_final": best_final,
                "best_error": best_error,
                "never_fell": "" if safe < 0 else "≥ " * (not len(falls)) + show(float(group["step"].iloc[safe]), 2),
                "largest_fall": worst["largest_fall"] if fell else 0.0,
                "falls_at": show(float(worst["step"]), 2) if fell else "",
                "last_final": last_final,
                "last_error": last_error,
                "below_start": group["share_below_start"].max(),
            }
        )
    return pd.DataFrame(rows)


def _readable(row: Any, size: float) -> tuple[float, float]:
    """A mean and its standard error; nothing is shown of what is below 1e-4 of the returns (an error) or 1e-9 (a mean)."""
    mean, error = float(row["final"]), float(row["final_error"])
    return mean if abs(mean) > 1e-9 * size else 0.0, error if error > 1e-4 * size else float("nan")


def tables(frames: dict[str, Any]) -> dict[str, Table]:
    """Gradient ascent, a row a case and gradient; and (11)-(13) from the same start."""
    return {NAME: _ascent(frames[""]), f"{NAME}-updates": _updates(frames["updates"])}


def _ascent(frame: Any) -> Table:
    shown: Any = summarised(frame)
    worst = [int(rows.index[rows["below_start"].argmax()]) for _, rows in shown.groupby(_CASE, sort=False)]
    marks = [(row, "below_start") for row in worst if float(shown["below_start"].iloc[row]) > 0]
    words = (
        "Gradient ascent with fixed steps: the best step of those tried and the return that it ends with; the largest step up "
        "to which no run ever fell (empty: none); the largest fall in one iteration, and the step where it happened; the "
        "return at the largest step tried; and the largest share of runs, over steps, that end below the start. Means over "
        "seeds with their standard errors. Bold: the worst share of each class."
    )
    return Table(
        shown,
        caption=words,
        label=f"tab:{NAME}",
        headings={
            "mdp": ("MDP", "MDP"),
            "best_step": ("best step", "best step"),
            "best_final": (r"its $\eta$", "its eta"),
            "never_fell": ("never fell to", "never fell to"),
            "largest_fall": ("worst fall", "worst fall"),
            "falls_at": ("at step", "at step"),
            "last_final": (r"$\eta$ at largest", "eta at largest"),
            "below_start": ("below start", "below start"),
        },
        digits={"best_step": 2, "best_final": 4, "largest_fall": 2, "last_final": 4, "below_start": 2},
        uncertainty={"best_final": "best_error", "last_final": "last_error"},
        mark=tuple(marks),
    )


def _updates(frame: Any) -> Table:
    shown = frame[[*_CASE, "method", "initial", "final", "optimal", "largest_fall"]]
    words = (
        "Problems (11), (12) and (13), solved exactly from the same start and as often: the first and the last return, the "
        "best of all policies (a class may not reach it), and the largest fall in one update. Bold: updates that fell."
    )
    return Table(
        shown,
        caption=words,
        label=f"tab:{NAME}-updates",
        headings={
            "mdp": ("MDP", "MDP"),
            "method": ("problem", "problem"),
            "initial": (r"first $\eta$", "first eta"),
            "final": (r"last $\eta$", "last eta"),
            "optimal": (r"$\eta^*$", "eta*"),
            "largest_fall": ("worst fall", "worst fall"),
        },
        digits={"largest_fall": 2},
        mark=tuple((int(row), "largest_fall") for row in np.flatnonzero(shown["largest_fall"] > 0)),
    )


def figures(frames: dict[str, Any]) -> dict[str, Callable[[], Figure]]:
    """The last return and the share of runs that fell over step sizes; returns over iterations."""
    return {
        f"{NAME}-final": lambda: _grid(frames, "final", "last return η"),
        f"{NAME}-falls": lambda: _grid(frames, "share_fell", "share of runs that fell"),
        f"{NAME}-curves": lambda: _draw_curves(frames),
    }


def captions() -> dict[str, str]:
    """Two sentences a figure."""
    return {
        f"{NAME}-final": "The return after all iterations against the step size, from exact and from sampled gradients (mean "
        "over seeds; shaded, two standard errors). Lines across: where the penalty and the max-KL problem end, the "
        "first return and the best.",
        f"{NAME}-falls": "The share of runs whose return fell in some iteration, against the step size. With all policies "
        "allowed the exact gradient never falls, whatever its step; where rows are shared or gradients sampled, it does.",
        f"{NAME}-curves": "Returns over iterations for some step sizes (median; shaded, all seeds) and for the penalty "
        "and the max-KL problem. "
        "Steps too large fall, or end in a corner of the simplex where the gradient vanishes; the penalty problem "
        "never falls.",
    }


def _look(index: int) -> dict[str, Any]:
    from trpo_theory.report import style

    return {"color": style.COLOURS[index], "marker": style.MARKERS[index], "ls": style.DASHES[index]}


def _grid(frames: dict[str, Any], column: str, ylabel: str) -> Figure:
    """A panel a case, the legend in a place of its own."""
    from trpo_theory.report import style

    frame, updates = frames[""], frames["updates"]
    cases = list(frame.groupby(_CASE, sort=False))
    wide = 4 if len(cases) > 3 else len(cases) + 1
    high = -(-(len(cases) + 1) // wide)
    with style.styled():
        figure = style.new_figure("page", ratio=0.27 * high + 0.02)
        panels = figure.subplots(high, wide, squeeze=False).ravel()
        for axes, (case, rows) in zip(panels, cases, strict=False):
            for k, (gradient, line) in enumerate(rows.groupby("gradient", sort=False)):
                axes.plot(line["step"], line[column], label=f"gradient: {gradient}", mec="white", mew=0.3, **_look(k))
                if column == "final" and gradient != EXACT:
                    error = 2 * line["final_error"]
                    band = {"color": style.COLOURS[k], "alpha": 0.18, "lw": 0}
                    top = np.minimum(line["final"] + error, line["optimal"])
                    axes.fill_between(line["step"], line["final"] - error, top, **band)
            if column == "final":
                _across(axes, updates[(updates[_CASE] == list(case)).all(axis=1)])
            else:
                axes.set_ylim(-0.05, 1.05)
            axes.set_xscale("log")
            axes.set_title(f"{case[0]}, {case[1]}", fontsize=7)
            axes.grid(visible=True, axis="y")
        for axes in panels[len(cases) :]:
            axes.set_axis_off()
        panels[len(cases)].legend(*panels[0].get_legend_handles_labels(), loc="center")
        figure.supxlabel("step size (logits a unit of gradient)", fontsize=8)
        figure.supylabel(ylabel, fontsize=8)
    return figure


def _across(axes: Axes, updates: Any) -> None:
    from trpo_theory.report import style

    ends = updates.set_index("method")["final"]
    axes.axhline(ends["(11)"], color=style.PURPLE, lw=1.0, ls=style.DASHES[3], label="penalty", zorder=1)
    axes.axhline(ends["(12)"], color=style.ORANGE, lw=1.0, ls=style.DASHES[4], label="max-KL", zorder=1)
    axes.axhline(updates["optimal"].iloc[0], color=style.GREY, lw=0.8, ls="-", label="best of all policies", zorder=0)
    axes.axhline(updates["initial"].iloc[0], color=style.GREY, lw=0.8, ls=":", label="start", zorder=0)


def _draw_curves(frames: dict[str, Any]) -> Figure:
    from trpo_theory.report import style

    frame, curves = frames[""], frames["curves"]
    chosen = _telling(frame)
    with style.styled():
        high = -(-len(chosen) // 2)
        figure = style.new_figure("page", ratio=0.33 * high + 0.02)
        panels = figure.subplots(high, 2, squeeze=False).ravel()
        for axes in panels[len(chosen) :]:
            axes.set_axis_off()
        for axes, (mdp, policies, gradient) in zip(panels, chosen, strict=False):
            here = curves[(curves["mdp"] == mdp) & (curves["policies"] == policies)]
            steps = np.unique(here.loc[here["method"] == gradient, "step"])
            shown = steps[np.unique(np.linspace(0, len(steps) - 1, 4).round().astype(int))]
            for k, step in enumerate(shown):
                line = here[(here["method"] == gradient) & (here["step"] == step)]
                axes.plot(
                    line["iteration"], line["median"], label=f"step {show(float(step), 2)}", **{**_look(k), "ms": 3}
                )
                band = {"color": style.COLOURS[k], "alpha": 0.12, "lw": 0}
                axes.fill_between(line["iteration"], line["low"], line["high"], **band)
            for method, colour, dashes in (
                ("(11)", style.PURPLE, style.DASHES[3]),
                ("(12)", style.BLACK, style.DASHES[4]),
            ):
                line = here[here["method"] == method]
                axes.plot(line["iteration"], line["median"], color=colour, ls=dashes, label=named(method))
            axes.set_xscale("symlog", linthresh=1)
            axes.set_xlim(left=0)
            axes.set_title(f"{mdp}, {policies}; gradient: {gradient}", fontsize=7.5)
            axes.grid(visible=True, axis="y")
            axes.set_xlabel("iterations")
            axes.set_ylabel("return η")
            axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _telling(frame: Any) -> list[tuple[str, str, str]]:
    """For each MDP the case and gradient to draw: an exact gradient that falls, else the sampled one that falls furthest."""
    chosen = []
    for _, rows in frame.groupby("mdp", sort=False):
        falling = rows[rows["largest_fall"] > 0]
        exact = falling[falling["gradient"] == EXACT]
        part = exact if len(exact) else falling if len(falling) else rows
        best = part.loc[part["largest_fall"].idxmax()]
        chosen.append((str(best["mdp"]), str(best["policies"]), str(best["gradient"])))
    return chosen


def summary(frames: dict[str, Any]) -> str:
    """How many climbs fell, of which kind, and that (11) did not."""
    frame, updates = frames[""], frames["updates"]
    free = frame["policies"] == "all policies"
    exact = frame["gradient"] == EXACT

    def share(mask: Any) -> str:
        part = frame[mask]
        fell = float((part["share_fell"] * part["runs"]).sum())
        return f"{fell:.0f} of {part['runs'].sum()}"

    fell = updates.loc[updates["largest_fall"] > 0, "method"]
    counts = ", ".join(f"{name} on {(fell == name).sum()}" for name in ("(11)", "(12)", "(13)"))
    below = float((frame["share_below_start"] * frame["runs"]).sum())
    return (
        f"Runs whose return fell: exact gradient with all policies {share(exact & free)}, exact with shared rows "
        f"{share(exact & ~free)}, sampled {share(~exact)}; {below:.0f} of {frame['runs'].sum()} end below their start. Of the "
        f"updates, on {updates.groupby(_CASE).ngroups} classes: {counts} fell."
    )
