"""Ranges, monotonicity and concavity of expressions: by the rules of composition, or, of one divergence, box by box."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from fractions import Fraction

from trpo_theory.numerics.ball.raw import Real, Undecided, fmpq
from trpo_theory.proofs.joint_range.expression import Expression
from trpo_theory.proofs.joint_range.graded import EXP, LOG, Function, power_function
from trpo_theory.proofs.joint_range.intervals import INFINITE, Interval, Jet, rational
from trpo_theory.proofs.joint_range.rows import TV, row_field

_PIECES = 64
"""Of a range, where a sign is checked box by box. Chosen."""
_ANY = Interval(-INFINITE, INFINITE)


def span(expression: Expression) -> Interval:
    """Between which numbers its values lie, for any rows."""
    op, args = expression.op, expression.args
    if op == "constant":
        return Interval.at(expression.value)
    if op == "field":
        known = None if expression.value == TV else row_field(expression.value)
        largest = Fraction(1) if known is None else known.largest
        return Interval(fmpq(0), INFINITE if largest is None else rational(largest))
    ranges = [span(arg) for arg in args]
    try:
        return _span(op, ranges, expression.value)
    except Undecided:
        return _ANY


def _span(op: str, ranges: list[Interval], value: Fraction) -> Interval:
    x = ranges[0]
    if op == "+":
        return x + ranges[1]
    if op == "*":
        return x * ranges[1]
    if op in ("min", "max"):
        return x.least(ranges[1]) if op == "min" else x.largest(ranges[1])
    if op == "power":
        return x.power(value)
    if op in ("log", "exp"):
        return x.map((EXP if op == "exp" else LOG).value)
    return x.largest(-x) if op == "abs" else x


def defined(expression: Expression) -> bool:
    """Whether roots, logarithms and negative powers are of what is ≥ 0 for all rows: they are then continuous up to 0 and ∞."""
    partial = expression.op == "log" or (expression.op == "power" and not _whole(expression.value))
    if partial and not span(expression.args[0]).low >= 0:
        return False
    return all(defined(arg) for arg in expression.args)


def _whole(a: Fraction) -> bool:
    return a.denominator == 1 and a > 0


def direction(expression: Expression, leaf: Expression) -> int | None:
    """1 where it does not fall with the leaf, −1 where it does not rise, 0 without it; None where neither is seen."""
    found = _direction(expression, leaf)
    if found is None:
        for sign in (1, -1):
            if _signed_throughout(expression, leaf, lambda x: x.gradient[0], sign):
                return sign
    return found


def _direction(expression: Expression, leaf: Expression) -> int | None:
    if expression == leaf:
        return 1
    op, args = expression.op, expression.args
    if op in ("constant", "field", "max_s", "min_s"):
        return 0
    signs = [direction(arg, leaf) for arg in args]
    if not any(sign != 0 for sign in signs):
        return 0
    if op in ("+", "min", "max"):
        return _common(signs)
    if op == "*":
        return _common([_times(signs[0], span(args[1])), _times(signs[1], span(args[0]))])
    if op == "power" and not _whole(expression.value):
        return _flipped(signs[0], expression.value < 0)
    if op in ("power", "abs"):
        if op == "power" and expression.value.numerator % 2:
            return signs[0]
        return _times(signs[0], span(args[0]))
    return signs[0]  # exp and log


def _flipped(sign: int | None, down: bool) -> int | None:
    return None if sign is None else -sign if down else sign


def _times(sign: int | None, factor: Interval) -> int | None:
    """Of a product's part, whose other factor has this range."""
    if sign == 0:
        return 0
    return sign if factor.low >= 0 else _flipped(sign, True) if factor.high <= 0 else None


def _common(signs: list[int | None]) -> int | None:
    """The sign of a sum."""
    some = {sign for sign in signs if sign != 0}
    return 0 if not some else some.pop() if len(some) == 1 else None


def is_concave(expression: Expression) -> bool:
    """Whether it is seen to be concave in all its leaves at once: as a whole, or in groups of terms with the same leaves."""
    if curvature(expression) in (0, -1):
        return True
    groups: dict[frozenset[Expression], Expression] = {}
    for term in terms(expression):
        key = frozenset(term.leaves())
        groups[key] = groups[key] + term if key in groups else term
    return all(curvature(group) in (0, -1) or _is_concave_alone(group) for group in groups.values())


def terms(expression: Expression) -> list[Expression]:
    """Of a sum."""
    if expression.op == "+":
        return [term for arg in expression.args for term in terms(arg)]
    if expression.op == "*" and expression.args[0].is_constant and expression.args[1].op == "+":
        return [expression.args[0] * term for term in terms(expression.args[1])]
    return [expression]


def is_linear(expression: Expression) -> bool:
    """Whether it is a sum of numbers times leaves; a number may be a formula, such as log 2."""
    return all(_is_multiple(term) for term in terms(expression))


def _is_multiple(term: Expression) -> bool:
    if term.op == "*":
        first, second = (any(True for _ in arg.leaves()) for arg in term.args)
        return first != second and _is_multiple(term.args[0] if first else term.args[1])
    return term.op == "field"


def _is_concave_alone(expression: Expression) -> bool:
    """By its second derivative, if it has one leaf."""
    leaves = set(expression.leaves())
    if len(leaves) != 1:
        return not leaves
    return _signed_throughout(expression, leaves.pop(), lambda x: x.hessian[0], -1)


