"""The runs: gradient ascent with fixed steps, batched over step sizes and seeds, and the exact updates beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

import trpo_theory as tt
from experiments.iterating import returns_of
from experiments.step_sizes.gradient import Sampler, exact_gradient
from trpo_theory.loading.sources import open_source

NAME = "step-sizes"
EXACT = "exact"
_ROUNDING = 1e-10
"""A fall counts from this share of the largest |η| on; float error of an exact evaluation is far below."""


@dataclass(frozen=True)
class Case:
    """An MDP, where to start, which states share a row, and the decades of the step sizes.

    Attributes:
        name: of the MDP.
        source: as for `tt.load`.
        gamma: the discount.
        group: the row of each state; () for all policies.
        decades: the exponents of ten of the smallest and the largest step, in logits a unit of gradient.
    """

    name: str
    source: str
    gamma: float
    group: tuple[int, ...]
    decades: tuple[int, int]

    @property
    def policies(self) -> str:
        """The class in words."""
        return f"{len(set(self.group))} shared row{'s' * (len(set(self.group)) > 1)}" if self.group else "all policies"


@dataclass(frozen=True)
class Settings:
    """Each case with each kind of gradient at each step size: exact once, sampled with each of `seeds`.

    Attributes:
        cases: the MDPs and classes.
        per_decade: step sizes a decade.
        iterations: gradient steps, and updates of (11)-(13).
        episodes: of a sampled gradient; one kind for each.
        seeds: runs of a sampled gradient at each step size.
        seed: of all of them.
        cut: a rollout ends where γᵗ falls below this.
        bound: whose penalty (11) has.
        delta: the radius of (12) and (13), nats.
        kept: the iterations that the frame of curves has, about so many.
    """

    cases: tuple[Case, ...] = (
        Case("F6", "zoo:aliased?p=2/5", 0.9, (), (-1, 4)),
        Case("F6", "zoo:aliased?p=2/5", 0.9, (0, 0, 0), (-1, 4)),
        Case("two states", "zoo:kakade", 0.9, (), (-3, 2)),
        Case("FrozenLake 4x4", "gym:FrozenLake-v1", 0.9, (), (0, 5)),
        Case("FrozenLake 4x4", "gym:FrozenLake-v1", 0.9, tuple(s // 4 for s in range(16)), (0, 5)),
        Case("CliffWalking", "gym:CliffWalking-v1", 0.9, (), (-4, 1)),
        Case("CliffWalking", "gym:CliffWalking-v1", 0.9, tuple(s // 12 for s in range(48)), (-4, 1)),
    )
    per_decade: int = 2
    iterations: int = 100
    episodes: tuple[int, ...] = (10, 100)
    seeds: int = 10
    seed: int = 0
    cut: float = 1e-3
    bound: str = "chain-rule/kl"
    delta: float = 0.01
    kept: int = 24


def quick(settings: Settings) -> Settings:
    """F6 with its shared row, FrozenLake and CliffWalking; fewer step sizes, seeds and iterations."""
    cases = tuple(settings.cases[i] for i in (1, 3, 5) if i < len(settings.cases))
    return replace(settings, cases=cases, per_decade=1, iterations=25, episodes=(10,), seeds=4)


def total(settings: Settings) -> int:
    """One for the updates and one for each kind of gradient, of every case."""
    return len(settings.cases) * (2 + len(settings.episodes))


def run(settings: Settings, advance: Callable[[], Any] = lambda: None) -> dict[str, pd.DataFrame]:
    """The frames: "" one row a case, gradient and step size; "updates" one a case and problem; "curves" over iterations."""
    rows: list[dict[str, Any]] = []
    updates: list[dict[str, Any]] = []
    curves: list[pd.DataFrame] = []
    for index, case in enumerate(settings.cases):
        climb = _Climb.of(case, settings)
        problems = {
            "(11)": tt.Penalty(bound=settings.bound),
            "(12)": tt.MaxKL(settings.delta),
            "(13)": tt.MeanKL(settings.delta),
        }
        for method, problem in problems.items():
            returns = climb.updated(problem)
            updates.append({**climb.head, "method": method, **climb.fate(returns)})
            curves.append(climb.curve(method, np.array([np.nan]), returns[:, None, None]))
        advance()
        for episodes in (None, *settings.episodes):
            seed = np.random.SeedSequence([settings.seed, index, episodes or 0])
            returns = climb.climbed(episodes, np.random.default_rng(seed))
            kind = EXACT if episodes is None else f"{episodes} episodes"
            rows += [
                {**climb.head, "gradient": kind, "step": step, **climb.fate(returns[:, k])}
                for k, step in enumerate(climb.steps)
            ]
            curves.append(climb.curve(kind, climb.steps, returns))
            advance()
    return {
        "": pd.DataFrame(rows),
        "updates": pd.DataFrame(updates),
        "curves": pd.concat(curves, ignore_index=True),
    }


@dataclass(frozen=True, eq=False)
class _Climb:
    """One case, ready to be climbed: its MDP, the first policy, and the step sizes."""

    case: Case
    settings: Settings
    mdp: tt.FiniteMDP
    group: np.ndarray
    first: np.ndarray
    steps: np.ndarray
    best: float

    @classmethod
    def of(cls, case: Case, settings: Settings) -> _Climb:
        source = open_source(case.source, gamma=case.gamma)
        mdp = source.mdp
        group = np.asarray(case.group or range(mdp.states))
        old = tt.load_policy("old" if "old" in source.policies else "uniform", source)
        low, high = case.decades
        steps = np.logspace(low, high, (high - low) * settings.per_decade + 1)
        first = np.asarray(old)[np.unique(group, return_index=True)[1]]
        return cls(case, settings, mdp, group, first, steps, float(tt.optimal(mdp).expected_return))

    @property
    def head(self) -> dict[str, Any]:
        return {"mdp": self.case.name, "policies": self.case.policies, "gamma": self.case.gamma}

    def climbed(self, episodes: int | None, generator: np.random.Generator) -> np.ndarray:
        """η after each iteration, (iterations + 1, steps, seeds): θ ← θ + step · gradient, equation (1)."""
        seeds = 1 if episodes is None else self.settings.seeds
        step = np.repeat(self.steps, seeds)[:, None, None]
        with np.errstate(divide="ignore"):
            theta = np.log(np.broadcast_to(self.first, (len(step), *self.first.shape)))
        sampler = Sampler.of(self.mdp, self.group)
        gamma = self.case.gamma
        horizon = int(np.ceil(np.log(self.settings.cut) / np.log(gamma)))
        returns = np.empty((self.settings.iterations + 1, len(step)))
        for iteration in range(self.settings.iterations + 1):
            rows = tt.softmax(theta)
            gradient, returns[iteration] = exact_gradient(self.mdp, rows, self.group)
            if episodes is not None and iteration < self.settings.iterations:
                gradient = sampler.gradient(rows, episodes, horizon, generator)
            theta = theta + step * gradient
        return returns.reshape(len(returns), len(self.steps), seeds)

    def updated(self, problem: Any) -> np.ndarray:
        """η after each exact update, (iterations + 1,)."""
        shared = tt.StateAggregation(self.case.group) if self.case.group else None
        return returns_of(self.mdp, problem, self.settings.iterations, self.first[self.group], shared)

    def fate(self, returns: np.ndarray) -> dict[str, Any]:
        """What became of runs, (iterations + 1,) or (iterations + 1, seeds), at one step size."""
        returns = returns.reshape(len(returns), -1)
        first, last = float(returns[0, 0]), returns[-1]
        least = _ROUNDING * max(abs(first), abs(self.best), float(np.abs(returns).max()))
        falls = np.maximum(-np.diff(returns, axis=0), 0.0)
        runs = len(last)
        return {
            "runs": runs,
            "initial": first,
            "optimal": self.best,
            "share_fell": float((falls > least).any(0).mean()),
            "share_below_start": float((last < first - least).mean()),
            "final": float(last.mean()),
            "final_error": float(last.std(ddof=1) / np.sqrt(runs)) if runs > 1 else float("nan"),
            "final_worst": float(last.min()),
            "largest_fall": float(np.where(falls > least, falls, 0.0).max()),
        }

    def curve(self, method: str, steps: np.ndarray, returns: np.ndarray) -> pd.DataFrame:
        """Median and range over seeds of η, (iterations + 1, steps, seeds), at some of the iterations."""
        last = len(returns) - 1
        kept = np.unique(np.round(np.append(np.geomspace(1, last + 1, self.settings.kept) - 1, last)).astype(int))
        shown = returns[kept]
        columns = {
            "iteration": np.repeat(kept, len(steps)),
            "step": np.tile(steps, len(kept)),
            "median": np.median(shown, axis=2).ravel(),
            "low": shown.min(2).ravel(),
            "high": shown.max(2).ravel(),
        }
        frame = pd.DataFrame(columns)
        for place, (name, value) in enumerate([*self.head.items(), ("method", method)]):
            frame.insert(place, name, value)
        return frame


def passed(frames: dict[str, Any]) -> bool:
    """Whether (11) never falls; nor (12), (13) and the exact gradient where all policies are allowed.

    By (3) what is ≥ 0 in every state improves: docs/theory.md, "Why improvement is easy in tables". And whether the warning
    of equation (1) is borne out: among sampled or aggregated climbs some fall.
    """
    rows, updates = frames[""], frames["updates"]
    free = rows["policies"] == "all policies"
    free_update = updates["policies"] == "all policies"
    exact = rows["gradient"] == EXACT
    never = [
        updates.loc[(updates["method"] == "(11)") | free_update, "share_fell"],
        rows.loc[exact & free, "share_fell"],
    ]
    return all((part == 0).all() for part in never) and bool((rows.loc[~(exact & free), "share_fell"] > 0).any())
