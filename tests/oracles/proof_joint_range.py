"""Files of kind "implication" by the method "joint range": sum a_i D_i >= c TV^2 for the rows of any two policies, a_i >= 0.

docs/theory.md, "By binary pairs": rows with two entries suffice, old = (p, 1 - p), new = (q, 1 - q), p <= q. With d = q - p
    D_f/d^2 = K*(p/q)/q + K((1 - q)/(1 - p))/(1 - p),   K(t) = f(t)/(1 - t)^2, K* that of t f(1/t), which do not increase,
            = int (1 - s) (f''(r/p)/p + f''((1 - r)/(1 - p))/(1 - p)) ds,   r = p + s d.
The first bounds it from below on a box; the second has its second derivatives about p = q = 1/2, where a constant may be sharp.
"""

from dataclasses import dataclass

from proof_numbers import F, exp, iv, log, sqrt, want
from proof_own_claims import reduced
from proof_sums import Box, variable
from proof_symbols import Sym, every_way

MOST_BOXES = 20000
SIZES = (
    (F(1, 16), 100),
    (F(1, 32), 800),
    (F(1, 64), 400),
)  # of a neighbourhood of p = q = 1/2, with how many cells to try
PIECES = 4  # of the integral over s, of which one end is 1/2


@dataclass
class Generator:
    """f centred at 1, f', and f'' as terms (c, k, m), c l^k (1 + l)^m."""

    f: object
    slope: object
    second: tuple

    def at_1(self):
        return sum(c * F(2) ** int(m) for c, _, m in self.second)

    def K(self, t):
        return self.at_1() / 2 if t == 1 else self.f(iv.mpf(t)) / (1 - t) ** 2

    def K_star(self, t):
        return self.at_1() / 2 if t == 1 else t * self.f(1 / iv.mpf(t)) / (1 - t) ** 2


def _js(l):
    return (log(2 / (1 + l)) + l * log(2 * l / (1 + l))) / 2


def _power_sum(a):
    """(1 - l^b)/b, centred, b = 1 - a."""
    b = 1 - a
    return Generator(lambda l: l - 1 + (1 - exp(log(l) * b)) / b, lambda l: 1 - exp(log(l) * -a), ((a, -1 - a, 0),))


ONE, HALF = F(1), F(1, 2)
ORDERS = {"renyi_tenth": F(1, 10), "renyi_half": HALF, "renyi_nine_tenths": F(9, 10)}
GENERATORS = {  # of Renyi's order a (1 - l^b)/b, b = 1 - a, whose divergence is at most D_a: -log(1 - b x)/b >= x
    "kl": Generator(lambda l: l - 1 - log(l), lambda l: 1 - 1 / l, ((ONE, F(-2), 0),)),
    "reverse_kl": Generator(lambda l: l * log(l) - l + 1, log, ((ONE, F(-1), 0),)),
    "jeffreys": Generator(lambda l: (l - 1) * log(l), lambda l: log(l) + 1 - 1 / l, ((ONE, F(-2), 0), (ONE, F(-1), 0))),
    "chi2": Generator(lambda l: (l - 1) ** 2 / l, lambda l: 1 - 1 / l**2, ((F(2), F(-3), 0),)),
    "reverse_chi2": Generator(lambda l: (l - 1) ** 2, lambda l: 2 * (l - 1), ((F(2), F(0), 0),)),
    "hellinger2": Generator(
        lambda l: (sqrt(l) - 1) ** 2 / 2, lambda l: (1 - 1 / sqrt(l)) / 2, ((F(1, 4), F(-3, 2), 0),)
    ),
    "jensen_shannon": Generator(_js, lambda l: log(2 * l / (1 + l)) / 2, ((HALF, F(-1), -1),)),
    "le_cam": Generator(lambda l: (l - 1) ** 2 / (l + 1) / 2, lambda l: HALF - 2 / (l + 1) ** 2, ((F(4), F(0), -3),)),
    **{name: _power_sum(a) for name, a in ORDERS.items()},
}


