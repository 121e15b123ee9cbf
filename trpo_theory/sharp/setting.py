"""Which sharp gap: `Setting`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from trpo_theory.model.decimals import as_written
from trpo_theory.numerics.ball.raw import fraction
from trpo_theory.sharp.divergence import Divergence
from trpo_theory.sharp.normaliser import Normaliser

_WIDEST = 1 - 1e-15
"""m below 1: at l = 0 a divergence may be infinite."""
_NEAR, _FAR = 1e-6, 1e-3
"""l − 1 of two small steps: chosen."""
_SPARE = 1e-9
"""Share of the radius that is no rounding."""
_COPIES_COST = 0.01
"""Share of a mean's radius that is left for |Ā| = 1 where l is about 1: far more than that takes. Chosen."""
_ROOT_STEPS = 1000
"""At most: halving needs as many as a float has exponents."""
_LEAST_WIDTH, _DIGITS = 1e-300, 8.9e-16
"""m is found to a float's last digits, however small."""


def _root(function: Callable[[float], float], highest: float) -> float:
    """Where an increasing function crosses 0, between 0 and a number where it is positive."""
    from scipy.optimize import brentq

    root: Any = brentq(
        function, 0.0, highest, xtol=_LEAST_WIDTH, rtol=np.float64(_DIGITS), maxiter=_ROOT_STEPS, disp=False
    )
    return float(root)


@dataclass(frozen=True)
class Setting:
    """The arguments of G(γ, D).

    Attributes:
        divergence: f, `Divergence.at` the radius.
        gamma: the discount, for a search in floats.
        radius: D, likewise.
        mean: whether D is the mean of the divergence under d_old, not its largest.
        normaliser: ε.
        horizon: T, after which a path ends; None: it never does. γ may then be 1.
        exact_gamma, exact_radius: of what a proof is about, where that is not the decimal of the float.
    """

    divergence: Divergence
    gamma: float
    radius: float
    mean: bool = False
    normaliser: Normaliser = Normaliser.MAX
    exact_gamma: Fraction | None = None
    exact_radius: Fraction | None = None
    horizon: int | None = None

    @property
    def memory(self) -> float:
        """γ, or a discount that looks as far ahead as the horizon: which sizes the nodes."""
        return self.gamma if self.horizon is None else min(self.gamma, 1 - 1 / max(self.horizon, 2))

    @property
    def proved_gamma(self) -> Fraction:
        """γ of a proof."""
        return as_written(self.gamma) if self.exact_gamma is None else self.exact_gamma

    @property
    def proved_radius(self) -> Fraction:
        """D of a proof."""
        return as_written(self.radius) if self.exact_radius is None else self.exact_radius

    @property
    def expected(self) -> bool:
        """Whether the program is that of max|Ā|: it then has neither A nor ν, and the reward of (∗) is |x − 1|."""
        return self.normaliser.of_states

    @cached_property
    def factor(self) -> float:
        """What the program's value is multiplied by: r for the normaliser sd, else 1."""
        return float(fraction(self.normaliser.factor(self.divergence, self.proved_radius)))

    @cached_property
    def width(self) -> float:
        """m, the largest E[(l − 1) A] at the radius: that of l = 1 ± m, with A = ±1, half the mass each.

        At most 1, as l ≥ 0.
        """

        def left(m: float) -> float:
            return float(self.cost(np.array([m, -m])).mean()) - self.radius

        low, high = self.divergence.support
        widest = min(_WIDEST, -low, high)
        if left(widest) > 0:
            return _root(left, widest)
        return 1.0 if widest == _WIDEST and np.isfinite(self.divergence.at_zero) else widest

    @property
    def whole_radius(self) -> float:
        """D/(1 − γ), the discounted divergence that a mean allows: what its price λ is paid for; 0 for a largest one."""
        return self.radius / (1 - self.gamma) if self.mean else 0.0

    @cached_property
    def smooth(self) -> bool:
        """Whether the divergence of a small step is of second order: not for total variation, or a clip."""
        near, far = self.cost(np.array([_NEAR, _FAR]))
        return bool(np.isinf(self.divergence.support[1]) and near / _NEAR < far / _FAR / 2)

    @cached_property
    def spares(self) -> bool:
        """Whether l = 1 ± m leaves some of the radius: m is then as large as l ≥ 0, or the divergence's support, allows."""
        return float(self.cost(np.array([self.width, -self.width])).mean()) < self.radius * (1 - _SPARE)

    @property
    def excludes_nothing(self) -> bool:
        """Whether G is 2γ/(1 − γ), as if there were no radius: where it is at least the divergence's largest value.

        Of a mean, normalised by max|Ā|, a start from which old and new part for ever takes (1 − γ) times that.
        """
        largest = self.divergence.largest
        once = (1 - self.gamma) * largest if self.mean and self.expected else largest
        return self.radius >= largest or self.radius * (1 - _COPIES_COST) >= once

    @property
    def least_excess(self) -> float:
        """Of l − 1: −1, or −∞ in the limit of small radii."""
        return min(self.divergence.support[0], -1.0)

    def cost(self, excess: np.ndarray) -> np.ndarray:
        """The centred divergence at l = 1 + excess, also at l = 0."""
        divergence = self.divergence
        inner = excess > self.least_excess
        cost = divergence.centred(np.where(inner, 1 + excess, 1.0))
        return np.where(inner, cost, divergence.at_zero - divergence.tilt)

    @property
    def cost_at_infinity(self) -> float:
        """Of an action that only new takes, for a unit of its mass; ∞ if it must not."""
        return self.divergence.at_infinity + self.divergence.tilt
