"""Ready-made witnesses of the sharp gap: small MDPs that nearly attain it, for every divergence, normaliser, many γ and radii.

They are read from `sharp_witnesses.npz`, which `python -m experiments.shipped_witnesses` makes. A claim of the form
"gap + something" that is false by a few per cent fails on one of them.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trpo_theory.search.closed_forms import EVERY_SIZE, closed_form_witnesses
from trpo_theory.search.distinct import distinct, places_of_distinct
from trpo_theory.step.instances import Instances, joined

FILE = Path(__file__).with_name("sharp_witnesses.npz")
_ROUNDED = np.uint32(0xFFFFFE00)
"""The bits of a float32 that the file has: 14 of its fraction, for 3e-5. Chosen: half of the size."""
_HALF = np.uint32(0x100)


@dataclass(frozen=True)
class Attained:
    """What a witness is one of.

    Attributes:
        divergence, normaliser: as of `sharp_gap`.
        gamma, radius: likewise.
        gap: (L − η(new))/ε that it attains, in floats.
    """

    divergence: str
    normaliser: str
    gamma: float
    radius: float
    gap: float


FEW_STATES = 12
"""Witnesses of no more cost a third of all. Chosen: they check the formula of a claim that has a proof."""


def sharp_witnesses(most: int | None = None) -> list[Instances]:
    """The witnesses, those in closed form included, a batch for each size, the smallest first.

    most: states, at most: all if left out.
    """
    few = _witnesses(range(FEW_STATES + 1))
    found = few if most is not None and most <= FEW_STATES else [*few, *_witnesses(EVERY_SIZE[FEW_STATES + 1 :])]
    return sorted(
        (batch for batch in found if most is None or batch.shape[0] <= most),
        key=lambda batch: (batch.shape[0] * batch.shape[1], batch.shape),
    )


@functools.cache
def _witnesses(states: range) -> list[Instances]:
    """Those of so many states, a batch for each size."""
    by_shape: dict[tuple[int, int], list[Instances]] = {}
    for batch in (*shipped(states), *closed_form_witnesses(states)):
        by_shape.setdefault(batch.shape, []).append(batch)
    return [joined(group) for group in by_shape.values()]


def shipped(states: range = EVERY_SIZE) -> list[Instances]:
    """Those of the file of so many states, a batch for each size; all states are reached and all actions played.

    State 0 is the start, V_old = 0, so that rewards are advantages, and max|A| or max|Ā| is 1.
    """
    data = _data()
    read, found = _Reader(data), []
    for part in _parts(data):
        size = tuple(data["shape"][part.start].tolist())
        if size[0] in states:
            found.append(_batch(read, data["gamma"][part], *size))
        else:
            read.skip(part.stop - part.start, *size)
    return found


@functools.cache
def attained() -> list[list[Attained]]:
    """What each witness is one of, in the order of `shipped`."""
    data = _data()
    names = [str(name).split() for name in data["names"]]
    numbers = zip(*(data[key].astype(np.float64).tolist() for key in ("gamma", "radius", "gap")), strict=True)
    each = [Attained(*names[name], *rest) for name, rest in zip(data["name"], numbers, strict=True)]
    return [each[part] for part in _parts(data)]


def variations(witnesses: Instances, gammas: np.ndarray, stretches: np.ndarray) -> Instances:
    """Each witness at each of its nearest discounts with each of the steps stretched: new = old + c (new − old).

    Another MDP than the witness of that γ, but an instance all the same, and nearly as bad where γ is near.

    Args:
        witnesses: a batch.
        gammas: the discounts that are wanted, in any order.
        stretches: the factors c, at most 1.
    """
    known = distinct(witnesses.gamma)
    near = known[np.argmin(np.abs(np.log1p(-gammas)[:, None] - np.log1p(-known)), axis=1)]
    parts = []
    for gamma, own in zip(gammas, near, strict=True):
        some = witnesses.take(np.flatnonzero(witnesses.gamma == own))
        for stretch in stretches:
            new = some.old + stretch * (some.new - some.old)
            parts.append(some.replace(gamma=np.full(len(some), gamma), new=new))
    return joined(parts)


@functools.cache
def _data() -> dict[str, np.ndarray]:
    with np.load(FILE) as file:
        return {name: file[name] for name in file.files}


def _parts(data: dict[str, np.ndarray]) -> list[slice]:
    """Where the witnesses of each size stand."""
    sizes = data["shape"].astype(int) @ [1 << 16, 1]  # a number for each (S, A), of 16 bits each
    starts = np.sort(places_of_distinct(sizes)).tolist()
    return [slice(*ends) for ends in itertools.pairwise([*starts, len(sizes)])]


class _Reader:
    """Takes the file's long arrays from their beginning on, batch by batch."""

    def __init__(self, data: dict[str, np.ndarray]) -> None:
        self._data, self._at = data, dict.fromkeys(data, 0)

    def __call__(self, name: str, *shape: int) -> np.ndarray:
        begin = self._at[name]
        self._at[name] = begin + int(np.prod(shape))
        return self._data[name][begin : self._at[name]].astype(np.float64).reshape(shape)

    def skip(self, count: int, states: int, actions: int) -> None:
        """Go on to what follows the next batch, of so many witnesses of that size."""
        for name in ("old", "step", "reward"):
            self._at[name] += count * states * actions
        moves = int(self("moves", 1)[0])
        for name in ("where", "share"):
            self._at[name] += moves


def _batch(read: _Reader, gamma: np.ndarray, states: int, actions: int) -> Instances:
    size = (len(gamma), states, actions)
    old, step, reward = (read(name, *size) for name in ("old", "step", "reward"))
    old /= old.sum(2, keepdims=True)
    new = np.where(old > 0, old + old * np.expm1(step), step)
    new /= new.sum(2, keepdims=True)
    reward -= (old * reward).sum(2, keepdims=True)
    count = int(read("moves", 1)[0])
    transition = np.zeros((*size, states))
    transition.reshape(-1)[np.cumsum(read("where", count)).astype(np.int64)] = read("share", count)
    transition /= transition.sum(3, keepdims=True)
    return Instances.of_arrays(transition, reward, gamma, np.eye(states)[0], old, new)


def rounded(array: np.ndarray) -> np.ndarray:
    """As the file has numbers: float32 with short fractions."""
    bits = np.ascontiguousarray(array, dtype=np.float32).view(np.uint32)
    return ((bits + _HALF) & _ROUNDED).view(np.float32)


def packed(batch: Instances) -> dict[str, np.ndarray]:
    """The numbers of a batch of witnesses as the file has them, by name; `_batch` is the inverse.

    A step is log(new/old), so that small ones and small probabilities keep their digits; or new, where old is 0.
    """
    played = batch.old > 0
    with np.errstate(divide="ignore"):
        ratio = np.log1p((batch.new - batch.old) / np.where(played, batch.old, 1.0))
    step = np.where(played, ratio, batch.new)
    where = np.flatnonzero(batch.transition)
    return {
        "old": rounded(batch.old).ravel(),
        "step": rounded(step).ravel(),
        "reward": rounded(batch.reward).ravel(),
        "moves": np.array([len(where)], dtype=np.int32),
        "where": np.diff(where, prepend=0).astype(np.int32),
        "share": rounded(batch.transition.ravel()[where]),
    }
