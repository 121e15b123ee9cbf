"""The command line: verbs over the library's functions, tables for people, one JSON object for scripts."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import typer

from trpo_theory.cli import (
    auditing,
    bounding,
    certification,
    evaluation,
    falsifying,
    fields,
    improving,
    listing,
    proving,
    reporting,
    sharp,
    showing,
    streams,
    updating,
    verifying,
    worst,
)
from trpo_theory.cli.garbage import collected_rarely
from trpo_theory.cli.options import BAD_INPUT, INTERRUPTED, OK, UNDECIDED, app, command_for
from trpo_theory.cli.output import fail, notes_of_rescaled_rows
from trpo_theory.cli.signals import terminations_interrupt
from trpo_theory.errors import InvalidInput, NotSolved

__all__ = [
    "app",
    "auditing",
    "bounding",
    "certification",
    "evaluation",
    "falsifying",
    "fields",
    "improving",
    "listing",
    "main",
    "proving",
    "reporting",
    "sharp",
    "showing",
    "updating",
    "verifying",
    "worst",
]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; errors become one message and an exit status, which is 1 only where a check failed."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (for as long as the process lives)
    known = sys.stdout
    try:
        stdout = streams.expect_open(known)
        with collected_rarely(), streams.ascii_where_needed(), terminations_interrupt(), notes_of_rescaled_rows():
            status = _run(arguments)
            stdout.flush()
        return status
    except InvalidInput as error:
        return fail(str(error), BAD_INPUT)
    except OSError as error:
        return _gave_up(error, known)
    except SystemExit as stop:
        return _gave_up(streams.broken_pipe(stop) or stop, known)


def _gave_up(error: BaseException, stdout: Any) -> int:
    sys.stdout = stdout
    streams.discard(stdout)
    return fail(str(streams.surroundings(error)), BAD_INPUT)


def _run(arguments: list[str] | None) -> int:
    usage_error: Any = typer.BadParameter.__mro__[1]
    try:
        arguments = sys.argv[1:] if arguments is None else arguments
        status = command_for(arguments)(arguments, standalone_mode=False)
        return status if isinstance(status, int) else OK
    except (InvalidInput, OSError):
        raise
    except NotSolved as error:
        return fail(str(error), UNDECIDED)
    except KeyboardInterrupt:
        return fail("interrupted", INTERRUPTED)
    except MemoryError:
        return fail(
            "got an MDP that does not fit in memory; wanted a smaller or sparser one; "
            "fix: store the transition as a sparse (S*A, S) matrix",
            BAD_INPUT,
        )
    except usage_error as error:
        message = getattr(error, "format_message", error.__str__)().rstrip(".")
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "trpo-theory"
        problem = " ".join((message[:1].lower() + message[1:]).removeprefix("got ").split())
        return fail(f"got {problem}; wanted the form that {command} --help shows; fix: see its example", BAD_INPUT)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return fail(
            f"got an error of this program, {type(error).__name__}: {' '.join(str(error).split())[:400]} "
            f"({os.path.basename(where.filename)}, line {where.lineno}); wanted none; fix: report it, with the command",
            BAD_INPUT,
        )
