"""Arrays of other libraries as NumPy arrays: tensors of PyTorch and JAX, DLPack, sparse matrices, cells of matrices."""

from __future__ import annotations

import math
import numbers
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.entries.sparse import is_sparse
from trpo_theory.errors import InvalidInput

_PLAIN = frozenset(
    {float, int, bool, str, bytes, Fraction, Decimal, type(None), np.float64, np.float32, np.int64, np.bool_, np.str_}
)
"""Types of entries that NumPy takes as they are, looked up first because lists of numbers are long."""

_MAX_ENTRIES = 2 * 10**8
"""Of a sparse matrix that is written out; chosen: 1.6 GB of float64, as for arrays in files."""


def is_plain(value: Any) -> bool:
    """Whether it is an array of float64 of NumPy's own class, in which nothing may be misread: most are, and are small."""
    return type(value) is np.ndarray and value.dtype == np.float64


def native(value: Any, name: str) -> Any:
    """The value with every array of another library as a NumPy array; numbers, pandas tables and NumPy arrays as they are.

    Nested lists are looked through; an array of objects that holds arrays, as a MATLAB cell does, becomes the list of them.

    Args:
        value: what was passed as an array.
        name: what it is, for the message.

    Raises:
        InvalidInput: for an array that gives no numbers: one on a device, inside a traced function, or without data.
    """
    if type(value) in _PLAIN or isinstance(value, (numbers.Number, Decimal, np.generic)):
        return value
    if isinstance(value, (list, tuple)):
        if set(map(type, value)) <= _PLAIN:
            return value
        return [_entry(entry, name) for entry in value]
    if isinstance(value, np.ndarray):
        return _native_numpy(value, name)
    if _is_of("pandas", value) or isinstance(value, (memoryview, bytes, bytearray)):
        return value
    if hasattr(value, "__array__") or hasattr(value, "__dlpack__"):
        return _native_numpy(_read(value, name), name)
    return value


def cells(value: Any) -> list[Any] | None:
    """The entries of a list, of a dict by number, or of an array of objects; None for anything else.

    A MATLAB cell comes from `scipy.io.loadmat` as an array of objects of shape (1, A) or (A, 1), whose entries these are.
    """
    if isinstance(value, np.ndarray) and value.dtype == object:
        return list(value.ravel() if value.size == max(value.shape, default=1) else value)
    if isinstance(value, dict):
        return [value[key] for key in range(len(value))] if value.keys() == set(range(len(value))) else None
    return list(value) if isinstance(value, (list, tuple)) else None


def dtype_name(value: Any) -> str:
    """The name of the value's number format, such as "float32": NumPy's, or that of a tensor without "torch."."""
    dtype = getattr(value, "dtype", None)
    return str(getattr(dtype, "name", None) or dtype or "").rpartition(".")[2]


def _native_numpy(array: np.ndarray, name: str) -> Any:
    if array.dtype == object and any(_has_entries(entry) for entry in array.flat if type(entry) not in _PLAIN):
        entries = cells(array)
        return [_entry(entry, name) for entry in entries or ()]
    if array.dtype.kind == "V" and array.dtype.names is None and "float" in array.dtype.name:
        return array.astype(np.float32)  # the 16 and 8 bit formats of ml_dtypes, which JAX uses
    return array


def _entry(entry: Any, name: str) -> Any:
    """One entry of a sequence, of which a sparse matrix is written out: a sparse one by itself has a meaning of its own."""
    return _written_out(entry, name) if is_sparse(entry) else native(entry, name)


def _has_entries(entry: Any) -> bool:
    return isinstance(entry, (list, tuple)) or is_sparse(entry) or len(getattr(entry, "shape", ())) > 0


def _read(value: Any, name: str) -> np.ndarray:
    """The numbers of an array of another library, on the CPU and without gradient."""
    try:
        if hasattr(value, "detach") and hasattr(value, "cpu"):
            return _of_torch(value)
        if hasattr(value, "__array__"):
            try:
                return np.asarray(value)
            except Exception:
                if not hasattr(value, "__dlpack__"):
                    raise
        return np.from_dlpack(value)
    except Exception as error:  # of another library: devices, traces, deleted buffers
        said = " ".join(str(error).split())[:160] or type(error).__name__
        raise InvalidInput(
            got=f"{name}, a {_class_of(value)} whose numbers cannot be read ({said})",
            wanted="an array whose numbers are there, in the memory of the CPU",
            fix=f"pass a NumPy array of them: {_copied(value, name)}",
        ) from None


def _copied(value: Any, name: str) -> str:
    """How the value's library copies an array to NumPy."""
    if _is_of("jax", value) or _is_of("jaxlib", value):
        return f"np.asarray(jax.device_get({name})), outside of jit, grad and vmap"
    if hasattr(value, "detach"):
        return f"{name}.detach().cpu().numpy(), of a tensor that has data"
    return f"{name}.get()" if hasattr(value, "get") else f"np.asarray of a copy of {name} on the CPU"


def _of_torch(tensor: Any) -> np.ndarray:
    tensor = tensor.detach()
    if not str(getattr(tensor, "layout", "strided")).endswith("strided"):
        tensor = tensor.to_dense()
    tensor = tensor.cpu()
    for resolved in ("resolve_conj", "resolve_neg"):
        tensor = getattr(tensor, resolved, lambda tensor=tensor: tensor)()
    if dtype_name(tensor).startswith(("bfloat", "float8")):
        tensor = tensor.float()
    return tensor.numpy()


def _written_out(matrix: Any, name: str) -> np.ndarray:
    if math.prod(matrix.shape) > _MAX_ENTRIES:
        raise InvalidInput(
            got=f"{name}, a sparse matrix of shape {matrix.shape}, which is too large to be written out",
            wanted=f"at most {_MAX_ENTRIES:.0e} entries",
            fix="aggregate states, or use fewer",
        )
    return matrix.toarray()


def _class_of(value: Any) -> str:
    return f"{type(value).__module__.partition('.')[0]} {type(value).__name__}"


def _is_of(package: str, value: Any) -> bool:
    """Whether its class is the package's, which then is imported."""
    return package in sys.modules and type(value).__module__.partition(".")[0] == package
