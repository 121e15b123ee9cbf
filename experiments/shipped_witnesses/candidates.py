"""Witnesses of the sharp gap with few states: of programs on few nodes."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from trpo_theory.errors import NotSolved
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.search.worst_reward import worst_reward
from trpo_theory.sharp.divergences import DIVERGENCES
from trpo_theory.sharp.gap import sharp_gap
from trpo_theory.sharp.iteration import solved
from trpo_theory.sharp.mean import solved_for_mean, within
from trpo_theory.sharp.mean_kl.mesh import Mesh
from trpo_theory.sharp.mean_kl.witness import linear_witness
from trpo_theory.sharp.normaliser import Normaliser
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.space import ratio_space
from trpo_theory.sharp.witness import SharpWitness, family_witness, sharp_witness
from trpo_theory.step.quantities import Quantities, quantities_of

_SIDES = (1, 2, 3, 5, 8, 12)
"""Nodes on each side of 1, of programs for a largest divergence. Chosen: 5 to 60 states."""
_SIDES_MEAN = (1, 2, 3, 5, 8, 12)
"""Likewise for a mean, whose program has all pairs of nodes."""
_SPACINGS = (0.6, 1.0, 1.5)
"""Between neighbours, in steps of the walk. Chosen."""
_SPACINGS_MEAN = (0.7, 3.0)
_SMALL = 0.01
"""Radii of a largest divergence below so many 1 − γ: few nodes are no better than a walk, so that only many are tried."""
_NODES, _NODES_MEAN = 20, 10
"""Of `sharp_gap`. Chosen: some sixty states, and thirty."""
_NEARLY = 1 - 1e-3
"""Share of the radius that a candidate uses, so that rounding its numbers does not put it outside."""
_SAME = 1e-9
"""Rows of transitions that differ by less lead to the same states; ratios new/old, relatively, are one."""
_COPIES_APART = 3e-5
"""Ratios of two copies of an action, which `sharp_witness` makes for an expected advantage where l = 1, differ by less: 2/M."""
_HALVINGS = 40
"""Of the share of the way from old to new: to 1e-12."""
_TILT = 1e-4
"""Of new in a state whose law is to stay, so that it has an Ā: small beside the radii."""


@dataclass(frozen=True, eq=False)
class Small:
    """An MDP that starts in state 0, with old, new and the reward that makes the gap large; `gap` is over ε."""

    transition: np.ndarray
    old: np.ndarray
    new: np.ndarray
    reward: np.ndarray
    gap: float

    @property
    def states(self) -> int:
        """S."""
        return len(self.old)


def setting_of(divergence: str, normaliser: str, gamma: float, radius: float) -> Setting:
    """The setting by names."""
    reduced = DIVERGENCES[divergence]
    return Setting(reduced.divergence, gamma, radius, reduced.reduction.mean, Normaliser(normaliser))


def candidates(name: str, setting: Setting) -> Iterator[Small]:
    """Of every size; many of them bad."""
    warnings.simplefilter("ignore")
    family = family_witness(setting)
    if family is not None:
        yield small(setting, family.mdp, family.old, family.new)
        return
    for witness in _solved(name, setting):
        yield small(setting, witness.mdp, witness.old, witness.new)


def _solved(name: str, setting: Setting) -> Iterator[SharpWitness]:
    small_radius = setting.radius <= _SMALL * (1 - setting.gamma)
    if setting.mean or small_radius:
        with contextlib.suppress(NotSolved):
            nodes = _NODES_MEAN if setting.mean else _NODES
            yield sharp_gap(name, setting.gamma, setting.radius, setting.normaliser.value, nodes=nodes).witness
    if small_radius and not setting.mean:
        return
    step = float(np.log1p(setting.width))
    for side in _SIDES_MEAN if setting.mean else _SIDES:
        for spacing in _SPACINGS_MEAN if setting.mean else _SPACINGS:
            right = spacing * step * np.arange(side + 1)
            nodes = np.exp(np.concatenate([-right[:0:-1], right]))
            with contextlib.suppress(NotSolved, ValueError, ZeroDivisionError):
                space = ratio_space(nodes)
                best = within(solved_for_mean(setting, space)[1]) if setting.mean else [solved(setting, space)]
                yield from map(sharp_witness, best)


def small(setting: Setting, mdp: FiniteMDP, old: np.ndarray, new: np.ndarray) -> Small:
    """Equal actions merged, states that are not reached dropped, new within the radius, and the best reward."""
    same = _COPIES_APART if setting.expected else _SAME
    transition, old, new = _merged(np.asarray(mdp.transition), old, new, same)
    transition, old, new = _from_start(transition, old, new, int(np.argmax(np.asarray(mdp.initial))))
    if setting.expected:
        old, new, transition = _tilted(setting, transition, old, new)
    new = _stretched(setting, transition, old, new)
    q = _quantities(setting, transition, np.zeros_like(old), old, new)
    reward = np.asarray(worst_reward(q))
    if setting.expected:
        size = np.abs(((new - old) * reward).sum(1, keepdims=True))
        reward = np.where(size > 0, reward / np.where(size > 0, size, 1.0), 0.0)
    reward = reward - (old * reward).sum(1, keepdims=True)
    q = q.replace(reward=reward)
    gap = float(-q.surrogate_gap / setting.normaliser.of(q))
    return Small(transition, old, new, reward, gap if np.isfinite(gap) else -np.inf)


def _quantities(
    setting: Setting, transition: np.ndarray, reward: np.ndarray, old: np.ndarray, new: np.ndarray
) -> Quantities:
    return quantities_of(FiniteMDP(transition, reward, setting.gamma, np.eye(len(old))[0]), old, new)


def _merged(
    transition: np.ndarray, old: np.ndarray, new: np.ndarray, same: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """In each state actions with one row and one ratio are one, and padding is gone: the rest is split into so many parts."""
    rows: list[list[tuple[np.ndarray, float, float]]] = []
    for state in range(len(old)):
        kept: list[tuple[np.ndarray, float, float]] = []
        for action in np.flatnonzero((old[state] > 0) | (new[state] > 0)):
            row, a, b = transition[state, action], old[state, action], new[state, action]
            for number, (other, c, d) in enumerate(kept):
                if np.abs(row - other).max() <= _SAME and abs(a * d - b * c) <= same * max(a * d, b * c):
                    kept[number] = (other, c + a, d + b)
                    break
            else:
                kept.append((row, a, b))
        rows.append(kept)
    return _even(rows, max(map(len, rows)))


def _even(rows: list[list[tuple[np.ndarray, float, float]]], actions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every state with so many actions, all played: the heaviest is halved until there are enough."""
    for kept in rows:
        while len(kept) < actions:
            heaviest = max(range(len(kept)), key=lambda n: kept[n][1] + kept[n][2])
            row, a, b = kept[heaviest]
            kept[heaviest] = (row, a / 2, b / 2)
            kept.append((row, a / 2, b / 2))
    transition = np.array([[row for row, _, _ in kept] for kept in rows])
    old, new = (np.array([[action[n] for action in kept] for kept in rows]) for n in (1, 2))
    return transition, old / old.sum(1, keepdims=True), new / new.sum(1, keepdims=True)


