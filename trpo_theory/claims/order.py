"""What the surrogate's sign is said to tell of the return's, and how far a step moves the occupancy."""

from __future__ import annotations

from typing import Any

from trpo_theory.claims.record import Claim
from trpo_theory.claims.rules import improvement
from trpo_theory.step.quantities import Quantities


def _upper(q: Quantities) -> Any:
    return -q.surrogate_gap


def _small_step_up(q: Quantities) -> Any:
    return (q.surrogate_gain > 0) & (100 * q.max_tv <= 1)


def _occupancy(q: Quantities) -> Any:
    moved = q.sum_s(q.arithmetic.kl_div(q.occupancy_old, q.occupancy_new))
    return q.gamma / (1 - q.gamma) * q.mean_kl - moved


CLAIMS = (
    Claim(
        "order/upper",
        _upper,
        r"\eta(\tilde\pi) \le L_\pi(\tilde\pi)",
        "a blog",
        expected=False,
        provenance="S",
        note="F1 with the sign of its reward flipped: η(new) − L = +0.4.",
    ),
    Claim(
        "order/surrogate-up",
        improvement,
        r"L_\pi(\tilde\pi) > \eta(\pi) \text{ and } \max_s \mathrm{TV}(\pi_s, \tilde\pi_s) \le 0.01"
        r"\ \Rightarrow\ \eta(\tilde\pi) \ge \eta(\pi)",
        "folklore",
        given=_small_step_up,
        expected=False,
        provenance="D",
    ),
    Claim(
        "chain-rule/occupancy",
        _occupancy,
        r"D_{\mathrm{KL}}(d_\pi \| d_{\tilde\pi}) \le \frac{\gamma}{1-\gamma}\,"
        r"\mathbb{E}_{s\sim d_\pi} D_{\mathrm{KL}}(\pi_s \| \tilde\pi_s)",
        'derived: the chain rule at a geometric time, docs/theory.md, "The chain-rule bound"',
        provenance="D",
    ),
)
