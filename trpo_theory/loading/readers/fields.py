"""Files of named arrays (.npz, .json), as `trpo_theory.io.write_mdp` writes them."""

from __future__ import annotations

from pathlib import Path

from trpo_theory import io
from trpo_theory.loading.reader import Reader, Source
from trpo_theory.model.types import RealLike


class Fields(Reader):
    """See `trpo_theory.io.read_mdp`."""

    suffixes: tuple[str, ...] = (".npz", ".json")

    def read(self, source: Path, gamma: RealLike | None) -> Source:
        """The MDP of a file, with its arrays `old`, `new` and `policy` as policies."""
        fields = io.read_fields(source)
        policies = {key: fields[key] for key in ("old", "new", "policy") if key in fields}
        return Source(io.mdp_from_fields(fields, gamma, source=str(source)), policies)


READER: Reader = Fields()
