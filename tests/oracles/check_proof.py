# ruff: noqa: E501, E701
# fmt: off
"""`python check_proof.py FILE...`: each file of evidence proved again, from the file alone, and its theorem printed.

Standard library and mpmath, nothing of the package. Numbers are fractions, or intervals of mpmath's with their ends outward where a
root, logarithm or exponential (or a large linear system) enters. A comparison of intervals that overlap is None, which `want` rejects;
`max` and `min` are for fractions alone. What is used and not computed is proved in docs/theory.md: "The sharp gap", "Certificates",
"The linear mean-KL theorems". Not compared: statement, source, note, made_by.
Exit status: 0, all are proved; 1, one is rejected; 2, one is no file of evidence.
"""
import functools
import json
import math
import re
import sys
from fractions import Fraction as F
from itertools import pairwise
from operator import mul
from pathlib import Path

import mpmath


class Rejected(Exception): """What is said is not proved."""
class Intervals(type(mpmath.iv)):
    def convert(self, x): return super().convert(x.numerator) / x.denominator if isinstance(x, F) else super().convert(x)
iv, EXACT, TINY = Intervals(), 16, F(1, 10**40)  # linear systems of up to EXACT unknowns are solved in fractions
iv.dps = 70
def want(holds, why):
    if not holds: raise Rejected(why)
def number(x):
    text = r"-?\d+(/\d+|(\.\d+)?([eE][+-]?\d{1,3})?)"
    want(isinstance(x, F) or type(x) is int or (isinstance(x, str) and re.fullmatch(text, x)), f"{x!r} is no number")
    return F(x)
def array(x): return [array(e) for e in x] if isinstance(x, list) else number(x)
def upper(x):
    sign, size, exponent, _ = (0, 1, 0, 0) if isinstance(x, F) else x._mpi_[1]
    want(size or not exponent, "what may be infinite")
    return x if isinstance(x, F) else (-1) ** sign * int(size) * F(2) ** exponent
def largest(xs):
    xs = [*xs]
    if all(isinstance(x, F) for x in xs): return max(xs)
    return iv.mpf([max(iv.mpf(x).a for x in xs), max(iv.mpf(x).b for x in xs)])
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
def polylog(g):
    """Li_{-1/2}(g), the sum of sqrt(k) g^k; beyond n it is at most that of k g^k."""
    n, p = int(60 / (1 - g)) + 1, iv.mpf(g)
    return sum(iv.sqrt(k) * p**k for k in range(1, n + 1)) + iv.mpf([0, p ** (n + 1) * (n + 1 - n * g) / (1 - g) ** 2])

TERMS = {  # of old(a|s) and new(a|s): the sum over a is a divergence of two rows, or what is in Renyi's logarithm
    "tv": lambda p, q: abs(p - q) / 2, "bc": lambda p, q: iv.sqrt(p * q), "chi2": lambda p, q: (p - q) ** 2 / q if p != q else F(0),
    "kl": lambda p, q: p * iv.log(p / q) if p != 0 else F(0), "reverse_kl": lambda p, q: TERMS["kl"](q, p),
    "reverse_chi2": lambda p, q: TERMS["chi2"](q, p),
    "js": lambda p, q: (TERMS["kl"](p, (p + q) / 2) + TERMS["kl"](q, (p + q) / 2)) / 2,
    **{f"r{n}": lambda p, q, n=n: iv.exp((n * iv.log(p) + (10 - n) * iv.log(q)) / 10) if p * q != 0 else F(0) for n in (1, 5, 9)}}
