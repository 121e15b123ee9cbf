"""How a `FiniteMDP` is built, what it stores, what it refuses."""

from __future__ import annotations

import copy
import pickle
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from strategies_small import random_mdp

from trpo_theory.errors import InvalidInput, TrpoTheoryError
from trpo_theory.model.mdp import FiniteMDP

INF = float("inf")
NAN = float("nan")
P = [[[0.5, 0.5], [0.0, 1.0]], [[0.25, 0.75], [1.0, 0.0]]]
R = [[1.0, 2.0], [3.0, 4.0]]
FLAT = np.array(P).reshape(4, 2)
FIELDS = ("transition", "reward", "initial", "available")


def dense(mdp: FiniteMDP) -> np.ndarray:
    return mdp.transition.toarray().reshape(mdp.states, mdp.actions, -1) if mdp.is_sparse else mdp.transition


# --- forms of input -----------------------------------------------------------------------------------------------


def test_nested_lists_are_stored_as_float64_and_initial_defaults_to_uniform():
    mdp = FiniteMDP(P, R, 0.5)
    np.testing.assert_array_equal(mdp.transition, P)
    np.testing.assert_array_equal(mdp.reward, R)
    np.testing.assert_array_equal(mdp.initial, [0.5, 0.5])
    assert mdp.transition.dtype == mdp.reward.dtype == mdp.initial.dtype == np.float64
    assert mdp.available.dtype == bool
    assert mdp.available.all()
    assert (mdp.states, mdp.actions, mdp.gamma, mdp.batch_shape, mdp.is_sparse) == (2, 2, 0.5, (), False)


@pytest.mark.parametrize("form", [np.array, sp.csr_array], ids=["dense", "sparse"])
def test_a_reward_of_the_state_is_the_same_for_each_action(form):
    transition = P if form is np.array else form(FLAT)
    np.testing.assert_array_equal(FiniteMDP(transition, [5, 7], 0.5).reward, [[5, 5], [7, 7]])


def test_a_reward_of_the_transition_is_reduced_to_its_conditional_mean():
    by_transition = [[[4, 8], [16, 32]], [[4, 8], [16, 32]]]
    np.testing.assert_array_equal(FiniteMDP(P, by_transition, 0.5).reward, [[6, 32], [7, 16]])


def test_a_sparse_reward_of_the_transition_is_reduced_to_its_conditional_mean():
    reward = sp.coo_array(([4.0, 32.0, 8.0, 5.0], ([0, 1, 2, 3], [0, 1, 1, 1])), shape=(4, 2))
    # The last is the reward of a transition that has probability 0.
    np.testing.assert_array_equal(FiniteMDP(sp.csr_array(FLAT), reward, 0.5).reward, [[2, 32], [6, 0]])


@pytest.mark.parametrize("form", ["dense", "sparse", "single precision"])
def test_the_conditional_mean_is_taken_under_the_rows_as_stored(form):
    """Rows that sum to 1 only within the tolerance are rescaled: a reward of 1 on each transition is a reward of 1."""
    off = 5e-6 if form == "single precision" else 5e-9
    if form == "sparse":
        mdp = FiniteMDP(sp.csr_array(FLAT * (1 + off)), sp.csr_array(np.ones((4, 2))), 0.5)
    else:
        transition = (np.array(P) * (1 + off)).astype("f" if form == "single precision" else "d")
        mdp = FiniteMDP(transition, np.ones((2, 2, 2)), 0.5)
    np.testing.assert_allclose(mdp.reward, 1.0, rtol=1e-14)


@pytest.mark.parametrize("form", [sp.csr_array, sp.csr_matrix, sp.coo_array, sp.csc_array, sp.lil_array])
def test_each_sparse_format_is_read(form):
    mdp = FiniteMDP(form(FLAT), R, 0.5)
    assert mdp.is_sparse
    assert mdp.transition.format == "csr"
    np.testing.assert_array_equal(dense(mdp), P)


def test_duplicate_sparse_entries_are_summed():
    rows, columns = [0, 0, 0, 1, 2, 2, 3, 3], [0, 1, 0, 1, 1, 0, 0, 0]
    data = [0.25, 0.5, 0.25, 1.0, 0.75, 0.25, 0.5, 0.5]
    by_coordinates = sp.coo_array((data, (rows, columns)), shape=(4, 2))
    by_rows = sp.csr_array((data, columns, [0, 3, 4, 6, 8]), shape=(4, 2))
    assert by_rows.nnz == 8
    for matrix in (by_coordinates, by_rows):
        mdp = FiniteMDP(matrix, R, 0.5)
        np.testing.assert_array_equal(dense(mdp), P)
        assert mdp.transition.nnz == 6
        assert mdp.transition.has_canonical_format
    assert by_rows.nnz == 8


