"""The verbs that put claims to the test: verify, falsify and certify."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trpo_theory.cli.options import CHECK_FAILED, INTERRUPTED, OK, UNDECIDED, JsonOption, app, named
from trpo_theory.cli.output import busy, fail, new_console, print_fields, print_json, progress
from trpo_theory.cli.verdicts import few_effective, least_slack, print_verdicts
from trpo_theory.errors import ClaimFailed, InvalidInput, NotSolved

if TYPE_CHECKING:
    from trpo_theory.bounds.record import Claim
    from trpo_theory.verification.verdict import Verdict, Verification

FromOption = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="FILE.py", help="Claims of your own: functions decorated with @claim.", callback=named
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", metavar="K", help="The same seed gives the same verdicts.")]


@app.command(epilog="Example:  trpo-theory verify trpo/tv trpo/tv-2 --instances 5000")
def verify(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID|PATTERN ...]", help="Claims; all if left out.")
    ] = None,
    from_file: FromOption = None,
    instances: Annotated[
        int, typer.Option(metavar="N", help="How many random instances; the other instruments try more.")
    ] = 20_000,
    states: Annotated[int | None, typer.Option(metavar="S", help="Of the random instances; else a mixture.")] = None,
    actions: Annotated[int | None, typer.Option(metavar="A", help="Of the random instances; else a mixture.")] = None,
    seed: SeedOption = 0,
    jobs: Annotated[int, typer.Option(metavar="J", help="Processes.")] = 1,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler, tcp://host:port, in place of processes.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Write tables, witnesses and what each task found out there.", callback=named),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in --out.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Verdicts on claims: refuted with a proved witness, proved, or unrefuted in so many instances."""
    from trpo_theory.verification.verifying import plan, verify

    if out is not None:
        _checked_directory(Path(out))
    claims = chosen(ids, from_file)
    recipe: dict[str, Any] = {"instances": instances, "seed": seed, "states": states, "actions": actions}
    tasks = len(plan(claims, **recipe))
    where: dict[str, Any] = {"jobs": jobs, "dask": dask, "out": out, "resume": resume}
    try:
        with own_errors(), progress("verifying", tasks) as advance:
            verification = verify(claims, **recipe, **where, advance=advance)
    except KeyboardInterrupt:
        if out is None:
            raise
        return fail(f"interrupted; what is done is in {out}: the same command with --resume goes on", INTERRUPTED)
    for note in verification.notes:
        print(f"note: {note}", file=sys.stderr)
    if out is not None:
        _write(verification, Path(out))
        print(f"{tasks} tasks, their tables and their witnesses are in {out}", file=sys.stderr)
    status = _status(verification)
    if as_json:
        print_json({"claims": [verdict.to_fields() for verdict in verification]})
        return status
    print_verdicts(verification, written=out is not None)
    return status


