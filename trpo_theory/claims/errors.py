"""What the error of an estimate Â of the advantage costs in return, where |Â − A_old| ≤ x everywhere."""

from __future__ import annotations

from trpo_theory.bounds import get
from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims.rules import improvement
from trpo_theory.step.quantities import Quantities


def largest_error(q: Quantities) -> Numbers:
    """x = max_{s,a} |Â − A_old|, (*batch)."""
    return q.max_s(q.max_a(abs(q.noise)))


def greedy_on_estimate(q: Quantities) -> Numbers:
    """In each state the first action whose Â is largest, (S, A, *batch)."""
    return q.greedy(q.estimate)


def _above_estimate(q: Quantities) -> Numbers:
    """η(new) − L̂ + x/(1 − γ), L̂ = η(old) + Σ_s ρ_old Σ_a new Â."""
    mistaken = q.sum_s(q.visitation_old * q.sum_a(q.new * q.noise))
    return q.surrogate_gap - mistaken + largest_error(q) / (1 - q.gamma)


def _raw(q: Quantities) -> Numbers:
    return _above_estimate(q) + get("coupling/tv").penalty(q)


def _eps_hat(q: Quantities) -> Numbers:
    """As `_raw` with ε̂ = max |Â| for ε: the penalty is linear in ε."""
    estimated, largest = q.max_s(q.max_a(abs(q.estimate))), q.max_abs_advantage
    share = estimated / q.arithmetic.where(largest > 0, largest, 1)
    return _above_estimate(q) + share * get("coupling/tv").penalty(q)


def _centred(q: Quantities) -> Numbers:
    mistaken = q.sum_s(q.visitation_old * q.sum_a((q.new - q.old) * q.noise))
    return 2 * q.max_tv * largest_error(q) / (1 - q.gamma) - abs(mistaken)


def _greedy(q: Quantities) -> Numbers:
    return improvement(q) + 2 * largest_error(q) / (1 - q.gamma)


_ESTIMATE = r"\text{, where } |\hat A - A_\pi| \le x"
_RAW = r"\eta(\tilde\pi) \ge \eta(\pi) + \sum_s \rho_\pi \sum_a \tilde\pi \hat A - \frac{x}{1-\gamma} - "
_PENALTY = r"\frac{4 %s\gamma\alpha^2}{(1-\gamma)(1-\gamma(1-\alpha))}"

CLAIMS = (
    Claim(
        "error/raw",
        _raw,
        _RAW + _PENALTY % r"\epsilon" + _ESTIMATE,
        'derived from coupling/tv, docs/theory.md, "Errors of the advantage"; '
        "Kakade & Langford 2002 treat the error of a greedy step",
        provenance="D",
        note="Attained: F1 with Â = A + x.",
        proof=Theorem("Errors of the advantage"),
    ),
    Claim(
        "error/centred",
        _centred,
        r"|\hat L - L_\pi(\tilde\pi)| \le \frac{2\alpha x}{1-\gamma} \text{ for } "
        r"\hat L = \eta(\pi) + \sum_s \rho_\pi \sum_a (\tilde\pi - \pi) \hat A" + _ESTIMATE,
        'derived: Hölder\'s inequality, docs/theory.md, "Errors of the advantage"',
        provenance="D",
        note="Attained where every state moves α from an action with Â − A = −x to one with +x.",
        proof=Theorem("Errors of the advantage"),
    ),
    Claim(
        "error/greedy",
        _greedy,
        r"\eta(\tilde\pi) \ge \eta(\pi) - \frac{2x}{1-\gamma} \text{ for } "
        r"\tilde\pi(s) \in \arg\max_a \hat A(s, a)" + _ESTIMATE,
        'derived: performance difference, docs/theory.md, "Errors of the advantage"; '
        "Bertsekas & Tsitsiklis 1996 in terms of the value",
        step=greedy_on_estimate,
        provenance="D",
        note="Attained where an action with A = −2x ties with old's own.",
        proof=Theorem("Errors of the advantage"),
    ),
    Claim(
        "error/eps-hat",
        _eps_hat,
        _RAW + _PENALTY % r"\hat\epsilon" + r",\ \hat\epsilon = \max_{s,a} |\hat A|" + _ESTIMATE,
        "what code does that takes ε from its own estimates",
        expected=False,
        provenance="D",
        note="ε̂ may be as small as ε − x.",
    ),
)
