"""Constrained updates in closed form: what PCPO and FOCOPS say of the step that they take, with exact surrogates.

PCPO: Yang, Rosca, Narasimhan and Ramadge 2020, arXiv:2010.03152. FOCOPS: Zhang, Vuong and Ross 2020, arXiv:2002.06506. Proofs:
docs/theory.md, "Costs". A cost may be scaled, so that its multiplier is 1 here, or λ = size.
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Formula, Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims.costs import of_kl
from trpo_theory.claims.rules import tilted
from trpo_theory.numerics.arithmetic import Array
from trpo_theory.step.quantities import Quantities

_COST = "c"


def _before(q: Quantities) -> Quantities:
    """The step to the policy ∝ new exp(λ A_c), λ = size, whose projection new is.

    That is the argmin of Σ_s d_old KL(· ‖ it) where L_c is at most a limit, which is L_c(new).
    """
    return q.with_new(tilted(q, q.new, q.size * q.cost(_COST).advantage))


def _violation(q: Quantities) -> Numbers:
    """√(2 δ) γ ε'_c/(1 − γ)² − (J_c − L_c), δ the mean KL of the step before the projection."""
    cost = q.cost(_COST)
    return of_kl(cost, _before(q).mean_kl) - cost.surrogate_gap


def _old_is_feasible(q: Quantities) -> Truth:
    """J_c(old) ≤ L_c(new), which is the limit where the constraint binds; λ ≥ 0."""
    return (q.cost(_COST).surrogate_gain >= 0) & (q.size >= 0)


def _tilt(q: Quantities) -> Array:
    """∝ old exp(h (A − A_c)), h = size."""
    return tilted(q, q.old, q.size * (q.advantage - q.cost(_COST).advantage))


def _forward(q: Quantities) -> Truth:
    return q.size > 0


def _optimal(divergence: Formula) -> Formula:
    """L − L_c − divergence/(h (1 − γ)) at the tilt less the same at new: where new spends and moves no more, it gains no more."""

    def worth(q: Quantities) -> Numbers:
        return q.surrogate_gain - q.cost(_COST).surrogate_gain - divergence(q) / (q.size * (1 - q.gamma))

    return lambda q: worth(q.with_new(_tilt(q))) - worth(q)


def _cost_of_tilt(q: Quantities) -> Numbers:
    cost = q.cost(_COST)
    return of_kl(cost, cost.reverse_mean_kl) - cost.surrogate_gap


def _constraint_of_tilt(q: Quantities) -> Numbers:
    return -q.cost(_COST).surrogate_gap


_THEOREM = Theorem("Costs")
_PCPO = "Yang, Rosca, Narasimhan and Ramadge 2020, arXiv:2010.03152 (PCPO)"
_FOCOPS = "Zhang, Vuong and Ross 2020, arXiv:2002.06506 (FOCOPS)"
_DELTA = r"\delta = \mathbb{E}_{s\sim d^\pi}D_{\mathrm{KL}}(%s)"
_PROJECTION = r",\quad \tilde\pi \propto \hat\pi e^{-\lambda A_c},\ L_c(\tilde\pi) \ge J_c(\pi)"
_PROJECTED = (
    r"J_c(\tilde\pi) \le L_c(\tilde\pi) + \frac{\sqrt{2\delta}\,\gamma\epsilon'_c}{(1-\gamma)^2}"
    + _PROJECTION
    + r",\ "
    + _DELTA % r"\pi_s\|\hat\pi_s"
)
_NO_FARTHER = (
    r"\mathbb{E}_{s\sim d^\pi}D_{\mathrm{KL}}(%s) \le \mathbb{E}_{s\sim d^\pi}D_{\mathrm{KL}}(%s)" + _PROJECTION
)
_TILT = r"\hat\pi \propto \pi e^{h(A - A_c)}"
_NO_FURTHER = (
    r"L(\tilde\pi) \le L(\hat\pi) + \bigl[L_c(\tilde\pi) - L_c(\hat\pi)\bigr] + \tfrac{1}{h(1-\gamma)}"
    rf"\bigl[\bar D(\tilde\pi) - \bar D(\hat\pi)\bigr],\quad {_TILT}"
    r",\ \bar D(\tilde\pi) = \mathbb{E}_{s\sim d^\pi}D_{\mathrm{KL}}(%s)"
)
_OLD_NEW, _NEW_OLD = r"\pi_s\|\tilde\pi_s", r"\tilde\pi_s\|\pi_s"

