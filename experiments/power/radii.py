"""Bounds below the sharp gap at a radius.

With max-KL, η(new) ≥ L − k G(γ, D) ε for discounts up to γ and max-KL up to D; with mean-KL, linear ones for discounts from γ on,
whose constant is k times the one that is needed there.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction as F
from typing import Any

from experiments.power import examples
from experiments.power.case import Case, weakened
from experiments.power.examples import Example
from experiments.power.penalties import MEAN_KL, one_step

FAMILY = "max_abs_advantage, at max_kl up to a radius"

_SHARES = (0.5, 0.75, 0.9, 0.97)
GAPS: dict[tuple[float, float], tuple[float, float, Callable[[], Example]]] = {
    (0.5, 0.1): (0.22196, 0.915, lambda: examples.walk(F(1, 2), F(2128, 10**4), 12)),
    (0.5, 1.0): (1.3725, 0.92, lambda: _equal(F(1, 2), 604, 183, 464)),
    (0.9, 0.01): (0.41382, 0.94, lambda: examples.walk(F(9, 10), F(703, 10**4), 16)),
    (0.9, 0.1): (3.6489, 0.76, lambda: _equal(F(9, 10), 81, 86, 212)),
    (0.9, 1.0): (15.4462, 0.93, lambda: _equal(F(9, 10), 525, 315, 464)),
    (0.99, 0.1): (73.203, 0.86, lambda: _equal(F(99, 100), 52, 148, 212)),
    (0.99, 1.0): (182.525, 0.96, lambda: _equal(F(99, 100), 312, 422, 464)),
}
"""By (γ, D): a number below the proved lower end of G(γ, D), in experiments/results/sharp-gaps.csv; and an example that uses so
much of it: the drunkard's walk, or F3."""


MEANS: dict[float, tuple[float, float, float]] = {
    0.5: (0.001, 1.937, 0.507),
    0.8: (0.01, 1.224, 0.806),
    0.9: (0.01, 1.061, 0.936),
}
"""By γ: a radius; a number below the proved lower end of the sharp gap for mean-KL there, over εγ/(1 − γ)² mean-KL, in
experiments/results/sharp-gaps-mean.csv; and how much of it a leak to a state that old never sees uses."""


def _equal(gamma: F, leave: int, tilt: int, other: int) -> Example:
    """F3, its parameters in thousandths."""
    return examples.equal_kl(gamma, F(leave, 1000), F(tilt, 1000), F(other, 1000))


def _cases(gamma: float, radius: float, gap: float, used: float, example: Callable[[], Example]) -> list[Case]:
    def within(q: Any) -> Any:
        return (100 * q.gamma <= round(100 * gamma)) & (q.max_kl <= radius)

    return [
        case
        for share in _SHARES
        for case in weakened(
            f"sharp gap at {gamma:g}, {radius:g}",
            FAMILY,
            lambda q: gap * q.max_abs_advantage,
            (share,),
            example if share < used else None,
            "below the sharp gap, whose lower end is proved",
            given=within,
            proved=(gamma, radius),
        )
    ]


def _linear(gamma: float, radius: float, constant: float, used: float) -> list[Case]:
    """Below constant · εγ/(1 − γ)² mean-KL for discounts from γ on."""
    at = F(round(100 * gamma), 100)

    def leak() -> Example:
        return examples.leak(at, F(1, 10**5))

    return [
        case
        for share in _SHARES
        for case in weakened(
            f"mean-kl from {gamma:g}",
            MEAN_KL,
            lambda q: constant * one_step(q) * q.mean_kl,
            (share,),
            leak if share < used else None,
            "below the sharp gap, whose lower end is proved",
            region=f"gamma >= {gamma:g}",
            proved=(gamma, radius),
        )
    ]


CASES = [
    *(case for key, found in GAPS.items() for case in _cases(*key, *found)),
    *(case for gamma, found in MEANS.items() for case in _linear(gamma, *found)),
]
