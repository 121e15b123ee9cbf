"""`Instances`: a batch of (mdp, old, new) of one size, with what else claims speak of; plain arrays, batch first."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trpo_theory.numerics.floats import Floats
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.quantities import Quantities


@dataclass(frozen=True, eq=False)
class Instances:
    """B instances of S states and A actions, float64, rows summing to 1 to rounding.

    Attributes:
        transition: (B, S, A, S).
        reward: (B, S, A).
        gamma: (B,).
        initial: (B, S).
        old, new, reference: (B, S, A).
        noise: (B, S, A).
        groups: integers, (B, S).
        size: (B,).
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

    @classmethod
    def of(cls, transition: Any, reward: Any, gamma: Any, initial: Any, old: Any, new: Any, **extra: Any) -> Instances:
        """From arrays with or without a batch, what is left out having its neutral value."""
        old = np.asarray(old, dtype=np.float64)
        batch = old.shape[0] if old.ndim == 3 else 1
        shape = (batch, *old.shape[-2:])
        rows = {"reward": reward, "old": old, "new": new, "reference": extra.get("reference", old)}
        rows["noise"] = extra.get("noise", 0.0)
        states = shape[1]
        return cls(
            transition=np.array(np.broadcast_to(transition, (*shape, states)), dtype=np.float64),
            gamma=np.array(np.broadcast_to(gamma, (batch,)), dtype=np.float64),
            initial=np.array(np.broadcast_to(initial, (batch, states)), dtype=np.float64),
            groups=np.array(np.broadcast_to(extra.get("groups", np.arange(states)), (batch, states))),
            size=np.array(np.broadcast_to(extra.get("size", 1.0), (batch,)), dtype=np.float64),
            **{name: np.array(np.broadcast_to(value, shape), dtype=np.float64) for name, value in rows.items()},
        )

    def __len__(self) -> int:
        return len(self.gamma)

    @property
    def shape(self) -> tuple[int, int]:
        """(S, A)."""
        return self.old.shape[1], self.old.shape[2]

    def arrays(self) -> dict[str, np.ndarray]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def take(self, index: Any) -> Instances:
        """Those at an index, or under a mask."""
        return Instances(**{name: array[index] for name, array in self.arrays().items()})

    def replace(self, **changes: Any) -> Instances:
        """The same with some fields exchanged."""
        return dataclasses.replace(self, **changes)

    def quantities(self) -> Quantities:
        """In float64, the batch last; arrays of their own."""
        last = {name: np.moveaxis(array, 0, -1).copy(order="C") for name, array in self.arrays().items()}
        return Quantities(Floats(), available=np.True_, batch_shape=(len(self),), **last)

    def one(self, index: int) -> Quantities:
        """The quantities of one of them, without a batch axis; arrays of their own."""
        fields: dict[str, Any] = {name: array[index].copy() for name, array in self.arrays().items()}
        return Quantities(Floats(), available=np.True_, **fields)

    def exact(self, index: int) -> ExactInstance:
        """One of them as the dyadic rationals that its floats are, each row divided by its exact sum.

        What has its neutral value is left out.
        """
        return ExactInstance.from_floats(**{name: array[index] for name, array in self.arrays().items()}).plain()


def joined(parts: Sequence[Instances]) -> Instances:
    """Batches of one size, end to end."""
    names = parts[0].arrays()
    return Instances(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def from_exact(instances: Sequence[ExactInstance]) -> Instances:
    """The nearest floats of exact instances of one size."""
    parts = [instance.floats() for instance in instances]
    states, actions = parts[0]["old"].shape
    neutral = {"noise": np.zeros((states, actions)), "groups": np.arange(states), "size": 1.0}

    def column(name: str) -> np.ndarray:
        return np.stack([_given(part, name, neutral.get(name, part["old"])) for part in parts])

    return Instances(**{field.name: column(field.name) for field in dataclasses.fields(Instances)})


def _given(fields: dict[str, Any], name: str, neutral: Any) -> np.ndarray:
    value = fields.get(name)
    return np.asarray(neutral if value is None else value)
