"""Average rewards: the identities of gain, bias and stationary law, and the forms in which they are false.

The bias h is the value of criterion "average" less its mean under d. Proofs: docs/theory.md, "Identities of average rewards".
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.bounds.formulas import Formula, Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.solve.criteria import AVERAGE, DISCOUNTED
from trpo_theory.step.quantities import Quantities

TIMES = (1, 2, 4, 8)
"""Numbers of steps whose rewards are summed. Chosen: as for rates."""
_HALF = Fraction(1, 2)
"""The discount of claims that compare discounted returns with the gain. Chosen: those claims are of every one."""


def _performance_difference(q: Quantities) -> Numbers:
    return q.expected_return_new - q.expected_return_old - q.sum_s(q.occupancy_new * q.expected_advantage)


def _performance_difference_old(q: Quantities) -> Numbers:
    return q.surrogate_gap


def _flow(q: Quantities) -> Numbers:
    """Both parts: max_s |d − P_oldᵀ d|, and |Σ d − 1|."""
    d = q.occupancy_old
    return q.max_s(abs(d - q.push(q.old * d[:, None]))) + abs(q.sum_s(d) - 1)


def _flow_start(q: Quantities) -> Numbers:
    d = q.occupancy_old
    return d - _HALF * q.initial - _HALF * q.push(q.old * d[:, None])


def _bias(q: Quantities) -> Numbers:
    return q.value - q.sum_s(q.occupancy_old * q.value)


def _after(q: Quantities, f: Numbers) -> Numbers:
    """P_old f."""
    return q.sum_a(q.old * q.expect(f))


def _poisson(q: Quantities) -> Numbers:
    """Both parts: max_s |h + g − r_old − P_old h|, and max_s |Σ_a old A_old|."""
    h, reward = _bias(q), q.sum_a(q.old * q.reward)
    return q.max_s(abs(h + q.expected_return_old - reward - _after(q, h))) + q.max_s(abs(q.sum_a(q.old * q.advantage)))


def _sums(q: Quantities) -> list[tuple[int, Numbers, Numbers]]:
    """n, E_s Σ_{t<n} r_t and P_oldⁿ h for n of `TIMES`, each (S, *batch)."""
    reward = q.sum_a(q.old * q.reward)
    found: list[tuple[int, Numbers, Numbers]] = []
    total, bias = 0 * reward, _bias(q)
    for n in range(1, max(TIMES) + 1):
        total, bias = reward + _after(q, total), _after(q, bias)
        if n in TIMES:
            found.append((n, total, bias))
    return found


def _any_start(q: Quantities) -> Numbers:
    h, g = _bias(q), q.expected_return_old
    return _stacked([total - n * g - h + left for n, total, left in _sums(q)])


def _any_start_bias(q: Quantities) -> Numbers:
    h, g = _bias(q), q.expected_return_old
    return _stacked([total - n * g - h for n, total, _ in _sums(q)])


def _within_span(share: Fraction | int) -> Formula:
    """share · span(h)/n − |(1/n) E_s Σ_{t<n} r_t − g|."""

    def slack(q: Quantities) -> Numbers:
        h, g = _bias(q), q.expected_return_old
        span = share * (q.max_s(h) - q.min_s(h))
        return _stacked([span / n - abs(total / n - g) for n, total, _ in _sums(q)])

    return slack


def _stacked(values: list[Numbers]) -> Numbers:
    return np.stack([np.asarray(value) for value in values])


def _gradient(q: Quantities) -> Numbers:
    return q.return_derivative - q.surrogate_gain


def _discounted_from(q: Quantities, start: Numbers) -> Numbers:
    """(1 − γ) start · V_γ − g, γ = ½."""
    discounted = q.replace(criterion=DISCOUNTED, gamma=q.arithmetic.where(np.True_, _HALF, q.gamma), initial=start)
    return (1 - _HALF) * discounted.expected_return_old - q.expected_return_old


def _stationary_start(q: Quantities) -> Numbers:
    return _discounted_from(q, q.occupancy_old)


def _discounted_start(q: Quantities) -> Numbers:
    return _discounted_from(q, q.initial)


def _grows(q: Quantities) -> Numbers:
    return q.expected_return_new - q.expected_return_old


def _nowhere_worse(q: Quantities) -> Truth:
    return (q.expected_advantage >= 0).all(0)


def _no_worse_on_average(q: Quantities) -> Truth:
    return q.surrogate_gain >= 0


def _tau_kemeny(q: Quantities) -> Numbers:
    return q.kemeny_new - 1 - q.mixing_new


def _kemeny_tau(q: Quantities) -> Numbers:
    return q.mixing_new - (q.kemeny_new - 1)


def _tau_forgetting(q: Quantities) -> Numbers:
    return 1 - q.minorisation_new * q.mixing_new


def _kemeny_forgetting(q: Quantities) -> Numbers:
    return 1 - q.minorisation_new * (q.kemeny_new - 1)


def _claim(id: str, formula: Formula, statement: str, source: str = "", *, section: str = "", **details: Any) -> Claim:
    """A true one, proved in that section."""
    return Claim(
        f"average/{id}",
        formula,
        statement,
        source or _CITED[section or _IDENTITIES],
        provenance="M" if source else "D",
        criterion=AVERAGE.name,
        proof=Theorem(section or _IDENTITIES),
        **details,
    )


def _twin(id: str, formula: Formula, statement: str, of: str, **details: Any) -> Claim:
    """A false one."""
    return Claim(
        f"average/{id}",
        formula,
        statement,
        of,
        provenance="D",
        criterion=AVERAGE.name,
        expected=False,
        **details,
    )


_MIXING, _IDENTITIES = "Average rewards", "Identities of average rewards"
_CITED = {
    _MIXING: 'docs/theory.md, "Average rewards"',
    _IDENTITIES: 'docs/theory.md, "Identities of average rewards"',
}
_SUM = r"\mathbb{E}_s\sum_{t<n}r_t"

CLAIMS = (
    _claim(
        "performance-difference",
        _performance_difference,
        r"g(\tilde\pi) - g(\pi) = \sum_s d_{\tilde\pi}(s) \bar A(s)",
        "Cao and Chen 1997; Zhang and Ross 2021 (ICML), arXiv:2106.07329, Lemma 1",
        relation="=",
    ),
    _twin(
        "performance-difference-old",
        _performance_difference_old,
        r"g(\tilde\pi) - g(\pi) = \sum_s d_\pi(s) \bar A(s)",
        "average/performance-difference with the stationary law of old",
        relation="=",
    ),
    _claim("flow", _flow, r"d_\pi = P_\pi^{\top} d_\pi,\ \sum_s d_\pi(s) = 1", relation="="),
    _twin(
        "flow-start",
        _flow_start,
        r"d_\pi = \tfrac12\rho_0 + \tfrac12 P_\pi^{\top} d_\pi",
        "the discounted flow of gamma = 1/2 for the stationary law",
        relation="=",
    ),
    _claim("poisson", _poisson, r"h_\pi + g(\pi) = r_\pi + P_\pi h_\pi,\ \sum_a \pi(a|s) A_\pi(s,a) = 0", relation="="),
    _claim(
        "any-start",
        _any_start,
        rf"{_SUM} = n\,g(\pi) + h_\pi(s) - (P_\pi^n h_\pi)(s),\quad n=1,2,4,8",
        relation="=",
    ),
    _twin(
        "any-start-bias",
        _any_start_bias,
        rf"{_SUM} = n\,g(\pi) + h_\pi(s),\quad n=1,2,4,8",
        "average/any-start as if the chain had come to rest",
        relation="=",
    ),
    _claim(
        "span",
        _within_span(1),
        rf"\bigl|\tfrac1n {_SUM} - g(\pi)\bigr| \le \tfrac1n\,\mathrm{{span}}(h_\pi),\quad n=1,2,4,8",
    ),
    _twin(
        "span-half",
        _within_span(_HALF),
        rf"\bigl|\tfrac1n {_SUM} - g(\pi)\bigr| \le \tfrac1{{2n}}\,\mathrm{{span}}(h_\pi),\quad n=1,2,4,8",
        "average/span with half the span",
    ),
    _claim(
        "gradient",
        _gradient,
        r"\tfrac{d}{dt}\, g(\pi + t(\tilde\pi - \pi)) = \sum_s d_\pi(s) \bar A(s) \text{ at } t = 0",
        relation="=",
    ),
    _claim(
        "stationary-start",
        _stationary_start,
        r"(1-\gamma)\, d_\pi\cdot V_{\pi,\gamma} = g(\pi),\quad \gamma=\tfrac12",
        relation="=",
    ),
    _twin(
        "discounted-start",
        _discounted_start,
        r"(1-\gamma)\, \rho_0\cdot V_{\pi,\gamma} = g(\pi),\quad \gamma=\tfrac12",
        "average/stationary-start from the start",
        relation="=",
    ),
    _claim("greedy", _grows, r"g(\tilde\pi) \ge g(\pi) \text{ where } \bar A \ge 0", given=_nowhere_worse),
    _twin(
        "greedy-mean",
        _grows,
        r"g(\tilde\pi) \ge g(\pi) \text{ where } \sum_s d_\pi(s) \bar A(s) \ge 0",
        "average/greedy where only the mean of Abar is not negative",
        given=_no_worse_on_average,
    ),
    _claim("tau-kemeny", _tau_kemeny, r"\tau(Z_{\tilde\pi}) \le \kappa_{\tilde\pi} - 1", section=_MIXING),
    _twin(
        "kemeny-tau",
        _kemeny_tau,
        r"\kappa_{\tilde\pi} - 1 \le \tau(Z_{\tilde\pi})",
        "average/tau-kemeny, the other way round",
    ),
    _claim(
        "tau-forgetting",
        _tau_forgetting,
        r"\beta_{\tilde\pi}\,\tau(Z_{\tilde\pi}) \le 1,\quad \beta_{\tilde\pi}=\sum_{s'}\min_s P_{\tilde\pi}(s'|s)",
        section=_MIXING,
    ),
    _twin(
        "kemeny-forgetting",
        _kemeny_forgetting,
        r"\beta_{\tilde\pi}\,(\kappa_{\tilde\pi}-1) \le 1",
        "average/tau-forgetting with Kemeny's constant for tau",
    ),
)
