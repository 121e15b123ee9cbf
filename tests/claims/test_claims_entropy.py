"""Claims and bounds on soft returns: slacks from the definitions at 40 digits, soft value iteration, and closed forms."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory import bounds, claims
from trpo_theory.claims.soft_optimum import with_optimal_new
from trpo_theory.step.quantities import Quantities, compare

MP = mpmath.mp.clone()
MP.dps = 40
IDS = [name for name in claims if name.startswith("entropy/")]


class Chain:
    """A policy's soft values and visits, by solving with mpmath."""

    def __init__(self, case: Case, policy, tau, reward=None):
        reward = case.reward if reward is None else reward
        s, a = case.shape
        matrix = MP.matrix(s, s)
        right = MP.matrix(s, 1)
        for i in range(s):
            for j in range(a):
                right[i] += policy[i][j] * (reward[i][j] - tau * MP.log(policy[i][j]))
                for k in range(s):
                    matrix[i, k] += policy[i][j] * case.p[i][j][k]
        system = MP.eye(s) - case.gamma * matrix
        self.inverse = system**-1
        self.value = list(self.inverse * right)
        self.visits = list(self.inverse.T * MP.matrix(case.initial))
        self.gain = sum(x * y for x, y in zip(case.initial, self.value, strict=True))
        self.q = [
            [reward[i][j] + case.gamma * sum(case.p[i][j][k] * self.value[k] for k in range(s)) for j in range(a)]
            for i in range(s)
        ]


class Case:
    """A random instance in 3 states and 3 actions, and what definitions make of it without the package."""

    def __init__(self, seed: int):
        rng = np.random.default_rng(seed)
        self.shape = s, a = 3, 3

        def rows(*shape):
            x = rng.random(shape) ** 2 + 0.02
            return x / x.sum(-1, keepdims=True)

        gamma, tau, size = [(0.5, 0.7, 0.3), (0.9, 0.2, 5.0), (0.3, 2.0, 0.1)][seed % 3]
        parts = rows(s, a, s), rng.normal(size=(s, a)), rows(s), rows(s, a), rows(s, a)
        self.mdp, self.arrays = tt.FiniteMDP(parts[0], parts[1], gamma, parts[2]), parts[3:]
        exact = [MP.mpf(x) for x in (gamma, tau, size)]
        self.gamma, self.tau, self.size = exact
        self.p, self.reward, self.initial, self.old, self.new = (_exact(part) for part in parts)

    def chain(self, policy, tau=None, reward=None):
        return Chain(self, policy, self.tau if tau is None else tau, reward)

    def q(self, id: str) -> Quantities:
        q = compare(self.mdp, *self.arrays, temperature=float(self.tau))
        q.size = np.array(float(self.size))
        return claims[id].stepped(q)

    # --- rules ---

    def tilted(self, exponents):
        out = []
        for row in exponents:
            weights = [MP.exp(x) for x in row]
            out.append([w / sum(weights) for w in weights])
        return out

    def greedy(self, policy, factor=1, reward=None):
        q = self.chain(policy, reward=reward).q
        return self.tilted([[factor * x / self.tau for x in row] for row in q])

    def npg(self, policy, h, reward=None):
        q, c = self.chain(policy, reward=reward).q, h / (1 - self.gamma)
        return self.tilted(
            [
                [(1 - c * self.tau) * MP.log(p) + c * x for p, x in zip(*rows, strict=True)]
                for rows in zip(policy, q, strict=True)
            ]
        )

    @property
    def h(self):
        return min(self.size, (1 - self.gamma) / self.tau)

    def optimal_reward(self):
        value = self.chain(self.new).value
        s, a = self.shape
        return [
            [value[i] + self.tau * MP.log(self.new[i][j]) - self.gamma * _dot(self.p[i][j], value) for j in range(a)]
            for i in range(s)
        ]


def _exact(x):
    """Floats as mpmath's numbers; rows of probabilities need no more than their own 16 digits."""
    return [_exact(y) for y in x] if np.ndim(x) else MP.mpf(float(x))


def _dot(x, y):
    return sum(a * b for a, b in zip(x, y, strict=True))


def _minus(x, y):
    return [a - b for a, b in zip(x, y, strict=True)]


def _kl(x, y):
    return [sum(a * MP.log(a / b) for a, b in zip(*rows, strict=True)) for rows in zip(x, y, strict=True)]


def _values(case, new):
    return _minus(case.chain(new).value, case.chain(case.old).value)


def _difference(case, logs):
    old, new = case.chain(case.old), case.chain(case.new)
    bar = [
        sum(p * (x - case.tau * f(p, o)) for p, x, o in zip(*rows[:3], strict=True)) - rows[3]
        for f in [logs]
        for rows in zip(case.new, old.q, case.old, old.value, strict=True)
    ]
    return [new.gain - old.gain - _dot(new.visits, bar)]


