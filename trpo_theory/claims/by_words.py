"""Claims by what their records say: words of the id, the source, the paper and the statement."""

from __future__ import annotations

from collections.abc import Iterable

from trpo_theory.bounds.record import Claim
from trpo_theory.claims import catalogue, selected
from trpo_theory.claims.papers import paper_of
from trpo_theory.errors import InvalidInput


def found(names: Iterable[str], own: Iterable[Claim] = (), listing: str = "") -> list[Claim]:
    """The claims of some ids and patterns, as `selected`; and for a name that is neither, those that contain its words.

    Case does not matter, and every word of the name must be in the id, the source, the paper or the statement.

    Args:
        names: ids, patterns, and words, such as "pinsker" or "Achiam 2017".
        own: claims of one's own, which are looked up, too.
        listing: how a user sees all ids, for messages.

    Raises:
        InvalidInput: for a name that none of them contains, with near ids.

    >>> [one.id for one in found(["achiam corollary 1"])][:2]
    ['cpo/mean-tv', 'cpo/mean-kl']
    """
    own = list(own)
    chosen: dict[str, Claim] = {}
    for name in names:
        try:
            some = selected([name], own, listing)
        except InvalidInput:
            some = with_words(name, [*catalogue.values(), *own])
            if not some:
                raise
        chosen |= {one.id: one for one in some}
    return list(chosen.values())


def with_words(text: str, among: Iterable[Claim]) -> list[Claim]:
    """Those whose id, source, paper or statement contain every word of a text."""
    words = text.casefold().split()
    return [one for one in among if words and all(word in _said_of(one) for word in words)]


def _said_of(claim: Claim) -> str:
    paper = paper_of(claim)
    parts = [claim.id, claim.source, claim.statement, "" if paper is None else " ".join((paper.name, *paper.marks))]
    return " ".join(parts).casefold()
