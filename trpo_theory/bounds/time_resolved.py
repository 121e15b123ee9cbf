"""Bounds that follow the spread of the advantage and of the likelihood ratio time by time.

With x_t = X_t − 1 and p_t old's law of s_t, |E x_t a(s_t)| ≤ sd_{p_t}(a) √v_t for any v_t ≥ E x_t²; also ≤ span(a).
Proofs: docs/theory.md, "The ladder of certificates". The sum is taken over the first steps, and what follows in one block:
any number of steps gives a theorem, and none is chi2/expected-advantage itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from trpo_theory.bounds.chi2 import INFINITE
from trpo_theory.bounds.formulas import Formula, Numbers
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities

BLOCK = 32
"""Steps whose laws are computed at once, and of which the number of steps is a multiple. Chosen: measured fastest."""
_MOST_STEPS = 256
"""Chosen: for γ up to 0.947 what follows is discounted by 1e-6, and beyond it is bounded as a block."""
_LEFT_OVER = 1e-6
"""The discount γᴴ from which on times are bounded in one block. Chosen: no more than that of a bound is then at stake."""

Growing = Callable[[Numbers, int], Numbers]
"""(v_t, the place of t among some laws) -> a bound on E x_{t+1}², from v_t ≥ E x_t²."""
Growth = Callable[[Quantities, Numbers, Numbers, Numbers], Growing]
"""(the step, laws p_t (T, S, *batch), χ² by states, its maximum c) -> how v_t grows at those times."""


def growth_by_max(q: Quantities, laws: Numbers, chi2: Numbers, c: Numbers) -> Growing:
    """v_{t+1} = v_t + c (1 + v_t), as E x_{t+1}² = E x_t² + E X_t² χ²(s_t): v_t = (1 + c)ᵗ − 1."""
    return lambda v, t: v + c * (1 + v)


def growth_by_mean(q: Quantities, laws: Numbers, chi2: Numbers, c: Numbers) -> Growing:
    """v_{t+1} = v_t + min{c (1 + v_t), mean_t χ² + 2 sd_t χ² √v_t + c v_t}, as X² = 1 + 2x + x² and E x_t = 0."""
    sqrt, minimum = q.arithmetic.sqrt, q.arithmetic.minimum
    mean, variance = map(q.arithmetic.enclosed, q.arithmetic.moments(laws, chi2))
    return lambda v, t: v + minimum(c * (1 + v), mean[t] + 2 * sqrt(variance[t] * v) + c * v)


class Loss:
    """How far E x_t a(s_t) may be from 0, by v_t ≥ E x_t² and the law of s_t: min{sd_t(a) √v_t, span(a)}.

    Attributes:
        q: of the step.
        unit: of a, in which its square is no number beyond floats, (*batch).
        a: what is weighted with x_t, in units, (S, *batch); 0 where old never goes.
        span: of a where old goes, in units, (*batch).
        most_steps: times that are taken one by one, a multiple of 32.
    """

    most_steps: int = _MOST_STEPS
    q: Quantities
    unit: Numbers
    a: Any
    span: Any

    def __init__(self, q: Quantities, a: Numbers) -> None:
        a = q.arithmetic.where(q.visited, a, 0)
        span = q.max_s(a, where=q.visited) - q.min_s(a, where=q.visited)
        self.q, self.unit = q, q.arithmetic.where(span > 0, span, 1)
        self.a = q.arithmetic.nan_to_inf(a / self.unit)  # in floats NumPy's own array, which costs less
        self.span = span / self.unit

    def at(self, laws: Numbers, v: Numbers) -> Numbers:
        """At some times, in units, (T, *batch), from their laws (T, S, *batch) and v_t (T, *batch)."""
        return self.by_variance(self.q.arithmetic.moments(laws, self.a)[1], v)

    def by_variance(self, variance: Numbers, v: Numbers) -> Numbers:
        """min{√(variance v), span}: one root of the product, which balls know exactly where it is the square of a rational."""
        return self.q.minimum(self.q.arithmetic.nan_to_inf(self.q.sqrt(variance * v)), self.span)

    def after(self, weight: Numbers) -> Numbers:
        """Of the discounted sum over all later times, whatever v: weight is the visitation from then on, (S, *batch)."""
        return self.span / (1 - self.q.gamma)


def time_resolved(
    q: Quantities, a: Numbers, chi2: Numbers, growth: Growth, *, loss: type[Loss] = Loss, otherwise: Numbers = INFINITE
) -> Numbers:
    """Σ_t γᵗ min{sd_t(a) √v_t, span(a)}, or of another loss, and a bound on what follows the first steps.

    Args:
        q: of the step.
        a: what is weighted with x_t, (S, *batch): Ā, or the residual of another critic.
        chi2: by states, (S, *batch), 0 where old never goes.
        growth: from v_t to v_{t+1}.
        loss: at each time.
        otherwise: the result where chi2 is infinite somewhere: new may then go where old never does. (0 for γ = 0.)
    """
    finite = q.arithmetic.where(chi2 < INFINITE, chi2, 0)  # or 0 · ∞ would be summed, and not used
    total = sum(q.arithmetic.sum(part, 0) for part in summands(q, loss(q, a), finite, growth))
    return q.arithmetic.where((q.max_s(chi2) < INFINITE) | (q.gamma == 0), total, otherwise)


def penalty_by_time(q: Quantities, id: str) -> Numbers:
    """The summands of one of this file's penalties, discounted, (H + 1, *batch): those of t < H, and what follows as one.

    Raises:
        KeyError: for another bound.
    """
    a, chi2, growth = _SUMMED[id](q)
    return np.concatenate(list(summands(q, Loss(q, a), chi2, growth)))


def summands(
    q: Quantities, loss: Loss, chi2: Numbers, growth: Growth, steps: np.ndarray | None = None
) -> Iterator[Numbers]:
    """γᵗ loss_t with v_0 = 0, blocks of times (T, *batch), 0 beyond an instance's last; then the rest, (1, *batch).

    Args:
        q: of the step.
        loss: at each time.
        chi2: by states, (S, *batch).
        growth: from v_t to v_{t+1}.
        steps: how many times, multiples of 32, (*batch), the rest being what the loss is at most; if left out, as many as matter.
    """
    arithmetic, short = q.arithmetic, steps is not None
    steps = _steps(q, loss.most_steps) if steps is None else steps
    c, gamma = arithmetic.enclosed(q.max_s(chi2)), arithmetic.enclosed(q.gamma)
    v = arithmetic.enclosed(0 * q.gamma + 0 * q.max_s(loss.a))
    discount, law = 1 + v, q.initial
    for start in range(0, int(steps.max()), BLOCK):
        more = start < steps
        laws = q.law_block(start // BLOCK, BLOCK)
        growing, bounds, discounts = growth(q, laws[:BLOCK], chi2, c), [v], [discount]
        with np.errstate(over="ignore", invalid="ignore"):  # v_t that overflows is ∞, and the term is then the span
            for t in range(BLOCK):
                bounds.append(arithmetic.enclosed(growing(bounds[t], t)))
                discounts.append(arithmetic.enclosed(discounts[t] * gamma))
            terms = loss.at(laws[:BLOCK], arithmetic.stack(bounds[:BLOCK])) * arithmetic.stack(discounts[:BLOCK])
        yield loss.unit * _where(q, more, terms, 0)
        v, discount = _where(q, more, bounds[BLOCK], v), _where(q, more, discounts[BLOCK], discount)
        law = _where(q, more, laws[BLOCK], law)
    with np.errstate(over="ignore", invalid="ignore"):
        rest = loss.after(q.visitation_from(law)) if short else _from_then_on(q, loss, c, v, law)
        yield arithmetic.stack([loss.unit * discount * rest])


def _from_then_on(q: Quantities, loss: Loss, c: Numbers, v: Numbers, law: Numbers) -> Numbers:
    """A bound on Σ_{k≥0} γᵏ loss_{H+k}, in its units, from v ≥ E x_H² and the law of s_H: 1 + E x² → (1 + c)(1 + E x²).

    Cauchy-Schwarz over (k, s), with weights γᵏ for a less its mean, or with γᵏ(1 + c)^±k, which converges beyond γ(1 + c) = 1
    where a dies out; or what the loss is at most.
    """
    arithmetic, a, d = q.arithmetic, loss.a, 1 - q.gamma
    growing = q.gamma * (1 + c)
    weight = q.visitation_from(law)
    spread = q.moments_over((d * weight)[None], a)[1][0]
    slow = growing < 1
    left = 1 - arithmetic.where(slow, growing, 0)
    even = spread / q.sqrt(d) * q.sqrt(v / left + q.gamma * c / (d * left))
    squares = arithmetic.neumann_sum(q.transition, arithmetic.where(c < INFINITE, growing, 0) * q.old, a**2)
    fading = q.sqrt(q.sum_s(law * squares)) * q.sqrt(v / d + q.gamma * c / (d * (d + c)))
    best = q.minimum(arithmetic.where(slow, even, INFINITE), arithmetic.where(c < INFINITE, fading, INFINITE))
    return q.minimum(arithmetic.nan_to_inf(best), loss.after(weight))


def _steps(q: Quantities, most: int) -> np.ndarray:
    """How many times are taken one by one, (*batch)."""
    gamma = q.arithmetic.nearest_floats(q.gamma)
    with np.errstate(divide="ignore"):
        wanted = np.log(_LEFT_OVER) / np.log(np.clip(gamma, 0.0, 1.0 - 1e-15))
    return np.clip(BLOCK * np.ceil(wanted / BLOCK), BLOCK, most).astype(int)


def _where(q: Quantities, condition: np.ndarray, x: Numbers, y: Numbers) -> Numbers:
    return x if condition.all() else q.arithmetic.where(condition, x, y)


_SUMMED: Mapping[str, Callable[[Quantities], tuple[Numbers, Numbers, Growth]]] = {
    "chi2/time-resolved": lambda q: (q.expected_advantage, q.visited_chi2, growth_by_max),
    "chi2/mean-max": lambda q: (q.expected_advantage, q.visited_chi2, growth_by_mean),
    "chi2/second-order": lambda q: (q.second_order_residual, q.visited_chi2, growth_by_mean),
    "transition/time-resolved": lambda q: (q.expected_advantage, q.transition_chi2, growth_by_max),
    "transition/mean-max": lambda q: (q.expected_advantage, q.transition_chi2, growth_by_mean),
    "transition/second-order": lambda q: (q.second_order_residual, q.transition_chi2, growth_by_mean),
}
"""What is summed over time, by the bound's id: the arguments of `time_resolved`."""


