"""The divergences of the sharp gap, one file each: whatever module of this folder holds a `DIVERGENCE` is in the tables here."""

from __future__ import annotations

import importlib
import pkgutil
import types
from collections.abc import Iterator, Mapping

from trpo_theory.errors import InvalidInput
from trpo_theory.sharp.divergence import Divergence, Reduced

__all__ = ["BY_NAME", "DIVERGENCES"]


def _of_the_folder() -> Iterator[Divergence]:
    for found in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{found.name}")
        divergence = getattr(module, "DIVERGENCE", None)
        if not isinstance(divergence, Divergence):
            raise InvalidInput(
                got=f"the module {module.__name__} with DIVERGENCE = {divergence!r}",
                wanted="a `Divergence` of that name in every module of this folder",
                fix="define it, or move the module elsewhere",
            )
        yield divergence


def _tables() -> tuple[Mapping[str, Divergence], Mapping[str, Reduced]]:
    by_name: dict[str, Divergence] = {}
    reduced: dict[str, Reduced] = {}
    for divergence in _of_the_folder():
        for name in (divergence.name, *(reduction.name for reduction in divergence.reductions)):
            if name in by_name or name in reduced:
                raise InvalidInput(
                    got=f"two divergences named {name!r}", wanted="names that differ", fix=f"rename {divergence.name}"
                )
        by_name[divergence.name] = divergence
        reduced |= {one.name: Reduced(divergence, one) for one in divergence.reductions}
    return types.MappingProxyType(by_name), types.MappingProxyType(reduced)


BY_NAME, DIVERGENCES = _tables()
"""By the name in proof files ("kl"), and by the name on the command line ("max-kl")."""
