"""Compilation by Numba: IEEE's division by 0, no reassociation of sums; kept on disk until what it was made of changes."""

from __future__ import annotations

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
    decorate: Any = numba.njit(signature, cache=True, error_model="numpy")  # pyright: ignore[reportUnknownMemberType]

    def compiled(function: _Function) -> _Function:
        given, config.CACHE_DIR = config.CACHE_DIR, str(_cache(config.CACHE_DIR))
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
def _cache(given: str) -> Path:
    """Where code is kept, by all that it is made of: Numba itself looks at one file, not at those of what is called there."""
    text = b"".join(path.read_bytes() for folder in _READ for path in sorted(folder.glob("*.py")))
    if given:
        root = Path(given)
    elif os.access(_FOLDER, os.W_OK):
        root = _FOLDER / "__pycache__"
    else:
        root = Path.home() / ".cache" / "trpo_theory"
    return root / hashlib.sha256(text).hexdigest()[:12]
