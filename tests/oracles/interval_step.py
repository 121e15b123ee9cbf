"""For `check_proof`: intervals of rationals, rounded outward at 256 bits; an MDP with old and new in them; claims about it.

Standard library and mpmath alone; nothing of the package.
"""

from __future__ import annotations

import functools
import math
import re
from fractions import Fraction as F

from mpmath import iv, mp

iv.dps = mp.dps = 70
BITS, LONG = 256, 700


class Rejected(Exception):
    """What is said is not proved."""


def want(holds, why):
    if not holds:
        raise Rejected(why)


def cut(x: F, up: bool) -> F:
    if x.denominator.bit_length() < LONG:
        return x
    k = BITS - x.numerator.bit_length() + x.denominator.bit_length()
    y = x * F(2) ** k
    return F(math.ceil(y) if up else math.floor(y)) / F(2) ** k


class Iv:
    """A closed interval of rationals."""

    def __init__(self, lo, hi=None):
        self.lo, self.hi = cut(F(lo), False), cut(F(lo if hi is None else hi), True)

    def __add__(self, y):
        y = to(y)
        return Iv(self.lo + y.lo, self.hi + y.hi)

    def __neg__(self):
        return Iv(-self.hi, -self.lo)

    def __mul__(self, y):
        y = to(y)
        ends = [a * b for a in {self.lo, self.hi} for b in {y.lo, y.hi}]
        return Iv(min(ends), max(ends))

    def __truediv__(self, y):
        y = to(y)
        want(y.lo > 0 or y.hi < 0, "a quotient by what may be 0")
        return self * Iv(1 / y.hi, 1 / y.lo)

    def __abs__(self):
        return self if self.lo >= 0 else -self if self.hi <= 0 else Iv(0, max(-self.lo, self.hi))

    def __pow__(self, n):
        return functools.reduce(Iv.__mul__, [abs(self) if n % 2 == 0 else self] * n)

    __radd__, __rmul__ = __add__, __mul__
    __sub__ = lambda self, y: self + -to(y)  # noqa: E731
    __rsub__ = lambda self, y: to(y) - self  # noqa: E731
    __rtruediv__ = lambda self, y: to(y) / self  # noqa: E731


def to(x) -> Iv:
    return x if isinstance(x, Iv) else Iv(x)


def rising(f, x) -> Iv:
    """An increasing function of mpmath's on an interval."""
    low, high = (f(iv.mpf(e.numerator) / iv.mpf(e.denominator))._mpi_ for e in (to(x).lo, to(x).hi))
    parts = [(-1) ** s * int(m) * F(2) ** int(e) for s, m, e, _ in (low[0], high[1])]
    return Iv(*parts)


def log(x):
    want(to(x).lo > 0, "a logarithm of what may be 0")
    return rising(iv.log, x)


def largest(xs):
    xs = [to(x) for x in xs]
    return Iv(max(x.lo for x in xs), max(x.hi for x in xs))


def total(xs):
    return sum(xs, Iv(0))


def number(x) -> F:
    want(not isinstance(x, bool) and isinstance(x, int | F | str), f"{x!r} is no number")
    want(not isinstance(x, str) or re.fullmatch(r"-?\d+(/\d+|(\.\d+)?([eE][+-]?\d{1,3})?)", x), f"{x!r} is no number")
    return F(x)


def array(x):
    return [array(e) for e in x] if isinstance(x, list) else number(x)


def solve(rows, right):
    """Elimination without pivots: I − γP, and its transpose, are M-matrices."""
    rows, right, n = [dict(r) for r in rows], [to(b) for b in right], len(rows)
    for k in range(n):
        for i in range(k + 1, n):
            if k in rows[i]:
                by = rows[i].pop(k) / rows[k][k]
                for j, e in rows[k].items():
                    if j > k:
                        rows[i][j] = rows[i].get(j, Iv(0)) - by * e
                right[i] = right[i] - by * right[k]
    for k in reversed(range(n)):
        right[k] = (right[k] - total(e * right[j] for j, e in rows[k].items() if j > k)) / rows[k][k]
    return right


