# fmt: off
"""`python check_proof.py FILE...`: each file of evidence proved again, from the file alone, and its theorem printed.

Standard library and mpmath, nothing of the package. Numbers are fractions, or intervals of mpmath's with their ends outward where
a root, logarithm or exponential (or a large linear system) enters. A comparison of intervals that overlap is None, which `want`
rejects; `max` and `min` are for fractions alone. Proofs on paper: docs/theory.md, "The sharp gap", "Certificates", "The linear
mean-KL theorems", "Second-order theorems in chi-square". Not compared: statement, source, note, made_by.
Exit status: 0, all are proved; 1, one is rejected; 2, one is no file of evidence.
"""
import json
import math
import re
import sys
from contextlib import suppress
from fractions import Fraction as F
from functools import cache
from itertools import pairwise
from operator import mul
from pathlib import Path

import mpmath


class Rejected(Exception):
    """What is said is not proved."""
class Intervals(type(mpmath.iv)):
    def convert(self, x): return super().convert(x.numerator) / x.denominator if isinstance(x, F) else super().convert(x)
iv, EXACT, TINY = Intervals(), 16, F(1, 10**40)  # linear systems of up to EXACT unknowns are solved in fractions
iv.dps = 70
sqrt, exp, log = iv.sqrt, iv.exp, iv.log
def want(holds, why):
    if not holds:
        raise Rejected(why)
def number(x):
    want(isinstance(x, F | str) or type(x) is int, f"{x!r} is no number")
    want(not isinstance(x, str) or re.fullmatch(r"-?\d+(/\d+|(\.\d+)?([eE][+-]?\d{1,3})?)", x, re.ASCII), f"{x!r} is no number")
    return F(x)
def array(x): return [array(e) for e in x] if isinstance(x, list) else number(x)
def upper(x):
    sign, size, exponent, _ = (x < 0, abs(x), 0, 0) if isinstance(x, F) else x._mpi_[1]
    want(size or not exponent, "what may be infinite")
    return (-1) ** sign * F(size) * F(2) ** exponent
def largest(xs):
    xs = [*xs]
    return max(xs) if all(isinstance(x, F) for x in xs) else iv.mpf([max(iv.mpf(x).a for x in xs), max(iv.mpf(x).b for x in xs)])
def least(xs): return -largest(-x for x in xs)
def dot(x, y): return sum(map(mul, x, y), F(0))
def both(x, y): return zip(x, y, strict=True)
def solve(rows, right):
    """Elimination without pivots: I - gamma P, and its transpose, are M-matrices. What is 0 stays the fraction 0."""
    n, right, rows = len(rows), [*right], [[x and (x if len(rows) <= EXACT else iv.mpf(x)) for x in row] for row in rows]
    for k in range(n):
        for i in (i for i in range(k + 1, n) if rows[i][k]):
            by = rows[i][k] / rows[k][k]
            right[i], rows[i] = right[i] - by * right[k], [x - by * y if y else x for x, y in both(rows[i], rows[k])]
    for k in reversed(range(n)):
        right[k] = (right[k] - dot(rows[k][k + 1 :], right[k + 1 :])) / rows[k][k]
    return right
def resolve(M, f): return solve([[F(s == t) - x for t, x in enumerate(row)] for s, row in enumerate(M)], f)  # x = f + M x
def polylog(g):
    """Li_{-1/2}(g), the sum of sqrt(k) g^k; beyond n it is at most that of k g^k."""
    n, p = int(60 / (1 - g)) + 1, iv.mpf(g)
    return sum(sqrt(k) * p**k for k in range(1, n + 1)) + iv.mpf([0, p ** (n + 1) * (n + 1 - n * g) / (1 - g) ** 2])

TERMS = {  # of old(a|s) and new(a|s): the sum over a is a divergence of two rows, or what is in Renyi's logarithm
    "tv": lambda p, q: abs(p - q) / 2, "bc": lambda p, q: sqrt(p * q),
    "kl": lambda p, q: p * log(p / q) if p != 0 else F(0), "reverse_kl": lambda p, q: TERMS["kl"](q, p),
    "chi2": lambda p, q: (p - q) ** 2 / q if p != q else F(0), "reverse_chi2": lambda p, q: TERMS["chi2"](q, p),
    "twice_kl": lambda p, q: 2 * TERMS["kl"](p, q),
    "js": lambda p, q: (TERMS["kl"](p, (p + q) / 2) + TERMS["kl"](q, (p + q) / 2)) / 2,
    **{f"r{n}": lambda p, q, n=n: exp((n * log(p) + (10 - n) * log(q)) / 10) if p * q != 0 else F(0) for n in (1, 5, 9)}}
class Step:
    """The MDP of a file with old and new, and what claims read of them: fields here, quantities in the table below."""
    def __init__(self, d, only_used=False):
        names = ("gamma", "initial", "transition", "reward", "old", "new")
        self.g, self.start, self.P, self.r, self.old, self.new = (array(d[name]) for name in names)
        self.S, self.A = range(len(self.old)), range(len(self.old[0]))
        def said(name, otherwise): return otherwise if d.get(name) is None else d[name]
        self.groups, self.size, self.ref = said("groups", [*self.S]), number(said("size", 1)), array(said("reference", d["old"]))
        noise, ok = (said(name, [[one for _ in self.A] for _ in self.S]) for name, one in (("noise", 0), ("available", True)))
        want(all(x in (0, 1) for row in ok for x in row), "available")
        want(all(number(x).denominator == 1 for x in self.groups), "groups")
        self.noise, self.pairs = array(noise), [(s, a) for s in self.S for a in self.A if ok[s][a]]
        rows = [self.P[s][a] for s, a in self.pairs] + [self.start]
        tables = (self.old, self.new, self.ref, self.P, self.r, noise, ok)
        want(all(len(x) == len(self.S) for x in (*tables, *rows, self.groups)) and 0 <= self.g < 1, "gamma, or a shape")
        want(all(len(row) == len(self.A) for x in tables for row in x), "a shape")
        want(all(sum(p) == 1 and min(p) >= 0 for p in sum(tables[:3], rows)), "a row that is no distribution")
        used = [[o + n > 0 for o, n in both(*x)] for x in both(self.old, self.new)]
        absent = [(s, a) for s in self.S for a in self.A if not ok[s][a]]
        want(ok == used if only_used else not any(used[s][a] or self.ref[s][a] for s, a in absent), "available")
    def __getattr__(self, name):  # a quantity, when it is first read
        self.__dict__[name] = found = self.value(FORMULAS[name])
        return found
    def __getitem__(self, name): return getattr(self, name)  # for formulas that are text
    def value(self, f): return eval(f, globals(), self) if isinstance(f, str) else f(self)
    def solved(self, policy, right, flip=False):  # by I - gamma P of a policy, or its transpose
        rows = [[self.g * x for x in row] for row in self.chain(policy)]
        return resolve([*zip(*rows, strict=True)] if flip else rows, right)
    def chain(self, policy): return [[dot(p, x) for x in zip(*self.P[s], strict=True)] for s, p in enumerate(policy)]
    def moved(self, f): return [self.g * (dot(p, f) - dot(o, f)) for p, o in both(self.P_new, self.P_old)]
    def values(self, policy):  # V, Q and A
        v = self.solved(policy, map(dot, policy, self.r))
        q = [[r + self.g * dot(p, v) for r, p in both(*x)] for x in both(self.r, self.P)]
        return v, q, [[x - y for x in row] for row, y in both(q, v)]
    def apart(self, name, s, what=""):  # the rows of s in old and new, or those of their chains if `what` is "P_"
        return sum(map(TERMS[name], self[f"{what}old"][s], self[f"{what}new"][s]), F(0))
    def rows(self, name): return [self.apart(name, s) for s in self.S]
    def mean(self, name): return sum((self.p[s] * self.apart(name, s) for s in self.seen), F(0))
    def over(self, f): return [f(s, a) for s, a in self.pairs]
    def pooled(self, x):  # the sum of rho x over the states that share the row of s, for each s and a
        same = [[t for t in self.S if self.groups[t] == self.groups[s]] for s in self.S]
        return [[sum(self.rho[t] * x[t][a] for t in same[s]) for a in range(len(x[s]))] for s in self.S]

