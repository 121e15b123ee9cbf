"""What claims may read of the new policy, of the chains, of the optimum, and of another step; conditions on a step.

The oracle is in exact rationals, with enumeration of all deterministic policies for the optimum.
"""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from exact import ExactPolicy, nearest, rationals, resolvent

from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics.derivatives import Traced, gradient
from trpo_theory.step.described import GROUPS, described
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.instances import Instances, quantities_of_arrays
from trpo_theory.step.quantities import Quantities, compare

TRANSITION = np.array([[[0.5, 0.5, 0], [0, 0.25, 0.75]], [[0, 0, 1], [0.5, 0, 0.5]], [[0, 1, 0], [1, 0, 0]]])
REWARD = np.array([[1.0, -2.0], [0.5, 3.0], [0.0, 0.25]])
INITIAL = np.array([0.5, 0.25, 0.25])
GAMMA = 0.75
OLD = np.array([[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]])
NEW = np.array([[0.25, 0.75], [0.25, 0.75], [0.5, 0.5]])
ARITHMETICS = ("one", "batch", "traced", "balls")


def instances() -> Instances:
    """The step, and the step back: a batch of two."""
    return Instances.of_arrays(TRANSITION, REWARD, GAMMA, INITIAL, np.stack([OLD, NEW]), np.stack([NEW, OLD]))


def step_in(arithmetic: str) -> Quantities:
    if arithmetic == "one":
        return compare(FiniteMDP(TRANSITION, REWARD, GAMMA, INITIAL), OLD, NEW)
    if arithmetic == "batch":
        return instances().quantities()
    return (
        quantities_of_arrays(instances().arrays(), Traced())
        if arithmetic == "traced"
        else instances().exact(0).quantities()
    )


def agree(got, exact, arithmetic):
    """Equal in balls, to rounding in floats; of a batch, the first."""
    exact = np.asarray(exact, dtype=object)
    if arithmetic == "balls":
        assert [x.fraction for x in np.ravel(got)] == [Fraction(int(x.p), int(x.q)) for x in exact.ravel()]
        assert np.shape(got) == exact.shape
        return
    got = np.asarray(got)
    got = got if arithmetic == "one" else got[..., 0]
    assert got.shape == exact.shape
    np.testing.assert_allclose(got, nearest(exact), rtol=1e-13, atol=1e-14)


def on(policy, **changes) -> ExactPolicy:
    return ExactPolicy(
        **{"transition": TRANSITION, "reward": REWARD, "gamma": GAMMA, "initial": INITIAL} | changes, policy=policy
    )


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_of_the_new_policy_and_of_the_chains(arithmetic):
    q, old, new = step_in(arithmetic), on(OLD), on(NEW)
    agree(q.value_new, new.value, arithmetic)
    agree(q.q_value_new, new.q_value, arithmetic)
    agree(q.advantage_new, new.advantage, arithmetic)
    agree(q.transition_old, old.chain, arithmetic)
    agree(q.transition_new, new.chain, arithmetic)
    assert (q.states, q.actions) == (3, 2)
    assert (type(q.states), type(q.actions)) == (int, int)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_discounted_sums_by_start_state(arithmetic):
    q = step_in(arithmetic)
    for policy, sums, total in (
        (OLD, q.discounted_sums_old, q.discounted_sum_old),
        (NEW, q.discounted_sums_new, q.discounted_sum_new),
    ):
        cost = (rationals(policy) * rationals(REWARD) ** 2).sum(1)
        want = resolvent(on(policy).chain, GAMMA, cost)
        agree(sums(q.reward**2), want, arithmetic)
        agree(total(q.reward**2), (rationals(INITIAL) * want).sum(), arithmetic)