def linear(gamma: Fraction, mesh: Mesh) -> tuple[float, Small]:
    """Mean-KL as it tends to 0: the mean-KL and the witness of the least linear constant, every action of which is played."""
    found = linear_witness(gamma, mesh)
    mdp, old, new, reward = found.mdp, found.old.copy(), found.new.copy(), found.mdp.reward.copy()
    transition = mdp.transition.copy()
    for state, action in zip(*np.nonzero(old + new == 0), strict=True):  # padding becomes half of the largest action
        whole = np.argmax(old[state] + new[state])
        for policy in (old, new):
            policy[state, [whole, action]] = policy[state, whole] / 2
        transition[state, action], reward[state, action] = transition[state, whole], reward[state, whole]
    q = quantities_of(mdp, found.old, found.new)
    return float(q.mean_kl), Small(transition, old, new, reward, float(-q.surrogate_gap))


def in_shape(one: Small, states: int, actions: int) -> tuple[np.ndarray, ...]:
    """Transition, old, new and reward in a larger size.

    An action is halved, and a state doubled: what leads to it is divided among the two, so that all states are visited and
    all actions played, and maxima, means and values are what they were.
    """
    transition, old, new, reward = one.transition, one.old, one.new, one.reward
    while old.shape[1] < actions:
        transition, old, new, reward = _one_action_more(transition, old, new, reward)
    while len(old) < states:
        transition, old, new, reward = _one_state_more(transition, old, new, reward)
    return transition, old, new, reward