class Step:
    """The MDP of a file with old and new, and what claims read of them: fields here, quantities in the table below."""
    def __init__(self, d, only_used=False):
        names = ("gamma", "initial", "transition", "reward", "old", "new")
        self.g, self.start, self.P, self.r, self.old, self.new = (array(d[name]) for name in names)
        self.S, self.A = range(len(self.old)), range(len(self.old[0]))
        self.groups, self.size, self.ref = d.get("groups") or [*self.S], number(d.get("size", 1)), array(d.get("reference", d["old"]))
        noise, ok = (d.get(name) or [[one for _ in self.A] for _ in self.S] for name, one in (("noise", 0), ("available", True)))
        self.noise, self.pairs = array(noise), [(s, a) for s in self.S for a in self.A if ok[s][a]]
        rows, tables = [self.P[s][a] for s, a in self.pairs] + [self.start], (self.old, self.new, self.ref, self.P, self.r, noise, ok)
        want(all(len(x) == len(self.S) for x in (*tables, *rows, self.groups)) and 0 <= self.g < 1, "gamma, or a shape")
        want(all(len(row) == len(self.A) for x in tables for row in x), "a shape")
        want(all(sum(p) == 1 and min(p) >= 0 for p in sum(tables[:3], rows)), "a row that is no distribution")
        used = [[o + n > 0 for o, n in both(*x)] for x in both(self.old, self.new)]
        want(ok == used if only_used else not any((used[s][a] or self.ref[s][a]) and not ok[s][a] for s in self.S for a in self.A), "available")
    def __getattr__(self, name):  # a quantity, when it is first read
        if name not in FORMULAS: raise AttributeError(name)
        self.__dict__[name] = found = self.value(FORMULAS[name])
        return found
    def __getitem__(self, name):  # for formulas that are text
        if name not in FORMULAS and name not in self.__dict__: raise KeyError(name)
        return getattr(self, name)
    def value(self, f): return eval(f, {"sqrt": iv.sqrt, "exp": iv.exp}, self) if isinstance(f, str) else f(self)
    def solved(self, policy, right, flip=False):
        """By I - gamma P of a policy, or its transpose."""
        rows = [[(s == t) - self.g * dot(p, x) for t, x in enumerate(zip(*self.P[s], strict=True))] for s, p in enumerate(policy)]
        return solve([*zip(*rows, strict=True)] if flip else rows, right)
    def values(self, policy):
        v = self.solved(policy, map(dot, policy, self.r))
        q = [[self.r[s][a] + self.g * dot(self.P[s][a], v) for a in self.A] for s in self.S]
        return v, q, [[x - v[s] for x in q[s]] for s in self.S]
    def rows(self, name): return [sum(map(TERMS[name], *x), F(0)) for x in both(self.old, self.new)]
    def mean(self, name): return (1 - self.g) * dot(self.rho, self.rows(name))
    def over(self, f): return [f(s, a) for s, a in self.pairs]
    def pooled(self, x):
        """The sum of rho x over the states that share the row of s, for each s and a."""
        same = [[t for t in self.S if self.groups[t] == self.groups[s]] for s in self.S]
        return [[sum(self.rho[t] * x[t][a] for t in same[s]) for a in range(len(x[s]))] for s in self.S]

FORMULAS = {  # gain = L - eta(old), rise = eta(new) - eta(old), gap = eta(new) - L; of old if nothing is said
    "h": "1/(1 - g)", "k": "g*h**2", "rho": lambda q: q.solved(q.old, q.start, flip=True), "abar": lambda q: [*map(dot, q.new, q.adv)],
    "all": lambda q: q.values(q.old), "v": "all[0]", "q": "all[1]", "adv": "all[2]", "gap": "rise - gain", "gain": lambda q: dot(q.rho, q.abar),
    "rise": lambda q: dot(q.start, q.values(q.new)[0]) - dot(q.start, q.v), "own": lambda q: largest(map(abs, q.abar)),
    "eps": lambda q: largest(q.over(lambda s, a: abs(q.adv[s][a]))), "qmax": lambda q: largest(q.over(lambda s, a: abs(q.q[s][a]))),
    "span": lambda q: largest(q.adv[s][a] - q.adv[s][b] for s, a in q.pairs for t, b in q.pairs if s == t),
    "spread": lambda q: largest(q.abar) - least(q.abar), "hat": lambda q: largest(q.over(lambda s, a: abs(q.adv[s][a] + q.noise[s][a]))),
    "error": lambda q: largest(q.over(lambda s, a: abs(q.noise[s][a]))), "wrong": lambda q: dot(q.rho, map(dot, q.new, q.noise)),
    "T": lambda q: largest(q.rows("tv")), "D": lambda q: largest(q.rows("kl")), "R": lambda q: largest(q.rows("reverse_kl")),
    "Tm": lambda q: q.mean("tv"), "Dm": lambda q: q.mean("kl"), "Rm": lambda q: q.mean("reverse_kl"), "Li": lambda q: polylog(q.g),
    "x": lambda q: largest(1 - q.new[s][a] / q.old[s][a] for s, a in q.pairs if q.old[s][a]),  # the least in new = (1-x) old + x target
    "target": "own/x", "once": "g*h*x**2*target/(1 - g*(1 - x))", "to": lambda q: q.solved(q.ref, q.start, flip=True),  # Abar = x E_target A
    "T_ref": lambda q: dot(q.to, [sum(map(TERMS["tv"], *x)) for x in both(q.ref, q.new)]), "T_old": lambda q: dot(q.to, q.rows("tv")),
    "lead": lambda q: dot(q.to, q.abar) - q.gain, "u": lambda q: q.solved(q.old, q.abar),
    "N": lambda q: [q.solved(q.new, [F(s == t) for t in q.S], flip=True) for s in q.S],  # (I - g P_new)^-1
    "tau": lambda q: largest(sum(map(TERMS["tv"], x, y)) for x in q.N for y in q.N)}
