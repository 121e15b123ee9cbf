"""The polylogarithm against mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.polylog import polylog

ORDERS = (-0.5, 0.5, 1, 2, 0, -1, 1.5, -2.5)
POINTS = (
    *(0.0, 5e-324, 1e-300, 1e-8, 0.1, 0.3, 0.5, 0.9, 0.99, 0.999, 0.9999, 1 - 1e-7, 1 - 1e-10, 1 - 2**-53),
    *(0.2, float(np.nextafter(0.2, 0)), float(np.nextafter(0.2, 1)), 0.19, 0.21),
)


def mp_polylog(order: float, x: float) -> mpf:
    """mpmath's, but where an exact series or a closed form is at hand."""
    x = mpf(x)
    if x < 0.3 or order != round(order):
        terms = 160 if x < 0.3 else 0
        if terms:
            return mpmath.fsum(x**k / mpf(k) ** mpf(order) for k in range(1, terms))
        return mpmath.polylog(mpf(order), x)
    if order == 1:
        return -mpmath.log(1 - x)
    if order == 0:
        return x / (1 - x)
    if order == -1:
        return x / (1 - x) ** 2
    return mpmath.polylog(int(order), x)


def check(order: float, x: float, rtol: float = 1e-13) -> None:
    got = float(polylog(float(order), x))
    with mpmath.workdps(60):
        want = mp_polylog(order, x)
        assert abs(mpf(got) - want) <= rtol * want, (order, x, got, mpmath.nstr(want, 20))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("x", POINTS)
def test_polylog(order, x):
    check(order, x)


@pytest.mark.parametrize("order", [-8.0, -7.5, -5.0, -4.0, 3.0, 5.0, 8.0, 7.5])
@pytest.mark.parametrize("x", [0.1, float(np.nextafter(0.2, 0)), 0.2, 0.5, 0.99])
def test_polylog_at_the_ends_of_its_range_of_orders(order, x):
    check(order, x, rtol=1e-12)


@pytest.mark.parametrize("order", [0.94, 1.06, 1.94, 2.06, 2.94])
@pytest.mark.parametrize("x", [0.2, 0.25, 0.5, 0.9])
def test_polylog_of_an_order_near_a_positive_integer(order, x):
    """Two terms of the expansion nearly cancel there; by the series itself it is known what they leave."""
    with mpmath.workdps(40):
        terms = int(-45 / np.log10(x)) + 2
        want = mpmath.fsum(mpf(x) ** k / mpf(k) ** mpf(order) for k in range(1, terms))
    assert polylog(order, x) == pytest.approx(float(want), rel=1e-13, abs=0)


@pytest.mark.parametrize("order", [0.999, 1.0001, 1 - 1e-6, 1 + 1e-9, 2.000001, 2.999])
def test_polylog_refuses_an_order_next_to_a_positive_integer_where_its_digits_cancel(order):
    with pytest.raises(InvalidInput, match=r"next to a positive integer.*wanted .*fix: "):
        polylog(order, 0.9)


def test_polylog_of_an_array_is_that_of_its_entries():
    x = np.array([[0.0, 0.1, 0.2], [0.5, 0.9, 0.999]])
    got = polylog(-0.5, x)
    assert got.shape == x.shape
    np.testing.assert_array_equal(got, [[polylog(-0.5, float(entry)) for entry in row] for row in x])


@pytest.mark.parametrize("order", [0, 1, 2])
def test_polylog_takes_integers(order):
    assert polylog(order, 0) == 0.0


@pytest.mark.parametrize("x", [1.0, -1e-300, 1.5, np.nan, np.inf, np.array([0.5, 1.0])])
def test_polylog_refuses_x_outside_0_1(x):
    with pytest.raises(InvalidInput, match=r"wanted 0 <= x < 1"):
        polylog(0.5, x)


@pytest.mark.parametrize("order", [9.0, -8.5, np.nan, np.inf])
def test_polylog_refuses_an_order_out_of_range(order):
    with pytest.raises(InvalidInput, match="order of a polylogarithm"):
        polylog(order, 0.5)


def test_an_empty_batch_has_no_values():
    """As of every function of NumPy's."""
    assert polylog(1.5, np.zeros((2, 0))).shape == (2, 0)
