"""Row problems under KL(old‖p), solved for a radius or for a multiplier.

With d(a) = max A − A(a), u = ν − max A > 0 and y = d/u:
    z = 1/(1 + y),  m = Σ old z,  w = Σ old y z,   p/old − 1 = x = (w − m y) z / m,   λ = u/m,
    KL = Σ old (x − log(1 + x)),   V = Σ old x²,   dKL/dlog u = −m V,   dlog λ/dlog u = m (1 + V).
Where the best action lies outside old's support, u = 0 is reached at a finite KL = K*; beyond it, mass 1 − μ moves
there and the support keeps μ in proportion to old/d, with KL = K* − log μ.
Proofs: docs/theory.md, "One row in closed form", "Corners" and "Small steps in floating point".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.numerics.divergence import kl_of_change
from trpo_theory.updates.rows.conic import ConicRows
from trpo_theory.updates.rows.divergence import RowDivergence
from trpo_theory.updates.rows.forward_kl_point import Point
from trpo_theory.updates.rows.newton import NEWTON_RTOL, Step, at_once, newton_roots
from trpo_theory.updates.rows.rows import Local, Rows, Solved

RARE = 1e-150
"""A probability of old up to this counts as none: products of two of them would underflow, and no objective sees it."""

LEAST = 1e-278
"""The least u/scale, chosen so that d/u stays finite with 30 decades to spare: below, p is 0 for every purpose, and λ so
small that its term of a gap is under 1e-270."""

LARGEST = 1e300
"""The largest u/scale, chosen a little below the largest float, 1.8e308: KL there is 0."""

_LEAST_LOG_MASS = -690.0
"""What stays on old's support is at least e to this, 1e-300, so that its KL is finite: feasible, and lost to no objective."""

LAST_STEP = 1e-5
"""The last of Halley's steps, relatively: it leaves an error of its cube times a factor that does not exceed 100."""

TURN = 0.5
"""What Halley's step may differ from Newton's, by this share at most. Chosen: near the root it is far less."""

SMALL_STEP = 0.5
"""Of 1/t, the least u at which the series for small x starts the search. Chosen."""

NOTHING = 1e-14
"""What a value v(λ) may be too large by, relatively: some fifty roundings."""

NEAR = 0.0625
"""The largest e²: log(1 + e) − e/(1 + e) is up to e² for e ≥ −0.4. Where λ is next to nothing, so is λ e² at any e."""

_LOSS_NEAR = 4e7
"""Roundings that a KL may be off by at a root that others start from: eight digits are left."""


