"""`settle`: a claim on one exact instance, decided in ball arithmetic."""

from __future__ import annotations

import contextlib
import dataclasses
import dis
import functools
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.claims.from_file import complaint
from trpo_theory.errors import ClaimFailed
from trpo_theory.numerics.ball.python import REWIRING
from trpo_theory.proofs.decide import Decision, decide
from trpo_theory.step.exact import ExactInstance

_PACKAGE = Path(__file__).resolve().parents[1]


class _Nowhere(io.TextIOBase):
    """What is written to it is lost."""

    def write(self, s: str, /) -> int:
        """Nothing."""
        return len(s)


_NOWHERE = _Nowhere()


def settle(claim: Claim, instance: ExactInstance) -> Decision:
    """The claim on one exact instance, decided in balls.

    Raises:
        ClaimFailed: if the claim's formula cannot be computed in balls.
    """
    plain = in_balls(claim)
    with own_code(claim, quiet=True), np.errstate(all="ignore"):  # flint's own arithmetic raises the processor's flags
        return decide(
            lambda q: plain.signed_slack(plain.stepped(q)),
            instance,
            given=None if plain.given is None else lambda q: plain.met(plain.stepped(q)),
            relation=claim.relation,
        )


@functools.lru_cache(maxsize=256)
def in_balls(claim: Claim) -> Claim:
    """The claim whose own code, where it is not of the package, calls the `max`, `sorted`, `math.sqrt`, ... of balls."""
    changes: dict[str, Any] = {}
    for name in ("formula", "given", "step", "shift", "residual"):
        function = getattr(claim, name, None)
        if function is not None and (copy := REWIRING.rewired(function, everywhere=False)) is not function:
            changes[name] = copy
    return dataclasses.replace(claim, **changes) if changes else claim


@contextlib.contextmanager
def own_code(claim: Claim, *, quiet: bool = False) -> Iterator[None]:
    """Whatever the claim's code raises in the block is a `ClaimFailed`: sys.exit, and a KeyboardInterrupt that it raises itself.

    quiet: what it prints is not shown, as where it is run thousands of times.

    Raises:
        ClaimFailed: with the line of the claim's file.
    """
    try:
        with contextlib.redirect_stdout(_NOWHERE) if quiet else contextlib.nullcontext():
            yield
    except ClaimFailed:
        raise
    except KeyboardInterrupt as error:
        if not _is_raised_by_code(error):
            raise
        raise failed(claim, error) from error
    except BaseException as error:  # of any kind: a formula may raise SystemExit or GeneratorExit
        raise failed(claim, error) from error


def _is_raised_by_code(error: KeyboardInterrupt) -> bool:
    """Whether a raise statement outside of this package raised it, and not a signal."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    code = trace.tb_frame.f_code
    raised = code.co_code[trace.tb_lasti] == dis.opmap["RAISE_VARARGS"]
    return raised and not Path(code.co_filename).is_relative_to(_PACKAGE)


def failed(claim: Claim, error: BaseException) -> ClaimFailed:
    """The exception that says whose code it was, and where."""
    return ClaimFailed(claim.id, complaint(error, claim.file))
