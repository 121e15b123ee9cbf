"""The value functions of all policies of an MDP with two states, a polytope in the plane, and paths of policies in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.kinds import MAPPING, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.landscape.square import two_states
from trpo_theory.model.mdp import FiniteMDP, expect_mdp
from trpo_theory.model.policy import deterministic, uniform
from trpo_theory.model.shapes import Float, Int
from trpo_theory.model.types import RealLike
from trpo_theory.solve.control import Optimum, optimal
from trpo_theory.solve.evaluation import evaluate
from trpo_theory.updates import improve
from trpo_theory.updates.problems import Problem
from trpo_theory.updates.solvers.trpo_step import TRPOStep


@dataclass(frozen=True, eq=False)
class ValuePolytope:
    """Value functions as points (V(s₀), V(s₁)), discounted reward.

    Policies that agree in all states but one have their values on a line segment (Dadashi et al. 2019, theorem 1).

    Attributes:
        mdp: an MDP of two states.
        choices: the deterministic policies, (K, 2): the action in each state.
        vertices: their values, (K, 2).
        edges: value segments between deterministic policies that differ in one state, (E, 2, 2).
        strips: quadrilaterals that fill the set of all values, (F, 4, 2), each between two segments along which only
            π(·|s₁) varies, between two actions, while π(·|s₀) is a mixture of two actions.
        paths: for each name, the values of a sequence of policies, (T, 2).
        optimum: the optimal policy and value of the MDP.
    """

    mdp: FiniteMDP
    choices: Int[np.ndarray, "K 2"]
    vertices: Float[np.ndarray, "K 2"]
    edges: Float[np.ndarray, "E 2 2"]
    strips: Float[np.ndarray, "F 4 2"]
    paths: Mapping[str, Float[np.ndarray, "_ 2"]]
    optimum: Optimum

    def __repr__(self) -> str:
        return f"ValuePolytope({self.mdp}, vertices={len(self.vertices)}, paths=[{', '.join(self.paths)}])"


def value_polytope(
    mdp: FiniteMDP, paths: Mapping[str, RealLike] | None = None, *, resolution: int = 81
) -> ValuePolytope:
    """The values of all policies of a two-state MDP, and of paths of policies.

    Every value is that of a policy that mixes at most two actions in each state: for given (V(s₀), V(s₁)) the Bellman equation
    of s₀ is a line in the plane of (P_π(s₀|s₀), r_π(s₀)), and a line that meets the hull of the actions meets an edge of it.

    Args:
        mdp: dense, two states.
        paths: for each name, policies (T, 2, A), such as `improvement_path` makes.
        resolution: the number of segments that fill the image of each square of mixtures.

    Raises:
        InvalidInput: for another MDP, or a path that is not of its policies.

    Source: Dadashi, Taïga, Le Roux, Schuurmans, Bellemare (2019), The Value Function Polytope, arXiv:1901.11524.
    """
    mdp = two_states(mdp)
    expect(MAPPING.or_none, paths=paths)
    resolution = _checks.integer(resolution, "resolution", least=2)
    first, second = ([int(action) for action in np.flatnonzero(row)] for row in mdp.available)
    choices = np.array(list(product(first, second)))
    vertices = evaluate(mdp, deterministic(choices, mdp.actions)).value
    at = dict(zip(product(first, second), vertices, strict=True))
    edges = [[at[a, b], at[c, b]] for a, c in combinations(first, 2) for b in second]
    edges += [[at[a, b], at[a, c]] for a in first for b, c in combinations(second, 2)]
    values = {name: evaluate(mdp, _path(mdp, name, path)).value for name, path in (paths or {}).items()}
    return ValuePolytope(
        mdp=mdp,
        choices=choices,
        vertices=vertices,
        edges=np.reshape(np.array(edges, dtype=float), (-1, 2, 2)),
        strips=_strips(mdp, first, second, resolution),
        paths=values,
        optimum=optimal(mdp),
    )


def improvement_path(
    mdp: FiniteMDP, problem: Problem | TRPOStep, steps: int, *, old: RealLike | None = None
) -> Float[np.ndarray, "T S A"]:
    """The policies along `improve`, from old (by default uniform) on; it ends early where `improve` does."""
    expect_mdp(mdp)
    steps = _checks.integer(steps, "steps", least=1)
    policies = [_checks.policy_rows(uniform(mdp.available) if old is None else old, mdp.available, "old policy")]
    for _ in range(steps):
        trace = improve(mdp, problem, 1, old=policies[-1])
        if not trace.steps:
            break
        policies.append(trace.policy)
    return np.stack(policies)


def _path(mdp: FiniteMDP, name: str, path: RealLike) -> np.ndarray:
    policies = _checks.policy_rows(path, mdp.available, f"the path {name!r}")
    if policies.ndim != 3:
        raise InvalidInput(
            got=f"the path {name!r} of shape {policies.shape}",
            wanted=f"policies (T, 2, {mdp.actions}), one after the other",
            fix="make it by improvement_path(mdp, problem, steps)",
        )
    return policies


def _strips(mdp: FiniteMDP, first: list[int], second: list[int], resolution: int) -> np.ndarray:
    """Quadrilaterals between neighbouring segments, which π(·|s₁) traces while π(·|s₀) moves from one action to another."""
    weight = np.linspace(0.0, 1.0, resolution)[:, None]
    unit = np.eye(mdp.actions)
    out = []
    for a, c in combinations(first, 2):
        rows = (1 - weight) * unit[a] + weight * unit[c]
        for b, d in combinations(second, 2):
            policies = np.stack([np.stack([rows, np.broadcast_to(unit[e], rows.shape)], axis=1) for e in (b, d)])
            low, high = evaluate(mdp, policies).value
            out.append(np.stack([low[:-1], low[1:], high[1:], high[:-1]], axis=1))
    return np.concatenate(out) if out else np.empty((0, 4, 2))
