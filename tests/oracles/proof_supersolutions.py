"""Files of kind "sharp-upper", and "sharp-gap/supersolution" of earlier versions: an upper bound for all finite MDPs.

docs/theory.md, "The sharp gap": G <= w(1) if at every node x, for A = 1 and -1 and all l >= 0,
    |x - 1| (l - 1) A + gamma W(x l) - lam (f(l) - D) - mu (l - 1) - nu A <= w(x),
W the piecewise linear function of what follows: w itself, or, over a horizon, that of the step before (0 at the last step).
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from proof_divergences import NEVER_A_MEAN, NOTATION, SUPREMA, kind_of
from proof_numbers import F, Rejected, array, number, says, sqrt, want

PARTS = ("slope", "nodes", "w", "price", "mu", "nu")
TIGHT = 1 + F(1, 10**12)  # ends are rounded to 15 digits
EPSILON = {
    "max": "max|A_old|",
    "expected": "max_s |sum_a new(a|s) A_old(s, a)|",
    "sd": "max_s sqrt(sum_a old(a|s) A_old(s, a)^2)",
}


class Function:
    """W: values w at nodes x, 0 the first and 1 one of them, and a last slope. W is taken as the largest of its lines."""

    def __init__(self, x, w, last):
        self.x, self.w = x, w
        self.slopes = [*((v - u) / (b - a) for (a, u), (b, v) in pairwise(zip(x, w, strict=True))), last]
        self.steepest = max(self.slopes)
        self.convex = all(a <= b for a, b in pairwise(self.slopes))

    def lines(self, block):
        """Slope and offset of a line, or of the chord over a block of lines: it is above W there, where W is convex."""
        a, b = block
        slope = self.slopes[a] if b == a + 1 else (self.w[b] - self.w[a]) / (self.x[b] - self.x[a])
        return slope, self.w[a] - slope * self.x[a]

    def blocks(self):
        last = len(self.x) - 1
        return [(last, last + 1), *([(0, last)] if self.convex and last > 0 else [(k, k + 1) for k in range(last)])]

    def at_zero(self):
        return max(v - slope * y for slope, v, y in zip(self.slopes, self.w, self.x, strict=True))


@dataclass
class Place:
    """The inequality at a node x, or at infinity, for one A: g W(x l) + climb l - price f(l) <= room for all l >= 0."""

    supremum: Callable
    g: F
    x: F
    price: F
    climb: F
    room: F

    def holds(self, slope, offset):
        """With a line in the place of W."""
        with suppress(Rejected):
            return self.g * offset + self.supremum(self.g * slope * self.x + self.climb, self.price) <= self.room
        return False

    def holds_for_all_lines(self, W):
        """What holds of a chord holds of all lines of its block; blocks where it does not are halved."""
        ahead = W.blocks()
        while ahead:
            a, b = block = ahead.pop()
            if not self.holds(*W.lines(block)):
                if b == a + 1:
                    return False
                ahead += [(a, (a + b) // 2), ((a + b) // 2, b)]
        return True


def one_step(parts, W, g, radius, kind, mean, expected):
    """The inequalities of one step, with W what follows; None for W is the step's own. Returns w as a function, and lam."""
    last, x, w, lam, mu, nu = (array(parts[name]) for name in PARTS)
    want({len(lam), len(mu), len(nu)} == {len(w) + 1} == {len(x) + 1}, "a shape")
    want(x[0] == 0 and 1 in x and all(a < b for a, b in pairwise(x)), "nodes")
    want(min(lam) >= 0 and (not mean or len({*lam[:-1]}) == 1), "lambda")
    own = Function(x, w, last)
    W, supremum = W or own, SUPREMA[kind](radius)
    for i in range(len(x) + 1):
        inside = i < len(x)
        size, value = (abs(x[i] - 1), w[i]) if inside else (F(1), last)
        price = lam[i] if inside or not mean else F(0)
        paid = F(0) if mean else price * radius
        for sign in (1,) if expected else (1, -1):
            reward, rest = (F(0), size) if expected else (size * sign, -size * sign - nu[i] * sign)
            place = Place(supremum, g, x[i] if inside else F(1), price, reward - mu[i], value - rest - mu[i] - paid)
            if i == 0:
                fine = place.holds(F(0), W.at_zero())
            elif inside:
                fine = place.holds_for_all_lines(W)
            else:
                fine = place.holds(W.steepest, F(0))
            want(fine, f"the inequality at node {i}")
    return own, lam


