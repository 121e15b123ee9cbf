"""Real training runs, audited: TRPO and PPO of Stable-Baselines3 on toy text, what each update really did."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from experiments.contract import no_captions, no_figures
from trpo_theory.io import Run
from trpo_theory.recorded import audit
from trpo_theory.report import Table

NAME = "audit-runs"
TITLE = "Real training runs, audited"
LEAD = (
    "TRPO and PPO of Stable-Baselines3, trained with default networks on toy text, where the MDP is known: every update is "
    "recomputed exactly, and set beside what it was meant to be and what the bounds promise of it."
)
SHOWN = ("trpo/kl", "pinsker/kl", "chain-rule/kl", "cpo/mean-kl")
"""The bounds that the table shows; the audit checks all true ones."""
TERMINAL_PARTS = (range(10), (0, 1, *range(10, 16)))
_LOGGED_KL = ("kl_divergence_loss", "approx_kl")
_CELL = ["environment", "gamma", "algorithm"]


@dataclass(frozen=True)
class Settings:
    """What is trained: each algorithm on each environment with each seed, `updates` updates of `steps` steps.

    Both are given the same radius target_kl; Stable-Baselines3's own default for PPO is none. A rollout is that of
    `parallel` copies of the environment. One thread a training, so that the same machine gives the same numbers.
    """

    environments: tuple[tuple[str, str], ...] = (
        ("FrozenLake 4x4", "FrozenLake-v1"),
        ("CliffWalking", "CliffWalking-v1"),
        ("Taxi", "Taxi-v4"),
    )
    algorithms: tuple[str, ...] = ("TRPO", "PPO")
    gammas: tuple[float, ...] = (0.99,)
    seeds: tuple[int, ...] = (0, 1, 2)
    updates: int = 30
    steps: int = 2048
    parallel: int = 16
    target_kl: float = 0.01
    jobs: int = 2


def quick(settings: Settings) -> Settings:
    """FrozenLake, one seed each, short."""
    return replace(settings, environments=settings.environments[:1], seeds=(0,), updates=6, steps=1024, jobs=1)


def missing() -> str | None:
    """What to install where the trainings cannot be run; None where they can."""
    try:
        import sb3_contrib  # noqa: F401

        import trpo_theory.integrations.sb3  # noqa: F401
    except ImportError as error:
        return f"{error}" if "[sb3]" in str(error) else f"{error}; fix: python -m pip install '.[sb3]'"
    return None


def total(settings: Settings) -> int:
    """Environments and discounts."""
    return len(settings.environments) * len(settings.gammas)


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> dict[str, pd.DataFrame]:
    """One row an update of every training; advance() is called after each environment and discount."""
    from joblib import Parallel, delayed

    frames: list[Any] = []
    with Parallel(n_jobs=min(settings.jobs, os.cpu_count() or 1)) as parallel:
        for (name, env_id), gamma in itertools.product(settings.environments, settings.gammas):
            kinds = itertools.product(settings.algorithms, settings.seeds)
            frames.extend(parallel(delayed(_audited)(settings, name, env_id, gamma, *kind) for kind in kinds))
            advance()
    return {"": pd.concat(frames, ignore_index=True)}


def train(settings: Settings, env_id: str, gamma: float, algorithm: str, seed: int) -> Run:
    """One training, with default networks and learning rates."""
    import sb3_contrib
    import stable_baselines3
    import torch
    from stable_baselines3.common.env_util import make_vec_env

    from trpo_theory.integrations.sb3 import PolicyRecorder

    torch.set_num_threads(1)
    kind = sb3_contrib.TRPO if algorithm == "TRPO" else getattr(stable_baselines3, algorithm)
    model = kind(
        "MlpPolicy",
        make_vec_env(env_id, settings.parallel, seed=seed),
        n_steps=settings.steps // settings.parallel,
        batch_size=min(256, settings.steps),
        gamma=gamma,
        target_kl=settings.target_kl,
        seed=seed,
        device="cpu",
    )
    recorder = PolicyRecorder()
    model.learn(settings.updates * settings.steps, callback=recorder)
    return recorder.run()


def _audited(settings: Settings, name: str, env_id: str, gamma: float, algorithm: str, seed: int) -> pd.DataFrame:
    frame = updates_of(train(settings, env_id, gamma, algorithm, seed))
    for column, value in (("seed", seed), ("algorithm", algorithm), ("gamma", gamma), ("environment", name)):
        frame.insert(0, column, value)
    frame["target_kl"] = settings.target_kl
    return frame


def updates_of(run: Run) -> pd.DataFrame:
    """The audit of a run, one row an update.

    Where an episode is over nobody asks the policy, and nothing depends on it; a network moves there all the same. Its
    rows are held in these states, so that no divergence is charged to them.
    """
    audited = audit(run, hold_idle=True)
    frame = audited.to_frame()
    kept = [name for name in frame if not name.startswith(("lower_bound ", "vacuous ", "logged "))]
    frame = pd.DataFrame(frame[[*kept, *(f"lower_bound {bound}" for bound in SHOWN)]])
    frame["logged_kl"] = next(iter(run.logged[name] for name in _LOGGED_KL if name in run.logged))
    frame["worst_return"], frame["best_return"] = audited.worst_return, audited.best_return
    frame["failing_bounds"] = sum((~bound.holds).astype(int) for bound in audited.bounds.values())
    return frame


def summarised(frame: pd.DataFrame) -> pd.DataFrame:
    """One row an environment, discount and algorithm: the table's numbers, unrounded."""
    rows = []
    for key, group in frame.groupby(_CELL, sort=False):
        span = group["best_return"] - group["worst_return"]
        row = {
            **dict(zip(_CELL, key if isinstance(key, tuple) else (key,), strict=True)),
            "updates": len(group),
            "first_return": group[group["index"] == 0]["expected_return_old"].mean(),
            "last_return": group[group["index"] == group["index"].max()]["expected_return_new"].mean(),
            "best_return": group["best_return"].mean(),
            "share_decreased": group["decreased"].mean(),
            "worst_change": group["return_change"].min(),
            "share_exceeded": (group["acting_mean_kl"] > group["target_kl"]).mean(),
            "largest_excess": (group["acting_mean_kl"] / group["target_kl"]).max(),
            "share_exceeded_13": (group["mean_kl"] > group["target_kl"]).mean(),
            "median_share_of_13": group["mean_kl_share"].median(),
        }
        deficit = {bound: (group["worst_return"] - group[f"lower_bound {bound}"]) / span for bound in SHOWN}
        rows.append(row | {bound: values.median() for bound, values in deficit.items()})
    return pd.DataFrame(rows)


