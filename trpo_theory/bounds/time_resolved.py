"""Bounds that follow the spread of the advantage and of the likelihood ratio time by time.

With x_t = X_t − 1 and p_t old's law of s_t, |E x_t a(s_t)| ≤ sd_{p_t}(a) √v_t for any v_t ≥ E x_t²; also ≤ span(a).
Proofs: docs/theory.md, "The ladder of certificates". The sum is taken over the first steps, and what follows in one block:
any number of steps gives a theorem, and none is chi2/expected-advantage itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from trpo_theory.bounds.chi2 import INFINITE
from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Bound
from trpo_theory.step.quantities import Quantities

_BLOCK = 32
"""Steps whose laws are computed at once, and of which the number of steps is a multiple. Chosen: measured fastest."""
_MOST_STEPS = 256
"""Chosen: for γ up to 0.947 what follows is discounted by 1e-6, and beyond it is bounded as a block."""
_LEFT_OVER = 1e-6
"""The discount γᴴ from which on times are bounded in one block. Chosen: no more than that of a bound is then at stake."""

Growth = Callable[[Numbers, Numbers, Numbers, Numbers], Numbers]
"""(v_t, c, mean_t χ², variance_t χ²) -> a bound on E x_{t+1}², from v_t ≥ E x_t²."""


def growth_by_max(v: Numbers, c: Numbers, mean: Numbers, variance: Numbers) -> Numbers:
    """v_{t+1} = v_t + c (1 + v_t), as E x_{t+1}² = E x_t² + E X_t² χ²(s_t): v_t = (1 + c)ᵗ − 1."""
    return v + c * (1 + v)


def growth_by_mean(q: Quantities) -> Growth:
    """v_{t+1} = v_t + min{c (1 + v_t), mean_t χ² + 2 sd_t χ² √v_t + c v_t}, as X² = 1 + 2x + x² and E x_t = 0."""
    sqrt, minimum = q.arithmetic.sqrt, q.arithmetic.minimum

    def grown(v: Numbers, c: Numbers, mean: Numbers, variance: Numbers) -> Numbers:
        return v + minimum(c * (1 + v), mean + 2 * sqrt(variance * v) + c * v)

    return grown


def time_resolved(q: Quantities, a: Numbers, chi2: Numbers, growth: Growth) -> Numbers:
    """Σ_t γᵗ min{sd_t(a) √v_t, span(a)}, and a bound on what follows the first steps.

    It is ∞ where chi2 is somewhere: new may then go where old never does. 0 for γ = 0.

    Args:
        q: of the step.
        a: what is weighted with x_t, (S, *batch): Ā, or the residual of another critic.
        chi2: by states, (S, *batch), 0 where old never goes.
        growth: from v_t to v_{t+1}.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # v_t that overflows is ∞, and the term is then the span
        total = sum(q.arithmetic.sum(part, 0) for part in _parts(q, q.arithmetic.where(q.visited, a, 0), chi2, growth))
    return q.arithmetic.where((q.max_s(chi2) < INFINITE) | (q.gamma == 0), total, INFINITE)


def penalty_by_time(q: Quantities, id: str) -> Numbers:
    """The summands of one of this file's penalties, discounted, (H + 1, *batch): those of t < H, and what follows as one.

    Raises:
        KeyError: for another bound.
    """
    a, chi2, growth = _SUMMED[id](q)
    with np.errstate(over="ignore", invalid="ignore"):
        parts = list(_parts(q, q.arithmetic.where(q.visited, a, 0), chi2, growth))
    return np.concatenate(parts)


