"""`certificate`: what each bound promises of a step, which promises most, and how the penalties come about over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trpo_theory import bounds
from trpo_theory.bounds.time_resolved import penalty_by_time
from trpo_theory.errors import InvalidInput
from trpo_theory.step.idle import held_still
from trpo_theory.step.quantities import Quantities
from trpo_theory.updates.cv import CVCertificate, cv_certificate
from trpo_theory.updates.promises import Promise, promised

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs] - pandas has no stubs

_MANY_STATES = 200
"""States above which bounds that cost a solve for each state are left out, as by `bounds.check_all`."""


@dataclass(frozen=True, eq=False, repr=False)
class StepCertificate:
    """What the bounds of the catalogue promise of a step: each a lower bound on η(new) − η(old), in discounted reward.

    A step is certified by a bound if its promise is above 0, by more than its rounding; then it raises η.

    Attributes:
        q: the step, with new = old where no action matters, which changes neither η nor L and keeps the maximum of χ² from
            being inflated there.
        promises: by the bound's id, the largest first.
    """

    q: Quantities
    promises: Mapping[str, Promise]

    @property
    def best(self) -> str:
        """The id of the bound that promises most."""
        return next(iter(self.promises))

    @property
    def promise(self) -> float:
        """What it promises: the best lower bound on η(new) − η(old)."""
        return float(self.promises[self.best].value)

    @property
    def certified(self) -> bool:
        """Whether any bound certifies the step."""
        return bool(self.certified_by)

    @property
    def certified_by(self) -> tuple[str, ...]:
        """The ids of the bounds that certify it, the largest promise first."""
        return tuple(id for id, promise in self.promises.items() if promise.certified)

    @property
    def improvement(self) -> float:
        """η(new) − η(old), evaluated: at least every promise."""
        return float(self.q.surrogate_gap + self.q.surrogate_gain)

    @cached_property
    def cv(self) -> CVCertificate:
        """The certificate that reads three numbers: chi2/expected-advantage, free of scale."""
        c = float(np.max(self.q.visited_chi2))
        mean, sd = float(self.q.mean_expected_advantage), float(self.q.expected_advantage_sd)
        return cv_certificate(float(self.q.gamma), c, mean, sd)

    def penalty_by_time(self, id: str) -> np.ndarray:
        """The discounted summands of the penalty of a bound that is resolved in time, (H + 1,): t < H, and what follows as one.

        Raises:
            InvalidInput: for another bound.
        """
        try:
            return np.asarray(penalty_by_time(self.q, id))
        except KeyError:
            raise InvalidInput(
                got=f"the penalty of {id!r} by time",
                wanted="a bound that sums over time, such as chi2/mean-max",
                fix="ask for one of chi2/ or transition/ time-resolved, mean-max, second-order",
            ) from None

    def to_frame(self) -> pd.DataFrame:
        """One row a bound, the largest promise first: bound, gain, penalty, promise, rounding, certified."""
        import pandas as pd  # pyright: ignore[reportMissingTypeStubs] - pandas has no stubs

        rows = [
            {
                "bound": id,
                **{name: float(getattr(promise, name)) for name in ("gain", "penalty")},
                "promise": float(promise.value),
                "rounding": float(promise.rounding),
                "certified": bool(promise.certified),
            }
            for id, promise in self.promises.items()
        ]
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return (
            f"StepCertificate(best={self.best!r}, promise={self.promise:.6g}, improvement={self.improvement:.6g}, "
            f"certified={self.certified}, by={len(self.certified_by)} of {len(self.promises)} bounds)"
        )


def certificate(q: Quantities) -> StepCertificate:
    """What every true bound of the catalogue promises of a step, and the best of them.

    η(new) − η(old) ≥ L − η(old) + shift − penalty, for each bound: the classical ones, and the ladder of chi-square, of policies
    and of transitions. docs/theory.md, "The ladder of certificates".

    Args:
        q: of `compare(mdp, old, new)`, one instance.

    Returns:
        A `StepCertificate`.

    Raises:
        InvalidInput: for a batch.

    >>> import trpo_theory as tt
    >>> ladder = tt.zoo.certificate_ladder(gamma=0.5, x=0.1)
    >>> certificate(tt.compare(ladder.mdp, ladder.old, ladder.new)).best
    'transition/second-order'
    """
    if not isinstance(q, Quantities):  # pyright: ignore[reportUnnecessaryIsInstance] - callers need not be typed
        raise InvalidInput(
            got=f"a {type(q).__name__}", wanted="the quantities of a step", fix="pass compare(mdp, old, new)"
        )
    if q.batch_shape:
        raise InvalidInput(got=f"a batch {q.batch_shape} of steps", wanted="one step", fix="loop over them")
    held = held_still(q)
    small = len(q.old) <= _MANY_STATES
    found = {b.id: promised(b, held) for b in bounds.catalogue.values() if b.reads(q) and (small or not b.small_only)}
    return StepCertificate(held, dict(sorted(found.items(), key=lambda item: -float(item[1].value))))
