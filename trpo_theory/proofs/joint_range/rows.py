"""Divergences of binary pairs old = (p, 1 − p), new = (q, 1 − q), p < q, with all that vanishes at p = q divided out.

With d = q − p = TV, D_f = d² [K*(p/q)/q + K((1 − q)/(1 − p))/(1 − p)], where K(t) = f(t)/(1 − t)² for the centred f, and K* is
that of f*(t) = t f(1/t). K(t) = ∫ (1 − s) f''(1 − s (1 − t)) ds does not rise on [0, 1], as f'' does not, for any of these f and
their f*. docs/theory.md, "Divergences of a row".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from trpo_theory.numerics.ball.raw import Real, arb, fmpq
from trpo_theory.proofs.joint_range.intervals import INFINITE, Interval, Jet, larger, rational, smaller
from trpo_theory.sharp.divergences import BY_NAME
from trpo_theory.sharp.renyi import RenyiOrder

_ONE = fmpq(1)


@dataclass(frozen=True)
class Box:
    """c and d in intervals: p = c (1 − d), q = c + (1 − c) d. The square [0, 1]² is all pairs p ≤ q; at d = 0 they are equal."""

    c: Interval
    d: Interval

    @classmethod
    def of(cls, c: tuple[Real, Real], d: tuple[Real, Real]) -> Box:
        """From the ends."""
        return cls(Interval(*c), Interval(*d))


@dataclass(frozen=True)
class RowField:
    """A divergence other than total variation, which is d itself.

    Attributes:
        name: of its leaf; that of `Quantities`, but for Rényi's: their leaf is E f, of which D_a is a function.
        enclosed: l > 0 -> the centred f, exactly or enclosed.
        ends: () -> f(0) and lim f(l)/l, centred.
        slope: l > 0 -> f' of the centred f.
        curvature: f'' of a jet.
        largest: no row has more; None where it may be infinite.
        order: a of Rényi's divergence, −log(1 − b E f)/b with b = 1 − a.
        star_curvature: f*'' on (0, 1], where it is not f''(1/l)/l³ with the f'' above.
    """

    name: str
    enclosed: Callable[[fmpq], Real]
    ends: Callable[[], tuple[Real, Real]]
    slope: Callable[[fmpq], Real]
    curvature: Callable[[Any], Any]
    largest: Fraction | None = None
    order: Fraction | None = None
    star_curvature: Callable[[Any], Any] | None = None

    def kernel(self, t: fmpq, star: bool) -> Real:
        """K or K* at t in [0, 1]."""
        if t == 1:
            return self.derivatives(Interval.at(_ONE), star)[0].low / 2
        if t == 0:
            return self.ends()[1 if star else 0]
        value = self.enclosed(1 / t) * t if star else self.enclosed(t)
        return value / (1 - t) ** 2

    def weighted(self, t: fmpq, star: bool) -> Real:
        """t K or t K* at t in [0, 1], which does not fall: with u = 1/t, t K(t) = f*(u)/(u − 1)², and f*'' does not rise."""
        if t == 0:
            return _ONE if (self.name, star) in _POLES else fmpq(0)
        return self.kernel(t, star) * t

    def remainder(self, box: Box) -> Interval:
        """D/d² over a box, whose ends are rationals."""
        (c0, c1), (d0, d1) = (box.c.low, box.c.high), (box.d.low, box.d.high)
        low = self._part(c1, d0, c1 + (1 - c1) * d1, True) + self._part(c0, d0, 1 - c0 * (1 - d1), False)
        high = self._part(c0, d1, c0 + (1 - c0) * d0, True) + self._part(c1, d1, 1 - c1 * (1 - d0), False)
        return Interval(larger(low, self.tangent(box)) if 0 < d0 < d1 else low, high)

    def quotient(self, box: Box) -> Interval:
        """D/d over a box: K*(t) (1 − t) + K(u) (1 − u) at t = p/q, u = (1 − q)/(1 − p), slopes of chords, which do not rise."""
        (c0, c1), (d0, d1) = (box.c.low, box.c.high), (box.d.low, box.d.high)
        low = self._chord(_ratio(c1, d0), True) + self._chord(_ratio(1 - c0, d0), False)
        high = self._chord(_ratio(c0, d1), True) + self._chord(_ratio(1 - c1, d1), False)
        return Interval(low, high)

    def _chord(self, t: fmpq, star: bool) -> Real:
        return fmpq(0) if t == 1 else self.kernel(t, star) * (1 - t)

    def tangent(self, box: Box) -> Real:
        """A lower bound on D/d² over a box with d > 0, from the tangent plane in its middle: D is convex in (p, q).

        The plane is affine in c at each d, and α + β d at each c: its least value over d² is at an end, or at d = −2α/β.
        """
        c, d = ((side.low + side.high) / 2 for side in (box.c, box.d))
        p, q = c * (1 - d), c + (1 - c) * d
        level, in_p, in_q = self.plane(p, q)
        least: Real = INFINITE
        for end in (box.c.low, box.c.high):
            alpha = level + in_p * (end - p) + in_q * (end - q)
            beta = in_q * (1 - end) - in_p * end
            for one in (box.d.low, box.d.high):
                least = smaller(least, (alpha + beta * one) / one**2)
            if alpha <= 0 or -2 * alpha >= beta * box.d.low or -2 * alpha <= beta * box.d.high:
                continue  # largest, or outside
            least = smaller(least, -(beta**2) / (4 * alpha)) if alpha > 0 else -INFINITE
        return least

    def plane(self, p: fmpq, q: fmpq) -> tuple[Real, Real, Real]:
        """D and its derivatives in p and in q."""
        up, down = q / p, (1 - q) / (1 - p)
        slopes = self.slope(up), self.slope(down)
        values = self.enclosed(up), self.enclosed(down)
        level = p * values[0] + (1 - p) * values[1]
        in_p = values[0] - up * slopes[0] - (values[1] - down * slopes[1])
        return level, in_p, slopes[0] - slopes[1]

    def _part(self, c: fmpq, d: fmpq, divisor: fmpq, star: bool) -> Real:
        """K*(p/q) or K((1 − q)/(1 − p)) at a corner, over a divisor."""
        if divisor == 0:
            return INFINITE
        return self.kernel(_ratio(c if star else 1 - c, d), star) / divisor

    def derivatives(self, t: Interval, star: bool) -> tuple[Interval, Interval, Interval]:
        """f'', f''' and f'''' (or those of f*) over an interval in (0, 1]."""
        x = Jet.variable(t, 0, 1)
        if star and self.star_curvature is None:
            jet = self.curvature(x.power(Fraction(-1))) * x.power(Fraction(-3))
        else:
            jet = (self.star_curvature or self.curvature)(x) if star else self.curvature(x)
        return jet.value, jet.gradient[0], jet.hessian[0]

    def below(self, s: Jet, d: Jet) -> Jet:
        """A lower bound on D/d² that agrees with it to second order at d = 0, with its derivatives in s = (p + q − 1)/2 and d.

        Two terms of Taylor's series of K and K* at 1, all of whose terms are ≥ 0, at t − 1 = −d/q and −d/(1 − p).
        """
        half = Jet.constant(Interval.at(fmpq(1, 2)), 2) + d.scaled(fmpq(1, 2))
        total = Jet.constant(Interval.at(fmpq(0)), 2)
        for divisor, star in ((half + s, True), (half - s, False)):  # q and 1 − p
            second, third, fourth = self.derivatives(Interval.at(_ONE), star)
            part = divisor.power(Fraction(-1))
            total += part.scaled(second.low / 2)
            total += (part * part * d).scaled(-third.low / 6)
            total += (part * part * part * d * d).scaled(fourth.low / 24)
        return total


