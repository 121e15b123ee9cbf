"""The verb that proves a claim for all finite MDPs of a region."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trpo_theory.cli.options import CHECK_FAILED, OK, UNDECIDED, JsonOption, app, named
from trpo_theory.cli.output import busy, print_json
from trpo_theory.cli.terminal import new_console
from trpo_theory.cli.verdicts import print_placed
from trpo_theory.cli.verifying import FromOption, chosen, own_errors
from trpo_theory.errors import InvalidInput

if TYPE_CHECKING:
    from trpo_theory.bounds.record import Claim
    from trpo_theory.proofs.proving import Proving

_BOXES = 8
"""Boxes that are not decided, of which a terminal shows so many. Chosen; --json has all."""


@app.command(epilog="Example:  trpo-theory prove trpo/kl")
def prove(
    claim_id: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]", help="A claim of the catalogue, or of --from; else --bound.", show_default=False
        ),
    ] = None,
    bound: Annotated[str | None, typer.Option("--bound", metavar="ID", help="A bound, in the place of ID.")] = None,
    from_file: FromOption = None,
    gamma: Annotated[
        str | None, typer.Option("--gamma", metavar="LO:HI", help="The discounts, such as 0.5:0.99; all if left out.")
    ] = None,
    radius: Annotated[
        str | None,
        typer.Option("--radius", metavar="LO:HI", help="Of the divergence that the claim reads; all if left out."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="PROOF.json", help="Write what certify proves again there.", callback=named),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Prove a claim for all finite MDPs and policies of a region, or refute it, or say what is left.

    A proof is a theorem of docs/theory.md, or made in exact arithmetic from proved bounds and the sharp gap. Exit status 3
    says that some of the region is not decided.
    """
    from trpo_theory.claims import known
    from trpo_theory.claims.papers import setting_text
    from trpo_theory.io.evidence_files import checked_evidence_path
    from trpo_theory.proofs.lattice import placed_within
    from trpo_theory.verification.proving import prove

    if out is not None:
        checked_evidence_path(out, "a proof")
    claim = chosen([_name(claim_id, bound)], from_file)[0]
    if bound is not None:
        _expect_bound(claim)
    ends: dict[str, Any] = {"gamma": _ends(gamma, "gamma"), "radius": _ends(radius, "radius")}
    with own_errors(), busy("proving"):
        found = prove(claim, **ends, with_evidence=out is not None)
        own = known.get(claim.id) is not claim and found.verdict != "vacuous"
        placed = placed_within(claim, found.region) if own else None
    written = out is not None and _write(found, out)
    status = UNDECIDED if found.verdict in ("undecided", "vacuous") else OK if found.as_expected else CHECK_FAILED
    if as_json:
        print_json(found.to_fields() | {"placed": None if placed is None else placed.to_fields()})
        return status
    _print(found, setting_text(claim) if claim.setting else "")
    print_placed(placed)
    if written:
        new_console().print(f"written to {out}", markup=False)
    return status


def _name(claim_id: str | None, bound: str | None) -> str:
    """The one id."""
    if (claim_id is None) == (bound is None):
        raise InvalidInput(
            got="no claim" if claim_id is None else f"{claim_id!r} and --bound {bound!r}",
            wanted="the id of one claim or bound",
            fix="trpo-theory prove trpo/kl, say; `trpo-theory claims` lists them",
        )
    return str(bound if claim_id is None else claim_id)


def _expect_bound(claim: Claim) -> None:
    from trpo_theory.bounds.record import Bound

    if not isinstance(claim, Bound):
        raise InvalidInput(
            got=f"--bound {claim.id!r}, which is a claim and no bound",
            wanted="the id of a bound",
            fix=f"write `trpo-theory prove {claim.id}`",
        )


def _ends(text: str | None, name: str) -> tuple[str, str] | None:
    """LO:HI, or one number for both."""
    if text is None:
        return None
    parts = text.split(":")
    if len(parts) > 2 or not all(part.strip() for part in parts):
        raise InvalidInput(
            got=f"--{name} {text!r}", wanted="LO:HI, two numbers, or one", fix=f"write --{name} 0.5:0.9, say"
        )
    return parts[0].strip(), parts[-1].strip()


def _write(found: Proving, out: str) -> bool:
    """Whether there is a file to write: the witness, or what proves the claim again."""
    if found.witness is not None:
        found.witness.write(out)
        return True
    evidence = None if found.proof is None else found.proof.evidence
    if evidence is not None:
        evidence.write(out)
        return True
    why = "nothing is proved" if found.proof is None else f"the proof has no file: {found.proof.text}"
    print(f"note: {out} is not written: {why}", file=sys.stderr)
    return False


def _print(found: Proving, setting: str = "") -> None:
    """What came of it; `setting` has the words for a claim that is not of discounted returns alone."""
    console = new_console()

    def line(text: str) -> None:
        console.print(text, markup=False)

    if found.witness is not None:
        line(f"{found.id}: refuted, proved in ball arithmetic ({found.witness.size_text})")
        line(found.witness.text)
    elif found.verdict == "proved" and found.proof is not None:
        line(f"{found.id}: proved: {found.proof.text}")
        for part in found.parts:
            line(f"part: {part.text}")
    elif found.verdict == "vacuous":
        line(f"{found.id}: vacuous: {found.region.text}")
    else:
        line(f"{found.id}: undecided{'' if setting else f': {found.region.text}'}")
        for part in found.parts or (found.proof,):
            if part is not None:
                line(f"proved for a part: {part.text}")
        for box in found.left[:_BOXES]:
            line(f"left: {box.text}")
        if len(found.left) > _BOXES:
            line(f"left: {len(found.left) - _BOXES} more boxes, which --json has")
    if found.note:
        line(found.note)
    elif not found.tried:
        why = f" (setting: {setting}): they are of discounted returns" if setting else ""
        line(
            f"no method of proof says anything of a claim like this{why}; `trpo-theory verify` looks for counterexamples"
        )
