"""`worst_case`: how much of its penalty a bound can be made to use, by a search, and a witness in rationals that proves it."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory._outward import Toward, float_toward
from trpo_theory.bounds.record import Bound
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.io.evidence_files import write_evidence
from trpo_theory.model.types import PathLike, RealLike
from trpo_theory.numerics.ball import rationals
from trpo_theory.proofs.bound_ratio import as_bound, ratio_evidence, ratio_of
from trpo_theory.proofs.decide import Decision
from trpo_theory.proofs.outcome import Outcome, located
from trpo_theory.proofs.witness import (
    gamma_and_initial,
    instance_lines,
    short_ends,
)
from trpo_theory.search.hunt import Only
from trpo_theory.search.worst_cases.evolve import CHAMPIONS, ENOUGH, Found, Place, search
from trpo_theory.search.worst_cases.ratio import Ratio
from trpo_theory.search.worst_cases.rounding import exactly, rounded
from trpo_theory.solve.criteria import AVERAGE, DISCOUNTED
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.instances import Instances
from trpo_theory.updates.sharp_penalty import SteppedBound

EFFORT = 3
"""Searches from fresh starts, by default. Chosen."""
_LOSS = 1e-3
"""Share of the ratio that rounding may cost. Chosen; where no simple instance keeps it, the floats themselves are the witness."""
_DIGIT = 5e-5
"""Ratio given up per decimal digit saved in the denominators. Chosen."""
_PROOFS = 40
"""At most so many rounded instances are tried for an enclosure. Chosen."""
_ACTIONS = 2
"""Of a single agent, by default. Chosen."""
_ZERO = 1e-6
"""Ratio that rounding may cost in any case. Chosen: for ratios near 0, of which a share is nothing."""


@dataclass(frozen=True, eq=False)
class WorstCase:
    """The largest ratio (L − η(new))/penalty that was found for a bound: at most 1 if the bound is true.

    Attributes:
        record: the bound.
        gamma: the discount of the search.
        ratio_found: the largest ratio that floats saw.
        witness: the instance in rationals.
        decision: the proof: an enclosure of the witness's ratio.
    """

    record: Bound
    gamma: Fraction
    ratio_found: float
    witness: ExactInstance
    decision: Decision

    @property
    def bound(self) -> str:
        """The bound's id."""
        return self.record.id

    @property
    def ratio(self) -> float:
        """Of the witness, certified: the lower end of the enclosure, as the float at or below it."""
        return float_toward(self.enclosure[0], Toward.DOWN)

    @property
    def enclosure(self) -> tuple[Fraction, Fraction]:
        """Rationals that enclose the witness's ratio."""
        ends = short_ends(self.decision)
        assert ends is not None
        return ends

    @property
    def refutes(self) -> bool:
        """Whether the witness proves the bound false: its ratio is above 1."""
        return self.enclosure[0] > 1

    def to_fields(self) -> dict[str, object]:
        """For JSON: bound, gamma, ratio, its enclosure, ratio_found, and the witness as the content of its file."""
        witness = self.witness_fields()
        return {
            "bound": self.bound,
            "gamma": float(self.gamma),
            "criterion": self.record.criterion,
            "horizon": None if self.witness.horizon is None else int(self.witness.horizon),
            "ratio": self.ratio,
            "enclosure": witness["ratio"],
            "ratio_found": self.ratio_found,
            "witness": witness,
        }

    def witness_fields(self) -> dict[str, object]:
        """The content of the witness's file, evidence of kind "worst-case"."""
        return ratio_evidence(self.record, self.witness, self.decision)

    def write(self, path: PathLike) -> None:
        """Write the witness's file, all of it or nothing.

        Raises:
            InvalidInput: for a name that does not end in .json, or a place that cannot be written.
        """
        write_evidence(self.witness_fields(), path)

    @property
    def text(self) -> str:
        """The witness as a person reads it."""
        head = f"{gamma_and_initial(self.witness)}, ratio {located(self.decision.enclosure)}"
        return "\n".join([head, *instance_lines(self.witness)])

    def __repr__(self) -> str:
        return (
            f"WorstCase({self.bound!r}, gamma={rationals.short(self.gamma)}, ratio={self.ratio:.9g}, "
            f"{self.witness.states} states, {self.witness.actions} actions)"
        )


