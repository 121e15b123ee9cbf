"""The options of the strategies, checked when a strategy is made and not when it draws."""

from __future__ import annotations

import copy
import math
import numbers
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from trpo_theory import _checks
from trpo_theory.bounds.setting import SETTING_FIELDS
from trpo_theory.entries.expected import is_real
from trpo_theory.entries.kinds import TRUTH, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.model.decimals import as_written
from trpo_theory.model.policy import StateAggregation
from trpo_theory.testing._settings import Setting, setting_of

GAMMAS = (Fraction(0), Fraction(1, 2), Fraction(1, 10), Fraction(9, 10), Fraction(99, 100))
"""Discounts, the simplest first; 0 where draws may be trivial."""

MIXTURES = (Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(3, 4), Fraction(1, 10))
"""Weights of the target in a mixture."""

NEAR = (Fraction(1, 2), Fraction(1, 10), Fraction(1, 100), Fraction(1, 1000))
"""Those of a near pair."""


@dataclass(frozen=True, eq=False)
class Options:
    """The options of `strategies.instances`, which says what each means; here they are in the form that draws use."""

    states: Any = None
    actions: Any = None
    gamma: Any = None
    weights: Any = 4
    successors: Any = None
    start_anywhere: Any = False
    reward: Any = None
    denominator: Any = None
    unit: Any = False
    unavailable: Any = False
    aggregation: Any = False
    deterministic: Any = False
    full_support: Any = False
    mixture: Any = None
    near: Any = None
    trivial: Any = True
    setting: Setting = field(default_factory=Setting)

    def __post_init__(self) -> None:
        for name in ("start_anywhere", "unit", "unavailable", "trivial"):
            expect(TRUTH, **{name: getattr(self, name)})
        least = 1 if self.trivial else 2
        self._check_setting()
        actions = _range((least, 3) if self.actions is None else self.actions, "actions")
        self._set(
            states=_range((least, 4) if self.states is None else self.states, "states"),
            actions=actions,
            gamma=self._discounts(GAMMAS[least - 1 :]),
            weights=_checks.integer(self.weights, "weights", least=1),
            reward=_numerators(self.reward, self.denominator, self.unit),
            denominator=_denominator(self.denominator, self.unit),
            mixture=self._mixture(),
        )
        if self.successors is not None:
            _checks.integer(self.successors, "successors", least=1)
        for name in ("deterministic", "full_support"):
            self._set(**{name: _which(getattr(self, name), name)})
        both = self.deterministic & self.full_support
        if both and actions[1] > 1:
            raise InvalidInput(
                got=f"a {min(both)} policy that is deterministic and of full support",
                wanted="one of the two, where there are several actions",
                fix='ask for one, or say of which policy: deterministic="old", full_support="new"',
            )
        if not isinstance(self.aggregation, bool):
            self._fix_groups()

    def _check_setting(self) -> None:
        agents = self.setting.agents
        if self.setting.is_average and self.gamma is not None:
            raise InvalidInput(
                got='gamma with criterion = "average"',
                wanted="no discount",
                fix="leave gamma out: average rewards have none",
            )
        if not agents:
            return
        for name, neutral in (("mixture", None), ("near", None), ("unavailable", False)):
            if getattr(self, name) not in (neutral, False):
                raise InvalidInput(
                    got=f"{name} = {getattr(self, name)!r} with agents = {agents}",
                    wanted="policies that are products of the agents' own, over all joint actions",
                    fix=f"leave {name} out",
                )
        if self.actions not in (None, math.prod(agents)):
            raise InvalidInput(
                got=f"actions = {self.actions!r} with agents = {agents}",
                wanted=f"{math.prod(agents)} joint actions",
                fix="leave actions out",
            )
        self._set(actions=math.prod(agents))

    def _discounts(self, usual: tuple[Fraction, ...]) -> Any:
        """A strategy of γ."""
        if self.setting.is_average:
            return st.just(Fraction(1))
        if not self.setting.allows_one:
            return _numbers(usual if self.gamma is None else self.gamma, "gamma", _discount)
        return _numbers((Fraction(1), *usual) if self.gamma is None else self.gamma, "gamma", _discount_or_one)

    def alone(self) -> Options:
        """The same for one of several agents."""
        one = copy.copy(self)
        one._set(setting=replace(self.setting, agents=()))
        return one

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _fix_groups(self) -> None:
        fixed = self.aggregation
        aggregation = fixed if isinstance(fixed, StateAggregation) else StateAggregation(fixed)
        size, (low, high) = len(aggregation.group), self.states
        if not low <= size <= high:
            raise InvalidInput(
                got=f"an aggregation map of {size} states, with states = ({low}, {high})",
                wanted="a number of states that suits the map",
                fix=f"pass states={size}",
            )
        self._set(aggregation=aggregation, states=(size, size))

    def _mixture(self) -> Any:
        """A strategy for the weight of the target, or None."""
        if self.near is not None and self.near is not False:
            if self.mixture is not None and self.mixture is not False:
                raise InvalidInput(
                    got=f"mixture = {self.mixture!r} and near = {self.near!r}",
                    wanted="one of the two",
                    fix="near is a mixture of small weight: leave mixture out",
                )
            return st.sampled_from(_near(self.near))
        if self.mixture is None or self.mixture is False:
            return None
        return _numbers(MIXTURES if self.mixture is True else self.mixture, "mixture", _weight)


