"""The certificate: any multipliers bound the optimum from above, any feasible policy from below; both from definitions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trpo_theory.updates.convex_penalty import conjugate, is_convex
from trpo_theory.updates.penalties import coefficient_error, is_free, linear_coefficient, penalty_at
from trpo_theory.updates.problems import Penalty, Problem, TrustRegion
from trpo_theory.updates.rows.rows import Rows
from trpo_theory.updates.rows.total_variation import TOTAL_VARIATION
from trpo_theory.updates.solvers.blocks import Blocks
from trpo_theory.updates.surrogate import Surrogate

LARGEST_SHARE = 1e-8
"""Of a penalty's coefficient, given up for the errors of A and ρ: chosen, ten times that at which they exceed the tolerance. A
row that is nearly deterministic may move altogether for a multiplier that is lower by 1e-2."""
FAR = 8.0
"""Nats: from this radius t₀ on √(t₀/2) is 2 or more, which is what Σ|p − old| never exceeds."""
_LAST_RADIUS = 1e-60
"""Nats: where the search ends for a radius whose penalty eats up all gain. Chosen: floats of a policy end before."""


@dataclass(frozen=True, eq=False)
class DualBound:
    """What multipliers λ ≥ 0 of the rows, (G, B), prove of a problem's optimum, by weak duality.

    With v(λ) = max_p Σ (p − old) A − λ D(p), row by row in closed form (`RowDivergence.dual_value`):
        max D ≤ δ:  Σ ρ (v(λ) + λ δ);   mean D ≤ δ:  Σ ρ v(λ̄) + λ̄ δ/(1 − γ), one λ̄;   (11):  Σ ρ v(λ) for Σ ρ λ ≤ C.
    A multiplier that is not admissible is made so: shared for a mean, scaled for (11). docs/theory.md, "Certificates".

    Attributes:
        surrogate, problem: whose optimum.
        multiplier: any, (G, B).
        guess: the roots of the rows at them, where they are known.
    """

    surrogate: Surrogate
    problem: Problem
    multiplier: np.ndarray
    guess: np.ndarray | None = None

    @cached_property
    def upper(self) -> np.ndarray:
        """An upper bound on the objective of every policy of the class, (B,), for A and ρ as they stand."""
        if isinstance(self.problem, Penalty):
            return self._of_penalty(self._coefficient)
        if self._radius == 0:
            return np.zeros(self.surrogate.gamma.shape)  # a divergence of 0 leaves old as it is wherever it counts
        multiplier = self._admissible
        if self.problem.reduction.shares_multiplier:  # what is spent is known for ρ of the MDP, not for ρ as it stands
            in_total, _ = self._price_of_visitation
            multiplier = multiplier * (1 - np.where(in_total, 0.0, self.surrogate.visitation_missed))
        return self._dual_function(multiplier, self._charge)

    def error(self, upper: np.ndarray) -> np.ndarray:
        """What the errors of A, ρ and γ may add to the objective of any policy that could exceed `upper`, (B,).

        The lesser of what they add within the divergence's reach and of what is left to the best actions of the MDP itself.
        """
        within = self._error_within_reach(upper)
        if (_greedy_gain(self.surrogate) - upper >= within).all():  # and so is the most that any policy gains
            return within
        return np.minimum(within, np.maximum(_most_gain(self.surrogate) - upper, 0.0))

    @property
    def _radius(self) -> float:
        assert isinstance(self.problem, TrustRegion)
        return self.problem.radius

    @cached_property
    def _coefficient(self) -> np.ndarray | None:
        """C of (11); None where its penalty is not linear."""
        assert isinstance(self.problem, Penalty)
        return linear_coefficient(self.surrogate, self.problem)

    @cached_property
    def _admissible(self) -> np.ndarray:
        return self.problem.reduction.admissible(self.multiplier, self.surrogate.visitation)

    @cached_property
    def _charge(self) -> np.ndarray:
        """What the multipliers cost at the radius, (B,)."""
        reduction, rho = self.problem.reduction, self.surrogate.visitation
        return reduction.budget(self._admissible, rho, self.surrogate.complement, self._radius)

    @cached_property
    def _price_of_visitation(self) -> tuple[np.ndarray, np.ndarray]:
        """Which of two prices of the error of ρ a mean pays, true for the one of all states together, and what is added, (B,).

        Σ ρ* v(λ̄) + λ̄ δ/(1 − γ) is a bound for the MDP with any λ̄, and 0 ≤ v ≤ 2 max|A|: 2 max|A| Σ |ρ* − ρ| is one price. The
        other: a row pays λ̄ (1 − missed), by which the bound grows by up to missed λ̄ δ/(1 − γ), and what policies move within
        reach is added; it is the less for small radii where no row's ρ is badly known.
        """
        surrogate = self.surrogate
        together = 2 * surrogate.total_error * surrogate.sizes_at_most.max(0)
        within = _moved_within(surrogate, self._reach)
        in_total = together < np.maximum.reduce(surrogate.visitation_missed, 0) * self._charge + within
        return in_total, np.where(in_total, together, within)

    @cached_property
    def _reach(self) -> np.ndarray:
        return _mean_reach(self.surrogate, self.problem, np.full(self.surrogate.gamma.shape, self._radius))

    def _of_penalty(self, coefficient: np.ndarray | None) -> np.ndarray:
        """The upper bound of (11) at a coefficient."""
        surrogate, problem = self.surrogate, self.problem
        assert isinstance(problem, Penalty)
        multiplier, charge = self._admissible, np.zeros(surrogate.gamma.shape)
        price = problem.reduction.budget(multiplier, surrogate.visitation, surrogate.complement, 1.0)
        if coefficient is not None:
            multiplier = multiplier * np.where(price > coefficient, coefficient / np.where(price > 0, price, 1.0), 1.0)
        elif is_convex(surrogate, problem):
            charge = conjugate(surrogate, problem, price)
        else:
            return np.full(surrogate.gamma.shape, np.inf)
        if problem.reduction.shares_multiplier:
            multiplier = multiplier * (1 - surrogate.visitation_missed)
        return self._dual_function(multiplier, np.where(is_free(surrogate, problem), np.inf, charge))

    def _dual_function(self, multiplier: np.ndarray, charge: np.ndarray) -> np.ndarray:
        """The lesser of Σ ρ v(λ) + charge and Σ ρ v(0), (B,)."""
        rho = self.surrogate.visitation
        values, greedy = _row_values(self.surrogate, self.problem, multiplier, self.guess)
        return np.minimum(np.add.reduce(rho * values, 0) + charge, np.add.reduce(rho * greedy, 0))

    def _error_within_reach(self, upper: np.ndarray) -> np.ndarray:
        """What the errors of A, ρ and γ add for policies within reach of the radius, (B,).

        Under a penalty that is not C max-KL it is one beyond which no policy gains.
        """
        surrogate, problem = self.surrogate, self.problem
        if isinstance(problem, TrustRegion):
            if problem.radius == 0:
                return np.zeros(upper.shape)
            if not problem.reduction.shares_multiplier:
                return _error_at_radius(surrogate, problem, np.full(upper.shape, problem.radius))
            _, moved = self._price_of_visitation
            if not surrogate.is_discounted:  # δ Σ ρ is what may be spent, of a Σ ρ that is known to its error
                moved = moved + self._charge * surrogate.complement * surrogate.total_error
            return _error_in_advantage(surrogate, self._reach) + moved
        assert isinstance(problem, Penalty)
        coefficient = self._coefficient
        if coefficient is not None and problem.field == "max_kl":
            return self._error_of_penalised(problem, upper, coefficient)
        if problem.coupled:
            return _error_of_coupled(surrogate, problem)
        spent, most = _most_spent(surrogate, problem)
        wrong, missed = _error_at_radius(surrogate, problem, spent), coefficient_error(surrogate, problem)
        if coefficient is None:
            return wrong + missed * most
        less = np.maximum(1 - missed, 0.0) * coefficient
        return wrong + np.maximum(self._of_penalty(less) - upper, 0.0)

    def _error_of_penalised(self, problem: Penalty, upper: np.ndarray, coefficient: np.ndarray) -> np.ndarray:
        """What the errors of A and ρ add under a penalty of C max-KL, (B,), and that of C itself.

        With e what they add a unit of Σ|p − old|, √(2t) ≤ √(t₀/2) + t/√(2t₀) for any radius t₀, here one near the maximiser's:
        the second part is a share of C, so that the bound for what is left of C, and e √(t₀/2), is one for the MDP itself. So is
        that and 2e, whatever the radius.
        """
        error = _error_of_moves(self.surrogate)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = np.where(error > 0, error / coefficient, 0.0)
            radius = np.maximum(np.maximum(upper, 0.0) / coefficient, 0.5 * (ratio / LARGEST_SHARE) ** 2)
            near = radius < FAR
            taken = np.where(near & (ratio > 0), ratio / np.sqrt(2 * radius), 0.0)
            apart = np.where(near, np.sqrt(0.5 * radius), 2.0)
            share = np.maximum(1 - taken - coefficient_error(self.surrogate, problem), 0.0)
        return np.maximum(self._of_penalty(share * coefficient) - upper, 0.0) + error * apart


def _moved_within(surrogate: Surrogate, reach: np.ndarray) -> np.ndarray:
    """What Σ |ρ* − ρ| |p − old| |A*| is at most within a reach of a mean, (B,)."""
    sizes = surrogate.sizes_at_most
    size, total = np.maximum.reduce(sizes, 0), surrogate.total_visitation
    moved = np.minimum(surrogate.total_error * size, np.add.reduce(surrogate.visitation_error * sizes, 0))
    share = np.maximum.reduce(surrogate.visitation_missed, 0, initial=0.0)
    tight = np.where(share < 0.5, 2 * share * size * total * reach, np.inf)
    return np.minimum(tight, 2 * moved)  # a rare row may move by all that is there


def _mean_reach(surrogate: Surrogate, problem: Problem, radius: np.ndarray) -> np.ndarray:
    """How far Σ|p − old| reaches in the mean over ρ, (B,)."""
    total = surrogate.total_visitation
    return problem.divergence.reach(radius / np.where(total > 0, surrogate.complement * total, np.inf))


def _greedy_gain(surrogate: Surrogate) -> np.ndarray:
    """What the best action of each row gains, for A and ρ as they stand, (B,)."""
    return np.add.reduce(surrogate.visitation * (surrogate.best - surrogate.mean), 0)


def _most_gain(surrogate: Surrogate) -> np.ndarray:
    """The most that any policy of the class gains on the MDP itself, (B,): Σ_g max_a Σ_b old(b) (ρ* A*(a) − ρ* A*(b)).

    Where old takes the best action but for a rest, only that rest counts, and so do the errors of A and ρ.
    """
    old, rho = surrogate.old, surrogate.visitation
    lack = np.where(surrogate.available, surrogate.best - surrogate.advantage, 0.0)
    usual = np.arange(len(old))[:, None, None] == old.argmax(0)
    rest = np.where(usual, np.where(usual, 0.0, old).sum(0), 1 - old)
    error = rho * surrogate.advantage_error + surrogate.visitation_error * surrogate.sizes_at_most
    slack = np.where(surrogate.available, 2 * error * rest - rho * lack, 0.0).max(0)
    return (rho * (old * lack).sum(0) + slack).sum(0)


def _error_of_coupled(surrogate: Surrogate, problem: Penalty) -> np.ndarray:
    """What the errors of A, ρ and γ add to L less K(c) sd(Ā), but for that of A to sd, which its solver counts, (B,).

    d* ≥ (1 − x) d in each state makes sd* ≥ √(1 − x) sd, and the penalty of no policy that counts exceeds its gain.
    """
    most = np.maximum(_most_gain(surrogate), 0.0)
    share = np.maximum.reduce(surrogate.visitation_missed, 0, initial=0.0)
    lost = np.minimum(share + coefficient_error(surrogate, problem), 1.0)
    return 2 * _error_of_moves(surrogate) + lost * most


def _error_of_moves(surrogate: Surrogate) -> np.ndarray:
    """What the errors of A and ρ add at most, a unit of the largest Σ|p − old| of a row, (B,).

    |Σ ρ* (p − old) A* − Σ ρ (p − old) A| ≤ Σ ρ |A − A*| |p − old| + Σ |ρ − ρ*| |p − old| |A*|.
    """
    sizes = surrogate.sizes_at_most
    moved = np.minimum(surrogate.total_error * sizes.max(0), (surrogate.visitation_error * sizes).sum(0))
    return (surrogate.visitation * surrogate.advantage_error).sum(0) + moved


def _error_at_radius(surrogate: Surrogate, problem: Problem, radius: np.ndarray) -> np.ndarray:
    """What the errors of A and ρ add for policies within a radius of the problem's divergence, (B,)."""
    if not problem.reduction.shares_multiplier:
        return _error_of_moves(surrogate) * problem.divergence.reach(radius)
    reach = _mean_reach(surrogate, problem, radius)
    return _error_in_advantage(surrogate, reach) + _moved_within(surrogate, reach)


