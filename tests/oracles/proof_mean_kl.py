"""Files of kind "theorem-cover": a linear theorem in mean-KL, for all finite MDPs of discounts from one on.

docs/theory.md, "The linear mean-KL theorems", reduces it to the inequalities here, proved in floats, by IEEE 754, with room for
rounding.
"""

import math

import mpmath
from proof_numbers import array, number, says, want

UP = (
    1 + 1e-12
)  # room for the rounding of a sum of a few products of floats, relative to their sizes: a thousand times as much
MOST = "L_old(new) - eta(new) <= # gamma/(1 - gamma)^2 mean-KL(old, new) max|A_old|"


def curvature(l):
    """(l - 1 - log l)/(l - 1)^2, which falls; with far more digits than the cancellation costs."""
    z = mpmath.mpf(l) - 1
    return math.inf if l == 0 else 0.5 if z == 0 else float(mpmath.mp.fdiv(z - mpmath.mp.log(l), z**2))


def halve(holds, x0, x1, l0, l1):
    """Every part of a box, halved until it holds in each."""
    if not holds(x0, x1, l0, l1):
        want(max(x1 - x0, l1 - l0) > 2e-8, f"an inequality near x = {x0}, l = {l0}")
        x, l, wide = (x0 + x1) / 2, (l0 + l1) / 2, (x1 - x0) * (1 + l0) > (l1 - l0) * (1 + x0)
        for box in ((x0, x, l0, l1), (x, x1, l0, l1)) if wide else ((x0, x1, l0, l), (x0, x1, l, l1)):
            halve(holds, *box)


def cover(d):
    """H >= 0 and g >= 0 for all x and l."""
    exact = [number(d[n]) for n in ("gamma", "constant", "k", "shift", "largest")] + array(d["tilt"])
    want(0 < exact[0] < 1 and min(exact[1:]) > 0 and exact[4] >= 2 and max(exact) < 10**6, "constants")
    want([*map(number, d["enclosure"])] == [0, exact[1]], "enclosure")
    a, (_, K, k, shift, X, height, width) = float(exact[0] / (1 - exact[0])), map(float, exact)

    def M(m):
        return height * m / (m + width)

    def N(m):
        return m * m / (m * m + shift)

    def gain(u0, u1, l0, l1):
        return K * curvature(l1) >= 4 * k * (1 - u0) ** 2 * u1 / ((1 - u1) * l0 + u1) * UP**2

    def factor(x0, x1, l0, l1):
        return K * curvature(l1) / UP - 4 * k * (x1 / (x1 + 1)) ** 2 / (x0 * l0 + 1) * UP

    def near(x0, x1, l0, l1):
        alpha, z = factor(x0, x1, l0, l1) * a, 0 if l0 <= 1 <= l1 else min(abs(l0 - 1), abs(l1 - 1))
        return alpha > 0 and (4 * alpha * k / (x1 + 1) >= UP or alpha * z >= max(abs(x0 - 1), abs(x1 - 1)) * UP)

    def away(x0, x1, l0, l1):
        (m0, m1), z, g = sorted((abs(x0 - 1), abs(x1 - 1))), (l0 - 1, l1 - 1), factor(x0, x1, l0, l1)
        far, close = max(map(abs, z)), 0 if l0 <= 1 <= l1 else min(map(abs, z))
        fixed = a * g * (close if g > 0 else far) ** 2 + k * m0 * m0 / (x1 + 1)
        loose = (UP - 1) * (a * abs(g) * far**2 + k * m1 * m1 + m1 * ((M(m1) + 1) * far + N(m1)))
        return all(
            fixed + m * ((M(t) - s) * y - s * N(m1 if s > 0 else m0)) >= loose
            for s in (1, -1)
            for m in (m0, m1)
            for t in (m0, m1)
            for y in z
        )

    def long(m0, m1, *_):  # at l >= 30
        climb, loss = a * (K - k) - m1 * max(0, 1 - (M(m0) if m0 >= 0.06 else 0)), a * K * UP
        room = (UP - 1) * (a * (K + k) + m1) * 30
        return climb * 30 - room >= loss and climb * 29 - room >= loss * math.log(30) * UP + m1 * N(m1) * UP

    theorem = says(d, f"for every finite MDP with gamma >= #: {MOST}", *exact[:2])
    for holds, x0, x1 in ((gain, 0.0, 1.0), (away, 0.0, 0.95), (near, 0.95, 1.05), (away, 1.05, X)):
        halve(holds, x0, x1, 0.0, 30.0)
    halve(long, 0.0, X - 1, 0.0, 0.0)
    want(M(X - 1) >= UP and k * (X - 1) / (X + 1) + N(X - 1) >= (1 + height) * UP, "x beyond the largest")
    return theorem
