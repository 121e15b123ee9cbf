"""The penalty of each bound of the catalogue, and what it is subtracted from, written again from the statements.

Text is a formula over the quantities of proof_step.py. The proofs of the tails: docs/theory.md, "The tail in one block".
"""

from contextlib import suppress
from functools import cache

from proof_numbers import F, dot, iv, largest, least, resolve, sqrt, variance, want


def by_max(v, c, mean, sd):
    return v + c * (1 + v)


def by_mean(v, c, mean, sd):
    return v + least([c * (1 + v), mean + 2 * sd * sqrt(v) + c * v])


def floor(law, a, v):
    """E a - phi(v): at any level b, E X a >= b - sqrt((1 + v) E (b - a)+^2); the best b is an a, or m + s/sqrt(M (1 + v) - 1)."""
    levels = [*a]
    for top in a:
        low = [p * (not x > top) for p, x in zip(law, a, strict=True)]
        mass = sum(low)
        spare = mass * (1 + v) - 1
        if spare > 0:
            low = [p / mass for p in low]
            levels.append(dot(low, a) + sqrt(variance(low, a) / spare))
    lowest = [b - sqrt((1 + v) * dot(law, [largest([b - x, F(0)]) ** 2 for x in a])) for b in levels]
    return dot(law, a) - largest(lowest)


def over_time(a="abar", grow=by_mean, far="reverse_chi2", most=256, what="", block=True, pooled=False, ratio=False):
    """The sum over t < H of g^t min{sd_t(a) sqrt(v_t), span(a)}, or of E a - phi(v_t), v_0 = 0, v_{t+1} = grow; and the rest.

    H of the package: the first multiple of 32 with g^H <= 1e-6, at most `most`.
    """

    @cache
    def penalty(q):
        f, chi = [q[a][s] for s in q.seen], [q.apart(far, s, what) for s in q.seen]
        law, v, total = [iv.mpf(q.start[s]) for s in q.seen], 0, 0
        c, span = largest(chi), largest(f) - least(f)
        P = [[q.P_old[s].get(t, F(0)) for t in q.seen] for s in q.seen]
        flow = [[iv.mpf(x) for x in to] for to in zip(*P, strict=True)]
        H = next(t for t in range(32, most + 1, 32) if q.g**t * 10**6 <= 1 or t == most)
        for t in range(H):
            loss = [sqrt((q.var if pooled else variance(law, f)) * v), span, *([floor(law, f, v)] if ratio else [])]
            total += q.g**t * least(loss)
            v = grow(v, c, dot(law, chi), sqrt(variance(law, chi)))
            law = [dot(law, column) for column in flow]
        return total + q.g**H * least(tails(q, f, P, law, v, c, span))

    def tails(q, f, P, law, v, c, span):
        weight, theta = resolve([[q.g * x for x in column] for column in zip(*P, strict=True)], law), q.g * (1 + c)
        yield dot(weight, [x - least(f) for x in f]) if ratio else q.h * span
        if block and theta < 1:
            yield sqrt(q.h * variance([x / q.h for x in weight], f) * (v + q.g * q.h * c) / (1 - theta))
        live = [
            s for s, x in enumerate(f) if (x == 0) is not True or P[s][s] != 1
        ]  # y = f^2 + theta P y; elsewhere y = 0
        with suppress(ZeroDivisionError):
            y = resolve([[theta * P[s][t] for t in live] for s in live], [f[s] ** 2 for s in live])
            if block and all(x >= 0 for x in y):
                yield sqrt(dot([law[s] for s in live], y) * q.h * (v + q.g * c / (1 - q.g + c)))

    return penalty


@cache
def floored(q):
    """The least of two, or what is at least there where no ratio is finite."""
    if any(q.new[s][a] and not q.old[s][a] for s, a in q.pairs if s in q.seen):
        return q.gain - q.h * q.least_abar
    return least([over_time(most=64, ratio=True)(q), over_time()(q)])


SQUARES = {  # penalties that are h times the root of
    "expected-advantage": "var*k2(g, c)",
    "expected-advantage-mean": "var*k2(g, cm)",
    "critic": "variance(p, residual)*k2(g, c)",
    "reward": "h*variance(flat, rewards)*c*k2(g, c)",
    "advantage-half": "ms*c*k2(g, c)/4",
    "instance": "var*squares/h",
}
FOR_C = {  # what stands for c in chi2/advantage, h sqrt(ms c kappa^2(c))
    "advantage": "c",
    "advantage-mean": "cm",
    "advantage-kl": "(2*D)",
    "advantage-forward": "largest(rows('chi2'))",
    "ratio-clip": "clip**2",
    "ratio-cap": "(2*cap*D)",
}
FORMS = {"time-resolved": ("abar", by_max), "mean-max": ("abar", by_mean), "second-order": ("second", by_mean)}
TWIN = {"grow": by_max, "most": 32, "block": False}  # the false twins take fewer steps
LINEAR = ("blog/no-surrogate", "mean-kl/linear", "mean-kl/linear-open", "mean-kl/linear-4")

