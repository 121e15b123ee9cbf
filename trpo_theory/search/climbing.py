"""Local ascent on an objective: quasi-Newton steps for a handful of instances at once, rewards re-optimised in each."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.search.distinct import distinct
from trpo_theory.search.forms import REWARDS, formed, in_form
from trpo_theory.search.objective import Objective
from trpo_theory.step.instances import Instances, quantities_of_arrays

STEPS = 60
"""At most so many. Chosen: few climbs take more than half."""
_DIFFERENCE = 1e-6
"""Step of central differences: chosen near the cube root of the rounding error, at which their error is least."""
_ADJOINT_FROM = 150
"""Coordinates from which on adjoints cost no more than differences."""
_LONGEST = 3.0
"""Of a coordinate in one step: probabilities change by a factor e³ at most. Chosen."""
_LENGTHS = 0.5 ** np.arange(-2, 22)
"""The steps that are tried along each direction, all in one batch."""
_LARGEST_GAMMA = 1 - 1e-6
"""Of a discount that moves. Chosen: beyond it floats lose the digits of a value."""
_RISE = 1e-12
"""Relative rise below which a step does not count: rounding makes as much."""


def ascend(
    objective: Objective,
    start: Instances,
    forms: np.ndarray,
    *,
    steps: int = STEPS,
    exact: bool = True,
    gamma_moves: bool = False,
) -> tuple[Instances, np.ndarray]:
    """What is reached from each of `start`, whose rewards are of these forms, and the values there; γ stays, unless it moves.

    The objective has kinks (maxima over states), at which the best instances lie. So a step is the best along several
    directions: BFGS's, which does well on kinks though nothing is proved (Lewis and Overton 2013), and the gradient of the
    transitions alone, of the policies alone, and so on, which rises where a kink in the others is not to be left.

    The gradient is exact, of the formula and all that it is made of, by adjoint solves. Where it need not be, and there are
    few coordinates, central differences of the batched kernel are as good and measured to be two to three times faster; they
    are also used for a user's formula that autograd cannot differentiate.
    """
    chart = _Chart(objective, start, forms, exact, gamma_moves)
    count, n = len(start), chart.size
    x, best = np.zeros((count, n)), objective(chart.at(np.zeros((count, 1, n))))
    gradient, inverse = chart.gradient(x), np.repeat(np.eye(n)[None], count, 0)
    fresh, alive = np.full(count, True), np.isfinite(best)
    for _ in range(steps):
        if not alive.any():
            break
        moves = _moves(np.einsum("kij,kj->ki", inverse, gradient), gradient[:, None] * chart.blocks)
        tried = chart.values(x[:, None] + moves)
        which = tried.argmax(1)
        reached = tried[np.arange(count), which]
        with np.errstate(invalid="ignore"):  # of starts at −∞, which are not alive
            rises = alive & (reached > best + _RISE * np.abs(best))
        step = np.where(rises[:, None], moves[np.arange(count), which], 0.0)
        alive &= rises | ~fresh
        x, best, fresh = x + step, np.where(rises, reached, best), ~rises
        following = chart.gradient(x)
        inverse = np.where(rises[:, None, None], _updated(inverse, step, gradient - following), np.eye(n))
        gradient = following
    return chart.at(x[:, None]), best


def _moves(newton: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Every length along every direction, (K, m, n): Newton's as it comes, unless too long; the others from the longest down."""
    directions = np.concatenate([newton[:, None], parts], 1)
    longest = np.abs(directions).max(2, keepdims=True)
    limit = np.where(np.arange(directions.shape[1])[:, None] == 0, np.minimum(longest, _LONGEST), _LONGEST)
    directions = directions * (limit / np.maximum(longest, 1e-300))
    return (_LENGTHS[:, None] * directions[:, :, None]).reshape(len(newton), -1, newton.shape[1])


