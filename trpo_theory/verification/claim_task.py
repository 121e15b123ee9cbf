"""`ClaimTask`: what tasks on one claim have in common."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Self

from trpo_theory.verification.portable import Portable, is_of_file, portable, restored


@dataclass(frozen=True)
class ClaimTask:
    """A task on one claim.

    Attributes:
        claim: the claim, or what another process finds it by.
    """

    claim: Portable

    @property
    def ids(self) -> tuple[str, ...]:
        """Of its one claim."""
        return (restored(self.claim).id,)

    @property
    def runs_files(self) -> bool:
        """Whether the claim's code is in a file of the user's."""
        return is_of_file(self.claim)

    def only(self, ids: Collection[str]) -> Self:
        """Itself: it has one claim."""
        del ids
        return self

    def shipped(self) -> Self:
        """A copy that can be pickled."""
        return replace(self, claim=portable(self.claim))
