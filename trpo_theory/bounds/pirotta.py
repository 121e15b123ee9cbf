"""Safe policy iteration: Pirotta, Restelli, Pecorino, Calandriello (2013, ICML).

The visitation change adds up to 0, so only the span of Ā over states counts, not its size.
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers, Truth
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities


def _span(q: Quantities) -> Numbers:
    span = q.max_s(q.expected_advantage) - q.min_s(q.expected_advantage)
    return q.gamma / (1 - q.gamma) ** 2 * (2 * q.max_tv) * span / 2


def _q(q: Quantities) -> Numbers:
    return q.gamma / (1 - q.gamma) ** 2 * (2 * q.max_tv) ** 2 * q.max_s(q.max_a(abs(q.q_value))) / 2


def _q_is_not_negative(q: Quantities) -> Truth:
    return q.min_s(q.min_a(q.q_value)) >= 0


_DISTANCE = r"\max_s\|\tilde\pi_s - \pi_s\|_1"
_IN_Q = (
    rf"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{{\gamma}}{{2(1-\gamma)^2}}\bigl({_DISTANCE}\bigr)^2\|Q_\pi\|_\infty"
)

BOUNDS = (
    Bound(
        "pirotta/span",
        _span,
        rf"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{{\gamma}}{{(1-\gamma)^2}}{_DISTANCE}\,"
        r"\frac{\max_s \bar A(s) - \min_s \bar A(s)}{2}",
        "Pirotta et al. 2013 (ICML)",
        provenance="M",
        proof=Theorem("Span of the expected advantage"),
    ),
    Bound(
        "pirotta/q",
        _q,
        rf"{_IN_Q},\quad Q_\pi \ge 0",
        "Pirotta et al. 2013 (ICML), for rewards that are not negative",
        given=_q_is_not_negative,
        provenance="M",
        proof=Theorem("Span of the expected advantage"),
    ),
    Bound(
        "pirotta/q-signed",
        _q,
        _IN_Q,
        "folklore: pirotta/q for rewards of either sign",
        expected=False,
        provenance="D",
    ),
)
