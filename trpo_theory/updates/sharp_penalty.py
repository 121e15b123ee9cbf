"""`SteppedBound` and sharp/max-kl: the sharp gap as a penalty, the best that any theorem of its form can have."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from trpo_theory import bounds
from trpo_theory._outward import Toward, float_toward
from trpo_theory.bounds import Bound
from trpo_theory.errors import NotSolved
from trpo_theory.sharp.divergences import kl
from trpo_theory.sharp.iteration import solved
from trpo_theory.sharp.proved import proved_supersolution
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.space import grid, ratio_space
from trpo_theory.sharp.supersolution import supersolution
from trpo_theory.step.quantities import Quantities

STEPS_AN_OCTAVE = 4
"""Radii at which G is computed, a factor 2^(1/4) = 1.19 apart. Chosen: a penalty is at most 19 % too large, at a program
for each step."""
LEAST_RADIUS = 1e-7
"""Nats. Below it rounding spoils the program's numbers: the penalty there is the envelope's, as wherever nothing is proved."""
LARGEST_RADIUS = 20.0
"""Nats: the largest that `sharp_gap` takes."""
_PER_STEP = 8.0
"""Nodes in a step of the program. Chosen: a fifth of a second a radius for gamma <= 0.9, measured 0.2 % above G."""


@dataclass(frozen=True, eq=False, repr=False)
class SteppedBound(Bound):
    """A bound whose penalty is computed at the radii 2^(k/4) nats, holds below each of them, and is expensive to compute.

    Attributes:
        envelope: a bound linear in max-KL that always holds, and is the penalty wherever the steps are above it.
    """

    envelope: str = "chain-rule/kl"


def radius_of(step: int) -> float:
    """2^(step/4) nats."""
    return 2.0 ** (step / STEPS_AN_OCTAVE)


def step_above(radius: float) -> int:
    """The first step whose radius is not below this one."""
    step = int(np.floor(STEPS_AN_OCTAVE * np.log2(radius)))
    return step if radius_of(step) >= radius else step + 1


@functools.lru_cache(maxsize=4096)
def largest_gap(gamma: float, step: int) -> float:
    """A proved upper bound on G(γ, radius_of(step)): of a supersolution that the checker accepts; ∞ where it accepts none."""
    setting = Setting(kl.DIVERGENCE, gamma, radius_of(step), exact_radius=Fraction(radius_of(step)))
    try:
        _, bound = proved_supersolution(supersolution(solved(setting, ratio_space(grid(setting, _PER_STEP)))))
    except NotSolved:
        return np.inf
    return float_toward(bound, Toward.UP)


def _sharp(q: Quantities) -> np.ndarray:
    """ε min(G at the next step, the envelope's); the envelope alone where no bound on G is proved."""
    envelope = bounds.get("chain-rule/kl").formula(q)
    gamma, radius, size, least = np.broadcast_arrays(
        *map(np.asarray, (q.gamma, q.max_kl, q.max_abs_advantage, envelope))
    )
    known = (radius >= LEAST_RADIUS) & (radius <= LARGEST_RADIUS) & (gamma > 0)
    gaps = np.full(radius.shape, np.inf)
    for index in np.argwhere(known):  # each is a program, whose result is cached
        at = tuple(index)
        gaps[at] = largest_gap(float(gamma[at]), step_above(float(radius[at])))
    with np.errstate(invalid="ignore"):
        return np.where(known, np.minimum(size * gaps, least), least)


SHARP_MAX_KL = SteppedBound(
    "sharp/max-kl",
    _sharp,
    r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \epsilon\, G(\gamma, D_{\mathrm{KL}}^{\max}(\pi,\tilde\pi))",
    'the worst case over all finite MDPs, docs/theory.md, "The sharp gap"; proved here step by step, rounded up',
)
