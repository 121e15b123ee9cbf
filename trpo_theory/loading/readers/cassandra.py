"""Files in Cassandra's text format (.POMDP, .MDP)."""

from __future__ import annotations

from pathlib import Path

from trpo_theory.io.cassandra import read_written
from trpo_theory.loading.reader import Reader, Source, is_written_out
from trpo_theory.model.types import RealLike


class Cassandra(Reader):
    """See `trpo_theory.io.read_cassandra`."""

    suffixes: tuple[str, ...] = (".POMDP", ".MDP")

    def read(self, source: Path, gamma: RealLike | None) -> Source:
        """The MDP of a file; `gamma` overrides its discount."""
        mdp, written = read_written(source, gamma)
        return Source(mdp, exact=written.fields() if written is not None and is_written_out(mdp) else {})


READER: Reader = Cassandra()
