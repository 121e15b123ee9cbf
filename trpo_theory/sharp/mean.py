"""The sharp gap of a mean divergence: the program's reward pays λ for it, and λ is such that the mean is the radius."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trpo_theory.errors import NotSolved
from trpo_theory.sharp.ends import widest
from trpo_theory.sharp.iteration import Flow, Solution, solved
from trpo_theory.sharp.laws import Atoms
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.space import Space

CLOSE = 1e-5
"""The search for λ ends when its bound is so close, relatively, to the best that any λ can do, if nothing else is asked for.
Chosen, below usual widths."""
_TRIES = 60
"""Of λ, at most. Measured: 8 to 15."""
_NEAR, _FURTHEST = 1.02, 256.0
"""Factor from the first λ to the second, at least; each further one is the square of the last, at most the second number.
Chosen: a λ far from the best is expensive, as its laws differ much."""
_STEEP = 1.5
"""The mean falls about like 1/λ, or slower: with this power the λ after a guess is often on the other side. Chosen."""
_APART = 1.1
"""Factor between two λ up to which a kink decides where the next one is. Chosen."""
_CERTAIN = 2.0
"""Factor between two λ from which on a mean further from D than by e counts as one of e: the power law is one nearby, and far
away the middle of the two log λ comes closer. Chosen."""
_NOTHING, _PARTED = 1e-3, 1.6
"""A mean below this share of D is that of laws that no longer part, which says nothing of how far λ is from the best: it counts
as one of 1/1.6, so that λ is halved. Chosen."""
_NOT_FAR = 10.0
"""A mean that is D up to this factor is near it: where the tangent there is 0 is then about the best λ, if beyond a kink nothing
is spent. Chosen."""
_HALVINGS = 50
"""Of the share of one of two laws in their mixture."""


def solved_for_mean(
    setting: Setting, space: Space, *, start: Solution | None = None, close: float = CLOSE
) -> tuple[Solution, list[Solution]]:
    """The solution at the λ ≥ 0 for which w_λ(1) + λ D/(1 − γ) is least; and those of the λ about it, for `within`.

    That is convex in λ, with the slope (D − D_λ)/(1 − γ), D_λ the mean of the laws; the search ends where the tangents on either
    side of the least meet just below the lower of both.

    Args:
        setting: which gap.
        space: the nodes.
        start: a solution to begin with, of these nodes or others.
        close: how close to the best that any λ can do, relatively.

    Raises:
        NotSolved: if no λ is found, or policy iteration does not end.
    """
    worth = setting.whole_radius
    # λ D/(1 − γ) ≤ G ≤ 2γ/(1 − γ), and at small radii λ is about the latter over the cost of parting
    parting = min(float(setting.cost(-np.ones(1))[0]), setting.cost_at_infinity, 1.0)
    highest = 2 * setting.gamma / max((1 - setting.gamma) * parting, setting.radius)
    guess, factor, steep = (highest, _NEAR, _STEEP) if start is None else (start.laws.shared, _NEAR, 0.0)
    low: tuple[Solution, float] | None = None  # too small a λ: the mean is above D
    high: tuple[Solution, float] | None = None
    for _ in range(_TRIES):
        found = start = solved(setting, space, start=start, multiplier=guess)
        spent = spent_by(found)
        low, high = ((found, spent), high) if spent > worth else (low, (found, spent))
        if low is None or high is None:
            off = float(min(spent / worth, _FURTHEST)) if spent > _NOTHING * worth else _PARTED
            far = max(factor, min(max(off, 1 / off) ** steep, _FURTHEST))
            guess, factor = guess / far if low is None else guess * far, min(factor**2, _FURTHEST)
            if high is not None and high[0].laws.shared * worth <= close * found.value:  # the radius need not be spent
                return found, [found]
            continue
        least, meet = _met(low, high, worth)
        if min(low[0].value, high[0].value) <= least * (1 + close):
            break
        guess = _next(low, high, worth, meet)
    if low is None or high is None:
        raise NotSolved(
            "got no price of the mean divergence; wanted one; fix: use a radius and a gamma further from their limits"
        )
    both = [low[0], high[0]]
    return min(both, key=lambda one: one.value), both


def within(about: list[Solution]) -> list[Solution]:
    """Laws whose mean is D, or less where the radius need not be spent, of one λ or two; normalised by max|Ā| also calmed."""
    low, high = about[0], about[-1]
    found = [mixed(low, high) if len(about) > 1 else low]
    if low.setting.expected:
        found.append(mixed(calmed(low), calmed(high)) if len(about) > 1 else calmed(low))
    return found


def calmed(solution: Solution) -> Solution:
    """With the mean of l in the place of those that lead less far than to the next nodes, of either A: it costs less.

    Where such steps gain next to nothing, chance, which leads from node to node with each of them, would even out the ratios.
    """
    space, atoms, masses = solution.space, solution.laws.atoms, solution.masses
    leads = space.positions[:, None] + space.stretch[:, None] * atoms.excess
    around = np.concatenate([[space.floor], space.positions, [np.inf]])
    near = (atoms.own > 0) & (leads > around[:-2, None]) & (leads < around[2:, None])
    excess = atoms.excess.copy()
    for sign in solution.stage.signs:
        moved = np.where(near & (atoms.sign == sign), masses, 0.0)
        total = moved.sum(1, keepdims=True)
        mean = (moved * atoms.excess).sum(1, keepdims=True) / np.where(total > 0, total, 1.0)
        excess = np.where(moved > 0, mean, excess)
    cost = np.where(atoms.own > 0, solution.setting.cost(excess), atoms.cost)
    return replace(solution, laws=replace(solution.laws, atoms=atoms._replace(excess=excess, cost=cost)))


def price_below(solution: Solution) -> float:
    """The solution's own price, or, where far more than D is spent, a higher one, at which it still is more.

    w_λ(1) is convex in λ, and its tangent is 0 at or below the price from which nothing is spent.
    """
    spent, price, worth = spent_by(solution), solution.laws.shared, solution.setting.whole_radius
    return price if spent <= _NOT_FAR * worth else price + max(solution.value - price * worth, 0.0) / spent


def spent_by(solution: Solution) -> float:
    """The discounted divergence along old's paths, D_λ/(1 − γ)."""
    setting = solution.setting
    flow = Flow(solution.space, solution.laws.atoms, solution.masses, solution.frozen)
    at_zero = _spent_at_zero(setting, solution.laws.shared)
    return float(flow.value(setting.gamma, solution.laws.atoms.cost, at_zero, 0.0)[solution.space.start])


