"""The zoo's families in closed form, over their parameters down to where limits show."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.search.draws import numbers
from trpo_theory.search.draws.tiny_steps import GRID, tiny_made_exact
from trpo_theory.step.instances import Instances, joined
from trpo_theory.zoo import Instance, chi_square, chi_square_chains, families

WALKS = (1, 2, 3, 4, 6)
"""Lengths n of the drunkard's walk. Chosen."""
LONGEST_WALK = 31
"""One walk is longer than those, up to this: of it there is a handful, since the cost grows with the cube of 2n + 1. Chosen."""
_HANDFUL = 4
"""How many there are of the long walk. Chosen."""
KINDS = 13 + len(WALKS)
"""How many families there are in `family_instances`, the handful aside: of each it makes so many as `each` says."""


def family_instances(generator: np.random.Generator, each: int) -> list[Instances]:
    """The zoo's families over their parameters, with rewards of either sign, a batch a size; of a long walk a handful.

    Those of F1 with an estimate come last, a batch of their own.
    """
    gamma, uniform = numbers.gammas(generator, each), _Uniform(generator, each)
    made = [
        families.coupling_tight(gamma=gamma, x=uniform(0, 0.5)),
        families.pinsker_tight(gamma=gamma, x=uniform(0, 0.49)),
        families.equal_kl(gamma=gamma, a=uniform(0, 0.9), b=uniform(0, 0.45)),
        families.kakade_langford_tight(gamma=gamma, x=uniform(0, 1)),
        families.cpo_tight(gamma=gamma, x=uniform(0, 1), scale=10 ** (6 * uniform(0, 1))),
        families.aliased(gamma=gamma, p=uniform(0, 1), p_new=uniform(0, 1)),
        *(families.drunkards_walk(gamma=gamma, x=uniform(0, 0.45), n=n) for n in WALKS),
        *_about_chi2(generator, gamma),
    ]
    if each >= _HANDFUL:
        some, n = _Uniform(generator, _HANDFUL), int(generator.integers(WALKS[-1] + 1, LONGEST_WALK + 1))
        made.append(families.drunkards_walk(gamma=numbers.gammas(generator, _HANDFUL), x=some(0, 0.45), n=n))
    parts = [Instances.of(one.mdp, *tiny_made_exact(one.old, one.new)) for one in made]
    parts.append(split_actions(parts[1]))
    by_shape: dict[tuple[int, int], list[Instances]] = {}
    for part in parts:
        by_shape.setdefault(part.shape, []).append(part)
    drawn = [_with_the_rest(generator, joined(group)) for group in by_shape.values()]
    return [*drawn, _estimated_f1(generator, gamma)]


class _Uniform:
    def __init__(self, generator: np.random.Generator, each: int) -> None:
        self._generator, self._each = generator, each

    def __call__(self, low: float, high: float) -> np.ndarray:
        """A third uniform, the others closer to the lower end, log-uniform to 1e-4 or 1e-12: limits show there. On the grid."""
        u = self._generator.random(self._each)
        kind = self._generator.integers(0, 3, self._each)
        x = low + (high - low) * np.choose(kind, [u, 10 ** (-4 * u), 10 ** (-12 * u)])
        return np.where(x < 0.01, np.rint(x * GRID) / GRID, x)


def _with_the_rest(generator: np.random.Generator, part: Instances) -> Instances:
    """With an estimate's noise, a size, and some signs of the rewards turned."""
    count = len(part)
    sign = np.where(generator.random(count) < 0.15, -1.0, 1.0) * numbers.scales(generator, count)
    one_row = (part.old == part.old[:, :1]).all((1, 2)) & (generator.random(count) < 0.5)
    groups = np.where(one_row[:, None], 0, part.groups)
    largest = np.abs(sign) * np.abs(part.reward).max((1, 2))
    sign = sign * np.minimum(1.0, numbers.LARGEST_REWARD / np.where(largest > 0, largest, 1.0))
    noise, size = numbers.errors(generator, part.old.shape), 10 ** generator.uniform(-2, 2, count)
    return part.replace(reward=sign[:, None, None] * part.reward, groups=groups, noise=noise, size=size)


def split_actions(instances: Instances) -> Instances:
    """Every action twice, each with half of its probability: the same process, whose steps are shorter in the 2-norm."""
    arrays = instances.arrays()
    double = {name: np.repeat(arrays[name], 2, axis=2) for name in ("transition", "reward", "noise")}
    halves = {name: np.repeat(arrays[name], 2, axis=2) / 2 for name in ("old", "new", "reference")}
    return instances.replace(**double, **halves)


def _about_chi2(generator: np.random.Generator, gamma: np.ndarray) -> list[Instance]:
    """The zoo's families about bounds in chi-square, the chains with two times before their end, which makes four states."""
    each = len(gamma)
    c = 10 ** (0.5 - np.where(generator.random(each) < 0.5, 4.5, 20.0) * generator.random(each))
    p, x = generator.uniform(0.01, 0.99, each), generator.uniform(-0.5, 0.5, each)
    x = x * 10 ** (-12 * generator.random(each) * (generator.random(each) < 0.3))
    used = generator.uniform(0.8, 1.2, each)  # of the radius c of update/cv-certificate, at mean 1
    second = (1 - gamma) * gamma * c
    slope = np.sqrt(np.maximum(used * (1 - gamma) / (gamma * c) - 1, 1e-3) / second)
    return [
        chi_square.kl_for_chi2(gamma=gamma, p=p, q=p * 10 ** generator.uniform(-6, -0.1, each)),
        chi_square.certificate_ladder(gamma=gamma, x=x),
        chi_square_chains.chi2_advantage_tight(gamma=gamma, c=c, n=2),
        chi_square_chains.chi2_time_resolved_tight(gamma=gamma, c=c, n=2, mean=1.0),
        chi_square_chains.cv_certificate_tight(gamma=gamma, c=c, n=2, slope=slope),
    ]


def _estimated_f1(generator: np.random.Generator, gamma: np.ndarray) -> Instances:
    """F1 with an estimate that is right on average: noise +x at G, and at B of the sign that makes |Â| smaller.

    A(G) = h (b, b − 1, b) under old(G) = (1 − b, b, 0), new(G) = (1 − b, 0, b); A(B) = k (1, −1, 1), as in F1.
    """
    each = len(gamma)
    b, y, noise = 0.5 * generator.random(each), 0.5 * generator.random(each), generator.random(each)
    h, k, zero = 3 * generator.random(each), 2 * generator.random(each), np.zeros(each)

    def rows(*states: tuple[Any, ...]) -> np.ndarray:
        return np.stack([np.stack([entry + zero for entry in row], -1) for row in states], 1)

    return Instances.of_arrays(
        np.array([[[1, 0], [1, 0], [0, 1]], [[0, 1]] * 3]),
        rows((h * b, h * (b - 1), h * b), (k, -k, k)),
        gamma,
        [1, 0],
        rows((1 - b, b, 0), (0.5, 0.5, 0)),
        rows((1 - b, 0, b), (0.5 - y, 0.5 + y, 0)),
        noise=rows((noise, noise, noise), (-noise, noise, -noise)),
    )