class Step:
    """What claims read, of the MDP and the policies of a file."""

    def __init__(self, d, only_used=False):
        self.g, self.start, self.old, self.new = (array(d[n]) for n in ("gamma", "initial", "old", "new"))
        self.P, self.r, size = array(d["transition"]), array(d["reward"]), number(d.get("size", 1))
        want(size == 1 and not {"noise", "reference"} & d.keys(), "a step that is not read here")
        S, A = len(self.old), len(self.old[0])
        self.S, self.A = range(S), range(A)
        ok = d.get("available") or [[True] * A] * S
        self.ok = [
            [bool(ok[s][a]) and (not only_used or self.old[s][a] + self.new[s][a] > 0) for a in self.A] for s in self.S
        ]
        want(not only_used or ok == self.ok, "available")
        lists = [self.start, *self.old, *self.new, *(self.P[s][a] for s in self.S for a in self.A if self.ok[s][a])]
        want(all(sum(row) == 1 and min(row) >= 0 for row in lists), "a row that is no distribution")
        want(all(len(row) == S for row in lists[:1] + lists[1 + 2 * S :]), "a shape")
        want(0 <= self.g < 1 and all(len(x) == S for x in (self.old, self.new, self.P, self.r)), "gamma, or a shape")
        want(all(len(x[s]) == A for x in (self.old, self.new, self.P, self.r) for s in self.S), "a shape")
        want(
            all(self.ok[s][a] or not self.old[s][a] + self.new[s][a] for s in self.S for a in self.A),
            "an absent action",
        )
        v, u = self.value(self.old), self.value(self.new)
        sums = [[total(p * v[t] for t, p in enumerate(self.P[s][a]) if p) for a in self.A] for s in self.S]
        self.q = [[self.r[s][a] + self.g * sums[s][a] for a in self.A] for s in self.S]
        self.adv = [[self.q[s][a] - v[s] for a in self.A] for s in self.S]
        self.abar = [total(self.new[s][a] * self.adv[s][a] for a in self.A if self.new[s][a]) for s in self.S]
        self.rho = solve(self.matrix(self.old, flip=True), self.start)
        self.eta, self.eta_new = (total(p * x[s] for s, p in enumerate(self.start) if p) for x in (v, u))
        self.gain = total(x * y for x, y in zip(self.rho, self.abar, strict=True))
        self.gap = self.eta_new - self.eta - self.gain
        self.eps, self.own = largest(abs(x) for x in self.each(self.adv)), largest(map(abs, self.abar))
        self.qmax, self.h = largest(abs(x) for x in self.each(self.q)), 1 / (1 - self.g)

    def each(self, x):
        return [x[s][a] for s in self.S for a in self.A if self.ok[s][a]]

    def matrix(self, policy, flip=False):
        rows = [{s: Iv(1)} for s in self.S]
        for s in self.S:
            for t in self.S:
                p = self.g * sum(policy[s][a] * self.P[s][a][t] for a in self.A if policy[s][a])
                if p:
                    i, j = (t, s) if flip else (s, t)
                    rows[i][j] = rows[i].get(j, Iv(0)) - p
        return rows

    def value(self, policy):
        return solve(
            self.matrix(policy),
            [sum(p * x for p, x in zip(*rows, strict=True)) for rows in zip(policy, self.r, strict=True)],
        )

    def rows(self, f):
        return [total(f(*pq) for pq in zip(self.old[s], self.new[s], strict=True)) for s in self.S]

    def max(self, name):
        return largest(self.rows(TERMS[name]))

    def mean(self, name):
        return (1 - self.g) * total(r * x for r, x in zip(self.rho, self.rows(TERMS[name]), strict=True))


def kl(p, q):
    want(p == 0 or q > 0, "an infinite divergence")
    return p * log(p / q) if p and p != q else Iv(0)


TERMS = {
    "tv": lambda p, q: Iv(abs(p - q) / 2),
    "kl": kl,
    "reverse-kl": lambda p, q: kl(q, p),
    "chi2": lambda p, q: Iv(0) if p == q else Iv((p - q) ** 2) / q,
    "bc": lambda p, q: rising(iv.sqrt, p * q),
    "js": lambda p, q: (kl(p, (p + q) / 2) + kl(q, (p + q) / 2)) / 2,
}