class ForwardKL(RowDivergence):
    """KL(old‖new) in nats, the divergence of (11), (12) and (13)."""

    stem = "kl"
    unit = "nats"
    implies_nonnegative = True

    def measure(self, old: np.ndarray, new: np.ndarray, change: np.ndarray) -> np.ndarray:
        """Σ old log(old/new), as a generalised KL: rows of floats sum to 1 only to rounding."""
        return np.asarray(kl_of_change(old, new, change)).sum(0)

    def rows(self, old: np.ndarray, advantage: np.ndarray, available: np.ndarray) -> Rows:
        """Old's support is where it exceeds RARE."""
        return Rows.of(old, advantage, available, rare=RARE)

    def at_radius(self, rows: Rows, radius: np.ndarray, guess: np.ndarray | None = None) -> Solved:
        """Maximise Σ p A subject to KL(old‖p) ≤ radius, (N,)."""
        if rows.ordinary and radius.min(initial=1.0) > 0:
            return _solved(rows, _radius_roots(rows, radius, None, guess))
        moving = (rows.scale > 0) & (radius > 0)
        ceiling = _ceiling(rows)
        inside = moving & (radius < ceiling)
        some = np.flatnonzero(inside)
        u = np.full(radius.shape, LEAST)
        u[some] = _radius_roots(rows.take(some), radius[some], ceiling[some], None if guess is None else guess[some])
        with np.errstate(invalid="ignore"):
            log_mass = np.where(moving & ~inside, ceiling - radius, 0.0)
        return _partly_solved(rows, u, log_mass, moving)

    def at_multiplier(self, rows: Rows, multiplier: np.ndarray, guess: np.ndarray | None = None) -> Solved:
        """Maximise Σ p A − λ KL(old‖p) for multipliers λ > 0, (N,)."""
        if _all_move(rows, multiplier):
            return _solved(rows, _multiplier_roots(rows, np.maximum(multiplier / rows.scale, LEAST), guess))
        moving = (rows.scale > 0) & (multiplier > 0) & np.isfinite(multiplier)
        target = np.maximum(np.where(moving, multiplier, 1.0) / np.where(moving, rows.scale, 1.0), LEAST)
        floor = self.critical_multiplier(rows) / np.where(moving, rows.scale, 1.0)
        inside = moving & (target > floor)
        some, tail = np.flatnonzero(inside), moving & ~inside
        log_mass = np.log(np.where(tail, target, 1.0) / np.where(tail, floor, 1.0))
        u = np.full(target.shape, LEAST)
        u[some] = _multiplier_roots(rows.take(some), target[some], None if guess is None else guess[some])
        return _partly_solved(rows, u, log_mass, moving)

    def dual_value(self, rows: Rows, multiplier: np.ndarray, guess: np.ndarray | None = None) -> np.ndarray:
        """As of any divergence, without the rows themselves.

        With e = λ m/u − 1 it is at most gain − λ KL + λ (log(1 + e) − e/(1 + e)) at any u, by weak duality in ν: near the root
        the last part is under λ e².
        """
        if not _all_move(rows, multiplier):
            return super().dual_value(rows, multiplier, guess)
        target = np.maximum(multiplier / rows.scale, LEAST)
        if guess is not None:
            point = Point.at(rows, guess)
            value = point.gain() - multiplier * point.kl()
            with np.errstate(over="ignore"):  # where it is no guess at all, or λ next to nothing
                square = np.square(target * point.m / guess - 1)
                near = square <= np.minimum(NOTHING * value / multiplier, NEAR)
            if near.all():
                return value + multiplier * square
        point = Point.at(rows, _multiplier_roots(rows, target, guess))
        return point.gain() - multiplier * point.kl()

    def near_radius(self, rows: Rows, radius: np.ndarray) -> np.ndarray:
        """From below, as while x is small."""
        return np.minimum(np.fmax(_near_root(rows, radius), LEAST), LARGEST)

    def near_multiplier(self, rows: Rows, multiplier: np.ndarray) -> np.ndarray:
        """As for large u."""
        target = np.maximum(multiplier / rows.scale, LEAST)
        low, high = _between(rows, target)
        return np.minimum(np.fmax(_near_multiplier(rows, target), low), high)

    def local(self, rows: Rows, state: np.ndarray) -> Local:
        """KL by log1p where that tells eight digits of it."""
        point = Point.at(rows, state)
        log_multiplier = np.log(rows.scale * (state / point.m))
        return Local(point.kl(_LOSS_NEAR), log_multiplier, point.v / (1 + point.v), point.m * point.v)

    def critical_multiplier(self, rows: Rows) -> np.ndarray:
        """λ at u = 0, below which mass leaves old's support: 1/Σ (old/d) where the best action is outside it, else 0."""
        critical = np.zeros(rows.scale.shape)
        free = np.flatnonzero((rows.scale > 0) & (rows.outside >= 0))
        if not len(free):
            return critical
        some = rows.take(free)
        critical[free] = some.scale * (LEAST / (some.old / (1 + some.deficit / LEAST)).sum(0))
        return critical

    def step_at(self, radius: float) -> float:
        """KL ≈ x²/2."""
        return float(np.sqrt(2 * radius))

    def conic(self, block: ConicRows, x: Any) -> Any:
        """Σ old (r − 1 − log r) + Σ_{old = 0} new, r = new/old: that is Σ old log(old/new) for rows that sum to 1."""
        import cvxpy as cp

        outside = np.where(block.old > 0, 0.0, block.unit / block.radius)
        added: Any = cp.sum(cp.multiply(outside, x), axis=1)  # pyright: ignore[reportUnknownMemberType] - CVXPY has no stubs
        return block.on_support(cp.kl_div(1, block.ratio(x))) + added


FORWARD_KL: RowDivergence = ForwardKL()
"""The one instance."""


def _all_move(rows: Rows, multiplier: np.ndarray) -> bool:
    """Whether all rows leave old for a maximum inside its support."""
    return rows.ordinary and multiplier.min(initial=1.0) > 0 and multiplier.max(initial=1.0) < np.inf


def _ceiling(rows: Rows) -> np.ndarray:
    """K*, the KL at u = 0 where the best action is outside old's support; ∞ in the other rows."""
    ceiling = np.full(rows.scale.shape, np.inf)
    free = np.flatnonzero((rows.outside >= 0) & (rows.scale > 0))
    if not len(free):
        return ceiling
    some = rows.take(free)
    ceiling[free] = Point.at(some, np.full(len(free), LEAST)).kl()
    return ceiling


def _solved(rows: Rows, u: np.ndarray) -> Solved:
    """At u, of rows that all move, with all of their mass left on old's support."""
    point = Point.at(rows, u)
    kl, new, gain = point.kl(), point.new(), point.gain()
    rows.balance(point.change)
    return Solved(point.change, new, kl, gain, rows.scale * (u / point.m), point.v / (1 + point.v), u)


