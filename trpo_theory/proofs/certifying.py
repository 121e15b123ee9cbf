"""`certify`: an evidence file of any kind, proved again from the file alone."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.bounds.record import Claim
from trpo_theory.entries.kinds import brief
from trpo_theory.errors import InvalidInput
from trpo_theory.io._sparse import SPARSE_KEYS
from trpo_theory.io.evidence_files import ReadFields, exact_content
from trpo_theory.io.files import read_fields
from trpo_theory.model.decimals import nearest_float
from trpo_theory.numerics.ball import rationals
from trpo_theory.proofs import (
    bound_ratio,
    proved_claim,
    refutation,
    sharp_ends,
    theorem_cover,
    update_evidence,
    witness,
)
from trpo_theory.proofs.certified_file import FREE_TEXT, Certificate
from trpo_theory.proofs.evidence import Checker, Evidence
from trpo_theory.proofs.methods import METHODS
from trpo_theory.sharp import evidence as sharp_evidence
from trpo_theory.sharp.mean_kl import half_line, supersolution
from trpo_theory.sharp.prove_upper import KIND as EARLIER_UPPER
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.fields import EXTRAS

_OF_METHODS = {kind: file for method in METHODS for kind, file in method.files.items()}
CHECKERS: Mapping[str, Checker] = {
    **{kind: file.check for kind, file in _OF_METHODS.items()},
    witness.KIND: refutation.certify_refutation,
    bound_ratio.KIND: bound_ratio.certify_ratio,
    sharp_evidence.LOWER: sharp_ends.certify_lower,
    sharp_evidence.UPPER: sharp_ends.certify_upper,
    EARLIER_UPPER: sharp_ends.certify_earlier_upper,
    update_evidence.KIND: update_evidence.certify_update_gap,
    half_line.KIND: theorem_cover.certify_cover,
    supersolution.KIND: theorem_cover.certify_interval,
    proved_claim.KIND: proved_claim.certify_implication,
}
"""What proves a file of each kind again, those of the methods of proof included; the one for
supersolutions is what earlier versions wrote."""
_HEAD = frozenset({"kind", "statement", "theorem", "source", "enclosure", "made_by"})
_INSTANCE = frozenset(field.name for field in dataclasses.fields(ExactInstance))
_DISCOUNTED = _INSTANCE - {*EXTRAS, "noise", "reference", "size"}
_SUPERSOLUTION = frozenset({"gamma", "radius", "divergence", "slope", "nodes", "w", "price", "mu", "nu"})
FIELDS: Mapping[str, frozenset[str]] = {
    **{kind: file.fields for kind, file in _OF_METHODS.items()},
    witness.KIND: _INSTANCE | {"claim", "relation", "note", "verdict", "slack", "file", "file_sha256"},
    bound_ratio.KIND: _INSTANCE | {"bound", "ratio"},
    sharp_evidence.LOWER: (_DISCOUNTED - {"groups"}) | {"divergence", "normaliser", "radius", "horizon", *SPARSE_KEYS},
    sharp_evidence.UPPER: _SUPERSOLUTION | {"normaliser", "horizon", "steps"},
    EARLIER_UPPER: _SUPERSOLUTION | {"mean", "expected", "normaliser", "bound"},
    update_evidence.KIND: _DISCOUNTED
    | {"costs", "problem", "delta", "coefficient", "multiplier", "state_labels", "action_labels", "limits", "prices"},
    proved_claim.KIND: proved_claim.FIELDS,
    half_line.KIND: frozenset({"gamma", "constant", "k", "tilt", "shift", "largest"}),
    supersolution.KIND: frozenset(
        {"gamma", "constant", "curvature", "bend", "outer_bend", "reach", "inner", "nodes", "w", "mu", "nu"}
    ),
}
"""What a file of each kind may say beside its head. Each of these is what the theorem is proved from, or is compared with it;
a file that says anything else is rejected, since nothing would be proved of that."""
_OPTIONAL_NUMBERS = ("size", "noise", "groups")
"""Fields of an instance that most claims do not read."""
_ROWS = ("transition", "initial", "old", "new", "reference", "model", "references", "weights")
"""Fields whose rows are probabilities."""


def certify(
    evidence: str | os.PathLike[str] | ReadFields | Evidence, *, claims: Iterable[Claim] | None = None
) -> Certificate:
    """Prove a file of evidence again, in exact rationals and balls, from the file alone.

    Args:
        evidence: a file, its content, or what writes one: a `Witness`, a `CertifiedGap`.
        claims: claims of one's own, for evidence about one of them. No file that the evidence names is ever read or run.

    Returns:
        A `Certificate`: it is not certified where the theorem is not proved, or any field differs from what was proved.

    Raises:
        InvalidInput: for a file of no known kind, or whose content is none of its kind.
        ClaimFailed: if a claim's own code raises an exception.
    """
    if isinstance(evidence, str | os.PathLike):
        fields: ReadFields = exact_content(read_fields(evidence, exact=True, what="a proof"))
    else:
        if not isinstance(evidence, Mapping) and not hasattr(evidence, "to_fields"):
            raise InvalidInput(
                got=f"{brief(evidence)} as evidence",
                wanted="a file, its content, or what writes one, such as the witness of a verdict",
                fix='pass the file\'s name: certify("proof.json")',
            )
        fields = exact_content(evidence if isinstance(evidence, Mapping) else evidence.to_fields())
    kind = _kind(fields)
    _check_unused(fields)
    _check_rows(fields)
    certificate = CHECKERS[kind](fields, claims)
    read = FIELDS[kind] | _HEAD
    if kind == sharp_evidence.LOWER and "transition" not in fields:  # a large witness is sparse
        read |= frozenset(SPARSE_KEYS)
    more = [f"the file has {name!r}, which says nothing in a {kind} file" for name in fields.keys() - read]
    return dataclasses.replace(certificate, disagreements=(*certificate.disagreements, *sorted(more)))


def _check_unused(fields: ReadFields) -> None:
    """Refuse what no proof may look at where it is not even of its type: free text that is none, and numbers beyond floats.

    Raises:
        InvalidInput: naming the field.
    """
    for name in (*FREE_TEXT, "made_by"):
        if not isinstance(fields.get(name) or "", str):
            raise InvalidInput(
                got=f"{name} = {rationals.shown(fields[name])}", wanted="text", fix=f"correct {name}, or leave it out"
            )
    for name in _OPTIONAL_NUMBERS:
        for entry in _entries(fields.get(name)):
            if isinstance(entry, Fraction | int) and rationals.is_beyond_floats(entry):
                shown = rationals.shown(Fraction(entry))
                raise InvalidInput(
                    got=f"{shown} in {name}" if isinstance(fields[name], list) else f"{name} = {shown}",
                    wanted="numbers in the range of floats",
                    fix=f"correct {name}, or leave it out",
                )


def _entries(value: Any) -> Iterator[Any]:
    """What is in a nested list, or the value alone."""
    if isinstance(value, list):
        for part in value:
            yield from _entries(part)
    else:
        yield value


def _check_rows(fields: ReadFields) -> None:
    """Refuse rows of probabilities that do not sum to one exactly: what would be proved of them is of other numbers.

    Raises:
        InvalidInput: naming the row.
    """
    for name in _ROWS:
        if fields.get(name) is None:
            continue
        array = rationals.fractions(fields[name], name)
        if not array.ndim:
            raise InvalidInput(
                got=f"{name} = {rationals.shown(fields[name])}",
                wanted="rows of probabilities",
                fix="write the file again with this version",
            )
        if name == "references" and array.ndim == 3:  # (S, A, J): policy j is [..., j]
            array = np.moveaxis(array, 1, -1)
        unused = name in ("transition", "model")
        mask = _padding(fields, array.shape[:-1]) if unused else np.zeros(array.shape[:-1], dtype=bool)
        for index in map(tuple, np.argwhere(~mask)):
            total = sum(array[index].tolist(), Fraction(0))
            if total != 1:
                excess = nearest_float(total - 1)
                raise InvalidInput(
                    got=f"{name}{_checks.show_index(index)} that sums to 1 {'-+'[excess > 0]} {abs(excess):.3g}",
                    wanted="probabilities that sum to 1 exactly, as the decimals or rationals that they are written as",
                    fix="write the file again with this version, or correct the row",
                )


def _padding(fields: ReadFields, shape: tuple[int, ...]) -> np.ndarray:
    """Where an action is not available, so that its row may be anything."""
    mask = np.zeros(shape, dtype=bool)
    for name, value in (("available", 0), ("reward", -math.inf)):
        entries = np.asarray(fields.get(name), dtype=object)
        if entries.shape == shape:
            mask |= (entries == value).astype(bool)
    return mask


def _refuse_what_proves_nothing(fields: ReadFields) -> None:
    """Refuse policies and MDPs without a word of what they prove, with the command that writes the proof.

    Raises:
        InvalidInput: for those.
    """
    if fields.keys() & {"claim", "relation", "slack", "verdict", "bound", "ratio"}:
        return
    wanted = "a file of evidence, which says what kind it is"
    if "transition" not in fields:
        if fields.keys() & {"policy", "new"}:
            raise InvalidInput(
                got="a file of policies, such as `trpo-theory update` writes without --certify",
                wanted=wanted,
                fix="trpo-theory update ... --certify --out FILE.json",
            )
        return
    if {"old", "new"} <= fields.keys():
        raise InvalidInput(
            got="an MDP with old and new, but no kind and no claim: a sharp witness of an earlier version, or an MDP file",
            wanted=wanted,
            fix="make it again with `trpo-theory sharp ... --out FILE`",
        )
    raise InvalidInput(
        got="a file of an MDP alone",
        wanted=wanted,
        fix="make one with `trpo-theory update MDP --old POLICY --problem max-kl --delta D --certify --out FILE.json`",
    )


def _kind(fields: ReadFields) -> str:
    """The kind of a file; earlier versions wrote witnesses and worst cases without one."""
    kind = fields.get("kind")
    if kind is None:
        _refuse_what_proves_nothing(fields)
        return bound_ratio.KIND if "bound" in fields and "claim" not in fields else witness.KIND
    if not isinstance(kind, str):
        raise InvalidInput(
            got=f"kind = {rationals.shown(kind):.80}",
            wanted=f"one of {', '.join(CHECKERS)}",
            fix="write the file again",
        )
    if kind not in CHECKERS:
        raise _checks.unknown_name("kind of evidence", kind, CHECKERS)
    return kind
