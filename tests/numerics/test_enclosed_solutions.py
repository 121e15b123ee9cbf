"""Linear systems in balls: every enclosure contains the solution in exact rationals, and is small; what is 0 exactly is 0."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from exact import rationals, solve
from flint import arb, arb_mat, fmpq, fmpq_mat

from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.ball.arrays import balls, plain
from trpo_theory.numerics.ball.balls import Balls
from trpo_theory.numerics.ball.dyadic import exact, exact_rows
from trpo_theory.numerics.ball.enclosing import EnclosingBalls
from trpo_theory.numerics.ball.raw import Undecided, precision
from trpo_theory.numerics.ball.solver import EnclosedSolver
from trpo_theory.step.exact import ExactInstance

N = 30
"""States: above those that the ball library eliminates by itself."""


def stochastic(rng, n=N, concentration=1.0):
    """Rows of rationals that sum to one exactly."""
    rows = rationals(rng.dirichlet(np.full(n, concentration), size=n))
    return rows / rows.sum(1)[:, None]


def escaping(probability):
    """A line that is walked to its end, with a step back to the start unless one escapes: runs of 1/probability^k steps."""
    chain = rationals(np.zeros((N, N)))
    for s in range(N):
        forward = probability if s in (3, 9, 20) else fmpq(1, 2)
        chain[s, 0] += 1 - forward
        if s + 1 < N:
            chain[s, s + 1] += forward
    return chain


def averaged(rng):
    """P - 1 u': no M-matrix."""
    return stochastic(rng) - fmpq(1, N)


