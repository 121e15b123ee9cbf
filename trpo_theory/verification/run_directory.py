"""`RunDirectory`: manifest.json, and one Parquet file a task, each all there or not at all."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trpo_theory.errors import InvalidInput
from trpo_theory.io._atomic import atomic_write
from trpo_theory.verification.table import from_bytes, to_bytes
from trpo_theory.verification.tally import Tally, merged

MANIFEST, CHUNKS = "manifest.json", "chunks"
_DECIDES = ("trpo-theory", "numpy")
"""Whose versions a run must go on with: streams of random numbers and last digits are theirs."""


class RunDirectory:
    """The directory of a run's results.

    Args:
        path: the directory; made if it is missing.
        settings: what the results depend on.
        resume: whether to go on with what is there.

    Raises:
        InvalidInput: if it cannot be written; if it has the results of a run and resume is false; if they are of other
            settings or versions.
    """

    path: Path
    damaged: list[str]

    def __init__(self, path: Any, settings: dict[str, Any], *, resume: bool = False) -> None:
        self.path = Path(path)
        self.damaged = []
        manifest = {"settings": _as_json(settings), "versions": _versions()}
        known = _manifest(self.path)
        if known is not None and not resume and any(self._files()):
            raise InvalidInput(
                got=f"the directory {str(path)!r}, which has the results of a run",
                wanted="a new one, or --resume",
                fix="add --resume to go on with that run, or name another directory",
            )
        if known is not None and any(self._files()):
            _expect_same(self.path, known, manifest)
        try:
            (self.path / CHUNKS).mkdir(parents=True, exist_ok=True)
            for left in (self.path / CHUNKS).glob(".*.tmp"):  # of a run that was killed
                left.unlink()
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from None
        if known != manifest:
            with self._writing(MANIFEST) as stream:
                stream.write(json.dumps(manifest, indent=2).encode() + b"\n")

    def _files(self) -> Iterator[Path]:
        return (self.path / CHUNKS).glob("*.parquet")

    def load(self, name: str) -> list[Tally] | None:
        """The tallies of the task of that name; None if it must be run, since its file is missing or damaged."""
        file = self.path / CHUNKS / f"{name}.parquet"
        try:
            return from_bytes(file.read_bytes())
        except FileNotFoundError:
            return None
        except (ValueError, OSError):
            self.damaged.append(file.name)
            return None

    def save(self, name: str, tallies: list[Tally]) -> None:
        """Write a task's file.

        Raises:
            InvalidInput: if it cannot be written; what is there stays.
        """
        content = to_bytes(tallies)
        with self._writing(f"{CHUNKS}/{name}.parquet") as stream:
            stream.write(content)

    @contextlib.contextmanager
    def _writing(self, name: str) -> Iterator[Any]:
        try:
            with atomic_write(self.path / name) as stream:
                yield stream
        except InvalidInput as error:
            raise self._failed(error.got) from None

    def _failed(self, what: str) -> InvalidInput:
        return InvalidInput(
            got=f"the run directory {str(self.path)!r} that cannot be written: {what}",
            wanted="a directory with write permission and space",
            fix="make room there and add --resume, which goes on with what is complete, or name another directory",
        )


def read_run(path: Any) -> dict[str, Tally]:
    """What the complete tasks of a run directory found out, by claim, with the worst instances.

    Raises:
        InvalidInput: if there is no run, or a file of it is damaged.

    >>> read_run("missing")
    Traceback (most recent call last):
    ...
    trpo_theory.errors.InvalidInput: got 'missing', where there is no manifest.json; wanted a directory that verify wrote \
with out=...; fix: check the name
    """
    if _manifest(Path(path)) is None:
        raise InvalidInput(
            got=f"{str(path)!r}, where there is no {MANIFEST}",
            wanted="a directory that verify wrote with out=...",
            fix="check the name",
        )
    tallies = []
    for file in sorted((Path(path) / CHUNKS).glob("*.parquet")):
        try:
            tallies += from_bytes(file.read_bytes())
        except (ValueError, OSError):
            raise InvalidInput(
                got=f"the damaged file {str(file)!r}",
                wanted="a file as it was written",
                fix="run the same command with --resume: it is computed again",
            ) from None
    return merged(tallies)


def _manifest(path: Path) -> Any:
    """What the manifest says; None where there is none."""
    file = path / MANIFEST
    if not os.path.lexists(file):
        return None
    try:
        return json.loads(file.read_bytes())
    except (ValueError, OSError) as error:
        raise InvalidInput(
            got=f"{str(file)!r}, which cannot be read ({error})",
            wanted="the manifest of a run",
            fix="name another directory",
        ) from None


def _expect_same(path: Path, known: Any, manifest: dict[str, Any]) -> None:
    """One message that names what differs."""
    parts = {
        **{name: ("settings", name) for name in manifest["settings"]},
        **{f"version of {name}": ("versions", name) for name in _DECIDES},
    }
    for what, (part, name) in parts.items():
        try:
            there = known[part][name]
        except (KeyError, TypeError):
            there = None
        here = manifest[part][name]
        if there != here:
            raise InvalidInput(
                got=f"the run directory {str(path)!r} of another {what}: {_short(there)}, not {_short(here)}",
                wanted="the settings and versions that the run began with",
                fix="repeat them, or name another directory",
            )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _versions() -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in (*_DECIDES, "scipy", "python-flint", "pyarrow")}
    return versions | {"python": platform.python_version()}


def _as_json(settings: dict[str, Any]) -> Any:
    return json.loads(json.dumps(settings))
