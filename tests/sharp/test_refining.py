"""Nodes where they are needed: what segments cost is how far both ends are apart, and a node in a segment lowers it."""

from fractions import Fraction

import numpy as np
import pytest

from trpo_theory.sharp.divergences import DIVERGENCES
from trpo_theory.sharp.gap import sharp_gap
from trpo_theory.sharp.iteration import solved
from trpo_theory.sharp.normaliser import Normaliser
from trpo_theory.sharp.refining import cost_of, divided
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.solving import space_of
from trpo_theory.sharp.supersolution import supersolution
from trpo_theory.sharp.witness import sharp_witness


def setting_of(name, gamma, radius, normaliser="max"):
    reduced = DIVERGENCES[name]
    return Setting(
        reduced.divergence.at(Fraction(str(radius))), gamma, radius, reduced.reduction.mean, Normaliser(normaliser)
    )


@pytest.mark.parametrize("per_step", [4.0, 8.0])
@pytest.mark.parametrize(
    ("name", "gamma", "radius", "normaliser"),
    [
        ("max-kl", 0.5, 0.1, "max"),
        ("max-chi2", 0.9, 0.01, "max"),
        ("max-jeffreys", 0.5, 0.1, "expected"),
        ("reverse-max-kl", 0.9, 0.1, "max"),
        ("max-ratio-deviation", 0.999, 0.01, "expected"),
    ],
)
def test_what_segments_cost_is_about_the_distance_of_both_ends(name, gamma, radius, normaliser, per_step):
    """Oracle: the ends themselves, a bound that is proved and an MDP that is evaluated."""
    setting = setting_of(name, gamma, radius, normaliser)
    space = space_of(setting, per_step)
    above = solved(setting, space)
    width = supersolution(above).bound / sharp_witness(above).gap - 1
    assert 0.9 * width < cost_of(above).whole < 1.1 * width


def test_a_node_more_stands_in_the_segments_that_cost_most_and_lowers_the_whole():
    setting = setting_of("max-kl", 0.5, 0.1)
    space = space_of(setting, 4.0)
    solution = solved(setting, space)
    cost = cost_of(solution)
    finer = divided(space, cost, 0.5 * cost.whole)
    new = np.setdiff1d(finer.stretch, space.stretch)
    assert len(new) == finer.size - space.size > 0
    assert finer.positions[finer.start] == 0
    segments = np.searchsorted(space.stretch, new) - 1
    assert len(np.unique(segments)) == len(new)
    assert cost.each[segments].min() >= np.delete(cost.each, segments).max()
    assert cost_of(solved(setting, finer, start=solution)).whole < 0.8 * cost.whole


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "gamma", "radius", "normaliser", "states"),
    [
        ("mean-kl", 0.5, 1e-4, "max", 300),
        ("mean-chi2", 0.5, 1e-4, "max", 300),
        ("reverse-mean-chi2", 0.5, 0.01, "max", 150),
        ("mean-hellinger2", 0.5, 1e-4, "expected", 20),
        ("mean-jensen-shannon", 0.5, 1e-4, "expected", 20),
        ("mean-kl", 0.99, 0.1, "max", 150),
    ],
)
def test_a_mean_reaches_its_width_with_few_states(name, gamma, radius, normaliser, states):
    """Rare large steps leave the other actions a ratio next to 1: evenly spaced nodes would be thousands."""
    gap = sharp_gap(name, gamma, radius, normaliser, certify=True)
    assert gap.aim is not None
    assert 0 <= gap.width <= gap.aim
    assert gap.witness.mdp.states < states
