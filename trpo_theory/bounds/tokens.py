"""Bounds of papers on token policies, over a horizon of T steps: Trust Region Masking, DPPO, and the return in χ².

Proofs: docs/theory.md, "Finite horizon" and "Return in chi-square". A token policy's state is the prefix, so that the states
are (t, s); the papers' D is the largest KL(old ‖ new) of a token, their ξ the largest |return|.
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.horizon import FROM_L, missed_steps, pairs_of_steps, sequence_kl, steps_left
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.numerics.arithmetic import Array
from trpo_theory.step.quantities import Quantities


def _power(q: Quantities) -> Array:
    """T^{3/2}."""
    return q.horizon * q.sqrt(q.horizon)


def _marginal(q: Quantities) -> Numbers:
    return 4 * q.max_abs_advantage * q.max_kl * _power(q) / 3


def _marginal_half(q: Quantities) -> Numbers:
    return 2 * q.max_abs_advantage * q.max_kl * _power(q) / 3


def _mixed(q: Quantities) -> Numbers:
    return 2 * q.max_abs_advantage * q.horizon * q.sqrt(q.max_kl * sequence_kl(q))


def _mixed_quarter(q: Quantities) -> Numbers:
    return _mixed(q) / 4


def _adaptive(q: Quantities) -> Numbers:
    return 4 * _largest_return(q) * q.sum_s(q.visitation_old * q.tv * _future_tv(q, steps_left(q)))


def _adaptive_early(q: Quantities) -> Numbers:
    return 4 * _largest_return(q) * q.sum_s(q.visitation_old * q.tv * _future_tv(q, steps_left(q) - 1))


def _future_tv(q: Quantities, left: Array) -> Array:
    """min{1, n α, √(n D/2)}, at least the TV of the laws of n steps from the same state; 0 for n ≤ 0."""
    steps = q.maximum(left, 0 * left)
    apart = q.minimum(q.minimum(steps * q.max_tv, 1 + 0 * q.max_tv), q.sqrt(steps * q.max_kl / 2))
    return q.arithmetic.where(left > 0, apart, 0)


def _capped(q: Quantities, divergence: Array) -> Array:
    """min{1, √(divergence/2)}."""
    return q.minimum(q.sqrt(divergence / 2), 1 + 0 * q.max_tv)


def _unified_with(q: Quantities, shift: Array) -> Numbers:
    """The least of the bounds, shift standing for min{1, √(D_seq/2)}."""
    eps, alpha = q.max_abs_advantage, q.max_tv
    per_token = q.minimum(alpha, _capped(q, q.max_kl))
    marginal = q.sum_t(lambda t: _capped(q, t * q.max_kl) if t else 0 * alpha)
    moved = q.minimum(marginal, q.minimum(q.horizon * shift, missed_steps(q)))
    return q.minimum(4 * eps * per_token * moved, _adaptive(q))


def _unified(q: Quantities) -> Numbers:
    return _unified_with(q, _capped(q, sequence_kl(q)))


def _unified_mean(q: Quantities) -> Numbers:
    return _unified_with(q, _capped(q, sequence_kl(q) / q.horizon))


def _dppo_tv_reward(q: Quantities) -> Numbers:
    return _dppo_tv(q) / q.horizon


def _dppo_sum_reward(q: Quantities) -> Numbers:
    return _dppo_sum(q) / q.horizon


def _largest_return(q: Quantities) -> Array:
    """ξ = T max|r|: no run's return is larger."""
    return q.horizon * q.max_s(q.max_a(abs(q.reward)))


def _dppo_tv(q: Quantities) -> Numbers:
    return 2 * _largest_return(q) * q.max_tv**2 * pairs_of_steps(q)


def _dppo_sum(q: Quantities) -> Numbers:
    return 4 * _largest_return(q) * q.mean_tv * q.sum_s(q.visitation_old)


def return_variance(q: Quantities) -> Array:
    """At least Var(Σ_t γᵗ r_t) under old, equal at γ = 1: Var V(s₀) + Σ_{t,s} ρ E[(r + γ V(s') − V(s))²]."""
    value = q.value
    mean, square = q.expect(q.gamma * value), q.expect((q.gamma * value) ** 2)
    spread = q.maximum(square - mean * mean, 0)
    start = q.sum_s(q.initial * (value - q.expected_return_old) ** 2)
    return start + q.sum_s(q.visitation_old * q.sum_a(q.old * (q.advantage**2 + spread)))


def _return(q: Quantities) -> Numbers:
    c = q.reverse_max_chi2
    moments = q.sum_t(lambda t: (q.horizon - 1 - t) * (1 + c) ** t)  # ((1 + c)^T − 1 − Tc)/c², without a cancellation
    return q.sqrt(return_variance(q) * moments) * c


def _return_early(q: Quantities) -> Numbers:
    c = q.reverse_max_chi2
    moments = q.sum_t(lambda t: q.maximum(q.horizon - 2 - t, 0) * (1 + c) ** t)
    return q.sqrt(return_variance(q) * moments) * c


_THEOREM = Theorem("Finite horizon")
_TRM = "Li et al. 2025, Trust Region Masking, arXiv:2512.23075; for epsilon = 1 there"
_DPPO = "Qi et al. 2026, Rethinking the Trust Region in LLM Reinforcement Learning, arXiv:2602.04879"
_XI = r"\xi=T\max|r|"
_FUTURE = r"\min\{1,\,n\alpha,\,\sqrt{nD/2}\},\; n=T-1-%s"
_LEAST = (
    r"\min\bigl(4\epsilon\min\{\alpha,\sqrt{D/2}\}\min\{\sum_{t<T}\min\{1,\sqrt{tD/2}\},\,T\min\{1,\sqrt{%s}\},\,"
    r"\sum_{t<T}(1-(1-\alpha)^t)\},\,B\bigr),\quad B\text{ the penalty of trm/adaptive}"
)
_SEQUENCE = r"D_{\mathrm{seq}}=\sum_t\mathbb{E}_\pi D_{\mathrm{KL}}(\pi_t\|\tilde\pi_t)"

