"""CUP: returns seen λ-step-wise, as those of a chain P^λ with a discount γ̃, whose surrogate has GAE(λ) for its advantage.

    P^λ = (1 − γλ) Σ_t (γλ)ᵗ P^{t+1},  γ̃ = γ(1 − λ)/(1 − γλ),  ρ^λ = (I − γ̃ P^λᵀ)⁻¹ ρ₀ = (1 − λ) ρ + λ ρ₀,  here for λ = ½.
Source: Yang et al. 2022, arXiv:2209.07089 (CUP). Proofs: docs/theory.md, "Several steps at once".
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.numerics.arithmetic import Array
from trpo_theory.step.quantities import Quantities


def _short(q: Quantities) -> Quantities:
    """The same step with the discount γλ, λ = ½: its values are (I − γλ P)⁻¹ r."""
    return q.replaced(gamma=q.gamma / 2)


def _several(q: Quantities) -> Array:
    """Ā^λ(s) = E_new[Σ_t (γλ)ᵗ A_old(s_t, a_t) | s_0 = s], (S, *batch)."""
    return _short(q).discounted_sums_new(q.advantage)


def _half(q: Quantities, visitation: Array) -> Array:
    """ρ^λ = ½ ρ + ½ ρ₀."""
    return (visitation + q.initial) / 2


def _return(q: Quantities) -> Numbers:
    return q.sum_s(_half(q, q.visitation_old) * _short(q).value) - q.expected_return_old


def _return_of_p(q: Quantities) -> Numbers:
    visits = q.replaced(gamma=q.gamma / (2 - q.gamma)).visitation_old
    return q.sum_s(visits * _short(q).value) - q.expected_return_old


def _gained(q: Quantities, visits: Array) -> Numbers:
    return q.expected_return_new - q.expected_return_old - q.sum_s(visits * _several(q))


def _difference(q: Quantities) -> Numbers:
    return _gained(q, _half(q, q.visitation_new))


def _difference_visits(q: Quantities) -> Numbers:
    return _gained(q, q.visitation_new)


def _bounded(q: Quantities, share: int) -> Numbers:
    """share γ(1 − λ)/(1 − γ)² max|Ā^λ| mean-TV − |Σ_s (ρ^λ_new − ρ^λ_old) Ā^λ|, λ = ½."""
    several = _several(q)
    penalty = share * q.gamma / 2 / (1 - q.gamma) ** 2 * q.max_s(abs(several)) * q.mean_tv
    return penalty - abs(q.sum_s(q.visitation_change * several)) / 2


_CUP = "Yang et al. 2022, arXiv:2209.07089 (CUP)"
_LAMBDA = r"\rho^\lambda=(1-\lambda)\rho+\lambda\rho_0,\ \lambda=\tfrac12"
_SEVERAL = r"\bar A^\lambda(s)=\mathbb{E}_{\tilde\pi}\sum_t(\gamma\lambda)^tA_\pi(s_t,a_t)"
_APART = (
    r"\Bigl|\eta(\tilde\pi)-\eta(\pi)-\sum_s\rho^\lambda_\pi\bar A^\lambda\Bigr|\le\frac{%s\gamma(1-\lambda)}{(1-\gamma)^2}"
    r"\max_s|\bar A^\lambda|\,\mathbb{E}_{s\sim d^\pi}\mathrm{TV}(\pi_s,\tilde\pi_s),\quad " + _SEVERAL
)
_THEOREM = Theorem("Several steps at once")

CLAIMS = (
    Claim(
        "cup/return",
        _return,
        rf"\eta(\pi)=\sum_s\rho^\lambda_\pi\,(I-\gamma\lambda P_\pi)^{{-1}}r_\pi,\quad {_LAMBDA}",
        f"{_CUP}, with the visits of P^λ in closed form",
        relation="=",
        provenance="M",
        proof=_THEOREM,
    ),
    Claim(
        "cup/return-one-step",
        _return_of_p,
        r"\eta(\pi)=\sum_s\tilde\rho_\pi\,(I-\gamma\lambda P_\pi)^{-1}r_\pi,\quad\tilde\rho_\pi\text{ the visits of }P"
        r"\text{ with the discount }\tfrac{\gamma(1-\lambda)}{1-\gamma\lambda},\ \lambda=\tfrac12",
        "derived here: cup/return with P for P^λ",
        relation="=",
        expected=False,
        provenance="D",
    ),
    Claim(
        "cup/difference",
        _difference,
        rf"\eta(\tilde\pi)-\eta(\pi)=\sum_s\rho^\lambda_{{\tilde\pi}}\bar A^\lambda,\quad {_SEVERAL},\ {_LAMBDA}",
        f"{_CUP}, the performance difference",
        relation="=",
        provenance="M",
        proof=_THEOREM,
    ),
    Claim(
        "cup/difference-visits",
        _difference_visits,
        rf"\eta(\tilde\pi)-\eta(\pi)=\sum_s\rho_{{\tilde\pi}}\bar A^\lambda,\quad {_SEVERAL},\ \lambda=\tfrac12",
        "derived here: cup/difference with the visits of every step, as code has them",
        relation="=",
        expected=False,
        provenance="D",
    ),
    Claim(
        "cup/bound",
        lambda q: _bounded(q, 2),
        _APART % 2 + rf",\ {_LAMBDA}",
        f"{_CUP}, whose constant has the number of states in it: derived without in docs/theory.md, "
        '"Several steps at once"; cpo/mean-tv at λ = 0',
        provenance="D",
        proof=_THEOREM,
    ),
    Claim(
        "cup/bound-1",
        lambda q: _bounded(q, 1),
        _APART % "" + rf",\ {_LAMBDA}",
        "derived here: cup/bound without its 2",
        expected=False,
        provenance="D",
    ),
)