def of(maker: str, options: dict[str, Any], *, allowed: tuple[str, ...] | None = None) -> Options:
    """Options from keywords, of which `maker` takes those allowed (all, if left out)."""
    own = tuple(one.name for one in fields(Options) if one.name != "setting")
    known = (*own, *SETTING_FIELDS) if allowed is None else allowed
    for name in options:
        _checks.known_name(f"option of {maker}", name, known)
    plain = {name: value for name, value in options.items() if name not in SETTING_FIELDS}
    expect(TRUTH, trivial=options.get("trivial", True))
    return Options(**plain, setting=setting_of(options, options.get("trivial", True)))


def fraction(value: Any, name: str) -> Fraction:
    """A real number as the rational that it is."""
    value = _checks.scalar(value, name)
    if not math.isfinite(_checks.as_float(value)):
        raise InvalidInput(
            got=f"{name} = {_checks.shown(value)}",
            wanted="a finite number",
            fix=f"pass a float or a Fraction for {name}",
        )
    return Fraction(value) if isinstance(value, (numbers.Rational, Decimal)) else Fraction(float(value))  # exactly


def _discount(value: Any) -> Fraction:
    _checks.discount(value)
    exact = fraction(value, "gamma")
    return exact if isinstance(value, numbers.Rational) else as_written(float(value))


def _discount_or_one(value: Any) -> Fraction:
    return Fraction(1) if is_real(value) and value == 1 else _discount(value)


def _weight(value: Any) -> Fraction:
    exact = fraction(value, "mixture")
    if not 0 <= exact <= 1:
        raise InvalidInput(got=f"mixture = {value!r}", wanted="a weight in [0, 1]", fix="pass mixture=0.25")
    return exact


def _near(near: Any) -> tuple[Fraction, ...]:
    if near is True:
        return NEAR
    most = fraction(near, "near")
    if not 0 < most <= 1:
        raise InvalidInput(
            got=f"near = {near!r}", wanted="the largest total variation, in (0, 1]", fix="pass near=0.01"
        )
    return (most, *(weight for weight in NEAR if weight < most))


def _numbers(value: Any, name: str, check: Any) -> Any:
    """A strategy of fractions: from a number, a sequence to sample from, or a strategy."""
    if isinstance(value, st.SearchStrategy):
        return value.map(check)
    if isinstance(value, (list, tuple, np.ndarray)):
        if not len(value):
            raise InvalidInput(
                got=f"{name} = {value!r}", wanted="one number or more to sample from", fix=f"fill {name}"
            )
        return st.sampled_from([check(entry) for entry in value])
    return st.just(check(value))


def _which(value: Any, name: str) -> frozenset[str]:
    """Of which of the two policies an option speaks."""
    if isinstance(value, bool):
        return frozenset({"old", "new"} if value else ())
    if isinstance(value, str) and value in ("old", "new"):
        return frozenset({value})
    raise InvalidInput(
        got=f"{name} = {value!r}", wanted='True, False, "old" or "new"', fix="say which policy it is required of"
    )


def _range(value: Any, name: str) -> tuple[int, int]:
    bounds: Any = value if isinstance(value, (tuple, list)) and len(value) == 2 else (value, value)
    wanted = "an integer, 1 or more, or (least, most)"
    low, high = bounds
    for size in bounds:
        if isinstance(size, bool) or not isinstance(size, numbers.Integral) or size < 1:
            raise InvalidInput(got=f"{name} = {value!r}", wanted=wanted, fix=f"pass {name}=3 or {name}=(1, 4)")
    if low > high:
        raise InvalidInput(got=f"{name} = {value!r}", wanted=wanted, fix=f"pass {name}=({high}, {low})")
    return int(low), int(high)


def _denominator(value: Any, unit: bool) -> int:
    return (4 if unit else 1) if value is None else _checks.integer(value, "denominator", least=1)


def _numerators(reward: Any, denominator: Any, unit: bool) -> tuple[int, int]:
    """The least and the largest numerator over the denominator."""
    if unit and reward is not None:
        raise InvalidInput(
            got=f"unit = True and reward = {reward!r}", wanted="one of the two", fix="unit=True is reward=(0, 1)"
        )
    reward = ((0, 1) if unit else (-4, 4)) if reward is None else reward
    if not isinstance(reward, (tuple, list)) or len(reward) != 2:
        raise InvalidInput(got=f"reward = {reward!r}", wanted="(least, largest)", fix="pass reward=(-4, 4)")
    low, high = (fraction(bound, "reward") * _denominator(denominator, unit) for bound in reward)
    least, most = math.ceil(low), math.floor(high)
    if least > most:
        raise InvalidInput(
            got=f"reward = {tuple(reward)!r} with denominator {_denominator(denominator, unit)}",
            wanted="a range that has a multiple of 1/denominator in it",
            fix="write the smaller bound first, or raise denominator",
        )
    return least, most
