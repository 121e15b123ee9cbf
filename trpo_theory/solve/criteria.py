"""`Criterion`: what a return sums. Each turns an MDP into a `Kernel`, in which one set of formulas gives V, ρ and η.

| criterion | η(π) | allowed where |
|---|---|---|
| `DISCOUNTED` | E Σ_t γᵗ r_t | γ < 1 |
| `EPISODIC` | E Σ_t γᵗ r_t up to the end | every policy concerned reaches an end with probability 1; γ ≤ 1 |
| `AVERAGE` | lim (1/n) E Σ_{t<n} r_t | every policy concerned has one closed class; γ is not read |

An end is a state from which no action earns or leads to anything that earns: the largest set of states that no available
action leaves and in which every reward is 0. To add a criterion, write a class with these methods and a row of this table.
Source: docs/theory.md, "Criteria".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory._checks import near_matches
from trpo_theory.entries.sparse import is_sparse, sp
from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.arithmetic import Arithmetic, Array
from trpo_theory.solve.criterion import Criterion, Given, Kernel
from trpo_theory.solve.reachability import closed_classes, closure, edges, ends, named, reaching


@dataclass(frozen=True)
class Discounted:
    """η = E Σ_t γᵗ r_t, γ < 1: K = P."""

    name: str = "discounted"

    def kernel(self, arithmetic: Arithmetic, mdp: Given) -> Kernel:
        """K = P, κ = γ, u = ρ₀."""
        return Kernel(mdp.transition, mdp.gamma, mdp.initial, levels=True)

    def occupancy(self, arithmetic: Arithmetic, gamma: Array, visitation: Array) -> Array:
        """d = (1 − γ) ρ."""
        return (1 - gamma) * visitation

    def allows(self, mdp: Given, policy: Array) -> Array:
        """Whether γ < 1."""
        return mdp.gamma < 1

    def complaint(self, mdp: Given, policy: Array, name: str) -> InvalidInput:
        """What γ = 1 needs."""
        return undiscounted("the discounted criterion")


@dataclass(frozen=True)
class Episodic:
    """η = E Σ_{t<τ} γᵗ r_t, τ the time of the end, γ ≤ 1: K is P without what leads to an end."""

    name: str = "episodic"

    def kernel(self, arithmetic: Arithmetic, mdp: Given) -> Kernel:
        """P without what leads to an end."""
        goes_on = ~ends(mdp)
        if is_sparse(mdp.transition):
            cut = sp.csr_array(mdp.transition @ sp.diags_array(goes_on.astype(np.float64)))
            cut.eliminate_zeros()
            return Kernel(cut, mdp.gamma, mdp.initial * goes_on, levels=False, counted=goes_on)
        where = arithmetic.where
        cut, start = where(goes_on[None, None], mdp.transition, 0), where(goes_on, mdp.initial, 0)
        return Kernel(cut, mdp.gamma, start, levels=False, counted=goes_on)

    def occupancy(self, arithmetic: Arithmetic, gamma: Array, visitation: Array) -> Array:
        """ρ over its sum."""
        total = arithmetic.sum(visitation, 0)
        return visitation / arithmetic.where(total > 0, total, 1)

    def allows(self, mdp: Given, policy: Array) -> Array:
        """Whether every state leads to an end."""
        return np.all(self._ending(mdp, policy), axis=0)

    def complaint(self, mdp: Given, policy: Array, name: str) -> InvalidInput:
        """It names states that lead to none."""
        stuck = np.flatnonzero(~self._ending(mdp, policy))
        if not ends(mdp).any():
            return InvalidInput(
                got="an MDP without an end: no state that cannot be left and where every reward is 0",
                wanted="an end that every policy concerned reaches with probability 1",
                fix="give a horizon, use the average criterion, or a discount below 1",
            )
        return InvalidInput(
            got=f"the {name} that never reaches the end from {named(stuck)}",
            wanted='a policy that ends with probability 1 from every state, as criterion "episodic" sums rewards up to there',
            fix="give every action that leaves such a loop a positive probability, set a horizon, or use a discount below 1",
        )

    def _ending(self, mdp: Given, policy: Array) -> np.ndarray:
        """Whether the end is reached with a positive probability, and so with probability 1 where all states do, (S, *batch)."""
        return reaching(edges(mdp.transition, policy), ends(mdp))


@dataclass(frozen=True)
class Average:
    """η = lim (1/n) E Σ_{t<n} r_t, the gain: K = P − 1 uᵀ and κ = 1 for any law u; A, ρ = d and the gain do not depend on u."""

    name: str = "average"

    def kernel(self, arithmetic: Arithmetic, mdp: Given) -> Kernel:
        """P − 1 uᵀ: u is uniform, or of a sparse MDP one state."""
        states = len(mdp.reward)
        if is_sparse(mdp.transition):
            state = int(np.argmax(mdp.initial))
            column = sp.csr_array(
                (
                    np.ones(mdp.transition.shape[0]),
                    np.full(mdp.transition.shape[0], state),
                    np.arange(mdp.transition.shape[0] + 1),
                ),
                shape=mdp.transition.shape,
            )
            start = np.zeros(states)
            start[state] = 1.0
            return Kernel(
                sp.csr_array(mdp.transition - column), 1.0, start, levels=True, positive=False, moves=mdp.transition
            )
        share = arithmetic.where(np.True_, Fraction(1, states), 0)
        start = 0 * mdp.initial + share
        return Kernel(mdp.transition - share, 1, start, levels=True, positive=False, moves=mdp.transition)

    def occupancy(self, arithmetic: Arithmetic, gamma: Array, visitation: Array) -> Array:
        """d, which ρ is."""
        return visitation

    def allows(self, mdp: Given, policy: Array) -> Array:
        """Whether one closed class is all that there is."""
        return np.any(self._everywhere(mdp, policy), axis=0)

    def complaint(self, mdp: Given, policy: Array, name: str) -> InvalidInput:
        """It names two closed classes."""
        closed = closed_classes(edges(mdp.transition, policy))
        return InvalidInput(
            got=f"the {name} with {len(closed)} closed classes of states, among them {named(closed[0])} and {named(closed[1])}",
            wanted="one closed class, so that the average reward does not depend on the start",
            fix="if the runs end there, use the episodic criterion or a horizon, or let each end lead back to the start; "
            "else use a discount below 1",
        )

    def _everywhere(self, mdp: Given, policy: Array) -> np.ndarray:
        """Whether every state leads to a state, (S, *batch)."""
        chain = edges(mdp.transition, policy)
        if is_sparse(chain):
            return np.array([len(closed_classes(chain)) == 1])
        return np.all(closure(chain), axis=0)


@dataclass(frozen=True)
class FiniteHorizon:
    """η = E Σ_{t<T} γᵗ r_t, γ ≤ 1, on an MDP whose states are (t, s), as `step.layers` makes it: every run ends by itself."""

    name: str = "finite-horizon"
    counted: np.ndarray | None = field(default=None, compare=False)
    """As of `Kernel`: of a batch with several T, the layers that a run has."""

    def kernel(self, arithmetic: Arithmetic, mdp: Given) -> Kernel:
        """K = P: rows of the last layer are 0."""
        return Kernel(mdp.transition, mdp.gamma, mdp.initial, levels=False, counted=self.counted)

    def occupancy(self, arithmetic: Arithmetic, gamma: Array, visitation: Array) -> Array:
        """ρ over its sum."""
        return EPISODIC.occupancy(arithmetic, gamma, visitation)

    def allows(self, mdp: Given, policy: Array) -> Array:
        """Always."""
        return np.True_

    def complaint(self, mdp: Given, policy: Array, name: str) -> InvalidInput:
        """None is ever needed."""
        return EPISODIC.complaint(mdp, policy, name)


DISCOUNTED, EPISODIC, AVERAGE, FINITE_HORIZON = Discounted(), Episodic(), Average(), FiniteHorizon()
CRITERIA: dict[str, Criterion] = {one.name: one for one in (DISCOUNTED, EPISODIC, AVERAGE)}
"""Those that a user names; a finite horizon is asked for by its length."""


def undiscounted(what: str) -> InvalidInput:
    """The error for γ = 1 where returns are discounted."""
    return InvalidInput(
        got=f"gamma = 1 for {what}",
        wanted="gamma < 1: a discounted return",
        fix="use a gamma below 1; or, if the MDP ends, the episodic criterion, a horizon, or the average criterion",
    )


def criterion_of(name: str | None, gamma: Any) -> Criterion:
    """The criterion of a name; None is "episodic" for γ = 1 and "discounted" below.

    Raises:
        InvalidInput: for another name, and for None with a batch that has both.
    """
    if name is None:
        if isinstance(gamma, float):
            return EPISODIC if gamma == 1 else DISCOUNTED
        whole = np.asarray(gamma) == 1
        if whole.any() and not whole.all():
            raise InvalidInput(
                got="a batch with gamma = 1 and with gamma < 1",
                wanted="one criterion for all of a batch",
                fix='choose criterion="episodic", which both may have, or split the batch',
            )
        return EPISODIC if whole.all() else DISCOUNTED
    if not isinstance(name, str) or name not in CRITERIA:
        raise InvalidInput(
            got=f"criterion = {name!r}", wanted=", ".join(CRITERIA), fix=near_matches(str(name), list(CRITERIA))
        )
    return CRITERIA[name]