H_UPPER = (
    ".1 .1119133 .3 .4555311 .5 1.184995 .7 3.366039 .8 6.847494 .9 21.04388 .95 61.60602 .99 704.5457 .999 22363.88"
)


def small_radius(g):
    """What h(0) is at most, in a list of discounts and such numbers: at the next larger discount."""
    numbers = [F(number) for number in H_UPPER.split()]
    return next(h for at, h in zip(numbers[::2], numbers[1::2], strict=True) if g <= at)


PENALTIES = {
    **{f"chi2/{name}": f"h*sqrt({square})" for name, square in SQUARES.items()},
    **{f"chi2/{name}": f"h*sqrt(ms*{c}*k2(g, {c}))" for name, c in FOR_C.items()},
    **{f"chi2/{form}": over_time(*how) for form, how in FORMS.items()},
    **{f"transition/{form}": over_time(*how, what="P_") for form, how in FORMS.items()},
    "chi2/floor": floored,
    "chi2/time-resolved-linear": over_time(**TWIN | {"grow": lambda v, c, mean, sd: v + c}),
    "chi2/time-resolved-mean": over_time(**TWIN | {"grow": lambda v, c, mean, sd: v + mean * (1 + v)}),
    "chi2/time-resolved-pooled": over_time(pooled=True, **TWIN),
    "chi2/time-resolved-forward": over_time(far="chi2", **TWIN),
    "chi2/time-resolved-kl": over_time(far="twice_kl", **TWIN),
    "trpo/tv": "4*eps*k*T**2",
    "trpo/tv-2": "2*eps*k*T**2",
    "trpo/kl": "4*eps*k*D",
    "pinsker/kl": "2*eps*k*D",
    "pinsker/kl-1": "eps*k*D",
    "coupling/tv": "4*eps*g*h*T**2/(1 - g*(1 - T))",
    "pinsker/reverse-kl": "2*eps*k*R",
    "bh/kl": "4*eps*k*(1 - exp(-D))",
    "chain-rule/kl": "2*eps*Li*D",
    "chain-rule/reverse-kl": "2*eps*Li*R",
    "chain-rule/mean-kl": "own*h*sqrt(2*g*h*Dm)",
    "cpo/mean-kl": "2*own*k*sqrt(Dm/2)",
    "cpo/mean-reverse-kl": "2*own*k*sqrt(Rm/2)",
    "cpo/max-tv": "2*own*k*T",
    "cpo/mean-tv": "2*own*k*Tm",
    "cpo/mean-tv-1": "own*k*Tm",
    "mixed/tv": "4*eps*k*T*Tm",
    "span/tv": "2*span*k*T**2",
    "span/tv-q": "4*qmax*k*T**2",
    "pirotta/span": "k*T*spread",
    "pirotta/q": "2*k*T**2*qmax",
    "pirotta/q-signed": "2*k*T**2*qmax",
    "kakade-langford": "2*once",
    "kakade-langford/trpo-form": "2*k*x**2*target",
    "kakade-langford/own-mixture": "2*k*x**2*own",
    "kakade-langford/greedy": "once",
    "kakade-langford/greedy-any": "once",
    "blog/own-advantage-kl": "2*own*k*D",
    "blog/own-advantage-tv2": "2*own*k*T**2",
    "mean-kl/linear-1": "eps*k*Dm",
    **dict.fromkeys(("mean-kl/linear-2", "mean-kl/linear-2-half"), "2*eps*k*Dm"),
    **dict.fromkeys(LINEAR, "4*eps*k*Dm"),
    "small-radius/kl": lambda q: 2 * q.eps * small_radius(q.g) * q.D,
    "small-radius/chi2": lambda q: q.eps * small_radius(q.g) * largest(q.rows("chi2")),
    "small-radius/reverse-chi2": lambda q: q.eps * small_radius(q.g) * largest(q.rows("reverse_chi2")),
    "mixing/mean-tv": "2*own*g*h*tau*Tm",
    "mixing/tv": "4*eps*g*h*tau*T**2",
    "mixing/kl": "2*eps*g*h*tau*D",
    "geppo": "2*own*g*h*T_ref",
    "geppo/old-tv": "2*own*g*h*T_old",
}
CENTRES = {  # what the penalty is subtracted from, less L
    **dict.fromkeys(("geppo", "geppo/old-tv"), "lead"),
    "blog/no-surrogate": "-gain",
    "chi2/critic": "dot(rho, moved(w))",
    **dict.fromkeys(("chi2/second-order", "transition/second-order"), "dot(rho, second)"),
}


def penalty_of(q, name):
    want(name in PENALTIES, f"the bound {name} is not known here")
    return q.value(PENALTIES[name])
