"""Bounds over a finite horizon of T steps, γ ≤ 1: the states are (t, s), and a divergence is its largest over steps and states.

Proofs: docs/theory.md, "Finite horizon". With α = max_{t,s} TV and D = max_{t,s} KL(old ‖ new), in the order of their proofs:
    TV of the laws of s_t:  at most t α;  at most 1 − (1 − α)ᵗ (coupling);  at most √(t D/2) (chain rule and Pinsker).
"""

from __future__ import annotations

import numpy as np

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.numerics.arithmetic import Array
from trpo_theory.solve.layers import steps_of
from trpo_theory.step.quantities import Quantities


def pairs_of_steps(q: Quantities) -> Array:
    """T(T − 1), twice the sum of t over 0 ≤ t < T."""
    return q.horizon * (q.horizon - 1)


def missed_steps(q: Quantities) -> Array:
    """Σ_{t<T} (1 − (1 − α)ᵗ): how many steps a coupling of the two runs is apart, at most, in expectation."""
    return q.sum_t(lambda t: 1 - (1 - q.max_tv) ** t)


def _tv(q: Quantities) -> Numbers:
    return 2 * q.max_abs_advantage * q.max_tv**2 * pairs_of_steps(q)


def _tv_half(q: Quantities) -> Numbers:
    return q.max_abs_advantage * q.max_tv**2 * pairs_of_steps(q)


def _pinsker(q: Quantities) -> Numbers:
    return q.max_abs_advantage * q.max_kl * pairs_of_steps(q)


def _coupling(q: Quantities) -> Numbers:
    return 4 * q.max_abs_advantage * q.max_tv * missed_steps(q)


def _coupling_early(q: Quantities) -> Numbers:
    return 4 * q.max_abs_advantage * q.max_tv * q.sum_t(lambda t: 1 - (1 - q.max_tv) ** max(t - 1, 0))


def _chain_rule(q: Quantities) -> Numbers:
    return 2 * q.max_abs_advantage * q.max_kl * q.sum_t(lambda t: q.sqrt(t))


def sequence_kl(q: Quantities) -> Array:
    """Σ_{t,s} ρ_old(t,s) KL, the KL(old ‖ new) of the laws of whole runs at γ = 1, by the chain rule."""
    return q.mean_kl * q.sum_s(q.visitation_old)


def sequence_kl_before_last(q: Quantities) -> Array:
    """The same without the last step: what the law of the last state depends on."""
    goes_on = q.max_a(q.expect(0 * q.initial + 1)) > 0
    return q.sum_s(q.arithmetic.where(goes_on & (q.visitation_old > 0), q.visitation_old * q.kl, 0))


def steps_left(q: Quantities) -> Array:
    """T − 1 − t in the state (t, s), (T·S, *batch)."""
    longest = int(steps_of(q.arithmetic, q.horizon).max())
    t = np.arange(q.states) // (q.states // longest)
    return q.horizon - 1 - t.reshape(-1, *(1,) * np.ndim(q.horizon))


def _mixed(q: Quantities) -> Numbers:
    return 2 * q.max_abs_advantage * (q.horizon - 1) * q.sqrt(q.max_kl * sequence_kl_before_last(q))


def _mixed_half(q: Quantities) -> Numbers:
    return q.max_abs_advantage * (q.horizon - 1) * q.sqrt(q.max_kl * sequence_kl_before_last(q))


def _weighted_tv(q: Quantities) -> Array:
    """Σ_{t,s} ρ_old(t,s) (T − 1 − t) TV."""
    return q.sum_s(q.visitation_old * steps_left(q) * q.tv)


def _mean_max(q: Quantities) -> Numbers:
    return 4 * q.max_abs_advantage * q.max_tv * _weighted_tv(q)


def _mean_mean(q: Quantities) -> Numbers:
    return 4 * q.max_abs_advantage * q.mean_tv * _weighted_tv(q)


def _reward(q: Quantities) -> Numbers:
    largest = q.max_s(q.max_a(abs(q.reward)))
    return 2 * largest * q.max_tv**2 * pairs_of_steps(q) * (q.horizon + 1) / 3


def _reward_half(q: Quantities) -> Numbers:
    return _reward(q) / 2


def _chain_rule_half(q: Quantities) -> Numbers:
    return q.max_abs_advantage * q.max_kl * q.sum_t(lambda t: q.sqrt(t))


FROM_L = r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - "
_THEOREM = Theorem("Finite horizon")

