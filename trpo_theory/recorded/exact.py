"""The surrogate gains of the exact updates (12) and (13), at the radii of the recorded updates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trpo_theory.model.policy import deterministic
from trpo_theory.numerics.layout import batch_first, batch_last
from trpo_theory.step.quantities import Quantities
from trpo_theory.updates import MaxKL, MeanKL, Surrogate, UpdateSolution, solve
from trpo_theory.updates.rows.forward_kl import FORWARD_KL
from trpo_theory.updates.solvers.blocks import Blocks

_DECADES = 30
"""Of radii in one batch. Chosen: float64 has 300 decades on either side of 1, and scales multiply at most a few times."""


@dataclass(frozen=True, eq=False)
class ExactUpdates:
    """The exact updates beside a batch of B steps, in discounted reward; NaN where a certificate does not pass.

    Attributes:
        mean_kl_gain: the gain of (13) at δ = the step's mean-KL, (B,); where that is ∞, the greedy policy's gain.
        mean_kl_gap: a bound on how much more any policy within that radius can gain, (B,).
        policies: the maximisers of (13), (B, S, A).
        max_kl_gain: the gain of (12) at δ = the step's max-KL, (B,), or the greedy policy's; solved row by row, without a
            certificate.
    """

    mean_kl_gain: np.ndarray
    mean_kl_gap: np.ndarray
    policies: np.ndarray
    max_kl_gain: np.ndarray


def exact_updates(q: Quantities, rtol: float) -> ExactUpdates:
    """The exact updates at the radii of the steps of q; gaps up to the larger of rtol (relative) and rounding are accepted."""
    surrogate = Surrogate.of(q)
    mean, largest = np.asarray(q.mean_kl), np.asarray(q.max_kl)
    gain, gap, policies = np.zeros(mean.shape), np.zeros(mean.shape), batch_first(q.old).copy()
    for index in _alike(mean):
        unit = float(np.exp(np.log(mean[index]).mean()))
        scale = mean[index] / unit
        solution = solve(_some(surrogate, index, scale), MeanKL(unit))
        passed = _passed(solution, rtol)
        gain[index], gap[index] = scale * solution.surrogate_gain * passed, scale * solution.gap * passed
        policies[index] = solution.policy
    max_kl_gain = _max_kl_gain(surrogate, np.where(np.isfinite(largest), largest, 0.0))
    if np.isinf(largest).any():
        best = _greedy(q)
        of_best = np.asarray(q.with_new(best).surrogate_gain)
        max_kl_gain = np.where(np.isinf(largest), of_best, max_kl_gain)
        gain = np.where(np.isinf(mean), of_best, gain)
        policies[np.isinf(mean)] = batch_first(best)[np.isinf(mean)]
    return ExactUpdates(gain, gap, policies, max_kl_gain)


def _alike(radius: np.ndarray) -> list[np.ndarray]:
    """The instances of positive, finite radius, in groups whose radii are within `_DECADES`."""
    some = np.flatnonzero((radius > 0) & np.isfinite(radius))
    bands = np.floor(np.log10(radius[some]) / _DECADES)
    return [some[bands == band] for band in np.unique(bands)]


def _greedy(q: Quantities) -> np.ndarray:
    """The maximiser without a trust region, (S, A, B): the best action in every state that old visits, else old."""
    best = np.where(q.available, q.advantage, -np.inf).argmax(1)
    return np.where(q.visitation_old[:, None] > 0, batch_last(deterministic(best.T, q.old.shape[1])), q.old)


def _some(surrogate: Surrogate, index: np.ndarray, scale: np.ndarray) -> Surrogate:
    """Selected instances, with ρ/scale: since objective and constraint of (13) are linear in ρ, the maximiser stays the same.

    Instances of different radii thus become a batch of one radius; multiply the gains by scale.
    """
    return replace(
        surrogate,
        old=surrogate.old[..., index],
        advantage=surrogate.advantage[..., index],
        available=surrogate.available[..., index],
        visitation=surrogate.visitation[..., index] / scale,
        gamma=surrogate.gamma[index],
        max_abs_advantage=surrogate.max_abs_advantage[index],
        batch_shape=(len(index),),
        **dict.fromkeys(("advantage_error", "visitation_error", "total_error"), 0.0),  # gaps of A and ρ as computed
    )


def _passed(solution: UpdateSolution, rtol: float) -> np.ndarray:
    """1 where an instance's own certificate passes, else NaN."""
    limit = np.maximum(rtol * np.abs(solution.upper_bound), solution.rounding)
    return np.where((np.asarray(solution.gap) <= limit) & np.asarray(solution.feasible), 1.0, np.nan)


def _max_kl_gain(surrogate: Surrogate, radius: np.ndarray) -> np.ndarray:
    """Σ_s ρ(s) max Σ_a (p − old)(a) A(s,a) over KL(old_s‖p) ≤ radius: (12) separates by state."""
    _, gain, _, _ = Blocks(surrogate, MaxKL(1.0)).solve(FORWARD_KL.at_radius, radius)
    return (surrogate.visitation * gain).sum(0)
