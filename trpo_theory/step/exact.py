"""`ExactInstance`: an MDP with a pair of policies in exact rationals, and its `Quantities`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics.ball import rationals
from trpo_theory.numerics.ball.balls import Balls
from trpo_theory.numerics.ball.number import balls
from trpo_theory.step.quantities import Quantities


@dataclass(frozen=True, eq=False, kw_only=True)
class ExactInstance:
    """An MDP, old and new, and what else claims speak of, as exact rationals: arrays of `Fraction`, read-only.

    Integers, `Fraction` and rationals written "1/3" stay what they are, and a float is the dyadic rational that it is.
    Every row of probabilities that does not sum to one exactly, but within 1e-8, is divided by its exact sum.

    Args:
        transition: P(s'|s,a), (S, A, S).
        reward: r(s,a), (S, A), or (S,) or (S, A, S) that is reduced to it; −∞ marks an unavailable action.
        gamma: γ in [0, 1).
        initial: ρ₀, (S,).
        old, new: policies, (S, A).
        reference, noise, groups, size: as in `Quantities`; each may be left out.
        available: booleans (S, A); all true where left out. Transition and reward are 0 where it is false.

    Raises:
        InvalidInput: for what is not such an instance.

    >>> one = ExactInstance(
    ...     transition=[[[1], [1]]], reward=[["1/3", 0]], gamma=0.5, initial=[1], old=[[1, 0]], new=[[0.5, "1/2"]]
    ... )
    >>> one.reward[0, 0], one.largest_denominator, quantities(one).surrogate
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

    def __post_init__(self) -> None:
        transition = rationals.fractions(self.transition, "transition")
        shape = transition.shape
        if len(shape) != 3 or shape[0] != shape[2] or 0 in shape:
            raise InvalidInput(
                got=f"transition of shape {shape}", wanted="shape (S, A, S)", fix="put the axes in that order"
            )
        states, actions = shape[:2]
        reward, available = rationals.reward(self.reward, self.available, transition)
        transition = rationals.select(available, transition)
        made = {
            "transition": rationals.rows(transition, "transition", available),
            "reward": reward,
            "gamma": rationals.number(self.gamma, "gamma"),
            "initial": rationals.rows(rationals.fractions(self.initial, "initial", (states,)), "initial"),
            "size": rationals.number(1 if self.size is None else self.size, "size"),
            "groups": rationals.groups(self.groups, states),
            "available": available,
        }
        for name in ("old", "new", "reference", "noise"):
            value = getattr(self, name)
            if value is not None or name in ("old", "new"):
                value = rationals.fractions(value, name, (states, actions))
                made[name] = value if name == "noise" else rationals.policy(value, name, available)
        if not 0 <= made["gamma"] < 1:
            raise InvalidInput(
                got=f"gamma = {rationals.short(made['gamma'])}", wanted="0 <= gamma < 1", fix="pass 0.99, say"
            )
        for name, value in made.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    @classmethod
    def from_floats(cls, **values: Any) -> ExactInstance:
        """The instance that floats are: each the dyadic rational that it is, and each row of probabilities over its exact sum.

        The arguments are those of the class, and so is what it raises.
        """
        return cls(**values)

    @classmethod
    def from_fields(cls, values: Mapping[str, Any]) -> ExactInstance:
        """The instance in fields as `io.files.read_fields` returns them; other fields are left alone.

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
        return cls(**{f.name: values[f.name] for f in fields(cls) if values.get(f.name) is not None})

    def to_fields(self) -> dict[str, Any]:
        """What `from_fields` reads: nested lists of `Fraction`, which `io.files.write_fields` writes as "p/q"."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        if self.available.all():
            del values["available"]
        if self.groups is not None:
            values["groups"] = list(self.groups)
        return {name: _listed(value) for name, value in values.items() if value is not None}

    def plain(self) -> ExactInstance:
        """The same without a reference, noise or groups that have their neutral value."""
        changes: dict[str, Any] = {}
        if self.reference is not None and (self.reference == self.old).all():
            changes["reference"] = None
        if self.noise is not None and not (self.noise != 0).any():
            changes["noise"] = None
        if self.groups == tuple(range(self.states)):
            changes["groups"] = None
        return replace(self, **changes) if changes else self

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
        arrays = (self.transition, self.reward, self.initial, self.old, self.new, self.reference, self.noise)
        every = [entry for array in arrays if array is not None for entry in array.flat]
        return max(entry.denominator for entry in [*every, self.gamma, self.size])

    def floats(self) -> dict[str, Any]:
        """The fields as float arrays, rounded: they need not sum to one any more."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("available", "groups")}
        out = {name: _floats(value) for name, value in values.items() if value is not None}
        out["available"] = self.available
        return out if self.groups is None else out | {"groups": np.array(self.groups)}

    @cached_property
    def mdp(self) -> FiniteMDP:
        """The MDP, in floats."""
        part = self.floats()
        return FiniteMDP(
            part["transition"], part["reward"], part["gamma"], part["initial"], available=self.available.astype(float)
        )

    def __repr__(self) -> str:
        return (
            f"ExactInstance(states={self.states}, actions={self.actions}, gamma={rationals.short(self.gamma)}, "
            f"largest_denominator={rationals.short(self.largest_denominator)})"
        )


def quantities(instance: ExactInstance) -> Quantities:
    """The quantities of the step in exact rationals, and in balls where roots and logarithms enter.

    A field is computed when first asked for, at the precision then in force: ask inside `with precision(bits)`.
    """
    arrays: dict[str, Any] = {
        name: None if getattr(instance, name) is None else balls(getattr(instance, name))
        for name in ("transition", "reward", "gamma", "initial", "old", "new", "reference", "noise", "size")
    }
    groups = None if instance.groups is None else np.array(instance.groups)
    return Quantities(Balls(), **arrays, groups=groups, available=instance.available)


def _listed(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _floats(value: Any) -> Any:
    return (
        np.array([float(x) for x in value.ravel()]).reshape(value.shape)
        if isinstance(value, np.ndarray)
        else float(value)
    )
