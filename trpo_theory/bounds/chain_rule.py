"""The chain-rule bounds: the KL of path laws grows linearly in time, so their TV as its root.

Proofs: docs/theory.md, "The chain-rule bound".

The mean form goes by the occupancy: d is the law of s_T at a geometric time T, so that
    KL(d_old ‖ d_new) ≤ Σ_t (1 − γ)γᵗ Σ_{i<t} E_old KL(s_i) = γ/(1 − γ) mean-KL,
and Pinsker turns it into Σ_s |ρ_new − ρ_old| ≤ √(2γ mean-KL/(1 − γ)) / (1 − γ).
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities


def _kl(q: Quantities) -> Numbers:
    return 2 * q.max_abs_advantage * q.polylog(-0.5, q.gamma) * q.max_kl


def _reverse_kl(q: Quantities) -> Numbers:
    return 2 * q.max_abs_advantage * q.polylog(-0.5, q.gamma) * q.reverse_max_kl


def _mean_kl(q: Quantities) -> Numbers:
    return q.max_abs_expected_advantage / (1 - q.gamma) * q.sqrt(2 * q.gamma / (1 - q.gamma) * q.mean_kl)


BOUNDS = (
    Bound(
        "chain-rule/kl",
        _kl,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - 2\epsilon\,\mathrm{Li}_{-1/2}(\gamma)\, D_{\mathrm{KL}}^{\max}(\pi,\tilde\pi)",
        'derived in docs/theory.md, "The chain-rule bound"; the finite-horizon analogue is known',
        proof=Theorem("The chain-rule bound", formal="chain_rule.chain_rule_kl"),
    ),
    Bound(
        "chain-rule/reverse-kl",
        _reverse_kl,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - 2\epsilon\,\mathrm{Li}_{-1/2}(\gamma)\, D_{\mathrm{KL}}^{\max}(\tilde\pi,\pi)",
        'derived as chain-rule/kl, along the paths of the new policy: docs/theory.md, "The chain-rule bound"',
        proof=Theorem("The chain-rule bound"),
    ),
    Bound(
        "chain-rule/mean-kl",
        _mean_kl,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{\epsilon^{\tilde\pi}}{1-\gamma}"
        r"\sqrt{\frac{2\gamma}{1-\gamma}\,\mathbb{E}_{s\sim d^\pi} D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s)}",
        'derived here: chain rule at a geometric time, docs/theory.md, "The chain-rule bound"; '
        "below cpo/mean-kl exactly for gamma > 1/2",
        proof=Theorem("The chain-rule bound"),
    ),
)