def _range(case, steps):
    soft, hard = case.chain(case.old).value, case.chain(case.old, 0).value
    bonus = _minus(soft, hard)
    return [*bonus, *(case.tau * MP.log(3) * steps - b for b in bonus)]


def _nearer(case, reverse):
    greedy = case.greedy(case.old)
    pairs = [(x, greedy) if reverse else (greedy, x) for x in (case.old, case.new)]
    of_old, of_new = (_kl(*pair) for pair in pairs)
    new = [n if b < a else o for o, n, a, b in zip(case.old, case.new, of_old, of_new, strict=True)]
    return [
        x - y
        for rows in zip(case.chain(new).q, case.chain(case.old).q, strict=True)
        for x, y in zip(*rows, strict=True)
    ]


def _npg_identity(case, price):
    new = case.npg(case.old, case.h)
    reverse, forward = _kl(new, case.old), _kl(case.old, new)
    bar = [(1 / case.h - price) * r + f / case.h for r, f in zip(reverse, forward, strict=True)]
    gained = case.chain(new).inverse * MP.matrix(bar) * (1 - case.gamma)
    return _minus(_values(case, new), list(gained))


def _suboptimality(case, pair):
    reward = case.optimal_reward()
    old, new = case.chain(case.old, reward=reward), case.chain(case.new, reward=reward)
    return [new.gain - old.gain - case.tau * _dot(old.visits, _kl(*pair))]


def _lojasiewicz(case, least):
    """The gradient by central differences of the logits, at 40 digits."""
    reward, step = case.optimal_reward(), MP.mpf(10) ** -12
    squares = MP.mpf(0)
    for i in range(3):
        for j in range(3):
            gains = []
            for sign in (1, -1):
                logits = [[MP.log(p) for p in row] for row in case.old]
                logits[i][j] += sign * step
                gains.append(case.chain(case.tilted(logits), reward=reward).gain)
            squares += ((gains[0] - gains[1]) / (2 * step)) ** 2
    old, new = case.chain(case.old, reward=reward), case.chain(case.new, reward=reward)
    ratio = max(x / y for x, y in zip(new.visits, old.visits, strict=True))
    return [squares - 2 * case.tau / 3 * min(case.initial) * least**2 / ratio * (new.gain - old.gain)]


def _largest(x, y):
    return max(abs(a - b) for rows in zip(x, y, strict=True) for a, b in zip(*rows, strict=True))


def _logs(policy):
    return [[MP.log(p) for p in row] for row in policy]


def _npg_rate(case, decay):
    reward, policy, out = case.optimal_reward(), case.old, []
    best = case.chain(case.new, reward=reward).q
    start = _largest(best, case.chain(policy, reward=reward).q) + 2 * case.tau * (
        1 - case.h * case.tau / (1 - case.gamma)
    ) * _largest(_logs(case.new), _logs(policy))
    for t in range(3):
        policy = case.npg(policy, case.h, reward)
        out.append(case.gamma * start * decay**t - _largest(best, case.chain(policy, reward=reward).q))
        out.append(2 * start * decay**t / case.tau - _largest(_logs(case.new), _logs(policy)))
    return out


def _iteration_rate(case, decay):
    reward, policy, out = case.optimal_reward(), case.old, []
    best = case.chain(case.new, reward=reward).value
    start = max(_minus(best, case.chain(policy, reward=reward).value))
    for t in (1, 2, 3):
        policy = case.greedy(policy, reward=reward)
        out.append(decay**t * start - max(_minus(best, case.chain(policy, reward=reward).value)))
    return out


def _contraction(case, backup):
    old, new = case.chain(case.old), case.chain(case.new)
    moved = max(abs(backup(x) - backup(y)) for x, y in zip(new.q, old.q, strict=True))
    return [case.gamma * max(abs(x) for x in _minus(new.value, old.value)) - moved]


def _optimal_loss(case, steps):
    reward = case.optimal_reward()
    best, hard = case.chain(case.new, 0, reward).value, case.chain(case.old, 0, reward).value
    return [v + case.tau * MP.log(3) * steps - b for v, b in zip(best, hard, strict=True)]


