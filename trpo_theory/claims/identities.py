"""The identities that the theory rests on, equations (2)-(8) and (14), and the forms in which they are misquoted."""

from __future__ import annotations

from typing import Any

from trpo_theory.bounds.formulas import Formula, Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims.rules import pooled
from trpo_theory.step.quantities import Quantities


def _performance_difference(q: Quantities) -> Numbers:
    gained = q.sum_s(q.visitation_new * q.sum_a(q.new * q.advantage))
    return q.expected_return_new - q.expected_return_old - gained


def _advantage_mean(q: Quantities) -> Numbers:
    """Both parts: max_s |Σ_a old A_old|, and |L(old) − η(old)| = |Σ_s ρ_old Σ_a old A_old|."""
    mean = q.sum_a(q.old * q.advantage)
    return q.max_s(abs(mean)) + abs(q.sum_s(q.visitation_old * mean))


def _flow(q: Quantities) -> Numbers:
    """Both parts: max_s |ρ − ρ₀ − γ P_πᵀ ρ|, and |(1 − γ) Σ ρ − 1|."""
    rho = q.visitation_old
    balance = rho - q.initial - q.gamma * q.push(q.old * rho[:, None])
    return q.max_s(abs(balance)) + abs((1 - q.gamma) * q.sum_s(rho) - 1)


def _gradient(q: Quantities) -> Numbers:
    """In the direction new − old, and along logits θ' = Σ noise over a group, which its states share."""
    logits = pooled(q, q.noise)
    direction = q.old * (logits - q.sum_a(q.old * logits)[:, None])
    along = q.with_new(q.old + direction)
    return abs(q.return_derivative - q.surrogate_gain) + abs(along.return_derivative - along.surrogate_gain)


def _raw_partials(q: Quantities) -> Numbers:
    """∂η/∂π(a|s) = ρ(s) Q(s, a) and ∂L/∂π(a|s) = ρ(s) A(s, a), π not confined to the simplex."""
    return q.visitation_old[:, None] * (q.q_value - q.advantage)


def _second_order(q: Quantities) -> Numbers:
    return q.return_second_derivative


def _importance(q: Quantities) -> Numbers:
    played = q.old > 0
    ratio = q.new / q.arithmetic.where(played, q.old, 1)
    sampled = q.sum_a(q.arithmetic.where(played, q.old * ratio * q.advantage, 0))
    return q.sum_s(q.visitation_old * (q.sum_a(q.new * q.advantage) - sampled))


def _continuous(q: Quantities) -> Truth:
    """new ≪ old wherever A_old ≠ 0, (*batch)."""
    return ((q.old > 0) | (q.new == 0) | (q.advantage == 0)).all((0, 1))


def _q_for_a(q: Quantities) -> Numbers:
    difference = q.sum_a(q.new * q.q_value) - q.sum_a(q.new * q.advantage) - q.value
    return q.sum_s(q.visitation_old * difference)


def _eta_with_advantage(q: Quantities) -> Numbers:
    return q.discounted_sum_old(q.advantage) - q.expected_return_old


def _eta_with_old_advantage(q: Quantities) -> Numbers:
    return q.discounted_sum_new(q.advantage) - (q.expected_return_new - q.expected_return_old)


def _identity(id: str, formula: Formula, statement: str, source: str, provenance: str, **details: Any) -> Claim:
    return Claim(id, formula, statement, source, relation="=", provenance=provenance, **details)


_IMPORTANCE = (
    r"\sum_s \rho_\pi(s) \sum_a \tilde\pi(a|s) A_\pi(s,a) = "
    r"\sum_s \rho_\pi(s)\,\mathbb{E}_{a\sim\pi}\Bigl[\tfrac{\tilde\pi(a|s)}{\pi(a|s)} A_\pi(s,a)\Bigr]"
)

