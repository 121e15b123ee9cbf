"""`Least`: the least slack of some instances, by itself and over two scales."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Least:
    """The least of each, ∞ where there is none.

    Attributes:
        slack: in the claim's own units; one within rounding of 0 counts as 0.
        ratio: the slack over |η(new) − L|.
        share: the slack as a share of the claim's own terms, where that is known.
    """

    slack: float = np.inf
    ratio: float = np.inf
    share: float = np.inf

    def __and__(self, other: Least) -> Least:
        """Of the instances of both."""
        return Least(min(self.slack, other.slack), min(self.ratio, other.ratio), min(self.share, other.share))