@pytest.mark.parametrize("form", [lambda x: x, sp.csr_array], ids=["dense", "sparse"])
def test_rows_off_by_rounding_are_rescaled_and_good_rows_are_left_as_they_are(form):
    off = FLAT.copy()
    off[0] *= 1 + 5e-9
    off[2] = [0.1 + 0.2, 0.7]
    before = off[2].copy()
    mdp = FiniteMDP(form(off) if form is sp.csr_array else off.reshape(2, 2, 2), R, 0.5)
    np.testing.assert_allclose(dense(mdp)[0, 0], [0.5, 0.5], rtol=1e-15)
    np.testing.assert_array_equal(dense(mdp)[1, 0], before)


def test_single_precision_rows_are_accepted_and_sum_to_one_in_double():
    rng = np.random.default_rng(0)
    transition = rng.dirichlet(np.ones(50), size=(50, 3)).astype(np.float32)
    assert np.abs(transition.sum(-1, dtype=float) - 1).max() > 1e-8
    for form in (transition, sp.csr_array(transition.reshape(150, 50))):
        mdp = FiniteMDP(form, np.zeros(50), 0.5, rng.dirichlet(np.ones(50)).astype(np.float32))
        np.testing.assert_allclose(dense(mdp).sum(-1), 1.0, rtol=0, atol=1e-14)
        assert mdp.initial.sum() == pytest.approx(1.0, abs=1e-14)


def test_fractions_and_integers_are_read():
    third = Fraction(1, 3)
    mdp = FiniteMDP([[[third, 2 * third]], [[0, 1]]], [[third], [1]], Fraction(9, 10), [1, 0])
    assert mdp.transition[0, 0, 0] == 1 / 3
    assert mdp.reward[0, 0] == 1 / 3
    assert mdp.gamma == 0.9
    assert isinstance(mdp.gamma, float)
    assert FiniteMDP(P, R, 0).gamma == 0.0


def test_minus_infinity_marks_an_unavailable_action_whose_row_is_ignored():
    transition = np.array(P)
    transition[1, 1] = [7.0, -3.0]
    mdp = FiniteMDP(transition, [[1, 2], [3, -INF]], 0.5)
    np.testing.assert_array_equal(mdp.available, [[True, True], [True, False]])
    np.testing.assert_array_equal(mdp.transition[1, 1], [0, 0])
    assert mdp.reward[1, 1] == 0.0


@pytest.mark.parametrize("form", [lambda x: x, lambda x: sp.csr_array(x.reshape(4, 2))], ids=["dense", "sparse"])
@pytest.mark.parametrize("mask", [[[True, True], [True, False]], [[1, 1], [1, 0]], [[1.0, 1.0], [1.0, 0.0]]])
def test_available_says_which_actions_may_be_taken(form, mask):
    mdp = FiniteMDP(form(np.array(P)), R, 0.5, available=mask)
    np.testing.assert_array_equal(mdp.available, np.array(mask, dtype=bool))
    np.testing.assert_array_equal(dense(mdp)[1, 1], [0, 0])
    np.testing.assert_array_equal(mdp.reward, [[1, 2], [3, 0]])


def test_both_ways_to_mark_an_action_unavailable_are_combined():
    mdp = FiniteMDP(P, [[1, -INF], [3, 4]], 0.5, available=[[True, True], [True, False]])
    np.testing.assert_array_equal(mdp.available, [[True, False], [True, False]])


@pytest.mark.parametrize("form", [lambda x: x, lambda x: sp.csr_array(x.reshape(4, 2))], ids=["dense", "sparse"])
def test_an_unavailable_row_may_be_empty(form):
    transition = np.array(P)
    transition[1, 1] = 0
    assert not FiniteMDP(form(transition), R, 0.5, available=[[1, 1], [1, 0]]).available[1, 1]


