"""`step_oracle` in every setting: over a horizon, up to an end, on average, with a price of entropy, costs, a second model.

From the definitions, at 60 digits: a horizon by forward laws and backward induction over (t, s), an end by the chain of the
states outside it, an average by d P = d and the bias h with d·h = 0. It imports nothing of the package.
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
from layered_fields import layered
from step_oracle import MP, StepOracle, elementwise, real, reals

GIVEN = (
    *("transition", "reward", "gamma", "initial", "old", "new", "available", "size", "temperature", "costs", "model"),
    *("references", "weights", "reference", "noise", "groups", "layers", "criterion", "cost_names"),
)


def numbers(x: Any) -> Any:
    """Fractions of a file's numbers, which are integers or text."""
    if isinstance(x, list):
        return [numbers(entry) for entry in x]
    if isinstance(x, bool) or not isinstance(x, (int, str)):
        raise TypeError(f"{x!r} in a witness")
    return Fraction(x)


def solved(matrix: np.ndarray, b: np.ndarray) -> np.ndarray:
    """With pivots."""
    return np.array(list(MP.lu_solve(MP.matrix(matrix.tolist()), MP.matrix(list(b)))), dtype=object)


def unit(n: int) -> np.ndarray:
    return reals(np.eye(n, dtype=int))


def played(rows: np.ndarray) -> np.ndarray:
    """Σ_a π log π."""
    return np.array([MP.fsum(p * MP.log(p) for p in row if p) for row in rows], dtype=object)


def _kl_term(x: Any, y: Any) -> Any:
    return MP.zero if x == 0 else MP.inf if y == 0 else x * MP.log(x / y)


def _over(reduce: Any, neutral: Any) -> Any:
    def of(x: Any, axis: int = 0, where: Any = None) -> Any:
        x = np.asarray(x, dtype=object)
        return reduce(x if where is None else np.where(where, x, neutral), axis)

    return staticmethod(of)