@app.command(epilog="Example:  trpo-theory falsify trpo/tv-2 --out witness.json")
def falsify(
    claim_id: Annotated[str, typer.Argument(metavar="ID", help="A claim of the catalogue, or of --from.")],
    from_file: FromOption = None,
    seed: SeedOption = 0,
    out: Annotated[
        str | None, typer.Option(metavar="WITNESS.json", help="Write the witness there.", callback=named)
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Search hard for a counterexample to one claim, shrink it, and prove it.

    Where there is none to be found, this takes minutes: it goes through some three million instances.
    """
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
    console = new_console()
    if verdict.verdict == "error":
        console.print(f"{verdict.id}: error: {verdict.note}", markup=False)
        return status
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
        return status
    console.print(f"{verdict.id}: refuted, proved in ball arithmetic ({verdict.witness.size_text})", markup=False)
    console.print(verdict.witness.text, markup=False)
    if out is not None:
        console.print(f"written to {out}", markup=False)
    return status


@app.command(epilog="Example:  trpo-theory certify witness.json")
def certify(
    evidence: Annotated[
        str,
        typer.Argument(
            metavar="WITNESS.json", help="What falsify, prove, worst-case, sharp or update --certify wrote."
        ),
    ],
    from_file: FromOption = None,
    as_json: JsonOption = False,
) -> int:
    """Prove a file of evidence again, from the file alone, and print the theorem that it proves.

    Exit status 1 says that the file states something else than what is proved, 3 that nothing is proved.
    """
    from trpo_theory.proofs.certifying import certify

    with own_errors(), busy("proving"):
        claims = claims_of(from_file) if from_file else None
        certificate = certify(evidence, claims=claims)
    status = OK if certificate.certified else (UNDECIDED if certificate.undecided else CHECK_FAILED)
    if as_json:
        print_json(certificate.to_fields())
        return status
    console = new_console()
    console.print(f"{certificate.id}: {certificate.summary}", markup=False)
    if certificate.theorem:
        console.print(f"theorem: {certificate.theorem}", markup=False)
    for note in certificate.notes:
        console.print(f"note: {note}", markup=False)
    if certificate.quantities:
        print_fields(console, dict(certificate.quantities))
    return status


def claims_of(path: str) -> list[Claim]:
    """The claims that a file of the user defines."""
    from trpo_theory.claims.from_file import read_claims

    return read_claims(path)


def chosen(ids: list[str] | None, from_file: str | None) -> list[Claim]:
    """The claims meant: of the file, if there is one, else of the catalogue."""
    for name in ids or []:
        if name.endswith(".py"):
            raise InvalidInput(
                got=f"the file {name!r} as a claim", wanted="ids or patterns of ids", fix=f"pass --from {name}"
            )
    from trpo_theory import claims as catalogue

    own = claims_of(from_file) if from_file else []
    if not ids:
        return own or list(catalogue.catalogue.values())
    listing = "`trpo-theory claims` lists them, `trpo-theory claims --by-paper` by paper; one of your own needs --from FILE.py"
    if from_file:
        listing = f"`trpo-theory claims --from {from_file}` lists those of the file, without it the catalogue"
    return catalogue.selected(ids, own, listing)


@contextlib.contextmanager
def own_errors() -> Any:
    """A claim's own exception becomes one message with its own line, and status 3; what it prints goes to stderr."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except ClaimFailed as error:
        raise NotSolved(
            f"got an error in the claim {error.claim_id}: {error.complaint}; wanted a slack: a number (or an array over states), "
            "from the quantities q; fix: correct that line; q.max_s, q.sum_a, q.sqrt and the like work in every arithmetic"
        ) from error


def _status(verification: Verification) -> int:
    """1 if a claim came out otherwise than expected, else 3 if one is undecided, else 0."""
    statuses = [status_of(verdict) for verdict in verification]
    return CHECK_FAILED if CHECK_FAILED in statuses else max(statuses)


def status_of(verdict: Verdict) -> int:
    """1 for one expected true that was refuted, and one expected false that was not; 3 for one undecided, and an error."""
    if verdict.as_expected:
        return OK
    return UNDECIDED if verdict.verdict in ("undecided", "error") else CHECK_FAILED


def _checked_directory(directory: Path) -> None:
    """Refuse one that cannot be made before anything is searched."""
    place = directory.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise InvalidInput(
            got=f"the output directory {str(directory)!r}",
            wanted="a directory that can be written, or a place where one can be made",
            fix="name another",
        )


def _write(verification: Verification, directory: Path) -> None:
    """verdicts.tex, .md and .csv, a file for each witness, and their checksums; a note for each that was damaged before."""
    from trpo_theory.io import write_fields
    from trpo_theory.report import Table, write
    from trpo_theory.verification.checksums import damaged_results, write_checksums
    from trpo_theory.verification.portable import witness_name

    for name in damaged_results(directory):
        print(f"note: {name} was damaged or lost: it was written again", file=sys.stderr)
    table = Table(verification.to_frame(), caption="Verdicts on claims", label="tab:verdicts")
    written = [path.name for path in write(table, directory, "verdicts", suffixes=(".csv",))]
    paper = Table(verification.to_short_frame(), "Verdicts on claims", "tab:verdicts", prose=("proof or witness",))
    written += [path.name for path in write(paper, directory, "verdicts", suffixes=(".tex", ".md"))]
    for verdict in verification:
        if verdict.witness is not None:
            written.append(f"{witness_name(verdict.id)}.json")
            write_fields(verdict.witness.to_fields(), directory / written[-1])
    write_checksums(directory, written)
