"""`Evidence`: what the toolkit writes as proof of something, of any kind, and `certify` proves again from its file.

A kind is one module of this folder with two functions: one that makes the fields of a file
(`trpo_theory.io.evidence_files.evidence_fields` has those that all kinds share), and a `Checker` that proves a file again.
To add a kind, write that module and add its checker to `CHECKERS` in `trpo_theory.proofs.certifying`. A checker
* trusts no field: it proves the theorem from the content, in exact rationals and balls, and makes the sentence anew;
* compares every field that a reader sees with what it proved (`differing`), and lists what differs;
* runs no code that the file names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from trpo_theory.bounds.record import Claim
from trpo_theory.io.evidence_files import Fields, ReadFields
from trpo_theory.model.types import PathLike
from trpo_theory.proofs.certified_file import Certificate


@runtime_checkable
class Evidence(Protocol):
    """Something proved that can be written to a file: a `Witness`, a `CertifiedGap`."""

    def to_fields(self) -> Fields:
        """The content of its file: kind, statement, theorem, source, what proves it, enclosure, made_by."""
        ...

    def write(self, path: PathLike) -> None:
        """Write the file, .json, all of it or nothing."""
        ...


class Checker(Protocol):
    """Proves a file of one kind again."""

    def __call__(self, fields: ReadFields, claims: Iterable[Claim] | None) -> Certificate:
        """What proving it again came to.

        Args:
            fields: the file's, as `read_fields` returns them.
            claims: claims of one's own that the file may be about.

        Raises:
            InvalidInput: for fields that are no file of this kind.
        """
        ...


@dataclass(frozen=True)
class FileKind:
    """A kind of evidence file.

    Attributes:
        check: what proves such a file again.
        fields: what it may say beside the head that all kinds share; a file that says anything else is rejected.
    """

    check: Checker
    fields: frozenset[str]
