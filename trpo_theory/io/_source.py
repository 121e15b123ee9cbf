"""Checks of a file to be read: its path and size; and its name in every message about its content."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.reading import reading
from trpo_theory.errors import InvalidInput
from trpo_theory.io._conversions import conversion
from trpo_theory.model.types import PathLike

MAX_ENTRIES = 2 * 10**8
"""The most entries of one array of a file; chosen: 1.6 GB of float64."""

MAX_TEXT_BYTES = 2 * 10**8
"""The most bytes of a text file; chosen: as JSON lists, some 2 GB of Python objects."""


def checked_path(path: PathLike, suffixes: tuple[str, ...], what: str, *, to_read: bool = False) -> Path:
    """`path` as a Path with one of the suffixes (any, if there are none); of a file to be read or written.

    Raises:
        InvalidInput: for something that is not a path, or of another suffix.
    """
    try:
        checked = Path(os.fsdecode(os.fspath(path)))
    except TypeError:
        raise InvalidInput(
            got=f"{type(path).__name__} {path!r} as the path of {what}", wanted="a path", fix="pass a string or a Path"
        ) from None
    if not to_read:
        expect_no_device(checked, suffixes)
    if suffixes and checked.suffix.lower() not in suffixes:
        raise InvalidInput(
            got=f"the file name {str(checked)!r} for {what}",
            wanted="a name that ends in " + " or ".join(suffixes),
            fix=_other_suffix(checked, suffixes, what)
            if to_read
            else f"write {str(checked.with_suffix(suffixes[0]))!r}",
        )
    return checked


def expect_no_device(path: Path, suffixes: tuple[str, ...] = ()) -> None:
    """Refuse to write to a device or a pipe, which no file can take the place of, with what it says itself: /dev/full is full."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return
    error: OSError | None = None
    if stat.S_ISCHR(mode):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
            try:
                os.write(descriptor, b"")
            finally:
                os.close(descriptor)
        except OSError as found:
            error = found
    name = f"{path.stem or 'out'}{suffixes[0] if suffixes else path.suffix}"
    raise unwritable(path, error or OSError("it is a device, not a file"), f"name a file, such as {name!r}")


def unwritable(path: object, error: Exception, fix: str = "") -> InvalidInput:
    """The error for a place that cannot be written, with the system's reason; by default the fix is the reason's."""
    if not fix:
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        fix = "make room there, or choose a directory on another disk" if full else "choose another directory"
    return InvalidInput(
        got=f"the output path {str(path)!r} that cannot be written ({getattr(error, 'strerror', None) or error})",
        wanted="a path in a directory with write permission and space",
        fix=fix,
    )


def _other_suffix(path: Path, suffixes: tuple[str, ...], what: str) -> str:
    """How to read a file whose suffix is none of these."""
    renamed = f"convert it to {' or '.join(suffixes)}: the suffix decides how a file is read"
    return conversion(path, what) or f"{renamed}; if it is one, and only its name is another, rename it"


def existing_file(path: PathLike, suffixes: tuple[str, ...], what: str) -> Path:
    """As `checked_path`, for an existing, regular file that is not empty."""
    checked = checked_path(path, suffixes, what, to_read=True)
    try:
        status = checked.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(checked, what, error) from None
    if not stat.S_ISREG(status.st_mode):
        kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise InvalidInput(
            got=f"{str(checked)!r}, which is {kind}", wanted=f"the file of {what}", fix="name the file in it"
        )
    if status.st_size == 0:
        raise InvalidInput(
            got=f"the empty file {str(checked)!r}",
            wanted=f"the file of {what}",
            fix="write it again; its writer stopped before it wrote anything",
        )
    return checked


def _unreadable(path: Path, what: str, error: Exception) -> InvalidInput:
    reason = getattr(error, "strerror", None) or str(error)
    fix = "check the path and its permissions"
    if isinstance(error, FileNotFoundError):
        try:
            names = sorted(os.listdir(path.parent))
        except OSError:
            fix = f"check the directory {str(path.parent)!r}, which cannot be listed"
        else:
            fix = _instead(path, [name for name in names if name != path.name and Path(name).suffix == path.suffix])
    return InvalidInput(
        got=f"the path {str(path)!r} that cannot be read ({reason})", wanted=f"the file of {what}", fix=fix
    )


def _instead(path: Path, siblings: list[str]) -> str:
    """What to do about a path to nothing: of a link, to repair it; else a file beside it that is there."""
    if path.is_symlink():
        return (
            f"it is a link to {os.readlink(path)!r}, which is not there: restore that file, or link to where it is now"
        )
    there = [name for name in siblings[:1000] if (path.parent / name).is_file()]
    return _checks.near_matches(path.name, there) if there else "check the spelling and the directory"


def read_text(path: Path, what: str) -> str:
    """The text of a UTF-8 file of at most `MAX_TEXT_BYTES`."""
    try:
        with open(path, "rb") as stream:
            content = stream.read(MAX_TEXT_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, what, error) from None
    if len(content) > MAX_TEXT_BYTES:
        raise InvalidInput(
            got=f"the text file {str(path)!r} of more than {MAX_TEXT_BYTES:.0e} bytes",
            wanted="a smaller one",
            fix="store the MDP as .npz, with a sparse transition if it is large",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            got=f"byte 0x{content[error.start]:02x} at offset {error.start} of {str(path)!r}",
            wanted="text in UTF-8",
            fix="save the file as UTF-8, or check that it is the file meant",
        ) from None


@contextmanager
def in_file(source: object) -> Iterator[None]:
    """Adds the name of the file to every `InvalidInput` raised inside; NumPy's overflow warnings are off (checks follow).

    Rows of probabilities that were rounded to few digits are divided by their sums, with a note: see `entries.reading`.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"), reading(source):
            yield
    except InvalidInput as error:
        if str(source) in error.got:
            raise
        raise InvalidInput(got=f"{error.got}, in {source}", wanted=error.wanted, fix=error.fix) from None
    except MemoryError:
        raise InvalidInput(
            got=f"an MDP that does not fit into memory, in {source}",
            wanted="a smaller one",
            fix="store the transition sparse, or use a larger machine",
        ) from None
