"""Bounds of papers on token policies, over a horizon of T steps: Trust Region Masking, DPPO, and the return in χ².

Proofs: docs/theory.md, "Finite horizon" and "Return in chi-square". A token policy's state is the prefix, so that the states
are (t, s); the papers' D is the largest KL(old ‖ new) of a token, their ξ the largest |return|.
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.horizon import FROM_L, missed_steps, pairs_of_steps, sequence_kl
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


def _unified(q: Quantities) -> Numbers:
    coupling = 4 * q.max_abs_advantage * q.max_tv * missed_steps(q)
    return q.minimum(coupling, q.minimum(_marginal(q), _mixed(q)))


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
_SEQUENCE = r"D_{\mathrm{seq}}=\sum_t\mathbb{E}_\pi D_{\mathrm{KL}}(\pi_t\|\tilde\pi_t)"

BOUNDS = (
    Bound(
        "trm/pinsker-marginal",
        _marginal,
        FROM_L + r"\tfrac43\epsilon\,D\,T^{3/2},\quad D=\max_{t,s}D_{\mathrm{KL}}(\pi_{t,s}\|\tilde\pi_{t,s})",
        f"{_TRM}: the Pinsker-marginal bound",
        provenance="M",
        horizon=True,
        proof=_THEOREM,
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
        provenance="M",
        horizon=True,
        proof=_THEOREM,
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
        "trm/unified",
        _unified,
        FROM_L
        + r"\epsilon\min\bigl(\tfrac43DT^{3/2},\,2T\sqrt{D\,D_{\mathrm{seq}}},\,4\alpha\sum_{t<T}(1-(1-\alpha)^t)\bigr)",
        f"{_TRM}: the least of its bounds, without the adaptive one",
        provenance="M",
        horizon=True,
        proof=_THEOREM,
    ),
    Bound(
        "dppo/tv",
        _dppo_tv,
        FROM_L + r"2\xi\,\alpha^2\,T(T-1),\quad \xi=T\max|r|",
        f"{_DPPO}, with xi the largest return",
        provenance="M",
        horizon=True,
        proof=_THEOREM,
    ),
    Bound(
        "dppo/sum-tv",
        _dppo_sum,
        FROM_L + r"4\xi\,\mathbb{E}_\pi\sum_t\gamma^t\mathrm{TV}(\pi_t,\tilde\pi_t),\quad \xi=T\max|r|",
        f"{_DPPO}, with xi the largest return: linear in the sum of the tokens' TVs",
        provenance="M",
        horizon=True,
        proof=_THEOREM,
    ),
    Bound(
        "chi2/return",
        _return,
        FROM_L
        + r"\mathrm{sd}_\pi(R)\sqrt{(1+c)^T-1-Tc},\quad R=\sum_{t<T}r_t,\; c=\max_{t,s}\chi^2(\tilde\pi_{t,s}\|\pi_{t,s})",
        'derived in docs/theory.md, "Return in chi-square"; attained by two tokens',
        horizon=True,
        proof=Theorem("Return in chi-square"),
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