def test_a_batch_has_leading_axes_and_a_gamma_an_initial_and_a_reward_of_each():
    rng = np.random.default_rng(1)
    transition = rng.dirichlet(np.ones(3), size=(4, 5, 3, 2))
    mdp = FiniteMDP(transition, rng.normal(size=(4, 5, 3)), rng.random((4, 5)), rng.dirichlet(np.ones(3), size=(4, 5)))
    assert (mdp.batch_shape, mdp.states, mdp.actions) == ((4, 5), 3, 2)
    assert mdp.gamma.shape == (4, 5)
    assert mdp.reward.shape == (4, 5, 3, 2)
    shared = FiniteMDP(transition, rng.normal(size=(4, 5, 3, 2)), [0.1, 0.2, 0.3, 0.4, 0.5], [1, 0, 0])
    np.testing.assert_array_equal(shared.gamma, np.tile([0.1, 0.2, 0.3, 0.4, 0.5], (4, 1)))


def test_the_reward_of_a_batch_may_be_of_the_transition():
    rng = np.random.default_rng(2)
    transition, reward = rng.dirichlet(np.ones(3), size=(4, 3, 2)), rng.normal(size=(4, 3, 2, 3))
    got = FiniteMDP(transition, reward, 0.5).reward
    for b, s, a in np.ndindex(4, 3, 2):
        assert got[b, s, a] == pytest.approx(sum(transition[b, s, a] * reward[b, s, a]), rel=1e-14)


def test_labels_are_kept_as_strings():
    mdp = FiniteMDP(P, R, 0.5, state_labels=["start", "end"], action_labels=("left", "right"))
    assert mdp.state_labels == ("start", "end")
    assert mdp.action_labels == ("left", "right")
    assert FiniteMDP(P, R, 0.5).state_labels is None


# --- frozen, and apart from its caller ----------------------------------------------------------------------------


def examples() -> dict[str, FiniteMDP]:
    rng = np.random.default_rng(3)
    return {
        "dense": FiniteMDP(P, R, 0.5, [1, 0], state_labels=["x", "y"]),
        "sparse": FiniteMDP(sp.csr_array(FLAT), R, 0.5, available=[[1, 1], [0, 1]], action_labels=["l", "r"]),
        "batch": random_mdp(rng, 3, 2, rng.random((4, 5)), batch=(4, 5)),
    }


every_example = pytest.mark.parametrize("name", ["dense", "sparse", "batch"])


@every_example
def test_attributes_can_be_neither_set_nor_deleted(name):
    mdp = examples()[name]
    with pytest.raises(AttributeError, match="frozen"):
        mdp.gamma = 0.1
    with pytest.raises(AttributeError, match="frozen"):
        mdp.anything = 1
    with pytest.raises(AttributeError, match="frozen"):
        del mdp.reward


@every_example
def test_arrays_are_read_only(name):
    mdp = examples()[name]
    arrays = [getattr(mdp, field) for field in FIELDS]
    if mdp.is_sparse:
        matrix = arrays.pop(0)
        arrays += [matrix.data, matrix.indices, matrix.indptr]
    if name == "batch":
        arrays.append(mdp.gamma)
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_the_callers_arrays_are_neither_frozen_nor_shared():
    for given in (
        {"transition": np.array(P), "reward": np.array(R), "initial": np.array([0.5, 0.5]), "gamma": 0.5},
        {
            "transition": np.array([P]),
            "reward": np.array([R]),
            "initial": np.array([0.5, 0.5]),
            "gamma": np.array([0.5]),
        },
    ):
        available = np.ones(given["reward"].shape, dtype=bool)
        mdp = FiniteMDP(**given, available=available)
        for name, array in {**given, "available": available}.items():
            if isinstance(array, np.ndarray):
                before = np.array(getattr(mdp, name))
                assert array.flags.writeable, name
                array[...] = 0
                np.testing.assert_array_equal(getattr(mdp, name), before)


def test_the_callers_sparse_matrix_is_neither_frozen_nor_shared():
    matrix, reward = sp.csr_array(FLAT), np.array(R)
    mdp = FiniteMDP(matrix, reward, 0.5)
    matrix.data[:] = 0
    matrix.indices[:] = 0
    reward[:] = 0
    np.testing.assert_array_equal(dense(mdp), P)
    np.testing.assert_array_equal(mdp.reward, R)


def same(one: FiniteMDP, other: FiniteMDP) -> None:
    for field in FIELDS[1:]:
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    np.testing.assert_array_equal(dense(one), dense(other))
    assert one.is_sparse == other.is_sparse
    assert (one.state_labels, one.action_labels) == (other.state_labels, other.action_labels)