FORMULAS = {  # gain = L - eta(old), rise = eta(new) - eta(old), gap = eta(new) - L; of old if nothing is said
    "h": "1/(1 - g)", "k": "g*h**2", "gain": "dot(rho, abar)", "rho": "solved(old, start, True)",
    "all": "values(old)", "v": "all[0]", "q": "all[1]", "adv": "all[2]", "abar": lambda q: [*map(dot, q.new, q.adv)],
    "rise": lambda q: dot(q.start, q.values(q.new)[0]) - dot(q.start, q.v), "gap": "rise - gain",
    "eps": lambda q: largest(q.over(lambda s, a: abs(q.adv[s][a]))), "own": "largest(map(abs, abar))",
    "sigma": lambda q: sqrt(largest(dot(o, [x * x for x in row]) for o, row in both(q.old, q.adv))),
    "qmax": lambda q: largest(q.over(lambda s, a: abs(q.q[s][a]))), "spread": "largest(abar) - least(abar)",
    "span": lambda q: largest(q.adv[s][a] - q.adv[s][b] for s, a in q.pairs for t, b in q.pairs if s == t),
    "hat": lambda q: largest(q.over(lambda s, a: abs(q.adv[s][a] + q.noise[s][a]))),  # max |Ahat|, Ahat = A + noise
    "error": lambda q: largest(q.over(lambda s, a: abs(q.noise[s][a]))), "wrong": lambda q: dot(q.rho, map(dot, q.new, q.noise)),
    **{name: f"largest(rows('{term}'))" for name, term in both("TDRc", ("tv", "kl", "reverse_kl", "reverse_chi2"))},
    **{f"{name}m": f"mean('{term}')" for name, term in both("TDRc", ("tv", "kl", "reverse_kl", "reverse_chi2"))},
    "x": lambda q: largest(1 - q.new[s][a] / q.old[s][a] for s, a in q.pairs if q.old[s][a]),  # new = (1-x) old + x target
    "target": "own/x", "once": "g*h*x**2*target/(1 - g*(1 - x))", "u": "solved(old, abar)",  # Abar = x E_target A
    "Li": "polylog(g)", "to": "solved(ref, start, True)", "lead": "dot(to, abar) - gain", "T_old": "dot(to, rows('tv'))",
    "T_ref": lambda q: dot(q.to, [sum(map(TERMS["tv"], *x)) for x in both(q.ref, q.new)]),  # to: rho of "reference"
    "P_old": "chain(old)", "P_new": "chain(new)", "seen": lambda q: [s for s in q.S if (q.rho[s] == 0) is not True],
    "p": lambda q: [x / q.h for x in q.rho], "m": "gain/h", "var": "variance(p, abar)",
    "flat": lambda q: q.over(lambda s, a: q.p[s] * q.old[s][a]), "rewards": lambda q: q.over(lambda s, a: q.r[s][a]),
    "ms": lambda q: dot(q.flat, q.over(lambda s, a: q.adv[s][a] ** 2)), "least_abar": "least(abar)",
    "ratios": lambda q: [q.new[s][a] / q.old[s][a] for s, a in q.pairs if q.old[s][a]], "cap": "largest(ratios)",
    "clip": lambda q: largest(abs(x - 1) for x in q.ratios), "squares": lambda q: squares(q),
    "second": "moved(u)",  # the delta of the critic V + u
    "w": lambda q: [*map(dot, q.old, q.noise)],  # a critic is V + w, whose delta is
    "residual": lambda q: [*map(lambda x, w, p: x - w + q.g * dot(p, q.w), q.abar, q.w, q.P_new)],
    "N": lambda q: [q.solved(q.new, [F(s == t) for t in q.S], flip=True) for s in q.S],  # (I - g P_new)^-1
    "tau": lambda q: largest(sum(map(TERMS["tv"], x, y)) for x in q.N for y in q.N)}
def variance(p, f): return dot(p, [(x - mean) ** 2 for mean in [dot(p, f)] for x in f])
def k2(g, c):  # kappa^2, the sum of (1 - g) g^t ((1 + c)^t - 1)
    want(1 - g * (1 + c) > 0, "an infinite penalty")
    return g * c / (1 - g * (1 + c))
def squares(q):  # the sum of g^t E x_t^2: y = g M y + g h chi, M = sum of (new^2/old) P; it converges if some x > 0 is 1 + g M x
    rows = [[(n * n / o, p) for n, o, p in zip(q.new[s], q.old[s], q.P[s], strict=True) if n] for s in q.seen]
    M, chi = [[q.g * sum(n * p[t] for n, p in row) for t in q.seen] for row in rows], [q.apart("reverse_chi2", s) for s in q.seen]
    want(all(x > 0 for x in resolve(M, [F(1) for _ in M])), "a sum that may diverge")
    return q.g * q.h * dot([q.start[s] for s in q.seen], resolve(M, chi))
def by_max(v, c, mean, sd): return v + c * (1 + v)
def by_mean(v, c, mean, sd): return v + least([c * (1 + v), mean + 2 * sd * sqrt(v) + c * v])
def floor(law, a, v):
    """E a - phi(v): at any level b, E X a >= b - sqrt((1 + v) E (b - a)+^2); the best b is an a, or m + s/sqrt(M (1 + v) - 1)."""
    levels = [*a]
    for top in a:
        low = [p * (not x > top) for p, x in both(law, a)]
        spare = (mass := sum(low)) * (1 + v) - 1
        if spare > 0:
            low = [p / mass for p in low]
            levels.append(dot(low, a) + sqrt(variance(low, a) / spare))
    lowest = [b - sqrt((1 + v) * dot(law, [largest([b - x, F(0)]) ** 2 for x in a])) for b in levels]
    return dot(law, a) - largest(lowest)