def worst_case(
    bound: Any,
    *,
    gamma: RealLike | None = None,
    states: int = 3,
    actions: int | None = None,
    horizon: int | None = None,
    seed: int = 0,
    effort: int = EFFORT,
) -> WorstCase:
    """Search for the MDP and the step that use most of a bound's penalty, and prove what the witness uses.

    ratio = (centre − η(new))/penalty, the centre being L_old(new) but for bounds that have their own. The search is by
    mutation and selection from the zoo's families and random instances, with the reward in closed form (docs/theory.md,
    "Worst reward in closed form"), and local ascent: the ratio is a lower bound on the largest there is, not a proof that
    there is none larger.

    Args:
        bound: the id of a bound, a `Bound`, a penalty q -> number, or a `Claim` whose slack is η(new) − L + penalty.
        gamma: the discount: a number, or "99/100"; 1 if left out where the bound's setting allows that: over a horizon, up to
            an end, and for average rewards, which read none.
        states: S; smaller instances are among those of a size. Of an episodic bound the last one is the end.
        actions: A; if left out 2, and of several agents the product of their numbers.
        horizon: T, for a bound over a horizon; any few steps if left out.
        seed: the same seed gives the same result.
        effort: how many searches from fresh starts.

    Returns:
        A `WorstCase`. Ratios beyond 1000 are not improved on.

    Raises:
        InvalidInput: for an unknown bound, with its near matches, or bad numbers; for a horizon that the bound does not have;
            or where no instance of that size and discount has a finite positive penalty.
        ClaimFailed: if the bound's own code raises an exception.
        NotSolved: where the ratio of no candidate can be enclosed.

    >>> worst_case("kakade-langford", gamma="1/2", states=2, effort=1).ratio
    1.0
    """
    bound = as_bound(bound)
    if isinstance(bound, SteppedBound):
        bound.expect_searched()
    exact_gamma = _discount(bound, gamma)
    shape = _checks.integer(states, "states", least=1), _actions(bound, actions)
    place = Place(Only(float(exact_gamma), shape), bound.setting, _horizon(bound, horizon))
    _checks.integer(effort, "effort", least=1)
    generator = np.random.default_rng([_checks.integer(seed, "seed", least=0), zlib.crc32(bound.id.encode())])
    ratio = Ratio(bound)
    found = search(ratio, place, generator, effort)
    if not len(found.ratios):
        raise InvalidInput(
            got=f"no instance of {shape[0]} states and {shape[1]} actions at gamma = {exact_gamma} "
            f"with a finite positive penalty of {bound.id}",
            wanted="a size and a discount at which the bound says something",
            fix="raise states or actions, or take another gamma",
        )
    instance, decision = _certified(ratio, found.best(CHAMPIONS), exact_gamma)
    return WorstCase(bound, exact_gamma, float(found.ratios.max()), instance, decision)


def _discount(bound: Bound, gamma: RealLike | None) -> Fraction:
    """The rational meant: 0.9 is 9/10, not the dyadic number next to it."""
    discounted = bound.criterion == DISCOUNTED.name and not bound.horizon
    if gamma is None:
        if discounted:
            raise InvalidInput(
                got=f"no discount for {bound.id}",
                wanted="gamma in [0, 1)",
                fix='give --gamma 9/10 (gamma="9/10" in Python)',
            )
        return Fraction(1)
    if discounted:
        _checks.discount(float(rationals.number(gamma, "gamma")) if isinstance(gamma, str) else gamma)
    exact = rationals.discount_or_one(gamma)
    if bound.criterion == AVERAGE.name and exact != 1:
        raise InvalidInput(
            got=f"gamma = {rationals.short(exact)} for {bound.id}",
            wanted="no discount: average rewards have none",
            fix="leave gamma out; where runs start anew with probability 1 - gamma in each step, that is part of P",
        )
    if discounted:
        _checks.discount(float(exact))
    return exact


def _actions(bound: Bound, actions: int | None) -> int:
    joint = math.prod(bound.agents) if bound.agents else None
    if actions is None:
        return joint or _ACTIONS
    if joint is not None and actions != joint:
        raise InvalidInput(
            got=f"actions = {actions} for {bound.id}",
            wanted=f"{joint}, the joint actions of agents with {', '.join(map(str, bound.agents))}",
            fix="leave actions out",
        )
    return _checks.integer(actions, "actions", least=1)


def _horizon(bound: Bound, horizon: int | None) -> int | None:
    if horizon is not None and not bound.horizon:
        raise InvalidInput(
            got=f"a horizon for {bound.id}",
            wanted="a bound over T steps",
            fix="leave the horizon out, or take one of horizon/..., such as horizon/tv",
        )
    return None if horizon is None else _checks.integer(horizon, "horizon", least=1)


def _certified(ratio: Ratio, found: Found, gamma: Fraction) -> tuple[ExactInstance, Decision]:
    """The witness: of the champions, rounded to each denominator, the one that has most ratio for its digits."""
    largest = min(found.ratios.max(), ENOUGH)
    goal = largest - _LOSS * abs(largest) - _ZERO
    candidates = [
        one for number in range(len(found.ratios)) for one in rounded(found, number, gamma, ratio.bound, ratio.visits)
    ]
    ratios = ratio(Instances.of_exact([instance for instance, _ in candidates]))
    digits = np.array([math.log10(denominator) for _, denominator in candidates])
    scores = np.where(ratios >= goal, ratios / max(abs(largest), _ZERO) - _DIGIT * digits, -np.inf)
    order = np.argsort(-scores, kind="stable")
    simple = [candidates[n][0] for n in order[:_PROOFS] if np.isfinite(scores[n])]
    floats = [exactly(found, n, gamma, ratio.bound) for n in range(len(found.ratios))]
    for instance in [*simple, *floats]:
        decision = ratio_of(ratio.bound, instance)
        if decision.verdict is not Outcome.UNDECIDED and decision.met and None not in (decision.lower, decision.upper):
            return instance, decision
    raise NotSolved(
        f"got a ratio of {found.ratios.max():.6g} in floats that no rational instance near it is proved to have; wanted "
        "an enclosure; fix: try another seed, or a formula with fewer roots and logarithms"
    )
