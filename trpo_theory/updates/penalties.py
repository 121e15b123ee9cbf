"""The penalty of (11) as a function of max-KL: linear where the bound is, else any function that does not fall.

Proofs: docs/theory.md, "Penalties that are not linear".
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from trpo_theory import bounds
from trpo_theory.bounds import Bound
from trpo_theory.errors import InvalidInput, NotKnown, NotSolved
from trpo_theory.updates.decimal_penalty import NEAR_ONE, relative_error, with_decimals
from trpo_theory.updates.problems import Penalty
from trpo_theory.updates.sharp_penalty import LARGEST_RADIUS, LEAST_RADIUS, SteppedBound, radius_of, step_above
from trpo_theory.updates.solvers.blocks import Blocks
from trpo_theory.updates.surrogate import Surrogate

_PROBES = np.array([1e-12, 1e-6, 1e-3, 0.1, 1.0, 7.0])
"""Radii in nats at which a penalty is compared with a line, chosen over all sizes that steps have."""

_LINEAR_RTOL = 1e-13
"""How far slopes of a linear penalty may differ: some hundred roundings, of the bound's own formula."""

_RADII = (0.0, *np.geomspace(1e-24, 600.0, 200))
"""Nats, the first points tried under a penalty that is not linear: chosen, eight a decade from where floats of a policy cease
to move to where e^-600 of the mass is left."""

_ROUNDS = 60
"""Of refinement at most, each of which cuts the worst cells in two: 60 halvings reach the last digit of a float."""

_CELLS = 12
"""Worst cells cut in a round: chosen, a few more than hold the maximum."""

_CLOSED = 1e-11
"""The relative gap at which refinement ends: a hundredth of the tolerance up to which an update passes as optimal."""

_STALLED = 0.99
"""Refinement ends too when a round leaves more than this share of the gap: the rest is the penalty's own rounding."""

_SLOPE_RTOL = 1e-9
"""How far, relatively, a later slope of the penalty may exceed an earlier one and pass as concave: above its rounding."""

_FALLS = 3
"""The search over steps ends after so many values in a row below the best: chosen, for steps are not exactly concave."""

_WORTH = 8
"""Chosen: no step's penalty is so far below the envelope that a radius more than this many times the envelope's best would
pay."""

_INSIDE = 1e-13
"""How far inside a step's radius its candidate lies, so that its divergence, recomputed, is not beyond the radius."""


def penalty_at(surrogate: Surrogate, problem: Penalty, max_kl: np.ndarray) -> np.ndarray:
    """The penalty at a max-KL in nats, (B,) -> (B,), in discounted reward."""
    if isinstance(problem.bound, Bound):
        try:
            penalty = np.broadcast_to(surrogate.penalty(problem.bound, max_kl), surrogate.gamma.shape)
            if np.isinf(max_kl).any():  # nothing times infinity: a bound without a penalty has none here either
                penalty = np.where(surrogate.penalty(problem.bound, np.ones(penalty.shape)) == 0, 0.0, penalty)
            return _of_decimals(surrogate, problem.bound, max_kl, penalty)
        except NotKnown as error:
            raise InvalidInput(
                got=f"the bound {problem.bound.id!r}, which reads {error.name}",
                wanted="a penalty that depends on the new policy through max_kl only",
                fix="use trpo/kl, pinsker/kl or chain-rule/kl",
            ) from None
    assert problem.coefficient is not None
    with np.errstate(invalid="ignore"):
        return np.where(problem.coefficient == 0, 0.0, np.full(surrogate.gamma.shape, problem.coefficient) * max_kl)


