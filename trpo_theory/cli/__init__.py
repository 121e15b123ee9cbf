"""The command line: verbs over the library's functions, tables for people, one JSON object for scripts."""

from __future__ import annotations

import sys
from typing import Any

import typer

from trpo_theory.cli import auditing, evaluation, sharp, updating, verifying, worst
from trpo_theory.cli.options import BAD_INPUT, INTERRUPTED, OK, UNDECIDED, app
from trpo_theory.cli.output import fail
from trpo_theory.errors import InvalidInput, NotSolved

__all__ = ["app", "auditing", "evaluation", "main", "sharp", "updating", "verifying", "worst"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; errors that the package raises become one message and an exit status."""
    usage_error: Any = typer.BadParameter.__mro__[1]
    try:
        status = app(arguments, standalone_mode=False)
        return status if isinstance(status, int) else OK
    except InvalidInput as error:
        return fail(str(error), BAD_INPUT)
    except NotSolved as error:
        return fail(str(error), UNDECIDED)
    except KeyboardInterrupt:
        return fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        return OK
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
        problem = message[:1].lower() + message[1:]
        return fail(f"got {problem}; wanted the form that {command} --help shows; fix: see its example", BAD_INPUT)
