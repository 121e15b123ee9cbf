"""Error bounds of `RunningError` against mpmath: the exact result of any operands within their errors is within the result's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from trpo_theory.numerics.error_array import ErrorArray
from trpo_theory.numerics.running_error import RunningError

COUNT = 60
A = RunningError()


def kl_term(p: mpf, q: mpf) -> mpf:
    return q if p == 0 else p * mpmath.log(p / q) - p + q


def power_law(p: mpf, q: mpf) -> mpf:
    return p ** mpf("0.5") * q ** mpf("0.5")


ELEMENTWISE: dict[str, tuple[Callable[[Any, Any], Any], Callable[[mpf, mpf], mpf]]] = {
    "sum": (lambda x, y: x + y, lambda x, y: x + y),
    "difference": (lambda x, y: x - y, lambda x, y: x - y),
    "product": (lambda x, y: x * y, lambda x, y: x * y),
    "quotient": (lambda x, y: x / y, lambda x, y: x / y),
    "sqrt": (lambda x, y: A.sqrt(x) * y, lambda x, y: mpmath.sqrt(x) * y),
    "log": (lambda x, y: A.log(x) - y, lambda x, y: mpmath.log(x) - y),
    "exp": (lambda x, y: A.exp(x - y), lambda x, y: mpmath.exp(x - y)),
    "square": (lambda x, y: (x - y) ** 2, lambda x, y: (x - y) ** 2),
    "power": (lambda x, y: x**-1.5 + y, lambda x, y: x ** mpf(-1.5) + y),
    "maximum": (lambda x, y: A.maximum(x, 2 * y), lambda x, y: max(x, 2 * y)),
    "minimum": (lambda x, y: A.minimum(x, y), min),
    "absolute": (lambda x, y: abs(x - y), lambda x, y: abs(x - y)),
    "decimal": (lambda x, y: 0.1 * x - y / 3, lambda x, y: x / 10 - y / 3),
    "kl_div": (A.kl_div, kl_term),
    "chi2": (lambda x, y: A.chi2(x[None], y[None], axis=0), lambda x, y: (x - y) ** 2 / y),
    "hellinger2": (
        lambda x, y: A.hellinger2(x[None], y[None], axis=0),
        lambda x, y: (mpmath.sqrt(x) - mpmath.sqrt(y)) ** 2 / 2,
    ),
    "polylog": (
        lambda x, y: A.polylog(-0.5, x / 2) - y,
        lambda x, y: mpmath.polylog(mpf(-0.5), x / 2).real - y,
    ),
}


def operands(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Positive x and y, often close, with relative errors between none and 1e-4 of the smaller one's distance."""
    rng = np.random.default_rng(seed)
    x = 10 ** rng.uniform(-6, 0, COUNT)
    y = x * (1 + rng.choice([-1, 1], COUNT) * 10 ** rng.uniform(-12, -0.5, COUNT))
    share = np.where(rng.random(COUNT) < 0.3, 0.0, 10 ** rng.uniform(-17, -6, COUNT))
    return x, y, x * share, y * share[::-1]


@pytest.mark.parametrize("case", ELEMENTWISE)
def test_results_are_within_their_errors_and_errors_are_attained(case):
    ours, oracle = ELEMENTWISE[case]
    x, y, dx, dy = operands(len(case))
    with mpmath.workdps(50):
        got = ours(ErrorArray(x, dx), ErrorArray(y, dy))
        corners = [(mpf(i), mpf(j)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        for k in range(COUNT):
            true = [oracle(mpf(x[k]) + i * mpf(dx[k]), mpf(y[k]) + j * mpf(dy[k])) for i, j in corners]
            off = float(max(abs(mpf(float(got.value[k])) - value) for value in true))
            assert off <= got.error[k] * (1 + 1e-9)
            floor = 2.0**-53 * (abs(got.value[k]) + (x[k] + y[k] + 1) * (case in ("log", "polylog", "decimal", "exp")))
            assert got.error[k] <= 100 * (off + floor) + 40 * dx[k] ** 2 / x[k]


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99, 1 - 1e-6])
def test_a_solve_is_within_its_error(gamma):
    """x = b + γPx at 60 digits, for the chain as stored, each of whose entries may be off by a relative 1e-15."""
    rng = np.random.default_rng(1)
    P = rng.dirichlet(np.full(4, 0.3), 4)
    b = rng.normal(size=4)
    transition, policy = ErrorArray(P[:, None, :, None], 1e-15 * P[:, None, :, None]), np.ones((4, 1, 1))
    solved = A.resolvent(transition, policy, np.array([gamma]))
    for transposed, got in ((False, solved.solve(b[:, None])), (True, solved.solve_transposed(abs(b)[:, None]))):
        worst = 0.0
        with mpmath.workdps(60):
            for _ in range(5):
                moved = [[mpf(P[s, t]) * (1 + mpf(rng.choice([-1e-15, 1e-15]))) for t in range(4)] for s in range(4)]
                matrix = mpmath.eye(4) - mpf(gamma) * mpmath.matrix(moved)
                right = mpmath.matrix(list(map(float, abs(b) if transposed else b)))
                true = mpmath.lu_solve(matrix.T if transposed else matrix, right)
                off = [float(abs(mpf(float(got.value[s, 0])) - true[s])) for s in range(4)]
                assert (np.array(off) <= got.error[:, 0]).all()
                worst = max(worst, *off)
        assert got.error.max() <= 1e3 * worst + 1e-15


def test_what_it_does_not_follow_is_refused():
    x = ErrorArray(np.array([0.5, 0.25]), 1e-9)
    for lost in (np.asarray, np.sort, np.sin, np.cumsum, lambda y: np.float32(1) * y.astype(np.float32)):
        with pytest.raises((TypeError, AttributeError)):
            lost(x)


def test_an_infinite_number_and_what_it_hides():
    """KL of a row that leaves its support is infinite, and certain; what `where` leaves out does not count."""
    p, q = ErrorArray(np.array([0.5, 0.0]), 1e-17), ErrorArray(np.array([0.0, 0.25]))
    kl = A.kl_div(p, q)
    assert (kl.value[0], kl.error[0]) == (np.inf, 0.0)
    kept = A.where(np.array([False, True]), kl, 1.0)
    assert kept.value.tolist() == [1.0, 0.25]
    assert kept.error[0] == 0.0
    assert np.isfinite(kept.error).all()
