"""Rates of convergence: the iterates of a rule are made within the formula, from old on, in any arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from trpo_theory.bounds.formulas import Formula, Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims.rules import tilted
from trpo_theory.step.quantities import Quantities

TIMES = (1, 2, 4, 8)
"""The numbers of iterations at which a rate is checked: axis 0 of its slack. Chosen: from the first iteration to a handful, since
each costs a solve in exact arithmetic."""


def q_at(q: Quantities, policy: Numbers) -> Quantities:
    """The quantities of the same MDP whose old (and new) policy is this one."""
    fields = {name: getattr(q, name) for name in ("gamma", "transition", "reward", "initial", "available")}
    return Quantities(q.arithmetic, **fields, old=policy, new=policy, batch_shape=q.batch_shape)


def npg_iterates(q: Quantities) -> Iterator[Quantities]:
    """π₀ = old, then π ← π exp(h A_π/(1 − γ)), normalised; h = size."""
    return _iterates(q, lambda at, k: q.size / (1 - q.gamma) * at.advantage)


def mirror_iterates(q: Quantities, mismatch: Numbers) -> Iterator[Quantities]:
    """π₀ = old, then π ← π exp(h_k Q_π), normalised; h₀ = size, h_{k+1} = h_k θ/(θ − 1), θ = mismatch."""
    return _iterates(q, lambda at, k: q.size * (mismatch / (mismatch - 1)) ** k * at.q_value)


def _iterates(q: Quantities, exponent: Callable[[Quantities, int], Numbers]) -> Iterator[Quantities]:
    """π_k ∝ old exp(Σ_{i<k} exponent_i): the sum is carried, since in floats a π that has sunk to 0 would stay there."""
    at, total = q_at(q, q.old), 0 * q.old
    yield at
    for k in range(max(TIMES)):
        total = total + exponent(at, k)
        total = total - q.max_a(total, where=q.old > 0)[:, None]
        at = q_at(q, tilted(q, q.old, total))
        yield at


def mismatch(q: Quantities) -> Numbers:
    """θ = max_s (d*(s)/ρ₀(s)) / (1 − γ), d* the occupancy of the comparator new."""
    return q.max_s(q.occupancy_new / q.initial) / (1 - q.gamma)


def _stacked(values: list[Numbers]) -> Numbers:
    return np.stack([np.asarray(value) for value in values])


def _npg(q: Quantities, horizon: Numbers) -> Numbers:
    """log|A|/(hT) + horizon/T − (η(new) − η_T) at each T of `TIMES`, (T, *batch)."""
    returns = [at.expected_return_old for at in npg_iterates(q)]
    actions = q.max_s(q.sum_a(0 * q.old + 1))
    start = q.log(actions) / q.size + horizon
    return _stacked([start / t - (q.expected_return_new - returns[t]) for t in TIMES])


def _npg_rate(q: Quantities) -> Numbers:
    return _npg(q, 1 / (1 - q.gamma) ** 2)


def _npg_sharper_rate(q: Quantities) -> Numbers:
    return _npg(q, 1 / (1 - q.gamma))


def _unit_reward_and_uniform(q: Quantities) -> Truth:
    """r in [0, 1], old uniform over the available actions, h > 0, (*batch)."""
    unit = ((q.reward >= 0) & (q.reward <= 1)) | ~q.available
    uniform = q.close(q.old * q.sum_a(0 * q.old + 1)[:, None], 0 * q.old + 1) | ~q.available
    return (unit & uniform).all((0, 1)) & (q.size > 0)


def _pmd_rate(q: Quantities) -> Numbers:
    """(1 − 1/θ)ᵏ (err₀ + D₀/(h₀ (1 − γ)(θ − 1))) − err_k at each k of `TIMES`, (T, *batch)."""
    theta = mismatch(q)
    errors = [q.expected_return_new - at.expected_return_old for at in mirror_iterates(q, theta)]
    visited = q.occupancy_new != 0
    distance = q.sum_s(q.occupancy_new * q.arithmetic.where(visited, q.reverse_kl, 0))
    start = errors[0] + distance / (q.size * (1 - q.gamma) * (theta - 1))
    return _stacked([(1 - 1 / theta) ** t * start - errors[t] for t in TIMES])


def constant_iterates(q: Quantities) -> Iterator[Quantities]:
    """π₀ = old, then π ← π exp(h Q_π), normalised; h = size."""
    return _iterates(q, lambda at, k: q.size * at.q_value)


def _pmd_constant(horizon: Formula) -> Formula:
    """(D₀/(h (1 − γ)) + horizon)/(k + 1) − err_k at each k of `TIMES`, (T, *batch)."""

    def slack(q: Quantities) -> Numbers:
        errors = [q.expected_return_new - at.expected_return_old for at in constant_iterates(q)]
        visited = q.occupancy_new != 0
        distance = q.sum_s(q.occupancy_new * q.arithmetic.where(visited, q.reverse_kl, 0))
        start = distance / (q.size * (1 - q.gamma)) + horizon(q)
        return _stacked([start / (t + 1) - errors[t] for t in TIMES])

    return slack


def _unit_reward(q: Quantities) -> Truth:
    """r in [0, 1], h > 0, (*batch)."""
    return q.unit_rewards & (q.size > 0)


def _positive_start(q: Quantities) -> Truth:
    """ρ₀ > 0 in every state, γ > 0 (else θ may be 1), h₀ > 0, (*batch)."""
    return (q.initial > 0).all(0) & (q.gamma > 0) & (q.size > 0)


_CONSTANT = (
    r"\eta(\pi^*) - \eta(\pi_k) \le \frac{1}{k+1}\Bigl(\frac{D_0}{h(1-\gamma)} + %s\Bigr)"
    r" \text{ for } \pi_{k+1} \propto \pi_k \exp(h Q_{\pi_k}),\ r \in [0, 1]"
)
_NPG = (
    r"\eta(\pi^*) - \eta(\pi_T) \le \frac{\log|\mathcal{A}|}{hT} + %s"
    r" \text{ for } \pi_{t+1} \propto \pi_t \exp(h A_{\pi_t}/(1-\gamma)),\ \pi_0 \text{ uniform},\ r \in [0, 1]"
)
_AGARWAL = "Agarwal, Kakade, Lee, Mahajan 2021, arXiv:1908.00261, Theorem 16"
_BUILT_IN = frozenset({"unit-reward", "uniform-old", "optimal-new"})
_ANY_COMPARATOR = "Claimed of every comparator new; an optimal one makes it the strongest. Checked at T = 1, 2, 4, 8."

CLAIMS = (
    Claim(
        "rate/npg",
        _npg_rate,
        _NPG % r"\frac{1}{(1-\gamma)^2 T}",
        _AGARWAL,
        given=_unit_reward_and_uniform,
        provenance="M",
        needs=_BUILT_IN,
        note=_ANY_COMPARATOR,
        proof=Theorem("Natural policy gradient"),
    ),
    Claim(
        "rate/npg-sharper",
        _npg_sharper_rate,
        _NPG % r"\frac{1}{(1-\gamma) T}",
        "a sharper form of " + _AGARWAL,
        given=_unit_reward_and_uniform,
        expected="open",
        provenance="D",
        needs=_BUILT_IN,
        note=_ANY_COMPARATOR,
    ),
    Claim(
        "rate/pmd-linear",
        _pmd_rate,
        r"\Delta_k \le (1 - 1/\theta)^k \Bigl(\Delta_0 + \frac{D_0}{h_0(1-\gamma)(\theta-1)}\Bigr),\ "
        r"\Delta_k = \eta(\pi^*) - \eta(\pi_k) \text{ for } \pi_{k+1} \propto \pi_k \exp(h_k Q_{\pi_k}),\ "
        r"h_{k+1} = h_k \frac{\theta}{\theta-1},\ \theta = \frac{1}{1-\gamma}\max_s \frac{d^*(s)}{\rho_0(s)}",
        "Xiao 2022, arXiv:2201.07443",
        given=_positive_start,
        provenance="M",
        needs=frozenset({"optimal-new"}),
        note=_ANY_COMPARATOR,
        proof=Theorem("Policy mirror descent"),
    ),
    Claim(
        "rate/pmd-constant",
        _pmd_constant(lambda q: 1 / (1 - q.gamma) ** 2),
        _CONSTANT % r"\frac{1}{(1-\gamma)^2}",
        "Xiao 2022, arXiv:2201.07443, Theorem 8",
        given=_unit_reward,
        provenance="M",
        needs=frozenset({"unit-reward", "optimal-new"}),
        note=_ANY_COMPARATOR,
        proof=Theorem("Policy mirror descent"),
    ),
    Claim(
        "rate/pmd-constant-sharper",
        _pmd_constant(lambda q: 1 / (1 - q.gamma)),
        _CONSTANT % r"\frac{1}{1-\gamma}",
        "rate/pmd-constant with one power of 1 − γ less",
        given=_unit_reward,
        expected=False,
        provenance="D",
        needs=frozenset({"unit-reward", "optimal-new"}),
        note=_ANY_COMPARATOR,
    ),
)
