"""Refuted claims of the catalogue in other settings, and some in the discounted one: slacks and hypotheses, written again."""

from proof_numbers import F, both, dot, exp, largest, least, log, resolve, sqrt
from proof_settings import NONE, Setting


def absent(q, value):
    """The mean of the value over the model less that over P, by state and action."""
    return [[q.hat.ahead(s, a, value) - q.ahead(s, a, value) for a in q.A] for s in q.S]


def distances(q):
    return [[sum(abs(q.model[s][a].get(t, F(0)) - q.P[s][a].get(t, F(0))) for t in q.S) for a in q.A] for s in q.S]


def joint(q):
    """B, the mean over new of r + g model V - V."""
    return [x + q.g * dot(new, row) for x, new, row in zip(q.abar, q.new, absent(q, q.v), strict=True)]


def changed(q):
    return [x - y for x, y in both(q.rho_new, q.rho)]


def critic(q, policy):
    """The mean over a policy of A + g P w, less w."""
    return [
        dot(row, [x + q.g * q.ahead(s, a, q.w) for a, x in enumerate(q.adv[s])]) - q.w[s]
        for s, row in enumerate(policy)
    ]


def of_a_critic(share, policy, sign):
    def slack(q):
        far = largest(map(abs, critic(q, getattr(q, policy))))
        return share * q.k * far * q.mean("tv") + sign * dot(changed(q), critic(q, q.new))

    return slack


def joint_kl(q):
    d = [x / q.h for x in q.rho_new]
    mean = sum((x * q.apart("reverse_kl", s) for s, x in enumerate(d) if x), F(0))
    pairs = [(d[s] * q.new[s][a], q.p[s] * q.old[s][a]) for s, a in q.pairs if d[s] * q.new[s][a]]
    return q.g * q.h * mean - sum(x * log(x / y) for x, y in pairs)


def clip_kl(q):
    c = q.size / (1 + q.size)
    lost = any(o and not n for rows in both(q.old, q.new) for o, n in both(*rows))
    return (F(0) if lost else exp(-q.D)) - sqrt(1 - c * c)


def no_new(q):
    return all(q.over(lambda s, a: q.old[s][a] > 0 or q.new[s][a] == 0))


def error(q, policy):
    return q.hat.eta(getattr(q, policy)) - q.eta(getattr(q, policy))


def farthest(q):
    return largest(x for row in distances(q) for x in row)


def steps(q, term):
    return sum(map(term, range(q.n)), F(0))


def unit_rewards(q):
    return all(q.over(lambda s, a: 0 <= q.r[s][a] <= 1))


def indicators(q, policy):
    """The biases of being in one state, by that state."""
    return [q.solved(policy, [F(s == t) for s in q.S]) for t in q.S]


def kemeny(q, policy):
    """The trace of Z = (I - P + 1 d)^-1, whose columns are d(t) and the bias of being in t."""
    return 1 + sum(bias[t] for t, bias in enumerate(indicators(q, policy)))


def tau(q):
    """Half the largest L1 distance of two rows of Z."""
    rows = [*zip(*indicators(q, q.new), strict=True)]
    return largest(sum(map(abs, [x - y for x, y in both(one, other)])) / 2 for one in rows for other in rows)


def beta(q):
    """What every row of the new chain has in common."""
    return sum(min(row.get(t, F(0)) for row in q.P_new) for t in q.S)


def moved_by(constant, share=2, law="p", far="tv"):
    """eta(new) >= L - share own constant E distance."""
    return lambda q: q.gap + share * q.own * constant(q) * dot(getattr(q, law), q.rows(far))


def sums(q):
    """n, the mean reward of n steps from each state."""
    rewards, total = q.earned(q.old), [F(0) for _ in q.S]
    for n in range(1, 9):
        total = [r + dot(row.values(), [total[t] for t in row]) for r, row in both(rewards, q.P_old)]
        if n in (1, 2, 4, 8):
            yield n, total


def furthest(values):
    return max(values, key=abs)


def flow_start(q):
    d = q.rho
    ahead = [sum(d[s] * q.P_old[s].get(t, F(0)) for s in q.S) for t in q.S]
    return furthest(x - (y + z) / 2 for x, y, z in zip(d, q.start, ahead, strict=True))


def discounted_start(q):
    rewards, v = q.earned(q.old), resolve([[row.get(t, F(0)) / 2 for t in q.S] for row in q.P_old], q.earned(q.old))
    return dot(q.start, v) / 2 - dot(q.rho, rewards)


