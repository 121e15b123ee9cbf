"""Average rewards: gain, bias and constants of mixing against closed forms, eigenvectors and another library; bounds, exactly."""

from fractions import Fraction as F

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory import zoo
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.partial import KnownQuantities
from trpo_theory.step.regeneration import regenerated
from trpo_theory.updates.sharp_penalty import SHARP

ALL = {id: bound for id, bound in tt.bounds.all_bounds.items() if bound.criterion == "average"}
TRUE = {id: bound for id, bound in ALL.items() if bound.expected is True}
REDUCED = "average/doeblin/"
WAYS = [[[1, 0], [0, 1]], [[1, 0], [0, 1]]]
"""Two states, two actions: to 0, and to 1."""


def two_states(a, b, a_new, b_new, reward=((0, 0), (0, 0))):
    """P(1|0) = a and P(0|1) = b, by policies."""
    mdp = tt.FiniteMDP(WAYS, reward, 0.5, [1, 0])
    return tt.compare(mdp, [[1 - a, a], [b, 1 - b]], [[1 - a_new, a_new], [b_new, 1 - b_new]], criterion="average")


def batch(seed=0, size=200, states=4, actions=3):
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.full(states, 0.3), (size, states, actions))
    floor = rng.choice([0.0, 0.02, 0.3, 0.9, 1.0], size)[:, None, None, None]
    transition = (1 - floor) * transition + floor * rng.dirichlet(np.ones(states), (size, 1, 1))
    mdp = tt.FiniteMDP(transition, rng.normal(size=(size, states, actions)), 0.5, np.full(states, 1 / states))
    old = rng.dirichlet(np.ones(actions), (size, states))
    step = rng.choice([1.0, 0.1, 1e-3], (size, 1, 1))
    return mdp, old, old + step * (rng.dirichlet(np.ones(actions), (size, states)) - old)


# --- gain, bias, law, Kemeny's constant ------------------------------------------------------------------------------


@pytest.mark.parametrize(("a", "b"), [(0.25, 0.5), (1.0, 1.0), (0.001, 0.003)])
def test_two_states_in_closed_form(a, b):
    q = two_states(a, b, b, a, [[3, 3], [-1, -1]])
    assert float(q.expected_return_old) == pytest.approx((3 * b - a) / (a + b), rel=1e-12)
    assert np.asarray(q.occupancy_old) == pytest.approx([b / (a + b), a / (a + b)], rel=1e-12)
    assert float(q.kemeny_old) == pytest.approx(1 + 1 / (a + b), rel=1e-12)
    assert float(q.mixing_new) == pytest.approx(1 / (a + b), rel=1e-12)
    found = tt.evaluate(
        tt.FiniteMDP(WAYS, [[3, 3], [-1, -1]], 0.5, [1, 0]), [[1 - a, a], [b, 1 - b]], criterion="average"
    )
    assert found.value == pytest.approx([4 * a / (a + b) ** 2, -4 * b / (a + b) ** 2], rel=1e-11)


def test_a_birth_death_queue():
    """Up with probability p, down with q, reflected: d(n) ∝ (p/q)ⁿ, the mean length is the gain of r(n) = n."""
    p, q, n = 0.3, 0.4, 12
    chain = np.diag(np.full(n - 1, p), 1) + np.diag(np.full(n - 1, q), -1)
    chain += np.diag(1 - chain.sum(1))
    mdp = tt.FiniteMDP(chain[:, None], np.arange(n)[:, None], 0.5, np.eye(n)[0])
    found = tt.evaluate(mdp, np.ones((n, 1)), criterion="average")
    law = (p / q) ** np.arange(n)
    law /= law.sum()
    assert found.occupancy == pytest.approx(law, rel=1e-12)
    assert float(found.expected_return) == pytest.approx((law * np.arange(n)).sum(), rel=1e-12)


def test_laws_and_kemeny_constants_are_those_of_eigenvalues():
    mdp, old, new = batch(1, 40)
    q = tt.compare(mdp, old, new, criterion="average")
    for i in range(40):
        chain = np.einsum("sa,sat->st", new[i], mdp.transition[i])
        value, vector = np.linalg.eig(chain.T)
        first = np.argmax(value.real)
        law = vector[:, first].real / vector[:, first].real.sum()
        assert q.occupancy_new[:, i] == pytest.approx(law, abs=1e-10)
        assert q.kemeny_new[i] == pytest.approx(1 + (1 / (1 - np.delete(value, first))).sum().real, rel=1e-9)
        z = np.linalg.inv(np.eye(4) - chain + np.outer(np.ones(4), law))
        distance = abs(z[:, None] - z[None]).sum(-1).max() / 2
        assert q.mixing_new[i] == pytest.approx(distance, rel=1e-9)


