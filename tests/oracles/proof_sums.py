"""Sums of products of powers over a box of discounts and divergences, proved to be >= 0 there, or not.

A monomial is {atom: power}, an atom the name of a quantity, ("exp", sum), ("log", sum), ("sum", sum), ("li", order) or
("number", n), each >= 0 on the box. Powers and coefficients are fractions.
"""

import math
from fractions import Fraction as F

from proof_numbers import exp, iv, log, polylog

ONE = frozenset()


class Box:
    """Ranges of the names, (low, high), high None for no end; names that are not in it are between 0 and infinity."""

    def __init__(self, ranges):
        self.ranges = ranges

    def range(self, name):
        return self.ranges.get(name, (F(0), None))

    def halves(self, name):
        low, high = self.ranges[name]
        if high is None:
            middle = max(2 * low, F(1))
        elif low > 0 and high > 4 * low:
            middle = F(math.isqrt(int(low * high * 10**12)), 10**6) or (low + high) / 2
        else:
            middle = (low + high) / 2
        middle = middle if low < middle and (high is None or middle < high) else (low + high) / 2
        return [Box({**self.ranges, name: part}) for part in ((low, middle), (middle, high))]


def add(p, q, by=F(1)):
    total = dict(p)
    for m, c in q.items():
        total[m] = total.get(m, F(0)) + by * c
    return {m: c for m, c in total.items() if c}


def times(p, q):
    total = {}
    for m, c in p.items():
        for n, d in q.items():
            powers = dict(m)
            for atom, k in n:
                powers[atom] = powers.get(atom, F(0)) + k
            total[_settled(powers)] = total.get(_settled(powers), F(0)) + c * d
    total = {m: c for m, c in total.items() if c}
    return _expanded(total)


def _settled(powers):
    return frozenset((atom, k) for atom, k in powers.items() if k)


def _expanded(p):
    """With whole powers of numbers and of sums, such as those of roots, multiplied out."""
    for m, c in p.items():
        for atom, k in m:
            if isinstance(atom, tuple) and atom[0] in ("number", "sum") and k >= 1:
                rest = {m - {(atom, k)} | ({(atom, k - 1)} if k > 1 else set()): c}
                inner = {ONE: F(atom[1])} if atom[0] == "number" else dict(atom[1])
                return add({n: d for n, d in p.items() if n != m}, times(rest, inner))
    return p


def variable(name):
    return {frozenset({(name, F(1))}): F(1)}


def _enclosed(p, box):
    """An interval around the values of a sum on a box, ends at infinity included; None where it is not seen."""
    total = iv.mpf(0)
    for m, c in p.items():
        term = iv.mpf(c)
        for atom, k in m:
            value = _atom(atom, box)
            if value is None:
                return None
            if k.denominator == 1 and k > 0:
                term *= value ** int(k)
            elif value > 0:
                term *= exp(log(value) * k)
            elif k > 0 and value >= 0:
                term *= iv.mpf([0, exp(log(iv.mpf(value.b)) * k).b]) if value.b > 0 else 0
            else:
                return None
        total += term
    return total


def _atom(atom, box):
    if isinstance(atom, str):
        low, high = box.range(atom)
        return None if high is None else iv.mpf([iv.mpf(low).a, iv.mpf(high).b])
    if atom[0] == "number":
        return iv.mpf(atom[1])
    if atom[0] == "li":
        low, high = (
            (polylog(x) if x else iv.mpf(0) for x in box.range("gamma")) if box.range("gamma")[1] < 1 else (None, None)
        )
        return None if low is None else iv.mpf([low.a, high.b])
    inner = _enclosed(dict(atom[1]), box)
    if inner is None or (atom[0] == "log" and not inner > 0):
        return None
    return {"exp": exp, "log": log}[atom[0]](inner) if atom[0] != "sum" else inner


def _without(p, name):
    """The least power of an atom in all monomials taken out."""
    least = min((dict(m).get(name, F(0)) for m in p), default=F(0))
    shifted = {}
    for m, c in p.items():
        powers = dict(m)
        powers[name] = powers.get(name, F(0)) - least
        shifted[_settled(powers)] = c
    return shifted


def _over_delta(p):
    """Divided by 1 - gamma as often as that leaves no rest."""
    while True:
        by = {}
        for m, c in p.items():
            powers = dict(m)
            k = powers.pop("gamma", F(0))
            if k.denominator != 1 or k < 0:
                return p
            by.setdefault(_settled(powers), {})[int(k)] = c
        if not p or any(sum(terms.values()) for terms in by.values()):
            return p
        q = {}
        for m, terms in by.items():
            carried = F(0)
            for k in range(max(terms)):  # p/(1 - g): partial sums
                carried += terms.get(k, F(0))
                if carried:
                    q[m | ({("gamma", F(k))} if k else set())] = carried
        p = q


