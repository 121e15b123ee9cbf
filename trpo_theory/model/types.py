"""Types of arguments that public functions read: wider than what they work on, which is float64 arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, SupportsFloat, TypeAlias

if TYPE_CHECKING:
    import scipy.sparse as sp  # pyright: ignore[reportMissingTypeStubs] - SciPy has no stubs
    from numpy.typing import ArrayLike

    RealLike: TypeAlias = ArrayLike | SupportsFloat | Sequence[object]
    """A real number or an array of them, nested sequences and `fractions.Fraction` included."""

    SparseMatrix: TypeAlias = sp.sparray | sp.spmatrix
    """Any SciPy sparse matrix."""

    CostsLike: TypeAlias = Mapping[str, RealLike | SparseMatrix]
    """Further rewards by name."""

    PathLike: TypeAlias = str | os.PathLike[str]
    """The path of a file."""
else:
    # At run time the argument checks decide, and refuse with their own message: no check of types shall come before them.
    RealLike = SparseMatrix = CostsLike = PathLike = object