def _spent_at_zero(setting: Setting, shared: float) -> float:
    """From x = 0 on, by the law that is best there at the price λ."""
    width = float(widest(setting, np.ones(1), shared)[0]) if not setting.expected else 0.0
    return float(setting.cost(np.array([width, -width])).mean()) / (1 - setting.gamma) if width else 0.0


def _met(low: tuple[Solution, float], high: tuple[Solution, float], worth: float) -> tuple[float, float]:
    """The height at which the tangents meet, a lower bound, and where."""
    (one, first), (two, second) = low, high
    x, y = one.laws.shared, two.laws.shared
    left, right = worth - first, worth - second
    meet = (two.value - one.value + left * x - right * y) / (left - right)
    meet = min(max(meet, x), y)
    return one.value + left * (meet - x), meet


def _next(low: tuple[Solution, float], high: tuple[Solution, float], worth: float, meet: float) -> float:
    """Where the power law through both λ has the mean D, while they are far apart; then where the tangents meet.

    The mean falls like a power of λ, and tangents from afar meet far from D; near it they know a kink exactly, such as that where
    laws no longer part at all.
    """
    x, y = low[0].laws.shared, high[0].laws.shared
    above, below = (float(np.log(max(one[1] / worth, _NOTHING))) for one in (low, high))
    far = max(above, -below) > 1
    nothing = high[1] <= _NOTHING * worth
    if x <= 0 or (y <= x * _APART and (nothing or not far)) or (nothing and low[1] < worth * _NOT_FAR):
        return meet
    if y > x * _CERTAIN:
        above, below = min(above, 1.0), max(below, -1.0)
    return float(x * (y / x) ** (above / (above - below)))


def mixed(low: Solution, high: Solution) -> Solution:
    """Both laws at every node, in the shares for which the mean is D; at x = 0, which has one law, that of a λ between both."""
    setting, space = low.setting, low.space
    best = min((low, high), key=lambda one: one.value)
    atoms = Atoms(*(np.concatenate(parts, axis=1) for parts in zip(low.laws.atoms, high.laws.atoms, strict=True)))

    def at(share: float) -> Solution:
        masses = np.concatenate([share * low.masses, (1 - share) * high.masses], axis=1)
        price = share * low.laws.shared + (1 - share) * high.laws.shared
        return replace(best, laws=replace(best.laws, atoms=atoms, shared=price), masses=masses)

    worth, least, most = setting.whole_radius, 0.0, 1.0
    for _ in range(_HALVINGS):
        share = (least + most) / 2
        least, most = (share, most) if spent_by(at(share)) <= worth else (least, share)
    found = at(least)
    flow = Flow(space, atoms, found.masses, found.frozen)
    stage = found.stage
    earned = stage.earned(np.arange(space.size)[:, None], atoms)
    return replace(found, values=flow.value(setting.gamma, earned, found.ends.value, found.ends.slope))
