"""Files of named arrays (.npz, .json), as `trpo_theory.io.write_mdp` writes them."""

from __future__ import annotations

from pathlib import Path

from trpo_theory import io
from trpo_theory.loading.reader import Reader, Source
from trpo_theory.model.types import RealLike

_NUMBERS = ("transition", "reward", "initial", "available")
"""Fields of an MDP that a text has exactly; its discount is another one where the user gives it."""


class Fields(Reader):
    """See `trpo_theory.io.read_mdp`."""

    suffixes: tuple[str, ...] = (".npz", ".json")

    def read(self, source: Path, gamma: RealLike | None) -> Source:
        """The MDP of a file, with its arrays `old`, `new` and `policy` as policies."""
        fields = io.read_fields(source)
        policies = {key: fields[key] for key in ("old", "new", "policy") if key in fields}
        mdp = io.mdp_from_fields(fields, gamma, source=str(source))
        text = source.suffix.lower() == ".json" and not mdp.is_sparse
        names = [*_NUMBERS, *(["gamma"] if gamma is None else [])]
        exact = {name: fields[name] for name in names if text and fields.get(name) is not None}
        return Source(mdp, policies, exact=exact | (policies if text else {}))


READER: Reader = Fields()
