"""The audit of runs: one update by hand in exact arithmetic, closed forms, KKT conditions, and what a run can look like."""

import functools
import itertools
from fractions import Fraction

import kkt
import mpmath
import numpy as np
import pytest
import scipy.sparse as sp
from cheap import sampled
from exact import nearest, step_on

import trpo_theory as tt
from trpo_theory.recorded import chains
from trpo_theory.recorded.exact import exact_updates
from trpo_theory.recorded.idle import idle_states

F = Fraction

# s0: a0 stays and pays 1, a1 goes to s1 and pays 0; s1: a0 goes to s0 and pays 0, a1 stays and pays 2. γ = 1/2, start in s0.
TWO_STATES = tt.FiniteMDP([[[1, 0], [0, 1]], [[1, 0], [0, 1]]], [[1, 0], [0, 2]], 0.5, [1, 0])


def solve2(matrix, right):
    """Cramer's rule, in fractions."""
    (a, b), (c, d) = matrix
    det = a * d - b * c
    return [(right[0] * d - b * right[1]) / det, (a * right[1] - c * right[0]) / det]


def by_hand(old, new):
    """η(old), η(new), L, A and ρ_old of a step on TWO_STATES, from the definitions; rows are probabilities of a0."""
    gamma = F(1, 2)

    def value(p):  # P = [[p0, 1-p0], [p1, 1-p1]], r = [p0, 2(1-p1)]
        chain = [[1 - gamma * p[0], -gamma * (1 - p[0])], [-gamma * p[1], 1 - gamma * (1 - p[1])]]
        return solve2(chain, [p[0], 2 * (1 - p[1])]), chain

    v, chain = value(old)
    rho = solve2([list(column) for column in zip(*chain, strict=True)], [F(1), F(0)])
    q = [[1 + gamma * v[0], gamma * v[1]], [gamma * v[0], 2 + gamma * v[1]]]
    advantage = [[q[s][a] - v[s] for a in range(2)] for s in range(2)]
    bar = [new[s] * advantage[s][0] + (1 - new[s]) * advantage[s][1] for s in range(2)]
    return v[0], value(new)[0][0], v[0] + rho[0] * bar[0] + rho[1] * bar[1], advantage, rho


def kl(p, q):
    """KL of two coins, mpmath."""
    return sum(mpmath.mpf(a.numerator) / a.denominator * mpmath.log(mpmath.mpf((a / b).numerator) / (a / b).denominator)
               for a, b in ((p, q), (1 - p, 1 - q)))  # fmt: skip


OLD, NEW = (F(3, 4), F(1, 2)), (F(5, 8), F(1, 8))


def policies_of(*coins):
    return [[[float(p), float(1 - p)] for p in coin] for coin in coins]


def test_one_update_by_hand_from_the_definitions():
    audit = tt.audit(TWO_STATES, policies_of(OLD, NEW))
    eta_old, eta_new, surrogate, advantage, rho = by_hand(OLD, NEW)
    d = [rho_s / 2 for rho_s in rho]
    epsilon = max(abs(a) for row in advantage for a in row)
    with mpmath.workdps(40):
        forward = [kl(p, q) for p, q in zip(OLD, NEW, strict=True)]
        reverse = [kl(q, p) for p, q in zip(OLD, NEW, strict=True)]
        mean, mean_reverse = (sum(float(w) * k for w, k in zip(d, part, strict=True)) for part in (forward, reverse))
        wanted = {
            "expected_return_old": eta_old,
            "expected_return_new": eta_new,
            "return_change": eta_new - eta_old,
            "surrogate": surrogate,
            "surrogate_gain": surrogate - eta_old,
            "max_kl": max(forward),
            "reverse_max_kl": max(reverse),
            "mean_kl": mean,
            "reverse_mean_kl": mean_reverse,
            "acting_mean_kl": mean,
            "max_tv": F(3, 8),
            "max_abs_advantage": epsilon,
        }
    for name, value in wanted.items():
        assert getattr(audit, name) == pytest.approx([float(value)], rel=1e-13), name
    # γ/(1 − γ)² = 2; and of the four deterministic policies "to s1 and back" is the worst (it earns 0), "to s1 and stay" earns 2
    assert (audit.worst_return, audit.best_return) == (0.0, pytest.approx(2.0, rel=1e-14))
    penalties = {
        "trpo/tv": float(4 * epsilon * 2 * F(9, 64)),
        "trpo/kl": float(4 * epsilon * 2) * max(forward),
        "pinsker/kl": float(2 * epsilon * 2) * max(forward),
    }
    for name, penalty in penalties.items():
        bound = audit.bounds[name]
        assert bound.penalty == pytest.approx([float(penalty)], rel=1e-13)
        assert bound.lower_bound == pytest.approx([float(surrogate) - float(penalty)], rel=1e-12)
        assert bound.slack == pytest.approx([float(eta_new - surrogate) + float(penalty)], rel=1e-12)
        assert bound.holds.all()
        assert bound.vacuous.tolist() == [float(surrogate) < float(penalty)]
    assert [bool(audit.bounds[name].vacuous[0]) for name in penalties] == [False, True, True]


