"""The best radius under a penalty that is not convex, for rows that share it, by cells that are cut until they close.

Proofs: docs/theory.md, "Penalties that are not linear".
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from trpo_theory.errors import NotSolved
from trpo_theory.updates.penalties import linear_coefficient, penalty_at
from trpo_theory.updates.problems import Penalty
from trpo_theory.updates.sharp_penalty import LARGEST_RADIUS, LEAST_RADIUS, SteppedBound, radius_of, step_above
from trpo_theory.updates.surrogate import Surrogate

Frontier = Callable[[float], tuple[float, float]]
"""From a radius to the most that L gains within it, and to its slope there, Σ ρ λ."""

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

_CHORD, _CHORDS = 0.1, 3
"""Where a stepped penalty is first looked at, and how often before its steps are. Chosen: G/D changes
little with D, so that the radius is then within some steps of the best."""

_WIDEST = 1.0
"""The largest radius under a chord that is tried next. Chosen."""

_FARTHEST = 1e4
"""Beyond it every row has left all but its best actions, as far as floats can tell."""

_INSIDE = 1e-13
"""How far inside a step's radius its candidate lies, so that its divergence, recomputed, is not beyond the radius."""


def best_radius(frontier: Frontier, surrogate: Surrogate, problem: Penalty) -> tuple[np.ndarray, np.ndarray]:
    """The radius t that maximises F(t) = Σ ρ f(t) − φ(t), and an upper bound on F, φ any function that does not fall.

    f is concave with slope Σ ρ λ(t), hence below its tangents; φ is above its chords where it is concave (as its values at
    all points tried must show; else only above its left end). The cells of the best bounds are cut until they close.

    Raises:
        NotSolved: for a batch.
    """
    if len(surrogate.gamma) > 1:
        raise NotSolved("got a batch for a penalty that is not convex; wanted one instance; loop over them")

    def point(t: float) -> tuple[float, float, float, float]:
        gain, slope = frontier(t)
        return t, gain, slope if t > 0 else np.inf, float(penalty_at(surrogate, problem, np.array([t]))[0])

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
    frontier: Frontier, surrogate: Surrogate, problem: Penalty, under: Callable[[np.ndarray], float]
) -> tuple[np.ndarray, np.ndarray]:
    """The best radius under a stepped penalty, and an upper bound on F at all radii.

    The penalty is the lesser of its steps and its envelope: F is at most the larger of its maximum under the envelope, and
    the best of its values at the steps' right ends, tried upward and downward until they fall. Outside the steps tried the
    penalty is taken to be the envelope, which is not below it: what is returned is optimal for that penalty.

    Args:
        frontier: of the instance.
        surrogate: of one instance.
        problem: with a `SteppedBound`.
        under: from C, (1,), to the best radius under the penalty that is C times the divergence.

    Raises:
        NotSolved: for a batch.
    """
    if len(surrogate.gamma) > 1:
        raise NotSolved("got a batch for a penalty that is computed step by step; wanted one instance; loop over them")
    assert isinstance(problem.bound, SteppedBound)
    radius, best = _under_envelope(frontier, surrogate, Penalty(bound=problem.bound.envelope), under)
    linear = radius < _FARTHEST and best > 0
    start = radius if linear and radius * _WORTH < LEAST_RADIUS else _under_chords(surrogate, problem, under)
    if start * _WORTH >= LEAST_RADIUS:
        first = step_above(min(max(start, LEAST_RADIUS), LARGEST_RADIUS))
        for step, way in ((first, 1), (first - 1, -1)):
            falls = 0
            while falls < _FALLS and LEAST_RADIUS <= radius_of(step) <= LARGEST_RADIUS:
                here = radius_of(step) * (1 - _INSIDE)
                found = frontier(here)[0] - float(penalty_at(surrogate, problem, np.array([here]))[0])
                falls = falls + 1 if found <= best else 0
                best, radius = max((best, radius), (found, here))
                step += way
    return np.array([radius]), np.array([best + 4 * _INSIDE * abs(best)])


def _under_envelope(
    frontier: Frontier, surrogate: Surrogate, envelope: Penalty, under: Callable[[np.ndarray], float]
) -> tuple[float, float]:
    """The best radius under the envelope, and F there; one that is not linear is the same at all radii but 0."""
    coefficient = linear_coefficient(surrogate, envelope)
    at = _FARTHEST if coefficient is None else under(coefficient)
    value = frontier(at)[0] - float(penalty_at(surrogate, envelope, np.array([at]))[0])
    return (at, value) if coefficient is not None or value > 0 else (0.0, 0.0)


def _under_chords(surrogate: Surrogate, problem: Penalty, under: Callable[[np.ndarray], float]) -> float:
    """A radius near the best: that under the chord from 0 to the penalty there, in turn."""
    radius = _CHORD
    for _ in range(_CHORDS):
        chord = penalty_at(surrogate, problem, np.array([radius])) / radius
        radius = min(max(under(chord), LEAST_RADIUS), _WIDEST)
    return radius


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
