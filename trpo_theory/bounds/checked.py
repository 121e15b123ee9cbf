"""`BoundCheck`: a bound's numbers on an instance, and the float error of its slack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trpo_theory.bounds.formulas import Numbers, Truth
from trpo_theory.entries.kinds import each_of
from trpo_theory.step.quantities import Quantities

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs] - pandas has no stubs

_SUMMED_IN_ORDER = 32
"""The most terms that NumPy and BLAS add one after the other, with room: longer sums are blocked or pairwise, and their error
grows with the logarithm of their length (measured: never above this in tests/bounds)."""

_FURTHER_STEPS = 4
"""Roundings of a term beside its sum: two products, a difference and the final subtraction."""

_SOLVE = 4
"""A solve's error in units of n ε/(1 − γ): a factorisation, two substitutions, and the right-hand side, each once."""


@dataclass(frozen=True, eq=False)
class BoundCheck:
    """A bound's numbers on an instance, or (*batch) on each of a batch; in discounted reward.

    Attributes:
        id: of the bound.
        penalty, lower_bound, slack: as `Bound` computes them; slack = η(new) − lower_bound.
        rounding: the most that float error makes of a slack that is 0.
    """

    id: str
    penalty: Numbers
    lower_bound: Numbers
    slack: Numbers
    rounding: Numbers

    @property
    def holds(self) -> Truth:
        """Whether slack ≥ 0, up to rounding: in floats the sign of a slack within ± rounding is not decided."""
        return self.slack >= -self.rounding

    @property
    def says_nothing(self) -> Truth:
        """Whether the penalty is infinite: hypotheses that fail, or a divergence that is infinite."""
        return np.isinf(np.asarray(self.penalty, dtype=np.float64))[()]


def _unit(q: Quantities) -> Numbers:
    """n ε, the relative error of a sum of n products, times that of a solve but for its 1/(1 − γ)."""
    terms = min(len(q.value), _SUMMED_IN_ORDER) + _FURTHER_STEPS
    return _SOLVE * terms * float(np.finfo(np.float64).eps)


def gap_rounding(q: Quantities) -> Numbers:
    """A bound on the float error of η(new) − L = Σ_s (ρ_new − ρ_old)(s) Ā(s), (*batch).

    Both solves are relatively accurate to u = n ε/(1 − γ), norm-wise, n ε being that of a sum of n = min(S, 32) products
    (the 32: blocked and pairwise sums), and A_old inherits max|V| u, V
    less a constant that all rewards are close to (`relative_value`). Each term moves by no more than its factors do:
        4 u · Σ_s |ρ_new − ρ_old|(s) · max_s 2 TV(s) · (ε_A + max|V|).
    The right-hand side γ (P_new − P_old)ᵀ ρ_old of the first solve may cancel, and rows as stored sum to 1 only to a
    defect δ = max_s |Σ_a (new − old)(a|s)|, while the theorems assume rows that do:
        γ/(1 − γ)² (8 n ε α + 2 δ) ε' + 2 δ ε_A Σ_s |ρ_new − ρ_old|(s).
    """
    return _moves_rounding(q, 2 * q.max_tv * _advantage_size(q), q.max_abs_expected_advantage, q.max_abs_advantage)


def _advantage_size(q: Quantities) -> Numbers:
    """ε + max|V|, what the error of A_old is relative to."""
    return q.max_abs_advantage + q.max_s(abs(q.relative_value))


def _moves_rounding(q: Quantities, error: Numbers, largest: Numbers, summed: Numbers) -> Numbers:
    """The float error of Σ_s (ρ_new − ρ_old)(s) f(s), (*batch).

    Args:
        q: of the step.
        error: of f, in units of a solve's.
        largest: max|f|, which the cancelled part of ρ_new − ρ_old meets.
        summed: what of f a defect δ of the rows' sums is multiplied with.
    """
    unit = _unit(q)
    moved = q.sum_s(abs(q.visitation_change))
    defect = 2 * q.max_s(abs(q.sum_a(q.new - q.old)))
    cancelled = q.gamma * q.longest**2 * (2 * unit * q.max_tv + defect) * largest
    return unit * q.longest * moved * error + cancelled + defect * summed * moved


def residual_rounding(q: Quantities, residual: Numbers) -> Numbers:
    """A bound on the float error of Σ_s (ρ_new − ρ_old)(s) δ(s), as `gap_rounding`, for the residual δ of a critic W.

    δ itself is Ā less (I − γ P_new) u, u = W − V_old, so |u| ≤ (max|δ| + max|Ā|)/(1 − γ), each computed to unit · |u|.
    """
    size, largest = _advantage_size(q), q.max_s(abs(residual))
    critic = (largest + 2 * q.max_tv * size) * q.longest
    return _moves_rounding(q, largest + 2 * critic, largest, critic + size)


def shift_rounding(q: Quantities) -> Numbers:
    """A bound on the float error of a sum of Ā over visitations that add up to at most 2/(1 − γ), (*batch)."""
    return _unit(q) * q.longest**2 * 4 * q.max_tv * _advantage_size(q)


def to_frame(checks: Iterable[BoundCheck]) -> pd.DataFrame:
    """One row a bound (of one instance): id, penalty, lower_bound, slack, holds."""
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs] - pandas has no stubs

    checks = each_of(BoundCheck, checks, "checks", "pass what check_all(q) returned")
    columns = ("penalty", "lower_bound", "slack", "holds")
    return pd.DataFrame([{"id": check.id, **{name: getattr(check, name) for name in columns}} for check in checks])
