"""Atomic writes: the whole file appears, or nothing changes."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from trpo_theory.errors import InvalidInput
from trpo_theory.io._source import checked_path, unwritable
from trpo_theory.model.types import PathLike


@contextmanager
def atomic_write(path: PathLike, *, text: bool = False) -> Iterator[IO[Any]]:
    """A stream whose content replaces the file at `path` if the block succeeds, and is discarded if it raises.

    It is written under a temporary name in the same directory, then renamed: a reader sees the old file or the new one.

    Args:
        path: the file; a symbolic link is followed.
        text: a UTF-8 text stream instead of a binary one.

    Yields:
        The open stream.

    Raises:
        InvalidInput: if the directory is missing or cannot be written, or `path` is not a regular file.
    """
    target = _checked_target(path)
    temporary = target.parent / f".{target.name[:100]}.{secrets.token_hex(8)}.tmp"
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o666)
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from None
    kind: dict[str, Any] = {"mode": "w", "encoding": "utf-8", "newline": "\n"} if text else {"mode": "wb"}
    try:
        with open(descriptor, **kind) as stream:
            yield stream
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except OSError as error:
        raise unwritable(path, error) from None
    finally:
        with suppress(OSError):
            os.unlink(temporary)


def _checked_target(path: Any) -> Path:
    try:
        target = Path(os.path.realpath(checked_path(path, (), "the output")))
        parent_exists, exists, regular = target.parent.is_dir(), target.exists(), target.is_file()
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise unwritable(path, error) from None
    if exists and regular and not os.access(target, os.W_OK):
        raise unwritable(path, PermissionError(errno.EACCES, "it is write-protected"))
    if not parent_exists:
        raise InvalidInput(
            got=f"the output path {str(path)!r} in a directory that does not exist",
            wanted="a path in an existing directory",
            fix=f"create {str(target.parent)!r} first",
        )
    if exists and not regular:
        raise InvalidInput(
            got=f"the output path {str(path)!r}, a directory",
            wanted="the path of a file",
            fix="add a file name to it",
        )
    return target
