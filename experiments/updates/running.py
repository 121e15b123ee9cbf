"""Problems (11), (12) and (13) side by side; that (12) separates by state; and a conic solver for (11) as γ → 1."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

import trpo_theory as tt
from experiments.benchmarks.updates import seconds, surrogate
from experiments.iterating import falls, returns_of
from trpo_theory.loading.sources import open_source

NAME = "updates"


@dataclass(frozen=True)
class Settings:
    """What is updated, from the uniform policy (a family of the zoo: from its own).

    Attributes:
        mdps: name, and source as for `tt.load`.
        gamma: their discount.
        bound: whose penalty (11) has, the paper's C.
        delta: the radius of (12) and (13), nats.
        steps: updates, after which the return is recorded too.
        conic: CVXPY's solvers.
        conic_gammas: 1 − γ, as γ → 1.
        conic_shape: states and actions of the random surrogate that (11) is solved on there.
        sizes: states of the surrogates on which (12) and (13) are timed.
        conic_most: of them, the most that the conic solvers are given.
        repeats: of a time.
    """

    mdps: tuple[tuple[str, str], ...] = (
        ("FrozenLake 4x4", "gym:FrozenLake-v1"),
        ("CliffWalking", "gym:CliffWalking-v1"),
        ("Taxi", "gym:Taxi-v4"),
        ("two states", "zoo:kakade"),
        ("river swim", "zoo:river-swim"),
        ("queue", "zoo:queue"),
        ("forest", "zoo:forest?states=10"),
    )
    gamma: float = 0.95
    bound: str = "pinsker/kl"
    delta: float = 0.01
    steps: int = 20
    conic: tuple[str, ...] = ("CLARABEL", "SCS")
    conic_gammas: tuple[float, ...] = (0.5, 0.2, 0.1, 5e-2, 2e-2, 1e-2, 5e-3, 2e-3, 1e-3, 1e-4, 1e-5)
    conic_shape: tuple[int, int] = (10, 4)
    sizes: tuple[int, ...] = (10, 30, 100, 300, 1000)
    conic_most: int = 300
    repeats: int = 5


def quick(settings: Settings) -> Settings:
    """Three MDPs, fewer discounts and sizes."""
    few = tuple(settings.mdps[i] for i in (0, 1, 3) if i < len(settings.mdps))
    return replace(settings, mdps=few, steps=8, conic_gammas=(0.1, 1e-2, 1e-4), sizes=(10, 100), repeats=3)


def total(settings: Settings) -> int:
    """One an MDP, a discount of the conic solvers and a size."""
    return len(settings.mdps) + len(settings.conic_gammas) + len(settings.sizes)


def run(settings: Settings, advance: Callable[[], Any] = lambda: None) -> dict[str, pd.DataFrame]:
    """The frames.

    "": a row an MDP and problem; "separate": a row an MDP, (12) solved state by state; "conic": a row a discount and
    solver; "timing": a row a size, problem and solver.
    """
    rows: list[dict[str, Any]] = []
    separate: list[dict[str, Any]] = []
    conic: list[dict[str, Any]] = []
    timing: list[pd.DataFrame] = []
    for name, source in settings.mdps:
        rows += _compared(name, source, settings)
        separate.append(_separated(name, source, settings))
        advance()
    for short in settings.conic_gammas:
        conic += _conic(short, settings)
        advance()
    for states in settings.sizes:
        timing.append(timed(states, settings))
        advance()
    return {
        "": pd.DataFrame(rows),
        "separate": pd.DataFrame(separate),
        "conic": pd.DataFrame(conic),
        "timing": pd.concat(timing, ignore_index=True),
    }


def _problems(settings: Settings) -> dict[str, Any]:
    return {
        "(11)": tt.Penalty(bound=settings.bound),
        "(12)": tt.MaxKL(settings.delta),
        "(13)": tt.MeanKL(settings.delta),
    }


def _opened(source: str, gamma: float) -> tuple[tt.FiniteMDP, np.ndarray]:
    opened = open_source(source, gamma=gamma)
    return opened.mdp, tt.load_policy("old" if "old" in opened.policies else "uniform", opened)


def _compared(name: str, source: str, settings: Settings) -> list[dict[str, Any]]:
    mdp, old = _opened(source, settings.gamma)
    best = float(tt.optimal(mdp).expected_return)
    rows = []
    for label, problem in _problems(settings).items():
        step = tt.update(mdp, old, problem)
        first = float(step.expected_return_old)
        returns = returns_of(mdp, problem, settings.steps, old)
        rows.append(
            {
                **{"mdp": name, "states": mdp.states, "problem": label, "status": step.status.name.lower()},
                **{"expected_return_old": first, "expected_return_optimal": best},
                "surrogate_gain": float(step.surrogate_gain),
                "improvement": float(step.expected_return_new) - first,
                "max_kl": float(step.max_kl),
                "mean_kl": float(step.mean_kl),
                "objective": float(step.objective),
                "relative_gap": float(step.relative_gap),
                "share": (float(step.expected_return_new) - first) / (best - first),
                "share_later": (float(returns[-1]) - first) / (best - first),
                "falls": falls(returns),
            }
        )
    return rows


def _separated(name: str, source: str, settings: Settings) -> dict[str, Any]:
    """(12) on the whole, and as S problems of one state each, every one with a certificate of its own."""
    mdp, old = _opened(source, settings.gamma)
    problem = tt.MaxKL(settings.delta)
    whole = tt.update(mdp, old, problem)
    parts = [tt.updates.solve(_state(whole.surrogate, s), problem) for s in range(mdp.states)]
    together = float(np.sum([float(part.objective) for part in parts]))
    at_once = tt.updates.solve(whole.surrogate, problem, solver=tt.CVXPY(settings.conic[0]))
    return {
        "mdp": name,
        "states": mdp.states,
        "whole": float(whole.objective),
        "by_state": together,
        "upper_bound": float(np.sum([float(part.upper_bound) for part in parts])),
        "relative_difference": abs(together / float(whole.objective) - 1),
        "conic_difference": 1 - float(at_once.objective) / together,
        "policy_difference": float(
            np.abs(np.concatenate([part.policy for part in parts]) - whole.policy)[_visited(whole)].max()
        ),
    }


def _visited(step: tt.UpdateSolution) -> np.ndarray:
    return step.surrogate.visitation[:, 0] > 0


def _state(rows: tt.Surrogate, state: int) -> tt.Surrogate:
    one = slice(state, state + 1)
    return replace(
        rows,
        old=rows.old[:, one],
        advantage=rows.advantage[:, one],
        available=rows.available[:, one],
        visitation=rows.visitation[one],
    )


def _conic(short: float, settings: Settings) -> list[dict[str, Any]]:
    """(11) with the bound's C at γ = 1 − short: every objective recomputed from its policy, over Dual's upper bound."""
    rows = surrogate(*settings.conic_shape, gamma=1 - short)
    problem = tt.Penalty(bound=settings.bound)
    dual = tt.updates.solve(rows, problem)
    out = []
    for solver in (tt.Dual(), *(tt.CVXPY(name) for name in settings.conic)):
        step = dual if isinstance(solver, tt.Dual) else tt.updates.solve(rows, problem, solver=solver)
        out.append(
            {
                "one_minus_gamma": short,
                "solver": str(solver),
                "coefficient": float(dual.penalty / dual.max_kl),
                "max_kl": float(step.max_kl),
                "objective": float(step.objective),
                "optimum": float(dual.upper_bound),
                "relative_gap": (float(dual.upper_bound) - float(step.objective)) / float(dual.upper_bound),
                "status": step.status.name.lower(),
                "rounding": float(dual.rounding) / float(dual.upper_bound),
            }
        )
    return out


def timed(states: int, settings: Settings) -> pd.DataFrame:
    """Seconds for (12) and (13), each by Dual and, up to so many states, by the conic solvers; certificates included."""
    rows = surrogate(states, settings.conic_shape[1], gamma=settings.gamma)
    solvers = [tt.Dual(), *(tt.CVXPY(name) for name in settings.conic if states <= settings.conic_most)]
    out = []
    for (label, problem), solver in itertools.product(list(_problems(settings).items())[1:], solvers):
        own = isinstance(solver, tt.Dual)
        if own:
            seconds(problem, rows, solver)  # once for nothing: the first call of all imports
        time, step = seconds(problem, rows, solver, repeats=settings.repeats if own else 1)
        gap = float(step.relative_gap)
        out.append({"states": states, "problem": label, "solver": str(solver), "seconds": time, "relative_gap": gap})
    return pd.DataFrame(out)


def passed(frames: dict[str, Any]) -> bool:
    """Whether Dual is optimal to 1e-9 throughout, (11) never falls, (12) separates, and no conic objective beats Dual's."""
    rows, separate, conic = frames[""], frames["separate"], frames["conic"]
    dual = conic[conic["solver"] == "dual"]
    return (
        bool((rows["relative_gap"].abs() <= 1e-9).all())
        and bool((dual["relative_gap"].abs() <= 1e-9).all())
        and not rows.loc[rows["problem"] == "(11)", "falls"].any()
        and bool((separate["relative_difference"] <= 1e-9).all())
        and bool(separate["conic_difference"].between(-1e-9, 1e-4).all())
        and bool((conic["relative_gap"] >= -np.maximum(conic["rounding"], 1e-12)).all())
    )
