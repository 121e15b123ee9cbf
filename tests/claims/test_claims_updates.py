"""Claims of update rules, update problems and rates: each step against an oracle of its own, each verdict on a named instance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import linprog
from strategies_small import random_mdp, random_rows
from test_claims import judged, random_step, scale_of, step_of

import trpo_theory as tt
from trpo_theory import claims, zoo
from trpo_theory.claims import rates, rules, updates
from trpo_theory.step.quantities import Quantities, compare
from trpo_theory.updates import Surrogate, solve

AGGREGATED = [name for name in claims if name.endswith("-aggregated")]
RULES = ("update/softmax-gradient", "update/npg", "update/ppo-clip")


def return_of(mdp, policy) -> float:
    """η by solving for V, in plain NumPy."""
    chain = np.einsum("sa,sat->st", policy, mdp.transition)
    return float(mdp.initial @ np.linalg.solve(np.eye(len(chain)) - mdp.gamma * chain, (policy * mdp.reward).sum(1)))


def parts_of(mdp, policy):
    """(ρ, Q, A) in plain NumPy."""
    chain, eye = np.einsum("sa,sat->st", policy, mdp.transition), np.eye(mdp.states)
    value = np.linalg.solve(eye - mdp.gamma * chain, (policy * mdp.reward).sum(1))
    q_value = mdp.reward + mdp.gamma * mdp.transition @ value
    return np.linalg.solve(eye - mdp.gamma * chain.T, mdp.initial), q_value, q_value - value[:, None]


def softmax(logits):
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True)


def f6(size: float, p: float = 0.4, gamma: float = 0.9) -> Quantities:
    made = zoo.f6(gamma=gamma, p=p, p_new=p)
    return step_of(made.mdp, made.old, made.new, groups=[0, 0, 0], size=size)


# --- the rules are what they say -----------------------------------------------------------------------------------


@pytest.mark.parametrize("groups", [[0, 1, 2, 3], [0, 0, 1, 1], [2, 2, 2, 2]])
@pytest.mark.parametrize("seed", range(3))
def test_softmax_gradient_climbs_the_gradient_of_the_shared_logits(groups, seed):
    """By central differences of η in each logit of each group."""
    rng, groups = np.random.default_rng(seed), np.array(groups)
    mdp, logits = random_mdp(rng, 4, 3, 0.8), rng.normal(size=(4, 3))
    gradient = np.zeros((4, 3))
    for g in np.unique(groups):
        for a in range(3):
            nudge = np.zeros((4, 3))
            nudge[g, a] = 1e-6
            gradient[g, a] = (
                return_of(mdp, softmax((logits + nudge)[groups])) - return_of(mdp, softmax((logits - nudge)[groups]))
            ) / 2e-6
    old, name = softmax(logits[groups]), "update/softmax-gradient"
    distinct = len(np.unique(groups)) == 4
    q = step_of(mdp, old, old, groups=groups, size=1.7)
    new = claims[f"{name}-aggregated"].step(q)
    np.testing.assert_allclose(new, softmax((logits + 1.7 * gradient)[groups]), atol=1e-8)
    if distinct:
        np.testing.assert_allclose(claims[name].step(q), new, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_npg_is_the_pseudo_inverse_of_the_fisher_matrix_times_the_gradient(seed):
    """Kakade 2001: θ += h F⁺ ∇η, F = Σ_s d(s) Σ_a π ∇log π ∇log πᵀ over the shared logits."""
    rng, groups = np.random.default_rng(seed), np.array([0, 0, 1, 1])
    mdp, logits = random_mdp(rng, 4, 3, 0.8), rng.normal(size=(2, 3))
    old = softmax(logits[groups])
    rho, _, advantage = parts_of(mdp, old)
    fisher, gradient = np.zeros((6, 6)), np.zeros(6)
    for s in range(4):
        for a in range(3):
            score = np.zeros((2, 3))
            score[groups[s]] = np.eye(3)[a] - old[s]
            fisher += 0.2 * rho[s] * old[s, a] * np.outer(score, score)
            gradient += rho[s] * old[s, a] * advantage[s, a] * score.ravel()
    natural = (np.linalg.pinv(fisher) @ gradient).reshape(2, 3)
    q = step_of(mdp, old, old, groups=groups, size=0.9)
    np.testing.assert_allclose(
        claims["update/npg-aggregated"].step(q), softmax((logits + 0.9 * natural)[groups]), rtol=1e-9
    )
    apart = claims["update/npg"].step(q)
    np.testing.assert_allclose(apart, softmax(np.log(old) + 0.9 * advantage / 0.2), rtol=1e-9)


def clipped_objective(old, rho, advantage, new, clip):
    clipped = np.clip(new, (1 - clip) * old, (1 + clip) * old)
    return sum(rho[s] * np.minimum(new * advantage[s], clipped * advantage[s]).sum() for s in range(len(rho)))


def clipped_optimum(old, rho, advantage, clip) -> float:
    """max over one row p, t(s,a) ≤ A p, t(s,a) ≤ A (1 ± c) old: a linear program in (p, t)."""
    states, actions = advantage.shape
    count = states * actions
    above, limits = [], []
    for s in range(states):
        for a in range(actions):
            t = np.eye(count)[s * actions + a]
            above += [[*(-advantage[s, a] * np.eye(actions)[a]), *t], [*np.zeros(actions), *t]]
            limits += [0, advantage[s, a] * old[a] * (1 + clip if advantage[s, a] > 0 else 1 - clip)]
    found = linprog(
        [*np.zeros(actions), *-np.repeat(rho, actions)],
        A_ub=above,
        b_ub=limits,
        A_eq=[[*np.ones(actions), *np.zeros(count)]],
        b_eq=[1],
        bounds=[(0, 1)] * actions + [(None, None)] * count,
    )
    return -found.fun


@pytest.mark.parametrize("zeros", [0.0, 0.4])
@pytest.mark.parametrize("seed", range(12))
def test_the_clip_maximiser_against_linear_programming(seed, zeros):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 3, 4, 0.8)
    old = np.repeat(random_rows(rng, 1, 4, zeros=zeros), 3, axis=0)
    rho, _, advantage = parts_of(mdp, old)
    size = rng.exponential() ** 2
    clip, q = size / (1 + size), step_of(mdp, old, old, groups=[0, 0, 0], size=size)
    shared = claims["update/ppo-clip-aggregated"].step(q)
    assert (shared == shared[0]).all()
    best = clipped_optimum(old[0], rho, advantage, clip)
    assert clipped_objective(old[0], rho, advantage, shared[0], clip) == pytest.approx(best, rel=1e-9, abs=1e-9)
    apart = claims["update/ppo-clip"].step(q)
    for s in range(3):
        best = clipped_optimum(old[s], rho[s : s + 1], advantage[s : s + 1], clip)
        got = clipped_objective(old[s], rho[s : s + 1], advantage[s : s + 1], apart[s], clip)
        assert got == pytest.approx(best, rel=1e-9, abs=1e-9)
    for new in (shared, apart):
        np.testing.assert_allclose(new.sum(1), 1, rtol=1e-14)
        assert (new >= 0).all()


def test_the_clip_maximiser_stays_where_all_ties_and_takes_the_last_resort_last():
    mdp = tt.FiniteMDP(np.ones((1, 3, 1)), [[0, 0, 0]], 0.5)
    q = step_of(mdp, [[0.25, 0.75, 0]], [[1, 0, 0]], size=1.0)
    np.testing.assert_array_equal(claims["update/ppo-clip"].step(q), [[0.25, 0.75, 0]])
    mdp = tt.FiniteMDP(np.ones((1, 3, 1)), [[1, 0, 5]], 0.5)
    q = step_of(mdp, [[0.25, 0.75, 0]], [[1, 0, 0]], size=1.0)
    # c = 1/2: a1 gains up to 3/8, a2 loses nothing until 3/8; the last 1/4 counts for nothing: a1, which old plays, has it
    np.testing.assert_array_equal(claims["update/ppo-clip"].step(q), [[0.625, 0.375, 0]])


@pytest.mark.parametrize("name", [*RULES, *AGGREGATED])
def test_a_batch_steps_as_its_instances(name):
    rng, gamma = np.random.default_rng(3), np.array([0.0, 0.5, 0.9])
    mdp = random_mdp(rng, 3, 3, gamma, batch=(3,))
    old = random_rows(rng, 3, 3, 3, zeros=0.0)  # where old is deterministic all ties, and rounding would decide
    groups, size = rng.integers(0, 2, size=(3, 3)), np.array([0.5, 1.0, 2.0])
    batched = claims[name].step(step_of(mdp, old, old, groups=groups, size=size))
    met = np.broadcast_to(claims[name].met(step_of(mdp, old, old, groups=groups, size=size)), (3,))
    for i in range(3):
        one = tt.FiniteMDP(mdp.transition[i], mdp.reward[i], float(gamma[i]), mdp.initial[i])
        q = step_of(one, old[i], old[i], groups=groups[i], size=size[i])
        np.testing.assert_allclose(batched[..., i], claims[name].step(q), rtol=1e-11, atol=1e-13)
        assert met[i] == bool(claims[name].met(q))


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (4, 2), (2, 5)])
def test_with_all_policies_allowed_a_rule_improves_at_any_step(name, shape):
    for zeros in (0.0, 0.3):
        q = random_step(7, *shape, zeros=zeros)
        q.size = q.size * np.random.default_rng(0).choice([1.0, 1e3], size=q.size.shape)
        stepped = claims[name].stepped(q)
        np.testing.assert_allclose(stepped.new.sum(1), 1, rtol=1e-12)
        slack, _ = judged(claims[name], stepped)
        assert (slack >= -1e-12 * scale_of(q)).all()
        moved = np.abs(stepped.new - q.old).max((0, 1)) > 1e-6
        assert moved.mean() > 0.5


@pytest.mark.parametrize("name", [*RULES, *AGGREGATED])
def test_a_step_backwards_is_no_step_of_the_rule(name):
    mdp = random_mdp(np.random.default_rng(1), 3, 2, np.full(3, 0.5), batch=(3,))
    old = np.full((3, 3, 2), 0.5)
    q = step_of(mdp, old, old, groups=np.zeros((3, 3), int), size=np.array([-1.0, 0.0, 1.0]))
    assert np.broadcast_to(claims[name].met(q), (3,)).tolist() == [False, False, True]


# --- F6 ------------------------------------------------------------------------------------------------------------


def eta_of(p: float, gamma: float = 0.9) -> float:
    return gamma * p * (1 - p)


@pytest.mark.parametrize(("size", "expected"), [(20.0, 0.150), (40.0, 0.039)])
def test_softmax_gradient_overshoots_on_f6(size, expected):
    """θ1 − θ2 moves by 2 size ∂η/∂θ1, ∂η/∂θ1 = p (1 − p) γ (1 − 2p): with a sigmoid's one logit, by half of it."""
    record, p = claims["update/softmax-gradient-aggregated"], 0.4
    after = 1 / (1 + math.exp(-(math.log(p / (1 - p)) + 2 * size * p * (1 - p) * 0.9 * (1 - 2 * p))))
    q = f6(size)
    assert record.met(q)
    stepped = record.stepped(q)
    assert stepped.new[0, 0] == pytest.approx(after, rel=1e-12)
    assert float(stepped.expected_return_new) == pytest.approx(eta_of(after), rel=1e-12)
    assert float(stepped.expected_return_new) == pytest.approx(expected, abs=5e-4)
    assert float(record.slack(stepped)) == pytest.approx(eta_of(after) - 0.216, rel=1e-12)


