"""Inequalities that one family of pairs decides, one for each d: docs/theory.md, "By one pair for each distance".

What is compared is then a function of d alone, and may be 0 along the whole family, where the constant is the best one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from trpo_theory.proofs.joint_range.envelope import envelope
from trpo_theory.proofs.joint_range.expression import Expression
from trpo_theory.proofs.joint_range.pairs import D, generator, is_symmetric, number, order_of, value
from trpo_theory.proofs.joint_range.rows import TV, row_field
from trpo_theory.proofs.joint_range.shape import direction, is_linear, squared

Pair = tuple[Fraction, Fraction]
Values = Mapping[str, Expression]
_HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Curve:
    """For d from low to high: the divergences, as formulas in d, exactly or bounds that suffice.

    Attributes:
        low, high: of d.
        near: (from, to) -> the divergences by name, valid for d between these.
        pairs: d -> those (p, q) that have these divergences, or nearly.
        slack: what is to be ≥ 0, over these names and d.
        refined: whether the formulas come closer on shorter intervals.
    """

    low: Fraction
    high: Fraction
    near: Callable[[Fraction, Fraction], Values]
    pairs: Callable[[Fraction], Iterable[Pair]]
    slack: Expression
    refined: bool = False

    def formula(self, low: Fraction, high: Fraction) -> Expression:
        """A formula in d that is ≥ 0 for d between these only if the slack is."""
        slack, values = self.slack, self.near(low, high)
        return slack.substituted({leaf: values[leaf.value] for leaf in set(slack.leaves()) if leaf.value in values})

    def conditions(self, low: Fraction, high: Fraction) -> Iterator[Expression]:
        """Formulas that are to be ≥ 0 for d between these: bounds on divergences, as the slack rises from 0 on only; its own."""
        if self.refined:
            yield from self.near(low, high).values()
        yield self.formula(low, high)


@dataclass(frozen=True)
class Reduction:
    """Curves that decide, and why."""

    why: str
    curves: tuple[Curve, ...]


def _curve(slack: Expression, values: Values, pair: Callable[[Fraction], Pair], *ends: int | Fraction) -> Curve:
    """With known divergences and one pair for each d."""
    low, high = ends or (0, 1)
    return Curve(Fraction(low), Fraction(high), partial(_known, values), lambda d: [pair(d)], slack)


def _names(slack: Expression) -> set[str]:
    return {leaf.value for leaf in slack.leaves()} - {TV}


def _directions(slack: Expression) -> dict[str, int | None]:
    return {leaf.value: direction(slack, leaf) for leaf in set(slack.leaves()) if leaf.value != TV}


def _all(names: Iterable[str], found: Callable[[str], Expression | None]) -> Values | None:
    """By name; None where one is missing."""
    values = {name: found(name) for name in names}
    known = {name: one for name, one in values.items() if one is not None}
    return known if len(known) == len(values) else None


def least_at_each_distance(slack: Expression) -> Reduction | None:
    """Of a slack that does not fall with any divergence but d: each is convex in p at fixed d = q − p, and least somewhere."""
    names = _names(slack)
    if not names or any(sign not in (0, 1) for sign in _directions(slack).values()):
        return None
    if all(is_symmetric(name) for name in names):
        p, q = (1 - D) / 2, (1 + D) / 2
        why = "at each total variation symmetric divergences are least at the symmetric pair"
        values = _all(names, lambda name: value(name, p, q))
        return (
            None if values is None else Reduction(why, (_curve(slack, values, lambda d: ((1 - d) / 2, (1 + d) / 2)),))
        )
    if len(names) != 1:
        return None
    (name,) = names
    found = envelope(name)
    if found is None:
        return None
    below, pair = found.below, found.pair
    curve = Curve(
        Fraction(0), Fraction(1), lambda low, high: {name: below(low, high)}, lambda d: [pair(d)], slack, refined=True
    )
    return Reduction("at each total variation the least divergence is enclosed", (curve,))


def least_chi_square(slack: Expression) -> Iterator[Reduction]:
    """Likewise of a slack in one χ²: at least 4 d², and d/(1 − d) for d ≥ ½, attained; the first alone is smooth at ½."""
    signs = _directions(slack)
    if signs not in ({"chi2": 1}, {"reverse_chi2": 1}):
        return
    (name,) = signs
    mirrored = name == "reverse_chi2"

    def near(d: Fraction) -> Pair:
        return (_HALF, min(_HALF + d, Fraction(1))) if mirrored else (max(_HALF - d, Fraction(0)), _HALF)

    def far(d: Fraction) -> Pair:
        return (1 - d, Fraction(1)) if mirrored else (Fraction(0), d)

    why = "at each total variation chi-square is least at a known pair"
    square = {name: 4 * D**2}
    for curves in (
        [_curve(slack, square, near)],
        [_curve(slack, square, near, 0, _HALF), _curve(slack, {name: (1 - D) ** -1 - 1}, far, _HALF, 1)],
    ):
        yield Reduction(why, tuple(curves))


def largest_at_each_distance(slack: Expression) -> Reduction | None:
    """Of a slack that does not rise with any divergence, all symmetric and bounded: convex in p, they are largest at p = 0."""
    names = _names(slack)
    if not names or any(sign not in (0, -1) for sign in _directions(slack).values()):
        return None
    known = {name: row_field(name) for name in names}
    if not all(is_symmetric(name) and one is not None and one.largest is not None for name, one in known.items()):
        return None
    values = _all(names, lambda name: value(name, number(0), D))
    why = "at each total variation symmetric divergences are largest where the old policy never takes one action"
    return None if values is None else Reduction(why, (_curve(slack, values, lambda d: (Fraction(0), d)),))


def largest_of_all(slack: Expression) -> Reduction | None:
    """Likewise of rows of any length: H² ≤ d, Le Cam's ≤ d and Jensen-Shannon's ≤ d log 2, all attained at once by three actions.

    Old has (1 − d, d, 0), new (1 − d, 0, d); the pairs that may refute are others.
    """
    multiples = {"hellinger2": D, "le_cam": D, "jensen_shannon": Expression("log", (number(2),)) * D}
    names = _names(slack)
    if not names or any(sign not in (0, -1) for sign in _directions(slack).values()):
        return None
    values = _all(names, lambda name: 2 * D if order_of(name) == _HALF else multiples.get(name))
    why = "symmetric divergences are at most their largest value times the total variation"
    return None if values is None else Reduction(why, (_curve(slack, values, lambda d: (Fraction(0), d)),))


_FORWARD = {"hellinger2": _HALF, "kl": Fraction(1), "chi2": Fraction(2)}
_BACKWARD = {"hellinger2": _HALF, "reverse_kl": Fraction(1), "reverse_chi2": Fraction(2)}


def ordered(slack: Expression) -> Reduction | None:
    """Of a slack in divergences that are Rényi's of some order, rising with the higher orders and falling with the lower ones.

    D_a does not fall with a, and with p = 0 all are −log(1 − q), which is any number: the slack is least where all are equal.
    """
    if TV in {leaf.value for leaf in slack.leaves()}:
        return None
    signs = _directions(slack)
    for mirrored, table in ((False, _FORWARD), (True, _BACKWARD)):
        orders: dict[str, Fraction] = {}
        for name in signs:
            a = order_of(name)
            order = table.get(name) if a is None else 1 - a if mirrored else a
            if order is not None:
                orders[name] = order
        if len(orders) < len(signs) or None in signs.values():
            continue
        rising = [order for name, order in orders.items() if signs[name] == 1]
        falling = [order for name, order in orders.items() if signs[name] == -1]
        if rising and falling and max(falling) > min(rising):
            continue
        values = {name: _equal(name, mirrored=mirrored) for name in orders}
        pair = (lambda d: (1 - d, Fraction(1))) if mirrored else (lambda d: (Fraction(0), d))
        return Reduction("Renyi's divergence does not fall with its order", (_curve(slack, values, pair),))
    return None


def _equal(name: str, *, mirrored: bool) -> Expression:
    """A divergence by 1 − d, where Rényi's of every order is −log(1 − d)."""
    a = order_of(name)
    if a is not None:
        return (1 - (1 - D) ** (a if mirrored else 1 - a)) / (1 - a)
    if name == "hellinger2":
        return 1 - (1 - D) ** _HALF
    return -Expression("log", (1 - D,)) if name in ("kl", "reverse_kl") else (1 - D) ** -1 - 1


