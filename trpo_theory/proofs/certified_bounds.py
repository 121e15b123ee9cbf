"""`certify_bounds`: the sign of each bound's slack on one step, proved in exact rationals and balls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory import bounds as catalogue
from trpo_theory.bounds.record import Bound
from trpo_theory.entries.foreign import native
from trpo_theory.entries.kinds import MAPPING, SERIES, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP, expect_mdp
from trpo_theory.model.types import RealLike
from trpo_theory.numerics.arithmetic import Arithmetic
from trpo_theory.numerics.ball import rationals
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.proofs.bound_ratio import as_bound
from trpo_theory.proofs.decide import decide
from trpo_theory.proofs.evaluations import Evaluations
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.solve.words import with_arrays
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.exact_floats import float_bits, quantities_of_floats
from trpo_theory.step.quantities import Quantities, compare

_MOST_STATES = 1000
"""With a horizon, of all steps together. Measured for three actions: see `_cost`."""
_FLOATS_FROM = 4
"""States from which floats are taken for long numbers, unseen. Chosen: exact solutions of four have some 1,000 bits."""
_BITS = 256
"""At the first attempt with exact solutions: more than signs need, so that the numbers shown are right where a step is tiny.
Chosen."""
COSTLY_STATES = 64
"""Measured: bounds that cost a solve for each state take a second there, and eight for twice as many."""


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
        mdp: a dense MDP of at most 1,000 states (with a horizon, of all steps together).
        old: the policy that we stand at, (S, A), or "uniform" or "optimal".
        new: the candidate, likewise.
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
    expect_mdp(mdp)
    expect(SERIES.or_none, bounds=bounds)
    expect(MAPPING.or_none, exact=exact)
    horizon = None if horizon is None else _checks.integer(horizon, "horizon", least=1)
    words: dict[str, Any] = {"criterion": criterion, "horizon": horizon, "temperature": temperature}
    old, new = with_arrays({"old policy": native(old, "old"), "new policy": native(new, "new")}, mdp, **words).values()
    if any(_checks.policy_rows(rows, mdp.available, name).ndim != 2 for rows, name in [(old, "old"), (new, "new")]):
        raise InvalidInput(
            got="a policy for each step, of which bounds are not certified",
            wanted="one policy (S, A) for all steps",
            fix="check the bounds in floats (check_all(q), `bound` without --certify), or make an MDP of (step, state) with "
            "finite_horizon",
        )
    check_certifiable(mdp, horizon)
    soft = None if temperature is None else rationals.number(temperature, "temperature")
    floats = compare(
        mdp, old, new, criterion=criterion, horizon=horizon, temperature=None if soft is None else float(soft)
    )
    if bounds is None:
        costly = too_costly(mdp, floats)
        bounds = [bound for bound in catalogue.catalogue.values() if bound.reads(floats) and bound.id not in costly]
    bounds = [as_bound(one) for one in bounds]
    step = _Step(mdp, old, new, exact or {}, horizon, soft)
    found: dict[Any, Evaluations] = {}
    certified: list[CertifiedBound] = []
    for bound in bounds:
        setting = (bound.criterion, bound.horizon, bound.temperature, bound.costs, bound.agents)
        if setting not in found:
            found[setting] = Evaluations(step, lambda q, bound=bound: bound.posed(q.with_agents(floats.agents)))
        certified.append(_certified(bound, found[setting], floats))
    return certified


class _Step:
    """One step in any arithmetic of balls. Of arrays of floats, the rationals that they are are made only for exact solutions."""

    def __init__(
        self,
        mdp: FiniteMDP,
        old: np.ndarray,
        new: np.ndarray,
        exact: Mapping[str, Any],
        horizon: int | None,
        temperature: Fraction | None,
    ) -> None:
        self._mdp, self._policies, self._known = mdp, (old, new), exact
        self._horizon, self._temperature = horizon, temperature
        self._is_long = not exact and mdp.states >= _FLOATS_FROM

    @cached_property
    def _instance(self) -> ExactInstance:
        instance = ExactInstance.of(self._mdp, *self._policies)
        if self._known:
            instance = ExactInstance.from_fields({**instance.to_fields(), **self._known})
        return instance.replace(horizon=self._horizon, temperature=self._temperature)

    @property
    def solution_bits(self) -> float:
        """Of floats, those of their 53 bits in each row."""
        if not self._is_long:
            return self._instance.solution_bits
        return self.solved_states * float_bits(self._mdp.actions)

    @property
    def solved_states(self) -> int:
        """States of its linear systems: with a horizon those of every step."""
        return self._mdp.states * (self._horizon or 1)

    def quantities(self, arithmetic: Arithmetic | None = None) -> Quantities:
        """The quantities, in exact rationals if no other arithmetic is given."""
        if arithmetic is None or not self._is_long:
            return self._instance.quantities(arithmetic)
        return quantities_of_floats(
            self._mdp, *self._policies, arithmetic, horizon=self._horizon, temperature=self._temperature
        )


def check_certifiable(mdp: FiniteMDP, horizon: int | None = None) -> None:
    """Refuse an MDP whose proofs take too long, or more memory than most machines have, with what they would take.

    Raises:
        InvalidInput: for an MDP that is sparse, or has more than 1,000 states (steps times states, with a horizon).
    """
    states = mdp.states * (horizon or 1)
    if not mdp.is_sparse and states <= _MOST_STATES:
        return
    over = f" over {horizon} steps" if horizon else ""
    raise InvalidInput(
        got=f"bounds to certify of {'a sparse MDP of ' * mdp.is_sparse}{mdp.states} states{over}",
        wanted=f"a dense MDP of at most {_MOST_STATES} states{', of all steps together' * bool(horizon)}; this one would take "
        f"about {_cost(states, mdp.actions)}",
        fix="check them in floats (check_all(q), `bound` without --certify), or take a smaller instance of the same kind",
    )


def _cost(states: int, actions: int) -> str:
    """Time and memory of the proofs of all bounds, in words.

    Both grow with the number of probabilities.
    """
    entries = states * states * actions
    minutes, gigabytes = entries * _SECONDS / 60, entries * _BYTES / 2**30
    return f"{max(1, round(minutes))} min and {gigabytes:.2g} GB"


_SECONDS, _BYTES = 1.5e-5, 800
"""Per probability P(s'|s,a). Rounded up from all bounds at 256 and 1,000 states of 3 actions."""


def too_costly(mdp: FiniteMDP, q: Quantities | None = None) -> list[str]:
    """Ids of the catalogue that `certify_bounds` skips for this MDP: those that cost a solve for each of many states.

    Of the setting of q, or those of discounted returns alone.
    """
    bounds = catalogue.plain().values() if q is None else [b for b in catalogue.catalogue.values() if b.reads(q)]
    many = mdp.states > COSTLY_STATES
    return [bound.id for bound in bounds if many and bound.small_only]


def _certified(bound: Bound, evaluations: Evaluations, floats: Quantities) -> CertifiedBound:
    """One bound decided; of its numbers, those of the last attempt, or in floats where no attempt encloses them."""
    check = bound.check(floats)
    numbers = {"penalty": float(check.penalty), "lower_bound": float(check.lower_bound), "slack": float(check.slack)}

    def slack(q: Quantities) -> Any:
        penalty = bound.penalty(q)  # once: of sums over time it is what takes long
        slack = bound.slack_of(bound.gap(q) + penalty, q)
        found = {"penalty": penalty, "lower_bound": bound.center(q) - penalty, "slack": slack}
        numbers.update({name: Ball(value).midpoint for name, value in found.items()})
        return found["slack"]

    decision = decide(slack, evaluations, first=_BITS)
    return CertifiedBound(bound.id, **numbers, outcome=decision.verdict, enclosure=decision.enclosure)
