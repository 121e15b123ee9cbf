"""Which sharp gap: `Setting`."""

from __future__ import annotations

from dataclasses import dataclass

from trpo_theory.sharp.divergence import Divergence
from trpo_theory.sharp.normaliser import Normaliser


@dataclass(frozen=True)
class Setting:
    """The arguments of G(γ, D).

    Attributes:
        divergence: f.
        gamma: the discount.
        radius: D.
        mean: whether D is the mean of the divergence under d_old, not its largest.
        normaliser: ε.
    """

    divergence: Divergence
    gamma: float
    radius: float
    mean: bool = False
    normaliser: Normaliser = Normaliser.MAX

    @property
    def expected(self) -> bool:
        """Whether ε is max|Ā|: the program then has neither A nor ν, and the reward of (∗) is |x − 1|."""
        return self.normaliser is Normaliser.EXPECTED

    @property
    def largest_gain(self) -> float:
        """The largest E[(l − 1) A] at the radius: the width of the optimal laws about l = 1."""
        return self.divergence.largest_gain(self.radius)
