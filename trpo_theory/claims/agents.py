"""Several agents whose joint policy is a product: advantages and divergences in terms of the agents' own.

Proofs: docs/theory.md, "Several agents".
"""

from __future__ import annotations

from functools import reduce
from typing import Any

from trpo_theory.bounds.agents import alone, own_gains, pairs, penalty_unit
from trpo_theory.bounds.formulas import Formula, Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities

TWO, UNEQUAL, THREE = (2, 2), (2, 3), (2, 2, 2)
"""Actions of the agents on the instances that are searched. Chosen: the fewest; unequal ones where their order may matter."""


def _decomposition(q: Quantities) -> Numbers:
    return q.advantage - sum(q.agent_advantage(i, range(i)) for i in range(len(q.agents)))


def _each_alone(q: Quantities) -> Numbers:
    return q.advantage - sum(q.agent_advantage(i) for i in range(len(q.agents)))


def _surrogate(q: Quantities) -> Numbers:
    """L_π(π̃) − η(π) − Σ_i Σ_s ρ_π E[A^i(s, a^{1:i−1}, a_i)], where 1, ..., i act by new."""
    parts: list[Numbers] = []
    for i in range(len(q.agents)):
        acting = q.moved(range(i + 1)).new
        parts.append(q.sum_s(q.visitation_old * q.sum_a(acting * q.agent_advantage(i, range(i)))))
    return q.surrogate_gain - sum(parts)


def _own_surrogates(q: Quantities) -> Numbers:
    return q.surrogate_gain - own_gains(q)


def _own_surrogates_error(share: float) -> Formula:
    """share · 4ε/(1 − γ) max_s Σ_{j<i} TV_j TV_i − |L_π(π̃) − η(π) − Σ_i (L_π(π̃^i, π^{−i}) − η(π))|."""
    return lambda q: share * 4 * q.max_abs_advantage / (1 - q.gamma) * pairs(q) - abs(_own_surrogates(q))


def _size(share: int) -> Formula:
    """share · ε − max_i max_{s,a} |A^i(s, a^{1:i−1}, a_i)|."""

    def slack(q: Quantities) -> Numbers:
        each = [q.max_s(q.max_a(abs(q.agent_advantage(i, range(i))))) for i in range(len(q.agents))]
        return share * q.max_abs_advantage - reduce(q.maximum, each)

    return slack


def _tv_sum(q: Quantities) -> Numbers:
    return sum(one.tv for one in alone(q)) - q.tv


def _tv_max(q: Quantities) -> Numbers:
    return reduce(q.maximum, [one.tv for one in alone(q)]) - q.tv


def _tv_coupling(q: Quantities) -> Numbers:
    return 1 - reduce(lambda x, y: x * y, [1 - one.tv for one in alone(q)]) - q.tv


def _kl_sum(q: Quantities) -> Numbers:
    return q.kl - sum(one.kl for one in alone(q))


def _chi2_product(q: Quantities) -> Numbers:
    return 1 + q.chi2 - reduce(lambda x, y: x * y, [1 + one.chi2 for one in alone(q)])


def _chi2_sum(q: Quantities) -> Numbers:
    return q.chi2 - sum(one.chi2 for one in alone(q))


def _finite(q: Quantities) -> Truth:
    """old ≪ new: KL(old ‖ new) and χ²(old ‖ new) are finite."""
    return ((q.new > 0) | (q.old == 0)).all((0, 1))


def _gained(q: Quantities) -> Numbers:
    return q.expected_return_new - q.expected_return_old


def _sequential(q: Quantities) -> Truth:
    """Every agent, after those before it, gains at least its penalty: L^{1:i} ≥ C D_i."""
    met, before = True, 0
    for i, one in enumerate(alone(q)):
        gain = q.moved(range(i + 1)).surrogate_gain
        met = met & (gain - before >= 4 * penalty_unit(q) * one.max_kl)
        before = gain
    return met


def _simultaneous(q: Quantities) -> Truth:
    """Every agent gains at least its penalty, the others acting by old."""
    met = True
    for one in alone(q):
        met = met & (one.surrogate_gain >= 4 * penalty_unit(q) * one.max_kl)
    return met


def _true(id: str, formula: Formula, statement: str, source: str, **details: Any) -> Claim:
    return Claim(id, formula, statement, source, proof=Theorem("Several agents"), **details)


def _false(id: str, formula: Formula, statement: str, source: str, **details: Any) -> Claim:
    return Claim(id, formula, statement, source, expected=False, **details)


_HATRPO = "Kuba et al. 2022, arXiv:2109.11251"
_DERIVED = 'docs/theory.md, "Several agents"'
_GAIN = r"L_\pi(\tilde\pi) - \eta(\pi)"
_OWN_GAINS = r"\sum_i\bigl(L_\pi(\tilde\pi^i,\pi^{-i}) - \eta(\pi)\bigr)"
_APART = rf"\Bigl|{_GAIN} - {_OWN_GAINS}\Bigr| \le "
_PAIRS = r"\max_s\sum_{j<i}\mathrm{TV}_j(s)\,\mathrm{TV}_i(s)"
_TV = r"\mathrm{TV}(\pi_s,\tilde\pi_s)"
_C = r"\tfrac{4\epsilon\gamma}{(1-\gamma)^2} D_{\mathrm{KL}}^{\max}(\pi^i\|\tilde\pi^i)"

