"""Claims that can be sent to another process: a function cannot be pickled, so they are sent by name and found there again."""

from __future__ import annotations

import functools
import re
import zlib
from types import CodeType
from typing import NamedTuple, TypeAlias

from trpo_theory import claims as catalogue
from trpo_theory.bounds.record import Claim
from trpo_theory.claims.from_file import read_claims
from trpo_theory.errors import InvalidInput
from trpo_theory.proofs.witness import file_hash


class ClaimOfFile(NamedTuple):
    """A claim of one's own: the file that defines it, the file's SHA-256, and the claim's id."""

    origin: str
    digest: str
    id: str


Portable: TypeAlias = str | ClaimOfFile | Claim
"""An id of the catalogue; a claim of a file; or a claim that is in neither, itself."""


def portable(claim: Portable) -> Portable:
    """What another process finds the claim by."""
    if not isinstance(claim, Claim):
        return claim
    if catalogue.catalogue.get(claim.id) is claim:
        return claim.id
    return ClaimOfFile(claim.origin, file_hash(claim.origin), claim.id) if claim.origin else claim


def restored(sent: Portable) -> Claim:
    """The claim that was sent; its file is run once a process.

    Raises:
        InvalidInput: if a file cannot be read here, or is not the one that it was where the claim was sent.
    """
    if isinstance(sent, Claim):
        return sent
    if isinstance(sent, str):
        return catalogue.get(sent)
    return next(claim for claim in _of_file(sent.origin, sent.digest) if claim.id == sent.id)


@functools.lru_cache(maxsize=4)  # chosen: a run's claims come from one file or two
def _of_file(origin: str, digest: str) -> list[Claim]:
    found = read_claims(origin)
    if file_hash(origin) != digest:
        raise InvalidInput(
            got=f"the file of claims {origin!r}, which is not the one that the run began with",
            wanted="the same file at the same place on every machine, unchanged while it runs",
            fix="copy it there, or do not edit it until the run ends",
        )
    return found


def fingerprint(claim: Claim) -> str:
    """What a run directory knows a claim by: its id, and the hash of its file or of its code where it is one's own."""
    sent = portable(claim)
    if isinstance(sent, str):
        return sent
    if isinstance(sent, ClaimOfFile):
        return f"{claim.id} (file {sent.digest[:16]})"
    codes = [getattr(function, "__code__", None) for function in claim.functions]
    parts = repr([(code.co_code, code.co_names, code.co_varnames, _constants(code)) for code in codes if code])
    return f"{claim.id} (code {zlib.crc32(parts.encode()):08x})"


def _constants(code: CodeType) -> list[object]:
    """The constants of a function; for nested functions their code, since their repr has an address in memory."""
    return [(one.co_code, _constants(one)) if isinstance(one, CodeType) else one for one in code.co_consts]


def slug(text: str) -> str:
    """A name for a file: characters other than letters and digits become dashes, and a checksum keeps two apart."""
    return f"{re.sub('[^A-Za-z0-9]+', '-', text).strip('-')[:60]}-{zlib.crc32(text.encode()):08x}"