def _gap(case, penalty):
    """η(new) − L + penalty(ε̃, α, KL(new‖old), max|Ā|, mean TV, max|A|, max|hard Ā|)."""
    old, new = case.chain(case.old), case.chain(case.new)
    hard = [[x - v for x in row] for row, v in zip(old.q, old.value, strict=True)]
    soft = [[x - case.tau * MP.log(p) for x, p in zip(*rows, strict=True)] for rows in zip(hard, case.old, strict=True)]
    bar = [
        sum(p * (x - case.tau * MP.log(p)) for p, x in zip(*rows, strict=True))
        for rows in zip(case.new, hard, strict=True)
    ]
    hard_bar = [_dot(_minus(n, o), x) for n, o, x in zip(case.new, case.old, hard, strict=True)]
    tv = [sum(abs(x - y) for x, y in zip(*rows, strict=True)) / 2 for rows in zip(case.old, case.new, strict=True)]
    mean_tv = (1 - case.gamma) * _dot(old.visits, tv)
    gap = new.gain - old.gain - _dot(old.visits, bar)
    found = penalty(
        eps=max(abs(x) for row in soft for x in row),
        alpha=max(tv),
        kl=max(_kl(case.new, case.old)),
        bar=max(map(abs, bar)),
        mean_tv=mean_tv,
        hard=max(abs(x) for row in hard for x in row),
        hard_bar=max(map(abs, hard_bar)),
    )
    return [gap + case.gamma / (1 - case.gamma) ** 2 * found]


def _mean(case, visited):
    greedy = case.greedy(case.old)
    closer = _minus(_kl(case.old, greedy), _kl(case.new, greedy))
    old, new = case.chain(case.old), case.chain(case.new)
    return _dot((new if visited == "new" else old).visits, closer) >= 0, [new.gain - old.gain]


LSE = {
    "sum": lambda case: lambda row: case.tau * MP.log(sum(MP.exp(x / case.tau) for x in row)),
    "mean": lambda case: lambda row: _dot(row, case.tilted([[x / case.tau for x in row]])[0]),
}
SLACKS = {
    "tv": lambda c: _gap(c, lambda eps, alpha, kl, **_: alpha * (4 * eps * alpha + c.tau * kl)),
    "kl": lambda c: _gap(c, lambda eps, kl, **_: kl * (2 * eps + c.tau * MP.sqrt(kl / 2))),
    "mean-tv": lambda c: _gap(c, lambda bar, mean_tv, **_: 2 * bar * mean_tv),
    "tv-without-kl": lambda c: _gap(c, lambda eps, alpha, **_: 4 * eps * alpha**2),
    "tv-hard": lambda c: _gap(c, lambda hard, alpha, **_: 4 * hard * alpha**2),
    "mean-tv-hard": lambda c: _gap(c, lambda hard_bar, mean_tv, **_: 2 * hard_bar * mean_tv),
    "performance-difference": lambda c: _difference(c, lambda new, old: MP.log(new)),
    "performance-difference-hard": lambda c: _difference(c, lambda new, old: 0),
    "performance-difference-old-entropy": lambda c: _difference(c, lambda new, old: MP.log(old)),
    "value-range": lambda c: _range(c, 1 / (1 - c.gamma)),
    "value-range-one-step": lambda c: _range(c, 1),
    "soft-policy-iteration": lambda c: _values(c, c.greedy(c.old)),
    "soft-policy-iteration-colder": lambda c: _values(c, c.greedy(c.old, 2)),
    "reverse-kl": lambda c: _nearer(c, True),
    "forward-kl": lambda c: _nearer(c, False),
    "reverse-kl-mean": lambda c: _mean(c, "new")[1],
    "reverse-kl-mean-old": lambda c: _mean(c, "old")[1],
    "npg-identity": lambda c: _npg_identity(c, c.tau / (1 - c.gamma)),
    "npg-identity-hard": lambda c: _npg_identity(c, 0),
    "npg": lambda c: _values(c, c.npg(c.old, c.h)),
    "npg-double": lambda c: _values(c, c.npg(c.old, 2 * (1 - c.gamma) / c.tau)),
    "suboptimality": lambda c: _suboptimality(c, (c.old, c.new)),
    "suboptimality-reversed": lambda c: _suboptimality(c, (c.new, c.old)),
    "lojasiewicz": lambda c: _lojasiewicz(c, min(p for row in c.old for p in row)),
    "lojasiewicz-uniform": lambda c: _lojasiewicz(c, 1),
    "npg-rate": lambda c: _npg_rate(c, 1 - c.h * c.tau),
    "npg-rate-sharper": lambda c: _npg_rate(c, 1 - c.h * c.tau / (1 - c.gamma)),
    "soft-policy-iteration-rate": lambda c: _iteration_rate(c, c.gamma),
    "soft-policy-iteration-rate-squared": lambda c: _iteration_rate(c, c.gamma**2),
    "bellman-contraction": lambda c: _contraction(c, LSE["sum"](c)),
    "boltzmann-contraction": lambda c: _contraction(c, LSE["mean"](c)),
    "optimal-loss": lambda c: _optimal_loss(c, 1 / (1 - c.gamma)),
    "optimal-loss-one-step": lambda c: _optimal_loss(c, 1),
}


