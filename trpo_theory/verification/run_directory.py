"""`RunDirectory`: manifest.json, and one Parquet file a task, each all there or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from trpo_theory.entries.kinds import MAPPING, PATH, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.io._atomic import atomic_write
from trpo_theory.verification.lock import Lock
from trpo_theory.verification.table import read_bytes, to_bytes
from trpo_theory.verification.tally import Tally, merged

MANIFEST, CHUNKS = "manifest.json", "chunks"
FORMAT = 3
"""Of run directories; raised when they change. The first had neither this number nor a checksum of the manifest; the second did
not say what was searched."""
_DECIDES = ("trpo-theory", "numpy")
"""Whose versions a run must go on with: streams of random numbers and last digits are theirs."""


class RunDirectory:
    """The directory of a run's results; a context, at whose end the directory is free for another process.

    A chunk's file is named by its task and by the SHA-256 of its content, and says which run and which claims' code made it:
    one that is not as it was written, or that is another's, is computed again.

    Args:
        path: the directory; made if it is missing.
        settings: what the results depend on.
        codes: the fingerprint of each claim: of those that were edited since, nothing is taken from the directory.
        resume: whether to go on with what is there.

    Raises:
        InvalidInput: if it cannot be written, or another process is at work in it; if it has the results of a run and resume
            is false; if they are of other settings or versions, or of a run that is not known.
    """

    def __init__(
        self, path: Any, settings: dict[str, Any], codes: Mapping[str, str] | None = None, *, resume: bool = False
    ) -> None:
        expect(PATH, out=path)
        expect(MAPPING, settings=settings, codes={} if codes is None else codes)
        self.path: Path = Path(path)
        self.codes: dict[str, str] = dict(codes or {})
        self.damaged: list[str] = []
        manifest = {"format": FORMAT, "settings": _as_json(settings), "versions": _versions()}
        self.run: str = _sha256(
            json.dumps([manifest["settings"], [manifest["versions"][name] for name in _DECIDES]]).encode()
        )
        try:
            (self.path / CHUNKS).mkdir(parents=True, exist_ok=True)
            self._lock = Lock(self.path)
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from None
        try:
            self._begin(manifest, resume)
        except BaseException:
            self.close()
            raise
        self._known = self._listed()

    def _begin(self, manifest: dict[str, Any], resume: bool) -> None:
        known, begun = _manifest(self.path), any(self._files())
        if begun and known is not None and not resume:
            raise InvalidInput(
                got=f"the directory {str(self.path)!r}, which has the results of a run",
                wanted="a new one, or to go on with that run",
                fix="add --resume (resume=True) to go on with that run, or name another directory",
            )
        if begun and known is None:
            raise InvalidInput(
                got=f"the directory {str(self.path)!r} with results of a run that is not known: it has no {MANIFEST}",
                wanted="the results of a run with its manifest",
                fix="put the manifest back, or name another directory",
            )
        if begun:
            _expect_same(self.path, known, manifest)
        try:
            for left in (self.path / CHUNKS).glob(".*.tmp"):  # of a run that was killed
                left.unlink()
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from None
        manifest = {**manifest, "codes": self.codes}
        if known != manifest:
            with self._writing(MANIFEST) as stream:
                stream.write(_manifest_bytes(manifest))

    def __enter__(self) -> RunDirectory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let another process have the directory."""
        self._lock.release()

    def _files(self) -> Iterator[Path]:
        return (self.path / CHUNKS).glob("*.parquet")

    def _listed(self) -> dict[str, list[Path]]:
        """The files of each task: one, unless a process was killed just after it had replaced one."""
        found: dict[str, list[Path]] = {}
        for file in sorted(self._files()):
            found.setdefault(file.name.split(".")[0], []).append(file)
        return found

    def load(self, name: str, ids: Collection[str]) -> dict[str, Tally]:
        """The tallies of the task of that name by claim; none of claims that must be run.

        Those are all, if its file is missing, damaged or another's; else those that were edited, and those that failed.
        """
        found: dict[str, Tally] = {}
        for file in self._known.get(name, []):
            try:
                tallies, made_by = _read(file)
            except (ValueError, OSError):
                self.damaged.append(file.name)
                continue
            if made_by.get("run") != self.run or made_by.get("task") != name:
                self.damaged.append(file.name)
                continue
            codes = made_by.get("codes", {})
            found |= {
                tally.claim: tally
                for tally in tallies
                if tally.claim in ids and codes.get(tally.claim) == self.codes.get(tally.claim) and not tally.error
            }
        return found

    def save(self, name: str, tallies: list[Tally]) -> None:
        """Write a task's file, and then remove those that it replaces.

        Raises:
            InvalidInput: if it cannot be written; what is there stays.
        """
        codes = {tally.claim: self.codes.get(tally.claim) for tally in tallies}
        content = to_bytes(tallies, {"run": self.run, "task": name, "codes": codes})
        file = self.path / CHUNKS / f"{name}.{_sha256(content)}.parquet"
        with self._writing(f"{CHUNKS}/{file.name}") as stream:
            stream.write(content)
        for old in self._known.get(name, []):
            if old != file:
                old.unlink(missing_ok=True)
        self._known[name] = [file]

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
            fix="make room there and add --resume (resume=True), which goes on with what is complete, or name another directory",
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
    expect(PATH, path=path)
    manifest = _manifest(Path(path))
    if manifest is None:
        raise InvalidInput(
            got=f"{str(path)!r}, where there is no {MANIFEST}",
            wanted="a directory that verify wrote with out=...",
            fix="check the name",
        )
    tallies = []
    for file in sorted((Path(path) / CHUNKS).glob("*.parquet")):
        try:
            found, made_by = _read(file)
        except (ValueError, OSError):
            raise InvalidInput(
                got=f"the damaged file {str(file)!r}",
                wanted="a file as it was written",
                fix="do the same with --resume (resume=True): it is computed again",
            ) from None
        codes = made_by.get("codes", {})
        tallies += [tally for tally in found if codes.get(tally.claim) == manifest["codes"].get(tally.claim, "")]
    return merged(tallies)