def curvature(expression: Expression) -> int | None:
    """1 for convex, −1 for concave, 0 for affine, None where none is seen: the rules of composition."""
    op, args = expression.op, expression.args
    if op in ("constant", "field", "max_s", "min_s"):
        return 0
    if op == "*":
        if not args[0].is_constant:
            return None
        bend = curvature(args[1])
        return bend if args[0].value >= 0 else _flipped(bend, True) if args[0].value < 0 else None
    bends = [curvature(arg) for arg in args]
    if op == "+":
        return _common(bends)
    if op in ("min", "max"):
        bend = _common([*bends, 1 if op == "max" else -1])
        return bend
    if op == "power":
        return _of_power(expression.value, bends[0], span(args[0]))
    if op == "abs":
        return 1 if bends[0] == 0 else None
    wanted = 1 if op == "exp" else -1
    return wanted if bends[0] in (0, wanted) else None


def _of_power(a: Fraction, bend: int | None, x: Interval) -> int | None:
    if 0 < a < 1:
        return -1 if bend in (0, -1) else None
    if a < 0:
        return 1 if bend in (0, -1) and x.low >= 0 else None
    if bend == 0:
        return 1 if x.low >= 0 or a.numerator % 2 == 0 else None
    return 1 if bend == 1 and x.low >= 0 else None


def _signed_throughout(expression: Expression, leaf: Expression, part: Callable[[Jet], Interval], sign: int) -> bool:
    """Whether a derivative in the only leaf keeps a sign on its range, which has to be bounded."""
    if set(expression.leaves()) != {leaf}:
        return False
    whole = span(leaf)
    if not whole.high < INFINITE:
        return False
    pieces = [whole.low + (whole.high - whole.low) * k / _PIECES for k in range(_PIECES + 1)]
    for ends in itertools.pairwise(pieces):
        try:
            found = part(jet(expression, {leaf: Jet.variable(Interval(*ends), 0, 1)}))
        except Undecided:
            return False
        if not (found.low >= 0 if sign > 0 else found.high <= 0):
            return False
    return True


def jet(expression: Expression, leaves: Mapping[Expression, Jet]) -> Jet:
    """The value and derivatives of an expression of one leaf."""
    if expression in leaves:
        return leaves[expression]
    op, args = expression.op, [jet(arg, leaves) for arg in expression.args]
    if op == "constant":
        return Jet.constant(Interval.at(expression.value), 1)
    if op in ("+", "*"):
        return args[0] + args[1] if op == "+" else args[0] * args[1]
    if op == "power":
        return args[0].power(expression.value)
    if op in ("exp", "log"):
        return _composed(EXP if op == "exp" else LOG, args[0])
    raise Undecided(f"a derivative of {op}")


def _composed(function: Function, x: Jet) -> Jet:
    first, second, _ = function.slopes(x.value)
    return x.composed(x.value.map(function.value), first, second)


def compared(expression: Expression) -> list[Expression]:
    """Inequalities that hold where expression ≥ 0 does: itself, and where it is A − B with A, B ≥ 0, √A − √B ≥ 0."""
    half, sides = Fraction(1, 2), _sides(expression)
    return [expression] if sides is None else [expression, _root(sides[0], half) - _root(sides[1], half)]


def squared(expression: Expression) -> list[Expression]:
    """Likewise A² − B² ≥ 0, where A or B is a root."""
    sides = _sides(expression)
    if sides is None or not any(node.op == "power" and node.value == Fraction(1, 2) for node in map(_factor, sides)):
        return []
    above, below = (_root(side, Fraction(2)) for side in sides)
    return [above - below]


def _factor(x: Expression) -> Expression:
    return x.args[1] if x.op == "*" and x.args[0].is_constant else x


def _sides(expression: Expression) -> tuple[Expression, Expression] | None:
    """A and B of A − B, A, B ≥ 0."""
    above, below = [], []
    for term in terms(expression):
        bounds = span(term)
        (above if bounds.low >= 0 else below).append(term)
        if not (bounds.low >= 0 or bounds.high <= 0):
            return None
    return (above[0], -below[0]) if len(above) == 1 and len(below) == 1 else None


def branches(expression: Expression) -> list[Expression]:
    """Inequalities that hold all exactly if expression ≥ 0 does: without a minimum, or minus a maximum, among its terms."""
    for term in terms(expression):
        factor, node = (term.args[0], term.args[1]) if term.op == "*" and term.args[0].is_constant else (None, term)
        down = factor is not None and factor.value < 0
        if node.op == ("max" if down else "min") and (down or factor is None or factor.value > 0):
            rest = [one for one in terms(expression) if one is not term]
            found: list[Expression] = []
            for arg in node.args:
                total = arg if factor is None else factor * arg
                for one in rest:
                    total = total + one
                found += branches(total)
            return found
    return [expression]


def _root(x: Expression, a: Fraction) -> Expression:
    """x^a of x ≥ 0, with a power of a power, and of a multiple, in one."""
    if x.is_constant:
        return x**a if x.value != 1 else x
    if x.op == "*" and x.args[0].is_constant and x.args[0].value > 0:
        number: Real = power_function(a).value(x.args[0].value)
        return number * _root(x.args[1], a)
    if x.op == "power" and span(x.args[0]).low >= 0:
        return x.args[0] ** (x.value * a)
    return x**a
