"""The families about the bounds in chi-square against the definitions and path sums in mpmath at 60 digits."""

import mpmath
import numpy as np
import pytest
from cheap import sampled
from mpmath import mpf

import trpo_theory as tt
from trpo_theory import zoo

CHAINS = ("chi2-advantage-tight", "chi2-reward-tight", "chi2-time-resolved-tight", "cv-certificate-tight")


def as_mp(array):
    return [as_mp(row) for row in array] if np.ndim(array) else mpf(float(array))


class Definitions:
    """What the penalties are made of, from the arrays of one instance, with plain loops. Call it under `workdps(60)`."""

    def __init__(self, made):
        mdp = made.mdp
        self.gamma, self.initial = as_mp(mdp.gamma), as_mp(mdp.initial)
        self.transition, self.reward = as_mp(mdp.transition), as_mp(mdp.reward)
        self.old, self.new = as_mp(made.old), as_mp(made.new)
        self.states, self.actions = range(mdp.states), range(mdp.actions)
        value = self.solve(self.chain(self.old), self.mean(self.old, self.reward))
        self.rho = self.solve(self.chain(self.old).T, self.initial)
        self.advantage = [[self.q(s, a, value) - value[s] for a in self.actions] for s in self.states]
        self.expected = self.mean(self.new, self.advantage)
        self.gain = self.dot(self.solve(self.chain(self.new).T, self.initial), self.expected)
        self.gap = self.gain - self.dot(self.rho, self.expected)
        self.chi2 = [self.row(s, lambda o, n: (n - o) ** 2 / o) for s in self.states]
        self.kl = [self.row(s, lambda o, n: o * mpmath.log(o / n) if n else mpmath.inf) for s in self.states]

    def step(self, policy, s, t):
        return sum(policy[s][a] * self.transition[s][a][t] for a in self.actions)

    def chain(self, policy):
        return mpmath.matrix(
            [[(s == t) - self.gamma * self.step(policy, s, t) for t in self.states] for s in self.states]
        )

    def q(self, s, a, value):
        return self.reward[s][a] + self.gamma * self.dot(self.transition[s][a], value)

    def row(self, s, term):
        return sum(term(o, n) for o, n in zip(self.old[s], self.new[s], strict=True) if o)

    def mean(self, policy, of):
        return [self.dot(p, f) for p, f in zip(policy, of, strict=True)]

    @staticmethod
    def solve(matrix, b):
        return mpmath.lu_solve(matrix, mpmath.matrix(b))

    @staticmethod
    def dot(x, y):
        return mpmath.fsum(a * b for a, b in zip(x, y, strict=True))

    def moments(self, of):
        """Mean and mean square under d_old (x old) of f(s), or of f(s, a)."""
        if not isinstance(of[0], list):
            of = [[f] * len(self.actions) for f in of]
        return [
            (1 - self.gamma) * self.dot(self.rho, self.mean(self.old, [[f**k for f in row] for row in of]))
            for k in (1, 2)
        ]

    def penalty(self, bound):
        g, c = self.gamma, max(self.chi2)
        d = 1 - g
        if bound == "chi2/time-resolved":
            law, total = self.initial, mpf(0)
            for t in self.states:
                mean, square = self.dot(law, self.expected), self.dot(law, [a**2 for a in self.expected])
                total += g**t * mpmath.sqrt(max(square - mean**2, 0)) * mpmath.sqrt((1 + c) ** t - 1)
                law = [self.dot(law, [self.step(self.old, s, t) for s in self.states]) for t in self.states]
            return total
        if bound == "chi2/advantage-kl":
            bound, c = "chi2/advantage", 2 * max(self.kl)
        factor = mpmath.sqrt(g) / (d * mpmath.sqrt(1 - g * (1 + c)))
        if bound == "chi2/advantage":
            return mpmath.sqrt(self.moments(self.advantage)[1]) * c * factor
        of = self.reward if bound == "chi2/reward" else self.expected
        mean, square = self.moments(of)
        spread = mpmath.sqrt(square - mean**2)
        return spread * factor * (c / mpmath.sqrt(d) if bound == "chi2/reward" else mpmath.sqrt(c))


