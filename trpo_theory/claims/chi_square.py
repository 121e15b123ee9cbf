"""What χ²(new ‖ old) bounds, what bounds it, and when a step is certified by it alone.

Proofs: docs/theory.md, "Second-order theorems in chi-square" and "Certified steps".
"""

from __future__ import annotations

from fractions import Fraction

from trpo_theory.bounds import chi2
from trpo_theory.bounds.formulas import Condition, Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims.rules import improvement
from trpo_theory.step.quantities import Quantities


def _occupancy(q: Quantities) -> Numbers:
    moved = q.arithmetic.chi2(q.occupancy_new, q.occupancy_old, axis=0)
    return chi2.kappa(q, q.max_s(q.visited_chi2)) ** 2 - moved


def _ratio_change(q: Quantities) -> Numbers:
    """new/old − 1, (S, A, *batch); −1 where old = 0."""
    played = q.old > 0
    return q.arithmetic.where(played, (q.new - q.old) / q.arithmetic.where(played, q.old, 1), -1)


def _clip(q: Quantities) -> Numbers:
    """e₁e₂ − c relative to 1 + c, as ratios may be large."""
    return (q.mixture_weight * q.max_s(q.max_a(_ratio_change(q))) - q.reverse_max_chi2) / (1 + q.reverse_max_chi2)


def _cap(q: Quantities) -> Numbers:
    """In each state, with B the largest ratio l there; m = 1 − χ²/(B − 1) = E[l (B − l)]/(B − 1) without cancellation.

    It is multiplied by χ² + (B − 1)², as quotients of tiny numbers are not accurate, and divided by B².
    """
    moved = (q.reverse_chi2 > 0) & (q.reverse_chi2 < float("inf"))
    change, square = _ratio_change(q), q.arithmetic.where(moved, q.reverse_chi2, 0)
    over = q.arithmetic.where(moved, q.max_a(change), 1)
    low = q.arithmetic.where(moved, q.sum_a(q.new * (over[:, None] - change)) / over, 1)
    return (q.kl * (square + over**2) + square * q.log(1 + over) + over**2 * q.log(low)) / (1 + over) ** 2


def _data_processing(q: Quantities) -> Numbers:
    return q.visited_chi2 - q.transition_chi2


def _certified(spread: int, factor: Fraction | int) -> Condition:
    """E_d Ā > 0 and c < factor (1 − γ)/(γ (spread + CV²)), CV = sd/mean, without its quotients."""

    def met(q: Quantities) -> Truth:
        c, mean, sd = q.max_s(q.visited_chi2), q.mean_expected_advantage, q.expected_advantage_sd
        finite = c < float("inf")
        used = q.gamma * q.arithmetic.where(finite, c, 0) * (spread * mean**2 + sd**2)
        return finite & (mean > 0) & (used < factor * (1 - q.gamma) * mean**2)

    return met


_COVERED = r"\tilde\pi\ll\pi"
_C = r"c=\max_s\chi^2(\tilde\pi_s\|\pi_s)"


def _certificate(suffix: str, radius: str, met: Condition, source: str, *, expected: bool) -> Claim:
    return Claim(
        f"update/cv-certificate{suffix}",
        improvement,
        rf"\mathbb{{E}}_{{d^\pi}}\bar A>0,\ {_C}<{radius},\ \mathrm{{CV}}=\frac{{\mathrm{{sd}}_{{d^\pi}}(\bar A)}}"
        r"{\mathbb{E}_{d^\pi}\bar A}\ \Rightarrow\ \eta(\tilde\pi)\ge\eta(\pi)",
        source,
        given=met,
        expected=expected,
        provenance="D",
        proof=Theorem("The coefficient of variation", formal="chi_square.coefficient_of_variation")
        if expected
        else None,
    )


CLAIMS = (
    Claim(
        "chi2/occupancy",
        _occupancy,
        rf"\chi^2(d_{{\tilde\pi}}\|d_\pi)\le\frac{{\gamma c}}{{1-\gamma(1+c)}},\quad {_C}",
        'derived in docs/theory.md, "Occupancy in chi-square"; sharp',
        provenance="D",
        proof=Theorem("Occupancy in chi-square", formal="chi_square.chi2_occupancy"),
    ),
    Claim(
        "chi2/clip",
        _clip,
        rf"{_C}\le e_1e_2\text{{ for }}1-e_1\le\tilde\pi/\pi\le1+e_2,\ {_COVERED}",
        'derived in docs/theory.md, "Clips and caps"; sharp',
        given=chi2.covered,
        provenance="D",
        proof=Theorem("Clips and caps"),
    ),
    Claim(
        "chi2/cap",
        _cap,
        r"D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s)\ge-q\log B-(1-q)\log m,\ q=\frac{\chi}{\chi+(B-1)^2},\ m=1-\frac{\chi}{B-1},"
        r"\quad\chi=\chi^2(\tilde\pi_s\|\pi_s),\ \tilde\pi_s\le B\pi_s",
        'derived in docs/theory.md, "Clips and caps": the largest chi-square under a cap B and a KL divergence; sharp',
        given=chi2.covered,
        provenance="D",
        proof=Theorem("Clips and caps"),
    ),
    Claim(
        "transition/data-processing",
        _data_processing,
        r"\chi^2(P_{\tilde\pi}(\cdot|s)\|P_\pi(\cdot|s))\le\chi^2(\tilde\pi_s\|\pi_s)",
        'the data-processing inequality; docs/theory.md, "Chi-square of the transitions"',
        provenance="D",
        proof=Theorem("Chi-square of the transitions"),
    ),
    _certificate(
        "",
        r"\frac{1-\gamma}{\gamma(1+\mathrm{CV}^2)}",
        _certified(1, 1),
        'derived in docs/theory.md, "The coefficient of variation"',
        expected=True,
    ),
    _certificate(
        "-cv2",
        r"\frac{1-\gamma}{\gamma\,\mathrm{CV}^2}",
        _certified(0, 1),
        'update/cv-certificate without its 1; docs/theory.md, "False twins in chi-square"',
        expected=False,
    ),
    _certificate(
        "-wider",
        r"\frac{11}{10}\cdot\frac{1-\gamma}{\gamma(1+\mathrm{CV}^2)}",
        _certified(1, Fraction(11, 10)),
        'update/cv-certificate with a tenth more; docs/theory.md, "False twins in chi-square"',
        expected=False,
    ),
)
