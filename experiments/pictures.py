"""Pictures for lectures: the square of policies with every update's step on it, and the value polytope with their paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import trpo_theory as tt
from trpo_theory import landscape
from trpo_theory.report import Table
from trpo_theory.report.front import POLYTOPE, SQUARE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "pictures"
TITLE = "Two states, all policies"
LEAD = (
    "Every policy of a two-state, two-action MDP is a point of a square, and its value a point of a polygon. Both show what "
    r"the three problems make of $\eta$, of $L$ and of the trust region, as the explorer above does for any such MDP."
)
PROBLEMS = {
    "(11)": lambda row: tt.Penalty(bound=row["bound"]),
    "(12)": lambda row: tt.MaxKL(float(row["delta"])),
    "(13)": lambda row: tt.MeanKL(float(row["delta"])),
}


@dataclass(frozen=True)
class Settings:
    """The two pictures, each of a two-state MDP of the zoo.

    Attributes:
        square, square_gamma, old, square_delta: the MDP, the probabilities of the first action in each state under the old
            policy, and the radius of (12) and (13), nats.
        polytope, polytope_gamma, polytope_delta, updates: likewise; the paths begin at the uniform policy.
        bound: whose penalty (11) takes.
    """

    square: str = "zoo:kakade"
    square_gamma: float = 0.8
    old: tuple[float, float] = (0.45, 0.4)
    square_delta: float = 0.05
    polytope: str = "zoo:kakade"
    polytope_gamma: float = 0.9
    polytope_delta: float = 0.1
    updates: int = 12
    bound: str = "chain-rule/kl"


def quick(settings: Settings) -> Settings:
    """All of it: it takes seconds."""
    return settings


def total(settings: Settings) -> int:
    """The steps of the square, and the paths."""
    return 2 * len(PROBLEMS)


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> dict[str, pd.DataFrame]:
    """One row a step of the square, and one a policy of each path; both say what they are of."""
    mdp = tt.load(settings.square, gamma=settings.square_gamma)
    old = np.stack([settings.old, 1 - np.array(settings.old)], axis=-1)
    of: dict[str, Any] = {
        **{"mdp": settings.square, "gamma": settings.square_gamma, "delta": settings.square_delta},
        **{"bound": settings.bound, "old_0": settings.old[0], "old_1": settings.old[1]},
    }
    steps = []
    for name, problem in PROBLEMS.items():
        new = tt.update(mdp, old, problem(of)).policy
        q = tt.compare(mdp, old, new)
        steps.append(
            {
                **of,
                "step": name,
                "new_0": float(new[0, 0]),
                "new_1": float(new[1, 0]),
                "expected_return_old": float(q.expected_return_old),
                "surrogate": float(q.surrogate),
                "lower_bound": float(tt.bounds.get(settings.bound).lower_bound(q)),
                "expected_return_new": float(q.expected_return_new),
                "max_kl": float(q.max_kl),
                "mean_kl": float(q.mean_kl),
            }
        )
        advance()
    mdp = tt.load(settings.polytope, gamma=settings.polytope_gamma)
    of = {"mdp": settings.polytope, "gamma": settings.polytope_gamma, "delta": settings.polytope_delta}
    of["bound"] = settings.bound
    paths = []
    for name, problem in PROBLEMS.items():
        policies = landscape.improvement_path(mdp, problem(of), settings.updates)
        value = tt.evaluate(mdp, policies).value
        for index, policy in enumerate(policies):
            paths.append(
                {
                    **of,
                    **{"path": name, "update": index, "policy_0": float(policy[0, 0]), "policy_1": float(policy[1, 0])},
                    **{"value_0": float(value[index, 0]), "value_1": float(value[index, 1])},
                }
            )
        advance()
    return {"square": pd.DataFrame(steps), "polytope": pd.DataFrame(paths)}


def tables(frames: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """The numbers of the square's steps."""
    frame: Any = frames["square"]
    of = frame.iloc[0]
    shown = frame[["step", "new_0", "new_1", "surrogate", "lower_bound", "expected_return_new", "max_kl", "mean_kl"]]
    return {
        f"{NAME}-steps": Table(
            shown,
            caption=f"The steps of the policy square: {of['mdp']} at discount {of['gamma']:g}, from the policy that takes the "
            f"first action with probabilities {of['old_0']:g} and {of['old_1']:g}, whose return is "
            f"{of['expected_return_old']:.4f}; the radius of (12) and (13) is {of['delta']:g} nats, (11) and M have the penalty "
            f"of {of['bound']}.",
            label=f"tab:{NAME}-steps",
            headings={
                "new_0": ("state 0", "state 0"),
                "new_1": ("state 1", "state 1"),
                "surrogate": (r"$L_\pi(\tilde\pi)$", "L"),
                "lower_bound": ("$M$", "M"),
                "expected_return_new": (r"$\eta(\tilde\pi)$", "eta(new)"),
                "max_kl": (r"$D_{\mathrm{KL}}^{\max}$", "max-KL"),
                "mean_kl": (r"$\bar D_{\mathrm{KL}}$", "mean-KL"),
            },
            digits={"max_kl": 3, "mean_kl": 3},
        )
    }