def test_every_claim_has_its_slack_from_the_definitions():
    assert {f"entropy/{name}" for name in SLACKS} == set(IDS)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", SLACKS)
def test_a_slack_is_what_the_definitions_say(name, seed):
    case, record = Case(seed), claims[f"entropy/{name}"]
    expected = [float(x) for x in SLACKS[name](case)]
    found = np.ravel(np.asarray(record(case.q(record.id)), dtype=float))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    if record.expected is True and bool(np.all(record.met(case.q(record.id)))):
        assert min(expected) >= (-1e-14 if record.relation == ">=" else -1e-12)
        assert record.relation == ">=" or max(map(abs, expected)) < 1e-12


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("visited", ["new", "old"])
def test_the_hypothesis_is_about_the_states_that_it_names(visited, seed):
    id = "entropy/reverse-kl-mean" + "-old" * (visited == "old")
    case = Case(seed)
    assert bool(claims[id].met(case.q(id))) == _mean(case, visited)[0]


@pytest.mark.parametrize("seed", range(3))
def test_new_is_the_fixed_point_of_soft_value_iteration(seed):
    """For the reward r*: V ← τ log Σ exp((r* + γPV)/τ), from 0, in NumPy."""
    case = Case(seed)
    q = with_optimal_new(case.q("entropy/suboptimality"))
    p, tau, gamma, value = case.mdp.transition, float(case.tau), float(case.gamma), np.zeros(3)
    for _ in range(400):
        x = (q.reward + gamma * p @ value) / tau
        value = tau * (np.log(np.exp(x - x.max(1, keepdims=True)).sum(1)) + x.max(1))
    np.testing.assert_allclose(q.value_new, value, atol=1e-9)
    greedy = np.exp((q.reward + gamma * p @ value - value[:, None]) / tau)
    np.testing.assert_allclose(case.arrays[1], greedy, rtol=1e-8)


def test_one_state_in_closed_form():
    """γ = 1/2, r = (1, 0), old uniform: V = 1 + 2τ log 2, and after one soft iteration V* = 2τ log(1 + e^{1/τ})."""
    mdp, tau = tt.FiniteMDP([[[1.0], [1.0]]], [[1.0, 0.0]], 0.5, [1.0]), 0.4
    q = compare(mdp, [[0.5, 0.5]], [[0.5, 0.5]], temperature=tau)
    assert float(q.value[0]) == pytest.approx(1 + 2 * tau * math.log(2), rel=1e-14)
    moved = claims["entropy/soft-policy-iteration"].stepped(q)
    assert float(moved.value_new[0]) == pytest.approx(2 * tau * math.log(1 + math.exp(1 / tau)), rel=1e-13)
    with_reward_0 = compare(
        tt.FiniteMDP([[[1.0], [1.0]]], [[0.0, 0.0]], 0.5, [1.0]), [[0.5, 0.5]], [[1.0, 0.0]], temperature=tau
    )
    assert np.ravel(claims["entropy/value-range"](with_reward_0))[1] == pytest.approx(0, abs=1e-15)


def test_at_the_soft_optimum_the_gap_is_a_divergence_of_second_order():
    """Where old is soft optimal the gap is −τ Σ (ρ_new − ρ_old) KL(new‖old), to its own digits for tiny steps, too."""
    q = Case(1).q("entropy/suboptimality")
    back = with_optimal_new(q)
    back = back.replaced(old=q.new, new=q.new + 1e-5 * (q.old - q.new))
    divergence = np.array([float(x) for x in _kl(_exact(back.new), _exact(back.old))])
    expected = -float(q.temperature) * divergence
    np.testing.assert_allclose(back.expected_advantage, expected, rtol=1e-4)
    assert abs(divergence).max() < 1e-9
    assert float(bounds["entropy/tv"].slack(back)) > 0


def test_a_new_action_pays_its_own_entropy():
    """γ = 0, r = 0, from a to (1 − x, x): Ā = −τ ((1 − x) log(1 − x) + x log x)."""
    mdp, x = tt.FiniteMDP([[[1.0], [1.0]]], [[0.0, 0.0]], 0.0, [1.0]), 1e-6
    q = compare(mdp, [[1.0, 0.0]], [[1 - x, x]], temperature=2.0)
    expected = -2 * ((1 - x) * math.log1p(-x) + x * math.log(x))
    assert float(q.expected_advantage[0]) == pytest.approx(expected, rel=1e-12)