def over_time(a="abar", grow=by_mean, far="reverse_chi2", most=256, what="", block=True, pooled=False, ratio=False):
    """The sum over t < H of g^t min{sd_t(a) sqrt(v_t), span(a)}, or of E a - phi(v_t), v_0 = 0, v_{t+1} = grow; and the rest.

    H of the package: the first multiple of 32 with g^H <= 1e-6, at most `most`; the rest: "The tail in one block"."""
    @cache
    def penalty(q):
        f, chi, law = [q[a][s] for s in q.seen], [q.apart(far, s, what) for s in q.seen], [iv.mpf(q.start[s]) for s in q.seen]
        c, span, v, total, P = largest(chi), largest(f) - least(f), 0, 0, [[q.P_old[s][t] for t in q.seen] for s in q.seen]
        flow = [[iv.mpf(x) for x in to] for to in zip(*P, strict=True)]
        H = next(t for t in range(32, most + 1, 32) if q.g**t * 10**6 <= 1 or t == most)
        for t in range(H):
            loss = [sqrt((q.var if pooled else variance(law, f)) * v), span, *([floor(law, f, v)] if ratio else [])]
            total += q.g**t * least(loss)
            v, law = grow(v, c, dot(law, chi), sqrt(variance(law, chi))), [dot(law, column) for column in flow]
        weight, theta = resolve([[q.g * x for x in column] for column in zip(*P, strict=True)], law), q.g * (1 + c)
        ends = [dot(weight, [x - least(f) for x in f]) if ratio else q.h * span]
        if block and theta < 1:
            ends.append(sqrt(q.h * variance([x / q.h for x in weight], f) * (v + q.g * q.h * c) / (1 - theta)))
        live = [s for s, x in enumerate(f) if (x == 0) is not True or P[s][s] != 1]  # y = f^2 + theta P y; elsewhere y = 0
        with suppress(ZeroDivisionError):
            y = resolve([[theta * P[s][t] for t in live] for s in live], [f[s] ** 2 for s in live])
            if block and all(x >= 0 for x in y):
                ends.append(sqrt(dot([law[s] for s in live], y) * q.h * (v + q.g * c / (1 - q.g + c))))
        return total + q.g**H * least(ends)
    return penalty
@cache
def floored(q):  # or what is at least there where no ratio is finite
    if any(q.new[s][a] and not q.old[s][a] for s, a in q.pairs if s in q.seen):
        return q.gain - q.h * q.least_abar
    return least([over_time(most=64, ratio=True)(q), over_time()(q)])
TWIN = {"grow": by_max, "most": 32, "block": False}
PENALTIES = {
    **{f"chi2/{name}": f"h*sqrt({square})" for name, square in {
        "expected-advantage": "var*k2(g, c)", "expected-advantage-mean": "var*k2(g, cm)",
        "critic": "variance(p, residual)*k2(g, c)", "reward": "h*variance(flat, rewards)*c*k2(g, c)",
        "advantage-half": "ms*c*k2(g, c)/4", "instance": "var*squares/h"}.items()},
    **{f"chi2/{name}": f"h*sqrt(ms*{c}*k2(g, {c}))" for name, c in {
        "advantage": "c", "advantage-mean": "cm", "advantage-kl": "(2*D)", "advantage-forward": "largest(rows('chi2'))",
        "ratio-clip": "clip**2", "ratio-cap": "(2*cap*D)"}.items()},
    **{f"{name}/{form}": over_time(*how, what=what) for name, what in (("chi2", ""), ("transition", "P_")) for form, *how in (
        ("time-resolved", "abar", by_max), ("mean-max", "abar", by_mean), ("second-order", "second", by_mean))},
    "chi2/floor": floored, "chi2/time-resolved-linear": over_time(**TWIN | {"grow": lambda v, c, mean, sd: v + c}),
    "chi2/time-resolved-mean": over_time(**TWIN | {"grow": lambda v, c, mean, sd: v + mean * (1 + v)}),
    "chi2/time-resolved-pooled": over_time(pooled=True, **TWIN), "chi2/time-resolved-forward": over_time(far="chi2", **TWIN),
    "chi2/time-resolved-kl": over_time(far="twice_kl", **TWIN),
    "trpo/tv": "4*eps*k*T**2", "trpo/tv-2": "2*eps*k*T**2", "trpo/kl": "4*eps*k*D", "pinsker/kl": "2*eps*k*D",
    "coupling/tv": "4*eps*g*h*T**2/(1 - g*(1 - T))", "pinsker/reverse-kl": "2*eps*k*R", "bh/kl": "4*eps*k*(1 - exp(-D))",
    "chain-rule/kl": "2*eps*Li*D", "chain-rule/reverse-kl": "2*eps*Li*R", "chain-rule/mean-kl": "own*h*sqrt(2*g*h*Dm)",
    "cpo/mean-kl": "2*own*k*sqrt(Dm/2)", "cpo/mean-reverse-kl": "2*own*k*sqrt(Rm/2)", "cpo/max-tv": "2*own*k*T",
    "cpo/mean-tv": "2*own*k*Tm", "cpo/mean-tv-1": "own*k*Tm", "mixed/tv": "4*eps*k*T*Tm", "span/tv": "2*span*k*T**2",
    "span/tv-q": "4*qmax*k*T**2", "pirotta/span": "k*T*spread", "pirotta/q": "2*k*T**2*qmax", "pirotta/q-signed": "2*k*T**2*qmax",
    "kakade-langford": "2*once", "kakade-langford/trpo-form": "2*k*x**2*target", "kakade-langford/own-mixture": "2*k*x**2*own",
    "kakade-langford/greedy": "once", "kakade-langford/greedy-any": "once", "blog/own-advantage-kl": "2*own*k*D",
    "blog/own-advantage-tv2": "2*own*k*T**2", "mean-kl/linear-2": "2*eps*k*Dm", "mean-kl/linear-2-half": "2*eps*k*Dm",
    **dict.fromkeys(("blog/no-surrogate", "mean-kl/linear", "mean-kl/linear-open", "mean-kl/linear-4"), "4*eps*k*Dm"),
    "mixing/mean-tv": "2*own*g*h*tau*Tm", "mixing/tv": "4*eps*g*h*tau*T**2", "mixing/kl": "2*eps*g*h*tau*D",
    "geppo": "2*own*g*h*T_ref", "geppo/old-tv": "2*own*g*h*T_old", "pinsker/kl-1": "eps*k*D"}
CENTRES = {  # what the penalty is subtracted from, less L
    "geppo": "lead", "geppo/old-tv": "lead", "blog/no-surrogate": "-gain", "chi2/critic": "dot(rho, moved(w))",
    "chi2/second-order": "dot(rho, second)", "transition/second-order": "dot(rho, second)"}
