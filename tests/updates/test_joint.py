"""Newton on all rows and the number that they share: against bisection in plain Python; and KL of a row against mpmath."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest

from trpo_theory.updates import MaxKL, Surrogate
from trpo_theory.updates.rows.forward_kl_point import Point
from trpo_theory.updates.rows.rows import Rows
from trpo_theory.updates.solvers.blocks import Blocks
from trpo_theory.updates.solvers.joint import joint_multiplier, joint_radius


def _surrogate(states: int, batch: int = 1) -> Surrogate:
    generator = np.random.default_rng(states)
    old = np.moveaxis(generator.dirichlet(np.ones(3), size=(states, batch)), 2, 0)
    advantage = generator.standard_normal(old.shape)
    rho = 10 * generator.dirichlet(np.ones(states), size=batch).T
    gamma = np.full(batch, 0.9)
    return Surrogate(old, advantage, np.ones(old.shape, bool), rho, gamma, np.abs(advantage).max((0, 1)))


def _start(surrogate: Surrogate, delta: float) -> np.ndarray:
    """Where the solver starts: KL ≈ Var/(2 λ²)."""
    mean = (surrogate.old * surrogate.advantage).sum(0)
    variance = (surrogate.old * (surrogate.advantage - mean) ** 2).sum(0)
    return 0.5 * np.log((0.1 * surrogate.visitation * variance).sum(0) / (2 * delta))


def _bisected(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a decreasing function crosses 0."""
    for _ in range(70):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if function(middle) > 0 else (low, middle)
    return low


def _kl_at(old: list[float], advantage: list[float], multiplier: float) -> float:
    """KL(old‖p) of p = λ old/(ν − A), Σ p = 1."""
    best = max(advantage)
    u = _bisected(
        lambda u: sum(multiplier * o / (u + best - a) for o, a in zip(old, advantage, strict=True)) - 1, 1e-9, 1e9
    )
    return sum(o * math.log((u + best - a) / multiplier) for o, a in zip(old, advantage, strict=True))


def _price(old: list[float], advantage: list[float], radius: float) -> float:
    """The λ with that KL."""
    return _bisected(lambda price: _kl_at(old, advantage, price) - radius, 1e-6, 1e6)


def _rows(surrogate: Surrogate, instance: int) -> list[tuple[list[float], list[float]]]:
    parts = (surrogate.old[..., instance].T.tolist(), surrogate.advantage[..., instance].T.tolist())
    return list(zip(*parts, strict=True))


@pytest.mark.parametrize("delta", [1e-3, 0.05, 1.0])
def test_one_multiplier_spends_the_mean_radius(delta: float) -> None:
    surrogate = _surrogate(4, batch=3)
    weight = 0.1 * surrogate.visitation
    blocks = Blocks(surrogate, MaxKL(delta))
    found = joint_multiplier(blocks, weight, delta, _start(surrogate, delta))
    for i in range(3):
        spent = [_kl_at(*row, math.exp(found[i])) for row in _rows(surrogate, i)]
        assert float(weight[:, i] @ spent) == pytest.approx(delta, rel=1e-9)


@pytest.mark.parametrize("coefficient", [0.5, 5.0, 50.0])
def test_at_one_radius_the_multipliers_add_up_to_the_coefficient(coefficient: float) -> None:
    surrogate = _surrogate(4, batch=3)
    found = joint_radius(Blocks(surrogate, MaxKL(1.0)), surrogate.visitation, np.full(3, coefficient), np.full(3, -3.0))
    for i in range(3):
        radius = math.log1p(math.exp(found[i]))
        prices = [_price(*row, radius) for row in _rows(surrogate, i)]
        assert float(surrogate.visitation[:, i] @ prices) == pytest.approx(coefficient, rel=1e-9)


@pytest.mark.parametrize("far", [-500.0, 2.0])
def test_a_start_from_which_a_straight_line_leaves_less_than_no_divergence(far: float) -> None:
    surrogate = _surrogate(4, batch=1)
    found = joint_multiplier(
        Blocks(surrogate, MaxKL(0.05)), 0.1 * surrogate.visitation, 0.05, _start(surrogate, 0.05) + far
    )
    spent = [_kl_at(*row, math.exp(found[0])) for row in _rows(surrogate, 0)]
    assert float(0.1 * surrogate.visitation[:, 0] @ spent) == pytest.approx(0.05, rel=1e-9)


def test_what_newton_does_not_reach_keeps_its_start() -> None:
    surrogate = _surrogate(4, batch=2)
    start = np.array([math.nan, _start(surrogate, 0.05)[1]])
    found = joint_multiplier(Blocks(surrogate, MaxKL(0.05)), 0.1 * surrogate.visitation, 0.05, start)
    assert math.isnan(found[0])
    spent = [_kl_at(*row, math.exp(found[1])) for row in _rows(surrogate, 1)]
    assert float(0.1 * surrogate.visitation[:, 1] @ spent) == pytest.approx(0.05, rel=1e-9)


@pytest.mark.parametrize("u", [1e-60, 1e-6, 1e-2, 0.3, 1.0, 3.0, 10.0, 1e3, 1e9])
@pytest.mark.parametrize("old", [[0.2, 0.3, 0.5], [1e-9, 0.4, 0.6 - 1e-9]])
def test_kl_of_a_row_at_any_u(u: float, old: list[float]) -> None:
    """Every branch of it: log1p, log, the series, and p as rare as floats allow."""
    deficit = [0.0, 0.37, 1.0]
    rows = Rows(np.array(old)[:, None], np.array(deficit)[:, None], np.ones(1), np.full(1, -1))
    got = Point.at(rows, np.array([u])).kl()[0]
    with mpmath.workdps(80):
        total = mpmath.fsum(mpmath.mpf(o) / (u + mpmath.mpf(d)) for o, d in zip(old, deficit, strict=True))
        mass = mpmath.fsum(mpmath.mpf(o) for o in old)
        terms = []
        for o, d in zip(old, deficit, strict=True):
            x = mass / ((u + mpmath.mpf(d)) * total) - 1
            terms.append(mpmath.mpf(o) * (x - mpmath.log1p(x)))
        want = mpmath.fsum(terms)
    assert got == pytest.approx(float(want), rel=1e-14)


@pytest.mark.parametrize("u", [1e-3, 0.3, 2.0, 30.0, 1e4])
@pytest.mark.parametrize("old", [[0.2, 0.3, 0.5], [1e-9, 0.4, 0.6 - 1e-9], [0.9, 0.02, 0.08]])
def test_how_kl_of_a_row_bends(u: float, old: list[float]) -> None:
    deficit = [0.0, 0.37, 1.0]
    rows = Rows(np.array(old)[:, None], np.array(deficit)[:, None], np.ones(1), np.full(1, -1))

    def kl(v: mpmath.mpf) -> mpmath.mpf:
        weights = [mpmath.mpf(o) / (mpmath.exp(v) + mpmath.mpf(d)) for o, d in zip(old, deficit, strict=True)]
        share = mpmath.fsum(weights) / mpmath.fsum(map(mpmath.mpf, old))
        return mpmath.fsum(
            mpmath.mpf(o) * mpmath.log(share * mpmath.mpf(o) / w) for o, w in zip(old, weights, strict=True)
        )

    with mpmath.workdps(60):
        v = mpmath.log(mpmath.mpf(u))
        want = mpmath.diff(kl, v, 2) / mpmath.diff(kl, v, 1)
    assert Point.at(rows, np.array([u])).bend()[0] == pytest.approx(float(want), rel=1e-6)
