"""Of papers on token policies, over a horizon of T steps: the exact error of the surrogate, and the TV of sequences."""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers, Truth
from trpo_theory.bounds.horizon import sequence_kl, steps_left
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.numerics.arithmetic import Array
from trpo_theory.solve.layers import steps_of
from trpo_theory.step.quantities import Quantities


def _error(q: Quantities, visitation: Array) -> Numbers:
    """η(new) − L minus Σ visitation Σ_a (new − old) γ E (V_new − V_old)(s')."""
    ahead = q.gamma * q.expect(q.value_new - q.value)
    return q.surrogate_gap - q.sum_s(visitation * q.sum_a((q.new - q.old) * ahead))


def _sequence(q: Quantities, share: int) -> Numbers:
    """Σ_t E TV/share minus the largest TV of a step's state laws, those of γ^t times the laws."""
    change = abs(q.visitation_new - q.visitation_old)
    rows = q.states // int(steps_of(q.arithmetic, q.horizon).max())
    apart = [q.sum_s(change[first : first + rows]) / 2 for first in range(0, q.states, rows)]
    largest = apart[0]
    for one in apart[1:]:
        largest = q.maximum(largest, one)
    return q.mean_tv * q.sum_s(q.visitation_old) / share - largest


def _visited_kl(q: Quantities) -> Numbers:
    """max ρ_old KL: a state that old never visits does not count, even where KL is ∞."""
    return q.max_s(q.arithmetic.where(q.visitation_old > 0, q.visitation_old * q.kl, 0))


def _per_visit(q: Quantities) -> Numbers:
    return sequence_kl(q) - _visited_kl(q)


def _per_sequence(q: Quantities) -> Numbers:
    return 10 * sequence_kl(q) - q.max_kl


def _all_visited(q: Quantities) -> Truth:
    """Whether old visits every (t, s); the rows of steps after the end, which shorter runs of a batch have, do not count."""
    return ((q.visitation_old > 0) | (steps_left(q) < 0)).all(0)


_THEOREM = Theorem("Finite horizon")
_TRM = "Li et al. 2025, Trust Region Masking, arXiv:2512.23075"
_DPPO = "Qi et al. 2026, Rethinking the Trust Region in LLM Reinforcement Learning, arXiv:2602.04879"

CLAIMS = (
    Claim(
        "dppo/error",
        lambda q: _error(q, q.visitation_old),
        r"\eta(\tilde\pi)-L=\mathbb{E}_\pi\sum_t\gamma^t(l_t-1)\,\gamma(V_{\tilde\pi}-V_\pi)(s_{t+1})",
        f"{_DPPO}: the exact error of the surrogate",
        relation="=",
        provenance="S",
        horizon=True,
        proof=_THEOREM,
    ),
    Claim(
        "dppo/error-new",
        lambda q: _error(q, q.visitation_new),
        r"\eta(\tilde\pi)-L=\sum_{t,s}\rho_{\tilde\pi}\sum_a(\tilde\pi-\pi)\,\gamma\mathbb{E}(V_{\tilde\pi}-V_\pi)(s')",
        "derived here: dppo/error with the visits of the new policy",
        relation="=",
        expected=False,
        provenance="D",
        horizon=True,
    ),
    Claim(
        "dppo/sequence-tv",
        lambda q: _sequence(q, 1),
        r"\mathrm{TV}(p_t,\tilde p_t)\le\sum_{u<T}\mathbb{E}_\pi\mathrm{TV}(\pi_u,\tilde\pi_u)"
        r"\text{ for the laws of every }s_t\text{; discounted: }\gamma^t\text{ and }\gamma^u\text{ before them}",
        f"{_DPPO}: the TV of sequences is at most the sum of the tokens' expected TVs",
        provenance="S",
        horizon=True,
        proof=_THEOREM,
    ),
    Claim(
        "dppo/sequence-tv-half",
        lambda q: _sequence(q, 2),
        r"\mathrm{TV}(p_t,\tilde p_t)\le\tfrac12\sum_{u<T}\mathbb{E}_\pi\mathrm{TV}(\pi_u,\tilde\pi_u)",
        "derived here: dppo/sequence-tv with half the sum",
        expected=False,
        provenance="D",
        horizon=True,
    ),
    Claim(
        "trm/sequence-kl",
        _per_visit,
        r"\rho_\pi(t,s)\,D_{\mathrm{KL}}(\pi_{t,s}\|\tilde\pi_{t,s})\le D_{\mathrm{seq}}"
        r"=\sum_t\mathbb{E}_\pi\gamma^tD_{\mathrm{KL}}(\pi_t\|\tilde\pi_t)\text{ for every }(t,s)",
        f'{_TRM}: what its proof leaves, docs/theory.md, "Finite horizon"',
        provenance="D",
        horizon=True,
        proof=_THEOREM,
    ),
    Claim(
        "trm/sequence-kl-max",
        _per_sequence,
        r"\max_{t,s}D_{\mathrm{KL}}(\pi_{t,s}\|\tilde\pi_{t,s})\le 10\,D_{\mathrm{seq}}\text{, old visiting every }(t,s)",
        f"{_TRM}: no function of the KL of the sequence bounds the largest of a token; 10 stands for any constant",
        given=_all_visited,
        expected=False,
        provenance="S",
        horizon=True,
    ),
)
