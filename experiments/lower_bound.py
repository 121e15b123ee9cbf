"""The lower bound on real environments: eta(old), L, eta(new), max-KL, and each bound's value and slack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import trpo_theory as tt
from trpo_theory.report import Table, show

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "lower-bound"
TITLE = "The lower bound on real environments"
LEAD = (
    r"Every bound of the catalogue says $\eta(\tilde\pi) \ge M = L_\pi(\tilde\pi) - \text{penalty}$. Here each is computed on "
    "environments of Gymnasium, for steps from small to nearly optimal, with its slack over what the step really does."
)
SHOWN = ("trpo/tv", "trpo/kl", "pinsker/kl", "coupling/tv", "chain-rule/kl", "cpo/mean-tv", "cpo/mean-kl")
"""The bounds that the tables show; all of the catalogue are checked."""
HOLDS, FAILS, SAYS_NOTHING, NOT_RUN = "holds", "FAILS", "says nothing", "not run"
"""What came of a bound on a step: where its penalty is infinite it says nothing, and some are too costly for many states."""
TERMINAL_PARTS = (range(6), (0, 1, *range(6, 13)))
"""The columns that are printed side by side: a table of thirteen is for paper."""


@dataclass(frozen=True)
class Settings:
    """What is run: `environments` by the name that the tables use, and steps from old towards optimal by weight.

    Old is the even mixture of the uniform and the optimal policy, so that it is good but can be improved everywhere; new
    moves `steps` of the way to the optimal policy, or (a negative step) to the uniform one.
    """

    environments: tuple[tuple[str, str], ...] = (
        ("FrozenLake 4x4", "gym:FrozenLake-v1"),
        ("FrozenLake 4x4, not slippery", "gym:FrozenLake-v1?is_slippery=false"),
        ("FrozenLake 8x8", "gym:FrozenLake-v1?map_name=8x8"),
        ("CliffWalking", "gym:CliffWalking-v1"),
        ("CliffWalking, slippery", "gym:CliffWalkingSlippery-v1"),
        ("Taxi", "gym:Taxi-v4"),
        ("Taxi, rainy", "gym:Taxi-v4?is_rainy=true"),
    )
    gammas: tuple[float, ...] = (0.5, 0.9, 0.99)
    steps: tuple[float, ...] = (1e-4, 1e-2, 0.1, 0.5, 0.9, -0.5)


def quick(settings: Settings) -> Settings:
    """Fewer rows, every environment."""
    return replace(settings, gammas=(0.9, 0.99), steps=(1e-4, 0.1, -0.5))


def total(settings: Settings) -> int:
    """Environments and discounts."""
    return len(settings.environments) * len(settings.gammas)


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> dict[str, pd.DataFrame]:
    """One row an environment, discount and step; advance() is called after each environment and discount."""
    rows = []
    for name, source in settings.environments:
        for gamma in settings.gammas:
            mdp = tt.load(source, gamma=gamma)
            uniform, optimal = tt.uniform(mdp.available), tt.optimal(mdp).policy
            old = tt.mixture(uniform, optimal, 0.5)
            for step in settings.steps:
                new = tt.mixture(old, optimal if step > 0 else uniform, abs(step))
                rows.append({"environment": name, "gamma": gamma, "step": step, **_row(tt.compare(mdp, old, new))})
            advance()
    return {"": pd.DataFrame(rows)}


def _row(q: tt.Quantities) -> dict[str, float | str]:
    row: dict[str, float | str] = {
        "expected_return_old": float(q.expected_return_old),
        "surrogate": float(q.surrogate),
        "expected_return_new": float(q.expected_return_new),
        "max_kl": float(q.max_kl),
    }
    checks = {check.id: check for check in tt.bounds.check_all(q)}
    for bound in tt.bounds.plain():
        check = checks.get(bound)
        row[f"{bound} value"] = float(check.lower_bound) if check else -np.inf
        row[f"{bound} penalty"] = float(check.penalty) if check else np.inf
        row[f"{bound} slack"] = float(check.slack) if check else np.inf
        row[f"{bound} verdict"] = _verdict(check) if check else NOT_RUN
    return row


def _verdict(check: tt.bounds.BoundCheck) -> str:
    if check.says_nothing:
        return SAYS_NOTHING
    return HOLDS if check.holds else FAILS


def tables(frames: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """For each environment, by file name, its table: a cell of a bound is its value M over its slack; then all bounds."""
    out = {}
    for name, rows in frames[""].groupby("environment", sort=False):
        slug = "".join(c if c.isalnum() else "-" for c in str(name).lower()).replace("--", "-")
        out[f"{NAME}-{slug}"] = Table(
            _presented(rows),
            caption=f"{name}: the lower bounds $M$ on $\\eta(\\tilde\\pi)$, below each its slack $\\eta(\\tilde\\pi) - M$ "
            "in brackets, for steps from halfway between the uniform and the optimal policy towards the optimal one (negative: "
            "the uniform one).",
            label=f"tab:{NAME}-{slug}",
            headings={**_HEADINGS, **{bound: (_stacked(bound), bound) for bound in SHOWN}},
            digits={"gamma": 2, "step": 1, "max_kl": 3},
        )
    out[f"{NAME}-bounds"] = _all_bounds(frames[""])
    return out


def _all_bounds(frame: pd.DataFrame) -> Table:
    rows: Any = by_bound(frame)
    return Table(
        rows,
        caption=f"All bounds on {len(frame)} steps in {frame['environment'].nunique()} environments: on how many each is "
        "checked and promises an improvement, and the largest share of its penalty that a step uses.",
        label=f"tab:{NAME}-bounds",
        headings={
            "promises": ("$M > \\eta(\\pi)$", "M > eta(old)"),
            "fails": ("fails", "fails"),
            "most_used": ("most used", "most used"),
        },
        digits={"most_used": 3},
        mark=tuple((k, "most_used") for k, used in enumerate(rows["most_used"]) if used == rows["most_used"].max()),
    )


def by_bound(frame: Any) -> pd.DataFrame:
    """One row a bound: 1 − slack/penalty is the share of the penalty that a step uses, at most 1 if M is a bound."""
    rows = []
    for bound in (str(name).removesuffix(" verdict") for name in frame if str(name).endswith(" verdict")):
        seen = frame[frame[f"{bound} verdict"].isin((HOLDS, FAILS))]
        used = 1 - seen[f"{bound} slack"] / seen[f"{bound} penalty"]
        rows.append(
            {
                "bound": bound,
                "checked": len(seen),
                "fails": int((seen[f"{bound} verdict"] == FAILS).sum()),
                "promises": int((seen[f"{bound} value"] > seen["expected_return_old"]).sum()),
                "most_used": float(used.max()),
            }
        )
    return pd.DataFrame(rows)


def figures(frames: dict[str, pd.DataFrame]) -> dict[str, Callable[[], Figure]]:
    """How often each bound promises an improvement."""
    from trpo_theory.report.figures import bars

    rows: Any = by_bound(frames[""])
    rows = rows[rows["checked"] == rows["checked"].max()].sort_values("promises", ascending=False, kind="stable")
    rows = rows.assign(share=100 * rows["promises"] / rows["checked"])
    return {
        f"{NAME}-promises": lambda: bars(
            rows, "bound", "share", xlabel="", ylabel="steps with M > η(old), %", ratio=1.15
        )
    }


def blocks(frames: dict[str, pd.DataFrame]) -> list[Any]:
    """The table of all bounds, and behind a line those of each environment."""
    from experiments.report import Folded

    *environments, bounds = tables(frames).values()
    return [bounds, Folded("Every step in every environment: seven bounds, each over its slack", environments)]


def captions() -> dict[str, str]:
    """What the figure shows."""
    return {
        f"{NAME}-promises": "The share of steps on which a bound promises an improvement, for the bounds that are checked on all "
        "of them. A longer bar is a bound of more use; two thirds of the steps or more go towards the optimal policy.",
    }


_HEADINGS = {
    "gamma": (r"$\gamma$", "gamma"),
    "step": ("step", "step"),
    "expected_return_old": (r"$\eta(\pi)$", "eta(old)"),
    "surrogate": (r"$L_\pi(\tilde\pi)$", "L"),
    "expected_return_new": (r"$\eta(\tilde\pi)$", "eta(new)"),
    "max_kl": (r"$D_{\mathrm{KL}}^{\max}$", "max-KL"),
}


def _stacked(bound: str) -> str:
    paper, _, divergence = bound.partition("/")
    return rf"\shortstack[r]{{{paper}\\/{divergence}}}"


def _presented(rows: pd.DataFrame) -> pd.DataFrame:
    """Two lines a step: its numbers with each bound's value M, and below M its slack in brackets."""
    lines = []
    for row in rows.to_dict("records"):
        first = {name: row[name] for name in _HEADINGS}
        second = dict.fromkeys(_HEADINGS, "")
        for bound in SHOWN:
            first[bound] = show(row[f"{bound} value"], 3)
            second[bound] = f"({show(row[f'{bound} slack'], 2)})"
        lines += [first, second]
    return pd.DataFrame(lines)


