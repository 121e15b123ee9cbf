"""`Instrument`: where a search for a counterexample gets its instances from; a file in `instruments/` adds one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from trpo_theory.bounds.record import Claim
from trpo_theory.search.hunt import Hunt


class Instrument(ABC):
    """Where a search for a counterexample gets its instances from.

    An instrument tries instances out with `hunt.try_out`, which counts them and keeps the best, so that no instrument can count
    otherwise than the others; one that improves instances starts from `hunt.best`. What it found is proved by `hunt.prove`.

    Attributes:
        name: as verdicts print it, such as "mutation".
        goes_on: whether a longer search has more for it to do.
        descends: whether it improves instances step by step, which is most of a search's time.
    """

    name: ClassVar[str]
    goes_on: ClassVar[bool] = True
    descends: ClassVar[bool] = False

    def suits(self, claim: Claim) -> bool:
        """Whether it can be used on this claim: here, on any whose new is not to be solved for."""
        return not claim.is_solved

    def use(self, hunt: Hunt, effort: int) -> None:
        """`run`, with the instances counted under this instrument's name."""
        hunt.instrument = self.name
        self.run(hunt, effort)

    @abstractmethod
    def run(self, hunt: Hunt, effort: int) -> None:
        """Search.

        Args:
            hunt: the search that it is a part of.
            effort: how many times as long as `verify` does: 1 for it, more for `falsify`.

        Raises:
            ClaimFailed: if the claim's own code raises an exception.
        """
