"""Bounds on the gain η = g, the average reward a step: how far d moves is the step times how slowly the new chain forgets.

    g(new) − L = Σ_s (d_new − d_old)(s) Ā(s),   d_new − d_old = d_old (P_new − P_old) Z_new,   Z = (I − P + 1 dᵀ)⁻¹,
with τ half the largest L1 distance of two rows, and κ = trace Z Kemeny's constant, so that τ ≤ κ − 1.
Dai and Gluzman (2021), arXiv:2107.08068: τ. Zhang and Ross (2021, ICML), arXiv:2106.07329: κ* − 1, κ* the largest κ.
Proofs: docs/theory.md, "Average rewards". No bound in a divergence alone is true: each has a constant of mixing.
"""

from __future__ import annotations

from typing import Any

from trpo_theory.bounds.formulas import Formula, Numbers, Truth
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.solve.criteria import AVERAGE
from trpo_theory.step.quantities import Quantities


def _moved(q: Quantities, constant: Numbers, distance: Numbers) -> Numbers:
    """2 ε' constant distance: the L1 distance of d_new and d_old is at most twice the constant times a mean distance."""
    return 2 * q.max_abs_expected_advantage * constant * distance


def _mean_tv_new(q: Quantities) -> Numbers:
    return q.sum_s(q.occupancy_new * q.tv)


def _span(q: Quantities) -> Numbers:
    return (q.max_s(q.expected_advantage) - q.min_s(q.expected_advantage)) * q.mixing_new * q.mean_tv


def _tv(q: Quantities) -> Numbers:
    return 4 * q.max_abs_advantage * q.mixing_new * q.max_tv**2


def _kl(q: Quantities) -> Numbers:
    return 2 * q.max_abs_advantage * q.mixing_new * q.max_kl


def _tv_alone(q: Quantities) -> Numbers:
    return 4 * q.max_abs_advantage * q.max_tv**2


def _kl_alone(q: Quantities) -> Numbers:
    return 100 * q.max_abs_advantage * q.max_kl


def _to_old_gain(q: Quantities) -> Numbers:
    return -q.surrogate_gain


def _surrogate_does_not_fall(q: Quantities) -> Truth:
    return q.surrogate_gain >= 0


def _over_reached(q: Quantities, numerator: Numbers) -> Numbers:
    """2 ε' mean-TV numerator/β_new; ∞ where β_new = 0."""
    beta = q.minorisation_new
    share = numerator / q.arithmetic.where(beta > 0, beta, 1)
    return q.arithmetic.where(beta > 0, _moved(q, share, q.mean_tv), float("inf"))


_FROM_L = r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - "
_MEAN_TV = r"\,\mathbb{E}_{s\sim d_\pi}\,\mathrm{TV}(\pi_s,\tilde\pi_s)"
_TV_OF_NEW = r"\,\mathbb{E}_{s\sim d_{\tilde\pi}}\,\mathrm{TV}(\pi_s,\tilde\pi_s)"
_ROOT_KL = r"\sqrt{\tfrac12\,\mathbb{E}_{s\sim d_\pi} D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s)}"
_ROOT_REVERSE = r"\sqrt{\tfrac12\,\mathbb{E}_{s\sim d_\pi} D_{\mathrm{KL}}(\tilde\pi_s\|\pi_s)}"
_MAX_KL = r" D_{\mathrm{KL}}^{\max}(\pi,\tilde\pi)"
_TAU = r"\tau(Z_{\tilde\pi})"
_KAPPA = r"(\kappa_{\tilde\pi}-1)"
_OWN = r"\epsilon^{\tilde\pi}"
_DAI = "Dai and Gluzman 2021, arXiv:2107.08068"
_ZHANG = "Zhang and Ross 2021 (ICML), arXiv:2106.07329"


def _bound(id: str, formula: Formula, penalty: str, source: str, provenance: str = "D", **details: Any) -> Bound:
    return Bound(
        f"average/{id}",
        formula,
        details.pop("statement", _FROM_L + penalty),
        source,
        provenance=provenance,
        small_only=True,
        criterion=AVERAGE.name,
        proof=Theorem("Average rewards"),
        **details,
    )


def _twin(id: str, formula: Formula, penalty: str, of: str) -> Bound:
    return Bound(
        f"average/{id}",
        formula,
        _FROM_L + penalty,
        f'{of}; docs/theory.md, "Average rewards"',
        expected=False,
        small_only=True,
        criterion=AVERAGE.name,
    )