def test_npg_and_clip_overshoot_on_f6():
    """A_g ∝ (Σ ρ A)(a): a1 0.324 − 0.216, a2 −0.216 + 0.144; Σ ρ = 10. PPO fills a1 to 0.4 (1 + c), a2 has the rest."""
    npg, clip = claims["update/npg-aggregated"].stepped(f6(30.0)), claims["update/ppo-clip-aggregated"].stepped(f6(4.0))
    # the state "end", where A = 0, has the rest of ρ: 1/(1 − γ) = 10 in all
    lift = 30 * (0.108 + 0.072) / 10 / 0.1
    after = 1 / (1 + 1.5 * math.exp(-lift))
    assert npg.new[0, 0] == pytest.approx(after, rel=1e-12)
    assert float(claims["update/npg-aggregated"].slack(npg)) == pytest.approx(eta_of(after) - 0.216, rel=1e-12)
    assert eta_of(after) < 0.04
    assert clip.new[0, 0] == pytest.approx(0.4 * 1.8, rel=1e-12)
    assert float(claims["update/ppo-clip-aggregated"].slack(clip)) == pytest.approx(eta_of(0.72) - 0.216, rel=1e-12)
    assert eta_of(0.72) < 0.216
    for q, name in ((npg, "update/npg"), (clip, "update/ppo-clip")):
        assert claims[f"{name}-aggregated"].met(q)
        apart = claims[name].stepped(q)
        assert float(claims[name].slack(apart)) > 0, "with rows of their own the same states improve"


