"""How far from the optimum a policy can be, by what a greedy step promises, and how much of it a greedy step makes good."""

from __future__ import annotations

from trpo_theory.bounds.formulas import Formula, Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims.rules import improvement
from trpo_theory.claims.steps import false_twin
from trpo_theory.step.quantities import Quantities


def _promise(q: Quantities) -> Numbers:
    """Σ_s ρ_old max_a A_old, (*batch)."""
    return q.sum_s(q.visitation_old * q.max_a(q.advantage))


def _optimum(q: Quantities) -> Numbers:
    return q.max_s(q.visitation_new / q.visitation_old) * _promise(q) - improvement(q)


def _optimum_no_mismatch(q: Quantities) -> Numbers:
    return _promise(q) - improvement(q)


def _optimum_start(q: Quantities) -> Numbers:
    return q.max_s(q.visitation_new / q.initial) * _promise(q) - improvement(q)


def _optimum_start_short(q: Quantities) -> Numbers:
    return (1 - q.gamma) * q.max_s(q.visitation_new / q.initial) * _promise(q) - improvement(q)


def _everywhere(q: Quantities) -> Truth:
    return (q.visitation_old > 0).all(0)


def _starts_everywhere(q: Quantities) -> Truth:
    return (q.initial > 0).all(0)


def _greedy(q: Quantities) -> Numbers:
    """A step of policy iteration."""
    return q.greedy(q.q_value)


def _policy_iteration(q: Quantities) -> Numbers:
    before, after = q.optimal_value - q.value, q.optimal_value - q.value_new
    return q.gamma * q.max_s(before) - q.max_s(after)


def _contracts(factor: Formula) -> Formula:
    """factor (η* − η(old)) − (η* − η(new))."""
    return lambda q: factor(q) * (q.optimal_return - q.expected_return_old) - (q.optimal_return - q.expected_return_new)


def _by_least_start(q: Quantities) -> Numbers:
    return 1 - (1 - q.gamma) * q.min_s(q.initial)


def _by_largest_start(q: Quantities) -> Numbers:
    return 1 - (1 - q.gamma) * q.max_s(q.initial)


_KAKADE = "Kakade and Langford 2002 (ICML), "
_FAR = r"\eta(\tilde\pi) - \eta(\pi) \le %s\sum_s\rho_\pi(s)\max_a A_\pi(s,a)"
_BHANDARI = "Bhandari and Russo 2021 (AISTATS), arXiv:2007.11120"
_CONTRACTS = r"\eta^* - \eta(\tilde\pi) \le %s(\eta^* - \eta(\pi)) \text{ for } \tilde\pi \text{ greedy for } Q_\pi"

CLAIMS = (
    Claim(
        "kakade-langford/optimum",
        _optimum,
        _FAR % r"\max_s\frac{d^{\tilde\pi}(s)}{d^\pi(s)}" + r",\quad \rho_\pi > 0",
        _KAKADE + "Theorem 6.2; as gradient domination in Agarwal et al. 2021, arXiv:1908.00261",
        given=_everywhere,
        provenance="M",
        needs=frozenset({"optimal-new"}),
        proof=Theorem("Gradient domination"),
    ),
    false_twin(
        "kakade-langford/optimum-no-mismatch",
        _optimum_no_mismatch,
        _FAR % "",
        "kakade-langford/optimum without the mismatch of occupancies",
        needs=frozenset({"optimal-new"}),
    ),
    Claim(
        "kakade-langford/optimum-start",
        _optimum_start,
        _FAR % r"\frac{1}{1-\gamma}\max_s\frac{d^{\tilde\pi}(s)}{\rho_0(s)}" + r",\quad \rho_0 > 0",
        _KAKADE + "Theorem 6.2",
        given=_starts_everywhere,
        provenance="M",
        needs=frozenset({"optimal-new"}),
        proof=Theorem("Gradient domination"),
    ),
    false_twin(
        "kakade-langford/optimum-start-short",
        _optimum_start_short,
        _FAR % r"\max_s\frac{d^{\tilde\pi}(s)}{\rho_0(s)}" + r",\quad \rho_0 > 0",
        "kakade-langford/optimum-start without its horizon",
        given=_starts_everywhere,
        needs=frozenset({"optimal-new"}),
    ),
    Claim(
        "rate/policy-iteration",
        _policy_iteration,
        r"\|V^* - V_{\tilde\pi}\|_\infty \le \gamma\|V^* - V_\pi\|_\infty"
        r"\text{ for } \tilde\pi \text{ greedy for } Q_\pi",
        "Howard 1960; Puterman 1994",
        step=_greedy,
        provenance="M",
        proof=Theorem("Greedy steps"),
    ),
    false_twin(
        "rate/policy-iteration-return",
        _contracts(lambda q: q.gamma),
        _CONTRACTS % r"\gamma",
        "rate/policy-iteration in the return instead of the largest value",
        step=_greedy,
    ),
    Claim(
        "rate/line-search",
        _contracts(_by_least_start),
        _CONTRACTS % r"\bigl(1 - (1-\gamma)\min_s\rho_0(s)\bigr)",
        _BHANDARI + ": exact line search towards a greedy policy does no worse than that policy",
        step=_greedy,
        provenance="M",
        proof=Theorem("Greedy steps"),
    ),
    false_twin(
        "rate/line-search-largest",
        _contracts(_by_largest_start),
        _CONTRACTS % r"\bigl(1 - (1-\gamma)\max_s\rho_0(s)\bigr)",
        "rate/line-search with the largest of the start's probabilities",
        step=_greedy,
    ),
)
