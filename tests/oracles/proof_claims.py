"""The claims of the catalogue that a committed witness refutes, beside bounds: slacks, hypotheses and steps, written again."""

import re
from operator import mul

import proof_setting_claims
from proof_divergences import TERMS
from proof_numbers import F, both, dot, exp, iv, largest, least, log, want
from proof_penalties import CENTRES, PENALTIES
from proof_updates import best

CEILINGS = {  # of TV^2 in each state, of which the half is claimed
    "pinsker": "kl/2",
    "jeffreys": "(kl + reverse_kl)/4",
    "chi2": "chi2/4",
    "jensen-shannon": "2*js",
    "hellinger": "1 - bc**2",
    "renyi-0.1": "-log(r1)*50/9",
    "renyi-0.5": "-log(r5)*2",
    "renyi-0.9": "-log(r9)*50/9",
}


def half(ceiling):
    names = re.findall("|".join(sorted(TERMS, key=len, reverse=True)), ceiling)

    def in_a_state(t, *terms):
        return eval(ceiling, {"log": log}, dict(both(names, terms))) / 2 - t**2

    return lambda q: least(map(in_a_state, *map(q.rows, ("tv", *names))))


def slack_of_bound(name):
    return lambda q: q.gap - q.value(CENTRES.get(name, "0")) + q.value(PENALTIES[name])


def npg_sharper(q):
    """log A/(h T) + 1/((1 - g) T) - (eta(new) - eta_T), the least over T = 1, 2, 4, 8."""
    policy, eta = q.old, []
    for _ in range(9):
        v, _, adv = q.values(policy)
        policy, eta = tilted(policy, adv, [q.size * q.h for _ in q.S]), [*eta, dot(q.start, v)]
    return least((log(len(q.A)) / q.size + q.h) / t - (q.rise + eta[0] - eta[t]) for t in (1, 2, 4, 8))


def max_kl_hard(q):
    """The most that max-KL(old, new) allows, from new's own gain to a dual bound; less 1.000001 times that gain."""
    prices = [q.abar[s] / far if far > 0 and q.abar[s] > 0 else F(0) for s, far in enumerate(q.rows("chi2"))]
    more = sum(q.rho[s] * (best(q.old[s], q.adv[s], x) + x * q.D) for s, x in enumerate(prices)) - q.gain
    return iv.mpf([0, largest([F(0), more])]) - q.gain / 10**6


CLAIMS = {  # slacks, or how much the sides of an identity differ
    **{f"divergence/{name}-half": half(f) for name, f in CEILINGS.items()},
    "order/upper": "-gap",
    "order/surrogate-up": "rise",
    **{name: slack_of_bound(name) for name in PENALTIES},
    **dict.fromkeys(("update/clip-gain", "update/cv-certificate-cv2", "update/cv-certificate-wider"), "rise"),
    "error/eps-hat": "gap - wrong + error*h + 4*hat*g*h*T**2/(1 - g*(1 - T))",
    "id/raw-partials": lambda q: max(map(mul, q.rho, q.v), key=abs),  # an entry of rho (Q - A)
    "id/second-order": "2*dot(rho, second)",
    "id/importance-any": lambda q: sum(q.over(lambda s, a: q.rho[s] * (q.old[s][a] == 0) * q.new[s][a] * q.adv[s][a])),
    "errata/eta-with-advantage": lambda q: dot(q.rho, map(dot, q.old, q.adv)) - dot(q.start, q.v),
    "rate/npg-sharper": npg_sharper,
    "update/max-kl-hard": max_kl_hard,
    **proof_setting_claims.CLAIMS,
}
IDENTITIES = {
    "id/raw-partials",
    "id/second-order",
    "id/importance-any",
    "errata/eta-with-advantage",
    *proof_setting_claims.IDENTITIES,
}


def scaled(row):
    return [x / sum(row) for x in row]


def tilted(policy, x, by):
    """In proportion to policy exp(by x)."""
    return [scaled([p * exp(c * y) for p, y in both(*rows)]) for *rows, c in zip(policy, x, by, strict=True)]


def shared_row(q):
    """(11), (12), (13) where all states share a row: in proportion to old/(nu - A), nu = max A + size."""
    mean = [dot(q.rho, column) * (1 - q.g) for column in zip(*q.adv, strict=True)]
    return [scaled([p / (largest(mean) + q.size - x) for p, x in both(q.old[0], mean)]) for _ in q.S]