CLAIMS = (
    _identity(
        "id/performance-difference",
        _performance_difference,
        r"\eta(\tilde\pi) = \eta(\pi) + \sum_s \rho_{\tilde\pi}(s) \sum_a \tilde\pi(a|s) A_\pi(s,a)",
        "Kakade & Langford 2002, Lemma 6.1; equations (3) and (6)",
        "S",
        proof=Theorem("Proofs of the equations", formal="performance_difference.performance_difference"),
    ),
    _identity(
        "id/advantage-mean",
        _advantage_mean,
        r"\sum_a \pi(a|s) A_\pi(s,a) = 0 \text{ for all } s, \text{ and } L_\pi(\pi) = \eta(\pi)",
        "equations (4) and (8)",
        "S",
        proof=Theorem("Proofs of the equations"),
    ),
    _identity(
        "id/flow",
        _flow,
        r"\rho_\pi = \rho_0 + \gamma P_\pi^{\top} \rho_\pi, \text{ and } \sum_s \rho_\pi(s) = \frac{1}{1-\gamma}",
        "equation (5)",
        "S",
        proof=Theorem("Proofs of the equations"),
    ),
    _identity(
        "id/gradient",
        _gradient,
        r"\nabla L_\pi = \nabla\eta \text{ at } \tilde\pi = \pi"
        r"\text{, in every direction inside the simplex and through shared logits}",
        "Schulman et al. 2015, arXiv:1502.05477, equation 4; equation (8)",
        "S",
        proof=Theorem("Proofs of the equations"),
    ),
    _identity(
        "id/raw-partials",
        _raw_partials,
        r"\frac{\partial L_\pi}{\partial\tilde\pi(a|s)} = \frac{\partial\eta}{\partial\tilde\pi(a|s)}"
        r"\text{ at } \tilde\pi = \pi",
        "folklore",
        "D",
        expected=False,
        note="They differ by ρ(s) V(s), which no direction inside the simplex sees.",
    ),
    _identity(
        "id/second-order",
        _second_order,
        r"\frac{d^2}{dt^2} L_\pi = \frac{d^2}{dt^2} \eta \text{ at } t = 0 \text{ along } \pi + t(\tilde\pi - \pi)",
        "folklore",
        "D",
        expected=False,
        note="L is linear in the policy: its second derivative is 0.",
    ),
    _identity(
        "id/importance",
        _importance,
        _IMPORTANCE + r"\text{ where } \tilde\pi_s \ll \pi_s \text{ wherever } A_\pi \neq 0",
        "Schulman et al. 2015, arXiv:1502.05477, section 5; equation (14)",
        "M",
        given=_continuous,
        proof=Theorem("Proofs of the equations"),
    ),
    _identity(
        "id/importance-any",
        _importance,
        _IMPORTANCE + r"\text{ for every } \tilde\pi",
        "equation (14) without its hypothesis",
        "M",
        expected=False,
    ),
    _identity(
        "id/q-for-a",
        _q_for_a,
        r"\sum_s \rho_\pi \sum_a \tilde\pi Q_\pi = \sum_s \rho_\pi \sum_a \tilde\pi A_\pi + \sum_s \rho_\pi V_\pi",
        "Schulman et al. 2015, arXiv:1502.05477, section 5, before equation 14",
        "M",
        proof=Theorem("Proofs of the equations"),
    ),
    _identity(
        "errata/eta-with-advantage",
        _eta_with_advantage,
        r"\mathbb{E}_\pi\Bigl[\sum_t \gamma^t A_\pi(s_t, a_t)\Bigr] = \eta(\pi)",
        "equation (2) as some texts print it",
        "S",
        expected=False,
        note="The sum is identically 0.",
    ),
    _identity(
        "id/eta-with-old-advantage",
        _eta_with_old_advantage,
        r"\mathbb{E}_{\tilde\pi}\Bigl[\sum_t \gamma^t A_\pi(s_t, a_t)\Bigr] = \eta(\tilde\pi) - \eta(\pi)",
        'equation (3): docs/theory.md, "The fourteen equations"',
        "D",
        proof=Theorem("Proofs of the equations", formal="performance_difference.performance_difference"),
    ),
)
