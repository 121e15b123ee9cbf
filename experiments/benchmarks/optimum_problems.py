"""Large sparse MDPs that are hard for one method or another: grids, mazes, chains, queues, random graphs, near-ties."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

import trpo_theory as tt

_STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))


def garnet(states: int, actions: int, branching: int, gamma: float) -> tt.FiniteMDP:
    """Random successors: every chain forgets in some ten steps."""
    generator = np.random.default_rng(0)
    return tt.zoo.garnet(generator, states=states, actions=actions, branching=branching, gamma=gamma)


def torus(size: int, gamma: float, slip: float = 0.2) -> tt.FiniteMDP:
    """A slippery grid without walls or goal; r(s) is standard normal, so that policies circle, each around its own best state."""
    states = size * size
    row, column = np.divmod(np.arange(states), size)
    targets = [(row + up) % size * size + (column + right) % size for up, right in _STEPS]
    moves = [(a, targets[(a + k) % 4], p) for a in range(4) for p, k in ((1 - slip, 0), (slip / 2, 1), (slip / 2, 3))]
    return tt.FiniteMDP(_joined(states, 4, moves), np.random.default_rng(0).standard_normal(states), gamma)


def maze(size: int, gamma: float, walls: float = 0.3) -> tt.FiniteMDP:
    """Deterministic moves on a grid with random walls; 1 a step until the goal in the last corner."""
    states = size * size
    row, column = np.divmod(np.arange(states), size)
    wall = np.random.default_rng(0).random(states) < walls
    wall[[0, -1]] = False
    moves = []
    for action, (up, right) in enumerate(_STEPS):
        target = np.clip(row + up, 0, size - 1) * size + np.clip(column + right, 0, size - 1)
        target = np.where(wall[target] | wall, np.arange(states), target)
        target[-1] = states - 1
        moves.append((action, target, 1.0))
    reward = np.full((states, 4), -1.0)
    reward[-1] = 0.0
    return tt.FiniteMDP(_joined(states, 4, moves), reward, gamma)


def tandem(capacity: int, gamma: float) -> tt.FiniteMDP:
    """Two queues in series: arrivals may be refused, and the second server may work faster, for a price."""
    states = capacity * capacity
    here, (first, second) = np.arange(states), np.divmod(np.arange(states), capacity)
    moves, reward = [], np.empty((states, 4))
    for action in range(4):
        admits, fast = action % 2, action // 2
        served = (0.2, 0.34)[fast]
        joined = np.where((first < capacity - 1) & (admits == 1), here + capacity, here)
        passed = np.where((first > 0) & (second < capacity - 1), here - capacity + 1, here)
        left = np.where(second > 0, here - 1, here)
        moves += [(action, joined, 0.3), (action, passed, 0.35), (action, left, served), (action, here, 0.35 - served)]
        reward[:, action] = -0.05 * (first + 1.5 * second) + 2.0 * admits - fast
    return tt.FiniteMDP(_joined(states, 4, moves), reward, gamma)


def inventory(stock: int, orders: int, gamma: float, demand: int = 30) -> tt.FiniteMDP:
    """Orders of 0, 3, 6, ... before a random demand; sales pay 5, goods cost 2, an order 3, storage 0.01."""
    weights = np.random.default_rng(0).dirichlet(np.full(demand, 5.0))
    here, moves, reward = np.arange(stock), [], np.zeros((stock, orders))
    for action in range(orders):
        filled = np.minimum(here + 3 * action, stock - 1)
        for wanted, weight in enumerate(weights):
            moves.append((action, np.maximum(filled - wanted, 0), weight))
            reward[:, action] += 5 * weight * np.minimum(filled, wanted)
        reward[:, action] -= 2 * (filled - here) + 3 * (action > 0) + 0.01 * filled
    return tt.FiniteMDP(_joined(stock, orders, moves), reward, gamma)


def near_ties(states: int, gamma: float, gap: float = 1e-9) -> tt.FiniteMDP:
    """All actions of a state lead alike, and their rewards differ by some 1e-9."""
    transition = garnet(states, 4, 5, gamma).transition[np.repeat(np.arange(states) * 4, 4)]
    generator = np.random.default_rng(1)
    reward = generator.standard_normal((states, 1)) + gap * generator.standard_normal((states, 4))
    return tt.FiniteMDP(transition, reward, gamma)


def cycles(states: int, gamma: float) -> tt.FiniteMDP:
    """Three random successors, each reached for certain: policies end in cycles, which never forget."""
    generator = np.random.default_rng(0)
    moves = [(action, generator.integers(states, size=states), 1.0) for action in range(3)]
    return tt.FiniteMDP(_joined(states, 3, moves), generator.standard_normal((states, 3)), gamma)


def blocks(states: int, gamma: float, leak: float = 1e-4) -> tt.FiniteMDP:
    """Ten Garnet MDPs of different pay, between which a move is rare."""
    generator, size, rows = np.random.default_rng(0), states // 10, states * 4
    block = np.arange(states) // size
    near = (block * size).repeat(4)[:, None] + generator.integers(size, size=(rows, 5))
    successors = np.concatenate([near, generator.integers(states, size=(rows, 1))], axis=1)
    weights = np.concatenate([generator.dirichlet(np.ones(5), rows) * (1 - leak), np.full((rows, 1), leak)], axis=1)
    places = np.arange(0, 6 * rows + 1, 6)
    matrix = sp.csr_array((weights.ravel(), successors.ravel(), places), shape=(rows, states))
    return tt.FiniteMDP(matrix, generator.standard_normal((states, 4)) + 0.1 * block[:, None], gamma)


def _joined(states: int, actions: int, moves: list[tuple[int, np.ndarray, float]]) -> sp.csr_array:
    """P, sparse (S·A, S), of moves: action a leads from s to s'[s] with probability p."""
    here = np.arange(states)
    rows = np.concatenate([here * actions + action for action, _, _ in moves])
    columns = np.concatenate([target for _, target, _ in moves])
    weights = np.concatenate([np.full(states, weight) for _, _, weight in moves])
    return sp.csr_array(sp.coo_array((weights, (rows, columns)), shape=(states * actions, states)))


