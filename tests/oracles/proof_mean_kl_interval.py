"""Files of kind "theorem-interval": a linear theorem in mean-KL, for all finite MDPs of one discount, or of all between two.

docs/theory.md, "The least linear constant", reduces it to the inequalities here, for W, which is w on nodes and C m^2 - B m^3
next to 1, m = |x - 1|. What is next to 1 is proved in boxes of fractions, the rest in floats, with room for rounding.
"""

import math
from itertools import pairwise

from proof_mean_kl import MOST, UP, halve
from proof_numbers import F, array, both, log, number, says, want


def below(c, lo, hi, depth=12):
    """c[0] + ... + c[3] s^3 >= 0 on lo <= s <= hi, by its Bernstein coefficients on parts."""
    w, at = hi - lo, [sum(math.comb(k, j) * c[k] * lo ** (k - j) for k in range(j, 4)) for j in range(4)]
    b = [sum(F(math.comb(i, j), math.comb(3, j)) * at[j] * w**j for j in range(i + 1)) for i in range(4)]
    halves = ((lo, (lo + hi) / 2), ((lo + hi) / 2, hi))
    return min(b) >= 0 or (depth > 0 and min(b[0], b[3]) >= 0 and all(below(c, *part, depth - 1) for part in halves))


def next_to_one(a, K, C, B, E, h, r):
    """|l - 1| <= r, |x - 1| <= h: Q + m G >= 0 in boxes of fractions."""
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
        return [
            a * (f(cubes) - C * (2 * g(turns) + g(bend)) + f(high)) - (1 + a) * B for f, g in ((min, max), (max, min))
        ]

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


def _lines(x, w, inner, C, B, E, h, r):
    """The lines of W, which is convex and below its cubic: (slope, from, to, value)."""
    points = sorted([*both(x, w), (F(1), F(0)), *((1 + s * y, C * y**2 - B * y**3) for y in inner for s in (1, -1))])
    lines = [((v - u) / (q - p), p, q, u) for (p, u), (q, v) in pairwise(points)] + [(F(1), x[-1], x[-1], w[-1])]
    want(all(p[0] <= q[0] for p, q in pairwise(lines)), "convexity")
    far = (1 + h) * (1 + r) - 1
    for s, p, q, u in lines:
        if (q <= 1 - h or p >= 1 + h) and q >= 1 - far and p <= 1 + far:
            side = 1 if p >= 1 else -1
            lo, hi = sorted((abs(p - 1), abs(q - 1) if q > p else far))
            want(lo >= hi or below((s * (p - 1) - u, -side * s, C, -E), lo, min(hi, far)), "the cubic above W")
    return lines


def interval(d):
    """The theorem, from the file's W and multipliers."""
    gammas, inner, x, w, mus, nus = (array(d[n]) for n in ("gamma", "inner", "nodes", "w", "mu", "nu"))
    K, C, B, E, r = (number(d[n]) for n in ("constant", "curvature", "bend", "outer_bend", "reach"))
    h = min(abs(y - 1) for y in x)
    want(1 <= len(gammas) <= 2 and 0 < gammas[0] <= gammas[-1] < 1 and sorted({*gammas}) == gammas, "gamma")
    want(min(K, C) > 0 and E <= B and 3 * B * h <= C and 0 < r < 1, "constants")
    want(0 < h < 1 and x[0] == 0 and {1 - h, 1 + h} <= {*x}, "the nodes next to 1")
    want(sorted({*x}) == x and sorted({*inner}) == inner and inner and inner[0] > 0 and inner[-1] < h, "nodes")
    want(all(v >= 0 and (abs(y - 1) > h or v == C * h**2 - B * h**3) for y, v in both(x, w)) and max(w) < 10**9, "w")
    lines = _lines(x, w, inner, C, B, E, h, r)
    broken = [(float(s), float(u - s * p)) for s, p, _, u in lines]

    def falls(
        why, a, y, slopes, levels, z=None
    ):  # c l + b + a (W(y l) - K (l - 1 - log l)) <= 0 for all l, or l - 1 beyond z
        price, (c, b), size = (
            float(a * K),
            (float(sum(xs)) for xs in (slopes, levels)),
            float(sum(map(abs, (*slopes, *levels)))),
        )
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
    return says(d, f"for every finite MDP with {ends}: {MOST}", *gammas, K)
