"""The chain-rule bound: the KL of path laws grows linearly in time, so their TV as its root. THEORY.md, "Constants"."""

from __future__ import annotations

from typing import Any

from trpo_theory.bounds.bound import Bound
from trpo_theory.quantities import Quantities


def _kl(q: Quantities) -> Any:
    return 2 * q.max_abs_advantage * q.polylog(-0.5, q.gamma) * q.max_kl


BOUNDS = (
    Bound(
        "chain-rule/kl",
        _kl,
        r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - 2\epsilon\,\mathrm{Li}_{-1/2}(\gamma)\, D_{\mathrm{KL}}^{\max}(\pi,\tilde\pi)",
        'derived in THEORY.md, "Constants"; the finite-horizon analogue is known',
    ),
)
