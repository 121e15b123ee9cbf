"""`certify_bounds`: the sign of each bound's slack on one step, proved in exact rationals and balls."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trpo_theory import bounds as catalogue
from trpo_theory.bounds.record import Bound
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import RealLike
from trpo_theory.numerics.ball import rationals
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.numerics.ball.raw import precision
from trpo_theory.proofs.decide import decide
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.quantities import Quantities, compare

_MOST_STATES = 64
"""Measured: exact elimination on rows of full-length floats: 10 s for 50 states, half a minute for 64; 1 s on gym's."""
_BITS = 256
"""At the first attempt: more than signs need, so that the numbers shown are right where a step is tiny. Chosen."""
COSTLY_STATES = 32
"""Measured: bounds that cost a solve for each state take most of 10 s there, and three times as long for 40 states."""


@dataclass(frozen=True)
class CertifiedBound:
    """A bound on one step, decided.

    Attributes:
        id: of the bound.
        penalty, lower_bound, slack: nearest floats.
        outcome: proved or refuted; vacuous where its hypotheses do not hold; undecided.
        enclosure: of the slack, as a reader sees it, rounded outward.
    """

    id: str
    penalty: float
    lower_bound: float
    slack: float
    outcome: Outcome
    enclosure: str

    @property
    def holds(self) -> bool | None:
        """Whether slack ≥ 0, proved; None where it is not decided."""
        return {Outcome.UNDECIDED: None, Outcome.REFUTED: False}.get(self.outcome, True)


def certify_bounds(
    mdp: FiniteMDP,
    old: np.ndarray,
    new: np.ndarray,
    bounds: Iterable[Bound] | None = None,
    *,
    exact: Mapping[str, Any] | None = None,
    criterion: str | None = None,
    horizon: int | None = None,
    temperature: RealLike | None = None,
) -> list[CertifiedBound]:
    """Prove or refute η(new) ≥ L − penalty on one step, for each bound.

    The numbers of arrays are the floats that they are, each row of probabilities over its exact sum; hypotheses are exact too,
    so that what is an equality up to rounding is none.

    Args:
        mdp: a dense MDP of at most 64 states.
        old: the policy that we stand at, (S, A).
        new: the candidate, (S, A).
        bounds: those of the catalogue, but for the `too_costly`, if left out.
        exact: fields of the step that are known better than their floats, as `ExactInstance.from_fields` reads them.
        criterion: as for `compare`, and so the next two; a temperature is the decimal that it is written as.
        horizon: T; the policies are then the same in each step.
        temperature: τ.

    Returns:
        One `CertifiedBound` a bound, in their order.

    Raises:
        InvalidInput: for an MDP that is sparse or has more states.

    >>> from trpo_theory.zoo import coupling_tight
    >>> step = coupling_tight(gamma=0.5, x=0.25)
    >>> certify_bounds(step.mdp, step.old, step.new)[0].outcome
    'proved'
    """
    check_certifiable(mdp)
    if np.ndim(old) != 2 or np.ndim(new) != 2:
        raise InvalidInput(
            got="--certify for a policy of each step",
            wanted="one policy (S, A) for all steps",
            fix="leave --certify out, or make an MDP of (step, state) with finite_horizon",
        )
    floats: Quantities = compare(
        mdp,
        old,
        new,
        criterion=criterion,
        horizon=horizon,
        temperature=None if temperature is None else float(rationals.number(temperature, "temperature")),
    )
    if bounds is None:
        costly = too_costly(mdp, floats)
        bounds = [bound for bound in catalogue.catalogue.values() if bound.reads(floats) and bound.id not in costly]
    instance = ExactInstance.of(mdp, old, new)
    if exact:
        instance = ExactInstance.from_fields({**instance.to_fields(), **exact})
    instance = instance.replace(horizon=horizon, temperature=temperature)
    levels: list[Quantities] = []
    return [_certified(bound, instance, floats, levels) for bound in bounds]


def check_certifiable(mdp: FiniteMDP) -> None:
    """Refuse an MDP that exact rationals take too long for.

    Raises:
        InvalidInput: for an MDP that is sparse or has more than 64 states.
    """
    if mdp.is_sparse or mdp.states > _MOST_STATES:
        raise InvalidInput(
            got=f"--certify for {'a sparse MDP of ' * mdp.is_sparse}{mdp.states} states",
            wanted=f"a dense MDP of at most {_MOST_STATES} states, since its linear systems are solved in exact rationals",
            fix="leave --certify out, or take a smaller instance of the same kind",
        )


def too_costly(mdp: FiniteMDP, q: Quantities | None = None) -> list[str]:
    """Ids of the catalogue that `certify_bounds` skips for this MDP: those that cost a solve for each of many states.

    Of the setting of q, or those of discounted returns alone.
    """
    bounds = catalogue.plain().values() if q is None else [b for b in catalogue.catalogue.values() if b.reads(q)]
    many = mdp.states > COSTLY_STATES
    return [bound.id for bound in bounds if many and bound.small_only]


def _certified(bound: Bound, instance: ExactInstance, floats: Quantities, levels: list[Quantities]) -> CertifiedBound:
    """One bound decided.

    Args:
        bound: the bound.
        instance: the step.
        floats: its quantities in floats, shown where no attempt encloses the numbers.
        levels: the quantities of each attempt. The k-th attempt at any bound is at the same precision, so that all bounds
            share them.
    """
    attempts = itertools.count()
    check = bound.check(floats)
    numbers = {"penalty": float(check.penalty), "lower_bound": float(check.lower_bound), "slack": float(check.slack)}

    def slack(q: Quantities) -> Any:
        attempt = next(attempts)
        if attempt == len(levels):
            levels.append(bound.posed(q.with_agents(floats.agents)))
        q = levels[attempt]
        with precision(_BITS << attempt):
            found = {"penalty": bound.penalty(q), "lower_bound": bound.lower_bound(q), "slack": bound.slack(q)}
        numbers.update({name: Ball(value).midpoint for name, value in found.items()})
        return found["slack"]

    decision = decide(slack, instance)
    return CertifiedBound(bound.id, **numbers, outcome=decision.verdict, enclosure=decision.enclosure)