def test_clip_gain_is_no_gain():
    """F1 whose B pays and costs ten times as much: old never sees it, new has ρ(G) = 8/5, ρ(B) = 2/5, Ā = 1/2 and −5."""
    made = zoo.f1(gamma=0.5, x=0.25)
    mdp = tt.FiniteMDP(made.mdp.transition, [[1, -1, 1], [10, -10, 10]], 0.5, [1, 0])
    q, record = compare(mdp, made.old, made.new), claims["update/clip-gain"]
    rho, _, advantage = parts_of(mdp, made.old)
    gain = sum(clipped_objective(made.old[s], rho[s : s + 1], advantage[s : s + 1], made.new[s], 0.2) for s in range(2))
    assert gain == pytest.approx(2 * (0.5 - 0.4), rel=1e-12)
    assert float(rules._clip_gain(q)) == pytest.approx(gain, rel=1e-12)
    assert record.met(q)
    assert float(record.slack(q)) == pytest.approx(-1.2, rel=1e-12)
    f6_ = zoo.f6(gamma=0.9, p=0.4, p_new=0.8)
    assert not record.met(compare(f6_.mdp, f6_.old, f6_.new)), "there the clip sees the loss"


# --- problems (11)-(13) ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_one_row_is_solved_exactly(seed):
    """Dual() at δ = KL(old‖new), or at C = λ/(1 − γ), gives the same policy."""
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 3, 3, 0.8)
    old = np.repeat(random_rows(rng, 1, 3, zeros=0.3 * (seed % 2)), 3, axis=0)
    q = step_of(mdp, old, old, size=rng.exponential())
    for name in ("max-kl-monotone", "mean-kl-monotone", "coefficient-needed"):
        record = claims[f"update/{name}-aggregated"]
        assert record.met(q)
        stepped, shared = record.stepped(q), tt.StateAggregation([0, 0, 0])
        mean = (parts_of(mdp, old)[0] @ parts_of(mdp, old)[2].reshape(3, 3)) * 0.2
        weights = old[0] / (mean.max() + float(q.size) - mean)
        np.testing.assert_allclose(stepped.new, [weights / weights.sum()] * 3, rtol=1e-12)
        parameter = 5 / weights.sum() if name == "coefficient-needed" else float(stepped.max_kl)
        solution = tt.update(mdp, old, record.problem(parameter), aggregation=shared)
        assert solution.status.name == "OPTIMAL"
        np.testing.assert_allclose(solution.policy, stepped.new, rtol=1e-7, atol=1e-9)