def clip_maximiser(q):
    """new, if in each row a dual bound is its value of up min(p, high) - down max(p, low), which is concave."""
    up, down = (q.pooled([[max(sign * x, F(0)) for x in row] for row in q.adv]) for sign in (1, -1))
    for rows in zip(q.old, q.new, up, down, strict=True):
        corners, slopes = [], {x for *_, u, d in zip(*rows, strict=True) for x in (u, u - d, -d)}
        for o, n, u, d in zip(*rows, strict=True):
            low, high = (min(1, o * (1 + sign * q.size / (1 + q.size))) for sign in (-1, 1))
            corners.append([(p, u * min(p, high) - d * max(p, low)) for p in (n, 0, low, high, 1)])
        bounds = [x + sum(max(y - x * p for p, y in row) for row in corners) for x in slopes]
        want(sum(y for (_, y), *_ in corners) == min(bounds), "new is no maximiser")
    want(shares_rows(q, q.new), "rows that differ in a group")
    return q.new


def softmax(q):
    return tilted(q.old, [[*map(mul, *x)] for x in both(q.old, q.pooled(q.adv))], [q.size for _ in q.S])


def natural(q):
    return tilted(q.old, q.pooled(q.adv), [q.size * q.h / rho for (rho,) in q.pooled([[F(1)] for _ in q.S])])


def shares_rows(q, policy):
    return all(policy[s] == policy[t] for s in q.S for t in q.S if q.groups[s] == q.groups[t])


ONE_ROW = [f"update/{name}-aggregated" for name in ("max-kl-monotone", "mean-kl-monotone", "coefficient-needed")]
STEPS = {  # rules that make new
    "update/softmax-gradient-aggregated": softmax,
    "update/npg-aggregated": natural,
    **dict.fromkeys(("update/ppo-clip-aggregated", "ppo/clip-ratio", "ppo/clip-kl"), clip_maximiser),
    **dict.fromkeys(ONE_ROW, shared_row),
}


def clip(n, o, x):
    return min(n * x, max(o * F(4, 5), min(o * F(6, 5), n)) * x)


def covered(q):
    return all(q.over(lambda s, a: q.old[s][a] > 0 or q.new[s][a] == 0))


GIVEN = {  # hypotheses
    **proof_setting_claims.GIVEN,
    **{f"chi2/{form}-{far}": covered for form in ("advantage", "time-resolved") for far in ("kl", "forward")},
    **dict.fromkeys(("chi2/ratio-clip", "chi2/ratio-cap"), covered),
    "order/surrogate-up": "gain > 0 and 100*T <= 1",
    "update/cv-certificate-cv2": "m > 0 and g*c*var < (1 - g)*m**2",
    "update/cv-certificate-wider": "m > 0 and 10*g*c*(m**2 + var) < 11*(1 - g)*m**2",
    **dict.fromkeys(STEPS, lambda q: q.size > 0 and shares_rows(q, q.old)),
    **dict.fromkeys(ONE_ROW, lambda q: q.size > 0 and all(row == q.old[0] for row in q.old)),
    "mean-kl/linear-open": "10*g >= 1",
    "mean-kl/linear-4": "5*g >= 1",
    "mean-kl/linear-1": "10*g >= 9",
    "mean-kl/linear-2": "40*g >= 21",
    "mean-kl/linear-2-half": "2*g >= 1",
    **dict.fromkeys(("small-radius/kl", "small-radius/chi2", "small-radius/reverse-chi2"), "1000*g <= 999"),
    "update/clip-gain": lambda q: sum(q.over(lambda s, a: q.rho[s] * clip(q.new[s][a], q.old[s][a], q.adv[s][a]))) > 0,
    "pirotta/q": lambda q: all(q.over(lambda s, a: q.q[s][a] >= 0)),
    "kakade-langford/greedy": lambda q: all(q.over(lambda s, a: q.abar[s] >= q.x * q.adv[s][a])),
    "update/max-kl-hard": lambda q: q.gain > 0 and sum(r > 0 and x > 0 for r, x in both(q.rho, q.rows("tv"))) >= 2,
    "rate/npg-sharper": lambda q: (
        q.size > 0 and all(q.over(lambda s, a: 0 <= q.r[s][a] <= 1 and q.old[s][a] * len(q.A) == 1))
    ),
}


def slack(q, name):
    """Of a claim whose hypotheses hold; after its step, if it is about one."""
    want(name in CLAIMS or name in STEPS, f"the claim {name} is not known here")
    want(name not in GIVEN or q.value(GIVEN[name]), "the hypotheses are not proved")
    rule = name in (*STEPS, "update/max-kl-hard", "rate/npg-sharper")
    want(len(q.pairs) == len(q.S) * len(q.A) or not rule, "an action that is not available")
    said, q.new = q.new, STEPS.get(name, lambda q: q.new)(q)
    want(all(abs(x - y) <= F(1, 10**9) for rows in both(said, q.new) for x, y in both(*rows)), "new is not the step")
    return q.value(CLAIMS.get(name, "rise"))
