"""`Quantities` of (mdp, old, new): the one record that bounds and claims read; `compare` makes it from floats."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Real

from trpo_theory import _checks
from trpo_theory.arithmetic import Floats
from trpo_theory.evaluation import PolicyChain, trailing_fields
from trpo_theory.mdp import FiniteMDP


class Quantities:
    """The quantities of the theory for a step from `old` to `new`, in any arithmetic.

    In every field the S axis is 0, the A axis is 1, and a batch, if any, is last: gamma (*batch), tv (S, *batch),
    advantage (S, A, *batch). A formula written for one instance, such as

        4 * q.max_abs_advantage * q.gamma / (1 - q.gamma)**2 * q.max_tv**2

    therefore runs on a batch, and in balls. A field that does not vary over the batch may keep size 1 there.
    Fields are computed when first asked for; treat them as read-only. Names: THEORY.md, "Setting".
    """

    def __init__(
        self,
        arithmetic: Any,
        *,
        gamma: Any,
        transition: Any,
        reward: Any,
        initial: Any,
        available: Any,
        old: Any,
        new: Any,
        batch_shape: tuple[int, ...] = (),
    ) -> None:
        self.arithmetic = arithmetic
        self.gamma, self.transition, self.reward, self.initial = gamma, transition, reward, initial
        self.available, self.old, self.new, self.batch_shape = available, old, new, batch_shape
        self._all_available = bool(np.all(available))

    @cached_property
    def _old(self) -> PolicyChain:
        return self._chain(self.old)

    @cached_property
    def _new(self) -> PolicyChain:
        return self._chain(self.new)

    def _chain(self, policy: Any) -> PolicyChain:
        return PolicyChain(self.arithmetic, self.gamma, self.transition, self.reward, self.initial, policy)

    # --- of the old policy -------------------------------------------------------------------------------------

    @property
    def value(self) -> Any:
        """V_old(s), (S, *batch)."""
        return self._old.value

    @property
    def q_value(self) -> Any:
        """Q_old(s, a), (S, A, *batch); 0 for an unavailable action."""
        return self._old.q_value

    @cached_property
    def advantage(self) -> Any:
        """A_old = Q_old − V_old, equation (4), (S, A, *batch); 0 for an unavailable action."""
        advantage = self.q_value - self.value[:, None]
        return advantage if self._all_available else self.arithmetic.where(self.available, advantage, 0.0)

    @property
    def visitation_old(self) -> Any:
        """ρ_old(s), equation (5), (S, *batch)."""
        return self._old.visitation

    @property
    def occupancy_old(self) -> Any:
        """d_old = (1 − γ) ρ_old."""
        return (1 - self.gamma) * self.visitation_old

    @property
    def expected_return_old(self) -> Any:
        """η(old), (*batch)."""
        return self._old.expected_return

    @cached_property
    def max_abs_advantage(self) -> Any:
        """ε = max_{s,a} |A_old(s,a)| over the available actions."""
        return self.max_s(self.max_a(abs(self.advantage)))

    # --- of the new policy -------------------------------------------------------------------------------------

    @property
    def visitation_new(self) -> Any:
        """ρ_new(s), (S, *batch)."""
        return self._new.visitation

    @property
    def occupancy_new(self) -> Any:
        """d_new = (1 − γ) ρ_new."""
        return (1 - self.gamma) * self.visitation_new

    @property
    def expected_return_new(self) -> Any:
        """η(new), from the new policy's own value: never from an identity that is to be tested."""
        return self._new.expected_return

    # --- of the step -------------------------------------------------------------------------------------------

    @cached_property
    def expected_advantage(self) -> Any:
        """Ā(s) = Σ_a new(a|s) A_old(s,a), (S, *batch).

        Computed as Σ_a (new − old) A_old, the same since Σ_a old A_old = 0, which keeps its digits where new is close to old.
        """
        return self.sum_a((self.new - self.old) * self.advantage)

    @cached_property
    def surrogate_gain(self) -> Any:
        """L_old(new) − η(old) = Σ_s ρ_old(s) Ā(s), equation (7)."""
        return self.sum_s(self.visitation_old * self.expected_advantage)

    @cached_property
    def surrogate(self) -> Any:
        """L_old(new), equation (7)."""
        return self.expected_return_old + self.surrogate_gain

    @cached_property
    def visitation_change(self) -> Any:
        """ρ_new − ρ_old, solved for: (I − γ P_newᵀ)(ρ_new − ρ_old) = γ (P_new − P_old)ᵀ ρ_old. No cancellation."""
        weight = (self.new - self.old) * self.visitation_old[:, None]
        return self._new.resolvent.solve_transposed(self.gamma * self.arithmetic.push(self.transition, weight))

    @cached_property
    def surrogate_gap(self) -> Any:
        """η(new) − L_old(new) = Σ_s (ρ_new − ρ_old)(s) Ā(s), from equations (6) and (7).

        The difference expected_return_new − surrogate to the relative accuracy that the difference itself has lost.
        """
        return self.sum_s(self.visitation_change * self.expected_advantage)

    @cached_property
    def kl(self) -> Any:
        """KL(old_s ‖ new_s) in nats, (S, *batch); may be inf."""
        return self.sum_a(self.arithmetic.kl_div(self.old, self.new))

    @cached_property
    def reverse_kl(self) -> Any:
        """KL(new_s ‖ old_s) in nats, (S, *batch); may be inf."""
        return self.sum_a(self.arithmetic.kl_div(self.new, self.old))

    @cached_property
    def tv(self) -> Any:
        """TV(old_s, new_s), with the ½, (S, *batch)."""
        return self.sum_a(abs(self.new - self.old)) / 2

    @cached_property
    def max_kl(self) -> Any:
        """D = max_s KL(old_s ‖ new_s)."""
        return self.max_s(self.kl)

    @cached_property
    def reverse_max_kl(self) -> Any:
        """max_s KL(new_s ‖ old_s)."""
        return self.max_s(self.reverse_kl)

    @cached_property
    def mean_kl(self) -> Any:
        """Σ_s d_old(s) KL(old_s ‖ new_s): the states that old never visits do not count, even where KL is inf."""
        return self._mean(self.kl)

    @cached_property
    def max_tv(self) -> Any:
        """α = max_s TV(old_s, new_s)."""
        return self.max_s(self.tv)

    @cached_property
    def mean_tv(self) -> Any:
        """Σ_s d_old(s) TV(old_s, new_s)."""
        return self._mean(self.tv)

    def _mean(self, divergence: Any) -> Any:
        visited = self.visitation_old != 0
        return self.sum_s(self.occupancy_old * self.arithmetic.where(visited, divergence, 0.0))

    # --- reductions and functions, named as in mathematics -----------------------------------------------------

    def sum_s(self, x: Any, *, where: Any = None) -> Any:
        """Σ_s, over axis 0."""
        return self.arithmetic.sum(x, 0, where)

    def max_s(self, x: Any, *, where: Any = None) -> Any:
        """max_s, over axis 0."""
        return self.arithmetic.max(x, 0, where)

    def min_s(self, x: Any, *, where: Any = None) -> Any:
        """min_s, over axis 0."""
        return -self.arithmetic.max(-x, 0, where)

    def sum_a(self, x: Any, *, where: Any = None) -> Any:
        """Σ_a, over axis 1."""
        return self.arithmetic.sum(x, 1, self._actions(where))

    def max_a(self, x: Any, *, where: Any = None) -> Any:
        """max_a, over axis 1: of the available actions."""
        return self.arithmetic.max(x, 1, self._actions(where))

    def min_a(self, x: Any, *, where: Any = None) -> Any:
        """min_a, over axis 1: of the available actions."""
        return -self.arithmetic.max(-x, 1, self._actions(where))

    def _actions(self, where: Any) -> Any:
        if self._all_available:
            return where
        return self.available if where is None else where & self.available

    def sqrt(self, x: Any) -> Any:
        """√x."""
        return self.arithmetic.sqrt(x)

    def log(self, x: Any) -> Any:
        """The natural logarithm."""
        return self.arithmetic.log(x)

    def exp(self, x: Any) -> Any:
        """eˣ."""
        return self.arithmetic.exp(x)

    def minimum(self, x: Any, y: Any) -> Any:
        """The smaller, elementwise."""
        return self.arithmetic.minimum(x, y)

    def maximum(self, x: Any, y: Any) -> Any:
        """The larger, elementwise."""
        return self.arithmetic.maximum(x, y)

    def polylog(self, order: float, x: Any) -> Any:
        """Li_order(x) = Σ_{k≥1} xᵏ / k^order."""
        return self.arithmetic.polylog(order, x)

    def __repr__(self) -> str:
        states, actions = self.old.shape[:2]
        batch = f", batch={self.batch_shape}" if self.batch_shape else ""
        if batch:
            return f"Quantities(states={states}, actions={actions}{batch}, {self.arithmetic.name})"
        return (
            f"Quantities(states={states}, actions={actions}, gamma={self.gamma}, "
            f"expected_return_old={self.expected_return_old}, surrogate={self.surrogate}, "
            f"expected_return_new={self.expected_return_new}, max_kl={self.max_kl}, max_tv={self.max_tv}, "
            f"max_abs_advantage={self.max_abs_advantage})"
        )


