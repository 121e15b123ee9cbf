"""`Step`: the MDP of a file with old and new, and the quantities that claims read, each computed when it is first read.

Quantities are formulas in the table below, text or functions of the step. Rows of probabilities are {t: p}, without zeros.
"""

from fractions import Fraction as F
from itertools import pairwise

from proof_divergences import ROWS, total
from proof_numbers import (
    array,
    both,
    discounted,
    dot,
    exp,
    largest,
    least,
    log,
    number,
    polylog,
    resolve,
    sqrt,
    variance,
    want,
)

SPARSE = ("transition_data", "transition_indices", "transition_indptr", "transition_shape")


def _row(entries):
    return {t: p for t, p in enumerate(entries) if p}


def _sparse(d, states, actions):
    """P of the parts of a compressed matrix of S A rows."""
    data, indices, starts, shape = (array(d[name]) for name in SPARSE)
    want(shape == [states * actions, states] and len(starts) == shape[0] + 1, "the shape of a sparse transition")
    want(starts[0] == 0 and starts[-1] == len(data) == len(indices), "the length of a sparse transition")
    want(all(i.denominator == 1 for i in indices + starts) and all(a <= b for a, b in pairwise(starts)), "sparse rows")
    want(all(0 <= t < states for t in indices), "a column of a sparse transition")
    rows = []
    for a, b in pairwise(map(int, starts)):
        rows.append({})
        for t, p in both(indices[a:b], data[a:b]):
            rows[-1][int(t)] = rows[-1].get(int(t), F(0)) + p
        want(sum(rows[-1].values()) in (0, 1), "a row that is no distribution")
    return [rows[s * actions : (s + 1) * actions] for s in range(states)]


def k2(g, c):
    """kappa^2, the sum of (1 - g) g^t ((1 + c)^t - 1)."""
    want(1 - g * (1 + c) > 0, "an infinite penalty")
    return g * c / (1 - g * (1 + c))


NAMES = {  # that formulas as text may use
    **{"F": F, "sqrt": sqrt, "exp": exp, "log": log, "largest": largest, "least": least, "abs": abs, "map": map},
    **{"dot": dot, "variance": variance, "polylog": polylog, "k2": k2},
}


