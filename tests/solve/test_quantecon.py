"""Agreement with QuantEcon on every Gymnasium environment that has a table."""

import numpy as np
import pytest
from cheap import long
from later import Later

import trpo_theory as tt

markov = Later("quantecon.markov")
pytestmark = pytest.mark.peers

ENVIRONMENTS = [
    "gym:FrozenLake-v1",
    "gym:FrozenLake-v1?is_slippery=false",
    "gym:FrozenLake-v1?map_name=8x8",
    "gym:FrozenLake-v1?map_name=8x8&is_slippery=false",
    "gym:FrozenLake8x8-v1",
    "gym:CliffWalking-v1",
    "gym:CliffWalkingSlippery-v1",
    "gym:Taxi-v4",
    long("gym:Taxi-v4?is_rainy=true"),
]


@pytest.mark.slow
@pytest.mark.parametrize("gamma", [0.9, 0.99])
@pytest.mark.parametrize("source", ENVIRONMENTS)
def test_values_are_quantecons(source, gamma):
    mdp = tt.load(source, gamma=gamma)
    model = markov.DiscreteDP(np.array(mdp.reward), np.array(mdp.transition), gamma)
    solved = model.solve(method="policy_iteration")
    scale = np.abs(solved.v).max()
    np.testing.assert_allclose(tt.optimal(mdp).value, solved.v, rtol=0, atol=1e-10 * scale)
    action = np.random.default_rng(0).integers(mdp.actions, size=mdp.states)
    value = tt.evaluate(mdp, np.eye(mdp.actions)[action]).value
    np.testing.assert_allclose(value, model.evaluate_policy(action), rtol=0, atol=1e-11 * np.abs(value).max())
