"""The policy gradient of a softmax policy: exact, and REINFORCE's estimate of it from rollouts; batched over policies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

import trpo_theory as tt


def exact_gradient(mdp: tt.FiniteMDP, rows: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """∂η/∂θ(g, a) = Σ_{s ∈ g} ρ(s) π(a|g) A(s, a), π = softmax(θ), and η.

    Source: the policy gradient theorem, Sutton, McAllester, Singh and Mansour (2000). In discounted reward a unit of logit.

    Args:
        mdp: one MDP, dense.
        rows: π, (R, G, A).
        group: the row of each state, (S,).

    Returns:
        The gradients (R, G, A) and the returns (R,).
    """
    here = tt.evaluate(mdp, rows[:, group])
    weighted = here.visitation[..., None] * here.advantage
    members = group == np.arange(rows.shape[1])[:, None]
    return rows * (members.astype(np.float64) @ weighted), np.asarray(here.expected_return)


@dataclass(frozen=True, eq=False)
class Sampler:
    """What rollouts of an MDP need: of each (s, a) the successors, (S·A, K), and their probabilities added up.

    Attributes:
        mdp: one MDP, whose rewards are the means r(s, a).
        group: the row of each state, (S,).
        successor: (S·A, K); rows that have fewer are filled up with others, of probability 0.
        cumulative: likewise.
        ended: the states that every action stays in, with reward 0, (S,).
    """

    mdp: tt.FiniteMDP
    group: np.ndarray
    successor: np.ndarray
    cumulative: np.ndarray
    ended: np.ndarray

    @classmethod
    def of(cls, mdp: tt.FiniteMDP, group: np.ndarray) -> Sampler:
        """The tables of an MDP."""
        dense = mdp.transition.toarray() if mdp.is_sparse else mdp.transition.reshape(-1, mdp.states)
        rows = sp.csr_array(dense)
        most = int(np.diff(rows.indptr).max())
        order = np.argsort(dense == 0, axis=1, kind="stable")[:, :most]
        cumulative = np.take_along_axis(dense, order, 1).cumsum(1)
        last = np.arange(most) >= np.diff(rows.indptr)[:, None] - 1
        cumulative[last] = 1.0  # whatever the rounding of the sum
        stays = np.einsum("sas->sa", dense.reshape(mdp.states, mdp.actions, mdp.states)) == 1
        return cls(mdp, group, order, cumulative, (stays & (mdp.reward == 0)).all(1))

    def gradient(self, rows: np.ndarray, episodes: int, horizon: int, generator: np.random.Generator) -> np.ndarray:
        """REINFORCE: the mean over episodes of Σ_{t < H} γᵗ (Σ_{k ≥ t} γ^{k−t} r_k) ∇ log π(a_t|s_t).

        Unbiased but for what lies beyond the horizon H. No baseline.   Source: Williams (1992); with the factor γᵗ, which
        the gradient of η has and common code omits.

        Args:
            rows: π, (R, G, A).
            episodes: for each of the R policies.
            horizon: H.
            generator: of the randomness.

        Returns:
            The estimates, (R, G, A).
        """
        runs, groups, actions = rows.shape
        table = np.maximum.accumulate(rows.cumsum(-1) / rows.sum(-1, keepdims=True), axis=-1).reshape(-1, actions)
        walker = np.arange(runs * episodes)
        state = self._first(len(walker), generator)
        visits, rewards = [], []
        for _ in range(horizon):
            going = ~self.ended[state]
            walker, state = walker[going], state[going]
            if not len(walker):
                break
            row = walker // episodes * groups + self.group[state]
            action = (generator.random(len(row))[:, None] >= table[row, :-1]).sum(1)
            pair = state * actions + action
            visits.append((walker, row * actions + action))
            rewards.append(self.mdp.reward.reshape(-1)[pair])
            place = (generator.random(len(row))[:, None] >= self.cumulative[pair, :-1]).sum(1)
            state = self.successor[pair, place]
        return self._collected(rows, visits, rewards, episodes)

    def _first(self, count: int, generator: np.random.Generator) -> np.ndarray:
        cumulative = self.mdp.initial.cumsum()[:-1]
        return (generator.random(count)[:, None] >= cumulative).sum(1)

    def _collected(self, rows: np.ndarray, visits: list, rewards: list, episodes: int) -> np.ndarray:
        """Σ w (1{a} − π(a)) over all visits of a row, w the discounted reward to go from there on."""
        gamma, weights = float(self.mdp.gamma), np.zeros(rows.size)
        to_go = np.zeros(len(rows) * episodes)
        for t in range(len(visits) - 1, -1, -1):
            walker, place = visits[t]
            to_go[walker] = rewards[t] + gamma * to_go[walker]
            weights += np.bincount(place, gamma**t * to_go[walker], minlength=rows.size)
        weights = weights.reshape(rows.shape)
        return (weights - rows * weights.sum(-1, keepdims=True)) / episodes
