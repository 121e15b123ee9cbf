"""`Outcome`: the one word for what became of a claim, on an instance or altogether; and how its number is put."""

from __future__ import annotations

import enum


class Outcome(enum.StrEnum):
    """What became of a claim.

    On one instance a claim is proved, refuted, undecided, or vacuous; a search ends in refuted, unrefuted or undecided; for all
    instances of a region a claim is proved, refuted, undecided, or vacuous.
    """

    REFUTED = "refuted"
    """A counterexample is proved."""
    PROVED = "proved"
    """The claim is proved: on the instance, or in the region that stands beside the word."""
    UNREFUTED = "unrefuted"
    """No counterexample was found, which is no proof."""
    UNDECIDED = "undecided"
    """Neither is proved; a note says why."""
    VACUOUS = "vacuous"
    """The hypotheses are proved false on the instance, or in all of the region: the claim says nothing there."""
    ERROR = "error"
    """The claim's own code failed."""

    def __repr__(self) -> str:
        return repr(self.value)


def located(enclosure: str) -> str:
    """An enclosure as the end of a phrase: "= -1/64" of a number, "in [0.1, 0.2]" of an interval."""
    return f"in {enclosure}" if enclosure.startswith("[") else f"= {enclosure}"