def _penalty(id: str) -> Formula:
    """The sum over time of that bound."""
    return lambda q: time_resolved(q, *_SUMMED[id](q))


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
        _penalty("chi2/time-resolved"),
        _L + _MAX + _POLICIES,
        _PROOF + "; sharp for every mean and spread of Abar",
        proof=Theorem("The ladder as computed"),
    ),
    Bound(
        "chi2/mean-max",
        _penalty("chi2/mean-max"),
        _L + _MEAN + _POLICIES,
        'derived in docs/theory.md, "Mean and spread of chi-square"',
        proof=Theorem("The ladder as computed"),
    ),
    Bound(
        "chi2/second-order",
        _penalty("chi2/second-order"),
        _L2 + _MEAN + _POLICIES,
        'derived in docs/theory.md, "The second-order surrogate"',
        shift=_second_order_gain,
        residual=_second_order_residual,
        proof=Theorem("The ladder as computed"),
    ),
    Bound(
        "transition/time-resolved",
        _penalty("transition/time-resolved"),
        _L + _MAX + _CHAINS,
        _TRANSITION,
        proof=Theorem("The ladder as computed"),
    ),
    Bound(
        "transition/mean-max",
        _penalty("transition/mean-max"),
        _L + _MEAN + _CHAINS,
        _TRANSITION,
        proof=Theorem("The ladder as computed"),
    ),
    Bound(
        "transition/second-order",
        _penalty("transition/second-order"),
        _L2 + _MEAN + _CHAINS,
        _TRANSITION + ": the critic V + u",
        shift=_second_order_gain,
        residual=_second_order_residual,
        proof=Theorem("The ladder as computed"),
    ),
)
