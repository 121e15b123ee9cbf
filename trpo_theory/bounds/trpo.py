"""Trust Region Policy Optimization: Schulman, Levine, Moritz, Jordan, Abbeel (2015), arXiv:1502.05477.

The ICML text and arXiv v5 print different constants: v5 weakens Pinsker's TV² ≤ KL/2 to TV² ≤ KL.
Proofs: docs/theory.md, "Constants".
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities


def _tv(q: Quantities) -> Numbers:
    return 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2


def _kl(q: Quantities) -> Numbers:
    return 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_kl


def _pinsker_kl(q: Quantities) -> Numbers:
    return 2 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_kl


def _coupling_tv(q: Quantities) -> Numbers:
    horizon = (1 - q.gamma) * (1 - q.gamma * (1 - q.max_tv))
    return 4 * q.max_abs_advantage * q.gamma * q.max_tv**2 / horizon


def _reverse_kl(q: Quantities) -> Numbers:
    return 2 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.reverse_max_kl


def _bretagnolle_huber(q: Quantities) -> Numbers:
    return 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * _one_minus_exp(q, q.max_kl)


def _one_minus_exp(q: Quantities, d: Numbers) -> Numbers:
    """1 − e⁻ᵈ, d ≥ 0, without cancellation: (1 − u) d/(−log u) with u = e⁻ᵈ, where the errors of u cancel (Kahan)."""
    u, where = q.exp(-d), q.arithmetic.where
    near = (d < 1) & (u < 1)  # a divergence, of logarithms of rationals, is never 1: balls can tell
    return where(near, (1 - u) * d / -q.log(where(near, u, 2)), where(u < 1, 1 - u, d))


BOUNDS = (
    Bound(
        "trpo/tv",
        _tv,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{4\epsilon\gamma}{(1-\gamma)^2}\alpha^2",
        "Schulman et al. 2015, arXiv:1502.05477v5, Theorem 1",
        provenance="S",
        proof=Theorem("Total variation", formal="total_variation.trpo_tv"),
        sharp="4 is the least constant; coupling/tv is never above it",
    ),
    Bound(
        "trpo/kl",
        _kl,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{4\epsilon\gamma}{(1-\gamma)^2} D_{\mathrm{KL}}^{\max}(\pi,\tilde\pi)",
        "Schulman et al. 2015, arXiv:1502.05477v5, equation 9",
        provenance="S",
        proof=Theorem("From total variation to KL", formal="kullback_leibler.equation_nine"),
        sharp="no: pinsker/kl is half of it",
    ),
    Bound(
        "pinsker/kl",
        _pinsker_kl,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{2\epsilon\gamma}{(1-\gamma)^2} D_{\mathrm{KL}}^{\max}(\pi,\tilde\pi)",
        "Schulman et al. 2015 (ICML text) with Pinsker's own constant; equation (9) here",
        provenance="S",
        proof=Theorem("From total variation to KL", formal="kullback_leibler.equation_nine"),
        sharp="no: chain-rule/kl is never above it",
    ),
    Bound(
        "coupling/tv",
        _coupling_tv,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{4\epsilon\gamma\alpha^2}{(1-\gamma)(1-\gamma(1-\alpha))}",
        "Schulman et al. 2015, arXiv:1502.05477v5, appendix A, before its last relaxation",
        provenance="S",
        proof=Theorem("Coupling", formal="total_variation.coupling_tv"),
        sharp="attained by zoo:coupling-tight up to α = 1/2",
    ),
    Bound(
        "pinsker/reverse-kl",
        _reverse_kl,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{2\epsilon\gamma}{(1-\gamma)^2} D_{\mathrm{KL}}^{\max}(\tilde\pi,\pi)",
        "many notes: pinsker/kl with the divergence that common code constrains",
        provenance="S",
        proof=Theorem("From total variation to KL", formal="kullback_leibler.equation_nine_reverse"),
    ),
    Bound(
        "bh/kl",
        _bretagnolle_huber,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{4\epsilon\gamma}{(1-\gamma)^2}"
        r"\bigl(1 - e^{-D_{\mathrm{KL}}^{\max}(\pi,\tilde\pi)}\bigr)",
        'trpo/tv with TV² ≤ 1 − exp(−KL), Bretagnolle and Huber 1979, docs/theory.md, "Constants"; '
        "below pinsker/kl past a KL of 1.594",
        proof=Theorem("From total variation to KL"),
    ),
)
