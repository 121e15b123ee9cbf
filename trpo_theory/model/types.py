"""Types of arguments that public functions read: wider than what they work on, which is float64 arrays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import SupportsFloat, TypeAlias

import scipy.sparse as sp
from numpy.typing import ArrayLike

RealLike: TypeAlias = ArrayLike | SupportsFloat | Sequence[object]
"""A real number or an array of them, nested sequences and `fractions.Fraction` included; entries are checked when read."""

SparseMatrix: TypeAlias = sp.sparray | sp.spmatrix
"""Any SciPy sparse matrix."""

PathLike: TypeAlias = str | os.PathLike[str]
"""The path of a file."""
