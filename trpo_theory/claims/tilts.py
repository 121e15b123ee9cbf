"""Steps that tilt old by its advantage, f-divergence penalties and sPPO; expectation maximisation; steps of several sizes.

Both have new = old (1 + h A) where that is a policy: the maximiser of Σ_a new A − χ²(new ‖ old)/(2h), and of
Σ_a old (A + 1/h) log(new/old). Proofs: docs/theory.md, "Linear tilts".
"""

from __future__ import annotations

from typing import Any

from trpo_theory.bounds.formulas import Condition, Formula, Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims.rules import improvement
from trpo_theory.numerics.arithmetic import Array
from trpo_theory.step.quantities import Quantities


def _variance(q: Quantities) -> Array:
    """Σ_a old A², the variance of A under old, (S, *batch)."""
    return q.sum_a(q.old * q.advantage**2)


def _chi2_conjugate(q: Quantities, distance: Array) -> Numbers:
    """(h/2) Var A + distance/(2h) − Ā in every state, h = size."""
    return q.size * _variance(q) / 2 + distance / (2 * q.size) - q.expected_advantage


def _kl_conjugate(q: Quantities, distance: Array) -> Numbers:
    """log(Σ_a old e^{hA})/h + distance/h − Ā in every state, h = size."""
    top = q.max_a(q.size * q.advantage, where=q.old > 0)
    exponent = q.arithmetic.where(q.old > 0, q.size * q.advantage - top[:, None], 0)
    return (q.log(q.sum_a(q.old * q.exp(exponent))) + top + distance) / q.size - q.expected_advantage


def _linear(q: Quantities) -> Array:
    return q.old * (1 + q.size * q.advantage)


def _forward(q: Quantities) -> Truth:
    return q.size > 0


def _is_policy(q: Quantities) -> Truth:
    """1 + h A ≥ 0 wherever old goes, h > 0."""
    return ((1 + q.size * q.advantage >= 0) | (q.old == 0)).all((0, 1)) & (q.size > 0)


def _gains(q: Quantities, visits: Array) -> Numbers:
    """η(new) − η(old) − (1/h) Σ_s visits χ²(new ‖ old)."""
    return q.expected_return_new - q.expected_return_old - q.sum_s(visits * q.reverse_chi2) / q.size


def _unit_and_up_to(times: int) -> Condition:
    """0 < h ≤ times (1 − γ) and r ∈ [0, 1]."""
    return lambda q: (q.size > 0) & (q.size <= times * (1 - q.gamma)) & q.unit_rewards


def _log_ratio(q: Quantities) -> Array:
    """log(new/old), 0 where old = 0, −∞ where new alone is 0."""
    ratio = q.arithmetic.where(q.old > 0, q.new, 1) / q.arithmetic.where(q.old > 0, q.old, 1)
    return q.log(q.arithmetic.where(ratio > 0, ratio, 1))


def _above(q: Quantities, weight: Array) -> Numbers:
    """η(new) − η(old) − Σ_s ρ_old Σ_a old weight log(new/old)."""
    return improvement(q) - q.sum_s(q.visitation_old * q.sum_a(q.old * weight * _log_ratio(q)))


def _minoriser(q: Quantities) -> Numbers:
    return _above(q, q.advantage + 1 / q.size)


def _takes_all(q: Quantities) -> Truth:
    """old ≪ new."""
    return ((q.new > 0) | (q.old == 0)).all((0, 1))


def _not_negative(q: Quantities) -> Truth:
    """r ≥ 0 and old ≪ new: where new never takes an action of old there is nothing to claim."""
    return (q.min_s(q.min_a(q.reward)) >= 0) & _takes_all(q)


def _minorised(times: int) -> Condition:
    return lambda q: _unit_and_up_to(times)(q) & _takes_all(q)


