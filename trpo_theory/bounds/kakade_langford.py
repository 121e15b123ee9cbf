"""Conservative policy iteration: Kakade and Langford (2002, ICML).

Their new policy is a mixture, new = (1 − x) old + x target. Any pair of policies is one, for every x from the least one on
(`Quantities.mixture_weight`), with Ā = x E_target A; the penalty 2γ x max|Ā|/((1 − γ)(1 − γ(1 − x))) increases with x, so the
least x gives the theorem's best penalty, and that is the one taken here. Where the target is greedy and old is not, the
least x is the only one that has it.
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers, Truth
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities


def _once(q: Quantities) -> Numbers:
    """γ x² max_s|E_target A| / ((1 − γ)(1 − γ(1 − x))): new and old part at time t with probability 1 − (1 − x)ᵗ."""
    x = q.mixture_weight
    return q.gamma * x**2 * q.max_abs_target_advantage / ((1 - q.gamma) * (1 - q.gamma * (1 - x)))


def _mixture(q: Quantities) -> Numbers:
    return 2 * _once(q)


def _trpo_form(q: Quantities) -> Numbers:
    return 2 * q.gamma * q.mixture_weight**2 * q.max_abs_target_advantage / (1 - q.gamma) ** 2


def _own_mixture(q: Quantities) -> Numbers:
    return 2 * q.gamma * q.mixture_weight**2 * q.max_abs_expected_advantage / (1 - q.gamma) ** 2


def _target_is_greedy(q: Quantities) -> Truth:
    """Σ_a target A = max_a A in every state, to the scale of ε."""
    deficit = q.max_s(q.max_a(q.advantage) - q.sum_a(q.target * q.advantage))
    return q.close(q.max_abs_advantage + deficit, q.max_abs_advantage)


_HORIZON = r"(1-\gamma)(1-\gamma(1-x))"
_OF_TARGET = r"\max_s\bigl|\mathbb{E}_{a\sim\pi'}A_\pi(s,a)\bigr|"
_GIVEN = r",\quad \tilde\pi = (1-x)\pi + x\pi'"

BOUNDS = (
    Bound(
        "kakade-langford",
        _mixture,
        rf"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{{2\gamma x^2}}{{{_HORIZON}}}{_OF_TARGET}{_GIVEN}",
        "Kakade and Langford 2002 (ICML), Theorem 4.1",
        provenance="M",
        proof=Theorem("Mixtures"),
        sharp="attained by zoo:kakade-langford-tight",
    ),
    Bound(
        "kakade-langford/trpo-form",
        _trpo_form,
        rf"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{{2\gamma x^2}}{{(1-\gamma)^2}}{_OF_TARGET}{_GIVEN}",
        "Schulman et al. 2015, arXiv:1502.05477, equation 6",
        provenance="S",
        proof=Theorem("Mixtures"),
        sharp="no: kakade-langford is never above it",
    ),
    Bound(
        "kakade-langford/own-mixture",
        _own_mixture,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{2\gamma x^2}{(1-\gamma)^2}"
        rf"\max_s\bigl|\mathbb{{E}}_{{a\sim\tilde\pi}}A_\pi(s,a)\bigr|{_GIVEN}",
        "folklore: kakade-langford/trpo-form with the expectation under the mixture itself",
        expected=False,
    ),
    Bound(
        "kakade-langford/greedy",
        _once,
        rf"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{{\gamma x^2}}{{{_HORIZON}}}{_OF_TARGET}{_GIVEN},"
        r"\ \pi'\ \text{greedy for}\ A_\pi",
        "derived here: a greedy target has expected advantages of one sign, and the visitation change adds up to 0: "
        'docs/theory.md, "Bounds derived here"',
        given=_target_is_greedy,
        proof=Theorem("Greedy mixtures"),
    ),
    Bound(
        "kakade-langford/greedy-any",
        _once,
        rf"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{{\gamma x^2}}{{{_HORIZON}}}{_OF_TARGET}{_GIVEN}",
        "folklore: kakade-langford/greedy for any target",
        expected=False,
    ),
)
