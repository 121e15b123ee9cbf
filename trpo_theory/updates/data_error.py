# pyright: strict, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
# The arithmetic of formulas, and sparse matrices, are untyped.
"""A and ρ of old as an update sees them, each with a bound on its error: in floats, or rounded from balls.

A does not change with a constant in r or in V, so both are taken relative to one: with h = V − constant,
    A(s,a) = r(s,a) − r_π(s) + γ (P_sa − P_π)·h,        e = r_π + γ P_π h − h,        |A − A*| ≤ γ span(e)/(1 − γ) + rounding,
    f = ρ₀ + γ P_πᵀ ρ − ρ,                              Σ|ρ − ρ*| ≤ Σ|f|/(1 − γ),
for any h and ρ whatever, as span(h − V) ≤ span(e) + γ span(h − V). docs/theory.md, "Certificates". With another criterion than
the discounted one errors grow by (I − K)⁻¹, state by state, as `old_chain` bounds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trpo_theory.entries.sparse import is_sparse
from trpo_theory.errors import NotSolved
from trpo_theory.model.decimals import as_written
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics.arithmetic import solved_from
from trpo_theory.numerics.ball.chain import enclosed_policy
from trpo_theory.solve.criteria import DISCOUNTED
from trpo_theory.step.quantities import Quantities
from trpo_theory.updates.old_chain import OldChain, old_chain

_EPS = float(np.finfo(np.float64).eps)
_SUMMED_IN_ORDER = 32
"""The most terms that NumPy and BLAS add one after the other, with room: longer sums are blocked or pairwise."""
_FURTHER_STEPS = 8
"""Roundings of a term beside its sum: products, the row's sum, differences, and γ, which is a decimal."""
PASSES = 2
"""Of refinement of a dense solve at most: the first takes off what V's constant cost, the second is down to rounding."""
STEP = 0.125
"""Of the bound on a residual's rounding, in whose multiples it counts: chosen, residuals are measured at up to 0.05 of it."""
_SUMMED = 64
"""Roundings in a sum over states and actions, each of size ε. Chosen, as of an upper bound."""
_BITS = 192
"""Of the balls: as in a proof."""
_LEAST = 1e-320
"""Absolute error of a ρ that underflows: chosen next to the least float."""


@dataclass(frozen=True, eq=False)
class OldPolicy:
    """A and ρ of old, (S, A, *batch) and (S, *batch), and the bounds on their errors.

    Attributes:
        advantage: A.
        advantage_error: max_a |A − A*|, (S, *batch).
        visitation: ρ.
        visitation_error: |ρ − ρ*| of each state, (S, *batch).
        total_error: Σ_s |ρ − ρ*|, (*batch).
    """

    advantage: np.ndarray
    advantage_error: np.ndarray
    visitation: np.ndarray
    visitation_error: np.ndarray
    total_error: np.ndarray


def old_policy(q: Quantities) -> OldPolicy:
    """From the quantities of old, in floats."""
    chain, unit = old_chain(q), roundings(_terms(q), q.actions)
    visited = _visitation(chain, unit, q.batch_shape)
    return OldPolicy(*_advantages(q, chain, unit, visited[0] + visited[1]), *visited)


def roundings(successors: int, actions: int) -> float:
    """Relatively, of a term of a sum over so many; one after the other, up to 64 of them take no more, as each is half of ε."""
    return (min(successors, _SUMMED_IN_ORDER) + min(actions, _SUMMED_IN_ORDER) + _FURTHER_STEPS) * _EPS


def return_of_old(q: Quantities, known: OldPolicy) -> tuple[np.ndarray, np.ndarray]:
    """J(old) = Σ ρ r_old of each instance, and a bound on its error, (B,), as with a cost in the place of the reward."""
    earned = (q.old * q.reward).sum(1)
    size = np.abs(earned)
    off = np.minimum((known.visitation_error * size).sum(0), known.total_error * size.max(0))
    off = off + _SUMMED * _EPS * (known.visitation * size).sum(0)
    parts = ((known.visitation * earned).sum(0), off)
    returned, missed = (np.ravel(np.broadcast_to(part, q.batch_shape)) for part in parts)
    return returned, missed


