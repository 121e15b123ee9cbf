"""Numbers of the independent checker: fractions, and intervals of mpmath's, whose ends are outward.

A comparison of intervals that overlap is None, which `want` rejects.
"""

import math
import re
from fractions import Fraction as F
from operator import mul

import mpmath


class Rejected(Exception):
    """What is said is not proved."""


class Intervals(type(mpmath.iv)):
    """mpmath's, to which a fraction is the interval around it."""

    def convert(self, x):
        return super().convert(x.numerator) / x.denominator if isinstance(x, F) else super().convert(x)


iv = Intervals()
iv.dps = 70
sqrt, exp, log = iv.sqrt, iv.exp, iv.log
EXACT = 16  # linear systems of up to so many unknowns are solved in fractions
TINY = F(1, 10**40)
PLACES = 2**240  # refined solutions are multiples of 1/PLACES


def want(holds, why):
    if not holds:
        raise Rejected(why)


def number(x):
    """The rational that is written, digits of ASCII only; a float of JSON has become its decimal already."""
    want(isinstance(x, F | str) or type(x) is int, f"{x!r} is no number")
    text = re.fullmatch(r"-?\d+(/\d+|(\.\d+)?([eE][+-]?\d{1,3})?)", x, re.ASCII) if isinstance(x, str) else True
    want(text, f"{x!r} is no number")
    return F(x)


def array(x):
    return [array(e) for e in x] if isinstance(x, list) else number(x)


def ends(x):
    """The two ends of an enclosure, in order."""
    want(isinstance(x, list) and len(x) == 2, "no two ends")
    low, high = map(number, x)
    want(low <= high, "ends in the wrong order")
    return low, high


def _end(x, which):
    sign, size, exponent, _ = (x < 0, abs(x), 0, 0) if isinstance(x, F) else x._mpi_[which]
    want(size or not exponent, "what may be infinite")
    return (-1) ** sign * F(size) * F(2) ** exponent


def lower(x):
    return _end(x, 0)


def upper(x):
    return _end(x, 1)


def largest(xs):
    xs = [*xs]
    if all(isinstance(x, F) for x in xs):
        return max(xs)
    return iv.mpf([max(iv.mpf(x).a for x in xs), max(iv.mpf(x).b for x in xs)])


def least(xs):
    return -largest(-x for x in xs)


def dot(x, y):
    return sum(map(mul, x, y), F(0))


def both(x, y):
    return zip(x, y, strict=True)


def variance(p, f):
    mean = dot(p, f)
    return dot(p, [(x - mean) ** 2 for x in f])


def solve(rows, right):
    """Elimination without pivots: I - gamma P, and its transpose, are M-matrices. What is 0 stays the fraction 0."""
    n, right = len(rows), [*right]
    rows = [[x and (x if n <= EXACT else iv.mpf(x)) for x in row] for row in rows]
    for k in range(n):
        for i in range(k + 1, n):
            if rows[i][k]:
                by = rows[i][k] / rows[k][k]
                right[i] = right[i] - by * right[k]
                rows[i] = [x - by * y if y else x for x, y in both(rows[i], rows[k])]
    for k in reversed(range(n)):
        right[k] = (right[k] - dot(rows[k][k + 1 :], right[k + 1 :])) / rows[k][k]
    return right


def resolve(M, f):
    """x = f + M x."""
    return solve([[F(s == t) - x for t, x in enumerate(row)] for s, row in enumerate(M)], f)


def discounted(P, f, gamma, flip=False):
    """x = f + gamma P x, or with the transpose of P, for rows of probabilities {t: p}; large systems by refinement.

    For any y, max|y - x| <= max|r|/(1 - gamma), r = f + gamma P y - y; with the transpose the same of sums.
    """
    if len(P) <= EXACT:
        rows = [[gamma * row.get(t, 0) for t in range(len(P))] for row in P]
        return resolve([*zip(*rows, strict=True)] if flip else rows, f)
    f, y = [*f], [F(0)] * len(P)
    by, size = _factors(P, gamma), math.inf
    while True:
        r = _residual(P, f, gamma, y, flip)
        now = sum(map(abs, r)) if flip else max(map(abs, r))
        if not now < size / 4 or now == 0:
            break
        best, size = y, now
        step = _substituted(by, [float(x / now) for x in r], flip)
        y = [F(round((x + F(s) * now) * PLACES), PLACES) for x, s in both(y, step)]
    off = size / (1 - gamma) if now else F(0)
    return [iv.mpf([iv.mpf(x - off).a, iv.mpf(x + off).b]) for x in (best if now else y)]


def _residual(P, f, gamma, y, flip):
    if not flip:
        return [b + gamma * sum(p * y[t] for t, p in row.items()) - x for b, row, x in zip(f, P, y, strict=True)]
    r = [b - x for b, x in both(f, y)]
    for row, x in both(P, y):
        for t, p in row.items():
            r[t] += gamma * p * x
    return r


def _factors(P, gamma):
    """Lower and upper factors of I - gamma P in floats, by rows; what is dropped by rounding, the refinement makes good."""
    n = len(P)
    rows = [{t: -float(gamma * p) for t, p in row.items()} for row in P]
    for s in range(n):
        rows[s][s] = rows[s].get(s, 0.0) + 1
    below = [set() for _ in range(n)]
    for s, row in enumerate(rows):
        for t in row:
            if t < s:
                below[t].add(s)
    for k in range(n):
        pivot, ahead = rows[k][k], [(t, x) for t, x in rows[k].items() if t > k]
        for i in below[k]:
            row = rows[i]
            by = row[k] / pivot
            row[k] = by
            for t, x in ahead:
                if t not in row and t < i:
                    below[t].add(i)
                row[t] = row.get(t, 0.0) - by * x
    return rows


def _substituted(rows, right, flip):
    n, x = len(rows), [*right]
    if not flip:
        for k in range(n):
            x[k] -= sum(v * x[t] for t, v in rows[k].items() if t < k)
        for k in reversed(range(n)):
            x[k] = (x[k] - sum(v * x[t] for t, v in rows[k].items() if t > k)) / rows[k][k]
        return x
    for k in range(n):
        x[k] /= rows[k][k]
        for t, v in rows[k].items():
            if t > k:
                x[t] -= v * x[k]
    for k in reversed(range(n)):
        for t, v in rows[k].items():
            if t < k:
                x[t] -= v * x[k]
    return x


def polylog(g):
    """Li_{-1/2}(g), the sum of sqrt(k) g^k; beyond n it is at most that of k g^k."""
    n, p = int(60 / (1 - g)) + 1, iv.mpf(g)
    return sum(sqrt(k) * p**k for k in range(1, n + 1)) + iv.mpf([0, p ** (n + 1) * (n + 1 - n * g) / (1 - g) ** 2])


def says(d, pattern, *numbers):
    """The theorem: with these numbers for #, what the file's sentence must be, if it has one."""
    text = d.get("theorem", pattern)
    want(isinstance(text, str), "theorem")
    found = re.fullmatch(re.escape(pattern).replace(r"\#", r"(\S+?)"), text)
    want(found and ("theorem" not in d or [*map(number, found.groups())] == [*numbers]), "theorem")
    return d.get("theorem", pattern.replace("#", "{}").format(*numbers))