def _bound(d, kind, mean, expected):
    """G <= this; at one gamma and radius, over a horizon or not."""
    g, radius, horizon = number(d["gamma"]), number(d["radius"]), d.get("horizon")
    want(radius >= 0, "radius")
    if horizon is None:
        want(0 <= g < 1 and "steps" not in d, "gamma, or steps without a horizon")
        own, lam = one_step(d, None, g, radius, kind, mean, expected)
        return own.w[own.x.index(1)] + (lam[0] * radius / (1 - g) if mean else 0), g, radius, ""
    steps = d["steps"]
    want(type(horizon) is int and horizon >= 1 and isinstance(steps, list) and len(steps) == horizon, "horizon")
    want(0 <= g <= 1 and not mean and not {*PARTS} & d.keys(), "gamma, a mean over a horizon, or what is no step")
    own = Function([F(0), F(1)], [F(0), F(0)], F(0))
    for step in steps:
        want({*step} == {*PARTS}, "the fields of a step")
        own, _ = one_step(step, own, g, radius, kind, mean, expected)
    return own.w[own.x.index(1)], g, radius, f" that ends after {horizon} steps"


def _factor(kind, mean, normaliser, radius):
    """1; of sd, as |Abar| <= sd(l) sd(A), the root of the largest E (l - 1)^2 at the radius."""
    if normaliser != "sd":
        return F(1)
    want(kind in ("reverse_chi2", "ratio_deviation") and not mean, "a divergence that does not bound E (l - 1)^2")
    return sqrt(radius if kind == "reverse_chi2" else radius * min(radius, F(1)))  # E l = 1, -min(D, 1) <= l - 1 <= D


def theorem_of(kind, mean, normaliser, within):
    """The sentence without its numbers: the end of "for every finite MDP"."""
    return (
        f"{within} with gamma = # and {'mean' if mean else 'max'}-{NOTATION[kind]} <= #: L_old(new) - eta(new) <= # "
        + (EPSILON[normaliser])
    )


def sharp_upper(d):
    (kind, mean), normaliser = kind_of(d["divergence"]), d["normaliser"]
    want(normaliser in EPSILON, "normaliser")
    bound, g, radius, within = _bound(d, kind, mean, normaliser != "max")
    bound *= _factor(kind, mean, normaliser, radius)
    lo, hi = map(number, d["enclosure"])
    want(lo == 0 and bound <= hi <= bound * TIGHT, "enclosure")
    return says(d, f"for every finite MDP{theorem_of(kind, mean, normaliser, within)}", g, radius, hi)


def earlier(d):
    """A file that names f, not the divergence, and says its bound in floats if at all: to 12 digits, rounded somehow."""
    kind, mean = d["divergence"].replace("-", "_"), d["mean"]
    want(("expected" in d) != ("normaliser" in d) and type(d.get("expected", True)) is bool, "one normaliser")
    normaliser = d["normaliser"] if "normaliser" in d else "expected" if d["expected"] else "max"
    want(normaliser in EPSILON, "normaliser")
    want(kind in NOTATION and type(mean) is bool and not (mean and kind in NEVER_A_MEAN), "divergence")
    bound, g, radius, _ = _bound(d, kind, mean, normaliser != "max")
    bound *= _factor(kind, mean, normaliser, radius)
    if "bound" in d:
        want(abs(number(d["bound"]) - bound) <= F(1, 10**12) * bound, "bound")
    hi = bound
    if "enclosure" in d:
        lo, hi = map(number, d["enclosure"])
        want(lo == 0 and bound <= hi <= bound * TIGHT, "enclosure")
    return says(d, f"for every finite MDP{theorem_of(kind, mean, normaliser, '')}", g, radius, hi)
