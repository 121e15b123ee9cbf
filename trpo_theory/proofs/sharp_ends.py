"""Evidence of kinds "sharp-lower" and "sharp-upper": the two ends of a sharp gap, proved again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from fractions import Fraction

from trpo_theory._outward import Toward, float_toward
from trpo_theory.bounds.record import Claim
from trpo_theory.errors import NotSolved
from trpo_theory.io.evidence_files import Fields, ReadFields, number_text
from trpo_theory.model.decimals import as_written
from trpo_theory.numerics.ball.raw import Undecided
from trpo_theory.proofs.certified_file import Certificate, differing, not_proved, remarks
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.sharp.evidence import (
    LOWER,
    UPPER,
    ProvedEnd,
    prove_earlier_supersolution,
    prove_lower_end,
    prove_upper_end,
)

_NUMBER = "gap/epsilon"
_SAME = 1e-12
"""How far the bound of an earlier file, which is in floats, may be from what is proved, relative: chosen, far above rounding."""


def certify_lower(fields: ReadFields, claims: Iterable[Claim] | None) -> Certificate:
    """Enclose the witness's gap over ε again, and compare every field of the head.

    Raises:
        InvalidInput: for fields that are no such file.
    """
    return _certificate(LOWER, fields, prove_lower_end)


def certify_upper(fields: ReadFields, claims: Iterable[Claim] | None) -> Certificate:
    """Prove every inequality of the supersolution again, and compare every field of the head.

    Raises:
        InvalidInput: for fields that are no such file.
    """
    return _certificate(UPPER, fields, prove_upper_end)


def certify_earlier_upper(fields: ReadFields, claims: Iterable[Claim] | None) -> Certificate:
    """The same of a supersolution that an earlier version wrote, which states no theorem.

    Raises:
        InvalidInput: for fields that are no such file.
    """
    certificate = _certificate(UPPER, fields, prove_earlier_supersolution)
    stated, proved = fields.get("bound"), certificate.details.get("upper")
    if (
        proved is None
        or stated is None
        or (isinstance(stated, Fraction | int) and abs(stated - proved) <= _SAME * proved)
    ):
        return certificate
    differs = differing(fields, {"bound": as_written(proved)})
    return dataclasses.replace(certificate, disagreements=(*certificate.disagreements, *differs))


def _upper(proved: ProvedEnd) -> Fields:
    return {"upper": float_toward(proved.upper, Toward.UP), "checks": proved.checks}


def _wrong_available(fields: ReadFields, proved: ProvedEnd) -> tuple[str, ...]:
    """How a file's available actions are not those over which ε was taken; without the field, every action is available."""
    every = [[True] * len(row) for row in proved.available]
    given = {"available": every if fields.get("available") is None else fields["available"]}
    return differing(given, {"available": proved.available}) if proved.available else ()


def _certificate(kind: str, fields: ReadFields, prove: Callable[[ReadFields], ProvedEnd]) -> Certificate:
    try:
        proved = prove(fields)
    except (NotSolved, Undecided) as error:
        return not_proved(kind, f"sharp/{fields.get('divergence')}", _NUMBER, error)
    ends = (proved.lower, proved.upper)
    details: Fields = {"divergence": proved.divergence, "normaliser": proved.normaliser}
    details |= {"gamma": float(proved.gamma), "radius": float(proved.radius)}
    details |= {"lower": float_toward(ends[0], Toward.DOWN)} if kind == LOWER else _upper(proved)
    return Certificate(
        kind=kind,
        id=f"sharp/{proved.divergence}",
        theorem=proved.theorem,
        verdict=Outcome.PROVED,
        wanted=Outcome.PROVED,
        number=_NUMBER,
        enclosure=f"[{number_text(ends[0])}, {number_text(ends[1])}]",
        disagreements=(
            *differing(fields, {**proved.words, "enclosure": ends}),
            *_wrong_available(fields, proved),
        ),
        notes=remarks(fields, proved.words),
        details=details,
    )
