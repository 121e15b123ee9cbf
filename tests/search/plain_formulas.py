"""Formulas for one instance, in the styles that people write."""

from __future__ import annotations

import functools
import itertools
import math
import operator
import statistics
from fractions import Fraction
from math import log, sqrt

import numpy as np
from numpy import maximum as larger_of

TABLE = {"tv": lambda q: max(q.tv), "kl": lambda q: max(q.kl)}
WEIGHTS = [0.5, 0.25, 0.125]


def python_max(q):
    return max(q.tv) - 0.3 * q.gamma


def max_of_generator(q):
    return max(abs(a) for a in q.advantage.ravel()) - min(q.tv)


def max_of_two(q):
    return max(q.max_tv, q.gamma, 0.25) - min(q.mean_tv, 0.5)


def sum_of_products(q):
    return sum(p * a for p, a in zip(q.visitation_old, q.expected_advantage)) - q.surrogate_gain / 2  # noqa: B905


def branch(q):
    if q.gamma > 0.5:
        return q.max_tv - q.gamma
    return q.gamma - q.max_tv


def early_return(q):
    if q.max_tv < 0.2:
        return 0.0
    if q.surrogate_gap < 0:
        return -q.surrogate_gap
    return q.max_kl


def chained(q):
    return 1.0 if 0.2 < q.gamma <= 0.9 else q.gamma


def both(q):
    if (q.gamma > 0.3 and q.max_tv > 0.3) or not q.surrogate_gain > 0:
        return q.surrogate_gain
    return q.max_tv


def loops(q):
    total = 0.0
    for s in range(q.states):
        for a in range(q.actions):
            total += q.visitation_old[s] * q.new[s, a] * q.advantage[s][a]
    return total


def loops_over_the_mdp(q):
    worst = 0
    for s, a, t in itertools.product(range(q.states), range(q.actions), range(q.states)):
        worst = worst + q.old[s, a] * q.transition[s, a, t] * q.value[t]
    return worst - sum(q.value)


def running_max(q):
    worst = 0
    for s in range(q.states):
        for a in range(q.actions):
            if abs(q.advantage[s, a]) > worst:
                worst = abs(q.advantage[s, a])
    return worst - 1


def numpy_axes(q):
    return np.max(np.abs(q.advantage), axis=1).sum() - np.sum(q.tv, axis=-1) - np.mean(q.advantage)


def numpy_methods(q):
    return abs(q.advantage).max(axis=-1).mean() - q.tv.std() + q.advantage.ravel().min() + q.q_value.T[0].prod()


def numpy_linear_algebra(q):
    p = np.einsum("sa,sat->st", q.old, q.transition)
    r = (q.old * q.reward).sum(axis=1)
    v = np.linalg.solve(np.eye(q.states) - q.gamma * p, r)
    return q.initial @ v - np.dot(q.initial, q.value) + np.linalg.norm(v - v.mean()) - np.linalg.norm(q.tv, 1)


def products(q):
    return q.occupancy_old.T @ q.tv + np.outer(q.tv, q.initial).trace() - (q.transition[:, 0] @ q.value).max()


def written_into(q):
    largest = np.zeros(q.states)
    for s in range(q.states):
        largest[s] = np.max(q.advantage[s])
    largest[largest < 0.1] = 0
    return largest.sum() - q.gamma


def written_into_q(q):
    a = q.advantage
    a[0] = 0
    a[1:] *= 2
    return q.advantage.sum() - q.tv[0]


def list_comprehension(q):
    return np.array([q.tv[s] * w for s, w in zip(range(q.states), WEIGHTS)]).sum() - np.max([q.gamma, q.max_tv])  # noqa: B905


def _spread(values):
    return max(values) - min(values)


def helper(q):
    return _spread(q.value) - _spread([*q.tv]) * _spread(values=q.initial)


def recursive(q):
    def power(x, n):
        return 1 if n == 0 else x * power(x, n - 1)

    return power(q.gamma, 5) - max(q.tv)