CLAIMS = (
    Claim(
        "pcpo/projection",
        lambda q: _before(q).mean_kl - q.mean_kl,
        _NO_FARTHER % (r"\pi_s\|\tilde\pi_s", r"\pi_s\|\hat\pi_s"),
        f'the projection of {_PCPO}, in the direction of its proof: docs/theory.md, "Costs"',
        given=_old_is_feasible,
        provenance="D",
        costs=(_COST,),
        proof=_THEOREM,
    ),
    Claim(
        "pcpo/projection-reverse",
        lambda q: _before(q).reverse_mean_kl - q.reverse_mean_kl,
        _NO_FARTHER % (r"\tilde\pi_s\|\pi_s", r"\hat\pi_s\|\pi_s"),
        f"{_PCPO}, Lemma 1, whose proof takes KL to be symmetric between near policies",
        given=_old_is_feasible,
        expected=False,
        provenance="S",
        costs=(_COST,),
        note="The step before the projection, if > 0, is the reward step for some reward: docs/theory.md, Costs.",
    ),
    Claim(
        "pcpo/cost",
        _violation,
        _PROJECTED,
        f'{_PCPO}, Theorem 1, the side of the cost, with KL in the direction of (13): docs/theory.md, "Costs"',
        given=_old_is_feasible,
        provenance="D",
        costs=(_COST,),
        note="With KL in the direction in which it is printed it is false: docs/theory.md, Costs.",
        proof=_THEOREM,
    ),
    Claim(
        "pcpo/cost-constraint",
        lambda q: -q.cost(_COST).surrogate_gap,
        r"J_c(\tilde\pi) \le L_c(\tilde\pi)" + _PROJECTION,
        "derived here: pcpo/cost without its second term",
        given=_old_is_feasible,
        expected=False,
        provenance="D",
        costs=(_COST,),
    ),
    Claim(
        "focops/optimal",
        _optimal(lambda q: q.reverse_mean_kl),
        _NO_FURTHER % _NEW_OLD,
        f"{_FOCOPS}, Theorem 1, which is of those with no larger L_c and D",
        given=_forward,
        provenance="S",
        costs=(_COST,),
        proof=_THEOREM,
    ),
    Claim(
        "focops/optimal-forward",
        _optimal(lambda q: q.mean_kl),
        _NO_FURTHER % _OLD_NEW,
        "derived here: focops/optimal with KL in the direction of (13)",
        given=_forward,
        expected=False,
        provenance="D",
        costs=(_COST,),
    ),
    Claim(
        "focops/cost",
        _cost_of_tilt,
        rf"J_c(\hat\pi) \le L_c(\hat\pi) + \frac{{\sqrt{{2\delta}}\,\gamma\epsilon'_c}}{{(1-\gamma)^2}},\quad {_TILT},\ "
        + _DELTA % r"\hat\pi_s\|\pi_s",
        f"{_FOCOPS}, the worst-case guarantee for the cost",
        given=_forward,
        step=_tilt,
        provenance="S",
        costs=(_COST,),
        proof=_THEOREM,
    ),
    Claim(
        "focops/cost-constraint",
        _constraint_of_tilt,
        rf"J_c(\hat\pi) \le L_c(\hat\pi),\quad {_TILT}",
        "derived here: focops/cost without its second term",
        given=_forward,
        expected=False,
        step=_tilt,
        provenance="D",
        costs=(_COST,),
    ),
)
