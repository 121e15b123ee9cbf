"""QuantEcon and mdptoolbox: the same textbook answers, and the libraries' own solvers, on both sides."""

from types import SimpleNamespace

import mdptoolbox.example
import mdptoolbox.mdp
import numpy as np
import pytest
import scipy.sparse as sp
from later import Later

from trpo_theory.errors import InvalidInput
from trpo_theory.io import from_mdptoolbox, from_quantecon, to_quantecon
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.solve.control import optimal

DiscreteDP = Later("quantecon.markov", "DiscreteDP")
pytestmark = pytest.mark.peers

# Puterman (2005), section 3.1: two states; v* = (-60/7, -20) at discount 0.95.
PRODUCT_R = [[5, 10], [-1, -np.inf]]
PRODUCT_Q = [[[0.5, 0.5], [0, 1]], [[0, 1], [0.5, 0.5]]]
PAIRS = {"s_indices": [0, 0, 1], "a_indices": [0, 1, 0]}
PAIR_R, PAIR_Q = [5, 10, -1], [[0.5, 0.5], [0, 1], [0, 1]]


def puterman(form):
    if form == "product":
        return DiscreteDP(PRODUCT_R, PRODUCT_Q, 0.95)
    if form == "unsorted pairs":
        order = [2, 1, 0]
        pick = {name: np.array(value)[order] for name, value in PAIRS.items()}
        return DiscreteDP(np.array(PAIR_R)[order], np.array(PAIR_Q)[order], 0.95, **pick)
    matrix = sp.csr_matrix(PAIR_Q) if form == "sparse pairs" else PAIR_Q
    return DiscreteDP(PAIR_R, matrix, 0.95, **PAIRS)


@pytest.mark.parametrize("form", ["product", "pairs", "unsorted pairs", "sparse pairs"])
def test_putermans_two_states(form):
    mdp = from_quantecon(puterman(form), [1, 0])
    assert mdp.is_sparse == (form == "sparse pairs")
    dense = mdp.transition.toarray().reshape(2, 2, 2) if mdp.is_sparse else mdp.transition
    assert np.array_equal(dense, [[[0.5, 0.5], [0, 1]], [[0, 1], [0, 0]]])
    assert np.array_equal(mdp.available, [[True, True], [True, False]])
    assert np.array_equal(mdp.reward, [[5, 10], [-1, 0]])
    np.testing.assert_allclose(optimal(mdp).value, [-60 / 7, -20], rtol=1e-13)


@pytest.mark.parametrize("sparse", [False, True])
def test_to_quantecon_and_back(sparse):
    rng = np.random.default_rng(1)
    transition = rng.dirichlet(np.ones(6), (6, 3)) if not sparse else sp.csr_array(rng.dirichlet(np.ones(6), 18))
    reward = rng.normal(size=(6, 3))
    reward[[0, 2, 5], [2, 0, 1]] = -np.inf
    mdp = FiniteMDP(transition, reward, 0.9, rng.dirichlet(np.ones(6)))
    ddp = to_quantecon(mdp)
    assert sp.issparse(ddp.Q) == sparse
    assert ddp.num_sa_pairs == 15
    np.testing.assert_allclose(ddp.solve(method="policy_iteration").v, optimal(mdp).value, rtol=1e-12)
    again = from_quantecon(ddp, mdp.initial)
    for name in ("reward", "initial", "available"):
        assert np.array_equal(getattr(again, name), getattr(mdp, name))
    assert again.gamma == mdp.gamma
    assert (abs(again.transition - mdp.transition)).max() == 0


