"""Real training runs under the certificates: which updates of TRPO and PPO are certified, and which lower the return."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import trpo_theory as tt
from experiments.audit_runs import missing as missing
from experiments.contract import Frames
from experiments.trusted_steps.running import CLASSES
from trpo_theory.io import Run
from trpo_theory.recorded import audit
from trpo_theory.report import Table
from trpo_theory.step.idle import held_still
from trpo_theory.updates.promises import promised
from trpo_theory.updates.solvers.trpo_step import shipped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "trusted-runs"
TITLE = "Which updates of real training runs can be trusted"
LEAD = (
    "TRPO and PPO of Stable-Baselines3 on FrozenLake, where the network sees the class of the state only: its row, its "
    "column, or a block of cells. So states share a row of the policy, an update can lower the return, and some do. Every "
    "update is put before each certificate, which sees the MDP and the two policies, never what came of it. Beside them the "
    "same TRPO step computed from exact quantities instead of rollouts."
)
BOUNDS = (
    *(
        "trpo/kl",
        "chain-rule/kl",
        "chi2/expected-advantage",
        "chi2/time-resolved",
        "chi2/mean-max",
        "chi2/second-order",
    ),
    *("transition/time-resolved", "transition/mean-max", "transition/second-order"),
)
SHOWN = tuple(bound for bound in BOUNDS if bound not in ("trpo/kl", "transition/time-resolved"))
"""Of the tables and figures: without the published bound, which certifies no more than chain-rule/kl, for the width of a page."""
ALLOWED = "chi2/mean-max"
"""Of which the table shows how much of an update it allows: the best one that needs no model of the transitions."""
EXACT = "exact TRPO"
_FELL = 1e-12
"""A return that is lower by more than this, relatively, fell: some thousand roundings."""
_CELL = ["environment", "gamma", "algorithm"]


@dataclass(frozen=True)
class Settings:
    """What is trained: each algorithm on each environment, class and discount with each seed.

    TRPO has the radius target_kl; PPO the settings of Stable-Baselines3: its clip is .2, and no target. `exact` counts the
    updates of the same step, natural gradient and line search, from exact quantities. One thread a training.
    """

    environments: tuple[tuple[str, str, int], ...] = (
        ("FrozenLake 4x4", "FrozenLake-v1", 4),
        ("FrozenLake 8x8", "FrozenLake8x8-v1", 8),
    )
    classes: tuple[str, ...] = tuple(CLASSES)
    gammas: tuple[float, ...] = (0.9, 0.99)
    algorithms: tuple[str, ...] = ("TRPO", "PPO")
    seeds: tuple[int, ...] = (0,)
    updates: int = 20
    exact: int = 20
    steps: int = 2048
    parallel: int = 16
    target_kl: float = 0.01
    jobs: int = 2


def quick(settings: Settings) -> Settings:
    """The columns of FrozenLake 4x4, TRPO only, short."""
    return replace(
        settings,
        environments=settings.environments[:1],
        classes=("columns",),
        gammas=settings.gammas[:1],
        algorithms=settings.algorithms[:1],
        updates=5,
        steps=1024,
        jobs=1,
    )


def total(settings: Settings) -> int:
    """Environments, classes and discounts."""
    return len(settings.environments) * len(settings.classes) * len(settings.gammas)


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> Frames:
    """One row an update of every training; advance() is called after each environment, class and discount."""
    from joblib import Parallel, delayed

    frames: list[Any] = []
    with Parallel(n_jobs=min(settings.jobs, os.cpu_count() or 1)) as parallel:
        for task in itertools.product(settings.environments, settings.classes, settings.gammas):
            frames.extend(parallel(delayed(_judged)(settings, *task, *kind) for kind in _kinds(settings)))
            advance()
    return {"": pd.concat(frames, ignore_index=True)}


def _kinds(settings: Settings) -> Iterator[tuple[str, int]]:
    yield from itertools.product(settings.algorithms, settings.seeds)
    if settings.exact:
        yield EXACT, 0


def _judged(
    settings: Settings, environment: tuple[str, str, int], classes: str, gamma: float, algorithm: str, seed: int
) -> pd.DataFrame:
    name, env_id, side = environment
    group = CLASSES[classes](side, side)
    if algorithm == EXACT:
        policies, mdp = exact_policies(settings, env_id, gamma, group)
    else:
        recorded = train(settings, env_id, gamma, group, algorithm, seed)
        policies, mdp = recorded.policies, recorded.mdp
    frame = judged(mdp, policies)
    for column, value in (
        *(("seed", seed), ("algorithm", algorithm), ("policies", classes)),
        *(("gamma", gamma), ("environment", name)),
    ):
        frame.insert(0, column, value)
    return frame


def train(settings: Settings, env_id: str, gamma: float, group: np.ndarray, algorithm: str, seed: int) -> Run:
    """One training with default networks, whose input is the class of the state."""
    import gymnasium as gym
    import sb3_contrib
    import stable_baselines3
    import torch
    from stable_baselines3.common.env_util import make_vec_env

    from trpo_theory.integrations.sb3 import PolicyRecorder

    def grouped(env: Any) -> Any:
        return gym.wrappers.TransformObservation(
            env, lambda state: int(group[state]), gym.spaces.Discrete(group.max() + 1)
        )

    torch.set_num_threads(1)
    kind = sb3_contrib.TRPO if algorithm == "TRPO" else getattr(stable_baselines3, algorithm)
    radius: dict[str, Any] = {"target_kl": settings.target_kl} if algorithm == "TRPO" else {}
    model = kind(
        "MlpPolicy",
        make_vec_env(env_id, settings.parallel, seed=seed, wrapper_class=grouped),
        n_steps=settings.steps // settings.parallel,
        batch_size=min(256, settings.steps),
        gamma=gamma,
        seed=seed,
        device="cpu",
        **radius,
    )
    recorder = PolicyRecorder(tt.load(f"gym:{env_id}", gamma=gamma), observations=group)
    model.learn(settings.updates * settings.steps, callback=recorder)
    return recorder.run()


def exact_policies(settings: Settings, env_id: str, gamma: float, group: np.ndarray) -> tuple[np.ndarray, tt.FiniteMDP]:
    """The policies of TRPO's step from the uniform one on, with exact advantages and visitation."""
    mdp = tt.load(f"gym:{env_id}", gamma=gamma)
    policies = [tt.uniform(mdp.available)]
    for _ in range(settings.exact):
        step = tt.update(mdp, policies[-1], shipped(settings.target_kl), aggregation=tt.StateAggregation(group))
        policies.append(step.policy)
    return np.array(policies), mdp