PROBLEMS: dict[str, Callable[[], tt.FiniteMDP]] = {
    "slippery grid 300x300, γ .99": lambda: tt.zoo.grid(size=300, gamma=0.99),
    "slippery grid 300x300, γ .9999": lambda: tt.zoo.grid(size=300, gamma=0.9999),
    "slippery grid 300x300, γ 1 - 1e-6": lambda: tt.zoo.grid(size=300, gamma=1 - 1e-6),
    "slippery grid 200x200, episodic": lambda: tt.zoo.grid(size=200, gamma=1.0),
    "slippery torus 300x300, γ .999": lambda: torus(300, 0.999),
    "slippery torus 300x300, γ .9999": lambda: torus(300, 0.9999),
    "maze 300x300, γ .9999": lambda: maze(300, 0.9999),
    "Garnet(1e5, 4, 5), γ .99": lambda: garnet(100_000, 4, 5, 0.99),
    "Garnet(1e5, 4, 5), γ .9999": lambda: garnet(100_000, 4, 5, 0.9999),
    "Garnet(1e4, 20, 10), γ .999": lambda: garnet(10_000, 20, 10, 0.999),
    "ten loose blocks of 1e4, γ .9999": lambda: blocks(100_000, 0.9999),
    "deterministic graph of 1e5, γ .9999": lambda: cycles(100_000, 0.9999),
    "near-ties (1e-9), 1e5, γ .999": lambda: near_ties(100_000, 0.999),
    "river-swim of 1e4, γ .9999": lambda: tt.zoo.river_swim(states=10_000, gamma=0.9999),
    "chain of 1e4, slip .001, γ .9999": lambda: tt.zoo.chain(states=10_000, gamma=0.9999, slip=1e-3),
    "queue of 1e4, γ .9999": lambda: tt.zoo.queue(capacity=10_000, gamma=0.9999),
    "queue of 1e5, γ .999": lambda: tt.zoo.queue(capacity=100_000, gamma=0.999),
    "tandem queues 200x200, γ .9999": lambda: tandem(200, 0.9999),
    "inventory of 2000, γ .999": lambda: inventory(2000, 20, 0.999),
}
"""By name. Sizes are those at which a user waits."""
