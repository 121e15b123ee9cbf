"""`TRPOStep`: the practical step of TRPO, on exact quantities, so that theory and practice can be compared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.numerics.divergence import kl_of_change
from trpo_theory.updates.problems import MeanKL
from trpo_theory.updates.solution import Status
from trpo_theory.updates.solvers.dual import Answer, Dual
from trpo_theory.updates.surrogate import Surrogate


@dataclass(frozen=True, eq=False)
class _Step(Answer):
    status: Status = field(default=Status.HEURISTIC)


@dataclass(frozen=True)
class TRPOStep:
    """A natural-gradient step on softmax logits with a backtracking line search.

    x = (F + damping I)⁻¹ ∇L by conjugate gradient, F = Σ_s d(s) (diag π_s − π_s π_sᵀ) the Fisher matrix; then
    θ + backtrack^k √(2 δ / xᵀ(F + damping I)x) x for the first k at which L improves and the mean KL(old‖new) ≤ δ.
    Source: Schulman et al. 2015, arXiv:1502.05477, appendix C. Actions that old never takes stay so.

    Args:
        delta: δ, the radius in mean KL(old‖new), nats.
        conjugate_gradients: iterations, 10 as published.
        damping: 0 as published; 0.1 as widely shipped.
        backtrack: the factor of the line search; 0.5 as published, 0.8 as widely shipped.
        backtracks: how many times it is tried before old is kept.
    """

    delta: Any
    conjugate_gradients: Any = 10
    damping: Any = 0.0
    backtrack: Any = 0.5
    backtracks: Any = 10
    name = "trpo-step"

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", MeanKL(self.delta).delta)
        _checks.integer(self.conjugate_gradients, "conjugate_gradients", least=1)
        _checks.integer(self.backtracks, "backtracks", least=1)
        _checks.number_between(self.damping, "damping", 0.0, 1e6)
        _checks.number_between(self.backtrack, "backtrack", 0.0, 1.0)

    def solve(self, surrogate: Surrogate, problem: MeanKL) -> Answer:
        """The step, with the multipliers of the exact (13), so that its gap is what it leaves."""
        old, weight = surrogate.old, (1 - surrogate.gamma) * surrogate.visitation
        centred = surrogate.advantage - (old * surrogate.advantage).sum(0)
        gradient = weight * old * centred
        direction = self._natural(old, weight, gradient)
        curvature = (direction * self._fisher(old, weight, direction)).sum((0, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            length = np.where(curvature > 0, np.sqrt(2 * self.delta / curvature), 0.0)
        change, going = np.zeros_like(old), length > 0
        tries = np.zeros(length.shape, dtype=int)
        for k in range(self.backtracks):
            step = length * self.backtrack**k * direction
            with np.errstate(over="ignore", invalid="ignore"):  # a step that overflows is tried, and refused
                log_z = np.log1p((old * np.expm1(step)).sum(0))
                trial = old * np.expm1(step - log_z)
                divergence = np.asarray(kl_of_change(old, old + trial, trial)).sum(0)
                good = ((weight * divergence).sum(0) <= self.delta) & ((weight * (trial * centred).sum(0)).sum(0) > 0)
            change = np.where(going & good, trial, change)
            tries += going
            going = going & ~good
            if not going.any():
                break
        exact = Dual().solve(surrogate, problem)
        failed = int(going.sum())
        note = f"line search: at most {int(tries.max())} tries" + (f", {failed} failed" if failed else "")
        return _Step(change, np.maximum(old + change, 0.0), exact.multiplier, exact.guess, note=note)

    def _fisher(self, old: np.ndarray, weight: np.ndarray, vector: np.ndarray) -> np.ndarray:
        return weight * old * (vector - (old * vector).sum(0)) + self.damping * vector

    def _natural(self, old: np.ndarray, weight: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Conjugate gradient for (F + damping I) x = gradient, each instance on its own."""
        x, residual = np.zeros_like(gradient), gradient.copy()
        search, size = residual.copy(), (residual**2).sum((0, 1))
        first = size.copy()
        for _ in range(self.conjugate_gradients):
            going = size > 1e-24 * first
            if not going.any():
                break
            image = self._fisher(old, weight, search)
            curvature = (search * image).sum((0, 1))
            going &= curvature > 0
            rate = np.where(going, size / np.where(going, curvature, 1.0), 0.0)
            x += rate * search
            residual -= rate * image
            shrunk = (residual**2).sum((0, 1))
            search = residual + np.where(going, shrunk / np.where(size > 0, size, 1.0), 0.0) * search
            size = np.where(going, shrunk, 0.0)
        return x

    def __str__(self) -> str:
        return "trpo-step"


def shipped(delta: Any, **options: Any) -> TRPOStep:
    """The step with the settings of widely used code: damping 0.1, backtracking by 0.8, 15 conjugate gradients."""
    return replace(TRPOStep(delta, conjugate_gradients=15, damping=0.1, backtrack=0.8), **options)
