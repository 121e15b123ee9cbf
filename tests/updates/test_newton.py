"""Roots by Newton in a bracket: closed forms, and functions on which Newton's step alone would not do."""

from __future__ import annotations

import numpy as np
import pytest

from trpo_theory.updates.rows.newton import NEWTON_RTOL, Step, newton_roots


def _cubes(target: np.ndarray, steps: list[int]) -> np.ndarray:
    """x with x³ = target, counting the points at which it is evaluated."""

    def step_of(some: np.ndarray | None) -> Step:
        goal = target if some is None else target[some]

        def step(here: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            steps.append(len(here))
            guess = here - (here**3 - goal) / (3 * here**2)
            return here**3 < goal, guess, np.abs(here**3 - goal) <= NEWTON_RTOL * goal

        return step

    ends = np.ones(target.shape)
    return newton_roots(step_of, np.where(target > 8, np.nan, 1.5), 1e-100 * ends, 1e100 * ends)


@pytest.mark.parametrize("rows", [1, 5, 64, 65, 1000])
def test_few_and_many_rows_reach_the_roots_in_closed_form(rows: int) -> None:
    roots = np.geomspace(1e-6, 1e6, rows)
    steps: list[int] = []
    np.testing.assert_allclose(_cubes(roots**3, steps), roots, rtol=4e-15)
    assert steps[0] == rows
    assert steps[-1] < rows or rows <= 64  # what is found of many is not solved for again


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    roots = np.geomspace(1e-6, 1e6, 200)
    together = _cubes(roots**3, [])
    alone = np.concatenate([_cubes(roots[i : i + 1] ** 3, []) for i in range(0, 200, 7)])
    assert (together[::7] == alone).all()


def test_a_step_out_of_the_bracket_halves_it() -> None:
    """arctan(log x) = 0: Newton from x = 100 diverges."""

    def step_of(_: np.ndarray | None) -> Step:
        def step(here: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            t = np.log(here)
            with np.errstate(over="ignore"):
                guess = here * np.exp(-np.arctan(t) * (1 + t**2))
            return t < 0, guess, t == 0

        return step

    one = np.ones(1)
    assert newton_roots(step_of, 100 * one, 1e-30 * one, 1e40 * one)[0] == pytest.approx(1.0, rel=1e-15)