@sampled(("gamma", "c"), [(0.1, 0.5), (0.5, 0.1), (0.9, 0.01), (0.25, 1.0), (0.2, 2.5)], every=2)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((name, {}) for name in CHAINS),
        ("chi2-time-resolved-tight", {"mean": np.array([3.0, -1, 0.5, 2, 0]), "spread": np.array([9.0, 1, 0, 4, 0.3])}),
        ("cv-certificate-tight", {"mean": 0.1, "slope": 3.0}),
    ],
)
def test_chains_by_the_definitions(name, options, gamma, c):
    made = zoo.make(name, gamma=gamma, c=c, n=5, **options)
    with mpmath.workdps(60):
        exact = Definitions(made)
        assert made.gap == pytest.approx(float(exact.gap), rel=1e-13)
        assert made.ratio == pytest.approx(float(-exact.gap / exact.penalty(made.bound)), rel=1e-13)
        assert [float(x) for x in exact.chi2] == pytest.approx([c] * 16, rel=1e-14)
        if name != "chi2-reward-tight":
            assert [[float(x) for x in row] for row in exact.advantage] == pytest.approx(made.mdp.reward, rel=1e-13)
        if name == "cv-certificate-tight":
            mean, square = exact.moments(exact.expected)
            assert float(mean) == pytest.approx(options.get("mean", 1.0), rel=1e-13)
            kappa2 = -made.gap * (1 - gamma) / options.get("slope", 1.0)
            assert float(square - mean**2) == pytest.approx(options.get("slope", 1.0) ** 2 * kappa2, rel=1e-12)
            assert float(exact.gain * (1 - gamma)) == pytest.approx(float(mean) + made.gap * (1 - gamma), rel=1e-12)
    q = tt.compare(made.mdp, made.old, made.new)
    assert float(q.surrogate_gap) == pytest.approx(made.gap, rel=1e-12)


def path_sums(gamma, c, n):
    """Σ_{t<n} γᵗ E x_t² and Σ_{t<n} γᵗ E Z_{t+1}² by the binomial law of the steps up, and both to infinity by their limits."""
    if c <= 1:
        half, down, up = mpf(1) / 2, 1 - mpmath.sqrt(c), 1 + mpmath.sqrt(c)
    else:
        half, down, up = 1 / (1 + c), mpf(0), 1 + c
    sums = [mpf(0), mpf(0)]
    for t in range(n + 1):
        for j in range(t + 1):
            weight = mpmath.binomial(t, j) * half**j * (1 - half) ** (t - j)
            x = up**j * down ** (t - j) - 1
            if t < n:
                sums[0] += gamma**t * weight * x**2
            if t:
                sums[1] += gamma ** (t - 1) * weight * (x - j * (up - 1) - (t - j) * (down - 1)) ** 2
    d = 1 - gamma
    return sums, [gamma * c / (d * (d - gamma * c)), gamma * c**2 / (d**2 * (d - gamma * c))]


@pytest.mark.parametrize(
    ("gamma", "c", "n"),
    [("0.5", "0.1", 2), ("0.9", "0.0001", 40), ("0.9", "0.1", 30), ("0.25", "2", 25), ("0", "1", 3)],
)
def test_gaps_and_ratios_are_sums_over_paths(gamma, c, n):
    with mpmath.workdps(60):
        (second, fourth), limits = path_sums(mpf(gamma), mpf(c), n)
        options = {"gamma": float(gamma), "c": float(c), "n": n}
        first, reward = zoo.chi2_advantage_tight(**options), zoo.chi2_reward_tight(**options)
        assert first.gap == pytest.approx(float(-mpf(c) * second), rel=1e-14, abs=0)
        assert reward.gap == pytest.approx(float(-fourth), rel=1e-14, abs=0)
        if float(gamma):
            assert first.ratio == pytest.approx(float(mpmath.sqrt(second / limits[0])), rel=1e-14)
            assert reward.ratio == pytest.approx(float(mpmath.sqrt(fourth / limits[1])), rel=1e-14)
            g, f = mpf(gamma), ((1 + mpf(c)) ** n - 1) / mpf(c)
            assert first.ratio == pytest.approx(float(mpmath.sqrt(1 - g**n - (1 - g) * g ** (n - 1) * f)), rel=1e-14)


