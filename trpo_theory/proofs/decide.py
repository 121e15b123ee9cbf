"""`decide`: a claim on one exact instance, proved or refuted, at as much precision as it takes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory._outward import Toward, decimal_toward
from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.numerics.ball.raw import Undecided, answering, precision, rounded_constants
from trpo_theory.proofs.evaluations import Evaluations
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.quantities import Quantities

_FIRST = 64
"""Bits of the first attempt: a little more than a float's. Chosen."""
_ROUNDED_LIMIT = 256
"""Bits of the last attempt at a formula with rounded constants, whose intervals do not shrink with the balls. Chosen."""
_DIGITS = 10
"""Significant digits of an enclosure that a person reads. Chosen."""
_UNDEFINED, _UNKNOWN = "undefined", "unknown"
_SHOWN_DIGITS = 12
"""An exact fraction with more digits than this above or below is shown as a decimal enclosure."""


@dataclass(frozen=True)
class Decision:
    """What was decided of a claim on one instance.

    Attributes:
        verdict: proved or refuted, each of them by exact arithmetic; vacuous where the hypothesis is proved false.
        lower, upper: rationals that enclose the slack, its least entry where it has several (of an identity, the one
            furthest from 0); None where it is not finite or not known.
        precision: bits at which it was decided, or given up.
        met: whether the hypothesis is proved to hold, or not to; None where that is open.
        enclosure: the slack as a reader sees it, rounded outward: "-3/20", "[-0.1500000001, -0.1499999999]", "inf".
        constants: where it is undecided, the rounded floats of the formula, such as 1/3, that it may depend on.
    """

    verdict: Outcome
    lower: Fraction | None
    upper: Fraction | None
    precision: int
    met: bool | None
    enclosure: str
    constants: tuple[float, ...] = ()

    def __repr__(self) -> str:
        return f"Decision({self.verdict}, slack {self.enclosure}, met={self.met}, precision={self.precision})"


def decide(
    slack: Callable[[Quantities], Any],
    instance: ExactInstance | Evaluations,
    *,
    given: Callable[[Quantities], Any] | None = None,
    relation: str = ">=",
    limit: int = 4096,
    first: int = _FIRST,
) -> Decision:
    """Prove or refute slack ≥ 0 (or slack = 0) on one instance: in enclosing balls, and where these leave it open exactly.

    Args:
        slack: a formula over `Quantities`: a number, or an array each entry of which must comply. Where it is "nothing"
            (0 · ∞, ∞ − ∞) the claim says nothing and holds. A float in it is the decimal that it is written as, or an interval
            about a rounded one: what depends on where in it the number lies stays undecided.
        instance: the instance, or what several formulas share of it.
        given: the hypothesis, a condition over `Quantities`; arrays must hold throughout.
        relation: ">=" or "=".
        limit: the most bits. What is open there, such as an equality of transcendental numbers, stays undecided.
        first: bits of the first attempt with exact solutions; they double until it is decided.

    Returns:
        A `Decision`. Errors of the formulas themselves come through unchanged.

    Raises:
        InvalidInput: for an unknown relation, or a slack that is no number.
    """
    if relation not in (">=", "="):
        raise InvalidInput(got=f"relation = {relation!r}", wanted="'>=' or '='", fix="turn the inequality round")
    evaluations = instance if isinstance(instance, Evaluations) else Evaluations(instance)
    attempt = functools.partial(_attempt, slack, given=given, relation=relation)
    exact = evaluations.has_exact_solutions
    for bits in (bits for bits in evaluations.enclosing_bits if bits <= limit):
        last = not exact and bits == evaluations.enclosing_bits[-1]
        found = _enclosed_attempt(attempt, evaluations, bits, last=last)
        if found is not None:
            return found
    return _exactly(attempt, evaluations, min(first, limit), limit)


_CLEAR = Fraction(1, 2**60)
"""Relative width of a slack's enclosure up to which balls need no more bits. Chosen: 18 digits, and a file has 15."""


def _enclosed_attempt(
    attempt: Callable[..., Decision], evaluations: Evaluations, bits: int, *, last: bool
) -> Decision | None:
    """The decision of enclosing balls; None where they leave it open, or the slack known to a few digits only.

    What goes wrong in the formula goes wrong with exact numbers, too, and is theirs to say; the last attempt says it itself.
    """
    try:
        with precision(bits), rounded_constants() as constants:
            found = attempt(evaluations.enclosed(bits), bits=bits)
    except Exception:
        if last:
            raise
        return None
    if last:
        return replace(found, constants=tuple(sorted(constants))) if found.verdict is Outcome.UNDECIDED else found
    lower, upper = found.lower, found.upper
    if found.verdict is Outcome.UNDECIDED or (
        lower is not None and upper is not None and upper - lower > _CLEAR * max(abs(lower), abs(upper))
    ):
        return None
    return found


def _exactly(attempt: Callable[..., Decision], evaluations: Evaluations, bits: int, limit: int) -> Decision:
    """The decision with exact solutions: the precision of what is not rational doubles until it is decided."""
    while True:
        with precision(bits), rounded_constants() as constants:
            decision = attempt(evaluations.exact(bits), bits=bits)
        last = bits >= (min(limit, _ROUNDED_LIMIT) if constants else limit)
        if decision.verdict is not Outcome.UNDECIDED:
            return decision
        if decision.enclosure == _UNKNOWN and bits <= _BOTH_WAYS_LIMIT:
            with precision(bits):
                both = either_way(lambda bits=bits: attempt(evaluations.afresh(), bits=bits))
            if both is not None:
                return both
        if decision.enclosure == _UNDEFINED or last:
            return replace(decision, constants=tuple(sorted(constants)))
        bits = min(2 * bits, limit)