BOUNDS = (
    Bound(
        "trm/pinsker-marginal",
        _marginal,
        FROM_L + r"\tfrac43\epsilon\,D\,T^{3/2},\quad D=\max_{t,s}D_{\mathrm{KL}}(\pi_{t,s}\|\tilde\pi_{t,s})",
        f"{_TRM}: the Pinsker-marginal bound",
        provenance="S",
        horizon=True,
        proof=_THEOREM,
        sharp="no: horizon/chain-rule is below it",
    ),
    Bound(
        "trm/pinsker-marginal-half",
        _marginal_half,
        FROM_L + r"\tfrac23\epsilon\,D\,T^{3/2}",
        "derived here: trm/pinsker-marginal with half the constant; false at T = 2 for small D",
        expected=False,
        horizon=True,
    ),
    Bound(
        "trm/mixed",
        _mixed,
        FROM_L + rf"2\epsilon\,T\sqrt{{D\,D_{{\mathrm{{seq}}}}}},\quad {_SEQUENCE}",
        f"{_TRM}: the mixed bound",
        provenance="S",
        horizon=True,
        proof=_THEOREM,
        sharp="no: horizon/mixed is never above it",
    ),
    Bound(
        "trm/mixed-quarter",
        _mixed_quarter,
        FROM_L + r"\tfrac12\epsilon\,T\sqrt{D\,D_{\mathrm{seq}}}",
        "derived here: trm/mixed with a quarter of the constant; false at T = 2 for small D",
        expected=False,
        horizon=True,
    ),
    Bound(
        "trm/adaptive",
        _adaptive,
        FROM_L + rf"4\xi\,\mathbb{{E}}_\pi\sum_t\gamma^t\mathrm{{TV}}(\pi_t,\tilde\pi_t)\,{_FUTURE % 't'},\quad {_XI}",
        f"{_TRM}: the adaptive bound, there for one reward in [0, 1] at the end, so that xi = 1",
        provenance="S",
        horizon=True,
        proof=_THEOREM,
    ),
    Bound(
        "trm/adaptive-early",
        _adaptive_early,
        FROM_L
        + rf"4\xi\,\mathbb{{E}}_\pi\sum_t\gamma^t\mathrm{{TV}}(\pi_t,\tilde\pi_t)\,{_FUTURE % '(t+1)'},\quad {_XI}",
        "derived here: trm/adaptive with one step less; false at T = 2",
        expected=False,
        horizon=True,
    ),
    Bound(
        "trm/unified",
        _unified,
        FROM_L + _LEAST % r"\tfrac12D_{\mathrm{seq}}",
        f"{_TRM}: the least of its bounds, but for the one with the TV of sequences; the coupling bound is sharper here",
        provenance="S",
        horizon=True,
        proof=_THEOREM,
        sharp="no: it is the least of bounds that are not",
    ),
    Bound(
        "trm/unified-mean",
        _unified_mean,
        FROM_L + _LEAST % r"\tfrac1{2T}D_{\mathrm{seq}}",
        "derived here: trm/unified with the mean over the tokens for the KL of the sequence",
        expected=False,
        horizon=True,
    ),
    Bound(
        "dppo/tv",
        _dppo_tv,
        FROM_L + rf"2\xi\,\alpha^2\,T(T-1),\quad {_XI}",
        f"{_DPPO}: the policy improvement bound, with xi the largest return",
        provenance="S",
        horizon=True,
        proof=_THEOREM,
        sharp="no: horizon/reward is (T + 1)/(3T) of it",
    ),
    Bound(
        "dppo/tv-reward",
        _dppo_tv_reward,
        FROM_L + r"2\max|r|\,\alpha^2\,T(T-1)",
        "derived here: dppo/tv with the largest reward of a token for the largest return",
        expected=False,
        horizon=True,
    ),
    Bound(
        "dppo/sum-tv",
        _dppo_sum,
        FROM_L + rf"4\xi\,\mathbb{{E}}_\pi\sum_t\gamma^t\mathrm{{TV}}(\pi_t,\tilde\pi_t),\quad {_XI}",
        f"{_DPPO}: the tighter bound, linear in the sum of the tokens' TVs, with xi the largest return",
        provenance="S",
        horizon=True,
        proof=_THEOREM,
    ),
    Bound(
        "dppo/sum-tv-reward",
        _dppo_sum_reward,
        FROM_L + r"4\max|r|\,\mathbb{E}_\pi\sum_t\gamma^t\mathrm{TV}(\pi_t,\tilde\pi_t)",
        "derived here: dppo/sum-tv with the largest reward of a token for the largest return",
        expected=False,
        horizon=True,
    ),
    Bound(
        "chi2/return",
        _return,
        FROM_L
        + r"\mathrm{sd}_\pi(R)\sqrt{(1+c)^T-1-Tc},\quad R=\sum_{t<T}r_t,\; c=\max_{t,s}\chi^2(\tilde\pi_{t,s}\|\pi_{t,s})",
        'derived in docs/theory.md, "Return in chi-square"; attained by two tokens',
        horizon=True,
        proof=Theorem("Return in chi-square", formal="chi_square_return.chi2_return"),
    ),
    Bound(
        "chi2/return-early",
        _return_early,
        FROM_L + r"\mathrm{sd}_\pi(R)\sqrt{(1+c)^{T-1}-1-(T-1)c}",
        "derived here: chi2/return with one step less; false on two tokens",
        expected=False,
        horizon=True,
    ),
)
