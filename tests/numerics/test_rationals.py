"""Exact rationals as they are read, checked and shown."""

from __future__ import annotations

from fractions import Fraction as F

import numpy as np
import pytest

from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.ball import rationals
from trpo_theory.numerics.ball.number import Ball


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (F(-1, 3), "-1/3"),
        (7, "7"),
        (F(10**12 - 1), "999999999999"),
        (F(-999999999999, 8), "-999999999999/8"),
        (F(10**12), "about 1.000000000e+12"),
        (F(-(10**12)), "about -1.000000000e+12"),
        (F(1, 10**12), "about 1e-12"),
        (F(1, 3 * 10**12), "about 3.333333333e-13"),
    ],
)
def test_a_rational_for_a_message(x, text):
    assert rationals.short(x) == text


def test_the_float_of_a_rational_beyond_floats():
    assert [Ball(x).midpoint for x in (10**400, -(10**400), F(1, 10**400))] == [np.inf, -np.inf, 0.0]
    assert repr(Ball(-(10**400))) == "Ball(-inf..., exact)"


def test_rows_are_divided_by_their_exact_sum_only_where_they_are_off_by_rounding():
    near, apart = 1 + F(1, 10**8), 1 + F(2, 10**8)
    table = rationals.fractions([[near - F(1, 3), "1/3"], ["1/4", "3/4"]], "old")
    rows = rationals.rows(table, "old")
    assert rows.tolist() == [[(near - F(1, 3)) / near, F(1, 3) / near], [F(1, 4), F(3, 4)]]
    wrong = rationals.fractions([[1, 0], [apart, 0]], "old")
    with pytest.raises(
        InvalidInput, match=r"^got old row \[1\] that sums to 50000001/50000000 \(state 1\); wanted each row to sum"
    ):
        rationals.rows(wrong, "old")
    assert rationals.rows(wrong, "old", np.array([True, False])).tolist() == wrong.tolist()
    with pytest.raises(InvalidInput, match=r"^got old\[0, 1\] = -1/9; wanted probabilities, none negative"):
        rationals.rows(rationals.fractions([["10/9", "-1/9"]], "old"), "old")


def test_numbers_of_every_kind_are_taken_exactly():
    got = rationals.fractions([[np.int32(1), 0, 3], [0.1, np.float32(0.1), "1/3"]], "x", (2, 3))
    assert got.tolist() == [[1, 0, 3], [F(0.1), F(float(np.float32(0.1))), F(1, 3)]]
    assert rationals.fractions([True, False], "x").tolist() == [1, 0]
    with pytest.raises(InvalidInput, match="got a truth value in x"):
        rationals.fractions([[True, 3]], "x")
    assert rationals.fractions([-np.inf, "0.25"], "x", minus_inf=True).tolist() == [None, F(1, 4)]
    for wrong in (np.inf, np.nan, 1j, None):
        with pytest.raises(InvalidInput, match="in x; wanted finite real numbers"):
            rationals.number(wrong, "x")
    with pytest.raises(InvalidInput, match="got a ragged x"):
        rationals.fractions([[1, 2], [3]], "x")
    with pytest.raises(InvalidInput, match=r"got x of shape \(2,\); wanted shape \(3,\)"):
        rationals.fractions([1, 2], "x", (3,))


def test_rewards_of_states_of_actions_and_of_transitions():
    transition = rationals.fractions([[["1/4", "3/4"], [1, 0]], [[0, 1], [0, 1]]], "transition")
    for value, expected in (
        ([2, 3], [[2, 2], [3, 3]]),
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ([[[4, 8], [5, 9]], [[6, 7], [1, 2]]], [[7, 5], [7, 2]]),
    ):
        reward, mask = rationals.reward(value, None, transition)
        assert reward.tolist() == expected
        assert mask.all()
    reward, mask = rationals.reward([[1, -np.inf], [3, 4]], [[1, 1], [0, 1]], transition)
    assert (reward.tolist(), mask.tolist()) == ([[1, 0], [0, 4]], [[True, False], [False, True]])
    with pytest.raises(InvalidInput, match=r"^got no available action in state 1; wanted at least one"):
        rationals.reward([1, 2], [[1, 1], [0, 0]], transition)
    with pytest.raises(InvalidInput, match=r"^got reward of shape \(2,\) with -inf; wanted \(2, 2\), or finite \(2,\)"):
        rationals.reward([1, -np.inf], None, transition)
    with pytest.raises(InvalidInput, match=r"^got reward of shape \(3,\); wanted"):
        rationals.reward([1, 2, 3], None, transition)
    with pytest.raises(InvalidInput, match="wanted true or false"):
        rationals.reward([1, 2], [[1, 2], [1, 1]], transition)


def test_policies_and_groups():
    available = np.array([[True, False], [True, True]])
    with pytest.raises(InvalidInput, match=r"^got new\[0, 1\] = 1/5 for an action that is not available there"):
        rationals.policy(rationals.fractions([["4/5", "1/5"], [1, 0]], "new"), "new", available)
    assert rationals.groups([4.0, "4", 1], 3) == (4, 4, 1)
    assert rationals.groups(None, 3) is None
    with pytest.raises(InvalidInput, match="got groups that are not integers"):
        rationals.groups(["1/2", 1], 2)
