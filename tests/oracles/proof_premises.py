"""What the method "implied" may use: bounds that are theorems on paper, and inequalities between divergences of a row.

docs/theory.md has the proofs: its section "Divergences of a row" those of the inequalities.
"""

from fractions import Fraction as F

EPS, OWN = "max_abs_advantage", "max_abs_expected_advantage"


def k(q):
    return q.gamma / (1 - q.gamma) ** 2


def li(q):
    return q.polylog(-0.5, q.gamma)


PREMISES = {  # penalties of bounds that are theorems
    "trpo/tv": lambda q: 4 * q.max_abs_advantage * k(q) * q.max_tv**2,
    "trpo/kl": lambda q: 4 * q.max_abs_advantage * k(q) * q.max_kl,
    "pinsker/kl": lambda q: 2 * q.max_abs_advantage * k(q) * q.max_kl,
    "pinsker/reverse-kl": lambda q: 2 * q.max_abs_advantage * k(q) * q.reverse_max_kl,
    "coupling/tv": lambda q: (
        4 * q.max_abs_advantage * q.gamma * q.max_tv**2 / ((1 - q.gamma) * (1 - q.gamma * (1 - q.max_tv)))
    ),
    "bh/kl": lambda q: 4 * q.max_abs_advantage * k(q) * (1 - q.exp(-q.max_kl)),
    "mixed/tv": lambda q: 4 * q.max_abs_advantage * k(q) * q.max_tv * q.mean_tv,
    "chain-rule/kl": lambda q: 2 * q.max_abs_advantage * li(q) * q.max_kl,
    "chain-rule/reverse-kl": lambda q: 2 * q.max_abs_advantage * li(q) * q.reverse_max_kl,
    "chain-rule/mean-kl": lambda q: (
        q.max_abs_expected_advantage / (1 - q.gamma) * q.sqrt(2 * q.gamma * q.mean_kl / (1 - q.gamma))
    ),
    "mean-kl/linear-4": lambda q: 4 * q.max_abs_advantage * k(q) * q.mean_kl,
    "mean-kl/linear-2": lambda q: 2 * q.max_abs_advantage * k(q) * q.mean_kl,
    "cpo/mean-tv": lambda q: 2 * q.max_abs_expected_advantage * k(q) * q.mean_tv,
    "cpo/mean-kl": lambda q: 2 * q.max_abs_expected_advantage * k(q) * q.sqrt(q.mean_kl / 2),
    "cpo/mean-reverse-kl": lambda q: 2 * q.max_abs_expected_advantage * k(q) * q.sqrt(q.reverse_mean_kl / 2),
    "cpo/max-tv": lambda q: 2 * q.max_abs_expected_advantage * k(q) * q.max_tv,
}
FROM = {"mean-kl/linear-4": F(1, 5), "mean-kl/linear-2": F(21, 40)}  # hypotheses: gamma at least
SMALLER = {  # text: [(smaller, larger, what smaller is at most)], of the rows of a state, and so of maxima and means
    "TV^2 <= KL/2 (Pinsker)": [("tv", way, lambda q, x: q.sqrt(x / 2)) for way in ("kl", "reverse_kl")],
    "TV^2 <= 1 - exp(-KL) (Bretagnolle and Huber)": [
        ("tv", way, lambda q, x: q.sqrt(1 - q.exp(-x))) for way in ("kl", "reverse_kl")
    ],
    "TV^2 <= chi2/4 (Cauchy and Schwarz)": [
        ("tv", way, lambda q, x: q.sqrt(x) / 2) for way in ("chi2", "reverse_chi2")
    ],
    "KL <= chi2": [("kl", "chi2", lambda q, x: x), ("reverse_kl", "reverse_chi2", lambda q, x: x)],
    "TV^2 <= H^2 (2 - H^2) (Le Cam)": [("tv", "hellinger2", lambda q, x: q.sqrt(x * (2 - x)))],
    "TV^2 <= 2 JS": [("tv", "jensen_shannon", lambda q, x: q.sqrt(2 * x))],
    "TV^2 <= J/4": [("tv", "jeffreys", lambda q, x: q.sqrt(x) / 2)],
    "KL <= J": [(way, "jeffreys", lambda q, x: x) for way in ("kl", "reverse_kl")],
    "TV^2 <= 5 D_.1 (Gilardoni)": [("tv", "renyi_tenth", lambda q, x: q.sqrt(5 * x))],
    "TV^2 <= D_.5 (Gilardoni)": [("tv", "renyi_half", lambda q, x: q.sqrt(x))],
    "TV^2 <= D_.9/1.8 (Gilardoni)": [("tv", "renyi_nine_tenths", lambda q, x: q.sqrt(5 * x) / 3)],
    "TV <= max|new/old - 1|/2": [("tv", "ratio_deviation", lambda q, x: x / 2)],
    "TV^2 <= the Le Cam divergence (Cauchy and Schwarz)": [("tv", "le_cam", lambda q, x: q.sqrt(x))],
}
BOTH_WAYS = "TV^2 <= (KL(old, new) + KL(new, old))/4"
BY_THE_MAXIMUM = "a mean is at most the maximum"
OF_EPSILON = {"|Abar| <= 2 TV max|A|": True, "|Abar| <= max|A|": False}
ENDS = {
    "tv": F(1),
    "hellinger2": F(1),
    "le_cam": F(1),
    "jensen_shannon": F(7, 10),
}  # what is at most so much: log 2 < 7/10
TEXTS = [*SMALLER, BOTH_WAYS, BY_THE_MAXIMUM, *OF_EPSILON]
