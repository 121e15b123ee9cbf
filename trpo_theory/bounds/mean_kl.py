"""trpo/kl and pinsker/kl with the mean of KL under d_old in the place of its maximum: derived here, for discounts not too small.

The proofs are supersolutions of the sharp gap's program, checked in balls: `sharp/mean_kl/`. A constant below 2 √((1 − γ)/γ) is
false, so that 4 holds for γ ≥ 1/5 and for no smaller γ. 2 must fail for γ < 1/2; at γ = 1/2 itself it is too small, too.
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities


def with_4(q: Quantities) -> Numbers:
    """4 ε γ/(1 − γ)² mean-KL."""
    return 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.mean_kl


def with_2(q: Quantities) -> Numbers:
    """2 ε γ/(1 − γ)² mean-KL."""
    return 2 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.mean_kl


def _statement(constant: int, least: str) -> str:
    return (
        rf"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{{{constant}\epsilon\gamma}}{{(1-\gamma)^2}}"
        rf"\,\mathbb{{E}}_{{s\sim d^\pi}} D_{{\mathrm{{KL}}}}(\pi_s\|\tilde\pi_s),\quad \gamma \ge \tfrac{least}"
    )


BOUNDS = (
    Bound(
        "mean-kl/linear-4",
        with_4,
        _statement(4, "15"),
        "derived here: trpo/kl with the mean for the maximum, for gamma from 1/5 on, below which it is false; proved in balls: "
        'docs/theory.md, "The linear mean-KL theorems"',
        given=lambda q: 5 * q.gamma >= 1,
        proof=Theorem(
            "The linear mean-KL theorems", formal="linear_mean_kl.mean_kl_linear_4", formal_for="gamma >= 1/4"
        ),
    ),
    Bound(
        "mean-kl/linear-2",
        with_2,
        _statement(2, "{21}{40}"),
        "derived here: equation (9), pinsker/kl, with the mean for the maximum, for gamma from 21/40 on; proved in balls: "
        'docs/theory.md, "The linear mean-KL theorems"',
        given=lambda q: 40 * q.gamma >= 21,
        proof=Theorem(
            "The linear mean-KL theorems", formal="linear_mean_kl.mean_kl_linear_2", formal_for="gamma >= 4/5"
        ),
    ),
    Bound(
        "mean-kl/linear-1",
        lambda q: with_2(q) / 2,
        _statement(1, "{9}{10}").replace("1\\epsilon", "\\epsilon"),
        "derived here: mean-kl/linear-2 with half its constant, for gamma from 9/10 on; at 9/10 at least 1.151 is needed",
        given=lambda q: 10 * q.gamma >= 9,
        expected=False,
    ),
)
