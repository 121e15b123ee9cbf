"""What NumPy or SciPy would turn into other numbers without a word is refused, or read as what it says."""

import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.io import from_mdptoolbox, from_triplets
from trpo_theory.model.policy import greedy, softmax
from trpo_theory.numerics.ball import rationals

TRANSITION = np.array([[[0.5, 0.5], [1.0, 0.0]], [[0.0, 1.0], [0.5, 0.5]]])
REWARD = np.array([[1.0, 2.0], [3.0, 4.0]])
POLICY = np.array([[0.5, 0.5], [0.25, 0.75]])
MDP = tt.FiniteMDP(TRANSITION, REWARD, 0.5)
RETURN = tt.evaluate(MDP, POLICY).expected_return


def masked(array, *, some=True):
    mask = np.zeros(np.shape(array), dtype=bool)
    mask.flat[1] = some
    return np.ma.MaskedArray(array, mask=mask)


WAYS = {
    "transition": lambda made: tt.FiniteMDP(made(TRANSITION), REWARD, 0.5),
    "reward": lambda made: tt.FiniteMDP(TRANSITION, made(REWARD), 0.5),
    "reward of a sparse MDP": lambda made: tt.FiniteMDP(sp.csr_array(TRANSITION.reshape(4, 2)), made(REWARD), 0.5),
    "initial": lambda made: tt.FiniteMDP(TRANSITION, REWARD, 0.5, made(np.array([0.5, 0.5]))),
    "gamma": lambda made: tt.FiniteMDP(np.stack([TRANSITION] * 2), np.stack([REWARD] * 2), made(np.array([0.5, 0.9]))),
    "policy": lambda made: tt.evaluate(MDP, made(POLICY)),
    "mdptoolbox": lambda made: from_mdptoolbox(made(TRANSITION.transpose(1, 0, 2)), REWARD, 0.5),
    "mdptoolbox's reward": lambda made: from_mdptoolbox(TRANSITION.transpose(1, 0, 2), made(REWARD), 0.5),
    "triplets": lambda made: from_triplets([0, 1], [0, 0], [1, 0], made(np.array([1.0, 1.0])), [0, 0], 0.5),
    "states of triplets": lambda made: from_triplets(made(np.array([0, 1])), [0, 0], [1, 0], [1, 1], [0, 0], 0.5),
    "logits": lambda made: softmax(made(POLICY)),
    "q_value": lambda made: greedy(made(POLICY)),
    "exact": lambda made: rationals.fractions(made(REWARD), "reward"),
    "aggregation": lambda made: tt.StateAggregation(made(np.array([0, 1]))),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "form", [masked, lambda array: list(masked(array)), lambda array: [masked(row) for row in array]]
)
def test_masked_entries_are_refused(way, form):
    if (
        form is not masked
        and np.ndim(POLICY)
        and way in ("gamma", "initial", "triplets", "states of triplets", "aggregation")
    ):
        form = list  # a list of scalars: its masked entry is the constant np.ma.masked
        with pytest.raises(InvalidInput, match=r"masked"):
            WAYS[way](lambda array: form(masked(array)))
        return
    with pytest.raises(InvalidInput, match=r"masked.*filled"):
        WAYS[way](form)


@pytest.mark.parametrize("way", WAYS)
def test_a_mask_that_masks_nothing_is_no_fault(way):
    WAYS[way](lambda array: masked(array, some=False))


@pytest.mark.parametrize("value", [True, False, np.True_, np.False_, np.array(False)])
def test_a_truth_value_is_no_discount_no_radius_and_no_parameter(value):
    for build in (
        lambda: tt.FiniteMDP(TRANSITION, REWARD, value),
        lambda: tt.MaxKL(value),
        lambda: tt.Penalty(value),
        lambda: tt.zoo.make("aliased", p=value),
    ):
        with pytest.raises(InvalidInput):
            build()


