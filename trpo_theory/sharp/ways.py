"""Where the actions of a witness lead: to the two nodes about a likelihood ratio, by chance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trpo_theory.entries.sparse import sp
from trpo_theory.sharp.laws import Atoms
from trpo_theory.sharp.space import Space

_DECIMALS = 6
"""Of a probability of a transition. Chosen: a mean that is off by 1e-6 of the distance of nodes costs as much."""
_DENSE = 200_000
"""Entries (S, A, S) up to which transitions are an array. Chosen: beyond it, files of zeros take longer than all else."""


class Ways(NamedTuple):
    """Where actions lead, (states, actions): to one of two states by chance, to the second with a probability of six decimals."""

    first: np.ndarray
    second: np.ndarray
    share: np.ndarray

    @classmethod
    def to(cls, state: np.ndarray) -> Ways:
        """To one state each."""
        return cls(state, state, np.zeros(state.shape))

    def numbered(self, number: np.ndarray) -> Ways:
        """With the number of each state in the place of the state."""
        return self._replace(first=number[self.first], second=number[self.second])

    def where(self, condition: np.ndarray, other: Ways) -> Ways:
        """These where the condition holds, else others."""
        return Ways(*(np.where(condition, a, b) for a, b in zip(self, other, strict=True)))


def joined(*ways: Ways, axis: int = 0) -> Ways:
    """One below the other, or beside it."""
    return Ways(*(np.concatenate(parts, axis=axis) for parts in zip(*ways, strict=True)))


def ways_of(space: Space, atoms: Atoms) -> Ways:
    """To the nodes about x l, of which x = 0 is one, or to the last; ∞ is a state of its own."""
    count = space.size
    leads = space.positions[:, None] + space.stretch[:, None] * atoms.excess
    segment = np.searchsorted(space.positions, leads, side="right")
    first = np.where(segment > 0, segment - 1, count)
    second = np.minimum(segment, count - 1)
    at = np.append(space.positions, space.floor)
    gap = at[second] - at[first]
    share = np.round(np.where(gap > 0, (leads - at[first]) / np.where(gap > 0, gap, 1.0), 0.0), _DECIMALS)
    first, second = np.where(share < 1, first, second), np.where(share > 0, second, first)
    inside = Ways(first, second, np.where(first == second, 0.0, share))
    return inside.where(atoms.own > 0, Ways.to(np.full(leads.shape, count + 1)))


def transition_of(ways: Ways) -> np.ndarray | sp.csr_array:
    """An array, or a sparse matrix (S·A, S) where it would be large. Two decimals that sum to one, as a file has them."""
    states, actions = ways.share.shape
    size, unit = ways.share.size, 10.0**_DECIMALS
    second = np.rint(ways.share.ravel() * unit)
    shares = np.concatenate([(unit - second) / unit, second / unit])
    places = np.tile(np.arange(size), 2), np.concatenate([ways.first.ravel(), ways.second.ravel()])
    matrix = sp.csr_array((shares[shares > 0], tuple(part[shares > 0] for part in places)), shape=(size, states))
    return matrix.toarray().reshape(states, actions, states) if size * states <= _DENSE else matrix
