"""`RowDivergence`: all that an update problem needs of a divergence between a row of old and a row of new."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from trpo_theory.updates.reduction import Reduction
from trpo_theory.updates.rows.conic import ConicRows
from trpo_theory.updates.rows.rows import Local, Rows, Solved, Spent


class RowDivergence(ABC):
    """A divergence D between rows of policies: how it is measured, solved in closed form, and written in cones.

    To add one, write a file in this folder with a subclass and its one instance, and in updates/problems.py a class for
    each reduction: solvers, certificates, the command line and the tables find it there. Near twin: a `Divergence` of
    trpo_theory.sharp, which is known by its generator and serves the worst case over all MDPs.

    Attributes:
        stem: its name without direction: "kl", "tv".
        reverse: whether it is D(new‖old), which the names of problems and fields say first: reverse-max-kl.
        unit: of a radius δ.
        keeps_support: whether it is infinite where new > 0 = old.
        curvature: k of D ≈ k Σ old x²/2 for small x = p/old − 1, from which the search for a shared multiplier starts.
        implies_nonnegative: whether its cone keeps new ≥ 0 on old's support, so that no constraint need say so.
    """

    stem: ClassVar[str]
    reverse: ClassVar[bool] = False
    unit: ClassVar[str]
    keeps_support: ClassVar[bool] = False
    curvature: ClassVar[float] = 1.0
    implies_nonnegative: ClassVar[bool] = False

    def problem_name(self, reduction: Reduction) -> str:
        """The name of the problem that holds it down: "reverse-mean-kl"."""
        return f"{'reverse-' if self.reverse else ''}{reduction.name}-{self.stem}"

    def field(self, reduction: Reduction) -> str:
        """The field of `Quantities` and of `UpdateSolution` that measures it: "reverse_mean_kl"."""
        return self.problem_name(reduction).replace("-", "_")

    @abstractmethod
    def measure(self, old: np.ndarray, new: np.ndarray, change: np.ndarray) -> np.ndarray:
        """D of rows from its definition, (A, ...) -> (...): change = new − old carries small steps, new small entries."""

    @abstractmethod
    def rows(self, old: np.ndarray, advantage: np.ndarray, available: np.ndarray) -> Rows:
        """The row problems as D sees them, from arrays (A, N)."""

    @abstractmethod
    def at_radius(self, rows: Rows, radius: np.ndarray, guess: np.ndarray | None = None) -> Solved:
        """Maximise Σ p A subject to D(p) ≤ radius, (N,).

        Args:
            rows: of `rows`.
            radius: δ, (N,), at least 0.
            guess: the `state` of an earlier solve of the same rows, (N,), to start from.
        """

    @abstractmethod
    def at_multiplier(self, rows: Rows, multiplier: np.ndarray, guess: np.ndarray | None = None) -> Solved:
        """Maximise Σ p A − λ D(p) for multipliers λ > 0, (N,); guess as in `at_radius`."""

    def spent_at(self, rows: Rows, multiplier: np.ndarray, guess: np.ndarray | None = None) -> Solved | Spent:
        """As `at_multiplier`, for those who read no row of the solution: where that is cheaper, it is left out."""
        return self.at_multiplier(rows, multiplier, guess)

    def near_radius(self, rows: Rows, radius: np.ndarray) -> np.ndarray | None:
        """States near those at a radius, (N,), of ordinary rows; None where `local` is not written: roots are then nested."""
        return None

    def near_multiplier(self, rows: Rows, multiplier: np.ndarray) -> np.ndarray | None:
        """States near those at a multiplier, (N,), of ordinary rows; None where they are known in closed form."""
        return None

    def local(self, rows: Rows, state: np.ndarray) -> Local:
        """Ordinary rows at states, (N,), to eight digits."""
        raise NotImplementedError

    def critical_multiplier(self, rows: Rows) -> np.ndarray:
        """The λ, (N,), below which mass leaves old's support; 0 where that is at no λ > 0."""
        return np.zeros(rows.scale.shape)

    def dual_value(self, rows: Rows, multiplier: np.ndarray, guess: np.ndarray | None = None) -> np.ndarray:
        """v(λ) = max_p Σ (p − old) A − λ D(p), (N,), for λ ≥ 0: at λ = 0 the gain of the best action."""
        solved = self.spent_at(rows, multiplier, guess)
        return np.where(multiplier > 0, solved.gain - multiplier * solved.divergence, rows.most)

    @abstractmethod
    def step_at(self, radius: float) -> float:
        """The size of new/old − 1 at a small radius, to first order: the scale of a conic solver's variables."""

    def reach(self, radius: np.ndarray) -> np.ndarray:
        """The most Σ|p − old| of a row within a radius, concave in it: by Pinsker √(2 radius), and never above 2."""
        return np.minimum(np.sqrt(2 * radius), 2.0)

    def step_outside(self, step: float) -> float:
        """The size of new where old is 0, at a step: step², as the radius counts such mass in full."""
        return step**2

    @abstractmethod
    def conic(self, block: ConicRows, x: Any) -> Any:
        """D of each row over the radius, (G,), as a CVXPY expression of x = (new − old)/unit, (G, A)."""