BOUNDS = (
    _bound(
        "mixing-mean-tv",
        lambda q: _moved(q, q.mixing_new, q.mean_tv),
        rf"2{_OWN}{_TAU}{_MEAN_TV}",
        f"{_DAI}, for average rewards; attained by chains of two states",
        "M",
    ),
    _bound(
        "mixing-span",
        _span,
        rf"\mathrm{{span}}_s(\bar A)\,{_TAU}{_MEAN_TV}",
        "average/mixing-mean-tv with half the span of Abar, as the change of d adds up to 0; "
        'docs/theory.md, "Average rewards"',
    ),
    _bound(
        "mixing-mean-kl",
        lambda q: _moved(q, q.mixing_new, q.sqrt(q.mean_kl / 2)),
        rf"2{_OWN}{_TAU}{_ROOT_KL}",
        f"{_DAI}, and Pinsker",
        "M",
    ),
    _bound(
        "mixing-tv",
        _tv,
        rf"4\epsilon\,{_TAU}\,\alpha^2",
        'average/mixing-mean-tv with |Abar| <= 2 eps TV; docs/theory.md, "Average rewards"',
    ),
    _bound(
        "mixing-kl",
        _kl,
        rf"2\epsilon\,{_TAU}{_MAX_KL}",
        'average/mixing-tv and Pinsker; docs/theory.md, "Average rewards"',
    ),
    _twin(
        "mixing-half",
        lambda q: _moved(q, q.mixing_new, q.mean_tv) / 2,
        rf"{_OWN}{_TAU}{_MEAN_TV}",
        "average/mixing-mean-tv without its 2",
    ),
    _twin("tv-alone", _tv_alone, r"4\epsilon\,\alpha^2", "average/mixing-tv without tau"),
    _twin("kl-alone", _kl_alone, rf"100\,\epsilon{_MAX_KL}", "a constant, however large, in the place of 2 tau"),
    _bound(
        "kemeny-mean-tv",
        lambda q: _moved(q, q.kemeny_new - 1, q.mean_tv),
        rf"2{_OWN}{_KAPPA}{_MEAN_TV}",
        f"{_ZHANG}, Lemma 2 and Theorem 1, with the constant of new for the largest of all; attained by chains of two states",
        "M",
    ),
    _bound(
        "kemeny-mean-kl",
        lambda q: _moved(q, q.kemeny_new - 1, q.sqrt(q.mean_kl / 2)),
        rf"2{_OWN}{_KAPPA}{_ROOT_KL}",
        f"{_ZHANG}, with Pinsker as for ATRPO",
        "M",
    ),
    _bound(
        "kemeny-mean-reverse-kl",
        lambda q: _moved(q, q.kemeny_new - 1, q.sqrt(q.reverse_mean_kl / 2)),
        rf"2{_OWN}{_KAPPA}{_ROOT_REVERSE}",
        f"{_ZHANG}, with Pinsker in the other direction",
        "M",
    ),
    _bound(
        "kemeny-old",
        lambda q: _moved(q, q.kemeny_old - 1, _mean_tv_new(q)),
        rf"2{_OWN}(\kappa_\pi-1){_TV_OF_NEW}",
        'average/kemeny-mean-tv with the two policies exchanged; docs/theory.md, "Average rewards"',
    ),
    _bound(
        "atrpo",
        lambda q: _moved(q, q.kemeny_new - 1, q.sqrt(q.mean_kl / 2)),
        "",
        f"{_ZHANG}: the worst that a step of ATRPO, or ACPO without costs, does to the gain",
        "M",
        statement=rf"\eta(\tilde\pi) \ge \eta(\pi) - \sqrt{{2\delta}}\,{_KAPPA}{_OWN},\quad \delta=\mathbb{{E}}_{{s\sim d_\pi}}"
        r" D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s),\ L_\pi(\tilde\pi)\ge\eta(\pi)",
        given=_surrogate_does_not_fall,
        shift=_to_old_gain,
    ),
    _twin(
        "kemeny-half",
        lambda q: _moved(q, q.kemeny_new - 1, q.mean_tv) / 2,
        rf"{_OWN}{_KAPPA}{_MEAN_TV}",
        "average/kemeny-mean-tv without its 2",
    ),
    _twin(
        "kemeny-twice-less",
        lambda q: _moved(q, q.kemeny_new - 2, q.mean_tv),
        rf"2{_OWN}(\kappa_{{\tilde\pi}}-2){_MEAN_TV}",
        "average/kemeny-mean-tv with the other convention of Kemeny's constant, trace Z - 1, and 1 subtracted again",
    ),
    _twin(
        "kemeny-of-old",
        lambda q: _moved(q, q.kemeny_old - 1, q.mean_tv),
        rf"2{_OWN}(\kappa_\pi-1){_MEAN_TV}",
        "average/kemeny-mean-tv with the constant of old, which is known before the step",
    ),
    _twin(
        "kemeny-mean-of-new",
        lambda q: _moved(q, q.kemeny_new - 1, _mean_tv_new(q)),
        rf"2{_OWN}{_KAPPA}{_TV_OF_NEW}",
        "average/kemeny-mean-tv with the mean under d of new",
    ),
    _bound(
        "forgetting-new",
        lambda q: _over_reached(q, 1),
        rf"\frac{{2{_OWN}}}{{\beta_{{\tilde\pi}}}}{_MEAN_TV},\quad "
        r"\beta_{\tilde\pi}=\sum_{s'}\min_s P_{\tilde\pi}(s'|s)",
        'average/mixing-mean-tv, as tau is at most 1/beta of new\'s chain; docs/theory.md, "Average rewards"',
    ),
    _twin(
        "forgetting-new-early",
        lambda q: _over_reached(q, 1 - q.minorisation_new),
        rf"\frac{{2{_OWN}(1-\beta_{{\tilde\pi}})}}{{\beta_{{\tilde\pi}}}}{_MEAN_TV}",
        "average/doeblin/cpo/mean-tv with the minorisation of new's chain alone",
    ),
)
