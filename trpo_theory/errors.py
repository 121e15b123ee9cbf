"""The exceptions that this package raises on purpose."""

from __future__ import annotations

from typing import Any

_LONGEST = 800
"""Characters of a quoted value that a message shows, its two ends. Chosen: ten lines of a terminal."""


class TrpoTheoryError(Exception):
    """Any error that this package raises on purpose."""


class InvalidInput(TrpoTheoryError, ValueError):
    """Input that cannot be used, in one message: what was got, what was wanted, and the fix.

    >>> raise InvalidInput(got="gamma = 1", wanted="a number in [0, 1)", fix="pass 0.99")
    Traceback (most recent call last):
    ...
    trpo_theory.errors.InvalidInput: got gamma = 1; wanted a number in [0, 1); fix: pass 0.99
    """

    got: str
    wanted: str
    fix: str

    def __init__(self, *, got: str, wanted: str, fix: str | None = None, mend: str | None = None) -> None:
        """`mend` is accepted as the former name of `fix`."""
        fix = mend if fix is None else fix
        if fix is None:
            raise TypeError("InvalidInput needs the keyword argument fix")
        if len(got) > _LONGEST:  # a value quoted in full, and its value was a file
            got = f"{got[: _LONGEST // 2]} ... {got[-_LONGEST // 4 :]}"
        self.got, self.wanted, self.fix = got, wanted, fix
        super().__init__(f"got {got}; wanted {wanted}; fix: {fix}")

    @property
    def mend(self) -> str:
        """`fix`, under its former name, for scripts that read it."""
        return self.fix

    def __reduce__(self) -> tuple[Any, ...]:
        return _invalid_input, (self.got, self.wanted, self.fix)


def _invalid_input(got: str, wanted: str, fix: str) -> InvalidInput:
    """From what a pickle holds: a worker's error is the caller's."""
    return InvalidInput(got=got, wanted=wanted, fix=fix)


class RowsRescaled(UserWarning):
    """Rows of probabilities that were read missed a sum of 1 by what rounding to few digits explains: divided by their sums.

    `strict=True` of `load` and `load_policy`, `--strict` on the command line, and `warnings.simplefilter("error", RowsRescaled)`
    refuse them instead.
    """


class NotSolved(TrpoTheoryError, ArithmeticError):
    """A computation whose own check (residual, gap) says that its numbers are not to be used."""


def overflow(what: str) -> NotSolved:
    """The error for numbers that overflow, or would in a sum of a few of them: what comes of an infinity is no result."""
    return NotSolved(
        f"got {what} near or beyond the largest float, 1.8e308; wanted finite numbers; fix: rescale the rewards, dividing them "
        "by the largest: returns, penalties and slacks scale with them"
    )


def too_long() -> NotSolved:
    """The error for runs up to an end, or back to a state, whose length floats do not tell: values may be of either sign then."""
    return NotSolved(
        "got runs that are too long for floats to tell their length; wanted a policy that ends, or returns to a "
        "state, in less than some 1e13 steps; fix: use a horizon, or a discount below 1"
    )


class NotKnown(TrpoTheoryError, LookupError):
    """A quantity that was read where only some quantities are known: the formula depends on more than those.

    It is not an AttributeError, so that a misspelt name is never taken for a quantity that is not known.

    Attributes:
        name: the quantity, as `Quantities` has it.
    """

    name: str

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"the quantity {name} is not known here")

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return NotKnown, (self.name,)


class ClaimFailed(TrpoTheoryError):
    """A claim's own code raised an exception: fix the claim, not this library.

    Attributes:
        claim_id: the claim.
        complaint: the exception, with the line of the user's file that raised it.
    """

    claim_id: str
    complaint: str

    def __init__(self, claim_id: str, complaint: str) -> None:
        self.claim_id, self.complaint = claim_id, complaint
        super().__init__(f"the claim {claim_id} raised {complaint}")

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return ClaimFailed, (self.claim_id, self.complaint)