def _updated(inverse: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The BFGS update of the inverse Hessian of −objective; none where the curvature along the step is not positive."""
    curvature = (step * change).sum(1)
    good = curvature > 1e-16 * np.linalg.norm(step, axis=1) * np.linalg.norm(change, axis=1)
    scale = np.where(good, 1.0 / np.where(good, curvature, 1.0), 0.0)[:, None, None]
    left = np.eye(step.shape[1]) - scale * step[:, :, None] * change[:, None, :]
    return left @ inverse @ left.swapaxes(1, 2) + scale * step[:, :, None] * step[:, None, :]


class _Chart:
    """Coordinates around each of K starts, (K, n).

    A row moves as row · exp(x)/Σ, so that zeros stay zeros. New moves by its odds against old, new/old · exp(d x) with d
    the size of log(new/old): it goes along with old, and a small step is as well conditioned as a large one. A reward that
    is its own moves by its size times x, and γ, if it moves, by its odds.
    """

    def __init__(
        self, objective: Objective, start: Instances, forms: np.ndarray, exact: bool, gamma_moves: bool = False
    ) -> None:
        self.objective, self.start, self.forms = objective, objective.stripped(start), forms
        self.moving = ["transition", "initial", "old", "new"] + ["reference"] * ("reference" in objective.uses)
        self.moving += ["reward"] * bool((forms % len(REWARDS) == 0).any())
        self.moving += ["gamma"] * gamma_moves
        sizes = [getattr(start, name)[0].size for name in self.moving]
        self.size = sum(sizes)
        self.exact = exact or self.size >= _ADJOINT_FROM
        self.blocks = np.repeat(np.eye(len(sizes)), sizes, 1)
        self.blocks = np.concatenate([self.blocks, 1 - self.blocks[:1]])
        self.scale = np.abs(start.reward).max((1, 2), keepdims=True)
        self.played = start.old > 0
        self.odds = start.new / np.where(self.played, start.old, 1.0)
        distance = np.abs(np.log(self.odds, where=self.played & (self.odds > 0), out=np.zeros_like(self.odds)))
        self.unit = np.where(self.played, np.clip(distance.max((1, 2), keepdims=True), 1e-9, 1.0), 1.0)

    def at(self, x: np.ndarray) -> Instances:
        """The instances at x, (K, m, n): K · m of them, with rewards of their forms."""
        index = np.repeat(np.arange(x.shape[0]), x.shape[1])
        made = Instances(**self._moved(x.reshape(len(index), -1), index, np))
        return formed(made, self.forms[index], self.objective.visits)

    def _moved(self, x: Any, index: np.ndarray, xp: Any) -> dict[str, Any]:
        """The fields of the instances at x, (K', n), before rewards are made: xp is NumPy, or autograd's."""
        fields, begin, changes = self.start.take(index).arrays(), 0, {}
        for name in self.moving:
            value: Any = fields[name]
            end = begin + value[0].size
            part, begin = x[:, begin:end].reshape(value.shape), end
            if name == "gamma":
                odds = (1 - value) * xp.exp(-xp.clip(part, -300.0, 300.0))
                changes[name] = xp.minimum(value / (value + odds), _LARGEST_GAMMA)
                continue
            if name == "reward":
                changes[name] = value + self.scale[index] * part
                continue
            if name == "new":
                value = self.odds[index] * xp.where(self.played[index], changes["old"], 1.0)
                part = self.unit[index] * part
            moved = value * xp.exp(xp.clip(part, -300.0, 300.0))
            changes[name] = moved / xp.maximum(xp.sum(moved, -1, keepdims=True), 1e-300)
        return {**fields, "reference": changes["old"], **changes}

    def values(self, x: np.ndarray) -> np.ndarray:
        """(K, m)."""
        return self.objective(self.at(x)).reshape(x.shape[:2])

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """(K, n); 0 where the objective has none."""
        if not self.exact:
            return self._difference(x)
        try:
            return self._adjoint(x)
        except Exception:  # of a user's formula, which may be of any kind where autograd cannot differentiate it
            return self._difference(x)

    def _adjoint(self, x: np.ndarray) -> np.ndarray:
        from trpo_theory.numerics import derivatives

        slope = np.zeros_like(x)
        for form in distinct(self.forms):
            index = np.flatnonzero(self.forms == form)

            def values(part: Any, index: np.ndarray = index, form: int = int(form)) -> Any:
                moved = self._moved(part, index, derivatives.anp)
                q = in_form(quantities_of_arrays(moved, derivatives.Traced()), form, self.objective.visits)
                return self.objective.traced(q)

            slope[index] = derivatives.gradient(values, x[index])
        return slope

    def _difference(self, x: np.ndarray) -> np.ndarray:
        unit = _DIFFERENCE * np.eye(self.size)
        values = self.values(x[:, None] + np.concatenate([unit, -unit])[None])
        with np.errstate(invalid="ignore"):
            slope = (values[:, : self.size] - values[:, self.size :]) / (2 * _DIFFERENCE)
        return np.where(np.isfinite(slope), slope, 0.0)
