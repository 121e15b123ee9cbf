"""`Sym`: what a formula computes over a box of discounts and divergences, and the ways through its comparisons."""

import math
from fractions import Fraction as F

from proof_numbers import Rejected, want
from proof_real import raw
from proof_sums import ONE, add, nonnegative, positive, root, times

ANSWERS = []
"""How comparisons that are open are answered, one after the other; `every_way` goes through all of them."""


class Nothing(Rejected):
    """0 times infinity, or 0 over 0: a claim of that says nothing, and holds."""


class Sym:
    """A quotient of two sums on a box; the one below is proved to be positive."""

    box = None

    def __init__(self, above, below=None):
        self.above, self.below = above, below or {ONE: F(1)}

    @staticmethod
    def of(x):
        if isinstance(x, Sym) or (isinstance(x, float) and math.isinf(x)):
            return x
        x = raw(x)
        want(isinstance(x, F) or math.isinf(x), "a rounded constant")
        return Sym({ONE: x} if x else {}) if isinstance(x, F) else x

    def __add__(self, other):
        other = Sym.of(other)
        if not isinstance(other, Sym):
            return other
        if self.below == other.below:
            return Sym(add(self.above, other.above), self.below)
        return Sym(add(times(self.above, other.below), times(other.above, self.below)), times(self.below, other.below))

    def __neg__(self):
        return Sym({m: -c for m, c in self.above.items()}, self.below)

    def __sub__(self, other):
        return self + -Sym.of(other)

    def __rsub__(self, other):
        return Sym.of(other) + -self if isinstance(Sym.of(other), Sym) else Sym.of(other)

    def __mul__(self, other):
        other = Sym.of(other)
        if not isinstance(other, Sym):
            if not self.above:
                raise Nothing("0 times infinity")
            want(self.is_positive(), "infinity times what may be 0")
            return other
        return Sym(times(self.above, other.above), times(self.below, other.below))

    __radd__, __rmul__ = __add__, __mul__

    def inverse(self):
        want(self.is_positive(), "a quotient whose divisor is not seen to be positive")
        return Sym(self.below, self.above)

    def __truediv__(self, other):
        other = Sym.of(other)
        if not isinstance(other, Sym):
            return Sym({})
        if not other.above:
            if not self.above:
                raise Nothing("0 over 0")
            want(self.is_positive(), "a quotient by 0")
            return math.inf
        return self * other.inverse()

    def __rtruediv__(self, other):
        return Sym.of(other) / self if isinstance(Sym.of(other), Sym) else Sym.of(other)

    def is_positive(self):
        return positive(self.above, self.box)

    def __pow__(self, exponent):
        power = raw(exponent)
        want(isinstance(power, F), "a power that is no rational")
        if power < 0:
            return self.inverse() ** -power
        if power.denominator == 1:
            found = Sym({ONE: F(1)})
            for _ in range(int(power)):
                found = found * self
            return found
        want(nonnegative(self.above, self.box), "a root of what may be negative")
        return Sym(root(self.above, power), root(self.below, power))

    def sqrt(self):
        return self ** F(1, 2)

    def __abs__(self):
        return self if self >= 0 else -self

    def exp(self):
        want(self.below == {ONE: F(1)}, "the exponential of a quotient")
        return Sym({frozenset({(("exp", frozenset(self.above.items())), F(1))}): F(1)} if self.above else {ONE: F(1)})

    def __ge__(self, other):
        difference = self - other
        if not isinstance(difference, Sym):
            return difference > 0
        if nonnegative(difference.above, self.box):
            return True
        return False if (-difference).is_positive() else answered()

    def __gt__(self, other):
        difference = self - other
        if not isinstance(difference, Sym):
            return difference > 0
        if difference.is_positive():
            return True
        return False if nonnegative((-difference).above, self.box) else answered()

    def __le__(self, other):
        return not self > other

    def __lt__(self, other):
        return not self >= other

    def __eq__(self, other):
        return not (self > other or self < other)

    __hash__ = None


def answered():
    """An answer to a comparison that is open on the box."""
    want(ANSWERS, "a comparison that is open")
    given, taken = ANSWERS[-1]
    answer = given[len(taken)] if len(taken) < len(given) else True
    taken.append(answer)
    want(len(taken) <= 6, "too many comparisons that are open")
    return answer


def every_way(holds):
    """Whether something holds however the comparisons are answered that are open on the box."""
    ways = [[]]
    while ways:
        given = ways.pop()
        ANSWERS.append((given, []))
        try:
            if not holds():
                return False
        except Nothing:
            pass
        except Rejected:
            return False
        finally:
            _, taken = ANSWERS.pop()
        ways += [[*taken[:place], False] for place in range(len(given), len(taken))]
    return True