def test_the_same_update_agrees_with_the_exact_oracle_of_the_other_rooms():
    old, new = np.array(policies_of(OLD, NEW))
    exact = step_on(TWO_STATES, old, new)
    eta_old, eta_new, surrogate, _, _ = by_hand(OLD, NEW)
    got = (exact.old.expected_return, exact.new.expected_return, exact.surrogate)
    assert [nearest(x) for x in got] == [float(x) for x in (eta_old, eta_new, surrogate)]


def bandit(*rewards, gamma=0.5):
    return tt.FiniteMDP(np.ones((1, len(rewards), 1)), [list(rewards)], gamma)


@pytest.mark.parametrize(("old", "new"), [(0.5, 0.6), (0.5, 0.4), (0.7, 0.71), (0.3, 1 - 1e-9), (0.5, 0.5 - 1e-6)])
def test_on_two_arms_the_exact_update_is_the_root_of_the_divergence(old, new):
    """Reward (0, 1), γ = ½: L gains 2 (p − old), p ≥ old the root of KL(old‖p) = KL(old‖new); new itself where it is larger."""
    audit = tt.audit(bandit(0, 1), [[[1 - p, p]] for p in (old, new)])
    with mpmath.workdps(40):
        p0, p1 = mpmath.mpf(old), mpmath.mpf(new)

        def divergence(p):
            return p0 * mpmath.log(p0 / p) + (1 - p0) * mpmath.log((1 - p0) / (1 - p))

        low, high = p0, 1 - mpmath.mpf(10) ** -30
        for _ in range(200):
            low, high = (
                ((low + high) / 2, high) if divergence((low + high) / 2) < divergence(p1) else (low, (low + high) / 2)
            )
        best = float(2 * (low - p0))
    assert audit.exact_mean_kl_gain == pytest.approx([best], rel=1e-8)
    assert audit.exact_max_kl_gain == pytest.approx([best], rel=1e-8)
    assert audit.exact_mean_kl_return == pytest.approx([2 * old + best], rel=1e-8)
    assert audit.mean_kl_share == pytest.approx([2 * (new - old) / best], rel=1e-8)
    assert audit.exact_mean_kl_gap[0] <= 1e-9 * best


def test_where_the_divergence_is_infinite_the_exact_update_is_the_greedy_policy():
    """Giving an action up costs infinite KL, at which the best gain is that of the best arm: (3 − 1.5)/(1 − γ)."""
    audit = tt.audit(bandit(0, 3, 1.5), [[[0.25, 0.25, 0.5]], [[0.0, 0.5, 0.5]], [[0.0, 0.5, 0.5]]])
    assert np.isinf(audit.max_kl).tolist() == np.isinf(audit.mean_kl).tolist() == [True, False]
    assert audit.exact_mean_kl_gain == pytest.approx([3.0, 0.0], abs=1e-12)
    assert audit.exact_max_kl_gain == pytest.approx([3.0, 0.0], abs=1e-12)
    assert audit.exact_mean_kl_return == pytest.approx([6.0, 4.5])
    assert audit.mean_kl_share[0] == pytest.approx((4.5 - 3) / 3)
    assert np.isnan(audit.mean_kl_share[1])  # no step, nothing to gain
    infinite = audit.bounds["trpo/kl"]
    assert infinite.vacuous.tolist() == [True, False]
    assert infinite.lower_bound[0] == -np.inf
    assert audit.failures == 0


