"""Rounding of proved ends: floats and digits on the right side of the number, and no further than they must be."""

import math
import sys
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trpo_theory._outward import Toward, decimal_toward, float_toward
from trpo_theory.cli.output import digits
from trpo_theory.report import show


@given(st.fractions())
def test_floats_enclose_and_are_neighbours(number):
    low, high = (float_toward(number, how) for how in (Toward.DOWN, Toward.UP))
    assert Fraction(low) <= number <= Fraction(high)
    assert low == high or math.nextafter(low, math.inf) == high


def test_floats_beyond_their_range():
    huge, largest = Fraction(10) ** 400, sys.float_info.max
    assert [float_toward(huge, how) for how in Toward] == [largest, math.inf]
    assert [float_toward(-huge, how) for how in Toward] == [-math.inf, -largest]
    assert [float_toward(1 / huge, how) for how in Toward] == [0.0, 5e-324]


@given(st.one_of(st.fractions(), st.floats(allow_nan=False, allow_infinity=False)), st.integers(1, 17))
def test_digits_enclose(number, count):
    low, high = (Fraction(decimal_toward(number, count, how)) for how in (Toward.DOWN, Toward.UP))
    assert low <= Fraction(number) <= high
    assert high - low <= abs(Fraction(number)) * Fraction(10) ** (1 - count)


@pytest.mark.parametrize(
    ("value", "count", "low", "high"),
    [
        (0.41524317, 5, "0.41524", "0.41525"),
        (0.002002772547732512, 2, "0.0020", "0.0021"),
        (15.4492, 5, "15.449", "15.450"),
        (9.99999, 4, "9.999", "10.00"),
        (-1.5e-7, 1, "-2e-7", "-1e-7"),
        (0.5, 3, "0.500", "0.500"),
        (0.0, 3, "0", "0"),
        (math.inf, 3, "inf", "inf"),
    ],
)
def test_cells_of_tables(value, count, low, high):
    assert (show(value, count, toward=Toward.DOWN), show(value, count, toward=Toward.UP)) == (low, high)


def test_digits_of_the_command_line():
    assert [digits(2 / 3, 4, how) for how in (None, *Toward)] == ["0.6667", "0.6666", "0.6667"]
    assert [digits(4 / 3, 4, how) for how in (None, *Toward)] == ["1.333", "1.333", "1.334"]
    assert digits(math.inf, 4, Toward.DOWN) == "inf"