class Rows:
    """The record that a formula is run on: divergences of rows as symbols, each with where it is taken: state, max or mean."""

    def __init__(self):
        self._box = Sym.box = Box({"gamma": (HALF, HALF)})
        self._over = {}

    def __getattr__(self, name):
        kind, over = name, "state"
        if name not in GENERATORS and name != "tv":
            reverse, over, kind = reduced(name)
            kind = reverse + kind
        want(kind in GENERATORS or kind == "tv", f"{name} in an inequality of rows")
        self._over.setdefault(kind, set()).add(over)
        return Sym(variable(kind))

    def max_s(self, x):
        return x

    def sqrt(self, x):
        return Sym.of(x).sqrt()


def _read(own):
    """{kind: a} and c."""
    record, found = Rows(), []
    want(every_way(lambda: found.append(Sym.of(own.formula(record))) is None), "a formula that is not followed")
    want(len(found) == 1 and own.given is None and not own.is_bound, "hypotheses, or a bound")
    ((_, scale),) = found[0].below.items()
    want({*found[0].below} == {frozenset()} and scale > 0, "a quotient")
    a, c = {}, F(0)
    for m, factor in found[0].above.items():
        ((kind, power),) = m
        if kind == "tv":
            want(power == 2 and factor < 0, "total variation, but for -c TV^2")
            c = -factor / scale
        else:
            want(power == 1 and factor > 0 and kind in GENERATORS, "a divergence that is no a D, a > 0")
            a[kind] = factor / scale
    want(a and c, "an inequality of another form")
    where = {over for kind in record._over.values() for over in kind}
    want(not {"state", "mean"} <= where, "a mean beside single states")
    of_tv = record._over["tv"]
    want(len(of_tv) == 1, "total variation over states in two ways")
    want(of_tv == {"max"} or "max" not in of_tv, "total variation")
    want(of_tv != {"max"} or where == {"max"}, "the largest total variation beside others")
    return a, c


def _by_ends(a, box):
    """A lower bound of sum a D/d^2 on a box of p and q."""
    p0, p1, q0, q1 = box
    t = min(ONE, p1 / q0) if q0 else ONE
    u = min(ONE, (1 - q0) / (1 - p1)) if p1 < 1 else ONE
    parts = (x * (GENERATORS[kind].K_star(t) / q1 + GENERATORS[kind].K(u) / (1 - p0)) for kind, x in a.items())
    return sum(parts, F(0))


def _by_tangent(a, c, box):
    """Whether sum a D >= c d^2 on a box: D is convex, so above its tangent plane; that less c d^2 is least at a corner."""
    p0, p1, q0, q1 = box
    p, q = (p0 + p1) / 2, (q0 + q1) / 2
    l, m = iv.mpf(q / p), iv.mpf((1 - q) / (1 - p))
    value = by_p = by_q = F(0)
    for kind, x in a.items():
        f, slope = GENERATORS[kind].f, GENERATORS[kind].slope
        f_l, f_m, s_l, s_m = f(l), f(m), slope(l), slope(m)
        value += x * (p * f_l + (1 - p) * f_m)
        by_p += x * (f_l - l * s_l - f_m + m * s_m)
        by_q += x * (s_l - s_m)
    return all(value + by_p * (y - p) + by_q * (z - q) >= c * (z - y) ** 2 for y in (p0, p1) for z in (q0, q1))


def _term(c, A, B, C, p, r):
    """The second derivatives, pp, pr and rr, of c p^A r^B (p + r)^C."""
    m = p + r
    value = c * _raised(p, A) * _raised(r, B) * _raised(m, F(C))
    x, y = A / p + C / m, B / r + C / m
    return [value * part for part in (x**2 - A / p**2 - C / m**2, x * y - C / m**2, y**2 - B / r**2 - C / m**2)]


def _raised(x, power):
    return x ** int(power) if power.denominator == 1 else exp(log(x) * power)


