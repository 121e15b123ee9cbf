"""Claims on the policy of largest soft return: what a policy lacks of it, gradients, rates, operators.

A soft optimal policy is ∝ exp(Q/τ) for its own soft Q: no rational MDP has a rational one, unless all actions are equal. So the
formulas read another reward, for which new is soft optimal, exactly: with W any function of states

    r*(s,a) = W(s) + τ log new(a|s) − γ Σ_s' P(s'|s,a) W(s')

makes Q_new = W + τ log new, whose soft maximum is W: new is soft optimal with value W. W is new's soft value for the reward that
is given. Every MDP with a soft optimal new is one of these, since r* = r there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trpo_theory.bounds.formulas import Formula, Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims.entropy import full, logs, soft_greedy, support
from trpo_theory.claims.soft_npg import npg, npg_size
from trpo_theory.step.quantities import Quantities

TIMES = (1, 2, 3)
"""The numbers of iterations at which a rate is checked. Chosen: each costs a solve in ball arithmetic."""


def with_optimal_new(q: Quantities) -> Quantities:
    """The same step with the reward r*, for which new is soft optimal with the value that it has for q's reward."""
    value = q.value_new
    reward = value[:, None] + q.temperature * logs(q, q.new) - q.gamma * q.expect(value)
    return q.replaced(reward=q.arithmetic.where(q.available, reward, 0))


def _full_new(q: Quantities) -> Truth:
    return ((q.new > 0) | ~q.available).all((0, 1))


def _full_and_started(q: Quantities) -> Truth:
    return full(q) & (q.initial > 0).all(0)


def _full_and_forward(q: Quantities) -> Truth:
    return full(q) & (q.size > 0)


def _lacking(q: Quantities, divergence: Numbers) -> Numbers:
    lacks = with_optimal_new(q)
    missed = lacks.expected_return_new - lacks.expected_return_old
    return missed - q.temperature * q.sum_s(q.visitation_old * divergence)


def _suboptimality(q: Quantities) -> Numbers:
    return _lacking(q, q.kl)


def _suboptimality_reversed(q: Quantities) -> Numbers:
    return _lacking(q, q.reverse_kl)


def _steepness(q: Quantities, least: Numbers) -> Numbers:
    """‖∂η_τ/∂θ‖² − (2τ/S) min ρ₀ · least² · min_s (ρ_old/ρ_new) · (η_τ* − η_τ(old)), θ the logits of old."""
    at = with_optimal_new(q)
    gradient = q.visitation_old[:, None] * q.old * (at.advantage - q.temperature * logs(q, q.old))
    missed = q.temperature * q.sum_s(q.visitation_old * q.kl)
    share = q.min_s(q.visitation_old / q.visitation_new)
    return q.sum_s(q.sum_a(gradient**2)) - 2 * q.temperature / q.states * q.min_s(q.initial) * least**2 * share * missed


def _lojasiewicz(q: Quantities) -> Numbers:
    return _steepness(q, q.min_s(q.min_a(q.old)))


def _lojasiewicz_uniform(q: Quantities) -> Numbers:
    return _steepness(q, 1)


def _largest(q: Quantities, x: Numbers) -> Numbers:
    return q.max_s(q.max_a(abs(x)))


def _npg_errors(q: Quantities, decay: Numbers) -> Numbers:
    """C γ decay^t − ‖Q* − Q_{t+1}‖ and 2C decay^t/τ − ‖log π* − log π_{t+1}‖ for t + 1 in `TIMES`, (2T, *batch).

    C = ‖Q* − Q₀‖ + 2τ (1 − hτ/(1 − γ)) ‖log π* − log π₀‖, π* = new, π₀ = old.
    """
    at, h, tau, best = with_optimal_new(q), npg_size(q), q.temperature, logs(q, q.new)
    first = 2 * tau * (1 - h * tau / (1 - q.gamma)) * _largest(q, best - logs(q, q.old))
    start, q_best = _largest(q, at.q_value_new - at.q_value) + first, at.q_value_new
    out: list[Numbers] = []
    for t in range(max(TIMES)):
        at = at.replaced(old=npg(at, h))
        left = decay**t * start
        out.append(q.gamma * left - _largest(q, q_best - at.q_value))
        out.append(2 * left / tau - _largest(q, best - logs(q, at.old)))
    return np.stack([np.asarray(part) for part in out])