@pytest.mark.parametrize(
    "reward", [[[1.5, True], [0.0, 1.0]], [[1, 2], [3, np.False_]], np.array([[1, 2], [3, True]], object)]
)
def test_a_truth_value_does_not_hide_among_numbers(reward):
    with pytest.raises(InvalidInput, match="a truth value in reward"):
        tt.FiniteMDP(TRANSITION, reward, 0.5)


def test_an_array_of_truth_values_is_an_indicator():
    for good in (REWARD > 2, (REWARD > 2).tolist(), (REWARD > 2).astype(object)):
        mdp = tt.FiniteMDP(TRANSITION, good, 0.5, [True, False])
        assert mdp.reward.tolist() == [[0.0, 0.0], [1.0, 1.0]]
        assert mdp.initial.tolist() == [1.0, 0.0]


def test_what_is_available_is_said_in_truth_values():
    available = np.array([[True, True], [True, False]])
    for given in (available, available.tolist(), available.astype(int), available.astype(float)):
        assert (tt.FiniteMDP(TRANSITION, REWARD, 0.5, available=given).available == available).all()
    with pytest.raises(InvalidInput, match="masked"):
        tt.FiniteMDP(TRANSITION, REWARD, 0.5, available=masked(available))


def test_decimals_are_the_numbers_that_they_are():
    decimals = np.vectorize(lambda x: Decimal(repr(float(x))), otypes=[object])
    mdp = tt.FiniteMDP(
        decimals(TRANSITION), decimals(REWARD).tolist(), Decimal("0.5"), [Decimal("0.5"), Fraction(1, 2)]
    )
    assert tt.evaluate(mdp, decimals(POLICY)).expected_return == RETURN
    assert tt.FiniteMDP(TRANSITION, REWARD, Decimal("0.1")).gamma == 0.1
    assert tt.MaxKL(Decimal("0.01")) == tt.MaxKL(0.01)
    assert tt.Penalty(Decimal(2)) == tt.Penalty(2.0)
    assert rationals.fractions([Decimal("0.1")], "x")[0] == Fraction(1, 10)
    for bad in (Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises(InvalidInput):
            tt.FiniteMDP(TRANSITION, REWARD, bad)
        with pytest.raises(InvalidInput):
            tt.FiniteMDP(TRANSITION, [[bad, 1], [1, 1]], 0.5)
        with pytest.raises(InvalidInput):
            tt.MaxKL(bad)
        with pytest.raises(InvalidInput):
            rationals.fractions([bad], "x")


@pytest.mark.parametrize(
    "reward",
    [
        REWARD + 0j,
        REWARD.astype(str),
        REWARD.astype(str).tolist(),
        np.array([[1, None], [2, 3]], dtype=object),
        np.array([[1, "2"], [2, 3]], dtype=object),
        np.array([[1, 2 + 0j], [2, 3]], dtype=object),
        REWARD.astype("datetime64[s]"),
        REWARD.astype("timedelta64[s]"),
        REWARD.view([("a", float), ("b", float)]),
        np.rec.fromarrays([REWARD[:, 0], REWARD[:, 1]], names="left,right"),
        REWARD.tobytes(),
        bytearray(4),
        memoryview(bytes(4)).cast("B", (2, 2)),
        {0: 1.0},
        {1.0, 2.0},
        pd.DataFrame(REWARD, index=[1, 0]),
        pd.DataFrame(REWARD, columns=[2, 1]),
        pd.DataFrame([[1.0, pd.NA], [2.0, 3.0]], dtype="Float64"),
        pd.DataFrame(REWARD.astype(str)),
        pd.Series([1.0, 2.0], index=[1, 0]),
        pd.Series([True, pd.NA], dtype="boolean"),
    ],
    ids=lambda reward: type(reward).__name__,
)
def test_what_is_no_array_of_numbers_is_refused(reward):
    with pytest.raises(InvalidInput):
        tt.FiniteMDP(TRANSITION, reward, 0.5)


@pytest.mark.parametrize(
    "reward",
    [
        np.asmatrix(REWARD),
        memoryview(REWARD),
        pd.DataFrame(REWARD),
        pd.DataFrame(REWARD, index=["left", "right"], columns=["stay", "go"]),
        pd.DataFrame(REWARD, dtype="Float64"),
        REWARD.astype(object),
        REWARD.astype(np.int8),
        REWARD.astype(np.float16),
        tuple(map(tuple, REWARD)),
        [pd.Series(row) for row in REWARD],
    ],
    ids=lambda reward: type(reward).__name__,
)
def test_what_is_one_is_read_whole(reward):
    assert (tt.FiniteMDP(TRANSITION, reward, 0.5).reward == REWARD).all()


# --- rewards that are stored twice -----------------------------------------------------------------------------

ROWS, COLUMNS = [0, 0, 0, 1], [0, 0, 1, 1]
STAY = sp.csr_array(np.array([[0.5, 0.5], [0.0, 1.0]]))


def stored(values):
    """The same reward with a place that is stored twice, in every sparse format that can."""
    coo = sp.coo_array((values, (ROWS, COLUMNS)), shape=(2, 2))
    csr = sp.csr_array((values, COLUMNS, [0, 3, 4]), shape=(2, 2))
    csc = sp.csc_array((values, [0, 0, 0, 1], [0, 2, 4]), shape=(2, 2))
    bsr = sp.bsr_array((np.reshape(values, (4, 1, 1)), COLUMNS, [0, 3, 4]), shape=(2, 2))
    made = [coo, csr, csc, bsr, sp.coo_matrix((values, (ROWS, COLUMNS)), shape=(2, 2))]
    assert all(matrix.nnz == 4 for matrix in made)
    return made


@pytest.mark.parametrize("which", range(5))
def test_equal_rewards_of_one_place_are_that_reward(which):
    """Two entries of 1 with p = 1/2 are r = 1/2 (and were r = 1, their sum)."""
    matrix = stored([1.0, 1.0, 0.0, 3.0])[which]
    assert tt.FiniteMDP(STAY, matrix, 0.5).reward.ravel().tolist() == [0.5, 3.0]
    assert from_mdptoolbox([STAY], [matrix], 0.5).reward.ravel().tolist() == [0.5, 3.0]
    assert from_mdptoolbox(STAY.toarray()[None], [matrix], 0.5).reward.ravel().tolist() == [0.5, 3.0]
    whole = stored([1.0, 1.0, 1.0, 1.0])[which]
    assert tt.FiniteMDP(STAY, whole, 0.5).reward.ravel().tolist() == [1.0, 1.0]


@pytest.mark.parametrize("which", range(5))
def test_different_rewards_of_one_place_are_refused(which):
    matrix = stored([1.0, 2.0, 0.0, 3.0])[which]
    for build in (lambda: tt.FiniteMDP(STAY, matrix, 0.5), lambda: from_mdptoolbox([STAY], [matrix], 0.5)):
        with pytest.raises(InvalidInput, match=r"both 1 and 2 at row 0, column 0.*from_triplets"):
            build()


def test_probabilities_of_one_place_add_up_and_outcomes_of_triplets_are_averaged():
    """P is a sum over outcomes by definition; of r the probability-weighted mean is: (1/4 · 1 + 1/4 · 3 + 1/2 · 2) = 2."""
    twice = sp.coo_array(([0.25, 0.25, 0.5, 1.0], (ROWS, COLUMNS)), shape=(2, 2))
    assert (tt.FiniteMDP(twice, [[0.0], [0.0]], 0.5).transition.toarray() == STAY.toarray()).all()
    mdp = from_triplets([0, 0, 0, 1], [0] * 4, COLUMNS, [0.25, 0.25, 0.5, 1.0], [1, 3, 2, 5], 0.5)
    assert mdp.reward.ravel().tolist() == [2.0, 5.0]
    assert (mdp.transition.toarray() == STAY.toarray()).all()


def test_an_error_takes_its_fix_by_the_former_name_too():
    error = InvalidInput(got="a", wanted="b", mend="c")
    assert (error.fix, error.mend) == ("c", "c")
    assert str(error) == "got a; wanted b; fix: c"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    with pytest.raises(TypeError, match="fix"):
        InvalidInput(got="a", wanted="b")
