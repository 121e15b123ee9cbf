"""Steps and identities of single papers, against numbers that are worked out here."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction as F

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.step.exact import ExactInstance


def slack(name, instance):
    claim = tt.claims[name]
    return claim.slack(claim.stepped(instance.quantities()))


def middle(ball):
    return np.asarray(ball, dtype=object).ravel()[0].midpoint


def bandit(old, new, *, reward=(1, 0), size=1, **fields):
    """One state whose only step ends the episode: γ = 0."""
    return ExactInstance(
        transition=np.ones((1, len(old), 1), dtype=int),
        reward=[list(reward)],
        gamma=0,
        initial=[1],
        old=[list(old)],
        new=[list(new)],
        size=F(size),
        **fields,
    )


# --- PCPO and FOCOPS ----------------------------------------------------------------------------------------------------


def pcpo():
    """γ, transition, cost, old, the step before its projection with λ = 6, and the projection: docs/theory.md, "Costs"."""
    move = np.zeros((3, 3, 3))
    move[0, 0, 1] = move[0, 1, 2] = move[0, 2, 2] = 1
    move[1, :, 1] = move[2, :, 2] = 1
    cost = np.array([[0, 1, -89], [1, -1, 0], [0, 0, 0]], dtype=float)
    old = np.array([[0.1, 0.89, 0.01], [0.5, 0.5, 0], [1, 0, 0]])
    before = np.array([[10 / 99, 89 / 99, 0], [1, 0, 0], [1, 0, 0]])
    weights = before * np.exp(-6 * np.where(before > 0, cost, 0))
    return 0.5, move, cost, old, before, weights / weights.sum(1, keepdims=True)


def test_the_bound_of_pcpo_fails_where_its_radius_is_in_the_other_direction():
    gamma, move, cost, old, before, new = pcpo()

    def returns(policy):
        return np.linalg.solve(np.eye(3) - gamma * np.einsum("sa,sat->st", policy, move), (policy * cost).sum(1))

    assert returns(old) == pytest.approx([0, 0, 0], abs=1e-12)  # so that A_c = c
    visits = np.linalg.solve((np.eye(3) - gamma * np.einsum("sa,sat->st", old, move)).T, [1, 0, 0])
    expected = (new * cost).sum(1)
    surrogate = visits @ expected
    taken = before > 0
    apart = np.where(taken, before, 0) * np.log(np.where(taken, before, 1) / np.where(taken, old, 1))
    delta = (1 - gamma) * visits @ apart.sum(1)
    assert delta == pytest.approx(math.log(100 / 99) / 2 + math.log(2) / 20)
    bound = surrogate + math.sqrt(2 * delta) * gamma * abs(expected).max() / (1 - gamma) ** 2
    assert (round(delta, 4), round(surrogate, 4), round(bound, 3)) == (0.0397, 0.1216, 0.685)
    assert returns(new)[0] == pytest.approx(1, abs=1e-3)
    assert bound < 0.9
    mdp = tt.FiniteMDP(move, np.zeros((3, 3)), gamma, [1, 0, 0], costs={"c": cost})
    q = tt.compare(mdp, old, new).replace(size=np.array(6.0))
    for name, holds in {"pcpo/projection": True, "pcpo/projection-reverse": False, "pcpo/cost": True}.items():
        claim = tt.claims[name]
        assert bool(claim.given(q)), name
        assert (float(claim.slack(q)) >= 0) is holds, name


def test_nothing_in_the_ball_of_focops_is_better():
    """All policies of a grid on three actions, by the definitions."""
    old, advantage, cost, h = np.array([0.5, 0.3, 0.2]), np.array([1.0, -1, -1]), np.array([0.6, 0, -1.5]), 0.7
    star = old * np.exp(h * (advantage - cost))
    star /= star.sum()

    def measures(policy):
        kl = sum(x * math.log(x / y) for x, y in zip(policy, old, strict=True) if x)
        return policy @ advantage, policy @ cost, kl

    best, limit, radius = measures(star)
    grid = [np.array([i, j, 40 - i - j]) / 40 for i in range(41) for j in range(41 - i)]
    inside = [gain for gain, spent, kl in map(measures, grid) if spent <= limit and kl <= radius]
    assert len(inside) > 20
    assert max(inside) <= best
    rows = [F(1, 2), F(3, 10), F(1, 5)], [F(3, 5), F(1, 5), F(1, 5)]
    costs = [[[F(3, 5)], [0], [F(-3, 2)]]]
    instance = bandit(*rows, reward=(1, -1, -1), size=F(7, 10), costs=costs)
    move = measures(np.array([0.6, 0.2, 0.2]))
    worth = [gain - spent - kl / h for gain, spent, kl in ((best, limit, radius), move)]
    assert middle(slack("focops/optimal", instance)) == pytest.approx(worth[0] - worth[1])


# --- CUP ----------------------------------------------------------------------------------------------------------------


def test_the_returns_of_cup_by_its_own_chain():
    """P^λ as a series, λ = 1/2, and the solve with its discount γ̃; GAE(1/2) as a series, too."""
    rng, gamma = np.random.default_rng(5), 0.8
    mdp = tt.zoo.dirichlet(rng, states=4, actions=3, gamma=gamma)
    old, new = (rng.dirichlet(np.ones(3), 4) for _ in range(2))
    q = tt.compare(mdp, old, new)
    for policy, name in ((old, "cup/return"), (new, "cup/difference")):
        step = np.einsum("sa,sat->st", policy, mdp.transition)
        terms = [(gamma / 2) ** t * np.linalg.matrix_power(step, t) for t in range(120)]
        several, short = (1 - gamma / 2) * sum(terms) @ step, gamma / 2 / (1 - gamma / 2)
        visits = np.linalg.solve((np.eye(4) - short * several).T, mdp.initial)
        assert visits == pytest.approx(np.linalg.solve((np.eye(4) - gamma * step).T, mdp.initial) / 2 + mdp.initial / 2)
        payoff = (policy * (mdp.reward if name == "cup/return" else q.advantage)).sum(1)
        total = visits @ sum(terms) @ payoff
        wanted = q.expected_return_old if name == "cup/return" else q.expected_return_new - q.expected_return_old
        assert total == pytest.approx(float(wanted), rel=1e-10)
        assert float(tt.claims[name].signed_slack(q)) == pytest.approx(0, abs=1e-10)


# --- tilts --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("x", "h"), [(F(1, 4), F(1, 2)), (F(1, 3), F(1, 4))])
def test_duals_of_penalised_steps_on_two_actions(x, h):
    """Rewards 1 and 0, old 1/2 each: A = ±1/2; new = 1/2 ± x has Ā = x, χ²(new‖old) = 4x², χ²(old‖new) = x²/(1/4 − x²)."""
    instance = bandit((F(1, 2), F(1, 2)), (F(1, 2) + x, F(1, 2) - x), size=h)
    assert str(slack("belousov-peters/chi2", instance)[0]) == f"Ball({h / 8 + 2 * x**2 / h - x})"
    assert (
        str(slack("belousov-peters/chi2-forward", instance)[0])
        == f"Ball({h / 8 + x**2 / (F(1, 4) - x**2) / (2 * h) - x})"
    )
    p, q = float(F(1, 2) + x), float(F(1, 2) - x)
    kl = p * math.log(2 * p) + q * math.log(2 * q)
    wanted = (math.log(math.cosh(float(h) / 2)) + kl) / float(h) - float(x)
    assert middle(slack("belousov-peters/kl", instance)) == pytest.approx(wanted)


def test_a_linear_tilt_of_two_actions():
    """new = 1/2 (1 ± h/2) gains h/4, which is χ²/h, χ² = h²/4."""
    instance = bandit((F(1, 2), F(1, 2)), (F(1, 2), F(1, 2)), size=F(1, 2))
    for name in ("belousov-peters/chi2-gain", "belousov-peters/chi2-gain-old"):  # one state: visits are the same
        assert middle(slack(name, instance)) == 0
    assert str(slack("vaswani/sppo", instance)) == "Ball(1/8)"


@pytest.mark.parametrize("x", [F(1, 4), F(-1, 4)])
def test_minorisers_on_two_actions(x):
    """r = 1, 0: η(new) − η(old) = x; Q weighs log(1 + 2x) alone; A + 1/h weighs both, A = ±1/2."""
    instance = bandit((F(1, 2), F(1, 2)), (F(1, 2) + x, F(1, 2) - x), size=1)
    up, down = math.log(1 + 2 * x), math.log(1 - 2 * x)
    wanted = {
        "em/minoriser": x - up / 2,
        "em/minoriser-advantage": x - (up - down) / 4,
        "vaswani/sppo-minoriser": x - (1.5 * up + 0.5 * down) / 2,
    }
    for name, number in wanted.items():
        assert middle(slack(name, instance)) == pytest.approx(float(number)), name


def test_steps_of_several_sizes_stop_at_their_limit():
    """Two states that are visited alike, γ = 1/2; rows move by 2x and 2y in the 1-norm, Υ between them."""
    x, y, limit, g = F(1, 10), F(1, 2), F(1, 2), F(1, 2)
    half = F(1, 2)
    instance = ExactInstance(
        transition=[[[half, half]] * 2] * 2,
        reward=[[1, 0], [1, 0]],
        gamma=g,
        initial=[half, half],
        old=[[half, half]] * 2,
        new=[[half + x, half - x], [half + y, half - y]],
        size=limit,
    )
    # moves do not matter: the gap is 0, and the slack is Υ² γ max Q/(2 (1 − γ)²), Q = 1 + γ/2/(1 − γ) at most
    assert str(slack("pirotta/mspi", instance)) == f"Ball({limit**2 * g / (1 - g) ** 2 / 2 * (1 + g * half / (1 - g))})"
    mean = (2 * x + limit) / 2
    assert (
        str(slack("pirotta/mspi-mean", instance))
        == f"Ball({mean**2 * g / (1 - g) ** 2 / 2 * (1 + g * half / (1 - g))})"
    )


# --- average rewards ----------------------------------------------------------------------------------------------------


def test_how_far_the_stationary_law_of_two_states_moves():
    """Actions lead to 0 and 1 for certain; P(1|0) = a, P(0|1) = b: d = (b, a)/(a + b), κ − 1 = 1/(a + b)."""
    a, b, a_new, b_new = F(1, 4), F(1, 2), F(1, 2), F(3, 4)
    instance = ExactInstance(
        transition=[[[1, 0], [0, 1]]] * 2,
        reward=[[0, 0], [1, 1]],
        gamma=1,
        initial=[1, 0],
        old=[[1 - a, a], [b, 1 - b]],
        new=[[1 - a_new, a_new], [b_new, 1 - b_new]],
    )
    tv = (b * (a_new - a) + a * (b_new - b)) / (a + b)
    moved = 2 * abs(a_new / (a_new + b_new) - a / (a + b))
    for name, share in (("average/occupancy", 2), ("average/occupancy-1", 1)):
        assert str(slack(name, instance)) == f"Ball({share * tv / (a_new + b_new) - moved})", name
    assert str(slack("average/sensitivity", instance)) == "Ball(0)"
    # Ā = (a' − a, b − b') (h(1) − h(0)) with h(1) − h(0) = 1/(a + b); v Z_old = v/(a + b) where v sums to 0
    rise = 1 / (a + b)
    abar = ((a_new - a) * rise, (b - b_new) * rise)
    pushed = (b * (a - a_new) + a * (b_new - b)) / (a + b)  # of d_old (P_new − P_old) into state 0
    wrong = pushed / (a + b) * (abar[0] - abar[1])
    right = pushed / (a_new + b_new) * (abar[0] - abar[1])
    assert str(slack("average/sensitivity-old", instance)) == f"Ball({-abs(right - wrong)})"


# --- several agents -----------------------------------------------------------------------------------------------------


def one_game(reward, first, second, size):
    old = [x * y for x, y in itertools.product((first, 1 - first), (second, 1 - second))]
    return bandit(old, old, reward=reward, size=size)


def test_two_agents_that_step_at_the_same_time_or_in_turn():
    """Rewards 0, 1, 1, −2, γ = 0: softmax steps of both agents by hand."""
    reward, p, h = (0, 1, 1, -2), 0.9, 8.0

    def stepped(chance, gains):
        weights = chance * math.exp(h * gains[0]), (1 - chance) * math.exp(h * gains[1])
        return weights[0] / sum(weights)

    def against(chance):
        return chance * reward[0] + (1 - chance) * reward[1], chance * reward[2] + (1 - chance) * reward[3]

    def mean(x, y):
        return x * y * reward[0] + (x * (1 - y) + (1 - x) * y) * 1 + (1 - x) * (1 - y) * reward[3]

    x = stepped(p, against(p))
    together, in_turn = mean(x, x) - mean(p, p), mean(x, stepped(p, against(x))) - mean(p, p)
    assert together < 0 < in_turn
    instance = one_game(reward, F(9, 10), F(9, 10), 8)
    assert middle(slack("agents/simultaneous-npg", instance)) == pytest.approx(together)
    assert middle(slack("agents/sequential-npg", instance)) == pytest.approx(in_turn)


@pytest.mark.parametrize(("x", "y"), [(F(1, 2), F(1, 2)), (F(1, 5), F(2, 3)), (F(1), F(0))])
def test_one_policy_for_two_agents(x, y):
    instance = one_game((0, 1, 1, 0), x, y, 1)
    assert str(slack("agents/shared", instance)[0]) == f"Ball({F(1, 2) - 2 * x * (1 - x)})"
    assert str(slack("agents/shared-apart", instance)[0]) == f"Ball({F(1, 2) - x * (1 - y) - (1 - x) * y})"
