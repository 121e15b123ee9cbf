"""`Instances`: a batch of (mdp, old, new) of one size, with what else claims read; plain float arrays, batch first.

The conversions between the records of a step are here and in `exact`:

    Instances.of(mdp, old, new), Instances.of_arrays(...)      from an MDP, or arrays with or without a batch
    Instances.of_exact([instance, ...])                        the nearest floats
    instances.quantities(), instances.one(i)                   `Quantities` of all of them (batch last), or of one
    instances.exact(i)                                         `ExactInstance`: arrays are dyadic, gamma and size decimals
    instances.packed(i), Instances.unpacked(...)               one of them as a flat tuple of floats, and back
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics.arithmetic import Arithmetic, Array
from trpo_theory.numerics.float_array import float_array
from trpo_theory.numerics.floats import Floats
from trpo_theory.numerics.layout import batch_last
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.fields import AXES, EXTRAS
from trpo_theory.step.quantities import Quantities

Index = int | slice | Sequence[int] | np.ndarray
"""Which of a batch: a number, a slice, several numbers, or a mask."""


@dataclass(frozen=True, eq=False)
class Instances:
    """B instances of S states and A actions, float64, rows summing to 1 to rounding.

    Attributes:
        transition: P(s'|s,a), (B, S, A, S).
        reward: r(s,a), (B, S, A).
        gamma: (B,).
        initial: ρ₀, (B, S).
        old, new, reference: policies, (B, S, A).
        noise: of an estimate of the advantage, (B, S, A).
        groups: an integer a state, (B, S).
        size: of an update, (B,).
        available: booleans, (B, S, A); None where every action is.
        horizon, temperature: (B,); None where there is none, and so with the others.
        costs: (B, S, A, K).
        model: another transition, (B, S, A, S).
        references, weights: policies of the past, (B, S, A, J), and how often each was used, (B, J).
    """

    transition: np.ndarray
    reward: np.ndarray
    gamma: np.ndarray
    initial: np.ndarray
    old: np.ndarray
    new: np.ndarray
    reference: np.ndarray
    noise: np.ndarray
    groups: np.ndarray
    size: np.ndarray
    available: np.ndarray | None = None
    horizon: np.ndarray | None = None
    temperature: np.ndarray | None = None
    costs: np.ndarray | None = None
    model: np.ndarray | None = None
    references: np.ndarray | None = None
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name, array in self.arrays().items():  # those of quantities are `FloatArray`, of formulas only
            object.__setattr__(self, name, np.asarray(array))

    @classmethod
    def of(cls, mdp: FiniteMDP, old: ArrayLike, new: ArrayLike, **extra: ArrayLike) -> Instances:
        """Steps of dense MDPs, one or a batch: `extra` as for `of_arrays`."""
        if not mdp.available.all():
            extra["available"] = mdp.available
        return cls.of_arrays(mdp.transition, mdp.reward, mdp.gamma, mdp.initial, old, new, **extra)

    @classmethod
    def of_arrays(
        cls,
        transition: ArrayLike,
        reward: ArrayLike,
        gamma: ArrayLike,
        initial: ArrayLike,
        old: ArrayLike,
        new: ArrayLike,
        **extra: ArrayLike,
    ) -> Instances:
        """From arrays with or without a batch; nothing is checked.

        Args:
            transition: P(s'|s,a), (S, A, S), or (B, S, A, S); all fields broadcast against the batch of old.
            reward: (S, A), or with a batch, as all that follow.
            gamma: a number.
            initial: (S,).
            old: (S, A).
            new: (S, A).
            **extra: others of the fields; those not given have their neutral values.
        """
        old = np.asarray(old, dtype=np.float64)
        batch = old.shape[0] if old.ndim == 3 else 1
        states, actions = int(old.shape[-2]), int(old.shape[-1])
        given: dict[str, ArrayLike] = {
            "reference": old,
            "noise": 0.0,
            "groups": np.arange(states),
            "size": 1.0,
            **extra,
        }
        given |= {
            "transition": transition,
            "reward": reward,
            "gamma": gamma,
            "initial": initial,
            "old": old,
            "new": new,
        }
        made: dict[str, Any] = {}
        for name, value in given.items():
            full = np.broadcast_to(np.asarray(value), (batch, *_shape(name, states, actions, value)))
            made[name] = np.array(full, dtype=_TYPES.get(name, float))
        return cls(**made)

    @classmethod
    def of_exact(cls, instances: Sequence[ExactInstance]) -> Instances:
        """The nearest floats of exact instances of one size: rows sum to 1 to rounding."""
        parts = [instance.floats() for instance in instances]
        masked = any(not instance.available.all() for instance in instances)
        names = [name for name in AXES if name in parts[0] and (masked or name != "available")]
        return cls(**{name: np.stack([part[name] for part in parts]) for name in names})

    @classmethod
    def unpacked(cls, numbers: Iterable[float], states: int, actions: int) -> Instances:
        """The instance of S states and A actions that `packed` made these numbers of, as a batch of one."""
        rest, sizes, made = np.fromiter(numbers, dtype=np.float64), {"s": states, "a": actions}, dict[str, Any]()
        names = list(_ALWAYS)
        while names:
            name = names.pop(0)
            shape = tuple(sizes[axis] for axis in AXES[name])
            part, rest = np.split(rest, [math.prod(shape)])
            made[name] = part.reshape(1, *shape).astype(_TYPES.get(name, float))
            if not names and rest.size:
                names, rest = _announced(rest, sizes)
        return cls(**made)

    def packed(self, index: int) -> tuple[float, ...]:
        """One of them as its numbers, in the order of `AXES`; `available` where some action is not.

        Where there are more fields, −1, the numbers of costs and of references, and which of these fields there are precede them.
        """
        arrays = {name: array[index] for name, array in self.arrays().items()}
        if "available" in arrays and arrays["available"].all():
            del arrays["available"]
        flat = {name: np.ravel(arrays[name]).astype(np.float64) for name in AXES if name in arrays}
        more: list[Any] = [flat.pop(name) for name in _SOMETIMES if name in flat]
        if self.has_extras:
            kinds = [0 if array is None else array.shape[-1] for array in (self.costs, self.references)]
            more = [[-1.0, *kinds], [name in arrays for name in _SOMETIMES], *more]
        return tuple(np.concatenate([*flat.values(), *more]).tolist())

    def __len__(self) -> int:
        return len(self.gamma)

    @property
    def shape(self) -> tuple[int, int]:
        """(S, A)."""
        return self.old.shape[1], self.old.shape[2]

    @property
    def has_extras(self) -> bool:
        """Whether they have fields that only some settings read."""
        return any(getattr(self, name) is not None for name in EXTRAS)

    def arrays(self) -> dict[str, np.ndarray]:
        """The fields by name; `available` only where some action is not, and those of a setting only where it has them."""
        return {name: array for name, array in vars(self).items() if array is not None}

    def take(self, index: Index) -> Instances:
        """Those at an index, or under a mask."""
        places = np.arange(len(self))[index]  # `ndarray.take` gathers short rows four times as fast as an index does
        return Instances(**{name: array.take(places, 0) for name, array in self.arrays().items()})

    def replace(self, **changes: np.ndarray | None) -> Instances:
        """The same with some fields exchanged."""
        return dataclasses.replace(self, **changes)

    def quantities(self) -> Quantities:
        """In float64, the batch last; arrays of their own."""
        last: dict[str, Array] = {
            name: float_array(batch_last(array).copy(order="C")) for name, array in self.arrays().items()
        }
        return Quantities(Floats(), batch_shape=(len(self),), **_ALL_AVAILABLE | last)

    def plain_quantities(self) -> Quantities:
        """The same as NumPy's own arrays, for formulas without exact numbers: a third quicker on small batches."""
        last: dict[str, Array] = {name: batch_last(array).copy(order="C") for name, array in self.arrays().items()}
        return Quantities(Floats(), batch_shape=(len(self),), **_ALL_AVAILABLE | last)

    def one(self, index: int) -> Quantities:
        """The quantities of one of them, without a batch axis; arrays of their own."""
        fields: dict[str, Array] = {name: float_array(array[index].copy()) for name, array in self.arrays().items()}
        return Quantities(Floats(), **_ALL_AVAILABLE | fields)

    def exact(self, index: int) -> ExactInstance:
        """One of them in rationals, as `ExactInstance` reads floats: each row of probabilities over its exact sum.

        gamma and size are the decimals that they are written as, so that hypotheses such as γ ≤ 0.9 and 10 γ = 9 mean what they
        say. Fields that have their neutral value are None.
        """
        return ExactInstance(**{name: array[index] for name, array in self.arrays().items()}).plain()


def joined(parts: Sequence[Instances]) -> Instances:
    """Batches of one size and setting, end to end; where one says which actions are available, the others' all are."""
    if len(parts) == 1:
        return parts[0]
    if any(part.available is not None for part in parts):
        parts = [part if part.available is not None else _with_all_available(part) for part in parts]
    each = [part.arrays() for part in parts]
    return Instances(**{name: np.concatenate([arrays[name] for arrays in each]) for name in each[0]})


def _with_all_available(part: Instances) -> Instances:
    return part.replace(available=np.ones(part.old.shape, dtype=bool))


def quantities_of_arrays(arrays: Mapping[str, Array], arithmetic: Arithmetic) -> Quantities:
    """`Instances.quantities` for fields some of which autograd may record, in its arithmetic; they are not copied."""
    last = {name: batch_last(array) for name, array in arrays.items()}
    return Quantities(arithmetic, batch_shape=(len(arrays["gamma"]),), **_ALL_AVAILABLE | last)


_ALL_AVAILABLE: dict[str, Array] = {"available": np.True_}
"""Of instances that do not say which actions are."""

_SOMETIMES = ("available", *EXTRAS)
_ALWAYS = tuple(name for name in AXES if name not in _SOMETIMES)


def _announced(rest: np.ndarray, sizes: dict[str, int]) -> tuple[list[str], np.ndarray]:
    """The fields that follow those which every instance has, and their numbers; how many costs and references goes to sizes."""
    if rest[0] != -1:
        return ["available"], rest
    sizes.update(k=int(rest[1]), j=int(rest[2]))
    has, numbers = np.split(rest[3:], [len(_SOMETIMES)])
    return [name for name, there in zip(_SOMETIMES, has, strict=True) if there], numbers


_TYPES: Mapping[str, type] = {"groups": int, "available": bool, "horizon": int}
"""Of the fields that are not float64."""


def _shape(name: str, states: int, actions: int, value: ArrayLike) -> tuple[int, ...]:
    """Of a field of one instance; how many costs and references there are the value says."""
    sizes = {"s": states, "a": actions}
    return tuple(sizes.get(axis) or np.shape(value)[-1] for axis in AXES[name])