@sampled("n", [10, 50, 200, pytest.param(1000, marks=pytest.mark.slow)], every=2)
@pytest.mark.parametrize(
    ("gamma", "c", "published"),
    [
        (0.5, 0.1, {10: 0.9917, 50: 1.0, 200: 1.0, 1000: 1.0}),
        (0.9, 0.01, {10: 0.4960, 50: 0.9787, 200: 1.0, 1000: 1.0}),
        (0.9, 0.1, {10: 0.1840, 50: 0.5730, 200: 0.9226, 1000: 0.99998}),
        (0.99, 0.001, {10: 0.062, 50: 0.286, 200: 0.753, 1000: 0.9996}),
    ],
)
def test_the_chain_attains_chi2_advantage_in_the_limit(gamma, c, published, n):
    digits = 5e-6 if n == 1000 and gamma == 0.9 else 5e-4 if gamma == 0.99 and n < 1000 else 5e-5
    made = zoo.chi2_advantage_tight(gamma=gamma, c=c, n=n)
    assert made.ratio == pytest.approx(published[n], abs=1.01 * digits)
    assert made.ratio <= 1
    assert made.mdp.states == n * (n + 1) // 2 + 1


def test_a_large_chain_is_sparse_and_has_its_gap():
    made = zoo.chi2_advantage_tight(gamma=0.9, c=0.01, n=200)
    assert made.mdp.is_sparse
    assert float(tt.compare(made.mdp, made.old, made.new).surrogate_gap) == pytest.approx(made.gap, rel=1e-12)


def test_chi2_advantage_says_nothing_beyond_its_barrier():
    assert zoo.chi2_advantage_tight(gamma=0.9, c=0.2).ratio == 0
    assert zoo.chi2_time_resolved_tight(gamma=0.9, c=0.2).ratio == 1


def test_the_tree_attains_the_time_resolved_bound_for_every_profile():
    """sd_t and the bound are computed from the laws of s_t, forward in time."""
    generator = np.random.default_rng(0)
    for gamma, c, n in ((0.5, 0.3, 6), (0.99, 0.05, 12), (0.9, 3.0, 5)):
        mean, spread = generator.normal(size=n), generator.exponential(size=n)
        made = zoo.chi2_time_resolved_tight(gamma=gamma, c=c, n=n, mean=mean, spread=spread)
        chain = np.einsum("sa,sat->st", made.old, made.mdp.transition)
        expected, law, total = (made.new * made.mdp.reward).sum(-1), made.mdp.initial, 0.0
        for t in range(n + 2):
            centre = law @ expected
            assert centre == pytest.approx(mean[t] if t < n else 0.0, abs=1e-13)
            total += gamma**t * np.sqrt(law @ (expected - centre) ** 2 * ((1 + c) ** t - 1))
            law = law @ chain
        assert -made.gap == pytest.approx(total, rel=2e-14)
        assert float(tt.compare(made.mdp, made.old, made.new).surrogate_gap) == pytest.approx(-total, rel=1e-13)


def test_the_certificate_by_variation_ends_where_the_gain_changes_sign():
    gamma, c, mean = 0.5, 0.1, 2.0
    kappa2 = gamma * c / (1 - gamma * (1 + c))
    for factor, sign in ((0.999, 1), (1.001, -1)):
        slope = factor * mean / kappa2
        made = zoo.cv_certificate_tight(gamma=gamma, c=c, n=40, mean=mean, slope=slope)
        q = tt.compare(made.mdp, made.old, made.new)
        cv2 = (slope / mean) ** 2 * kappa2
        assert (c < (1 - gamma) / (gamma * (1 + cv2))) == (sign > 0)
        gain = float(q.expected_return_new - q.expected_return_old)
        assert gain * sign > 0
        assert gain == pytest.approx(mean / (1 - gamma) + made.gap, rel=1e-11)
        assert gain == pytest.approx((mean - slope * kappa2) / (1 - gamma), rel=1e-6)
        assert made.ratio == pytest.approx(1.0, abs=1e-9)


def test_no_multiple_of_kl_stands_for_chi2():
    with mpmath.workdps(60):
        for q, published in ((1e-2, 8.3), (1e-4, 75.5), (1e-6, 752), (1e-8, 7522)):
            made = zoo.kl_for_chi2(q=q)
            exact = Definitions(made)
            assert made.gap == pytest.approx(float(exact.gap), rel=1e-12)
            assert made.ratio == pytest.approx(float(-exact.gap / exact.penalty(made.bound)), rel=1e-12)
            assert float(exact.kl[0]) == pytest.approx(float(exact.kl[1]), rel=1e-12)
            over_kl = -exact.gap / (mpmath.sqrt(exact.moments(exact.advantage)[1]) * max(exact.kl))
            assert float(over_kl) == pytest.approx(published, rel=6e-3 if q == 1e-2 else 7e-4)


