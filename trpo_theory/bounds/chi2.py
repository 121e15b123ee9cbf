"""Second-order bounds in χ²(new ‖ old): small steps of practical size, by Cauchy-Schwarz on the likelihood ratio.

With X_t = Π_{i<t} (new/old)(s_i, a_i) and c = max_s χ²(new_s ‖ old_s), E_old (X_t − 1)² ≤ (1 + c)ᵗ − 1, and
η(new) − L = E_old Σ_t γᵗ (X_t − 1) Ā(s_t). Proofs: docs/theory.md, "Second-order theorems in chi-square".
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers, Truth
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities

INFINITE = float("inf")


def kappa(q: Quantities, c: Numbers) -> Numbers:
    """κ(c) = √(γc/(1 − γ(1 + c))): √((1 − γ) Σ_t γᵗ ((1 + c)ᵗ − 1)); ∞ from γ(1 + c) = 1 on, 0 for γ = 0."""
    where = q.arithmetic.where
    small = (c < INFINITE) & (q.gamma * (1 + where(c < INFINITE, c, 0)) < 1)
    inside = where(small, c, 0)
    ratio = q.sqrt(q.gamma * inside / (1 - q.gamma * (1 + inside)))
    return where(small, ratio, where(q.gamma > 0, INFINITE, 0))


def scaled(q: Quantities, spread: Numbers, c: Numbers) -> Numbers:
    """spread · √c κ(c)/(1 − γ) = spread · c √γ/((1 − γ) √(1 − γ(1 + c)))."""
    ratio = kappa(q, c)
    return spread * q.arithmetic.where(ratio > 0, q.sqrt(c) * ratio, 0) / (1 - q.gamma)


def _expected_advantage(q: Quantities) -> Numbers:
    return q.expected_advantage_sd * kappa(q, q.reverse_max_chi2) / (1 - q.gamma)


def _advantage(q: Quantities) -> Numbers:
    return scaled(q, q.rms_advantage, q.reverse_max_chi2)


def _reward(q: Quantities) -> Numbers:
    return scaled(q, q.reward_sd, q.reverse_max_chi2) / q.sqrt(1 - q.gamma)


def _instance(q: Quantities) -> Numbers:
    return q.expected_advantage_sd * q.sqrt(q.squared_ratio_sum / (1 - q.gamma))


def _critic_value(q: Quantities) -> Numbers:
    """W − V_old of a critic W: the mean of `noise` over old, any function of the state."""
    return q.sum_a(q.old * q.noise)


def _critic_shift(q: Quantities) -> Numbers:
    moved = q.sum_a((q.new - q.old) * q.expect(_critic_value(q)))
    return q.gamma * q.sum_s(q.visitation_old * moved)


def _critic_residual(q: Quantities) -> Numbers:
    u = _critic_value(q)
    return q.expected_advantage - u + q.gamma * q.sum_a(q.new * q.expect(u))


def _critic(q: Quantities) -> Numbers:
    return q.sd_over_states(_critic_residual(q)) * kappa(q, q.reverse_max_chi2) / (1 - q.gamma)


def _ratio_clip(q: Quantities) -> Numbers:
    played = q.old > 0
    change = q.arithmetic.where(played, (q.new - q.old) / q.arithmetic.where(played, q.old, 1), 0)
    return scaled(q, q.rms_advantage, q.max_s(q.max_a(abs(change))) ** 2)


def _ratio_cap(q: Quantities) -> Numbers:
    played = q.old > 0
    ratio = q.arithmetic.where(played, q.new / q.arithmetic.where(played, q.old, 1), 0)
    return scaled(q, q.rms_advantage, 2 * q.maximum(q.max_s(q.max_a(ratio)), 1) * q.max_kl)


def covered(q: Quantities) -> Truth:
    """new ≪ old: new takes no action that old never takes."""
    return ((q.old > 0) | (q.new == 0)).all((0, 1))


KAPPA_OVER_D = r"\frac{1}{1-\gamma}\sqrt{\frac{\gamma c}{1-\gamma(1+c)}}"
LARGEST = r"c=\max_s\chi^2(\tilde\pi_s\|\pi_s)"
SCALED = r"\frac{c\sqrt\gamma}{(1-\gamma)\sqrt{1-\gamma(1+c)}}"
FROM_L = r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - "
"""Parts of statements in LaTeX: κ(c)/(1 − γ); what c is; what a spread is scaled with; and the centre."""

BOUNDS = (
    Bound(
        "chi2/expected-advantage",
        _expected_advantage,
        FROM_L + rf"\mathrm{{sd}}_{{d^\pi}}(\bar A)\,{KAPPA_OVER_D},\quad {LARGEST}",
        'derived in docs/theory.md, "Expected advantage in chi-square"; sharp',
        proof=Theorem("Expected advantage in chi-square", formal="chi_square.chi2_expected_advantage"),
    ),
    Bound(
        "chi2/advantage",
        _advantage,
        FROM_L + rf"\mathrm{{rms}}(A_\pi)\,{SCALED},\quad {LARGEST}",
        'derived in docs/theory.md, "Advantage in chi-square"; sharp for c <= 1',
        proof=Theorem("Advantage in chi-square", formal="chi_square.chi2_advantage"),
    ),
    Bound(
        "chi2/reward",
        _reward,
        FROM_L + rf"\frac{{\mathrm{{sd}}(r)}}{{\sqrt{{1-\gamma}}}}\,{SCALED},\quad {LARGEST}",
        'derived in docs/theory.md, "Reward in chi-square"; sharp',
        proof=Theorem("Reward in chi-square", formal="chi_square_reward.chi2_reward"),
    ),
    Bound(
        "chi2/instance",
        _instance,
        FROM_L + r"\mathrm{sd}_{d^\pi}(\bar A)\sqrt{\frac{1}{1-\gamma}\,\mathbb{E}_\pi\sum_t\gamma^t(X_t^2-1)}",
        'derived in docs/theory.md, "The ratio\'s second moments exactly": between the gap and chi2/expected-advantage',
        proof=Theorem("The ratio's second moments exactly", formal="chi_square.chi2_instance"),
    ),
    Bound(
        "chi2/critic",
        _critic,
        r"\eta(\tilde\pi) \ge \rho_0\cdot W + \rho_\pi\cdot\delta_W - \mathrm{sd}_{d^\pi}(\delta_W)\,"
        rf"{KAPPA_OVER_D},\quad \delta_W=\sum_a\tilde\pi(r+\gamma PW)-W,\ {LARGEST}",
        'derived in docs/theory.md, "Any critic"',
        shift=_critic_shift,
        residual=_critic_residual,
        proof=Theorem("Any critic", formal="chi_square.chi2_expected_advantage"),
    ),
    Bound(
        "chi2/ratio-clip",
        _ratio_clip,
        FROM_L + rf"\mathrm{{rms}}(A_\pi)\,{SCALED},\quad c=k^2,\ |\tilde\pi/\pi-1|\le k",
        'derived in docs/theory.md, "Clips and caps"',
        covered,
        proof=Theorem("Clips and caps"),
    ),
    Bound(
        "chi2/ratio-cap",
        _ratio_cap,
        FROM_L
        + rf"\mathrm{{rms}}(A_\pi)\,{SCALED},\quad c=2B\,D_{{\mathrm{{KL}}}}^{{\max}}(\pi,\tilde\pi),\ \tilde\pi\le B\pi",
        'derived in docs/theory.md, "Clips and caps"',
        covered,
        proof=Theorem("Clips and caps"),
    ),
)
