"""`Audit`: what happened at each update of a run, as arrays, a DataFrame and a summary."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.model.shapes import Bool, Float, Int
from trpo_theory.model.types import RealLike
from trpo_theory.recorded.certificates import AuditedCertificate, best_of, frame_of

if TYPE_CHECKING:
    import pandas as pd

_PER_UPDATE = (
    *("expected_return_old", "expected_return_new", "return_change", "decreased", "surrogate", "surrogate_gain"),
    *("max_kl", "reverse_max_kl", "mean_kl", "reverse_mean_kl", "max_tv", "max_abs_advantage"),
    *("exact_mean_kl_gain", "mean_kl_share", "exact_mean_kl_return", "exact_max_kl_gain", "max_kl_share"),
    *("idle_occupancy", "acting_mean_kl", "reverse_acting_mean_kl"),
)


@dataclass(frozen=True, eq=False)
class AuditedBound:
    """A bound of the catalogue at each update: η(new) ≥ lower_bound.

    Attributes:
        id: its name, such as "trpo/kl".
        penalty, lower_bound, slack: as `BoundCheck` has them, (U,), in discounted reward.
        holds: slack ≥ 0 up to rounding.
        vacuous: lower_bound lies below the return of the worst policy.
    """

    id: str
    penalty: Float[np.ndarray, " U"]
    lower_bound: Float[np.ndarray, " U"]
    slack: Float[np.ndarray, " U"]
    holds: Bool[np.ndarray, " U"]
    vacuous: Bool[np.ndarray, " U"]


@dataclass(frozen=True, eq=False, repr=False)
class Audit:
    """The audit of a run. Arrays are (U,), one entry for each update, U = T − 1; returns in discounted reward, KL in nats.

    Attributes:
        expected_return_old, expected_return_new: η before and after.
        return_rounding: a bound on the rounding error of η(new) − η(old).
        surrogate, surrogate_gain: L_old(new), and L_old(new) − η(old).
        max_kl, mean_kl: KL(old‖new), the direction of arXiv:1502.05477; may be ∞.
        reverse_max_kl, reverse_mean_kl: KL(new‖old).
        max_tv: α.
        max_abs_advantage: ε of the old policy.
        exact_mean_kl_gain: the surrogate gain of the exact update (13) at δ = mean_kl; the greedy policy's where that is ∞.
        exact_mean_kl_gap: a bound on how much more any policy within the radius can gain (the certificate).
        exact_mean_kl_return: η after that exact update.
        exact_max_kl_gain: the surrogate gain of the exact update (12) at δ = max_kl; the greedy policy's where that is ∞.
        idle_occupancy: the share of d_old in states where no action matters.
        acting_mean_kl, reverse_acting_mean_kl: the mean under d_old over the other states, which rollouts average
            (without the discount) and a target constrains.
        bounds: by id.
        certificates: by the bound's id, which updates it certifies and how much of the others; empty if not asked for.
        worst_return, best_return: η of the worst and of the best policy of the MDP.
        gamma: the discount.
        held: whether policies were replaced by the uniform one in states where no action matters.
        target: the mean-KL that the run aimed at, nats; None if unknown.
        logged, about, renormalised: those of the `Run`.
    """

    expected_return_old: Float[np.ndarray, " U"]
    expected_return_new: Float[np.ndarray, " U"]
    return_rounding: Float[np.ndarray, " U"]
    surrogate: Float[np.ndarray, " U"]
    surrogate_gain: Float[np.ndarray, " U"]
    max_kl: Float[np.ndarray, " U"]
    reverse_max_kl: Float[np.ndarray, " U"]
    mean_kl: Float[np.ndarray, " U"]
    reverse_mean_kl: Float[np.ndarray, " U"]
    max_tv: Float[np.ndarray, " U"]
    max_abs_advantage: Float[np.ndarray, " U"]
    exact_mean_kl_gain: Float[np.ndarray, " U"]
    exact_mean_kl_gap: Float[np.ndarray, " U"]
    exact_mean_kl_return: Float[np.ndarray, " U"]
    exact_max_kl_gain: Float[np.ndarray, " U"]
    idle_occupancy: Float[np.ndarray, " U"]
    acting_mean_kl: Float[np.ndarray, " U"]
    reverse_acting_mean_kl: Float[np.ndarray, " U"]
    bounds: Mapping[str, AuditedBound]
    worst_return: float
    best_return: float
    gamma: float
    certificates: Mapping[str, AuditedCertificate] = field(default_factory=dict)
    held: bool = False
    target: float | None = None
    logged: Mapping[str, np.ndarray] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    renormalised: float = 0.0

    @property
    def updates(self) -> int:
        """U = T − 1."""
        return len(self.surrogate)

    @cached_property
    def return_change(self) -> Float[np.ndarray, " U"]:
        """η(new) − η(old), each from the policy's own value function."""
        return self.expected_return_new - self.expected_return_old

    @cached_property
    def decreased(self) -> Bool[np.ndarray, " U"]:
        """Whether η fell by more than rounding."""
        return self.return_change < -self.return_rounding

    @property
    def decreases(self) -> int:
        """How many updates lowered η, by more than rounding."""
        return int(self.decreased.sum())

    @property
    def failures(self) -> int:
        """How many times a bound of the catalogue failed by more than rounding: 0, unless a theorem or this library is wrong."""
        return sum(int((~bound.holds).sum()) for bound in self.bounds.values())

    @cached_property
    def mean_kl_share(self) -> Float[np.ndarray, " U"]:
        """The surrogate gain over that of the exact (13) at the same mean-KL, at most 1; NaN where nothing can be gained."""
        return _share(self.surrogate_gain, self.exact_mean_kl_gain)

    @cached_property
    def max_kl_share(self) -> Float[np.ndarray, " U"]:
        """The surrogate gain over that of the exact (12) at the same max-KL, at most 1; NaN where nothing can be gained."""
        return _share(self.surrogate_gain, self.exact_max_kl_gain)

    @property
    def worst(self) -> Int[np.ndarray, " U"]:
        """The indices of the updates, sorted by their change of η, the largest decrease first."""
        return np.argsort(self.return_change, kind="stable")

    def to_frame(self) -> pd.DataFrame:
        """One row for each update: every quantity, lower_bound and vacuous of each bound, certificates, the logged numbers."""
        import pandas as pd

        columns: dict[str, Any] = {"index": np.arange(self.updates)}
        columns |= {name: getattr(self, name) for name in _PER_UPDATE}
        for name, bound in self.bounds.items():
            columns |= {f"lower_bound {name}": bound.lower_bound, f"vacuous {name}": bound.vacuous}
        for name, found in self.certificates.items():
            columns |= {f"promise {name}": found.promise, f"certified share {name}": found.share}
        return pd.DataFrame(columns | {f"logged {name}": values for name, values in self.logged.items()})

    def bound_frame(self) -> pd.DataFrame:
        """One row for each bound, over all updates; shares are between 0 and 1.

        vacuous: the share of updates at which it lies below the return of the worst policy; promises: at which it lies above
        η(old); median_deficit: the median of (worst return − lower bound), in ranges from the worst to the best return, so
        that 10,000 means "vacuous by four orders of magnitude", ∞ where the bound says nothing; failures: their number.
        """
        import pandas as pd

        span = self.best_return - self.worst_return
        rows = [
            {
                "bound": name,
                "vacuous": float(bound.vacuous.mean()),
                "promises": float((bound.lower_bound > self.expected_return_old + self.return_rounding).mean()),
                "median_deficit": float(np.median(self.worst_return - bound.lower_bound)) / span
                if span > 0
                else math.nan,
                "failures": int((~bound.holds).sum()),
            }
            for name, bound in self.bounds.items()
        ]
        return pd.DataFrame(rows)

    @property
    def certified_by(self) -> tuple[str, ...]:
        """Of each update the id of the certificate that promises most, "" where none holds."""
        return best_of(self.certificates, self.updates)

    def certificate_frame(self) -> pd.DataFrame:
        """One row a certificate: the share of updates that it certifies; median and least share of an update that it allows."""
        return frame_of(self.certificates)

    def summary(self) -> pd.DataFrame:
        """The main results: one row for each quantity, with its value and its meaning."""
        import pandas as pd

        rows = [*self._of_returns(), *self._of_divergences(), *self._of_exact_updates()]
        return pd.DataFrame(rows, columns=["quantity", "value", "meaning"])

    def _of_returns(self) -> list[tuple[str, float, str]]:
        fall = float(self.return_change.min())
        span = self.best_return - self.worst_return
        return [
            ("updates", self.updates, "updates of the run"),
            ("decreases", self.decreases, "updates that lowered eta, by more than rounding"),
            ("decrease_share", self.decreases / self.updates, "their share"),
            ("worst_change", fall, "the worst change of eta in one update, discounted reward"),
            (
                "worst_change_share",
                fall / span if span > 0 else math.nan,
                "the same, in ranges of eta over all policies",
            ),
            ("expected_return_first", float(self.expected_return_old[0]), "eta of the first policy"),
            ("expected_return_last", float(self.expected_return_new[-1]), "eta of the last policy"),
            ("worst_return", self.worst_return, "eta of the worst policy there is"),
            ("best_return", self.best_return, "eta of the best policy there is"),
        ]

    @property
    def has_idle_states(self) -> bool:
        """Whether the run visits states where no action matters."""
        return bool((self.idle_occupancy > 0).any())

    def _of_divergences(self) -> list[tuple[str, float, str]]:
        directions = {"mean_kl": "KL(old||new), the paper's", "reverse_mean_kl": "KL(new||old)"}
        if self.has_idle_states:
            words = "over states where actions matter"
            directions |= {"acting_mean_kl": f"KL(old||new) {words}", "reverse_acting_mean_kl": f"KL(new||old) {words}"}
        rows = []
        for name, words in directions.items():
            values = getattr(self, name)
            rows.append((f"median_{name}", float(np.median(values)), f"median mean-KL of an update, {words}"))
            rows.append((f"max_{name}", float(values.max()), f"largest mean-KL of an update, {words}"))
        rows += [
            ("max_max_kl", float(self.max_kl.max()), "largest max-KL of an update, KL(old||new)"),
            ("max_reverse_max_kl", float(self.reverse_max_kl.max()), "largest max-KL of an update, KL(new||old)"),
        ]
        if self.has_idle_states:
            rows.append(("median_idle_occupancy", float(np.median(self.idle_occupancy)), self._of_idle()))
        if self.target is None:
            return rows
        rows.append(("target", self.target, "the mean-KL that the run aimed at"))
        for name, words in directions.items():
            excess = getattr(self, name) / self.target
            rows.append((f"exceeded_{name}", float((excess > 1).mean()), f"share of updates beyond it in {words}"))
            rows.append((f"excess_{name}", float(excess.max()), f"the largest, in targets, in {words}"))
        return rows

    def _of_idle(self) -> str:
        words = "median share of the weight of mean-KL in states where no action matters"
        return f"{words}, held still here" if self.held else words

    def _of_exact_updates(self) -> list[tuple[str, float, str]]:
        return [
            (
                "mean_kl_share",
                _median(self.mean_kl_share),
                "median share of the exact (13)'s gain on L at the same mean-KL",
            ),
            (
                "max_kl_share",
                _median(self.max_kl_share),
                "median share of the exact (12)'s gain on L at the same max-KL",
            ),
            (
                "exact_return_advantage",
                _median(self.exact_mean_kl_return - self.expected_return_new),
                "median of eta after the exact (13), less eta after the update",
            ),
        ]

    def __repr__(self) -> str:
        return (
            f"Audit(updates={self.updates}, decreases={self.decreases}, "
            f"expected_return={self.expected_return_old[0]:.10g} -> {self.expected_return_new[-1]:.10g}, "
            f"max_mean_kl={self.mean_kl.max():.4g}, max_reverse_mean_kl={self.reverse_mean_kl.max():.4g}, "
            f"bounds={len(self.bounds)}, failures={self.failures})"
        )


def _share(made: np.ndarray, possible: np.ndarray) -> np.ndarray:
    some = possible > 0
    return np.where(some, made / np.where(some, possible, 1.0), np.nan)


def _median(values: np.ndarray) -> float:
    """The median of the entries that are not NaN; NaN if there is none."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else math.nan


def checked_target(target: RealLike) -> float:
    """A mean-KL above 0, in nats."""
    return _checks.number_between(target, "target", 1e-300, 1e300)
