"""All policies of an MDP with two states and two actions: η, L and M over the unit square, trust regions and steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trpo_theory import _checks, bounds
from trpo_theory.bounds import Bound
from trpo_theory.entries.kinds import MAPPING, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP, expect_mdp
from trpo_theory.model.shapes import Float
from trpo_theory.model.types import RealLike
from trpo_theory.numerics.divergence import kl_of_change
from trpo_theory.solve.control import Optimum, optimal
from trpo_theory.step.quantities import Quantities, quantities_of
from trpo_theory.updates import MaxKL, MeanKL, Penalty, TRPOStep, UpdateSolution, update
from trpo_theory.updates.problems import Problem

_BISECTIONS = 64
"""Enough for the 53 bits of a float in [0, 1], and some below."""
_CORNERS = 721
"""Points on the boundary of a region, the first one repeated: at multiples of half a degree, which include the corners."""


@dataclass(frozen=True, eq=False)
class Section:
    """η, L and M along a ray of policies from old, each (K,).

    Attributes:
        distance: Euclidean, from old, in the coordinates (new(a₀|s₀), new(a₀|s₁)).
        expected_return, surrogate, lower_bound: in discounted reward; M may be −∞ on the edge of the square.
    """

    distance: Float[np.ndarray, "K"]
    expected_return: Float[np.ndarray, "K"]
    surrogate: Float[np.ndarray, "K"]
    lower_bound: Float[np.ndarray, "K"]


@dataclass(frozen=True, eq=False)
class PolicySquare:
    """η, L and M over the square of policies, whose points are (new(a₀|s₀), new(a₀|s₁)), with trust regions and steps from old.

    Attributes:
        mdp, old: the MDP and the old policy, of shape (2, 2).
        delta: the radius of the trust regions, nats.
        bound: the bound whose penalty defines M = L − penalty.
        nodes: the grid on both axes, (N,); fields [i, j] belong to the point (nodes[i], nodes[j]).
        steps: for each name, the solution of an update problem from old.
        optimum: the optimal policy and value of the MDP.
    """

    mdp: FiniteMDP
    old: Float[np.ndarray, "2 2"]
    delta: float
    bound: Bound
    nodes: Float[np.ndarray, "N"]
    steps: Mapping[str, UpdateSolution]
    optimum: Optimum

    @cached_property
    def quantities(self) -> Quantities:
        """The quantities of the steps from old to every policy of the grid, batch (N, N)."""
        return self._at(np.stack(np.meshgrid(self.nodes, self.nodes, indexing="ij"), axis=-1))

    def _at(self, points: np.ndarray) -> Quantities:
        return quantities_of(self.mdp, self.old, policies_at(points))

    @property
    def expected_return(self) -> Float[np.ndarray, "N N"]:
        """η of every policy, discounted reward."""
        return self.quantities.expected_return_new

    @property
    def surrogate(self) -> Float[np.ndarray, "N N"]:
        """L_old, equation (7)."""
        return self.quantities.surrogate

    @property
    def max_kl(self) -> Float[np.ndarray, "N N"]:
        """max_s KL(old_s‖new_s), nats; ∞ on an edge."""
        return self.quantities.max_kl

    @property
    def mean_kl(self) -> Float[np.ndarray, "N N"]:
        """Σ_s d_old(s) KL(old_s‖new_s), nats."""
        return self.quantities.mean_kl

    @cached_property
    def lower_bound(self) -> Float[np.ndarray, "N N"]:
        """M = L − penalty, equation (10); −∞ where the bound says nothing."""
        return np.broadcast_to(self.bound.lower_bound(self.quantities), self.expected_return.shape)

    @property
    def expected_return_old(self) -> float:
        """η(old)."""
        return float(np.asarray(self.quantities.expected_return_old).item())

    @property
    def occupancy(self) -> Float[np.ndarray, "2"]:
        """d_old(s)."""
        return np.asarray(self.quantities.occupancy_old).reshape(2)

    @cached_property
    def max_kl_region(self) -> Float[np.ndarray, "5 2"]:
        """The rectangle max_s KL(old_s‖new_s) ≤ δ of (12), counter-clockwise from its lower left corner."""
        low, high = (_at_divergence(self.old[:, 0], np.full(2, self.delta), side) for side in (-1, 1))
        return np.array([low, [high[0], low[1]], high, [low[0], high[1]], low])

    @cached_property
    def mean_kl_region(self) -> Float[np.ndarray, "K 2"]:
        """The boundary of Σ_s d_old(s) KL(old_s‖new_s) ≤ δ, of (13), counter-clockwise.

        At the angle φ, s₀ contributes δ cos²φ to the mean-KL and s₁ contributes δ sin²φ, each on the side that φ points to.
        """
        angle = np.linspace(0.0, 2 * np.pi, _CORNERS)
        share = np.stack([np.cos(angle), np.sin(angle)])
        share[np.abs(share) < 1e-12] = 0.0
        weight = self.occupancy[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            radius = np.where(share == 0, 0.0, self.delta * share**2 / weight)
        return _at_divergence(self.old[:, :1], radius, np.sign(share)).T

    @cached_property
    def improving_region(self) -> Float[np.ndarray, "K 2"]:
        """The boundary of the region M > η(old), along rays from old: improvement is guaranteed inside.

        Along a ray M is concave if the penalty is convex there, as it is where it is a multiple of max-KL. For another
        bound the boundary shown is one of perhaps several crossings.
        """
        angle = np.linspace(0.0, 2 * np.pi, _CORNERS)
        ray = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        ray[np.abs(ray) < 1e-12] = 0.0
        origin = self.old[:, 0]
        wall = _to_the_wall(origin, ray)
        low, high = np.zeros_like(wall), wall.copy()
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            q = self._at(np.clip(origin + middle[:, None] * ray, 0.0, 1.0))
            promised = np.asarray(self.bound.center(q) - q.expected_return_old - self.bound.penalty(q)) > 0
            low, high = np.where(promised, middle, low), np.where(promised, high, middle)
        return np.clip(origin + low[:, None] * ray, 0.0, 1.0)

    def section(self, name: str, *, resolution: int = 401) -> Section | None:
        """η, L and M along the named step, from old to the edge of the square; None if the step is zero."""
        if name not in self.steps:
            raise _checks.unknown_name("step", name, self.steps)
        origin = self.old[:, 0]
        ray = self.steps[name].change[:, 0]
        length = float(np.hypot(*ray))
        if length == 0.0:
            return None
        distance = np.linspace(0.0, float(_to_the_wall(origin, ray / length)), resolution)
        q = self._at(np.clip(origin + distance[:, None] * ray / length, 0.0, 1.0))
        lower_bound = np.broadcast_to(self.bound.lower_bound(q), distance.shape)
        return Section(distance, q.expected_return_new, q.surrogate, lower_bound)

    def __repr__(self) -> str:
        steps = ", ".join(self.steps)
        return f"PolicySquare({self.mdp}, delta={self.delta:g}, bound={self.bound.id!r}, steps=[{steps}])"


def policy_square(
    mdp: FiniteMDP,
    old: RealLike,
    delta: float,
    *,
    bound: str | Bound = "chain-rule/kl",
    problems: Mapping[str, Problem | TRPOStep] | None = None,
    resolution: int = 201,
) -> PolicySquare:
    """The policy square of a two-state MDP: η, L and M on a grid, trust regions of radius delta, and the steps of updates.

    Args:
        mdp: two states, two actions, both available in each state.
        old: the old policy, (2, 2).
        delta: the radius of (12), (13) and the practical step, nats.
        bound: an id of the catalogue or a `Bound`; it defines M and the penalty of (11).
        problems: the updates to solve, by name; by default (11), (12), (13) and the practical step of TRPO.
        resolution: N, grid points on each side.

    Raises:
        InvalidInput: for another MDP, an array that is not a policy of it, or a bound that (11) cannot use.

    >>> square = policy_square(FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [1, 0]]], [[1, 0], [2, 0]], 0.5), [[0.5, 0.5]] * 2, 0.01)
    >>> list(square.steps)
    ['(11)', '(12)', '(13)', 'TRPO']
    """
    mdp = two_by_two(mdp)
    old = _one_policy(old, mdp)
    resolution = _checks.integer(resolution, "resolution", least=3)
    bound = bound if isinstance(bound, Bound) else bounds.get(bound)
    expect(MAPPING.or_none, problems=problems)
    radius = MaxKL(delta).radius
    if problems is None:
        problems = {
            "(11)": Penalty(bound=bound),
            "(12)": MaxKL(radius),
            "(13)": MeanKL(radius),
            "TRPO": TRPOStep(radius),
        }
    steps = {name: update(mdp, old, problem) for name, problem in problems.items()}
    return PolicySquare(mdp, old, radius, bound, np.linspace(0.0, 1.0, resolution), steps, optimal(mdp))


def policies_at(points: Float[np.ndarray, "*batch 2"]) -> Float[np.ndarray, "*batch 2 2"]:
    """The policies that take a₀ with probability points[..., s] in state s."""
    points = _checks.real_array(points, "points")
    return np.stack([points, 1.0 - points], axis=-1)


def two_by_two(mdp: FiniteMDP) -> FiniteMDP:
    """The MDP, after checking that its policies form a square.

    Raises:
        InvalidInput: for a batch, a sparse MDP, or one that has not two states with both of two actions in each.
    """
    return two_states(mdp, actions=2)


def two_states(mdp: FiniteMDP, *, actions: int | None = None) -> FiniteMDP:
    """The MDP, after checking that its value functions are points of the plane: one dense MDP of two states.

    Raises:
        InvalidInput: for any other MDP.
    """
    expect_mdp(mdp)
    count = "two or more" if actions is None else "two"
    fits = not mdp.batch_shape and not mdp.is_sparse and mdp.states == 2 and actions in (None, mdp.actions)
    if not fits or (actions is not None and not mdp.available.all()):
        missing = ", some actions unavailable" if not mdp.available.all() else ""
        raise InvalidInput(
            got=f"{mdp}{missing}",
            wanted=f"one dense MDP of two states and {count} actions" + ("" if actions is None else ", all available"),
            fix="use another, such as zoo.kakade() or zoo.toymaker()",
        )
    return mdp


def _one_policy(old: RealLike, mdp: FiniteMDP) -> np.ndarray:
    old = _checks.policy_rows(old, mdp.available, "old policy")
    if old.ndim > 2:
        raise InvalidInput(got=f"old policies of shape {old.shape}", wanted="one policy (S, A)", fix="loop over them")
    return old


def _to_the_wall(origin: np.ndarray, ray: np.ndarray) -> np.ndarray | np.float64:
    """The distance from the origin along the ray to the edge of the square."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(ray > 0, (1 - origin) / ray, np.where(ray < 0, -origin / ray, np.inf)).min(-1)


def _at_divergence(old: np.ndarray, radius: np.ndarray, side: float | np.ndarray) -> np.ndarray:
    """The extreme probability of a₀ on that side (−1, 1; 0 keeps old) with KL(old‖new) ≤ radius, by bisection on new − old."""
    old, radius, side = np.broadcast_arrays(old, radius, side)
    low, high = np.zeros(radius.shape), np.where(side > 0, 1.0 - old, old)
    rows = np.stack([old, 1.0 - old])

    def within(size: np.ndarray) -> np.ndarray:
        change = np.stack([side * size, -side * size])
        return np.asarray(kl_of_change(rows, np.maximum(rows + change, 0.0), change)).sum(0) <= radius

    low = np.where(within(high), high, low)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        inside = within(middle)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return np.clip(old + side * low, 0.0, 1.0)
