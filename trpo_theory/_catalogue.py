"""`Catalogue`: records by id; and `read_as_mapping`, by which a package is one."""

from __future__ import annotations

import fnmatch
import importlib
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from trpo_theory._checks import known_name, near_matches
from trpo_theory.entries.kinds import FUNCTION, TEXT, each_of, expect
from trpo_theory.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

R = TypeVar("R")


@runtime_checkable
class Identified(Protocol):
    """A record that knows its own id."""

    @property
    def id(self) -> str:
        """Its id, such as "trpo/kl"."""
        ...


I = TypeVar("I", bound=Identified)  # noqa: E741


class Catalogue(Mapping[str, R]):
    """Records by id, in their order; it cannot be changed.

    Args:
        kind: what a record is, for messages: "bound", "claim", "zoo MDP".
        records: pairs (id, record).
        listing: how a user sees all ids, for messages.

    Raises:
        InvalidInput: for one id twice; and by `catalogue[id]` for an unknown id, with its near matches.

    >>> solvers = Catalogue("solver", [("dual", 1), ("clarabel", 2), ("scs", 3)])
    >>> solvers["dual"], "simplex" in solvers, solvers.get("simplex"), list(solvers.matching("*s"))
    (1, False, None, ['scs'])
    >>> solvers["claribel"]
    Traceback (most recent call last):
    ...
    trpo_theory.errors.InvalidInput: got the solver 'claribel'; wanted the name of a known solver; fix: did you mean 'clarabel'?
    """

    def __init__(self, kind: str, records: Iterable[tuple[str, R]], listing: str = "") -> None:
        self.kind: str = kind
        self.listing: str = listing
        self._records: dict[str, R] = {}
        for id, record in records:
            if id in self._records:
                raise InvalidInput(got=f"two records of the id {id!r}", wanted=f"one {kind} an id", fix="rename one")
            self._records[id] = record

    @staticmethod
    def of(kind: str, records: Iterable[I], listing: str = "") -> Catalogue[I]:
        """The catalogue of records that know their ids."""
        return Catalogue(kind, ((record.id, record) for record in records), listing)

    def __getitem__(self, id: str) -> R:
        return self._records[known_name(self.kind, id, self._records, self.listing)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and id in self._records

    def get(self, id: str, default: R | None = None) -> R | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The record of that id, or the default, as of a dict."""
        return self._records[id] if id in self else default

    def where(self, condition: Callable[[R], bool]) -> Catalogue[R]:
        """Those records of which the condition is true."""
        expect(FUNCTION, condition=condition)
        kept = ((id, record) for id, record in self.items() if condition(record))
        return Catalogue(self.kind, kept, self.listing)

    def matching(self, pattern: str) -> Catalogue[R]:
        """Those whose id matches a shell pattern, such as "trpo/*"; none may."""
        expect(TEXT, pattern=pattern)
        kept = ((id, one) for id, one in self.items() if fnmatch.fnmatchcase(id, pattern))
        return Catalogue(self.kind, kept, self.listing)

    def selected(self, names: Iterable[str]) -> list[R]:
        """The records of some ids and patterns of ids, each once.

        Raises:
            InvalidInput: for an unknown id, with its near matches; for a pattern that matches none.
        """
        found: dict[str, R] = {}
        for name in each_of(str, names, "names", "write a list of ids"):
            if name in self or not any(mark in name for mark in "*?["):
                found[name] = self[name]
                continue
            matching = self.matching(name)
            if not matching:
                raise InvalidInput(
                    got=f"the pattern {name!r}, which no {self.kind} matches",
                    wanted="an id, or a pattern of ids",
                    fix=near_matches(name, sorted({id.partition("/")[0] + "/*" for id in self}), self.listing),
                )
            found |= dict(matching.items())
        return list(found.values())

    def to_frame(self, columns: Iterable[str] = ()) -> pd.DataFrame:
        """One row a record: its id and the attributes of these names."""
        import pandas as pd

        names = each_of(str, columns, "columns", "name attributes of the records")
        for name in names:
            for record in self.values():
                known_name("attribute", name, [one for one in dir(record) if not one.startswith("_")])
        rows = [{"id": id, **{name: getattr(record, name) for name in names}} for id, record in self.items()]
        return pd.DataFrame(rows, columns=["id", *names])

    def __repr__(self) -> str:
        return f"<{len(self)} records, each a {self.kind}: {', '.join(self)}>"


class _CatalogueModule(types.ModuleType):
    """The class of a package that is read as a mapping: see `read_as_mapping`."""

    _listed: Catalogue[object]
    _known: Catalogue[object]

    def __getitem__(self, id: str) -> object:
        return self._known[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)

    def __contains__(self, id: object) -> bool:
        return id in self._known

    def __reduce__(self) -> tuple[Callable[[str], types.ModuleType], tuple[str]]:
        return importlib.import_module, (self.__name__,)


def read_as_mapping(module: str, listed: Catalogue[R], known: Catalogue[R] | None = None) -> None:
    """Let a module be read as a catalogue, so that `tt.bounds["trpo/kl"]` is what one would guess.

    `tt.bounds` is a package, since it holds the files of the bounds, and a mapping, since those are what one asks it for.
    Python finds `__getitem__` on the class of an object only, and a module's `__class__` may be set to a subclass of
    `ModuleType` (Python's data model, "Customizing module attribute access"). This is the one place that does so.

    A module of such a class must be pickled by name: pickle refuses modules, and cloudpickle (joblib, Dask) makes an
    exception for the plain class only, so that functions that refer to `tt.bounds` could not be sent to workers.

    Args:
        module: its name, `__name__`.
        listed: what iteration and `len` run over.
        known: what `[id]` and `in` look up; `listed` if not given.
    """
    here = sys.modules[module]
    here.__class__ = _CatalogueModule
    vars(here).update(_listed=listed, _known=listed if known is None else known)
