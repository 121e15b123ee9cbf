"""`Quantities` of (mdp, old, new): the one record that bounds and claims read; `compare` makes it from floats."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput, too_long
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import RealLike
from trpo_theory.numerics.arithmetic import Array, Policy
from trpo_theory.numerics.floats import CheckedFloats
from trpo_theory.solve.criteria import EPISODIC
from trpo_theory.solve.settings import expect_discount, posed_mdp, trailing_costs, trailing_fields
from trpo_theory.step.agents import StepAgents
from trpo_theory.step.fields import GIVEN


class Quantities(StepAgents):
    """The quantities of the theory for a step from `old` to `new`, in any arithmetic.

    In every field the S axis is 0, the A axis is 1, and a batch, if any, is last: gamma (*batch), tv (S, *batch),
    advantage (S, A, *batch). A formula written for one instance, such as

        4 * q.max_abs_advantage * q.gamma / (1 - q.gamma)**2 * q.max_tv**2

    therefore runs on a batch, and in ball arithmetic. A field that does not vary over the batch may keep size 1 there.
    Fields are computed when they are first read; treat them as read-only. Names: docs/theory.md, "Setting and notation".
    Reductions and functions (`max_s`, `sum_a`, `sqrt`, `polylog`, ...) are those of `Notation`.

    Some claims read more than (mdp, old, new); each of these has a neutral value where it is not given:
        reference: a policy that states were visited by, (S, A, *batch); else old.
        noise: the error of an estimate Â = A_old + noise, (S, A, *batch); else 0.
        groups: an integer a state, (S, *batch): states with the same one share a row of the policy; else all differ.
        size: the step size or radius of an update, (*batch); else 1.
    """

    def replaced(
        self,
        *,
        old: Policy | None = None,
        new: Policy | None = None,
        gamma: Array | None = None,
        reward: Array | None = None,
        initial: Array | None = None,
        transition: Array | None = None,
    ) -> Quantities:
        """Another step: of the same MDP between other policies, or with its γ, r, ρ₀ or P exchanged; nothing is checked.

        What is not given stays, reference, noise, groups and size included: q.replaced(old=q.new, new=q.old) is the step back.

        Args:
            old: (S, A, *batch), or what broadcasts to the shape of the field that it replaces.
            new: likewise.
            gamma: (*batch); an exact number is read as the nearest float in floats.
            reward: r(s,a), (S, A, *batch).
            initial: (S, *batch).
            transition: of the shape of the field itself.
        """
        given = {"old": old, "new": new, "gamma": gamma, "reward": reward, "initial": initial}
        changes = {
            name: self.arithmetic.where(np.True_, value, getattr(self, name))
            for name, value in given.items()
            if value is not None
        }
        if transition is not None:
            changes["transition"] = transition
        return self.with_new(changes["new"]) if changes.keys() == {"new"} else self.replace(**changes)

    def replace(self, **changes: Array) -> Quantities:
        """The step with some of its fields exchanged as they are, from which everything is computed anew: see `replaced`."""
        fields = {name: getattr(self, name) for name in GIVEN}
        more: dict[str, Any] = {"criterion": self.criterion, "cost_names": self.cost_names, "agents": self.agents}
        return Quantities(self.arithmetic, **more | fields | changes)

    def with_new(self, new: Policy) -> Quantities:
        """The same step to another policy; what is known of old is kept."""
        other = copy.copy(self)
        vars(other).update(new=new)
        for name in vars(self).keys() - _OF_OLD:
            vars(other).pop(name)
        return other

    def cost(self, name: str) -> Quantities:
        """The same step with the cost of that name in the place of the reward: its value, advantage, return and bounds.

        As of `evaluate`, a cost is paid up to the end of the reward's runs, and has no price of entropy.

        Raises:
            InvalidInput: for a name that no cost has.
        """
        if not isinstance(name, str) or name not in self._costs_by_name:  # pyright: ignore[reportUnnecessaryIsInstance] - callers need not be typed
            known = ", ".join(self.cost_names) or "an MDP with costs"
            raise InvalidInput(
                got=f"q.cost({name!r})", wanted=known, fix=f"pass FiniteMDP(..., costs={{{name!r}: (S, A)}})"
            )
        return self._costs_by_name[name]

    @cached_property
    def _costs_by_name(self) -> dict[str, Quantities]:
        paid, counted = self.costs, self._kernel.counted
        if counted is not None:  # what is paid after the end of the reward's run is not of it
            paid = self.arithmetic.where(counted[:, None, None], paid, 0)
        return {name: self.replace(reward=paid[:, :, k], temperature=0) for k, name in enumerate(self.cost_names)}

    def with_cost_names(self, names: tuple[str, ...]) -> Quantities:
        """The same step whose costs have these names, in their order."""
        other = copy.copy(self)
        vars(other).update(cost_names=names)
        for name in ("_costs_by_name", "_posed"):
            vars(other).pop(name, None)
        return other

    @cached_property
    def surrogate_gain(self) -> Array:
        """L_old(new) − η(old) = Σ_s ρ_old(s) Ā(s), equation (7)."""
        return self.sum_s(self.visitation_old * self.expected_advantage)

    @cached_property
    def surrogate(self) -> Array:
        """L_old(new), equation (7)."""
        return self.expected_return_old + self.surrogate_gain

    @cached_property
    def visitation_change(self) -> Array:
        """ρ_new − ρ_old, solved for: (I − γ P_newᵀ)(ρ_new − ρ_old) = γ (P_new − P_old)ᵀ ρ_old. No cancellation."""
        weight = (self.new - self.old) * self.visitation_old[:, None]
        kernel = self._kernel
        return self._new.resolvent.solve_transposed(kernel.gamma * self.arithmetic.push(kernel.transition, weight))

    @cached_property
    def surrogate_gap(self) -> Array:
        """η(new) − L_old(new) = Σ_s (ρ_new − ρ_old)(s) Ā(s), from equations (6) and (7).

        The difference expected_return_new − surrogate to the relative accuracy that the difference itself has lost.
        """
        return self.sum_s(self.visitation_change * self.expected_advantage)

    @cached_property
    def return_derivative(self) -> Array:
        """d/dt η(old + t (new − old)) at t = 0, from the derivative of the value: ρ₀ · (I − γ P_old)⁻¹ Σ_a (new − old) Q.

        With a temperature Q − τ log old in the place of Q: ∞ where new takes an action that old never takes.
        """
        return self.sum_s(self._kernel.start * self._value_derivative)

    @cached_property
    def return_second_derivative(self) -> Array:
        """d²/dt² η(old + t (new − old)) at t = 0: 2 γ ρ₀ · (I − γ P_old)⁻¹ Σ_a (new − old) P V', V' the first derivative.

        With a temperature less τ ρ₀ · (I − γ P_old)⁻¹ Σ_a (new − old)²/old.
        """
        change = self.new - self.old
        bent = 2 * self._kernel.gamma * self.sum_a(change * self.expect(self._value_derivative))
        if self._old.is_soft:
            bent = bent - self.sum_a(
                self._price * self.arithmetic.where(self.old > 0, change**2 / self._where_played, 0)
            )
        return self.sum_s(self._kernel.start * self._old.resolvent.solve(bent))

    @cached_property
    def _value_derivative(self) -> Array:
        change = self.new - self.old
        if not self._old.is_soft:
            return self._old.resolvent.solve(self.sum_a(change * self.q_value))
        slopes = change * (self.q_value - self._price * self.log(self._where_played))
        outside = self.arithmetic.where((self.new > 0) & (self._price > 0), np.inf, change * self.q_value)
        return self._old.resolvent.solve(self.sum_a(self.arithmetic.where(self.old > 0, slopes, outside)))

    @cached_property
    def mixture_weight(self) -> Array:
        """The least x with new = (1 − x) old + x target for a policy target: max over old > 0 of 1 − new/old."""
        played = self.old > 0
        share = (self.old - self.new) / self.arithmetic.where(played, self.old, 1)
        return self.max_s(self.max_a(self.arithmetic.where(played, share, 0)))

    @cached_property
    def target(self) -> Array:
        """The target of that mixture, (S, A, *batch): old where new = old."""
        moves = self.mixture_weight > 0
        return self.old + (self.new - self.old) / self.arithmetic.where(moves, self.mixture_weight, 1)

    @cached_property
    def max_abs_target_advantage(self) -> Array:
        """max_s |Σ_a target(a|s) A_old(s,a)| = ε'/x, without x's cancellation; 0 where new = old."""
        moves = self.mixture_weight > 0
        return self.max_abs_expected_advantage / self.arithmetic.where(moves, self.mixture_weight, 1)

    @property
    def estimate(self) -> Array:
        """Â = A_old + noise, an estimate of the advantage, (S, A, *batch)."""
        return self.advantage + self.noise

    @cached_property
    def visitation_reference(self) -> Array:
        """ρ_reference(s), (S, *batch)."""
        return self.visitation_old if self.reference is self.old else self._chain(self.reference).visitation

    def __repr__(self) -> str:
        states, actions = self.old.shape[:2]
        batch = f", batch={self.batch_shape}" if self.batch_shape else ""
        if batch:
            return f"Quantities(states={states}, actions={actions}{batch}, {self.arithmetic.name})"
        return (
            f"Quantities(states={states}, actions={actions}, gamma={self.gamma}, "
            f"expected_return_old={self.expected_return_old}, surrogate={self.surrogate}, "
            f"expected_return_new={self.expected_return_new}, max_kl={self.max_kl}, max_tv={self.max_tv}, "
            f"max_abs_advantage={self.max_abs_advantage}, {self.arithmetic.name})"
        )


_OF_OLD = frozenset(
    {
        *("cost_names", "agents"),
        *(*GIVEN, "arithmetic", "criterion", "_all_available", "_kernel", "_old", "advantage", "max_abs_advantage"),
        *("visitation_reference", "_law_blocks", "_law_starts", "transition_old", "optimal_value"),
    }
)
"""What a change of new leaves as it is, by the names in `vars`."""


def compare(
    mdp: FiniteMDP,
    old: RealLike,
    new: RealLike,
    *,
    criterion: str | None = None,
    horizon: int | None = None,
    temperature: float | None = None,
) -> Quantities:
    """The quantities of a step from old to new, in float64.

    L = η(old) + Σ_s ρ_old(s) Ā(s), equation (7), with D, α, ε and what else the bounds need.

    Args:
        mdp: one MDP or a batch; batches of MDPs and of policies broadcast against each other. Its `agents` are those of the
            result.
        old: the policy that we stand at, shape (*batch, S, A); or "uniform" or "optimal", by the same criterion.
        new: the candidate, likewise.
        criterion: "discounted", "episodic" (up to the end, γ ≤ 1) or "average" (γ is not read, and 1 in the result); if left
            out, episodic where γ = 1, else discounted.
        horizon: T, the number of steps of a run: the states of the result are (t, s), numbered t S + s. Policies may then be
            (T, S, A), of one MDP without a batch.
        temperature: τ ≥ 0: returns count τ times the entropy of the policy.

    Returns:
        `Quantities`, whose batch axes are last: thousands of small MDPs cost one call. A value that overflows raises `NotSolved`
        when it is read.

    Raises:
        InvalidInput: for a policy that is not one, or of another MDP; for one that has no return by the criterion, as where
            γ = 1 and it never ends.
        NotSolved: where runs up to an end are so long that floats do not tell their length.

    >>> mdp = FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[0, 1], [0, 0]], 0.5, [1, 0])
    >>> q = compare(mdp, [[0.5, 0.5], [1, 0]], [[0.25, 0.75], [1, 0]])
    >>> round(float(q.surrogate), 12), round(float(q.expected_return_new), 12)
    (0.888888888889, 0.857142857143)
    """
    found = posed_mdp(mdp, {"old policy": old, "new policy": new}, criterion, horizon, temperature)
    q = Quantities(
        CheckedFloats(),
        **found.mdp._asdict(),
        old=found.policies[0],
        new=found.policies[1],
        batch_shape=found.batch_shape,
        horizon=found.horizon,
        temperature=found.temperature,
        costs=found.costs,
        criterion=found.criterion,
        cost_names=found.cost_names,
        agents=mdp.agents,
    )
    if found.criterion is EPISODIC and np.isinf(q.longest).any():
        raise too_long()
    return q


def quantities_of(
    mdp: FiniteMDP, old: np.ndarray, new: np.ndarray, *, batch_shape: tuple[int, ...] | None = None
) -> Quantities:
    """As `compare`, for policies that are known to be policies of this MDP: nothing is checked.

    Args:
        mdp: as for `compare`, and so the next two.
        old: (*batch, S, A).
        new: (*batch, S, A).
        batch_shape: what the batches of the three broadcast to, where that is known.
    """
    expect_discount(mdp.gamma, "the quantities of a discounted step")
    if batch_shape is None:
        batch_shape = np.broadcast_shapes(mdp.batch_shape, old.shape[:-2], new.shape[:-2])
    fields, (old, new) = trailing_fields(mdp, old, new)
    costs = trailing_costs(mdp, fields["reward"].ndim - 2)
    fields |= {"old": old, "new": new, "costs": costs, "cost_names": tuple(mdp.costs)}
    return Quantities(CheckedFloats(), batch_shape=batch_shape, agents=mdp.agents, **fields)