def _split(p, atom):
    """A and B of a sum A + B atom; None where other powers of it occur."""
    parts = {F(0): {}, F(1): {}}
    for m, c in p.items():
        k = dict(m).get(atom, F(0))
        if k not in parts:
            return None
        parts[k][m - {(atom, k)}] = c
    return parts[F(0)], parts[F(1)]


def _bounds_of(atom):
    """A sum that an atom is at least, and at most, for all values, as quotients; None where there is none."""
    if atom[0] == "exp":
        u = dict(atom[1])
        return (add({ONE: F(1)}, u), {ONE: F(1)}), (
            {ONE: F(1)},
            add({ONE: F(1)}, u, F(-1)),
        )  # 1 + u; 1/(1 - u) for u < 1
    if atom[0] == "li":  # sqrt(k) <= k, and >= 1
        g, d = variable("gamma"), add({ONE: F(1)}, variable("gamma"), F(-1))
        return (g, d), (g, times(d, d))
    return None, None


def _reduced(p):
    """Without factors that are positive inside of every box: powers of atoms, and 1 - gamma."""
    for name in {atom for m in p for atom, _ in m}:
        p = _without(p, name)
    return _over_delta(p)


def _by_coefficients(p, box):
    """The coefficients of a sum in Bernstein's polynomials in gamma, between the ends of its range: for each other monomial."""
    low, high = box.range("gamma")
    groups, most = {}, 0
    for m, c in p.items():
        k = dict(m).get("gamma", F(0))
        if k.denominator != 1 or k < 0:
            return [[F(-1)]]
        groups.setdefault(m - {("gamma", k)}, {})[int(k)] = c
        most = max(most, int(k))
    found = []
    for terms in groups.values():  # gamma = low + (high - low) t
        shifted = [
            sum(c * math.comb(k, j) * low ** (k - j) * (high - low) ** j for k, c in terms.items() if k >= j)
            for j in range(most + 1)
        ]
        found.append(
            [sum(shifted[j] * F(math.comb(i, j), math.comb(most, j)) for j in range(i + 1)) for i in range(most + 1)]
        )
    return found


def nonnegative(p, box):
    """Whether a sum is proved to be >= 0 on a box."""
    p = _reduced(p)
    if all(c >= 0 for of in _by_coefficients(p, box) for c in of):
        return True
    value = _enclosed(p, box)
    if value is not None and value >= 0:
        return True
    for atom in sorted({atom for m in p for atom, k in m if isinstance(atom, tuple)}, key=str):
        low, high = _bounds_of(atom)
        if low and (parts := _split(p, atom)):
            rest, factor = parts
            minus = {m: -c for m, c in factor.items()}
            bound = low if nonnegative(factor, box) else high if nonnegative(minus, box) else None
            if bound and positive(bound[1], box):
                return nonnegative(add(times(rest, bound[1]), times(factor, bound[0])), box)
    return False


def positive(p, box):
    """Whether a sum is proved to be > 0 on a box, but for gamma = 0 or 1, and quantities that are 0 or infinite."""
    p = _reduced(p)
    low, high = box.range("gamma")
    groups = _by_coefficients(p, box)
    if min(map(min, groups), default=-1) >= 0 and any(
        max(of) > 0 and (of[0] > 0 or low == 0) and (of[-1] > 0 or high == 1) for of in groups
    ):
        return True
    value, constant = _enclosed(p, box), p.get(ONE, F(0))
    return (value is not None and value > 0) or (
        constant > 0 and nonnegative(add(p, {ONE: constant / 10**9}, F(-1)), box)
    )


def root(p, power):
    """A root of a sum >= 0, or another power that is no integer."""
    if len(p) == 1:
        ((m, c),) = p.items()
        scaled = {frozenset((atom, k * power) for atom, k in m): F(1)}
        return times(scaled, _root_of(c, power))
    return {frozenset({(("sum", frozenset(p.items())), power)}): F(1)} if p else {}


def _root_of(c, power):
    if power == F(1, 2):
        roots = math.isqrt(c.numerator), math.isqrt(c.denominator)
        if (roots[0] ** 2, roots[1] ** 2) == (c.numerator, c.denominator):
            return {ONE: F(*roots)}
    return {frozenset({(("number", c), power)}): F(1)}
