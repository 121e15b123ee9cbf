"""A directed search: populations of instances that are mutated and selected for the least scaled slack."""

from __future__ import annotations

import numpy as np

from trpo_theory.search.impose import impose
from trpo_theory.search.mutation import mutated
from trpo_theory.search.screen import Screen, Screened
from trpo_theory.step.instances import Instances, joined

GENERATIONS = 50
"""Of a directed search. Chosen: ratios of the catalogue's bounds settle in fewer."""
_PARENTS = 48
"""Kept in each generation, half by either scale. Chosen."""
_CHILDREN = 360
"""In each generation. Chosen: a batch that the cache holds."""
_SAYS_NOTHING = 1e300
"""Stands behind every ratio of an instance that puts the claim to the test, and before infinity."""
_SCALES = ("gap", "reward")
"""What a slack is divided by: the gap (so that a bound's constant is what falls, however small the step) or the reward."""


def descend(
    screen: Screen,
    start: Instances,
    generator: np.random.Generator,
    *,
    generations: int = GENERATIONS,
    needs: frozenset[str] = frozenset(),
) -> tuple[Instances, Screened, int, int]:
    """The best instances found from `start`, their screening in floats, and how many were tried and met the hypotheses.

    Half of the population is selected by slack over gap, half by slack over the size of the rewards; an instance that does
    not meet the hypotheses comes last.
    """
    population = start
    screened = screen(population)
    tried = effective = 0
    for _ in range(generations):
        parents = _selected(screened)
        population, screened = population.take(parents), screened.take(parents)
        children = impose(mutated(population.take(generator.integers(0, len(parents), _CHILDREN)), generator), needs)
        judged = screen(children)
        tried, effective = tried + len(children), effective + int(judged.met.sum())
        population, screened = joined([population, children]), screened + judged
    best = _selected(screened)
    return population.take(best), screened.take(best), tried, effective


def scaled(screened: Screened, scale: str) -> np.ndarray:
    """The slack over its scale, 0 where floats cannot tell it from 0.

    Where the gap is not screened from 0 either, the instance says nothing and comes behind the others; where the hypotheses do
    not hold, last.
    """
    slack = screened.clear_slack
    size = np.maximum(screened.gap, screened.noise) if scale == "gap" else screened.noise * 1e11
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = slack / np.where(size > 0, size, 1.0)
    ratio = np.where((slack == 0) & (screened.gap <= 100 * screened.noise), _SAYS_NOTHING, ratio)
    return np.where(screened.met, ratio, np.inf)


def _selected(screened: Screened) -> np.ndarray:
    """The least by either scale; of those that tie to six digits the latest only, so that ties drift and cannot crowd."""
    kept = []
    for scale in _SCALES:
        ratio = scaled(screened, scale)[::-1]
        with np.errstate(over="ignore"):
            rounded = np.where(ratio < _SAYS_NOTHING, np.round(ratio, 6), ratio)
        latest = np.unique(rounded, return_index=True)[1][: _PARENTS // 2]
        kept.append(len(ratio) - 1 - latest)
    return np.unique(np.concatenate(kept))