_HEADINGS = {
    "first_return": (r"first $\eta$", "first eta"),
    "last_return": (r"last $\eta$", "last eta"),
    "best_return": (r"best $\eta$", "best eta"),
    "share_decreased": (r"$\eta$ fell", "eta fell"),
    "worst_change": ("worst change", "worst change"),
    "share_exceeded": (r"$\bar D > \delta$", "KL > target"),
    "largest_excess": (r"max $\bar D/\delta$", "max KL / target"),
    "share_exceeded_13": (r"(13) $> \delta$", "(13) > target"),
    "median_share_of_13": ("of (13)", "gain of (13)"),
}


def tables(frames: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """The one table, a row an environment and algorithm."""
    frame = frames[""]
    shown = summarised(frame)
    if len(set(shown["gamma"])) == 1:
        shown = shown.drop(columns="gamma")
    target = ", ".join(f"{target:g}" for target in sorted(set(frame["target_kl"])))
    gammas = ", ".join(f"{gamma:g}" for gamma in sorted(set(frame["gamma"])))
    caption = (
        f"Training runs of Stable-Baselines3 ({frame['seed'].nunique()} seeds, gamma = {gammas}, target_kl = {target}), every "
        "update recomputed exactly. Mean over seeds of the first and last eta; the share of updates that lowered eta, and the "
        "worst change. KL: the mean of KL(old, new) under the discounted visitation of old over the states in which the run "
        "acts; how often it exceeds the target, and at most how many times it is the target. (13): its own mean-KL, which "
        "counts the time after an episode's end too, at 0. Gain of (13): the median share of the surrogate gain that the exact "
        "update has at the same mean-KL. Bounds: the median of (worst return of any policy - M) over (best - worst return); "
        "where it is positive, M lies below what any policy could have, by so many times the whole range."
    )
    digits = {name: 3 for name in shown if name not in ("environment", "algorithm", "updates")}
    return {NAME: Table(shown, caption=caption, label=f"tab:{NAME}", headings=_HEADINGS, digits=digits)}


figures = no_figures


captions = no_captions


def summary(frames: dict[str, pd.DataFrame]) -> str:
    """What all runs together say, in a line."""
    frame = frames[""]
    exceeded = (frame["acting_mean_kl"] > frame["target_kl"]).mean()
    values = frame[[f"lower_bound {bound}" for bound in SHOWN]].to_numpy()
    vacuous = np.count_nonzero(values < frame[["worst_return"]].to_numpy())
    failing = frame["failing_bounds"].to_numpy().sum()
    return (
        f"{len(frame)} updates of {frame.groupby([*_CELL, 'seed']).ngroups} runs: {frame['decreased'].mean():.1%} lower eta, "
        f"{exceeded:.1%} exceed the target in mean KL(old, new). Of {len(SHOWN)} bounds an update, {vacuous} of {values.size} "
        f"lie below the worst return of any policy. {f'{failing} bounds FAIL' if failing else 'All true bounds hold'}."
    )


def passed(frames: dict[str, pd.DataFrame]) -> bool:
    """Whether every true bound holds on every update, and none gains more than the exact (13) at its mean-KL."""
    frame = frames[""]
    share = frame["mean_kl_share"].to_numpy()
    return not frame["failing_bounds"].to_numpy().any() and not (share > 1 + 1e-9).any()