def test_infinite_only_where_nobody_goes_is_finite_in_the_mean():
    transition = [[[1, 0], [1, 0]], [[0, 1], [0, 1]]]
    mdp = tt.FiniteMDP(transition, [[0, 1], [0, 1]], 0.5, [1, 0])
    audit = tt.audit(mdp, [[[0.5, 0.5], [0.5, 0.5]], [[0.4, 0.6], [0.0, 1.0]]])
    assert np.isinf(audit.max_kl[0])
    assert audit.mean_kl == pytest.approx([0.5 * np.log(1 / 0.96)], rel=1e-10)
    assert audit.exact_mean_kl_gain == pytest.approx(
        [0.2], rel=1e-9
    )  # (0.6 − 0.5)/(1 − γ): new itself, in the one state
    assert audit.exact_max_kl_gain == pytest.approx([1.0], rel=1e-12)  # greedy: (1 − 0.5)/(1 − γ)


def random_run(seed, states, actions, updates, *, gamma=0.9, size=0.3):
    generator = np.random.default_rng(seed)
    mdp = tt.zoo.dirichlet(generator, states=states, actions=actions, gamma=gamma)
    logits = np.cumsum(size * generator.normal(size=(updates + 1, states, actions)), axis=0)
    table = np.exp(logits)
    return mdp, table / table.sum(-1, keepdims=True)


@pytest.mark.parametrize("size", [1e-4, 0.3, 2.0])
def test_the_exact_updates_satisfy_the_kkt_conditions_at_each_steps_own_radius(size):
    """λ comes from the answer's own stationarity between two actions of a row, so that a wrong answer has no λ that suits."""
    mdp, run = random_run(1, 4, 3, 6, size=size)
    for q in chains.Chains(mdp).steps(run):
        exact = exact_updates(q, 1e-9)
        for k in range(6):
            old, new = run[k], exact.policies[k]
            advantage, rho = q.advantage[..., k], q.visitation_old[..., k]
            high, low = advantage.argmax(1), advantage.argmin(1)
            row = np.arange(4)
            slope = old / new  # −∂KL/∂p
            multiplier = ((advantage[row, high] - advantage[row, low]) / (slope[row, low] - slope[row, high])).mean()
            multipliers = np.full(4, multiplier)
            rows = kkt.rows_of(old, advantage, np.ones((4, 3), bool), rho, new - old, new, multipliers)
            found = kkt.violations("mean-kl", rows, 0.9, delta=float(q.mean_kl[k]))
            assert found.worst < 1e-6 * max(1, 1e-3 / size)  # of small steps new − old has fewer digits
            assert exact.mean_kl_gain[k] == pytest.approx(float(kkt.objective("mean-kl", rows)), rel=1e-8)


def test_the_exact_12_is_that_of_a_certified_update():
    mdp, run = random_run(2, 5, 3, 4)
    audit = tt.audit(mdp, run)
    for k in range(4):
        solution = tt.update(mdp, run[k], tt.MaxKL(audit.max_kl[k]))
        assert audit.exact_max_kl_gain[k] == pytest.approx(solution.upper_bound, rel=1e-9)


@pytest.mark.whole
def test_no_update_beats_the_exact_ones_and_no_bound_fails():
    mdp, run = random_run(3, 6, 4, 300, size=0.2)
    audit = tt.audit(mdp, run)
    assert audit.updates == 300
    assert audit.mean_kl_share.max() <= 1 + 1e-9
    assert audit.max_kl_share.max() <= 1 + 1e-9
    assert (audit.exact_mean_kl_gap <= 1e-9 * audit.exact_mean_kl_gain).all()
    assert audit.failures == 0
    assert set(audit.bounds) == set(tt.bounds.plain())
    assert (audit.worst_return <= audit.expected_return_new).all()
    assert (audit.expected_return_new <= audit.best_return).all()


def f6_run(*shared):
    """On F6, where η = γ p (1 − p) with one shared row (p, 1 − p)."""
    return tt.zoo.f6(gamma=0.9).mdp, [[[p, 1 - p]] * 3 for p in shared]


def test_a_run_that_falls_is_seen_to_fall():
    mdp, run = f6_run(0.4, 0.5, 0.7, 0.7, 0.6)
    audit = tt.audit(mdp, run)
    assert audit.expected_return_old == pytest.approx([0.216, 0.225, 0.189, 0.189], rel=1e-13)
    assert audit.expected_return_new == pytest.approx([0.225, 0.189, 0.189, 0.216], rel=1e-13)
    assert audit.decreased.tolist() == [False, True, False, False]
    assert audit.decreases == 1
    assert audit.worst[0] == 1
    assert audit.surrogate - audit.expected_return_new == pytest.approx([0.009, 0.036, 0.0, 0.009], abs=1e-13)
    summary = audit.summary().set_index("quantity")["value"]
    assert summary["decrease_share"] == 0.25
    assert summary["worst_change"] == pytest.approx(-0.036)
    assert (summary["worst_return"], summary["best_return"]) == (0.0, pytest.approx(0.9))
    assert summary["worst_change_share"] == pytest.approx(-0.04)


