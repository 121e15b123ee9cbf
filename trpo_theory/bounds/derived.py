"""Bounds on the way to the published ones, sharper at no cost: |Ā(s)| ≤ TV(s) span_a A_old(s,·), and one maximum as a mean."""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities


def _span_tv(q: Quantities) -> Numbers:
    half_span = q.max_s(q.max_a(q.advantage) - q.min_a(q.advantage)) / 2
    return 4 * half_span * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2


def _span_tv_q(q: Quantities) -> Numbers:
    return 4 * q.max_s(q.max_a(abs(q.q_value))) * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2


def _mixed_tv(q: Quantities) -> Numbers:
    return 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv * q.mean_tv


BOUNDS = (
    Bound(
        "span/tv",
        _span_tv,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{4\gamma}{(1-\gamma)^2}\alpha^2"
        r"\,\tfrac12\max_s\bigl(\max_a A_\pi(s,a) - \min_a A_\pi(s,a)\bigr)",
        'derived here: trpo/tv with half the span of the advantage, docs/theory.md, "Bounds derived here"',
        proof=Theorem("Span of the advantage"),
    ),
    Bound(
        "span/tv-q",
        _span_tv_q,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{4\gamma}{(1-\gamma)^2}\alpha^2\max_{s,a}|Q_\pi(s,a)|",
        'derived here: span/tv, the span of A being that of Q, at most 2 max|Q|: docs/theory.md, "Bounds derived here"',
        proof=Theorem("Span of the advantage"),
    ),
    Bound(
        "mixed/tv",
        _mixed_tv,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{4\epsilon\gamma}{(1-\gamma)^2}\alpha"
        r"\,\mathbb{E}_{s\sim d^\pi}\,\mathrm{TV}(\pi_s,\tilde\pi_s)",
        "derived here: the visitation change takes the mean, the expected advantage the maximum: "
        'docs/theory.md, "Bounds derived here"',
        proof=Theorem("Mean and maximum"),
    ),
)