@pytest.mark.peers
def test_the_best_gain_is_that_of_relative_value_iteration():
    mdptoolbox = pytest.importorskip("mdptoolbox.mdp")
    rng = np.random.default_rng(2)
    transition, reward = rng.dirichlet(np.ones(5), (5, 3)), rng.normal(size=(5, 3))
    solver = mdptoolbox.RelativeValueIteration(transition.transpose(1, 0, 2), reward, epsilon=1e-10, max_iter=100_000)
    solver.run()
    found = tt.evaluate(
        tt.FiniteMDP(transition, reward, 0.5, np.eye(5)[0]), np.eye(3)[list(solver.policy)], criterion="average"
    )
    assert float(found.expected_return) == pytest.approx(solver.average_reward, abs=1e-8)


def test_two_closed_classes_are_named():
    mdp = tt.FiniteMDP([[[1, 0], [0, 1]], [[1, 0], [0, 1]]], np.zeros((2, 2)), 0.5, [1, 0])
    with pytest.raises(tt.InvalidInput, match=r"2 closed classes of states, among them state 0 and state 1"):
        tt.evaluate(mdp, [[1, 0], [0, 1]], criterion="average")


def test_discounted_values_tend_to_the_average_ones():
    """An error of the order of 1 − γ: a tenth of it is left of a tenth."""
    mdp, old, new = batch(3, 30)
    q, errors = tt.compare(mdp, old, new, criterion="average"), []
    for left in (1e-3, 1e-4):
        near = tt.compare(tt.FiniteMDP(mdp.transition, mdp.reward, 1 - left, mdp.initial), old, new)
        pairs = (
            (left * near.expected_return_new, q.expected_return_new),
            (left * near.surrogate_gap, q.surrogate_gap),
            (near.occupancy_old, q.occupancy_old),
            (near.advantage, q.advantage),
            (near.mixing_new, q.mixing_new),
        )
        errors.append([np.abs(np.asarray(one) - np.asarray(other)).max() for one, other in pairs])
    assert (np.array(errors[1]) < 0.15 * np.array(errors[0]) + 1e-12).all(), errors


# --- the reduction ----------------------------------------------------------------------------------------------------


def exact_step(seed):
    """Rationals of small denominators; all probabilities positive."""
    rng = np.random.default_rng(seed)

    def rows(*shape):
        parts = rng.integers(1, 6, shape)
        return [[str(F(int(x), int(row.sum()))) for x in row] for row in parts.reshape(-1, shape[-1])]

    transition = np.array(rows(3, 2, 3), dtype=object).reshape(3, 2, 3)
    return {
        "gamma": "1",
        "transition": transition.tolist(),
        "reward": [[str(F(int(x), 3)) for x in row] for row in rng.integers(-5, 6, (3, 2))],
        "initial": ["1", "0", "0"],
        "old": rows(3, 2),
        "new": rows(3, 2),
    }


def solved(matrix, right):
    """Gauss-Jordan in fractions."""
    n, rows = len(matrix), [[*row, b] for row, b in zip(matrix, right, strict=True)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k] != 0)
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(n):
            if i != k:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[n] for row in rows]