_RAREST = 60
"""Actions with probabilities 1/2 … 2⁻⁶⁰ are tried as witnesses. Chosen."""


def linear(slack: Expression) -> Reduction | None:
    """Of Σ a D_f without total variation: Σ a f(t) ≥ 0 and Σ a f*(t) ≥ 0 for t = 1 − d in (0, 1)."""
    names = _names(slack)
    if TV in {leaf.value for leaf in slack.leaves()} or not is_linear(slack):
        return None
    curves: list[Curve] = []
    for star in (False, True)[: 1 if all(is_symmetric(name) for name in names) else 2]:  # f* = f of these
        values = _all(names, partial(generator, t=1 - D, star=star))
        if values is None:
            return None
        curves.append(Curve(Fraction(0), Fraction(1), partial(_known, values), partial(_with_ratio, star=star), slack))
    return Reduction("a linear inequality holds exactly if it does between the generators", tuple(curves))


def _known(values: Values, low: Fraction, high: Fraction) -> Values:
    """The same for all d."""
    return values


def _with_ratio(d: Fraction, *, star: bool) -> Iterator[Pair]:
    """Pairs one of whose ratios is t = 1 − d (or 1/t), ever rarer, so that the other action's share vanishes."""
    for k in range(1, _RAREST):
        small, t = Fraction(1, 2**k), 1 - d
        p, q = (small * t, small) if star else (small, small * t)
        yield (p, q) if p <= q else (1 - p, 1 - q)


def reductions(row: Expression, binary: Expression | None) -> Iterator[tuple[Reduction, bool]]:
    """Those that decide row ≥ 0, and whether they need that binary pairs suffice.

    Args:
        row: over the divergences of one row.
        binary: an equivalent inequality that binary pairs decide; None where that is not seen.
    """
    for found in (ordered(row), linear(row), *map(largest_of_all, [*squared(row), row])):
        if found is not None:
            yield found, False
    for one in [] if binary is None else [*squared(binary), binary]:
        for found in (least_at_each_distance(one), *least_chi_square(one), largest_at_each_distance(one)):
            if found is not None:
                yield found, True
