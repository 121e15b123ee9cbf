"""The algorithms that are compared, from the uniform policy on: their returns, update by update."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import trpo_theory as tt
from trpo_theory.updates import Certified
from trpo_theory.updates.certified import Aim
from trpo_theory.updates.improving import Reason
from trpo_theory.updates.problems import Problem

_CHUNK = 25
"""Updates between two looks at the progress. Chosen."""

_STALLED = 3e-4
"""A method is stopped where the last 25 updates brought less than this share of its gain so far. Chosen."""

Returns = np.ndarray
"""η of the uniform policy and after each update."""

Start = Callable[[tt.FiniteMDP, tt.StateAggregation | None, int], Returns]


@dataclass(frozen=True)
class Method:
    """An algorithm.

    Attributes:
        name: as tables show it.
        kind: "certified", "penalty", "unproven" or "greedy".
        returns: runs it, for so many updates at most.
    """

    name: str
    kind: str
    returns: Start

    @property
    def proved(self) -> bool:
        """Whether a theorem says that η never falls, in every class of policies."""
        return self.kind in ("certified", "penalty")


def certified(bound: str, aim: Aim = "radius") -> Method:
    """The largest step in max_s χ²(new‖old) that a bound certifies; or the one at which the bound promises most."""
    name = bound if aim == "radius" else f"{bound}, best promise"
    return Method(name, "certified", _improving(tt.ReverseMaxChi2(Certified(bound, aim=aim))))


def penalty(bound: str) -> Method:
    """Problem (11)."""
    return Method(f"(11) {bound}", "penalty", _improving(tt.Penalty(bound=bound)))


def unproven(delta: float) -> list[Method]:
    """Problems (12) and (13) at a fixed radius."""
    problems = {"(12)": tt.MaxKL(delta), "(13)": tt.MeanKL(delta)}
    return [Method(f"{name}, {delta:g}", "unproven", _improving(problem)) for name, problem in problems.items()]


def greedy() -> Method:
    """Policy iteration; in a class with shared rows, the maximiser of L over the class without a trust region."""
    return Method("policy iteration", "greedy", _greedy_returns)


def _improving(problem: Problem) -> Start:
    def returns(mdp: tt.FiniteMDP, aggregation: tt.StateAggregation | None, cap: int) -> Returns:
        policy = tt.uniform(mdp.available)
        found = [float(tt.evaluate(mdp, policy).expected_return)]
        while len(found) <= cap:
            steps = min(_CHUNK, cap + 1 - len(found))
            trace = tt.improve(mdp, problem, steps, old=policy, aggregation=aggregation)
            found += [step.expected_return for step in trace.steps]
            policy, brought = trace.policy, trace.expected_return - trace.initial_return
            if trace.reason is not Reason.STEPS or abs(brought) < _STALLED * abs(found[-1] - found[0]):
                break
        return np.array(found)

    return returns


def _greedy_returns(mdp: tt.FiniteMDP, aggregation: tt.StateAggregation | None, cap: int) -> Returns:
    """It ends where a policy comes again."""
    group = np.arange(mdp.states) if aggregation is None else np.asarray(aggregation.group)
    policy, seen, found = tt.uniform(mdp.available), set[bytes](), []
    while len(found) <= cap:
        here = tt.evaluate(mdp, policy)
        found.append(float(here.expected_return))
        if policy.tobytes() in seen:
            break
        seen.add(policy.tobytes())
        members = (group == np.arange(group.max() + 1)[:, None]).astype(float)
        advantage = here.advantage
        visited = members @ (here.visitation[:, None] * advantage)
        unseen = (members @ here.visitation == 0)[:, None]
        scores = np.where(unseen, members @ advantage, visited)[group]
        policy = np.eye(mdp.actions)[np.where(mdp.available, scores, -np.inf).argmax(1)]
    return np.array(found)