@pytest.mark.parametrize(
    "ddp",
    [
        SimpleNamespace(R=PRODUCT_R, Q=PRODUCT_Q),
        SimpleNamespace(R=PRODUCT_R, Q=PRODUCT_Q, beta=1.5),
        SimpleNamespace(R=PRODUCT_R, Q=PRODUCT_Q, beta="x"),
        SimpleNamespace(R=PRODUCT_R[:1], Q=PRODUCT_Q, beta=0.9),
        SimpleNamespace(R=PAIR_R, Q=PAIR_Q, beta=0.9),
        SimpleNamespace(R=PAIR_R, Q=PAIR_Q, beta=0.9, s_indices=[0, 0, 5], a_indices=[0, 1, 0]),
        SimpleNamespace(R=PAIR_R, Q=PAIR_Q, beta=0.9, s_indices=[0, 0, 1], a_indices=[0, 0, 0]),
        SimpleNamespace(R=PAIR_R, Q=PAIR_Q, beta=0.9, s_indices=[0, 0, 1], a_indices=[0, 10**12, 0]),
        SimpleNamespace(R=PAIR_R, Q=PAIR_Q, beta=0.9, s_indices=[0, 0, -1], a_indices=[0, 1, 0]),
        SimpleNamespace(R=PAIR_R[:2], Q=PAIR_Q, beta=0.9, **PAIRS),
        SimpleNamespace(R=PAIR_R, Q=[1, 2, 3], beta=0.9, **PAIRS),
        SimpleNamespace(R=PAIR_R, Q=[[0.5, 0.6], [0, 1], [0, 1]], beta=0.9, **PAIRS),
        3,
    ],
)
def test_malformed_discrete_dps(ddp):
    with pytest.raises(InvalidInput, match="fix: "):
        from_quantecon(ddp)


def test_batches_do_not_fit_into_a_discrete_dp():
    with pytest.raises(InvalidInput, match="batch"):
        to_quantecon(FiniteMDP(np.ones((2, 1, 1, 1)), np.ones((2, 1)), 0.5))


@pytest.mark.parametrize("sparse", [False, True])
def test_the_forest(sparse):
    """pymdptoolbox's example; its policy iteration gives 26.244, 29.484, 33.484 at discount 0.9."""
    transitions, reward = mdptoolbox.example.forest(is_sparse=sparse)
    mdp = from_mdptoolbox(transitions, reward, 0.9)
    assert mdp.is_sparse == sparse
    np.testing.assert_allclose(optimal(mdp).value, [26.244, 29.484, 33.484], rtol=1e-14)


def test_rewards_of_every_shape():
    rng = np.random.default_rng(2)
    states, actions = 5, 3
    transitions = rng.dirichlet(np.ones(states), (actions, states))
    by_transition = rng.normal(size=(actions, states, states))
    listed = [sp.csr_matrix(matrix) for matrix in transitions]
    shapes = {
        "S": by_transition[0, 0],
        "SA": by_transition[:, :, 0].T,
        "ASS": by_transition,
        "A times S": list(by_transition[:, :, 0]),
        "A sparse": [sp.csr_matrix(matrix) for matrix in by_transition],
        "mixed": [by_transition[0], *map(sp.csr_array, by_transition[1:])],
    }
    for name, reward in shapes.items():
        if name == "S":
            expected = np.repeat(reward[:, None], actions, 1)
        elif name in ("SA", "A times S"):
            expected = by_transition[:, :, 0].T
        else:
            expected = (transitions * by_transition).sum(-1).T
        for given in (transitions, list(transitions), listed, [listed[0], *transitions[1:]]):
            mdp = from_mdptoolbox(given, reward, 0.9)
            np.testing.assert_allclose(mdp.reward, expected, rtol=1e-13, atol=1e-15, err_msg=name)
            matrix = mdp.transition.toarray().reshape(states, actions, states) if mdp.is_sparse else mdp.transition
            np.testing.assert_allclose(matrix, transitions.transpose(1, 0, 2), rtol=1e-15)
    solver = mdptoolbox.mdp.PolicyIteration(transitions, shapes["SA"], 0.9)
    solver.run()
    np.testing.assert_allclose(optimal(from_mdptoolbox(transitions, shapes["SA"], 0.9)).value, solver.V, rtol=1e-12)


P, R = mdptoolbox.example.forest()
SPARSE = [sp.csr_array(matrix) for matrix in P]


@pytest.mark.parametrize(
    ("transitions", "reward"),
    [
        (P[0], R),
        (P.transpose(1, 0, 2), R),
        (SPARSE[0], R),
        ([SPARSE[0], SPARSE[1][:2]], R),
        ([SPARSE[0], np.ones(3)], R),
        (P, [*R.T.tolist(), [0, 0, 0]]),
        (P, np.ones(4)),
        (P, [SPARSE[0]]),
        (P, SPARSE[0]),
        (np.ones((2, 2, 2)) / 2, [[1, 2], [3, 4]]),
        (P * 1.01, R),
        ("forest", R),
        (None, R),
        (P, None),
    ],
)
def test_malformed_mdptoolbox_input(transitions, reward):
    with pytest.raises(InvalidInput, match="fix: "):
        from_mdptoolbox(transitions, reward, 0.9)