def _error_in_advantage(surrogate: Surrogate, reach: np.ndarray) -> np.ndarray:
    """What Σ ρ* |A − A*| |p − old| is at most within a reach of a mean, (B,)."""
    return 2 * surrogate.largest_error * surrogate.total_visitation * reach


def _most_spent(surrogate: Surrogate, problem: Penalty) -> tuple[np.ndarray, np.ndarray]:
    """The largest radius, and a bound on the gain within it, at which the most that policies gain exceeds the penalty.

    Penalties do not fall: there is none in [t/2, t] where that at t/2 is above the gain at t.
    """
    sure = 1 - np.minimum(coefficient_error(surrogate, problem), 1.0)
    size = (surrogate.visitation * surrogate.sizes_at_most).sum(0) + _error_of_moves(surrogate)
    greedy = np.maximum(_most_gain(surrogate), 0.0)

    def most(radius: np.ndarray) -> np.ndarray:
        if problem.reduction.shares_multiplier:
            return greedy
        return np.minimum(size * problem.divergence.reach(radius), greedy)

    def surely(radius: np.ndarray) -> np.ndarray:
        """What of the penalty is sure: ∞ is, whatever a factor's error."""
        penalty = penalty_at(surrogate, problem, radius)
        return np.where(np.isinf(penalty), np.inf, sure * np.where(np.isinf(penalty), 0.0, penalty))

    radius = np.full(surrogate.gamma.shape, FAR)
    beyond = surely(radius) <= most(radius)
    radius = np.where(beyond, np.inf, radius)
    falling = ~beyond
    while falling.any():
        half = np.where(falling, 0.5 * radius, 1.0)
        falling &= (surely(half) > most(2 * half)) & (half > _LAST_RADIUS)
        radius = np.where(falling, half, radius)
    return radius, most(radius)


def _row_values(
    surrogate: Surrogate, problem: Problem, multiplier: np.ndarray, guess: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """v(λ) and v(0), (G, B): at λ = 0 every row takes its best action."""
    blocks = Blocks(surrogate, problem)
    blocks.guess = None if guess is None else guess.reshape(-1)
    rows = blocks.shape[1:]
    flat = (multiplier if multiplier.shape == rows else np.broadcast_to(multiplier, rows)).reshape(-1)
    # Without a penalty mass may leave old's support, whatever the divergence: where there is an action outside it.
    inside = not problem.divergence.keeps_support and blocks.ordinary() is not None
    free = blocks if inside or not isinstance(problem, Penalty) else Blocks(surrogate, problem, TOTAL_VARIATION)

    def best(rows: Rows, _: slice) -> tuple[np.ndarray, ...]:
        return (rows.most,)

    def one(rows: Rows, block: slice) -> tuple[np.ndarray, ...]:
        value = problem.divergence.dual_value(rows, flat[block], blocks.guess_of(block))
        return (value,)

    values, greedy = (part.reshape(blocks.shape[1:]) for part in (blocks.each(one)[0], free.each(best)[0]))
    return values, greedy
