"""The ready-made witnesses: gaps, advantages and divergences from the definitions in plain NumPy, ratios from known values."""

import mpmath
import numpy as np
import pytest

from trpo_theory.claims import catalogue
from trpo_theory.proofs.settle import settle
from trpo_theory.search.closed_forms import closed_form_witnesses, walks
from trpo_theory.search.screen import Screen
from trpo_theory.search.witnesses import FILE, attained, sharp_witnesses, shipped, variations

LIMITS = {0.1: 0.111909, 0.5: 1.184981, 0.9: 21.0430, 0.95: 61.60}
"""lim gap/(2D) of the worst case as the largest KL tends to 0: floats of an independent code."""
MEAN_KL = {0.5: 2.030, 0.7: 1.517, 0.9: 1.151, 0.95: 1.073, 0.99: 1.014}
"""The least K with eta(new) >= L - K eps gamma/(1 - gamma)^2 mean-KL: lower ends, likewise."""
MEAN_KL_UPPER = {0.5: 2.071, 0.7: 1.527, 0.9: 1.155, 0.95: 1.078, 0.99: 1.021}


def of(batch, i):
    """P, r, gamma, rho0, old, new of one instance."""
    return tuple(getattr(batch, name)[i] for name in ("transition", "reward", "gamma", "initial", "old", "new"))


def occupied(transition, policy, gamma, initial):
    chain = np.einsum("sa,sat->st", policy, transition)
    return np.linalg.solve((np.eye(len(chain)) - gamma * chain).T, initial)


def step(batch, i):
    """L − η(new), A and the visits of old and new."""
    transition, reward, gamma, initial, old, new = of(batch, i)
    chain = np.einsum("sa,sat->st", old, transition)
    value = np.linalg.solve(np.eye(len(chain)) - gamma * chain, (old * reward).sum(1))
    advantage = reward + gamma * transition @ value - value[:, None]
    before, after = (occupied(transition, policy, gamma, initial) for policy in (old, new))
    return ((before - after) * (new * advantage).sum(1)).sum(), advantage, before, after


def divergence(name, old, new, weight):
    """By its name, of each state, then its largest or its mean; KL as Σ old (l − 1 − log l), which loses no digits."""
    played, reached = old > 0, new > 0
    ratio = np.where(played & reached, new, 1.0) / np.where(played & reached, old, 1.0)
    kinds = {
        "tv": np.abs(new - old) / 2,
        "chi2": np.where(reached, (new - old) ** 2, 0.0) / np.where(reached, new, 1.0),
        "reverse-kl": np.where(reached, new * np.log(ratio) + old - new, 0.0) + np.where(reached, 0.0, old),
        "kl": np.where(played, old * (ratio - 1 - np.log(ratio)), 0.0) + np.where(played, 0.0, new),
    }
    each = kinds[name.replace("max-", "").replace("mean-", "")].sum(1)
    visited = weight > 0
    return (weight[visited] * each[visited]).sum() / weight.sum() if name.startswith("mean") else each.max()


def cases():
    return [
        (batch, i, one) for batch, settings in zip(shipped(), attained(), strict=True) for i, one in enumerate(settings)
    ]


def test_each_witness_keeps_its_radius_and_attains_its_gap():
    for batch, i, one in cases():
        _, _, gamma, _, old, new = of(batch, i)
        gap, advantage, before, _ = step(batch, i)
        assert gamma == one.gamma
        size = np.abs(advantage).max() if one.normaliser == "max" else np.abs((new * advantage).sum(1)).max()
        assert gap / size == pytest.approx(one.gap, rel=3e-3), one
        found = divergence(one.divergence, old, new, before)
        assert found <= one.radius, one
        if "max" in one.divergence and one.radius < 0.2 * (1 - gamma):  # else the worst case need not use all of it
            assert found > 0.99 * one.radius, one


def test_all_states_are_reached_and_all_actions_played_so_that_maxima_see_no_padding():
    for batch in shipped():
        assert ((batch.old > 0) | (batch.new > 0)).all()
        for policies in (batch.old, batch.new):
            assert (policies >= 0).all()
            np.testing.assert_allclose(policies.sum(2), 1, rtol=0, atol=1e-15)
        np.testing.assert_allclose(batch.transition.sum(3), 1, rtol=0, atol=1e-15)
        for i in range(len(batch)):
            _, _, before, after = step(batch, i)
            assert (before + after > 0).all()


