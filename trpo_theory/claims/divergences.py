"""Which divergences bound the squared total variation of a row, with which constant; with half of it, none does."""

from __future__ import annotations

from trpo_theory.bounds.formulas import Formula, Numbers
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities

RENYI_ORDERS = (0.1, 0.5, 0.9)
"""Of the Rényi divergences among the claims. Chosen: near both ends of (0, 1), and the middle, where it is −2 log BC."""


def _kl(q: Quantities) -> Numbers:
    return q.kl / 2


def _jeffreys(q: Quantities) -> Numbers:
    return (q.kl + q.reverse_kl) / 4


def _chi2(q: Quantities) -> Numbers:
    return q.chi2 / 4


def _jensen_shannon(q: Quantities) -> Numbers:
    return 2 * q.jensen_shannon


def _hellinger(q: Quantities) -> Numbers:
    """1 − BC² = H² (2 − H²), H² = 1 − BC: without the cancellation of 1 − BC²."""
    return q.hellinger2 * (2 - q.hellinger2)


def _occupancy(q: Quantities) -> Numbers:
    moved = q.sum_s(q.arithmetic.kl_div(q.occupancy_old, q.occupancy_new))
    return q.gamma / (1 - q.gamma) * q.mean_kl - moved


def _renyi(order: float) -> Formula:
    return lambda q: q.renyi(order) / (2 * order)


def _pair(name: str, ceiling: Formula, latex: str, source: str) -> tuple[Claim, Claim]:
    """TV² ≤ ceiling in every state, and its false twin with half the ceiling."""
    squared = r"\mathrm{TV}(\pi_s, \tilde\pi_s)^2 \le "
    true = Claim(
        f"divergence/{name}",
        lambda q: ceiling(q) - q.tv**2,
        squared + latex,
        source + '; docs/theory.md, "Divergences of a row"',
        provenance="D",
        proof=Theorem("Divergences of a row"),
    )
    false = Claim(
        f"divergence/{name}-half",
        lambda q: ceiling(q) / 2 - q.tv**2,
        squared + rf"\tfrac12 \cdot {latex}",
        source + ", with its constant halved",
        expected=False,
        provenance="D",
    )
    return true, false


CLAIMS = (
    *_pair("pinsker", _kl, r"\tfrac12 D_{\mathrm{KL}}(\pi_s \| \tilde\pi_s)", "Pinsker; Csiszár, Kullback"),
    *_pair(
        "jeffreys",
        _jeffreys,
        r"\tfrac14 \bigl[D_{\mathrm{KL}}(\pi_s \| \tilde\pi_s) + D_{\mathrm{KL}}(\tilde\pi_s \| \pi_s)\bigr]",
        "Pinsker, both ways",
    ),
    *_pair("chi2", _chi2, r"\tfrac14 \chi^2(\pi_s \| \tilde\pi_s)", "Cauchy-Schwarz on the two signs of π − π̃"),
    *_pair(
        "jensen-shannon",
        _jensen_shannon,
        r"2\,\mathrm{JS}(\pi_s, \tilde\pi_s)",
        "Pinsker, against the mean of both",
    ),
    *_pair(
        "hellinger",
        _hellinger,
        r"\bigl[1 - \mathrm{BC}(\pi_s, \tilde\pi_s)^2\bigr]",
        "Le Cam; Cauchy-Schwarz",
    ),
    *(
        claim
        for order in RENYI_ORDERS
        for claim in _pair(
            f"renyi-{order}",
            _renyi(order),
            rf"\tfrac{{1}}{{{2 * order:g}}} D_{{{order}}}(\pi_s \| \tilde\pi_s)",
            "Gilardoni 2010: Pinsker's inequality for Rényi's divergence of order at most 1",
        )
    ),
    Claim(
        "chain-rule/occupancy",
        _occupancy,
        r"D_{\mathrm{KL}}(d_\pi \| d_{\tilde\pi}) \le \frac{\gamma}{1-\gamma}\,"
        r"\mathbb{E}_{s\sim d_\pi} D_{\mathrm{KL}}(\pi_s \| \tilde\pi_s)",
        'derived: the chain rule at a geometric time, docs/theory.md, "The chain-rule bound"',
        provenance="D",
        proof=Theorem("The chain-rule bound"),
    ),
)
