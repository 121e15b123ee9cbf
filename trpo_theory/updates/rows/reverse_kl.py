# The row of kl_of_change may be any sequence: its type is partly unknown.
"""Row problems under KL(p‖old), which widely used code constrains: exponential tilting of old.

With d(a) = max A − A(a) over old's support (p may not leave it) and β = 1/λ:
    p = old exp(−β d)/Z,   x = p/old − 1,   KL(p‖old) = Σ old ((1 + x) log(1 + x) − x),   dKL/dlog β = β² Var_p(d).
KL rises to −log old(best actions) as β → ∞.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.numerics.divergence import kl_of_change
from trpo_theory.updates.rows.conic import ConicRows
from trpo_theory.updates.rows.divergence import RowDivergence
from trpo_theory.updates.rows.newton import NEWTON_RTOL, Step, newton_roots
from trpo_theory.updates.rows.rows import Rows, Solved

_LARGEST = 1e290
"""The largest β·scale, chosen 18 decades inside floats, for its products: p there is 0 but on the best actions."""

_CREEPING = 0.5
"""The bracket is halved where a Newton step leaves more than this share of what was missing: chosen as for the shared roots."""

_RARE = float(np.finfo(np.float64).tiny)
"""The least normal float: old's probabilities below it have lost digits, and are left as rare as they are."""


class ReverseKL(RowDivergence):
    """KL(new‖old) in nats: new may not leave old's support."""

    stem = "kl"
    reverse = True
    unit = "nats"
    keeps_support = True
    implies_nonnegative = True

    def measure(self, old: np.ndarray, new: np.ndarray, change: np.ndarray) -> np.ndarray:
        """Σ new log(new/old), as a generalised KL: rows of floats sum to 1 only to rounding."""
        return np.asarray(kl_of_change(new, old, -change)).sum(0)

    def rows(self, old: np.ndarray, advantage: np.ndarray, available: np.ndarray) -> Rows:
        """Only old's own actions count: those of denormal probability are left as rare as they are."""
        return Rows.of(old, advantage, available & (old > _RARE), rare=_RARE)

    def at_radius(self, rows: Rows, radius: np.ndarray, guess: np.ndarray | None = None) -> Solved:
        """Maximise Σ p A subject to KL(p‖old) ≤ radius, (N,)."""
        moving = (rows.scale > 0) & (radius > 0)
        ceiling = -np.log(rows.best)
        beta = np.full(radius.shape, _LARGEST)
        some = np.flatnonzero(moving & (radius < ceiling))
        part = rows.take(some)
        start = np.sqrt(2 * radius[some] / part.variance) if guess is None else guess[some]
        beta[some] = _radius_roots(part, radius[some], ceiling[some], start)
        return _solved(rows, beta, moving)

    def at_multiplier(self, rows: Rows, multiplier: np.ndarray, guess: np.ndarray | None = None) -> Solved:
        """Maximise Σ p A − λ KL(p‖old) for multipliers λ > 0, (N,): in closed form, so that guess does not matter."""
        moving = (rows.scale > 0) & (multiplier > 0) & np.isfinite(multiplier)
        with np.errstate(over="ignore"):
            beta = np.minimum(np.where(moving, rows.scale, 1.0) / np.where(moving, multiplier, 1.0), _LARGEST)
        return _solved(rows, beta, moving)

    def step_at(self, radius: float) -> float:
        """KL ≈ x²/2."""
        return float(np.sqrt(2 * radius))

    def conic(self, block: ConicRows, x: Any) -> Any:
        """Σ old (r log r − r + 1), r = new/old."""
        import cvxpy as cp

        return block.on_support(cp.kl_div(block.ratio(x), 1))


REVERSE_KL: RowDivergence = ReverseKL()
"""The one instance."""


def _point(rows: Rows, beta: np.ndarray) -> tuple[np.ndarray, ...]:
    """x and p (A, N), KL and dKL/dlog β."""
    tilt = -beta * rows.deficit
    lost = (rows.old * np.expm1(tilt)).sum(0)
    total: np.ndarray = (rows.old * np.exp(tilt)).sum(0)
    log_z = np.log(total)
    np.log1p(lost, out=log_z, where=lost > -0.5)
    x = np.expm1(tilt - log_z)
    change, new = rows.old * x, rows.old * np.exp(tilt - log_z)
    kl = kl_of_change(new, rows.old, -change).sum(0)
    mean = (new * rows.deficit).sum(0)
    return x, new, kl, beta * (beta * (new * (rows.deficit - mean) ** 2).sum(0))


def _solved(rows: Rows, beta: np.ndarray, moving: np.ndarray) -> Solved:
    x, new, kl, slope = _point(rows, beta)
    change = np.where(moving, rows.old * x, 0.0)
    gain = -rows.scale * (change * rows.centred).sum(0)
    rows.balance(change)
    multiplier = np.where(beta >= _LARGEST, 0.0, rows.scale / beta)
    kl, multiplier, slope = (np.where(moving, part, 0.0) for part in (kl, multiplier, slope))
    return Solved(change, np.where(moving, new, rows.old), kl, gain, multiplier, slope, beta)


def _radius_roots(rows: Rows, radius: np.ndarray, ceiling: np.ndarray, start: np.ndarray) -> np.ndarray:
    """β with KL(β) = radius, by Newton in a bracket on log(K/(K* − K)), which is nearly linear in log β for small β.

    dKL/dβ = β Var_p(d), and d in [0, 1] has a variance of at most ¼: KL ≤ β²/8, the lower end of the bracket.
    """

    def step_of(some: np.ndarray | None) -> Step:
        part, target, top = (rows, radius, ceiling) if some is None else (rows.take(some), radius[some], ceiling[some])
        goal = np.log(target) - np.log(top - target)
        last = np.full(target.shape, np.inf)

        def step(here: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            nonlocal last
            _, _, kl, slope = _point(part, here)
            with np.errstate(all="ignore"):
                rise = goal - np.log(kl) + np.log(top - kl)
                # slope/kl, not slope · (1/kl), which is infinite for a denormal kl: the step would be 0, and pass as done
                guess = here * np.exp(rise / (slope / kl + slope / (top - kl)))
            creeps, last = np.abs(rise) > _CREEPING * last, np.abs(rise)
            guess = np.where(creeps, np.nan, guess)
            return kl < target, guess, np.abs(kl - target) <= NEWTON_RTOL * target

        return step

    low = np.minimum(np.sqrt(8 * radius) * (1 - 1e-14), _LARGEST)
    return newton_roots(step_of, start, low, _LARGEST)
