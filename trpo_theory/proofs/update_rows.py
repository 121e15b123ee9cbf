"""The rows of an update problem on an MDP: A and ρ of old enclosed by a verified solve, groups put together."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.ball import raw
from trpo_theory.numerics.ball.chain import EnclosedPolicy, enclosed_policy
from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.proofs.update_ends import EnclosedRow

BITS = 192
"""Of the balls: three times a float's, so that the ends differ by what the solver left, not by rounding."""
MOST_ENTRIES = 4_000_000
"""Of a transition, S·A·S. Measured: 1,000 states of two actions take 2 s; chosen: four actions, for the memory of the balls."""


def check_size(states: int, actions: int) -> None:
    """Refuse an MDP whose transition has more entries than balls should be made of.

    Raises:
        InvalidInput: for more than four million.
    """
    if states * states * actions > MOST_ENTRIES:
        raise InvalidInput(
            got=f"a proof for an MDP of {states} states and {actions} actions",
            wanted=f"at most {MOST_ENTRIES:,} entries S·A·S, such as 1,000 states of 4 actions",
            fix="certify_update(solve(solution.surrogate, problem)) proves the gap of the surrogate as stored",
        )


def rows_and_return(
    *,
    gamma: Fraction,
    transition: np.ndarray,
    reward: np.ndarray,
    initial: np.ndarray,
    available: np.ndarray,
    old: np.ndarray,
    new: np.ndarray,
    groups: Sequence[int] | None,
    bits: int = BITS,
) -> tuple[list[EnclosedRow], arb]:
    """The rows of the policy class, a state each, or a group with its ρ summed and A averaged under ρ; and η(old) of the reward.

    Args:
        gamma: γ, exactly.
        transition: P(s'|s,a), (S, A, S), floats or `Fraction`s, as are the next two; each row is taken over its exact sum.
        reward: r(s,a), (S, A).
        initial: ρ₀, (S,), likewise over its exact sum.
        available: booleans (S, A).
        old: (S, A); each row is taken over its exact sum.
        new: (S, A), in fractions whose rows sum to 1.
        groups: one integer a state, or None.
        bits: of the balls, at least.

    Raises:
        InvalidInput: for an MDP that is too large, or rows that differ within a group.
        NotSolved: for a new that is no policy, or a discount too near 1.
    """
    check_size(*old.shape)
    step = enclosed_policy(
        gamma=gamma,
        transition=transition,
        reward=reward,
        initial=initial,
        policy=old,
        available=available,
        bits=bits,
    )
    names = tuple(range(len(old))) if groups is None else tuple(groups)
    members: dict[int, list[int]] = {}
    for state, group in enumerate(names):
        members.setdefault(group, []).append(state)
    for group, states in members.items():
        for name, array in (("old", old), ("new", new), ("available", available)):
            if any((array[s] != array[states[0]]).any() for s in states[1:]):
                raise InvalidInput(
                    got=f"{name} that differs within the group {group}",
                    wanted="one row for all states of a group",
                    fix=f"give the states {states} the same row of {name}, or leave out the groups",
                )
    with raw.precision(bits):
        start = [raw.datum(x) for x in initial]
        returned = sum((arb(p) * v for p, v in zip(start, step.value, strict=True)), arb(0)) / arb(sum(start, fmpq(0)))
        return [_row(step, members[group], old, new, available) for group in sorted(members)], returned


def _row(
    step: EnclosedPolicy, states: list[int], old: np.ndarray, new: np.ndarray, available: np.ndarray
) -> EnclosedRow:
    first = states[0]
    usable = [int(a) for a in np.flatnonzero(available[first])]
    before, after = ([raw.datum(array[first, a]) for a in usable] for array in (old, new))
    total = sum(before, fmpq(0))
    rho = sum((step.visitation[s] for s in states), arb(0))
    return EnclosedRow(
        rho, [entry / total for entry in before], after, [_averaged(step, states, rho, action) for action in usable]
    )


def _averaged(step: EnclosedPolicy, states: list[int], rho: arb, action: int) -> arb:
    """Σ ρ A / Σ ρ of a group; where ρ may be 0, what encloses every member's A."""
    of_members = [step.advantage[s][action] for s in states]
    if len(states) == 1:
        return of_members[0]
    if rho > 0:
        return sum((step.visitation[s] * a for s, a in zip(states, of_members, strict=True)), arb(0)) / rho
    hull = of_members[0]
    for other in of_members[1:]:
        hull = hull.union(other)
    return hull
