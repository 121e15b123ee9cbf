"""Several agents: joint actions (a_1, ..., a_n), policies that are products of the agents' own, and their advantages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.arithmetic import Array, Policy
from trpo_theory.step.conditions import StepConditions

if TYPE_CHECKING:
    from trpo_theory.step.quantities import Quantities

_ROUNDING = 1e-12
"""How far a policy in floats may be from the product of its marginals. Chosen: far above the rounding of both."""


class StepAgents(StepConditions):
    """Quantities of a step of several agents, i = 0, ..., n − 1, in any arithmetic.

    The joint action a = (a_1, ..., a_n) has the number that `numpy.ravel_multi_index` gives it, `agents` being the shape.
    """

    def marginal(self, policy: Policy, agent: int) -> Policy:
        """π^i(b|s) = Σ_{a: a_i = b} π(a|s), the policy of one agent, (S, A_i, *batch).

        Args:
            policy: (S, A, *batch).
            agent: i, from 0.

        Raises:
            InvalidInput: without several agents.
        """
        return marginal(policy, self._sizes, agent)

    def product(self, marginals: Sequence[Policy]) -> Policy:
        """Π_i π^i(a_i|s), of one policy an agent, (S, A, *batch)."""
        return product(marginals, self._sizes)

    def moved(self, agents: Iterable[int]) -> Quantities:
        """The step in which only these agents change from old to new: its surrogate, divergences and bounds.

        The divergences of q.moved([i]) are those of π^i and π̃^i, as what the others do is the same on both sides.
        """
        moving = set(agents)
        policies = [self.marginal(self.new if i in moving else self.old, i) for i in range(len(self.agents))]
        return self.with_new(self.product(policies))

    def agents_q_value(self, agents: Iterable[int]) -> Array:
        """Q_old(s, a^{agents}) = E[Q_old(s, a)], the other agents acting by old, (S, A, *batch): constant in their actions."""
        return self._averaged(self.q_value, agents)

    def agent_advantage(self, agent: int, after: Iterable[int] = ()) -> Array:
        """A^i(s, a^{after}, a_i) = Q_old(s, a^{after}, a_i) − Q_old(s, a^{after}), (S, A, *batch).

        Source: Kuba et al. 2022, arXiv:2109.11251, Definition 1.

        Args:
            agent: i, from 0.
            after: the agents that have chosen; all others act by old.
        """
        before = set(after)
        known = self._averaged(self.advantage, before | {agent})
        return known - self._averaged(known, before)

    @property
    def is_product(self) -> bool:
        """Whether old and new are products of the agents' own policies: up to rounding in floats."""
        apart = [policy - projected(policy, self.agents) for policy in (self.old, self.new) if self.agents]
        return all(bool(np.all(abs(change) < _ROUNDING)) for change in apart)

    def factored(self, agents: tuple[int, ...]) -> Quantities:
        """The same step for agents of so many actions, with old, new and the reference the products of their marginals.

        Args:
            agents: their product is A.

        Raises:
            InvalidInput: if it is not.
        """
        _expect_product(agents, self.actions)
        old = projected(self.old, agents)
        reference = old if self.reference is self.old else projected(self.reference, agents)
        return self.replace(agents=agents, old=old, new=projected(self.new, agents), reference=reference)

    def with_agents(self, agents: tuple[int, ...]) -> Quantities:
        """The same step, of agents with so many actions; nothing else is changed.

        Raises:
            InvalidInput: if A is not their product.
        """
        if agents:
            _expect_product(agents, self.actions)
        return self.replace(agents=agents)

    def _averaged(self, f: Array, agents: Iterable[int]) -> Array:
        """E[f(s, a) | a^{agents}], the others acting by old."""
        for agent in set(range(len(self.agents))) - set(agents):
            own, joint = self.marginal(self.old, agent), _by_action(self._sizes, agent)
            columns = [np.broadcast_to(column, joint.shape) for column in joint]
            place = np.moveaxis(np.stack(columns), 1, agent + 1).reshape(len(columns), -1)
            terms = [own[:, b][:, None] * f[:, column] for b, column in enumerate(place)]
            f = reduce(lambda x, y: x + y, terms)
        return f

    @property
    def _sizes(self) -> tuple[int, ...]:
        if not self.agents:
            raise InvalidInput(
                got="a step of a single agent",
                wanted="several agents",
                fix="give FiniteMDP action labels that are tuples, one for each combination of the agents' own actions, in "
                "the order of itertools.product; or the claim agents=(2, 2), say",
            )
        return self.agents


def marginal(policy: Policy, agents: tuple[int, ...], agent: int) -> Policy:
    """π^i(b|s) = Σ_{a: a_i = b} π(a|s), (S, A_i, *batch), of a policy (S, A, *batch) of any numbers."""
    joint = _by_action(agents, agent)
    columns = joint.reshape(len(joint), -1).T
    return reduce(lambda total, column: total + policy[:, column], columns[1:], policy[:, columns[0]])


def product(marginals: Sequence[Policy], agents: tuple[int, ...]) -> Policy:
    """Π_i π^i(a_i|s), (S, A, *batch), of policies (S, A_i, *batch)."""
    own = np.unravel_index(np.arange(math.prod(agents)), agents)
    factors = [policy[:, actions] for policy, actions in zip(marginals, own, strict=True)]
    return reduce(lambda x, y: x * y, factors)


def projected(policy: Policy, agents: tuple[int, ...]) -> Policy:
    """The product of the marginals of a policy, (S, A, *batch): the policy itself if it is a product."""
    return product([marginal(policy, agents, i) for i in range(len(agents))], agents)


def _by_action(agents: tuple[int, ...], agent: int) -> np.ndarray:
    """The numbers of the joint actions, (A_i, those of the others): agent i's axis first."""
    return np.moveaxis(np.arange(math.prod(agents)).reshape(agents), agent, 0)


def _expect_product(agents: tuple[int, ...], actions: int) -> None:
    if math.prod(agents) != actions:
        raise InvalidInput(
            got=f"{actions} actions for agents with {', '.join(map(str, agents))}",
            wanted=f"{math.prod(agents)} joint actions",
            fix="number the joint actions as numpy.ravel_multi_index does",
        )
