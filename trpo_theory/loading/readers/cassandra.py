"""Files in Cassandra's text format (.POMDP, .MDP)."""

from __future__ import annotations

from pathlib import Path

from trpo_theory import io
from trpo_theory.loading.reader import Reader, Source, decimals
from trpo_theory.model.types import RealLike


class Cassandra(Reader):
    """See `trpo_theory.io.read_cassandra`."""

    suffixes: tuple[str, ...] = (".POMDP", ".MDP")

    def read(self, source: Path, gamma: RealLike | None) -> Source:
        """The MDP of a file; `gamma` overrides its discount."""
        mdp = io.read_cassandra(source, gamma)
        return Source(mdp, exact=decimals(mdp))


READER: Reader = Cassandra()