def size_for(p_new: float) -> float:
    """u with 0.4/u : 0.6/(u + 0.018) = p_new : 1 − p_new, for F6's A_g = (0.0108, −0.0072)."""
    return 0.018 * 0.4 * (1 - p_new) / (0.6 * p_new - 0.4 * (1 - p_new))


@pytest.mark.parametrize("name", ["max-kl-monotone", "mean-kl-monotone", "coefficient-needed"])
def test_a_shared_row_makes_them_fail_on_f6(name):
    """γ = 0.9, p 0.4 -> 0.7, δ = 0.192: η 0.216 -> 0.189."""
    record = claims[f"update/{name}-aggregated"]
    stepped = record.stepped(f6(size_for(0.7)))
    assert stepped.new[0, 0] == pytest.approx(0.7, rel=1e-12)
    assert float(stepped.max_kl) == pytest.approx(0.192, abs=5e-4)
    assert float(record.slack(stepped)) == pytest.approx(0.189 - 0.216, rel=1e-11)
    mixed = f6(1.0)
    mixed.old = np.array([[0.4, 0.6], [0.4, 0.6], [0.5, 0.5]])
    assert not record.met(mixed)


@pytest.mark.parametrize("name", ["max-kl-monotone", "mean-kl-monotone", "coefficient-needed"])
def test_with_all_policies_allowed_they_improve(name):
    record, rng = claims[f"update/{name}"], np.random.default_rng(5)
    mdp = random_mdp(rng, 3, 3, np.array([0.0, 0.1, 0.5, 0.9, 0.99] * 12), batch=(60,))
    old = random_rows(rng, 60, 3, 3)
    for parameter in (1e-3, 0.3, 5.0):
        q = step_of(mdp, old, tt.update(mdp, old, record.problem(parameter)).policy, size=parameter)
        slack, met = judged(record, q)
        assert 20 <= met.sum() < 60, "some states are never visited"
        assert (slack[met] >= -1e-11 * scale_of(q)[met]).all()


