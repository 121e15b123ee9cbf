"""What a step (mdp, old, new) is given by, in any arithmetic, and the chains of its two policies."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NoReturn

import numpy as np

from trpo_theory.numerics.arithmetic import Arithmetic, Array, Policy
from trpo_theory.numerics.notation import Notation
from trpo_theory.solve.chain import PolicyChain
from trpo_theory.solve.criteria import DISCOUNTED
from trpo_theory.solve.criterion import Criterion, Given, Kernel
from trpo_theory.solve.layers import steps_of

GIVEN: dict[str, str] = {
    "gamma": "γ, the discount, in [0, 1); up to an end, over a horizon or on average it may be 1",
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
    "horizon": "T, the number of steps of a run; else 0, for no limit",
    "temperature": "τ ≥ 0, the price of entropy in the return; else 0",
    "costs": "c_k(s,a), further rewards, k last but for the batch; else none",
    "model": "P₂(s'|s,a), the transition of a second model; else P",
    "references": "π_k(a|s), policies of the past, k last but for the batch; else old alone",
    "weights": "How often each of the references was used, adding up to 1",
}
"""The arguments of `Quantities`, beside the arithmetic and the criterion, and what each is."""

AXES: dict[str, str] = {
    "transition": "sas",
    "reward": "sa",
    "gamma": "",
    "initial": "s",
    **dict.fromkeys(("old", "new", "reference", "noise"), "sa"),
    "groups": "s",
    "size": "",
    "available": "sa",
    "horizon": "",
    "temperature": "",
    "costs": "sak",
    "model": "sas",
    "references": "saj",
    "weights": "j",
}
"""The axes of each field of one instance: s over states, a over actions, k over costs, j over references."""

POLICIES = ("old", "new", "reference", "references")
"""The fields whose rows over actions are laws."""

EXTRAS = ("horizon", "temperature", "costs", "model", "references", "weights")
"""The fields that instances have only where a claim's setting reads them."""


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
    horizon: Array
    temperature: Array
    costs: Array
    model: Array
    references: Array
    weights: Array
    criterion: Criterion
    """What a return sums: its name is `criterion.name`."""
    cost_names: tuple[str, ...]
    """Names of the costs, for `cost`."""
    agents: tuple[int, ...]
    """How many actions each of several agents has, their product being A; () for a single agent."""

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
        horizon: Array | None = None,
        temperature: Array | None = None,
        costs: Array | None = None,
        model: Array | None = None,
        references: Array | None = None,
        weights: Array | None = None,
        criterion: Criterion = DISCOUNTED,
        cost_names: tuple[str, ...] = (),
        agents: tuple[int, ...] = (),
    ) -> None:
        self.arithmetic = arithmetic
        self.gamma, self.transition, self.reward, self.initial = gamma, transition, reward, initial
        self.available, self.old, self.new, self.batch_shape = available, old, new, batch_shape
        self.reference = old if reference is None else reference
        self.noise = 0 * reward if noise is None else noise
        self.groups = np.arange(len(old)).reshape((-1,) + (1,) * (np.ndim(old) - 2)) if groups is None else groups
        self.size = 1 if size is None else size
        self.horizon = 0 if horizon is None else horizon
        self.temperature = 0 if temperature is None else temperature
        self.costs = reward[:, :, None][:, :, :0] if costs is None else costs
        self.model = transition if model is None else model
        self.references = self.reference[:, :, None] if references is None else references
        self.weights = np.ones((1,) * (1 + np.ndim(old) - 2)) if weights is None else weights
        self.criterion, self.cost_names, self.agents = criterion, cost_names, agents
        self._all_available = bool(np.asarray(available).all())
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

    @cached_property
    def _kernel(self) -> Kernel:
        return self.criterion.kernel(self.arithmetic, self._mdp)

    @property
    def _mdp(self) -> Given:
        return Given(self.gamma, self.transition, self.reward, self.available, self.initial)

    def _chain(self, policy: Policy) -> PolicyChain:
        return PolicyChain(self.arithmetic, self._kernel, self.reward, policy, vars(self)["temperature"])

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

    def sum_t(self, term: Callable[[int], Array]) -> Array:
        """Σ_{0≤t<T} term(t) over the steps of the horizon, (*batch).

        Raises:
            InvalidInput: without a horizon.
        """
        lengths = steps_of(self.arithmetic, self.horizon)
        total: Array = 0
        for t in range(int(lengths.max())):
            total = total + self.arithmetic.where(t < lengths, term(t), 0)
        return total

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
