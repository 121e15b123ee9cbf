"""By what the gap L − η(new) is divided: `Normaliser`."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trpo_theory.step.quantities import Quantities

COPIES = 1e5
"""M of docs/theory.md, "Normalised by the expected advantage": two copies of an action with A = ±M make |Ā| = 1 at a divergence
of O(1/M²), or 1/(2M) for TV. Chosen: 5e-6 of TV is small beside the usual radii, and Ā keeps eleven of its sixteen digits."""


class Normaliser(enum.Enum):
    """What is written ε below the gap; the value is its name on the command line and in files.

    MAX: max_{s,a} |A_old(s,a)|, as in TRPO's bounds.
    EXPECTED: max_s |Ā(s)|, as in CPO's.
    """

    MAX = "max"
    EXPECTED = "expected"

    @property
    def field(self) -> str:
        """The field of `Quantities`."""
        return _FIELDS[self]

    def of(self, q: Quantities) -> float:
        """ε of one step."""
        return float(getattr(q, self.field))


_FIELDS = {Normaliser.MAX: "max_abs_advantage", Normaliser.EXPECTED: "max_abs_expected_advantage"}