@pytest.mark.parametrize("suffix", ["", "/trpo-kl"])
@pytest.mark.parametrize("aggregation", [None, [0, 0, 1]])
def test_the_penalty_never_lowers_the_return(suffix, aggregation):
    record, rng = claims[f"update/penalty-monotone{suffix}"], np.random.default_rng(6)
    mdp = random_mdp(rng, 3, 2, np.array([0.1, 0.5, 0.9] * 10), batch=(30,))
    shared = None if aggregation is None else tt.StateAggregation(aggregation)
    old = random_rows(rng, 30, 3, 2)
    if shared:
        old = shared.expand(old[:, :2])
    q = compare(mdp, old, tt.update(mdp, old, record.problem(1.0), aggregation=shared).policy)
    slack, _ = judged(record, q)
    assert (slack >= -1e-12 * scale_of(q)).all()
    assert (q.max_kl > 0).any()
    tiny, _ = judged(claims["update/step-tiny"], q)
    assert (tiny >= 0).all()


def test_the_penalty_of_the_chain_rule_never_lowers_the_return():
    record, rng = claims["update/penalty-monotone/chain-rule"], np.random.default_rng(6)
    for gamma in (0.1, 0.5, 0.9, 0.99):
        mdp, old = random_mdp(rng, 3, 2, gamma), random_rows(rng, 3, 2, zeros=0.0)
        q = compare(mdp, old, tt.update(mdp, old, record.problem(1.0)).policy)
        assert float(q.max_kl) > 0
        assert float(record.slack(q)) > 0


@pytest.mark.parametrize("aggregation", [None, [0, 0, 1]])
def test_the_penalty_in_chi_square_never_lowers_the_return(aggregation):
    record, rng = claims["update/chi2-monotone"], np.random.default_rng(6)
    shared = None if aggregation is None else tt.StateAggregation(aggregation)
    for gamma in (0.1, 0.5, 0.9, 0.99):
        mdp, old = random_mdp(rng, 3, 2, gamma), random_rows(rng, 3, 2, zeros=0.0)
        old = shared.expand(old[:2]) if shared else old
        q = compare(mdp, old, tt.update(mdp, old, record.problem(1.0), aggregation=shared).policy)
        assert float(q.reverse_max_chi2) > 0
        assert float(record.slack(q)) >= 0