def _ratio(c: fmpq, d: fmpq) -> fmpq:
    """p/q, and (1 − q)/(1 − p) of 1 − c; at c = d = 0 it may be anything: 0, which the lowest end allows for."""
    return fmpq(0) if c == 0 else c * (1 - d) / (c + (1 - c) * d)


def _powers(*terms: tuple[Fraction | int, Fraction | int]) -> Callable[[Any], Any]:
    """Σ a l^e."""

    def curvature(x: Any) -> Any:
        parts = [x.power(Fraction(e)).scaled(rational(Fraction(a))) for a, e in terms]
        total = parts[0]
        for part in parts[1:]:
            total += part
        return total

    return curvature


def _with_one_more(x: Any) -> Any:
    """1 + l."""
    return x + Jet.constant(Interval.at(_ONE), len(x.gradient))


_CURVATURES: dict[str, Callable[[Any], Any]] = {
    "kl": _powers((1, -2)),
    "reverse_kl": _powers((1, -1)),
    "chi2": _powers((2, -3)),
    "reverse_chi2": _powers((2, 0)),
    "hellinger2": _powers((Fraction(1, 4), Fraction(-3, 2))),
    "jensen_shannon": lambda x: (x * _with_one_more(x)).power(Fraction(-1)).scaled(fmpq(1, 2)),
    "le_cam": lambda x: _with_one_more(x).power(Fraction(-3)).scaled(fmpq(4)),
    "jeffreys": _powers((1, -1), (1, -2)),
}
"""f'' of the divergences of `trpo_theory.sharp.divergences`, by their field."""
_SLOPES: dict[str, Callable[[fmpq], Real]] = {
    "kl": lambda x: 1 - 1 / x,
    "reverse_kl": lambda x: arb(x).log(),
    "chi2": lambda x: 1 - 1 / x**2,
    "reverse_chi2": lambda x: 2 * (x - 1),
    "hellinger2": lambda x: (1 - 1 / arb(x).sqrt()) / 2,
    "jensen_shannon": lambda x: arb(2 * x / (1 + x)).log() / 2,
    "le_cam": lambda x: fmpq(1, 2) - 2 / (1 + x) ** 2,
    "jeffreys": lambda x: arb(x).log() + 1 - 1 / x,
}
"""f' of the centred f."""
_POLES = {("chi2", False), ("reverse_chi2", True)}
"""Where f(t), or f*(t), is 1/t to leading order at t = 0; t f(t) tends to 0 elsewhere."""
_LARGEST = {"hellinger2": Fraction(1), "jensen_shannon": Fraction(7, 10), "le_cam": Fraction(1)}
"""No row has more; log 2 = 0.693..."""