def _parts(q: Quantities, a: Numbers, chi2: Numbers, growth: Growth) -> Iterator[Numbers]:
    """γᵗ min{sd_t(a) √v_t, span(a)}, blocks of times (T, *batch), 0 beyond an instance's last; then the rest, (1, *batch)."""
    arithmetic, steps = q.arithmetic, _steps(q)
    c, gamma = arithmetic.enclosed(q.max_s(chi2)), arithmetic.enclosed(q.gamma)
    span = q.max_s(a, where=q.visited) - q.min_s(a, where=q.visited)
    unit = arithmetic.where(span > 0, span, 1)  # in which a's square is no number beyond floats
    a, span = a / unit, span / unit
    v = arithmetic.enclosed(0 * q.gamma + 0 * q.max_s(a))
    discount, law = 1 + v, q.initial
    for start in range(0, int(steps.max()), _BLOCK):
        more = start < steps
        laws = q.law_block(start // _BLOCK, _BLOCK)
        _, variance = arithmetic.moments(laws[:_BLOCK], a)
        mean, chi2_variance = map(arithmetic.enclosed, arithmetic.moments(laws[:_BLOCK], chi2))
        bounds, discounts = [v], [discount]
        for t in range(_BLOCK):
            bounds.append(arithmetic.enclosed(growth(bounds[t], c, mean[t], chi2_variance[t])))
            discounts.append(arithmetic.enclosed(discounts[t] * gamma))
        # one root of the product, which balls know exactly where it is the square of a rational
        roots = arithmetic.sqrt(variance * arithmetic.stack(bounds[:_BLOCK]))
        terms = q.minimum(arithmetic.nan_to_inf(roots), span) * arithmetic.stack(discounts[:_BLOCK])
        yield unit * _where(q, more, terms, 0)
        v, discount = _where(q, more, bounds[_BLOCK], v), _where(q, more, discounts[_BLOCK], discount)
        law = _where(q, more, laws[_BLOCK], law)
    yield arithmetic.stack([unit * discount * _from_then_on(q, a, c, v, law, span)])


def _from_then_on(q: Quantities, a: Numbers, c: Numbers, v: Numbers, law: Numbers, span: Numbers) -> Numbers:
    """A bound on Σ_{k≥0} γᵏ |E x_{H+k} a|, from v ≥ E x_H² and the law of s_H: E x² grows by 1 + E x² → (1 + c)(1 + E x²).

    Cauchy-Schwarz over (k, s), with weights γᵏ for a less its mean, or with γᵏ(1 + c)^±k, which converges beyond γ(1 + c) = 1
    where a dies out; or the span of a.
    """
    arithmetic, d = q.arithmetic, 1 - q.gamma
    growing = q.gamma * (1 + c)
    weight = q.visitation_from(law)
    spread = q.moments_over((d * weight)[None], a)[1][0]
    slow = growing < 1
    left = 1 - arithmetic.where(slow, growing, 0)
    even = spread / q.sqrt(d) * q.sqrt(v / left + q.gamma * c / (d * left))
    squares = arithmetic.neumann_sum(q.transition, arithmetic.where(c < INFINITE, growing, 0) * q.old, a**2)
    fading = q.sqrt(q.sum_s(law * squares)) * q.sqrt(v / d + q.gamma * c / (d * (d + c)))
    best = q.minimum(arithmetic.where(slow, even, INFINITE), arithmetic.where(c < INFINITE, fading, INFINITE))
    return q.minimum(arithmetic.nan_to_inf(best), span / d)


def _steps(q: Quantities) -> np.ndarray:
    """How many times are taken one by one, (*batch)."""
    gamma = q.arithmetic.nearest_floats(q.gamma)
    with np.errstate(divide="ignore"):
        wanted = np.log(_LEFT_OVER) / np.log(np.clip(gamma, 0.0, 1.0 - 1e-15))
    return np.clip(_BLOCK * np.ceil(wanted / _BLOCK), _BLOCK, _MOST_STEPS).astype(int)


def _where(q: Quantities, condition: np.ndarray, x: Numbers, y: Numbers) -> Numbers:
    return x if condition.all() else q.arithmetic.where(condition, x, y)


_SUMMED: Mapping[str, Callable[[Quantities], tuple[Numbers, Numbers, Growth]]] = {
    "chi2/time-resolved": lambda q: (q.expected_advantage, q.visited_chi2, growth_by_max),
    "chi2/mean-max": lambda q: (q.expected_advantage, q.visited_chi2, growth_by_mean(q)),
    "chi2/second-order": lambda q: (q.second_order_residual, q.visited_chi2, growth_by_mean(q)),
    "transition/time-resolved": lambda q: (q.expected_advantage, q.transition_chi2, growth_by_max),
    "transition/mean-max": lambda q: (q.expected_advantage, q.transition_chi2, growth_by_mean(q)),
    "transition/second-order": lambda q: (q.second_order_residual, q.transition_chi2, growth_by_mean(q)),
}
"""What is summed over time, by the bound's id: the arguments of `time_resolved`."""


def _time_resolved(q: Quantities) -> Numbers:
    return time_resolved(q, *_SUMMED["chi2/time-resolved"](q))


def _mean_max(q: Quantities) -> Numbers:
    return time_resolved(q, *_SUMMED["chi2/mean-max"](q))


def _second_order(q: Quantities) -> Numbers:
    return time_resolved(q, *_SUMMED["chi2/second-order"](q))


def _transition_time_resolved(q: Quantities) -> Numbers:
    return time_resolved(q, *_SUMMED["transition/time-resolved"](q))


def _transition_mean_max(q: Quantities) -> Numbers:
    return time_resolved(q, *_SUMMED["transition/mean-max"](q))


def _transition_second_order(q: Quantities) -> Numbers:
    return time_resolved(q, *_SUMMED["transition/second-order"](q))


def _second_order_residual(q: Quantities) -> Numbers:
    return q.second_order_residual


def _second_order_gain(q: Quantities) -> Numbers:
    return q.second_order_gain


_PROOF = 'derived in docs/theory.md, "Time by time"'
_TRANSITION = 'derived in docs/theory.md, "Chi-square of the transitions"'
_L = r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \sum_t\gamma^t\,\mathrm{sd}_{p_t}(\bar A)\sqrt{v_t}"
_L2 = (
    r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) + \rho_\pi\cdot w - \sum_t\gamma^t\,\mathrm{sd}_{p_t}(w)\sqrt{v_t},"
    r"\quad w=\gamma(P_{\tilde\pi}-P_\pi)(I-\gamma P_\pi)^{-1}\bar A"
)
_MAX = r",\quad v_t=(1+c)^t-1,\ c=\max_s\chi^2_s"
_MEAN = (
    r",\quad v_{t+1}=v_t+\min\{c(1+v_t),\,\mathrm{mean}_{p_t}(\chi^2)+2\,\mathrm{sd}_{p_t}(\chi^2)\sqrt{v_t}+cv_t\},"
    r"\ c=\max_s\chi^2_s"
)
_POLICIES = r",\ \chi^2_s=\chi^2(\tilde\pi_s\|\pi_s)"
_CHAINS = r",\ \chi^2_s=\chi^2(P_{\tilde\pi}(\cdot|s)\|P_\pi(\cdot|s))"

BOUNDS = (
    Bound(
        "chi2/time-resolved",
        _time_resolved,
        _L + _MAX + _POLICIES,
        _PROOF + "; sharp for every mean and spread of Abar",
    ),
    Bound(
        "chi2/mean-max",
        _mean_max,
        _L + _MEAN + _POLICIES,
        'derived in docs/theory.md, "Mean and spread of chi-square"',
    ),
    Bound(
        "chi2/second-order",
        _second_order,
        _L2 + _MEAN + _POLICIES,
        'derived in docs/theory.md, "The second-order surrogate"',
        shift=_second_order_gain,
        residual=_second_order_residual,
    ),
    Bound("transition/time-resolved", _transition_time_resolved, _L + _MAX + _CHAINS, _TRANSITION),
    Bound("transition/mean-max", _transition_mean_max, _L + _MEAN + _CHAINS, _TRANSITION),
    Bound(
        "transition/second-order",
        _transition_second_order,
        _L2 + _MEAN + _CHAINS,
        _TRANSITION + ": the critic V + u",
        shift=_second_order_gain,
        residual=_second_order_residual,
    ),
)