def figures(frames: dict[str, pd.DataFrame]) -> dict[str, Callable[[], Figure]]:
    """The square and the polytope."""
    return {
        f"{NAME}-square": lambda: _square(frames["square"]),
        f"{NAME}-polytope": lambda: _polytope(frames["polytope"]),
    }


def _square(frame: Any) -> Figure:
    from trpo_theory.report.policy_square import policy_square

    of = frame.iloc[0]
    first = np.array([of["old_0"], of["old_1"]], dtype=float)
    mdp = tt.load(str(of["mdp"]), gamma=float(of["gamma"]))
    return policy_square(mdp, np.stack([first, 1 - first], axis=-1), float(of["delta"]))


def _polytope(frame: Any) -> Figure:
    from trpo_theory.report.value_polytope import value_polytope

    of = frame.iloc[0]
    paths = {}
    for name, rows in frame.groupby("path", sort=False):
        first = rows[["policy_0", "policy_1"]].to_numpy()
        paths[str(name)] = np.stack([first, 1 - first], axis=-1)
    return value_polytope(tt.load(str(of["mdp"]), gamma=float(of["gamma"])), paths)


def captions() -> dict[str, str]:
    """Two sentences on each figure."""
    return {
        f"{NAME}-square": SQUARE,
        f"{NAME}-polytope": POLYTOPE,
    }


def blocks(frames: dict[str, pd.DataFrame]) -> list[Any]:
    """The table, with the problems' names."""
    from trpo_theory.report.names import with_names
    from trpo_theory.report.page import Shown

    (table,) = tables(frames).values()
    return [Shown(with_names(table))]


def summary(frames: dict[str, pd.DataFrame]) -> str:
    """What the step of (11) is sure to gain, and what the three gain."""
    gains = frames["square"]["expected_return_new"] - frames["square"]["expected_return_old"]
    sure = frames["square"]["lower_bound"].iloc[0] - frames["square"]["expected_return_old"].iloc[0]
    listed = ", ".join(f"{name} {gain:.3g}" for name, gain in zip(frames["square"]["step"], gains, strict=True))
    return f"In the square the steps gain {listed}; of (11) {sure:.3g} is promised beforehand."


def passed(frames: dict[str, pd.DataFrame]) -> bool:
    """Whether M is below the return at each step, (12) and (13) keep their radius, and no path loses value."""
    square: Any = frames["square"]
    polytope: Any = frames["polytope"]
    below = (square["lower_bound"] <= square["expected_return_new"] + 1e-12).all()
    kept = (square.loc[square["step"] == "(12)", "max_kl"] <= square["delta"].iloc[0] * (1 + 1e-9)).all()
    kept &= (square.loc[square["step"] == "(13)", "mean_kl"] <= square["delta"].iloc[0] * (1 + 1e-9)).all()
    rises = polytope.groupby("path")[["value_0", "value_1"]].diff().fillna(0.0).to_numpy()
    return bool(below and kept and (rises >= -1e-9).all())
