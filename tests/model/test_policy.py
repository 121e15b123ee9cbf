"""The usual policies and the class of policies that share rows."""

from __future__ import annotations

import copy
import pickle
from fractions import Fraction

import jaxtyping
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies_small import masks

from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import StateAggregation, deterministic, greedy, mixture, softmax, uniform
from trpo_theory.numerics.ball import rationals

MASK = np.array([[True, True, False], [False, True, False]])


def test_shapes_are_checked_at_run_time_under_pytest():
    """The import hook of conftest.py works: broadcasting alone would have let this pass, or failed otherwise."""
    with pytest.raises(jaxtyping.TypeCheckError):
        mixture(np.ones((2, 3)) / 3, np.ones((2, 1)), 0.5)
    with pytest.raises(jaxtyping.TypeCheckError):
        greedy(np.zeros((2, 3)), np.ones((2, 1), dtype=bool))


def test_uniform_shares_the_mass_among_available_actions():
    np.testing.assert_array_equal(uniform(MASK), [[0.5, 0.5, 0], [0, 1, 0]])
    assert uniform(np.ones((4, 2, 5), dtype=bool)).shape == (4, 2, 5)
    assert (uniform(np.ones((4, 2, 5), dtype=bool)) == 0.2).all()


def test_softmax_is_proportional_to_exponentials_over_available_actions():
    logits = np.log([[1.0, 3.0, 9.0], [2.0, 5.0, 1.0]])
    np.testing.assert_allclose(softmax(logits), [[1 / 13, 3 / 13, 9 / 13], [2 / 8, 5 / 8, 1 / 8]], rtol=1e-15)
    np.testing.assert_allclose(softmax(logits, MASK), [[0.25, 0.75, 0], [0, 1, 0]], rtol=1e-15)


def test_softmax_does_not_overflow_and_takes_minus_infinity():
    np.testing.assert_array_equal(softmax(np.array([[1e308, 0.0], [-np.inf, -1e308]])), [[1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("logits", "mask"), [([[-np.inf, -np.inf]], None), ([[1.0, -np.inf]], [[False, True]]), ([[np.nan, 0.0]], None)]
)
def test_softmax_refuses_a_row_that_it_cannot_normalise(logits, mask):
    with pytest.raises(InvalidInput, match=r"got .* wanted .* fix: "):
        softmax(np.array(logits), None if mask is None else np.array(mask))


def test_greedy_takes_the_first_of_the_largest_available():
    q_value = np.array([[1.0, 1.0, 2.0], [5.0, 4.0, 9.0]])
    np.testing.assert_array_equal(greedy(q_value), [[0, 0, 1], [0, 0, 1]])
    np.testing.assert_array_equal(greedy(q_value, MASK), [[1, 0, 0], [0, 1, 0]])
    assert greedy(np.zeros((4, 2, 3))).tolist() == [[[1, 0, 0]] * 2] * 4


def test_deterministic_takes_the_named_action():
    np.testing.assert_array_equal(deterministic(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])
    assert deterministic(np.zeros((4, 5, 6), dtype=int), 2).shape == (4, 5, 6, 2)


def test_mixture_is_convex_and_a_batch_of_weights_gives_a_batch():
    old, target = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    np.testing.assert_array_equal(mixture(old, target, 0.25), [[0.75, 0.25]])
    weights = np.array([0.0, 0.5, 1.0])[:, None, None]
    np.testing.assert_array_equal(mixture(old, target, weights), [[[1, 0]], [[0.5, 0.5]], [[0, 1]]])
    with pytest.raises(InvalidInput, match="mixture weight"):
        mixture(old, target, 1.5)
    with pytest.raises(InvalidInput, match="mixture weight"):
        mixture(old, target, float("nan"))


@pytest.mark.parametrize("weight", [0, 1])
def test_mixture_takes_an_integer_weight(weight):
    old, target = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    np.testing.assert_array_equal(mixture(old, target, weight), [old, target][weight])


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda: uniform([[True, True], [False, True]]), [[0.5, 0.5], [0, 1]]),
        (lambda: softmax([[0, 0], [0, -np.inf]]), [[0.5, 0.5], [1, 0]]),
        (lambda: softmax(np.zeros((2, 2), dtype=int)), [[0.5, 0.5], [0.5, 0.5]]),
        (lambda: greedy([[1, 2], [2, 1]]), [[0, 1], [1, 0]]),
        (lambda: greedy(np.array([[1, 2], [2, 1]])), [[0, 1], [1, 0]]),
        (lambda: deterministic([1, 0], 2), [[0, 1], [1, 0]]),
    ],
    ids=["uniform list", "softmax list", "softmax integers", "greedy list", "greedy integers", "deterministic list"],
)
def test_lists_and_integers_are_read_as_numbers(call, wanted):
    np.testing.assert_array_equal(call(), wanted)


