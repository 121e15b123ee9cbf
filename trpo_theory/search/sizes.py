"""How large the numbers are that a slack is made of, for the noise that rounding may leave in it."""

from __future__ import annotations

from typing import Any

from trpo_theory.search.screened import NOISE
from trpo_theory.step.quantities import Quantities

_SIZE = "_screen_size"
_LEAST_NOISE = 1e-14
"""Of slacks that have nothing to do with rewards, such as those between divergences."""


def size_of(q: Quantities) -> Any:
    """Values, advantages, rewards and noise, times the longest run: found once for all claims of the same quantities."""
    known = vars(q)
    if _SIZE not in known:
        parts = (abs(q.value), q.max_a(abs(q.advantage)), q.max_a(abs(q.reward)), q.max_a(abs(q.noise)))
        known[_SIZE] = (sum(q.max_s(part) for part in parts) + _LEAST_NOISE / NOISE) * q.longest
    return known[_SIZE]
