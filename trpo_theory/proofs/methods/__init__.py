"""The ways to prove a claim, one file each: whatever module of this folder holds a `METHOD` is tried, the fastest first."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from trpo_theory.errors import InvalidInput
from trpo_theory.proofs.method import Method

__all__ = ["METHODS"]


def _of_the_folder() -> Iterator[Method]:
    for found in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{found.name}")
        method = getattr(module, "METHOD", None)
        if method is None and found.name.startswith("_"):
            continue  # a part of another file's method
        if not isinstance(method, Method):
            raise InvalidInput(
                got=f"the module {module.__name__} with METHOD = {method!r}",
                wanted="a `Method` of that name in every module of this folder whose name has no leading underscore",
                fix="define it, or move the module elsewhere",
            )
        yield method


class _WhenUsed(Sequence[Method]):
    """The methods, whose modules are imported when the first is asked for: most claims need none but their theorem."""

    @cached_property
    def _all(self) -> tuple[Method, ...]:
        return tuple(sorted(_of_the_folder(), key=lambda method: (method.seconds, method.name)))

    def __getitem__(self, index: Any) -> Any:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._all)


METHODS: Sequence[Method] = _WhenUsed()
"""In the order in which they are tried."""
