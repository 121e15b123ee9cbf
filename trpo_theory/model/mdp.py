"""`FiniteMDP`: a finite Markov decision process, validated when it is built."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.kinds import expect_type
from trpo_theory.entries.sparse import is_sparse
from trpo_theory.errors import InvalidInput
from trpo_theory.model._costs import reduced_costs
from trpo_theory.model._dynamics import dense_parts, sparse_parts
from trpo_theory.model.announced import announced
from trpo_theory.model.labels import Label, labels
from trpo_theory.model.shapes import Bool, Float
from trpo_theory.model.types import CostsLike, RealLike, SparseMatrix


@announced
class FiniteMDP:
    """A finite MDP, or a batch of them: frozen, validated once, with read-only arrays.

    P(s' | s, a),  r(s, a) = E[r | s, a],  γ ∈ [0, 1),  ρ₀.

    Source: docs/theory.md, "Setting and notation".

    Args:
        transition: P, shape (*batch, S, A, S); or, for one large MDP, a SciPy sparse matrix of shape (S·A, S)
            whose row s·A + a is P(· | s, a). Duplicate entries are summed.
        reward: per step of discounted return, shape (*batch, S), (*batch, S, A) or (*batch, S, A, S) (sparse:
            also a sparse (S·A, S)); reduced once to its conditional mean r(s, a). -inf in an (S, A) reward marks an
            action that is not available in that state.
        gamma: the discount γ ∈ [0, 1): a scalar, or one for each MDP of the batch.
        initial: ρ₀, shape (S,) or (*batch, S); uniform by default.
        available: booleans (S, A) or (*batch, S, A): which actions may be taken where. The transition row of an
            unavailable action is ignored and stored as zero, as is its reward.
        costs: further rewards by name, in the forms of `reward` but without -inf; each is reduced to c(s, a).
        state_labels, action_labels: optional names of the states and actions, for tables and messages. Joint actions of several
            agents are tuples, such as list(itertools.product(("left", "right"), repeat=2)): see `agents`.

    Rows that sum to 1 only within 1e-8 (1e-5 for float32 input, 5e-3 for float16) are divided by their sum; others are refused.
    Entries below 0 by rounding are 0. Arrays may be of any library that NumPy can read: PyTorch, JAX, pandas, SciPy.

    Raises:
        InvalidInput: for a wrong shape, NaN or infinity, a negative probability, a row that does not sum to 1,
            γ outside [0, 1), or a state without an action.

    >>> mdp = FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[0, 1], [0, 0]], 0.9, [1, 0])
    >>> mdp
    FiniteMDP(states=2, actions=2, gamma=0.9, dense)
    """

    __slots__ = (
        "action_labels",
        "actions",
        "available",
        "batch_shape",
        "costs",
        "gamma",
        "initial",
        "reward",
        "state_labels",
        "states",
        "transition",
    )

    transition: Any  # Float[np.ndarray, "*batch S A S"], or a csr_array (S*A, S)
    reward: Float[np.ndarray, "*batch S A"]
    gamma: float | Float[np.ndarray, "*batch"]
    initial: Float[np.ndarray, "*batch S"]
    available: Bool[np.ndarray, "*batch S A"]
    costs: Mapping[str, Float[np.ndarray, "*batch S A"]]
    states: int
    actions: int
    batch_shape: tuple[int, ...]
    state_labels: tuple[Label, ...] | None
    action_labels: tuple[Label, ...] | None

    def __init__(
        self,
        transition: RealLike | SparseMatrix,
        reward: RealLike | SparseMatrix,
        gamma: RealLike,
        initial: RealLike | None = None,
        *,
        available: RealLike | None = None,
        costs: CostsLike | None = None,
        state_labels: Sequence[Label] | None = None,
        action_labels: Sequence[Label] | None = None,
    ) -> None:
        atol = _checks.row_sum_atol(transition)
        if is_sparse(transition):
            parts = sparse_parts(transition, reward, available, atol)
        else:
            parts = dense_parts(transition, reward, available, atol)
        *batch, states, actions = parts.reward.shape
        batch_shape = tuple(batch)
        fields: dict[str, Any] = {
            "transition": parts.transition,
            "reward": parts.reward,
            "gamma": _checks.discount_or_one(gamma, batch_shape),
            "initial": _checks.distribution(initial, "initial", states, batch_shape),
            "available": parts.available,
            "costs": reduced_costs(costs, parts),
            "states": states,
            "actions": actions,
            "batch_shape": batch_shape,
            "state_labels": labels(state_labels, "state_labels", states),
            "action_labels": labels(action_labels, "action_labels", actions),
        }
        for value in (*fields.values(), *fields["costs"].values()):
            _freeze(value)
        fields["costs"] = MappingProxyType(fields["costs"])
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a FiniteMDP is frozen: build a new one instead of setting {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a FiniteMDP is frozen: {name} cannot be deleted")

    def __reduce__(self) -> tuple[Any, ...]:
        args = (self.transition, self.reward, self.gamma, self.initial)
        return _rebuild, (*args, self.available, dict(self.costs), self.state_labels, self.action_labels)

    def __repr__(self) -> str:
        gamma = f"array{np.shape(self.gamma)}" if np.ndim(self.gamma) else f"{self.gamma:.10g}"
        batch = f", batch={self.batch_shape}" if self.batch_shape else ""
        kind = f"sparse, {self.transition.nnz} transitions" if self.is_sparse else "dense"
        costs = f", costs={', '.join(self.costs)}" if self.costs else ""
        return f"FiniteMDP(states={self.states}, actions={self.actions}, gamma={gamma}{batch}, {kind}{costs})"

    @property
    def is_sparse(self) -> bool:
        """Whether the transitions are stored as a sparse (S·A, S) matrix."""
        return is_sparse(self.transition)

    @property
    def agents(self) -> tuple[int, ...]:
        """How many actions each of several agents has; () for a single agent.

        They are known where the action labels are tuples, one for each combination of the agents' own, in the order of
        `itertools.product` and `numpy.ravel_multi_index`. Tuples of which a combination is missing, or in another order, as
        coordinates of moves may be, are labels of a single agent: `trpo_theory.load` and the command line note it.

        >>> labels = [("left", "left"), ("left", "right"), ("right", "left"), ("right", "right")]
        >>> FiniteMDP(np.ones((1, 4, 1)), np.zeros((1, 4)), 0.9, action_labels=labels).agents
        (2, 2)
        """
        tuples = [label for label in self.action_labels or () if isinstance(label, tuple)]
        if not tuples or len(tuples[0]) < 2:
            return ()
        own = [tuple(dict.fromkeys(column)) for column in zip(*tuples, strict=True)]
        return tuple(map(len, own)) if tuples == list(itertools.product(*own)) else ()

    def with_gamma(self, gamma: RealLike) -> FiniteMDP:
        """The same MDP under another discount."""
        return FiniteMDP(
            self.transition,
            self.reward,
            gamma,
            self.initial,
            available=self.available,
            costs=self.costs,
            state_labels=self.state_labels,
            action_labels=self.action_labels,
        )


def expect_mdp(mdp: object) -> None:
    """Raise unless it is a `FiniteMDP`, and not a name or an environment that is still to be loaded."""
    expect_type(FiniteMDP, mdp, "the MDP", "pass tt.load(...) of it")


def expect_one_mdp(mdp: FiniteMDP, fix: str = "loop over them") -> None:
    """Raise unless it is a `FiniteMDP`, and no batch of them."""
    expect_mdp(mdp)
    if mdp.batch_shape:
        raise InvalidInput(got=f"a batch of MDPs, {mdp!r}", wanted="one MDP", fix=fix)


def _rebuild(*args: Any) -> FiniteMDP:
    *core, available, costs, state_labels, action_labels = args
    labels = {"state_labels": state_labels, "action_labels": action_labels}
    return FiniteMDP(*core, available=available, costs=costs, **labels)


def _freeze(value: Any) -> None:
    """Let the arrays of a field, dense or sparse, be read only."""
    parts = (value.data, value.indices, value.indptr) if is_sparse(value) else (value,)
    for part in parts:
        if isinstance(part, np.ndarray):
            part.flags.writeable = False
