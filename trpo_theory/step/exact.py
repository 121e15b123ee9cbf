"""`ExactInstance`: one step (mdp, old, new) in exact rationals, with its conversions.

ExactInstance.of(mdp, old, new), ExactInstance(...)     arrays of floats are dyadic rationals; rationals as they are
ExactInstance.from_fields(fields), instance.to_fields()  what files hold
instance.quantities()                                   `Quantities` in rationals and balls
instance.floats(), instance.mdp                         the nearest floats (`Instances.of_exact` makes a batch of them)
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics.arithmetic import Arithmetic
from trpo_theory.numerics.ball import rationals
from trpo_theory.numerics.ball.arrays import balls
from trpo_theory.numerics.ball.balls import Balls
from trpo_theory.step.fields import AXES, EXTRAS
from trpo_theory.step.quantities import Quantities


@dataclass(frozen=True, eq=False, kw_only=True)
class ExactInstance:
    """An MDP with old and new, and the other fields of a step, as exact rationals: arrays of `Fraction`, read-only.

    Integers, `Fraction` and rationals written "1/3" are taken exactly. A float in an array is the dyadic rational that it is;
    gamma and size are the decimals that they are written as, 0.9 the rational 9/10. Every row of probabilities that does not
    sum to one exactly, but within 1e-8 (1e-5 of float32), is divided by its exact sum.

    Args:
        transition: P(s'|s,a), (S, A, S).
        reward: r(s,a), (S, A), or (S,) or (S, A, S) that is reduced to it; −∞ marks an unavailable action.
        gamma: γ in [0, 1]; it is 1 for claims with another criterion than the discounted one.
        initial: ρ₀, (S,).
        old, new: policies, (S, A).
        reference, noise, groups, size: as in `Quantities`; None or left out for their neutral values.
        available: booleans (S, A); None where every action is. Transition and reward are 0 where it is false.
        horizon, temperature, costs, model, references, weights: as in `Quantities`, or None; costs also by name, in the
            forms of a reward.

    Raises:
        InvalidInput: for what is not such an instance.

    >>> one = ExactInstance(
    ...     transition=[[[1], [1]]], reward=[["1/3", 0]], gamma=0.5, initial=[1], old=[[1, 0]], new=[[0.5, "1/2"]]
    ... )
    >>> one.reward[0, 0], one.largest_denominator, one.quantities().surrogate
    (Fraction(1, 3), 3, Ball(1/3))
    """

    transition: Any
    reward: Any
    gamma: Any
    initial: Any
    old: Any
    new: Any
    reference: Any = None
    noise: Any = None
    groups: Any = None
    size: Any = Fraction(1)
    available: Any = None
    horizon: Any = None
    temperature: Any = None
    costs: Any = None
    model: Any = None
    references: Any = None
    weights: Any = None

    def __post_init__(self) -> None:
        transition = rationals.fractions(self.transition, "transition")
        shape = transition.shape
        if len(shape) != 3 or shape[0] != shape[2] or 0 in shape:
            raise InvalidInput(
                got=f"transition of shape {shape}", wanted="shape (S, A, S)", fix="put the axes in that order"
            )
        reward, available = rationals.reward(self.reward, self.available, transition)
        atol = rationals.row_atol(self.transition)
        transition = rationals.rows(rationals.select(available, transition), "transition", available, atol=atol)
        self._set({"transition": transition, "reward": reward, "available": available})
        self._set({name: self._checked(name, getattr(self, name)) for name in _BESIDE_THE_MDP})

    def _checked(self, name: str, value: Any) -> Any:
        """One of the fields that are checked against transition and available, as it is stored."""
        states, actions = self.states, self.actions
        if name == "gamma":
            return rationals.discount_or_one(value)
        if name in EXTRAS:
            return None if value is None else self._checked_extra(name, value)
        if name == "initial":
            return rationals.rows(rationals.fractions(value, name, (states,)), name, atol=rationals.row_atol(value))
        if name == "size":
            return rationals.number(1 if value is None else value, name)
        if name == "groups":
            return rationals.groups(value, states)
        if value is None and name in ("reference", "noise"):
            return None
        table = rationals.fractions(value, name, (states, actions))
        if name == "noise":
            return table
        return rationals.policy(table, name, self.available, atol=rationals.row_atol(value))

    def _checked_extra(self, name: str, value: Any) -> Any:
        """One of the fields of a setting, as it is stored."""
        if name == "horizon":
            return rationals.count(value, name)
        if name == "temperature":
            return rationals.amount(value, name)
        if isinstance(value, Mapping):
            value = self._stacked(cast("Mapping[str, Any]", value))
        sizes = {"s": self.states, "a": self.actions}
        table = rationals.fractions(value, name)
        wanted = tuple(sizes.get(axis, table.shape[-1] if table.ndim else 1) for axis in AXES[name])
        table = rationals.fractions(table, name, wanted)
        if name == "model":
            return rationals.rows(rationals.select(self.available, table), name, self.available)
        if name == "references":
            policies = [rationals.policy(table[..., j], name, self.available) for j in range(table.shape[-1])]
            return np.stack(policies, axis=-1)
        return rationals.rows(table, name) if name == "weights" else rationals.select(self.available, table)

    def _stacked(self, costs: Mapping[str, Any]) -> np.ndarray:
        """(S, A, K) of costs by name, each reduced as a reward is."""
        finite = {name: rationals.fractions(cost, f"cost {name!r}") for name, cost in costs.items()}
        able = self.available.astype(int)
        return np.stack([rationals.reward(cost, able, self.transition)[0] for cost in finite.values()], axis=-1)

    def _set(self, fields: Mapping[str, Any]) -> None:
        for name, value in fields.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, mdp: FiniteMDP, old: ArrayLike, new: ArrayLike) -> ExactInstance:
        """The step of one dense MDP, each float of an array the dyadic rational that it is, gamma the decimal.

        Raises:
            InvalidInput: for policies that are none of this MDP.
        """
        names = ("transition", "reward", "gamma", "initial", "available")
        costs = dict(mdp.costs) or None
        return cls(**{name: getattr(mdp, name) for name in names}, old=old, new=new, costs=costs)

    @classmethod
    def of_stored(cls, **stored: Any) -> ExactInstance:
        """From fields as instances have them, every action available; nothing is checked: `dataclasses.replace` does."""
        every = np.ones(stored["reward"].shape, dtype=bool)
        made = object.__new__(cls)
        made._set({f.name: stored.get(f.name, f.default) for f in fields(cls)} | {"available": every})
        return made

    @classmethod
    def from_fields(cls, values: Mapping[str, object]) -> ExactInstance:
        """The instance in fields as `io.files.read_fields` returns them; other fields are left alone.

        Floats in lists, which JSON has, are the decimals that they are written as; those in arrays are dyadic rationals.

        Raises:
            InvalidInput: if keys are missing or their content is no instance.
        """
        missing = [
            name for name in ("transition", "reward", "gamma", "initial", "old", "new") if values.get(name) is None
        ]
        if missing:
            raise InvalidInput(
                got=f"an instance without {', '.join(missing)}",
                wanted="transition, reward, gamma, initial, old and new",
                fix="add them (ExactInstance.to_fields writes them all)",
            )
        given = {f.name: values[f.name] for f in fields(cls) if values.get(f.name) is not None}
        return cls(**{name: rationals.written(value) for name, value in given.items()})

    def to_fields(self) -> dict[str, object]:
        """What `from_fields` reads: nested lists of `Fraction`, which `io.files.write_fields` writes as "p/q"."""
        values: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        if self.available.all():
            del values["available"]
        if self.groups is not None:
            values["groups"] = list(self.groups)
        return {name: x.tolist() if isinstance(x, np.ndarray) else x for name, x in values.items() if x is not None}

    def replace(self, **changes: Any) -> ExactInstance:
        """The same with some fields exchanged; what is not changed is not checked again.

        Raises:
            InvalidInput: for what is no such field's content.
        """
        if changes.keys() - {"reward", *_BESIDE_THE_MDP}:
            return replace(self, **changes)
        checked: dict[str, Any] = {}
        if "reward" in changes:
            checked["reward"], available = rationals.reward(changes["reward"], self.available, self.transition)
            if (available != self.available).any():  # a reward of −∞ takes an action away from the policies
                return replace(self, **changes)
        checked |= {name: self._checked(name, value) for name, value in changes.items() if name != "reward"}
        other = copy.copy(self)
        for name in _KEPT:
            vars(other).pop(name, None)
        other._set(checked)
        return other

    def plain(self) -> ExactInstance:
        """The same with None for a reference, noise or groups that have their neutral value."""
        changes: dict[str, None] = {}
        if self.reference is not None and (self.reference == self.old).all():
            changes["reference"] = None
        if self.noise is not None and not (self.noise != 0).any():
            changes["noise"] = None
        if self.groups == tuple(range(self.states)):
            changes["groups"] = None
        return self.replace(**changes) if changes else self

    @property
    def states(self) -> int:
        """S."""
        return self.transition.shape[0]

    @property
    def actions(self) -> int:
        """A."""
        return self.transition.shape[1]

    @property
    def largest_denominator(self) -> int:
        """Over every number of it."""
        values = (getattr(self, name) for name in AXES if name not in ("groups", "available"))
        every = [entry for value in values if value is not None for entry in np.ravel(value)]
        return max(entry.denominator for entry in every)

    def floats(self) -> dict[str, np.ndarray]:
        """Every field as the nearest floats, neutral values written out: rows need not sum to one exactly any more."""
        return {name: value.copy() for name, value in self._nearest.items()}

    @cached_property
    def _nearest(self) -> dict[str, np.ndarray]:
        neutral = {"reference": self.old, "noise": 0 * self.reward}
        given = {name: getattr(self, name) for name in AXES if name not in ("groups", "available")}
        out = {name: neutral.get(name) if value is None else value for name, value in given.items()}
        groups = np.arange(self.states) if self.groups is None else np.array(self.groups)
        nearest = {name: rationals.floats(value) for name, value in out.items() if value is not None}
        return nearest | {"groups": groups, "available": self.available}

    @property
    def solution_bits(self) -> float:
        """About how many bits the denominator of an exact value has: those of γ and of P_old's rows, of all states together."""
        return self._solution_bits

    @cached_property
    def _solution_bits(self) -> int:
        total = self.solved_states * self.gamma.denominator.bit_length()
        for moves, row, able in zip(self.transition, self.old, self.available, strict=True):
            bits = sum(math.lcm(*(x.denominator for x in one)).bit_length() - 1 for one in [row, *moves[able]])
            total += (self.solved_states // self.states) * bits
        return total

    @property
    def solved_states(self) -> int:
        """States of its linear systems: with a horizon those of every step."""
        return self.states * (1 if self.horizon is None else int(self.horizon))

    def quantities(self, arithmetic: Arithmetic | None = None) -> Quantities:
        """The quantities of the step in exact rationals, and in balls where roots and logarithms enter.

        A quantity is computed when it is first read, at the precision then in force: read it inside `with precision(bits)`.

        Args:
            arithmetic: another one of balls.
        """
        arrays = {name: getattr(self, name) for name in AXES if name not in ("groups", "available")}
        enclosed: dict[str, Any] = {name: None if array is None else balls(array) for name, array in arrays.items()}
        groups = None if self.groups is None else np.array(self.groups)
        return Quantities(arithmetic or Balls(), **enclosed, groups=groups, available=self.available)

    @cached_property
    def mdp(self) -> FiniteMDP:
        """The MDP, in floats."""
        part, able = self.floats(), self.available.astype(float)
        return FiniteMDP(part["transition"], part["reward"], float(self.gamma), part["initial"], available=able)

    def __repr__(self) -> str:
        return (
            f"ExactInstance(states={self.states}, actions={self.actions}, gamma={rationals.short(self.gamma)}, "
            f"largest_denominator={rationals.short(self.largest_denominator)})"
        )


_BESIDE_THE_MDP = ("gamma", "initial", "size", "groups", "old", "new", "reference", "noise", *EXTRAS)
"""The fields that can be exchanged without looking at the transition and the rewards again."""
_KEPT = ("mdp", "_nearest", "_solution_bits")
"""What is computed once for an instance."""