def test_a_fall_within_rounding_is_none():
    """η = γ p (1 − p) falls by 9e-19 from p = ½ to ½ + 1e-9."""
    mdp, run = f6_run(0.5, 0.5 + 1e-9)
    audit = tt.audit(mdp, run)
    assert audit.decreases == 0
    assert 0 < audit.return_rounding[0] < 1e-11
    assert tt.audit(*f6_run(0.5, 0.5 + 1e-4)).decreases == 1  # by 9e-9


def test_vacuous_is_below_the_worst_return_by_hand():
    """F6 has rewards 0 and 1, and its worst policy earns 0: a bound is vacuous where L < penalty. ε = max|A| = 0.6 at p = 0.4:
    V(s1) = 0.6; in s1 A = (−0.6, 0.4); in s0 A = (0.54 − 0.216, −0.216)."""
    p, q = mpmath.mpf("0.4"), mpmath.mpf("0.43")
    mdp, run = f6_run(0.4, 0.43)
    audit = tt.audit(mdp, run)
    surrogate = 0.9 * (p * (1 - p) + (q - p) * (1 - 2 * p))
    divergence = p * mpmath.log(p / q) + (1 - p) * mpmath.log((1 - p) / (1 - q))
    assert audit.surrogate == pytest.approx([float(surrogate)], rel=1e-12)
    values = {
        "trpo/tv": surrogate - 4 * 0.6 * 90 * mpmath.mpf("0.03") ** 2,
        "trpo/kl": surrogate - 4 * 0.6 * 90 * divergence,
        "pinsker/kl": surrogate - 2 * 0.6 * 90 * divergence,
    }
    for name, value in values.items():
        assert audit.bounds[name].lower_bound == pytest.approx([float(value)], rel=1e-10)
        assert audit.bounds[name].vacuous.tolist() == [bool(value < 0)]
    assert {bool(value < 0) for value in values.values()} == {True, False}
    frame = audit.bound_frame().set_index("bound")
    assert frame.loc["trpo/kl", "median_deficit"] == pytest.approx(float(-values["trpo/kl"]) / 0.9, rel=1e-10)
    assert frame.loc["trpo/kl", "vacuous"] == float(values["trpo/kl"] < 0)
    assert frame.loc["trpo/kl", "failures"] == 0


def test_a_bound_that_is_not_true_is_seen_to_fail(monkeypatch):
    free = tt.bounds.Bound("free", lambda q: 0.0 * q.max_kl, r"\eta \ge L - penalty", "nowhere: L itself")
    monkeypatch.setattr(tt.bounds, "check_all", lambda q: [free.check(q)])
    audit = tt.audit(*f6_run(0.4, 0.7, 0.7))
    assert audit.bounds["free"].holds.tolist() == [False, True]  # η − L = −γ (p_new − p)²
    assert audit.failures == 1


def solved_directly(mdp, policy):
    """V, ρ and η by one dense solve of the definitions."""
    transition = mdp.transition.toarray() if mdp.is_sparse else mdp.transition
    transition = transition.reshape(mdp.states, mdp.actions, mdp.states)
    matrix = np.eye(mdp.states) - mdp.gamma * np.einsum("sa,sat->st", policy, transition)
    value = np.linalg.solve(matrix, (policy * mdp.reward).sum(1))
    q_value = mdp.reward + mdp.gamma * transition @ value
    return q_value - value[:, None], np.linalg.solve(matrix.T, mdp.initial), mdp.initial @ value


def sparse_ring(states, *, stored_dense):
    """A ring with two actions, left or right, and a reward at 0: its chains have two entries a row."""
    here = np.arange(states)
    rows = np.zeros((states, 2, states))
    rows[here, 0, here - 1] = rows[here, 1, (here + 1) % states] = 1
    reward = np.zeros((states, 2))
    reward[0] = 1
    transition = rows if stored_dense else sp.csr_array(rows.reshape(-1, states))
    return tt.FiniteMDP(transition, reward, 0.9)