def compare(
    mdp: FiniteMDP,
    old: Real[np.ndarray, "*old_batch S A"] | Sequence,
    new: Real[np.ndarray, "*new_batch S A"] | Sequence,
) -> Quantities:
    """The quantities of a step from old to new, in float64.

    L = η(old) + Σ_s ρ_old(s) Ā(s), equation (7), with D, α, ε and what else the bounds need.

    Args:
        mdp: one MDP or a batch; batches of MDPs and of policies broadcast against each other.
        old: the policy that we stand at, shape (*batch, S, A).
        new: the candidate, likewise.

    Returns:
        `Quantities`, whose batch axes are last: thousands of small MDPs cost one call.

    Raises:
        InvalidInput: for a policy that is not one, or of another MDP.

    >>> mdp = FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[0, 1], [0, 0]], 0.5, [1, 0])
    >>> q = compare(mdp, [[0.5, 0.5], [1, 0]], [[0.25, 0.75], [1, 0]])
    >>> round(float(q.surrogate), 12), round(float(q.expected_return_new), 12)
    (0.888888888889, 0.857142857143)
    """
    old = _checks.policy_rows(old, mdp.available, "old policy")
    new = _checks.policy_rows(new, mdp.available, "new policy")
    try:
        batch_shape = np.broadcast_shapes(mdp.batch_shape, old.shape[:-2], new.shape[:-2])
    except ValueError:
        raise _checks.InvalidInput(
            got=f"batches {mdp.batch_shape}, {old.shape[:-2]} and {new.shape[:-2]} of MDPs, old and new policies",
            wanted="batch shapes that broadcast against each other",
            mend="pass one, or as many, of each",
        ) from None
    fields, (old, new) = trailing_fields(mdp, old, new)
    return Quantities(Floats(), old=old, new=new, batch_shape=batch_shape, **fields)
