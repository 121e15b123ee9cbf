"""`SteppedBound` and sharp/max-kl: the sharp gap as a penalty, the best that any theorem of its form can have."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from trpo_theory import bounds
from trpo_theory.bounds import Bound
from trpo_theory.sharp.program import KL, Program, grid
from trpo_theory.sharp.supersolution import least_supersolution

STEPS_AN_OCTAVE = 4
LEAST_RADIUS = 1e-7
"""Below it the program's numbers are spoilt by rounding: the penalty there is the envelope's."""
LARGEST_RADIUS = 20.0
_NODES = 40


@dataclass(frozen=True)
class SteppedBound(Bound):
    """A bound whose penalty is known at radii 2^(k/4) nats, holds below each of them, and is dear to compute.

    Attributes:
        envelope: a bound linear in max-KL that holds everywhere, and is the penalty where the steps are not below it.
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
    """An upper bound on G(γ, radius_of(step)): of a supersolution in floats, with room for their rounding."""
    radius = radius_of(step)
    return least_supersolution(Program(KL, gamma, radius, grid(gamma, radius, KL, _NODES))).bound


def _sharp(q: Any) -> Any:
    """ε min(G at the next step, the envelope's)."""
    envelope = bounds.get("chain-rule/kl").formula(q)
    gamma, radius, size, least = np.broadcast_arrays(
        *map(np.asarray, (q.gamma, q.max_kl, q.max_abs_advantage, envelope))
    )
    known = (radius >= LEAST_RADIUS) & (radius <= LARGEST_RADIUS) & (gamma > 0)
    gaps = np.full(radius.shape, np.inf)
    for index in np.argwhere(known):  # each costs a linear program, and is kept
        at = tuple(index)
        gaps[at] = largest_gap(float(gamma[at]), step_above(float(radius[at])))
    with np.errstate(invalid="ignore"):
        return np.where(known, np.minimum(size * gaps, least), least)


SHARP_MAX_KL = SteppedBound(
    "sharp/max-kl",
    _sharp,
    r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \epsilon\, G(\gamma, D_{\mathrm{KL}}^{\max}(\pi,\tilde\pi))",
    'the worst case over all finite MDPs, docs/theory.md, "The sharp gap"; computed here, rounded up',
)
