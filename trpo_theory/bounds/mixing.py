"""A chain that mixes forgets: Dai and Gluzman (2021), arXiv:2107.08068, with γ τ((I − γ P_new)⁻¹) in place of γ/(1 − γ).

τ is half the largest L1 distance of two rows. As row vectors ρ_new − ρ_old = γ u (I − γ P_new)⁻¹ with u = ρ_old (P_new − P_old),
and u adds up to 0, so ‖u N‖₁ ≤ τ(N) ‖u‖₁:
    Σ_s |ρ_new − ρ_old|(s) ≤ γ τ · 2 mean-TV/(1 − γ),
never worse, since the rows of N add up to 1/(1 − γ) and so τ ≤ 1/(1 − γ). τ costs a solve for each state.
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities


def _mean_tv(q: Quantities) -> Numbers:
    return 2 * q.max_abs_expected_advantage * q.gamma * q.mixing_new / (1 - q.gamma) * q.mean_tv


def _tv(q: Quantities) -> Numbers:
    return 4 * q.max_abs_advantage * q.gamma * q.mixing_new / (1 - q.gamma) * q.max_tv**2


def _kl(q: Quantities) -> Numbers:
    return 2 * q.max_abs_advantage * q.gamma * q.mixing_new / (1 - q.gamma) * q.max_kl


_TAU = r"\tau\bigl((I-\gamma P_{\tilde\pi})^{-1}\bigr)"

BOUNDS = (
    Bound(
        "mixing/mean-tv",
        _mean_tv,
        rf"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{{2\gamma\epsilon^{{\tilde\pi}}{_TAU}}}{{1-\gamma}}"
        r"\,\mathbb{E}_{s\sim d^\pi}\,\mathrm{TV}(\pi_s,\tilde\pi_s)",
        "cpo/mean-tv with the coefficient of Dai and Gluzman 2021, arXiv:2107.08068",
        provenance="M",
        small_only=True,
        proof=Theorem("Chains that mix"),
    ),
    Bound(
        "mixing/tv",
        _tv,
        rf"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{{4\epsilon\gamma{_TAU}}}{{1-\gamma}}\alpha^2",
        "trpo/tv with the coefficient of Dai and Gluzman 2021, arXiv:2107.08068",
        provenance="M",
        small_only=True,
        proof=Theorem("Chains that mix"),
    ),
    Bound(
        "mixing/kl",
        _kl,
        rf"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{{2\epsilon\gamma{_TAU}}}{{1-\gamma}}"
        r" D_{\mathrm{KL}}^{\max}(\pi,\tilde\pi)",
        "pinsker/kl with the coefficient of Dai and Gluzman 2021, arXiv:2107.08068",
        provenance="M",
        small_only=True,
        proof=Theorem("Chains that mix"),
    ),
)
