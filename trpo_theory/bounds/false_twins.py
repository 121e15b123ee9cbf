"""Bounds in χ²(new ‖ old) with one thing exchanged, all false: docs/theory.md, "False twins in chi-square".

Those over time are sums of 32 terms, and span(Ā) for what follows: with what they exchange put right they are theorems.
"""

from __future__ import annotations

import numpy as np

from trpo_theory.bounds import chi2
from trpo_theory.bounds.formulas import Formula, Numbers
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.time_resolved import BLOCK, Growing, Growth, Loss, growth_by_max, summands
from trpo_theory.step.quantities import Quantities

_STEPS = np.array(BLOCK)


class _PooledLoss(Loss):
    """With the standard deviation of a over d_old at each time."""

    def at(self, laws: Numbers, v: Numbers) -> Numbers:
        return self.by_variance(self.q.sd_over_states(self.a) ** 2, v)


def _growth_linear(q: Quantities, laws: Numbers, chi2: Numbers, c: Numbers) -> Growing:
    """v_t = c t."""
    return lambda v, t: v + c


def _growth_by_mean_alone(q: Quantities, laws: Numbers, chi2: Numbers, c: Numbers) -> Growing:
    """1 + v_t = Π_{i<t} (1 + mean_i χ²)."""
    mean = q.arithmetic.enclosed(q.arithmetic.moments(laws, chi2)[0])
    return lambda v, t: v + mean[t] * (1 + v)


def _summed(q: Quantities, chi2: Numbers, growth: Growth = growth_by_max, loss: type[Loss] = Loss) -> Numbers:
    """Σ_{t<32} γᵗ loss_t + γ³²/(1 − γ) span(Ā); ∞ where chi2 is somewhere."""
    parts = summands(q, loss(q, q.expected_advantage), chi2, growth, _STEPS)
    total = sum(q.arithmetic.sum(part, 0) for part in parts)
    return q.arithmetic.where(q.max_s(chi2) < float("inf"), total, float("inf"))


def _where_visited(q: Quantities, x: Numbers) -> Numbers:
    return q.arithmetic.where(q.visited, x, 0)


def _expected_advantage_mean(q: Quantities) -> Numbers:
    return q.expected_advantage_sd * chi2.kappa(q, q.reverse_mean_chi2) / (1 - q.gamma)


def _advantage(c: Formula) -> Formula:
    """(A) with another number for c."""
    return lambda q: chi2.scaled(q, q.rms_advantage, c(q))


def _advantage_half(q: Quantities) -> Numbers:
    return chi2.scaled(q, q.rms_advantage, q.reverse_max_chi2) / 2


def _time_resolved_linear(q: Quantities) -> Numbers:
    return _summed(q, q.visited_chi2, _growth_linear)


def _time_resolved_pooled(q: Quantities) -> Numbers:
    return _summed(q, q.visited_chi2, loss=_PooledLoss)


def _time_resolved_mean(q: Quantities) -> Numbers:
    return _summed(q, q.visited_chi2, _growth_by_mean_alone)


def _time_resolved_kl(q: Quantities) -> Numbers:
    return _summed(q, _where_visited(q, 2 * q.kl))


def _time_resolved_forward(q: Quantities) -> Numbers:
    return _summed(q, _where_visited(q, q.chi2))


_A = chi2.FROM_L + rf"\mathrm{{rms}}(A_\pi)\,{chi2.SCALED},\quad "
_COVERED = r",\ \tilde\pi\ll\pi"
_KL = r"c=2\max_sD_{\mathrm{KL}}(\pi_s\|\tilde\pi_s)" + _COVERED
_FORWARD = r"c=\max_s\chi^2(\pi_s\|\tilde\pi_s)" + _COVERED


def _over_time(what: str, sd: str = r"\mathrm{sd}_{p_t}") -> str:
    return (
        rf"{chi2.FROM_L}\sum_{{t<32}}\gamma^t\min\{{{sd}(\bar A)\sqrt{{v_t}},\,\mathrm{{span}}(\bar A)\}}"
        rf" - \frac{{\gamma^{{32}}}}{{1-\gamma}}\mathrm{{span}}(\bar A),\quad {what}"
    )


def _twin(id: str, formula: Formula, statement: str, of: str, *, covered: bool = False) -> Bound:
    return Bound(
        id,
        formula,
        statement,
        f'{of}; docs/theory.md, "False twins in chi-square"',
        given=chi2.covered if covered else None,
        expected=False,
    )


_GROWN = r"v_t=(1+c)^t-1,\ "

BOUNDS = (
    _twin(
        "chi2/expected-advantage-mean",
        _expected_advantage_mean,
        rf"{chi2.FROM_L}\mathrm{{sd}}_{{d^\pi}}(\bar A)\,{chi2.KAPPA_OVER_D}"
        r",\quad c=\mathbb{E}_{s\sim d^\pi}\chi^2(\tilde\pi_s\|\pi_s)",
        "chi2/expected-advantage with the mean for the maximum",
    ),
    _twin(
        "chi2/advantage-mean",
        _advantage(lambda q: q.reverse_mean_chi2),
        _A + r"c=\mathbb{E}_{s\sim d^\pi}\chi^2(\tilde\pi_s\|\pi_s)",
        "chi2/advantage with the mean for the maximum",
    ),
    _twin(
        "chi2/advantage-half",
        _advantage_half,
        rf"{chi2.FROM_L}\tfrac12\,\mathrm{{rms}}(A_\pi)\,{chi2.SCALED},\quad {chi2.LARGEST}",
        "chi2/advantage with half its constant",
    ),
    _twin(
        "chi2/advantage-kl",
        _advantage(lambda q: 2 * q.max_kl),
        _A + _KL,
        "chi2/advantage with twice the KL divergence, which chi-square is to leading order",
        covered=True,
    ),
    _twin(
        "chi2/advantage-forward",
        _advantage(lambda q: q.max_chi2),
        _A + _FORWARD,
        "chi2/advantage with the other chi-square",
        covered=True,
    ),
    _twin(
        "chi2/time-resolved-linear",
        _time_resolved_linear,
        _over_time(r"v_t=ct,\ " + chi2.LARGEST),
        "chi2/time-resolved as if variances of ratios added up",
    ),
    _twin(
        "chi2/time-resolved-pooled",
        _time_resolved_pooled,
        _over_time(_GROWN + chi2.LARGEST, r"\mathrm{sd}_{d^\pi}"),
        "chi2/time-resolved with one standard deviation for all times",
    ),
    _twin(
        "chi2/time-resolved-mean",
        _time_resolved_mean,
        _over_time(r"1+v_t=\prod_{i<t}\bigl(1+\mathbb{E}_{p_i}\chi^2(\tilde\pi_s\|\pi_s)\bigr)"),
        "chi2/mean-max without the spread of chi-square",
    ),
    _twin(
        "chi2/time-resolved-kl",
        _time_resolved_kl,
        _over_time(_GROWN + _KL),
        "chi2/time-resolved with twice the KL divergence",
        covered=True,
    ),
    _twin(
        "chi2/time-resolved-forward",
        _time_resolved_forward,
        _over_time(_GROWN + _FORWARD),
        "chi2/time-resolved with the other chi-square",
        covered=True,
    ),
)