CEILINGS = {  # of TV^2 in each state, of which the half is claimed
    "pinsker": "kl/2", "jeffreys": "(kl + reverse_kl)/4", "chi2": "chi2/4", "jensen-shannon": "2*js", "hellinger": "1 - bc**2",
    "renyi-0.1": "-log(r1)*50/9", "renyi-0.5": "-log(r5)*2", "renyi-0.9": "-log(r9)*50/9"}
def half(f):
    names = re.findall("|".join(sorted(TERMS, key=len, reverse=True)), f)
    def in_a_state(t, *terms): return eval(f, globals(), dict(both(names, terms))) / 2 - t**2
    return lambda q: least(map(in_a_state, *map(q.rows, ("tv", *names))))
CLAIMS = {  # slacks, or how much the sides of an identity differ
    **{f"divergence/{name}-half": half(f) for name, f in CEILINGS.items()}, "order/upper": "-gap", "order/surrogate-up": "rise",
    **{name: lambda q, name=name: q.gap - q.value(CENTRES.get(name, "0")) + q.value(PENALTIES[name]) for name in PENALTIES},
    **dict.fromkeys(("update/clip-gain", "update/cv-certificate-cv2", "update/cv-certificate-wider"), "rise"),
    "error/eps-hat": "gap - wrong + error*h + 4*hat*g*h*T**2/(1 - g*(1 - T))",
    "id/raw-partials": lambda q: max(map(mul, q.rho, q.v), key=abs),  # an entry of rho (Q - A)
    "id/second-order": "2*dot(rho, second)",
    "id/importance-any": lambda q: sum(q.over(lambda s, a: q.rho[s] * (q.old[s][a] == 0) * q.new[s][a] * q.adv[s][a])),
    "errata/eta-with-advantage": lambda q: dot(q.rho, map(dot, q.old, q.adv)) - dot(q.start, q.v),
    "rate/npg-sharper": lambda q: npg_sharper(q), "update/max-kl-hard": lambda q: max_kl_hard(q)}
IDENTITIES = {"id/raw-partials", "id/second-order", "id/importance-any", "errata/eta-with-advantage"}
def npg_sharper(q):  # log A/(h T) + 1/((1 - g) T) - (eta(new) - eta_T), the least over T = 1, 2, 4, 8
    policy, eta = q.old, []
    for _ in range(9):
        v, _, adv = q.values(policy)
        policy, eta = tilted(policy, adv, [q.size * q.h for _ in q.S]), [*eta, dot(q.start, v)]
    return least((log(len(q.A)) / q.size + q.h) / t - (q.rise + eta[0] - eta[t]) for t in (1, 2, 4, 8))
def max_kl_hard(q):  # the most that max-KL(old, new) allows, from new's own gain to a dual bound; less 1.000001 times that gain
    prices = [q.abar[s] / far if far > 0 and q.abar[s] > 0 else F(0) for s, far in enumerate(q.rows("chi2"))]
    more = sum(q.rho[s] * (best(q.old[s], q.adv[s], x) + x * q.D) for s, x in enumerate(prices)) - q.gain
    return iv.mpf([0, largest([F(0), more])]) - q.gain / 10**6
def scaled(row): return [x / sum(row) for x in row]
def tilted(policy, x, by):  # in proportion to policy exp(by x)
    return [scaled([p * exp(c * y) for p, y in both(*rows)]) for *rows, c in zip(policy, x, by, strict=True)]
def shared_row(q):  # (11), (12), (13) where all states share a row: in proportion to old/(nu - A), nu = max A + size
    mean = [dot(q.rho, column) * (1 - q.g) for column in zip(*q.adv, strict=True)]
    return [scaled([p / (largest(mean) + q.size - x) for p, x in both(q.old[0], mean)]) for _ in q.S]
def clip_maximiser(q):  # new, if in each row a dual bound is its value of up min(p, high) - down max(p, low), which is concave
    up, down = (q.pooled([[max(sign * x, F(0)) for x in row] for row in q.adv]) for sign in (1, -1))
    for rows in zip(q.old, q.new, up, down, strict=True):
        corners, slopes = [], {x for *_, u, d in zip(*rows, strict=True) for x in (u, u - d, -d)}
        for o, n, u, d in zip(*rows, strict=True):
            low, high = (min(1, o * (1 + sign * q.size / (1 + q.size))) for sign in (-1, 1))
            corners.append([(p, u * min(p, high) - d * max(p, low)) for p in (n, 0, low, high, 1)])
        bounds = [x + sum(max(y - x * p for p, y in row) for row in corners) for x in slopes]
        want(sum(y for (_, y), *_ in corners) == min(bounds), "new is no maximiser")
    want(all(q.new[s] == q.new[t] for s in q.S for t in q.S if q.groups[s] == q.groups[t]), "rows that differ in a group")
    return q.new
def softmax(q): return tilted(q.old, [[*map(mul, *x)] for x in both(q.old, q.pooled(q.adv))], [q.size for _ in q.S])
def natural(q): return tilted(q.old, q.pooled(q.adv), [q.size * q.h / rho for (rho,) in q.pooled([[F(1)] for _ in q.S])])
ONE_ROW = [f"update/{name}-aggregated" for name in ("max-kl-monotone", "mean-kl-monotone", "coefficient-needed")]
STEPS = {  # rules that make new
    "update/softmax-gradient-aggregated": softmax, "update/npg-aggregated": natural,
    "update/ppo-clip-aggregated": clip_maximiser, **dict.fromkeys(ONE_ROW, shared_row)}
def clip(n, o, x): return min(n * x, max(o * F(4, 5), min(o * F(6, 5), n)) * x)
def covered(q): return all(q.over(lambda s, a: q.old[s][a] > 0 or q.new[s][a] == 0))
GIVEN = {  # hypotheses
    **{f"chi2/{form}-{far}": covered for form in ("advantage", "time-resolved") for far in ("kl", "forward")},
    **dict.fromkeys(("chi2/ratio-clip", "chi2/ratio-cap"), covered), "order/surrogate-up": "gain > 0 and 100*T <= 1",
    "update/cv-certificate-cv2": "m > 0 and g*c*var < (1 - g)*m**2",
    "update/cv-certificate-wider": "m > 0 and 10*g*c*(m**2 + var) < 11*(1 - g)*m**2",
    **dict.fromkeys(
        STEPS, lambda q: q.size > 0 and all(q.old[s] == q.old[t] for s in q.S for t in q.S if q.groups[s] == q.groups[t])),
    **dict.fromkeys(ONE_ROW, lambda q: q.size > 0 and all(row == q.old[0] for row in q.old)),
    "mean-kl/linear-open": "10*g >= 1", "mean-kl/linear-4": "5*g >= 1", "mean-kl/linear-2": "40*g >= 21",
    "mean-kl/linear-2-half": "2*g >= 1",
    "update/clip-gain": lambda q: sum(q.over(lambda s, a: q.rho[s] * clip(q.new[s][a], q.old[s][a], q.adv[s][a]))) > 0,
    "pirotta/q": lambda q: all(q.over(lambda s, a: q.q[s][a] >= 0)),
    "kakade-langford/greedy": lambda q: all(q.over(lambda s, a: q.abar[s] >= q.x * q.adv[s][a])),
    "update/max-kl-hard": lambda q: q.gain > 0 and sum(r > 0 and x > 0 for r, x in both(q.rho, q.rows("tv"))) >= 2,
    "rate/npg-sharper": lambda q: q.size > 0 and all(q.over(lambda s, a: 0 <= q.r[s][a] <= 1 and q.old[s][a] * len(q.A) == 1))}
