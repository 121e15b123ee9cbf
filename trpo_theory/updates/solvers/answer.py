"""`Answer`: what a solver hands back, before anything of it is believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trpo_theory.updates.status import Status


@dataclass(frozen=True, eq=False)
class Answer:
    """A policy and multipliers. A is actions, G rows of the policy (states, or groups), B instances of the batch.

    `update` recomputes objective, feasibility and upper bound from these arrays: a wrong answer gets a large gap, not a
    wrong certificate; and it refuses a `new` whose rows are no probabilities.

    Attributes:
        change: new − old, (A, G, B): kept to full relative accuracy where new itself rounds to old.
        new: the new rows, (A, G, B): kept to full relative accuracy where they are so small that old + change is not.
        multiplier: λ ≥ 0 of each row, (G, B), in discounted reward per unit of the divergence (per nat for a KL): of
            max Σ_a p A − λ D(p). Any values prove some upper bound; the optimal ones prove a gap of 0. Rows with ρ = 0
            do not count.
        guess: where the row's root stands (`Solved.state`), (G, B), from which the certificate's own solve may start.
        upper: an upper bound on the objective that the solver itself proves, (B,), for penalties that multipliers do
            not certify; else None.
        note: the solver's own words, shown to the user as they are: iterations, status.
        status: FAILED or HEURISTIC where the solver knows so; None leaves it to the recomputed gap.
    """

    change: np.ndarray
    new: np.ndarray
    multiplier: np.ndarray
    guess: np.ndarray | None = None
    upper: np.ndarray | None = None
    note: str = ""
    status: Status | None = None
