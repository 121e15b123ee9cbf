"""Compilation by Numba: IEEE's division by 0, no reassociation of sums; kept on disk until what it was made of changes."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])

_FOLDER = Path(__file__).parent
_READ = (_FOLDER, _FOLDER.parent / "rows", _FOLDER.parent / "solvers", _FOLDER.parent, _FOLDER.parents[1] / "numerics")
"""Folders of what is compiled and of the constants that it reads."""


def part(function: _Function) -> _Function:
    """A function for others here to call."""
    decorate: Any = numba.njit(error_model="numpy")  # pyright: ignore[reportUnknownMemberType] - no stubs
    return decorate(function)


def entry(result: str, *arguments: str) -> Callable[[_Function], _Function]:
    """A function for Python to call, compiled at once or read from where it is kept.

    Args:
        result: its type.
        arguments: likewise: "f8", "i8", and "f8[:,:]" and such for arrays in C order, which are only read.
    """
    signature = _type(result, False)(*(_type(one, True) for one in arguments))
    config: Any = numba.config  # pyright: ignore[reportPrivateImportUsage]

    def compiled(function: _Function) -> _Function:
        given, place = config.CACHE_DIR, _cache(config.CACHE_DIR)
        options: Any = {"cache": place is not None, "error_model": "numpy"}
        decorate: Any = numba.njit(signature, **options)  # pyright: ignore[reportUnknownMemberType] - no stubs
        config.CACHE_DIR = given if place is None else str(place)
        try:
            return decorate(function)
        finally:
            config.CACHE_DIR = given

    return compiled


def _type(name: str, readonly: bool) -> Any:
    types: Any = numba.types
    if name.startswith("("):
        return types.Tuple([_type(one.strip(), readonly) for one in name[1:-1].split(";")])
    kind, _, axes = name.partition("[")
    scalar = {"f8": types.float64, "i8": types.int64, "b1": types.boolean}[kind]
    return types.Array(scalar, axes.count(":"), "C", readonly=readonly) if axes else scalar


@functools.cache
def _cache(given: str) -> Path | None:
    """Where code is kept, by all that it is made of: Numba itself looks at one file, not at those of what is called there.

    The first place that can be written to; None for nowhere, and then each process compiles.
    """
    text = b"".join(path.read_bytes() for folder in _READ for path in sorted(folder.glob("*.py")))
    home = os.path.join(os.path.expanduser("~"), ".cache", "trpo_theory")  # relative for a user without a home
    for root in (given, str(_FOLDER / "__pycache__"), home if os.path.isabs(home) else ""):
        if not root:
            continue
        place = Path(root) / hashlib.sha256(text).hexdigest()[:12]
        with contextlib.suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            if os.access(place, os.W_OK):
                return place
    return None
