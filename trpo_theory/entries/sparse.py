"""SciPy's sparse matrices, imported where there is one: importing SciPy takes longer than a small MDP is worked on."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import scipy.sparse as sp  # pyright: ignore[reportMissingTypeStubs] - SciPy has no stubs
else:

    class _WhenUsed:
        """`scipy.sparse`, whose names are looked up when they are used."""

        def __getattr__(self, name: str) -> Any:
            return getattr(importlib.import_module("scipy.sparse"), name)

    sp = _WhenUsed()

__all__ = ["is_sparse", "sp"]


def is_sparse(value: object) -> bool:
    """Whether it is a SciPy sparse array or matrix, which nothing is as long as `scipy.sparse` has not been imported."""
    imported: Any = sys.modules.get("scipy.sparse")
    return imported is not None and isinstance(value, (imported.sparray, imported.spmatrix))
