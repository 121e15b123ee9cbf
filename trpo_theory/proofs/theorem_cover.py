"""Evidence of kinds "theorem-cover" and "theorem-interval": theorems on all finite MDPs, linear in mean-KL."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Protocol

from trpo_theory.bounds.record import Claim
from trpo_theory.errors import NotSolved
from trpo_theory.io.evidence_files import ReadFields
from trpo_theory.proofs.certified_file import Certificate, differing, not_proved, remarks
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.sharp.mean_kl import half_line, supersolution

_ID = "mean-kl/linear"
_NUMBER = "least constant"


class _Case(Protocol):
    """A theorem with what proves it."""

    @property
    def words(self) -> dict[str, str]: ...
    @property
    def theorem(self) -> str: ...
    @property
    def enclosure(self) -> tuple[Fraction, Fraction]: ...
    def prove(self) -> int: ...


def certify_cover(fields: ReadFields, claims: Iterable[Claim] | None) -> Certificate:
    """Cover the inequalities again, from the constants of the file, and compare every field of the head.

    Raises:
        InvalidInput: for fields that are no such file.
    """
    case = half_line.LinearMeanKL.from_fields(fields)
    details = {"gamma": float(case.gamma), "constant": float(case.constant)}
    return _certificate(half_line.KIND, case, details, fields)


def certify_interval(fields: ReadFields, claims: Iterable[Claim] | None) -> Certificate:
    """Check the supersolution of the file again, and compare every field of the head.

    Raises:
        InvalidInput: for fields that are no such file.
    """
    case = supersolution.LinearOnInterval.from_fields(fields)
    details = {"gamma": [float(end) for end in case.gammas], "constant": float(case.constant)}
    return _certificate(supersolution.KIND, case, details, fields)


def _certificate(kind: str, case: _Case, details: ReadFields, fields: ReadFields) -> Certificate:
    try:
        checks = case.prove()
    except NotSolved as error:
        return not_proved(kind, _ID, _NUMBER, error)
    lower, upper = case.enclosure
    return Certificate(
        kind=kind,
        id=_ID,
        theorem=case.theorem,
        verdict=Outcome.PROVED,
        wanted=Outcome.PROVED,
        number=_NUMBER,
        enclosure=f"[{lower}, {upper}]",
        disagreements=differing(fields, {**case.words, "enclosure": case.enclosure}),
        notes=remarks(fields, case.words),
        details={**details, "checks": checks},
    )