def _advantages(q: Quantities, chain: OldChain, unit: float, most: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A, and max_a |A − A*| of each state; ρ of a state is at most `most`."""
    old, usable = chain.old, chain.usable

    def relative(values: np.ndarray) -> np.ndarray:
        """Less a constant, where that changes no advantage."""
        return _centred(values) if chain.levels else values

    reward = _centred(q.reward, (0, 1), usable) if chain.levels else q.reward
    reward = reward if usable is None else np.where(usable, reward, 0.0)
    earned, earned_size = (old * reward).sum(1), (old * np.abs(reward)).sum(1)
    h, passes = relative(_relative_value(q, chain, earned)), 0 if chain.is_sparse else PASSES
    while True:
        moved, size = chain.ahead(h), np.abs(h).max(0)
        e = earned + (old * moved).sum(1) - h
        span, rounding = e.max(0) - e.min(0), 2 * unit * (2 * size + earned_size.max(0))
        if not passes or (chain.levels and not (span >= STEP * rounding).any()):
            break
        passes -= 1
        h = relative(h + chain.resolvent.solve(relative(e)))
    if chain.anchor is not None:
        h = h - np.where(chain.anchor, h, 0.0).sum(0)
        moved = chain.ahead(h)
        e = relative(earned + (old * moved).sum(1) - h)
    # Σ_b old(b) (r(a) − r(b) + ...): the difference first, which is exact where rewards are close to one another
    total, largest = reward + moved, np.abs(reward).max(1)
    advantage = total - (old * total).sum(1)[:, None]
    advantage = advantage if usable is None else np.where(usable, advantage, 0.0)
    if chain.growing is None:
        return advantage, chain.gamma * _in_steps(span, rounding) * chain.longest + unit * (2 * largest + 4 * size)
    # state by state, as where nothing is earned any more, or where old hardly comes, errors count little
    reach = chain.ahead(np.abs(h))
    off = np.abs(e) + unit * (2 * ((old * reach).sum(1) + np.abs(h)) + earned_size)
    if chain.anchor is not None:
        off = off + (most * off).sum(0)  # of the gain, that is taken off
    in_value = chain.growing.grown(off)
    return advantage, 2 * chain.ahead(in_value).max(1) + unit * (2 * largest + 4 * reach.max(1))


def _visitation(chain: OldChain, unit: float, batch: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ρ and the bounds on its errors: of each state, and of their sum."""
    rho, passes = chain.visits(chain.resolvent.solve_transposed(chain.kernel_start), batch), PASSES
    passes = 0 if chain.is_sparse else passes
    while True:
        f, rounding = chain.start + chain.onward(rho) - rho, unit * (2 * rho + chain.start)
        residual, whole = np.abs(f), rounding.sum(0)
        if not passes or (chain.levels and not (residual.sum(0) >= STEP * whole).any()):
            break
        passes -= 1
        better = rho + chain.resolvent.solve_transposed(f)
        rho = chain.visits(np.where(rho > 0, np.maximum(better, 0.0), 0.0), batch)
    if chain.growing is not None:
        of_states = chain.growing.grown(residual + rounding, of_visits=True)
        if chain.anchor is not None:  # ρ sums to 1: all of it is divided by what the errors add up to, too
            of_states = (of_states + of_states.sum(0) * rho) / np.maximum(1 - of_states.sum(0), _EPS)
        return rho, of_states, of_states.sum(0)
    missed = _in_steps(residual.sum(0), whole) * chain.longest
    return rho, np.full(rho.shape, missed), np.asarray(missed)


def _centred(values: np.ndarray, axes: tuple[int, ...] = (0,), where: np.ndarray | None = None) -> np.ndarray:
    """Less the middle of their range, with a rounding of what is left; `where` says which of the values count."""
    high = values if where is None else np.where(where, values, -np.inf)
    low = values if where is None else np.where(where, values, np.inf)
    if values.ndim == len(axes):
        least, most = low.min(), high.max()
    else:
        least, most = low.min(axes, keepdims=True), high.max(axes, keepdims=True)
    return values - (least + 0.5 * (most - least))


def _relative_value(q: Quantities, chain: OldChain, earned: np.ndarray) -> np.ndarray:
    """(I − κ K_π)⁻¹ earned; of a sparse discounted MDP it is V less a constant, which is a start where V is known."""
    value = vars(q._old).get("value")  # pyright: ignore[reportPrivateUsage]
    if value is None or not is_sparse(q.transition) or not (chain.levels and chain.gamma < 1):
        return chain.resolvent.solve(earned)
    taken_off = ((chain.old * q.reward).sum(1) - earned).mean(0)
    return solved_from(chain.resolvent, earned, value - taken_off / (1 - chain.gamma))


def _in_steps(residual: np.ndarray, rounding: np.ndarray) -> np.ndarray:
    """A bound on residual + rounding that does not change with the order of sums, as of a batch: in steps of the rounding."""
    step = STEP * rounding
    return rounding + step * (np.floor(residual / np.where(step > 0, step, 1.0)) + 1)


def _terms(q: Quantities) -> int:
    """The largest number of successors of a state and action."""
    if is_sparse(q.transition):
        return int(np.diff(q.transition.indptr).max(initial=1))
    if q.criterion is DISCOUNTED:
        return len(q.old)
    return int((q.transition > 0).sum(2).max())  # sums without a rounding where most states do not follow


def enclosed_old_policy(mdp: FiniteMDP, old: np.ndarray, instance: tuple[int, ...] = ()) -> OldPolicy:
    """From balls: each number is the float next to the true one. For one instance, old (S, A).

    Args:
        mdp: one MDP, or a batch.
        old: the policy of that instance, (S, A).
        instance: its index in the batch of MDPs.

    Raises:
        NotSolved: for a discount too near 1 for that.
    """
    shape, states = (mdp.states, mdp.actions), mdp.states
    transition: Any = mdp.transition
    transition = transition.toarray().reshape(*shape, states) if mdp.is_sparse else transition[instance]
    initial: Any = np.broadcast_to(mdp.initial, (*mdp.batch_shape, states))
    found = enclosed_policy(
        gamma=as_written(float(np.broadcast_to(mdp.gamma, mdp.batch_shape)[instance])),
        transition=transition,
        reward=mdp.reward[instance],
        initial=initial[instance],
        policy=old,
        available=mdp.available[instance],
        bits=_BITS,
    )

    def rounded(numbers: Any) -> tuple[np.ndarray, np.ndarray]:
        middle = np.array([float(x.mid()) for x in numbers])
        radius = np.array([float(x.rad()) for x in numbers])
        return middle, 2 * radius + _EPS * np.abs(middle) + _LEAST * (middle != 0) + _LEAST * (radius > 0)

    advantage, error = rounded([x for row in found.advantage for x in row])
    visitation, missed = rounded(found.visitation)
    return OldPolicy(
        advantage.reshape(shape),
        error.reshape(shape).max(1),
        np.maximum(visitation, 0.0),
        missed,
        np.asarray(missed.sum()),
    )


def partly_enclosed(mdp: FiniteMDP, q: Quantities, known: OldPolicy, unsure: np.ndarray) -> OldPolicy | None:
    """`known`, but from balls for the instances that are `unsure`, (B,), where balls know better; None where they never do."""
    batch = q.batch_shape
    names = ("advantage", "advantage_error", "visitation", "visitation_error", "total_error")
    axes = (2, 1, 1, 1, 0)
    parts: dict[str, np.ndarray] = {}
    for name, axis in zip(names, axes, strict=True):
        part = getattr(known, name)
        parts[name] = np.broadcast_to(part, (*part.shape[:axis], *batch)).copy()
    old = np.broadcast_to(q.old, (*q.old.shape[:2], *batch))
    better = False
    for at in map(tuple, np.argwhere(unsure.reshape(batch)).tolist()):
        own = at[len(batch) - len(mdp.batch_shape) :]
        own = tuple(i if n > 1 else 0 for i, n in zip(own, mdp.batch_shape, strict=True))
        try:
            found = enclosed_old_policy(mdp, old[..., *at], own)
        except NotSolved:
            continue
        better = True
        for name, part in parts.items():
            part[..., *at] = getattr(found, name)
    return OldPolicy(**parts) if better else None