def test_the_step_of_the_penalty_is_nearly_as_large_as_the_theorem_allows():
    """One state, old (1/2, 1/2), A = ±1: max over x of 2x/(1 − γ) − C KL(x), by golden section in plain Python."""
    gamma = 0.9
    mdp = tt.FiniteMDP([[[1.0], [1.0]]], [[1.0, -1.0]], gamma)
    problem = claims["update/step-tiny"].problem(1.0)
    q = compare(mdp, [[0.5, 0.5]], tt.update(mdp, [[0.5, 0.5]], problem).policy)
    low, high = 0.0, 0.4
    for _ in range(200):
        one, two = low + (high - low) * 0.382, low + (high - low) * 0.618
        f, g = (2 * x / 0.1 - 2 * 0.9 / 0.01 * -0.5 * math.log1p(-4 * x * x) for x in (one, two))
        low, high = (one, high) if f < g else (low, two)
    expected = -0.5 * math.log1p(-4 * low * low)
    assert float(q.max_kl) == pytest.approx(expected, rel=1e-6)
    assert float(claims["update/step-tiny"](q)) == pytest.approx(0.01 - 2 * 0.81 * expected, rel=1e-6)
    assert 0.24 < expected / (0.01 / (2 * 0.81)) < 1


@pytest.mark.parametrize("aggregation", [None, [0, 0, 0]])
def test_cpo_proposition_1(aggregation):
    record, rng = claims["cpo/prop-1"], np.random.default_rng(8)
    mdp = random_mdp(rng, 3, 3, np.array([0.0, 0.5, 0.9] * 20), batch=(60,))
    shared = None if aggregation is None else tt.StateAggregation(aggregation)
    old = random_rows(rng, 60, 3, 3)
    if shared:
        old = shared.expand(old[:, :1])
    fallen = 0
    for delta in (1e-3, 0.1, 1.0):
        q = step_of(mdp, old, tt.update(mdp, old, record.problem(delta), aggregation=shared).policy, size=delta)
        slack, _ = judged(record, q)
        assert (slack >= -1e-10 * scale_of(q)).all()
        fallen += (q.expected_return_new < q.expected_return_old - 1e-9).sum()
    assert (fallen > 0) == bool(shared), "the bound is needed where rows are shared"


def test_cpo_proposition_1_on_f6():
    made = zoo.f6(gamma=0.9, p=0.4, p_new=0.7)
    q = step_of(made.mdp, made.old, made.new, size=0.192)
    worst = np.abs(((made.new - made.old) * parts_of(made.mdp, made.old)[2]).sum(1)).max()
    expected = (0.189 - 0.216) + math.sqrt(2 * 0.192) * 0.9 * worst / 0.01
    assert float(claims["cpo/prop-1"](q)) == pytest.approx(expected, rel=1e-12)


# --- (12) is not hard ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delta", [1e-6, 0.01, 0.5, 3.0])
@pytest.mark.parametrize("zeros", [0.0, 0.5])
def test_row_by_row_is_the_joint_optimum(delta, zeros):
    """Each state solved by itself, in a problem of one row; the duality gap of the whole is none to speak of."""
    record, rng = claims["update/max-kl-hard"], np.random.default_rng(9)
    mdp, old = random_mdp(rng, 5, 4, 0.9), random_rows(rng, 5, 4, zeros=zeros)
    whole = Surrogate.of(compare(mdp, old, old))
    rows = []
    for s in range(5):
        cut = [getattr(whole, name)[:, s : s + 1] for name in ("old", "advantage", "available")]
        one = Surrogate(*cut, whole.visitation[s : s + 1], whole.gamma, whole.max_abs_advantage)
        rows.append(solve(one, record.problem(delta)).policy.reshape(-1))
    q = compare(mdp, old, rows)
    assert record.met(q)
    joint = tt.update(mdp, old, record.problem(delta))
    assert float(q.surrogate_gain) == pytest.approx(joint.surrogate_gain, rel=1e-9)
    assert float(updates.shortfall_bound(q)) == pytest.approx(0, abs=1e-9 * joint.surrogate_gain)
    assert float(record.slack(q)) == pytest.approx(-1e-6 * joint.surrogate_gain, rel=2e-3)


@pytest.mark.slow
def test_the_shortfall_of_a_bad_policy_is_seen_and_bounded():
    """Any feasible policy is below the joint optimum by no more than the bound says, which no policy escapes."""
    rng = np.random.default_rng(10)
    for _ in range(100):
        mdp, old = random_mdp(rng, 3, 3, 0.8), random_rows(rng, 3, 3, zeros=0.0)
        new = 0.5 * old + 0.5 * random_rows(rng, 3, 3)
        q = compare(mdp, old, new)
        best = tt.update(mdp, old, tt.MaxKL(float(q.max_kl)))
        short = best.surrogate_gain - float(q.surrogate_gain)
        assert float(updates.shortfall_bound(q)) >= short - 1e-9
        if claims["update/max-kl-hard"].met(q) and short > 1e-3:
            assert float(claims["update/max-kl-hard"].slack(q)) > 0