def _mixed_to(q: Quantities, limit: Array) -> Quantities:
    """old + α(s) (new − old), α(s) = min{1, limit/‖new_s − old_s‖₁}."""
    apart = 2 * q.tv
    share = q.arithmetic.where(apart > limit, limit / q.arithmetic.where(apart > limit, apart, 1), 1)
    return q.with_new(q.old + share[:, None] * (q.new - q.old))


def _mspi(q: Quantities) -> Numbers:
    """The gain of the mixture less L − η(old) − γ/(1 − γ)² Υ² max Q/2, Υ = size."""
    mixed = _mixed_to(q, q.size)
    return mixed.surrogate_gap + _mspi_unit(q) * q.size**2


def _mspi_unit(q: Quantities) -> Array:
    return q.gamma / (1 - q.gamma) ** 2 * q.max_s(q.max_a(abs(q.q_value))) / 2


def _mspi_mean(q: Quantities) -> Numbers:
    mixed = _mixed_to(q, q.size)
    return mixed.surrogate_gap + _mspi_unit(q) * (2 * mixed.mean_tv) ** 2


def _rewards_not_negative(q: Quantities) -> Truth:
    return (q.min_s(q.min_a(q.reward)) >= 0) & (q.size >= 0)


_BELOUSOV = "Belousov and Peters 2017, arXiv:1801.00056"
_VASWANI = "Vaswani et al. 2022 (AISTATS), arXiv:2108.05828"
_PIROTTA = "Pirotta et al. 2013 (ICML), multiple-parameter safe policy iteration"
_CHI2 = r"\bar A(s) - \tfrac{1}{2h}\chi^2(%s) \le \tfrac h2\sum_a\pi A_\pi^2"
_KL = r"\bar A(s) - \tfrac1h D_{\mathrm{KL}}(%s) \le \tfrac1h\log\sum_a\pi e^{hA_\pi}"
_OLD_NEW, _NEW_OLD = r"\pi_s\|\tilde\pi_s", r"\tilde\pi_s\|\pi_s"
_TILT = r"\tilde\pi = \pi(1 + hA_\pi)"
_GAIN = r"\eta(\tilde\pi) = \eta(\pi) + \tfrac1h\sum_s%s(s)\chi^2(\tilde\pi_s\|\pi_s),\quad " + _TILT
_MINORISER = (
    r"\eta(\tilde\pi) \ge \eta(\pi) + \sum_s\rho_\pi\sum_a\pi(A_\pi+\tfrac1h)\log\tfrac{\tilde\pi}\pi"
    r",\quad h \le %s(1-\gamma),\ r\in[0,1]"
)
_EM = r"\eta(\tilde\pi) \ge \eta(\pi) + \sum_s\rho_\pi\sum_a\pi %s_\pi\log\tfrac{\tilde\pi}\pi,\quad r \ge 0"
_MSPI = (
    r"\eta(\hat\pi) \ge L_\pi(\hat\pi) - \tfrac{\gamma}{2(1-\gamma)^2}%s^2\max Q_\pi,\quad "
    r"\hat\pi_s = \pi_s + \min\{1, \Upsilon/\|\tilde\pi_s-\pi_s\|_1\}(\tilde\pi_s-\pi_s),\ r \ge 0"
)
_THEOREM = Theorem("Linear tilts")


def _claim(id: str, formula: Formula, statement: str, source: str, **details: Any) -> Claim:
    fields: dict[str, Any] = {"provenance": "M", "proof": _THEOREM, **details}
    return Claim(id, formula, statement, source, **fields)


def _twin(id: str, formula: Formula, statement: str, of: str, **details: Any) -> Claim:
    return Claim(id, formula, statement, f"derived here: {of}", expected=False, provenance="D", **details)


