"""Claims about occupancies, ratios and a second transition: slacks in plain NumPy and in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory import claims
from trpo_theory.step.quantities import Quantities, compare

SEEDS = range(6)


class Chain:
    """One policy in one transition, from the definitions: values by iterating, visits by summing over time."""

    def __init__(self, transition, reward, gamma, initial, policy):
        self.matrix = np.einsum("sa,sat->st", policy, transition)
        self.value = np.zeros(len(policy))
        law, self.visits = initial.copy(), np.zeros(len(policy))
        for t in range(400):  # gamma <= 0.9: 0.9^400 < 1e-18
            self.value = (policy * reward).sum(1) + gamma * self.matrix @ self.value
            self.visits += gamma**t * law
            law = law @ self.matrix
        self.gain = float(initial @ self.value)


class Case:
    """A random instance, and what the definitions make of it without the package."""

    def __init__(self, seed: int):
        rng = np.random.default_rng(seed)
        s, a = 4, 3
        self.gamma = [0.5, 0.9, 0.3][seed % 3]

        def rows(*shape):
            x = rng.random(shape)
            return x / x.sum(-1, keepdims=True)

        self.p, self.hat, self.reward, self.initial = rows(s, a, s), rows(s, a, s), rng.random((s, a)), rows(s)
        self.hat = self.p + 0.3 * (self.hat - self.p)
        self.old, self.new = rows(s, a), rows(s, a)
        self.noise = rng.normal(size=(s, a))
        self.at = {
            (name, policy): Chain(p, self.reward, self.gamma, self.initial, getattr(self, policy))
            for name, p in (("p", self.p), ("hat", self.hat))
            for policy in ("old", "new")
        }
        self.tv = np.abs(self.new - self.old).sum(1) / 2
        self.d = {key: (1 - self.gamma) * chain.visits for key, chain in self.at.items()}
        self.mean_tv = float(self.d["p", "old"] @ self.tv)
        v = self.at["p", "old"].value
        self.advantage = self.reward + self.gamma * self.p @ v - v[:, None]
        self.bar = (self.new * self.advantage).sum(1)

    @property
    def q(self) -> Quantities:
        mdp = tt.FiniteMDP(self.p, self.reward, self.gamma, self.initial)
        return compare(mdp, self.old, self.new).replace(model=self.hat, noise=self.noise)

    def kl(self, x, y):
        return float((x * np.log(x / y)).sum())

    def wanted(self) -> dict[str, float]:
        g, d, at = self.gamma, self.d, self.at
        eta = {key: chain.gain for key, chain in at.items()}
        gain = eta["p", "new"] - eta["p", "old"]
        gap = gain - float(at["p", "old"].visits @ self.bar)
        moved = np.abs(d["p", "new"] - d["p", "old"]).sum()
        top = np.abs(self.bar).max()
        f = at["p", "old"].value + (self.old * self.noise).sum(1)
        delta = self.reward + g * self.p @ f - f[:, None]
        beyond = gain - float(at["p", "old"].visits @ ((self.new - self.old) * delta).sum(1))
        cost = {
            who: 2 * g / (1 - g) ** 2 * np.abs((getattr(self, who) * delta).sum(1)).max() * self.mean_tv
            for who in ("old", "new")
        }
        reverse = (self.new * np.log(self.new / self.old)).sum(1)
        mean_kl = float(d["p", "new"] @ reverse)
        joint = self.kl(d["p", "new"][:, None] * self.new, d["p", "old"][:, None] * self.old)
        l1 = np.abs(self.hat - self.p).sum(2)
        x = l1.max() / 2
        error = eta["hat", "old"] - eta["p", "old"]
        error_new = eta["hat", "new"] - eta["p", "new"]
        one_model = g * at["p", "old"].visits @ (self.old * ((self.hat - self.p) @ at["p", "old"].value)).sum(1)
        e_m, shift = (self.old * l1).sum(1).max() / 2, self.tv.max()
        r = np.abs(self.reward).max()
        mbpo = 2 * g * r * e_m / (1 - g) ** 2
        discrepancy = np.abs((self.hat - self.p) @ at["hat", "new"].value)
        kappa = g / (1 - g)
        slbo = kappa * float(d["p", "old"] @ (self.new * discrepancy).sum(1))
        v = at["p", "old"].value
        b = (self.new * (self.reward + g * self.hat @ v)).sum(1) - v
        first = eta["hat", "new"] - eta["p", "old"] - float(at["p", "old"].visits @ b)
        scale = g / (1 - g) ** 2 * np.abs(b).max()
        changed = float(d["p", "old"] @ (self.new * l1).sum(1))
        kl_occupancy = self.kl(d["p", "new"], d["p", "old"])
        return {
            "cpo/any-critic-lower": cost["new"] + beyond,
            "cpo/any-critic-upper": cost["new"] - beyond,
            "cpo/any-critic-old": cost["old"] + beyond,
            "cpo/any-critic-upper-1": cost["new"] / 2 - beyond,
            "cpo/occupancy": 2 * kappa * self.mean_tv - moved,
            "cpo/occupancy-1": kappa * self.mean_tv - moved,
            "cpo/occupancy-of-new": 2 * kappa * float(d["p", "new"] @ self.tv) - moved,
            "occupancy/tv": gap + top * moved / (1 - g),
            "occupancy/tv-1": gap + top * moved / (1 - g) / 2,
            "occupancy/kl": gap + 2 * top / (1 - g) * math.sqrt(kl_occupancy / 2),
            "occupancy/kl-1": gap + top / (1 - g) * math.sqrt(kl_occupancy / 2),
            "occupancy/joint-kl": mean_kl / (1 - g) - joint,
            "occupancy/joint-kl-gamma": mean_kl * g / (1 - g) - joint,
            "model/simulation": 0.0,
            "model/simulation-one-model": error - one_model,
            "model/simulation-bound": g * x / (1 - g) ** 2 - abs(error),
            "model/simulation-bound-half": g * x / (1 - g) ** 2 / 2 - abs(error),
            "model/simulation-bound-linear": g * x / (1 - g) - abs(error),
            "model/simulation-tight": 1 / (1 - g) - 1 / (1 - g * (1 - x)) - abs(error),
            "model/simulation-tight-half": (1 / (1 - g) - 1 / (1 - g * (1 - x))) / 2 - abs(error),
            "mbpo/return": mbpo + 4 * g * r * shift / (1 - g) ** 2 + 4 * r * shift / (1 - g) - error_new,
            "mbpo/return-no-shift": mbpo - error_new,
            "slbo/discrepancy": slbo + 2 * kappa**2 * discrepancy.max() * self.mean_tv - abs(error_new),
            "slbo/discrepancy-no-shift": slbo - abs(error_new),
            "model/joint-difference": 0.0,
            "model/joint-difference-one-model": eta["hat", "new"] - eta["p", "old"] - at["p", "new"].visits @ b,
            "model/joint-bound": scale * (2 * self.mean_tv + changed) + first,
            "model/joint-bound-policy": scale * 2 * self.mean_tv + first,
        }


FAMILIES = ("cpo/any-critic", "cpo/occupancy", "occupancy/", "model/", "mbpo/", "slbo/")


@pytest.mark.parametrize("seed", SEEDS)
def test_slacks_are_those_of_the_definitions(seed):
    case = Case(seed)
    q, wanted = case.q, case.wanted()
    assert set(wanted) == {name for name in claims if name.startswith(FAMILIES)}
    for name, slack in wanted.items():
        assert float(claims[name](q)) == pytest.approx(slack, rel=1e-9, abs=1e-12), name


def leaving(x: float, gamma: float = 0.9) -> tt.FiniteMDP:
    """G pays 1 and stays, B pays nothing and stays; the second action of G leads to B."""
    return tt.FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[1, 1], [0, 0]], gamma, [1, 0])


@pytest.mark.parametrize("x", [0.5, 0.01])
def test_a_leak_attains_the_tight_simulation_lemma(x):
    mdp, g = leaving(x), 0.9
    model = mdp.transition.copy()
    model[0, 0] = [1 - x, x]
    q = compare(mdp, [[1, 0]] * 2, [[1, 0]] * 2).replace(model=model)
    lost = 1 / (1 - g) - 1 / (1 - g * (1 - x))
    assert float(claims["model/simulation-tight"](q)) == pytest.approx(0, abs=1e-12)
    assert float(claims["model/simulation-bound"](q)) == pytest.approx(g * x / (1 - g) ** 2 - lost, rel=1e-9)
    if x == 0.01:
        assert claims["model/simulation-bound-half"](q) < 0
        assert claims["model/simulation-bound-linear"](q) < 0


def test_a_leak_needs_the_two_of_the_occupancy():
    x, g = 0.01, 0.9
    q = compare(leaving(x), [[1, 0]] * 2, [[1 - x, x], [1, 0]])
    moved = 2 * g * x / (1 - g * (1 - x))
    assert float(claims["cpo/occupancy"](q)) == pytest.approx(2 * g * x / (1 - g) - moved, rel=1e-9)
    assert float(claims["cpo/occupancy-1"](q)) == pytest.approx(g * x / (1 - g) - moved, rel=1e-9)
    assert claims["cpo/occupancy-1"](q) < 0


def bandit(reward, old, new=None) -> Quantities:
    mdp = tt.FiniteMDP(np.ones((1, len(old), 1)), [reward], 0.5)
    return compare(mdp, [old], [old if new is None else new])


@pytest.mark.parametrize("k", [0.1, 0.5, 0.99])
def test_ratios_at_both_ends_of_their_interval(k):
    q = bandit([0, 0], [0.5, 0.5], [(1 - k) / 2, (1 + k) / 2])
    kl = -0.5 * math.log(1 - k) - 0.5 * math.log(1 + k)
    assert float(claims["ratio/kl"](q)) == pytest.approx(0, abs=1e-14)
    assert float(claims["ratio/tv"](q)) == pytest.approx(0, abs=1e-15)
    assert float(claims["ratio/kl-square"](q)) == pytest.approx(k * k / 2 - kl, rel=1e-9)
    assert claims["ratio/kl-square"](q) < 0
    assert float(claims["ratio/tv-half"](q)) == pytest.approx(-k / 4, rel=1e-12)


def test_the_clip_is_left_by_its_own_maximiser():
    """Old (1/10, 9/10), the first action better, c = 1/5: what the second loses is a ratio of 2.8 for the first."""
    q = bandit([1, 0], [0.1, 0.9])
    q.size = np.array(0.25)
    for name, slack in (("ppo/clip-ratio", 0.12 - 0.28), ("ppo/clip-kl", None)):
        stepped = claims[name].stepped(q)
        np.testing.assert_allclose(stepped.new, [[0.28, 0.72]], rtol=1e-12)
        if slack is not None:
            assert np.min(claims[name](stepped)) == pytest.approx(slack, rel=1e-12)
        else:
            kl = 0.1 * math.log(0.1 / 0.28) + 0.9 * math.log(0.9 / 0.72)
            assert kl == pytest.approx(0.0978, abs=1e-4)
            wanted = math.exp(-kl) - math.sqrt(1 - 0.04)
            assert float(claims[name](stepped)) == pytest.approx(wanted, rel=1e-12)
            assert wanted < 0


def test_no_other_policy_has_a_larger_clipped_gain():
    """On a grid of all policies of the two actions: every maximiser has at least 0.28 on the first."""
    p = np.linspace(0, 1, 10001)
    old, a = np.array([0.1, 0.9]), np.array([0.9, -0.1])
    policies = np.stack([p, 1 - p], axis=1)
    clipped = np.clip(policies, 0.8 * old, 1.2 * old)
    gain = np.minimum(policies * a, clipped * a).sum(1)
    best = p[gain >= gain.max() - 1e-12]
    assert best.min() == pytest.approx(0.28)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mixture_of_past_policies_is_a_mean_of_theirs(seed):
    case, rng = Case(seed), np.random.default_rng(seed + 100)
    past, weights, g = rng.dirichlet(np.ones(3), size=(3, 4)), rng.dirichlet(np.ones(3)), case.gamma
    q = case.q.replace(references=np.moveaxis(past, 0, -1), weights=weights)
    visits = [Chain(case.p, case.reward, g, case.initial, policy).visits for policy in past]
    rise = case.at["p", "new"].gain - case.at["p", "old"].gain
    centre = sum(w * float(rho @ case.bar) for w, rho in zip(weights, visits, strict=True))
    scale = 2 * g / (1 - g) * np.abs(case.bar).max()
    far = {
        "geppo/mixture": [np.abs(case.new - policy).sum(1) / 2 for policy in past],
        "geppo/mixture-old-tv": [case.tv] * 3,
    }
    for name, distances in far.items():
        mean = sum(w * float(rho @ tv) for w, rho, tv in zip(weights, visits, distances, strict=True))
        assert float(tt.bounds[name].signed_slack(q)) == pytest.approx(
            rise - centre + scale * mean, rel=1e-9, abs=1e-12
        )
