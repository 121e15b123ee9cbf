"""Graded truth values against NumPy's own, and distances that fall on the way to a hypothesis."""

from __future__ import annotations

import operator
from fractions import Fraction

import numpy as np
import pytest

from trpo_theory.numerics.graded import Count, GradedArray, GradedFloats, graded

X = np.array([[-1.0, 0.0, 0.25, 1e-12], [0.5, 1.0, np.inf, np.nan]])
Y = np.array([[-1.0, 0.5, 0.25, 1e-8], [0.0, 2.0, np.inf, 1.0]])
COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)


def as_graded(x: np.ndarray) -> GradedArray:
    return x.copy().view(GradedArray)


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("other", [Y, 0.25, 0, np.inf, Fraction(1, 4)], ids=str)
def test_comparisons_are_true_where_those_of_numpy_are(compare, other):
    plain = float(other) if isinstance(other, Fraction) else other
    got, want = compare(as_graded(X), other), compare(X, plain)
    np.testing.assert_array_equal(got.truth, want)
    np.testing.assert_array_equal((~got).truth, ~want)
    assert (got.missed >= 0).all()
    assert ((got.missed > 0) ^ (got.spared > 0)).all()


def test_connectives_and_reductions_are_those_of_truth_values():
    rng = np.random.default_rng(0)
    for _ in range(50):
        x, y = rng.normal(size=(2, 3, 2, 4))
        a, b = as_graded(x) > 0.3, as_graded(y) <= 0.1
        p, q = x > 0.3, y <= 0.1
        for got, want in (
            (a & b, p & q),
            (a | b, p | q),
            (a ^ b, p ^ q),
            (~a, ~p),
            (a == b, p == q),
            (a != q, p != q),
            (p & b, p & q),
            (np.logical_or(a, b), p | q),
            (a.all((0, 1)), p.all((0, 1))),
            (a.any(0), p.any(0)),
            (np.all(a, axis=1), p.all(1)),
            (np.any(a, axis=(0, 1)), p.any((0, 1))),
            (np.sum(a, axis=0) == 2, p.sum(0) == 2),
            (a.sum(1) >= 1, p.sum(1) >= 1),
            (a.sum() < 12, p.sum() < 12),
            (np.sum(a, axis=(0, 1)) != 3, p.sum((0, 1)) != 3),
            (np.sum(a, axis=0) < 3, p.sum(0) < 3),
            (a[1:], p[1:]),
        ):
            np.testing.assert_array_equal(got.truth, want)
        np.testing.assert_array_equal(np.where(a, x, y), np.where(p, x, y))
        np.testing.assert_array_equal(1.0 * a, 1.0 * p)
        assert isinstance(a.sum(0), Count)


def test_a_count_misses_the_least_that_makes_it():
    """Three numbers of which two are to be above 1: the second largest decides."""
    x = as_graded(np.array([[0.5], [0.9], [2.0]]))
    two = (np.sum(x > 1, axis=0) == 2).missed
    one = (np.sum(x > 1, axis=0) == 1).missed
    none = (np.sum(x > 1, axis=0) == 0).missed
    assert one == 0
    assert two == pytest.approx(np.log(1.1))
    assert none == pytest.approx(np.log(2.0))


@pytest.mark.parametrize("to", [1e-8, 0.0, 1.0, -3.0])
def test_the_distance_falls_on_the_way(to):
    path = to + np.array([10.0, 1.0, 0.1, 1e-3, 1e-6, 0.0])
    missed = (as_graded(path) <= to).missed
    assert (np.diff(missed) < 0).all()
    assert missed[-1] == 0


def test_and_adds_or_takes_the_least_and_plain_truths_miss_one():
    x = as_graded(np.array([0.5]))
    far, near = x > 8, x > 1
    assert (far & near).missed == far.missed + near.missed
    assert (far | near).missed == near.missed
    assert (~~far).missed == far.missed
    assert graded(np.array([True, False])).missed.tolist() == [0.0, 1.0]


def test_close_and_functions_stay_graded():
    a, x = GradedFloats(), as_graded(np.array([0.5, 0.25]))
    np.testing.assert_array_equal(a.close(x, 0.25 + 1e-12).truth, [False, True])
    for y in (a.sqrt(x), a.log(x), a.maximum(x, 0.3), a.where(x > 0.3, x, 0), a.nan_to_inf(x), a.kl_div(x, x / 2)):
        assert isinstance(y, GradedArray)