def slack(q, name):  # of a claim whose hypotheses hold; after its step, if it is about one
    want(name in CLAIMS or name in STEPS, f"the claim {name} is not known here")
    want(name not in GIVEN or q.value(GIVEN[name]), "the hypotheses are not proved")
    rule = name in (*STEPS, "update/max-kl-hard", "rate/npg-sharper")
    want(len(q.pairs) == len(q.S) * len(q.A) or not rule, "an action that is not available")
    said, q.new = q.new, STEPS.get(name, lambda q: q.new)(q)
    want(all(abs(x - y) <= F(1, 10**9) for rows in both(said, q.new) for x, y in both(*rows)), "new is not the step")
    return q.value(CLAIMS.get(name, "rise"))
def says(d, pattern, *numbers):  # the theorem: with these numbers for #, what the file's sentence must be, if it has one
    found = re.fullmatch(re.escape(pattern).replace(r"\#", r"(\S+?)"), d.get("theorem", pattern))
    want(found and ("theorem" not in d or [*map(number, found.groups())] == [*numbers]), "theorem")
    return d.get("theorem", pattern.replace("#", "{}").format(*numbers))
def on_the_mdp(d):  # refutations, worst cases and lower ends: a number of the step, tightly within the file's ends
    kind, name = d.get("kind", "refutation" if "claim" in d else "worst-case"), d.get("claim", d.get("bound"))
    lower = kind == "sharp-lower"
    q, whose = Step(d, only_used=lower), "for the MDP of this file ({} state{}, {} action{}, gamma = #) and its polic"
    whose, numbers = whose.format(*(x for n in (q.S, q.A) for x in (len(n), "s" * (len(n) > 1)))), [q.g]
    found = -q.gap / {"max": q.eps, "expected": q.own, "sd": q.sigma}[d["normaliser"]] if lower else slack(q, name)
    if kind == "worst-case":
        want((penalty := q.value(PENALTIES.get(name, "0"))) > 0, "the penalty is not proved positive")
        found = 1 - found / penalty
    ends = [field for field in ("slack", "ratio", "enclosure") if field in d]
    want(ends, "no ends")
    for field in ends:
        lo, hi = map(number, d[field])
        want(0 <= hi - lo <= F(1, 10**6) * max(abs(lo), abs(hi)) and not found < lo and not found > hi, field)
    if kind == "refutation":
        equal, step = name in IDENTITIES, name in STEPS
        want((found < 0 and hi < 0) or (equal and found > 0 and lo > 0), "the slack is not proved negative, or not 0")
        want(d.get("relation", "=" if equal else ">=") == ("=" if equal else ">="), "relation")
        want(d.get("verdict", "refuted") == "refuted", "verdict")
        text = f"{name} is false: {whose}" + ("y old and the step that the claim speaks of, " if step else "ies old and new, ")
        text += "its hypotheses hold and " * (name in GIVEN) + ("its two sides differ" if equal else "its slack is negative")
        return says(d, text, q.g)
    want(lo <= found or lo <= found + TINY * abs(lo), "the lower end")
    if lower:
        (divergence, mean, within, epsilon), numbers = setting(d), [q.g, number(d["radius"])]
        want((q.mean(divergence) if mean else largest(q.rows(divergence))) <= numbers[1], "outside the radius")
        text = f"there is a finite MDP, the one of this file with {len(q.S)} states and the actions that old or new takes, "
        return says(d, f"{text}with gamma = #, {within} and L_old(new) - eta(new) >= # {epsilon}", *numbers, lo)
    of, refuted = "the bound's center" if name in CENTRES else "L_old(new)", ", which refutes it" * (lo > 1)
    return says(d, f"{whose}ies old and new, {of} - eta(new) is at least # times the penalty of {name}{refuted}", q.g, lo)

NOTATION = {"kl": "KL(old, new)", "tv": "TV(old, new)", "reverse_kl": "KL(new, old)", "chi2": "chi2(old, new)",
            "reverse_chi2": "chi2(new, old)"}
EPSILON = {"max": "max|A_old|", "expected": "max_s |sum_a new(a|s) A_old(s, a)|",
           "sd": "max_s sqrt(sum_a old(a|s) A_old(s, a)^2)"}
GENERATORS = {  # f and f' at l > 0, and where c - lam f' vanishes
    "kl": (lambda l: -log(l), lambda l: -1 / l, lambda c, lam: -lam / c),
    "reverse_kl": (lambda l: l * log(l) - l + 1, log, lambda c, lam: exp(c / lam)),
    "chi2": (lambda l: (l - 1) ** 2 / l, lambda l: 1 - 1 / l**2, lambda c, lam: sqrt(lam / (lam - c))),
    "reverse_chi2": (lambda l: (l - 1) ** 2, lambda l: 2 * (l - 1), lambda c, lam: max(1 + c / (2 * lam), F(0)))}
def setting(d):
    reverse, reduction, name = re.fullmatch(r"(reverse-)?(max|mean)-(kl|tv|chi2)", d["divergence"]).groups()
    name = f"reverse_{name}" if reverse else name
    return name, reduction == "mean", f"{reduction}-{NOTATION[name]} <= #", EPSILON[d["normaliser"]]
def supremum(name, c, lam):  # an upper bound on sup over l >= 0 of c l - lam f(l), concave: from a tangent that does not rise
    if lam == 0 or name == "tv":  # f = |l - 1|/2
        want(c <= (lam / 2 if name == "tv" else 0), "unbounded")
        return max(c, -lam / 2) if name == "tv" else F(0)
    f, slope, peak = GENERATORS[name]
    want(c < 0 or name in ("reverse_kl", "reverse_chi2") or (name == "chi2" and c < lam), "unbounded")
    at = upper(peak(c, lam)) * (1 + F(1, 10**25))
    rise = c - lam * slope(at)
    want(rise <= 0, "a tangent that rises")
    return c * at - lam * f(at) - rise * at
