"""Hostile MDPs, and what feasible policies of problems (11)-(13) attain on them at 100 digits.

Discounts next to 1, rewards next to each other on a large one, probabilities down to 1e-300.

An oracle: V, A and ρ by Gaussian elimination in mpmath, each row's maximiser by bisection, from the definitions alone.
It shares no code with the package. γ is the decimal that its float is written as, all else the dyadic rationals that floats are,
rows of probabilities over their exact sums.
"""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np

mp = mpmath.MPContext()
mp.dps = 100


def hostile(seed: int) -> tuple[dict[str, Any], np.ndarray]:
    """The fields of an MDP of 1 to 4 states and 2 or 3 actions, and old."""
    rng = np.random.default_rng(seed)
    states, actions = int(rng.integers(1, 5)), int(rng.integers(2, 4))

    def rows(*shape: int) -> np.ndarray:
        kind = rng.integers(3)
        if kind == 0:
            return rng.dirichlet(np.full(shape[-1], 1.0), size=shape[:-1])
        if kind == 1:  # some entries as small as 1e-300
            weights = 10.0 ** -rng.uniform(0, 300, size=shape)
        else:
            weights = np.where(rng.random(shape) < 0.4, 10.0 ** -rng.uniform(0, 20, size=shape), rng.random(shape))
        weights[..., 0] += weights.sum(-1) == 0
        return weights / weights.sum(-1, keepdims=True)

    offset = rng.choice([0.0, 1.0, 1e5, 1e10]) * rng.choice([-1, 1])
    spread = 10.0 ** -rng.uniform(0, 10)
    reward = offset + spread * rng.normal(size=(states, actions)) * max(abs(offset), 1) ** rng.choice([0, 1])
    gamma = float(rng.choice([0.0, 0.5, 0.9, 0.99, 0.9999, 1 - 1e-6, 1 - 1e-9, 1 - 1e-12]))
    fields = {
        **{"transition": rows(states, actions, states), "reward": reward, "gamma": gamma},
        "initial": rows(states),
    }
    return fields, rows(states, actions)


def advantage_and_visitation(
    fields: dict[str, Any], old: np.ndarray
) -> tuple[list[list[Any]], list[Any], list[list[Any]]]:
    """A, ρ, and old over its exact sums."""

    def distribution(row: Any) -> list[Any]:
        numbers = [mp.mpf(float(x)) for x in row]
        total = mp.fsum(numbers)
        return [x / total for x in numbers]

    states, actions = old.shape
    gamma = mp.mpf(repr(float(fields["gamma"])))
    moves = [[distribution(row) for row in of_state] for of_state in fields["transition"]]
    policy = [distribution(row) for row in old]
    reward = [[mp.mpf(float(x)) for x in row] for row in fields["reward"]]
    matrix = mp.matrix(states, states)
    for s in range(states):
        for t in range(states):
            chain = mp.fsum(policy[s][a] * moves[s][a][t] for a in range(actions))
            matrix[s, t] = (1 if s == t else 0) - gamma * chain
    earned = mp.matrix([mp.fsum(policy[s][a] * reward[s][a] for a in range(actions)) for s in range(states)])
    value = mp.lu_solve(matrix, earned)
    visitation = mp.lu_solve(matrix.T, mp.matrix(distribution(fields["initial"])))
    advantage = [
        [
            reward[s][a] + gamma * mp.fsum(moves[s][a][t] * value[t] for t in range(states)) - value[s]
            for a in range(actions)
        ]
        for s in range(states)
    ]
    return advantage, [max(x, mp.mpf(0)) for x in visitation], policy


