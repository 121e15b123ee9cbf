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
            return np.broadcast_to(surrogate.penalty(problem.bound, max_kl), surrogate.gamma.shape)
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


def best_radius(solve: Callable[..., tuple[np.ndarray, ...]], surrogate: Surrogate, problem: Penalty) -> np.ndarray:
    """The radius t that maximises F(t) = Σ ρ f(t) − φ(t), φ any function that does not fall, by bisection of cells.

    On [a, b], F ≤ f(a) + min(f'(a) (b − a), f(b) − f(a)) − φ(a), for f is concave; the cell of the best bound is cut
    until no cell's bound exceeds the best value found.

    Raises:
        NotSolved: if the bounds have not closed; (B,) > 1 is solved one instance at a time.
    """
    rho = surrogate.visitation
    if len(surrogate.gamma) > 1:
        raise NotSolved("got a batch for a penalty that is not linear in max-KL; wanted one instance; loop over them")

    def value(t: float) -> tuple[float, float]:
        _, gain, _, _ = solve("at_radius", np.array([t]))
        return float((rho * gain).sum()), float(penalty_at(surrogate, problem, np.array([t]))[0])

    grid = [0.0, *np.geomspace(1e-24, 600.0, 160)]
    known = {t: value(t) for t in grid}
    best = max(known, key=lambda t: known[t][0] - known[t][1])
    for _ in range(_ROUNDS):
        edges = sorted(known)
        top = known[best][0] - known[best][1]
        cells = [(known[b][0] - known[a][1] - top, a, b) for a, b in pairwise(edges)]
        open_cells = [cell for cell in sorted(cells, reverse=True)[:8] if cell[0] > 1e-10 * abs(top) + 1e-300]
        if not open_cells:
            break
        for _, a, b in open_cells:
            middle = float(np.sqrt(a * b)) if a > 0 else b / 16
            known[middle] = value(middle)
        best = max(known, key=lambda t: known[t][0] - known[t][1])
    return np.array([best])
