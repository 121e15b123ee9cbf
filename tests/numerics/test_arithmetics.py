"""Every implementation of `Arithmetic`, a row each, against mpmath: a new implementation adds a row, a new operation a case."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import autograd.numpy as anp
import mpmath
import numpy as np
import pytest
import scipy.sparse as sp
from mpmath import mpf

from trpo_theory.numerics.arithmetic import Arithmetic, Resolvent
from trpo_theory.numerics.ball.arrays import balls, plain
from trpo_theory.numerics.ball.balls import Balls
from trpo_theory.numerics.ball.enclosing import EnclosingBalls
from trpo_theory.numerics.ball.raw import precision
from trpo_theory.numerics.derivatives import Traced, gradient
from trpo_theory.numerics.error_array import ErrorArray
from trpo_theory.numerics.floats import Floats
from trpo_theory.numerics.graded import GradedArray, GradedFloats
from trpo_theory.numerics.running_error import RunningError
from trpo_theory.recorded.chains import OneMDP
from trpo_theory.zoo import kakade

TRANSITION = np.array([[[0.25, 0.75], [1.0, 0.0]], [[0.5, 0.5], [0.0, 1.0]]])
POLICY = np.array([[0.5, 0.5], [0.25, 0.75]])
GAMMA = 0.875
P = np.array([[0.25, 0.25, 0.5], [0.0, 0.5, 0.5]])
Q = np.array([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]])
X = np.array([0.25, 1.0, 2.5])
Y = np.array([0.5, 1.0, 2.25])
MASK = np.array([[True, False, True], [False, False, True]])


def same(x: np.ndarray) -> Any:
    return x


def twice(x: np.ndarray) -> Any:
    """A batch of two, last."""
    return np.stack([x, x], axis=-1)


def first_of_two(x: Any) -> Any:
    x = np.asarray(x)
    np.testing.assert_array_equal(x[..., 0], x[..., 1])
    return x[..., 0]


def value_of_two(x: Any) -> Any:
    return first_of_two(RunningError.plain(x))


def middle(x: Any) -> Any:
    return np.array([one if isinstance(one, bool) else one.midpoint for one in plain(x).ravel()]).reshape(np.shape(x))


@dataclass(frozen=True)
class Row:
    """An implementation: how numbers get into it and out again, and to what relative accuracy."""

    arithmetic: Arithmetic
    lift: Callable[[np.ndarray], Any]
    lower: Callable[[Any], Any]
    rtol: float


ROWS = {
    "floats, one instance": Row(Floats(), same, np.asarray, 1e-14),
    "floats, a batch": Row(Floats(), twice, first_of_two, 1e-14),
    "derivatives": Row(Traced(), twice, first_of_two, 1e-14),
    "running errors": Row(RunningError(), lambda x: ErrorArray(twice(x)), value_of_two, 1e-14),
    "graded comparisons": Row(GradedFloats(), lambda x: twice(x).view(GradedArray), first_of_two, 1e-14),
    "balls": Row(Balls(), balls, middle, 1e-15),
    "enclosing balls": Row(EnclosingBalls(), balls, middle, 1e-15),
}


def each(function: Callable[..., Any], *arrays: np.ndarray) -> np.ndarray:
    """A function of mpmath's numbers, entry by entry."""
    entries = zip(*(array.ravel() for array in np.broadcast_arrays(*arrays)), strict=True)
    flat = [function(*map(mpf, map(float, entry))) for entry in entries]
    return np.array(flat, dtype=object).reshape(np.broadcast_shapes(*(array.shape for array in arrays)))


def kl_term(p: mpf, q: mpf) -> mpf:
    return q if p == 0 else mpmath.inf if q == 0 else p * mpmath.log(p / q) - p + q


def chain() -> mpmath.matrix:
    """I − γ P_π."""
    return mpmath.matrix(
        [
            [
                int(s == t) - mpf(GAMMA) * sum(mpf(POLICY[s, a]) * mpf(TRANSITION[s, a, t]) for a in range(2))
                for t in range(2)
            ]
            for s in range(2)
        ]
    )