def _partly_solved(rows: Rows, u: np.ndarray, log_mass: np.ndarray, moving: np.ndarray) -> Solved:
    """At u, with e^log_mass of the mass left on old's support."""
    point = Point.at(rows, u)
    log_mass = np.maximum(log_mass, _LEAST_LOG_MASS)
    lost = -np.expm1(log_mass)
    x = point.x - lost * (1 + point.x)
    change = np.where(moving, rows.old * x, 0.0)
    # Σ change = 0, so the deficit may be centred: nothing cancels where one rare action does it all.
    gain = rows.scale * (lost * rows.mean - (change * rows.centred).sum(0))
    leaving = np.flatnonzero(moving & (lost > 0))
    change[rows.outside[leaving], leaving] = lost[leaving]
    rows.balance(change)
    new = np.where(moving, point.new(np.exp(log_mass)), rows.old)
    new[rows.outside[leaving], leaving] = lost[leaving]
    parts = (
        point.kl() - log_mass,
        gain,
        rows.scale * np.exp(log_mass) * (u / point.m),
        np.where(lost > 0, 1.0, point.v / (1 + point.v)),
    )
    kl, gain, multiplier, slope = (np.where(moving, part, 0.0) for part in parts)
    return Solved(change, new, kl, gain, multiplier, slope, u)


def _radius_roots(rows: Rows, radius: np.ndarray, ceiling: np.ndarray | None, start: np.ndarray | None) -> np.ndarray:
    """KL(u) = radius, by Halley's steps in a bracket on a function of KL that is nearly linear in log u; None for no ceiling."""
    start = _near_root(rows, radius) if start is None else start

    def step_of(some: np.ndarray | None) -> Step:
        part, target = (rows, radius) if some is None else (rows.take(some), radius[some])
        top = ceiling if some is None or ceiling is None else ceiling[some]
        settled, goal = NEWTON_RTOL * target, _straight(target, top)[0]

        def step(here: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            point = Point.at(part, here)
            kl = point.kl()
            height, run, bend = _straight(kl, top)
            fall = point.m * point.v
            newton = (height - goal) * (run / fall)
            turn = np.minimum(np.maximum(0.5 * newton * (point.bend() - bend * fall), -TURN), TURN)
            return kl > target, here * np.exp(newton / (1 + turn)), np.abs(kl - target) <= settled

        return step

    with np.errstate(all="ignore"):
        return newton_roots(step_of, start, LEAST, LARGEST, last_step=LAST_STEP)


def _multiplier_roots(rows: Rows, target: np.ndarray, start: np.ndarray | None) -> np.ndarray:
    """u with u/m(u) = λ: m lies between old's mass on the best actions and 1, and u ≥ λ − Σ old d."""

    def step_of(some: np.ndarray | None) -> Step:
        part, goal = (rows, target) if some is None else (rows.take(some), target[some])

        def step(here: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            z = 1 / (1 + part.deficit / here)
            weighted = part.old * z
            m = weighted.sum(0)
            value = here / m
            guess = here + (goal - value) / (weighted / m * (z / m)).sum(0)
            return value <= goal, guess, np.abs(value - goal) <= NEWTON_RTOL * goal

        return step

    if start is None:
        return newton_roots(step_of, _near_multiplier(rows, target), *_between(rows, target))
    known = at_once(step_of(None), start)  # as of an answer, whose certificate asks for them
    return newton_roots(step_of, start, *_between(rows, target)) if known is None else known


def _between(rows: Rows, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds on the u with u/m(u) = λ."""
    low = np.maximum(np.maximum(target * rows.best, target - rows.mean) * (1 - 1e-14), LEAST)
    return low, np.maximum(target * (1 + 1e-14), LEAST)


def _near_multiplier(rows: Rows, target: np.ndarray) -> np.ndarray:
    """About the u with u/m(u) = λ: λ(u) = u + Σ old d − Var/u + … for large u."""
    return target - rows.mean + rows.variance / target


def _near_root(rows: Rows, radius: np.ndarray) -> np.ndarray:
    """About the u of a radius: KL ≈ Var t²/2 − (2/3) E(d − Σ old d)³ t³ with t = 1/(u + Σ old d), while x is small.

    Without the cube, and from below, where x is not.
    """
    with np.errstate(all="ignore"):
        size = np.sqrt(rows.variance / (2 * radius))
        near = size - rows.mean - (2 / 3) * rows.skew
        return np.where(near > SMALL_STEP * size, near, size / (1 + rows.mean / size))


def _straight(kl: np.ndarray, ceiling: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """h = log(eᴷ − 1), or where KL has a ceiling log(K/(K* − K)), 1/h', which is finite where KL is denormal, and h''/h'.

    It falls as −2 log u for large u, linearly for small.
    """
    below_one = -np.expm1(-kl)
    free, bend = kl + np.log(below_one), 1 - 1 / below_one
    if ceiling is None:
        return free, below_one, bend
    finite = np.isfinite(ceiling)
    height = np.where(finite, np.log(kl) - np.log(ceiling - kl), free)
    run = np.where(finite, kl * (1 - kl / ceiling), below_one)
    return height, run, np.where(finite, (2 * kl / ceiling - 1) / run, bend)