def summary(frames: dict[str, pd.DataFrame]) -> str:
    """What the run says of every bound of the catalogue on every step, in a line."""
    frame: Any = frames[""]
    verdict, value = _columns(frame, "verdict"), _columns(frame, "value")
    checked = np.isin(verdict, (HOLDS, FAILS))
    useful = checked & (value > frame[["expected_return_old"]].to_numpy())
    failed, silent, left_out = (int((verdict == word).sum()) for word in (FAILS, SAYS_NOTHING, NOT_RUN))
    return (
        f"{checked.sum()} bounds checked on {frame['environment'].nunique()} environments: "
        f"{f'{failed} FAIL' if failed else 'all hold'}. "
        f"{useful.sum()} of them promise an improvement (M > eta(old)). "
        f"Not counted: {silent} that say nothing (hypotheses not met, or an infinite penalty), "
        f"{left_out} not run (too many states)."
    )


def _columns(frame: pd.DataFrame, what: str) -> np.ndarray:
    """Of every bound, (rows, bounds)."""
    return frame[[name for name in frame if str(name).endswith(f" {what}")]].to_numpy()


def passed(frames: dict[str, pd.DataFrame]) -> bool:
    """Whether no bound fails."""
    return not bool((_columns(frames[""], "verdict") == FAILS).any())
