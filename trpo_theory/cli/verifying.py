"""The verb that puts claims to the test: verify; and what verbs on claims share."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trpo_theory.cli.options import (
    CHECK_FAILED,
    INTERRUPTED,
    OK,
    UNDECIDED,
    JsonOption,
    LatexOption,
    app,
    expect_one_form,
    named,
)
from trpo_theory.cli.output import busy, fail, print_json, print_latex, progress
from trpo_theory.cli.verdicts import print_verdicts
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
SeedOption = Annotated[int, typer.Option("--seed", metavar="K", help="The same seed gives the same result.")]


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
    histogram: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.pdf|.png",
            help="Draw the slacks over 5,000 random instances, a panel for each claim (12 at most).",
            callback=named,
        ),
    ] = None,
    as_json: JsonOption = False,
    latex: LatexOption = False,
) -> int:
    """Verdicts on claims: refuted with a proved witness, proved, or unrefuted in so many instances."""
    from trpo_theory.verification.verifying import plan, verify

    expect_one_form(json=as_json, latex=latex)
    if out is not None:
        _checked_directory(Path(out))
    claims = chosen(ids, from_file)
    if histogram is not None:
        _expect_panels(claims, histogram)
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
    if histogram is not None:
        _draw(claims, histogram, seed=seed, states=states, actions=actions)
    status = _status(verification)
    if as_json:
        print_json({"claims": [verdict.to_fields() for verdict in verification]})
        return status
    if latex:
        from trpo_theory.report.verdict_tables import verdicts_table

        print_latex(verdicts_table(verification))
        return status
    print_verdicts(verification, written=out is not None)
    return status


def _expect_panels(claims: list[Claim], path: str) -> None:
    """Refuse a figure that cannot be written, or of too many claims, before anything is searched."""
    from trpo_theory.report.slack_figure import MOST
    from trpo_theory.report.style import checked_figure_path

    checked_figure_path(path)
    if len(claims) > MOST:
        raise InvalidInput(
            got=f"--histogram with {len(claims)} claims",
            wanted=f"{MOST} at most",
            fix="name the claims, or a pattern of them",
        )


def _draw(claims: list[Claim], path: str, **settings: Any) -> None:
    """The histogram, with a note where it is."""
    from trpo_theory.report.slack_figure import slack_histogram
    from trpo_theory.report.style import save_as
    from trpo_theory.verification.slack_sample import sampled_slacks

    with own_errors(), busy("drawing"):
        samples = [sampled_slacks(claim, **settings) for claim in claims]
        save_as(slack_histogram(samples), path)
    print(f"slacks of {sum(len(sample.slack) for sample in samples)} instances are in {path}", file=sys.stderr)


def claims_of(path: str) -> list[Claim]:
    """The claims that a file of the user defines."""
    from trpo_theory.claims.from_file import read_claims

    return read_claims(path)


def chosen(ids: list[str] | None, from_file: str | None, *, words: bool = False) -> list[Claim]:
    """The claims meant: of the file, if there is one, else of the catalogue; `words` of their records may stand for ids."""
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
    if words:
        from trpo_theory.claims import by_words

        return by_words.found(ids, own, listing)
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
    from trpo_theory.report.verdict_tables import verdicts_table
    from trpo_theory.verification.checksums import damaged_results, write_checksums
    from trpo_theory.verification.portable import witness_name

    for name in damaged_results(directory):
        print(f"note: {name} was damaged or lost: it was written again", file=sys.stderr)
    table = Table(verification.to_frame(), caption="Verdicts on claims", label="tab:verdicts")
    written = [path.name for path in write(table, directory, "verdicts", suffixes=(".csv",))]
    written += [path.name for path in write(verdicts_table(verification), directory, "verdicts", suffixes=(".tex",))]
    page = verdicts_table(verification, columns=tuple(verification.to_short_frame()))
    written += [path.name for path in write(page, directory, "verdicts", suffixes=(".md",))]
    for verdict in verification:
        if verdict.witness is not None:
            written.append(f"{witness_name(verdict.id)}.json")
            write_fields(verdict.witness.to_fields(), directory / written[-1])
    write_checksums(directory, written)
