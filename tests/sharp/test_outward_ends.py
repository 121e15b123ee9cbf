"""A proved end of a sharp gap stays on its side of what was proved, as a float, as a quotient and in digits."""

from fractions import Fraction

import mpmath
import pytest
from cheap import long

import trpo_theory as tt
from trpo_theory.cli import main
from trpo_theory.sharp.prove_upper import check_supersolution


@pytest.mark.slow
@pytest.mark.parametrize(
    ("gamma", "radius"), [long(0.1, 1e-3), (0.2, 0.01), (0.3, 0.1), long(0.5, 0.03), long(0.7, 0.1), long(0.8, 1.0)]
)
def test_the_upper_end_of_a_mean_is_not_below_what_was_proved(gamma, radius):
    """Rounded to nearest it was, in 7 of 12."""
    gap = tt.sharp_gap("mean-kl", gamma, radius, nodes=10, certify=True)
    assert Fraction(gap.upper) >= check_supersolution(gap.proof()).bound
    assert gap.upper <= gap.supersolution.bound * (1 + 1e-4)


@pytest.mark.parametrize("divergence", ["max-kl", "max-tv"])
def test_quotients_are_below_lower_over_penalty(divergence):
    """The penalties by mpmath, at 40 digits and at the decimals that gamma and the radius are written as."""
    gap = tt.sharp_gap(divergence, 0.3, 0.1, nodes=10, certify=True)
    with mpmath.workdps(40):
        gamma, radius = mpmath.mpf(3) / 10, mpmath.mpf(1) / 10
        penalties = {
            "trpo/kl": 4 * gamma / (1 - gamma) ** 2 * radius,
            "pinsker/kl": 2 * gamma / (1 - gamma) ** 2 * radius,
            "chain-rule/kl": 2 * radius * mpmath.polylog(mpmath.mpf(-1) / 2, gamma),
            "trpo/tv": 4 * gamma / (1 - gamma) ** 2 * radius**2,
            "coupling/tv": 4 * gamma * radius**2 / ((1 - gamma) * (1 - gamma * (1 - radius))),
        }
        rows = {row["id"]: row["ratio"] for row in gap.bounds if row["id"] in penalties}
        assert len(rows) >= 2
        for name, ratio in rows.items():
            share = mpmath.mpf(gap.lower) / penalties[name]
            assert share * (1 - mpmath.mpf(2) ** -51) <= ratio <= share


def test_the_command_line_prints_digits_outward(capsys):
    gap = tt.sharp_gap("max-tv", 0.9, 0.01, certify=True)
    assert main(["sharp", "--divergence", "max-tv", "--gamma", "9/10", "--radius", "1/100", "--certify"]) == 0
    shown = dict(line.split() for line in capsys.readouterr().out.splitlines() if len(line.split()) == 2)
    assert Fraction(shown["lower"]) <= Fraction(gap.lower)
    assert Fraction(shown["upper"]) >= Fraction(gap.upper)