PENALTIES = {
    "trpo/tv": "4*eps*k*T**2", "trpo/tv-2": "2*eps*k*T**2", "trpo/kl": "4*eps*k*D", "pinsker/kl": "2*eps*k*D", "pinsker/kl-1": "eps*k*D",
    "coupling/tv": "4*eps*g*h*T**2/(1 - g*(1 - T))", "pinsker/reverse-kl": "2*eps*k*R", "bh/kl": "4*eps*k*(1 - exp(-D))",
    "chain-rule/kl": "2*eps*Li*D", "chain-rule/reverse-kl": "2*eps*Li*R", "chain-rule/mean-kl": "own*h*sqrt(2*g*h*Dm)",
    "cpo/mean-kl": "2*own*k*sqrt(Dm/2)", "cpo/mean-reverse-kl": "2*own*k*sqrt(Rm/2)", "cpo/max-tv": "2*own*k*T",
    "cpo/mean-tv": "2*own*k*Tm", "cpo/mean-tv-1": "own*k*Tm", "mixed/tv": "4*eps*k*T*Tm", "span/tv": "2*span*k*T**2",
    "span/tv-q": "4*qmax*k*T**2", "pirotta/span": "k*T*spread", "pirotta/q": "2*k*T**2*qmax", "pirotta/q-signed": "2*k*T**2*qmax",
    "kakade-langford": "2*once", "kakade-langford/trpo-form": "2*k*x**2*target", "kakade-langford/own-mixture": "2*k*x**2*own",
    "kakade-langford/greedy": "once", "kakade-langford/greedy-any": "once", "blog/own-advantage-kl": "2*own*k*D",
    "blog/own-advantage-tv2": "2*own*k*T**2", "blog/no-surrogate": "4*eps*k*Dm", "mean-kl/linear": "4*eps*k*Dm",
    "mean-kl/linear-open": "4*eps*k*Dm", "mean-kl/linear-4": "4*eps*k*Dm", "mean-kl/linear-2": "2*eps*k*Dm",
    "mixing/mean-tv": "2*own*g*h*tau*Tm", "mixing/tv": "4*eps*g*h*tau*T**2", "mixing/kl": "2*eps*g*h*tau*D",
    "geppo": "2*own*g*h*T_ref", "geppo/old-tv": "2*own*g*h*T_old"}
CENTRES = {"geppo": "lead", "geppo/old-tv": "lead", "blog/no-surrogate": "-gain"}  # what the penalty is subtracted from, less L
CEILINGS = {"pinsker": "kl/2", "jeffreys": "(kl + reverse_kl)/4", "chi2": "chi2/4", "jensen-shannon": "2*js", "hellinger": "1 - bc**2",
            "renyi-0.1": "-log(r1)*50/9", "renyi-0.5": "-log(r5)*2", "renyi-0.9": "-log(r9)*50/9"}  # of TV^2 in each state; half is claimed
def half(f):
    names = re.findall("|".join(sorted(TERMS, key=len, reverse=True)), f)
    return lambda q: least(eval(f, {"log": iv.log}, dict(both(names, x))) / 2 - t**2 for *x, t in zip(*map(q.rows, (*names, "tv")), strict=True))
