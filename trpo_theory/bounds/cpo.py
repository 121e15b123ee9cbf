"""Constrained Policy Optimization: Achiam, Held, Tamar, Abbeel (2017), arXiv:1705.10528.

Its ε is max_s |Ā(s)|, the new policy's expected advantage, and its divergences are means over d_old.
"""

from __future__ import annotations

from typing import Any

from trpo_theory.bounds.bound import Bound
from trpo_theory.quantities import Quantities


def _mean_tv(q: Quantities) -> Any:
    return 2 * q.gamma * q.max_s(abs(q.expected_advantage)) / (1 - q.gamma) ** 2 * q.mean_tv


def _mean_kl(q: Quantities) -> Any:
    return 2 * q.gamma * q.max_s(abs(q.expected_advantage)) / (1 - q.gamma) ** 2 * q.sqrt(q.mean_kl / 2)


BOUNDS = (
    Bound(
        "cpo/mean-tv",
        _mean_tv,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{2\gamma\epsilon^{\tilde\pi}}{(1-\gamma)^2}"
        r"\,\mathbb{E}_{s\sim d^\pi}\,\mathrm{TV}(\pi_s,\tilde\pi_s)",
        "Achiam et al. 2017, arXiv:1705.10528, Corollary 1",
    ),
    Bound(
        "cpo/mean-kl",
        _mean_kl,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{2\gamma\epsilon^{\tilde\pi}}{(1-\gamma)^2}"
        r"\sqrt{\tfrac12\,\mathbb{E}_{s\sim d^\pi} D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s)}",
        "Achiam et al. 2017, arXiv:1705.10528, Corollary 3",
    ),
)