class Step:
    """Attributes: g, start, P, r, old, new, ref, noise, size, groups, S and A (ranges), pairs (available states and actions)."""

    most = F(1)  # what gamma is below

    def __init__(self, d, only_used=False):
        self.g, self.start, self.r, self.old, self.new = (
            array(d[name]) for name in ("gamma", "initial", "reward", "old", "new")
        )
        self.S, self.A = range(len(self.old)), range(len(self.old[0]))
        want(("transition" in d) != any(name in d for name in SPARSE), "one transition")
        table = array(d["transition"]) if "transition" in d else None
        want(table is None or {len(x) for rows in table for x in rows} == {len(self.S)}, "a shape")
        self.P = [[_row(x) for x in rows] for rows in table] if table else _sparse(d, len(self.S), len(self.A))

        def said(name, otherwise):
            return otherwise if d.get(name) is None else d[name]

        self.groups, self.size = said("groups", [*self.S]), number(said("size", 1))
        self.ref = array(said("reference", d["old"]))
        noise, ok = (
            said(name, [[one for _ in self.A] for _ in self.S]) for name, one in (("noise", 0), ("available", True))
        )
        want(all(x in (0, 1) for row in ok for x in row), "available")
        want(all(number(x).denominator == 1 for x in self.groups), "groups")
        self.noise, self.pairs = array(noise), [(s, a) for s in self.S for a in self.A if ok[s][a]]
        tables = (self.old, self.new, self.ref, self.P, self.r, noise, ok)
        want(
            all(len(x) == len(self.S) for x in (*tables, self.start, self.groups)) and 0 <= self.g < self.most,
            "gamma, or a shape",
        )
        want(all(len(row) == len(self.A) for x in tables for row in x), "a shape")
        rows = [[*self.P[s][a].values()] for s, a in self.pairs] + [self.start]
        want(all(sum(p) == 1 and min(p) >= 0 for p in sum(tables[:3], rows)), "a row that is no distribution")
        used = [[o + n > 0 for o, n in both(*x)] for x in both(self.old, self.new)]
        absent = [(s, a) for s in self.S for a in self.A if not ok[s][a]]
        want(ok == used if only_used else not any(used[s][a] or self.ref[s][a] for s, a in absent), "available")

    def __getattr__(self, name):  # a quantity, when it is first read
        if name not in FORMULAS:
            raise AttributeError(name)
        self.__dict__[name] = found = self.value(FORMULAS[name])
        return found

    def __getitem__(self, name):  # for formulas that are text
        try:
            return getattr(self, name)
        except AttributeError:
            raise KeyError(name) from None

    def value(self, formula):
        return eval(formula, {**NAMES}, self) if isinstance(formula, str) else formula(self)

    def chain(self, policy):
        """The rows of P under a policy."""
        rows = []
        for s, choice in enumerate(policy):
            rows.append({})
            for a, share in enumerate(choice):
                for t, p in self.P[s][a].items() if share != 0 else ():
                    rows[s][t] = rows[s].get(t, F(0)) + share * p
        return rows

    def solved(self, policy, right, flip=False):
        """By I - gamma P of a policy, or its transpose."""
        return discounted(self.chain(policy), [*right], self.g, flip)

    def ahead(self, s, a, v):
        return sum((p * v[t] for t, p in self.P[s][a].items()), F(0))

    def values(self, policy):
        """V, Q and A."""
        v = self.solved(policy, map(dot, policy, self.r))
        q = [[self.r[s][a] + self.g * self.ahead(s, a, v) for a in self.A] for s in self.S]
        return v, q, [[x - y for x in row] for row, y in both(q, v)]

    def eta(self, policy):
        return dot(self.start, self.values(policy)[0])

    def moved(self, f):
        """gamma (P_new - P_old) f."""
        new, old = ([sum((p * f[t] for t, p in row.items()), F(0)) for row in P] for P in (self.P_new, self.P_old))
        return [self.g * (x - y) for x, y in both(new, old)]

    def apart(self, name, s, what=""):
        """The sum of a term over the rows of s in old and new; of those of their chains, for `what` "P_"."""
        p, q = self[f"{what}old"][s], self[f"{what}new"][s]
        if what:
            p, q = ([x.get(t, F(0)) for t in self.S] for x in (p, q))
        return total(name, p, q)

    def rows(self, name):
        return [self.apart(name, s) for s in self.S]

    def mean(self, name):
        return sum((self.p[s] * self.apart(name, s) for s in self.seen), F(0))

    def spent(self, kind, mean):
        """A divergence of `ROWS`, its largest or its mean under the occupancy of old."""
        if mean:
            return sum((self.p[s] * ROWS[kind](self.old[s], self.new[s]) for s in self.seen), F(0))
        return largest(ROWS[kind](self.old[s], self.new[s]) for s in self.S)

    def over(self, f):
        return [f(s, a) for s, a in self.pairs]

    def pooled(self, x):
        """The sum of rho x over the states that share the row of s, for each s and a."""
        same = [[t for t in self.S if self.groups[t] == self.groups[s]] for s in self.S]
        return [[sum(self.rho[t] * x[t][a] for t in same[s]) for a in range(len(x[s]))] for s in self.S]


def squares(q):
    """The sum of g^t E x_t^2: y = g M y + g h chi, M = sum of (new^2/old) P; it converges if some x > 0 is 1 + g M x."""
    M = []
    for s in q.seen:
        row = dict.fromkeys(q.S, F(0))
        for n, o, p in zip(q.new[s], q.old[s], q.P[s], strict=True):
            for t, x in p.items() if n else ():
                row[t] += q.g * n * n / o * x
        M.append([row[t] for t in q.seen])
    want(all(x > 0 for x in resolve(M, [F(1) for _ in M])), "a sum that may diverge")
    y = resolve(M, [q.apart("reverse_chi2", s) for s in q.seen])
    return q.g * q.h * dot([q.start[s] for s in q.seen], y)


def reached(q):
    """The states that old visits with a positive probability, if gamma > 0."""
    found = {s for s in q.S if q.start[s]}
    ahead = list(found) if q.g else []
    while ahead:
        fresh = {t for t in q.P_old[ahead.pop()]} - found
        found |= fresh
        ahead += fresh
    return found