def _of_decimals(surrogate: Surrogate, bound: Bound, max_kl: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """A penalty in floats, (B,), replaced near γ = 1; a stepped one is of decimals itself, but for its envelope."""
    if not (surrogate.complement < NEAR_ONE).any():
        return penalty
    if isinstance(bound, SteppedBound):
        return np.minimum(penalty, _of_decimals(surrogate, bounds.get(bound.envelope), max_kl, penalty))
    return with_decimals(bound, surrogate.gamma, surrogate.max_abs_advantage, max_kl, penalty)


def coefficient_error(surrogate: Surrogate, problem: Penalty) -> np.ndarray:
    """The relative error of a bound's penalty, which is a function of γ and ε, (B,); 0 for a coefficient that is given."""
    if not isinstance(problem.bound, Bound):
        return np.zeros(surrogate.gamma.shape)
    missed = np.max(np.broadcast_to(surrogate.advantage_error, surrogate.visitation.shape), axis=0)
    relative = missed / np.where(missed > 0, surrogate.max_abs_advantage, 1.0)
    bound = bounds.get(problem.bound.envelope) if isinstance(problem.bound, SteppedBound) else problem.bound
    return relative_error(bound, surrogate.gamma, surrogate.complement) + relative


def linear_coefficient(surrogate: Surrogate, problem: Penalty) -> np.ndarray | None:
    """C, (B,), where the penalty is C times max-KL; None where it is not linear."""
    if not isinstance(problem.bound, Bound):
        return np.full(surrogate.gamma.shape, problem.coefficient, dtype=float)
    if isinstance(problem.bound, SteppedBound):
        return None
    slopes = np.array([penalty_at(surrogate, problem, np.full(surrogate.gamma.shape, t)) / t for t in _PROBES])
    linear = (np.abs(slopes - slopes[-1]) <= _LINEAR_RTOL * np.abs(slopes[-1])).all()
    return slopes[-1] if linear else None


def is_linear(problem: Penalty) -> bool:
    """Whether the penalty is a coefficient times max-KL, tried at γ = ½ and ε = 1."""
    one = np.ones(1)
    row = np.ones((1, 1, 1))
    return linear_coefficient(Surrogate(row, row, row > 0, np.ones((1, 1)), 0.5 * one, one), problem) is not None


def best_radius(blocks: Blocks, surrogate: Surrogate, problem: Penalty) -> tuple[np.ndarray, np.ndarray]:
    """The radius t that maximises F(t) = Σ ρ f(t) − φ(t), and an upper bound on F, φ any function that does not fall.

    f is concave with slope Σ ρ λ(t), hence below its tangents; φ is above its chords where it is concave (as its values at
    all points tried must show; else only above its left end). The cells of the best bounds are cut until they close.

    Raises:
        NotSolved: for a batch.
    """
    if len(surrogate.gamma) > 1:
        raise NotSolved("got a batch for a penalty that is not linear in max-KL; wanted one instance; loop over them")
    rho = surrogate.visitation

    def point(t: float) -> tuple[float, float, float, float]:
        _, gain, multiplier, _ = blocks.solve(problem.divergence.at_radius, np.array([t]))
        slope = float((rho * multiplier).sum()) if t > 0 else np.inf
        return t, float((rho * gain).sum()), slope, float(penalty_at(surrogate, problem, np.array([t]))[0])

    points = [point(t) for t in _RADII]
    best, bound = 0.0, np.inf
    for _ in range(_ROUNDS):
        points.sort()
        best = max(f - phi for _, f, _, phi in points)
        concave = _is_concave(points)
        cells = sorted(((_cell_bound(a, b, concave), a[0], b[0]) for a, b in pairwise(points)), reverse=True)
        closing, bound = bound - best, max(cells[0][0], best)
        if bound - best <= _CLOSED * abs(best) or bound - best > _STALLED * closing:
            break  # closed, or down to the rounding of the penalty itself
        points += [point(np.sqrt(a * b) if a > 0 else b / 16) for value, a, b in cells[:_CELLS] if value > best]
    radius = max(points, key=lambda p: p[1] - p[3])[0]
    return np.array([radius]), np.array([bound])


def best_step(
    blocks: Blocks, surrogate: Surrogate, problem: Penalty, envelope: np.ndarray, start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The best radius under a stepped penalty, and an upper bound on F over all radii up to the last step tried.

    The penalty is the lesser of its steps and its envelope: F is at most the larger of its maximum under the envelope, at
    `start`, and the best of its values at the steps' right ends, from start upward until they fall. Beyond the last step
    tried the penalty is taken to be the envelope, which is above it: what is returned is optimal for that penalty.

    Raises:
        NotSolved: for a batch.
    """
    if len(surrogate.gamma) > 1:
        raise NotSolved("got a batch for a penalty that is computed step by step; wanted one instance; loop over them")
    rho = surrogate.visitation

    def value(radius: float, penalty: float) -> float:
        _, gain, _, _ = blocks.solve(problem.divergence.at_radius, np.array([radius]))
        return float((rho * gain).sum()) - penalty

    at = float(start[0])
    best, radius = value(at, float(envelope[0]) * at), at
    if at * _WORTH >= LEAST_RADIUS:
        step, falls = step_above(max(at, LEAST_RADIUS)), 0
        while falls < _FALLS and radius_of(step) <= LARGEST_RADIUS:
            here = radius_of(step) * (1 - _INSIDE)
            found = value(here, float(penalty_at(surrogate, problem, np.array([here]))[0]))
            falls = falls + 1 if found <= best else 0
            best, radius = max((best, radius), (found, here))
            step += 1
    return np.array([radius]), np.array([best + 4 * _INSIDE * abs(best)])


def _is_concave(points: list[tuple[float, float, float, float]]) -> bool:
    noise = 8 * np.finfo(np.float64).eps * max(abs(point[3]) for point in points)
    slopes = [((b[3] - a[3]) / (b[0] - a[0]), noise / (b[0] - a[0])) for a, b in pairwise(points)]
    return all(
        later - off <= (earlier + blur) * (1 + _SLOPE_RTOL) for (earlier, blur), (later, off) in pairwise(slopes)
    )


def _cell_bound(a: tuple[float, ...], b: tuple[float, ...], concave: bool) -> float:
    """An upper bound on f − φ between two points (t, f, f', φ)."""
    (ta, fa, sa, pa), (tb, fb, sb, pb) = a, b
    if not concave:
        return fb - pa
    if not np.isfinite(sa) or sa <= sb:
        return max(fa - pa, fb - pb, fb - sb * (tb - ta) - pa)
    meet = min(max((fb - fa + sa * ta - sb * tb) / (sa - sb), ta), tb)
    tangents = min(fa + sa * (meet - ta), fb + sb * (meet - tb))
    return max(fa - pa, fb - pb, tangents - (pa + (pb - pa) * (meet - ta) / (tb - ta)))