CLAIMS = {  # slacks, or how much the sides of an identity differ
    **{f"divergence/{name}-half": half(f) for name, f in CEILINGS.items()}, "order/upper": "-gap", "order/surrogate-up": "rise",
    **{name: f"gap - ({CENTRES.get(name, '0')}) + {f}" for name, f in PENALTIES.items()}, "update/clip-gain": "rise",
    "error/eps-hat": "gap - wrong + error*h + 4*hat*g*h*T**2/(1 - g*(1 - T))",
    "id/raw-partials": lambda q: max(map(mul, q.rho, q.v), key=abs),  # an entry of rho (Q - A)
    "id/second-order": lambda q: 2 * q.g * sum(q.over(lambda s, a: q.rho[s] * (q.new[s][a] - q.old[s][a]) * dot(q.P[s][a], q.u))),
    "id/importance-any": lambda q: sum(q.over(lambda s, a: q.rho[s] * (q.old[s][a] == 0) * q.new[s][a] * q.adv[s][a])),
    "errata/eta-with-advantage": lambda q: dot(q.rho, map(dot, q.old, q.adv)) - dot(q.start, q.v),
    "rate/npg-sharper": lambda q: npg_sharper(q), "update/max-kl-hard": lambda q: max_kl_hard(q)}
IDENTITIES = {"id/raw-partials", "id/second-order", "id/importance-any", "errata/eta-with-advantage"}
def npg_sharper(q):
    """log A/(h T) + 1/((1 - g) T) - (eta(new) - eta_T), the least over T = 1, 2, 4, 8."""
    policy, eta = q.old, []
    for _ in range(9):
        v, _, adv = q.values(policy)
        policy, eta = tilted(policy, adv, [q.size * q.h for _ in q.S]), [*eta, dot(q.start, v)]
    return least((iv.log(len(q.A)) / q.size + q.h) / t - (q.rise + eta[0] - eta[t]) for t in (1, 2, 4, 8))
def max_kl_hard(q):
    """The most that max-KL(old, new) allows, from new's own gain to a dual bound; less that gain and a millionth of it."""
    prices = [q.abar[s] / far if far > 0 and q.abar[s] > 0 else F(0) for s, far in enumerate(q.rows("chi2"))]
    more = sum(q.rho[s] * (best(q.old[s], q.adv[s], x) + x * q.D) for s, x in enumerate(prices)) - q.gain
    return iv.mpf([0, largest([F(0), more])]) - q.gain / 10**6
def scaled(row): return [x / sum(row) for x in row]
def tilted(policy, x, by): return [scaled([p * iv.exp(c * y) for p, y in both(*pair)]) for *pair, c in zip(policy, x, by, strict=True)]
def shared_row(q):
    """(11), (12) and (13) where all states share a row: in proportion to old/(nu - A), nu = max A + size."""
    mean = [dot(q.rho, column) * (1 - q.g) for column in zip(*q.adv, strict=True)]
    return [scaled([p / (largest(mean) + q.size - x) for p, x in both(q.old[0], mean)]) for _ in q.S]
def clip_maximiser(q):
    """new itself, if in each row a dual bound is its value of up min(p, high) - down max(p, low), concave, with corners there."""
    up, down = (q.pooled([[max(sign * x, F(0)) for x in row] for row in q.adv]) for sign in (1, -1))
    for s in q.S:
        low, high = ([min(1, (1 + sign * q.size / (1 + q.size)) * p) for p in q.old[s]] for sign in (-1, 1))
        f = [[(p, up[s][a] * min(p, high[a]) - down[s][a] * max(p, low[a])) for p in (q.new[s][a], 0, low[a], high[a], 1)] for a in q.A]
        slopes = {slope for x, y in both(up[s], down[s]) for slope in (x, x - y, -y)}
        want(sum(row[0][1] for row in f) == min(x + sum(max(y - x * p for p, y in row) for row in f) for x in slopes), "new is no maximiser")
    return q.new
ONE_ROW = [f"update/{name}-aggregated" for name in ("max-kl-monotone", "mean-kl-monotone", "coefficient-needed")]
STEPS = {  # rules that make new
    "update/softmax-gradient-aggregated": lambda q: tilted(q.old, [[*map(mul, *x)] for x in both(q.old, q.pooled(q.adv))], [q.size for _ in q.S]),
    "update/npg-aggregated": lambda q: tilted(q.old, q.pooled(q.adv), [q.size * q.h / rho for (rho,) in q.pooled([[F(1)] for _ in q.S])]),
    "update/ppo-clip-aggregated": clip_maximiser, **dict.fromkeys(ONE_ROW, shared_row)}
