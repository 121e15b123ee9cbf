"""The divergences of two rows p, q (old and new), of a step and in the program of the sharp gap, written from their definitions.

A divergence is sum_a p f(q/p), but for Renyi's and the largest |q/p - 1|. Its name in files is "max-kl": reduction and kind.
"""

import re
from fractions import Fraction as F

import mpmath
from proof_numbers import both, exp, iv, largest, log, sqrt, upper, want


def _kl(p, q):
    return p * log(p / q) if p != 0 else F(0)


def _chi2(p, q):
    return (p - q) ** 2 / q if p != q else F(0)


def _power(p, q, tenths):
    """p^a q^(1 - a), a in tenths."""
    return exp((tenths * log(p) + (10 - tenths) * log(q)) / 10) if p * q != 0 else F(0)


TERMS = {  # of one action; the sum over actions is the divergence, or what is in Renyi's logarithm
    "tv": lambda p, q: abs(p - q) / 2,
    "bc": lambda p, q: sqrt(p * q),
    "kl": _kl,
    "reverse_kl": lambda p, q: _kl(q, p),
    "chi2": _chi2,
    "reverse_chi2": lambda p, q: _chi2(q, p),
    "twice_kl": lambda p, q: 2 * _kl(p, q),
    "js": lambda p, q: (_kl(p, (p + q) / 2) + _kl(q, (p + q) / 2)) / 2,
    "jeffreys": lambda p, q: _kl(p, q) + _kl(q, p),
    "le_cam": lambda p, q: (p - q) ** 2 / (p + q) / 2 if p != q else F(0),
    "samson": lambda p, q: (p - q) ** 2 / max(p, q) if p != q else F(0),
    "r1": lambda p, q: _power(p, q, 1),
    "r5": lambda p, q: _power(p, q, 5),
    "r9": lambda p, q: _power(p, q, 9),
}


def total(name, p, q):
    """The sum over actions; a division by 0 or a logarithm of 0 is an infinite divergence, and an error here."""
    return sum(map(TERMS[name], p, q), F(0))


def _renyi(tenths):
    a = F(tenths, 10)
    return lambda p, q: -log(total(f"r{tenths}", p, q)) / (1 - a)


def _ratio_deviation(p, q):
    want(all(x or not y for x, y in both(p, q)), "an infinite divergence")
    return largest([F(0), *(abs(y / x - 1) for x, y in both(p, q) if x)])


def _sum_of(name):
    return lambda p, q: total(name, p, q)


ROWS = {  # the divergence of two rows, by its field of `Quantities`
    **{
        name: _sum_of(name)
        for name in ("tv", "kl", "reverse_kl", "chi2", "reverse_chi2", "jeffreys", "le_cam", "samson")
    },
    "jensen_shannon": _sum_of("js"),
    "hellinger2": lambda p, q: 1 - total("bc", p, q) if [*p] != [*q] else F(0),
    "renyi_tenth": _renyi(1),
    "renyi_half": _renyi(5),
    "renyi_nine_tenths": _renyi(9),
    "ratio_deviation": _ratio_deviation,
}
NOTATION = {
    **{"kl": "KL(old, new)", "tv": "TV(old, new)", "reverse_kl": "KL(new, old)", "chi2": "chi2(old, new)"},
    **{"reverse_chi2": "chi2(new, old)", "hellinger2": "H2(old, new)", "jeffreys": "Jeffreys(old, new)"},
    **{"jensen_shannon": "JS(old, new)", "le_cam": "Le-Cam(old, new)", "ratio_deviation": "|new/old - 1|"},
    **{"renyi_tenth": "Renyi-0.1(old, new)", "renyi_half": "Renyi-0.5(old, new)"},
    "renyi_nine_tenths": "Renyi-0.9(old, new)",
}
NEVER_A_MEAN = ("ratio_deviation", "renyi_tenth", "renyi_half", "renyi_nine_tenths")


def kind_of(name):
    """ "reverse-max-kl" is ("reverse_kl", False): the kind, and whether it is a mean."""
    found = re.fullmatch(r"(reverse-)?(max|mean)-([a-z0-9-]+)", name) if isinstance(name, str) else None
    want(found, f"divergence {name!r}")
    kind = f"{found[1] or ''}{found[3]}".replace("-", "_")
    mean = found[2] == "mean"
    want(kind in NOTATION and not (mean and kind in NEVER_A_MEAN), f"divergence {name!r}")
    return kind, mean


def _none(c, lam):
    """sup over l >= 0 of c l, where lambda f is 0 wherever f is finite: 0 for c <= 0, else infinite."""
    want(c <= 0, "unbounded")
    return F(0)


def _by_tangent(f, slope, peak, fits):
    """An upper bound on sup over l >= 0 of c l - lam f(l), f convex: a tangent of it, at about its peak, that does not rise."""

    def supremum(c, lam):
        if lam == 0:
            return _none(c, lam)
        want(fits(c, lam), "unbounded")
        at = upper(peak(c, lam)) * (1 + F(1, 10**25))
        rise = c - lam * slope(at)
        want(rise <= 0, "a tangent that rises")
        return c * at - lam * f(at) - rise * at

    return supremum