def judged(mdp: tt.FiniteMDP, policies: np.ndarray) -> pd.DataFrame:
    """One row an update: what it did, and whether each bound certifies it, new = old being kept where no action matters."""
    q = held_still(tt.compare(mdp, policies[:-1], policies[1:]))
    before, after = np.asarray(q.expected_return_old), np.asarray(q.expected_return_new)
    columns = {
        "index": np.arange(len(before)),
        "expected_return_old": before,
        "expected_return_new": after,
        "surrogate_gain": np.asarray(q.surrogate_gain),
        "mean_kl": np.asarray(q.mean_kl),
        "max_kl": np.asarray(q.max_kl),
        "reverse_max_chi2": np.asarray(q.reverse_max_chi2),
        "least_expected_advantage": np.where(np.asarray(q.visitation_old) > 0, q.expected_advantage, np.inf).min(0),
        "fell": before - after > _FELL * np.abs(before),
    }
    for bound in BOUNDS:
        promise = promised(tt.bounds.get(bound), q)
        columns[f"promise {bound}"] = promise.value
        columns[f"certified {bound}"] = promise.certified
    for bound, found in audit(mdp, policies).certificates.items():
        columns[f"share {bound}"] = found.share
    return pd.DataFrame(columns)


def summarised(frame: Any) -> pd.DataFrame:
    """One row an environment, discount and algorithm: shares of the updates."""
    rows = []
    for key, group in frame.groupby(_CELL, sort=False):
        certified = {bound: group[f"certified {bound}"].mean() for bound in SHOWN}
        rows.append(
            {
                **dict(zip(_CELL, key if isinstance(key, tuple) else (key,), strict=True)),
                "updates": len(group),
                "fell": group["fell"].mean(),
                "median_chi2": group["reverse_max_chi2"].median(),
                "median_share": group[f"share {ALLOWED}"].median(),
                **certified,
            }
        )
    return pd.DataFrame(rows)