def moved() -> mpmath.matrix:
    """P_π."""
    return (mpmath.eye(2) - chain()) / mpf(GAMMA)


def chain_chi2(s: int) -> mpf:
    """Of the policy whose rows are exchanged, from POLICY."""
    rows = [
        [sum(mpf(row[a]) * mpf(TRANSITION[s, a, t]) for a in range(2)) for t in range(2)]
        for row in (POLICY[1 - s], POLICY[s])
    ]
    return sum((p - q) ** 2 / q for p, q in zip(*rows, strict=True))


def solved(matrix: mpmath.matrix) -> np.ndarray:
    return np.array(list(mpmath.lu_solve(matrix, mpmath.matrix([1, 2]))), dtype=object)


def resolvent(a: Arithmetic, lift: Callable[[np.ndarray], Any]) -> Resolvent:
    return a.resolvent(lift(TRANSITION), lift(POLICY), lift(np.array(GAMMA)))


B = np.array([1.0, 2.0])
LAWS = np.array([[0.5, 0.5], [0.0, 1.0], [1.0, 0.0]])
APART = np.array([[0.5, 0.5, -1.0], [0.25, 0.75, 0.0], [1.0, 0.25, 0.0], [0.5, 0.0, 0.0]])
ENDING = np.array([[[0.5, 0.5]], [[0.0, 1.0]]])
CASES: dict[str, tuple[Callable[[Arithmetic, Callable[[np.ndarray], Any]], Any], Callable[[], Any]]] = {
    "sqrt": (lambda a, of: a.sqrt(of(X)), lambda: each(mpmath.sqrt, X)),
    "log": (lambda a, of: a.log(of(X)), lambda: each(mpmath.log, X)),
    "log, 0": (lambda a, of: a.log(of(np.array([0.0, 1.0]))), lambda: [-mpmath.inf, 0]),
    "exp": (lambda a, of: a.exp(of(X)), lambda: each(mpmath.exp, X)),
    "minimum": (lambda a, of: a.minimum(of(X), of(Y)), lambda: np.minimum(X, Y)),
    "maximum": (lambda a, of: a.maximum(of(X), of(Y)), lambda: np.maximum(X, Y)),
    "where": (lambda a, of: a.where(of(X) > of(Y), of(X), of(Y)), lambda: np.maximum(X, Y)),
    "close": (lambda a, of: a.close(of(X), of(Y)), lambda: X == Y),
    "nan_to_inf": (lambda a, of: a.nan_to_inf(of(np.array([np.nan, 1.0, np.inf]))), lambda: [np.inf, 1, np.inf]),
    "kl_div": (lambda a, of: a.kl_div(of(P), of(Q)), lambda: each(kl_term, P, Q)),
    "kl_div, infinite": (lambda a, of: a.kl_div(of(Q), of(P)), lambda: each(kl_term, Q, P)),
    "polylog": (
        lambda a, of: a.polylog(-0.5, of(np.array([0.0, 0.125, 0.75]))),
        lambda: [mpmath.polylog(-0.5, x) if x else 0 for x in (0, 0.125, 0.75)],
    ),
    "sum": (lambda a, of: a.sum(of(P), 1), lambda: [1, 1]),
    "sum, masked": (lambda a, of: a.sum(of(P), 1, of(MASK)), lambda: [0.75, 0.5]),
    "max": (lambda a, of: a.max(of(P), 0), lambda: [0.25, 0.5, 0.5]),
    "max, masked": (lambda a, of: a.max(of(P), 0, of(MASK)), lambda: [0.25, -np.inf, 0.5]),
    "chi2": (lambda a, of: a.chi2(of(P), of(Q), axis=1), lambda: each(lambda p, q: (p - q) ** 2 / q, P, Q).sum(1)),
    "chi2, infinite": (lambda a, of: a.chi2(of(Q), of(P), axis=1), lambda: [mpf(1) / 4 + mpf(1) / 8, np.inf]),
    "jensen_shannon": (
        lambda a, of: a.jensen_shannon(of(P), of(Q), axis=1),
        lambda: each(lambda p, q: (kl_term(p, (p + q) / 2) + kl_term(q, (p + q) / 2)) / 2, P, Q).sum(1),
    ),
    "hellinger2": (
        lambda a, of: a.hellinger2(of(P), of(Q), axis=1),
        lambda: 1 - each(lambda p, q: mpmath.sqrt(p * q), P, Q).sum(1),
    ),
    "renyi": (
        lambda a, of: a.renyi(of(P), of(Q), 0.25, axis=1),
        lambda: each(mpmath.log, each(lambda p, q: p**0.25 * q**0.75, P, Q).sum(1)) / mpf(-0.75),
    ),
    "stack": (lambda a, of: a.stack([of(X), of(Y)], 1), lambda: np.stack([X, Y], 1)),
    "row_distance": (lambda a, of: a.row_distance(of(APART)), lambda: mpf(7) / 4),
    "row_distance, alike": (lambda a, of: a.row_distance(of(P[[0, 0]])), lambda: 0),
    "resolvent": (lambda a, of: resolvent(a, of).solve(of(B)), lambda: solved(chain())),
    "resolvent, transposed": (lambda a, of: resolvent(a, of).solve_transposed(of(B)), lambda: solved(chain().T)),
    "expect": (lambda a, of: a.expect(of(TRANSITION), of(B)), lambda: TRANSITION @ B),
    "push": (lambda a, of: a.push(of(TRANSITION), of(POLICY)), lambda: np.einsum("sat,sa->t", TRANSITION, POLICY)),
    "laws": (
        lambda a, of: a.laws(of(TRANSITION), of(POLICY), of(P[0, 1:]), 6),
        lambda: [list((moved() ** t).T * mpmath.matrix(list(map(mpf, P[0, 1:])))) for t in range(6)],
    ),
    "moments": (
        lambda a, of: a.stack(list(a.moments(of(LAWS), of(B))), 0),
        lambda: [[mpf(3) / 2, 2, 1], [mpf(1) / 4, 0, 0]],
    ),
    "neumann_sum": (
        lambda a, of: a.neumann_sum(of(TRANSITION), of(GAMMA * POLICY), of(B)),
        lambda: solved(chain()),
    ),
    "neumann_sum, divergent": (
        lambda a, of: a.neumann_sum(of(TRANSITION), of(1.125 * POLICY), of(B)),
        lambda: [mpmath.inf, mpmath.inf],
    ),
    "neumann_sum, beyond 1 but ending": (
        lambda a, of: a.neumann_sum(of(ENDING), of(np.array([[1.5], [1.5]])), of(np.array([1.0, 0.0]))),
        lambda: [4, 0],
    ),
    "chain_chi2": (
        lambda a, of: a.chain_chi2(of(TRANSITION), of(POLICY[::-1].copy()), of(POLICY)),
        lambda: [chain_chi2(s) for s in range(2)],
    ),
    "enclosed": (lambda a, of: a.enclosed(of(X)), lambda: X),
    "nearest_floats": (lambda a, of: a.nearest_floats(of(X)), lambda: X),
}
SHAPELESS = {"name", "identity"}
"""What has no batch axis: tested by itself."""


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("case", CASES)
def test_an_operation_is_what_mpmath_says(row, case):
    call, want = CASES[case]
    with mpmath.workdps(40), precision(100), np.errstate(all="ignore"):
        got, true = row.lower(call(row.arithmetic, row.lift)), np.asarray(want(), dtype=object)
        assert got.shape == true.shape
        for mine, right in zip(got.ravel(), true.ravel(), strict=True):
            assert mine == right or abs(mpf(float(mine)) - right) <= row.rtol * abs(right), case


