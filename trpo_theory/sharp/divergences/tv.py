"""Total variation, with the ½: f(l) = |l − 1|/2."""

from __future__ import annotations

import numpy as np

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.sharp.divergence import Divergence, Reduction, retreat
from trpo_theory.sharp.normaliser import Normaliser, copies
from trpo_theory.zoo import families
from trpo_theory.zoo._instance import instance

_DEAR = 2 / 3
"""γ above which it does not pay to act in the states that only old reaches: docs/theory.md."""


def _generator(ratio: np.ndarray) -> np.ndarray:
    return np.abs(ratio - 1) / 2


def _peak(c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """0, the corner 1 or ∞: between them c l − λ f(l) is linear."""
    return np.where(c + multiplier / 2 <= 0, 0.0, np.where(c - multiplier / 2 >= 0, np.inf, 1.0))


def _conjugate(c: fmpq | arb, multiplier: fmpq | arb) -> arb | fmpq:
    """The larger of −λ/2 (at l = 0) and c (at l = 1), for c ≤ λ/2."""
    return max(c, -multiplier / 2) if c <= multiplier / 2 else arb("inf")


def _family(mean: bool, normaliser: Normaliser, gamma: float, radius: float) -> families.Instance | None:
    """The families that are tight for max-TV, where |Ā| is its largest in every state, and for mean-TV over max|Ā|."""
    if normaliser is Normaliser.SD:
        return None
    within = radius * (1 - retreat(min(2 * radius, 1.0)))
    if not mean:
        return families.coupling_tight(gamma=gamma, x=within)
    if normaliser is Normaliser.EXPECTED:
        scale = copies(radius, smooth=False)
        leak = (within - gamma / (2 * scale)) / (1 - gamma)
        return families.cpo_tight(gamma=gamma, x=min(leak, 1.0), scale=scale)
    return _parting(gamma, within)


def _parting(gamma: float, radius: float) -> families.Instance:
    """Tight for mean-TV over max|A|: from s0 the share p of old goes to Z and that of new to N, and the others stay together.

    Z and N are absorbing with A_old = ±1 for the two actions, of which old takes either; new takes one of them at N, where old
    never comes, and at Z it shifts y/2: the gap is γ p (1 + y)/(1 − γ), the mean of TV (1 − γ) p + γ p y/2.
    """
    if gamma <= _DEAR:
        share, shift = min(radius / (1 - gamma / 2), 1.0), 1.0
    else:
        share = min(radius / (1 - gamma), 1.0)
        shift = min(max(radius - (1 - gamma), 0.0) * 2 / gamma, 1.0)
    arrive = [[[0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]]]
    stay = [[[float(s == t) for t in range(4)]] * 3 for s in range(1, 4)]
    return instance(
        arrive + stay,
        [[0, 0, 0], [1, -1, 0], [1, -1, 0], [0, 0, 0]],
        np.float64(gamma),
        [1, 0, 0, 0],
        old=[[1 - share, share, 0], [0.5, 0.5, 0], [0.5, 0.5, 0], [1, 0, 0]],
        new=[[1 - share, 0, share], [0.5 + shift / 2, 0.5 - shift / 2, 0], [0, 1, 0], [1, 0, 0]],
        gap=np.float64(-gamma * share * (1 + shift) / (1 - gamma)),
        state_labels=("s0", "Z", "N", "E"),
    )


DIVERGENCE = Divergence(
    name="tv",
    notation="TV(old, new)",
    unit="total variation",
    field="tv",
    reductions=(Reduction("max-tv", "max_tv"), Reduction("mean-tv", "mean_tv", mean=True)),
    generator=_generator,
    at_zero=0.5,
    at_infinity=0.5,
    centred=_generator,
    tilt=0.0,
    peak=_peak,
    enclosed=lambda ratio: abs(ratio - 1) / 2,
    conjugate=_conjugate,
    largest_radius=1.0,  # TV is at most 1
    coupled=True,
    most_nodes=20,  # measured: the upper bound then has ten digits, and the lower one is at most 0.2 % below it
    family=_family,
)
