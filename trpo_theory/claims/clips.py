"""What clipped likelihood ratios bound, and that clipping the surrogate bounds none of it."""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.claims.rules import ppo_clip
from trpo_theory.step.quantities import Quantities


def _clip(q: Quantities) -> Numbers:
    """c = h/(1 + h), h = size."""
    return q.size / (1 + q.size)


def _largest_kl(q: Quantities, k: Numbers) -> Numbers:
    """−½ log(1 − k²): the largest KL(old‖new) of a row whose ratios new/old are in [1 − k, 1 + k]; 0 for k ≥ 1."""
    inside = q.arithmetic.where(k < 1, k, 0)
    return -q.log((1 - inside) * (1 + inside)) / 2


def _ratio_after_clip(q: Quantities) -> Numbers:
    """(1 + c) old − new, (S, A, *batch)."""
    return (1 + _clip(q)) * q.old - q.new


def _kl_after_clip(q: Quantities) -> Numbers:
    """e^{−KL} − √(1 − c²), as KL may be infinite."""
    c = _clip(q)
    return q.exp(-q.max_kl) - q.sqrt((1 - c) * (1 + c))


def _ratio_kl(q: Quantities) -> Numbers:
    return _largest_kl(q, q.max_ratio_deviation) - q.max_kl


def _ratio_kl_square(q: Quantities) -> Numbers:
    return q.max_ratio_deviation**2 / 2 - q.max_kl


def _ratio_tv(q: Quantities) -> Numbers:
    return q.max_ratio_deviation / 2 - q.max_tv


def _ratio_tv_half(q: Quantities) -> Numbers:
    return q.max_ratio_deviation / 4 - q.max_tv


def _within(q: Quantities) -> Truth:
    """k = max |new/old − 1| < 1, (*batch)."""
    return q.max_ratio_deviation < 1


def _forward(q: Quantities) -> Truth:
    """h > 0: a clip of 0 has no maximiser but old."""
    return q.size > 0


_TRULY = "Wang, He and Tan 2019, arXiv:1903.07940 (Truly PPO)"
_MAXIMISER = (
    r"\text{ for } \tilde\pi \in \arg\max \sum_s \rho_\pi \sum_a \min\{\tilde\pi A_\pi, "
    r"\mathrm{clip}(\tilde\pi, (1-c)\pi, (1+c)\pi) A_\pi\}"
)
_RATIO = r",\quad k = \max_{s,a}|\tilde\pi/\pi - 1|"

CLAIMS = (
    Claim(
        "ppo/clip-ratio",
        _ratio_after_clip,
        r"\tilde\pi(a|s) \le (1+c)\pi(a|s)" + _MAXIMISER,
        f"{_TRULY} refutes it; folklore on PPO, arXiv:1707.06347",
        given=_forward,
        expected=False,
        step=ppo_clip,
        provenance="M",
        note="Even of the maximiser that stays nearest to old: what one action loses, another must gain.",
    ),
    Claim(
        "ppo/clip-kl",
        _kl_after_clip,
        r"\max_s D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s) \le -\tfrac12\log(1-c^2)" + _MAXIMISER,
        f"{_TRULY} refutes it; folklore on PPO, arXiv:1707.06347",
        given=_forward,
        expected=False,
        step=ppo_clip,
        provenance="M",
    ),
    Claim(
        "ratio/kl",
        _ratio_kl,
        r"\max_s D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s) \le -\tfrac12\log(1-k^2)" + _RATIO + r" < 1",
        'derived: docs/theory.md, "Ratios near one"',
        given=_within,
        provenance="D",
        note="Attained by (1/2, 1/2) against ((1 − k)/2, (1 + k)/2).",
        proof=Theorem("Ratios near one"),
    ),
    Claim(
        "ratio/kl-square",
        _ratio_kl_square,
        r"\max_s D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s) \le \tfrac12 k^2" + _RATIO + r" < 1",
        "ratio/kl to leading order",
        given=_within,
        expected=False,
        provenance="D",
    ),
    Claim(
        "ratio/tv",
        _ratio_tv,
        r"\max_s \mathrm{TV}(\pi_s,\tilde\pi_s) \le \tfrac12 k" + _RATIO,
        'folklore; derived in docs/theory.md, "Ratios near one"',
        provenance="D",
        proof=Theorem("Ratios near one"),
    ),
    Claim(
        "ratio/tv-half",
        _ratio_tv_half,
        r"\max_s \mathrm{TV}(\pi_s,\tilde\pi_s) \le \tfrac14 k" + _RATIO,
        "ratio/tv with its constant halved",
        expected=False,
        provenance="D",
    ),
)