def best_gain(old: list[Any], advantage: list[Any], radius: Any) -> Any:
    """Σ (p − old) A of a p with KL(old‖p) ≤ radius that is next to the best one: p = λ old/(ν − A), u = ν − max A."""
    best = max(advantage)
    lack = [best - a for a in advantage]
    scale = max(d for d, o in zip(lack, old, strict=True) if o > 0)
    if scale == 0:
        return mp.mpf(0)

    def row(u: Any) -> tuple[Any, Any]:
        weights = [o / (d + u) for o, d in zip(old, lack, strict=True)]
        total = mp.fsum(weights)
        p = [w / total for w in weights]
        kl = mp.fsum(o * mp.log(o / q) for o, q in zip(old, p, strict=True) if o > 0)
        return kl, mp.fsum((o - q) * d for o, q, d in zip(old, p, lack, strict=True))

    low, high = mp.log(scale) - 1500, mp.log(scale) + 60
    for _ in range(110):
        middle = (low + high) / 2
        low, high = (middle, high) if row(mp.exp(middle))[0] > radius else (low, middle)
    return row(mp.exp(high))[1]


def feasible_value(fields: dict[str, Any], old: np.ndarray, radius: float) -> Any:
    """What some policy within max-KL ≤ radius gains: the optimum, but for 1e-30 of it."""
    advantage, visitation, policy = advantage_and_visitation(fields, old)
    delta = mp.mpf(repr(float(radius)))
    return mp.fsum(rho * best_gain(p, a, delta) for rho, p, a in zip(visitation, policy, advantage, strict=True))


def penalised_value(fields: dict[str, Any], old: np.ndarray, radius: float, unit: Any) -> Any:
    """What the best policy within max-KL ≤ radius gains, less C radius: the optimum for the best radius, less for any other.

    C is unit(γ) max|A|.
    """
    advantage, visitation, policy = advantage_and_visitation(fields, old)
    t = mp.mpf(min(float(radius), 700.0))  # beyond it all mass has moved, as far as floats can tell
    coefficient = unit(mp.mpf(repr(float(fields["gamma"])))) * max(abs(a) for row in advantage for a in row)
    gains = (rho * best_gain(p, a, t) for rho, p, a in zip(visitation, policy, advantage, strict=True))
    return (mp.fsum(gains) if t > 0 else mp.mpf(0)) - coefficient * t


def mean_value(fields: dict[str, Any], old: np.ndarray, radius: float, multiplier: float) -> Any:
    """What some policy within mean-KL ≤ radius gains: the rows' maximisers of Σ p A − λ KL(old‖p), drawn back into the radius.

    It is the optimum for the best λ, and feasible for any: the KL of a mixture with old is at most that share of its own.
    """
    advantage, visitation, policy = advantage_and_visitation(fields, old)
    price, gain, spent = mp.mpf(float(multiplier)), mp.mpf(0), mp.mpf(0)
    if price == 0:
        return mp.mpf(0)
    for rho, p, a in zip(visitation, policy, advantage, strict=True):
        row_gain, row_kl = _at_price(p, a, price)
        gain, spent = gain + rho * row_gain, spent + rho * row_kl
    spent *= 1 - mp.mpf(repr(float(fields["gamma"])))
    delta = mp.mpf(repr(float(radius)))
    return gain * min(1, delta / spent) if spent > 0 else gain


def _at_price(old: list[Any], advantage: list[Any], price: Any) -> tuple[Any, Any]:
    """Σ (p − old) A and KL(old‖p) of p = λ old/(ν − A); what is left of the mass goes to the best action."""
    best = max(advantage)
    lack = [best - a for a in advantage]
    scale = max(d for d, o in zip(lack, old, strict=True) if o > 0)
    if scale == 0:
        return mp.mpf(0), mp.mpf(0)
    low, high = mp.log(scale) - 1500, max(mp.log(scale), mp.log(price)) + 60
    for _ in range(400):
        middle = (low + high) / 2
        u = mp.exp(middle)
        mass = mp.fsum(price * o / (d + u) for o, d in zip(old, lack, strict=True))
        low, high = (middle, high) if mass > 1 else (low, middle)
    u = mp.exp(high)
    p = [price * o / (d + u) for o, d in zip(old, lack, strict=True)]
    p[lack.index(0)] += 1 - mp.fsum(p)
    kl = mp.fsum(o * mp.log(o / q) for o, q in zip(old, p, strict=True) if o > 0)
    return mp.fsum((o - q) * d for o, q, d in zip(old, p, lack, strict=True)), kl