def sharp_upper(d):
    """|x-1| (l-1) A + g W(x l) - lam (f(l) - D) - mu (l-1) - nu A <= w at nodes, over x at infinity; W the largest of lines."""
    (name, mean, within, epsilon), expected, sd = setting(d), d["normaliser"] != "max", d["normaliser"] == "sd"
    want(not sd or (name, mean) == ("reverse_chi2", False), "a divergence that does not bound the mean of (l - 1)^2")
    names = ("gamma", "radius", "slope", "nodes", "w", "price", "mu", "nu")
    g, radius, last, x, w, lam, mu, nu = (array(d[field]) for field in names)
    want({len(lam), len(mu), len(nu)} == {len(w) + 1} == {len(x) + 1} and 0 <= g < 1 and radius >= 0, "a shape, or a range")
    want(x[0] == 0 and 1 in x and all(a < b for a, b in pairwise(x)), "nodes")
    want(min(lam) >= 0 and (not mean or len({*lam[:-1]}) == 1), "lambda")
    slopes = [*((w[i + 1] - w[i]) / (x[i + 1] - x[i]) for i in range(len(x) - 1)), last]
    for i in range(len(x) + 1):
        size, value, one = (abs(x[i] - 1), w[i], lam[i]) if i < len(x) else (F(1), last, F(0) if mean else lam[i])
        lines = {(g * b * x[i], g * (v - b * y)) for b, v, y in zip(slopes, w, x, strict=True)} if i < len(x) else {}
        for sign in (1,) if expected else (1, -1):
            reward, rest = (F(0), size) if expected else (size * sign, -size * sign - nu[i] * sign)
            top = largest(b + supremum(name, c + reward - mu[i], one) for c, b in lines or [(g * max(slopes), F(0))])
            want(top + rest + mu[i] + (0 if mean else lam[i] * radius) <= value, f"the inequality at node {i}")
    bound, (lo, hi) = w[x.index(1)] + (lam[0] * radius / (1 - g) if mean else 0), map(number, d["enclosure"])
    bound = bound * sqrt(radius) if sd else bound  # as |Abar| <= sd(l) sd(A)
    want(lo == 0 and bound <= hi, "enclosure")
    return says(d, f"for every finite MDP with gamma = # and {within}: L_old(new) - eta(new) <= # {epsilon}", g, radius, hi)

PROBLEMS = "penalty", "max-kl", "mean-kl", "reverse-max-chi2", "reverse-mean-chi2"
def best(old, adv, lam):
    """An upper bound on sup over p of sum p A - lam KL(old||p): nu - lam + lam sum old log(lam/(nu - A)) at any nu > max A."""
    if lam == 0:
        return largest(adv)
    low, high, top = F(0), upper(lam) + F(1, 10**9), largest(adv)  # at nu = max A + lam the weights are at most 1
    for _ in range(110):
        middle = (low + high) / 2
        heavy = sum(lam * o / (top + middle - a) for o, a in both(old, adv) if o) > 1
        low, high = (middle, high) if heavy else (low, middle)
    return top + high - lam + lam * sum(o * log(lam / (top + high - a)) for o, a in both(old, adv) if o)
def best_chi2(old, adv, lam):
    """The same for chi2(p||old): nu + sum old h(A - nu) at any nu, h(y) the largest l y - lam (l - 1)^2 over l >= 0."""
    pairs, top = [(o, a) for o, a in both(old, adv) if o], largest(a for o, a in both(old, adv) if o)
    if lam == 0:
        return top
    near = [(o, upper(a)) for o, a in pairs]
    low, nu = min(a - 2 * lam / o for o, a in near), max(a for _, a in near)
    for _ in range(110):
        middle = (low + nu) / 2
        low, nu = (middle, nu) if sum(o * max(1 + (a - middle) / (2 * lam), F(0)) for o, a in near) > 1 else (low, middle)
    found = nu + sum(o * (-lam if a - nu < -2 * lam else a - nu + (a - nu) ** 2 / (4 * lam)) for o, a in pairs)
    return found if found < top else top
def update_gap(d):
    """Weak duality: each class of states that share a row is one row, with the visits as weight and their mean of A."""
    q, lam = Step(d), array(d["multiplier"])
    penalty, mean, chi2 = (word in d["problem"] for word in ("penalty", "mean", "chi2"))
    amount = number(d["coefficient" if penalty else "delta"])
    want(("delta" if penalty else "coefficient") not in d, "a number that another problem has")
    for names, of in (("state_labels", q.S), ("action_labels", q.A)):
        labels = d.get(names, [*map(str, of)])
        want(isinstance(labels, list) and all(isinstance(x, str) for x in labels), names)
        want(len({*labels}) == len(labels) == len(of), names)
    classes = [[s for s in q.S if q.groups[s] == one] for one in sorted({*q.groups})]
    want(len(lam) == len(classes) and min(lam) >= 0 <= amount and d["problem"] in PROBLEMS, "multipliers")
    weight, pooled, rows = q.pooled([[F(1)] for _ in q.S]), q.pooled(q.adv), []
    can = [[a for t, a in q.pairs if t == s] for s in q.S]
    for price, (s, *others) in both(lam, classes):
        want(all((q.old[s], q.new[s], can[s]) == (q.old[t], q.new[t], can[t]) for t in others), "rows that differ in a group")
        want(weight[s][0] > 0 or weight[s][0] == 0, "a state that may be visited")
        if weight[s][0] > 0:
            rows.append((weight[s][0], [q.old[s][a] for a in can[s]], [pooled[s][a] / weight[s][0] for a in can[s]], price))
    term, value = ("reverse_chi2", best_chi2) if chi2 else ("kl", best)
    used, spent = q.mean(term) if mean else largest(q.rows(term)), sum(r * x for r, *_, x in rows)
    back = F(0) if penalty or not used > amount else upper(1 - amount / used)  # new, moved towards old, keeps to the radius
    want(back <= F(1, 2**30), "outside the radius")
    objective = q.gain - amount * used if penalty else q.gain * (1 - back)
    scale = min(F(1), amount / upper(spent)) if penalty and spent > 0 else F(1)
    prices = [max(x for *_, x in rows) if mean else x * scale for *_, x in rows]
    most = sum(r * (value(o, a, x) - dot(o, a)) for (r, o, a, _), x in both(rows, prices))
    most += F(0) if penalty else amount * (prices[0] * q.h if mean else spent)
    lo, hi = map(number, d["enclosure"])
    want(lo <= objective + TINY and most <= hi + TINY, "enclosure")
    held = ("mean-" if mean else "max-") + ("chi2(new, old)" if chi2 else "KL(old, new)")
    aim = f"- # {held}" if penalty else f"subject to {held} <= #"
    among = "policies that share rows by groups" if d.get("groups") is not None else "all policies"
    text = f"for the MDP of this file ({len(q.S)} states, {len(q.A)} actions, gamma = #) and its policy old, the maximum of "
    return says(d, f"{text}L_old(new) - eta(old) {aim}, among {among}, is at least # and at most #", q.g, amount, lo, hi)

