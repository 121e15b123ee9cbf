"""Stable-Baselines3: a callback that records the policy over all states during a TRPO, PPO or A2C training."""

from __future__ import annotations

import numbers
import re
from typing import Any, cast

import numpy as np

from trpo_theory import _checks
from trpo_theory.errors import InvalidInput
from trpo_theory.integrations.recording import Recorder
from trpo_theory.io import Run, from_gym
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import PathLike, RealLike

try:
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
    from stable_baselines3.common.policies import ActorCriticPolicy
except ImportError as _error:
    raise ImportError(
        f"got no working stable_baselines3 ({_error}); wanted the extra [sb3]; fix: "
        "python -m pip install '.[sb3]' in a checkout (install a CPU build of torch first, and pip fetches no GPU libraries)",
        name=_error.name,
    ) from _error

_LOG_PREFIX = "train/"
"""Of the logger's names of what is recorded."""


class PolicyRecorder(BaseCallback):
    """A callback that stores the policy over all states before the first update and after each one.

    `model.learn(..., callback=recorder)`, then `recorder.run()` or `recorder.write("run.npz")`. TRPO (sb3-contrib), PPO
    and A2C, on an environment with a table: Gymnasium's toy text, and others with `P`. It draws no random numbers, so
    that the training is the same with and without it.

    The policy is that of the rollouts, π(·|s) of the network in float32. Every number that the logger has under train/
    at an update is kept under the last part of its name (`kl_divergence_loss`, `approx_kl`,
    `policy_objective`, ...), and `timesteps`, the steps of the environment so far.
    Note that the `kl_divergence_loss` of sb3-contrib's TRPO is the mean of
    KL(new‖old) over the states of its rollout, not of KL(old‖new) as in arXiv:1502.05477.

    The MDP is the infinite-horizon discounted one of the table, with `model.gamma`. The training differs from it in two
    ways: an environment with a time limit cuts its episodes short (Stable-Baselines3
    bootstraps their value there), so that its states come from shorter episodes than those of the discounted visitation;
    and rollouts weight the states they visit without the discount.

    Args:
        mdp: the MDP, if it cannot be read from the environment; its discount is then used.
        observations: the network's input in each state, shape (S, ...), if that is not the state's index
            (an environment whose observations are one-hot: `numpy.eye(S, dtype=numpy.float32)`).
        path: a .npz file to write when training ends.
        verbose: as for every callback of Stable-Baselines3.

    Raises:
        InvalidInput: when training starts, for an environment without a table, or an algorithm whose policy is not a
            distribution over actions for each state (DQN, recurrent or masked ones).
    """

    def __init__(
        self,
        mdp: FiniteMDP | None = None,
        *,
        observations: RealLike | None = None,
        path: PathLike | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(verbose)
        self._given, self._observations, self._path = mdp, observations, path
        self._recorder: Recorder | None = None
        self._of: Any = None
        self._updated = True

    @property
    def recorder(self) -> Recorder:
        """The recorder with the policies so far.

        Raises:
            InvalidInput: before any training.
        """
        if self._recorder is None:
            raise InvalidInput(
                got="a PolicyRecorder that has seen no training",
                wanted="one that was passed to learn",
                fix="call model.learn(total_timesteps, callback=recorder) first",
            )
        return self._recorder

    def run(self) -> Run:
        """The run so far, with its MDP; training may go on afterwards."""
        return self.recorder.run()

    def write(self, path: PathLike) -> Run:
        """Write the run so far as .npz, for `trpo-theory audit`; returns it."""
        return self.recorder.write(path)

    def _init_callback(self) -> None:
        if self._of is not None and self._of is not self.model:
            raise InvalidInput(
                got="a PolicyRecorder that has recorded another model",
                wanted="a recorder for each training",
                fix="make a new one: PolicyRecorder()",
            )
        model = _checked_model(self.model)
        if self._recorder is None:
            mdp = self._given if self._given is not None else mdp_of(model)
            self._recorder = Recorder(mdp, states=self._states(mdp), about=about_model(model))
        self._of = self.model

    def _states(self, mdp: FiniteMDP) -> Any:
        if self._observations is not None:
            return np.asarray(self._observations)
        size = getattr(self.model.observation_space, "n", None)
        if size is None:
            raise InvalidInput(
                got=f"the observation space {self.model.observation_space}",
                wanted="Discrete, the index of the state",
                fix="pass the observation of each state: PolicyRecorder(observations=...), shape (S, ...)",
            )
        return np.arange(size)

    def _on_rollout_start(self) -> None:
        self._take()

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        self._updated = True

    def _on_training_end(self) -> None:
        self._take()
        if self._path is not None:
            self.write(self._path)

    def _take(self) -> None:
        """Record the current policy, unless it is unchanged since the last one (as at the start of a second `learn`)."""
        recorder = self.recorder
        table = recorder.table(self._probabilities)
        same = recorder.last is not None and np.array_equal(table, recorder.last)
        if self._updated or not same:
            first = recorder.last is None
            recorder.add(table, **({} if first else self._logged()))
        self._updated = False

    def _probabilities(self, states: Any) -> Any:
        from stable_baselines3.common.utils import obs_as_tensor
        from torch import no_grad

        policy: Any = self.model.policy
        training = policy.training
        policy.set_training_mode(False)
        try:
            with no_grad():
                return policy.get_distribution(obs_as_tensor(states, policy.device)).distribution
        finally:
            policy.set_training_mode(training)

    def _logged(self) -> dict[str, float]:
        said = self.logger.name_to_value if self._updated else {}
        values = {
            re.sub(r"\W", "_", name.removeprefix(_LOG_PREFIX)): float(value)
            for name, value in said.items()
            if name.startswith(_LOG_PREFIX) and isinstance(value, numbers.Real)
        }
        target = getattr(self.model, "target_kl", None)
        values |= {} if target is None else {"target_kl": float(target)}
        return values | {"timesteps": float(self.model.num_timesteps)}


def mdp_of(model: OnPolicyAlgorithm) -> FiniteMDP:
    """The MDP of the environment that a model trains on, with the model's discount.

    Raises:
        InvalidInput: for an environment without a table, or one that runs in another process.
    """
    environment = model.get_env()
    inner = None if environment is None else getattr(environment.unwrapped, "envs", None)
    if not inner:
        raise InvalidInput(
            got="a model without an environment" if environment is None else "environments in other processes",
            wanted="the environment's table",
            fix="pass the MDP: PolicyRecorder(trpo_theory.load('gym:FrozenLake-v1', gamma=model.gamma))",
        )
    try:
        return from_gym(cast("Any", environment), _checks.discount(model.gamma))
    except InvalidInput as error:
        raise InvalidInput(
            got=error.got,
            wanted=error.wanted,
            fix=f"{error.fix}; or pass the MDP that it is: PolicyRecorder(mdp)",
        ) from None


def about_model(model: OnPolicyAlgorithm) -> dict[str, str | float]:
    """What identifies the run: algorithm, environment, seed, discount and steps of each update."""
    environment = model.get_env()
    inner = getattr(environment.unwrapped, "envs", None) if environment is not None else None
    spec = getattr(inner[0], "spec", None) if inner else None
    about: dict[str, str | float] = {"algorithm": type(model).__name__, "gamma": float(model.gamma)}
    about |= {} if spec is None else {"environment": spec.id}
    about |= {} if model.seed is None else {"seed": int(model.seed)}
    return about | {"steps_per_update": int(model.n_steps) * int(model.n_envs)}


def _checked_model(model: Any) -> OnPolicyAlgorithm:
    policy = getattr(model, "policy", None)
    plain = isinstance(model, OnPolicyAlgorithm) and isinstance(policy, ActorCriticPolicy)
    if plain and not hasattr(policy, "lstm_actor") and hasattr(model.action_space, "n"):
        return model
    raise InvalidInput(
        got=f"{type(model).__name__} with a {type(policy).__name__} and the action space {model.action_space}",
        wanted="TRPO, PPO or A2C with one distribution over discrete actions for each state",
        fix="record the policies yourself: trpo_theory.integrations.Recorder",
    )