def table(q):
    return sum(TABLE[name](q) for name in ("tv", "kl")) - 1


def dictionary(q):
    by_state = {s: q.tv[s] for s in range(q.states)}
    return max(by_state.values()) - by_state[min(by_state)]


def argmax_by_key(q):
    s = max(range(q.states), key=lambda s: q.tv[s])
    return q.visitation_old[s] - q.initial[s]


def numpy_argmax(q):
    best = np.argmax(q.advantage, axis=1)
    return sum(q.new[s, best[s]] for s in range(q.states)) - q.value[q.value.argmin()] - q.tv[np.argmax(q.kl)]


def in_order(q):
    first, *_, last = sorted(q.tv)
    return last - 2 * first - sorted(q.value, reverse=True)[1]


def in_order_by_key(q):
    pairs = sorted(zip(q.tv, q.value), key=lambda pair: pair[0])  # noqa: B905
    return pairs[0][1] - sorted(range(q.states), key=lambda s: -q.value[s])[0]


def numpy_sorted(q):
    return np.cumsum(np.sort(q.value))[1] - np.sort(q.advantage, axis=None)[-1] - np.partition(q.tv, 1)[1]


def mathematics(q):
    return math.sqrt(q.max_kl / 2) - sqrt(q.max_tv) + log(1 + q.gamma) + math.exp(-q.max_kl) - math.pow(q.max_tv, 2)


def floats(q):
    return float(q.gamma) / (1 - float(q.gamma)) - float(q.max_tv) ** 2 + round(float(q.gamma), 1)


def guarded(q):
    try:
        return math.log(float(q.gamma) - 0.5)
    except ValueError:
        return q.gamma


def divided(q):
    try:
        return 1 / int(2 * float(q.gamma))
    except ZeroDivisionError:
        return -1.0


def steps(q):
    return sum(q.gamma**t for t in range(int(3 * q.gamma) + 1)) - math.floor(2 * q.max_tv)


def horizon(q):
    t, left = 0, 1.0
    while left > 0.3:
        left *= q.gamma * 0.7
        t += 1
    return t - left


def vectorised(q):
    clip = np.vectorize(lambda a: a if a > 0 else -2 * a)
    return clip(q.advantage).max() - 1


def lambdas(q):
    largest = lambda values: max(values, key=lambda x: 2 * x)  # noqa: E731
    return largest(q.advantage.ravel()) + functools.reduce(operator.add, map(abs, q.value))


def means(q):
    return statistics.mean(q.tv) - math.fsum(q.initial * q.value) + statistics.fmean([q.gamma, 0.5])


def fractions(q):
    return Fraction(1, 3) * max(q.tv) - Fraction(1, 2) * min(q.gamma, Fraction(9, 10))


def over_all(q):
    if all(t > 0.1 for t in q.tv) and any(a > 0.5 for a in q.advantage.flat):
        return 1 - q.gamma
    return q.gamma


def masked(q):
    return q.advantage[q.advantage > -1e9].mean() - q.advantage[np.abs(q.advantage) < 1e9].max()


def chosen_by_mask(q):
    moved = q.advantage[q.new > q.old]
    return moved.sum() if moved.size else 0.0


def numpy_where(q):
    return np.where(q.advantage > 0, q.advantage, 0).sum(axis=1).max() - np.clip(q.value, -1, 1).sum()


def numpy_rare(q):
    return (
        np.median(q.value) - np.percentile(q.tv, 50) + np.trace(q.old[:2, :2]) + np.diff(q.value).max() - np.ptp(q.tv)
    )


def imported_inside(q):
    from math import sqrt as root

    import numpy as other

    return root(other.maximum(q.gamma, 0.5)) - larger_of(q.gamma, q.max_tv)


def unpacked(q):
    (first, *rest), tv = q.value, q.tv.tolist()
    return first - max(rest) - max(tv) + q.gamma.item()