# --- rates -------------------------------------------------------------------------------------------------------------


def optimal_policy(mdp) -> np.ndarray:
    value = np.zeros(mdp.states)
    for _ in range(20000):
        q_value = mdp.reward + mdp.gamma * mdp.transition @ value
        if np.abs(q_value.max(1) - value).max() < 1e-15:
            break
        value = q_value.max(1)
    return np.eye(mdp.reward.shape[1])[q_value.argmax(1)]


def unit_mdp(seed: int, gamma: float = 0.9):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 3, 3, gamma)
    return tt.FiniteMDP(mdp.transition, rng.random((3, 3)), gamma, 0.1 / 3 + 0.9 * random_rows(rng, 3))


@pytest.mark.parametrize("seed", range(6))
def test_npg_iterates_and_their_rate(seed):
    mdp, size = unit_mdp(seed), [0.01, 0.1, 1.0][seed % 3]
    best, logits, returns = optimal_policy(mdp), np.zeros((3, 3)), {}
    for t in range(1, 9):
        logits = logits + size * parts_of(mdp, softmax(logits))[2] / 0.1
        returns[t] = return_of(mdp, softmax(logits))
    q = step_of(mdp, np.full((3, 3), 1 / 3), best, size=size)
    record, sharper = claims["rate/npg"], claims["rate/npg-sharper"]
    assert record.met(q)
    errors = [return_of(mdp, best) - returns[t] for t in (1, 2, 4, 8)]
    expected = [math.log(3) / size / t + 100 / t - error for t, error in zip((1, 2, 4, 8), errors, strict=True)]
    np.testing.assert_allclose(record(q), expected, rtol=1e-9)
    np.testing.assert_allclose(record(q) - sharper(q), [90 / t for t in (1, 2, 4, 8)], rtol=1e-9)
    assert (np.asarray(record.slack(q)) > 0).all()
    assert not record.met(step_of(mdp, [[0.5, 0.25, 0.25]] * 3, best, size=size))
    assert not record.met(step_of(tt.FiniteMDP(mdp.transition, 2 * mdp.reward, 0.9), q.old, best, size=size))


def test_an_action_that_has_all_but_vanished_comes_back():
    """h = 50, γ = 0.99: the first step takes exp(−5000 …), 0 in floats, from an action that the third one wants back.

    s0: a1 pays 1/2 and stays, a2 leads to s1; s1: a1 pays 1 and stays, a2 ends; uniform play makes s1 worth 1/(2 − γ).
    """
    transition = [[[1, 0, 0], [0, 1, 0]], [[0, 1, 0], [0, 0, 1]], [[0, 0, 1]] * 2]
    mdp = tt.FiniteMDP(transition, [[0.5, 0], [1, 0], [0, 0]], 0.99, [1, 0, 0])
    best, start = np.array([[0.0, 1], [1, 0], [1, 0]]), np.full((3, 2), 0.5)
    at = list(rates.npg_iterates(step_of(mdp, start, best, size=50.0)))
    assert at[1].old[0, 1] == 0
    assert at[8].old[0, 1] == 1
    assert float(at[8].expected_return_old) == pytest.approx(99.0, rel=1e-9)  # γ/(1 − γ): a step to s1, then 1 for ever


