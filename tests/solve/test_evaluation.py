"""V, Q, A, ρ and η against closed forms, exact rationals and QuantEcon; batches against their members."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from exact import error, nearest, policy_on, rational
from hypothesis import given
from later import Later
from strategies_small import GAMMAS, evaluations, random_mdp, random_rows

from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import deterministic, uniform
from trpo_theory.solve.evaluation import evaluate

DiscreteDP = Later("quantecon.markov", "DiscreteDP")

PER_STATE_AND_ACTION = ("policy", "q_value", "advantage")
PER_STATE = ("value", "visitation", "occupancy")
PER_INSTANCE = ("expected_return", "residual", "error_bound")


def as_sparse(mdp: FiniteMDP) -> FiniteMDP:
    flat = sp.csr_array(mdp.transition.reshape(-1, mdp.states))
    return FiniteMDP(flat, mdp.reward, mdp.gamma, mdp.initial, available=mdp.available)


# --- closed forms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [*GAMMAS, 0.999999])
def test_one_state_is_a_geometric_series(gamma):
    e = evaluate(FiniteMDP([[[1], [1]]], [[3, 1]], gamma), [[0.25, 0.75]])
    assert e.value[0] == pytest.approx(1.5 / (1 - gamma), rel=1e-15)
    assert e.visitation[0] == pytest.approx(1 / (1 - gamma), rel=1e-15)
    assert e.occupancy[0] == pytest.approx(1.0, rel=1e-15)
    np.testing.assert_allclose(e.advantage, [[1.5, -0.5]], rtol=1e-15 / (1 - gamma))


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize(("leave", "come_back"), [(0.25, 0.5), (1.0, 1.0), (0.0, 0.5), (0.0, 0.0), (1e-9, 1.0)])
def test_a_two_state_chain_by_cramers_rule(gamma, leave, come_back):
    mdp = FiniteMDP([[[1 - leave, leave]], [[come_back, 1 - come_back]]], [[1.0], [-2.0]], gamma, [1, 0])
    e = evaluate(mdp, [[1.0], [1.0]])
    g, p, q = rational(gamma), rational(mdp.transition[0, 0, 1]), rational(come_back)
    stay = rational(mdp.transition[0, 0, 0])
    det = (1 - g * stay) * (1 - g * (1 - q)) - g * p * g * q
    value = [((1 - g * (1 - q)) - 2 * g * p) / det, (g * q - 2 * (1 - g * stay)) / det]
    visitation = [(1 - g * (1 - q)) / det, g * p / det]
    assert error(e.value, value) <= e.error_bound <= 1e-13 / (1 - gamma) ** 2
    assert error(e.visitation, visitation) <= 1e-15 / (1 - gamma) ** 2
    assert e.expected_return == e.value[0]


def test_ten_states_in_a_row_pay_at_the_end():
    states, gamma = 10, 0.9
    transition = np.zeros((states, 1, states))
    transition[np.arange(states - 1), 0, np.arange(1, states)] = 1
    transition[-1, 0, -1] = 1
    reward = np.zeros(states)
    reward[-2] = 1.0
    e = evaluate(FiniteMDP(transition, reward, gamma, np.eye(states)[0]), np.ones((states, 1)))
    np.testing.assert_allclose(e.value, [*(gamma ** np.arange(8, -1, -1)), 0], rtol=1e-14)
    np.testing.assert_allclose(e.visitation, [*(gamma ** np.arange(9)), gamma**9 / (1 - gamma)], rtol=1e-14)


# --- exact rationals ----------------------------------------------------------------------------------------------


@pytest.mark.slow
@given(evaluations())
def test_every_quantity_is_that_of_the_exact_rationals(case):
    mdp, policy = case
    e, true = evaluate(mdp, policy), policy_on(mdp, policy)
    scale = np.abs(nearest(true.value)).max() + np.abs(mdp.reward).max()
    horizon = 1 / (1 - mdp.gamma)
    assert error(e.value, true.value) <= e.error_bound
    assert error(e.value, true.value) <= 1e-14 * horizon * scale
    assert error(e.q_value, true.q_value) <= 1e-14 * horizon * scale
    assert error(e.advantage, np.where(mdp.available, true.advantage, rational(0))) <= 2e-14 * horizon * scale
    assert error(e.visitation, true.visitation) <= 1e-14 * horizon**2
    assert error(e.occupancy, (1 - rational(mdp.gamma)) * true.visitation) <= 1e-14 * horizon
    assert error(e.expected_return, true.expected_return) <= e.error_bound * (1 + 1e-12) + 1e-15 * scale


@given(evaluations(gammas=(0.0, 0.5, 0.9, 0.99)))
def test_the_error_of_the_return_is_below_1e_minus_12_of_the_largest_value(case):
    mdp, policy = case
    true = policy_on(mdp, policy)
    largest = np.abs(nearest(true.value)).max()
    assert error(evaluate(mdp, policy).expected_return, true.expected_return) <= 1e-12 * largest


@pytest.mark.parametrize("gamma", [0.9, 0.999, 0.999999])
@pytest.mark.parametrize("states", [3, 12, 40])
def test_the_error_bound_holds_and_is_of_use(states, gamma):
    rng = np.random.default_rng(states)
    mdp, policy = random_mdp(rng, states, 3, gamma), random_rows(rng, states, 3)
    true = policy_on(mdp, policy)
    for e in (evaluate(mdp, policy), evaluate(as_sparse(mdp), policy)):
        wrong = error(e.value, true.value)
        assert wrong <= e.error_bound
        assert e.error_bound <= 1e-13 * (states + 8) / (1 - gamma) * np.abs(e.value).max()
        assert error(e.expected_return, true.expected_return) <= e.error_bound


@given(evaluations())
def test_states_that_cannot_be_reached_have_no_visitation_and_the_others_have(case):
    mdp, policy = case
    chain, reached = np.einsum("sa,sat->st", policy, mdp.transition) > 0, mdp.initial > 0
    if mdp.gamma > 0:
        for _ in range(mdp.states):
            reached = reached | (reached @ chain)
    visitation = evaluate(mdp, policy).visitation
    np.testing.assert_array_equal(visitation > 0, reached)
    assert (visitation >= 0).all()


# --- QuantEcon ----------------------------------------------------------------------------------------------------


def quantecon_case(seed: int) -> tuple[FiniteMDP, np.ndarray]:
    """A random MDP, some actions of it unavailable, and a deterministic policy, the kind that QuantEcon evaluates."""
    rng = np.random.default_rng(seed)
    states, actions, gamma = int(rng.integers(1, 9)), int(rng.integers(1, 5)), float(rng.choice([0.0, 0.5, 0.9, 0.99]))
    mdp = random_mdp(rng, states, actions, gamma)
    mask = rng.random((states, actions)) < 0.8
    action = rng.integers(0, actions, states)
    mask[np.arange(states), action] = True
    return FiniteMDP(mdp.transition, mdp.reward, gamma, mdp.initial, available=mask), action


@pytest.mark.slow
@pytest.mark.peers
@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_quantecon_agrees_on_200_random_mdps(form):
    for seed in range(200):
        mdp, action = quantecon_case(seed)
        if form == "dense":
            other = DiscreteDP(np.where(mdp.available, mdp.reward, -np.inf), mdp.transition, mdp.gamma)
        else:
            s, a = np.nonzero(mdp.available)
            other = DiscreteDP(mdp.reward[s, a], sp.csr_matrix(mdp.transition[s, a]), mdp.gamma, s, a)
            mdp = as_sparse(mdp)
        want = other.evaluate_policy(action)
        got = evaluate(mdp, deterministic(action, mdp.actions)).value
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 * (1 + np.abs(want).max()), err_msg=f"seed {seed}")


# --- sparse -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@given(evaluations())
def test_sparse_is_dense(case):
    mdp, policy = case
    one, other = evaluate(mdp, policy), evaluate(as_sparse(mdp), policy)
    horizon = 1 / (1 - mdp.gamma)
    for name in (*PER_STATE_AND_ACTION, *PER_STATE, "expected_return"):
        mine, theirs = getattr(one, name), getattr(other, name)
        assert np.shape(mine) == np.shape(theirs)
        np.testing.assert_allclose(theirs, mine, rtol=0, atol=1e-13 * horizon**2, err_msg=name)


def test_a_large_sparse_chain_with_a_closed_form():
    """Deterministic moves round a ring, reward 1 at state 0; the other action stays for nothing and is never taken."""
    states, gamma = 5000, 0.99
    s = np.arange(states)
    rows, columns = np.concatenate([2 * s, 2 * s + 1]), np.concatenate([(s + 1) % states, s])
    transition = sp.csr_array((np.ones(2 * states), (rows, columns)), shape=(2 * states, states))
    mdp = FiniteMDP(transition, np.eye(1, states)[0], gamma, np.eye(1, states)[0])
    e = evaluate(mdp, np.tile([1.0, 0.0], (states, 1)))
    with np.errstate(under="ignore"):
        around = gamma ** np.where(s == 0, 0, states - s) / (1 - gamma**states)
    np.testing.assert_allclose(e.value, around, rtol=0, atol=1e-12)
    assert error(e.expected_return, rational(1)) <= e.error_bound  # γ^5000 is below its rounding
    assert e.visitation.sum() == pytest.approx(100, rel=1e-12)


# --- batches ------------------------------------------------------------------------------------------------------

LAYOUTS = {
    "many MDPs, many policies": ((5,), (5,)),
    "one MDP, many policies": ((), (5,)),
    "many MDPs, one policy": ((5,), ()),
    "two axes": ((2, 3), (2, 3)),
    "two axes, broadcast": ((2, 1), (3,)),
    "two axes, one MDP": ((), (2, 3)),
    "a batch of one": ((1,), (4,)),
    "one of each": ((), ()),
}


@pytest.mark.parametrize("states", [4, 33])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_batch_is_a_loop_over_its_members(layout, states):
    rng = np.random.default_rng(states)
    mdp_batch, policy_batch = LAYOUTS[layout]
    gamma = rng.choice(GAMMAS[:-1], size=mdp_batch) if mdp_batch else 0.9
    whole = random_mdp(rng, states, 3, gamma, batch=mdp_batch)
    mask = rng.random((*mdp_batch, states, 3)) < 0.7
    mask[..., 0] = True
    mdp = FiniteMDP(whole.transition, whole.reward, gamma, whole.initial, available=mask)
    policy = random_rows(rng, *policy_batch, states, 3)
    allowed = mask if policy_batch == mdp_batch else mask.reshape(-1, states, 3).all(0)
    policy = policy * allowed + 1e-3 * (np.arange(3) == 0)
    policy /= policy.sum(-1, keepdims=True)
    e = evaluate(mdp, policy)
    batch = np.broadcast_shapes(mdp_batch, policy_batch)
    for index in np.ndindex(*batch):
        mine = index[len(index) - len(mdp_batch) :] if mdp_batch else ()
        mine = tuple(0 if size == 1 else i for i, size in zip(mine, mdp_batch, strict=True))
        his = index[len(index) - len(policy_batch) :] if policy_batch else ()
        single_gamma = float(gamma[mine]) if mdp_batch else gamma
        member = FiniteMDP(
            mdp.transition[mine], mdp.reward[mine], single_gamma, mdp.initial[mine], available=mdp.available[mine]
        )
        alone = evaluate(member, policy[his])
        for name in (*PER_STATE_AND_ACTION, *PER_STATE, "expected_return"):
            want = getattr(alone, name)
            got = np.broadcast_to(getattr(e, name), (*batch, *np.shape(want)))[index]
            scale = max(1.0, np.abs(want).max()) / (1 - single_gamma)
            np.testing.assert_allclose(got, want, rtol=0, atol=1e-13 * scale, err_msg=f"{name} of {index}")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_shapes_of_a_batch_are_leading(layout):
    rng = np.random.default_rng(0)
    mdp_batch, policy_batch = LAYOUTS[layout]
    e = evaluate(random_mdp(rng, 4, 3, 0.9, batch=mdp_batch), random_rows(rng, *policy_batch, 4, 3))
    batch = np.broadcast_shapes(mdp_batch, policy_batch)
    for name in ("q_value", "advantage"):
        assert getattr(e, name).shape == (*batch, 4, 3)
    assert e.value.shape == (*batch, 4)
    for name in ("expected_return", "residual", "error_bound"):
        assert np.shape(getattr(e, name)) == batch


@pytest.mark.parametrize("batch", [(), (5,)])
def test_arrays_of_the_result_are_read_only_and_the_policy_is_a_copy(batch):
    rng = np.random.default_rng(1)
    mdp, policy = random_mdp(rng, 4, 3, 0.9, batch=batch), random_rows(rng, 4, 3)
    e = evaluate(mdp, policy)
    names = (*PER_STATE_AND_ACTION, *PER_STATE, *(PER_INSTANCE if batch else ()))
    assert not [name for name in names if getattr(e, name).flags.writeable]
    before = np.array(e.policy)
    policy[:] = 0
    np.testing.assert_array_equal(e.policy, before)


def test_repr_shows_the_return_and_the_residual():
    shown = repr(evaluate(FiniteMDP([[[1.0]]], [1.0], 0.5), [[1.0]]))
    assert shown == "Evaluation(expected_return=2., residual=0.0e+00)"


def test_nested_lists_and_integers_are_policies():
    mdp = FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[0, 1], [0, 0]], 0.5, [1, 0])
    for policy in ([[0, 1], [1, 0]], np.array([[0, 1], [1, 0]]), np.float32([[0, 1], [1, 0]])):
        assert evaluate(mdp, policy).expected_return == 1.0


# --- what is refused ----------------------------------------------------------------------------------------------

MASKED = FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 0]]], [[0, 1], [0, -np.inf]], 0.5)
THREE = random_mdp(np.random.default_rng(0), 4, 3, 0.5, batch=(3,))
REFUSED = {
    "another shape": (MASKED, [[1, 0, 0], [1, 0, 0]], r"policy of shape \(2, 3\)"),
    "transposed": (THREE, np.full((3, 4), 0.25), r"policy of shape \(3, 4\)"),
    "actions": (MASKED, [0, 0], r"policy of shape \(2,\)"),
    "below 1": (MASKED, [[0.5, 0.4], [1, 0]], r"policy row \[0\] that sums to 0.9"),
    "negative": (MASKED, [[1.5, -0.5], [1, 0]], r"policy\[0, 1\] = -0.5"),
    "NaN": (MASKED, [[np.nan, 1], [1, 0]], r"nan in policy at \[0, 0\]"),
    "unavailable": (MASKED, [[0.5, 0.5], [0.25, 0.75]], r"policy\[1, 1\] = 0.75 for an action that is not available"),
    "ragged": (MASKED, [[1, 0], [1]], "policy that is not a rectangular array"),
    "words": (MASKED, "unifrom", "policy 'unifrom'"),
    "another batch": (THREE, np.full((2, 4, 3), 1 / 3), r"policy with batch \(2,\) for MDPs with batch \(3,\)"),
    "a batch on a sparse MDP": (as_sparse(MASKED), [uniform(MASKED.available)] * 2, "a batch of policies"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_policy_that_is_none_is_refused(name):
    mdp, policy, got = REFUSED[name]
    with pytest.raises(InvalidInput, match=f"^got .*{got}.*; wanted .+; fix: .+"):
        evaluate(mdp, policy)
