"""How far the occupancy moves, what that costs the surrogate, and the surrogate of any critic."""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities


def _critic_residual(q: Quantities, policy: Numbers) -> Numbers:
    """Σ_a policy (r + γ P f) − f, (S, *batch), for the critic f = V_old + u, u the mean of `noise` over old.

    Computed as Σ_a policy (A_old + γ P u) − u. Any function of the state is such an f.
    """
    u = q.sum_a(q.old * q.noise)
    return q.sum_a(policy * (q.advantage + q.gamma * q.expect(u))) - u


def _beyond_critic(q: Quantities) -> Numbers:
    """η(new) − η(old) − Σ_s ρ_old Σ_a (new − old) δ_f = Σ_s (ρ_new − ρ_old)(s) Σ_a new δ_f, which does not cancel."""
    return q.sum_s(q.visitation_change * _critic_residual(q, q.new))


def _critic_penalty(q: Quantities, policy: Numbers) -> Numbers:
    """2γ/(1 − γ)² max_s |Σ_a policy δ_f| mean-TV."""
    return 2 * q.gamma / (1 - q.gamma) ** 2 * q.max_s(abs(_critic_residual(q, policy))) * q.mean_tv


def _critic_lower(q: Quantities) -> Numbers:
    return _critic_penalty(q, q.new) + _beyond_critic(q)


def _critic_upper(q: Quantities) -> Numbers:
    return _critic_penalty(q, q.new) - _beyond_critic(q)


def _critic_old(q: Quantities) -> Numbers:
    return _critic_penalty(q, q.old) + _beyond_critic(q)


def _critic_upper_once(q: Quantities) -> Numbers:
    return _critic_penalty(q, q.new) / 2 - _beyond_critic(q)


def _moved(q: Quantities) -> Numbers:
    """‖d_new − d_old‖₁."""
    return (1 - q.gamma) * q.sum_s(abs(q.visitation_change))


def _per_tv(q: Quantities) -> Numbers:
    return 2 * q.gamma / (1 - q.gamma) * q.mean_tv - _moved(q)


def _per_tv_once(q: Quantities) -> Numbers:
    return q.gamma / (1 - q.gamma) * q.mean_tv - _moved(q)


def _per_tv_of_new(q: Quantities) -> Numbers:
    return 2 * q.gamma / (1 - q.gamma) * q.sum_s(q.occupancy_new * q.tv) - _moved(q)


def _by_occupancy_tv(q: Quantities) -> Numbers:
    """2 ε'/(1 − γ) TV(d_new, d_old) = ε' Σ_s |ρ_new − ρ_old|."""
    return q.surrogate_gap + q.max_abs_expected_advantage * q.sum_s(abs(q.visitation_change))


def _by_occupancy_tv_once(q: Quantities) -> Numbers:
    return q.surrogate_gap + q.max_abs_expected_advantage * q.sum_s(abs(q.visitation_change)) / 2


def _occupancy_kl(q: Quantities) -> Numbers:
    """KL(d_new ‖ d_old), (*batch)."""
    return q.sum_s(q.arithmetic.kl_div(q.occupancy_new, q.occupancy_old))


def _by_occupancy_kl(q: Quantities) -> Numbers:
    largest = 2 * q.max_abs_expected_advantage / (1 - q.gamma)
    return q.surrogate_gap + largest * q.sqrt(_occupancy_kl(q) / 2)


def _by_occupancy_kl_once(q: Quantities) -> Numbers:
    return q.surrogate_gap + q.max_abs_expected_advantage / (1 - q.gamma) * q.sqrt(_occupancy_kl(q) / 2)


def _joint_kl(q: Quantities, constant: Numbers) -> Numbers:
    """constant · Σ_s d_new KL(new_s ‖ old_s) − KL of d_new × new from d_old × old, (*batch)."""
    joint = q.arithmetic.kl_div(q.occupancy_new[:, None] * q.new, q.occupancy_old[:, None] * q.old)
    mean = q.sum_s(q.occupancy_new * q.arithmetic.where(q.occupancy_new > 0, q.reverse_kl, 0))
    return constant * mean - q.sum_s(q.sum_a(joint))


def _joint(q: Quantities) -> Numbers:
    return _joint_kl(q, 1 / (1 - q.gamma))


def _joint_as_states(q: Quantities) -> Numbers:
    return _joint_kl(q, q.gamma / (1 - q.gamma))


