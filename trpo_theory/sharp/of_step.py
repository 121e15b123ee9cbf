"""The sharp constant for one step, in its own setting: how far the return may lie below L, over all such MDPs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.sharp.divergences import DIVERGENCES
from trpo_theory.sharp.gap import SharpGap, sharp_gap
from trpo_theory.solve.criteria import AVERAGE, DISCOUNTED, FINITE_HORIZON
from trpo_theory.step.quantities import Quantities
from trpo_theory.step.regeneration import regenerated


@dataclass(frozen=True, eq=False)
class SharpOfStep:
    """The largest L − η(new) over all MDPs and steps with the γ, the T or the β, the ε and the divergence of one step.

    Attributes:
        gap: of a step's γ and T; for average rewards, of which the worst case is β times the discounted one, at γ = 1 − β
            (docs/theory.md, "The Doeblin reduction").
        size: ε = max|A_old|.
        share: β for average rewards; else 1.
    """

    gap: SharpGap
    size: float
    share: float = 1.0

    @property
    def lower(self) -> float:
        """Some step loses as much; in floats."""
        return self.share * self.size * self.gap.lower

    @property
    def upper(self) -> float:
        """No step loses more; in floats."""
        return self.share * self.size * self.gap.upper

    def to_fields(self) -> dict[str, object]:
        """For JSON."""
        gap = self.gap
        fields = {"divergence": gap.divergence, "radius": gap.radius, "gamma": gap.gamma, "horizon": gap.horizon}
        return {**fields, "minorisation": self.share, "lower": self.lower, "upper": self.upper}


def sharp_of_step(q: Quantities, divergence: str = "max-kl", *, width: float | None = None) -> SharpOfStep | None:
    """The sharp constant for a step, over MDPs of every size.

    Args:
        q: one step, as `compare` makes it: discounted, over a horizon, or with average rewards.
        divergence: of `DIVERGENCES`, a largest one over states that `Quantities` has.
        width: as of `sharp_gap`.

    Returns:
        None where nothing is to be said: no distance or an infinite one, one step, γ = 0, or β = 0 or 1.

    Raises:
        InvalidInput: for an unknown divergence, a batch, or another setting.
    """
    if divergence not in DIVERGENCES or (field := DIVERGENCES[divergence].reduction.field) is None:
        raise InvalidInput(
            got=f"divergence = {divergence!r} of a step",
            wanted="such as max-kl or max-tv",
            fix="see trpo-theory sharp --help",
        )
    if q.batch_shape or q.criterion not in (DISCOUNTED, AVERAGE, FINITE_HORIZON) or q.temperature != 0:
        raise InvalidInput(
            got=(f"a batch {q.batch_shape} of steps" if q.batch_shape else "a step")
            + f" whose criterion is {q.criterion.name}"
            + (f", with temperature {float(q.temperature):g}" if q.temperature else ""),
            wanted="one step with discounted returns, over a horizon, or with average rewards, without a temperature",
            fix="no constant of the divergence alone exists up to an end: give horizon=T (--horizon T)",
        )
    radius, share, steps = float(getattr(q, field)), 1.0, None
    gamma, size = float(q.gamma), float(q.max_abs_advantage)
    if q.criterion is AVERAGE:
        share, gamma = float(q.minorisation), float(regenerated(q).gamma)
    if q.criterion is FINITE_HORIZON:
        steps = int(q.horizon)
    if (
        not (0 < radius < np.inf and size > 0 and gamma > 0 and share > 0)
        or steps == 1
        or (gamma == 1 and steps is None)
    ):
        return None
    options: dict[str, Any] = {} if steps is None else {"horizon": steps}
    return SharpOfStep(sharp_gap(divergence, gamma, radius, width=width, **options), size, share)
