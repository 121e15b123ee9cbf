"""MDPs from textbooks, of two or three states, and the usual toy problems of any size, sparse where they are large."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trpo_theory import _checks
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.zoo._moves import transition_of

_INF = float("inf")
"""−∞ as a reward marks an action that is not available."""
_LARGEST = float(np.finfo(np.float64).max)
"""Rewards are finite floats."""


def puterman(*, gamma: float = 0.95) -> FiniteMDP:
    """Puterman's two-state example, whose second state has one action only; at γ = 0.95 V* = (−60/7, −20).

    Source: Puterman (2005), Markov Decision Processes, section 3.1.
    """
    return FiniteMDP([[[0.5, 0.5], [0, 1]], [[0, 1], [0, 0]]], [[5, 10], [-1, -_INF]], gamma, [1, 0])


def kakade(*, gamma: float = 0.9, initial: float = 0.8) -> FiniteMDP:
    """Kakade's two states i and j: staying pays 1 at i and 2 at j, moving pays 0; the start is i with probability `initial`.

    Source: Kakade (2001), A Natural Policy Gradient, figure 2, where plain gradient ascent stays at i for a long time.
    """
    initial = _checks.number_between(initial, "initial", 0.0, 1.0)
    return FiniteMDP(
        [[[1, 0], [0, 1]], [[0, 1], [1, 0]]],
        [[1, 0], [2, 0]],
        gamma,
        [initial, 1 - initial],
        state_labels=("i", "j"),
        action_labels=("stay", "move"),
    )


def toymaker(*, gamma: float = 0.9) -> FiniteMDP:
    """Howard's toymaker: advertise when in favour, do research when not. V* = (22.2, 12.3) at γ = 0.9 (Howard, 1960)."""
    return FiniteMDP(
        [[[0.5, 0.5], [0.8, 0.2]], [[0.4, 0.6], [0.7, 0.3]]],
        [[[9, 3], [4, 4]], [[3, -7], [1, -19]]],
        gamma,
        state_labels=("in favour", "out of favour"),
        action_labels=("save", "spend"),
    )


def taxicab(*, gamma: float = 0.9) -> FiniteMDP:
    """Howard's taxicab: cruise, drive to the stand, or wait for a radio call (not available in town B).

    Source: Howard (1960).
    """
    transition = np.array(
        [
            [[8, 4, 4], [1, 12, 3], [4, 2, 10]],
            [[8, 0, 8], [1, 14, 1], [0, 0, 0]],
            [[4, 4, 8], [2, 12, 2], [12, 1, 3]],
        ]
    )
    reward = [
        [[10, 4, 8], [8, 2, 4], [4, 6, 4]],
        [[14, 0, 18], [8, 16, 8], [0, 0, 0]],
        [[10, 2, 8], [6, 4, 2], [4, 0, 8]],
    ]
    return FiniteMDP(
        transition / 16,
        reward,
        gamma,
        available=transition.any(-1),
        state_labels=("A", "B", "C"),
        action_labels=("cruise", "stand", "call"),
    )


def recycling_robot(
    *, gamma: float = 0.9, alpha: float = 0.9, beta: float = 0.4, search: float = 1.0, wait: float = 0.3
) -> FiniteMDP:
    """Sutton and Barto's can-collecting robot; recharging is not available at a high battery.

    Source: Sutton and Barto (2018), example 3.3; running the battery flat costs 3.
    """
    alpha = _checks.number_between(alpha, "alpha", 0.0, 1.0)
    beta = _checks.number_between(beta, "beta", 0.0, 1.0)
    search = _checks.number_between(search, "search", -_LARGEST, _LARGEST)
    wait = _checks.number_between(wait, "wait", -_LARGEST, _LARGEST)
    return FiniteMDP(
        [[[alpha, 1 - alpha], [1, 0], [0, 0]], [[1 - beta, beta], [0, 1], [1, 0]]],
        [[search, wait, -_INF], [beta * search - 3 * (1 - beta), wait, 0]],
        gamma,
        [1, 0],
        state_labels=("high", "low"),
        action_labels=("search", "wait", "recharge"),
    )


def forest(*, gamma: float = 0.9, states: int = 3, old: float = 4.0, cut: float = 2.0, fire: float = 0.1) -> FiniteMDP:
    """Forest management as in pymdptoolbox: wait (the forest burns down with probability `fire`) or cut.

    Waiting in the oldest state pays `old`; cutting pays `cut` there and 1 in the states between.
    At the defaults V* = (26.244, 29.484, 33.484).
    """
    states = _checks.integer(states, "states", least=2)
    fire = _checks.number_between(fire, "fire", 0.0, 1.0)
    old = _checks.number_between(old, "old", -_LARGEST, _LARGEST)
    cut = _checks.number_between(cut, "cut", -_LARGEST, _LARGEST)
    age = np.arange(states)
    moves = [(0, np.minimum(age + 1, states - 1), 1 - fire), (0, 0, fire), (1, 0, 1.0)]
    transition = transition_of(states, 2, moves)
    reward = np.zeros((states, 2))
    reward[1:, 1] = 1
    reward[-1] = old, cut
    return FiniteMDP(transition, reward, gamma, action_labels=("wait", "cut"))