FORMULAS = {  # gain = L - eta(old), rise = eta(new) - eta(old), gap = eta(new) - L; of old if nothing is said
    "h": "1/(1 - g)",
    "k": "g*h**2",
    "gain": "dot(rho, abar)",
    "rho": "solved(old, start, True)",
    "all": "values(old)",
    "v": "all[0]",
    "q": "all[1]",
    "adv": "all[2]",
    "all_new": "values(new)",
    "v_new": "all_new[0]",
    "abar": lambda q: [*map(dot, q.new, q.adv)],
    "rise": lambda q: dot(q.start, q.v_new) - dot(q.start, q.v),
    "gap": "rise - gain",
    "eps": lambda q: largest(q.over(lambda s, a: abs(q.adv[s][a]))),
    "own": "largest(map(abs, abar))",
    "sigma": lambda q: sqrt(largest(dot(o, [x * x for x in row]) for o, row in both(q.old, q.adv))),
    "qmax": lambda q: largest(q.over(lambda s, a: abs(q.q[s][a]))),
    "spread": "largest(abar) - least(abar)",
    "span": lambda q: largest(q.adv[s][a] - q.adv[s][b] for s, a in q.pairs for t, b in q.pairs if s == t),
    "hat": lambda q: largest(q.over(lambda s, a: abs(q.adv[s][a] + q.noise[s][a]))),  # max |Ahat|, Ahat = A + noise
    "error": lambda q: largest(q.over(lambda s, a: abs(q.noise[s][a]))),
    "wrong": lambda q: dot(q.rho, map(dot, q.new, q.noise)),
    **{name: f"largest(rows('{term}'))" for name, term in both("TDRc", ("tv", "kl", "reverse_kl", "reverse_chi2"))},
    **{f"{name}m": f"mean('{term}')" for name, term in both("TDRc", ("tv", "kl", "reverse_kl", "reverse_chi2"))},
    "x": lambda q: largest(1 - q.new[s][a] / q.old[s][a] for s, a in q.pairs if q.old[s][a]),
    "target": "own/x",  # new = (1 - x) old + x target, Abar = x E_target A
    "once": "g*h*x**2*target/(1 - g*(1 - x))",
    "u": "solved(old, abar)",
    "Li": "polylog(g)",
    "to": "solved(ref, start, True)",  # rho of "reference"
    "lead": "dot(to, abar) - gain",
    "T_old": "dot(to, rows('tv'))",
    "T_ref": lambda q: dot(q.to, [total("tv", *x) for x in both(q.ref, q.new)]),
    "P_old": "chain(old)",
    "P_new": "chain(new)",
    "seen": lambda q: [s for s in q.S if s in q.reached],
    "reached": reached,
    "p": lambda q: [x / q.h for x in q.rho],
    "m": "gain/h",
    "var": "variance(p, abar)",
    "flat": lambda q: q.over(lambda s, a: q.p[s] * q.old[s][a]),
    "rewards": lambda q: q.over(lambda s, a: q.r[s][a]),
    "ms": lambda q: dot(q.flat, q.over(lambda s, a: q.adv[s][a] ** 2)),
    "least_abar": "least(abar)",
    "ratios": lambda q: [q.new[s][a] / q.old[s][a] for s, a in q.pairs if q.old[s][a]],
    "cap": "largest(ratios)",
    "clip": lambda q: largest(abs(x - 1) for x in q.ratios),
    "squares": squares,
    "second": "moved(u)",  # the delta of the critic V + u
    "w": lambda q: [*map(dot, q.old, q.noise)],  # a critic is V + w, whose delta is
    "residual": lambda q: [
        x - w + q.g * sum((p * q.w[t] for t, p in row.items()), F(0))
        for x, w, row in zip(q.abar, q.w, q.P_new, strict=True)
    ],
    "N": lambda q: [q.solved(q.new, [F(s == t) for t in q.S], flip=True) for s in q.S],  # (I - g P_new)^-1
    "tau": lambda q: largest(total("tv", x, y) for x in q.N for y in q.N),
}