def _hessian(a, u, d):
    """Enclosures of the second derivatives of sum a D/d^2 in u = (p + q - 1)/2 and d, on intervals of both: uu, ud, dd."""
    total = [iv.mpf(0)] * 3
    p = HALF + u - d / 2
    for j in range(PIECES):
        s0, s1 = F(j, PIECES), F(j + 1, PIECES)
        r = HALF + u + (_interval(s0, s1) - HALF) * d
        # integrals over the piece of (1 - s), (1 - s) e and (1 - s) e^2, e = s - 1/2 of one sign: x = 1 - s, e = 1/2 - x
        x, y = 1 - s0, 1 - s1
        w, w1 = (x**2 - y**2) / 2, (x**2 - y**2) / 4 - (x**3 - y**3) / 3
        w2 = (x**2 - y**2) / 8 - (x**3 - y**3) / 3 + (x**4 - y**4) / 4
        pp, pr, rr = (
            sum(
                x * (_term(c, -1 - k - m, k, m, p, r)[i] + _term(c, -1 - k - m, k, m, 1 - p, 1 - r)[i])
                for kind, x in a.items()
                for c, k, m in GENERATORS[kind].second
            )
            for i in range(3)
        )
        total[0] += w * (pp + 2 * pr + rr)
        total[1] += -w / 2 * pp + (w1 - w / 2) * pr + w1 * rr
        total[2] += w / 4 * pp - w1 * pr + w2 * rr
    return total


def _interval(low, high):
    return iv.mpf([iv.mpf(low).a, iv.mpf(high).b])


def _is_convex(a, size, most):
    """Whether sum a D/d^2 is convex for |u| <= size, 0 <= d <= size, cell by cell."""
    ahead, count = [(-size, size, F(0), size)], 0
    while ahead:
        u0, u1, d0, d1 = ahead.pop()
        uu, ud, dd = _hessian(a, _interval(u0, u1), _interval(d0, d1))
        count += 1
        if not (uu > 0 and uu * dd >= ud**2):
            if count > most:
                return False
            u, d = (u0 + u1) / 2, (d0 + d1) / 2
            ahead += [(u0, u, d0, d1), (u, u1, d0, d1)] if u1 - u0 >= d1 - d0 else [(u0, u1, d0, d), (u0, u1, d, d1)]
    return True


def _centre(a):
    """The size of a neighbourhood of p = q = 1/2 in which the quotient is convex; it is even, and so least in the middle."""
    return next((size for size, most in SIZES if _is_convex(a, size, most)), F(0))


def joint_range(own, by, gamma, radius, divergence):
    """For all MDPs and policies, whatever region the file has."""
    # how the package proved it is no part of what is proved here
    want(by.endswith('docs/theory.md, "Divergences of a row"'), "by")
    want(divergence is None and radius is None, "a radius of what is no penalty")
    a, c = _read(own)
    at_centre = 2 * sum(x * GENERATORS[kind].at_1() for kind, x in a.items())
    want(at_centre >= c, "the inequality at old = new = (1/2, 1/2)")
    digits, iv.dps = iv.dps, 25
    try:
        _cover(a, c, _centre(a) if at_centre == c else F(0))
    finally:
        iv.dps = digits


def _cover(a, c, size):
    """sum a D >= c d^2 for all p <= q, but for |p + q - 1| <= 2 size, d <= size."""
    ahead, count = [(F(0), ONE, F(0), ONE)], 0
    while ahead:
        box, count = ahead.pop(), count + 1
        p0, p1, q0, q1 = box
        if q1 <= p0 or (max(abs(p0 + q0 - 1), abs(p1 + q1 - 1)) <= 2 * size and q1 - p0 <= size):
            continue
        if _by_ends(a, box) >= c or (p1 <= q0 and p0 > 0 and q1 < 1 and _by_tangent(a, c, box)):
            continue
        want(count <= MOST_BOXES, f"not proved near old = {float(p0):.4g}, new = {float(q0):.4g}")
        p, q = (p0 + p1) / 2, (q0 + q1) / 2
        ahead += [(p0, p, q0, q1), (p, p1, q0, q1)] if p1 - p0 > q1 - q0 else [(p0, p1, q0, q), (p0, p1, q, q1)]
