"""Files of kind "update-gap": the optimum of an update problem between two ends, by weak duality."""

from proof_numbers import TINY, F, array, both, dot, ends, largest, log, number, says, upper, want
from proof_step import Step

PROBLEMS = "penalty", "max-kl", "mean-kl", "reverse-max-chi2", "reverse-mean-chi2"
HALVINGS = 110


def best(old, adv, lam):
    """An upper bound on sup over p of sum p A - lam KL(old||p): nu - lam + lam sum old log(lam/(nu - A)) at any nu > max A."""
    if lam == 0:
        return largest(adv)
    low, high, top = F(0), upper(lam) + F(1, 10**9), largest(adv)  # at nu = max A + lam the weights are at most 1
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        heavy = sum(lam * o / (top + middle - a) for o, a in both(old, adv) if o) > 1
        low, high = (middle, high) if heavy else (low, middle)
    return top + high - lam + lam * sum(o * log(lam / (top + high - a)) for o, a in both(old, adv) if o)


def best_chi2(old, adv, lam):
    """The same for chi2(p||old): nu + sum old h(A - nu) at any nu, h(y) the largest l y - lam (l - 1)^2 over l >= 0."""
    pairs, top = [(o, a) for o, a in both(old, adv) if o], largest(a for o, a in both(old, adv) if o)
    if lam == 0:
        return top
    near = [(o, upper(a)) for o, a in pairs]
    low, nu = min(a - 2 * lam / o for o, a in near), max(a for _, a in near)
    for _ in range(HALVINGS):
        middle = (low + nu) / 2
        heavy = sum(o * max(1 + (a - middle) / (2 * lam), F(0)) for o, a in near) > 1
        low, nu = (middle, nu) if heavy else (low, middle)
    found = nu + sum(o * (-lam if a - nu < -2 * lam else a - nu + (a - nu) ** 2 / (4 * lam)) for o, a in pairs)
    return found if found < top else top


def _labels(d, q):
    """Names of states and actions are no part of a theorem, but are names."""
    for names, of in (("state_labels", q.S), ("action_labels", q.A)):
        labels = d.get(names, [*map(str, of)])
        texts = [x if isinstance(x, list) else [x] for x in labels] if isinstance(labels, list) else [[None]]
        want(all(isinstance(one, str) for x in texts for one in x), names)
        want(len({*map(repr, labels)}) == len(labels) == len(of), names)


def _classes(d, q, lam):
    """Each class of states that share a row: its visits, its row of old, the mean of A by visits, and its price."""
    classes = [[s for s in q.S if q.groups[s] == one] for one in sorted({*q.groups})]
    want(len(lam) == len(classes) and min(lam) >= 0, "multipliers")
    weight, pooled = q.pooled([[F(1)] for _ in q.S]), q.pooled(q.adv)
    can = [[a for t, a in q.pairs if t == s] for s in q.S]
    for price, (s, *others) in both(lam, classes):
        same = all((q.old[s], q.new[s], can[s]) == (q.old[t], q.new[t], can[t]) for t in others)
        want(same, "rows that differ in a group")
        visits = weight[s][0]
        want(visits > 0 or visits == 0, "a state that may be visited")
        if visits > 0:
            yield visits, [q.old[s][a] for a in can[s]], [pooled[s][a] / visits for a in can[s]], price


def _attained(q, penalty, amount, used):
    """What new attains: less the penalty, or, of a radius, as far as it keeps to it when moved towards old."""
    if penalty:
        return q.gain - amount * used
    back = upper(1 - amount / used) if used > amount else F(0)
    want(back <= F(1, 2**30), "outside the radius")
    return q.gain * (1 - back)


def _costs(d):
    """Each cost's limit and price, with the step whose reward it is; and that of the reward less all at their prices."""
    want(len({name in d for name in ("costs", "limits", "prices")}) == 1, "costs without limits or prices")
    table, limits, prices = (array(d.get(name, [])) for name in ("costs", "limits", "prices"))
    want(all(len(x) == len(limits) for row in table for x in row) and (table != [] or limits == []), "costs")
    want(all(price >= 0 for price in prices), "prices")
    steps = [Step({**d, "reward": [[x[k] for x in row] for row in table]}) for k in range(len(limits))]
    priced = array(d["reward"])
    for step, price in both(steps, prices):
        priced = [[x - price * y for x, y in both(*rows)] for rows in both(priced, step.r)]
    return [*zip(limits, prices, steps, strict=True)], Step({**d, "reward": priced})


def update_gap(d):
    q, lam = Step(d), array(d["multiplier"])
    costs, less = _costs(d)
    want(d["problem"] in PROBLEMS, "problem")
    penalty, mean, chi2 = (word in d["problem"] for word in ("penalty", "mean", "chi2"))
    amount = number(d["coefficient" if penalty else "delta"])
    want(("delta" if penalty else "coefficient") not in d and amount >= 0, "the number of another problem")
    _labels(d, q)
    want(not (penalty and costs), "limits beside a penalty")
    rows = [*_classes(d, less, lam)]
    term, value = ("reverse_chi2", best_chi2) if chi2 else ("kl", best)
    used, spent = q.mean(term) if mean else largest(q.rows(term)), sum(r * x for r, *_, x in rows)
    objective = _attained(q, penalty, amount, used)
    back = F(0) if penalty or not used > amount else upper(1 - amount / used)
    want(all(c.eta(c.old) + (1 - back) * c.gain <= limit for limit, _, c in costs), "a cost over its limit")
    scale = min(F(1), amount / upper(spent)) if penalty and spent > 0 else F(1)
    prices = [max(x for *_, x in rows) if mean else x * scale for *_, x in rows]
    most = sum(r * (value(o, a, x) - dot(o, a)) for (r, o, a, _), x in both(rows, prices))
    most += F(0) if penalty else amount * (prices[0] * q.h if mean else spent)
    most += sum((price * (limit - c.eta(c.old)) for limit, price, c in costs), F(0))
    lo, hi = ends(d["enclosure"])
    want(lo <= objective + TINY and most <= hi + TINY, "enclosure")
    held = ("mean-" if mean else "max-") + ("chi2(new, old)" if chi2 else "KL(old, new)")
    aim = f"- # {held}" if penalty else f"subject to {held} <= #"
    aim += f" and surrogates L_c(new) of costs <= {', '.join('#' for _ in costs)}" if costs else ""
    among = "policies that share rows by groups" if d.get("groups") is not None else "all policies"
    text = f"for the MDP of this file ({len(q.S)} states, {len(q.A)} actions, gamma = #) and its policy old, the maximum of "
    return says(
        d,
        f"{text}L_old(new) - eta(old) {aim}, among {among}, is at least # and at most #",
        q.g,
        amount,
        *(limit for limit, *_ in costs),
        lo,
        hi,
    )
