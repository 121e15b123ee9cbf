"""Files with one transition a line (.csv)."""

from __future__ import annotations

from pathlib import Path

from trpo_theory import io
from trpo_theory.io.triplets import written_triplets
from trpo_theory.loading.reader import Reader, Source, is_written_out, required
from trpo_theory.model.types import RealLike


class Triplets(Reader):
    """See `trpo_theory.io.read_triplets`."""

    suffixes: tuple[str, ...] = (".csv",)

    def read(self, source: Path, gamma: RealLike | None) -> Source:
        """The MDP of a file, which has no discount of its own."""
        mdp = io.read_triplets(source, required(gamma, str(source)))
        exact = written_triplets(source, mdp.states, mdp.actions) if is_written_out(mdp) else {}
        return Source(mdp, exact=exact)


READER: Reader = Triplets()
