"""The bounds: values by hand, where they hold, and what they say where they say nothing."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import trpo_theory as tt
from trpo_theory import zoo


def by_hand(q):
    """Each penalty at 40 digits from the scalar quantities, written from the papers and not from the package."""
    with mpmath.workdps(40):
        g, eps, alpha, d = (mpmath.mpf(float(x)) for x in (q.gamma, q.max_abs_advantage, q.max_tv, q.max_kl))
        mean_tv, mean_kl = mpmath.mpf(float(q.mean_tv)), mpmath.mpf(float(q.mean_kl))
        new = max(abs(mpmath.mpf(float(x))) for x in q.expected_advantage)
        return {
            "trpo/tv": 4 * eps * g * (alpha / (1 - g)) ** 2,
            "trpo/kl": 4 * eps * g * d / (1 - g) ** 2,
            "pinsker/kl": 2 * eps * g * d / (1 - g) ** 2,
            "coupling/tv": 4 * eps * g * alpha**2 / (1 - g) / (1 - g * (1 - alpha)),
            "chain-rule/kl": 2 * eps * d * mpmath.nsum(lambda k: mpmath.sqrt(k) * g**k, [1, mpmath.inf]),
            "cpo/mean-tv": 2 * g * new * mean_tv / (1 - g) ** 2,
            "cpo/mean-kl": 2 * g * new * mpmath.sqrt(mean_kl / 2) / (1 - g) ** 2,
        }


@pytest.mark.parametrize("made", [zoo.f1(), zoo.f2(), zoo.f3(), zoo.f5(), zoo.f6(gamma=0.8), zoo.walk(x=0.2, n=5)])
def test_penalties_are_the_papers(made):
    q = tt.compare(made.mdp, made.old, made.new)
    expected = by_hand(q)
    assert set(expected) == set(tt.bounds)
    for name, value in expected.items():
        assert float(tt.bounds[name].penalty(q)) == pytest.approx(float(value), rel=1e-12), name
        assert float(tt.bounds[name].lower_bound(q)) == pytest.approx(float(q.surrogate - value), rel=1e-12)


@st.composite
def instances(draw):
    states, actions = draw(st.integers(1, 4)), draw(st.integers(1, 3))

    def rows(count, width):
        weights = np.array([[draw(st.integers(0, 6)) for _ in range(width)] for _ in range(count)], dtype=float)
        weights[weights.sum(1) == 0, draw(st.integers(0, width - 1))] = 1
        return weights / weights.sum(1, keepdims=True)

    transition = rows(states * actions, states).reshape(states, actions, states)
    reward = [[draw(st.integers(-5, 5)) for _ in range(actions)] for _ in range(states)]
    gamma = draw(st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.99, 0.9999]))
    mdp = tt.FiniteMDP(transition, reward, gamma, rows(1, states)[0])
    old, new = rows(states, actions), rows(states, actions)
    return mdp, old, tt.mixture(old, new, draw(st.sampled_from([1.0, 0.5, 0.1, 1e-3, 1e-7])))


@given(instances())
def test_every_bound_holds(instance):
    q = tt.compare(*instance)
    for check in tt.bounds.check_all(q):
        assert bool(check.holds), check
        assert check.rounding <= 1e-9 * (1 + np.abs(q.value).max()) / (1 - q.gamma)


def test_holds_can_be_false():
    """A wrong theorem (half of trpo/tv's constant) is caught by the same machinery: CLAIMS.md, trpo/tv-2."""
    wrong = tt.bounds.Bound("half", lambda q: tt.bounds["trpo/tv"].formula(q) / 2, "", "")
    made = zoo.f1(gamma=0.5, x=0.25)
    check = wrong.check(tt.compare(made.mdp, made.old, made.new))
    assert not bool(check.holds)
    assert float(check.slack) == pytest.approx(-0.4 + 0.25, rel=1e-13)


def test_infinite_divergence_promises_nothing():
    mdp = tt.FiniteMDP([[[1.0], [1.0]]], [[1.0, 0.0]], 0.5)
    q = tt.compare(mdp, [[0.5, 0.5]], [[1.0, 0.0]])
    assert float(q.max_kl) == np.inf
    for name in ("trpo/kl", "pinsker/kl", "chain-rule/kl", "cpo/mean-kl"):
        assert float(tt.bounds[name].penalty(q)) == np.inf
        assert float(tt.bounds[name].lower_bound(q)) == -np.inf
        assert bool(tt.bounds[name].check(q).holds)
    q = tt.compare(tt.FiniteMDP([[[1.0], [1.0]]], [[0.0, 0.0]], 0.5), [[0.5, 0.5]], [[1.0, 0.0]])
    assert float(tt.bounds["trpo/kl"].penalty(q)) == np.inf  # 0 times infinity: still nothing


def test_batched_bounds_are_the_single_ones():
    generator = np.random.default_rng(0)
    mdp = zoo.dirichlet(generator, states=4, actions=3, gamma=np.linspace(0, 0.99, 6), batch=(6,))
    old, new = zoo.random_policy(generator, (4, 3)), zoo.random_policy(generator, (6, 4, 3))
    checks = tt.bounds.check_all(tt.compare(mdp, old, new))
    for i in range(6):
        one = tt.FiniteMDP(mdp.transition[i], mdp.reward[i], float(mdp.gamma[i]), mdp.initial[i])
        for check, single in zip(checks, tt.bounds.check_all(tt.compare(one, old, new[i])), strict=True):
            assert check.slack[i] == pytest.approx(float(single.slack), rel=1e-11)
            assert check.penalty[i] == pytest.approx(float(single.penalty), rel=1e-11)


def test_the_catalogue_reads_as_a_mapping():
    assert "trpo/kl" in tt.bounds
    assert len(tt.bounds) == len(list(tt.bounds)) == 7
    with pytest.raises(tt.InvalidInput, match="did you mean 'trpo/kl'"):
        tt.bounds["trpo/lk"]
    for bound in tt.bounds.catalogue.values():
        assert bound.source
        assert bound.statement.startswith(r"\eta(\tilde\pi) \ge")


def test_bounds_as_a_frame():
    made = zoo.f1()
    frame = tt.bounds.to_frame(tt.bounds.check_all(tt.compare(made.mdp, made.old, made.new)))
    assert list(frame.columns) == ["id", "penalty", "lower_bound", "slack", "holds"]
    assert frame["holds"].all()
