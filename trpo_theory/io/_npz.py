"""Untrusted .npz and .npy files: sizes are checked before anything is allocated, and nothing is unpickled."""

from __future__ import annotations

import math
import os
import sys
import warnings
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.io._source import MAX_ENTRIES

_MAX_BYTES = 16 * MAX_ENTRIES
"""Of all arrays of a file together: two of the largest, in float64."""


def decode_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name, read-only.

    Raises:
        InvalidInput: if it is damaged, holds pickled objects, or declares arrays larger than the file or than allowed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with zipfile.ZipFile(path) as archive:
                return _arrays(archive, path)
    except InvalidInput:
        raise
    except Exception as error:  # zipfile, zlib, struct, tokenize and NumPy each raise their own errors
        raise _damaged(path, error) from None


def decode_npy(path: Path) -> np.ndarray:
    """The array of an .npy file, read-only."""
    try:
        with warnings.catch_warnings(), open(path, "rb") as stream:
            warnings.simplefilter("ignore")
            return _array(stream, os.fstat(stream.fileno()).st_size, path.stem, path)
    except InvalidInput:
        raise
    except Exception as error:
        raise _damaged(path, error) from None


def encode_npz(stream: IO[bytes], fields: dict[str, np.ndarray]) -> None:
    """Write arrays as a compressed .npz; the same fields give the same bytes."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in fields.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(value), allow_pickle=False)


def _arrays(archive: zipfile.ZipFile, path: Path) -> dict[str, np.ndarray]:
    members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
    if not members or len({info.filename for info in members}) < len(archive.infolist()):
        raise InvalidInput(
            got=f"{path.name}, a zip file with the members {[info.filename for info in archive.infolist()][:9]}",
            wanted="an .npz file: only arrays, each once",
            fix="write it with numpy.savez or trpo_theory.io.write_mdp",
        )
    if sum(info.file_size for info in members) > _MAX_BYTES:
        raise _too_large(path, "the file", f"{sum(info.file_size for info in members):.3g} bytes")
    arrays = {}
    for info in members:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"compression method {info.compress_type}")
        with archive.open(info) as stream:
            name = info.filename.removesuffix(".npy")
            arrays[name] = _array(stream, info.file_size, name, path)
    return arrays


def _array(stream: Any, size: int, name: str, path: Path) -> np.ndarray:
    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(stream)
    if version not in header:
        raise ValueError(f"version {version} of the array format")
    shape, fortran, dtype = header[version](stream)
    if dtype.hasobject:
        raise InvalidInput(
            got=f"pickled Python objects as {name!r} in {path.name}",
            wanted="numbers (or strings, for labels)",
            fix="store plain arrays; numpy pickles ragged lists and None, and a pickle can run any code",
        )
    count = math.prod(shape)
    if count > MAX_ENTRIES:
        raise _too_large(path, repr(name), f"shape {shape}")
    wanted = count * dtype.itemsize
    if min(shape, default=0) < 0 or dtype.itemsize == 0 or dtype.subdtype or size - stream.tell() != wanted:
        raise ValueError(f"the header of {name!r} says {wanted} bytes, the file holds {size - stream.tell()}")
    content = stream.read(wanted)
    if dtype.kind == "U" and (np.frombuffer(content, f"{dtype.byteorder}u4") > sys.maxunicode).any():
        raise ValueError(f"the strings in {name!r} hold no characters")
    array = np.frombuffer(content, np.uint8 if dtype.kind == "b" else dtype, count)
    array = array != 0 if dtype.kind == "b" else array
    return array.reshape(shape, order="F" if fortran else "C")


def _too_large(path: Path, what: str, size: str) -> InvalidInput:
    return InvalidInput(
        got=f"{what} of {path.name} with {size}",
        wanted=f"at most {MAX_ENTRIES:.0e} entries an array and {_MAX_BYTES:.1e} bytes in all",
        fix="store the transition sparse (transition_data, transition_indices, transition_indptr, transition_shape)",
    )


def _other_format(path: Path) -> str | None:
    """What a file with the wrong suffix is, by its first bytes."""
    try:
        with open(path, "rb") as stream:
            start = stream.read(6)
    except OSError:
        return None
    if start == b"\x93NUMPY" and path.suffix.lower() == ".npz":
        return "it is a single .npy array"
    if start[:2] == b"PK" and not zipfile.is_zipfile(path):
        return "it is an .npz file that is cut off"
    return "it is a pickle" if start[:1] == b"\x80" else None


def _damaged(path: Path, error: Exception) -> InvalidInput:
    said = _other_format(path) or " ".join(str(error).split())[:160] or type(error).__name__
    return InvalidInput(
        got=f"{path.name}, which cannot be read as {path.suffix} ({said})",
        wanted=f"a whole {path.suffix} file as NumPy writes it",
        fix="copy or write it again: it is truncated, damaged, or another format under this name",
    )
