"""How large a step is provably safe, bound by bound: problem (11) with each bound's penalty on real environments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import trpo_theory as tt
from experiments.iterating import falls
from trpo_theory.report import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "safe-steps"
TITLE = "How large a step is provably safe"
LEAD = (
    "Problem (11) with the penalty of each bound that depends on the new policy through max-KL alone, from the uniform "
    "policy: each step is the largest gain that its bound can guarantee. Equation (10) makes all of them monotone; how "
    "far they go, and how many of them a return takes, differs by orders of magnitude."
)
REFERENCE = "trpo/kl"
"""The bound that ratios are taken to: Theorem 1 of the TRPO paper."""
_START = "uniform"


@dataclass(frozen=True)
class Settings:
    """Each bound on each environment at each discount.

    Attributes:
        environments: name, and source as for `tt.load`.
        gammas: discounts.
        bounds: ids; one that the catalogue does not have is left out.
        linear: those of them, linear in max-KL, whose steps are iterated.
        cap: steps at most.
        share: of the gain from the uniform to the optimal policy, which the steps are to reach.
    """

    environments: tuple[tuple[str, str], ...] = (
        ("FrozenLake 4x4", "gym:FrozenLake-v1"),
        ("CliffWalking", "gym:CliffWalking-v1"),
        ("Taxi", "gym:Taxi-v4"),
    )
    gammas: tuple[float, ...] = (0.9, 0.99)
    bounds: tuple[str, ...] = (REFERENCE, "bh/kl", "pinsker/kl", "chain-rule/kl", "sharp/max-kl")
    linear: tuple[str, ...] = (REFERENCE, "pinsker/kl", "chain-rule/kl")
    cap: int = 250
    share: float = 0.9


def quick(settings: Settings) -> Settings:
    """FrozenLake and CliffWalking, few steps, and without the sharp gap, which costs a linear program for each radius."""
    return replace(settings, environments=settings.environments[:2], bounds=settings.bounds[:-1], cap=40)


def total(settings: Settings) -> int:
    """One for each environment and discount."""
    return len(settings.environments) * len(settings.gammas)


def run(settings: Settings, advance: Callable[[], Any] = lambda: None) -> dict[str, pd.DataFrame]:
    """The frames: "" one row an environment, discount and bound; "curves" the share of the gain after some of the steps."""
    rows: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    for name, source in settings.environments:
        for gamma in settings.gammas:
            mdp = tt.load(source, gamma=gamma)
            cell = {"environment": name, "gamma": gamma, "states": mdp.states}
            best = float(tt.optimal(mdp).expected_return)
            old = tt.uniform(mdp.available)
            returns = _iterated(mdp, settings, best)
            for bound in settings.bounds:
                step = _first_step(mdp, old, bound, best)
                rows.append({**cell, "bound": bound, **step, **_reached(returns.get(bound), settings, best)})
            curves += [{**cell, **point} for bound in returns for point in _points(bound, returns[bound], best)]
            advance()
    frame: Any = pd.DataFrame(rows)
    reference = frame[frame["bound"] == REFERENCE].set_index(["environment", "gamma"])
    keys = pd.MultiIndex.from_frame(frame[["environment", "gamma"]])
    for column in ("max_kl", "guaranteed"):
        frame[f"{column}_ratio"] = frame[column].to_numpy() / reference[column].reindex(keys).to_numpy()
    return {"": frame, "curves": pd.DataFrame(curves)}


def _first_step(mdp: tt.FiniteMDP, old: np.ndarray, bound: str, best: float) -> dict[str, Any]:
    """What the step promises, M − η(old), and what it brings."""
    step = tt.update(mdp, old, tt.Penalty(bound=bound))
    first = float(step.expected_return_old)
    return {
        "expected_return_old": first,
        "expected_return_optimal": best,
        "max_kl": float(step.max_kl),
        "guaranteed": float(step.objective),
        "improvement": _improvement(mdp, step),
        "guaranteed_share": float(step.objective) / (best - first),
        "relative_gap": float(step.relative_gap),
        "status": step.status.name.lower(),
    }


def _improvement(mdp: tt.FiniteMDP, step: tt.UpdateSolution) -> float:
    """η(new) − η(old) by equation (6), from the change itself, so that it keeps its digits where the step is tiny."""
    advantage = tt.evaluate(mdp, step.surrogate.policy_rows(step.surrogate.old)).advantage
    visits = tt.evaluate(mdp, step.policy).visitation
    return float((visits * (step.change * advantage).sum(-1)).sum(-1))


def _iterated(mdp: tt.FiniteMDP, settings: Settings, best: float) -> dict[str, np.ndarray]:
    """η after each step for each bound of `linear`, until it has reached the share."""
    found: dict[str, np.ndarray] = {}
    for bound in settings.linear:
        policy = tt.uniform(mdp.available)
        returns = [float(tt.evaluate(mdp, policy).expected_return)]
        goal = returns[0] + settings.share * (best - returns[0])
        while len(returns) <= settings.cap and returns[-1] < goal:
            step = tt.update(mdp, policy, tt.Penalty(bound=bound))
            policy = step.policy
            returns.append(float(step.expected_return_new))
        found[bound] = np.array(returns)
    return found


def _reached(returns: np.ndarray | None, settings: Settings, best: float) -> dict[str, Any]:
    """How many steps the share of the gain takes (NaN if more than were made), how many were made, and how far they went."""
    if returns is None:
        return {"steps": np.nan, "steps_made": 0, "share_reached": np.nan, "falls": 0}
    shares = _shares(returns, best)
    enough = np.flatnonzero(shares >= settings.share)
    return {
        "steps": float(enough[0]) if len(enough) else np.nan,
        "steps_made": len(returns) - 1,
        "share_reached": float(shares[-1]),
        "falls": falls(returns),
    }


def _shares(returns: np.ndarray, best: float) -> np.ndarray:
    return (returns - returns[0]) / (best - returns[0])


def _points(bound: str, returns: np.ndarray, best: float) -> list[dict[str, Any]]:
    kept = np.unique(np.round(np.geomspace(1, len(returns) - 1, 16)).astype(int)) if len(returns) > 1 else [0]
    shares = _shares(returns, best)
    return [{"bound": bound, "step": int(k), "share": float(shares[k])} for k in kept]


_HEADINGS = {
    "gamma": (r"$\gamma$", "gamma"),
    "max_kl": (r"$D_{\mathrm{KL}}^{\max}$ [nat]", "max-KL [nat]"),
    "max_kl_ratio": (r"$\times$ \texttt{trpo/kl}", "× trpo/kl"),
    "guaranteed": (r"$M - \eta(\pi)$", "M - eta(old)"),
    "guaranteed_share": (r"of $\eta^* - \eta$", "of eta* - eta"),
    "improvement": (r"$\eta(\tilde\pi) - \eta(\pi)$", "eta(new) - eta(old)"),
    "reached": (r"steps to 90\,\%", "steps to 90 %"),
}


def tables(frames: dict[str, Any]) -> dict[str, Table]:
    """One table, a row an environment, discount and bound; the smallest step of each is marked."""
    frame = frames[""]
    shown = frame[["environment", "gamma", "bound"]].copy()
    for column in ("max_kl", "max_kl_ratio", "guaranteed", "guaranteed_share", "improvement"):
        shown[column] = frame[column]
    shown["reached"] = [_steps(row) for row in frame.to_dict("records")]
    least = frame.groupby(["environment", "gamma"])["max_kl"].transform("min")
    smallest = np.flatnonzero(frame["max_kl"] <= least * (1 + 1e-3))
    words = (
        "The step of (11) from the uniform policy, with the penalty of each bound: its max-KL and how many times that of "
        "trpo/kl it is; the improvement that it guarantees, M - eta(old), also as a share of what the optimal policy has "
        "over it; the improvement that it brings. Last, how many such steps reach 90 % of that (in brackets: the share "
        "reached where the steps made were not enough; empty where the steps were not iterated). Bold: the smallest step, "
        "ties included."
    )
    latex = words.replace("M - eta(old)", r"$M - \eta(\pi)$").replace("trpo/kl", r"\texttt{trpo/kl}")
    table = Table(
        shown,
        caption=latex.replace("90 %", r"90\,\%"),
        plain_caption=words,
        label=f"tab:{NAME}",
        headings=_HEADINGS,
        digits={"gamma": 2, **dict.fromkeys(("max_kl", "max_kl_ratio", "guaranteed", "improvement"), 3)}
        | {"guaranteed_share": 2},
        scientific=("max_kl", "guaranteed_share"),
        mark=tuple((int(row), "max_kl") for row in smallest),
    )
    return {NAME: table}


def _steps(row: dict[str, Any]) -> str:
    if not row["steps_made"]:
        return ""
    if np.isfinite(row["steps"]):
        return f"{row['steps']:.0f}"
    return f"> {row['steps_made']} ({row['share_reached']:.2g})"


def figures(frames: dict[str, Any]) -> dict[str, Callable[[], Figure]]:
    """The max-KL of the step by bound, and the share of the gain over the number of steps."""
    return {
        f"{NAME}-radius": lambda: _draw_radius(frames[""]),
        f"{NAME}-curves": lambda: _draw_curves(frames["curves"]),
    }


def captions() -> dict[str, str]:
    """Two sentences a figure."""
    return {
        f"{NAME}-radius": "The max-KL of the step of (11) from the uniform policy, by bound, environment and discount. The "
        "sharper the bound the larger the step that it proves safe; with the discount near 1 all of them shrink.",
        f"{NAME}-curves": "The share of the gain from the uniform to the optimal policy after so many steps of (11), each of "
        "which is proved not to lower the return. A dotted line marks 90 %; a curve that ends below it had no more steps.",
    }


def _looks(bounds: list[str]) -> dict[str, dict[str, Any]]:
    """Of each bound the same colour, marker and dashes in both figures."""
    from trpo_theory.report import style

    everyone = [*Settings.bounds, *(bound for bound in bounds if bound not in Settings.bounds)]
    return {
        bound: {"color": style.COLOURS[k % 7], "marker": style.MARKERS[k % 7], "ls": style.DASHES[k % 7]}
        for k, bound in enumerate(everyone)
        if bound in bounds
    }


def _draw_radius(frame: Any) -> Figure:
    from trpo_theory.report import style

    bounds = list(dict.fromkeys(frame["bound"]))
    cells = list(dict.fromkeys(zip(frame["environment"], frame["gamma"], strict=True)))
    with style.styled():
        figure = style.new_figure("page", ratio=0.08 * len(cells) + 0.14)
        axes = figure.add_subplot()
        for k, (bound, look) in enumerate(_looks(bounds).items()):
            rows = frame[frame["bound"] == bound]
            places = [cells.index(cell) for cell in zip(rows["environment"], rows["gamma"], strict=True)]
            offset = (k - (len(bounds) - 1) / 2) * 0.15
            look = {**look, "ls": "none", "ms": 5.5, "mec": "white", "mew": 0.4}
            axes.plot(rows["max_kl"], np.array(places) + offset, label=bound, zorder=3, **look)
        axes.set_xscale("log")
        axes.set_yticks(range(len(cells)), [f"{name}, γ = {gamma:g}" for name, gamma in cells])
        axes.set_ylim(len(cells) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        for between in range(1, len(cells)):
            axes.axhline(between - 0.5, color="0.85", lw=0.5)
        axes.grid(visible=True, axis="x")
        axes.set_xlabel("max-KL of the step (nats)")
        figure.legend(loc="outside upper center", ncols=len(bounds))
    return figure


def _draw_curves(frame: Any) -> Figure:
    from trpo_theory.report import style

    names, gammas = list(dict.fromkeys(frame["environment"])), list(dict.fromkeys(frame["gamma"]))
    bounds = list(dict.fromkeys(frame["bound"]))
    with style.styled():
        figure = style.new_figure("page", ratio=0.3 * len(gammas) + 0.06)
        grid = figure.subplots(len(gammas), len(names), sharex=True, sharey=True, squeeze=False)
        for row, gamma in zip(grid, gammas, strict=True):
            for axes, name in zip(row, names, strict=True):
                here = frame[(frame["environment"] == name) & (frame["gamma"] == gamma)]
                for bound, look in _looks(bounds).items():
                    line = here[here["bound"] == bound]
                    axes.plot(line["step"], line["share"], label=bound, mec="white", mew=0.3, **{**look, "ms": 3})
                axes.axhline(0.9, color=style.GREY, lw=0.8, ls=":")
                axes.set_title(f"{name}, γ = {gamma:g}")
                axes.set_xscale("log")
                axes.set_yscale("log")
                axes.grid(visible=True)
        for axes in grid[-1]:
            axes.set_xlabel("steps of the penalty problem")
        for axes in grid[:, 0]:
            axes.set_ylabel("share of the gain")
        figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(bounds))
    return figure


def summary(frames: dict[str, Any]) -> str:
    """The range of the steps, the best ratio, and whether any step fell."""
    frame = frames[""]
    worst = frame.loc[frame[frame["bound"] == REFERENCE]["max_kl"].idxmin()]
    tiny, large = worst["max_kl"], frame["max_kl"].max()
    best = frame.loc[frame["max_kl_ratio"].idxmax()]
    lowered = int(frame["falls"].sum())
    return (
        f"Provably safe steps from the uniform policy have max-KL {tiny:.1e} ({worst['bound']}, {worst['environment']}, "
        f"gamma {worst['gamma']:g}) to {large:.1e}; {best['bound']} proves up to {best['max_kl_ratio']:.0f} times the max-KL "
        f"of {REFERENCE} ({best['environment']}, gamma {best['gamma']:g}). {frame['steps_made'].sum()} steps iterated, "
        f"{lowered or 'none'} of which lowered the return."
    )


def passed(frames: dict[str, Any]) -> bool:
    """Whether every step is optimal to 1e-9, brings at least what it guarantees, and none lowers the return."""
    frame = frames[""]
    kept = frame["improvement"] >= frame["guaranteed"] * (1 - 1e-9)
    return bool(kept.all()) and bool((frame["relative_gap"] <= 1e-9).all()) and not frame["falls"].any()
