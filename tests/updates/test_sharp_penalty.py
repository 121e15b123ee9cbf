"""Penalty(bound="sharp/NAME"): above what some MDP loses, below published bounds, and with longer safe steps."""

import numpy as np
import pytest
from cheap import long, sampled

import trpo_theory as tt
from trpo_theory.sharp import proved as proving
from trpo_theory.sharp.divergences import DIVERGENCES
from trpo_theory.step.partial import KnownQuantities
from trpo_theory.updates import Certified
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
        patch.setattr(sharp, "_PER_STEP_MEAN", 3.0)
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

    monkeypatch.setattr(proving, "proved_supersolution", refused)
    sharp.largest_gap.cache_clear()
    assert proved < float(sharp.SHARP_MAX_KL.penalty(q)) == pytest.approx(6 * li_minus_half(GAMMA) * 0.01, rel=1e-12)
    sharp.largest_gap.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("radius", [1e-7, 1e-6])
def test_small_steps_are_proved_or_the_chain_rules(radius):
    """Floats alone are not enough there: 8 of 18 supersolutions are refused as they are found."""
    gap = sharp.largest_gap(0.9, sharp.step_above(radius))
    assert gap >= lost_by_a_walk(0.9, radius) > 0.8 * 2 * li_minus_half(0.9) * radius


def penalty_of(name, **known):
    return float(sharp.SHARP[f"sharp/{name}"].penalty(KnownQuantities(gamma=GAMMA, max_abs_advantage=3.0, **known)))


def test_there_is_one_for_each_divergence_that_quantities_have():
    fields = {f"sharp/{name}": reduced.reduction.field for name, reduced in DIVERGENCES.items()}
    assert list(sharp.SHARP) == [id for id, field in fields.items() if field is not None]
    for id, bound in sharp.SHARP.items():
        q = KnownQuantities(gamma=GAMMA, max_abs_advantage=3.0, **{fields[id]: 0.0})
        assert float(bound.penalty(q)) == 0
        assert bound.expected is True
        assert Certified(id).bound is bound


@pytest.mark.parametrize("alpha", [1e-9, 0.2, 0.5, 0.8, 1.0])
def test_total_variation_is_in_closed_form(alpha):
    """What `coupling_tight` loses: two states, of which new leaves the first with α in each step."""
    expected = 6 * min(2 * alpha, 1) * GAMMA * alpha / ((1 - GAMMA) * (1 - GAMMA * (1 - alpha)))
    penalty = penalty_of("max-tv", max_tv=alpha)
    assert expected * (1 - 1e-14) <= penalty <= 2 * expected
    if alpha <= 0.5:
        assert penalty == pytest.approx(expected, rel=1e-14)
        tight = tt.zoo.coupling_tight(gamma=GAMMA, x=alpha)
        size = np.abs(tt.compare(tight.mdp, tight.old, tight.new).advantage).max()
        assert penalty * size / 3 == pytest.approx(-tight.gap, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "field"), [("reverse-max-kl", "reverse_max_kl"), ("reverse-max-chi2", "reverse_max_chi2")]
)
def test_of_small_steps_it_is_the_bound_of_a_smaller_divergence(name, field):
    for radius in (1e-9, 25.0):
        assert penalty_of(name, **{field: radius}) == pytest.approx(6 * li_minus_half(GAMMA) * radius, rel=1e-12)


def test_without_a_published_bound_it_does_not_exceed_all_that_can_be_lost(monkeypatch):
    monkeypatch.setattr(sharp, "largest_gap", lambda gamma, step, name: 0.01)  # a constant in place of programs
    assert penalty_of("reverse-mean-kl", reverse_mean_kl=1e-9) == pytest.approx(0.03)
    assert penalty_of("reverse-mean-kl", reverse_mean_kl=0.0) == 0
    assert penalty_of("reverse-mean-kl", reverse_mean_kl=25.0) == pytest.approx(3 * 2 * GAMMA / (1 - GAMMA))


def test_a_step_that_is_not_proved_takes_the_next_that_is(monkeypatch):
    asked = sharp.step_above(0.01)
    monkeypatch.setattr(sharp, "largest_gap", lambda gamma, step, name: 0.2 if step == asked + 2 else np.inf)
    assert penalty_of("max-hellinger2", max_hellinger2=0.01) == pytest.approx(0.6)


@pytest.mark.slow
@sampled(
    "name",
    [
        *(f"max-{name}" for name in ("kl", "chi2", "hellinger2", "jensen-shannon", "le-cam", "jeffreys", "renyi-half")),
        *("max-ratio-deviation", "reverse-max-kl", "reverse-max-chi2", "mean-chi2", "mean-tv"),
    ],
    every=4,
)
def test_it_is_above_what_a_walk_loses(name):
    """On one with a small step, whose loss is close to the largest for smooth divergences: within 8 %, and a step's 19 %."""
    walk = tt.zoo.walk(gamma=GAMMA, x=0.05, n=40)
    check = sharp.SHARP[f"sharp/{name}"].check(tt.compare(walk.mdp, walk.old, walk.new))
    assert check.holds
    assert float(check.penalty) >= -walk.gap > 0
    smooth = DIVERGENCES[name].divergence.second_derivative is not None
    if smooth and name.partition("-")[0] in ("max", "reverse") and "renyi" not in name:
        assert float(check.penalty) <= -walk.gap * 1.19 * 1.08


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("max-tv", "trpo/tv"),
        long("reverse-max-kl", "chain-rule/reverse-kl"),
        ("reverse-max-chi2", "chain-rule/kl"),
    ],
)
def test_its_siblings_keep_their_promise_and_promise_more(name, published):
    instance, old = tt.zoo.kakade(gamma=GAMMA), [[0.45, 0.55], [0.4, 0.6]]
    step = tt.update(instance, old, tt.Penalty(bound=f"sharp/{name}"))
    assert step.status == "optimal"
    assert step.expected_return_new - step.expected_return_old >= step.objective > 0
    assert step.objective > 1.01 * tt.update(instance, old, tt.Penalty(bound=published)).objective


def test_of_a_mean_the_best_step_is_found_without_a_published_bound(monkeypatch):
    """With G = 4D rounded up to steps: on a grid of radii nothing does better, by the same penalty."""
    monkeypatch.setattr(sharp, "largest_gap", lambda gamma, step, name: 4 * sharp.radius_of(step))
    instance, old = tt.zoo.kakade(gamma=GAMMA), [[0.45, 0.55], [0.4, 0.6]]
    step = tt.update(instance, old, tt.Penalty(bound="sharp/reverse-mean-chi2"))
    assert step.status == "optimal"
    size = float(step.surrogate.max_abs_advantage[0])
    for k in range(-60, 0):
        radius = 2.0 ** (k / 4)
        other = tt.update(instance, old, tt.ReverseMeanChi2(radius))
        assert float(other.surrogate_gain) - 4 * size * radius <= float(step.objective) * (1 + 1e-9)


def test_one_of_a_divergence_that_no_update_holds_down_is_refused_by_its_name():
    with pytest.raises(tt.InvalidInput, match=r"'sharp/max-jeffreys', which reads max_jeffreys; .*Certified"):
        tt.Penalty(bound="sharp/max-jeffreys")
    with pytest.raises(tt.InvalidInput, match="sharp/max-kl"):
        tt.Penalty(bound="sharp/max-kll")
