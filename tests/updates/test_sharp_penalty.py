"""Penalty(bound="sharp/max-kl"): above what some MDP loses, below the chain rule's penalty, and with longer safe steps."""

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.step.partial import KnownQuantities
from trpo_theory.updates import sharp_penalty as sharp

GAMMA = 0.5


def li_minus_half(gamma):
    """Σ √k γᵏ, term by term."""
    k = np.arange(1, 2000)
    return float((np.sqrt(k) * gamma**k).sum())


def lost_by_a_walk(gamma, radius):
    """A lower bound on G(γ, radius): what one walk loses for each unit of ε, with TV as Bretagnolle and Huber allow it."""
    x = np.sqrt(-np.expm1(-2 * radius)) / 2
    walk = tt.zoo.walk(gamma=gamma, x=x, n=40)
    return -walk.gap / np.abs(tt.compare(walk.mdp, walk.old, walk.new).advantage).max()


def test_the_steps_enclose_their_radius():
    for radius in (1e-7, 3e-5, 0.01, 0.25, 1.0, 7.3):
        step = sharp.step_above(radius)
        assert sharp.radius_of(step - 1) < radius <= sharp.radius_of(step)


@pytest.fixture(autouse=True, scope="module")
def coarse():
    """Four nodes a step, not 8: an upper bound on G is proved on any, and looser on these."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharp, "_PER_STEP", 4.0)
        sharp.largest_gap.cache_clear()
        yield
    sharp.largest_gap.cache_clear()


@pytest.fixture(scope="module")
def steps():
    instance = tt.zoo.kakade(gamma=GAMMA)
    old = [[0.45, 0.55], [0.4, 0.6]]
    names = ("chain-rule/kl", "sharp/max-kl")
    return {name: tt.update(instance, old, tt.Penalty(bound=name)) for name in names}


@pytest.mark.slow
def test_the_penalty_is_between_a_walk_and_the_chain_rule(steps):
    step = steps["sharp/max-kl"]
    radius, size = float(step.max_kl), float(step.surrogate.max_abs_advantage[0])
    assert lost_by_a_walk(GAMMA, radius) * size <= float(step.penalty) <= 2 * li_minus_half(GAMMA) * radius * size


@pytest.mark.slow
def test_the_step_is_longer_promises_more_and_keeps_its_promise(steps):
    chain, best = steps["chain-rule/kl"], steps["sharp/max-kl"]
    assert best.status == "optimal"
    assert best.max_kl > 1.2 * chain.max_kl
    assert best.objective > 1.1 * chain.objective
    assert best.expected_return_new - best.expected_return_old >= best.objective > 0
    for delta in np.geomspace(0.3, 3, 12) * float(best.max_kl):  # no radius nearby does better under the same penalty
        other = tt.update(tt.zoo.kakade(gamma=GAMMA), [[0.45, 0.55], [0.4, 0.6]], tt.MaxKL(float(delta)))
        penalty = best.surrogate.penalty(sharp.SHARP_MAX_KL, other.max_kl)
        assert float(other.surrogate_gain) - float(penalty[0]) <= float(best.objective) * (1 + 1e-9)


def user_bound(formula):
    return tt.Penalty(bound=tt.bounds.Bound("mine/lemma", formula, r"\eta \ge L - ...", "a draft"))


def test_a_bound_that_reads_more_than_max_kl_is_refused_by_what_it_reads():
    with pytest.raises(tt.InvalidInput, match="reads max_kl and max_tv"):
        tt.update(tt.zoo.kakade(gamma=GAMMA), [[0.45, 0.55], [0.4, 0.6]], user_bound(lambda q: q.max_tv + q.max_kl))


def test_a_misspelt_quantity_is_not_taken_for_one_that_is_not_known():
    with pytest.raises(AttributeError, match="max_kl") as caught:
        tt.update(tt.zoo.kakade(gamma=GAMMA), [[0.45, 0.55], [0.4, 0.6]], user_bound(lambda q: q.max_kll))
    assert "max_kll" in str(caught.value)


def test_outside_its_radii_it_is_the_chain_rule():
    for radius in (0.0, 1e-9, 25.0):
        q = KnownQuantities(gamma=GAMMA, max_abs_advantage=3.0, max_kl=radius)
        assert float(sharp.SHARP_MAX_KL.penalty(q)) == pytest.approx(6 * li_minus_half(GAMMA) * radius, rel=1e-12)


@pytest.mark.slow
def test_a_step_counts_only_where_its_supersolution_is_proved(monkeypatch):
    """Else the penalty is the chain rule's: refused here as the checker refuses many at radii below 1e-6."""
    step, q = sharp.step_above(0.01), KnownQuantities(gamma=GAMMA, max_abs_advantage=3.0, max_kl=0.01)
    sharp.largest_gap.cache_clear()
    proved = float(sharp.SHARP_MAX_KL.penalty(q))
    assert 3 * lost_by_a_walk(GAMMA, sharp.radius_of(step - 1)) < proved

    def refused(*_, **__):
        raise tt.NotSolved("not proved")

    monkeypatch.setattr(sharp, "proved_supersolution", refused)
    sharp.largest_gap.cache_clear()
    assert proved < float(sharp.SHARP_MAX_KL.penalty(q)) == pytest.approx(6 * li_minus_half(GAMMA) * 0.01, rel=1e-12)
    sharp.largest_gap.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("radius", [1e-7, 1e-6])
def test_small_steps_are_proved_or_the_chain_rules(radius):
    """Floats alone are not enough there: 8 of 18 supersolutions are refused as they are found."""
    gap = sharp.largest_gap(0.9, sharp.step_above(radius))
    assert gap >= lost_by_a_walk(0.9, radius) > 0.8 * 2 * li_minus_half(0.9) * radius
