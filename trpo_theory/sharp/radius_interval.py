"""One supersolution for all radii of an interval: G(γ, D) ≤ K D there, docs/theory.md, "Intervals of radii".

Of a divergence with f(1 + z) ≥ ½ φ z²/(1 + θ z), φ = f''(1), let σ = √(2D/φ), x = 1 + σ y and l = 1 + σ ξ. For every σ in
[σ₁, σ₂] the constraint E f ≤ D implies E ξ²/(1 + k ξ) ≤ 1 with k = θ σ₁ for ξ < 0 and k = θ σ₂ for ξ > 0, and y + (1 + σ y) ξ
is no more spread out than y + c(y) ξ with c(y) = 1 + σ₂ y for y > 0 and 1 + σ₁ y for y < 0. So with
    h(y) = sup { E[|y| ξ A + γ h(y + c(y) ξ)] : E ξ = 0, E ξ²/(1 + k ξ) ≤ 1, E A = 0, A = ±1 }
G(γ, D) ≤ 2 h(0) D/φ on the whole interval. At σ₁ = σ₂ = 0 it is the program of small radii.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from trpo_theory.errors import NotSolved
from trpo_theory.numerics.ball.raw import arb, fmpq, fraction, precision, raw
from trpo_theory.sharp.divergence import Divergence
from trpo_theory.sharp.inequality import Ahead, Blocks, Piecewise, Place
from trpo_theory.sharp.iteration import solved
from trpo_theory.sharp.laws import Prices
from trpo_theory.sharp.peaks import highest_everywhere
from trpo_theory.sharp.pricing import Stage
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.small_radii import line_space
from trpo_theory.sharp.space import Chords, Space
from trpo_theory.sharp.supersolution import hull

SKEWNESS: dict[str, Fraction] = {
    "kl": Fraction(2, 3),
    "reverse-kl": Fraction(1, 3),
    "hellinger2": Fraction(1, 2),
    "jensen-shannon": Fraction(1, 2),
    "le-cam": Fraction(1, 2),
    "jeffreys": Fraction(1, 2),
    "chi2": Fraction(1),
    "reverse-chi2": Fraction(0),
}
"""θ = −f'''(1)/(3 f''(1)) of the divergences with f(1 + z) ≥ ½ f''(1) z²/(1 + θ z): docs/theory.md, "Skewed chi-square"."""
_FURTHEST = 1e6
"""Of |ξ| in floats, where nothing else bounds it. Chosen: as of the laws' largest l."""
_LEAST_STRETCH = Fraction(1, 128)
"""c(y) is at least this where 1 + σ₁ y is less: x is small there, or none. Chosen; more is always allowed."""
_LEAST_PRICE = 1e-6
"""λ is at least this share of w(0). Chosen: it costs as much, and a smaller one makes the conjugate infinite at far nodes."""
_MARGIN, _ROUNDING = 1 + 1e-6, 1e-13
"""Of the lift: as of small radii."""
_GUARD = 1e-9
"""Share of λ/k by which a slope stays below it. Chosen: beyond rounding; it costs as much."""
_DROPS, _BAD = 6, 1e-5
"""A node is dropped, so often at most, whose inequality fails by more than this share of w(0) (1 − γ): the duals of a degenerate
law. Chosen."""
_WIDEST, _DIGITS = 1 - 1e-12, 1e-15
"""Largest m that is tried, as a share of what the law allows; and m's accuracy. Chosen: a float's."""
_WIDER = 1 + 1e-13
"""What m is multiplied with, for its rounding."""
_BITS = 128
"""Of the balls: as of supersolutions."""
_ZERO = fmpq(0)


def skewed(below: Fraction, above: Fraction) -> Divergence:
    """ξ²/(1 + k ξ), k = below for ξ < 0 and above for ξ > 0, as a function of l = 1 + ξ; ∞ where 1 + k ξ ≤ 0."""

    def centred(ratio: np.ndarray) -> np.ndarray:
        step = ratio - 1
        return step**2 / (1 + np.where(step > 0, float(above), float(below)) * step)

    def peak(c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
        """ξ = q/(r (1 + r)), q = c/λ, r = √(1 − k q), for k q < 1."""
        q = c / multiplier
        left = 1 - np.where(c > 0, float(above), float(below)) * q
        root = np.sqrt(np.where(left > 0, left, 1.0))
        return np.where(left > 0, 1 + np.clip(q / (root * (1 + root)), -_FURTHEST, _FURTHEST), np.inf)

    def conjugate(c: fmpq | arb, multiplier: fmpq | arb) -> arb | fmpq:
        """c + λ ((1 − r)/k)² = c + c²/(λ (1 + r)²), r = √(1 − k c/λ), for k c ≤ λ."""
        if multiplier == 0:
            return c if c == 0 else arb("inf")
        left = 1 - raw(above if c > 0 else below) * c / multiplier
        return c + c * c / (multiplier * (1 + arb(left).sqrt()) ** 2) if left >= 0 else arb("inf")

    return Divergence(
        name="skewed chi2",
        notation="skewed",
        unit="1",
        field="",
        reductions=(),
        generator=centred,
        at_zero=math.inf,
        at_infinity=1 / float(above) if above else math.inf,
        centred=centred,
        tilt=0.0,
        peak=peak,
        enclosed=lambda ratio: (ratio - 1) ** 2 / (1 + raw(above if ratio > 1 else below) * (ratio - 1)),
        conjugate=conjugate,
        second_derivative=Fraction(2),
        support=(-1 / float(below) if below else -math.inf, math.inf),
    )


@dataclass(frozen=True, eq=False)
class IntervalSupersolution:
    """w, linear from node to node and of slopes ∓m/(1 − γ) beyond, with multipliers: K = 2 w(0)/φ for all σ of an interval.

    Attributes:
        gamma: γ.
        theta: θ.
        low, high: σ₁ and σ₂.
        width: m, at least the largest E ξ A.
        nodes, w: y, 0 among them.
        multiplier, mu, nu: λ of E ξ²/(1 + k ξ) ≤ 1, μ of E ξ = 0 and ν of E A = 0, at each node.
    """

    gamma: Fraction
    theta: Fraction
    low: Fraction
    high: Fraction
    width: Fraction
    nodes: np.ndarray
    w: np.ndarray
    multiplier: np.ndarray
    mu: np.ndarray
    nu: np.ndarray

    @property
    def divergence(self) -> Divergence:
        """Of ξ."""
        return skewed(self.theta * self.low, self.theta * self.high)

    def stretch(self, y: Any) -> Any:
        """c(y), of a rational."""
        return 1 + self.high * y if y > 0 else max(1 + self.low * y, _LEAST_STRETCH)


class _Wide(Setting):
    """With m above 1, where the law of large steps up is cheaper than that of small ones down."""

    @cached_property
    def width(self) -> float:
        """m, as of `Setting`, without l ≥ 0."""
        from scipy.optimize import brentq

        def left(m: float) -> float:
            return float(self.cost(np.array([m, -m])).mean()) - self.radius

        root: Any = brentq(left, 0.5, min(2.0, -self.divergence.support[0] * _WIDEST), xtol=_DIGITS, disp=False)
        return float(root)


def supersolution_on(
    gamma: Fraction,
    theta: Fraction,
    low: Fraction,
    high: Fraction,
    per_step: float,
) -> IntervalSupersolution:
    """One for σ in [low, high], in floats.

    Args:
        gamma: γ.
        theta: θ.
        low: σ₁.
        high: σ₂.
        per_step: nodes in a step of the program.

    Raises:
        NotSolved: if policy iteration does not end.
    """
    law = skewed(theta * low, theta * high)
    setting = _Wide(law, float(gamma), 1.0, exact_gamma=gamma, exact_radius=Fraction(1))
    y = line_space(setting.gamma, per_step).positions
    stretch = np.where(y > 0, 1 + float(high) * y, np.maximum(1 + float(low) * y, float(_LEAST_STRETCH)))
    solution = solved(setting, Space(y, stretch, -math.inf))
    width = Fraction(setting.width * _WIDER)
    values, slope = solution.stage.chords.values, float(width) / (1 - setting.gamma)
    zero = len(y) // 2
    right = zero + hull(y[zero:], values[zero:].copy(), slope, keep=0)
    left = zero - hull(-y[zero::-1], values[zero::-1].copy(), slope, keep=0)
    kept = np.unique(np.concatenate([left, right]))
    w, nodes, stretch = values[kept].copy(), y[kept], stretch[kept]
    multiplier, mu, nu = (getattr(solution.prices, name)[kept].copy() for name in ("multiplier", "mu", "nu"))
    multiplier = np.maximum(multiplier, _LEAST_PRICE * w.min())
    if high and theta:  # beyond λ/k the conjugate is infinite
        growth = np.abs(nodes) + setting.gamma * slope * stretch - multiplier / float(theta * high) * (1 - _GUARD)
        mu = np.maximum(mu, growth)
    for _ in range(_DROPS):
        chords = Chords(Space(nodes, stretch, -math.inf), w, -slope, slope)
        prices = Prices(w - multiplier, mu, nu, multiplier)
        excess = highest_everywhere(Stage(setting, chords, setting.gamma), np.arange(len(nodes)), prices).gain
        good = (excess <= _BAD * float(w.min()) * (1 - setting.gamma)) | (nodes == 0)
        if good.all():
            break
        nodes, stretch, w, multiplier, mu, nu = (part[good] for part in (nodes, stretch, w, multiplier, mu, nu))
    below = float((slope * np.abs(nodes) - w)[[0, -1]].max())
    lift = (float(excess.max()) * _MARGIN + _ROUNDING * float(w.max())) / (1 - setting.gamma) + max(below, 0.0)
    return IntervalSupersolution(gamma, theta, low, high, width, nodes, w + lift, multiplier, mu, nu)


class _Around(Ahead):
    """γ W(y + c (l − 1)) as a function of l, on one side of 0."""

    def __init__(self, blocks: Blocks, y: Any, stretch: Any, side: int) -> None:
        self._blocks, self._from, self._side = blocks, y - stretch, side
        self.first = list(blocks.first)

    def line(self, block: tuple[int, int | None]) -> tuple[Any, Any]:
        """Slope and offset."""
        slope, offset = self._blocks.line(block)
        return self._side * slope, offset + self._side * slope * self._from

    def halves(self, block: tuple[int, int | None]) -> list[tuple[int, int | None]]:
        """Both halves of a block."""
        return self._blocks.halves(block)


def proved_on(found: IntervalSupersolution) -> Fraction:
    """w(0): G(γ, D) ≤ 2 w(0) D/φ for every D = φ σ²/2, low ≤ σ ≤ high, of a divergence of this θ.

    Raises:
        NotSolved: if an inequality is not proved, or w is not as it must be.
    """
    numbers = [[raw(Fraction(float(entry))) for entry in part] for part in (found.nodes, found.w)]
    y, w = numbers
    if not (0 <= found.low <= found.high and 0 <= found.theta <= 1 and 0 < found.gamma < 1) or _ZERO not in y:
        raise _not_proved("such numbers")
    gamma, zero = raw(found.gamma), y.index(_ZERO)
    slope = raw(found.width) / (1 - gamma)
    slopes = [-slope, *((w[k + 1] - w[k]) / (y[k + 1] - y[k]) for k in range(len(y) - 1)), slope]
    rising = all(a < b for a, b in pairwise(y)) and all(a <= b for a, b in pairwise(slopes))
    step, law = found.width, found.divergence.enclosed
    rising = rising and found.theta * found.low * step < 1 and bool(law(raw(1 + step)) + law(raw(1 - step)) >= 2)
    if not rising or w[0] < -slope * y[0] or w[-1] < slope * y[-1] or float(found.multiplier.min()) < 0:
        raise _not_proved("a function that is not convex, or below |y|/(1 - gamma), or a negative price")
    right = Blocks(Piecewise(gamma, y[zero:], w[zero:], slope, is_convex=True))
    left = Blocks(Piecewise(gamma, [-at for at in y[zero::-1]], w[zero::-1], slope, is_convex=True))
    with precision(_BITS):
        for i in range(len(y)):
            if not _holds(found, i, y[i], w[i], ((1, right), (-1, left))):
                raise _not_proved(f"an inequality at y = {float(found.nodes[i]):.6g}")
    return fraction(w[zero])


def _holds(found: IntervalSupersolution, i: int, y: Any, left: Any, sides: tuple[tuple[int, Blocks], ...]) -> bool:
    """Whether |y| ξ A + γ W(y + c ξ) + λ (1 − ξ²/(1 + k ξ)) − μ ξ − ν A ≤ w(y) for all ξ and A = ±1 is proved at a node."""
    price, mu, nu = (raw(Fraction(float(part[i]))) for part in (found.multiplier, found.mu, found.nu))
    stretch, divergence = raw(found.stretch(fraction(y))), found.divergence
    for sign in (1, -1):
        reward = abs(y) * sign
        level = price + mu - reward - nu * sign
        for side, blocks in sides:
            around = _Around(blocks, y, stretch, side)
            place = Place("", sign, divergence, price, left, around, stretch, reward - mu, level)
            if place.check()[1]:
                return False
    return True


def _not_proved(what: str) -> NotSolved:
    return NotSolved(f"got {what}, of a supersolution of an interval of radii; wanted all proved; fix: use more nodes")
