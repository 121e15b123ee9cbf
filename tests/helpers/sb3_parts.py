"""What the tests of Stable-Baselines3 derive from its classes."""

import gymnasium
import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback


def on_one_hot_states(model, states=16):
    """π of the network on one-hot states, by its layers alone: nothing of Stable-Baselines3 between."""
    policy = model.policy
    with torch.no_grad():
        logits = policy.action_net(policy.mlp_extractor.policy_net(torch.eye(states)))
    logits = logits.double().numpy()
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


class Witness(BaseCallback):
    """A second pair of eyes: parameters and rollouts at the moments when Stable-Baselines3 says they begin and end."""

    def __init__(self):
        super().__init__()
        self.tables, self.visited = [], []

    def _on_rollout_start(self):
        self.tables.append(on_one_hot_states(self.model))

    def _on_rollout_end(self):
        self.visited.append(self.model.rollout_buffer.observations.astype(int).ravel().copy())

    def _on_step(self):
        return True


class OneHot(gymnasium.ObservationWrapper):
    """One-hot vectors instead of the states' numbers."""

    def __init__(self, env):
        super().__init__(env)
        self.observation_space = gymnasium.spaces.Box(0, 1, (16,), np.float32)

    def observation(self, observation):
        return np.eye(16, dtype=np.float32)[observation]
