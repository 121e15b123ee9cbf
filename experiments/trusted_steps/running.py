"""The runs: certified steps from the uniform policy, bound by bound; updates of each algorithm; and certified clips."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

import trpo_theory as tt
from experiments.contract import Frames
from experiments.iterating import falls
from experiments.trusted_steps import clips
from experiments.trusted_steps.methods import Method, certified, greedy, penalty, unproven

NAME = "trusted-steps"
CLASSES: dict[str, Callable[[int, int], np.ndarray]] = {
    "rows": lambda high, wide: np.arange(high * wide) // wide,
    "columns": lambda high, wide: np.arange(high * wide) % wide,
    "2x2 blocks": lambda high, wide: (
        np.arange(high * wide) // wide // 2 * (wide // 2) + np.arange(high * wide) % wide // 2
    ),
}
"""The group of each cell of a grid whose cells are numbered row by row, from its height and width."""
EVERY = "all policies"
SHARES = (0.5, 0.9, 0.99)
"""Of the gain, for which updates are counted."""
GAINLESS = 1e-12
"""Chosen: relative rounding of a gain."""


@dataclass(frozen=True)
class Case:
    """An MDP, and the classes of policies in which it is improved.

    Attributes:
        name: of the MDP.
        source: as for `tt.load`.
        gamma: the discount.
        grid: height and width; () if it has none.
        classes: of the policies that are equal in states of one group, beside all policies.
        iterated: whether updates are counted.
    """

    name: str
    source: str
    gamma: float
    grid: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    iterated: bool = True

    def aggregation(self, policies: str) -> tt.StateAggregation | None:
        """Which states share a row in a class of policies; None for all policies."""
        return None if policies == EVERY else tt.StateAggregation(CLASSES[policies](*self.grid))


@dataclass(frozen=True)
class Settings:
    """Certified steps of each bound, updates of each algorithm in each class, and certified clips.

    Attributes:
        cases: the MDPs.
        bounds: whose certified steps are found.
        iterated: those whose certified radius is iterated.
        promised: those of them that are iterated with the radius of the best promise, too.
        penalties: whose problem (11) is iterated.
        common: max_s χ²(new‖old) of the step at which penalties are compared.
        delta: the radius of (12) and (13), nats.
        cap: updates at most.
        penalty_cap: likewise, of (11).
        gammas: discounts of the clips.
        horizons: of the clips without discount.
        variations: coefficients of variation of Ā.
        jobs: processes; the numbers do not depend on it.
    """

    cases: tuple[Case, ...] = (
        Case("FrozenLake 4x4", "gym:FrozenLake-v1", 0.9, (4, 4), tuple(CLASSES)),
        Case("FrozenLake 4x4", "gym:FrozenLake-v1", 0.99, (4, 4), tuple(CLASSES)),
        Case("FrozenLake 8x8", "gym:FrozenLake8x8-v1", 0.95, (8, 8), ("2x2 blocks",)),
        Case("CliffWalking", "gym:CliffWalking-v1", 0.99),
        Case("Taxi", "gym:Taxi-v4", 0.9, iterated=False),
    )
    bounds: tuple[str, ...] = (
        *("trpo/kl", "pinsker/kl", "chain-rule/kl", "coupling/tv", "mean-kl/linear-4"),
        *("chi2/reward", "chi2/advantage", "chi2/expected-advantage", "chi2/instance", "chi2/time-resolved"),
        *("chi2/mean-max", "chi2/second-order"),
        *("transition/time-resolved", "transition/mean-max", "transition/second-order"),
    )
    iterated: tuple[str, ...] = (
        *("chi2/expected-advantage", "chi2/time-resolved", "chi2/mean-max", "chi2/second-order"),
        *("transition/mean-max", "transition/second-order"),
    )
    promised: tuple[str, ...] = ("chi2/expected-advantage",)
    penalties: tuple[str, ...] = ("chain-rule/kl", "chi2/advantage")
    common: float = 0.01
    delta: float = 0.01
    cap: int = 400
    penalty_cap: int = 100
    gammas: tuple[float, ...] = (0.5, 0.9, 0.95, 0.99, 0.995, 0.999)
    horizons: tuple[int, ...] = (10, 100, 1000)
    variations: tuple[float, ...] = (0.5, 1.0, 2.0)
    jobs: int = 2

    @property
    def methods(self) -> list[Method]:
        """In the order of the tables."""
        return [
            *(penalty(bound) for bound in self.penalties),
            *(certified(bound) for bound in self.iterated),
            *(certified(bound, "promise") for bound in self.promised),
            *unproven(self.delta),
            greedy(),
        ]

    @property
    def places(self) -> list[tuple[Case, str]]:
        """Each case with each of its classes."""
        return [(case, policies) for case in self.cases if case.iterated for policies in (EVERY, *case.classes)]


def quick(settings: Settings) -> Settings:
    """FrozenLake 4x4 with its columns, fewer bounds, short."""
    few = ("chi2/expected-advantage", "chi2/mean-max", "transition/second-order")
    bounds = tuple(bound for bound in settings.bounds if bound in ("trpo/kl", "chain-rule/kl", *few))
    cases = (replace(settings.cases[0], classes=("columns",)),)
    return replace(settings, cases=cases, bounds=bounds, iterated=few, promised=(), cap=100, penalty_cap=25, jobs=1)


def total(settings: Settings) -> int:
    """One for each case, and one for each of its classes."""
    return len(settings.cases) + len(settings.places)


def run(settings: Settings, advance: Callable[[], Any] = lambda: None) -> Frames:
    """The frames: "bounds" a row a case and bound; "updates" a row a place and method; "curves" over updates; "clips"."""
    from joblib import Parallel, delayed

    jobs = min(settings.jobs, os.cpu_count() or 1)
    steps: list[dict[str, Any]] = []
    updates: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    with Parallel(n_jobs=jobs, return_as="generator") as parallel:
        found: Any = parallel(delayed(_steps)(case, settings) for case in settings.cases)
        for rows in found:
            steps += rows
            advance()
        found = parallel(delayed(_place)(*place, settings) for place in settings.places)
        for fates, points in found:
            updates += fates
            curves += points
            advance()
    return {
        "bounds": pd.DataFrame(steps),
        "updates": pd.DataFrame(updates),
        "curves": pd.DataFrame(curves),
        "clips": pd.DataFrame(_clips(settings)),
    }


def _place(case: Case, policies: str, settings: Settings) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of "updates" and "curves"; the gain is that of the best policy that any method reached."""
    mdp, aggregation = _loaded(case), case.aggregation(policies)
    head = {"environment": case.name, "gamma": case.gamma, "policies": policies}
    optimal = float(tt.optimal(mdp).expected_return)
    returns: list[np.ndarray] = []
    for method in settings.methods:
        cap = settings.penalty_cap if method.kind == "penalty" else settings.cap
        returns.append(method.returns(mdp, aggregation, cap))
    best = max(float(line.max()) for line in returns)
    fates: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    for method, line in zip(settings.methods, returns, strict=True):
        fates.append({**head, "method": method.name, "kind": method.kind, **_fate(line, best, optimal)})
        points += [{**head, "method": method.name, **point} for point in _points(line, best)]
    return fates, points


