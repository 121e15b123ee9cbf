"""Bounds over a horizon in exact rationals: two tokens, and random runs whose paths are enumerated."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory import bounds, claims
from trpo_theory.numerics.ball.raw import precision
from trpo_theory.step.exact import ExactInstance

F = Fraction


def two_tokens() -> tt.FiniteMDP:
    """Two tokens of 0 or 1, reward 1 for 01 and 10: states are the empty prefix, 0, 1, and the end."""
    transition = np.zeros((4, 2, 4))
    transition[0, 0, 1] = transition[0, 1, 2] = transition[1:, :, 3] = 1
    reward = np.zeros((4, 2))
    reward[1, 1] = reward[2, 0] = 1
    return tt.FiniteMDP(transition, reward, 1.0, [1, 0, 0, 0])


@pytest.mark.parametrize("x", [0.0625, 0.25, 0.5])
def test_two_tokens_attain_the_return_in_chi_square(x):
    old = np.full((4, 2), 0.5)
    new = np.tile([0.5 + x, 0.5 - x], (4, 1))
    q = tt.compare(two_tokens(), old, new, horizon=2)
    assert q.surrogate_gap == pytest.approx(-2 * x**2, rel=1e-13)
    assert bounds.get("chi2/return").penalty(q) == pytest.approx(2 * x**2, rel=1e-13)  # sd 1/2, c = 4x²
    assert bounds.get("chi2/return-early").penalty(q) == 0


class Run:
    """All paths of a random run of T steps of 2 states and 2 actions, in rationals, γ = 1."""

    def __init__(self, seed: int, steps: int) -> None:
        draw = np.random.default_rng(seed)
        law = lambda: (lambda k: [F(int(k), 16), F(16 - int(k), 16)])(draw.integers(1, 16))  # noqa: E731
        self.steps = steps
        self.transition = [[law() for _ in range(2)] for _ in range(2)]
        self.reward = [[F(int(draw.integers(-8, 9)), 8) for _ in range(2)] for _ in range(2)]
        self.old, self.new = ([law() for _ in range(2)] for _ in range(2))
        self.fields = {"transition": self.transition, "reward": self.reward, "gamma": 1, "initial": [1, 0]}
        self.fields |= {"old": self.old, "new": self.new, "horizon": steps}
        mdp = tt.FiniteMDP(np.array(self.transition, float), np.array(self.reward, float), 1.0, [1, 0])
        self.q = tt.compare(mdp, np.array(self.old, float), np.array(self.new, float), horizon=steps)

    def paths(self):
        """(states, actions, probability under old, under new, return)."""
        for actions in itertools.product(range(2), repeat=self.steps):
            for tail in itertools.product(range(2), repeat=self.steps - 1):
                states = (0, *tail)
                moves = [self.transition[s][a][t] for s, a, t in zip(states, actions, tail, strict=False)]
                played = [
                    math.prod(p[s][a] for s, a in zip(states, actions, strict=True)) for p in (self.old, self.new)
                ]
                gained = sum(self.reward[s][a] for s, a in zip(states, actions, strict=True))
                yield states, actions, math.prod(moves) * played[0], math.prod(moves) * played[1], gained


@pytest.mark.parametrize(("seed", "steps"), [(0, 2), (1, 3), (2, 4)])
def test_penalties_are_those_of_enumerated_paths(seed, steps):
    run = Run(seed, steps)
    tv = [sum(abs(a - b) for a, b in zip(p, r, strict=True)) / 2 for p, r in zip(run.old, run.new, strict=True)]
    kl = [
        sum(float(a) * math.log(a / b) for a, b in zip(p, r, strict=True))
        for p, r in zip(run.old, run.new, strict=True)
    ]
    chi = [sum((b - a) ** 2 / a for a, b in zip(p, r, strict=True)) for p, r in zip(run.old, run.new, strict=True)]
    mean = sum(p * gained for *_, p, _, gained in run.paths())
    sd = math.sqrt(sum(p * (gained - mean) ** 2 for *_, p, _, gained in run.paths()))
    visits = [[sum(p for states, _, p, _, _ in run.paths() if states[t] == s) for s in range(2)] for t in range(steps)]
    sequence = [sum(float(v) * k for v, k in zip(row, kl, strict=True)) for row in visits]
    surrogate = mean + sum(
        p * gained * sum(run.new[s][a] / run.old[s][a] - 1 for s, a in zip(states, actions, strict=True))
        for states, actions, p, _, gained in run.paths()
    )
    gap = sum(p * gained for *_, p, gained in run.paths()) - surrogate
    assert run.q.surrogate_gap == pytest.approx(float(gap), rel=1e-11, abs=1e-14)

    c, eps = float(max(chi)), float(run.q.max_abs_advantage)
    largest = float(steps * max(abs(r) for row in run.reward for r in row))
    weighted = sum((steps - 1 - t) * v * d for t, row in enumerate(visits) for v, d in zip(row, tv, strict=True))
    alpha, high = float(max(tv)), max(kl)
    missed = sum(1 - (1 - alpha) ** t for t in range(steps))
    marginal, mixed = 4 / 3 * eps * high * steps**1.5, 2 * eps * steps * math.sqrt(high * sum(sequence))
    expected = {
        "chi2/return": sd * math.sqrt((1 + c) ** steps - 1 - steps * c),
        "trm/pinsker-marginal": marginal,
        "trm/mixed": mixed,
        "trm/unified": min(marginal, mixed, 4 * eps * alpha * missed),
        "horizon/mixed": 2 * eps * (steps - 1) * math.sqrt(high * sum(sequence[:-1])),
        "horizon/mean-max": 4 * eps * alpha * float(weighted),
        "horizon/reward": 2 / 3 * largest / steps * alpha**2 * (steps - 1) * steps * (steps + 1),
        "dppo/tv": 2 * largest * alpha**2 * steps * (steps - 1),
        "dppo/sum-tv": 4 * largest * sum(float(v) * float(d) for row in visits for v, d in zip(row, tv, strict=True)),
    }
    assert {id: float(bounds.get(id).penalty(run.q)) for id in expected} == pytest.approx(expected, rel=1e-9)
    assert all(-float(gap) <= penalty for penalty in expected.values())


@pytest.mark.parametrize(("seed", "steps"), [(3, 2), (4, 3), (5, 4)])
def test_sequences_are_as_far_apart_as_enumerated_paths(seed, steps):
    run = Run(seed, steps)
    apart = sum(abs(p - r) for *_, p, r, _ in run.paths()) / 2
    tv = [sum(abs(a - b) for a, b in zip(p, r, strict=True)) / 2 for p, r in zip(run.old, run.new, strict=True)]
    tokens = sum(p * sum(tv[s] for s in states) for states, _, p, _, _ in run.paths())
    laws = [
        sum(abs(sum(p - r for states, _, p, r, _ in run.paths() if states[t] == s)) for s in range(2)) / 2
        for t in range(steps)
    ]
    assert max(laws) <= apart <= tokens
    assert float(claims.get("dppo/sequence-tv").formula(run.q)) == pytest.approx(float(tokens - max(laws)), rel=1e-10)
    assert float(claims.get("dppo/error").formula(run.q)) == pytest.approx(0, abs=1e-12)
    with precision(256):
        exact = claims.get("dppo/error")
        slack = exact.slack(exact.stepped(ExactInstance(**run.fields).quantities()))
        assert all(entry.fraction == 0 for entry in np.ravel(np.asarray(slack, dtype=object)))
    # with two steps from one state only the first counts, where both visit the same
    assert (abs(float(claims.get("dppo/error-new").formula(run.q))) > 1e-6) == (steps > 2)


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_adaptive_and_unified_on_a_run_with_equal_rows(steps):
    """One state, old 1/2 each, new 1/2 + x: TV = x everywhere, KL = −½ log(1 − 4x²); rewards ±1, so that ε = 1 and ξ = T."""
    x = F(1, 8)
    mdp = tt.FiniteMDP(np.ones((1, 2, 1)), [[1.0, -1.0]], 1.0, [1.0])
    q = tt.compare(mdp, [[0.5, 0.5]], [[0.5 + float(x), 0.5 - float(x)]], horizon=steps)
    kl = -math.log(1 - 4 * float(x) ** 2) / 2
    apart = [min(1, n * float(x), math.sqrt(n * kl / 2)) for n in range(steps)]
    adaptive = 4 * steps * float(x) * sum(apart)
    assert bounds.get("trm/adaptive").penalty(q) == pytest.approx(adaptive, rel=1e-12)
    assert bounds.get("trm/adaptive-early").penalty(q) == pytest.approx(
        4 * steps * float(x) * sum(apart[:-1]), rel=1e-12
    )
    per_token = min(float(x), math.sqrt(kl / 2))
    coupling = sum(1 - (1 - float(x)) ** t for t in range(steps))
    marginal, mixed = sum(math.sqrt(t * kl / 2) for t in range(steps)), steps * math.sqrt(steps * kl / 2)
    wanted = min(4 * per_token * min(marginal, mixed, coupling), adaptive)
    assert bounds.get("trm/unified").penalty(q) == pytest.approx(wanted, rel=1e-12)
    alone = steps * math.sqrt(kl / 2)
    assert bounds.get("trm/unified-mean").penalty(q) == pytest.approx(
        min(4 * per_token * min(marginal, alone, coupling), adaptive), rel=1e-12
    )
    assert bounds.get("dppo/tv-reward").penalty(q) == pytest.approx(2 * float(x) ** 2 * steps * (steps - 1), rel=1e-12)
    assert bounds.get("dppo/sum-tv-reward").penalty(q) == pytest.approx(4 * steps * float(x), rel=1e-12)
    sequence, largest = claims.get("trm/sequence-kl"), claims.get("trm/sequence-kl-max")
    assert sequence.slack(q) == pytest.approx((steps - 1) * kl, rel=1e-12)
    assert largest.slack(q) == pytest.approx((10 * steps - 1) * kl, rel=1e-12)