def _npg_rate(q: Quantities) -> Numbers:
    return _npg_errors(q, 1 - npg_size(q) * q.temperature)


def _npg_sharper_rate(q: Quantities) -> Numbers:
    return _npg_errors(q, 1 - npg_size(q) * q.temperature / (1 - q.gamma))


def _iteration_errors(q: Quantities, decay: Numbers) -> Numbers:
    """decay^t max_s (V* − V₀) − max_s (V* − V_t) for t in `TIMES`, (T, *batch)."""
    at = with_optimal_new(q)
    best, start = at.value_new, q.max_s(at.value_new - at.value)
    out: list[Numbers] = []
    for t in TIMES:
        at = at.replaced(old=soft_greedy(at))
        out.append(decay**t * start - q.max_s(best - at.value))
    return np.stack([np.asarray(part) for part in out])


def _iteration_rate(q: Quantities) -> Numbers:
    return _iteration_errors(q, q.gamma)


def _iteration_rate_squared(q: Quantities) -> Numbers:
    return _iteration_errors(q, q.gamma**2)


def _soft_maximum(q: Quantities, q_value: Numbers) -> Numbers:
    """τ log Σ_a exp(Q/τ), (S, *batch)."""
    top = q.max_a(q_value)
    weight = support(q) * q.exp(q.arithmetic.where(q.available, (q_value - top[:, None]) / q.temperature, 0))
    return top + q.temperature * q.log(q.sum_a(weight))


def _boltzmann(q: Quantities, q_value: Numbers) -> Numbers:
    """Σ_a G Q for G ∝ exp(Q/τ), (S, *batch)."""
    top = q.max_a(q_value)
    weight = support(q) * q.exp(q.arithmetic.where(q.available, (q_value - top[:, None]) / q.temperature, 0))
    return q.sum_a(weight * q_value) / q.sum_a(weight)


def _contraction(q: Quantities, operator: Callable[[Quantities, Numbers], Numbers]) -> Numbers:
    """γ max|V_new − V_old| − max|T V_new − T V_old| for the backup T V = operator(r + γPV)."""
    moved = operator(q, q.q_value_new) - operator(q, q.q_value)
    return q.gamma * q.max_s(abs(q.value_new - q.value)) - q.max_s(abs(moved))


def _bellman(q: Quantities) -> Numbers:
    return _contraction(q, _soft_maximum)


def _bellman_boltzmann(q: Quantities) -> Numbers:
    return _contraction(q, _boltzmann)


def _loss(q: Quantities, steps: Numbers) -> Numbers:
    """V of the soft optimal policy + τ log|A| steps − V of old, both without entropies, (S, *batch)."""
    hard = with_optimal_new(q).replace(temperature=0)
    most = q.temperature * q.log(q.max_s(q.sum_a(support(q)))) * steps
    return hard.value_new + most - hard.value


def _optimal_loss(q: Quantities) -> Numbers:
    return _loss(q, 1 / (1 - q.gamma))


def _optimal_loss_one_step(q: Quantities) -> Numbers:
    return _loss(q, 1)


def _pair(
    names: tuple[str, str],
    formulas: tuple[Formula, Formula],
    statement: str,
    parts: tuple[str, str],
    source: str,
    what: str,
    section: str,
    given: Callable[[Quantities], Truth] | None,
    relation: str = ">=",
    provenance: str = "M",
) -> tuple[Claim, Claim]:
    """A true claim and its false twin, whose statements differ in one part."""
    ids = [f"entropy/{name}" for name in names]
    note = 'The reward is the one for which new is soft optimal: docs/theory.md, "The soft optimum".' * (
        given is not None
    )
    true = Claim(
        ids[0],
        formulas[0],
        statement % parts[0],
        source,
        given=given,
        relation=relation,
        provenance=provenance,
        temperature=True,
        note=note,
        proof=Theorem(section),
    )
    false = Claim(
        ids[1],
        formulas[1],
        statement % parts[1],
        f"folklore: {ids[0]} {what}",
        given=given,
        relation=relation,
        expected=False,
        provenance="D",
        temperature=True,
        note=note,
    )
    return true, false


_MEI = "Mei, Xiao, Szepesvari, Schuurmans 2020, arXiv:2005.06392"
_CEN = "Cen et al. 2022, arXiv:2007.06558"
_GEIST = "Geist, Scherrer, Pietquin 2019, arXiv:1901.11275"

