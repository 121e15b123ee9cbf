"""Lower bounds on the soft return, which counts τ times the policy's entropy, and their false twins.

L is here the soft surrogate η_τ(old) + Σ_s ρ_old(s) Ā(s) with Ā(s) = Σ_a new (Q_old − τ log new) − V_old, which is concave in
new, and not linear: Ā(s) = Σ_a new Ã − τ KL(new_s‖old_s) with the soft advantage Ã = Q_old − V_old − τ log old, whose mean under
old is 0.
"""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.step.quantities import Quantities


def soft_advantage(q: Quantities) -> Numbers:
    """Ã = Q_old − V_old − τ log old, (S, A, *batch); ∞ for an action that old never takes."""
    played = q.old > 0
    logs = q.log(q.arithmetic.where(played, q.old, 1))
    return q.arithmetic.where(played, q.advantage - q.temperature * logs, float("inf"))


def _size(q: Quantities) -> Numbers:
    """max_{s,a} |Ã(s,a)|."""
    return q.max_s(q.max_a(abs(soft_advantage(q))))


def _tv(q: Quantities) -> Numbers:
    """γα (4 max|Ã| α + τ max_s KL(new_s‖old_s))/(1 − γ)²."""
    moved = 4 * _size(q) * q.max_tv + q.temperature * q.reverse_max_kl
    return q.gamma * q.max_tv / (1 - q.gamma) ** 2 * moved


def _kl(q: Quantities) -> Numbers:
    """γD (2 max|Ã| + τ √(D/2))/(1 − γ)², D = max_s KL(new_s‖old_s)."""
    moved = 2 * _size(q) + q.temperature * q.sqrt(q.reverse_max_kl / 2)
    return q.gamma * q.reverse_max_kl / (1 - q.gamma) ** 2 * moved


def _without_kl(q: Quantities) -> Numbers:
    return 4 * q.gamma * _size(q) / (1 - q.gamma) ** 2 * q.max_tv**2


def _hard_size(q: Quantities) -> Numbers:
    return 4 * q.gamma * q.max_abs_advantage / (1 - q.gamma) ** 2 * q.max_tv**2


def _mean_tv(q: Quantities) -> Numbers:
    return 2 * q.gamma * q.max_abs_expected_advantage / (1 - q.gamma) ** 2 * q.mean_tv


def _mean_tv_hard(q: Quantities) -> Numbers:
    """With max_s |Σ_a (new − old)(Q_old − V_old)|, which has no entropy."""
    hard = q.max_s(abs(q.sum_a((q.new - q.old) * q.advantage)))
    return 2 * q.gamma * hard / (1 - q.gamma) ** 2 * q.mean_tv


_LEFT = r"\eta_\tau(\tilde\pi) \ge L^\tau_\pi(\tilde\pi) - "
_SOFT = r"\tilde\epsilon = \max_{s,a}|Q_\pi - V_\pi - \tau\log\pi|"
_SECTION = "Lower bounds on the soft return"

BOUNDS = (
    Bound(
        "entropy/tv",
        _tv,
        _LEFT + r"\frac{\gamma\alpha}{(1-\gamma)^2}\bigl(4\tilde\epsilon\alpha"
        r" + \tau\max_s D_{\mathrm{KL}}(\tilde\pi_s\|\pi_s)\bigr),\quad " + _SOFT,
        'derived here: trpo/tv for the soft return, docs/theory.md, "Lower bounds on the soft return"',
        temperature=True,
        proof=Theorem(_SECTION),
    ),
    Bound(
        "entropy/kl",
        _kl,
        _LEFT + r"\frac{\gamma D}{(1-\gamma)^2}\bigl(2\tilde\epsilon + \tau\sqrt{D/2}\bigr),\quad "
        r"D = \max_s D_{\mathrm{KL}}(\tilde\pi_s\|\pi_s),\ " + _SOFT,
        'derived here: entropy/tv with Pinsker, docs/theory.md, "Lower bounds on the soft return"',
        temperature=True,
        proof=Theorem(_SECTION, follows=("entropy/tv",), because="α² ≤ D/2 (Pinsker)"),
    ),
    Bound(
        "entropy/mean-tv",
        _mean_tv,
        _LEFT + r"\frac{2\gamma\max_s|\bar A_\tau(s)|}{(1-\gamma)^2}\,\mathbb{E}_{s\sim d^\pi}\,"
        r"\mathrm{TV}(\pi_s,\tilde\pi_s),\quad \bar A_\tau = \textstyle\sum_a\tilde\pi(Q_\pi - \tau\log\tilde\pi) - V_\pi",
        'derived here: cpo/mean-tv for the soft return, docs/theory.md, "Lower bounds on the soft return"',
        temperature=True,
        proof=Theorem(_SECTION),
    ),
    Bound(
        "entropy/tv-without-kl",
        _without_kl,
        _LEFT + r"\frac{4\gamma\tilde\epsilon}{(1-\gamma)^2}\alpha^2,\quad " + _SOFT,
        "folklore: trpo/tv with the soft advantage, entropy/tv without its divergence",
        expected=False,
        temperature=True,
        note="Where old is soft optimal the soft advantage is 0, and L is no lower bound.",
    ),
    Bound(
        "entropy/tv-hard",
        _hard_size,
        _LEFT + r"\frac{4\gamma\epsilon}{(1-\gamma)^2}\alpha^2,\quad \epsilon = \max_{s,a}|Q_\pi - V_\pi|",
        "folklore: trpo/tv with soft values in the place of the others",
        expected=False,
        temperature=True,
    ),
    Bound(
        "entropy/mean-tv-hard",
        _mean_tv_hard,
        _LEFT + r"\frac{2\gamma}{(1-\gamma)^2}\max_s\Bigl|\textstyle\sum_a\tilde\pi Q_\pi - \sum_a\pi Q_\pi\Bigr|\,"
        r"\mathbb{E}_{s\sim d^\pi}\,\mathrm{TV}(\pi_s,\tilde\pi_s)",
        "folklore: entropy/mean-tv with an expected advantage that leaves out the entropies",
        expected=False,
        temperature=True,
    ),
)