CLAIMS = (
    _claim(
        "belousov-peters/chi2",
        lambda q: _chi2_conjugate(q, q.reverse_chi2),
        _CHI2 % _NEW_OLD,
        f"{_BELOUSOV}, the dual of the step with Pearson's divergence",
        given=_forward,
        sharp="attained by π(1 + hA)",
    ),
    _twin(
        "belousov-peters/chi2-forward",
        lambda q: _chi2_conjugate(q, q.chi2),
        _CHI2 % _OLD_NEW,
        "belousov-peters/chi2 with the divergence the other way round",
        given=_forward,
    ),
    _claim(
        "belousov-peters/kl",
        lambda q: _kl_conjugate(q, q.reverse_kl),
        _KL % _NEW_OLD,
        f"{_BELOUSOV}, the dual of the step with KL; relative entropy policy search",
        given=_forward,
        sharp="attained by the tilt π exp(hA)",
    ),
    _twin(
        "belousov-peters/kl-forward",
        lambda q: _kl_conjugate(q, q.kl),
        _KL % _OLD_NEW,
        "belousov-peters/kl with the divergence the other way round",
        given=_forward,
    ),
    _claim(
        "belousov-peters/chi2-gain",
        lambda q: _gains(q, q.visitation_new),
        _GAIN % r"\rho_{\tilde\pi}",
        f'the step of {_BELOUSOV}, with Pearson\'s divergence; its gain: docs/theory.md, "Linear tilts"',
        relation="=",
        given=_is_policy,
        step=_linear,
        provenance="D",
    ),
    _twin(
        "belousov-peters/chi2-gain-old",
        lambda q: _gains(q, q.visitation_old),
        _GAIN % r"\rho_\pi",
        "belousov-peters/chi2-gain with the visits of the old policy",
        relation="=",
        given=_is_policy,
        step=_linear,
    ),
    _claim(
        "vaswani/sppo",
        improvement,
        rf"\eta(\tilde\pi) \ge \eta(\pi),\quad {_TILT} = \arg\max\sum_a\pi(A_\pi+\tfrac1h)\log\tfrac{{\tilde\pi}}\pi"
        r",\ h \le 1-\gamma,\ r\in[0,1]",
        f"{_VASWANI}: the exact sPPO update, the softmax representation",
        given=_unit_and_up_to(1),
        step=_linear,
        needs=frozenset({"unit-reward"}),
    ),
    _claim(
        "vaswani/sppo-minoriser",
        _minoriser,
        _MINORISER % "",
        f"{_VASWANI}: the surrogate of sPPO is a lower bound",
        given=_minorised(1),
        needs=frozenset({"unit-reward"}),
    ),
    _twin(
        "vaswani/sppo-minoriser-double",
        _minoriser,
        _MINORISER % "2",
        "vaswani/sppo-minoriser with twice the largest step",
        given=_minorised(2),
        needs=frozenset({"unit-reward"}),
    ),
    _claim(
        "em/minoriser",
        lambda q: _above(q, q.q_value),
        _EM % "Q",
        "Dayan and Hinton 1997; Kober and Peters 2009: expectation maximisation, reward-weighted regression",
        given=_not_negative,
        needs=frozenset({"unit-reward"}),
        sharp="equality at new = old",
    ),
    _twin(
        "em/minoriser-advantage",
        lambda q: _above(q, q.advantage),
        _EM % "A",
        "em/minoriser with the advantage, which importance sampling allows",
        given=_not_negative,
        needs=frozenset({"unit-reward"}),
    ),
    _claim(
        "pirotta/mspi",
        _mspi,
        _MSPI % r"\Upsilon",
        _PIROTTA,
        given=_rewards_not_negative,
        needs=frozenset({"unit-reward"}),
        proof=Theorem("Steps of a safe length"),
    ),
    _twin(
        "pirotta/mspi-mean",
        _mspi_mean,
        _MSPI % r"\bigl(\mathbb{E}_{s\sim d^\pi}\|\hat\pi_s-\pi_s\|_1\bigr)",
        "pirotta/mspi with the mean of the distances for the largest",
        given=_rewards_not_negative,
        needs=frozenset({"unit-reward"}),
    ),
)