def exact_gap(transition, reward, gamma, start, old, new):
    """η(new), η(new) − L and A_old of a discounted step, or for gamma = 1 of average rewards, by the Poisson equation."""
    states, actions = range(3), range(2)

    def of(policy):
        chain = [[sum(policy[s][a] * transition[s][a][t] for a in actions) for t in states] for s in states]
        rewards = [sum(policy[s][a] * reward[s][a] for a in actions) for s in states]
        if gamma == 1:  # unknowns V(1), V(2) and g, V(0) = 0
            value = solved([[*[(s == t) - chain[s][t] for t in (1, 2)], F(1)] for s in states], rewards)
            gain, value = value[2], [F(0), *value[:2]]
            law = solved([[(s == t) - chain[s][t] for s in states] for t in (0, 1)] + [[F(1)] * 3], [F(0), F(0), F(1)])
            return value, gain, law
        value = solved([[(s == t) - gamma * chain[s][t] for t in states] for s in states], rewards)
        visits = solved([[(s == t) - gamma * chain[s][t] for s in states] for t in states], start)
        return value, sum(x * y for x, y in zip(start, value, strict=True)), visits

    value, gain, visits = of(old)
    _, gain_new, visits_new = of(new)
    less = gain if gamma == 1 else 0
    advantage = [
        [reward[s][a] - less + gamma * sum(transition[s][a][t] * value[t] for t in states) - value[s] for a in actions]
        for s in states
    ]
    expected = [sum(new[s][a] * advantage[s][a] for a in actions) for s in states]
    gap = sum((x - y) * z for x, y, z in zip(visits_new, visits, expected, strict=True))
    assert gain_new - gain == sum(x * z for x, z in zip(visits_new, expected, strict=True))
    return gain_new, gap, advantage


@pytest.mark.parametrize("seed", range(5))
def test_the_reduction_is_an_identity_of_rationals(seed):
    fields = exact_step(seed)
    number = np.vectorize(F, otypes=[object])
    transition, reward, old, new = (
        number(np.array(fields[name])).tolist() for name in ("transition", "reward", "old", "new")
    )
    least = [min(transition[s][a][t] for s in range(3) for a in range(2)) for t in range(3)]
    beta = sum(least)
    moved = [[[(x - y) / (1 - beta) for x, y in zip(row, least, strict=True)] for row in two] for two in transition]
    gain, gap, advantage = exact_gap(transition, reward, F(1), None, old, new)
    returned, discounted, same = exact_gap(moved, reward, 1 - beta, [x / beta for x in least], old, new)
    assert 0 < beta < 1
    assert (gain, gap, advantage) == (beta * returned, beta * discounted, same)
    q = tt.bounds.get("average/mixing-tv").posed(ExactInstance.from_fields(fields).quantities())
    assert (q.expected_return_new == gain) & (q.surrogate_gap == gap) & (q.minorisation == beta)
    assert (q.advantage == np.array(advantage, dtype=object)).all()
    assert (regenerated(q).surrogate_gap == discounted) & (regenerated(q).expected_return_new == returned)


def test_the_reduced_step_has_the_advantages_laws_and_gap_of_the_average_one():
    mdp, old, new = batch(4)
    q = tt.compare(mdp, old, new, criterion="average")
    beta = mdp.transition.min((1, 2)).sum(-1)
    assert np.asarray(q.minorisation) == pytest.approx(beta, abs=1e-15)
    keep, r = (beta > 1e-3) & (beta < 0.999), regenerated(q)
    for one, other in (
        (r.advantage, q.advantage),
        (r.occupancy_new, q.occupancy_new),
        (beta * r.surrogate_gap, q.surrogate_gap),
        (beta * r.expected_return_old, q.expected_return_old),
    ):
        assert np.asarray(one)[..., keep] == pytest.approx(np.asarray(other)[..., keep], abs=1e-10)


@pytest.mark.parametrize("id", ["trpo/tv", "coupling/tv", "pinsker/kl", "chain-rule/kl", "bh/kl", "mean-kl/linear-4"])
def test_a_penalty_of_gamma_eps_and_divergences_is_beta_times_that_of_one_less_beta(id):
    mdp, old, new = batch(5)
    q = tt.compare(mdp, old, new, criterion="average")
    beta = mdp.transition.min((1, 2)).sum(-1)
    keep = (beta > 1e-6) & (beta < 0.999)
    names = ("max_abs_advantage", "max_tv", "max_kl", "mean_kl")
    known = KnownQuantities(gamma=1 - beta[keep], **{name: np.asarray(getattr(q, name))[keep] for name in names})
    bound = tt.bounds.get(id)
    wanted = beta[keep] * np.asarray(bound.formula(known))
    if bound.given is not None:
        wanted = np.where(bound.given(known), wanted, np.inf)
    assert np.asarray(ALL[REDUCED + id].penalty(q))[keep] == pytest.approx(wanted, rel=1e-9)
    assert np.isinf(np.asarray(ALL[REDUCED + id].penalty(q))[beta == 0]).all()