def another_step(q):
    back = q.replaced(old=q.new, new=q.old)
    far = q.replaced(gamma=min(q.gamma, 0.5))
    return max(back.kl) - max(q.reverse_kl) + far.expected_return_old - max(far.value)


def arithmetic(q):
    return (
        q.arithmetic.sum(q.tv, -1) + q.arithmetic.max(q.arithmetic.stack([q.tv, q.kl], axis=1), 0)[0] - q.max_s(q.value)
    )


def discounted(q):
    return max(q.discounted_sums_old(abs(q.reward))) - q.discounted_sum_new(np.ones((q.states, q.actions)))


def array_of_states(q):
    return [t - q.gamma for t in q.tv]


def flags(q):
    return bool(q.gamma > 0.5) * max(q.tv) + (q.gamma > 0.25) - sum(t > 0.5 for t in q.tv)


def two_dimensional(q):
    return max(max(row) for row in q.advantage) + min(map(min, q.old.tolist())) - len(q.tv) * q.gamma


def filters(q):
    above = sum(a for a in q.advantage.ravel() if a > 0)
    return (
        above - sum(v for v in q.value if -1 < v < 1 and not v > 0.5) - q.gamma * sum([t for t in q.tv if t > 0.3], 0.5)
    )


def filtered_extremes(q):
    largest = max((a for a in q.advantage.flat if a < 0.5), default=0)
    return (
        largest + min((t for t in q.tv if t > 0.2), default=q.gamma) - max(x for x in [*q.value, 3 * q.gamma] if x > -9)
    )


def filtered_questions(q):
    if any(v > 0 for v, t in zip(q.value, q.tv) if t > 0.2) or all(t < 0.5 for t in q.tv if t > 0.1):  # noqa: B905
        return q.gamma
    return -q.max_tv


def empty_extreme(q):
    try:
        return max(v for v in q.value if v > 0.5)
    except ValueError:
        return -1.0


def branches_in_loops(q):
    low, high, count = q.value[0], q.value[0], 0
    for v in q.value:
        if v < low:
            low = v
        elif v > high:
            high, count = v, count + 1
        else:
            count += 2 if v > 0 else 3
    return high - low - 0.1 * count


def first_found(q):
    for s in range(q.states):
        if q.tv[s] > 0.3:
            return q.value[s]
        if q.tv[s] < 0.1:
            continue
        if q.value[s] > 1:
            break
    else:
        return 2.0
    return -2.0


def branch_that_divides(q):
    x = 0.0
    if q.max_tv > 0.5:
        x = 1 / (math.floor(2 * q.max_tv) + float(q.gamma))
    y = x if x > 0.7 and math.log(x) < 0 else 1 - q.gamma
    return y + (math.sqrt(q.gamma - 0.5) if q.gamma > 0.5 else 0)


def late_variable(q):
    if q.gamma > 0.4:
        found = q.max_tv
        twice = 2 * found
    else:
        found, twice = q.max_kl, 0
    return found - 0.1 * twice


def branch_on_objects(q):
    name = "tv" if q.gamma > 0.5 else "kl"
    return max(getattr(q, name))


def selected(q):
    better = q.new > q.old
    up, down = q.advantage[better], q.advantage[~better]
    most = up.max() if len(up) > 0 else 0.0
    return most + np.abs(down - 0.1).sum() + (2 * up).mean() - np.max(down) - sum(q.old[better]) + np.size(up)


def selected_and_written(q):
    a, low = q.advantage.copy(), q.value < 0
    a[a > 0] *= 2
    a[a < -1] = a[a < -1] ** 2
    value = q.value.copy()
    value[low] = -q.tv[low]
    return a.sum() + value.max() - q.gamma


def selected_more(q):
    visited = q.tv > 0.3
    if not visited.any():
        return q.gamma
    return max(q.value[visited]) - sorted(q.kl[visited])[0] + q.advantage[visited].sum() + np.median(q.value[visited])


PLAIN = [
    value
    for value in list(globals().values())
    if getattr(value, "__module__", None) == __name__ and not value.__name__.startswith(("_", "<"))
]