UP = 1 + 1e-12  # room for the rounding of a sum of a few products of floats, relative to their sizes: a thousand times as much
def curvature(l):  # (l - 1 - log l)/(l - 1)^2, which falls; with far more digits than the cancellation costs
    z = mpmath.mpf(l) - 1
    return math.inf if l == 0 else 0.5 if z == 0 else float(mpmath.mp.fdiv(z - mpmath.mp.log(l), z**2))
def halve(holds, x0, x1, l0, l1):  # every part of a box, halved until it holds in each
    if not holds(x0, x1, l0, l1):
        want(max(x1 - x0, l1 - l0) > 2e-8, f"an inequality near x = {x0}, l = {l0}")
        x, l, wide = (x0 + x1) / 2, (l0 + l1) / 2, (x1 - x0) * (1 + l0) > (l1 - l0) * (1 + x0)
        for box in ((x0, x, l0, l1), (x, x1, l0, l1)) if wide else ((x0, x1, l0, l), (x0, x1, l, l1)):
            halve(holds, *box)
def cover(d):  # "The linear mean-KL theorems": H >= 0 and g >= 0 for all x and l
    exact = [number(d[n]) for n in ("gamma", "constant", "k", "shift", "largest")] + array(d["tilt"])
    want(0 < exact[0] < 1 and min(exact[1:]) > 0 and exact[4] >= 2 and max(exact) < 10**6, "constants")
    want([*map(number, d["enclosure"])] == [0, exact[1]], "enclosure")
    a, (_, K, k, shift, X, height, width) = float(exact[0] / (1 - exact[0])), map(float, exact)
    def M(m): return height * m / (m + width)
    def N(m): return m * m / (m * m + shift)
    def gain(u0, u1, l0, l1): return K * curvature(l1) >= 4 * k * (1 - u0) ** 2 * u1 / ((1 - u1) * l0 + u1) * UP**2
    def factor(x0, x1, l0, l1): return K * curvature(l1) / UP - 4 * k * (x1 / (x1 + 1)) ** 2 / (x0 * l0 + 1) * UP
    def near(x0, x1, l0, l1):
        alpha, z = factor(x0, x1, l0, l1) * a, 0 if l0 <= 1 <= l1 else min(abs(l0 - 1), abs(l1 - 1))
        return alpha > 0 and (4 * alpha * k / (x1 + 1) >= UP or alpha * z >= max(abs(x0 - 1), abs(x1 - 1)) * UP)
    def away(x0, x1, l0, l1):
        (m0, m1), z, g = sorted((abs(x0 - 1), abs(x1 - 1))), (l0 - 1, l1 - 1), factor(x0, x1, l0, l1)
        far, close = max(map(abs, z)), 0 if l0 <= 1 <= l1 else min(map(abs, z))
        fixed = a * g * (close if g > 0 else far) ** 2 + k * m0 * m0 / (x1 + 1)
        loose = (UP - 1) * (a * abs(g) * far**2 + k * m1 * m1 + m1 * ((M(m1) + 1) * far + N(m1)))
        return all(fixed + m * ((M(t) - s) * y - s * N(m1 if s > 0 else m0)) >= loose
                   for s in (1, -1) for m in (m0, m1) for t in (m0, m1) for y in z)
    def long(m0, m1, *_):  # at l >= 30
        climb, loss = a * (K - k) - m1 * max(0, 1 - (M(m0) if m0 >= 0.06 else 0)), a * K * UP
        room = (UP - 1) * (a * (K + k) + m1) * 30
        return climb * 30 - room >= loss and climb * 29 - room >= loss * math.log(30) * UP + m1 * N(m1) * UP
    theorem = "for every finite MDP with gamma >= #: L_old(new) - eta(new) <= # gamma/(1 - gamma)^2 mean-KL(old, new) max|A_old|"
    theorem = says(d, theorem, *exact[:2])
    for holds, x0, x1 in ((gain, 0.0, 1.0), (away, 0.0, 0.95), (near, 0.95, 1.05), (away, 1.05, X)):
        halve(holds, x0, x1, 0.0, 30.0)
    halve(long, 0.0, X - 1, 0.0, 0.0)
    want(M(X - 1) >= UP and k * (X - 1) / (X + 1) + N(X - 1) >= (1 + height) * UP, "x beyond the largest")
    return theorem

def below(c, lo, hi, depth=12):  # c[0] + ... + c[3] s^3 >= 0 on lo <= s <= hi, by its Bernstein coefficients on parts
    w, at = hi - lo, [sum(math.comb(k, j) * c[k] * lo ** (k - j) for k in range(j, 4)) for j in range(4)]
    b = [sum(F(math.comb(i, j), math.comb(3, j)) * at[j] * w**j for j in range(i + 1)) for i in range(4)]
    halves = ((lo, (lo + hi) / 2), ((lo + hi) / 2, hi))
    return min(b) >= 0 or (depth > 0 and min(b[0], b[3]) >= 0 and all(below(c, *part, depth - 1) for part in halves))
def next_to_one(a, K, C, B, E, h, r):  # |l - 1| <= r, |x - 1| <= h: Q + m G >= 0 in boxes of fractions
    q, top = a * (K / 2 - C), C + max(F(0), -E) * ((1 + h) * (1 + r) - 1)
    want(q > 0 and 4 * q * C >= 1, "the form at x = 1, l = 1")
    left, cross, T = a * K * (r - log(1 + r)) / r**2 - a * top * (1 + h) ** 2, 1 + 2 * a * (top * (1 + h) - C), F(1)
    while not left * T**2 >= cross * T + a * top:  # from T on |t| is large
        want(T < 10**6, "the form where l - 1 is much larger than x - 1")
        T *= 2
    def rest(side, m0, m1, t0, t1):  # the ends of G without N A
        ends = sorted(side + t * (1 + side * m) for m in (m0, m1) for t in (t0, t1))
        cubes = [E * x**3 for x in (max(F(0), ends[0], -ends[-1]), max(-ends[0], ends[-1]))]
        squares = sorted((t + F(side, 2)) ** 2 for t in (t0, t1))  # t (1 + side t) = side ((t + side/2)^2 - 1/4)
        turns = [side * (x - F(1, 4)) for x in (0 if t0 < -F(side, 2) < t1 else squares[0], squares[1])]
        u0, u1 = sorted((abs(t0), abs(t1)))
        bend = [m * u * u for m, u in ((m0, u0), (m1, u1))]
        high = [K * t**3 * (m * u / (4 * (1 + r)) - F(1, 3)) for t in (t0, t1) for m in (m0, m1) for u in (t0, t1)]
        return [a * (f(cubes) - C * (2 * g(turns) + g(bend)) + f(high)) - (1 + a) * B for f, g in ((min, max), (max, min))]
    for side in (1, -1):
        v = 1 / (2 * q)
        N = (rest(side, F(0), F(0), -v, -v)[0] - rest(side, F(0), F(0), v, v)[0]) / 2
        want(abs(N) * h <= (1 + a) * (C - max(B, F(0)) * h), "nu next to 1")
        for sign, way in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            def holds(m0, m1, u0, u1, side=side, sign=sign, way=way, v=v, N=N):
                t0, t1 = sorted((way * u0, way * u1))
                G, gap = rest(side, m0, m1, t0, t1)[0] + N * sign, max(F(0), t0 - sign * v, sign * v - t1)
                return m0 * u0 >= r or G >= 0 or q * gap**2 + C - 1 / (4 * q) + m1 * G >= 0
            halve(holds, F(0), h, F(0), T)
