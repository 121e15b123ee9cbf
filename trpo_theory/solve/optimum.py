"""`Optimum`: an optimal policy with its value, and a bound on their error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trpo_theory.model.shapes import Bool, Float


def soft_maximum(q_value: np.ndarray, temperature: float) -> np.ndarray:
    """τ log Σ_a exp(Q/τ) over the last axis, without overflow; −∞ counts as unavailable."""
    best = q_value.max(-1)
    return best + temperature * np.log(np.exp((q_value - best[..., None]) / temperature).sum(-1))


@dataclass(frozen=True, repr=False, eq=False)
class Optimum:
    """An optimal policy and its value; `error_bound` bounds their distance from the optimum.

    Attributes:
        policy: deterministic, (*batch, S, A); where actions tie, one of them.
        value: V*(s), (*batch, S).
        q_value: Q*(s, a), (*batch, S, A); -inf for an unavailable action.
        expected_return: η* = ρ₀ · V*.
        gamma: γ.
        iterations: how many policies were evaluated.
        longest: what a residual is multiplied by in `error_bound`.
        temperature: τ; with one the policy is ∝ exp(Q*/τ), and V* and η* count τ times its entropy.
        counted: with a temperature, where entropy is earned, (*batch, S): not at an end; None for all.

    With a horizon policy, value and q_value have an axis of T steps in front.
    """

    policy: Float[np.ndarray, "*batch S A"]
    value: Float[np.ndarray, "*batch S"]
    q_value: Float[np.ndarray, "*batch S A"]
    expected_return: float | Float[np.ndarray, "*batch"]
    gamma: float | Float[np.ndarray, "*batch"]
    iterations: int
    longest: float | Float[np.ndarray, "*batch"]
    temperature: float = 0.0
    counted: Bool[np.ndarray, "*batch S"] | None = None

    @property
    def bellman_residual(self) -> float | Float[np.ndarray, "*batch"]:
        """max_s |max_a Q(s,a) − V(s)|, with a temperature the soft maximum τ log Σ_a exp(Q/τ)."""
        best = self.q_value.max(-1)
        if self.temperature > 0:
            soft = soft_maximum(self.q_value, self.temperature)
            best = soft if self.counted is None else np.where(self.counted, soft, best)
        return np.abs(best - self.value).max(-1)

    @property
    def error_bound(self) -> float | Float[np.ndarray, "*batch"]:
        """A bound on max_s |V(s) − V*(s)|: the Bellman residual over 1 − γ; times T over a horizon.

        Of the average reward it bounds g* − g, by the residual itself. Without a discount, of an MDP that ends, nothing is known
        of how long runs may be, and the bound is ∞ where there is a residual; with a temperature it is 2 max w times the
        residual e, w the expected lengths of runs, as V + 2 e w is then found to be a supersolution.
        """
        residual = np.asarray(self.bellman_residual)
        return (np.where(residual > 0, self.longest, 0.0) * residual)[()]

    def __repr__(self) -> str:
        shown = np.array2string(np.asarray(self.expected_return), precision=12, threshold=6)
        return f"Optimum(expected_return={shown}, error_bound={np.max(self.error_bound):.1e}, iterations={self.iterations})"