def restarted(made):
    """A discounted step that starts anew with probability 1 − γ."""
    mdp = made.mdp
    chain = mdp.gamma * mdp.transition + (1 - mdp.gamma) * mdp.initial
    return tt.compare(tt.FiniteMDP(chain, mdp.reward, 0.5, mdp.initial), made.old, made.new, criterion="average")


@pytest.mark.parametrize(("gamma", "x"), [(0.5, 0.25), (0.9, 0.01), (0.99, 0.3)])
def test_a_worst_case_started_anew_attains_the_average_bound(gamma, x):
    q = restarted(zoo.f1(gamma=gamma, x=x))
    beta = 1 - gamma
    assert float(q.minorisation) == pytest.approx(beta, rel=1e-12)
    gap = 4 * beta * gamma * x**2 / (beta * (1 - gamma * (1 - x)))
    assert -float(q.surrogate_gap) == pytest.approx(gap, rel=1e-10)
    assert float(ALL[REDUCED + "coupling/tv"].penalty(q)) == pytest.approx(gap, rel=1e-10)


def test_sharp_penalties_carry_over():
    made = zoo.f2(gamma=0.9, x=0.05)
    q, sharp = restarted(made), tt.bounds.average_of(SHARP["sharp/max-kl"])
    discounted = float(SHARP["sharp/max-kl"].penalty(tt.compare(made.mdp, made.old, made.new)))
    assert float(sharp.penalty(q)) == pytest.approx(0.1 * discounted, rel=1e-6)
    assert 0 < -float(q.surrogate_gap) <= float(sharp.penalty(q))


def test_only_discounted_bounds_are_carried_over():
    with pytest.raises(tt.InvalidInput, match="which speaks of average"):
        tt.bounds.average_of(ALL["average/mixing-tv"])


# --- the bounds -------------------------------------------------------------------------------------------------------


def test_true_bounds_hold_on_a_battery():
    mdp, old, new = batch(6, 3000)
    q = tt.compare(mdp, old, new, criterion="average")
    for id, bound in TRUE.items():
        assert bound.check(q).holds.all(), id
    assert set(TRUE) == {check.id for check in tt.bounds.check_all(q)}
    tau, kappa = ALL["average/mixing-mean-tv"].penalty(q), ALL["average/kemeny-mean-tv"].penalty(q)
    assert (tau <= kappa * (1 + 1e-9)).all()


def test_both_constants_are_attained_by_two_states():
    """Both rows move by x towards 1, old earns 1/4 in both states, and Abar = (x, -x): the gap is -2x²/(a' + b')."""
    a, b, x = 0.25, 0.5, 0.125
    q = two_states(a, b, a + x, b - x, [[0, 1], [0.75, -0.25]])
    gap = -2 * x**2 / (a + b)
    assert np.asarray(q.expected_advantage) == pytest.approx([x, -x], rel=1e-14)
    assert float(q.surrogate_gap) == pytest.approx(gap, rel=1e-14)
    for id in ("mixing-mean-tv", "mixing-span", "kemeny-mean-tv"):
        assert float(ALL[f"average/{id}"].penalty(q)) == pytest.approx(-gap, rel=1e-13)
    for id, penalty in (("mixing-half", -gap / 2), ("kemeny-half", -gap / 2), ("kemeny-twice-less", -gap / 4)):
        assert float(ALL[f"average/{id}"].slack(q)) == pytest.approx(gap + penalty, rel=1e-12)


REFUTED = {
    "average/tv-alone": restarted(zoo.f1(gamma=0.999, x=0.01)),
    "average/kemeny-of-old": two_states(0.1, 0.9, 0.1, 0.01, [[0, 0], [-1, 0]]),
    "average/kemeny-mean-of-new": two_states(0.05, 0.05, 0.05, 1.0, [[0, 0], [0, 1]]),
    "average/forgetting-new-early": two_states(0.9, 0.1, 0.5, 0.5, [[0, 1], [1, 0]]),
}


@pytest.mark.parametrize("id", REFUTED)
def test_false_ones_are_refuted_and_no_true_one_is(id):
    """By this step or by the one with the rewards' signs changed, whose gap has the other sign."""
    q = REFUTED[id]
    assert float(ALL[id].penalty(q)) < 0.999 * abs(float(q.surrogate_gap))
    assert all(bool(check.holds) for check in tt.bounds.check_all(q))