@every_example
@pytest.mark.parametrize("how", [lambda mdp: pickle.loads(pickle.dumps(mdp)), copy.copy, copy.deepcopy])
def test_pickle_and_copy_round_trip(name, how):
    mdp = examples()[name]
    again = how(mdp)
    same(again, mdp)
    np.testing.assert_array_equal(again.gamma, mdp.gamma)
    with pytest.raises(AttributeError, match="frozen"):
        again.gamma = 0.1
    with pytest.raises(ValueError, match="read-only"):
        again.reward[...] = 0


@every_example
def test_with_gamma_changes_the_discount_only(name):
    mdp = examples()[name]
    again = mdp.with_gamma(0.25)
    same(again, mdp)
    assert again.gamma == 0.25
    assert np.any(mdp.gamma != 0.25)
    assert np.all(mdp.with_gamma(1).gamma == 1)
    with pytest.raises(InvalidInput, match=r"gamma = 2\b"):
        mdp.with_gamma(2)


def test_repr_says_what_it_is():
    shown = {name: repr(mdp) for name, mdp in examples().items()}
    assert shown == {
        "dense": "FiniteMDP(states=2, actions=2, gamma=0.5, dense)",
        "sparse": "FiniteMDP(states=2, actions=2, gamma=0.5, sparse, 4 transitions)",
        "batch": "FiniteMDP(states=3, actions=2, gamma=array(4, 5), batch=(4, 5), dense)",
    }


# --- what is refused ----------------------------------------------------------------------------------------------


def broken(index: tuple[int, ...], value: float) -> np.ndarray:
    transition = np.array(P)
    transition[index] = value
    return transition


def flat(index: tuple[int, int], value: float) -> sp.csr_array:
    matrix = FLAT.copy()
    matrix[index] = value
    return sp.csr_array(matrix)


