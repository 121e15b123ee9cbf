"""The numbers that a claim of one's own is run with: `Real`, a fraction, an interval or an infinity, and `Array`s of them.

A float in a formula is the decimal that it is written as, or, with all the digits of one, an interval around it. A comparison
that is not decided ends the proof, as does 0 times infinity.
"""

import math
from fractions import Fraction as F

from proof_numbers import exp, iv, log, sqrt, want

INF = math.inf


def raw(x):
    """A fraction, an interval, or an infinity, of what a formula may use as a number."""
    if isinstance(x, Real):
        return x.raw
    if isinstance(x, bool | int | F):
        return F(x)
    want(isinstance(x, float) and x == x, f"{x!r} in a formula")
    if math.isinf(x):
        return x
    digits = repr(x)
    written = F(digits)
    if len(digits.split("e")[0].replace(".", "").replace("-", "").strip("0")) < 16:
        return written
    room = F(math.ulp(x))
    return iv.mpf([iv.mpf(written - room).a, iv.mpf(written + room).b])


def is_infinite(x):
    return isinstance(x, float)


def sign(x):
    """1, 0 or -1, where that is decided."""
    found = 1 if x > 0 else -1 if x < 0 else 0 if x == 0 else None
    want(found is not None, "a comparison that is not decided")
    return found


class Real:
    def __init__(self, x):
        self.raw = raw(x)

    def __add__(self, other):
        if isinstance(other, Array):
            return NotImplemented
        a, b = self.raw, raw(other)
        if is_infinite(a) or is_infinite(b):
            want(not (is_infinite(a) and is_infinite(b) and a != b), "infinity minus infinity")
            return Real(a if is_infinite(a) else b)
        return Real._of(a + b)

    @staticmethod
    def _of(x):
        made = Real(0)
        made.raw = x
        return made

    def __neg__(self):
        return Real._of(-self.raw)

    def __sub__(self, other):
        return NotImplemented if isinstance(other, Array) else self + -Real(other)

    def __rsub__(self, other):
        return Real(other) - self

    def __mul__(self, other):
        if isinstance(other, Array):
            return NotImplemented
        a, b = self.raw, raw(other)
        if is_infinite(a) or is_infinite(b):
            size = sign(a) * sign(b)
            want(size, "0 times infinity")
            return Real(size * INF)
        return Real._of(a * b)

    __radd__, __rmul__ = __add__, __mul__

    def inverse(self):
        if is_infinite(self.raw):
            return Real(0)
        want(sign(self.raw), "a division by 0")
        return Real._of(1 / self.raw)

    def __truediv__(self, other):
        return NotImplemented if isinstance(other, Array) else self * Real(other).inverse()

    def __rtruediv__(self, other):
        return Real(other) * self.inverse()

    def __pow__(self, exponent):
        power = raw(exponent)
        want(isinstance(power, F), "a power that is no rational")
        if power.denominator == 1:
            if power < 0:
                return self.inverse() ** -power
            if is_infinite(self.raw):
                return Real(1) if power == 0 else Real(self.raw if power % 2 else INF)
            return Real._of(self.raw ** int(power))
        if power == F(1, 2):
            return self.sqrt()
        return (self.log() * power).exp() if self.raw != 0 else Real(0 if power > 0 else INF)

    def __abs__(self):
        return Real._of(abs(self.raw))

    def _compared(self, other):
        a, b = self.raw, raw(other)
        if is_infinite(a) or is_infinite(b):
            a, b = (x if is_infinite(x) else 0 for x in (a, b))
            return (a > b) - (a < b)
        return sign(a - b)

    def __lt__(self, other):
        return self._compared(other) < 0

    def __le__(self, other):
        return self._compared(other) <= 0

    def __gt__(self, other):
        return self._compared(other) > 0

    def __ge__(self, other):
        return self._compared(other) >= 0

    def __eq__(self, other):
        return self._compared(other) == 0

    __hash__ = None

    def sqrt(self):
        if is_infinite(self.raw):
            return Real(self.raw)
        if isinstance(self.raw, F) and self.raw >= 0:
            roots = [math.isqrt(n) for n in (self.raw.numerator, self.raw.denominator)]
            if [n * n for n in roots] == [self.raw.numerator, self.raw.denominator]:
                return Real._of(F(*roots))
        want(self.raw >= 0, "a root of what may be negative")
        return Real._of(sqrt(self.raw))

    def log(self):
        if is_infinite(self.raw) or self.raw == 0:
            return Real(INF if self.raw != 0 else -INF)
        want(self.raw > 0, "a logarithm of what may be negative")
        return Real(0) if self.raw == 1 else Real._of(log(self.raw))

    def exp(self):
        if is_infinite(self.raw):
            return Real(INF if self.raw > 0 else 0)
        return Real(1) if self.raw == 0 else Real._of(exp(self.raw))

    def expm1(self):
        return self.exp() - 1

    def log1p(self):
        return (self + 1).log()

    def __float__(self):
        want(False, "a float of a number")


def shape(x):
    return (len(x.rows), *shape(x.rows[0])) if isinstance(x, Array) else ()


class Array:
    """Nested rows; the S axis is the first, the A axis the second. Operations are by entry; an axis of 1 is repeated."""

    def __init__(self, rows):
        self.rows = [Array(row) if isinstance(row, list) else row for row in rows]

    def map(self, f):
        return Array([row.map(f) if isinstance(row, Array) else f(row) for row in self.rows])

    def _with(self, other, f):
        if not isinstance(other, Array):
            return self.map(lambda x: f(x, other))
        want(len(shape(self)) == len(shape(other)), "arrays of different dimensions")
        n = max(len(self.rows), len(other.rows))
        want({len(self.rows), len(other.rows)} <= {1, n}, "arrays of different shapes")
        x, y = (a.rows * (n // len(a.rows)) for a in (self, other))
        return Array([a._with(b, f) if isinstance(a, Array) else f(a, b) for a, b in zip(x, y, strict=True)])

    def __getitem__(self, at):
        if isinstance(at, int):
            return self.rows[at]
        want(isinstance(at, tuple), "a slice of an array")
        first, *rest = at
        if first == slice(None):
            parts = [x[tuple(rest)] if isinstance(x, Array) else x for x in self.rows] if rest != [None] else None
            return Array([[x] for x in self.rows]) if parts is None else Array(parts)
        return self.rows[first][tuple(rest)] if rest else self.rows[first]

    def entries(self):
        return [y for x in self.rows for y in (x.entries() if isinstance(x, Array) else [x])]

    def __bool__(self):
        want(len(self.entries()) == 1, "the truth of an array")
        return bool(self.entries()[0])

    def __neg__(self):
        return self.map(lambda x: -x)

    def __abs__(self):
        return self.map(abs)

    def __invert__(self):
        return self.map(lambda x: not x)

    __hash__ = None


def _operation(name, f):
    setattr(Array, f"__{name}__", lambda self, other: self._with(other, f))


for _name, _f in {
    "add": lambda x, y: x + y,
    "radd": lambda x, y: y + x,
    "sub": lambda x, y: x - y,
    "rsub": lambda x, y: y - x,
    "mul": lambda x, y: x * y,
    "rmul": lambda x, y: y * x,
    "truediv": lambda x, y: x / y,
    "rtruediv": lambda x, y: y / x,
    "pow": lambda x, y: x**y,
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "and": lambda x, y: bool(x) and bool(y),
    "or": lambda x, y: bool(x) or bool(y),
}.items():
    _operation(_name, _f)
