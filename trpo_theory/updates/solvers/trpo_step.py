"""`TRPOStep`: the practical step of TRPO, on exact quantities, so that theory and practice can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trpo_theory import _checks
from trpo_theory.updates.problems import MeanKL, Problem, Radius, number_of
from trpo_theory.updates.rows.forward_kl import FORWARD_KL
from trpo_theory.updates.solvers.answer import Answer
from trpo_theory.updates.solvers.dual import Dual
from trpo_theory.updates.solvers.protocol import Solver
from trpo_theory.updates.status import Status
from trpo_theory.updates.surrogate import Surrogate

_SETTLED = 1e-24
"""Conjugate gradients end at a squared residual of this, relative to the first: 1e-12, where rounding begins to rule."""

_LARGEST_DAMPING = 1e6
"""Chosen: far above any damping in use (0.1), where the step would be a plain gradient's."""


@dataclass(frozen=True)
class TRPOStep(Solver):
    """A natural-gradient step on softmax logits with a backtracking line search.

    x = (F + damping I)⁻¹ ∇L by conjugate gradient, F = Σ_s d(s) (diag π_s − π_s π_sᵀ) the Fisher matrix; then
    θ + backtrack^k √(2 δ / xᵀ(F + damping I)x) x for the first k at which L improves and the mean KL(old‖new) ≤ δ.
    Source: Schulman et al. 2015, arXiv:1502.05477, appendix C. Actions that old never takes stay so.

    Args:
        delta: δ, the radius in mean KL(old‖new), nats; or `Certified(bound)`.
        conjugate_gradients: iterations, 10 as published.
        damping: 0 as published; 0.1 as widely shipped.
        backtrack: the factor of the line search; 0.5 as published, 0.8 as widely shipped.
        backtracks: how many times it is tried before old is kept.
    """

    delta: Radius
    conjugate_gradients: int = 10
    damping: float = 0.0
    backtrack: float = 0.5
    backtracks: int = 10
    name: ClassVar[str] = "trpo-step"
    takes: ClassVar[str] = "mean-kl at its own radius"

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", MeanKL(self.delta).delta)
        for name in ("conjugate_gradients", "backtracks"):
            object.__setattr__(self, name, _checks.integer(getattr(self, name), name, least=1))
        for name, most in (("damping", _LARGEST_DAMPING), ("backtrack", 1.0)):
            object.__setattr__(self, name, _checks.number_between(getattr(self, name), name, 0.0, most))

    @property
    def problem(self) -> MeanKL:
        """The problem (13) that it steps towards."""
        return MeanKL(self.delta)

    def supports(self, problem: Problem) -> bool:
        """Its own problem only."""
        return problem == self.problem

    def solve(self, surrogate: Surrogate, problem: Problem) -> Answer:
        """The step, with the multipliers of the exact (13), so that its gap is what it leaves."""
        delta = number_of(self.delta, self.name)
        old, weight = surrogate.old, surrogate.complement * surrogate.visitation
        centred = surrogate.advantage - (old * surrogate.advantage).sum(0)
        gradient = weight * old * centred
        direction = self._natural(old, weight, gradient)
        curvature = (direction * self._fisher(old, weight, direction)).sum((0, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            length = np.where(curvature > 0, np.sqrt(2 * delta / curvature), 0.0)
        change, going = np.zeros_like(old), length > 0
        tries = np.zeros(length.shape, dtype=int)
        for k in range(self.backtracks):
            step = length * self.backtrack**k * direction
            with np.errstate(over="ignore", invalid="ignore"):  # a step that overflows is tried, and refused
                log_z = np.log1p((old * np.expm1(step)).sum(0))
                trial = old * np.expm1(step - log_z)
                divergence = FORWARD_KL.measure(old, old + trial, trial)
                good = ((weight * divergence).sum(0) <= delta) & ((weight * (trial * centred).sum(0)).sum(0) > 0)
            change = np.where(going & good, trial, change)
            tries += going
            going = going & ~good
            if not going.any():
                break
        exact = Dual().solve(surrogate, problem)
        failed = int(going.sum())
        most = int(tries.max())
        note = f"line search: {most} {'try' if most == 1 else 'tries'} at most" + (
            f", {failed} failed" if failed else ""
        )
        return Answer(
            change,
            np.maximum(old + change, 0.0),
            exact.multiplier,
            exact.guess,
            note=note,
            status=Status.HEURISTIC,
        )

    def _fisher(self, old: np.ndarray, weight: np.ndarray, vector: np.ndarray) -> np.ndarray:
        return weight * old * (vector - (old * vector).sum(0)) + self.damping * vector

    def _natural(self, old: np.ndarray, weight: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Conjugate gradient for (F + damping I) x = gradient, each instance on its own."""
        x, residual = np.zeros_like(gradient), gradient.copy()
        search, size = residual.copy(), (residual**2).sum((0, 1))
        first = size.copy()
        for _ in range(self.conjugate_gradients):
            going = size > _SETTLED * first
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


def shipped(
    delta: Radius,
    *,
    conjugate_gradients: int = 15,
    damping: float = 0.1,
    backtrack: float = 0.8,
    backtracks: int = TRPOStep.backtracks,
) -> TRPOStep:
    """The step with the settings of widely used code: damping 0.1, backtracking by 0.8, 15 conjugate gradients."""
    return TRPOStep(delta, conjugate_gradients, damping, backtrack, backtracks)
