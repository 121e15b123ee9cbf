"""Constrained Policy Optimization: Achiam, Held, Tamar, Abbeel (2017), arXiv:1705.10528.

Its ε is max_s |Ā(s)|, the new policy's expected advantage, and its divergences are means over d_old.
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities


def _mean_tv(q: Quantities) -> Numbers:
    return 2 * q.gamma * q.max_abs_expected_advantage / (1 - q.gamma) ** 2 * q.mean_tv


def _mean_kl(q: Quantities) -> Numbers:
    return 2 * q.gamma * q.max_abs_expected_advantage / (1 - q.gamma) ** 2 * q.sqrt(q.mean_kl / 2)


def _mean_reverse_kl(q: Quantities) -> Numbers:
    return 2 * q.gamma * q.max_abs_expected_advantage / (1 - q.gamma) ** 2 * q.sqrt(q.reverse_mean_kl / 2)


def _max_tv(q: Quantities) -> Numbers:
    return 2 * q.gamma * q.max_abs_expected_advantage / (1 - q.gamma) ** 2 * q.max_tv


def _mean_tv_once(q: Quantities) -> Numbers:
    return q.gamma * q.max_abs_expected_advantage / (1 - q.gamma) ** 2 * q.mean_tv


BOUNDS = (
    Bound(
        "cpo/mean-tv",
        _mean_tv,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{2\gamma\epsilon^{\tilde\pi}}{(1-\gamma)^2}"
        r"\,\mathbb{E}_{s\sim d^\pi}\,\mathrm{TV}(\pi_s,\tilde\pi_s)",
        "Achiam et al. 2017, arXiv:1705.10528, Corollary 1",
        provenance="S",
        proof=Theorem("The expected advantage and a mean"),
        sharp="approached by zoo:cpo-tight",
    ),
    Bound(
        "cpo/mean-kl",
        _mean_kl,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{2\gamma\epsilon^{\tilde\pi}}{(1-\gamma)^2}"
        r"\sqrt{\tfrac12\,\mathbb{E}_{s\sim d^\pi} D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s)}",
        "Achiam et al. 2017, arXiv:1705.10528, Corollary 3, which has KL the other way round",
        provenance="S",
        proof=Theorem("The expected advantage and a mean"),
        sharp="no: chain-rule/mean-kl is below it for γ > 1/2",
    ),
    Bound(
        "cpo/mean-reverse-kl",
        _mean_reverse_kl,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{2\gamma\epsilon^{\tilde\pi}}{(1-\gamma)^2}"
        r"\sqrt{\tfrac12\,\mathbb{E}_{s\sim d^\pi} D_{\mathrm{KL}}(\tilde\pi_s\|\pi_s)}",
        "Achiam et al. 2017, arXiv:1705.10528, Corollary 3",
        provenance="S",
        proof=Theorem("The expected advantage and a mean"),
    ),
    Bound(
        "cpo/max-tv",
        _max_tv,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{2\gamma\epsilon^{\tilde\pi}}{(1-\gamma)^2}\alpha",
        'cpo/mean-tv, the mean at most the maximum: docs/theory.md, "Bounds derived here"',
        proof=Theorem("The expected advantage and a mean"),
    ),
    Bound(
        "cpo/mean-tv-1",
        _mean_tv_once,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{\gamma\epsilon^{\tilde\pi}}{(1-\gamma)^2}"
        r"\,\mathbb{E}_{s\sim d^\pi}\,\mathrm{TV}(\pi_s,\tilde\pi_s)",
        "folklore: cpo/mean-tv without its 2",
        expected=False,
    ),
)