_CPO = "Achiam et al. 2017, arXiv:1705.10528, "
_TOUATI = "Touati, Zhang, Pineau and Vincent 2020, arXiv:2003.04108"
_DELTA = r",\quad \delta_f(s,a,s') = r + \gamma f(s') - f(s)"
_FIRST = (
    r"\eta(\tilde\pi) - \eta(\pi) %s \tfrac{1}{1-\gamma}\,\mathbb{E}_{s\sim d^\pi}\sum_a(\tilde\pi-\pi)\delta_f"
    r" %s \frac{%s\gamma}{(1-\gamma)^2}\max_s\bigl|\mathbb{E}_{a\sim %s}\delta_f\bigr|"
    r"\,\mathbb{E}_{s\sim d^\pi}\mathrm{TV}(\pi_s,\tilde\pi_s)"
) + _DELTA
_MOVES = (
    r"\|d^{\tilde\pi} - d^\pi\|_1 \le \frac{%s\gamma}{1-\gamma}\,\mathbb{E}_{s\sim %s}\mathrm{TV}(\pi_s,\tilde\pi_s)"
)
_JOINT = (
    r"D_{\mathrm{KL}}(d^{\tilde\pi}\tilde\pi \| d^\pi\pi) \le \frac{%s}{1-\gamma}\,"
    r"\mathbb{E}_{s\sim d^{\tilde\pi}} D_{\mathrm{KL}}(\tilde\pi_s \| \pi_s)"
)
_FREE = "f is free: V_old plus the mean of noise over old, which is any function of the state."

CLAIMS = (
    Claim(
        "cpo/any-critic-lower",
        _critic_lower,
        _FIRST % (r"\ge", "-", "2", r"\tilde\pi"),
        _CPO + "Theorem 1, the lower side",
        provenance="S",
        note=_FREE,
        proof=Theorem("Occupancies and critics"),
    ),
    Claim(
        "cpo/any-critic-upper",
        _critic_upper,
        _FIRST % (r"\le", "+", "2", r"\tilde\pi"),
        _CPO + "Theorem 1, the upper side",
        provenance="S",
        note=_FREE,
        proof=Theorem("Occupancies and critics"),
    ),
    Claim(
        "cpo/any-critic-old",
        _critic_old,
        _FIRST % (r"\ge", "-", "2", r"\pi"),
        "folklore: cpo/any-critic-lower with the mean of δ_f under the old policy",
        expected=False,
        provenance="D",
        note="With f = V_old that mean is 0.",
    ),
    Claim(
        "cpo/any-critic-upper-1",
        _critic_upper_once,
        _FIRST % (r"\le", "+", "", r"\tilde\pi"),
        "cpo/any-critic-upper without the 2",
        expected=False,
        provenance="D",
    ),
    Claim(
        "cpo/occupancy",
        _per_tv,
        _MOVES % ("2", r"d^\pi"),
        _CPO + "Lemma 3",
        provenance="S",
        proof=Theorem("Occupancies and critics"),
    ),
    Claim(
        "cpo/occupancy-1",
        _per_tv_once,
        _MOVES % ("", r"d^\pi"),
        "cpo/occupancy without the 2",
        expected=False,
        provenance="D",
    ),
    Claim(
        "cpo/occupancy-of-new",
        _per_tv_of_new,
        _MOVES % ("2", r"d^{\tilde\pi}"),
        'cpo/occupancy with the two policies exchanged; docs/theory.md, "Occupancies and critics"',
        provenance="D",
        proof=Theorem("Occupancies and critics"),
    ),
    Claim(
        "occupancy/tv",
        _by_occupancy_tv,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{2\epsilon^{\tilde\pi}}{1-\gamma}\mathrm{TV}(d^{\tilde\pi}, d^\pi)",
        _TOUATI,
        provenance="M",
        proof=Theorem("Occupancies and critics"),
    ),
    Claim(
        "occupancy/tv-1",
        _by_occupancy_tv_once,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{\epsilon^{\tilde\pi}}{1-\gamma}\mathrm{TV}(d^{\tilde\pi}, d^\pi)",
        "occupancy/tv without the 2",
        expected=False,
        provenance="D",
    ),
    Claim(
        "occupancy/kl",
        _by_occupancy_kl,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{2\epsilon^{\tilde\pi}}{1-\gamma}"
        r"\sqrt{\tfrac12 D_{\mathrm{KL}}(d^{\tilde\pi} \| d^\pi)}",
        _TOUATI,
        provenance="M",
        proof=Theorem(follows=("occupancy/tv",), because="TV ≤ √(KL/2) (Pinsker)"),
    ),
    Claim(
        "occupancy/kl-1",
        _by_occupancy_kl_once,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{\epsilon^{\tilde\pi}}{1-\gamma}"
        r"\sqrt{\tfrac12 D_{\mathrm{KL}}(d^{\tilde\pi} \| d^\pi)}",
        "occupancy/kl without the 2",
        expected=False,
        provenance="D",
    ),
    Claim(
        "occupancy/joint-kl",
        _joint,
        _JOINT % "1",
        'derived: the chain rule at a geometric time, docs/theory.md, "Occupancies and critics"; between laws of '
        + _TOUATI,
        provenance="D",
        proof=Theorem("Occupancies and critics"),
    ),
    Claim(
        "occupancy/joint-kl-gamma",
        _joint_as_states,
        _JOINT % r"\gamma",
        "occupancy/joint-kl with the constant of the law of the state alone",
        expected=False,
        provenance="D",
    ),
)
