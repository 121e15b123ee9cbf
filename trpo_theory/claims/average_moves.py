"""Average rewards: how far the stationary law moves, in the policy-improvement papers' own terms.

Zhang and Ross 2021 (ICML), arXiv:2106.07329; Agnihotri, Jain and Luo 2024 (ICML), arXiv:2302.00808 (ACPO). Proofs:
docs/theory.md, "Average rewards".
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Formula, Numbers
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.numerics.arithmetic import Array
from trpo_theory.solve.criteria import AVERAGE
from trpo_theory.step.quantities import Quantities


def _moved(share: int) -> Formula:
    """share (κ_new − 1) mean-TV − ‖d_new − d_old‖₁."""
    return lambda q: share * (q.kemeny_new - 1) * q.mean_tv - q.sum_s(abs(q.visitation_change))


def _each_action(q: Quantities) -> Array:
    """Ā(s) for every action, (S, A, *batch)."""
    return q.expected_advantage[:, None] + 0 * q.old


def _sensitivity(q: Quantities, ahead: Array) -> Numbers:
    """g(new) − L − Σ_s d_old Σ_a (new − old) E[ahead(s')]; g(new) − g(old) is solved for, L comes of the surrogate."""
    gained = q.expected_return_new - q.expected_return_old - q.surrogate_gain
    return gained - q.sum_s(q.occupancy_old * q.sum_a((q.new - q.old) * q.expect(ahead)))


def _by_new(q: Quantities) -> Numbers:
    return _sensitivity(q, q.discounted_sums_new(_each_action(q)))


def _by_old(q: Quantities) -> Numbers:
    return _sensitivity(q, q.discounted_sums_old(_each_action(q)))


_ZHANG = "Zhang and Ross 2021 (ICML), arXiv:2106.07329"
_ACPO = "Agnihotri, Jain and Luo 2024 (ICML), arXiv:2302.00808 (ACPO)"
_MOVES = (
    r"\|d_{\tilde\pi} - d_\pi\|_1 \le %s(\kappa_{\tilde\pi}-1)\,\mathbb{E}_{s\sim d_\pi}\mathrm{TV}(\pi_s,\tilde\pi_s)"
)
_SENSITIVITY = r"g(\tilde\pi) - L = d_\pi^\top(P_{\tilde\pi}-P_\pi)Z_{%s}\bar A,\quad Z = (I-P+1d^\top)^{-1}"
_AVERAGE = AVERAGE.name
_THEOREM = Theorem("Average rewards")

CLAIMS = (
    Claim(
        "average/occupancy",
        _moved(2),
        _MOVES % "2",
        f"{_ZHANG}, Lemma 2, with the constant of new for the largest; so in {_ACPO}",
        provenance="M",
        criterion=_AVERAGE,
        proof=_THEOREM,
    ),
    Claim(
        "average/occupancy-1",
        _moved(1),
        _MOVES % "",
        "derived here: average/occupancy without its 2",
        expected=False,
        provenance="D",
        criterion=_AVERAGE,
    ),
    Claim(
        "average/sensitivity",
        _by_new,
        _SENSITIVITY % r"\tilde\pi",
        f"Schweitzer 1968; the identity behind the bounds of {_ACPO}",
        relation="=",
        provenance="M",
        criterion=_AVERAGE,
        proof=_THEOREM,
    ),
    Claim(
        "average/sensitivity-old",
        _by_old,
        _SENSITIVITY % r"\pi",
        "derived here: average/sensitivity with the chain of old, which is known before the step",
        relation="=",
        expected=False,
        provenance="D",
        criterion=_AVERAGE,
    ),
)
