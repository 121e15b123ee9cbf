"""Claims on their way to another process: their functions belong to modules, and are found there again by name."""

from __future__ import annotations

import functools
import re
import zlib
from typing import Any

from trpo_theory import claims as catalogue
from trpo_theory.bounds.record import Claim
from trpo_theory.claims.from_file import read_claims
from trpo_theory.errors import InvalidInput
from trpo_theory.proofs.witness import file_hash

Named = Any
"""An id of the catalogue; a file, its hash and an id; or a claim that is neither's, itself."""


def named(claim: Claim) -> Named:
    """What another process finds the claim by."""
    if catalogue.catalogue.get(claim.id) is claim:
        return claim.id
    return (claim.origin, file_hash(claim.origin), claim.id) if claim.origin else claim


def resolved(name: Named) -> Claim:
    """The claim of that name; a file is run once a process.

    Raises:
        InvalidInput: if a file cannot be read here, or is another one than where the name was made.
    """
    if isinstance(name, Claim):
        return name
    if isinstance(name, str):
        return catalogue.get(name)
    origin, digest, claim_id = name
    return next(one for one in _of_file(origin, digest) if one.id == claim_id)


@functools.lru_cache(maxsize=4)
def _of_file(origin: str, digest: str) -> list[Claim]:
    found = read_claims(origin)
    if file_hash(origin) != digest:
        raise InvalidInput(
            got=f"the file of claims {origin!r}, which is not the one that the run began with",
            wanted="the same file at the same place on every machine, unchanged while it runs",
            fix="copy it there, or leave it alone until the run ends",
        )
    return found


def fingerprint(claim: Claim) -> str:
    """What a run directory knows a claim by: its id, and the hash of its file or of its code where it is one's own."""
    name = named(claim)
    if isinstance(name, str):
        return name
    if isinstance(name, tuple):
        return f"{claim.id} (file {name[1][:16]})"
    codes = [getattr(function, "__code__", None) for function in claim.functions]
    told = repr([(code.co_code, code.co_names, code.co_varnames, _constants(code)) for code in codes if code])
    return f"{claim.id} (code {zlib.crc32(told.encode()):08x})"


def _constants(code: Any) -> list[Any]:
    """Of nested functions their code: their own repr would tell where they are in memory."""
    return [(one.co_code, _constants(one)) if hasattr(one, "co_code") else one for one in code.co_consts]


def slug(text: str) -> str:
    """A name for a file: what is no letter or digit becomes a dash, and a checksum keeps two apart."""
    return f"{re.sub('[^A-Za-z0-9]+', '-', text).strip('-')[:60]}-{zlib.crc32(text.encode()):08x}"
