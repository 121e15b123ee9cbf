"""Which states lead to which: ends of an MDP, states that reach one, closed classes. Booleans, dense in batches, or sparse."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.entries.sparse import is_sparse, sp
from trpo_theory.numerics.arithmetic import Array
from trpo_theory.solve.criterion import Given


def ends(mdp: Given) -> np.ndarray:
    """The states of the largest set that no available action leaves and in which every reward is 0, (S, *batch)."""
    able = np.asarray(mdp.available, dtype=bool)
    earns = np.asarray(mdp.reward != 0, dtype=bool) & able
    found: np.ndarray = np.logical_not(earns.any(1))
    leads = successors(mdp.transition)
    if not is_sparse(leads):
        leads = leads.any(1, keepdims=True)
        found = np.broadcast_to(found, (len(found), *np.broadcast_shapes(found.shape[1:], leads.shape[3:])))
    while ((fewer := found & ~leading(leads, ~found).any(1)) != found).any():
        found = fewer
    return found


def successors(transition: Array) -> Any:
    """Whether P(s'|s,a) > 0, in the layout of P."""
    if is_sparse(transition):
        return sp.csr_array((transition.data > 0, transition.indices, transition.indptr), transition.shape)
    return np.asarray(transition > 0, dtype=bool)


def leading(leads: Any, states: np.ndarray) -> np.ndarray:
    """Whether an action may lead to one of some states, (S, A, *batch), by what `successors` returned."""
    if is_sparse(leads):
        return np.asarray(leads @ states, dtype=bool).reshape(len(states), -1)
    return (leads & states[None, None]).any(2)


def edges(transition: Array, policy: Array) -> Any:
    """Whether P_π(s'|s) > 0: booleans (S, S, *batch), or a sparse (S, S)."""
    plays, leads = np.asarray(policy > 0, dtype=bool), successors(transition)
    if not is_sparse(leads):
        return (leads & plays[:, :, None]).any(1)
    states, actions = plays.shape
    places = np.arange(states * actions), np.arange(0, states * actions + 1, actions)
    return sp.csr_array(sp.csr_array((plays.ravel(), *places), (states, states * actions)) @ leads)


def reaching(chain: Any, goal: np.ndarray) -> np.ndarray:
    """Whether a state leads to one of the goal, or is one, (S, *batch)."""
    if is_sparse(chain):
        return np.isfinite(steps_to(chain, goal))
    shape = np.broadcast_shapes(chain.shape[2:], goal.shape[1:])
    found = np.broadcast_to(goal, (len(goal), *shape)) if shape else goal
    while ((more := found | (chain & found[None]).any(1)) != found).any():
        found = more
    return found


def steps_to(chain: Any, goal: np.ndarray) -> np.ndarray:
    """The least number of steps from each state to one of the goal in a sparse chain, (S,); ∞ where none leads there."""
    from scipy.sparse.csgraph import dijkstra

    states = len(goal)
    matrix = sp.csr_array(chain, dtype=np.float64)
    matrix.eliminate_zeros()
    back = sp.coo_array(matrix.T)
    first = np.flatnonzero(goal)
    rows = np.concatenate([back.row, np.full(len(first), states)])
    columns = np.concatenate([back.col, first])
    graph = sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=(states + 1, states + 1))
    return dijkstra(graph, indices=states, unweighted=True)[:states] - 1


def approaching(leads: Any, able: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Whether a state's available action may come one step nearer to the goal, (S, A), of a sparse MDP."""
    states, actions = able.shape
    places = np.arange(states * actions), np.arange(0, states * actions + 1, actions)
    joined = sp.csr_array((able.ravel(), *places), (states, states * actions)) @ leads
    distance = steps_to(joined, goal)
    here = np.repeat(np.repeat(distance, actions), np.diff(leads.indptr))
    nearer = leads.data & (distance[leads.indices] < here)
    counts = sp.csr_array((nearer, leads.indices, leads.indptr), leads.shape) @ np.ones(states)
    return able & (counts > 0).reshape(states, actions)


def closure(chain: np.ndarray) -> np.ndarray:
    """Whether s leads to s' in any number of steps, 0 included, (S, S, *batch)."""
    states = len(chain)
    found = chain | np.eye(states, dtype=bool).reshape(states, states, *(1,) * (chain.ndim - 2))
    for _ in range(max(1, states - 1).bit_length()):
        found = np.einsum("rs...,st...->rt...", found, found)
    return found


def closed_classes(chain: Any) -> list[np.ndarray]:
    """The closed classes of one chain, each its states."""
    from scipy.sparse.csgraph import connected_components

    matrix = sp.csr_array(chain)
    count, label = connected_components(matrix, directed=True, connection="strong")
    start, end = matrix.nonzero()
    leaves = np.zeros(count, dtype=bool)
    leaves[label[start[label[start] != label[end]]]] = True
    return [np.flatnonzero(label == one) for one in range(count) if not leaves[one]]


def recurrent(chain: Any) -> np.ndarray:
    """The states of the one closed class, (S, *batch)."""
    if is_sparse(chain):
        found = np.zeros(chain.shape[0], dtype=bool)
        found[closed_classes(chain)[0]] = True
        return found
    return np.asarray(closure(chain).all(0))


_NAMED = 4
"""States that a message names at most. Chosen: a line's worth."""


def named(states: np.ndarray) -> str:
    """States for a message: "states 0, 2, 5", the first few of many."""
    shown = ", ".join(str(state) for state in states[:_NAMED])
    return f"state{'s' * (len(states) > 1)} {shown}{', ...' * (len(states) > _NAMED)}"
