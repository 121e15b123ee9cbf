"""`Evaluations`: the quantities of a step as `decide` asks for them, in enclosing balls first and with exact solutions for ties.

| stage | bits | linear systems | decides |
|---|---|---|---|
| enclosing balls | 192, 768 | verified solutions in balls | every sign that is not 0 |
| exact rationals | 64, 128, ..., 4096 | elimination in rationals; balls for roots and logarithms | what is exactly 0, too |

The first is skipped for a step of few states and short numbers, whose exact solutions are no longer than a ball and are shown as
they are, -3/20; the second for one whose exact solutions would take minutes, which gets a third attempt in balls instead.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np

from trpo_theory.numerics.arithmetic import Arithmetic
from trpo_theory.numerics.ball.arrays import BallArray, plain
from trpo_theory.numerics.ball.enclosing import EnclosingBalls
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.numerics.ball.raw import Undecided, arb, precision
from trpo_theory.step.quantities import Quantities

ENCLOSING_BITS = (192, 768)
"""Of attempts in enclosing balls. Measured: 192 bits decide what is no tie; chosen: 768, so that 1e-200 is not taken for 0."""
_LAST_BITS = 3072
"""Of one more, where exact solutions are out of reach. Chosen: the least float, squared, is not taken for 0."""
_SHORT_SOLUTION = 256
"""Bits of an exact solution up to which it costs no more than one in balls, and is shown. Measured."""
_EXACT_WORK = 2_000_000
"""States times bits of an exact solution up to which exact rationals decide ties. Measured: 64 states of floats, some minutes."""
T = TypeVar("T")


class Step(Protocol):
    """What has quantities in any arithmetic of balls: an `ExactInstance`."""

    @property
    def solution_bits(self) -> float:
        """About the length of the denominators of exact values."""
        ...

    @property
    def solved_states(self) -> int:
        """States of its linear systems: with a horizon those of every step."""
        ...

    def quantities(self, arithmetic: Arithmetic | None = None) -> Quantities:
        """The quantities, in exact rationals if no other arithmetic is given."""
        ...


class Evaluations:
    """The quantities of one step at each precision, made once.

    Args:
        step: the step.
        posed: what turns them into those that are read, as of a setting.
    """

    def __init__(self, step: Step, posed: Callable[[Quantities], Quantities] = lambda q: q) -> None:
        self._step, self._posed = step, posed
        self._plain: dict[int, Quantities] = {}
        self._found: dict[tuple[int, bool], Quantities] = {}

    @property
    def enclosing_bits(self) -> tuple[int, ...]:
        """Bits of the attempts in enclosing balls."""
        if self._step.solution_bits <= _SHORT_SOLUTION:
            return ()
        return ENCLOSING_BITS if self.has_exact_solutions else (*ENCLOSING_BITS, _LAST_BITS)

    @property
    def has_exact_solutions(self) -> bool:
        """Whether exact solutions are within reach."""
        return self._step.solved_states * self._step.solution_bits <= _EXACT_WORK

    def enclosed(self, bits: int) -> Quantities:
        """In enclosing balls; inside `with precision(bits)`."""
        if (bits, False) not in self._found:
            self._found[bits, False] = self._posed(self._step.quantities(EnclosingBalls()))
        return self._found[bits, False]

    def exact(self, bits: int) -> Quantities:
        """With exact solutions, likewise: what is rational, or a proved comparison, is not computed again for more bits."""
        if (bits, True) not in self._found:
            last = max(self._plain, default=None)
            self._plain[bits] = self._step.quantities() if last is None else _without_enclosures(self._plain[last])
            self._found[bits, True] = self._posed(self._plain[bits])
        return self._found[bits, True]

    def read(self, read: Callable[[Quantities], T], bits: int) -> T:
        """What is read of the quantities at so many bits: in enclosing balls, unless numbers are short or that leaves it open."""
        if self.enclosing_bits:
            with contextlib.suppress(Undecided), precision(max(bits, ENCLOSING_BITS[0])):
                return read(self._posed(self._step.quantities(EnclosingBalls())))
        with precision(bits):
            return read(self.afresh())

    def afresh(self) -> Quantities:
        """With exact solutions, and nothing known."""
        return self._posed(self._step.quantities())


def _without_enclosures(q: Quantities) -> Quantities:
    """The same quantities for more precision: what is rational, or a proved comparison, need not be computed again."""
    other = copy.copy(q)
    for name, value in vars(q).items():
        if isinstance(value, dict):  # what is computed piece by piece
            vars(other)[name] = {key: part for key, part in value.items() if not _has_enclosures(part)}
        elif _has_enclosures(value):
            del vars(other)[name]
    return other


def _has_enclosures(value: Any) -> bool:
    return isinstance(value, Ball | BallArray) and any(type(x.raw) is arb for x in np.ravel(plain(value)))