def _loaded(case: Case) -> tt.FiniteMDP:
    return tt.load(case.source, gamma=case.gamma)


def _steps(case: Case, settings: Settings) -> list[dict[str, Any]]:
    """From the uniform policy: of each bound, its share of the gain at the common step, and its largest certified step."""
    mdp = _loaded(case)
    old = tt.uniform(mdp.available)
    common = tt.update(mdp, old, tt.ReverseMaxChi2(settings.common))
    checks = {check.id: check for check in tt.bounds.check_all(tt.compare(mdp, old, common.policy))}
    rows: list[dict[str, Any]] = []
    for bound in settings.bounds:
        step = tt.update(mdp, old, tt.ReverseMaxChi2(tt.Certified(bound, mix=0.0)))
        assert isinstance(step, tt.CertifiedUpdate)
        check = checks[bound]
        gain = float(check.lower_bound + check.penalty - common.expected_return_old)
        row = {"environment": case.name, "gamma": case.gamma, "states": mdp.states, "bound": bound}
        row |= {"common_gain": gain, "common_penalty": float(check.penalty), "common_max_kl": float(common.max_kl)}
        row |= {"radius": step.radius, "max_kl": float(step.max_kl), "mean_kl": float(step.mean_kl)}
        rows.append(row | {"promise": step.promise, "improvement": float(step.improvement)})
    return rows


def _fate(returns: np.ndarray, best: float, optimal: float) -> dict[str, Any]:
    """Updates to shares of the gain (NaN where they were not reached), how many were made, and how many lowered η."""
    shares = (returns - returns[0]) / (best - returns[0])
    reached = [np.flatnonzero(shares >= share - GAINLESS) for share in SHARES]
    return {
        **{f"to_{share:g}": float(at[0]) if len(at) else math.nan for share, at in zip(SHARES, reached, strict=True)},
        "made": len(returns) - 1,
        "share": float(shares[-1]),
        "falls": falls(returns),
        "largest_fall": max(0.0, float(-np.diff(returns).min())) if falls(returns) else 0.0,
        "initial": float(returns[0]),
        "best": best,
        "optimal": optimal,
    }


def _points(returns: np.ndarray, best: float) -> Iterator[dict[str, Any]]:
    """The share of the gain after some of the updates, logarithmically."""
    shares = (returns - returns[0]) / (best - returns[0])
    last = len(returns) - 1
    kept = np.unique(np.round(np.geomspace(1, last, 40)).astype(int)) if last > 0 else np.array([], dtype=int)
    for index in kept:
        yield {"update": int(index), "share": float(shares[index])}


def _clips(settings: Settings) -> Iterator[dict[str, Any]]:
    """The largest χ² and clip that are certified whatever the MDP, by discount or horizon and CV of Ā."""
    for gamma in settings.gammas:
        for cv in settings.variations:
            pooled, by_time = clips.pooled(gamma, cv), clips.by_time(gamma, cv)
            yield {"gamma": gamma, "horizon": math.inf, "cv": cv, "pooled": pooled, "by_time": by_time}
    for horizon in settings.horizons:
        for cv in settings.variations:
            yield {
                "gamma": 1.0,
                "horizon": horizon,
                "cv": cv,
                "pooled": 0.0,
                "by_time": clips.by_time(1.0, cv, horizon),
            }


def passed(frames: dict[str, Any]) -> bool:
    """Whether no proved update lowers η, and each certified step brings what is promised."""
    updates, steps = frames["updates"], frames["bounds"]
    proved = updates["kind"].isin(["certified", "penalty"])
    kept = steps["improvement"] >= steps["promise"] * (1 - GAINLESS)
    return not updates["falls"][proved].any() and bool(kept.all())