CLAIMS = (
    _true(
        "agents/advantage-decomposition",
        _decomposition,
        r"A_\pi(s,a) = \sum_i A^i_\pi(s,a^{1:i-1},a^i)",
        f"{_HATRPO}, Lemma 1",
        relation="=",
        provenance="S",
        agents=UNEQUAL,
    ),
    _false(
        "agents/advantage-each-alone",
        _each_alone,
        r"A_\pi(s,a) = \sum_i A^i_\pi(s,a^i)",
        "folklore: agents/advantage-decomposition without the actions of the agents before",
        relation="=",
        provenance="D",
        agents=UNEQUAL,
    ),
    _true(
        "agents/surrogate-decomposition",
        _surrogate,
        _GAIN + r" = \sum_i\sum_s\rho_\pi(s)\,\mathbb{E}_{a^{1:i}\sim\tilde\pi^{1:i}}A^i_\pi(s,a^{1:i-1},a^i)",
        f"{_HATRPO}, Definition 2 and the proof of Lemma 2",
        relation="=",
        provenance="M",
        agents=UNEQUAL,
    ),
    _false(
        "agents/own-surrogates",
        _own_surrogates,
        f"{_GAIN} = {_OWN_GAINS}",
        "folklore: agents/surrogate-decomposition, every agent with the others at the old policy",
        relation="=",
        provenance="D",
        agents=UNEQUAL,
    ),
    _true(
        "agents/own-surrogates-error",
        _own_surrogates_error(1),
        _APART + r"\tfrac{4\epsilon}{1-\gamma}" + _PAIRS,
        f"derived in {_DERIVED}; attained where two agents earn 1 for equal actions, else -1",
        provenance="D",
        agents=TWO,
    ),
    _false(
        "agents/own-surrogates-error-half",
        _own_surrogates_error(0.5),
        _APART + r"\tfrac{2\epsilon}{1-\gamma}" + _PAIRS,
        "derived here: agents/own-surrogates-error with half the constant",
        provenance="D",
        agents=TWO,
    ),
    _true(
        "agents/advantage-size",
        _size(2),
        r"\max|A^i_\pi(s,a^{1:i-1},a^i)| \le 2\epsilon",
        f"derived in {_DERIVED}",
        provenance="D",
        agents=TWO,
    ),
    _false(
        "agents/advantage-size-one",
        _size(1),
        r"\max|A^i_\pi(s,a^{1:i-1},a^i)| \le \epsilon",
        "derived here: agents/advantage-size with half the constant, which holds for the first agent only",
        provenance="D",
        agents=TWO,
    ),
    _true(
        "agents/joint-tv",
        _tv_sum,
        _TV + r" \le \sum_i \mathrm{TV}(\pi^i_s,\tilde\pi^i_s)",
        f"folklore; {_DERIVED}",
        provenance="D",
        agents=TWO,
    ),
    _true(
        "agents/joint-tv-coupling",
        _tv_coupling,
        _TV + r" \le 1 - \prod_i\bigl(1-\mathrm{TV}(\pi^i_s,\tilde\pi^i_s)\bigr)",
        f"folklore; {_DERIVED}",
        provenance="D",
        agents=THREE,
    ),
    _false(
        "agents/joint-tv-max",
        _tv_max,
        _TV + r" \le \max_i \mathrm{TV}(\pi^i_s,\tilde\pi^i_s)",
        "derived here: agents/joint-tv with the largest for the sum",
        provenance="D",
        agents=TWO,
    ),
    _true(
        "agents/joint-kl",
        _kl_sum,
        r"D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s) = \sum_i D_{\mathrm{KL}}(\pi^i_s\|\tilde\pi^i_s)",
        f"the chain rule; {_HATRPO}, Lemma 8; {_DERIVED}",
        relation="=",
        given=_finite,
        provenance="S",
        agents=TWO,
    ),
    _true(
        "agents/joint-chi2",
        _chi2_product,
        r"1+\chi^2(\pi_s\|\tilde\pi_s) = \prod_i\bigl(1+\chi^2(\pi^i_s\|\tilde\pi^i_s)\bigr)",
        f"folklore; {_DERIVED}",
        relation="=",
        given=_finite,
        provenance="D",
        agents=TWO,
    ),
    _false(
        "agents/joint-chi2-sum",
        _chi2_sum,
        r"\chi^2(\pi_s\|\tilde\pi_s) = \sum_i \chi^2(\pi^i_s\|\tilde\pi^i_s)",
        "derived here: agents/joint-kl with another divergence",
        relation="=",
        given=_finite,
        provenance="D",
        agents=TWO,
    ),
    _true(
        "agents/sequential",
        _gained,
        r"\text{if } L_\pi^{1:i}(\tilde\pi^{1:i-1},\tilde\pi^i) \ge " + _C + r" \text{ for all } i,"
        r" \text{ then } \eta(\tilde\pi) \ge \eta(\pi)",
        f"{_HATRPO}, Theorem 2",
        given=_sequential,
        provenance="S",
        agents=TWO,
    ),
    _false(
        "agents/simultaneous-improves",
        _gained,
        r"\text{if } L_\pi(\tilde\pi^i,\pi^{-i})-\eta(\pi) \ge " + _C + r" \text{ for all } i,"
        r" \text{ then } \eta(\tilde\pi) \ge \eta(\pi)",
        f"{_HATRPO}, section 3, warns of it: agents/sequential, every agent with the others at the old policy",
        given=_simultaneous,
        provenance="D",
        agents=TWO,
    ),
)
