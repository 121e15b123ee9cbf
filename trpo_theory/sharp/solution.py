"""What the linear program of the sharp gap returns: its value, the multipliers, and the optimal laws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trpo_theory.sharp.inequalities import Inequalities
from trpo_theory.sharp.places import Places
from trpo_theory.sharp.setting import Setting


class Multipliers(NamedTuple):
    """w with its multipliers at every place, in the units of rewards.

    Attributes:
        w: the function; last its slope at ∞.
        multiplier: λ, of the divergence.
        mu: μ, of E l = 1.
        nu: ν, of E A = 0.
    """

    w: np.ndarray
    multiplier: np.ndarray
    mu: np.ndarray
    nu: np.ndarray


class Laws(NamedTuple):
    """The optimal laws' atoms.

    Attributes:
        place, ratio, sign: as of the `Inequalities` that they are dual to.
        weight: of old (at l = ∞ of new), up to one factor a place: how often it is visited.
    """

    place: np.ndarray
    ratio: np.ndarray
    sign: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True, eq=False)
class Solution:
    """A solved program.

    Attributes:
        setting, places, unit: of the program.
        z: (ω, λ', μ', the shared λ, ν'), scaled.
        dual: how much the objective rises with each inequality's right-hand side.
        inequalities: those of the program when it was solved.
    """

    setting: Setting
    places: Places
    unit: float
    z: np.ndarray
    dual: np.ndarray
    inequalities: Inequalities

    @property
    def value(self) -> float:
        """w(1), for a mean with λ D/(1 − γ): G of the discretised program."""
        places, setting = self.places, self.setting
        divergence = self.z[3 * places.total] * setting.radius / (1 - setting.gamma) if setting.mean else 0.0
        return float(self.z[places.one] * places.scale(places.one) * self.unit + divergence)

    @property
    def multipliers(self) -> Multipliers:
        """w, λ, μ, ν."""
        z, total, setting = self.z, self.places.total, self.setting
        every = np.arange(total)
        scale = self.places.scale(every)
        shared = z[3 * total] * np.ones(total)
        multiplier = shared if setting.mean else z[total : 2 * total] * scale * self.unit / setting.radius
        multiplier = np.maximum(multiplier, 0.0)  # the solver's tolerance lets it be a little negative
        # old never comes to ∞: a mean divergence costs nothing there
        charged = multiplier * ~(setting.mean & (every == self.places.infinity))
        return Multipliers(
            w=z[:total] * scale * self.unit,
            multiplier=multiplier,
            mu=z[2 * total : 3 * total] * scale + setting.divergence.tilt * charged,
            nu=z[3 * total + 1 :] * scale * self.unit,
        )

    @property
    def laws(self) -> Laws:
        """The optimal laws."""
        weight = np.maximum(self.dual, 0.0) / self.places.row_scale(self.inequalities)
        return Laws(*self.inequalities, weight)
