"""The options of the strategies that say a setting: what a return sums, and what a claim reads beside (mdp, old, new)."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from trpo_theory import _checks
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.setting import SETTING_FIELDS
from trpo_theory.entries.kinds import TRUTH, expect, expect_type
from trpo_theory.errors import InvalidInput
from trpo_theory.solve.criteria import AVERAGE, DISCOUNTED, EPISODIC, criterion_of

TEMPERATURES = (Fraction(1), Fraction(1, 2), Fraction(1, 10), Fraction(2))
"""Prices of entropy, the simplest first. Chosen: of the size of the rewards."""
_HORIZON = (2, 5)
"""Steps of a run, if nothing is said: one step has no gap. Chosen: the states (t, s) stay few."""
REFERENCES = 2
"""Policies of the past. Chosen: the fewest of which a mixture is one."""


@dataclass(frozen=True, eq=False)
class Setting:
    """The options of `strategies.quantities` that say a setting, in the form that draws use.

    Attributes:
        criterion: its name.
        horizon: (least, most) steps; None for no horizon.
        temperature: a strategy of prices; None for none.
        costs: names of further rewards.
        model, references: whether there is a second transition, and whether there are policies of the past.
        agents: how many actions each of several agents has.
    """

    criterion: str = DISCOUNTED.name
    horizon: tuple[int, int] | None = None
    temperature: Any = None
    costs: tuple[str, ...] = ()
    model: bool = False
    references: bool = False
    agents: tuple[int, ...] = ()

    @property
    def allows_one(self) -> bool:
        """Whether γ may be 1."""
        return self.horizon is not None or self.criterion != DISCOUNTED.name

    @property
    def is_average(self) -> bool:
        """Whether γ is not read."""
        return self.criterion == AVERAGE.name

    @property
    def is_episodic(self) -> bool:
        """Whether the last state is an end."""
        return self.criterion == EPISODIC.name


def setting_of(options: dict[str, Any], trivial: bool) -> Setting:
    """From those of the options that say one, checked.

    Raises:
        InvalidInput: for a value outside its range, or two that exclude each other.
    """
    criterion = options.get("criterion")
    name = DISCOUNTED.name if criterion is None else criterion_of(criterion, 0.5).name
    costs = options.get("costs", ())
    setting = Setting(
        name,
        _steps(options.get("horizon", False), trivial),
        _temperatures(options.get("temperature", False)),
        (costs,) if isinstance(costs, str) else tuple(costs),
        _flag(options, "model"),
        _flag(options, "references"),
        _agents(options.get("agents", ())),
    )
    if setting.is_average and setting.horizon is not None:
        raise InvalidInput(
            got='horizon and criterion = "average"',
            wanted="one of both",
            fix="leave one out: a return over T steps is a sum",
        )
    if not all(isinstance(cost, str) and cost for cost in setting.costs):
        raise InvalidInput(got=f"costs = {costs!r}", wanted="names of costs", fix='pass costs=("c",)')
    return setting


def options_of(claim: Claim) -> dict[str, Any]:
    """The options that say the setting of a claim, and rewards in [0, 1] where it needs them.

    Raises:
        InvalidInput: for a claim whose hypotheses need instances of another kind, which no option draws.
    """
    expect_type(Claim, claim, "the claim", 'pass a Claim or a Bound, such as tt.bounds["trpo/tv"]')
    needs = claim.needs - {"unit-reward"}
    if needs:
        raise InvalidInput(
            got=f"{claim.id}, whose hypotheses need {', '.join(sorted(needs))}",
            wanted="a claim that any step of its setting may put to the test",
            fix=f"ask tt.check({claim.id!r}), which constructs such steps",
        )
    found = {name: getattr(claim, name) for name in SETTING_FIELDS}
    return {name: value for name, value in found.items() if value} | ({"unit": True} if claim.needs else {})


def _steps(value: Any, trivial: bool) -> tuple[int, int] | None:
    if value is False or value is None:
        return None
    if value is True:
        return (1 if trivial else _HORIZON[0], _HORIZON[1])
    bounds: Any = value if isinstance(value, (tuple, list)) and len(value) == 2 else (value, value)
    whole = all(map(_is_count, bounds))
    if not whole or bounds[0] > bounds[1]:
        raise InvalidInput(
            got=f"horizon = {value!r}",
            wanted="True, a number of steps, 1 or more, or (least, most)",
            fix="pass horizon=3 or horizon=(2, 5)",
        )
    return int(bounds[0]), int(bounds[1])


def _is_count(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and int(value) >= 1


def _temperatures(value: Any) -> Any:
    if value is False or value is None:
        return None
    if isinstance(value, st.SearchStrategy):
        return value.map(_temperature)
    given = TEMPERATURES if value is True else value if isinstance(value, (list, tuple)) else (value,)
    return st.sampled_from([_temperature(one) for one in given])


def _temperature(value: Any) -> Fraction:
    exact = (
        value if isinstance(value, Fraction) else Fraction(_checks.number_between(value, "temperature", 0.0, math.inf))
    )
    if exact < 0:
        raise InvalidInput(got=f"temperature = {value!r}", wanted="0 or more", fix="pass temperature=1")
    return exact


def _agents(value: Any) -> tuple[int, ...]:
    sizes = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    whole = all(map(_is_count, sizes))
    if sizes and (len(sizes) < 2 or not whole):
        raise InvalidInput(
            got=f"agents = {value!r}", wanted="how many actions each of several agents has", fix="pass agents=(2, 2)"
        )
    return tuple(map(int, sizes))


def _flag(options: dict[str, Any], name: str) -> bool:
    value = options.get(name, False)
    expect(TRUTH, **{name: value})
    return bool(value)
