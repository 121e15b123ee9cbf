"""What a step (mdp, old, new) is given by, in any arithmetic, and the chains of its two policies."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Iterable
from functools import cached_property
from typing import NoReturn

import numpy as np

from trpo_theory.numerics.arithmetic import Arithmetic, Array, Policy
from trpo_theory.numerics.notation import Notation
from trpo_theory.solve.evaluation import PolicyChain

GIVEN: dict[str, str] = {
    "gamma": "γ, the discount, in [0, 1)",
    "transition": "P(s'|s,a); where it is sparse, (S·A, S)",
    "reward": "r(s,a); 0 for an unavailable action",
    "initial": "ρ₀(s), the law of the first state",
    "available": "Whether an action can be taken in a state",
    "old": "old(a|s), the policy that the step starts from",
    "new": "new(a|s), the policy that it goes to",
    "batch_shape": "The shape of the batch, () for one instance",
    "reference": "reference(a|s), a policy that states were visited by; else old",
    "noise": "The error of an estimate of A_old; else 0",
    "groups": "An integer a state: states with the same one share a row of the policy; else all differ",
    "size": "The step size or radius of an update; else 1",
}
"""The arguments of `Quantities`, beside the arithmetic, and what each is."""


class StepFields(Notation):
    """The fields of a step, as `Quantities` describes them. S axis 0, A axis 1, a batch last."""

    gamma: Array
    transition: Array
    reward: Array
    initial: Array
    available: Array
    old: Policy
    new: Policy
    batch_shape: tuple[int, ...]
    reference: Policy
    noise: Array
    groups: Array
    size: Array

    def __init__(
        self,
        arithmetic: Arithmetic,
        *,
        gamma: Array,
        transition: Array,
        reward: Array,
        initial: Array,
        available: Array,
        old: Policy,
        new: Policy,
        batch_shape: tuple[int, ...] = (),
        reference: Policy | None = None,
        noise: Array | None = None,
        groups: Array | None = None,
        size: Array | None = None,
    ) -> None:
        self.arithmetic = arithmetic
        self.gamma, self.transition, self.reward, self.initial = gamma, transition, reward, initial
        self.available, self.old, self.new, self.batch_shape = available, old, new, batch_shape
        self.reference = old if reference is None else reference
        self.noise = 0 * reward if noise is None else noise
        self.groups = np.arange(len(old)).reshape((-1,) + (1,) * (np.ndim(old) - 2)) if groups is None else groups
        self.size = 1 if size is None else size
        self._all_available = bool(np.all(available))
        if not np.ndim(available):
            self.available = np.broadcast_to(available, old.shape)
        self._law_blocks: dict[tuple[int, int], Array] = {}
        self._law_starts: dict[tuple[int, int], Array] = {}

    @cached_property
    def _old(self) -> PolicyChain:
        return self._chain(self.old)

    @cached_property
    def _new(self) -> PolicyChain:
        return self._chain(self.new)

    def _chain(self, policy: Policy) -> PolicyChain:
        return PolicyChain(self.arithmetic, self.gamma, self.transition, self.reward, self.initial, policy)

    @classmethod
    @functools.cache
    def names(cls) -> frozenset[str]:
        """What a formula may read: the fields, the reductions and the functions."""
        fields = {name for kind in cls.__mro__ for name in inspect.get_annotations(kind)}
        return frozenset(name for name in fields.union(dir(cls)) - {"names"} if not name.startswith("_"))

    def __getattr__(self, name: str) -> NoReturn:
        if hasattr(type(self), name):  # its own computation failed with an AttributeError: raise that one
            object.__getattribute__(self, name)
        raise no_quantity(name, type(self).names())

    @property
    def states(self) -> int:
        """S, the number of states."""
        return int(self.old.shape[0])

    @property
    def actions(self) -> int:
        """A, the number of actions, unavailable ones included."""
        return int(self.old.shape[1])

    def expect(self, value: Array) -> Array:
        """Σ_s' P(s'|s,a) value(s'), (S, A, *batch)."""
        return self.arithmetic.expect(self.transition, value)

    def push(self, weight: Array) -> Array:
        """Σ_{s,a} weight(s,a) P(s'|s,a), (S, *batch)."""
        return self.arithmetic.push(self.transition, weight)


def no_quantity(name: str, names: Iterable[str]) -> AttributeError:
    """The error for a name that is none of the names of quantities; it says which one may have been meant."""
    near = [] if name.startswith("_") else difflib.get_close_matches(name, names, n=2)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return AttributeError(f"{name} is no quantity{hint}", name=name)
