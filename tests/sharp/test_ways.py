"""Where the actions of a witness lead: to the nodes about x l in the same mean, with decimals that sum to one."""

from fractions import Fraction

import numpy as np
import pytest

from trpo_theory.sharp.gap import sharp_gap
from trpo_theory.sharp.laws import Atoms
from trpo_theory.sharp.space import ratio_space
from trpo_theory.sharp.ways import ways_of

RATIOS = np.array([0.1, 0.5, 1.0, 1.25, 4.0])


def test_the_mean_of_where_an_action_leads_is_x_times_l():
    rng = np.random.default_rng(0)
    space = ratio_space(RATIOS)
    ratio = rng.uniform(0, 3, (len(RATIOS), 6)) * rng.integers(0, 2, (len(RATIOS), 6))
    own = (rng.random(ratio.shape) < 0.8).astype(float)
    ways = ways_of(space, Atoms(own, ratio - 1, np.ones_like(ratio), np.zeros_like(ratio)))
    only_new = len(RATIOS) + 1
    for s, x in enumerate(RATIOS):
        for a in range(ratio.shape[1]):
            exact = [Fraction(repr(p)) for p in np.zeros(only_new + 1).tolist()]
            exact[ways.first[s, a]] += 1 - Fraction(repr(float(ways.share[s, a])))
            exact[ways.second[s, a]] += Fraction(repr(float(ways.share[s, a])))
            assert sum(exact) == 1
            if not own[s, a]:
                assert exact[only_new] == 1
                continue
            mean = sum(float(p) * y for p, y in zip(exact, [*RATIOS, 0.0, np.nan], strict=True) if p)
            assert mean == pytest.approx(min(x * ratio[s, a], RATIOS[-1]), abs=3e-6)


def test_rows_of_a_transition_are_decimals_that_sum_to_one():
    gap = sharp_gap("max-ratio-deviation", 0.9, 0.1, nodes=200)
    matrix = gap.witness.mdp.transition
    assert gap.witness.mdp.is_sparse
    data = [Fraction(repr(p)) for p in matrix.data.tolist()]
    assert min(data) > 0
    assert {sum(data[a:b]) for a, b in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)} == {1}
    assert max(np.diff(matrix.indptr)) == 2


@pytest.mark.parametrize(
    ("name", "gamma", "radius", "normaliser"),
    [
        pytest.param("max-ratio-deviation", 0.999, 0.01, "max", marks=pytest.mark.whole),
        ("max-ratio-deviation", 0.999, 0.01, "expected"),
        ("max-ratio-deviation", 0.9, 1.5, "max"),
        pytest.param("max-jeffreys", 0.999, 0.01, "expected", marks=pytest.mark.whole),
        pytest.param("mean-jeffreys", 0.999, 0.01, "expected", marks=pytest.mark.whole),
        pytest.param("mean-kl", 0.99, 0.001, "expected", marks=pytest.mark.whole),
        pytest.param("reverse-mean-chi2", 0.999, 0.01, "max", marks=pytest.mark.whole),
    ],
)
def test_widths_that_were_missed_are_reached_and_proved(name, gamma, radius, normaliser):
    """Laws at the ends of a clip; prices next to 0; a policy iteration that never came to rest; a price between two kinks."""
    gap = sharp_gap(name, gamma, radius, normaliser, certify=True)
    assert gap.aim is not None
    assert 0 <= gap.width <= gap.aim


@pytest.mark.parametrize("nodes", [100, 125])
def test_a_degenerate_basis_of_a_horizon_is_improved_again(nodes):
    """Oracle: both ends are of the same number; exchanges that gained nothing fifteen times left the upper one twice too high."""
    gap = sharp_gap("max-jeffreys", 1, 0.1, horizon=5, nodes=nodes)
    assert 0 <= gap.width < 2e-3
