"""The penalty of (11) as a function of max-KL: linear where the bound is, else any that does not fall."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from trpo_theory.bounds import Bound
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.updates.problems import Penalty
from trpo_theory.updates.surrogate import Surrogate

_PROBES = np.array([1e-12, 1e-6, 1e-3, 0.1, 1.0, 7.0])
_ROUNDS = 60


def penalty_at(surrogate: Surrogate, problem: Penalty, max_kl: Any) -> Any:
    """The penalty at a max-KL, (B,)."""
    if isinstance(problem.bound, Bound):
        try:
            penalty = np.broadcast_to(surrogate.penalty(problem.bound, max_kl), surrogate.gamma.shape)
            if np.isinf(max_kl).any():  # nothing times infinity: a bound without a penalty has none here either
                penalty = np.where(surrogate.penalty(problem.bound, np.ones(penalty.shape)) == 0, 0.0, penalty)
            return penalty
        except AttributeError as error:
            raise InvalidInput(
                got=f"the bound {problem.bound.id!r}, which reads {getattr(error, 'name', None) or error}",
                wanted="a penalty that depends on the new policy through max_kl only",
                mend="use trpo/kl, pinsker/kl or chain-rule/kl",
            ) from None
    with np.errstate(invalid="ignore"):
        return np.where(problem.coefficient == 0, 0.0, np.full(surrogate.gamma.shape, problem.coefficient) * max_kl)


def linear_coefficient(surrogate: Surrogate, problem: Penalty) -> np.ndarray | None:
    """C, (B,), where the penalty is C times max-KL; None where it is not linear."""
    if not isinstance(problem.bound, Bound):
        return np.full(surrogate.gamma.shape, problem.coefficient)
    slopes = np.array([penalty_at(surrogate, problem, np.full(surrogate.gamma.shape, t)) / t for t in _PROBES])
    linear = (np.abs(slopes - slopes[-1]) <= 1e-13 * np.abs(slopes[-1])).all()
    return slopes[-1] if linear else None


def best_radius(
    solve: Callable[..., tuple[np.ndarray, ...]], surrogate: Surrogate, problem: Penalty
) -> tuple[np.ndarray, np.ndarray]:
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
        _, gain, multiplier, _ = solve("at_radius", np.array([t]))
        slope = float((rho * multiplier).sum()) if t > 0 else np.inf
        return t, float((rho * gain).sum()), slope, float(penalty_at(surrogate, problem, np.array([t]))[0])

    points = [point(t) for t in (0.0, *np.geomspace(1e-24, 600.0, 200))]
    best, bound = 0.0, np.inf
    for _ in range(_ROUNDS):
        points.sort()
        best = max(f - phi for _, f, _, phi in points)
        concave = _is_concave(points)
        cells = sorted(((_cell_bound(a, b, concave), a[0], b[0]) for a, b in pairwise(points)), reverse=True)
        closing, bound = bound - best, max(cells[0][0], best)
        if bound - best <= 1e-11 * abs(best) or bound - best > 0.99 * closing:
            break  # closed, or down to the rounding of the penalty itself
        points += [point(np.sqrt(a * b) if a > 0 else b / 16) for value, a, b in cells[:12] if value > best]
    radius = max(points, key=lambda p: p[1] - p[3])[0]
    return np.array([radius]), np.array([bound])


def _is_concave(points: list[tuple[float, float, float, float]]) -> bool:
    noise = 8 * np.finfo(np.float64).eps * max(abs(point[3]) for point in points)
    slopes = [((b[3] - a[3]) / (b[0] - a[0]), noise / (b[0] - a[0])) for a, b in pairwise(points)]
    return all(later - off <= (earlier + blur) * (1 + 1e-9) for (earlier, blur), (later, off) in pairwise(slopes))


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
