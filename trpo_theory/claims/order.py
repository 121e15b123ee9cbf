"""What the sign of L − η(old) implies for the return: two claims of folklore, both false."""

from __future__ import annotations

from trpo_theory.bounds.formulas import Numbers, Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.claims.rules import improvement
from trpo_theory.step.quantities import Quantities


def _upper(q: Quantities) -> Numbers:
    return -q.surrogate_gap


def _small_step_up(q: Quantities) -> Truth:
    return (q.surrogate_gain > 0) & (100 * q.max_tv <= 1)


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
)