@given(st.data())
def test_each_makes_rows_of_probabilities_on_available_actions(data):
    mask = data.draw(st.integers(1, 4).flatmap(lambda S: st.integers(1, 4).flatmap(lambda A: masks(S, A))))
    logits = np.array(data.draw(st.lists(st.floats(-800, 800), min_size=mask.size, max_size=mask.size)))
    logits = logits.reshape(mask.shape)
    for policy in (uniform(mask), softmax(logits, mask), greedy(logits, mask)):
        assert (policy >= 0).all()
        assert (policy[~mask] == 0).all()
        np.testing.assert_allclose(policy.sum(-1), 1.0, rtol=0, atol=1e-14)


# --- StateAggregation ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("groups", [[7, 3, 7, -1], np.array([7, 3, 7, -1]), (7.0, 3.0, 7.0, -1.0)])
def test_aggregation_numbers_the_groups_in_order_of_their_names(groups):
    shared = StateAggregation(groups)
    assert shared.group.tolist() == [2, 1, 2, 0]
    assert shared.count == 3
    assert repr(shared) == "StateAggregation(states=4, groups=3)"


def test_aggregation_expands_rows_and_recognises_its_policies():
    shared = StateAggregation([0, 1, 0])
    rows = np.array([[0.25, 0.75], [1.0, 0.0]])
    policy = shared.expand(rows)
    np.testing.assert_array_equal(policy, [[0.25, 0.75], [1, 0], [0.25, 0.75]])
    assert shared.contains(policy)
    assert not shared.contains(np.array([[0.25, 0.75], [1, 0], [np.nextafter(0.25, 0), 0.75]]))
    batch = np.stack([rows, rows[::-1]])
    assert shared.expand(batch).shape == (2, 3, 2)
    assert shared.contains(shared.expand(batch))


@pytest.mark.parametrize("groups", [[[0, 1]], [0.5, 1.0], [], ["a", "b"], [0, np.nan], 3])
def test_aggregation_refuses_what_is_not_one_integer_a_state(groups):
    with pytest.raises(InvalidInput, match=r"got .*aggregation map.*wanted .*fix: "):
        StateAggregation(groups)


def test_aggregation_is_frozen():
    shared = StateAggregation([0, 0, 1])
    with pytest.raises(AttributeError, match="frozen"):
        shared.count = 5
    with pytest.raises(ValueError, match="read-only"):
        shared.group[0] = 1


@pytest.mark.parametrize("how", [lambda x: pickle.loads(pickle.dumps(x)), copy.copy, copy.deepcopy])
def test_aggregation_can_be_pickled_and_copied(how):
    again = how(StateAggregation([0, 0, 1]))
    assert again.group.tolist() == [0, 0, 1]
    assert again.count == 2


@pytest.mark.parametrize(
    "build", [uniform, lambda mask: FiniteMDP(np.full((2, 2, 2), 0.5), np.zeros((2, 2)), 0.5, available=mask)]
)
def test_a_mask_is_refused_in_the_same_words_wherever_it_is_read(build):
    """In floats and in rationals, too: one check."""
    for mask, words in (
        ([[1, 0.5], [1, 1]], "available[0, 1] = "),
        ([[1, 0], [0, 0]], "no available action in state 1"),
    ):
        with pytest.raises(InvalidInput) as caught:
            build(mask)
        with pytest.raises(InvalidInput) as exact:
            rationals.reward([[0, 0], [0, 0]], mask, np.full((2, 2, 2), Fraction(1, 2)))
        assert words in str(caught.value)
        assert caught.value.fix == exact.value.fix


def test_rows_that_are_not_of_an_aggregation_are_named():
    aggregation = StateAggregation([0, 0, 1])
    for call in (aggregation.expand, aggregation.contains):
        for value in (None, 3, np.eye(4)):
            with pytest.raises((InvalidInput, jaxtyping.TypeCheckError)):
                call(value)
    assert aggregation.contains(aggregation.expand(np.array([[0.5, 0.5], [1.0, 0.0]])))
