"""What an update problem sees of an MDP: the advantages and the visitation of the old policy, by rows of the policy."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.bounds import Bound
from trpo_theory.errors import InvalidInput, overflow
from trpo_theory.model.policy import StateAggregation
from trpo_theory.numerics.layout import batch_first
from trpo_theory.solve.criteria import DISCOUNTED, FINITE_HORIZON
from trpo_theory.step.partial import KnownQuantities
from trpo_theory.step.quantities import Quantities
from trpo_theory.updates.data_error import OldPolicy, old_policy
from trpo_theory.updates.grouping import by_step, grouped, largest, summed
from trpo_theory.updates.old_chain import complement
from trpo_theory.updates.rows.divergence import RowDivergence
from trpo_theory.updates.rows.rows import Rows


@dataclass(frozen=True, eq=False)
class Surrogate:
    """L_old(new) − η(old) = Σ_g ρ(g) Σ_a (new − old)(a|g) A(g, a), one g a row of the policy.

    A row is a state; under a `StateAggregation` it is a group, whose ρ is its states' sum and whose A is their mean under ρ,
    and problems (11)-(13) stay what they are. Arrays have the action first and the batch last, so that a row is a column.

    Attributes:
        old: (A, G, B).
        advantage: A_old in discounted reward, (A, G, B).
        available: (A, G, B).
        visitation: ρ_old, unnormalised, (G, B).
        gamma: (B,).
        max_abs_advantage: ε of the MDP, for the penalties of bounds, (B,).
        aggregation: the class of policies, or None for all.
        batch_shape: of which B is the size.
        advantage_error: max_a |A − A*| of a row, A* of the MDP itself, (G, B); 0 if left out, as of a surrogate made by hand.
        visitation_error: |ρ − ρ*| of a row, (G, B).
        total_error: Σ |ρ − ρ*|, (B,).
        of_states: A of the MDP's states, (A, S, B), and their ρ, (S, B); None where they are those of the rows.
        total: Σ ρ, (B,), by which ρ is divided for a mean; None for 1/(1 − γ), as of discounted returns.
        horizon: T, where the states are (t, s); else 0.
    """

    old: np.ndarray
    advantage: np.ndarray
    available: np.ndarray
    visitation: np.ndarray
    gamma: np.ndarray
    max_abs_advantage: np.ndarray
    aggregation: StateAggregation | None = None
    batch_shape: tuple[int, ...] = ()
    advantage_error: np.ndarray | float = 0.0
    visitation_error: np.ndarray | float = 0.0
    total_error: np.ndarray | float = 0.0
    of_states: tuple[np.ndarray, np.ndarray] | None = None
    total: np.ndarray | None = None
    horizon: int = 0

    @cached_property
    def rows_seen(self) -> dict[RowDivergence, Rows]:
        """The row problems as divergences see them, of surrogates whose rows fit in one block: filled by `Blocks`."""
        return {}

    @cached_property
    def coefficients_seen(self) -> dict[Bound, np.ndarray | None]:
        """The coefficients of bounds whose penalty is linear, (B,), None for others: filled by `linear_coefficient`."""
        return {}

    @cached_property
    def complement(self) -> np.ndarray:
        """What makes d of ρ, (B,): 1 − γ of the decimal that γ is written as; with another criterion 1/Σ ρ."""
        return complement(self.gamma) if self.total is None else 1 / np.where(self.total > 0, self.total, 1.0)

    @cached_property
    def mean(self) -> np.ndarray:
        """Σ_a old A of each row, (G, B): 0 but for rounding, as A is stored."""
        return np.add.reduce(self.old * self.advantage, 0)

    @cached_property
    def centred(self) -> np.ndarray:
        """A − Σ_a old A, (A, G, B)."""
        return self.advantage - self.mean

    @cached_property
    def best(self) -> np.ndarray:
        """max A over the actions that are available, (G, B)."""
        return np.maximum.reduce(np.where(self.available, self.advantage, -np.inf), 0)

    @cached_property
    def largest(self) -> np.ndarray:
        """max |A| over the actions that are available, (G, B)."""
        return np.maximum.reduce(np.abs(np.where(self.available, self.advantage, 0.0)), 0)

    @cached_property
    def sizes_at_most(self) -> np.ndarray:
        """A bound on |A*| of a row, (G, B); of a group, whose A is a mean, on those of its states."""
        if self.aggregation is not None:
            return np.broadcast_to(self.max_abs_advantage, self.visitation.shape) + self.advantage_error
        return self.largest + self.advantage_error

    @cached_property
    def visitation_missed(self) -> np.ndarray:
        """The relative error of ρ, row by row, (G, B): at most 1."""
        return np.minimum(self.visitation_error / np.where(self.visitation > 0, self.visitation, np.inf), 1.0)

    @cached_property
    def largest_error(self) -> np.ndarray:
        """The largest |A − A*| of a row, (B,)."""
        errors = np.asarray(self.advantage_error)
        errors = errors if errors.shape == self.visitation.shape else np.broadcast_to(errors, self.visitation.shape)
        return np.maximum.reduce(errors, 0)

    @cached_property
    def total_visitation(self) -> np.ndarray:
        """Σ ρ of the rows, (B,)."""
        return np.add.reduce(self.visitation, 0)

    @property
    def is_discounted(self) -> bool:
        """Whether returns are discounted, without a horizon: Σ ρ is then known, and is 1/(1 − γ)."""
        return self.total is None

    @cached_property
    def rms_advantage(self) -> np.ndarray:
        """√(Σ_s d_old(s) Σ_a old(a|s) A_old(s, a)²) of the MDP, for the penalties of bounds, (B,)."""
        moment, visitation = self._second_moment
        return self.max_abs_advantage * np.sqrt((self.complement * visitation * moment).sum(0))

    @cached_property
    def _second_moment(self) -> tuple[np.ndarray, np.ndarray]:
        """Σ_a old (A/ε)² of states, of which no square is out of range, and their ρ."""
        advantage, visitation = self._states
        relative = advantage / np.where(self.max_abs_advantage > 0, self.max_abs_advantage, 1.0)
        return (self._of_rows(self.old) * relative**2).sum(0), visitation

    @cached_property
    def _states(self) -> tuple[np.ndarray, np.ndarray]:
        """A, 0 where an action is not available, and ρ of the MDP's states."""
        if self.of_states is not None:
            return self.of_states
        return np.where(self.available, self.advantage, 0.0), self.visitation

    def _of_rows(self, rows: np.ndarray) -> np.ndarray:
        """(A, G, B) -> (A, S, B)."""
        return rows if self.aggregation is None else rows[:, self.aggregation.group]

    def spread(self, change: np.ndarray) -> np.ndarray:
        """sd of Ā over d_old, Ā(s) = Σ_a change A, (A, G, B) -> (B,): over the MDP's states."""
        advantage, visitation = self._states
        moved = (self._of_rows(change) * (advantage - (self._of_rows(self.old) * advantage).sum(0))).sum(0)
        occupancy = self.complement * visitation
        centred = moved - (occupancy * moved).sum(0)
        return np.sqrt((occupancy * centred**2).sum(0))

    @property
    def rms_error(self) -> np.ndarray:
        """What the errors of A and ρ make of it, relatively, (B,): its square is wrong by Σ |d − d*| Σ_a old A²."""
        moment, size = self._second_moment[0], self.max_abs_advantage
        rms = np.where(self.rms_advantage > 0, self.rms_advantage, np.inf)
        moved = self.total_error * moment.max(0)
        if self.aggregation is None:
            moved = np.minimum(moved, (self.visitation_error * moment).sum(0))
        return self.largest_error / rms + 0.5 * self.complement * moved * (size / rms) ** 2

    @classmethod
    def of(
        cls, q: Quantities, aggregation: StateAggregation | None = None, known: OldPolicy | None = None
    ) -> Surrogate:
        """From the quantities of the old policy (whatever the new one is).

        Args:
            q: those.
            aggregation: the class of policies, or None for all.
            known: A and ρ of old with their errors, where they are known better than floats tell them.
        """
        batch, horizon = q.batch_shape, int(q.horizon) if q.criterion is FINITE_HORIZON else 0
        known = old_policy(q) if known is None else known
        aggregation = aggregation if aggregation is None or not horizon else by_step(aggregation, q.states, horizon)

        def rows(array: Any) -> np.ndarray:
            array = flat(array)
            return np.ascontiguousarray(array.reshape(*array.shape[:2], -1).swapaxes(0, 1))

        def flat(array: Any) -> np.ndarray:
            array = np.asarray(array)
            own = array.ndim - len(batch)
            return array if array.shape[own:] == batch else np.broadcast_to(array, (*array.shape[:own], *batch))

        visitation = flat(known.visitation).reshape(len(q.old), -1)
        old, available = rows(q.old), rows(np.asarray(q.available))
        advantage = rows(known.advantage)
        advantage_error, visitation_error = (
            flat(part).reshape(len(q.old), -1) for part in (known.advantage_error, known.visitation_error)
        )
        epsilon, gamma = np.abs(advantage).max((0, 1)), flat(q.gamma).ravel()
        states = None if aggregation is None else (advantage, visitation)
        if aggregation is not None:
            old, advantage, available, visitation = grouped(aggregation, old, advantage, available, visitation)
            added = np.bincount(aggregation.group)[:, None] * np.finfo(np.float64).eps * epsilon  # of their means
            advantage_error = largest(aggregation, advantage_error) + added
            visitation_error = summed(aggregation, visitation_error)
        if not (np.isfinite(epsilon).all() and np.isfinite(visitation).all()):
            raise overflow("advantages")
        missed = flat(known.total_error).ravel()
        return cls(
            old,
            advantage,
            available,
            visitation,
            gamma,
            epsilon,
            aggregation,
            batch,
            advantage_error,
            visitation_error,
            missed,
            states,
            None if q.criterion is DISCOUNTED else visitation.sum(0),
            horizon,
        )

    def policy_rows(self, rows: np.ndarray) -> np.ndarray:
        """(A, G, B) -> (*batch, S, A); over a horizon (*batch, T, S, A)."""
        array = rows if self.aggregation is None else rows[:, self.aggregation.group]
        states = (self.horizon, array.shape[1] // self.horizon) if self.horizon else (array.shape[1],)
        return _public(array).reshape(*self.batch_shape, *states, array.shape[0])

    def penalty(self, bound: Bound, value: np.ndarray | float, field: str = "max_kl") -> np.ndarray | float:
        """A bound's penalty as a function of that field alone, (B,)."""
        known: dict[str, Any] = {**self.sizes(), field: value}
        return bound.penalty(KnownQuantities(**known))

    def sizes(self, read: Collection[str] = ("rms_advantage",)) -> dict[str, np.ndarray]:
        """What a penalty may read of old, by the names of `Quantities`, (B,) each; the dearer ones only if they are named."""
        sizes = {"gamma": self.gamma, "max_abs_advantage": self.max_abs_advantage}
        if "rms_advantage" in read:
            sizes["rms_advantage"] = self.rms_advantage
        return sizes if not self.horizon else sizes | {"horizon": np.full(self.gamma.shape, self.horizon)}


def _public(rows: np.ndarray) -> np.ndarray:
    """(A, G, B) -> (B, G, A)."""
    return batch_first(rows).swapaxes(1, 2)


def checked(surrogate: Surrogate) -> None:
    """Refuse a surrogate made by hand unless its shapes fit, old's rows sum to 1, A is finite and ρ ≥ 0."""
    rows = surrogate.old.shape
    for name, expected in (("advantage", rows), ("available", rows), ("visitation", rows[1:])):
        _checks.expect_shape(getattr(surrogate, name), name, *expected)
    _checks.probability_rows(_public(surrogate.old), "old")
    if not np.isfinite(surrogate.advantage).all():
        raise InvalidInput(got="an advantage with NaN or infinity", wanted="finite entries", fix="recompute it")
    if not (np.isfinite(surrogate.visitation) & (surrogate.visitation >= 0)).all():
        raise InvalidInput(got="a visitation with negative or infinite entries", wanted="rho >= 0", fix="recompute it")