BOUNDS = (
    Bound(
        "horizon/tv",
        _tv,
        FROM_L + r"2\epsilon\,\alpha^2\,T(T-1),\quad \alpha=\max_{t,s}\mathrm{TV}(\pi_{t,s},\tilde\pi_{t,s})",
        'the classical form of TRPO\'s bound over T steps; docs/theory.md, "Finite horizon"; attained by F1 at T = 2',
        horizon=True,
        proof=_THEOREM,
    ),
    Bound(
        "horizon/tv-half",
        _tv_half,
        FROM_L + r"\epsilon\,\alpha^2\,T(T-1)",
        "derived here: horizon/tv with half the constant; false at T = 2 on F1",
        expected=False,
        horizon=True,
    ),
    Bound(
        "horizon/pinsker",
        _pinsker,
        FROM_L + r"\epsilon\,D\,T(T-1),\quad D=\max_{t,s}D_{\mathrm{KL}}(\pi_{t,s}\|\tilde\pi_{t,s})",
        'horizon/tv by Pinsker\'s inequality; docs/theory.md, "Finite horizon"',
        horizon=True,
        proof=_THEOREM,
    ),
    Bound(
        "horizon/coupling",
        _coupling,
        FROM_L + r"4\epsilon\,\alpha\sum_{t<T}\bigl(1-(1-\alpha)^t\bigr)",
        'derived in docs/theory.md, "Finite horizon"; attained by F1 for every T and alpha <= 1/2',
        horizon=True,
        proof=_THEOREM,
    ),
    Bound(
        "horizon/coupling-early",
        _coupling_early,
        FROM_L + r"4\epsilon\,\alpha\sum_{1\le t<T}\bigl(1-(1-\alpha)^{t-1}\bigr)",
        "derived here: horizon/coupling with one step less; false at T = 2 on F1",
        expected=False,
        horizon=True,
    ),
    Bound(
        "horizon/chain-rule",
        _chain_rule,
        FROM_L + r"2\epsilon\,D\sum_{t<T}\sqrt t",
        'derived in docs/theory.md, "Finite horizon"; at T = 2 the constant is the best one as D tends to 0',
        horizon=True,
        proof=_THEOREM,
    ),
    Bound(
        "horizon/chain-rule-half",
        _chain_rule_half,
        FROM_L + r"\epsilon\,D\sum_{t<T}\sqrt t",
        "derived here: horizon/chain-rule with half the constant; false at T = 2 for small D",
        expected=False,
        horizon=True,
    ),
    Bound(
        "horizon/mixed",
        _mixed,
        FROM_L + r"2\epsilon(T-1)\sqrt{D\,D_{\mathrm{seq}}},\quad D_{\mathrm{seq}}=\sum_{t<T-1}\mathbb{E}_\pi\gamma^t"
        r"D_{\mathrm{KL}}(\pi_t\|\tilde\pi_t)",
        'derived in docs/theory.md, "Finite horizon"; at T = 2 the constant is the best one as D tends to 0',
        horizon=True,
        proof=_THEOREM,
    ),
    Bound(
        "horizon/mixed-half",
        _mixed_half,
        FROM_L + r"\epsilon(T-1)\sqrt{D\,D_{\mathrm{seq}}}",
        "derived here: horizon/mixed with half the constant; false at T = 2 for small D",
        expected=False,
        horizon=True,
    ),
    Bound(
        "horizon/mean-max",
        _mean_max,
        FROM_L + r"4\epsilon\alpha\sum_{t<T}(T-1-t)\,\mathbb{E}_\pi\gamma^t\mathrm{TV}(\pi_t,\tilde\pi_t)",
        'derived in docs/theory.md, "Finite horizon"; never above horizon/tv',
        horizon=True,
        proof=_THEOREM,
    ),
    Bound(
        "horizon/mean-mean",
        _mean_mean,
        FROM_L
        + r"4\epsilon\,\overline{\mathrm{TV}}\sum_{t<T}(T-1-t)\,\mathbb{E}_\pi\gamma^t\mathrm{TV}(\pi_t,\tilde\pi_t)",
        "derived here: horizon/mean-max with the mean in the place of the maximum; false where old does not go",
        expected=False,
        horizon=True,
    ),
    Bound(
        "horizon/reward",
        _reward,
        FROM_L + r"\tfrac23\max|r|\,\alpha^2\,(T-1)T(T+1)",
        'derived in docs/theory.md, "Finite horizon"',
        horizon=True,
        proof=_THEOREM,
    ),
    Bound(
        "horizon/reward-half",
        _reward_half,
        FROM_L + r"\tfrac13\max|r|\,\alpha^2\,(T-1)T(T+1)",
        "derived here: horizon/reward with half the constant; false at T = 2",
        expected=False,
        horizon=True,
    ),
)
