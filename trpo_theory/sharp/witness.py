"""The lower bound on the sharp gap: a finite MDP whose states are likelihood ratios, its actions the optimal laws' atoms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.sharp.divergence import RETREAT
from trpo_theory.sharp.normaliser import COPIES
from trpo_theory.sharp.places import Places
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.solution import Solution
from trpo_theory.step.quantities import Quantities, quantities_of

_NEGLIGIBLE = 1e-9
"""An action with a smaller share of its state's mass, in old and in new, is dropped: the solver's own tolerance."""
_INFINITE = 1e9
"""An action with a larger ratio becomes one that old never takes: at this ratio, old's share would be below `_NEGLIGIBLE`."""
_HALVINGS = 60
"""Of the share of the way from old to new: more than a float's 53 bits."""


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


class _Law(NamedTuple):
    """A state's law: ratio and sign of A of each atom, and its mass in old (in new, where the ratio is ∞)."""

    ratio: np.ndarray
    mass: np.ndarray
    sign: np.ndarray


_STAY = _Law(np.array([1.0]), np.array([1.0]), np.array([1.0]))


def sharp_witness(solution: Solution) -> SharpWitness:
    """The MDP of a solved program's laws, over the states that it reaches from x = 1.

    An action of likelihood ratio l leads from x to x l, split between two neighbouring nodes so that the mean is x l (beyond
    the last, to ∞); A is ±1 (or, normalised by max|Ā|, ±M in two copies of the action), of the sign that makes the gap:
    against new where x > 1. New is drawn back to old until the divergence is within the radius, and the gap is that of the
    MDP itself, not of the program.
    """
    setting, places = solution.setting, solution.places
    order, laws = _reached(solution)
    state_of = {place: state for state, place in enumerate(order)}
    copies = 2 if setting.expected else 1
    states, actions = len(order), max(len(law.ratio) for law in laws) * copies
    transition = np.zeros((states, actions, states))
    old, new, reward = (np.zeros((states, actions)) for _ in range(3))
    for state, (place, law) in enumerate(zip(order, laws, strict=True)):
        count = len(law.ratio)
        for action, targets in enumerate(_targets(setting, places, place, law.ratio)):
            for successor, probability in targets:
                transition[state, action, state_of[successor]] += probability
        if setting.expected:
            transition[state, count : 2 * count] = transition[state, :count]
        used = slice(0, copies * count)
        old[state, used], new[state, used], reward[state, used] = _row(setting, law, _more_visited(places, place))
        transition[state, copies * count :, state] = 1.0  # padding
    mdp = FiniteMDP(transition, reward, setting.gamma, np.eye(states)[state_of[places.one]])
    return witness_of(setting, mdp, old, _within_radius(setting, mdp, old, new))


def family_witness(setting: Setting) -> SharpWitness | None:
    """The MDP in closed form that the divergence knows to attain this gap, if any."""
    family = setting.divergence.family
    found = family(setting.mean, setting.normaliser, setting.gamma, setting.radius) if family else None
    return None if found is None else witness_of(setting, found.mdp, found.old, found.new)


def witness_of(setting: Setting, mdp: FiniteMDP, old: np.ndarray, new: np.ndarray) -> SharpWitness:
    """With its gap, from the definitions."""
    q = _quantities(mdp, old, new)
    return SharpWitness(mdp, old, new, float(-q.surrogate_gap / setting.normaliser.of(q)))