def test_every_operation_has_a_case():
    operations = {name for name in (*vars(Arithmetic), *Arithmetic.__annotations__) if not name.startswith("_")}
    assert {case.split(",")[0] for case in CASES} | SHAPELESS == operations


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_it_is_an_arithmetic(row):
    assert isinstance(row.arithmetic, Arithmetic)
    assert isinstance(resolvent(row.arithmetic, row.lift), Resolvent)
    assert row.arithmetic.name
    unit = row.arithmetic.identity(3)
    assert (unit == np.eye(3)).all()


def test_the_arithmetic_of_one_mdp_is_that_of_floats_on_it():
    mdp = kakade()
    one, batch = OneMDP(mdp), twice(np.full((mdp.states, mdp.actions), 1 / mdp.actions))
    assert isinstance(one, Arithmetic)
    np.testing.assert_allclose(one.push(mdp.transition, batch), Floats().push(twice(mdp.transition), batch), rtol=1e-15)
    value = twice(np.arange(mdp.states, dtype=float))
    np.testing.assert_allclose(
        one.expect(mdp.transition, value), Floats().expect(twice(mdp.transition), value), rtol=1e-15
    )


def test_the_chains_of_one_mdp_are_those_of_floats_on_each_policy():
    mdp = kakade()
    policies = np.random.default_rng(0).dirichlet(np.ones(mdp.actions), (3, mdp.states))
    old, new = (np.ascontiguousarray(part.transpose(1, 2, 0)) for part in (policies, policies[::-1]))
    start, b = mdp.initial[:, None], np.arange(1.0, mdp.states + 1)[:, None]
    sparse = sp.csr_array(mdp.transition.reshape(-1, mdp.states))
    for each in range(3):
        one = policies[each], policies[::-1][each]
        for arithmetic, transition, pick in ((OneMDP(mdp), mdp.transition, each), (Floats(), sparse, None)):
            a, (pi, to) = (arithmetic, (old, new)) if pick is not None else (arithmetic, one)
            of = (lambda x: x) if pick is not None else (lambda x: x[:, 0])
            for got, want in (
                (a.laws(transition, pi, of(start), 5), Floats().laws(mdp.transition, one[0], mdp.initial, 5)),
                (
                    a.neumann_sum(transition, 0.5 * pi, of(b)),
                    Floats().neumann_sum(mdp.transition, 0.5 * one[0], b[:, 0]),
                ),
                (a.chain_chi2(transition, to, pi), Floats().chain_chi2(mdp.transition, one[1], one[0])),
            ):
                np.testing.assert_allclose(got if pick is None else got[..., pick], want, rtol=1e-12)


