"""`Bound`: a penalty with a source. Its theorem is η(new) ≥ L_old(new) − penalty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trpo_theory.quantities import Quantities

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Bound:
    """A lower bound on the return of a new policy: M = L_old(new) − penalty.

    Attributes:
        id: its name in the catalogue, such as "trpo/kl".
        formula: the penalty, as the mathematics of one instance over `Quantities`.
        statement: the theorem in LaTeX.
        source: where it is stated.
    """

    id: str
    formula: Callable[[Quantities], Any]
    statement: str
    source: str

    def penalty(self, q: Quantities) -> Any:
        """The penalty, (*batch); ∞ where the bound says nothing (0 · ∞ included: an infinite divergence)."""
        with np.errstate(invalid="ignore", over="ignore"):
            return q.arithmetic.nan_to_inf(self.formula(q))

    def lower_bound(self, q: Quantities) -> Any:
        """M = L_old(new) − penalty, equation (10)."""
        return q.surrogate - self.penalty(q)

    def slack(self, q: Quantities) -> Any:
        """η(new) − M = (η(new) − L) + penalty, from the gap itself, so that it keeps its digits where both are tiny."""
        return q.surrogate_gap + self.penalty(q)

    def check(self, q: Quantities) -> BoundCheck:
        """The bound on this instance, or on each of a batch."""
        return BoundCheck(self.id, self.penalty(q), self.lower_bound(q), self.slack(q), gap_rounding(q))

    def __repr__(self) -> str:
        return f"Bound({self.id!r}, source={self.source!r})"


@dataclass(frozen=True, eq=False)
class BoundCheck:
    """A bound's numbers on an instance, or (*batch) on each of a batch.

    Attributes:
        penalty, lower_bound, slack: as `Bound` computes them; slack = η(new) − lower_bound.
        rounding: what float error can make of a slack that is 0.
    """

    id: str
    penalty: Any
    lower_bound: Any
    slack: Any
    rounding: Any

    @property
    def holds(self) -> Any:
        """Whether slack ≥ 0, up to rounding: in floats the sign of a slack within ± rounding is not decided."""
        return self.slack >= -self.rounding


def gap_rounding(q: Quantities) -> Any:
    """A bound on the float error of η(new) − L = Σ_s (ρ_new − ρ_old)(s) Ā(s).

    Both solves are relatively accurate to n ε/(1 − γ), norm-wise, n ε being that of a sum of n = min(S, 32) products
    (the 32: blocked and pairwise sums), and A_old inherits max|V| n ε/(1 − γ). Each term moves by no more than its factors do:
        4 n ε/(1 − γ) · Σ_s |ρ_new − ρ_old|(s) · max_s 2 TV(s) · (ε_A + max|V|).
    """
    n = min(len(q.value), 32) + 4
    unit = 4 * n * np.finfo(np.float64).eps / (1 - q.gamma)
    size = q.max_abs_advantage + q.max_s(abs(q.value))
    return unit * q.sum_s(abs(q.visitation_change)) * 2 * q.max_tv * size


def to_frame(checks: list[BoundCheck]) -> pd.DataFrame:
    """One row a bound (of one instance): id, penalty, lower_bound, slack, holds."""
    import pandas as pd

    columns = ("penalty", "lower_bound", "slack", "holds")
    return pd.DataFrame([{"id": check.id, **{name: getattr(check, name) for name in columns}} for check in checks])
