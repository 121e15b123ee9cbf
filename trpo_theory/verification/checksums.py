"""SHA256SUMS of a run directory: the checksums of the tables and witnesses that are written when a run is done.

Chunks have theirs in their names, and the manifest has its own; `sha256sum -c SHA256SUMS` checks these.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from trpo_theory.io._atomic import atomic_write

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  ([^/\n]+)")


def write_checksums(directory: Path, names: Iterable[str]) -> None:
    """Of the files of these names, in SHA256SUMS.

    Raises:
        InvalidInput: if it cannot be written.
    """
    lines = [f"{hashlib.sha256((directory / name).read_bytes()).hexdigest()}  {name}\n" for name in sorted(names)]
    with atomic_write(directory / SUMS, text=True) as stream:
        stream.write("".join(lines))


def damaged_results(directory: Path) -> list[str]:
    """The names of tables and witnesses that are not as they were written, or of SHA256SUMS; none before a run is done."""
    try:
        lines = (directory / SUMS).read_bytes().decode().split("\n")
    except OSError:
        return [SUMS] if any(directory.glob("verdicts.*")) else []
    except UnicodeDecodeError:
        return [SUMS]
    listed = [_LINE.fullmatch(line) for line in lines[:-1]]
    if lines[-1] or not all(listed):
        return [SUMS]
    return [found[2] for found in listed if found and _sha256(directory / found[2]) != found[1]]


def _sha256(path: Path) -> str:
    """Of a file; of one that is not there or cannot be read, nothing."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
