"""Divergences of the pairs old = (p, 1 − p), new = (q, 1 − q) whose p and q are formulas in d = TV: formulas in d themselves."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from trpo_theory.numerics.ball.raw import fmpq
from trpo_theory.proofs.joint_range.expression import Expression, constant, field
from trpo_theory.proofs.joint_range.rows import TV, row_field

D = field(TV)
"""The variable."""
_HALF = Fraction(1, 2)


def number(x: Fraction | int) -> Expression:
    """A rational."""
    return constant(fmpq(Fraction(x).numerator, Fraction(x).denominator))


def log(x: Expression) -> Expression:
    """log x."""
    return Expression("log", (x,))


def _hellinger(p: Expression, q: Expression) -> Expression:
    return (p + q) / 2 - (p * q) ** _HALF


def _jensen_shannon(p: Expression, q: Expression) -> Expression:
    return (p * log(2 * p / (p + q)) + q * log(2 * q / (p + q))) / 2


_ACTION: dict[str, Callable[[Expression, Expression], Expression]] = {
    "kl": lambda p, q: p * log(p / q),
    "reverse_kl": lambda p, q: q * log(q / p),
    "chi2": lambda p, q: (p - q) ** 2 / q,
    "reverse_chi2": lambda p, q: (p - q) ** 2 / p,
    "hellinger2": _hellinger,
    "jensen_shannon": _jensen_shannon,
    "le_cam": lambda p, q: (p - q) ** 2 / (p + q) / 2,
    "jeffreys": lambda p, q: (p - q) * log(p / q),
}
"""What one action adds, p, q > 0."""


def _never_old(name: str, q: Expression) -> Expression | None:
    """What an action adds that old never takes; None for infinity."""
    return {
        "kl": number(0),
        "chi2": q,
        "hellinger2": q / 2,
        "jensen_shannon": q * log(number(2)) / 2,
        "le_cam": q / 2,
    }.get(name)


def value(name: str, p: Expression, q: Expression) -> Expression | None:
    """The divergence of a pair; p may be the number 0; None where it is infinite, or the name none of these."""
    order = order_of(name)
    if order is not None:
        mass = (1 - p) * ((1 - q) / (1 - p)) ** (1 - order)
        if not _is_zero(p):
            mass = mass + p * (q / p) ** (1 - order)
        return (1 - mass) / (1 - order)
    if name not in _ACTION:
        return None
    first = _never_old(name, q) if _is_zero(p) else _ACTION[name](p, q)
    return None if first is None else first + _ACTION[name](1 - p, 1 - q)


def order_of(name: str) -> Fraction | None:
    """a, of the leaf E (1 − l^(1−a))/(1 − a) of Rényi's divergence."""
    known = row_field(name)
    return None if known is None else known.order


def is_symmetric(name: str) -> bool:
    """Whether it is the same of (old, new) and (new, old)."""
    return name in ("hellinger2", "jensen_shannon", "le_cam", "jeffreys") or order_of(name) == _HALF


def _is_zero(p: Expression) -> bool:
    return p.is_constant and p.value == 0


def generator(name: str, t: Expression, *, star: bool) -> Expression | None:
    """The centred f, or f*(t) = t f(1/t), at t."""
    order = order_of(name)
    mirrored = {"kl": "reverse_kl", "reverse_kl": "kl", "chi2": "reverse_chi2", "reverse_chi2": "chi2"}
    if order is not None:
        b = order if star else 1 - order  # f* is f of the order b, but for a factor
        return ((1 - t**b) - b * (1 - t)) / (1 - order)
    if name not in _ACTION:
        return None
    which = mirrored.get(name, name) if star else name
    slope = {"kl": t - 1, "reverse_kl": 1 - t}.get(which, number(0))
    return _ACTION[which](number(1), t) + slope
