"""Small radii: h(0) between proved ends, against an independent code's, the walk's closed form, and gaps at a small radius."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from cheap import sampled

import trpo_theory as tt
from trpo_theory.cli import main
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.sharp.gap import sharp_gap
from trpo_theory.sharp.limit import sharp_limit
from trpo_theory.sharp.prove_limit import proved_above, proved_below

KNOWN = {
    "1/10": (0.111909, 0.112055),
    "1/4": (0.347891, 0.348082),
    "1/2": (1.184981, 1.185335),
    "3/4": (4.667713, 4.670275),
    "4/5": (6.8468, 6.8697),
    "9/10": (21.0430, 21.0590),
    "19/20": (61.60, 61.79),
}
"""h(0) between the floats of a code that shares nothing with this one: a linear program on other nodes."""


def walk(gamma):
    """γ/((1 − γ) √(1 − γ²)), the value of ξ = A = ±1."""
    return gamma / ((1 - gamma) * np.sqrt(1 - gamma**2))


@pytest.fixture(scope="module")
def half():
    return sharp_limit(Fraction(1, 2), certify=True, width=4e-3)


@sampled(
    "gamma", [name if name in ("1/4", "1/2") else pytest.param(name, marks=pytest.mark.slow) for name in KNOWN], every=6
)
def test_both_ends_are_about_the_value_of_another_code(gamma):
    low, high = KNOWN[gamma]
    found = sharp_limit(Fraction(gamma), certify=True, width=1e-3)
    assert found.certified
    assert walk(float(Fraction(gamma))) <= found.lower <= high
    assert low <= found.upper <= found.lower * 1.001
    d = 1 - float(Fraction(gamma))
    assert found.upper < sum(float(Fraction(gamma)) ** t * np.sqrt(t) for t in range(1, int(40 / d)))


@pytest.mark.whole
@pytest.mark.slow
def test_close_ends_at_a_discount_near_one():
    """√(γ/2) (1 − γ)^(−3/2) = 703.56 is no upper bound: at γ = 0.99 the lower end is above it."""
    found = sharp_limit(0.99, certify=True)
    assert np.sqrt(0.99 / 2) * 0.01**-1.5 < found.lower < found.upper < 705.5
    assert found.upper >= 704.51
    assert found.upper <= found.lower * 1.001


def test_it_is_the_gap_of_every_smooth_divergence_at_a_small_radius(half):
    for divergence, second in (("max-kl", 1), ("max-chi2", 2), ("max-hellinger2", 0.25)):
        gap = sharp_gap(divergence, 0.5, 1e-6, width=4e-3)
        limit = half.of(divergence)
        assert limit.lower == pytest.approx(2 * half.lower / second, rel=1e-12)
        assert limit.lower <= gap.upper / 1e-6 * (1 + 1e-3)
        assert gap.lower / 1e-6 <= limit.upper * (1 + 1e-3)


def test_shares_of_the_published_bounds(half):
    limit = half.of("max-kl")
    rows = {row["id"]: row for row in limit.bounds}
    chain_rule = 2 * sum(0.5**t * np.sqrt(t) for t in range(1, 200))
    assert rows["chain-rule/kl"]["penalty"] == pytest.approx(chain_rule, rel=1e-12)
    assert rows["chain-rule/kl"]["ratio"] == pytest.approx(2 * half.lower / chain_rule, rel=1e-12)
    assert rows["trpo/kl"]["penalty"] == pytest.approx(4 * 0.5 / 0.25, rel=1e-12)
    assert all(row["ratio"] < 1 for row in limit.bounds)


def test_a_supersolution_that_is_too_low_is_not_proved(half):
    with pytest.raises(NotSolved, match="not proved"):
        proved_above(replace(half.supersolution, w=half.supersolution.w * (1 - 1e-4)))
    with pytest.raises(NotSolved, match="convex"):
        proved_above(replace(half.supersolution, w=half.supersolution.w[::-1].copy()))


def test_any_laws_are_a_lower_bound(half):
    """Those of the walk have its value; with no law anywhere what is left is γ E|S_1| + ..., at 0 nothing."""
    laws = half.laws
    assert proved_below(replace(laws, frozen=np.ones_like(laws.frozen))) <= 0
    size = 60
    positions = np.arange(-size, size + 1.0)
    target = np.clip(np.arange(2 * size + 1)[:, None] + np.array([1, -1, 0, 0]), 0, 2 * size)
    sign = np.broadcast_to([1.0, -1.0, 1.0, -1.0], target.shape)
    frozen = np.abs(positions) == size
    value = proved_below(replace(laws, positions=positions, target=target, sign=sign, frozen=frozen))
    assert float(value) == pytest.approx(walk(0.5), rel=1e-12)


@pytest.mark.parametrize("divergence", ["max-tv", "max-ratio-deviation", "mean-kl", "kl"])
def test_a_divergence_without_such_a_limit_is_refused(half, divergence):
    with pytest.raises(InvalidInput):
        half.of(divergence)


def test_the_command_line_says_the_same(half, capsys):
    words = ["sharp", "--divergence", "max-chi2", "--gamma", "1/2", "--limit", "--certify", "--width", "0.004"]
    assert main([*words, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["h_lower"], printed["h_upper"], printed["certified"]) == (half.lower, half.upper, True)
    assert (printed["lower"], printed["upper"]) == (half.of("max-chi2").lower, half.of("max-chi2").upper)
    assert main([*words[:-3], "--width", "0.004"]) == 0
    assert "in floats" in capsys.readouterr().out
    for wrong in (["--radius", "1/100"], ["--normaliser", "expected"], ["--out", "x.json"]):
        assert main([*words, *wrong]) == 2
    assert main(["sharp", "--divergence", "max-kl", "--gamma", "1/2"]) == 2
    assert "--limit" in capsys.readouterr().err


def test_the_public_name():
    assert tt.sharp_limit is sharp_limit