@functools.cache
def _mdps():
    dense = tt.zoo.dirichlet(np.random.default_rng(0), states=40, actions=2, gamma=0.9)
    as_sparse = tt.FiniteMDP(sp.csr_array(dense.transition.reshape(80, 40)), dense.reward, dense.gamma, dense.initial)
    small = tt.zoo.dirichlet(np.random.default_rng(1), states=5, actions=2, gamma=0.9)
    return {
        "eliminated": small,
        "one by one": dense,
        "sparse, one by one": as_sparse,
        "factorised": sparse_ring(50, stored_dense=True),
        "sparse, factorised": sparse_ring(50, stored_dense=False),
        "tiny and sparse": sparse_ring(4, stored_dense=False),
    }


@pytest.mark.slow
@sampled(("kind", "entries"), itertools.product(_mdps(), [2**18, 1, 300]), every=8)
def test_every_way_to_solve_and_every_chunk_gives_the_same_numbers(kind, entries, monkeypatch):
    monkeypatch.setattr(chains, "_TABLE_ENTRIES", entries)
    mdp = _mdps()[kind]
    assert (chains.OneMDP(mdp)._factorised is not None) == ("factorised" in kind)
    logits = np.random.default_rng(2).normal(size=(5, mdp.states, 2))
    run = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    audit = tt.audit(mdp, run)
    for k in range(4):
        advantage, rho, eta = solved_directly(mdp, run[k])
        gain = (rho[:, None] * (run[k + 1] - run[k]) * advantage).sum()
        kl = (run[k] * np.log(run[k] / run[k + 1])).sum(1)
        assert audit.expected_return_old[k] == pytest.approx(eta, rel=1e-11)
        assert audit.expected_return_new[k] == pytest.approx(solved_directly(mdp, run[k + 1])[2], rel=1e-11)
        assert audit.surrogate_gain[k] == pytest.approx(gain, rel=1e-9, abs=1e-12)
        assert audit.mean_kl[k] == pytest.approx((0.1 * rho * kl).sum(), rel=1e-10)
        slack = audit.expected_return_new[k] - audit.surrogate[k] + audit.bounds["trpo/tv"].penalty[k]
        assert audit.bounds["trpo/tv"].slack[k] == pytest.approx(slack, rel=1e-9)
    assert audit.failures == 0


def test_costly_bounds_are_left_out_where_there_are_many_states():
    few, many = (tt.audit(mdp, np.full((2, mdp.states, 2), 0.5)) for mdp in (sparse_ring(4, stored_dense=True),
                                                                             sparse_ring(201, stored_dense=False)))  # fmt: skip
    assert "mixing/kl" in few.bounds
    assert "mixing/kl" not in many.bounds


def test_float32_policies_are_mended_and_it_is_said_by_how_much():
    mdp, run = random_run(4, 3, 3, 2)
    audit = tt.audit(mdp, run.astype(np.float32))
    assert 1e-9 < audit.renormalised < 1e-6
    assert audit.surrogate == pytest.approx(tt.audit(mdp, run).surrogate, rel=1e-5)
    assert tt.audit(mdp, run).renormalised == 0.0


def test_an_unavailable_action_is_no_part_of_any_answer():
    """In s0 the best arm is not available: neither the best return nor the exact updates may use it."""
    mdp = tt.FiniteMDP([[[1], [1], [1]]], [[0, 1, -np.inf]], 0.5)
    audit = tt.audit(mdp, [[[0.5, 0.5, 0]], [[0.4, 0.6, 0]], [[0.0, 1.0, 0]]])
    assert (audit.worst_return, audit.best_return) == (0.0, pytest.approx(2.0))
    assert audit.exact_mean_kl_gain == pytest.approx([0.2, 0.8], rel=1e-8)


IDLE = tt.FiniteMDP(
    [[[1, 0, 0], [0, 1, 0]], [[0, 1, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 1]]], [[1, 0], [1, 1], [0, 1]], 0.5, [1, 0, 0]
)
"""s1 absorbs whatever is done there, with one reward; s2 absorbs too, but its actions are paid differently."""
IDLE_RUN = [[[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]], [[0.4, 0.6], [0.9, 0.1], [0.5, 0.5]]]


def test_idle_states_are_those_in_which_no_action_matters():
    assert idle_states(IDLE).tolist() == [False, True, False]
    sparse = tt.FiniteMDP(sp.csr_array(IDLE.transition.reshape(6, 3)), IDLE.reward, 0.5, IDLE.initial)
    assert idle_states(sparse).tolist() == [False, True, False]
    choice = [[True, False], [True, True], [True, True]]
    assert idle_states(tt.FiniteMDP(IDLE.transition, IDLE.reward, 0.5, available=choice)).tolist() == [
        True,
        True,
        False,
    ]


