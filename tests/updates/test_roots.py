"""Roots that rows share, of functions whose roots are known in closed form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from trpo_theory.updates.solvers.roots import decreasing_roots

LOW, HIGH = -600.0, 600.0
Function = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def _roots(function: Function, start: list[float]) -> tuple[np.ndarray, int]:
    """And how often the function was asked."""
    asked = []

    def counted(x: np.ndarray, _: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        asked.append(x)
        value, slope = function(x)
        return value, slope, np.abs(value) <= 1e-13

    return decreasing_roots(counted, np.array(start), np.ones(len(start), dtype=bool), LOW, HIGH), len(asked)


def _saturating(level: np.ndarray) -> Function:
    """1/(1 + e^x) − level, decreasing from 1 − level to −level: its root is log(1/level − 1)."""

    def function(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        part = 1 / (1 + np.exp(x))
        return part - level, -part * (1 - part)

    return function


@pytest.mark.parametrize("start", [-30.0, -3.0, 0.0, 2.0, 30.0])
def test_between_two_plateaus(start: float) -> None:
    level = np.array([0.5, 1e-3, 0.999])
    found, asked = _roots(_saturating(level), [start] * 3)
    assert found == pytest.approx(np.log(1 / level - 1), abs=1e-9)
    assert asked < 80


def test_a_root_below_the_low_end_ends_there_soon() -> None:
    """No multiplier spends more than the best actions do: a level above 1 has no root."""
    level = np.array([1.0 + 1e-6, 1.5, 0.25])
    found, asked = _roots(_saturating(level), [0.0] * 3)
    assert found[:2] == pytest.approx([LOW, LOW])
    assert found[2] == pytest.approx(np.log(3.0), abs=1e-9)
    assert asked < 20


def test_where_newton_creeps_at_a_high_power() -> None:
    """−(x + 1)⁹ + 2⁻⁹: every Newton step from afar takes off a ninth."""

    def function(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 2.0**-9 - (x + 1) ** 9, -9 * (x + 1) ** 8

    found, asked = _roots(function, [500.0])
    assert found == pytest.approx([-0.5], abs=1e-9)
    assert asked < 80