BOUNDS = {  # penalties
    "trpo/tv-2": lambda q: 2 * q.eps * q.g * q.h**2 * q.max("tv") ** 2,
    "trpo/tv": lambda q: 4 * q.eps * q.g * q.h**2 * q.max("tv") ** 2,
    "trpo/kl": lambda q: 4 * q.eps * q.g * q.h**2 * q.max("kl"),
    "pinsker/kl": lambda q: 2 * q.eps * q.g * q.h**2 * q.max("kl"),
    "pinsker/kl-1": lambda q: q.eps * q.g * q.h**2 * q.max("kl"),
    "coupling/tv": lambda q: 4 * q.eps * q.g * q.h * q.max("tv") ** 2 / (1 - q.g * (1 - q.max("tv"))),
    "blog/own-advantage-kl": lambda q: 2 * q.own * q.g * q.h**2 * q.max("kl"),
    "blog/own-advantage-tv2": lambda q: 2 * q.own * q.g * q.h**2 * q.max("tv") ** 2,
    "blog/no-surrogate": lambda q: 4 * q.eps * q.g * q.h**2 * q.mean("kl") + q.gain,
    "cpo/mean-tv": lambda q: 2 * q.g * q.own * q.h**2 * q.mean("tv"),
    "cpo/mean-tv-1": lambda q: q.g * q.own * q.h**2 * q.mean("tv"),
    "pirotta/q-signed": lambda q: 2 * q.g * q.h**2 * q.max("tv") ** 2 * q.qmax,
    "mean-kl/linear": lambda q: 4 * q.eps * q.g * q.h**2 * q.mean("kl"),
    "mean-kl/linear-open": lambda q: (want(q.g >= F(1, 10), "gamma"), 4 * q.eps * q.g * q.h**2 * q.mean("kl"))[1],
}
PINSKER = {  # ceilings of TV², of which the half is claimed
    "pinsker": lambda q: [x / 2 for x in q.rows(kl)],
    "jeffreys": lambda q: [(x + y) / 4 for x, y in zip(q.rows(kl), q.rows(TERMS["reverse-kl"]), strict=True)],
    "chi2": lambda q: [x / 4 for x in q.rows(TERMS["chi2"])],
    "jensen-shannon": lambda q: [2 * x for x in q.rows(TERMS["js"])],
    "hellinger": lambda q: [1 - x**2 for x in q.rows(TERMS["bc"])],
}


def small_step_up(q):
    want(q.gain.lo > 0 and q.max("tv").hi <= F(1, 100), "the hypotheses are not proved")
    return q.eta_new - q.eta


def slack(name, q):
    if name in BOUNDS:
        return q.gap + BOUNDS[name](q)
    if name in (f"divergence/{one}-half" for one in PINSKER):
        ends = [c / 2 - t**2 for c, t in zip(PINSKER[name[11:-5]](q), q.rows(TERMS["tv"]), strict=True)]
        return Iv(min(x.lo for x in ends), min(x.hi for x in ends))
    others = {"order/upper": lambda q: -q.gap, "order/surrogate-up": small_step_up}
    want(name in others, f"the claim {name} is not known here")
    return others[name](q)


def says(d, pattern, *numbers):
    """The theorem is the sentence, with these numbers for #."""
    pattern = re.sub(r"([()^])", r"\\\1", pattern).replace("#", r"(\S+?)")
    found = re.fullmatch(pattern, d["theorem"])
    want(found and all(number(x) == y for x, y in zip(found.groups(), numbers, strict=True)), "theorem")


def ends(d, name="enclosure"):
    lo, hi = (number(x) for x in d[name])
    want(lo <= hi, name)
    return lo, hi


def around(d, name, found, room=F(1, 10**6)):
    """Two ends of a file are an enclosure of what was found."""
    lo, hi = ends(d, name)
    want(lo <= found.hi and found.lo <= hi and hi - lo <= room * max(abs(lo), abs(hi)), name)
    return lo, hi


GENERATORS = {  # f and f' at l > 0, and where c - lam f' vanishes
    "kl": (lambda x: -log(x), lambda x: -1 / x, lambda c, lam: -lam / c),
    "reverse-kl": (lambda x: x * log(x) - x + 1, log, lambda c, lam: mp.exp(c / lam)),
    "chi2": (lambda x: (x - 1) ** 2 / x, lambda x: 1 - 1 / x**2, lambda c, lam: mp.sqrt(lam / (lam - c))),
}


def supremum(name, c, lam):
    """An upper bound on sup over l >= 0 of c l - lam f(l): from a tangent of that concave function that does not rise."""
    if lam == 0 or name == "tv":
        want(c <= lam / 2 if name == "tv" else c <= 0, "unbounded")
        return max(c, -lam / 2) if name == "tv" else F(0)
    f, slope, peak = GENERATORS[name]
    want(c < 0 or name == "reverse-kl" or (name == "chi2" and c < lam), "unbounded")
    big = [mp.mpf(x.numerator) / x.denominator for x in (c, lam)]
    at = F(str(mp.nstr(peak(*big) * (1 + mp.mpf(10) ** -25), 60)))
    want(at > 0, "no peak")
    rise = c - lam * slope(Iv(at))
    want(rise.hi <= 0, "a tangent that rises")
    return (c * at - lam * f(Iv(at)) - rise * at).hi
