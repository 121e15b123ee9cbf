"""Files of named arrays (.npz, .json), as `trpo_theory.io.write_mdp` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trpo_theory import io
from trpo_theory.io._costs import costs_of
from trpo_theory.io._sparse import SPARSE_KEYS, written_transition
from trpo_theory.loading.reader import Reader, Source, is_written_out
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import RealLike

_NUMBERS = ("reward", "initial", "available")
"""Fields of an MDP that a text has exactly, beside its transition; its discount is another one where the user gives it."""


class Fields(Reader):
    """See `trpo_theory.io.read_mdp`."""

    suffixes: tuple[str, ...] = (".npz", ".json")
    form = "a mapping with transition, reward, gamma, initial"

    def recognises(self, source: object) -> bool:
        """Whether it is a mapping with a transition, such as what `numpy.load` makes of a .npz file."""
        return isinstance(source, Mapping) and any(key in source for key in ("transition", *SPARSE_KEYS))

    def read(self, source: Path | Mapping[str, Any], gamma: RealLike | None) -> Source:
        """The MDP of a file or mapping, with its arrays `old`, `new` and `policy` as policies."""
        fields = dict(source) if isinstance(source, Mapping) else io.read_fields(source)
        policies = {key: fields[key] for key in ("old", "new", "policy") if key in fields}
        mdp = io.mdp_from_fields(fields, gamma, source="the mapping" if isinstance(source, Mapping) else str(source))
        text = not isinstance(source, Mapping) and source.suffix.lower() == ".json"
        return Source(mdp, policies, exact=_exact(fields, mdp, gamma) | policies if text else {})


def _exact(fields: Mapping[str, Any], mdp: FiniteMDP, gamma: RealLike | None) -> dict[str, Any]:
    """What the text of a .json file says exactly of its MDP; of a large sparse one its discount."""
    found = {} if gamma is not None else {"gamma": fields["gamma"]}
    if mdp.is_sparse and not is_written_out(mdp):
        return found
    found |= {name: fields[name] for name in _NUMBERS if fields.get(name) is not None}
    costs = fields.get("costs") if isinstance(fields.get("costs"), list) else costs_of(fields)
    found |= {"costs": costs} if costs else {}
    dense = written_transition(fields, mdp.states, mdp.actions) if mdp.is_sparse else fields["transition"]
    return found | {"transition": dense}


READER: Reader = Fields()