def _read(file: Path) -> tuple[list[Tally], dict[str, Any]]:
    """The content of a chunk's file.

    Raises:
        ValueError: if its SHA-256 is not the one in its name.
    """
    content = file.read_bytes()
    if file.name.split(".")[1:-1] != [_sha256(content)]:
        raise ValueError("another checksum")
    return read_bytes(content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _manifest_bytes(manifest: dict[str, Any]) -> bytes:
    """The manifest with its own checksum."""
    return json.dumps({**manifest, "sha256": _sha256(json.dumps(manifest).encode())}, indent=2).encode() + b"\n"


def _manifest(path: Path) -> Any:
    """What the manifest says; None where there is none.

    Raises:
        InvalidInput: if it is not as it was written, to the bit, or by a version whose run directories have another format.
    """
    file = path / MANIFEST
    if not os.path.lexists(file):
        return None
    try:
        content = file.read_bytes()
        manifest = json.loads(content)
    except (ValueError, OSError) as error:
        raise _unreadable(file, error) from None
    if not isinstance(manifest, dict):
        raise _unreadable(file, "it is no JSON object")
    if "settings" in manifest and manifest.get("format", 1) != FORMAT:
        raise _other_format(path, manifest.get("format", 1))
    manifest.pop("sha256", None)
    if _manifest_bytes(manifest) != content:
        raise _unreadable(file, "it is not as it was written")
    return manifest


def _unreadable(file: Path, why: object) -> InvalidInput:
    return InvalidInput(
        got=f"{str(file)!r}, which cannot be read ({why})",
        wanted="the manifest of a run",
        fix="name another directory",
    )


def _other_format(path: Path, there: Any) -> InvalidInput:
    kind = "an earlier" if isinstance(there, int) and there < FORMAT else "another"
    return InvalidInput(
        got=f"the run directory {str(path)!r}, written by {kind} version: its {MANIFEST} has format {_short(there)}",
        wanted=f"format {FORMAT}, the one that this version reads",
        fix="name another directory, or use the version that wrote it",
    )


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
    return text if len(text := json.dumps(value)) <= 80 else f"{text[:77]}..."


def _versions() -> dict[str, str]:
    import importlib.metadata

    versions = {name: importlib.metadata.version(name) for name in (*_DECIDES, "scipy", "python-flint", "pyarrow")}
    return versions | {"python": platform.python_version()}


def _as_json(settings: dict[str, Any]) -> Any:
    return json.loads(json.dumps(settings))
