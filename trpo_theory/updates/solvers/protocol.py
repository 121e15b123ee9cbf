"""`Solver`: what `update(..., solver=...)` takes."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

from trpo_theory.updates.problems import Problem
from trpo_theory.updates.solvers.answer import Answer
from trpo_theory.updates.surrogate import Surrogate


@runtime_checkable
class Solver(Protocol):
    """A solver of update problems, a value such as `Dual()`: derive from this class and write one method, `solve`.

    To add one to the command line and to the tests, put it in a file of this folder, which is found because it lists it as
    OFFERED = (Mine(),), and write its row in the table of tests/updates/test_solvers.py.

    Attributes:
        takes: which problems, in words, for the message about one that it does not support.
        advice: what to do about an answer of this solver that is not optimal.
    """

    takes: ClassVar[str] = "any problem"
    advice: ClassVar[str] = "use Dual(), or a tighter tolerance of this solver"

    def solve(self, surrogate: Surrogate, problem: Problem) -> Answer:
        """A policy near the maximiser of the problem, and multipliers that prove how near.

        Args:
            surrogate: old, A and ρ, (A, G, B); all instances of a batch at once.
            problem: one that the solver supports.

        Raises:
            InvalidInput: for a surrogate or options that the solver cannot take.
            NotSolved: where there is no answer at all; an answer that is only bad is returned, its gap says how bad.
        """
        ...

    def supports(self, problem: Problem) -> bool:
        """Whether the solver takes the problem at all; `update` refuses the others. All, unless it is written anew."""
        return True
