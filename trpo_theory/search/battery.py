"""The battery that every claim is run against: random, sparse, deterministic, aggregated and worst-case instances, tiny steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.numerics.layout import batch_first
from trpo_theory.search.impose import impose
from trpo_theory.search.worst_reward import worst_reward
from trpo_theory.step.instances import Instances, joined
from trpo_theory.zoo import Instance, chi_square, chi_square_chains, families

SHAPES = ((1, 2), (2, 2), (2, 3), (3, 2), (3, 3), (4, 2), (4, 3), (5, 3))
"""(S, A) of the random instances. Chosen: counterexamples that were found have few states."""
GAMMAS = (0.01, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999)
"""Half of the instances have one of these discounts, chosen; the others are uniform in [0, 0.995]."""
_FAMILY_SHARE = 0.2
"""Of a battery: from the zoo's families in closed form. Chosen."""
_WALKS = (1, 2, 3, 4, 6)
"""Lengths n of the drunkard's walk. Chosen."""
_FAMILIES = 12 + len(_WALKS)
"""Among which the share of the families is divided."""


def battery(
    generator: np.random.Generator,
    instances: int,
    needs: frozenset[str] = frozenset(),
    *,
    family_share: float = _FAMILY_SHARE,
) -> list[Instances]:
    """About so many instances, a batch for each size; `needs` as of a claim."""
    each = max(1, round(instances * (1 - family_share) / len(SHAPES)))
    parts = [random_instances(generator, each, *shape) for shape in SHAPES]
    parts += family_instances(generator, max(1, round(instances * family_share / _FAMILIES)))
    by_shape: dict[tuple[int, int], list[Instances]] = {}
    for part in parts:
        by_shape.setdefault(part.shape, []).append(part)
    return [impose(joined(group), needs) for group in by_shape.values()]


def random_instances(generator: np.random.Generator, count: int, states: int, actions: int) -> Instances:
    """Of every kind, mixed: how dense the rows are, how close the policies, whether states share rows, which reward."""
    transition = random_rows(generator, (count, states, actions, states))
    old = random_rows(generator, (count, states, actions))
    new = _second_policy(generator, old)
    groups = np.broadcast_to(np.arange(states), (count, states)).copy()
    shared = generator.random(count) < 0.2
    groups[shared] = generator.integers(0, 2, (int(shared.sum()), 1)) * generator.integers(
        0, max(1, states), (int(shared.sum()), states)
    )
    made = Instances(
        transition=transition,
        reward=_rewards(generator, (count, states, actions)),
        gamma=_gammas(generator, count),
        initial=_initials(generator, count, states),
        old=share(old, groups),
        new=share(new, groups),
        reference=share(random_rows(generator, (count, states, actions)), groups),
        noise=_noise(generator, (count, states, actions)),
        groups=groups,
        size=10 ** generator.uniform(-2, 2, count),
    )
    return with_worst_reward(made, generator.random(count) < 0.4)


def with_worst_reward(instances: Instances, chosen: np.ndarray) -> Instances:
    """Those chosen get the reward that makes η(new) − L least."""
    if not chosen.any():
        return instances
    reward = instances.reward.copy()
    reward[chosen] = batch_first(worst_reward(instances.take(chosen).quantities()))
    return instances.replace(reward=reward)


def family_instances(generator: np.random.Generator, each: int) -> list[Instances]:
    """The zoo's families over their parameters, with rewards of either sign."""

    def uniform(low: float, high: float) -> np.ndarray:
        """Half of them uniform, half close to the lower end: limits show there."""
        u = generator.random(each)
        return low + (high - low) * np.where(generator.random(each) < 0.5, u, 10 ** (-4 * u))

    gamma = _gammas(generator, each)
    made = [
        families.coupling_tight(gamma=gamma, x=uniform(0, 0.5)),
        families.pinsker_tight(gamma=gamma, x=uniform(0, 0.49)),
        families.equal_kl(gamma=gamma, a=uniform(0, 0.9), b=uniform(0, 0.45)),
        families.kakade_langford_tight(gamma=gamma, x=uniform(0, 1)),
        families.cpo_tight(gamma=gamma, x=uniform(0, 1), scale=10 ** uniform(0, 3)),
        families.aliased(gamma=gamma, p=uniform(0, 1), p_new=uniform(0, 1)),
        *(families.drunkards_walk(gamma=gamma, x=uniform(0, 0.45), n=n) for n in _WALKS),
        *_about_chi2(generator, gamma),
    ]
    parts = []
    for instance in made:
        sign = np.where(generator.random(each) < 0.15, -1.0, 1.0)
        one_row = (instance.old == instance.old[:, :1]).all((1, 2)) & (generator.random(each) < 0.5)
        noise, size = _noise(generator, instance.old.shape), 10 ** generator.uniform(-2, 2, each)
        part = Instances.of(instance.mdp, instance.old, instance.new, noise=noise, size=size)
        reward, groups = sign[:, None, None] * part.reward, np.where(one_row[:, None], 0, part.groups)
        parts.append(part.replace(reward=reward, groups=groups))
    return [*parts, _estimated_f1(generator, gamma)]


