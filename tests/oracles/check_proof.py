"""`check(path)`: an evidence file proved again by other means than the package's, of which nothing is imported.

Linear systems are eliminated in intervals of rationals (`interval_step`), suprema of concave functions are bounded by tangents,
KL updates by weak duality at a nu found by bisection, the linear mean-KL theorem by boxes in floats with room for their rounding.
Not checked: LaTeX, made_by. Claims about steps (update rules), references, mixtures and derivatives are refused as unknown.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import re
import sys
from fractions import Fraction as F
from pathlib import Path

from mpmath import mp

sys.path.insert(0, str(Path(__file__).parent))
from interval_step import (
    BOUNDS,
    Iv,
    Rejected,
    Step,
    around,
    array,
    ends,
    kl,
    largest,
    log,
    number,
    says,
    slack,
    supremum,
    total,
    want,
)


def size(q, d):
    return f"{len(q.S)} states?, {len(q.A)} actions?, gamma = #", number(d["gamma"])


def refutation(d):
    q = Step(d)
    found = slack(d["claim"], q)
    want(found.hi < 0 and d["relation"] == ">=" and d["verdict"] == "refuted", "the slack is not proved negative")
    for name in {"slack", "enclosure"} & d.keys():
        want(around(d, name, found)[1] < 0, name)
    text, gamma = size(q, d)
    if "theorem" in d:
        met = "its hypotheses hold and " if d["claim"] in ("order/surrogate-up", "mean-kl/linear-open") else ""
        whose = f"the MDP of this file ({text}) and its policies old and new"
        says(d, f"{d['claim']} is false: for {whose}, {met}its slack is negative", gamma)


def worst_case(d):
    q = Step(d)
    want(d["bound"] in BOUNDS, f"the bound {d['bound']} is not known here")
    penalty = BOUNDS[d["bound"]](q)
    ratio = (penalty - slack(d["bound"], q)) / penalty
    for name in {"ratio", "enclosure"} & d.keys():
        lo, _ = around(d, name, ratio)
        want(lo <= ratio.hi and lo <= ratio.lo + abs(ratio.lo) / 10**40, name)
    text, gamma = size(q, d)
    more = ", which refutes it" if lo > 1 else ""
    whose = f"for the MDP of this file ({text}) and its policies old and new"
    says(d, f"{whose}, L_old(new) - eta(new) is at least # times the penalty of {d['bound']}{more}", gamma, lo)


NOTATION = {"kl": "KL(old, new)", "tv": "TV(old, new)", "reverse-kl": "KL(new, old)", "chi2": "chi2(old, new)"}
EPSILON = {"max": "max|A_old|".replace("|", r"\|"), "expected": r"max_s \|sum_a new(a\|s) A_old(s, a)\|"}


def setting(d):
    found = re.fullmatch(r"(reverse-)?(max|mean)-(kl|tv|chi2)", d["divergence"])
    name, mean = (found[1] or "") + found[3], found[2] == "mean"
    return name, mean, f"{found[2]}-{NOTATION[name]} <= #", EPSILON[d["normaliser"]]


def sharp_lower(d):
    name, mean, within, epsilon = setting(d)
    q, radius = Step(d, only_used=True), number(d["radius"])
    want((q.mean(name) if mean else q.max(name)).hi <= radius, "outside the radius")
    lo, _ = around(d, "enclosure", found := -q.gap / (q.eps if d["normaliser"] == "max" else q.own))
    want(lo <= found.lo, "enclosure")
    whose = f"the one of this file with {len(q.S)} states and the actions that old or new takes"
    more = f"with gamma = #, {within} and L_old(new) - eta(new) >= # {epsilon}"
    says(d, f"there is a finite MDP, {whose}, {more}", number(d["gamma"]), radius, lo)


def sharp_upper(d):
    name, mean, within, epsilon = setting(d)
    expected, (gamma, radius, last) = (
        d["normaliser"] == "expected",
        (number(d[n]) for n in ("gamma", "radius", "slope")),
    )
    x, w, lam, mu, nu = (array(d[n]) for n in ("nodes", "w", "price", "mu", "nu"))
    n = len(x)
    want(len(w) == n and {len(lam), len(mu), len(nu)} == {n + 1} and 0 <= gamma < 1 and radius >= 0, "shapes")
    want(x[0] == 0 and 1 in x and all(a < b for a, b in itertools.pairwise(x)), "nodes")
    want(min(lam) >= 0 and not (mean and len(set(lam[:-1])) > 1), "lambda")
    slopes = [(w[k + 1] - w[k]) / (x[k + 1] - x[k]) for k in range(n - 1)] + [last]
    lines = [(b, w[k] - b * x[k]) for k, b in enumerate(slopes)]  # W is the largest of the lines: convex, W >= w
    for i in range(n + 1):
        size, place = (abs(x[i] - 1), x[i]) if i < n else (F(1), None)
        ahead = [(gamma * b * place, gamma * a) for b, a in lines] if i < n else [(gamma * max(slopes), F(0))]
        one, paid = (F(0) if mean and i == n else lam[i]), (F(0) if mean else lam[i] * radius)
        for sign in (1,) if expected else (1, -1):
            reward = F(0) if expected else size * sign
            rest = paid + mu[i] - reward + (size if expected else -nu[i] * sign)
            top = max(b + supremum(name, c + reward - mu[i], one) for c, b in set(ahead))
            want(top + rest <= (w[i] if i < n else last), f"the inequality at node {i}")
    bound = w[x.index(1)] + (lam[0] * radius / (1 - gamma) if mean else 0)
    lo, hi = ends(d)
    want(lo == 0 and bound <= hi <= bound * (1 + F(1, 10**12)), "enclosure")
    whose = f"for every finite MDP with gamma = # and {within}"
    says(d, f"{whose}: L_old(new) - eta(new) <= # {epsilon}", gamma, radius, hi)


def best(old, adv, lam):
    """An upper bound on sup over p of sum p A - lam KL(old||p): nu - lam + lam sum old log(lam/(nu - A)) at any nu > max A."""
    top = max(a.hi for a in adv)
    if lam == 0:
        return Iv(top)
    low, high = F(0), F(lam) + F(1, 10**9)  # at nu = max A + lam the weights are at most 1
    for _ in range(110):
        middle = (low + high) / 2
        heavy = total(lam * o / (top + middle - a) for o, a in zip(old, adv, strict=True) if o).lo > 1
        low, high = (middle, high) if heavy else (low, middle)
    nu = top + high
    return nu - lam + lam * total(o * log(lam / (nu - a)) for o, a in zip(old, adv, strict=True) if o)


def update_gap(d):
    q, problem, lam = Step(d), d["problem"], array(d["multiplier"])
    amount = number(d["coefficient" if problem == "penalty" else "delta"])
    groups = d.get("groups") or list(q.S)
    rows, spent, gain = [], [], Iv(0)
    for g in sorted(set(groups)):
        of = [s for s in q.S if groups[s] == g]
        s, rho = of[0], total(q.rho[t] for t in of)
        want(all(x[t] == x[s] for x in (q.old, q.new, q.ok) for t in of), "rows that differ in a group")
        want(rho.lo > 0 or rho.hi == 0, "a state that may be visited")
        if rho.lo > 0:
            adv = [
                total(q.rho[t] * q.adv[t][a] for t in of) / rho if len(of) > 1 else q.adv[s][a]
                for a in q.A
                if q.ok[s][a]
            ]
            rows.append((rho, [q.old[s][a] for a in q.A if q.ok[s][a]], adv, lam[len(spent)]))
        spent.append((rho, total(map(kl, q.old[s], q.new[s]))))
    want(len(lam) == len(spent) and min(lam) >= 0 and amount >= 0, "multipliers")
    gain, mean = q.gain, (1 - q.g) * total(r * k for r, k in spent)
    used = mean if problem == "mean-kl" else largest(k for _, k in spent)
    if problem == "penalty":
        objective = gain - amount * used
        prices = total(r * x for r, *_, x in rows)
        scale = F(1) if prices.hi <= amount else amount / prices.hi
    else:
        back = max(F(0), 1 - amount / used.hi) if used.hi else F(0)
        want(back <= F(1, 2**30), "outside the radius")
        objective, scale = gain * (1 - back), F(1)
    if problem == "mean-kl":
        rows = [(r, o, a, max(x for *_, x in rows)) for r, o, a, _ in rows]
    upper = total(r * (best(o, a, x * scale) - total(p * y for p, y in zip(o, a, strict=True))) for r, o, a, x in rows)
    if problem != "penalty":
        upper = upper + amount * (rows[0][3] / (1 - q.g) if problem == "mean-kl" else total(r * x for r, *_, x in rows))
    lo, hi = ends(d)
    slip = F(1, 10**12) * abs(hi) + F(1, 10**25)
    want(lo <= objective.lo + F(1, 10**40) and upper.hi <= hi + F(1, 10**40), "enclosure")
    want(
        lo >= objective.lo - F(1, 2**29) * abs(objective.lo) - slip and hi <= upper.hi + slip,
        "an enclosure that is too wide",
    )
    text, gamma = size(q, d)
    aim = {"penalty": "the maximum of L_old(new) - eta(old) - # max-KL(old, new)"}.get(
        problem, f"the maximum of L_old(new) - eta(old) subject to {problem[:-2]}KL(old, new) <= #"
    )
    among = "policies that share rows by groups" if "groups" in d else "all policies"
    sentence = (
        f"for the MDP of this file ({text}) and its policy old, {aim}, among {among}, is at least # and at most #"
    )
    says(d, sentence, gamma, amount, lo, hi)


ROOM = 1e-12
"""Of a sum of a few products of floats, relative to the sum of their sizes: a thousand times what rounding can do."""


@functools.cache
def curvature(l):
    """(l - 1 - log l)/(l - 1)^2, which falls; far more digits than the cancellation costs."""
    z = mp.mpf(l) - 1
    return math.inf if l == 0 else 0.5 if z == 0 else float((z - mp.log(l)) / z**2)


def halve(holds, box):
    """Every part of a box, halved until it holds in each."""
    stack, left = [box], 400_000
    while stack:
        x0, x1, l0, l1 = one = stack.pop()
        if holds(*one):
            continue
        left -= 1
        want(left and max(x1 - x0, l1 - l0) > 2e-8, f"an inequality near x = {x0}, l = {l0}")
        x, l = (x0 + x1) / 2, (l0 + l1) / 2
        wide = (x1 - x0) * (1 + l0) > (l1 - l0) * (1 + x0)
        stack += [(x0, x, l0, l1), (x, x1, l0, l1)] if wide else [(x0, x1, l0, l), (x0, x1, l, l1)]


def cover(d):
    """docs/theory.md, "The linear mean-KL theorems": H >= 0 and g >= 0 for all x and l."""
    exact = [number(d[n]) for n in ("gamma", "constant", "k", "shift", "largest")] + array(d["tilt"])
    want(0 < exact[0] < 1 and min(exact[1:]) > 0 and exact[4] >= 2, "constants")
    a = float(exact[0] / (1 - exact[0]))
    _, K, k, shift, X, height, width = map(float, exact)
    M, N = (lambda m: height * m / (m + width)), (lambda m: m * m / (m * m + shift))

    def gain(u0, u1, l0, l1):
        loss = 4 * k * (1 - u0) ** 2 * u1 / ((1 - u1) * l0 + u1)
        return K * curvature(l1) * (1 - ROOM) >= loss * (1 + ROOM)

    def factor(x0, x1, l0, l1):
        return K * curvature(l1) * (1 - ROOM) - 4 * k * (x1 / (x1 + 1)) ** 2 / (x0 * l0 + 1) * (1 + ROOM)

    def near(x0, x1, l0, l1):
        alpha, z = factor(x0, x1, l0, l1) * a, 0 if l0 <= 1 <= l1 else min(abs(l0 - 1), abs(l1 - 1))
        enough = 4 * alpha * k / (x1 + 1) >= 1 + ROOM
        return alpha > 0 and (enough or alpha * z >= max(abs(x0 - 1), abs(x1 - 1)) * (1 + ROOM))

    def away(x0, x1, l0, l1):
        (m0, m1), z = sorted((abs(x0 - 1), abs(x1 - 1))), (l0 - 1, l1 - 1)
        g, far = factor(x0, x1, l0, l1), max(map(abs, z))
        near_z = 0 if l0 <= 1 <= l1 else min(map(abs, z))
        fixed = a * g * (near_z if g > 0 else far) ** 2 + k * m0 * m0 / (x1 + 1)
        loose = ROOM * (a * abs(g) * far**2 + k * m1 * m1 + m1 * ((M(m1) + 1) * far + N(m1)))
        return all(
            fixed + m * ((M(t) - s) * y - s * N(m1 if s > 0 else m0)) >= loose
            for s in (1, -1) for m in (m0, m1) for t in (m0, m1) for y in z
        )  # fmt: skip

    def long(m0, m1, *_):
        climb, loss = a * (K - k) - m1 * max(0, 1 - (M(m0) if m0 >= 0.06 else 0)), a * K * (1 + ROOM)
        room = ROOM * (a * (K + k) + m1) * 30
        return climb * 30 - room >= loss and climb * 29 - room >= loss * math.log(30) * (1 + ROOM) + m1 * N(m1) * (
            1 + ROOM
        )

    want(math.isfinite(a) and max(exact) < 10**6, "constants")
    halve(gain, (0.0, 1.0, 0.0, 30.0))
    for holds, x0, x1 in ((away, 0.0, 0.95), (near, 0.95, 1.05), (away, 1.05, X)):
        halve(holds, (x0, x1, 0.0, 30.0))
    halve(long, (0.0, X - 1, 0.0, 0.0))
    m = X - 1
    want(M(m) >= 1 + ROOM and k * m / (m + 2) + N(m) >= (1 + height) * (1 + ROOM), "x beyond the largest")
    want(ends(d) == (0, exact[1]), "enclosure")
    says(d, "for every finite MDP with gamma >= #: L_old(new) - eta(new) <= # gamma/(1 - gamma)^2 mean-KL(old, new) "
         + EPSILON["max"], *exact[:2])  # fmt: skip


HEAD = "kind statement theorem source enclosure made_by gamma "
MDP = "transition reward initial old new available "
KINDS = {
    "refutation": (refutation, MDP + "claim relation note verdict slack size"),
    "worst-case": (worst_case, MDP + "bound ratio"),
    "sharp-lower": (sharp_lower, MDP + "divergence normaliser radius"),
    "sharp-upper": (sharp_upper, "divergence normaliser radius slope nodes w price mu nu"),
    "update-gap": (update_gap, MDP + "problem delta coefficient multiplier groups"),
    "theorem-cover": (cover, "constant k tilt shift largest"),
}


def once(pairs):
    want(len(dict(pairs)) == len(pairs), "a key that occurs twice")
    return dict(pairs)


def check(path) -> tuple[bool, str]:
    """Whether the file's theorem is proved and nothing else is said; and why not."""
    try:
        d = json.loads(Path(path).read_text(encoding="utf-8"), parse_float=F, object_pairs_hook=once)
        kind = d.get("kind", "refutation" if "claim" in d else "worst-case")
        want(kind in KINDS, f"kind {kind!r}")
        prove, names = KINDS[kind]
        want(not d.keys() - {*HEAD.split(), *names.split()}, "a field of no meaning")
        prove(d)
    except Rejected as error:
        return False, str(error)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, ArithmeticError) as error:
        return False, f"no such file: {type(error).__name__} {error}"
    return True, f"{kind} proved"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        sys.stdout.write(f"{name}: {check(name)}\n")
