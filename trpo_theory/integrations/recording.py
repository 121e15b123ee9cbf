"""Recording your own training loop: policies as NumPy, PyTorch or JAX arrays, or as functions of the states."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, SupportsFloat

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.foreign import native
from trpo_theory.entries.kinds import MAPPING, SERIES, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.io import Run, run_of, write_run
from trpo_theory.io.runs import RUN_ROW_ATOL, run_row_atol
from trpo_theory.model.mdp import FiniteMDP, expect_one_mdp
from trpo_theory.model.shapes import Float
from trpo_theory.model.types import PathLike, RealLike

if TYPE_CHECKING:
    from trpo_theory.integrations.tensors import Distribution, Tensor

    PolicyLike = RealLike | Tensor | Distribution | Callable[..., object]
    StatesLike = RealLike | Tensor
else:
    PolicyLike = StatesLike = SupportsFloat = object  # at run time `Recorder` refuses with its own messages

_END = "terminated"
"""The label of the extra absorbing state that `io.from_gym` may append."""


class Recorder:
    """Records the policy before the first update and after each one, and makes a `Run` of them.

    Args:
        mdp: the MDP of the training (`trpo_theory.load("gym:FrozenLake-v1", gamma=0.99)`), with the discount that returns
            are computed with.
        states: the argument of policies that are functions, one entry for each state: an array or tensor (S, ...) of
            observations. By default the indices 0, ..., S − 1; `numpy.eye(S)` for one-hot observations.
        about: strings and numbers that identify the run: {"algorithm": "REINFORCE", "seed": 0}.

    >>> import trpo_theory as tt
    >>> recorder = Recorder(tt.load("zoo:kakade", gamma=0.9), about={"algorithm": "by hand"})
    >>> recorder.add([[0.5, 0.5], [0.5, 0.5]])
    >>> recorder.add(lambda states: np.array([[0.4, 0.6], [0.4, 0.6]])[states], kl=0.02)
    >>> recorder.run().updates
    1
    """

    def __init__(
        self, mdp: FiniteMDP, *, states: StatesLike | None = None, about: Mapping[str, object] | None = None
    ) -> None:
        expect_one_mdp(mdp)
        expect(MAPPING.or_none, about=about)
        self.mdp: FiniteMDP = mdp
        self.about: dict[str, object] = dict(about or {})
        # An environment whose ends need a state of their own (io.from_gym) has one observation fewer than states.
        self._observed = mdp.states - (mdp.state_labels is not None and mdp.state_labels[-1] == _END)
        self._states = np.arange(self._observed) if states is None else states
        if _length(self._states) != self._observed:
            raise InvalidInput(
                got=f"{_length(self._states)} states as the argument of policies",
                wanted=f"{self._observed}, one observation for each state of {mdp!r}",
                fix="pass them all, in the order of the MDP's states",
            )
        self._policies: list[np.ndarray] = []
        self._atol = RUN_ROW_ATOL
        self._logged: dict[str, dict[int, Any]] = {}

    def __len__(self) -> int:
        return len(self._policies)

    @property
    def last(self) -> Float[np.ndarray, "S A"] | None:
        """The policy added last, its rows not rescaled; None before the first."""
        return self._policies[-1] if self._policies else None

    def add(self, policy: PolicyLike, **logged: SupportsFloat) -> None:
        """Record a policy: first the one that training starts from, then the one after each update.

        Args:
            policy: an array (S, A) of probabilities, from NumPy, PyTorch (on any device, with or without gradient) or
                JAX; a distribution that has them as `probs`; or a function of all `states` at once that returns one of these.
            **logged: numbers of the update that led to this policy, such as kl=0.02.

        Raises:
            InvalidInput: for rows that are not distributions, another shape, or numbers logged before any update.
        """
        table = self.table(policy)
        if logged and not self._policies:
            raise InvalidInput(
                got=f"{', '.join(logged)} logged with the first policy, before any update",
                wanted="numbers of the update that led to the policy they are given with",
                fix="add the first policy alone, and give them with the next",
            )
        for name, value in logged.items():
            self._logged.setdefault(name, {})[len(self._policies) - 1] = _number(value, name)
        self._policies.append(table)

    def table(self, policy: PolicyLike) -> Float[np.ndarray, "S A"]:
        """The array (S, A) of a policy as `add` takes it, its rows not rescaled."""
        value = policy(self._states) if callable(policy) and not hasattr(policy, "probs") else policy
        value = getattr(value, "probs", value)
        atol, table = run_row_atol(value), _checks.real_array(value, "policy")
        if table.shape == (self._observed, self.mdp.actions) and self._observed < self.mdp.states:
            table = np.vstack([table, np.full((1, self.mdp.actions), 1.0 / self.mdp.actions)])
        if table.shape != (self.mdp.states, self.mdp.actions):
            raise InvalidInput(
                got=f"a policy of shape {table.shape}",
                wanted=f"({self.mdp.states}, {self.mdp.actions}): a row for each state, a column for each action",
                fix="call a function of one state for each: lambda states: [policy(state) for state in states]"
                if callable(policy)
                else "check that it belongs to this MDP and is not transposed",
            )
        _checks.probability_rows(table, "policy", atol=atol, written=False)
        self._atol = max(self._atol, atol)
        return table

    def run(self) -> Run:
        """The run so far; a number that an update did not log is NaN.

        Raises:
            InvalidInput: before the first update.
        """
        updates = max(len(self) - 1, 0)
        logged = {name: [said.get(k, math.nan) for k in range(updates)] for name, said in self._logged.items()}
        return self.run_with(logged)

    def run_with(self, logged: Mapping[str, RealLike]) -> Run:
        """The run so far with other logged numbers, one series a name."""
        return run_of(self._stacked(), self.mdp, logged=logged, about=self.about, atol=self._atol)

    def _stacked(self) -> np.ndarray:
        if not self._policies:
            raise InvalidInput(
                got="a run without a policy",
                wanted="the policy before the first update and one after each",
                fix="call add before training, and after each update",
            )
        return np.array(self._policies)

    def write(self, path: PathLike) -> Run:
        """Write the run so far as .npz, atomically, for `trpo-theory audit`; returns it."""
        run = self.run()
        write_run(run, path)
        return run


def record(
    policies: Iterable[PolicyLike],
    mdp: FiniteMDP,
    *,
    states: StatesLike | None = None,
    logged: Mapping[str, RealLike] | None = None,
    about: Mapping[str, object] | None = None,
) -> Run:
    """The run of a sequence of policies, or of a generator that trains between them.

    Args:
        policies: each as `Recorder.add` takes it; read one by one, so that a generator may yield the same network again
            after every update.
        mdp: as for `Recorder`.
        states: as for `Recorder`.
        logged: for each name, one number for each update, shape (T − 1,).
        about: strings and numbers that identify the run.

    >>> import trpo_theory as tt
    >>> record([np.eye(2), np.full((2, 2), 0.5)], tt.load("zoo:kakade", gamma=0.9)).updates
    1
    """
    expect(SERIES, policies=policies)
    expect(MAPPING.or_none, logged=logged)
    recorder = Recorder(mdp, states=states, about=about)
    for policy in policies:
        recorder.add(policy)
    return recorder.run_with(logged or {})


def _length(states: Any) -> int:
    try:
        return len(states)
    except TypeError:
        raise InvalidInput(
            got=f"{type(states).__name__} {states!r} as states"[:200],
            wanted="an array or a tensor, one entry for each state",
            fix="pass numpy.arange(S), numpy.eye(S) or the observations",
        ) from None


def _number(value: Any, name: str) -> float:
    try:
        return float(native(value, name))
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(
            got=f"{name} = {_checks.shown(value)}"[:200] + " logged",
            wanted="one number",
            fix="log its mean, or omit it",
        ) from None
