"""Costs: what an update that looks at a cost's surrogate says of the cost itself; Achiam et al. 2017, Proposition 2.

J_c is the return of the cost c, L_c its surrogate, Ā_c its expected advantage, ε'_c = max_s |Ā_c(s)|. Proofs: docs/theory.md,
"Costs". In Proposition 2 the radius is the mean KL of the step and the limit its L_c, the least that make the step feasible.
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.numerics.arithmetic import Array
from trpo_theory.step.quantities import Quantities

_COST = "c"
_CPO = "Achiam et al. 2017, arXiv:1705.10528, Proposition 2"
_FROM_L = r"J_c(\tilde\pi) \le L_c(\tilde\pi) + "
_OF_KL = r"\frac{\sqrt{2\bar D_{\mathrm{KL}}(%s)}\,\gamma\,%s}{(1-\gamma)^2}"
_OF_TV = r"\frac{%s\gamma\epsilon'_c}{(1-\gamma)^2}\,\mathbb{E}_{s\sim d^\pi}\,\mathrm{TV}(\pi_s,\tilde\pi_s)"
_FORWARD, _REVERSE = r"\pi\|\tilde\pi", r"\tilde\pi\|\pi"


def _of_tv(q: Quantities) -> Array:
    """γ ε'/(1 − γ)² mean-TV of the reward that q has."""
    return q.gamma * q.max_abs_expected_advantage / (1 - q.gamma) ** 2 * q.mean_tv


def of_kl(q: Quantities, mean_kl: Array) -> Array:
    """√(2 mean-KL) γ ε'/(1 − γ)² of the reward that q has."""
    return q.sqrt(2 * mean_kl) * q.gamma * q.max_abs_expected_advantage / (1 - q.gamma) ** 2


def _upper(q: Quantities) -> Numbers:
    c = q.cost(_COST)
    return 2 * _of_tv(c) - c.surrogate_gap


def _lower(q: Quantities) -> Numbers:
    c = q.cost(_COST)
    return 2 * _of_tv(c) + c.surrogate_gap


def _upper_once(q: Quantities) -> Numbers:
    c = q.cost(_COST)
    return _of_tv(c) - c.surrogate_gap


def _lower_once(q: Quantities) -> Numbers:
    c = q.cost(_COST)
    return _of_tv(c) + c.surrogate_gap


def _prop_2(q: Quantities) -> Numbers:
    c = q.cost(_COST)
    return of_kl(c, c.mean_kl) - c.surrogate_gap


def _prop_2_reverse(q: Quantities) -> Numbers:
    c = q.cost(_COST)
    return of_kl(c, c.reverse_mean_kl) - c.surrogate_gap


def _constraint(q: Quantities) -> Numbers:
    return -q.cost(_COST).surrogate_gap


def _epsilon_of_the_reward(q: Quantities) -> Numbers:
    return of_kl(q, q.mean_kl) - q.cost(_COST).surrogate_gap


def _chain_rule(q: Quantities) -> Numbers:
    c = q.cost(_COST)
    d = 1 - c.gamma
    return c.max_abs_expected_advantage / d * c.sqrt(2 * c.gamma / d * c.mean_kl) - c.surrogate_gap


def _difference(q: Quantities) -> Numbers:
    c = q.cost(_COST)
    return c.expected_return_new - c.expected_return_old - c.sum_s(c.visitation_new * c.expected_advantage)


def _lagrangian(q: Quantities) -> Numbers:
    c = q.cost(_COST)
    both = q.replace(reward=q.reward - q.size * c.reward)
    return both.surrogate_gain - (q.surrogate_gain - q.size * c.surrogate_gain)


_THEOREM = Theorem("Costs")

CLAIMS = (
    Claim(
        "cost/performance-difference",
        _difference,
        r"J_c(\tilde\pi) - J_c(\pi) = \sum_s \rho_{\tilde\pi}(s) \bar A_c(s)",
        'Kakade and Langford 2002, Lemma 6.1, of a cost: docs/theory.md, "Costs"',
        relation="=",
        provenance="D",
        costs=(_COST,),
        proof=_THEOREM,
    ),
    Claim(
        "cost/lagrangian",
        _lagrangian,
        r"L_{r - \nu c}(\tilde\pi) = L_r(\tilde\pi) - \nu L_c(\tilde\pi), \text{ each less its return of } \pi",
        'a return is linear in the reward: docs/theory.md, "Costs"',
        relation="=",
        provenance="D",
        costs=(_COST,),
        proof=_THEOREM,
    ),
    Claim(
        "cost/upper",
        _upper,
        _FROM_L + _OF_TV % 2,
        "Achiam et al. 2017, arXiv:1705.10528, Corollary 2",
        provenance="M",
        costs=(_COST,),
        proof=_THEOREM,
    ),
    Claim(
        "cost/lower",
        _lower,
        r"J_c(\tilde\pi) \ge L_c(\tilde\pi) - " + _OF_TV % 2,
        "Achiam et al. 2017, arXiv:1705.10528, Corollary 1, of a cost",
        provenance="S",
        costs=(_COST,),
        proof=_THEOREM,
    ),
    Claim(
        "cost/prop-2",
        _prop_2,
        _FROM_L + _OF_KL % (_FORWARD, r"\epsilon'_c"),
        f"{_CPO}, which has KL the other way round",
        provenance="S",
        costs=(_COST,),
        proof=_THEOREM,
    ),
    Claim(
        "cost/prop-2-reverse",
        _prop_2_reverse,
        _FROM_L + _OF_KL % (_REVERSE, r"\epsilon'_c"),
        _CPO,
        provenance="S",
        costs=(_COST,),
        proof=_THEOREM,
    ),
    Claim(
        "cost/chain-rule",
        _chain_rule,
        _FROM_L + r"\frac{\epsilon'_c}{1-\gamma}\sqrt{\frac{2\gamma}{1-\gamma}\bar D_{\mathrm{KL}}(\pi\|\tilde\pi)}",
        'chain-rule/mean-kl of −c: docs/theory.md, "Costs"',
        provenance="D",
        costs=(_COST,),
        proof=_THEOREM,
    ),
    Claim(
        "cost/upper-1",
        _upper_once,
        _FROM_L + _OF_TV % "",
        "folklore: cost/upper without its 2",
        expected=False,
        provenance="D",
        costs=(_COST,),
    ),
    Claim(
        "cost/lower-1",
        _lower_once,
        r"J_c(\tilde\pi) \ge L_c(\tilde\pi) - " + _OF_TV % "",
        "folklore: cost/lower without its 2",
        expected=False,
        provenance="D",
        costs=(_COST,),
    ),
    Claim(
        "cost/prop-2-constraint",
        _constraint,
        r"J_c(\tilde\pi) \le L_c(\tilde\pi): \text{ a step that meets the linearised constraint meets the constraint}",
        "cost/prop-2 without its second term",
        expected=False,
        provenance="D",
        costs=(_COST,),
    ),
    Claim(
        "cost/prop-2-reward",
        _epsilon_of_the_reward,
        _FROM_L + _OF_KL % (_FORWARD, r"\epsilon'_r"),
        "cost/prop-2 with the largest expected advantage of the reward",
        expected=False,
        provenance="D",
        costs=(_COST,),
    ),
)
