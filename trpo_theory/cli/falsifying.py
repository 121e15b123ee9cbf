"""The verb that searches for a counterexample to one claim: falsify."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trpo_theory.cli.options import ClaimArgument, JsonOption, WitnessOutOption, app
from trpo_theory.cli.output import busy, print_json
from trpo_theory.cli.paper import TikzOption, WitnessLatexOption, expect_form, expect_witness, print_witness
from trpo_theory.cli.terminal import new_console
from trpo_theory.cli.verdicts import few_effective, least_slack
from trpo_theory.cli.verifying import FromOption, SeedOption, chosen, own_errors, status_of

if TYPE_CHECKING:
    from trpo_theory.verification.verdict import Verdict


@app.command(epilog="Example:  trpo-theory falsify trpo/tv-2 --out witness.json")
def falsify(
    claim_id: ClaimArgument,
    from_file: FromOption = None,
    seed: SeedOption = 0,
    out: WitnessOutOption = None,
    as_json: JsonOption = False,
    latex: WitnessLatexOption = False,
    tikz: TikzOption = False,
) -> int:
    """Search hard for a counterexample to one claim, shrink it, and prove it.

    Where there is none to be found, this takes minutes: it goes through some three million instances.
    """
    expect_form(json=as_json, latex=latex, tikz=tikz)
    from trpo_theory.io.evidence_files import checked_evidence_path
    from trpo_theory.verification.falsifying import falsify

    if out is not None:
        checked_evidence_path(out)
    claim = chosen([claim_id], from_file)[0]
    with own_errors(), busy("searching"):
        verdict = falsify(claim, seed=seed)
    if verdict.witness is not None and out is not None:
        verdict.witness.write(out)
    status = status_of(verdict)
    if as_json:
        fields = verdict.to_fields()
        print_json({**fields, "certified": verdict.witness is not None})
        return status
    if latex or tikz:
        print_witness(expect_witness(verdict), latex=latex, tikz=tikz)
        return status
    _print(verdict, out)
    return status


def _print(verdict: Verdict, out: str | None) -> None:
    console = new_console()
    if verdict.verdict == "error":
        console.print(f"{verdict.id}: error: {verdict.note}", markup=False)
        return
    if verdict.witness is None:
        if verdict.proof is not None:
            console.print(f"{verdict.id}: proved: {verdict.proof.text}", markup=False)
        word = "no counterexample" if verdict.proof is not None else verdict.verdict
        console.print(
            f"{verdict.id}: {word} in {verdict.instances} instances, {verdict.effective} of which put it to the test; "
            f"least slack {least_slack(verdict, 6)}",
            markup=False,
        )
        console.print(f"searched: {verdict.searched.text}", markup=False)
        for note in (few_effective(verdict), verdict.note):
            if note:
                console.print(note, markup=False)
        return
    console.print(f"{verdict.id}: refuted, proved in ball arithmetic ({verdict.witness.size_text})", markup=False)
    console.print(verdict.witness.text, markup=False)
    if out is not None:
        console.print(f"written to {out}", markup=False)