_HEADINGS = {
    "gamma": (r"$\gamma$", "gamma"),
    "fell": (r"$\eta$ fell", "eta fell"),
    "median_chi2": (r"$\chi^2$", "chi-square"),
    "median_share": ("M2 allows", "M2 allows"),
    "chain-rule/kl": ("chain rule", "chain rule"),
    "chi2/expected-advantage": (r"$\chi^2$ (A')", "A'"),
    "chi2/time-resolved": ("(A2)", "A2"),
    "chi2/mean-max": ("(M2)", "M2"),
    "chi2/second-order": ("(M2+u)", "M2+u"),
    "transition/mean-max": (r"$P$ (M2)", "P M2"),
    "transition/second-order": (r"$P$ (M2+u)", "P M2+u"),
}


def tables(frames: dict[str, Any]) -> dict[str, Table]:
    """The one table, a row an environment, discount and algorithm."""
    shown = summarised(frames[""])
    words = (
        "Updates of training runs in which states share the policy of their class (rows, columns, 2x2 blocks), new = old where "
        "no action matters. Shares of the updates that lowered the return; medians of the largest chi-square of (new, old), and "
        "of the share t of an update for which (1 - t) old + t new is certified by M2; and shares certified by each bound: "
        "chain-rule/kl, chi2/expected-advantage (A'), time-resolved (A2), mean-max (M2), second-order (M2+u), and the last two "
        "again for transitions (P)."
    )
    digits = {name: 2 for name in shown if name not in ("environment", "algorithm", "updates")}
    return {NAME: Table(shown, caption=words, label=f"tab:{NAME}", headings=_HEADINGS, digits=digits)}


def figures(frames: dict[str, Any]) -> dict[str, Callable[[], Figure]]:
    """The shares that are certified, by bound."""
    return {f"{NAME}-shares": lambda: _draw(frames[""])}


def captions() -> dict[str, str]:
    """Two sentences a figure."""
    return {
        f"{NAME}-shares": "The share of the updates of real runs that each bound certifies, by algorithm and discount. "
        "The line is the share of updates that did not lower the return, which no certificate can exceed."
    }


def _draw(frame: Any) -> Figure:
    from trpo_theory.report import style

    gammas, algorithms = list(dict.fromkeys(frame["gamma"])), list(dict.fromkeys(frame["algorithm"]))
    with style.styled():
        figure = style.new_figure("page", ratio=0.36)
        grid = figure.subplots(1, len(gammas), sharey=True, squeeze=False)[0]
        for axes, gamma in zip(grid, gammas, strict=True):
            for k, algorithm in enumerate(algorithms):
                rows = frame[(frame["gamma"] == gamma) & (frame["algorithm"] == algorithm)]
                places = np.arange(len(SHOWN)) + (k - (len(algorithms) - 1) / 2) * 0.26
                shares = [rows[f"certified {bound}"].mean() for bound in SHOWN]
                look = {"color": style.COLOURS[k], "hatch": style.HATCHES[k], "edgecolor": "white", "lw": 0}
                axes.barh(places, shares, height=0.24, label=algorithm, **look)
                axes.axvline(1 - rows["fell"].mean(), color=style.COLOURS[k], lw=0.9, ls=style.DASHES[k])
            axes.set_title(f"γ = {gamma:g}")
            axes.set_xlim(0, 1)
            axes.set_yticks(range(len(SHOWN)), SHOWN)
            axes.set_ylim(len(SHOWN) - 0.5, -0.5)
            axes.tick_params(axis="y", length=0)
            axes.grid(visible=True, axis="x")
            axes.set_xlabel("share of the updates certified")
        figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(algorithms))
    return figure


def summary(frames: dict[str, Any]) -> str:
    """How many updates fell, the best and the first certificate's shares, and how many certified ones fell."""
    frame = frames[""]
    shares = {bound: frame[f"certified {bound}"].mean() for bound in SHOWN}
    wrong = sum(int((frame[f"certified {bound}"] & frame["fell"]).sum()) for bound in BOUNDS)
    return (
        f"{len(frame)} updates: {frame['fell'].mean():.1%} lower the return. "
        + ", ".join(f"{bound} certifies {share:.1%}" for bound, share in shares.items())
        + f". Of the certified ones {wrong or 'none'} lowered it."
    )


def passed(frames: dict[str, Any]) -> bool:
    """Whether no certified update lowers the return."""
    frame = frames[""]
    return not any((frame[f"certified {bound}"] & frame["fell"]).any() for bound in BOUNDS)
