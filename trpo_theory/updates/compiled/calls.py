"""What of an update is asked of compiled code, and None for what that does not know.

Arrays of surrogates are (A, G, B) and (G, B), here with B = 1.
"""

from __future__ import annotations

import numpy as np

from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.updates.compiled.old_chain import chain_of_old
from trpo_theory.updates.compiled.steps import MAX, MEAN, PENALTY, answer
from trpo_theory.updates.compiled.weak_duality import certificate
from trpo_theory.updates.data_error import roundings
from trpo_theory.updates.old_chain import complement
from trpo_theory.updates.penalties import coefficient_error, linear_coefficient
from trpo_theory.updates.problems import Penalty, Problem, TrustRegion
from trpo_theory.updates.rows.forward_kl import FORWARD_KL
from trpo_theory.updates.solvers.answer import Answer
from trpo_theory.updates.surrogate import Surrogate

_MOST_STATES = 64
"""From here on LAPACK's blocks are faster, and sums longer than those of which `data_error` counts the roundings."""

NOTE = "compiled"
"""What an answer of this code says of itself."""


def compiled_surrogate(mdp: FiniteMDP, policy: np.ndarray) -> Surrogate | None:
    """As `Surrogate.of` discounted returns, of one dense MDP with up to 64 states and as many actions; its policy is (S, A)."""
    gamma = mdp.gamma
    if mdp.batch_shape or policy.ndim != 2 or mdp.is_sparse or not gamma < 1 or max(policy.shape) > _MOST_STATES:
        return None
    left = complement(np.asarray(gamma))
    found = chain_of_old(
        np.ascontiguousarray(mdp.transition),
        np.ascontiguousarray(mdp.reward),
        np.ascontiguousarray(mdp.initial),
        np.ascontiguousarray(mdp.available),
        np.ascontiguousarray(policy),
        float(gamma),
        float(left),
        roundings(*policy.shape),
    )
    old, advantage, available, visitation, error, missed, total, largest = found
    if not (np.isfinite(largest[0]) and np.isfinite(visitation).all()):
        return None
    return Surrogate(
        *(old, advantage, available, visitation, np.full(1, gamma), largest),
        advantage_error=error,
        visitation_error=missed,
        total_error=total,
    )


def compiled_answer(surrogate: Surrogate, problem: Problem) -> Answer | None:
    """As `Dual().solve`, of one instance, where old takes the best action of each row."""
    asked = _asked(surrogate, problem)
    if asked is None:
        return None
    kind, size = asked
    change, new, multiplier, guess, found = answer(kind, *_rows(surrogate), float(surrogate.complement[0]), size)
    if not found:
        return None
    return Answer(change[..., None], new[..., None], multiplier[:, None], guess[:, None], note=NOTE)


def compiled_certificate(surrogate: Surrogate, problem: Problem, found: Answer) -> tuple[np.ndarray, np.ndarray] | None:
    """As `DualBound`: an upper bound for A and ρ as they stand, and what their errors add, (B,) each."""
    asked = _asked(surrogate, problem)
    if asked is None or found.guess is None or found.upper is not None:
        return None
    kind, size = asked
    size_error = float(coefficient_error(surrogate, problem)[0]) if isinstance(problem, Penalty) else 0.0
    upper, error = certificate(
        kind,
        *_rows(surrogate),
        float(surrogate.complement[0]),
        size,
        size_error,
        _each(surrogate.advantage_error, surrogate),
        _each(surrogate.visitation_error, surrogate),
        float(np.asarray(surrogate.total_error).item()),
        np.ascontiguousarray(found.multiplier[:, 0]),
        np.ascontiguousarray(found.guess[:, 0]),
    )
    return (np.array([upper]), np.array([error])) if np.isfinite(upper) and np.isfinite(error) else None


def _rows(surrogate: Surrogate) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """old, A, what is available, and ρ."""
    return (
        np.ascontiguousarray(surrogate.old[..., 0], dtype=np.float64),
        np.ascontiguousarray(surrogate.advantage[..., 0], dtype=np.float64),
        np.ascontiguousarray(surrogate.available[..., 0], dtype=np.bool_),
        np.ascontiguousarray(surrogate.visitation[..., 0], dtype=np.float64),
    )


def _each(error: np.ndarray | float, surrogate: Surrogate) -> np.ndarray:
    """Of each row, (G,)."""
    shape = surrogate.visitation.shape
    error = np.asarray(error, dtype=float)
    return np.ascontiguousarray((error if error.shape == shape else np.broadcast_to(error, shape))[:, 0])


def _asked(surrogate: Surrogate, problem: Problem) -> tuple[int, float] | None:
    """Which problem it is, and its δ or C."""
    if surrogate.batch_shape or surrogate.total is not None or surrogate.aggregation is not None:
        return None
    if problem.divergence is not FORWARD_KL or surrogate.gamma.shape != (1,):
        return None
    shared = problem.reduction.shares_multiplier
    if isinstance(problem, TrustRegion):
        return (MEAN if shared else MAX, problem.radius) if problem.radius > 0 else None
    if shared or not isinstance(problem, Penalty):
        return None
    coefficient = linear_coefficient(surrogate, problem)
    if coefficient is None or not 0 < coefficient[0] < np.inf:
        return None
    return PENALTY, float(coefficient[0])