def interval(d):  # "The least linear constant": W on nodes, C m^2 - B m^3 next to 1, for one gamma or for all between two
    gammas, inner, x, w, mus, nus = (array(d[n]) for n in ("gamma", "inner", "nodes", "w", "mu", "nu"))
    K, C, B, E, r = (number(d[n]) for n in ("constant", "curvature", "bend", "outer_bend", "reach"))
    h = min(abs(y - 1) for y in x)
    want(1 <= len(gammas) <= 2 and 0 < gammas[0] <= gammas[-1] < 1 and sorted({*gammas}) == gammas, "gamma")
    want(min(K, C) > 0 and E <= B and 3 * B * h <= C and 0 < r < 1, "constants")
    want(0 < h < 1 and x[0] == 0 and {1 - h, 1 + h} <= {*x}, "the nodes next to 1")
    want(sorted({*x}) == x and sorted({*inner}) == inner and inner and inner[0] > 0 and inner[-1] < h, "nodes")
    want(all(v >= 0 and (abs(y - 1) > h or v == C * h**2 - B * h**3) for y, v in both(x, w)) and max(w) < 10**9, "w")
    points = sorted([*both(x, w), (F(1), F(0)), *((1 + s * y, C * y**2 - B * y**3) for y in inner for s in (1, -1))])
    lines = [((v - u) / (q - p), p, q, u) for (p, u), (q, v) in pairwise(points)] + [(F(1), x[-1], x[-1], w[-1])]
    want(all(p[0] <= q[0] for p, q in pairwise(lines)), "convexity")
    far = (1 + h) * (1 + r) - 1
    for s, p, q, u in lines:
        if (q <= 1 - h or p >= 1 + h) and q >= 1 - far and p <= 1 + far:
            side = 1 if p >= 1 else -1
            lo, hi = sorted((abs(p - 1), abs(q - 1) if q > p else far))
            want(lo >= hi or below((s * (p - 1) - u, -side * s, C, -E), lo, min(hi, far)), "the cubic above W")
    broken = [(float(s), float(u - s * p)) for s, p, _, u in lines]
    def falls(why, a, y, slopes, levels, z=None):  # c l + b + a (W(y l) - K (l - 1 - log l)) <= 0 for all l, or l - 1 beyond z
        price, (c, b), size = float(a * K), (float(sum(xs)) for xs in (slopes, levels)), float(sum(map(abs, (*slopes, *levels))))
        for s, u in [(float(a * y) * s, float(a) * u) for s, u in broken] if y else [(0.0, float(a * w[0]))]:
            slope, level = c + s, b + u
            ratio = price / (price - slope) if slope < price else math.inf
            room = (UP - 1) * (size + abs(s) + abs(u)) * (1 + ratio)
            if z is not None and (ratio - 1 - z) * z < -1e-9 * abs(z):
                level += slope * (1 + z) - price * (z - math.log1p(z))
                room = (UP - 1) * (size + abs(s) + abs(u) + price * abs(z))
            else:
                level += price * math.log1p(slope / (price - slope)) if ratio < math.inf else math.inf
            want(level + room <= 0, why)
    for g, mu, nu in zip(gammas, mus, nus, strict=True):
        a = g / (1 - g)
        next_to_one(a, K, C, B, E, h, r)
        for y in (1 - h, F(1), 1 + h):
            for side in (1, -1):
                up = [-2 * a * C * (y - 1), side * abs(y - 1)]
                falls(f"leaps from {y}", a, y, up, [-u for u in up], float(side * r))
        for y, v, m, n in zip(x, w, mu, nu, strict=True):
            for sign in (1, -1):
                up = [abs(y - 1) * sign, -m]
                falls(f"the inequality at node {y}", a, y, up, [-up[0], m, -n * sign, -(1 + a) * v])
    ends = "gamma = #" if len(gammas) == 1 else "# <= gamma <= #"
    want([*map(number, d["enclosure"])] == [0, K], "enclosure")
    most = "L_old(new) - eta(new) <= # gamma/(1 - gamma)^2 mean-KL(old, new) max|A_old|"
    return says(d, f"for every finite MDP with {ends}: {most}", *gammas, K)

HEAD, MDP = "kind statement theorem source enclosure made_by gamma ", "transition reward initial old new available "
KINDS = {  # the proof, and the fields that a file may have: one that is not read could say something else
    "refutation": (on_the_mdp, HEAD + MDP + "claim relation note verdict slack size noise reference groups"),
    "worst-case": (on_the_mdp, HEAD + MDP + "bound ratio size noise reference groups"),
    "sharp-lower": (on_the_mdp, HEAD + MDP + "divergence normaliser radius"),
    "sharp-upper": (sharp_upper, HEAD + "divergence normaliser radius slope nodes w price mu nu"),
    "update-gap": (update_gap, HEAD + MDP + "problem delta coefficient multiplier groups state_labels action_labels"),
    "theorem-cover": (cover, HEAD + "constant k tilt shift largest"),
    "theorem-interval": (interval, HEAD + "constant curvature bend outer_bend reach inner nodes w mu nu")}
def once(pairs):
    want(len(dict(pairs)) == len(pairs), "a key that occurs twice")
    return dict(pairs)
def check(path):  # whether the file's theorem is proved, with the theorem; or why not
    try:
        d = json.loads(Path(path).read_text(encoding="utf-8"), parse_float=F, object_pairs_hook=once)
        kind = d.get("kind", "refutation" if "claim" in d else "worst-case")
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r}: of {', '.join(KINDS)} only")
        prove, names = KINDS[kind]
        unread = d.keys() - {*names.split()}
        want(not unread, f"a field of no meaning: {', '.join(sorted(unread))}")
        return True, prove(d)
    except (Rejected, ArithmeticError) as error:
        return False, f"rejected: {error}"
    except (OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        return False, f"not read: {type(error).__name__} {error}"
if __name__ == "__main__":
    found = [check(path) for path in sys.argv[1:]]
    sys.stdout.writelines(f"{path}: {'proved: ' * holds}{text}\n" for path, (holds, text) in both(sys.argv[1:], found))
    sys.exit(max((0 if holds else 1 if text.startswith("rejected") else 2 for holds, text in found), default=2))