@pytest.mark.parametrize("seed", range(6))
def test_mirror_descent_and_its_linear_rate(seed):
    mdp, size, record = unit_mdp(seed), [0.1, 1.0][seed % 2], claims["rate/pmd-linear"]
    old, best = random_rows(np.random.default_rng(seed), 3, 3, zeros=0.0), optimal_policy(mdp)
    occupancy = 0.1 * parts_of(mdp, best)[0]
    theta = (occupancy / mdp.initial).max() / 0.1
    logits, step, errors = np.log(old), size, [return_of(mdp, best) - return_of(mdp, old)]
    for _ in range(8):
        logits = logits + step * parts_of(mdp, softmax(logits))[1]
        step *= theta / (theta - 1)
        errors.append(return_of(mdp, best) - return_of(mdp, softmax(logits)))
    distance = sum(occupancy[s] * -math.log(old[s, best[s].argmax()]) for s in range(3))
    start = errors[0] + distance / (size * 0.1 * (theta - 1))
    q = step_of(mdp, old, best, size=size)
    assert record.met(q)
    assert float(rates.mismatch(q)) == pytest.approx(theta, rel=1e-12)
    expected = [(1 - 1 / theta) ** k * start - errors[k] for k in (1, 2, 4, 8)]
    np.testing.assert_allclose(record(q), expected, rtol=1e-8, atol=1e-10)
    assert (np.asarray(record.slack(q)) > 0).all()
    gone = tt.FiniteMDP(mdp.transition, mdp.reward, 0.9, [1, 0, 0])
    assert not record.met(step_of(gone, old, best, size=size))


@pytest.mark.parametrize("seed", range(4))
def test_each_step_of_mirror_descent_obeys_the_lemma_behind_it(seed):
    """(1 − γ)(δ_k + θ (δ_{k+1} − δ_k)) ≤ (D_k − D_{k+1})/h_k, for any comparator."""
    rng = np.random.default_rng(seed)
    mdp, comparator, old = unit_mdp(seed), random_rows(rng, 3, 3), random_rows(rng, 3, 3, zeros=0.0)
    q = step_of(mdp, old, comparator, size=0.3)
    theta = float(rates.mismatch(q))
    at = list(rates.mirror_iterates(q, theta))
    gaps = [return_of(mdp, comparator) - return_of(mdp, step.old) for step in at]
    occupancy = 0.1 * parts_of(mdp, comparator)[0]
    ratio = [np.where(comparator > 0, comparator / step.old, 1) for step in at]
    distances = [float((occupancy * (comparator * np.log(r)).sum(1)).sum()) for r in ratio]
    for k in range(8):
        size = 0.3 * (theta / (theta - 1)) ** k
        left = 0.1 * (gaps[k] + theta * (gaps[k + 1] - gaps[k]))
        assert left <= (distances[k] - distances[k + 1]) / size + 1e-10


@pytest.mark.parametrize("name", ["rate/npg", "rate/pmd-linear"])
def test_rates_hold_on_a_batch_as_on_its_instances(name):
    record, rng = claims[name], np.random.default_rng(11)
    gamma, batch = rng.choice([0.1, 0.5, 0.9], size=200), 200
    mdp = random_mdp(rng, 3, 3, gamma, batch=(batch,))
    mdp = tt.FiniteMDP(mdp.transition, rng.random((batch, 3, 3)), gamma, random_rows(rng, batch, 3, zeros=0.0))
    old, size = np.full((batch, 3, 3), 1 / 3), rng.exponential(size=batch) ** 2
    best = tt.optimal(mdp).policy
    q = step_of(mdp, old, best, size=size)
    slack, met = judged(record, q)
    assert met.all()
    assert record(q).shape == (4, batch)
    assert (slack >= -1e-12 * scale_of(q)).all()
    for i in range(0, batch, 50):
        one = tt.FiniteMDP(mdp.transition[i], mdp.reward[i], float(gamma[i]), mdp.initial[i])
        single = record(step_of(one, old[i], best[i], size=float(size[i])))
        np.testing.assert_allclose(record(q)[:, i], single, rtol=1e-9, atol=1e-9)


def test_a_penalty_in_chi_square_does_not_free_an_action_that_old_never_takes():
    """Old is deterministic, so that rms(A) = 0: chi-square of any other action is infinite, and so is the penalty, 0 or not."""
    mdp = tt.FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[0, 1], [-1, -9]], 0.25, [1, 0])
    old = [[1.0, 0.0], [1.0, 0.0]]
    solution = tt.update(mdp, old, tt.Penalty(bound="chi2/advantage"))
    np.testing.assert_array_equal(solution.policy, old)
    assert tt.update(mdp, old, tt.Penalty(0.0)).policy[0, 1] == 1