@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.5, 0.99])
def test_the_ladders_gap(gamma):
    for x in (-0.5, 0.01, 0.1, 0.5):
        made = zoo.certificate_ladder(gamma=gamma, x=x)
        with mpmath.workdps(60):
            exact = float(Definitions(made).gap)
        assert made.gap == pytest.approx(exact, rel=1e-13, abs=1e-17)
        q = tt.compare(made.mdp, made.old, made.new)
        assert float(q.surrogate_gap) == pytest.approx(exact, rel=1e-12, abs=1e-17)


def test_the_ladder_to_ten_digits():
    with mpmath.workdps(60):
        exact = Definitions(zoo.certificate_ladder())
        assert round(float(exact.gain), 10) == 0.0336700337
        assert round(float(exact.gain - exact.gap), 10) == 0.0329218107
        assert [round(float(a), 7) for a in exact.expected] == [0.0037037, 0.0962963, 0]
        assert [float(c) for c in exact.chi2] == pytest.approx([0.04, 0.04, 0], rel=1e-14)


def test_parameters_may_be_arrays():
    gamma, c = np.array([0.3, 0.9])[:, None], np.array([0.01, 0.5, 2.0])
    for name in CHAINS:
        batch = zoo.make(name, gamma=gamma, c=c, n=6)
        assert batch.mdp.batch_shape == (2, 3)
        for i, j in np.ndindex(2, 3):
            one = zoo.make(name, gamma=gamma[i, 0], c=c[j], n=6)
            assert batch.gap[i, j] == pytest.approx(one.gap, rel=1e-14)
            assert batch.ratio[i, j] == pytest.approx(one.ratio, rel=1e-14)
            assert batch.mdp.reward[i, j] == pytest.approx(one.mdp.reward, rel=1e-14)
            assert (batch.new[i, j] == one.new).all()
    twins = zoo.kl_for_chi2(gamma=gamma, q=np.array([1e-2, 1e-4, 1e-6]))
    assert twins.ratio[1, 2] == pytest.approx(zoo.kl_for_chi2(gamma=0.9, q=1e-6).ratio, rel=1e-14)


def test_they_are_read_by_name():
    for name in (*CHAINS, "kl-for-chi2", "certificate-ladder"):
        assert name in zoo.NAMES
        assert getattr(zoo, name.replace("-", "_")) is zoo.FAMILIES[name]
        loaded = tt.load(f"zoo:{name}?gamma=1/4")
        assert (loaded.transition == zoo.make(name, gamma=0.25).mdp.transition).all()
    assert tt.load("zoo:chi2-advantage-tight?c=1/4&n=3").states == 7


@pytest.mark.parametrize(
    ("name", "options", "fix"),
    [
        ("chi2-advantage-tight", {"n": 1}, "pass n=20"),
        ("chi2-advantage-tight", {"n": 2.5}, "pass n=20"),
        ("chi2-advantage-tight", {"n": 1e9}, "pass n=20"),
        ("chi2-advantage-tight", {"n": float("nan")}, "pass n=20"),
        ("chi2-advantage-tight", {"n": np.array([3, 4])}, "pass n=20"),
        ("chi2-advantage-tight", {"c": 0.0}, "change c"),
        ("chi2-advantage-tight", {"c": 1e9, "n": 50}, "lower c or n"),
        ("chi2-advantage-tight", {"c": np.array([0.1, 0.2]), "n": 50}, "one instance at a time"),
        ("chi2-reward-tight", {"gamma": 1.0}, "0.99"),
        ("chi2-time-resolved-tight", {"spread": -1.0}, "change spread"),
        ("chi2-time-resolved-tight", {"mean": np.ones(3)}, "change mean"),
        ("cv-certificate-tight", {"slope": 0.0}, "change slope"),
        ("kl-for-chi2", {"q": 0.2}, "change p or q"),
        ("kl-for-chi2", {"p": 1.0}, "change p or q"),
        ("certificate-ladder", {"x": 0.6}, "change x"),
    ],
)
def test_bad_options_are_refused(name, options, fix):
    with pytest.raises(tt.InvalidInput, match="fix: ") as error:
        zoo.make(name, **options)
    assert fix in str(error.value)