_BOTH_WAYS_LIMIT = 256
"""Bits up to which open comparisons are answered both ways. Chosen: a tie stays one, and each answer costs an evaluation."""
_ANSWERS = 16
"""Ways through a formula that are tried. Chosen: four comparisons that are open."""
_ALIKE = Fraction(1, 10**7)
"""Relative width of the slack over all of them, up to which they count as one result. Chosen: witnesses have 6 digits of it."""


def either_way(attempt: Callable[[], Decision]) -> Decision | None:
    """The decision if it is the same however the comparisons that are open are answered, as of numbers that are equal.

    One of the ways through the formula is what its exact numbers take: what is proved of all of them is proved.

    Args:
        attempt: decides at the precision in force, from quantities of its own.

    Returns:
        The decision, whose enclosure is of all ways; None where they differ, or are too many.
    """
    ways: list[list[bool]] = [[]]
    found: list[Decision] = []
    while ways:
        way = ways.pop()
        before = len(way)
        try:
            with answering(functools.partial(_answered, way, iter(tuple(way)))):
                found.append(attempt())
        except Exception:  # on a way that the exact numbers may not take
            return None
        ways += [[*way[:place], False] for place in range(before, len(way))]
        if found[-1].verdict is not found[0].verdict or len(found) + len(ways) > _ANSWERS:
            return None
    return _of_all(found)


def _answered(way: list[bool], given: Iterator[bool]) -> bool | None:
    """The next answer: one that is given, else a new one, yes; None beyond the limit."""
    if (known := next(given, None)) is not None:
        return known
    if len(way) >= _ANSWERS:
        return None
    way.append(True)
    return True


def _of_all(found: list[Decision]) -> Decision | None:
    """One decision for several with the same verdict, if their slacks are as good as equal."""
    first = found[0]
    if first.verdict not in (Outcome.REFUTED, Outcome.PROVED):
        return None
    if all(one.enclosure == first.enclosure for one in found):
        return first
    lowest, highest = [one.lower for one in found], [one.upper for one in found]
    if None in lowest or None in highest:
        return None
    lower, upper = min(x for x in lowest if x is not None), max(x for x in highest if x is not None)
    if upper - lower > _ALIKE * max(abs(lower), abs(upper)):
        return None
    return replace(first, lower=lower, upper=upper, enclosure=_written(lower, upper))


def _attempt(slack: Any, q: Quantities, *, given: Any, relation: str, bits: int) -> Decision:
    met: bool | None = None
    try:
        met = given is None or _holds(given(q))
        if not met:
            return Decision(Outcome.VACUOUS, None, None, bits, False, _UNKNOWN)
        entries = _numbers(slack(q))
    except Undecided:
        return Decision(Outcome.UNDECIDED, None, None, bits, met, _UNKNOWN)
    with answering(None):  # of the slack itself nothing is assumed
        complies = [_complies(entry, relation) for entry in entries]
    verdict = Outcome.REFUTED if False in complies else Outcome.UNDECIDED if None in complies else Outcome.PROVED
    shown = [entry for entry, yes in zip(entries, complies, strict=True) if yes is not True] or entries
    if verdict is Outcome.REFUTED:
        shown = [entry for entry, yes in zip(entries, complies, strict=True) if yes is False]
    lower, upper, text = _enclosed(shown, relation)
    return Decision(verdict, lower, upper, bits, met, text)


def _holds(condition: Any) -> bool:
    if condition is None:
        raise InvalidInput(
            got="a hypothesis that is None", wanted="true or false", fix="return the condition from the function"
        )
    return all([bool(held) for held in np.asarray(condition, dtype=object).ravel()])


def _numbers(slack: Any) -> list[Ball]:
    entries = list(np.asarray(slack, dtype=object).ravel())
    if not entries or any(entry is None or isinstance(entry, bool | np.bool_) for entry in entries):
        raise InvalidInput(
            got=f"a slack that is {'empty' if not entries else 'no number'}: {slack!r}",
            wanted="a number, at least 0 where the claim holds",
            fix="return the larger side minus the smaller one",
        )
    return [Ball(entry) for entry in entries]


def _complies(entry: Ball, relation: str) -> bool | None:
    """Whether an entry is proved to comply, or not to; None where that is open. Nothing complies."""
    if entry.is_undefined:
        return None
    if entry.is_nothing:
        return True
    try:
        return bool(entry >= 0 if relation == ">=" else entry == 0)
    except Undecided:
        return None


def _enclosed(entries: list[Ball], relation: str) -> tuple[Fraction | None, Fraction | None, str]:
    """What encloses the least entry (of an identity, the one furthest from 0), and how it is written."""
    finite = [entry for entry in entries if entry.is_finite]
    if relation == ">=" and any(entry == -np.inf for entry in entries if not entry.is_finite):
        return None, None, "-inf"
    if not finite:
        undefined, infinite = any(e.is_undefined for e in entries), [e for e in entries if not e.is_nothing]
        return None, None, _UNDEFINED if undefined else str(infinite[0].raw) if infinite else "nothing"
    if relation == "=":
        finite = [max(finite, key=lambda entry: abs(entry.midpoint))]
    try:
        lower, upper = min(entry.lower for entry in finite), min(entry.upper for entry in finite)
    except OverflowError:
        return None, None, repr(finite[0])
    return lower, upper, _written(lower, upper)


def _written(lower: Fraction, upper: Fraction) -> str:
    if lower == upper and max(abs(lower.numerator), lower.denominator) < 10**_SHOWN_DIGITS:
        return str(lower)
    return f"[{decimal_toward(lower, _DIGITS, Toward.DOWN)}, {decimal_toward(upper, _DIGITS, Toward.UP)}]"