def _row(setting: Setting, law: _Law, more_visited: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Old, new and reward of one state: an action an atom, or two copies."""
    before = np.where(law.ratio > _INFINITE, 0.0, law.mass)
    after = law.mass * np.where(np.isinf(law.ratio), 1.0, law.ratio)
    before, after = before / before.sum(), after / after.sum()
    against = -1.0 if more_visited else 1.0
    if not setting.expected:
        return before, after, against * law.sign - (before * against * law.sign).sum()
    tilt = against / (2 * COPIES)
    return (
        np.concatenate([before, before]) / 2,
        np.concatenate([after * (0.5 + tilt), after * (0.5 - tilt)]),
        np.repeat([COPIES, -COPIES], len(law.ratio)),
    )


def _more_visited(places: Places, place: int) -> bool:
    """Whether new comes there more than old does: x > 1."""
    return place == places.infinity or (place < places.zero and bool(places.nodes[place] > 1))


def _reached(solution: Solution) -> tuple[list[int], list[_Law]]:
    """The places that the laws lead to from x = 1, breadth first, and the law at each."""
    places, laws = solution.places, solution.laws
    found, queue = {places.one}, [places.one]
    order: list[int] = []
    kept: list[_Law] = []
    while queue:
        here = queue.pop(0)
        mine = np.flatnonzero(laws.place == here)
        law = _law(laws.ratio[mine], laws.weight[mine], laws.sign[mine])
        order.append(here)
        kept.append(law)
        for targets in _targets(solution.setting, places, here, law.ratio):
            for successor, _ in targets:
                if successor not in found:
                    found.add(successor)
                    queue.append(successor)
    return order, kept


def _law(ratio: np.ndarray, weight: np.ndarray, sign: np.ndarray) -> _Law:
    """The atoms that count, over old's mass; one that stays, l = 1, where there is none."""
    own = weight[np.isfinite(ratio)].sum()
    reach = weight * np.where(np.isinf(ratio), 1.0, np.maximum(ratio, 1.0))
    kept = np.flatnonzero(reach > _NEGLIGIBLE * own) if own > 0 else []
    return _Law(ratio[kept], weight[kept] / own, sign[kept].astype(float)) if len(kept) else _STAY


def _targets(setting: Setting, places: Places, place: int, ratios: np.ndarray) -> list[list[tuple[int, float]]]:
    """Where each action leads: places with probabilities."""
    if place >= places.zero:
        return [[(place, 1.0)] for _ in ratios]
    knots = np.append(0.0, places.nodes)
    last = places.nodes[-1]
    found = []
    for ratio in ratios:
        target = places.nodes[place] * ratio
        if setting.mean and ratio < _INFINITE:
            target = min(target, last)
        if target > last:
            found.append([(places.infinity, 1.0)])
            continue
        right = int(np.searchsorted(knots, target, side="left"))
        if knots[right] == target or right == 0:
            found.append([(places.zero if right == 0 else right - 1, 1.0)])
            continue
        share = float((target - knots[right - 1]) / (knots[right] - knots[right - 1]))
        left = places.zero if right == 1 else right - 2
        found.append([(left, 1 - share), (right - 1, share)])
    return found


def _within_radius(setting: Setting, mdp: FiniteMDP, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """New drawn back to old, by states (all by the same share, for a mean), until the divergence is within the radius."""
    low, high = np.zeros((len(old), 1)), np.ones((len(old), 1))
    for step in range(_HALVINGS):
        share = high if step == 0 else (low + high) / 2
        fits = _divergence(setting, mdp, old, old + share * (new - old)) <= setting.radius * (1 - RETREAT)
        low = np.where(fits, share, low)
        high = np.where(fits, high, share)
        if step == 0 and fits.all():
            return new
    return old + low * (new - old)


def _divergence(setting: Setting, mdp: FiniteMDP, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Of each state, or in each state the mean, (S, 1)."""
    q = _quantities(mdp, old, new)
    divergence = np.asarray(getattr(q, setting.divergence.field))
    if setting.mean:
        visited = q.occupancy_old > 0
        divergence = np.full(len(old), (q.occupancy_old * np.where(visited, divergence, 0.0)).sum())
    return divergence[:, None]


def _quantities(mdp: FiniteMDP, old: np.ndarray, new: np.ndarray) -> Quantities:
    """Of the actions that one of both policies takes: the others are padding, which the maxima must not see."""
    return quantities_of(mdp, old, new).replace(available=(old > 0) | (new > 0))
