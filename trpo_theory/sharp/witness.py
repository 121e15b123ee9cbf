"""The lower bound on the sharp gap: a finite MDP whose states are likelihood ratios, its actions the optimal laws' atoms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics.floats import Floats
from trpo_theory.sharp.program import Program
from trpo_theory.step.quantities import Quantities
from trpo_theory.zoo import families

_NEGLIGIBLE = 1e-9
"""Of a state's mass: an action with less is left out."""
_SPREAD = 1e4
"""M of F5: two copies of an action with A = ±M make any Ā at hardly any divergence."""
_RETREAT = 1e-12
_INFINITE = 1e9
"""An action with a larger ratio is one that old never takes."""


@dataclass(frozen=True, eq=False)
class SharpWitness:
    """An MDP that nearly attains the sharp gap.

    Attributes:
        mdp, old, new: the instance.
        gap: (L − η(new)) over max|A| (or max|Ā|), in floats.
    """

    mdp: FiniteMDP
    old: np.ndarray
    new: np.ndarray
    gap: float


def sharp_witness(program: Program) -> SharpWitness:
    """The MDP of a solved program's laws, over the states that it reaches from x = 1.

    An action of likelihood ratio l leads from x to x l, split between two neighbouring nodes so that the mean is x l (beyond
    the last, to ∞); A is ±1 (or, normalised by max|Ā|, ±M in two copies of the action), of the sign that makes the gap:
    against new where x > 1. New is drawn back to old until the divergence is within the radius, and the gap is that of the
    MDP itself, not of the program.
    """
    places, laws = _reached(program)
    where = {place: state for state, place in enumerate(places)}
    states, actions = len(places), max(len(ratio) for ratio, *_ in laws) * (2 if program.expected else 1)
    transition = np.zeros((states, actions, states))
    old, new, reward = (np.zeros((states, actions)) for _ in range(3))
    for state, (place, (ratio, mass, sign)) in enumerate(zip(places, laws, strict=True)):
        _fill(program, place, where, ratio, transition[state])
        count = len(ratio)
        if program.expected:
            transition[state, count : 2 * count] = transition[state, :count]
        infinite = ratio > _INFINITE
        before = np.where(infinite, 0.0, mass)
        after = mass * np.where(np.isinf(ratio), 1.0, ratio)
        before, after = before / before.sum(), after / after.sum()
        against = -1.0 if _more_visited(program, place) else 1.0
        if program.expected:
            tilt = against / (2 * _SPREAD)
            old[state, : 2 * count] = np.concatenate([before, before]) / 2
            new[state, : 2 * count] = np.concatenate([after * (0.5 + tilt), after * (0.5 - tilt)])
            reward[state, : 2 * count] = np.repeat([_SPREAD, -_SPREAD], count)
        else:
            old[state, :count], new[state, :count] = before, after
            reward[state, :count] = against * sign - (before * against * sign).sum()
        transition[state, (2 if program.expected else 1) * count :, state] = 1.0
    start = where[len(program.nodes) // 2]
    mdp = FiniteMDP(transition, reward, program.gamma, np.eye(states)[start])
    new = _within_radius(program, mdp, old, new)
    q = _quantities(mdp, old, new)
    size = q.max_abs_expected_advantage if program.expected else q.max_abs_advantage
    return SharpWitness(mdp, old, new, float(-q.surrogate_gap / size))


def _more_visited(program: Program, place: int) -> bool:
    """Whether new comes there more than old does: x > 1."""
    count = len(program.nodes)
    return place == count + 1 or (place < count and bool(program.nodes[place] > 1))


def family_witness(divergence: str, expected: bool, gamma: float, radius: float) -> SharpWitness | None:
    """F1 for max-TV, and F5 for mean-TV normalised by max|Ā|: the families that attain these."""
    if (divergence, expected) == ("max-tv", False):
        instance = families.coupling_tight(gamma=gamma, x=radius * (1 - _RETREAT))
    elif (divergence, expected) == ("mean-tv", True):
        leak = (radius - gamma / (2 * _SPREAD)) / (1 - gamma) * (1 - _RETREAT)
        if not 0 < leak <= 1:
            return None
        instance = families.cpo_tight(gamma=gamma, x=leak, scale=_SPREAD)
    else:
        return None
    q = _quantities(instance.mdp, instance.old, instance.new)
    size = q.max_abs_expected_advantage if expected else q.max_abs_advantage
    return SharpWitness(instance.mdp, instance.old, instance.new, float(-q.surrogate_gap / size))


def _reached(program: Program) -> tuple[list[int], list[tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """The places that the laws lead to from x = 1, and the law at each: ratios, masses (of old; at ∞ of new), signs."""
    place, ratio, sign, weight = program.laws()
    knots = np.append(0.0, program.nodes)
    count = len(program.nodes)
    found, laws, queue = {count // 2}, [], [count // 2]
    places: list[int] = []
    while queue:
        here = queue.pop(0)
        mine = np.flatnonzero(place == here)
        own = weight[mine][np.isfinite(ratio[mine])].sum()
        reach = weight[mine] * np.where(np.isinf(ratio[mine]), 1.0, np.maximum(ratio[mine], 1.0))
        kept = mine[reach > _NEGLIGIBLE * max(own, 1e-300)] if own > 0 else mine[:0]
        if not len(kept):
            law = np.array([1.0]), np.array([1.0]), np.array([1.0])
        else:
            law = ratio[kept], weight[kept] / own, sign[kept].astype(float)
        places.append(here)
        laws.append(law)
        for target in _targets(program, here, law[0], knots):
            for successor, _ in target:
                if successor not in found:
                    found.add(successor)
                    queue.append(successor)
    return places, laws


def _targets(program: Program, place: int, ratios: Any, knots: np.ndarray) -> list[list[tuple[int, float]]]:
    """Where each action leads: places with probabilities."""
    count = len(program.nodes)
    if place >= count:
        return [[(place, 1.0)] for _ in ratios]
    found = []
    for ratio in ratios:
        target = program.nodes[place] * ratio
        if program.mean and ratio < _INFINITE:
            target = min(target, program.nodes[-1])
        if target > program.nodes[-1]:
            found.append([(count + 1, 1.0)])
            continue
        right = int(np.searchsorted(knots, target, side="left"))
        if knots[right] == target or right == 0:
            found.append([(count if right == 0 else right - 1, 1.0)])
            continue
        share = float((target - knots[right - 1]) / (knots[right] - knots[right - 1]))
        left = count if right == 1 else right - 2
        found.append([(left, 1 - share), (right - 1, share)])
    return found


def _fill(program: Program, place: int, where: dict[int, int], ratios: Any, rows: np.ndarray) -> None:
    knots = np.append(0.0, program.nodes)
    for action, target in enumerate(_targets(program, place, ratios, knots)):
        for successor, probability in target:
            rows[action, where[successor]] += probability


def _within_radius(program: Program, mdp: FiniteMDP, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """new drawn back to old, by states (all by the same share, for a mean), until the divergence is within the radius."""
    low, high = np.zeros((len(old), 1)), np.ones((len(old), 1))
    for step in range(60):
        share = high if step == 0 else (low + high) / 2
        spent = _spent(program, mdp, old, old + share * (new - old))
        fits = spent <= program.radius * (1 - _RETREAT)
        low = np.where(fits, share, low)
        high = np.where(fits, high, share)
        if step == 0 and fits.all():
            return new
    return old + low * (new - old)


def _spent(program: Program, mdp: FiniteMDP, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    q = _quantities(mdp, old, new)
    by_state = {"kl": "kl", "tv": "tv", "reverse-kl": "reverse_kl", "chi2": "chi2"}[program.divergence.name]
    spent = np.asarray(getattr(q, by_state))
    if program.mean:
        visited = q.occupancy_old > 0
        spent = np.full(len(old), (q.occupancy_old * np.where(visited, spent, 0.0)).sum())
    return spent[:, None]


def _quantities(mdp: FiniteMDP, old: np.ndarray, new: np.ndarray) -> Quantities:
    """With actions that neither policy takes left out of the maxima: they are padding."""
    return Quantities(
        Floats(),
        gamma=mdp.gamma,
        transition=mdp.transition,
        reward=mdp.reward,
        initial=mdp.initial,
        available=(old > 0) | (new > 0),
        old=old,
        new=new,
    )
