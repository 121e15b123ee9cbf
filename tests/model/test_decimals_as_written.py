"""The decimal that a float is written as, of each format, by the digits that NumPy prints."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from trpo_theory.model.decimals import as_written


@pytest.mark.parametrize("first", [np.float32, float, np.float64])
def test_equal_floats_of_two_formats_have_their_own_decimals(first):
    """0.1 of float32 equals 0.10000000149011612 of float64: which of them is asked for first does not matter."""
    single = np.float32(0.1)
    as_written(first(single))
    assert as_written(single) == Fraction(1, 10)
    assert as_written(float(single)) == as_written(np.float64(single)) == Fraction("0.10000000149011612")


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, float])
def test_the_decimal_reads_back_and_is_the_one_printed(kind):
    for number in map(kind, (0.1, 1 / 3, -2.5, 1e-4, 60000.0, 0.0, -0.0)):
        found = as_written(number)
        assert kind(float(found)) == number
        assert found == Fraction(np.format_float_positional(number, unique=True, trim="0"))
