"""Whether an update problem is one of the setting that an MDP is read in: its bound must be, and entropy has no price."""

from __future__ import annotations

from typing import Any

from trpo_theory import bounds
from trpo_theory._checks import as_float, scalar
from trpo_theory.bounds import Bound
from trpo_theory.entries.kinds import brief
from trpo_theory.errors import InvalidInput
from trpo_theory.solve.criteria import AVERAGE, DISCOUNTED, FINITE_HORIZON
from trpo_theory.step.quantities import Quantities
from trpo_theory.updates.certified import Certified, trusted
from trpo_theory.updates.problems import Penalty

_PENALTIES = {FINITE_HORIZON.name: "horizon/chain-rule", DISCOUNTED.name: "chain-rule/kl"}
"""By the criterion, a bound that is true there and a function of max-KL."""
_CERTIFYING = {
    FINITE_HORIZON.name: "horizon/mean-max",
    DISCOUNTED.name: "chi2/mean-max",
    AVERAGE.name: "average/mixing-mean-tv",
}
"""By the criterion, a true bound of the catalogue that certifies steps."""


def expect_no_price(temperature: Any) -> None:
    """Refuse a price of entropy, with which the surrogate is not linear in new.

    Raises:
        InvalidInput: for a temperature that is not 0 or None.
    """
    if temperature is not None and as_float(scalar(temperature, "temperature")) != 0:
        raise InvalidInput(
            got=f"an update problem with temperature = {brief(temperature)}",
            wanted="returns without a price of entropy: with one the surrogate is not linear in the new policy",
            fix="leave the temperature out; the best soft policy is optimal(mdp, temperature=tau), and "
            "evaluate(mdp, policy, temperature=tau) has its return",
        )


def expect_of_setting(problem: Any, q: Quantities) -> None:
    """Refuse a bound of another setting than the step's.

    Raises:
        InvalidInput: for it; it names a bound that is of this one, or another problem.
    """
    delta = getattr(problem, "delta", None)
    bound = trusted(delta.bound) if isinstance(delta, Certified) else getattr(problem, "bound", None)
    if not isinstance(bound, Bound) or bound.reads(q):
        return
    name = q.criterion.name
    known = (_CERTIFYING if isinstance(delta, Certified) else _PENALTIES).get(name)
    radius = "MaxKL(0.01), --problem max-kl --delta 0.01"
    if not isinstance(problem, Penalty):
        fix = (
            f"use {known}, or a radius that is a number: {radius}"
            if known
            else f"give a radius that is a number: {radius}"
        )
    else:
        other = _CERTIFYING.get(name)
        fix = f"use {known}, or give a coefficient" if known else "give a coefficient: Penalty(2.0), --coefficient 2"
        fix += "" if known or not other else f"; or let {other} choose a radius: MaxKL(Certified({other!r}))"
    raise InvalidInput(got=f"the bound {bound.id!r}, {_of(bound)}", wanted=f"a bound of {_words(q)}", fix=fix)


def _of(bound: Bound) -> str:
    setting = sorted(bound.setting)
    return f"of another setting ({', '.join(setting)})" if setting else "of discounted returns"


def _words(q: Quantities) -> str:
    name = q.criterion.name
    if name == FINITE_HORIZON.name:
        return f"returns over a horizon, here of {q.horizon} steps"
    applies = any(bound.reads(q) and bound.expected is True for bound in bounds.catalogue.values())
    words = {"average": "average rewards", "episodic": "returns up to the end"}.get(name, f"{name} returns")
    return words if applies else f"{words}, of which the catalogue has none"