def optimum(**changes):
    """max over all deterministic policies of V, state by state."""
    values = [on(np.eye(2)[list(choice)], **changes).value for choice in itertools.product(range(2), repeat=3)]
    return np.array([max(value[s] for value in values) for s in range(3)], dtype=object)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_the_optimum_is_the_best_of_all_deterministic_policies(arithmetic):
    q, best = step_in(arithmetic), optimum()
    agree(q.optimal_value, best, arithmetic)
    agree(q.optimal_return, (rationals(INITIAL) * best).sum(), arithmetic)
    if arithmetic == "batch":
        np.testing.assert_array_equal(q.optimal_value[..., 0], q.optimal_value[..., 1])


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_a_greedy_policy_takes_the_first_of_the_best_actions(arithmetic):
    q, best = step_in(arithmetic), first_best(on(OLD).q_value)
    agree(q.greedy(q.q_value), rationals(best), arithmetic)
    mixed = rationals(REWARD) + 10 * on(OLD).advantage
    agree(q.greedy(q.reward + 10 * q.advantage), rationals(first_best(mixed)), arithmetic)
    ties = np.array([[1.0, 1], [0, -1], [-1, 0]])
    columns = ties[..., None] if arithmetic in ("batch", "traced") else ties
    agree(q.greedy(0 * q.reward + columns), rationals([[1, 0], [1, 0], [0, 1]]), arithmetic)
    better = q.replaced(new=q.greedy(q.q_value))
    agree(better.expected_return_new, on(best).expected_return, arithmetic)
    assert np.all(np.asarray(better.is_greedy_new))


def first_best(rows):
    """The policy on the first of the largest entries, of two."""
    return np.eye(2)[[0 if row[0] >= row[1] else 1 for row in rows]]


def test_a_greedy_policy_takes_available_actions_only():
    available = np.array([[0, 1, 1], [1, 1, 0], [1, 1, 1]], dtype=bool)
    transition = np.where(available[..., None], np.full(3, 1 / 3), 0)
    mdp = FiniteMDP(transition, np.zeros((3, 3)), 0.5, available=available)
    old = available / available.sum(1, keepdims=True)
    x = np.array([[9.0, -1, -2], [-3, -2, 0], [1, 2, 2]])
    want = [[0, 1, 0], [0, 1, 0], [0, 1, 0]]
    assert compare(mdp, old, old).greedy(x).tolist() == want
    both = compare(mdp, np.stack([old, old]), old)
    assert both.greedy(np.stack([x, -x], -1))[..., 0].tolist() == want
    assert both.greedy(np.stack([x, -x], -1))[..., 1].tolist() == [[0, 0, 1], [1, 0, 0], [1, 0, 0]]
    balls = ExactInstance.of(mdp, old, old).quantities()
    assert [[int(y != 0) for y in row] for row in balls.greedy(x + 0 * balls.reward)] == want


def test_an_unavailable_action_is_never_the_best():
    available = np.array([[1, 0], [1, 1], [1, 1]], dtype=bool)
    reward = np.where(available, REWARD - 10, -np.inf)
    old = np.array([[1, 0], [0.5, 0.5], [0.5, 0.5]])
    mdp = FiniteMDP(np.where(available[..., None], TRANSITION, 0), reward, GAMMA, INITIAL, available=available)
    values = [on(np.eye(2)[[0, *choice]], reward=REWARD - 10).value for choice in itertools.product(range(2), repeat=2)]
    best = np.array([max(value[s] for value in values) for s in range(3)], dtype=object)
    agree(compare(mdp, old, old).optimal_value, best, "one")
    agree(ExactInstance.of(mdp, old, old).quantities().optimal_value, best, "balls")
    q = compare(mdp, old, old)
    assert (q.q_value_new[0, 1], q.advantage_new[0, 1]) == (0, 0)
    agree(q.value_new, on(old, reward=np.where(available, REWARD - 10, 0)).value, "one")