def _samson(ratio: fmpq) -> fmpq:
    """(l − 1)²/max(1, l)."""
    return (ratio - 1) ** 2 / max(ratio, _ONE)


def _samson_slope(ratio: fmpq) -> fmpq:
    return 2 * (ratio - 1) if ratio <= 1 else 1 - 1 / ratio**2


def power_field(order: Fraction) -> str:
    """The name of the leaf E (1 − l^b)/b of Rényi's divergence."""
    return f"renyi({order})"


def row_field(name: str) -> RowField | None:
    """The divergence of a field of `Quantities`, or of `power_field`."""
    if name.startswith("renyi("):
        return _renyi(Fraction(name[6:-1]))
    return FIELDS.get(name)


def _renyi(order: Fraction) -> RowField:
    divergence = RenyiOrder(order, "").divergence()
    curvature = _powers((order, -1 - order))
    a = rational(order)
    return RowField(
        power_field(order),
        divergence.enclosed,
        divergence.ends,
        lambda x: 1 - 1 / arb(x) ** a,
        curvature,
        1 / (1 - order),
        order,
    )


def _of_the_folder() -> dict[str, RowField]:
    flat = _powers((2, 0))
    samson = RowField("samson", _samson, lambda: (_ONE, _ONE), _samson_slope, flat, Fraction(2), None, flat)
    found = {samson.name: samson}
    for one in BY_NAME.values():
        if one.field in _CURVATURES:
            slope, curvature, largest = _SLOPES[one.field], _CURVATURES[one.field], _LARGEST.get(one.field)
            found[one.field] = RowField(one.field, one.enclosed, one.ends, slope, curvature, largest)
        elif one.enclosed_of_mean is not None and one.second_derivative is not None:
            found[one.field] = _renyi(one.second_derivative)  # f'' = a, in the scale of `RenyiOrder`
    return found


FIELDS = _of_the_folder()
"""By their names in `Quantities`."""
TV = "tv"
REDUCED = {
    reduction.field: (one.field, "mean" if reduction.mean else "max")
    for one in BY_NAME.values()
    for reduction in one.reductions
    if reduction.field is not None and (one.field == TV or one.field in FIELDS)
}
"""The fields of `Quantities` that are the largest or the mean of one of these over states."""
