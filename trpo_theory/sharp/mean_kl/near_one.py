"""Next to x = 1 and l = 1, where a linear mean-KL bound may be tight: the leading form, and what is of higher order, in boxes.

With x = 1 + σ m, σ = ±1, m ≤ h, and l = 1 + m t, |m t| ≤ r, the inequality of `supersolution` is, with the multipliers
μ = 2 a C (x − 1) and ν = N m³ and divided by m²,  Q(t) + m G(m, t) ≥ 0,  where  s = σ + t + σ m t,
    Q = C − A t + a (K/2 − C) t²,
    G = N A − (1 + a) B − a C (2 t (1 + σ t) + m t²) + a B' |s|³ + a K t³ (m t/(4 (1 + r)) − 1/3),
since W(x) = C m² − B m³, W(x l) ≤ C |x l − 1|² − B' |x l − 1|³ and f(1 + z) ≥ z²/2 − z³/3 + z⁴/(4 (1 + r)) for z ≤ r.
Q ≥ 0 for all t if 4 a C (K/2 − C) ≥ 1; where there is equality, Q has a zero, t = ±2 C, and G > 0 is needed there: N is
what makes it equal at both. docs/theory.md, "The least linear constant".
"""

from __future__ import annotations

from dataclasses import dataclass

from trpo_theory.numerics.ball.raw import Real, arb, fmpq, precision

_SIGNS = (1, -1)
_BOXES = 20_000
"""At most so many for one case. Measured: 164 for K*(1/5) = 4 itself."""
_BITS = 96
"""Of the balls. Chosen: nothing cancels, so that far fewer would do."""
_SMALLEST = fmpq(1, 2**24)
"""A box of this width that is not decided ends the proof. Chosen, far below what is needed."""
_LONGEST = 20
"""Powers of 2 that are tried for T. Chosen: if 2 ** 20 does not do, the form where |t| is large has hardly any room."""
Box = tuple[fmpq, fmpq, fmpq, fmpq]
"""m from, to; t from, to."""


@dataclass
class NextToOne:
    """The case at one discount.

    Attributes:
        a: γ/(1 − γ).
        constant: K.
        curvature: C.
        bend: B.
        outer_bend: B'.
        h: the largest m.
        reach: r.
        boxes: how many were looked at.
    """

    a: fmpq
    constant: fmpq
    curvature: fmpq
    bend: fmpq
    outer_bend: fmpq
    h: fmpq
    reach: fmpq
    boxes: int = 0

    def __post_init__(self) -> None:
        self.square: fmpq = self.a * (self.constant / 2 - self.curvature)
        self.quartic: fmpq = self.a * self.constant / (4 * (1 + self.reach))

    def holds(self) -> bool:
        """Whether the inequality is proved for all m ≤ h, |l − 1| ≤ r, σ and A."""
        with precision(_BITS):
            return self._holds()

    def _holds(self) -> bool:
        if self.square <= 0 or 4 * self.square * self.curvature < 1:
            return False
        tilts = {side: self._tilt(side) for side in _SIGNS}
        least = (1 + self.a) * (self.curvature - max(self.bend, fmpq(0)) * self.h)
        if max(map(abs, tilts.values())) * self.h > least:  # (1 + a) W + ν A ≥ 0
            return False
        longest = self._longest()
        return longest is not None and all(
            self._covered((fmpq(0), self.h, *ends), side, sign, tilt)
            for side, tilt in tilts.items()
            for sign in _SIGNS
            for ends in ((-longest, fmpq(0)), (fmpq(0), longest))
        )

    def _tilt(self, side: int) -> fmpq:
        """N, with which G(0, t) is the same at the vertices t = ±1/(2 a (K/2 − C)) of Q for A = ±1."""
        vertex = 1 / (2 * self.square)
        down, up = (self._rest(fmpq(0), sign * vertex, side) for sign in (-1, 1))
        return (down - up) / 2

    def _rest(self, m: Real, t: Real, side: int) -> Real:
        """G without N A, as a rational or a ball as m and t are."""
        cube = abs(side + t + side * m * t) ** 3
        third = self.a * self.constant / 3
        return (
            self.a * self.outer_bend * cube
            - (1 + self.a) * self.bend
            - self.a * self.curvature * (2 * t * (1 + side * t) + m * t**2)
            + t**3 * (self.quartic * m * t - third)
        )

    def _longest(self) -> fmpq | None:
        """T: for |t| ≥ T, W(x l) ≤ C' (x l − 1)² is enough, as  p z² ≥ c m |z| + a C' m²  with p and c as below.

        C' = C + max(0, −B') R, R = (1 + h) (1 + r) − 1, is at least C − B' m for m ≤ R.
        """
        h, r, a = self.h, self.reach, self.a
        top = self.curvature + max(fmpq(0), -self.outer_bend) * ((1 + h) * (1 + r) - 1)
        left = a * self.constant * (r - arb(1 + r).log()) / r**2 - a * top * (1 + h) ** 2
        cross = 1 + 2 * a * (top * (1 + h) - self.curvature)
        powers = (fmpq(2**k) for k in range(_LONGEST))
        return next((t for t in powers if left * t**2 >= cross * t + a * top), None)

    def _covered(self, box: Box, side: int, sign: int, tilt: fmpq) -> bool:
        """Halve the box until Q + m G ≥ 0 in every part, or |m t| ≥ r."""
        stack, vertex = [box], sign / (2 * self.square)
        lowest = arb(self.curvature - 1 / (4 * self.square))
        while stack:
            m0, m1, t0, t1 = stack.pop()
            self.boxes += 1
            if m0 * min(abs(t0), abs(t1)) >= self.reach:
                continue
            m, t = arb(m0).union(arb(m1)), arb(t0).union(arb(t1))
            rest = self._rest(m, t, side) + tilt * sign
            if rest >= 0 or self.square * (t - vertex) ** 2 + lowest + m * rest >= 0:
                continue
            if self.boxes > _BOXES or max(m1 - m0, t1 - t0) < _SMALLEST:
                return False
            if m1 - m0 > t1 - t0:
                stack += [((m0 + m1) / 2, m1, t0, t1), (m0, (m0 + m1) / 2, t0, t1)]
            else:
                stack += [(m0, m1, (t0 + t1) / 2, t1), (m0, m1, t0, (t0 + t1) / 2)]
        return True


def below_cubic(slope: fmpq, height: fmpq, cubic: tuple[fmpq, fmpq], ends: tuple[fmpq, fmpq], depth: int = 12) -> bool:
    """Whether slope s + height ≤ C s² − B' s³ on an interval of s ≥ 0: by its Bernstein coefficients, on halves if need be."""
    (square, cube), (low, high) = cubic, ends
    width = high - low

    def value(s: fmpq) -> fmpq:
        return square * s**2 - cube * s**3 - slope * s - height

    def rise(s: fmpq) -> fmpq:
        return (2 * square * s - 3 * cube * s**2 - slope) * width / 3

    first, last = value(low), value(high)
    if min(first, last) < 0:
        return False
    if min(first + rise(low), last - rise(high)) >= 0:
        return True
    middle = (low + high) / 2
    return depth > 0 and all(
        below_cubic(slope, height, cubic, part, depth - 1) for part in ((low, middle), (middle, high))
    )
