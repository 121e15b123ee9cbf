"""`Bound`: a penalty with a source. Its theorem is η(new) ≥ L_old(new) − penalty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.step.quantities import Quantities

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Bound:
    """A lower bound on the return of a new policy: M = L_old(new) − penalty.

    Attributes:
        id: its name, such as "trpo/kl".
        formula: the penalty, as the mathematics of one instance over `Quantities`.
        statement: the theorem in LaTeX.
        source: where it is stated.
        given: the hypotheses, true where the bound applies; None for always.
        expected: True; False for a bound known to be false; "open" where nobody knows.
        provenance: how sure the wording is: "S" seen, "M" from memory, "D" derived here.
        shift: for a bound that subtracts its penalty from something else than L: that centre minus L. None for 0.
        small_only: it costs a solve for each state; `check_all` leaves it out where there are many.

    Raises:
        InvalidInput: for another verdict than those three.
    """

    id: str
    formula: Callable[[Quantities], Any]
    statement: str
    source: str
    given: Callable[[Quantities], Any] | None = None
    expected: bool | str = True
    provenance: str = "D"
    shift: Callable[[Quantities], Any] | None = None
    small_only: bool = False

    def __post_init__(self) -> None:
        if not (isinstance(self.expected, bool) or self.expected == "open"):
            raise InvalidInput(
                got=f"expected = {self.expected!r} for {self.id}", wanted='True, False or "open"', fix="change it"
            )

    def penalty(self, q: Quantities) -> Any:
        """The penalty, (*batch); ∞ where the bound says nothing: hypotheses that fail, and 0 · ∞ of a divergence."""
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            penalty = self.formula(q)
            if self.given is not None:
                penalty = q.arithmetic.where(self.given(q), penalty, np.inf)
            return q.arithmetic.nan_to_inf(penalty)

    def center(self, q: Quantities) -> Any:
        """What the penalty is subtracted from: L_old(new), but for a bound with a shift."""
        return q.surrogate if self.shift is None else q.surrogate + self.shift(q)

    def lower_bound(self, q: Quantities) -> Any:
        """M = center − penalty, equation (10)."""
        return self.center(q) - self.penalty(q)

    def slack(self, q: Quantities) -> Any:
        """η(new) − M = (η(new) − L) − shift + penalty, from the gap itself, so that it keeps its digits where all are tiny."""
        return self._gap(q) + self.penalty(q)

    def ratio(self, q: Quantities, penalty: Any) -> Any:
        """How much of its penalty is used, 1 − slack/penalty = (center − η(new))/penalty: at most 1 if the bound is true."""
        return 1 - (self._gap(q) + penalty) / penalty

    def check(self, q: Quantities) -> BoundCheck:
        """The bound on this instance, or on each of a batch."""
        penalty = self.penalty(q)
        return BoundCheck(self.id, penalty, self.center(q) - penalty, self._gap(q) + penalty, self.rounding(q))

    def rounding(self, q: Quantities) -> Any:
        """What float error can make of a slack that is 0."""
        return gap_rounding(q) if self.shift is None else gap_rounding(q) + shift_rounding(q)

    def _gap(self, q: Quantities) -> Any:
        return q.surrogate_gap if self.shift is None else q.surrogate_gap - self.shift(q)

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

    @property
    def says_nothing(self) -> Any:
        """Whether the penalty is infinite: hypotheses that fail, or a divergence that is infinite."""
        return np.isinf(self.penalty)


def gap_rounding(q: Quantities) -> Any:
    """A bound on the float error of η(new) − L = Σ_s (ρ_new − ρ_old)(s) Ā(s).

    Both solves are relatively accurate to u = n ε/(1 − γ), norm-wise, n ε being that of a sum of n = min(S, 32) products
    (the 32: blocked and pairwise sums), and A_old inherits max|V| u. Each term moves by no more than its factors do:
        4 u · Σ_s |ρ_new − ρ_old|(s) · max_s 2 TV(s) · (ε_A + max|V|).
    The right-hand side γ (P_new − P_old)ᵀ ρ_old of the first solve may cancel, and rows as stored sum to 1 only to a
    defect δ = max_s |Σ_a (new − old)(a|s)|, where the theorems speak of rows that do:
        γ/(1 − γ)² (8 n ε α + 2 δ) ε' + 2 δ ε_A Σ_s |ρ_new − ρ_old|(s).
    """
    n = min(len(q.value), 32) + 4
    unit = 4 * n * np.finfo(np.float64).eps
    size = q.max_abs_advantage + q.max_s(abs(q.value))
    moved = q.sum_s(abs(q.visitation_change))
    defect = 2 * q.max_s(abs(q.sum_a(q.new - q.old)))
    cancelled = q.gamma / (1 - q.gamma) ** 2 * (2 * unit * q.max_tv + defect) * q.max_abs_expected_advantage
    return unit / (1 - q.gamma) * moved * 2 * q.max_tv * size + cancelled + defect * q.max_abs_advantage * moved


def shift_rounding(q: Quantities) -> Any:
    """A bound on the float error of a sum of Ā over visitations that add up to at most 2/(1 − γ)."""
    unit = 4 * (min(len(q.value), 32) + 4) * np.finfo(np.float64).eps / (1 - q.gamma)
    return unit * 2 / (1 - q.gamma) * 2 * q.max_tv * (q.max_abs_advantage + q.max_s(abs(q.value)))


def to_frame(checks: list[BoundCheck]) -> pd.DataFrame:
    """One row a bound (of one instance): id, penalty, lower_bound, slack, holds."""
    import pandas as pd

    columns = ("penalty", "lower_bound", "slack", "holds")
    return pd.DataFrame([{"id": check.id, **{name: getattr(check, name) for name in columns}} for check in checks])
