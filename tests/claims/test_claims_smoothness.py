"""Smoothness by difference quotients at 50 digits, gradients likewise, and steps of a given length in plain NumPy."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory import claims
from trpo_theory.claims.smoothness import logit_gradient, logit_second_derivative
from trpo_theory.step.quantities import Quantities, compare

STATES, ACTIONS = 3, 3
MP = mpmath.mp.clone()
MP.dps = 50
H = MP.mpf(10) ** -12


class Case:
    """A random instance with rewards in [0, 1], and η of any policy at 50 digits."""

    def __init__(self, seed: int):
        rng = np.random.default_rng(seed)

        def rows(*shape):
            x = rng.random(shape) ** 2
            return x / x.sum(-1, keepdims=True)

        self.gamma = [0.5, 0.9, 0.25][seed % 3]
        self.p, self.reward = rows(STATES, ACTIONS, STATES), rng.random((STATES, ACTIONS))
        self.initial, self.old, self.new = rows(STATES), rows(STATES, ACTIONS), rows(STATES, ACTIONS)
        self.noise = rng.normal(size=(STATES, ACTIONS))

    @property
    def q(self) -> Quantities:
        mdp = tt.FiniteMDP(self.p, self.reward, self.gamma, self.initial)
        q = compare(mdp, self.old, self.new).replace(noise=self.noise)
        q.size = np.array(0.7)
        return q

    def eta(self, policy) -> mpmath.mpf:
        s, a = range(STATES), range(ACTIONS)
        matrix = MP.matrix(STATES, STATES)
        for i in s:
            for j in s:
                moved = MP.fsum(policy[i][b] * MP.mpf(self.p[i, b, j]) for b in a)
                matrix[i, j] = (i == j) - MP.mpf(self.gamma) * moved
        right = MP.matrix([MP.fsum(policy[i][b] * MP.mpf(self.reward[i, b]) for b in a) for i in s])
        value = MP.lu_solve(matrix, right)
        return MP.fsum(MP.mpf(self.initial[i]) * value[i] for i in s)

    def straight(self, t):
        return [
            [MP.mpf(x) + t * (MP.mpf(y) - MP.mpf(x)) for x, y in zip(*rows, strict=True)]
            for rows in zip(self.old, self.new, strict=True)
        ]

    def softmax(self, shift):
        """∝ old exp(shift)."""
        found = []
        for row, by in zip(self.old, shift, strict=True):
            weights = [MP.mpf(x) * MP.exp(y) for x, y in zip(row, by, strict=True)]
            found.append([w / MP.fsum(weights) for w in weights])
        return found

    def bent(self, curve) -> float:
        """The second derivative at 0 of η along a curve."""
        return float((self.eta(curve(H)) - 2 * self.eta(curve(0)) + self.eta(curve(-H))) / H**2)

    def gradient(self) -> np.ndarray:
        """∂η/∂θ."""
        found = np.zeros((STATES, ACTIONS))
        for s in range(STATES):
            for a in range(ACTIONS):
                ends = []
                for sign in (1, -1):
                    shift = [[MP.mpf(0)] * ACTIONS for _ in range(STATES)]
                    shift[s][a] = sign * H
                    ends.append(self.eta(self.softmax(shift)))
                found[s, a] = float((ends[0] - ends[1]) / (2 * H))
        return found


@pytest.fixture(params=range(4), scope="module")
def case(request):
    return Case(request.param)


def test_second_derivatives_are_difference_quotients(case):
    q, g = case.q, case.gamma
    direct = case.bent(case.straight)
    bent = case.bent(lambda t: case.softmax([[t * MP.mpf(x) for x in row] for row in case.noise]))
    assert float(q.return_second_derivative) == pytest.approx(direct, rel=1e-9)
    assert float(logit_second_derivative(q)) == pytest.approx(bent, rel=1e-9)
    moved, length = ((case.new - case.old) ** 2).sum(), (case.noise**2).sum()
    visits = np.linalg.solve(np.eye(STATES) - g * np.einsum("sa,sat->ts", case.old, case.p), case.initial)
    mean = (case.old * case.noise).sum(1, keepdims=True)
    fisher = float(visits @ (case.old * (case.noise - mean) ** 2).sum(1))
    matrix = np.eye(STATES) - g * np.einsum("sa,sat->st", case.old, case.p)
    value = np.linalg.solve(matrix, (case.old * case.reward).sum(1))
    top = np.abs(case.reward + g * case.p @ value - value[:, None]).max()
    scale = g / (1 - g) ** 3
    gap = float(case.eta(case.straight(1)) - case.eta(case.straight(0)))
    gap -= float(visits @ ((case.new - case.old) * (case.reward + g * case.p @ value)).sum(1))
    wanted = {
        "direct/smooth": 2 * ACTIONS * scale * moved - abs(direct),
        "direct/smooth-simplex": ACTIONS * scale * moved - abs(direct),
        "direct/smooth-quarter": ACTIONS / 4 * scale * moved - abs(direct),
        "direct/smooth-no-actions": scale * moved - abs(direct),
        "direct/step": ACTIONS * scale * moved - abs(gap),
        "direct/concave": -direct,
        "softmax/smooth": 8 / (1 - g) ** 3 * length - abs(bent),
        "softmax/concave": -bent,
        "softmax/fisher": top * (1 + 2 * math.sqrt(g / (1 - g))) * fisher - abs(bent),
        "softmax/fisher-local": top * fisher - abs(bent),
    }
    for name, slack in wanted.items():
        assert float(claims[name](q)) == pytest.approx(slack, rel=1e-8, abs=1e-10), name


def test_the_gradient_in_logits_and_its_step(case):
    gradient, h = case.gradient(), (1 - case.gamma) ** 3 / 8
    np.testing.assert_allclose(logit_gradient(case.q), gradient, rtol=1e-9, atol=1e-13)
    after = case.softmax([[h * MP.mpf(x) for x in row] for row in gradient])
    gained = float(case.eta(after) - case.eta(case.straight(0)))
    for name, part in (("softmax/ascent", 2), ("softmax/ascent-in-full", 1)):
        record = claims[name]
        slack = float(record(record.stepped(case.q)))
        assert slack == pytest.approx(gained - h / part * (gradient**2).sum(), rel=1e-6, abs=1e-13)


def test_domination_by_the_gradient(case):
    best = np.eye(ACTIONS)[[2, 0, 1]]
    q = case.q.with_new(best)
    gained = float(case.eta(best.tolist()) - case.eta(case.straight(0)))
    norm = math.sqrt((case.gradient() ** 2).sum())

    def visits(policy):
        return np.linalg.solve(np.eye(STATES) - case.gamma * np.einsum("sa,sat->ts", policy, case.p), case.initial)

    ratio, least = (visits(best) / visits(case.old)).max(), (case.old * best).sum(1).min()
    wanted = {
        "": least / math.sqrt(STATES) / ratio,
        "-no-states": least / ratio,
        "-no-least": 1 / math.sqrt(STATES) / ratio,
        "-no-mismatch": least / math.sqrt(STATES),
    }
    for suffix, factor in wanted.items():
        assert float(claims["softmax/lojasiewicz" + suffix](q)) == pytest.approx(norm - factor * gained, rel=1e-9)


def test_leaving_a_state_for_ever_uses_half_of_the_smoothness():
    """Old stays where r = 1; new leaves with probability x for where nothing is earned: d²η/dt² = 2γx²/(1 − γ)³."""
    g, x = 0.75, 0.25
    mdp = tt.FiniteMDP([[[1, 0], [0, 1]], [[0, 1]] * 2], [[1, 0], [0, 0]], g, [1, 0])
    q = compare(mdp, [[1, 0]] * 2, [[1 - x, x], [1, 0]])
    bent = 2 * g * x**2 / (1 - g) ** 3
    # η(t) = 1 · (1 − tx)/(1 − γ (1 − tx)), whose second derivative in t at 0 is 2γx²/(1 − γ)³
    assert float(q.return_second_derivative) == pytest.approx(bent, rel=1e-12)
    assert float(claims["direct/smooth-simplex"](q)) == pytest.approx(bent, rel=1e-12)
    assert float(claims["direct/smooth-quarter"](q)) == pytest.approx(-bent / 2, rel=1e-12)


def test_steps_of_a_given_length(case):
    q, g = case.q, case.gamma
    eta = case.eta(case.straight(0))
    matrix = np.eye(STATES) - g * np.einsum("sa,sat->st", case.old, case.p)
    value = np.linalg.solve(matrix, (case.old * case.reward).sum(1))
    visits = np.linalg.solve(matrix.T, case.initial)
    advantage = case.reward + g * case.p @ value - value[:, None]
    bar = (case.new * advantage).sum(1)
    rise, top = float(visits @ bar), case.reward.max()
    normed = (1 - g) ** 2 * rise

    def gained(share):
        return float(case.eta(case.straight(MP.mpf(share))) - eta)

    share = max(0.0, (1 - g) * normed / (4 * top))
    for name, constant in (("kakade-langford/step", 8), ("kakade-langford/step-4", 4)):
        wanted = gained(share) - normed**2 / (constant * (1 - g) * top)
        assert float(claims[name](q)) == pytest.approx(wanted, rel=1e-8, abs=1e-13)
    cost = g / (1 - g) ** 2 * np.abs(case.new - case.old).sum(1).max() * (bar.max() - bar.min())
    share = min(1.0, max(0.0, rise) / cost)
    for name, part in (("pirotta/uspi", 1), ("pirotta/uspi-in-full", 0)):
        wanted = gained(share) - share * rise + part * share**2 * cost / 2
        assert float(claims[name](q)) == pytest.approx(wanted, rel=1e-8, abs=1e-13)
    after = case.softmax([[MP.mpf(0.7) * MP.mpf(x) for x in row] for row in advantage])
    new = np.array([[float(x) for x in row] for row in after])
    visits_new = np.linalg.solve(np.eye(STATES) - g * np.einsum("sa,sat->ts", new, case.p), case.initial)
    kl = (new * np.log(new / case.old)).sum(1)
    for name, weight in (("mirror-learning/kl", visits_new), ("mirror-learning/kl-old", visits)):
        record = claims[name]
        wanted = float(case.eta(after) - eta) - float(weight @ kl) / 0.7
        assert float(record(record.stepped(q))) == pytest.approx(wanted, rel=1e-8, abs=1e-13)


def test_the_far_side_of_the_optimum(case):
    """By all deterministic policies: the best return, and what the claims make of it."""
    q, g = case.q, case.gamma
    policies = [np.eye(ACTIONS)[list(c)] for c in np.ndindex(*[ACTIONS] * STATES)]
    best = max(policies, key=lambda policy: case.eta(policy.tolist()))
    eta, top = case.eta(case.straight(0)), case.eta(best.tolist())
    matrix = np.eye(STATES) - g * np.einsum("sa,sat->st", case.old, case.p)
    value = np.linalg.solve(matrix, (case.old * case.reward).sum(1))
    advantage = case.reward + g * case.p @ value - value[:, None]
    greedy = np.eye(ACTIONS)[advantage.argmax(1)]
    for name, factor in (
        ("rate/policy-iteration-return", g),
        ("rate/line-search", 1 - (1 - g) * case.initial.min()),
        ("rate/line-search-largest", 1 - (1 - g) * case.initial.max()),
    ):
        record = claims[name]
        wanted = factor * float(top - eta) - float(top - case.eta(greedy.tolist()))
        assert float(record(record.stepped(q))) == pytest.approx(wanted, rel=1e-8, abs=1e-12)

    def values(policy):
        chain = np.eye(STATES) - g * np.einsum("sa,sat->st", policy, case.p)
        return np.linalg.solve(chain, (policy * case.reward).sum(1))

    record = claims["rate/policy-iteration"]
    wanted = g * (values(best) - value).max() - (values(best) - values(greedy)).max()
    assert float(record(record.stepped(q))) == pytest.approx(wanted, rel=1e-8, abs=1e-12)
    visits = {
        name: np.linalg.solve(np.eye(STATES) - g * np.einsum("sa,sat->ts", policy, case.p), case.initial)
        for name, policy in (("old", case.old), ("best", best))
    }
    promise, at = float(visits["old"] @ advantage.max(1)), q.with_new(best)
    start = (visits["best"] / case.initial).max()
    for suffix, factor in (
        ("", (visits["best"] / visits["old"]).max()),
        ("-no-mismatch", 1),
        ("-start", start),
        ("-start-short", (1 - g) * start),
    ):
        wanted = factor * promise - float(top - eta)
        assert float(claims["kakade-langford/optimum" + suffix](at)) == pytest.approx(wanted, rel=1e-8, abs=1e-12)


def test_mirror_descent_of_a_constant_step(case):
    q, g = case.q, case.gamma
    policy, errors = case.old, []
    eta_new = float(case.eta(case.new.tolist()))
    for _ in range(9):
        errors.append(eta_new - float(case.eta(policy.tolist())))
        value = np.linalg.solve(
            np.eye(STATES) - g * np.einsum("sa,sat->st", policy, case.p), (policy * case.reward).sum(1)
        )
        weight = policy * np.exp(0.7 * (case.reward + g * case.p @ value))
        policy = weight / weight.sum(1, keepdims=True)
    visits = np.linalg.solve(np.eye(STATES) - g * np.einsum("sa,sat->ts", case.new, case.p), case.initial)
    distance = (1 - g) * float(visits @ (case.new * np.log(case.new / case.old)).sum(1))
    for name, power in (("rate/pmd-constant", 2), ("rate/pmd-constant-sharper", 1)):
        start = distance / (0.7 * (1 - g)) + 1 / (1 - g) ** power
        wanted = [start / (k + 1) - errors[k] for k in (1, 2, 4, 8)]
        np.testing.assert_allclose(claims[name](q), wanted, rtol=1e-8)


def test_a_drift_is_paid_in_each_state():
    """Two bandits side by side: the step goes to new only where it gains more than size · TV."""
    mdp = tt.FiniteMDP([[[1, 0]] * 2, [[0, 1]] * 2], [[1, 0], [0, 1]], 0.5, [0.5, 0.5])
    q = compare(mdp, [[0.5, 0.5]] * 2, [[0.75, 0.25]] * 2)
    q.size = np.array(0.5)
    record = claims["mirror-learning/drift"]
    stepped = record.stepped(q)
    np.testing.assert_array_equal(stepped.new, [[0.75, 0.25], [0.5, 0.5]])
    assert float(record(stepped)) == pytest.approx(0.25 - 0.5 * 0.25)
    assert not claims["mirror-learning/drift-mean"].met(q)