def maintenance(*, gamma: float = 0.9, states: int = 5, wear: float = 0.3, repair: float = 4.0) -> FiniteMDP:
    """A machine that earns states − 1 − s at wear level s while it runs; a repair costs `repair` and resets the wear.

    A machine that runs wears by one level with probability `wear`.
    """
    states = _checks.integer(states, "states", least=2)
    wear = _checks.number_between(wear, "wear", 0.0, 1.0)
    repair = _checks.number_between(repair, "repair", -_LARGEST, _LARGEST)
    age = np.arange(states)
    moves = [(0, age, 1 - wear), (0, np.minimum(age + 1, states - 1), wear), (1, 0, 1.0)]
    transition = transition_of(states, 2, moves)
    reward = np.stack([states - 1.0 - age, np.full(states, -repair)], axis=1)
    return FiniteMDP(transition, reward, gamma, age == 0, action_labels=("run", "repair"))


def chain(*, gamma: float = 0.9, states: int = 5, slip: float = 0.2) -> FiniteMDP:
    """The chain: forward pays 10 at the far end, back to the start pays 2; with probability `slip` the other one happens.

    Source: Dearden, Friedman and Russell (1998), Bayesian Q-learning.
    """
    states = _checks.integer(states, "states", least=2)
    slip = _checks.number_between(slip, "slip", 0.0, 1.0)
    site = np.arange(states)
    reward, moves = np.zeros((states, 2)), []
    ahead = np.where(site == states - 1, 10.0, 0.0)
    for action, forward in enumerate((1 - slip, slip)):
        moves += [(action, np.minimum(site + 1, states - 1), forward), (action, 0, 1 - forward)]
        reward[:, action] = forward * ahead + (1 - forward) * 2.0
    transition = transition_of(states, 2, moves)
    return FiniteMDP(transition, reward, gamma, site == 0, action_labels=("forward", "back"))


def river_swim(*, gamma: float = 0.95, states: int = 6) -> FiniteMDP:
    """River-swim: left always succeeds and pays 0.005 at the first state; right swims against the current and pays 1 at the last.

    Source: Strehl and Littman (2008), with the numbers of Osband, Russo and Van Roy (2013).
    """
    states = _checks.integer(states, "states", least=2)
    site = np.arange(states)
    left, right = np.maximum(site - 1, 0), np.minimum(site + 1, states - 1)
    first, last = site == 0, site == states - 1
    drifts, stays = np.select([first, last], [0.0, 0.4], 0.05), np.select([first, last], [0.4, 0.6], 0.6)
    advances = np.select([first, last], [0.6, 0.0], 0.35)
    moves = [(0, left, 1.0), (1, left, drifts), (1, site, stays), (1, right, advances)]
    transition, reward = transition_of(states, 2, moves), np.zeros((states, 2))
    reward[0, 0], reward[-1, 1] = 0.005, 1
    return FiniteMDP(transition, reward, gamma, site == 0, action_labels=("left", "right"))


def queue(
    *,
    gamma: float = 0.99,
    capacity: int = 20,
    arrival: float = 0.4,
    slow: float = 0.45,
    fast: float = 0.8,
    price: float = 2.0,
) -> FiniteMDP:
    """One server with two speeds: each customer in the queue costs 1 a step, the fast speed costs `price` more.

    In each step, independently, a customer arrives with probability `arrival` (and is lost if `capacity` customers are in the
    queue) and one of those in the queue before the step is served with probability `slow` or `fast`. Its cost "fast" counts the
    steps at the fast speed.
    """
    capacity = _checks.integer(capacity, "capacity", least=1)
    arrival = _checks.number_between(arrival, "arrival", 0.0, 1.0)
    price = _checks.number_between(price, "price", -_LARGEST, _LARGEST)
    length = np.arange(capacity + 1)
    moves = []
    for action, speed in enumerate((slow, fast)):
        speed = _checks.number_between(speed, ("slow", "fast")[action], 0.0, 1.0)
        for joins, p in ((0, 1 - arrival), (1, arrival)):
            for leaves, q in ((0, 1 - speed), (1, speed)):
                after = np.minimum(np.maximum(length - leaves, 0) + joins, capacity)
                moves.append((action, after, p * q))
    transition = transition_of(capacity + 1, 2, moves)
    reward = -length[:, None] - np.array([0.0, price])
    steps = np.broadcast_to([0.0, 1.0], reward.shape)
    return FiniteMDP(transition, reward, gamma, length == 0, costs={"fast": steps}, action_labels=("slow", "fast"))


def grid(*, gamma: float = 0.95, size: int = 5, slip: float = 0.2) -> FiniteMDP:
    """A grid of size × size cells: each step costs 1 until the absorbing goal in the last corner; the start is the first.

    A move goes sideways with probability `slip`, half to each side; a move into a wall stays in its cell.
    """
    size = _checks.integer(size, "size", least=2)
    slip = _checks.number_between(slip, "slip", 0.0, 1.0)
    states = size * size
    row, column = np.divmod(np.arange(states), size)
    steps = ((-1, 0), (0, 1), (1, 0), (0, -1))
    targets = [np.clip(row + up, 0, size - 1) * size + np.clip(column + right, 0, size - 1) for up, right in steps]
    for target in targets:
        target[-1] = states - 1
    parts = [(1 - slip, 0), (slip / 2, 1), (slip / 2, 3)]
    moves = [(a, targets[(a + turn) % 4], p) for a in range(4) for p, turn in parts]
    reward = np.full((states, 4), -1.0)
    reward[-1] = 0
    initial = np.arange(states) == 0
    return FiniteMDP(
        transition_of(states, 4, moves), reward, gamma, initial, action_labels=("up", "right", "down", "left")
    )


CLASSICS: dict[str, Callable[..., FiniteMDP]] = {
    "puterman": puterman,
    "kakade": kakade,
    "toymaker": toymaker,
    "taxicab": taxicab,
    "recycling-robot": recycling_robot,
    "forest": forest,
    "maintenance": maintenance,
    "chain": chain,
    "river-swim": river_swim,
    "queue": queue,
    "grid": grid,
}