def _one_action_more(transition: np.ndarray, *each: np.ndarray) -> tuple[np.ndarray, ...]:
    old, new, reward = each
    which = np.argmax(old + new, axis=1)
    every = np.arange(len(old))
    halves = []
    for array in (old, new):
        array = array.copy()
        array[every, which] /= 2
        halves.append(np.concatenate([array, array[every, which][:, None]], 1))
    reward = np.concatenate([reward, reward[every, which][:, None]], 1)
    return np.concatenate([transition, transition[every, which][:, None]], 1), *halves, reward


def _one_state_more(transition: np.ndarray, *each: np.ndarray) -> tuple[np.ndarray, ...]:
    """The state that most of old's moves lead to, but the start, twice: every other way into it leads to its double."""
    old = each[0]
    played = (transition > 0) & (old > 0)[..., None]
    ways = played.sum((0, 1))
    ways[0] = 0
    which = int(np.argmax(ways))
    double = np.concatenate([transition, transition[which : which + 1]], 0)
    grown = np.concatenate([double, np.zeros((*double.shape[:2], 1))], 2)
    into = np.argwhere(grown[..., which] > 0)
    for state, action in into[1::2]:
        grown[state, action, -1], grown[state, action, which] = grown[state, action, which], 0.0
    return grown, *(np.concatenate([array, array[which : which + 1]], 0) for array in each)


def _from_start(
    transition: np.ndarray, old: np.ndarray, new: np.ndarray, start: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The states that one of both policies reaches, the start first."""
    found, queue = [start], [start]
    while queue:
        here = queue.pop(0)
        reached = (((old + new)[here] > 0)[:, None] * transition[here]).sum(0)
        for following in np.flatnonzero(reached > 0):
            if int(following) not in found:
                found.append(int(following))
                queue.append(int(following))
    return transition[found][:, :, found], old[found], new[found]


def _tilted(
    setting: Setting, transition: np.ndarray, old: np.ndarray, new: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where new is old, two halves of an action whose shares new exchanges a little: Ā is then what the reward makes it."""
    if old.shape[1] == 1:
        transition, old, new = np.repeat(transition, 2, 1), np.repeat(old / 2, 2, 1), np.repeat(new / 2, 2, 1)
    new = new.copy()
    for state in range(len(old)):
        if np.abs(new[state] - old[state]).max() > 1e-7:
            continue
        rows = transition[state]
        for a in range(old.shape[1]):
            same = [b for b in range(a + 1, old.shape[1]) if np.abs(rows[a] - rows[b]).max() <= _SAME]
            if same and old[state, a] > 0:
                shift = _TILT * min(old[state, a], old[state, same[0]])
                new[state, a], new[state, same[0]] = old[state, a] + shift, old[state, same[0]] - shift
                break
    return old, new, transition


def _stretched(setting: Setting, transition: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """New on the line from old through it, state by state or all together for a mean, where the radius is just kept."""
    states = len(old)
    change = new - old
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(change < 0, old / -change, np.inf).min(1, keepdims=True)
    room = np.where(np.isfinite(room), room, 1.0)
    if setting.mean:
        room = np.full_like(room, room.min())
    low, high = np.zeros((states, 1)), room
    start = _quantities(setting, transition, np.zeros_like(old), old, new)
    for step in range(_HALVINGS):
        share = high if step == 0 else (low + high) / 2
        fits = _divergence(setting, start.with_new(np.maximum(old + share * change, 0))) <= setting.radius * _NEARLY
        if step == 0 and fits.all():
            low = share
            break
        low, high = np.where(fits, share, low), np.where(fits, high, share)
    still = np.abs(change).max(1, keepdims=True) <= 2 * _TILT  # a tilt costs nothing and is enough
    low = np.where(still & (low > 1), 1.0, low) if not setting.mean else low
    stretched = np.maximum(old + low * change, 0.0)
    return stretched / stretched.sum(1, keepdims=True)


def _divergence(setting: Setting, q: Quantities) -> np.ndarray:
    """Of each state, or in each state the mean, (S, 1)."""
    each = np.asarray(getattr(q, setting.divergence.field))
    if setting.mean:
        visited = np.asarray(q.occupancy_old) > 0
        each = np.full(len(each), (np.asarray(q.occupancy_old) * np.where(visited, each, 0.0)).sum())
    return np.where(np.isfinite(each), each, np.inf)[:, None]