def _about_chi2(generator: np.random.Generator, gamma: np.ndarray) -> list[Instance]:
    """The zoo's families about bounds in chi-square, the chains with two times before their end, which makes four states."""
    each = len(gamma)
    c = 10 ** generator.uniform(-4, 0.5, each)
    p, x = generator.uniform(0.01, 0.99, each), generator.uniform(-0.5, 0.5, each)
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


def random_rows(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Rows of probabilities, each instance of one of five kinds: dense, skewed, one-hot, on few entries, uniform on few."""
    kind = generator.integers(0, 5, shape[0])
    weight = generator.standard_exponential(shape)
    few = generator.random(shape) < 0.5
    lucky = generator.random(shape)
    skewed, one_hot, sparse, uniform = (kind == k for k in range(1, 5))
    on_few = one_hot | sparse | uniform
    first = np.zeros(shape, dtype=bool)
    first[on_few] = lucky[on_few] == _along_rows(np.maximum, lucky[on_few])
    few |= first
    weight[skewed] **= 4
    weight[one_hot] = first[one_hot]
    weight[sparse] *= few[sparse]
    weight[uniform] = few[uniform]
    weight /= _along_rows(np.add, weight)
    return weight


def _along_rows(operation: np.ufunc, array: np.ndarray) -> np.ndarray:
    """operation.reduce over the last axis, which is kept: entry by entry where rows are too short for NumPy to be fast."""
    if array.shape[-1] >= 8:
        return operation.reduce(array, -1, keepdims=True)
    out = array[..., :1].copy()
    for k in range(1, array.shape[-1]):
        operation(out, array[..., k : k + 1], out=out)
    return out


def share(policy: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Every state takes the row of the first state of its group."""
    some = (groups != np.arange(groups.shape[1])).any(1)
    shared, first = policy.copy(), np.argmax(groups[some, :, None] == groups[some, None, :], axis=2)
    shared[some] = np.take_along_axis(policy[some], first[:, :, None], 1)
    return shared


def _second_policy(generator: np.random.Generator, old: np.ndarray) -> np.ndarray:
    """Independent of old, or a mixture of old and something, or old with states of its own moved only."""
    count, states, _ = old.shape
    target = random_rows(generator, old.shape)
    kind = generator.integers(0, 4, (count, 1, 1))
    weight = np.where(
        kind == 0,
        1.0,
        np.where(kind == 1, generator.random((count, 1, 1)), 10 ** generator.uniform(-5, 0, (count, 1, 1))),
    )
    moved = (kind < 3) | (generator.random((count, states, 1)) < 0.5)
    new = np.where(moved, old + weight * (target - old), old)
    return new / new.sum(-1, keepdims=True)


def _rewards(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    kind = generator.integers(0, 4, shape[0])
    reward, signs = generator.standard_normal(shape), generator.integers(-1, 2, shape)
    unit = generator.random(shape)
    reward[kind == 1], reward[kind == 2] = signs[kind == 1], unit[kind == 2]
    reward[kind == 3] *= 10 ** (2 * unit[kind == 3])
    return reward


def _gammas(generator: np.random.Generator, count: int) -> np.ndarray:
    return np.where(generator.random(count) < 0.5, generator.choice(GAMMAS, count), 0.995 * generator.random(count))


def _initials(generator: np.random.Generator, count: int, states: int) -> np.ndarray:
    rows = random_rows(generator, (count, states))
    first = np.eye(states)[0]
    return np.where(generator.random((count, 1)) < 0.5, first, rows)


def _noise(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Of one size: of random signs, uniform, or one sign in each state."""
    scale = 10 ** generator.uniform(-3, 0.5, (shape[0], 1, 1))
    signs = generator.integers(0, 2, shape) * 2.0 - 1.0
    kind = np.broadcast_to(generator.integers(0, 3, (shape[0], 1, 1)), shape)
    return scale * np.choose(kind, [signs, generator.uniform(-1, 1, shape), np.broadcast_to(signs[..., :1], shape)])
