"""`Quantities`: the numbered equations against exact rationals, sums over time and mpmath; batches; reductions."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.sparse as sp
from exact import ExactStep, error, nearest, policy_on, rational, rationals, relative_error, solve, step_on
from flint import fmpq
from hypothesis import assume, given
from hypothesis import strategies as st
from mpmath import mpf
from strategies_small import GAMMAS, dyadic, evaluations, policies, random_mdp, random_rows, steps

from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.solve.evaluation import evaluate
from trpo_theory.step.quantities import Quantities, compare

PER_STATE_AND_ACTION = ("q_value", "advantage")
PER_STATE = (
    *("value", "visitation_old", "visitation_new", "occupancy_old", "occupancy_new", "expected_advantage"),
    *("visitation_change", "kl", "reverse_kl", "tv", "reverse_chi2"),
)
PER_INSTANCE = (
    *("expected_return_old", "expected_return_new", "surrogate", "surrogate_gain", "surrogate_gap"),
    *("max_kl", "reverse_max_kl", "mean_kl", "max_tv", "mean_tv", "reverse_max_chi2", "reverse_mean_chi2"),
    "max_abs_advantage",
)
EVERYTHING = (*PER_STATE_AND_ACTION, *PER_STATE, *PER_INSTANCE)


def as_sparse(mdp: FiniteMDP) -> FiniteMDP:
    flat = sp.csr_array(mdp.transition.reshape(-1, mdp.states))
    return FiniteMDP(flat, mdp.reward, mdp.gamma, mdp.initial, available=mdp.available)


def scale_of(mdp: FiniteMDP) -> float:
    """A bound on |V| and, up to a factor 2, on |A|."""
    return max(np.abs(mdp.reward).max(), 1e-300) / (1 - mdp.gamma)


def rounding(mdp: FiniteMDP) -> float:
    """What an error of V, Q or A may be: 1 − γP cancels, so that it grows as 1/(1 − γ) beside their size."""
    return 1e-15 * (10 + 1 / (1 - mdp.gamma)) * scale_of(mdp)


def horizon(mdp: FiniteMDP, accuracy: float = 1e-17) -> int:
    return 2 if mdp.gamma == 0 else int(np.log(accuracy) / np.log(mdp.gamma)) + 2


def sum_over_time(mdp: FiniteMDP, policy: np.ndarray, of_state: np.ndarray) -> float:
    """Σ_t γᵗ E_policy[of_state(s_t)], by pushing the distribution forward step by step."""
    chain, distribution, total = np.einsum("sa,sat->st", policy, mdp.transition), mdp.initial.copy(), 0.0
    for t in range(horizon(mdp)):
        total += mdp.gamma**t * (distribution @ of_state)
        distribution = distribution @ chain
    return total


# --- the equations ------------------------------------------------------------------------------------------------

some_gammas = (0.0, 0.5, 0.9)


@given(steps(gammas=some_gammas))
def test_equation_2_the_return_is_the_expected_discounted_sum_of_rewards(case):
    mdp, old, new = case
    q = compare(mdp, old, new)
    for policy, expected_return in ((old, q.expected_return_old), (new, q.expected_return_new)):
        series = sum_over_time(mdp, policy, (policy * mdp.reward).sum(1))
        assert expected_return == pytest.approx(series, rel=1e-12, abs=1e-13 * scale_of(mdp))


@given(steps(gammas=some_gammas))
def test_equation_2_with_the_advantage_for_the_reward_is_an_erratum_the_sum_is_zero(case):
    mdp, old, new = case
    advantage = compare(mdp, old, new).advantage
    assert sum_over_time(mdp, old, (old * advantage).sum(1)) == pytest.approx(0, abs=1e-12 * scale_of(mdp))


@given(steps())
def test_equation_3_performance_difference(case):
    """In exact rationals it is an identity; here each side is the package's, and the middle the oracle's."""
    mdp, old, new = case
    q, true = compare(mdp, old, new), step_on(mdp, old, new)
    difference = true.new.expected_return - true.old.expected_return
    assert sum(true.new.visitation * true.expected_advantage) == difference
    scale = scale_of(mdp) / (1 - mdp.gamma)
    assert error(q.expected_return_new - q.expected_return_old, difference) <= 1e-14 * scale
    assert error(q.sum_s(q.visitation_new * q.expected_advantage), difference) <= 1e-14 * scale


@given(steps(gammas=some_gammas))
def test_equation_3_as_a_sum_over_time(case):
    mdp, old, new = case
    q = compare(mdp, old, new)
    series = sum_over_time(mdp, new, (new * q.advantage).sum(1))
    difference = q.expected_return_new - q.expected_return_old
    assert difference == pytest.approx(series, rel=1e-12, abs=1e-12 * scale_of(mdp))


@given(steps())
def test_equation_4_advantage_is_q_value_minus_value(case):
    mdp, old, new = case
    q, true = compare(mdp, old, new), step_on(mdp, old, new)
    assert error(q.value, true.old.value) <= rounding(mdp)
    assert error(q.q_value, true.old.q_value) <= rounding(mdp)
    assert error(q.advantage, true.advantage) <= 2 * rounding(mdp)
    assert (q.advantage[~mdp.available] == 0).all()
    assert error(q.max_abs_advantage, max(abs(entry) for entry in true.advantage.ravel())) <= 2 * rounding(mdp)


@given(steps())
def test_equation_5_flow(case):
    """ρ = ρ₀ + γ P_πᵀ ρ, with sum 1/(1 − γ)."""
    mdp, old, new = case
    q, total = compare(mdp, old, new), 1 / (1 - mdp.gamma)
    for policy, visitation, occupancy in (
        (old, q.visitation_old, q.occupancy_old),
        (new, q.visitation_new, q.occupancy_new),
    ):
        flow = mdp.initial + mdp.gamma * np.einsum("s,sa,sat->t", visitation, policy, mdp.transition)
        np.testing.assert_allclose(visitation, flow, rtol=0, atol=1e-15 * total)
        assert visitation.sum() == pytest.approx(total, rel=1e-12)
        assert occupancy.sum() == pytest.approx(1.0, rel=1e-12)
        assert (visitation >= 0).all()
        assert error(visitation, policy_on(mdp, policy).visitation) <= 1e-14 * total**2


@given(steps(gammas=some_gammas))
def test_equation_5_visitation_is_the_discounted_sum_of_state_distributions(case):
    mdp, old, new = case
    visitation = compare(mdp, old, new).visitation_old
    for s in range(mdp.states):
        series = sum_over_time(mdp, old, np.eye(mdp.states)[s])
        assert visitation[s] == pytest.approx(series, rel=1e-12, abs=1e-14)


@given(steps())
def test_equation_6_the_new_return_by_states(case):
    mdp, old, new = case
    q, true = compare(mdp, old, new), step_on(mdp, old, new)
    by_states = q.expected_return_old + (q.visitation_new[:, None] * new * q.advantage).sum()
    assert error(by_states, true.new.expected_return) <= 1e-13 * scale_of(mdp) / (1 - mdp.gamma)
    assert error(q.expected_return_new, true.new.expected_return) <= rounding(mdp)


@pytest.mark.slow
@given(steps())
def test_equation_7_surrogate(case):
    mdp, old, new = case
    q, true = compare(mdp, old, new), step_on(mdp, old, new)
    scale = scale_of(mdp) / (1 - mdp.gamma)
    assert error(q.expected_advantage, true.expected_advantage) <= 2 * rounding(mdp)
    assert error(q.surrogate_gain, true.surrogate_gain) <= 1e-14 * scale
    assert error(q.surrogate, true.surrogate) <= 1e-14 * scale
    assert error(q.surrogate_gap, true.surrogate_gap) <= 1e-14 * scale


@given(steps(gammas=(0.0, 0.5, 0.9, 0.99)))
def test_equation_7_the_error_of_the_surrogate_is_below_1e_minus_12_of_the_largest_value(case):
    mdp, old, new = case
    true = step_on(mdp, old, new)
    # L may exceed every V_old: an action that old never takes brings ρ·A.
    largest = np.abs(nearest(true.old.value)).max() + np.abs(nearest(true.advantage)).max() / (1 - mdp.gamma)
    assert error(compare(mdp, old, new).surrogate, true.surrogate) <= 1e-12 * largest


@given(evaluations())
def test_equation_7_at_old(case):
    """L_old(old) = η(old), to the last bit: every part of the step is exactly 0."""
    mdp, old = case
    q = compare(mdp, old, old)
    assert q.surrogate == q.expected_return_old == q.expected_return_new
    for name in ("surrogate_gain", "surrogate_gap", "max_kl", "reverse_max_kl", "mean_kl", "max_tv", "mean_tv"):
        assert getattr(q, name) == 0.0


@given(steps(gammas=(0.0, 0.5, 0.9)), st.fractions(0, 1, max_denominator=8))
def test_equation_7_is_linear_in_new(case, weight):
    mdp, old, new = case
    weight = float(np.round(float(weight) * 8) / 8)
    gain = compare(mdp, old, (1 - weight) * old + weight * new).surrogate_gain
    want = weight * compare(mdp, old, new).surrogate_gain
    assert gain == pytest.approx(want, rel=1e-12, abs=1e-13 * scale_of(mdp))


@given(steps())
def test_equation_8_gradients_agree(case):
    """The derivative of η at old towards new, by differentiating (I − γP)V = r exactly, is the slope of L."""
    mdp, old, new = case
    exact = policy_on(mdp, old)
    direction = rationals(new) - rationals(old)
    # (I − γP) V' = Σ_a d(a|s) [r(s,a) + γ Σ P(s'|s,a) V(s')], the derivative of both sides
    right = np.add.reduce(direction * (exact.reward + exact.gamma * (exact.transition * exact.value).sum(2)), axis=1)
    slope = sum(exact.initial * solve(rationals(np.eye(mdp.states)) - exact.gamma * exact.chain, right))
    got = compare(mdp, old, new).surrogate_gain  # L is linear: its gain over the whole step is its slope
    assert error(got, slope) <= 1e-14 * scale_of(mdp) / (1 - mdp.gamma)


@given(steps(gammas=some_gammas))
def test_equation_8_by_differences_in_exact_rationals(case):
    """Without a derivative: [η(old + h d) − η(old)]/h at h = 2⁻⁶⁰ differs from the slope of L by O(h)."""
    mdp, old, new = case
    h = fmpq(1, 2**60)
    start, moved = policy_on(mdp, old), policy_on(mdp, rationals(old) + h * (rationals(new) - rationals(old)))
    slope = (moved.expected_return - start.expected_return) / h
    got = compare(mdp, old, new).surrogate_gain
    assert error(got, slope) <= 1e-13 * scale_of(mdp) / (1 - mdp.gamma)


@given(steps())
def test_equation_9_the_gap_is_within_its_penalty(case):
    mdp, old, new = case
    q = compare(mdp, old, new)
    assume(np.isfinite(q.max_kl))
    penalty = 2 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_kl
    tolerance = 1e-13 * scale_of(mdp) / (1 - mdp.gamma)
    assert q.surrogate_gap >= -penalty - tolerance
    assert nearest(step_on(mdp, old, new).surrogate_gap) >= -penalty - tolerance


@given(steps(gammas=some_gammas))
def test_equation_14_importance_sampling_where_old_covers_new(case):
    """E_old[new/old · A] = Σ_s ρ_old Ā; with Q in place of A it is larger by Σ_s ρ_old V_old."""
    mdp, old, new = case
    assume(((old > 0) | (new == 0)).all())
    q = compare(mdp, old, new)
    ratio = np.divide(new, old, out=np.zeros_like(new), where=old > 0)
    weight = q.visitation_old[:, None] * old * ratio
    tolerance = 1e-12 * scale_of(mdp) / (1 - mdp.gamma)
    assert (weight * q.advantage).sum() == pytest.approx(q.surrogate_gain, rel=1e-12, abs=tolerance)
    constant = (q.visitation_old * q.value).sum()
    assert (weight * q.q_value).sum() == pytest.approx(q.surrogate_gain + constant, rel=1e-12, abs=tolerance)


def test_equation_14_fails_where_old_does_not_cover_new():
    mdp = FiniteMDP([[[1], [1]]], [[0, 1]], 0.5)
    q = compare(mdp, [[1, 0]], [[0, 1]])
    assert q.surrogate_gain == 2.0  # the sum over actions that old takes would be 0


# --- small steps --------------------------------------------------------------------------------------------------


def small_step(rng: np.random.Generator, states: int, actions: int, exponent: int) -> tuple[np.ndarray, np.ndarray]:
    """Two policies whose rows sum to exactly 1, 2⁻ᵉˣᵖᵒⁿᵉⁿᵗ apart."""
    old = dyadic(rng.dirichlet(np.ones(actions), size=states) + 0.05, unit=2**30)
    change = rng.integers(-8, 9, size=(states, actions)).astype(float)
    change[:, 0] -= change.sum(1)
    new = old + change * 2.0**-exponent
    assert (rationals(new).sum(1) == 1).all()
    assert (rationals(old).sum(1) == 1).all()
    assert (new > 0).all()
    return old, new


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99, 0.9999])
@pytest.mark.parametrize("exponent", [10, 20, 33, 45])
@pytest.mark.parametrize("form", ["dense", "batch", "sparse"])
def test_the_surrogate_gap_keeps_its_digits_however_small_the_step(gamma, exponent, form):
    """At a step of 1e-10 the gap is near 1e-20 of η: η(new) − L as floats would have no digit right."""
    rng = np.random.default_rng(exponent)
    for _ in range(4):
        mdp = random_mdp(rng, 4, 3, gamma)
        old, new = small_step(rng, 4, 3, exponent)
        true = step_on(mdp, old, new)
        if form == "batch":
            q = compare(mdp, np.stack([old, old]), np.stack([old, new]))
            pick = lambda x: x[..., 1]  # noqa: E731
        else:
            q, pick = compare(as_sparse(mdp) if form == "sparse" else mdp, old, new), np.asarray
        assert relative_error(pick(q.surrogate_gap), true.surrogate_gap) <= 1e-9
        assert relative_error(pick(q.surrogate_gain), true.surrogate_gain) <= 1e-9
        change = true.new.visitation - true.old.visitation
        assert error(pick(q.visitation_change), change) <= 1e-11 * np.abs(nearest(change)).max()


# --- divergences of the step --------------------------------------------------------------------------------------


def mp_kl(p, q):
    total = mpf(0)
    for x, y in zip(map(mpf, map(float, p)), map(mpf, map(float, q)), strict=True):
        if x > 0 and y == 0:
            return mpmath.inf
        total += x * mpmath.log(x / y) if x > 0 else 0
    return total


@given(steps())
def test_the_divergences_of_each_state_and_their_maxima(case):
    mdp, old, new = case
    q = compare(mdp, old, new)
    with mpmath.workdps(50):
        forward = [float(mp_kl(p, r)) for p, r in zip(old, new, strict=True)]
        backward = [float(mp_kl(r, p)) for p, r in zip(old, new, strict=True)]
    tv = nearest(np.array([sum(abs(rationals(p) - rationals(r))) / 2 for p, r in zip(old, new, strict=True)]))
    np.testing.assert_allclose(q.kl, forward, rtol=1e-12, atol=0)
    np.testing.assert_allclose(q.reverse_kl, backward, rtol=1e-12, atol=0)
    np.testing.assert_allclose(q.tv, tv, rtol=1e-14, atol=0)
    assert q.max_kl == pytest.approx(max(forward), rel=1e-12, abs=0)
    assert q.reverse_max_kl == pytest.approx(max(backward), rel=1e-12, abs=0)
    assert q.max_tv == pytest.approx(max(tv), rel=1e-14, abs=0)


def exact_chi2(p, q):
    """χ²(p ‖ q) of two rows of floats, exactly; ∞ where p > 0 = q."""
    if any(x > 0 and y == 0 for x, y in zip(p, q, strict=True)):
        return np.inf
    pairs = zip(rationals(p), rationals(q), strict=True)
    return float(sum((x - y) ** 2 / y for x, y in pairs if y > 0))


@given(steps())
def test_the_chi_square_of_new_from_old(case):
    mdp, old, new = case
    q = compare(mdp, old, new)
    rows = [exact_chi2(r, p) for p, r in zip(old, new, strict=True)]
    np.testing.assert_allclose(q.reverse_chi2, rows, rtol=1e-14, atol=0)
    assert q.reverse_max_chi2 == pytest.approx(max(rows), rel=1e-14, abs=0)
    exact = policy_on(mdp, old)
    weight = nearest((1 - exact.gamma) * exact.visitation)
    mean = sum(d * row for d, row in zip(weight, rows, strict=True) if d > 0)
    assert q.reverse_mean_chi2 == pytest.approx(mean, rel=1e-10, abs=1e-15)


@given(steps())
def test_the_means_are_over_the_states_that_old_visits(case):
    mdp, old, new = case
    q = compare(mdp, old, new)
    exact = policy_on(mdp, old)
    weight = nearest((1 - exact.gamma) * exact.visitation)
    with mpmath.workdps(50):
        mean_kl = sum(d * float(mp_kl(p, r)) for d, p, r in zip(weight, old, new, strict=True) if d > 0)
    mean_tv = sum(d * np.abs(p - r).sum() / 2 for d, p, r in zip(weight, old, new, strict=True))
    assert q.mean_kl == pytest.approx(mean_kl, rel=1e-10, abs=1e-15)
    assert q.mean_tv == pytest.approx(mean_tv, rel=1e-10, abs=1e-15)


@pytest.mark.parametrize("form", [lambda mdp: mdp, as_sparse], ids=["dense", "sparse"])
def test_mean_kl_ignores_a_state_that_is_never_visited_even_where_kl_is_infinite(form):
    mdp = form(FiniteMDP([[[1, 0], [1, 0]], [[1, 0], [0, 1]]], [[1, 0], [0, 1]], 0.9, [1, 0]))
    q = compare(mdp, [[0.5, 0.5], [0.5, 0.5]], [[0.25, 0.75], [0, 1]])
    assert q.visitation_old[1] == 0.0
    assert q.max_kl == np.inf
    assert q.mean_kl == pytest.approx(np.log(2) - np.log(3) / 2, rel=1e-12)
    assert q.mean_tv == pytest.approx(0.25, rel=1e-12)
    assert compare(mdp, [[0.5, 0.5], [0.5, 0.5]], [[0, 1], [0.5, 0.5]]).mean_kl == np.inf


# --- layouts ------------------------------------------------------------------------------------------------------

LAYOUTS = {
    "many of each": ((5,), (5,), (5,)),
    "one MDP, many policies": ((), (5,), (5,)),
    "many MDPs, one step": ((5,), (), ()),
    "many new policies": ((), (), (5,)),
    "many old policies": ((), (5,), ()),
    "two axes": ((2, 3), (2, 3), (2, 3)),
    "two axes, broadcast": ((3,), (2, 1), ()),
    "one of each": ((), (), ()),
}


def part_of(batch: tuple[int, ...], index: tuple[int, ...]) -> tuple[int, ...]:
    tail = index[len(index) - len(batch) :] if batch else ()
    return tuple(0 if size == 1 else i for i, size in zip(tail, batch, strict=True))


def layout_case(layout: str, states: int) -> tuple[FiniteMDP, np.ndarray, np.ndarray, tuple[int, ...]]:
    rng = np.random.default_rng(states)
    mdp_batch, old_batch, new_batch = LAYOUTS[layout]
    gamma = rng.choice(GAMMAS[:-1], size=mdp_batch) if mdp_batch else 0.9
    whole = random_mdp(rng, states, 4, gamma, batch=mdp_batch)
    mask = np.ones((*mdp_batch, states, 4), dtype=bool)
    mask[..., 1, 3] = mask[..., 2, 0] = False
    mdp = FiniteMDP(whole.transition, whole.reward, gamma, whole.initial, available=mask)
    shared = mask.reshape(-1, states, 4)[0]
    old, new = (dyadic((0.1 + rng.random((*batch, states, 4))) * shared) for batch in (old_batch, new_batch))
    return mdp, old, new, np.broadcast_shapes(mdp_batch, old_batch, new_batch)


@pytest.mark.parametrize("states", [4, 33])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_batch_is_last_and_is_a_loop_over_its_members(layout, states):
    mdp, old, new, batch = layout_case(layout, states)
    mdp_batch, old_batch, new_batch = LAYOUTS[layout]
    q = compare(mdp, old, new)
    assert q.batch_shape == batch
    for index in np.ndindex(*batch):
        mine = part_of(mdp_batch, index)
        gamma = float(mdp.gamma[mine]) if mdp_batch else mdp.gamma
        member = FiniteMDP(
            mdp.transition[mine], mdp.reward[mine], gamma, mdp.initial[mine], available=mdp.available[mine]
        )
        alone = compare(member, old[part_of(old_batch, index)], new[part_of(new_batch, index)])
        for name in EVERYTHING:
            want = getattr(alone, name)
            got = np.broadcast_to(getattr(q, name), (*np.shape(want), *batch))[(..., *index)]
            scale = max(1.0, np.abs(want).max()) / (1 - gamma)
            np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-13 * scale, err_msg=f"{name} of {index}")


def test_the_axes_of_a_batch_are_states_actions_batch():
    rng = np.random.default_rng(0)
    mdp = random_mdp(rng, 4, 3, rng.random(7), batch=(7,))
    q = compare(mdp, random_rows(rng, 7, 4, 3), random_rows(rng, 7, 4, 3))
    assert q.gamma.shape == (7,)
    assert q.transition.shape == (4, 3, 4, 7)
    assert q.reward.shape == q.advantage.shape == q.old.shape == q.new.shape == q.available.shape == (4, 3, 7)
    assert all(getattr(q, name).shape == (4, 7) for name in PER_STATE)
    assert all(getattr(q, name).shape == (7,) for name in PER_INSTANCE)
    assert q.initial.shape == (4, 7)
    penalty = 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2
    assert penalty.shape == (7,)


def test_the_fields_of_one_instance_carry_no_batch():
    rng = np.random.default_rng(0)
    q = compare(random_mdp(rng, 4, 3, 0.9), random_rows(rng, 4, 3), random_rows(rng, 4, 3))
    assert q.batch_shape == ()
    assert all(getattr(q, name).shape == (4, 3) for name in PER_STATE_AND_ACTION)
    assert all(getattr(q, name).shape == (4,) for name in PER_STATE)
    assert all(np.shape(getattr(q, name)) == () for name in PER_INSTANCE)


@pytest.mark.slow
@given(steps())
def test_sparse_is_dense(case):
    mdp, old, new = case
    one, other = compare(mdp, old, new), compare(as_sparse(mdp), old, new)
    for name in EVERYTHING:
        mine, theirs = getattr(one, name), getattr(other, name)
        assert np.shape(mine) == np.shape(theirs)
        scale = max(scale_of(mdp), 1.0) / (1 - mdp.gamma) ** 2
        np.testing.assert_allclose(theirs, mine, rtol=1e-12, atol=1e-14 * scale, err_msg=name)


@pytest.mark.slow
@given(steps())
def test_compare_agrees_with_evaluate_of_either_policy(case):
    mdp, old, new = case
    q, at_old, at_new = compare(mdp, old, new), evaluate(mdp, old), evaluate(mdp, new)
    for name in ("value", "q_value", "advantage"):
        np.testing.assert_array_equal(getattr(q, name), getattr(at_old, name))
    np.testing.assert_array_equal(q.visitation_new, at_new.visitation)
    assert q.expected_return_old == at_old.expected_return
    assert q.expected_return_new == at_new.expected_return


# --- reductions and functions -------------------------------------------------------------------------------------


def masked_quantities(batch: tuple[int, ...]) -> Quantities:
    rng = np.random.default_rng(2)
    mask = np.ones((3, 4), dtype=bool)
    mask[0, 1] = mask[2, 3] = mask[2, 0] = False
    mdp = random_mdp(rng, 3, 4, 0.5)
    old, new = (dyadic((0.1 + rng.random((*batch, 3, 4))) * mask) for _ in range(2))
    return compare(FiniteMDP(mdp.transition, mdp.reward, 0.5, available=mask), old, new)


PLAIN = {"sum": sum, "max": max, "min": min}


@pytest.mark.parametrize("batch", [(), (5,)])
@pytest.mark.parametrize("reduce", PLAIN)
@pytest.mark.parametrize("with_where", [False, True])
def test_reductions_over_actions_are_over_the_available_ones(batch, reduce, with_where):
    q, rng = masked_quantities(batch), np.random.default_rng(3)
    x = rng.normal(size=(3, 4, *batch))
    where = rng.random(x.shape) < 0.7
    where[:, 2] = True
    got = getattr(q, f"{reduce}_a")(x, where=where) if with_where else getattr(q, f"{reduce}_a")(x)
    assert got.shape == (3, *batch)
    available = q.available[..., 0] if batch else q.available
    for s, *b in np.ndindex(3, *batch):
        entries = [x[(s, a, *b)] for a in range(4) if available[s, a] and (not with_where or where[(s, a, *b)])]
        assert got[(s, *b)] == pytest.approx(PLAIN[reduce](entries), rel=1e-14)


@pytest.mark.parametrize("batch", [(), (5,)])
@pytest.mark.parametrize("reduce", PLAIN)
@pytest.mark.parametrize("with_where", [False, True])
def test_reductions_over_states(batch, reduce, with_where):
    q, rng = masked_quantities(batch), np.random.default_rng(4)
    for core in ((3,), (3, 4)):
        x = rng.normal(size=(*core, *batch))
        where = rng.random(x.shape) < 0.7
        where[1] = True
        got = getattr(q, f"{reduce}_s")(x, where=where) if with_where else getattr(q, f"{reduce}_s")(x)
        assert np.shape(got) == x.shape[1:]
        for rest in np.ndindex(*x.shape[1:]):
            entries = [x[(s, *rest)] for s in range(3) if not with_where or where[(s, *rest)]]
            assert np.asarray(got)[rest] == pytest.approx(PLAIN[reduce](entries), rel=1e-14)


def test_a_reduction_over_nothing():
    q = masked_quantities(())
    nowhere = np.zeros(3, dtype=bool)
    assert q.sum_s(np.ones(3), where=nowhere) == 0.0
    assert q.max_s(np.ones(3), where=nowhere) == -np.inf
    assert q.min_s(np.ones(3), where=nowhere) == np.inf


def test_entries_outside_where_may_be_infinite_or_undefined():
    q = masked_quantities(())
    x = np.array([1.0, np.inf, np.nan])
    assert q.sum_s(x, where=x == 1.0) == 1.0
    assert q.max_s(x, where=x == 1.0) == 1.0
    assert q.min_s(x, where=x == 1.0) == 1.0


def test_the_largest_advantage_is_over_available_actions():
    """−1 everywhere but for the unavailable action, whose 0 must not be the largest."""
    q = masked_quantities(())
    assert q.max_s(q.max_a(np.where(q.available, -1.0, 0.0))) == -1.0


def test_functions_are_those_of_mathematics():
    q = masked_quantities(())
    x, y = np.array([0.25, 0.5]), np.array([0.5, 0.25])
    np.testing.assert_array_equal(q.sqrt(np.array([4.0, 0.25])), [2, 0.5])
    np.testing.assert_array_equal(q.log(np.array([1.0])), [0])
    np.testing.assert_array_equal(q.exp(np.array([0.0])), [1])
    np.testing.assert_array_equal(q.minimum(x, y), [0.25, 0.25])
    np.testing.assert_array_equal(q.maximum(x, y), [0.5, 0.5])
    np.testing.assert_allclose(q.polylog(1.0, x), -np.log(1 - x), rtol=1e-14)


def test_a_function_takes_the_gamma_of_one_instance():
    q = masked_quantities(())
    assert float(q.polylog(-0.5, q.gamma)) == pytest.approx(1.3472537527357506, rel=1e-14)


def test_repr_shows_the_numbers_of_one_instance_and_the_size_of_a_batch():
    assert repr(masked_quantities((5,))) == "Quantities(states=3, actions=4, batch=(5,), float64)"
    assert repr(masked_quantities(())).startswith("Quantities(states=3, actions=4, gamma=0.5, expected_return_old=")


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "got"),
    [
        ([[1, 0, 0]] * 4, [[0.5, 0.5, 0.5]] * 4, "new policy row"),
        ([[1, 0, 0]] * 3, [[1, 0, 0]] * 4, r"old policy of shape \(3, 3\)"),
        (np.full((2, 4, 3), 1 / 3), np.full((3, 4, 3), 1 / 3), r"batches \(\), \(2,\), \(3,\)"),
    ],
)
def test_a_step_that_is_none_is_refused(old, new, got):
    mdp = random_mdp(np.random.default_rng(0), 4, 3, 0.5)
    with pytest.raises(InvalidInput, match=f"^got .*{got}.*; wanted .+; fix: .+"):
        compare(mdp, old, new)


@given(evaluations(), st.data())
def test_the_exact_oracle_agrees_with_itself(case, data):
    """(6) holds in exact rationals whatever the MDP: a slip in the oracle would show here."""
    mdp, old = case
    true: ExactStep = step_on(mdp, old, data.draw(policies(mdp.available)))
    change = true.new.visitation - true.old.visitation
    assert sum(change * true.expected_advantage) == true.surrogate_gap
    assert sum(true.old.visitation) == 1 / (1 - rational(mdp.gamma))
