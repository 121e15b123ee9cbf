"""`Lock`: one process at a time in a run directory; the lock of a process that died is none."""

from __future__ import annotations

import os
from pathlib import Path

from trpo_theory.errors import InvalidInput

NAME = ".lock"


class Lock:
    """A lock on a file that the operating system gives up when its process ends, however that ends.

    Args:
        directory: where the file is; it is there only while the lock is held, or after a process was killed.

    Raises:
        InvalidInput: if another process holds it.
        OSError: if the file cannot be made.
    """

    def __init__(self, directory: Path) -> None:
        self.path: Path = directory / NAME
        while True:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            if not _locked(self._file):
                holder = os.read(self._file, 64).decode("ascii", "replace").strip()
                os.close(self._file)
                raise InvalidInput(
                    got=f"the run directory {str(directory)!r}, in which another process is at work"
                    + (f" ({holder})" if holder else ""),
                    wanted="one process a directory",
                    fix="wait until it ends, or name another directory",
                )
            if self._is_there():
                break
            os.close(self._file)  # its holder has taken the file away between the two calls
        os.ftruncate(self._file, 0)
        os.write(self._file, f"process {os.getpid()}\n".encode())

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Give it up."""
        if os.name == "posix":
            self.path.unlink(missing_ok=True)
        os.close(self._file)


def _locked(file: int) -> bool:
    """Whether the file is now locked by this process."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
