"""Which sharp gap: `Setting`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from trpo_theory.model.decimals import as_written
from trpo_theory.sharp.divergence import Divergence
from trpo_theory.sharp.normaliser import Normaliser


@dataclass(frozen=True)
class Setting:
    """The arguments of G(γ, D).

    Attributes:
        divergence: f.
        gamma: the discount, for a search in floats.
        radius: D, likewise.
        mean: whether D is the mean of the divergence under d_old, not its largest.
        normaliser: ε.
        exact_gamma, exact_radius: of what a proof is about, where that is not the decimal of the float.
    """

    divergence: Divergence
    gamma: float
    radius: float
    mean: bool = False
    normaliser: Normaliser = Normaliser.MAX
    exact_gamma: Fraction | None = None
    exact_radius: Fraction | None = None

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
        """Whether ε is max|Ā|: the program then has neither A nor ν, and the reward of (∗) is |x − 1|."""
        return self.normaliser is Normaliser.EXPECTED

    @property
    def largest_gain(self) -> float:
        """The largest E[(l − 1) A] at the radius: the width of the optimal laws about l = 1."""
        return self.divergence.largest_gain(self.radius)