def test_divergence_in_idle_states_counts_in_the_definitions_and_can_be_left_out():
    """d_old(s0) = ½ Σ (¼)ᵗ = 2/3, d_old(s1) = 1/3."""
    seen, held = tt.audit(IDLE, IDLE_RUN), tt.audit(IDLE, IDLE_RUN, hold_idle=True)
    acting, idle = 0.5 * np.log(0.25 / 0.24), 0.5 * np.log(0.25 / 0.09)
    assert seen.idle_occupancy == pytest.approx([1 / 3])
    assert seen.mean_kl == pytest.approx([2 / 3 * acting + idle / 3])
    assert held.mean_kl == pytest.approx([2 / 3 * acting])
    assert seen.acting_mean_kl == held.acting_mean_kl == pytest.approx([acting])
    assert (seen.max_kl[0], held.max_kl[0]) == (pytest.approx(idle), pytest.approx(acting))
    for name in ("expected_return_old", "expected_return_new", "surrogate", "idle_occupancy"):
        assert getattr(seen, name) == pytest.approx(getattr(held, name), rel=1e-14)
    assert held.mean_kl_share == pytest.approx([-1.0])  # two actions, the wrong way, from the middle
    assert (held.held, seen.held) == (True, False)


def test_a_run_object_brings_its_log_and_its_target():
    mdp, run = random_run(5, 3, 2, 2)
    logged = {"target_kl": [0.02, 0.02], "approx_kl": [0.1, np.nan]}
    recorded = tt.io.run_of(run, mdp, logged=logged, about={"seed": 3})
    audit = tt.audit(recorded)
    assert audit.target == 0.02
    assert audit.about == {"seed": 3}
    assert audit.to_frame()["logged approx_kl"][0] == 0.1
    summary = audit.summary().set_index("quantity")["value"]
    assert summary["exceeded_mean_kl"] == (audit.mean_kl > 0.02).mean()
    assert summary["excess_reverse_mean_kl"] == pytest.approx(audit.reverse_mean_kl.max() / 0.02)
    assert tt.audit(recorded, target=0.5).target == 0.5
    assert tt.audit(mdp, run, logged=logged).target == 0.02
    assert tt.audit(mdp, run, logged={"target_kl": [0.02, 0.03]}).target is None
    assert "target" not in set(tt.audit(mdp, run).summary()["quantity"])


def test_the_frame_has_a_row_an_update_and_the_audit_says_what_it_is():
    audit = tt.audit(*f6_run(0.4, 0.5, 0.7))
    frame = audit.to_frame()
    assert frame["index"].tolist() == [0, 1]
    assert frame["decreased"].tolist() == [False, True]
    assert frame["lower_bound trpo/kl"].tolist() == audit.bounds["trpo/kl"].lower_bound.tolist()
    assert frame["return_change"].tolist() == (frame["expected_return_new"] - frame["expected_return_old"]).tolist()
    assert repr(audit).startswith("Audit(updates=2, decreases=1, expected_return=0.216 -> 0.189, ")


def test_progress_is_told_once_an_update(monkeypatch):
    monkeypatch.setattr(chains, "_TABLE_ENTRIES", 6)
    told = []
    tt.audit(*f6_run(0.4, 0.5, 0.6, 0.7), advance=lambda: told.append(1))
    assert len(told) == 3


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((TWO_STATES,), {}, "an MDP without policies"),
        ((TWO_STATES, [[[0.5, 0.5]] * 2]), {}, "a run with one policy"),
        ((TWO_STATES, np.full((3, 4, 2), 0.5)), {}, "policies of shape (3, 4, 2)"),
        ((TWO_STATES, np.full((3, 2, 2), np.nan)), {}, "nan in policies"),
        ((TWO_STATES, np.full((2, 2, 2), 0.5)), {"target": 0}, "target = 0"),
        ((TWO_STATES, np.full((2, 2, 2), 0.5)), {"logged": {"kl": [1, 2]}}, "logged kl with shape (2,)"),
    ],
)
def test_input_that_cannot_be_audited_is_refused_in_one_message(arguments, options, message):
    with pytest.raises(tt.InvalidInput) as caught:
        tt.audit(*arguments, **options)
    assert message in str(caught.value)
    assert "; fix: " in str(caught.value)


def test_a_run_and_policies_beside_it_are_one_too_many():
    recorded = tt.io.run_of(np.full((2, 2, 2), 0.5), TWO_STATES)
    with pytest.raises(tt.InvalidInput, match="a Run, and policies"):
        tt.audit(recorded, recorded.policies)
