"""The small-radius law as a bound at every radius, G(γ, D) ≤ 2 h(0) D/f''(1): open for KL, false for χ² both ways.

docs/theory.md, "The law of small radii at every radius". h(0) is that of "Small radii" there; it has no closed form.
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers, Truth
from trpo_theory.bounds.record import Bound
from trpo_theory.step.quantities import Quantities

UPPER_ENDS = {
    0.1: 0.1119133,
    0.3: 0.4555311,
    0.5: 1.184995,
    0.7: 3.366039,
    0.8: 6.847494,
    0.9: 21.04388,
    0.95: 61.60602,
    0.99: 704.5457,
    0.999: 22363.88,
}
"""h(0) is at most this: the upper ends of `sharp_limit(gamma, certify=True, width=2e-4)`, of width=1e-3 at 0.999, rounded up."""


def _constant(q: Quantities) -> Numbers:
    """The entry of the next larger discount, as h(0) does not decrease in γ; ∞ beyond the last."""
    value = q.gamma * 0 + float("inf")
    for gamma in sorted(UPPER_ENDS, reverse=True):
        value = q.arithmetic.where(q.gamma <= gamma, UPPER_ENDS[gamma], value)
    return value


def _up_to_the_last(q: Quantities) -> Truth:
    return q.gamma <= max(UPPER_ENDS)


def _kl(q: Quantities) -> Numbers:
    return 2 * q.max_abs_advantage * _constant(q) * q.max_kl


def _chi2(q: Quantities) -> Numbers:
    return q.max_abs_advantage * _constant(q) * q.max_chi2


def _reverse_chi2(q: Quantities) -> Numbers:
    return q.max_abs_advantage * _constant(q) * q.reverse_max_chi2


def _statement(of: str) -> str:
    return rf"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \epsilon\,\overline h(\gamma)\,{of},\quad \gamma \le 0.999"


_SOURCE = 'docs/theory.md, "The law of small radii at every radius": '
_NOTE = (
    "h̄(γ) is an upper end of the constant h(0) of small radii at the next larger of the discounts .1, .3, .5, .7, .8, .9, .95, "
    ".99, .999. "
)

BOUNDS = (
    Bound(
        "small-radius/kl",
        _kl,
        _statement(r"2D_{\mathrm{KL}}^{\max}(\pi,\tilde\pi)"),
        _SOURCE + "open",
        given=_up_to_the_last,
        expected="open",
        note=_NOTE + "Proved at γ = 1/2 for D from 0.0048 on, and up to half a per cent below; see the section.",
    ),
    Bound(
        "small-radius/chi2",
        _chi2,
        _statement(r"\max_s\chi^2(\pi_s\|\tilde\pi_s)"),
        _SOURCE + "false from γ = 0.8 on, by 9 % at γ = 0.99",
        given=_up_to_the_last,
        expected=False,
        note=_NOTE + "False at radii near 1 − γ, where rare large ratios are cheap in χ².",
    ),
    Bound(
        "small-radius/reverse-chi2",
        _reverse_chi2,
        _statement(r"\max_s\chi^2(\tilde\pi_s\|\pi_s)"),
        _SOURCE + "false for γ up to 1/3 and at 1/2, 0.8, 0.9, 0.99, by 12 % at 1/2",
        given=_up_to_the_last,
        expected=False,
        note=_NOTE + "Two states exceed it for γ up to 1/2, with a new policy that never takes half of what old does.",
    ),
)