def test_every_divergence_normaliser_and_discount_has_some():
    found = {(one.divergence, one.normaliser, one.gamma) for _, _, one in cases()}
    names = {name for name, _, _ in found}
    assert names == {"max-kl", "mean-kl", "reverse-max-kl", "max-chi2", "mean-tv"}
    assert len(found) == len(names) * 2 * len({gamma for _, _, gamma in found})
    assert {0.5, 0.9, 0.99} <= {gamma for _, _, gamma in found}
    assert 2 <= min(batch.shape[0] for batch in sharp_witnesses()) <= 3
    assert 45 <= max(batch.shape[0] for batch in sharp_witnesses()) <= 64


@pytest.mark.parametrize("gamma", LIMITS)
def test_the_best_for_a_small_largest_kl_is_near_the_known_limit(gamma):
    best = 0.0
    for batch in sharp_witnesses():
        for i in np.flatnonzero(batch.gamma == gamma):
            _, _, _, _, old, new = of(batch, i)
            gap, advantage, before, _ = step(batch, i)
            radius = divergence("max-kl", old, new, before)
            if 1e-8 < radius < 2e-3 * (1 - gamma):
                best = max(best, gap / np.abs(advantage).max() / (2 * radius))
    assert 0.97 * LIMITS[gamma] < best < 1.004 * LIMITS[gamma]


@pytest.mark.parametrize("gamma", MEAN_KL)
def test_the_best_for_the_mean_kl_is_near_the_least_constant(gamma):
    best = 0.0
    for batch, i, one in cases():
        if one.gamma == gamma and (one.divergence, one.normaliser) == ("mean-kl", "max"):
            _, _, _, _, old, new = of(batch, i)
            gap, advantage, before, _ = step(batch, i)
            ratio = gap / np.abs(advantage).max() / divergence("mean-kl", old, new, before)
            best = max(best, ratio * (1 - gamma) ** 2 / gamma)
    assert 0.91 * MEAN_KL[gamma] < best < MEAN_KL_UPPER[gamma]


@pytest.mark.parametrize(("gamma", "n", "least"), [(0.9, 5, 0.795), (0.99, 12, 0.771), (0.5, 2, 0.852)])
def test_a_walk_whose_ends_let_go_is_worth_more_than_one_with_absorbing_ends(gamma, n, least):
    batch = walks(np.array([gamma]), np.array([1e-4]), n)
    _, _, _, _, old, new = of(batch, 0)
    gap, advantage, before, _ = step(batch, 0)
    ratio = gap / np.abs(advantage).max() / divergence("max-kl", old, new, before)
    share = ratio / (2 * float(mpmath.polylog(-0.5, gamma)))
    assert least - 1e-3 < share < least + 2e-3


def test_variations_have_the_discounts_and_steps_that_are_asked_for():
    batch = next(batch for batch in sharp_witnesses() if batch.shape == (5, 2))
    found = variations(batch, np.array([0.42, 0.9999]), np.array([1.0, 1e-3]))
    assert set(found.gamma) == {0.42, 0.9999}
    own = batch.take(np.flatnonzero(batch.gamma == 0.5))
    some = found.take(np.flatnonzero(found.gamma == 0.42))
    assert len(some) == 2 * len(own)
    np.testing.assert_array_equal(some.old[: len(own)], own.old)
    np.testing.assert_allclose(some.new[len(own) :] - own.old, 1e-3 * (own.new - own.old), rtol=1e-9, atol=1e-18)


def test_the_file_is_small_and_closed_forms_cost_no_byte():
    assert FILE.stat().st_size < 300_000
    assert sum(map(len, closed_form_witnesses())) > 200
    assert sum(map(len, sharp_witnesses())) == sum(map(len, shipped())) + sum(map(len, closed_form_witnesses()))


@pytest.mark.parametrize("name", ["wider", "cv2"])
def test_certificates_in_cv_that_are_too_wide_are_refuted_by_closed_forms_in_rationals(name):
    """Exact arithmetic refutes the first of each size that floats do; none refutes the true certificate."""
    claim, true = (catalogue[f"update/cv-certificate{end}"] for end in (f"-{name}", ""))
    refuted = 0
    for batch in closed_form_witnesses(range(12)):
        assert not Screen(true)(batch).negative.any()
        for index in np.flatnonzero(Screen(claim)(batch).negative)[:1]:
            refuted += settle(claim, batch.exact(index)).verdict == "refuted"
    assert refuted >= 1
