"""MDPs to and from QuantEcon's `DiscreteDP`, where Q is the transition and R the reward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.reading import reading
from trpo_theory.entries.sparse import is_sparse, sp
from trpo_theory.errors import InvalidInput
from trpo_theory.io._rows import check_size, densified, integer_vector, without_rounding
from trpo_theory.model.mdp import FiniteMDP, expect_one_mdp
from trpo_theory.model.types import RealLike


@runtime_checkable
class DiscreteProgram(Protocol):
    """The attributes of a `quantecon.markov.DiscreteDP` that are read, in QuantEcon's letters.

    Attributes:
        R: the reward, (n, m), or (L,) for L state-action pairs.
        Q: the transition, (n, m, n), or (L, n), dense or sparse.
        beta: the discount.
    """

    R: Any
    Q: Any
    beta: float


if TYPE_CHECKING:
    _Given = DiscreteProgram
else:
    _Given = object  # `from_quantecon` refuses anything else with its own message


def from_quantecon(ddp: _Given, initial: RealLike | None = None) -> FiniteMDP:
    """The MDP in a QuantEcon DiscreteDP.

    P = Q, r = R, γ = beta; R = -inf marks an action that is not available.   Source: QuantEcon.py, markov.ddp.DiscreteDP.

    Args:
        ddp: a DiscreteDP, or any object with its attributes: R (n, m), Q (n, m, n), beta in product form; R (L,),
            Q (L, n) dense or sparse, s_indices (L,), a_indices (L,), beta in state-action pairs form.
        initial: ρ₀, shape (S,); uniform by default.

    Returns:
        A sparse MDP if Q is sparse, else a dense one; pairs that are not listed are unavailable.

    Raises:
        InvalidInput: if attributes are missing or do not fit each other, or beta = 1.
    """
    missing = [name for name in ("R", "Q", "beta") if not hasattr(ddp, name)]
    if missing:
        raise InvalidInput(
            got=f"{type(ddp).__name__} without {', '.join(missing)}",
            wanted="a quantecon.markov.DiscreteDP",
            fix="build DiscreteDP(R, Q, beta) first, or give the arrays to FiniteMDP(Q, R, beta)",
        )
    with reading():
        return _from_program(ddp, _checks.discount_or_one(ddp.beta), initial)


def _from_program(ddp: Any, gamma: Any, initial: Any) -> FiniteMDP:
    matrix = without_rounding(
        ddp.Q if is_sparse(ddp.Q) else _checks.real_array(ddp.Q, "Q"), _checks.row_sum_atol(ddp.Q)
    )
    if matrix.ndim == 3:
        reward = _checks.real_array(ddp.R, "R", allow_minus_inf=True)
        return FiniteMDP(matrix, reward, gamma, initial)
    reward = _checks.real_array(ddp.R, "R", allow_minus_inf=True)
    state = integer_vector(getattr(ddp, "s_indices", None), "s_indices")
    action = integer_vector(getattr(ddp, "a_indices", None), "a_indices")
    if matrix.ndim != 2 or not len(state) == len(action) == matrix.shape[0] or reward.shape != (matrix.shape[0],):
        raise InvalidInput(
            got=f"Q {matrix.shape}, R {reward.shape}, s_indices {state.shape}, a_indices {action.shape}",
            wanted="Q (L, n) and R, s_indices, a_indices of length L",
            fix="give each listed pair one row of Q and one entry of R",
        )
    return _from_pairs(matrix, reward, state, action, gamma, initial)


def _from_pairs(matrix: Any, reward: Any, state: Any, action: Any, gamma: Any, initial: Any) -> FiniteMDP:
    pairs, states = matrix.shape
    actions = int(action.max()) + 1
    check_size(states, actions)
    row = state * actions + action
    if state.max() >= states or len(np.unique(row)) < pairs:
        fault = f"state {state.max()} of {states}" if state.max() >= states else "a pair twice"
        raise InvalidInput(
            got=f"{fault} in s_indices and a_indices", wanted="each pair once, its state in [0, n)", fix="correct them"
        )
    place = sp.csr_array((np.ones(pairs), (row, np.arange(pairs))), shape=(states * actions, pairs))
    transition = place @ sp.csr_array(matrix)
    if not is_sparse(matrix):
        transition = densified(transition, states, actions)
    full = np.full(states * actions, -np.inf)
    full[row] = reward
    return FiniteMDP(transition, full.reshape(states, actions), gamma, initial)


def to_quantecon(mdp: FiniteMDP) -> Any:
    """The QuantEcon DiscreteDP of an MDP, in state-action pairs form, sparse if the MDP is.

    Only available pairs are listed, sorted by state, then action. A DiscreteDP has no initial distribution: it is dropped.

    Raises:
        InvalidInput: for a batch, or if quantecon is not installed.
    """
    expect_one_mdp(mdp, "convert each by itself")
    try:
        from quantecon.markov import DiscreteDP
    except ImportError:
        raise InvalidInput(
            got="no installed quantecon", wanted="the package quantecon", fix="pip install quantecon"
        ) from None
    state, action = np.nonzero(mdp.available)
    reward = mdp.reward[state, action]
    sparse_rows = state * mdp.actions + action
    matrix = sp.csr_matrix(mdp.transition[sparse_rows]) if mdp.is_sparse else mdp.transition[state, action]
    return DiscreteDP(reward, matrix, mdp.gamma, state, action)