def clip(n, o, x): return min(n * x, max(o * F(4, 5), min(o * F(6, 5), n)) * x)
GIVEN = {  # hypotheses
    **dict.fromkeys(STEPS, lambda q: all(q.old[s] == q.old[t] for s in q.S for t in q.S if q.groups[s] == q.groups[t])),
    **dict.fromkeys(ONE_ROW, lambda q: q.size > 0 and all(row == q.old[0] for row in q.old)), "order/surrogate-up": "gain > 0 and 100*T <= 1",
    "mean-kl/linear-open": "10*g >= 1", "mean-kl/linear-4": "4*g >= 1", "mean-kl/linear-2": "5*g >= 4",
    "update/clip-gain": lambda q: sum(q.over(lambda s, a: q.rho[s] * clip(q.new[s][a], q.old[s][a], q.adv[s][a]))) > 0,
    "pirotta/q": lambda q: all(q.over(lambda s, a: q.q[s][a] >= 0)),
    "kakade-langford/greedy": lambda q: all(q.over(lambda s, a: q.abar[s] >= q.x * q.adv[s][a])),
    "update/max-kl-hard": lambda q: q.gain > 0 and sum(r > 0 and x > 0 for r, x in both(q.rho, q.rows("tv"))) >= 2,
    "rate/npg-sharper": lambda q: q.size > 0 and all(q.over(lambda s, a: 0 <= q.r[s][a] <= 1 and q.old[s][a] * len(q.A) == 1))}
def slack(q, name):
    """Of a claim whose hypotheses hold; after its step, if it is about one."""
    want(name in CLAIMS or name in STEPS, f"the claim {name} is not known here")
    want(name not in GIVEN or q.value(GIVEN[name]), "the hypotheses are not proved")
    if name in STEPS:
        said, q.new = q.new, STEPS[name](q)
        want(all(abs(x - y) <= F(1, 10**9) for rows in both(said, q.new) for x, y in both(*rows)), "new is not the step")
    want(name not in (*STEPS, "update/max-kl-hard", "rate/npg-sharper") or len(q.pairs) == len(q.S) * len(q.A), "an action that is not available")
    return q.value(CLAIMS.get(name, "rise"))
def says(d, pattern, *numbers):
    """The theorem: the sentence with these numbers for #, which that of the file must be, if it has one."""
    if "theorem" not in d: return pattern.replace("#", "{}").format(*numbers)
    found = re.fullmatch(re.escape(pattern).replace(r"\#", r"(\S+?)"), d["theorem"])
    want(found and [*map(number, found.groups())] == [*numbers], "theorem")
    return d["theorem"]
def on_the_mdp(d):
    """Refutations, worst cases and lower ends: a number of the step, tightly within the file's ends."""
    kind, lower, size = d.get("kind", "refutation" if "claim" in d else "worst-case"), d.get("kind") == "sharp-lower", []
    q, name, (divergence, mean, within, epsilon) = Step(d, only_used=lower), d.get("claim", d.get("bound")), setting(d) if lower else [None] * 4
    number_of = (("state", q.S), ("action", q.A))
    text = f"for the MDP of this file ({', '.join(f'{len(n)} {one}{chr(115) * (len(n) > 1)}' for one, n in number_of)}, gamma = #) and "
    found = -q.gap / (q.eps if d["normaliser"] == "max" else q.own) if lower else slack(q, name)
    if lower:
        size = [number(d["radius"])]
        want((q.mean(divergence) if mean else largest(q.rows(divergence))) <= size[0], "outside the radius")
    if kind == "worst-case":
        want((penalty := q.value(PENALTIES.get(name, "0"))) > 0, "the penalty is not proved positive")
        found = 1 - found / penalty
    for field in [field for field in ("slack", "ratio", "enclosure") if field in d]:
        lo, hi = map(number, d[field])
        want(0 <= hi - lo <= F(1, 10**6) * max(abs(lo), abs(hi)) and not found < lo and not found > hi, field)
    if kind == "refutation":
        equal = name in IDENTITIES
        want((found < 0 and hi < 0) or (equal and found > 0 and lo > 0), "the slack is not proved negative, or not 0")
        want(d["relation"] == ("=" if equal else ">=") and d["verdict"] == "refuted", "relation, or verdict")
        text += "its policy old and the step that the claim speaks of, " if name in STEPS else "its policies old and new, "
        text += ("its hypotheses hold and " if name in GIVEN else "") + ("its two sides differ" if equal else "its slack is negative")
        return says(d, f"{name} is false: {text}", q.g)
    want(lo <= found or lo <= found + TINY * abs(lo), "the lower end")
    of = "the bound's center" if name in CENTRES else "L_old(new)"
    text += f"its policies old and new, {of} - eta(new) is at least # times the penalty of {name}{', which refutes it' if lo > 1 else ''}"
    return says(d, text if not lower else f"there is a finite MDP, the one of this file with {len(q.S)} states and the actions that old or new "
                f"takes, with gamma = #, {within} and L_old(new) - eta(new) >= # {epsilon}", q.g, *size, lo)