def weighted_tv(q):
    """The sum of rho (T - 1 - t) TV over (t, s)."""
    size = len(q.S) // q.n
    return sum((q.rho[s] * (q.n - 1 - s // size) * q.apart("tv", s) for s in q.S), F(0))


def hard(q):
    """max |E_new A - E_old A|, which has no entropy."""
    return largest(abs(dot(new, a) - dot(old, a)) for new, old, a in zip(q.new, q.old, q.adv, strict=True))


SOFT = Setting(temperature=True)
AVERAGE = Setting(criterion="average")
OVER, MODEL, COST = Setting(horizon=True), Setting(model=True), Setting(costs=("c",))
IN_SETTINGS = {
    OVER: {
        "horizon/tv": lambda q: q.gap + 2 * q.eps * q.T**2 * q.n * (q.n - 1),
        "horizon/tv-half": lambda q: q.gap + q.eps * q.T**2 * q.n * (q.n - 1),
        "horizon/coupling": lambda q: q.gap + 4 * q.eps * q.T * steps(q, lambda t: 1 - (1 - q.T) ** t),
        "horizon/coupling-early": lambda q: (
            q.gap + 4 * q.eps * q.T * steps(q, lambda t: 1 - (1 - q.T) ** max(t - 1, 0))
        ),
        "horizon/mean-mean": lambda q: q.gap + 4 * q.eps * q.mean("tv") * weighted_tv(q),
        "horizon/reward-half": lambda q: (
            q.gap + largest(abs(x) for row in q.r for x in row) * q.T**2 * F(q.n * (q.n - 1) * (q.n + 1), 3)
        ),
        "horizon/chain-rule-half": lambda q: q.gap + q.eps * q.D * steps(q, lambda t: sqrt(t)),
    },
    SOFT: {
        "entropy/tv-hard": lambda q: q.gap + 4 * q.k * q.eps * q.T**2,
        "entropy/mean-tv-hard": lambda q: q.gap + 2 * q.k * hard(q) * q.mean("tv"),
    },
    MODEL: {
        "model/simulation-one-model": lambda q: error(q, "old") - q.g * dot(q.rho, map(dot, q.old, absent(q, q.v))),
        "model/simulation-bound-half": lambda q: q.k / 4 * farthest(q) - abs(error(q, "old")),
        "model/simulation-bound-linear": lambda q: q.g * q.h / 2 * farthest(q) - abs(error(q, "old")),
        "mbpo/return-no-shift": lambda q: (
            q.k * largest(q.over(lambda s, a: abs(q.r[s][a]))) * largest(map(dot, q.old, distances(q)))
            - error(q, "new")
        ),
        "slbo/discrepancy-no-shift": lambda q: (
            q.g * q.h * dot(q.p, [dot(row, map(abs, x)) for row, x in both(q.new, absent(q, q.hat.v_new))])
            - abs(error(q, "new"))
        ),
        "model/joint-difference-one-model": lambda q: q.hat.eta(q.new) - q.eta(q.old) - dot(q.rho_new, joint(q)),
        "model/joint-bound-policy": lambda q: (
            q.k * largest(map(abs, joint(q))) * 2 * q.mean("tv")
            + dot([x - y for x, y in both(q.hat.rho_new, q.rho)], joint(q))
        ),
    },
    AVERAGE: {
        "average/mixing-mean-tv": moved_by(tau),
        "average/mixing-half": moved_by(tau, 1),
        "average/tv-alone": lambda q: q.gap + 4 * q.eps * q.T**2,
        "average/kl-alone": lambda q: q.gap + 100 * q.eps * q.D,
        "average/kemeny-mean-tv": moved_by(lambda q: kemeny(q, q.new) - 1),
        "average/kemeny-half": moved_by(lambda q: kemeny(q, q.new) - 1, 1),
        "average/kemeny-twice-less": moved_by(lambda q: kemeny(q, q.new) - 2),
        "average/kemeny-of-old": moved_by(lambda q: kemeny(q, q.old) - 1),
        "average/kemeny-mean-of-new": moved_by(lambda q: kemeny(q, q.new) - 1, law="rho_new"),
        "average/forgetting-new-early": moved_by(lambda q: (1 - beta(q)) / beta(q)),
        "average/performance-difference-old": "gap",
        "average/flow-start": flow_start,
        "average/any-start-bias": lambda q: furthest(
            x - n * q.eta(q.old) - h for n, total in sums(q) for x, h in both(total, q.v)
        ),
        "average/span-half": lambda q: least(
            (largest(q.v) - least(q.v)) / (2 * n) - abs(x / n - q.eta(q.old)) for n, total in sums(q) for x in total
        ),
        "average/discounted-start": discounted_start,
        "average/greedy-mean": "rise",
        "average/kemeny-tau": lambda q: tau(q) - kemeny(q, q.new) + 1,
        "average/kemeny-forgetting": lambda q: 1 - beta(q) * (kemeny(q, q.new) - 1),
    },
    COST: {
        "cost/upper-1": lambda q: q.of_c.own * q.k * q.mean("tv") - q.of_c.gap,
        "cost/prop-2-constraint": lambda q: -q.of_c.gap,
        "cost/prop-2-reward": lambda q: q.own * q.k * sqrt(2 * q.mean("kl")) - q.of_c.gap,
    },
    NONE: {
        "cpo/any-critic-old": of_a_critic(2, "old", 1),
        "cpo/any-critic-upper-1": of_a_critic(1, "new", -1),
        "cpo/occupancy-1": lambda q: q.g * q.h * q.mean("tv") - sum(map(abs, changed(q))) / q.h,
        "occupancy/tv-1": lambda q: q.gap + q.own * sum(map(abs, changed(q))) / 2,
        "occupancy/joint-kl-gamma": joint_kl,
        "ratio/kl-square": "clip**2/2 - D",
        "ratio/tv-half": lambda q: q.clip / 4 - q.T if no_new(q) else F(0),
        "ppo/clip-ratio": lambda q: least(q.over(lambda s, a: (1 + q.size / (1 + q.size)) * q.old[s][a] - q.new[s][a])),
        "ppo/clip-kl": clip_kl,
    },
}
CLAIMS = {name: slack for claims in IN_SETTINGS.values() for name, slack in claims.items()}
SETTING = {name: setting for setting, claims in IN_SETTINGS.items() for name in claims}
IDENTITIES = {
    *("model/simulation-one-model", "model/joint-difference-one-model", "average/performance-difference-old"),
    *("average/flow-start", "average/any-start-bias", "average/discounted-start"),
}
GIVEN = {
    "average/greedy-mean": "gain >= 0",
    **dict.fromkeys(("model/simulation-bound-half", "model/simulation-bound-linear"), unit_rewards),
    "ratio/kl-square": lambda q: no_new(q) and q.clip < 1,
}