def test_balls_of_what_is_not_reached_or_does_not_vary_are_exact():
    """State 1 is not left: a law from it has 0 on state 0, and what is the same on the states of a law has no variance."""
    third = [[Fraction(1, 3), Fraction(2, 3)], [Fraction(1), Fraction(0)]]
    moves = balls(np.array([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], dtype=object))
    policy = balls(np.array(third, dtype=object))
    half = Balls().sqrt(balls(np.array([2, 2], dtype=object))) / 3  # not rational, so that the solve is one in balls
    from_end = Balls().resolvent(moves, policy, Fraction(1, 2)).solve_transposed(half * np.array([0, 1]))
    assert from_end[0].fraction == 0
    laws = Balls().laws(moves, policy, balls(np.array(third[0], dtype=object)), 3)
    mean, variance = Balls().moments(laws, balls(np.array([Fraction(1, 7)] * 2, dtype=object)))
    assert [x.fraction for x in mean] == [Fraction(1, 7)] * 3
    assert [x.fraction for x in variance] == [0] * 3


def test_balls_are_exact_where_the_answer_is_rational():
    """The 2 × 2 system, by Cramer's rule in fractions."""
    moved = [[Fraction(POLICY[s] @ TRANSITION[s, :, t]) for t in range(2)] for s in range(2)]  # dyadic: no rounding
    (a, b), (c, d) = ([int(s == t) - Fraction(GAMMA) * moved[s][t] for t in range(2)] for s in range(2))
    got = resolvent(Balls(), balls).solve(balls(B))
    assert [entry.fraction for entry in got] == [(d - 2 * b) / (a * d - b * c), (2 * a - c) / (a * d - b * c)]


