"""Claims that can be sent to another process: a function cannot be pickled, so they are sent by name and found there again."""

from __future__ import annotations

import functools
import hashlib
import re
from typing import NamedTuple, TypeAlias

from trpo_theory import claims as catalogue
from trpo_theory.bounds.record import Claim
from trpo_theory.claims.from_file import read_claims
from trpo_theory.errors import InvalidInput
from trpo_theory.proofs.witness import file_hash

_PLAIN = re.compile(r"[a-z0-9]+([-._][a-z0-9]+)*(/[a-z0-9]+([-._][a-z0-9]+)*)*")
"""Ids without capitals, without "--", and without a dash beside a slash."""
_TAKEN = ("manifest", "verdicts")
"""Other files of a run directory."""


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


def is_of_file(claim: Portable) -> bool:
    """Whether the claim's code is in a file of the user's."""
    return isinstance(claim, ClaimOfFile) or (isinstance(claim, Claim) and bool(claim.origin))


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


def witness_name(claim_id: str) -> str:
    """The stem of the file of a claim's witness, another one for every id: trpo--tv-2 for trpo/tv-2.

    An id that this would make like another's, or a name that some file systems refuse or fold, is a slug after "=".
    """
    plain = len(claim_id) <= 100 and claim_id not in _TAKEN and _PLAIN.fullmatch(claim_id)
    return claim_id.replace("/", "--") if plain else f"={slug(claim_id)}"


def slug(text: str) -> str:
    """A name for a file: characters other than letters and digits become dashes, and a hash keeps two apart."""
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    return f"{re.sub('[^A-Za-z0-9]+', '-', text).strip('-')[:60]}-{digest}"