RNG = np.random.default_rng(0)
UNIT = rationals(np.eye(N))
MATRICES = {
    "discounted": (UNIT - fmpq(9, 10) * stochastic(RNG), 150),
    "gamma = 1 - 1e-12": (UNIT - (1 - fmpq(1, 10**12)) * stochastic(RNG), 110),
    "rare moves": (UNIT - fmpq(99, 100) * stochastic(RNG, concentration=0.02), 110),
    "average": (UNIT - averaged(RNG), 150),
    "runs of 1e3 steps": (UNIT - escaping(fmpq(1, 8)), 100),
    "runs of 1e18 steps": (UNIT - escaping(fmpq(1, 10**6)), 60),
    "no inverse in floats": (UNIT - (1 - fmpq(1, 10**40)) * stochastic(RNG), 20),
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("transposed", [False, True])
def test_the_exact_solution_is_enclosed_and_closely(name, transposed):
    matrix, accurate = MATRICES[name]
    b = rationals(np.random.default_rng(1).normal(size=N) * 1e12)
    want = solve(matrix.T.copy() if transposed else matrix, b)
    with precision(192):
        solver = EnclosedSolver(arb_mat(N, N, matrix.ravel().tolist()))
        found = (solver.solve_transposed if transposed else solver.solve)([arb(x) for x in b])
    with precision(8192):
        assert all(ball.contains(x) for ball, x in zip(found, want, strict=True))
        assert min(ball.rel_accuracy_bits() for ball in found) > accurate


def test_a_solution_that_floats_get_wrong_is_enclosed_all_the_same(monkeypatch):
    """LU in floats is believed in nothing: with another matrix's, the enclosure is wide or the ball library's own."""
    matrix, _ = MATRICES["discounted"]
    b = rationals(np.ones(N))
    want = solve(matrix, b)
    for wrong in (0.7, 1.5, -1.0, np.nan):
        monkeypatch.setattr(EnclosedSolver, "floats", property(lambda self, wrong=wrong: wrong * np.eye(N) + 0.01))
        with precision(192):
            found = EnclosedSolver(arb_mat(N, N, matrix.ravel().tolist())).solve([arb(x) for x in b])
            assert all(ball.contains(x) for ball, x in zip(found, want, strict=True))


def test_what_is_not_reached_is_0_itself_and_a_singular_matrix_is_undecided():
    chain = rationals(np.zeros((N, N)))
    for s in range(N):
        chain[s, min(s + 1, N - 1)] = fmpq(1)
    solver = EnclosedSolver(arb_mat(N, N, (UNIT - fmpq(1, 2) * chain).ravel().tolist()))
    found = solver.solve_transposed([arb(int(s == 4)) for s in range(N)])
    assert [x.is_zero() for x in found] == [s < 4 for s in range(N)]
    with pytest.raises(Undecided):
        EnclosedSolver(arb_mat(N, N, (UNIT - chain).ravel().tolist())).solve([arb(1)] * N)


def test_a_neumann_series_of_many_states():
    """b + Mb + ...: its sum where it converges, infinite where a class of states that b is on grows, and finite if b is not."""
    with precision(192):
        rng = np.random.default_rng(2)
        moves = stochastic(rng)[:, None]
        transition, b = balls(np.vectorize(as_fraction, otypes=[object])(moves)), exact(rng.uniform(size=N))
        weight = balls(np.full((N, 1), Fraction(4, 5), dtype=object))
        want = solve(UNIT - fmpq(4, 5) * moves[:, 0], rationals([x.fraction for x in plain(b)]))
        found = EnclosingBalls().neumann_sum(transition, weight, b)
        assert all(arb(x.raw).contains(y) for x, y in zip(plain(found), want, strict=True))
        growing = balls(np.full((N, 1), Fraction(101, 100), dtype=object))
        assert all(x == np.inf for x in plain(EnclosingBalls().neumann_sum(transition, growing, b)))


def as_fraction(x):
    return Fraction(int(x.p), int(x.q))


def test_floats_are_the_rationals_that_they_are_and_rows_stand_over_their_sums():
    rows = np.array([[0.1, 0.2, 0.7], [5e-324, 1.0, 0.0], [0.0, 0.0, 0.0], [2.0**-1022, 3.0 * 2.0**-1074, 0.3]])
    found = plain(exact_rows(rows))
    for row, balls_of_row in zip(rows, found, strict=True):
        entries = [Fraction(x) for x in row.tolist()]
        assert [x.fraction for x in balls_of_row] == [x / (sum(entries) or 1) for x in entries]
    assert [x.fraction for x in plain(exact(rows[0]))] == [Fraction(x) for x in rows[0].tolist()]


def test_how_long_exact_solutions_are():
    """Of 2 states: gamma's denominator, each row's of the policy, and those of its moves; a horizon has as many each step."""
    fields = {"transition": [[["1/3", "2/3"]], [[1, 0]]], "reward": [[0], [1]], "gamma": "1/2", "initial": [1, 0]}
    one = ExactInstance(**fields, old=[[1], [1]], new=[[1], [1]])
    assert one.solution_bits == 2 * 2 + 1
    assert one.replace(horizon=3).solved_states == 6
    with pytest.raises(InvalidInput):
        one.replace(horizon=0)


@pytest.mark.parametrize("arithmetic", [Balls(), EnclosingBalls()], ids=lambda one: one.name)
def test_the_rows_furthest_apart_are_found_where_floats_cannot_tell(arithmetic):
    """Rows that are alike in floats, and differ by 1e-30 of what they are: against every pair in fractions."""
    rng = np.random.default_rng(3)
    for scale in (1, 10**30, Fraction(1, 10**300)):
        rows = [[Fraction(int(x), 7) for x in rng.integers(-3, 4, 5)] for _ in range(4)]
        rows += [[x + Fraction(int(rng.integers(-9, 10)), 10**30) for x in row] for row in rows]
        matrix = [[scale * x for x in row] for row in rows]
        want = max(sum(abs(x - y) for x, y in zip(one, other, strict=True)) for one in matrix for other in matrix)
        found = arithmetic.row_distance(balls(np.array(matrix, dtype=object)))
        assert found.fraction == want if scale == 1 else found.lower <= want <= found.upper


@pytest.mark.parametrize("name", MATRICES)
def test_an_inverse_encloses_the_exact_one(name):
    matrix, accurate = MATRICES[name]
    with precision(192):
        rows = EnclosedSolver(arb_mat(N, N, matrix.ravel().tolist())).inverse()
    want = fmpq_mat(N, N, matrix.ravel().tolist()).inv().tolist()
    with precision(8192):
        assert all(
            x.contains(y) for row, right in zip(rows, want, strict=True) for x, y in zip(row, right, strict=True)
        )
        assert min(x.rel_accuracy_bits() for row in rows for x in row) > accurate - 20


def test_an_inverse_is_0_itself_where_a_state_does_not_reach_another():
    """Two chains that do not meet."""
    chain = rationals(np.zeros((N, N)))
    for s in range(N):
        chain[s, (s + 2) % N] = fmpq(1)
    rows = EnclosedSolver(arb_mat(N, N, (UNIT - fmpq(1, 2) * chain).ravel().tolist())).inverse()
    assert all(rows[s][t].is_zero() == bool((s - t) % 2) for s in range(N) for t in range(N))
