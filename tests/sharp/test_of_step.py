"""The sharp constant of a step in its setting: closed forms in total variation, what no step exceeds, bad input."""

import json

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory import cli
from trpo_theory.errors import InvalidInput
from trpo_theory.sharp.of_step import sharp_of_step


def restarted(family):
    """The family's MDP started anew with probability 1 − γ in each step: average rewards, β = 1 − γ."""
    mdp, gamma = family.mdp, float(family.mdp.gamma)
    moves = gamma * mdp.transition + (1 - gamma) * mdp.initial
    return tt.FiniteMDP(moves, mdp.reward, 1.0, mdp.initial, available=mdp.available)


@pytest.mark.parametrize(("steps", "worst"), [(2, 1 / 4), (3, 11 / 16), (5, 499 / 256)])
def test_f1_attains_it_over_a_horizon(steps, worst):
    family = tt.zoo.coupling_tight(gamma=0.5, x=0.25)
    q = tt.compare(family.mdp.with_gamma(1.0), family.old, family.new, horizon=steps)
    found = sharp_of_step(q, "max-tv")
    assert found.share == 1
    assert found.gap.horizon == steps
    scale = float(q.max_abs_advantage)
    assert found.upper == pytest.approx(scale * worst, rel=1e-3)
    assert -float(q.surrogate_gap) <= found.upper * (1 + 1e-9)


def test_of_average_rewards_it_is_beta_times_the_discounted_one():
    """G = 4 γ α²/((1 − γ)(1 − γ (1 − α))) in total variation, attained by F1 at γ = 1 − β."""
    family, gamma, x = tt.zoo.coupling_tight(gamma=0.8, x=0.25), 0.8, 0.25
    q = tt.compare(restarted(family), family.old, family.new, criterion="average")
    found = sharp_of_step(q, "max-tv")
    closed = 4 * gamma * x**2 / ((1 - gamma) * (1 - gamma * (1 - x)))
    assert found.share == pytest.approx(1 - gamma, rel=1e-12)
    assert found.upper == pytest.approx((1 - gamma) * float(q.max_abs_advantage) * closed, rel=1e-6)
    assert -float(q.surrogate_gap) == pytest.approx(found.upper, rel=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5])
def test_where_there_is_nothing_to_say(gamma):
    mdp = tt.FiniteMDP([[[1, 0], [0, 1]]] * 2, [[0, 1], [2, 0]], gamma)
    even, first = [[0.5, 0.5]] * 2, [[1.0, 0.0]] * 2
    q = tt.compare(mdp, even, first)
    assert sharp_of_step(q) is None  # KL is infinite
    assert sharp_of_step(tt.compare(mdp, even, even), "max-tv") is None
    assert (sharp_of_step(q, "max-tv") is None) == (gamma == 0)
    assert sharp_of_step(tt.compare(mdp, even, even, criterion="average"), "max-tv") is None
    assert sharp_of_step(tt.compare(mdp, even, first, horizon=1), "max-tv") is None


def test_bad_input_is_refused():
    ending = tt.FiniteMDP([[[0, 1], [1, 0]], [[0, 1], [0, 1]]], [[1, 0], [0, 0]], 1.0)
    even, other = np.full((2, 2), 0.5), np.array([[0.25, 0.75], [0.5, 0.5]])
    q = tt.compare(ending, even, other)
    with pytest.raises(InvalidInput, match="give horizon=T"):
        sharp_of_step(q, "max-tv")
    with pytest.raises(InvalidInput, match="divergence = 'tv'"):
        sharp_of_step(q, "tv")


def test_the_command_line_says_it(capsys):
    call = ["bound", "zoo:coupling-tight?x=1/4", "--gamma", "1/2", "--old", "old", "--new", "new", "--sharp"]
    assert cli.main(call) == 0
    assert "sharp in max-tv: over all MDPs with gamma 0.5" in " ".join(capsys.readouterr().out.split())
    assert cli.main([*call, "--json"]) == 0
    (one,) = (row for row in json.loads(capsys.readouterr().out)["sharp"] if row["divergence"] == "max-tv")
    assert one["upper"] == pytest.approx(0.4, rel=1e-5)
