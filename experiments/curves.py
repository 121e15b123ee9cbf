"""Monotone improvement: the return over the updates of (11), (12) and (13) and of policy iteration, and what M promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import trpo_theory as tt
from trpo_theory.errors import NotSolved
from trpo_theory.report import Table, style
from trpo_theory.report.names import named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME = "curves"
TITLE = "Monotone improvement, update by update"
LEAD = (
    "The exact updates, again and again from the uniform policy. Equation (10) makes every update of (11) an improvement; "
    "with all policies allowed the max-KL and mean-KL problems improve too, at a rate that theory does not grant them."
)
ITERATION = "policy iteration"
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Settings:
    """What is iterated.

    Attributes:
        environments: name, and source as for `tt.load`.
        gamma: the discount.
        bounds: whose penalties (11) takes.
        delta: the radius of (12) and (13), nats.
        updates: of each, at most.
        until: a curve ends where this share of the gain from the uniform to the optimal policy is left.
    """

    environments: tuple[tuple[str, str], ...] = (
        ("FrozenLake 4x4", "gym:FrozenLake-v1"),
        ("CliffWalking", "gym:CliffWalking-v1"),
        ("river-swim", "zoo:river-swim"),
    )
    gamma: float = 0.9
    bounds: tuple[str, ...] = ("trpo/kl", "pinsker/kl", "chain-rule/kl")
    delta: float = 0.01
    updates: int = 300
    until: float = 5e-3


def quick(settings: Settings) -> Settings:
    """Few updates."""
    return replace(settings, updates=25)


def total(settings: Settings) -> int:
    """Environments and methods."""
    return len(settings.environments) * len(_methods(settings))


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> dict[str, pd.DataFrame]:
    """One row an update; `promised` is M of equation (10), which (11) maximises."""
    rows, returns = [], []
    for name, source in settings.environments:
        mdp = tt.load(source, gamma=settings.gamma)
        best = float(tt.optimal(mdp).expected_return)
        first = float(tt.evaluate(mdp, tt.uniform(mdp.available)).expected_return)
        returns.append({"environment": name, "gamma": settings.gamma, "first_return": first, "optimal_return": best})
        for method, problem in _methods(settings).items():
            close = best - settings.until * (best - first)
            iterates = _iteration(mdp) if problem is None else _updates(mdp, problem)
            for index, row in enumerate(iterates, 1):
                rows.append({"environment": name, "method": method, "update": index, **row})
                if index >= settings.updates or row["expected_return"] >= close:
                    break
            advance()
    return {"": pd.DataFrame(rows), "returns": pd.DataFrame(returns)}


def _methods(settings: Settings) -> dict[str, Any]:
    """Each problem by the name that the figure has."""
    return {
        **{f"(11) {bound}": tt.Penalty(bound=bound) for bound in settings.bounds},
        f"(12) δ = {settings.delta:g}": tt.MaxKL(settings.delta),
        f"(13) δ = {settings.delta:g}": tt.MeanKL(settings.delta),
        ITERATION: None,
    }


def _updates(mdp: tt.FiniteMDP, problem: Any) -> Iterator[dict[str, float]]:
    old = tt.uniform(mdp.available)
    while True:
        step = tt.update(mdp, old, problem)
        if not str(step.status).startswith("optimal"):
            raise NotSolved(f"got an update of {problem} that is {step.status}; wanted each one solved")
        penalised = isinstance(problem, tt.Penalty)
        yield {
            "expected_return": float(step.expected_return_new),
            "promised": float(step.expected_return_old + step.objective) if penalised else np.nan,
            "max_kl": float(step.max_kl),
            "mean_kl": float(step.mean_kl),
        }
        old = step.policy


def _iteration(mdp: tt.FiniteMDP) -> Iterator[dict[str, float]]:
    old = tt.uniform(mdp.available)
    while True:
        new = tt.greedy(tt.evaluate(mdp, old).q_value, mdp.available)
        q = tt.compare(mdp, old, new)
        yield {
            "expected_return": float(q.expected_return_new),
            "promised": np.nan,
            "max_kl": float(q.max_kl),
            "mean_kl": float(q.mean_kl),
        }
        old = new


def changes(frames: dict[str, pd.DataFrame]) -> Any:
    """The rows with the return before each update, and the share of the gain to the optimal policy that is still open."""
    frame: Any = frames[""].merge(frames["returns"], on="environment", how="left")
    before = frame.groupby(["environment", "method"], sort=False)["expected_return"].shift()
    frame["before"] = before.fillna(frame["first_return"])
    frame["open"] = (frame["optimal_return"] - frame["expected_return"]) / (
        frame["optimal_return"] - frame["first_return"]
    )
    return frame


def _falls(frame: Any) -> Any:
    """Where an update lowers the return, or M exceeds it, by more than rounding."""
    rounding = _ROUNDING * frame[["first_return", "optimal_return"]].abs().max(axis=1)
    return (frame["expected_return"] < frame["before"] - rounding) | (
        frame["promised"] > frame["expected_return"] + rounding
    )


def tables(frames: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """A row an environment and method: how many updates took how much of the gain."""
    frame: Any = changes(frames)
    rows = []
    for (environment, method), group in frame.groupby(["environment", "method"], sort=False):
        closed = 1 - group["open"]
        rows.append(
            {
                "environment": environment,
                "method": method,
                "updates": len(group),
                "to_half": _first(group["update"], closed >= 0.5),
                "to_most": _first(group["update"], closed >= 0.99),
                "closed": 100 * float(closed.iloc[-1]),
                "kept": float(
                    ((group["promised"] - group["before"]) / (group["expected_return"] - group["before"])).median()
                ),
                "lowered": int(_falls(group).sum()),
            }
        )
    shown = pd.DataFrame(rows)
    shown["kept"] = [value if np.isfinite(value) else "" for value in shown["kept"]]
    return {
        NAME: Table(
            shown,
            caption=f"Exact updates from the uniform policy at discount {frame['gamma'].iloc[0]:g}: how many there were (a curve "
            "ends close to the optimal return, or at the limit), how many took half and 99\\% of the gain to it, what "
            "share they "
            "took in all, the median of what M promises over what the update gains, and how many lowered the return.",
            label=f"tab:{NAME}",
            headings={
                "to_half": ("to 50\\%", "to 50%"),
                "to_most": ("to 99\\%", "to 99%"),
                "closed": ("gain taken, \\%", "gain taken, %"),
                "kept": ("M's promise", "M's promise"),
                "lowered": ("lowered", "lowered"),
            },
            digits={"closed": 4, "kept": 3},
            plain_caption=f"Exact updates from the uniform policy at discount {frame['gamma'].iloc[0]:g}: how many there were (a "
            "curve ends close to the optimal return, or at the limit), how many took half and 99% of the gain to it, "
            "what share "
            "they took in all, the median of what M promises over what the update gains, and how many lowered the return.",
        )
    }


def _first(updates: Any, reached: Any) -> str:
    found = updates[reached]
    return str(int(found.iloc[0])) if len(found) else "–"


def figures(frames: dict[str, pd.DataFrame]) -> dict[str, Callable[[], Figure]]:
    """The returns; what each update gains, and what M promised along (11)."""
    return {f"{NAME}-returns": lambda: _returns(frames), f"{NAME}-gains": lambda: _gains(frames)}


def captions() -> dict[str, str]:
    """Two sentences on each figure."""
    return {
        f"{NAME}-returns": "The return over the number of updates, by method; the grey line is the optimal return. No "
        "curve ever "
        "falls, and the updates whose improvement is proved beforehand are the slow ones.",
        f"{NAME}-gains": "What each update gains, and (thin) what the lower bound M promised of the updates of (11) "
        "before they "
        "were made. Small steps keep twice their promise: half of L's gain is set aside for a loss that does not come.",
    }


def _returns(frames: dict[str, pd.DataFrame]) -> Figure:
    frame: Any = changes(frames)
    names = list(frames["returns"]["environment"])
    with style.styled():
        figure = style.new_figure("page", ratio=0.42)
        panels = np.atleast_1d(figure.subplots(1, len(names)))
        for axes, row in zip(panels, frames["returns"].to_dict("records"), strict=True):
            axes.axhline(row["optimal_return"], color="0.6", lw=0.8, zorder=0)
            _lines(axes, frame[frame["environment"] == row["environment"]], "expected_return", row["first_return"])
            axes.set_title(row["environment"])
            axes.set_xlabel("updates")
        panels[0].set_ylabel("return η (discounted reward)")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def _lines(axes: Axes, frame: Any, column: str, first: float | None = None, **look: Any) -> None:
    """One line a method over 1, 2, ... updates; the start is drawn at 0."""
    for k, (method, rows) in enumerate(frame.groupby("method", sort=False)):
        x, y = list(rows["update"]), list(rows[column])
        if first is not None:
            x, y = [0, *x], [first, *y]
        (line,) = axes.plot(
            x, y, **{"color": style.COLOURS[k], "ls": style.DASHES[k], "label": named(str(method)), **look}
        )
        if len(x) < 8:
            line.set(marker=style.MARKERS[k], markersize=3)
    axes.set_xscale("symlog", linthresh=1, linscale=0.4)
    axes.set_xlim(left=0)
    axes.grid(visible=True, axis="y")


def _gains(frames: dict[str, pd.DataFrame]) -> Figure:
    from matplotlib.lines import Line2D

    frame: Any = changes(frames)
    frame: Any = frame[frame["method"] != ITERATION]
    frame = frame.assign(
        gain=(frame["expected_return"] - frame["before"]), promise=(frame["promised"] - frame["before"])
    )
    names = list(frames["returns"]["environment"])
    with style.styled():
        figure = style.new_figure("page", ratio=0.42)
        panels = np.atleast_1d(figure.subplots(1, len(names)))
        for axes, name in zip(panels, names, strict=True):
            _lines(axes, frame[frame["environment"] == name], "gain")
            _lines(axes, frame[(frame["environment"] == name) & frame["promise"].notna()], "promise", lw=0.6, ls="-")
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlim(left=1)
            axes.set_title(name)
            axes.set_xlabel("update")
        panels[0].set_ylabel("gain of an update (discounted reward)")
        handles, _ = panels[0].get_legend_handles_labels()
        count = frame["method"].nunique()
        thin = Line2D([], [], color="black", lw=0.6, label="promised by M")
        figure.legend(handles=[*handles[:count], thin], loc="outside upper center", ncols=3)
    return figure


def summary(frames: dict[str, pd.DataFrame]) -> str:
    """How many updates, and how many fell."""
    frame: Any = changes(frames)
    falls = int(_falls(frame).sum())
    return (
        f"{len(frame)} updates: {f'{falls} LOWER the return or miss what M promised' if falls else 'none lowers the return, '}"
        f"{'' if falls else 'and every update of (11) keeps what M promised'}."
    )


def passed(frames: dict[str, pd.DataFrame]) -> bool:
    """Whether no update lowers the return, and M is below it."""
    return not bool(_falls(changes(frames)).any())