NOTATION = {"kl": "KL(old, new)", "tv": "TV(old, new)", "reverse_kl": "KL(new, old)", "chi2": "chi2(old, new)"}
EPSILON = {"max": "max|A_old|", "expected": "max_s |sum_a new(a|s) A_old(s, a)|"}
GENERATORS = {  # f and f' at l > 0, and where c - lam f' vanishes
    "kl": (lambda l: -iv.log(l), lambda l: -1 / l, lambda c, lam: -lam / c),
    "reverse_kl": (lambda l: l * iv.log(l) - l + 1, iv.log, lambda c, lam: iv.exp(c / lam)),
    "chi2": (lambda l: (l - 1) ** 2 / l, lambda l: 1 - 1 / l**2, lambda c, lam: iv.sqrt(lam / (lam - c))),
}
def setting(d):
    reverse, reduction, name = re.fullmatch(r"(reverse-)?(max|mean)-(kl|tv|chi2)", d["divergence"]).groups()
    name = "reverse_kl" if reverse and name == "kl" else name
    return name, reduction == "mean", f"{reduction}-{NOTATION[name]} <= #", EPSILON[d["normaliser"]]
def supremum(name, c, lam):
    """An upper bound on sup over l >= 0 of c l - lam f(l): from a tangent of that concave function that does not rise."""
    if lam == 0 or name == "tv":  # f = |l - 1|/2
        want(c <= (lam / 2 if name == "tv" else 0), "unbounded")
        return max(c, -lam / 2) if name == "tv" else F(0)
    f, slope, peak = GENERATORS[name]
    want(c < 0 or name == "reverse_kl" or (name == "chi2" and c < lam), "unbounded")
    at = upper(peak(c, lam)) * (1 + F(1, 10**25))
    rise = c - lam * slope(at)
    want(rise <= 0, "a tangent that rises")
    return c * at - lam * f(at) - rise * at
