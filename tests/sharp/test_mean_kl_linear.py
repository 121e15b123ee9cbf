"""The linear mean-KL bounds: the supersolution from its definition at random places, the proof, and where it must fail."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from cheap import sampled

import trpo_theory as tt
from trpo_theory.errors import NotSolved
from trpo_theory.sharp.mean_kl.half_line import FROM_A_QUARTER, FROM_FOUR_FIFTHS

CASES = [FROM_A_QUARTER, FROM_FOUR_FIFTHS]


def left_over(case, gamma, x, ratio, sign):
    """w(x) less the right-hand side, and the size of its terms; w, μ, ν as they are written in the proof's first lines."""
    k, constant, (height, width), square = map(
        lambda part: tuple(map(float, part)) if isinstance(part, tuple) else float(part),
        (case.k, case.constant, case.tilt, case.shift),
    )
    m, multiplier = np.abs(x - 1), constant * gamma / (1 - gamma)
    away = m > 1 / 20
    tilt, shift = away * height * m / (m + width), away * m**2 / (m**2 + square)

    def w(u):
        return k / (1 - gamma) * (u - 1) ** 2 / (u + 1)

    mu = gamma * k / (1 - gamma) * (1 - 4 / (x + 1) ** 2) * x + m * tilt
    divergence = tt.divergence.x_minus_log1p(ratio - 1)
    terms = [
        w(x),
        -m * (ratio - 1) * sign,
        multiplier * divergence,
        -gamma * w(x * ratio),
        mu * (ratio - 1),
        -m * shift * sign,
    ]
    return sum(terms), sum(map(np.abs, terms))


@pytest.mark.parametrize("case", CASES, ids=["4", "2"])
def test_the_supersolution_holds_at_random_places(case):
    generator = np.random.default_rng(0)
    size = 200_000
    for gamma in (float(case.gamma), 0.85, 0.99):
        x = np.concatenate([np.exp(generator.normal(0, 3, size)), 1 + generator.normal(0, 0.1, size).clip(-0.99)])
        ratio = np.concatenate([np.exp(generator.normal(0, 3, size)), 1 + generator.normal(0, 0.2, size).clip(-0.99)])
        for sign in (1, -1):
            left, terms = left_over(case, gamma, x, ratio, sign)
            assert (left >= -1e-12 * terms).all()


@pytest.mark.slow
@sampled("case", CASES, ids=["4", "2"], every=2)
def test_it_is_proved_and_not_where_it_is_false(case):
    """A constant below 2 √((1 − γ)/γ) is false: the quadratic part of any w at x = 1 has 4 c (1 − γ)(λ/2 − γ c) ≥ 1."""
    assert case.prove() > 1000
    false = Fraction(4, 4 + case.constant**2)
    with pytest.raises(NotSolved, match="not proved"):
        dataclasses.replace(case, gamma=false - Fraction(1, 1000)).prove()


@pytest.mark.slow
def test_multipliers_that_prove_nothing_far_away_are_refused():
    with pytest.raises(NotSolved, match="beyond"):
        dataclasses.replace(FROM_A_QUARTER, largest=2).prove()


@pytest.mark.whole
@pytest.mark.slow
@sampled(("gamma", "bound"), [(0.25, "mean-kl/linear-4"), (0.8, "mean-kl/linear-2")], every=2)
def test_the_sharp_gap_is_below(gamma, bound):
    """Another proof of nearly the same at one radius: the program's own upper bound lies between its witness and the penalty."""
    gap = tt.sharp_gap("mean-kl", gamma, 0.05, nodes=24)
    row = next(row for row in gap.bounds if row["id"] == bound)
    assert gap.lower <= gap.upper <= row["penalty"]
    assert not [row for row in tt.sharp_gap("mean-kl", 0.19, 0.05, nodes=10).bounds if row["id"].startswith("mean-kl/")]


def test_hypotheses_depend_on_the_discount():
    for gamma, expected in ((0.19, (False, False)), (0.2, (True, False)), (0.25, (True, False)), (0.8, (True, True))):
        f2 = tt.zoo.f2(gamma=gamma, x=0.1)
        q = tt.compare(f2.mdp, f2.old, f2.new)
        checks = [tt.bounds[f"mean-kl/linear-{constant}"].check(q) for constant in (4, 2)]
        assert tuple(not check.says_nothing for check in checks) == expected
        assert all(check.holds for check in checks)