MALFORMED = {
    "transition without numbers": (("abc", R, 0.5), {}, "transition that is not a rectangular array"),
    "transition missing": ((None, R, 0.5), {}, "transition that is not a rectangular array"),
    "ragged transition": (([[[1, 0], [0, 1]], [[1, 0]]], R, 0.5), {}, "transition that is not a rectangular array"),
    "complex transition": ((np.array(P) * 1j, R, 0.5), {}, "transition that is not a rectangular array"),
    "empty transition": ((np.zeros((0, 2, 0)), R, 0.5), {}, "an empty transition"),
    "transition with two axes": ((FLAT, R, 0.5), {}, r"transition of shape \(4, 2\)"),
    "transition of (A, S, S)": ((np.ones((3, 2, 2)) / 2, R, 0.5), {}, r"transition of shape \(3, 2, 2\)"),
    "NaN probability": ((broken((1, 0, 1), NAN), R, 0.5), {}, r"nan in transition at \[1, 0, 1\]"),
    "infinite probability": ((broken((1, 0, 1), INF), R, 0.5), {}, r"inf in transition at \[1, 0, 1\]"),
    "negative probability": ((broken((0, 1), [-0.5, 1.5]), R, 0.5), {}, r"transition\[0, 1, 0\] = -0.5"),
    "row below 1": ((broken((0, 0, 0), 0.4), R, 0.5), {}, r"transition row \[0, 0\] that sums to 0.9"),
    "row off by 1e-7": ((broken((0, 0, 0), 0.5000001), R, 0.5), {}, r"transition row \[0, 0\] that sums to 1.0000001"),
    "zero row": ((broken((1, 1), 0), R, 0.5), {}, r"transition row \[1, 1\] that sums to 0 \(state 1, action 1\)"),
    "NaN reward": ((P, [[1, NAN], [0, 0]], 0.5), {}, r"nan in reward at \[0, 1\]"),
    "infinite reward": ((P, [[1, INF], [0, 0]], 0.5), {}, r"inf in reward at \[0, 1\]"),
    "reward of another shape": ((P, np.zeros((2, 3)), 0.5), {}, r"reward of shape \(2, 3\)"),
    "scalar reward": ((P, 1.0, 0.5), {}, r"reward of shape \(\)"),
    "sparse reward of a dense MDP": ((P, sp.csr_array(np.array(R)), 0.5), {}, "reward that is not"),
    "-inf reward of a transition": ((P, np.full((2, 2, 2), -INF), 0.5), {}, r"-inf in reward at \[0, 0, 0\]"),
    "state without an action": ((P, [[1, 2], [-INF, -INF]], 0.5), {}, r"no available action in state 1"),
    "gamma 2": ((P, R, 2), {}, "gamma = 2"),
    "gamma above 1": ((P, R, 1.5), {}, "gamma = 1.5"),
    "negative gamma": ((P, R, -0.1), {}, "gamma = -0.1"),
    "NaN gamma": ((P, R, NAN), {}, "nan in gamma"),
    "gamma in quotes": ((P, R, "0.9"), {}, "gamma = '0.9'"),
    "gamma missing": ((P, R, None), {}, "gamma = None"),
    "gamma true": ((P, R, True), {}, "gamma = True"),
    "two gammas for one MDP": ((P, R, [0.5, 0.9]), {}, r"gamma of shape \(2,\)"),
    "gammas of another batch": (([P, P], [R, R], [0.1, 0.2, 0.3]), {}, r"gamma of shape \(3,\)"),
    "initial of another length": ((P, R, 0.5, [1, 0, 0]), {}, r"initial of shape \(3,\)"),
    "initial below 1": ((P, R, 0.5, [0.5, 0.4]), {}, "initial .*sums to 0.9"),
    "negative initial": ((P, R, 0.5, [1.5, -0.5]), {}, r"initial\[1\] = -0.5"),
    "reward of another batch": (([P, P], [R, R, R], 0.5), {}, r"reward of shape \(3, 2, 2\)"),
    "available of another shape": ((P, R, 0.5), {"available": [True, True, False]}, r"available of shape \(3,\)"),
    "available that is no mask": ((P, R, 0.5), {"available": [[1, 2], [0, 1]]}, r"available\[0, 1\] = 2"),
    "ragged available": ((P, R, 0.5), {"available": [[True], [True, False]]}, "available"),
    "available nowhere": ((P, R, 0.5), {"available": np.zeros((2, 2))}, r"no available action in state 0"),
    "too few labels": ((P, R, 0.5), {"state_labels": ["x"]}, r"1 state_labels \(1 distinct\)"),
    "equal labels": ((P, R, 0.5), {"action_labels": ["x", "x"]}, r"2 action_labels \(1 distinct\)"),
    "sparse of odd shape": ((sp.csr_array(FLAT[:3]), R, 0.5), {}, r"a sparse transition of shape \(3, 2\)"),
    "sparse with one axis": ((sp.coo_array(np.array([1.0, 0.0])), R, 0.5), {}, "a sparse transition of shape"),
    "complex sparse": ((sp.csr_array(FLAT + 0.1j), R, 0.5), {}, "transition"),
    "sparse NaN": ((flat((2, 1), NAN), R, 0.5), {}, "nan in the sparse transition, state 1, action 0"),
    "sparse negative": ((flat((3, 0), -1.0), R, 0.5), {}, "-1.0 in the sparse transition, state 1, action 1"),
    "sparse row below 1": (
        (flat((2, 1), 0.5), R, 0.5),
        {},
        r"transition row \[1, 0\] that sums to 0.75 \(state 1, action 0\)",
    ),
    "sparse and a 3-axis reward": ((flat((0, 0), 0.5), np.ones((2, 2, 2)), 0.5), {}, r"reward of shape \(2, 2, 2\)"),
    "sparse reward of another shape": ((flat((0, 0), 0.5), sp.csr_array((2, 2)), 0.5), {}, "a sparse reward of shape"),
    "NaN in a sparse reward": ((flat((0, 0), 0.5), flat((0, 1), NAN), 0.5), {}, "nan in .*reward"),
    "infinity in a sparse reward": ((flat((0, 0), 0.5), flat((0, 1), INF), 0.5), {}, "inf in .*reward"),
    "-inf in a sparse reward": ((flat((0, 0), 0.5), flat((0, 1), -INF), 0.5), {}, "-inf in .*reward"),
}


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_input_is_refused_in_one_message_with_got_wanted_and_fix(name):
    args, options, got = MALFORMED[name]
    with pytest.raises(InvalidInput, match=f"^got .*{got}.*; wanted .+; fix: .+") as raised:
        FiniteMDP(*args, **options)
    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, TrpoTheoryError)
    assert "\n" not in str(raised.value)
    assert all((raised.value.got, raised.value.wanted, raised.value.fix))