DIFFERENTIABLE = (
    *("sqrt", "log", "exp", "kl_div", "chi2", "jensen_shannon", "hellinger2", "resolvent", "resolvent, transposed"),
    *("sum", "max", "row_distance", "expect", "push", "minimum", "laws", "neumann_sum", "chain_chi2"),
)


@pytest.mark.parametrize("case", DIFFERENTIABLE)
def test_a_derivative_is_the_limit_of_difference_quotients_in_balls(case):
    """d/dt of Σ op((1 + t/16) x, (1 + 2t/16) y, ...) at t = 0, against a difference quotient in 400 bits."""
    call, _ = CASES[case]

    def scaled(lift: Callable[[np.ndarray], Any], t: Any) -> Callable[[np.ndarray], Any]:
        factors = itertools.count(1)

        def moved(x: np.ndarray) -> Any:
            return lift(x) if np.ndim(x) == 0 else lift(x) * (1 + next(factors) * t / 16)  # gamma has no derivative

        return moved

    with np.errstate(all="ignore"):
        slope = gradient(lambda t: anp.ravel(call(Traced(), scaled(twice, t[0]))), np.array([0.0]))[0] / 2
    step = Fraction(1, 10**25)
    with precision(400):
        up, down = (plain(call(Balls(), scaled(balls, sign * step))).sum() for sign in (1, -1))
        want = ((up - down) / (2 * step)).midpoint
    assert slope == pytest.approx(want, rel=1e-12)


def test_a_sum_over_a_chain_with_ends_is_found_wherever_it_converges():
    """Beyond 1, where b = 0 cuts off the ends; elimination then swaps the rows of ends. By the terms, from random chains."""
    generator, tried = np.random.default_rng(0), 0
    for _ in range(100):
        transition = generator.dirichlet(np.full(8, 0.1), 8)
        transition[4:] = np.eye(8)[4:]
        b = np.where(np.arange(8) < 4, generator.random(8), 0.0)
        chain = np.where(b[:, None] > 0, 1.3 * transition, 0.0)
        if np.abs(np.linalg.eigvals(chain)).max() > 0.9:
            continue
        total, term = b.copy(), b
        for _ in range(400):
            term = chain @ term
            total += term
        found = Floats().neumann_sum(transition[:, None], np.full((8, 1), 1.3), b)
        assert found == pytest.approx(total, rel=1e-9)
        tried += 1
    assert tried > 50


@pytest.mark.parametrize("end", [Fraction(7, 10), Fraction(7, 10) + Fraction(1, 3) ** 400])
def test_the_variance_of_a_rare_state_in_balls(end):
    """p (1 - p) (f_0 - f_1)^2 to nearly all digits, however small p is: not an enclosure of 0, whose root is open."""
    p, other = Fraction(1, 3) ** 400, Fraction(-1, 5)
    with precision(64):
        laws, f = Balls().enclosed(balls([[p, 1 - p]])), Balls().enclosed(balls([other, end]))
        (mean,), (variance,) = (plain(x) for x in Balls().moments(laws, f))
    exact = p * (1 - p) * (end - other) ** 2
    assert variance.lower <= exact <= variance.upper
    assert variance.upper - variance.lower < exact / 10**12
    assert mean.lower <= p * other + (1 - p) * end <= mean.upper


def test_the_variance_of_a_rare_state_in_floats():
    """What a rounded sum of a law, 1 - 2^-53, leaves of the mean does not hide p (f_0 - f_1)^2 of p = 1e-40."""
    laws, f = np.array([[1e-40, 1 - 2.0**-53]]), np.array([-0.2, 0.7])
    assert Floats().moments(laws, f)[1] == pytest.approx([1e-40 * 0.81], rel=1e-12, abs=0)