def sharp_upper(d):
    """|x-1| (l-1) A + g W(x l) - lam (f(l) - D) - mu (l-1) - nu A <= w at the nodes and, over x, at infinity; W the largest of lines."""
    (name, mean, within, epsilon), expected, names = setting(d), d["normaliser"] == "expected", ("nodes", "w", "price", "mu", "nu")
    g, radius, last, x, w, lam, mu, nu = (array(d[field]) for field in ("gamma", "radius", "slope", *names))
    want({len(lam), len(mu), len(nu)} == {len(w) + 1} == {len(x) + 1} and 0 <= g < 1 and radius >= 0 == x[0], "a shape, or a range")
    want(1 in x and all(a < b for a, b in pairwise(x)) and min(lam) >= 0 and (not mean or len({*lam[:-1]}) == 1), "nodes, or lambda")
    slopes = [*((b - a) / (y - z) for (a, b), (z, y) in both(pairwise(w), pairwise(x))), last]
    for i in range(len(x) + 1):
        size, value, one = (abs(x[i] - 1), w[i], lam[i]) if i < len(x) else (F(1), last, F(0) if mean else lam[i])
        ahead = {(g * b * x[i], g * (v - b * y)) for b, v, y in zip(slopes, w, x, strict=True)} if i < len(x) else {(g * max(slopes), F(0))}
        for sign in (1,) if expected else (1, -1):
            reward, rest = (F(0), size) if expected else (size * sign, -size * sign - nu[i] * sign)
            top = largest(b + supremum(name, c + reward - mu[i], one) for c, b in ahead)
            want(top + rest + mu[i] + (0 if mean else lam[i] * radius) <= value, f"the inequality at node {i}")
    bound, (lo, hi) = w[x.index(1)] + (lam[0] * radius / (1 - g) if mean else 0), map(number, d["enclosure"])
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
    return top + high - lam + lam * sum(o * iv.log(lam / (top + high - a)) for o, a in both(old, adv) if o)
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
    q, penalty, mean, chi2, lam = Step(d), d["problem"] == "penalty", "mean" in d["problem"], "chi2" in d["problem"], array(d["multiplier"])
    amount, classes = number(d["coefficient" if penalty else "delta"]), [[s for s in q.S if q.groups[s] == one] for one in sorted({*q.groups})]
    want(len(lam) == len(classes) and min(lam) >= 0 <= amount and d["problem"] in PROBLEMS, "multipliers")
    weight, pooled, rows, can = q.pooled([[F(1)] for _ in q.S]), q.pooled(q.adv), [], [[a for t, a in q.pairs if t == s] for s in q.S]
    for price, (s, *others) in both(lam, classes):
        want(all((q.old[s], q.new[s], can[s]) == (q.old[t], q.new[t], can[t]) for t in others), "rows that differ in a group")
        want(weight[s][0] > 0 or weight[s][0] == 0, "a state that may be visited")
        if weight[s][0] > 0:
            rows.append((weight[s][0], [q.old[s][a] for a in can[s]], [pooled[s][a] / weight[s][0] for a in can[s]], price))
    term, value = ("reverse_chi2", best_chi2) if chi2 else ("kl", best)
    used, spent = q.mean(term) if mean else largest(q.rows(term)), sum(r * x for r, *_, x in rows)
    back = F(0) if penalty or not used > amount else upper(1 - amount / used)  # new, moved towards old, keeps to the radius
    want(back <= F(1, 2**30), "outside the radius")
    objective, scale = q.gain - amount * used if penalty else q.gain * (1 - back), min(F(1), amount / upper(spent)) if penalty and spent > 0 else F(1)
    prices = [max(x for *_, x in rows) if mean else x * scale for *_, x in rows]
    most = sum(r * (value(o, a, x) - dot(o, a)) for (r, o, a, _), x in both(rows, prices))
    most += F(0) if penalty else amount * (prices[0] * q.h if mean else spent)
    lo, hi = map(number, d["enclosure"])
    want(lo <= objective + TINY and most <= hi + TINY, "enclosure")
    held = ("mean-" if mean else "max-") + ("chi2(new, old)" if chi2 else "KL(old, new)")
    aim = f"- # {held}" if penalty else f"subject to {held} <= #"
    among = "policies that share rows by groups" if "groups" in d else "all policies"
    return says(d, f"for the MDP of this file ({len(q.S)} states, {len(q.A)} actions, gamma = #) and its policy old, the maximum of L_old(new) - "
                   f"eta(old) {aim}, among {among}, is at least # and at most #", q.g, amount, lo, hi)

ROOM = 1e-12  # of a sum of a few products of floats, relative to the sum of their sizes: a thousand times what rounding can do
@functools.cache
def curvature(l):
    """(l - 1 - log l)/(l - 1)^2, which falls; with far more digits than the cancellation costs."""
    z = mpmath.mpf(l) - 1
    return math.inf if l == 0 else 0.5 if z == 0 else float(mpmath.mp.fdiv(z - mpmath.mp.log(l), z**2))
def halve(holds, x0, x1, l0, l1):
    """Every part of a box, halved until it holds in each."""
    if holds(x0, x1, l0, l1): return
    want(max(x1 - x0, l1 - l0) > 2e-8, f"an inequality near x = {x0}, l = {l0}")
    x, l, wide = (x0 + x1) / 2, (l0 + l1) / 2, (x1 - x0) * (1 + l0) > (l1 - l0) * (1 + x0)
    for box in ((x0, x, l0, l1), (x, x1, l0, l1)) if wide else ((x0, x1, l0, l), (x0, x1, l, l1)):
        halve(holds, *box)