def test_the_optimum_of_ties_ends_where_rounding_goes_both_ways():
    rng = np.random.default_rng(3)
    transition = np.repeat(
        rng.dirichlet(np.ones(6), 6)[:, None], 3, 1
    )  # actions are all the same: every policy is optimal
    reward = np.repeat(rng.normal(size=6)[:, None], 3, 1)
    old = rng.dirichlet(np.ones(3), (4, 6))
    q = compare(FiniteMDP(transition, reward, 0.99, np.full(6, 1 / 6)), old, old)
    want = resolvent(transition[:, 0], 0.99, reward[:, 0])
    np.testing.assert_allclose(q.optimal_value, np.tile(nearest(want)[:, None], 4), rtol=1e-12)


def test_the_gradient_of_new_values_and_of_the_optimum_is_that_of_differences():
    arrays = instances().take([0]).arrays()

    def total(reward, arithmetic=None):
        q = quantities_of_arrays(arrays | {"reward": reward}, arithmetic or Traced())
        weight = np.arange(1.0, 4)[:, None]
        new = (
            (q.advantage_new**2).sum()
            + (q.transition_new * weight[:, None]).sum()
            + (q.discounted_sums_new(q.reward) * weight).sum()
        )
        return new + (q.optimal_value * weight).sum() + q.replaced(gamma=q.gamma / 2, new=q.old).value_new.sum()

    slope, step = gradient(total, arrays["reward"]), 1e-6
    for s, a in itertools.product(range(3), range(2)):
        bump = np.zeros((1, 3, 2))
        bump[0, s, a] = step
        central = (total(arrays["reward"] + bump) - total(arrays["reward"] - bump)) / (2 * step)
        assert slope[0, s, a] == pytest.approx(float(central), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_another_step_of_the_same_mdp(arithmetic):
    q = step_in(arithmetic)
    back = q.replaced(old=q.new, new=q.old)
    agree(back.expected_return_old, on(NEW).expected_return, arithmetic)
    agree(back.value_new, on(OLD).value, arithmetic)
    agree(q.replaced(new=(q.old + q.new) / 2).value_new, on((OLD + NEW) / 2).value, arithmetic)
    agree(q.replaced(gamma=Fraction(1, 2)).value, on(OLD, gamma=0.5).value, arithmetic)
    agree(q.replaced(gamma=q.gamma / 3).value, on(OLD, gamma=GAMMA / 3).value, arithmetic)
    agree(q.replaced(reward=q.reward**2 + 1).value_new, on(NEW, reward=REWARD**2 + 1).value, arithmetic)
    agree(q.replaced(reward=1).value, [rationals([1])[0] / (1 - rationals([GAMMA])[0])] * 3, arithmetic)
    uniform = rationals([Fraction(1, 3)] * 3)
    agree(q.replaced(initial=Fraction(1, 3)).expected_return_old, (uniform * on(OLD).value).sum(), arithmetic)
    flipped = q.replaced(transition=q.transition[:, ::-1])
    agree(flipped.value, on(OLD, transition=TRANSITION[:, ::-1]).value, arithmetic)
    agree(q.value, on(OLD).value, arithmetic)
    assert q.replaced(new=q.old).value is q.value  # what is known of old is kept


def test_the_chains_of_a_sparse_mdp_are_refused():
    flat = sp.csr_array(TRANSITION.reshape(6, 3))
    q = compare(FiniteMDP(flat, REWARD, GAMMA, INITIAL), OLD, NEW)
    for name in ("transition_old", "transition_new"):
        with pytest.raises(InvalidInput, match="dense transition"):
            getattr(q, name)
    agree(q.optimal_value, optimum(), "one")
    agree(q.value_new, on(NEW).value, "one")
    agree(q.replaced(old=q.new).value, on(NEW).value, "one")


# --- conditions ---------------------------------------------------------------------------------------------------

FIRST, SECOND = np.eye(2)[[0, 0, 0]], np.eye(2)[[0, 1, 0]]
NEARLY = np.array([[1.0, 0.0], [2.0**-40, 1 - 2.0**-40], [1.0, 0.0]])
UNIT, BEYOND = np.abs(REWARD) / 3, REWARD / 2
CASES = [
    # old, new, reward: deterministic old, deterministic new, one state moved, unit rewards
    (OLD, NEW, REWARD, (False, False, False, False)),
    (FIRST, SECOND, UNIT, (True, True, True, True)),
    (FIRST, FIRST, BEYOND, (True, True, False, False)),
    (NEARLY, SECOND, UNIT, (False, True, True, True)),
    (SECOND, NEARLY, UNIT + 2**-40, (True, False, True, False)),
]
NAMES = ("is_deterministic_old", "is_deterministic_new", "one_state_moved", "unit_rewards")


def test_conditions_in_floats_and_balls():
    parts = [np.stack([case[i] for case in CASES]) for i in range(3)]
    batch = Instances.of_arrays(TRANSITION, parts[2], GAMMA, INITIAL, *parts[:2])
    for i, (old, new, reward, want) in enumerate(CASES):
        one = compare(FiniteMDP(TRANSITION, reward, GAMMA, INITIAL), old, new)
        for q in (one, batch.one(i), batch.exact(i).quantities()):
            assert tuple(bool(getattr(q, name)) for name in NAMES) == want
    for q in (batch.quantities(), quantities_of_arrays(batch.arrays(), Traced())):
        for name, column in zip(NAMES, zip(*(case[3] for case in CASES), strict=True), strict=True):
            assert np.asarray(getattr(q, name)).tolist() == list(column)


def greedy_of(reward) -> np.ndarray:
    """In exact rationals, the first of the best actions of A_old in each state."""
    return np.eye(2)[[max(range(2), key=lambda a: row[a]) for row in on(OLD, reward=reward).advantage]]


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_greedy(offset):
    reward = REWARD + offset
    best = greedy_of(reward)
    other = best.copy()
    other[1] = other[1, ::-1]
    mixed = best.copy()
    mixed[2] = [0.5, 0.5]
    news = np.stack([best, other, mixed])
    batch = Instances.of_arrays(TRANSITION, reward, GAMMA, INITIAL, np.stack([OLD] * 3), news)
    for q in (batch.quantities(), quantities_of_arrays(batch.arrays(), Traced())):
        assert np.asarray(q.is_greedy_new).tolist() == [True, False, False]
    assert [bool(batch.exact(i).quantities().is_greedy_new) for i in range(3)] == [True, False, False]


def test_ties_and_actions_that_do_nothing_are_greedy():
    same = np.repeat(TRANSITION[:, :1], 2, 1)
    reward = np.repeat(np.array([[0.1], [0.7], [1 / 3]]), 2, 1)
    mdp = FiniteMDP(same, reward, 0.99, INITIAL)
    assert compare(mdp, OLD, NEW).is_greedy_new
    assert ExactInstance.of(mdp, OLD, NEW).quantities().is_greedy_new
    assert compare(FiniteMDP(same, 0 * reward, 0.99, INITIAL), OLD, NEW).is_greedy_new


# --- the list -----------------------------------------------------------------------------------------------------


def test_everything_is_described():
    fields = described()
    assert sorted(field.name for field in fields) == sorted(Quantities.names())
    assert {field.group for field in fields} == set(GROUPS)
    assert all(field.formula for field in fields)
    shapes = {field.name: field.shape for field in fields}
    drawn = instances()
    q = drawn.replace(horizon=np.full(len(drawn), 3), temperature=np.ones(len(drawn))).quantities()
    for name, shape in shapes.items():
        value = getattr(q, name)
        if "batch" in shape and not callable(value) and name != "available":
            assert np.ndim(value) == shape.count(",") + 1, name
    assert [shapes[n] for n in ("q_value", "transition_old", "kl", "gamma")] == [
        *("(S, A, *batch)", "(S, S, *batch)", "(S, *batch)", "(*batch)")
    ]
    assert [shapes[n] for n in ("discounted_sums_new", "discounted_sum_new", "laws_old", "states")] == [
        *("(S, *batch)", "(*batch)", "(steps, S, *batch)", "an integer")
    ]
