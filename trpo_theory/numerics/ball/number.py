"""`Ball`: a real number in a proof, exact where it is rational and else enclosed between two rationals.

A comparison is answered when it is proved, and else raises `Undecided`: more precision may decide it. Rationals stay
exact however long they grow; only roots, logarithms and the like make enclosures, at the precision then in force.
"""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from typing import Any, ClassVar

from flint import arb, fmpq

from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.ball import operations as op
from trpo_theory.numerics.ball import raw as r
from trpo_theory.numerics.ball.raw import Real

_SHOWN_BITS = 120
"""A rational with more bits than this is shown as a decimal. Chosen: 36 digits, two lines of a terminal at most."""


class Ball:
    """One real number: a rational, an enclosure, ±∞, or "nothing" (0 · ∞, ∞ − ∞, 0/0), which compares as nan does.

    Floats are the dyadic rationals that they are. x/0 = ±∞ with the sign of x, as for NumPy's +0. The root or logarithm
    of a negative number is "undefined": it too compares as nan, but no claim may rest on it.

    >>> Ball(0.5) / 3, Ball(Fraction(9, 4)) ** 0.5, Ball(1).log()
    (Ball(1/6), Ball(3/2), Ball(0))
    """

    __slots__ = ("raw",)

    def __init__(self, x: Real = 0) -> None:
        if type(x) is not fmpq and (x := _raw(x)) is NotImplemented:
            raise TypeError("a Ball is made of a real number: an int, float, Fraction or Ball")
        self.raw: Real = x

    @classmethod
    def of(cls, x: Real) -> Ball:
        """The ball of a finite number of the ball library: fmpq, or arb."""
        made = cls.__new__(cls)
        made.raw = x if type(x) is fmpq else r.checked(x)
        return made

    # --- what it is --------------------------------------------------------------------------------------------

    @property
    def is_exact(self) -> bool:
        """Whether it is a rational, known exactly."""
        return type(self.raw) is fmpq

    @property
    def is_finite(self) -> bool:
        """Whether it is a real number: not ±∞, not nothing."""
        return not isinstance(self.raw, float)

    @property
    def is_nothing(self) -> bool:
        """Whether it is a definite 0 · ∞, ∞ − ∞ or 0/0."""
        return type(self.raw) is float and math.isnan(self.raw)

    @property
    def is_undefined(self) -> bool:
        """Whether it is the root or logarithm of a negative number, or comes of one."""
        return type(self.raw) is r.Undefined

    @property
    def fraction(self) -> Fraction:
        """The rational that it is.

        Raises:
            InvalidInput: for one that is not exact.
        """
        if type(self.raw) is not fmpq:
            raise InvalidInput(got=f"{self!r}", wanted="an exact rational", fix="read .lower and .upper")
        return r.fraction(self.raw)

    @property
    def lower(self) -> Fraction:
        """A rational that it is not below; itself where exact."""
        return self._end("lower")

    @property
    def upper(self) -> Fraction:
        """A rational that it is not above; itself where exact."""
        return self._end("upper")

    def _end(self, side: str) -> Fraction:
        if isinstance(self.raw, float):
            raise InvalidInput(got=f"{self!r}", wanted="a finite number", fix="look at .is_finite first")
        return r.fraction(r.end(self.raw, side))

    @property
    def midpoint(self) -> float:
        """The float nearest to the middle, to look at: no proof may rest on it."""
        if isinstance(self.raw, float):
            return float(self.raw)
        if type(self.raw) is arb:
            return float(self.raw.mid())
        try:
            return float(r.fraction(self.raw))
        except OverflowError:
            return math.inf if self.raw > 0 else -math.inf

    def __repr__(self) -> str:
        raw = self.raw
        if type(raw) is fmpq:
            return f"Ball({raw})" if raw.height_bits() <= _SHOWN_BITS else f"Ball({self.midpoint!r}..., exact)"
        if isinstance(raw, float):
            return f"Ball({'undefined' if self.is_undefined else 'nothing' if self.is_nothing else raw})"
        return f"Ball({raw.str(15)})"

    def __float__(self) -> float:
        raise TypeError(
            f"got {self!r} where a float is wanted, but a ball has no float value; "
            "write q.sqrt(x), q.log(x), q.exp(x), q.max_s(x), ... for math.sqrt(x) and the like; "
            "to look at the number, x.midpoint is a float"
        )

    def __bool__(self) -> bool:
        return self != 0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        from trpo_theory.numerics.ball.arrays import apply

        return apply(ufunc, method, inputs, options)

    # --- + − · / -----------------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Any:
        a, b = self.raw, _raw(other)
        if b is NotImplemented:
            return b
        if isinstance(a, float) or isinstance(b, float):
            return Ball(op.add(a, b))
        return Ball.of(a + b)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        a, b = self.raw, _raw(other)
        if b is NotImplemented:
            return b
        if isinstance(a, float) or isinstance(b, float):
            return Ball(op.add(a, op.minus(b)))
        return Ball.of(a - b)

    def __rsub__(self, other: Any) -> Any:
        return (-self).__add__(other)

    def __mul__(self, other: Any) -> Any:
        a, b = self.raw, _raw(other)
        if b is NotImplemented:
            return b
        if isinstance(a, float) or isinstance(b, float):
            return Ball(op.multiply(a, b))
        return Ball.of(a * b)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        b = _raw(other)
        return b if b is NotImplemented else Ball(op.divide(self.raw, b))

    def __rtruediv__(self, other: Any) -> Any:
        b = _raw(other)
        return b if b is NotImplemented else Ball(op.divide(b, self.raw))

    def __pow__(self, other: Any) -> Any:
        b = _raw(other)
        return b if b is NotImplemented else Ball(op.power(self.raw, b))

    def __rpow__(self, other: Any) -> Any:
        b = _raw(other)
        return b if b is NotImplemented else Ball(op.power(b, self.raw))

    def __neg__(self) -> Ball:
        return Ball(op.minus(self.raw)) if isinstance(self.raw, float) else Ball.of(-self.raw)

    def __pos__(self) -> Ball:
        return self

    def __abs__(self) -> Ball:
        if type(self.raw) is arb:
            return Ball.of(r.nonnegative(abs(self.raw)))
        return self if self.raw != self.raw else Ball(abs(self.raw))

    # --- comparisons: answered when proved -----------------------------------------------------------------------

    def _compare(self, other: Any, holds: Any, fails: Any) -> Any:
        b = _raw(other)
        return b if b is NotImplemented else r.proved(self.raw, b, holds, fails)

    def __lt__(self, other: Any) -> Any:
        return self._compare(other, operator.lt, operator.ge)

    def __le__(self, other: Any) -> Any:
        return self._compare(other, operator.le, operator.gt)

    def __gt__(self, other: Any) -> Any:
        return self._compare(other, operator.gt, operator.le)

    def __ge__(self, other: Any) -> Any:
        return self._compare(other, operator.ge, operator.lt)

    def __eq__(self, other: Any) -> Any:
        return self._compare(other, operator.eq, operator.ne)

    def __ne__(self, other: Any) -> Any:
        return self._compare(other, operator.ne, operator.eq)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    # --- functions, under the names that NumPy calls them by -----------------------------------------------------

    def conjugate(self) -> Ball:
        """Itself, as a real number; `np.var` asks."""
        return self

    def item(self) -> Ball:
        """Itself, as a number that is no array."""
        return self

    def sqrt(self) -> Ball:
        """√x: exact for the square of a rational."""
        return Ball(op.power(self.raw, fmpq(1, 2)))

    def log(self) -> Ball:
        """The natural logarithm: 0 at 1, −∞ at 0."""
        return Ball(op.log(self.raw))

    def log1p(self) -> Ball:
        """log(1 + x)."""
        return Ball(op.log1p(self.raw))

    def exp(self) -> Ball:
        """eˣ: 1 at 0, 0 at −∞."""
        return Ball(op.exp(self.raw))

    def expm1(self) -> Ball:
        """eˣ − 1."""
        return Ball(op.expm1(self.raw))


def _raw(x: Any) -> Any:
    return x.raw if type(x) is Ball else r.raw(x)


def larger(x: Real, y: Real) -> Ball:
    """The larger of two; where it is open which, an enclosure of it. Nan prevails."""
    return Ball(op.larger(Ball(x).raw, Ball(y).raw))


def smaller(x: Real, y: Real) -> Ball:
    """The smaller of two, likewise."""
    return -larger(-Ball(x), -Ball(y))