def cover(d):
    """docs/theory.md, "The linear mean-KL theorems": H >= 0 and g >= 0 for all x and l."""
    exact = [number(d[n]) for n in ("gamma", "constant", "k", "shift", "largest")] + array(d["tilt"])
    want(0 < exact[0] < 1 and min(exact[1:]) > 0 and exact[4] >= 2 and max(exact) < 10**6, "constants")
    a, (_, K, k, shift, X, height, width) = float(exact[0] / (1 - exact[0])), map(float, exact)
    M, N = (lambda m: height * m / (m + width)), (lambda m: m * m / (m * m + shift))
    def gain(u0, u1, l0, l1):
        return K * curvature(l1) * (1 - ROOM) >= 4 * k * (1 - u0) ** 2 * u1 / ((1 - u1) * l0 + u1) * (1 + ROOM)
    def factor(x0, x1, l0, l1):
        return K * curvature(l1) * (1 - ROOM) - 4 * k * (x1 / (x1 + 1)) ** 2 / (x0 * l0 + 1) * (1 + ROOM)
    def near(x0, x1, l0, l1):
        alpha, z = factor(x0, x1, l0, l1) * a, 0 if l0 <= 1 <= l1 else min(abs(l0 - 1), abs(l1 - 1))
        return alpha > 0 and (4 * alpha * k / (x1 + 1) >= 1 + ROOM or alpha * z >= max(abs(x0 - 1), abs(x1 - 1)) * (1 + ROOM))
    def away(x0, x1, l0, l1):
        (m0, m1), z, g = sorted((abs(x0 - 1), abs(x1 - 1))), (l0 - 1, l1 - 1), factor(x0, x1, l0, l1)
        far, close = max(map(abs, z)), 0 if l0 <= 1 <= l1 else min(map(abs, z))
        fixed = a * g * (close if g > 0 else far) ** 2 + k * m0 * m0 / (x1 + 1)
        loose = ROOM * (a * abs(g) * far**2 + k * m1 * m1 + m1 * ((M(m1) + 1) * far + N(m1)))
        return all(fixed + m * ((M(t) - s) * y - s * N(m1 if s > 0 else m0)) >= loose for s in (1, -1) for m in (m0, m1) for t in (m0, m1) for y in z)
    def long(m0, m1, *_):
        climb, loss = a * (K - k) - m1 * max(0, 1 - (M(m0) if m0 >= 0.06 else 0)), a * K * (1 + ROOM)
        room = ROOM * (a * (K + k) + m1) * 30
        return climb * 30 - room >= loss and climb * 29 - room >= loss * math.log(30) * (1 + ROOM) + m1 * N(m1) * (1 + ROOM)
    for holds, x0, x1 in ((gain, 0.0, 1.0), (away, 0.0, 0.95), (near, 0.95, 1.05), (away, 1.05, X)):
        halve(holds, x0, x1, 0.0, 30.0)
    halve(long, 0.0, X - 1, 0.0, 0.0)
    want(M(X - 1) >= 1 + ROOM and k * (X - 1) / (X + 1) + N(X - 1) >= (1 + height) * (1 + ROOM), "x beyond the largest")
    want([*map(number, d["enclosure"])] == [0, exact[1]], "enclosure")
    return says(d, "for every finite MDP with gamma >= #: L_old(new) - eta(new) <= # gamma/(1 - gamma)^2 mean-KL(old, new) max|A_old|", *exact[:2])

HEAD = "kind statement theorem source enclosure made_by gamma "
MDP = HEAD + "transition reward initial old new available "
KINDS = {
    "refutation": (on_the_mdp, MDP + "claim relation note verdict slack size noise reference groups"),
    "worst-case": (on_the_mdp, MDP + "bound ratio reference"), "sharp-lower": (on_the_mdp, MDP + "divergence normaliser radius"),
    "sharp-upper": (sharp_upper, HEAD + "divergence normaliser radius slope nodes w price mu nu"),
    "update-gap": (update_gap, MDP + "problem delta coefficient multiplier groups"),
    "theorem-cover": (cover, HEAD + "constant k tilt shift largest"),
}
def once(pairs):
    want(len(dict(pairs)) == len(pairs), "a key that occurs twice")
    return dict(pairs)
def check(path):
    """Whether the file's theorem is proved, with the theorem; or why not."""
    try:
        d = json.loads(Path(path).read_text(encoding="utf-8"), parse_float=F, object_pairs_hook=once)
        prove, names = KINDS[d.get("kind", "refutation" if "claim" in d else "worst-case")]
        want(not d.keys() - {*names.split()}, "a field of no meaning")
        return True, prove(d)
    except (Rejected, ArithmeticError) as error:
        return False, f"rejected: {error}"
    except (OSError, KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        return False, f"no such file: {type(error).__name__} {error}"
def main(paths):
    found = [check(path) for path in paths]
    for path, (holds, text) in zip(paths, found, strict=True):
        sys.stdout.write(f"{path}: {'proved: ' if holds else ''}{text}\n")
    return max((0 if holds else 1 if text.startswith("rejected") else 2 for holds, text in found), default=2)
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