def _corner(half):
    """f = half |l - 1|: the largest at l = 0 or at the corner."""

    def supremum(c, lam):
        want(c <= lam * half, "unbounded")
        return max(c, -lam * half)

    return supremum


def _parabola(c, lam):
    """f = (l - 1)^2."""
    if lam == 0:
        return _none(c, lam)
    return c + c * c / (4 * lam) if c >= -2 * lam else -lam


def _chi2_of_both(c, lam):
    """f = (l - 1)^2/l = l + 1/l - 2: 2 lam - (lam - c) l - lam/l, of which the last two are at least 2 sqrt(lam (lam - c))."""
    want(c <= lam, "unbounded")
    return 2 * (lam - sqrt(lam * (lam - c)))


def _le_cam(c, lam):
    """f = (l - 1)^2/(l + 1)/2 = ((l + 1) + 4/(l + 1) - 4)/2: with y = l + 1, (c - lam/2) y - 2 lam/y + 2 lam - c, y >= 1."""
    left = lam - 2 * c
    want(left >= 0, "unbounded")
    return -lam / 2 if left > 4 * lam else 2 * lam - c - 2 * sqrt(lam * left)


def _jeffreys_peak(c, lam):
    """l of log l + 1 - 1/l = c/lam, about: u + e^u = 1 - c/lam with u = -log l, by Newton's steps. Any l will do."""
    with mpmath.workdps(40):
        z = 1 - mpmath.mpf(c.numerator) / c.denominator * lam.denominator / lam.numerator
        u = z if z < 1 else mpmath.log(z)
        for _ in range(12):
            u -= (mpmath.exp(u) + u - z) / (mpmath.exp(u) + 1)
        return iv.mpf(mpmath.exp(-u)) * (1 + iv.mpf(10) ** -25)


def _jeffreys():
    """f = (l - 1) log l, f' = log l + 1 - 1/l."""
    return _by_tangent(lambda x: (x - 1) * log(x), lambda x: log(x) + 1 - 1 / x, _jeffreys_peak, lambda c, lam: True)


def _jensen_shannon():
    """f = log(2/(1 + l))/2 + l log(2 l/(1 + l))/2, f' = log(2 l/(1 + l))/2: the peak is E/(2 - E), E = exp(2c/lam) < 2."""
    return _by_tangent(
        lambda x: log(2 / (1 + x)) / 2 + x * log(2 * x / (1 + x)) / 2,
        lambda x: log(2 * x / (1 + x)) / 2,
        lambda c, lam: exp(iv.mpf(2 * c / lam)) / (2 - exp(iv.mpf(2 * c / lam))),
        lambda c, lam: exp(iv.mpf(2 * c / lam)) < 2,
    )


def _clip(radius):
    """f = 0 between 1 - D and 1 + D, infinite elsewhere."""
    return lambda c, lam: c * (1 + radius) if c > 0 else c * max(1 - radius, F(0))


def _of_power(tenths, radius):
    """f = (1 - l^b)/b D/r, b = 1 - a, r = (1 - e^(-b D))/b: E f <= D is E (1 - l^b)/b <= r, which is D_a <= D."""
    a = F(tenths, 10)
    b = 1 - a
    scale = b * radius / (1 - exp(iv.mpf(-b * radius))) if radius else F(1)

    def raised(x, power):
        return exp(log(x) * power)

    return _by_tangent(
        lambda x: (1 - raised(x, b)) / b * scale,
        lambda x: -raised(x, -a) * scale,
        lambda c, lam: raised(lam * scale / -c, 1 / a),
        lambda c, lam: c < 0,
    )


def _at(supremum):
    return lambda radius: supremum


SUPREMA = {  # radius -> (c, lam) -> an upper bound on sup over l >= 0 of c l - lam f(l)
    "tv": _at(_corner(F(1, 2))),
    "kl": _at(_by_tangent(lambda x: -log(x), lambda x: -1 / x, lambda c, lam: -lam / c, lambda c, lam: c < 0)),
    "reverse_kl": _at(_by_tangent(lambda x: x * log(x) - x + 1, log, lambda c, lam: exp(c / lam), lambda c, lam: True)),
    "chi2": _at(_chi2_of_both),
    "reverse_chi2": _at(_parabola),
    "hellinger2": _at(
        _by_tangent(
            lambda x: 1 - sqrt(x),
            lambda x: -1 / (2 * sqrt(x)),
            lambda c, lam: (lam / (2 * c)) ** 2,
            lambda c, lam: c < 0,
        )
    ),
    "jeffreys": _at(_jeffreys()),
    "jensen_shannon": _at(_jensen_shannon()),
    "le_cam": _at(_le_cam),
    "ratio_deviation": _clip,
    "renyi_tenth": lambda radius: _of_power(1, radius),
    "renyi_half": lambda radius: _of_power(5, radius),
    "renyi_nine_tenths": lambda radius: _of_power(9, radius),
}