CLAIMS = (
    *_pair(
        ("suboptimality", "suboptimality-reversed"),
        (_suboptimality, _suboptimality_reversed),
        r"\eta_\tau(\pi^*_\tau) - \eta_\tau(\pi) = \tau\sum_s\rho_\pi(s)\,%s",
        (r"D_{\mathrm{KL}}(\pi_s\|\pi^*_{\tau,s})", r"D_{\mathrm{KL}}(\pi^*_{\tau,s}\|\pi_s)"),
        f"{_MEI}, Lemma 26",
        "with the divergence the other way round",
        "The soft optimum",
        full,
        "=",
        "S",
    ),
    *_pair(
        ("lojasiewicz", "lojasiewicz-uniform"),
        (_lojasiewicz, _lojasiewicz_uniform),
        r"\|\partial_\theta\eta_\tau(\pi_\theta)\|_2 \ge \sqrt{\tfrac{2\tau}{S}\min_s\rho_0(s)}\,%s"
        r"\|d_{\pi^*_\tau}/d_{\pi_\theta}\|_\infty^{-1/2}\sqrt{\eta_\tau(\pi^*_\tau) - \eta_\tau(\pi_\theta)}",
        (r"\min_{s,a}\pi_\theta(a|s)", ""),
        f"{_MEI}, Lemma 15",
        "without the least probability of an action",
        "The soft optimum",
        _full_and_started,
        provenance="S",
    ),
    *_pair(
        ("npg-rate", "npg-rate-sharper"),
        (_npg_rate, _npg_sharper_rate),
        r"\|Q^*_\tau - Q_{t+1}\|_\infty \le C\gamma x^t,\ \|\log\pi^*_\tau - \log\pi_{t+1}\|_\infty \le 2Cx^t/\tau,\ x = %s,\ "
        r"C = \|Q^*_\tau - Q_0\|_\infty + 2\tau(1-\tfrac{h\tau}{1-\gamma})\|\log\pi^*_\tau - \log\pi_0\|_\infty"
        r" \text{ for } \pi_{t+1} \propto \pi_t^{1-h\tau/(1-\gamma)}\exp(hQ_t/(1-\gamma)),\ 0 < h \le (1-\gamma)/\tau",
        (r"1 - h\tau", r"1 - \tfrac{h\tau}{1-\gamma}"),
        f"{_CEN}, Theorem 1",
        "with the step of policies in the place of that of values",
        "Entropy-regularised natural policy gradient",
        _full_and_forward,
    ),
    *_pair(
        ("soft-policy-iteration-rate", "soft-policy-iteration-rate-squared"),
        (_iteration_rate, _iteration_rate_squared),
        r"\|V^*_\tau - V_t\|_\infty \le %s\|V^*_\tau - V_0\|_\infty \text{ for } \pi_{t+1} \propto \exp(Q_t/\tau)",
        (r"\gamma^t", r"\gamma^{2t}"),
        f"{_CEN}, Theorem 1 with h = (1 − γ)/τ; {_GEIST}",
        "as if each iteration were two",
        "Soft policy iteration",
        _full_new,
    ),
    *_pair(
        ("bellman-contraction", "boltzmann-contraction"),
        (_bellman, _bellman_boltzmann),
        r"\|\mathcal{T}V_{\tilde\pi} - \mathcal{T}V_\pi\|_\infty \le \gamma\|V_{\tilde\pi} - V_\pi\|_\infty,\ "
        r"\mathcal{T}V = %s,\ Q = r + \gamma PV",
        (r"\tau\log\sum_a e^{Q/\tau}", r"\sum_a Q\,e^{Q/\tau} / \sum_a e^{Q/\tau}"),
        f"{_GEIST}, Proposition 2",
        "with the mean under the Boltzmann policy; that it is no contraction: Littman 1996, Asadi and Littman 2017",
        "Soft values",
        None,
    ),
    *_pair(
        ("optimal-loss", "optimal-loss-one-step"),
        (_optimal_loss, _optimal_loss_one_step),
        r"V_{\pi^*_\tau} \ge V_\pi - %s \text{ in every state, without entropies, for every }\pi",
        (r"\frac{\tau\log|\mathcal{A}|}{1-\gamma}", r"\tau\log|\mathcal{A}|"),
        f"{_CEN}, equation 12; {_GEIST}, Theorem 2",
        "with the entropy of one step",
        "The soft optimum",
        _full_new,
    ),
)