class SettingsOracle(StepOracle):
    """The quantities of a step in a setting. S axis 0, A axis 1; over a horizon of T the states are (t, s), numbered t S + s."""

    def __init__(
        self,
        *,
        temperature: Any = 0,
        costs: Any = None,
        model: Any = None,
        references: Any = None,
        weights: Any = (1,),
        reference: Any = None,
        noise: Any = None,
        groups: Any = None,
        layers: int = 0,
        criterion: Any = None,
        cost_names: tuple[str, ...] = (),
        **step: Any,
    ) -> None:
        super().__init__(**step)
        self.temperature, self.layers, self.cost_names = real(temperature), layers, tuple(cost_names)
        self.criterion = criterion or SimpleNamespace(name="discounted")
        self.model = self.transition if model is None else reals(model)
        self.costs = None if costs is None else reals(costs)
        self.reference = self.old if reference is None else reals(reference)
        self.references = self.reference[:, :, None] if references is None else reals(references)
        self.weights = reals(weights)
        self.noise = 0 * self.reward if noise is None else reals(noise)
        self.groups = np.arange(len(self.old)) if groups is None else np.array(groups)
        self.horizon, self.batch_shape = layers, ()
        if self.kind == "average":
            self.gamma = MP.one
        self.arithmetic = SimpleNamespace(
            **{name: getattr(self, name) for name in ("sqrt", "log", "exp", "minimum", "maximum", "expect", "push")},
            where=np.where,
            sum=_over(np.sum, MP.zero).__func__,
            max=_over(np.max, -MP.inf).__func__,
            stack=np.stack,
            kl_div=elementwise(_kl_term),
            **dict.fromkeys(("nan_to_inf", "nearest_floats"), lambda x: x),
        )
        self.arithmetic.expect = lambda transition, value: (transition * value).sum(2)
        self.arithmetic.push = lambda transition, weight: (transition * weight[:, :, None]).sum((0, 1))

    kind = property(lambda self: self.criterion.name)

    @classmethod
    def of(cls, fields: dict[str, Any], claim: Any) -> SettingsOracle:
        """Of a witness file, in the setting of its claim."""
        names = {*GIVEN} - {"groups", "available", "criterion", "layers", "cost_names"}
        given: dict[str, Any] = {name: numbers(fields[name]) for name in names if name in fields}
        given |= {name: fields[name] for name in ("groups", "available") if name in fields}
        if not claim.temperature:
            given.pop("temperature", None)
        steps = int(numbers(fields["horizon"])) if claim.horizon else 0
        given |= {"criterion": SimpleNamespace(name="finite-horizon" if steps else claim.criterion)}
        return cls(**layered(given, steps) if steps else given, layers=steps, cost_names=claim.costs)

    def replace(self, **changes: Any) -> SettingsOracle:
        given = {name: getattr(self, name) for name in GIVEN}
        scalars = {
            name: changes[name].item() for name in changes.keys() & {"gamma"} if isinstance(changes[name], np.ndarray)
        }
        return type(self)(**given | changes | scalars)

    replaced = replace

    def with_new(self, new: Any) -> SettingsOracle:
        return self.replace(new=new)

    def cost(self, name: str) -> SettingsOracle:
        paid = self.costs[:, :, self.cost_names.index(name)]
        if self.kind == "episodic":
            paid = np.array([0 * x if end else x for x, end in zip(paid, self.ends, strict=True)])
        return self.replace(reward=paid, temperature=MP.zero)

    # --- the chain ---------------------------------------------------------------------------------------------

    @cached_property
    def ends(self) -> np.ndarray:
        """The largest set without rewards that no action leaves."""
        found = np.array([all(r == 0 for r, a in zip(*rows, strict=True) if a) for rows in self._by_state(self.reward)])
        for _ in found:
            left = [
                any(p for row, a in zip(*rows, strict=True) if a for p in row[~found])
                for rows in self._by_state(self.transition)
            ]
            found = found & ~np.array(left)
        return found

    def _by_state(self, array: np.ndarray) -> Any:
        return zip(array, self.available, strict=True)

    def law(self, policy: np.ndarray) -> np.ndarray:
        """d with d P = d and Σ d = 1."""
        flow = (unit(self.states) - self._chain(policy)).T
        flow[-1] = MP.one
        return solved(flow, unit(self.states)[-1])

    def _resolve(self, policy: np.ndarray, b: np.ndarray, *, transposed: bool = False) -> np.ndarray:
        """The value of a reward b of states; transposed, the visits from a law b."""
        chain = self._chain(policy)
        if self.kind == "average":
            law = self.law(policy)
            if transposed:
                return law
            return solved(unit(self.states) - chain + law[None, :], b - (law * b).sum())
        if self.kind == "finite-horizon":
            return self._swept(chain, b, transposed)
        matrix = unit(self.states) - self.gamma * chain
        inside = ~self.ends if self.kind == "episodic" else np.ones(self.states, dtype=bool)
        found = reals(np.zeros(self.states, dtype=int))
        part = matrix[np.ix_(inside, inside)]
        found[inside] = solved(part.T if transposed else part, b[inside])
        return found

    def _swept(self, chain: np.ndarray, b: np.ndarray, transposed: bool) -> np.ndarray:
        """Backward induction, or the laws of s_t times γᵗ."""
        found, n = b.copy(), self.states // self.layers
        times = [slice(t * n, (t + 1) * n) for t in range(self.layers)]
        for now, then in itertools.pairwise(times) if transposed else reversed([*itertools.pairwise(times)]):
            if transposed:
                found[then] = found[then] + self.gamma * found[now] @ chain[now, then]
            else:
                found[now] = found[now] + self.gamma * chain[now, then] @ found[then]
        return found

    def _return(self, policy: np.ndarray, b: np.ndarray) -> Any:
        if self.kind == "average":
            return (self.law(policy) * b).sum()
        return (self.initial * self._resolve(policy, b)).sum()

    def _rewards(self, policy: np.ndarray) -> np.ndarray:
        return (policy * self.reward).sum(1) - self.temperature * (played(policy) if self.temperature else 0)

    def return_of(self, policy: np.ndarray) -> Any:
        return self._return(policy, self._rewards(policy))

    # --- quantities --------------------------------------------------------------------------------------------

    value = cached_property(lambda self: self._resolve(self.old, self._rewards(self.old)))
    value_new = cached_property(lambda self: self._resolve(self.new, self._rewards(self.new)))
    expected_return_old = property(lambda self: self.return_of(self.old))
    expected_return_new = property(lambda self: self.return_of(self.new))
    surrogate = property(lambda self: self.expected_return_old + self.surrogate_gain)

    def _q_value(self, policy: np.ndarray, value: np.ndarray) -> np.ndarray:
        less = self.return_of(policy) if self.kind == "average" else MP.zero
        return np.where(self.available, self.reward - less + self.gamma * self.expect(value), MP.zero)

    q_value = cached_property(lambda self: self._q_value(self.old, self.value))
    q_value_new = cached_property(lambda self: self._q_value(self.new, self.value_new))
    advantage = cached_property(lambda self: np.where(self.available, self.q_value - self.value[:, None], MP.zero))
    advantage_new = cached_property(
        lambda self: np.where(self.available, self.q_value_new - self.value_new[:, None], MP.zero)
    )
    estimate = property(lambda self: self.advantage + self.noise)

    @property
    def expected_advantage(self) -> np.ndarray:
        """E_new (Q − τ log new) − V."""
        own = self.temperature * played(self.new) if self.temperature else 0
        return (self.new * self.advantage).sum(1) - own

    def _occupancy(self, visits: np.ndarray) -> np.ndarray:
        return (1 - self.gamma) * visits if self.kind == "discounted" else visits / (visits.sum() or 1)

    occupancy_old = property(lambda self: self._occupancy(self.visitation_old))
    occupancy_new = property(lambda self: self._occupancy(self.visitation_new))
    visitation_reference = property(lambda self: self._resolve(self.reference, self.initial, transposed=True))
    transition_old = property(lambda self: self._chain(self.old))
    transition_new = property(lambda self: self._chain(self.new))
    mean_expected_advantage = property(lambda self: (self.occupancy_old * self.expected_advantage).sum())

    def _towards(self, t: Any) -> Any:
        return self.return_of(self.old + t * (self.new - self.old))

    return_derivative = property(lambda self: MP.diff(self._towards, 0))
    return_second_derivative = property(lambda self: MP.diff(self._towards, 0, 2))

    def discounted_sums_old(self, f: np.ndarray) -> np.ndarray:
        return self._resolve(self.old, (self.old * f).sum(1))

    def discounted_sums_new(self, f: np.ndarray) -> np.ndarray:
        return self._resolve(self.new, (self.new * f).sum(1))

    @property
    def mixing_new(self) -> Any:
        """Half the largest L1 distance of two rows of N, whose columns are the values of being in one state."""
        rows = np.stack([self._resolve(self.new, column) for column in unit(self.states)], axis=1)
        return max(abs(one - other).sum() for one in rows for other in rows) / 2

    kemeny_old = property(lambda self: self._kemeny(self.old))
    kemeny_new = property(lambda self: self._kemeny(self.new))

    def _kemeny(self, policy: np.ndarray) -> Any:
        """The trace of Z = (I − P + 1 dᵀ)⁻¹, whose columns are d(t) and the bias of being in t."""
        return MP.one + sum(self._resolve(policy, column)[t] for t, column in enumerate(unit(self.states)))

    least_transition = property(lambda self: self.transition.min((0, 1)))
    minorisation = property(lambda self: self.least_transition.sum())
    minorisation_new = property(lambda self: self.transition_new.min(0).sum())
    is_deterministic_new = property(lambda self: ((self.new > 0).sum(1) == 1).all())
    unit_rewards = property(lambda self: ((self.reward >= 0) & (self.reward <= 1) | ~self.available).all())
    max_ratio_deviation = property(
        lambda self: max(
            abs(n / o - 1) if o else MP.inf if n else MP.zero
            for o, n in zip(self.old.ravel(), self.new.ravel(), strict=True)
        )
    )
    reverse_mean_kl = property(lambda self: self._mean(self.reverse_kl))
    mean_chi2 = property(lambda self: self._mean(self.chi2))
    reverse_mean_chi2 = property(lambda self: self._mean(self.reverse_chi2))

    @cached_property
    def optimal_value(self) -> np.ndarray:
        """The largest over all deterministic policies."""
        rows = [np.flatnonzero(able) for able in self.available]
        policies = (unit(self.actions)[list(choice)] for choice in itertools.product(*rows))
        return np.max([self._resolve(policy, self._rewards(policy)) for policy in policies], axis=0)

    optimal_return = property(lambda self: (self.initial * self.optimal_value).sum())

    def greedy(self, x: np.ndarray) -> np.ndarray:
        return unit(self.actions)[[max(np.flatnonzero(able), key=lambda a: row[a]) for row, able in self._by_state(x)]]

    def expect(self, value: np.ndarray) -> np.ndarray:
        return (self.transition * value).sum(2)

    def push(self, weight: np.ndarray) -> np.ndarray:
        return (self.transition * weight[:, :, None]).sum((0, 1))

    def sum_t(self, term: Any) -> Any:
        return sum((term(t) for t in range(self.layers)), MP.zero)

    def max_a(self, x: Any, *, where: Any = True) -> Any:
        return np.where(self.available & where, x, -MP.inf).max(1)

    def min_a(self, x: Any, *, where: Any = True) -> Any:
        return -self.max_a(-x, where=where)

    def sum_a(self, x: Any, *, where: Any = True) -> Any:
        return np.where(self.available & where, x, MP.zero).sum(1)
