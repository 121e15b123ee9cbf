"""Steps in other settings than the discounted one.

Over a horizon the states are (t, s) and values are by backward induction; up to an end, the chain is that of the states outside
it; on average, the law d has d P = d and the bias h has h = r - d r + P h; with a temperature the reward is r - temperature log
policy; costs and a second model are another reward and another P.
"""

from dataclasses import dataclass
from functools import cached_property

from proof_numbers import F, array, both, dot, log, number, want
from proof_step import Step, _row

EXTRAS = {"horizon", "temperature", "costs", "model", "references", "weights"}


@dataclass(frozen=True)
class Setting:
    criterion: str = "discounted"
    horizon: bool = False
    temperature: bool = False
    costs: tuple = ()
    model: bool = False
    references: bool = False


NONE = Setting()


def of(details):
    """That of a claim of one's own."""
    found = {name: details[name] for name in Setting.__dataclass_fields__ if name in details}
    costs = found.get("costs", ())
    setting = Setting(**found | {"costs": (costs,) if isinstance(costs, str) else tuple(costs)})
    want(setting.criterion in ("discounted", "episodic", "average"), "criterion")
    want(not (setting.horizon and setting.criterion == "average"), "a horizon on average")
    return setting


def step(d, setting):
    """The step of a file in a setting; a file says nothing that its claim does not read."""
    read = {name for name in EXTRAS if getattr(setting, "references" if name == "weights" else name)}
    said = {name for name in EXTRAS if d.get(name) is not None}
    want(said == read, "a field of another setting, or none of this one")
    return Posed(d, setting)


def eliminated(rows, right):
    """With pivots, in fractions."""
    rows = [[*row, x] for row, x in both(rows, right)]
    want(all(isinstance(x, F) for row in rows for x in row[:-1]), "a chain that is not rational")
    for k in range(len(rows)):
        at = next((i for i in range(k, len(rows)) if rows[i][k]), None)
        want(at is not None, "more than one closed class")
        rows[k], rows[at] = rows[at], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(len(rows)):
            if i != k and rows[i][k]:
                rows[i] = [x - rows[i][k] * y for x, y in both(rows[i], rows[k])]
    return [row[-1] for row in rows]


class Posed(Step):
    """Of a file, in a setting; n is the horizon, tau_ the temperature."""

    most = F(2)

    def __init__(self, d, setting):
        super().__init__(d)
        self.setting, self.n, self.heat, self.file = setting, 0, F(0), d
        undiscounted = setting.horizon or setting.criterion != "discounted"
        want(self.g < 1 or (self.g == 1 and undiscounted), "gamma")
        full = len(self.pairs) == len(self.S) * len(self.A)
        want(setting == NONE or full, "an action that is not available")
        if setting.criterion == "average":
            self.g = F(1)
        if setting.temperature:
            self.heat = number(d["temperature"])
            want(self.heat >= 0, "temperature")
        if setting.model:
            self.model = [[_row(array(x)) for x in rows] for rows in d["model"]]
            self._laws([x for rows in d["model"] for x in rows], len(self.S))
            want(len(self.model) == len(self.S) and {*map(len, self.model)} == {len(self.A)}, "model")
        if setting.costs:
            self.costs = array(d["costs"])
            shape = len(self.costs) == len(self.S) and {*map(len, self.costs)} == {len(self.A)}
            many = {len(x) for rows in self.costs for x in rows}
            want(shape and len(many) == 1 and min(many) >= len(setting.costs), "costs")
        if setting.references:
            self.weights, self.references = array(d["weights"]), array(d["references"])
            self._laws([d["weights"]], len(self.weights))
            columns = [[*zip(*rows, strict=True)] for rows in self.references]
            self._laws([[*law] for rows in columns for law in rows], len(self.A))
            want({*map(len, columns)} == {len(self.weights)} and len(columns) == len(self.S), "references")
        if setting.horizon:
            self._over(d["horizon"])

    def _laws(self, rows, length):
        for row in map(array, rows):
            want(len(row) == length and sum(row) == 1 and min(row) >= 0, "a row that is no distribution")

    def _over(self, n):
        want(type(n) is int and n >= 1, "horizon")
        size, self.n = len(self.S), n
        for name in ("old", "new", "ref", "r", "noise", "groups", "costs", "references"):
            if hasattr(self, name):
                setattr(self, name, getattr(self, name) * n)
        for name in ("P", "model"):
            if hasattr(self, name):
                rows = getattr(self, name)
                ahead = [
                    [[{(t + 1) * size + u: p for u, p in x.items()} for x in row] for row in rows] for t in range(n - 1)
                ]
                setattr(self, name, [*(x for rows in ahead for x in rows), *([{} for _ in self.A] for _ in self.S)])
        self.start, self.S = self.start + [F(0)] * (size * (n - 1)), range(size * n)
        self.pairs = [(s, a) for s in self.S for a in self.A]

    @property
    def setting_text(self):
        s = self.setting
        criterion = "" if s.criterion == "discounted" else f", {s.criterion} returns"
        return criterion + ", # steps" * s.horizon + ", temperature = #" * s.temperature

    @property
    def setting_numbers(self):
        return [F(self.n)] * self.setting.horizon + [self.heat] * self.setting.temperature

    def with_(self, **changes):
        """The same step with another P, reward or policy."""
        other = Posed.__new__(Posed)
        given = (
            "g",
            "start",
            "r",
            "old",
            "new",
            "P",
            "ref",
            "noise",
            "size",
            "groups",
            "S",
            "A",
            "pairs",
            "setting",
            "n",
            "heat",
        )
        vars(other).update({name: vars(self)[name] for name in given} | changes)
        return other

    @cached_property
    def hat(self):
        """The step in the model."""
        return self.with_(P=self.model)

    @cached_property
    def of_c(self):
        """The step with the cost of that name as its reward."""
        return self.cost("c")

    def cost(self, name):
        k = self.setting.costs.index(name)
        ends = self.ends if self.setting.criterion == "episodic" and not self.n else ()
        paid = [[F(0) if s in ends else x[k] for x in rows] for s, rows in enumerate(self.costs)]
        return self.with_(r=paid, heat=F(0))

    def chain(self, policy):
        """The rows of P under a policy; with an end, those of the states outside it, without what leads there."""
        rows = super().chain(policy)
        if self.setting.criterion != "episodic" or self.n:
            return rows
        ahead = [{*row} for row in rows]
        reach = {*self.ends}
        for _ in self.S:
            reach |= {s for s in self.S if ahead[s] & reach}
        want(len(reach) == len(self.S), "a policy that does not end")
        return [
            {t: p for t, p in row.items() if t not in self.ends} if s not in self.ends else {}
            for s, row in enumerate(rows)
        ]

    @cached_property
    def ends(self):
        found = {s for s in self.S if all(self.r[s][a] == 0 for a in self.A)}
        while fewer := {s for s in found for a in self.A if {*self.P[s][a]} - found}:
            found -= fewer
        return found

    def law(self, policy):
        rows = self.chain(policy)
        flow = [[F(s == t) - rows[t].get(s, F(0)) + 1 for t in self.S] for s in self.S]
        return eliminated(flow, [F(1) for _ in self.S])  # (I - P)^T d + 1 (1 d) = 1

    def solved(self, policy, right, flip=False):
        rows, right = self.chain(policy), [*right]
        if self.setting.criterion == "average":
            law = self.law(policy)
            if flip:
                return law
            gain = dot(law, right)
            matrix = [[F(s == t) - rows[s].get(t, F(0)) + law[t] for t in self.S] for s in self.S]
            return eliminated(matrix, [x - gain for x in right])
        if self.n:
            for s in self.S if flip else reversed(self.S):
                for t, p in rows[s].items():
                    if flip:
                        right[t] += self.g * p * right[s]
                    else:
                        right[s] += self.g * p * right[t]
            return right
        if flip and self.setting.criterion == "episodic":
            right = [F(0) if s in self.ends else x for s, x in enumerate(right)]
        return super().solved(policy, right, flip)

    def earned(self, policy):
        """The reward of each state, and of its entropy; none at an end."""
        entropy = [-sum((p * log(p) for p in row if p), F(0)) if self.heat else F(0) for row in policy]
        ends = self.ends if self.setting.criterion == "episodic" and self.heat else ()
        return [
            F(0) if s in ends else dot(*x) + self.heat * h
            for s, (*x, h) in enumerate(zip(policy, self.r, entropy, strict=True))
        ]

    def eta(self, policy):
        if self.setting.criterion == "average":
            return dot(self.law(policy), self.earned(policy))
        return dot(self.start, self.solved(policy, self.earned(policy)))

    def values(self, policy):
        v = self.solved(policy, self.earned(policy))
        less = self.eta(policy) if self.setting.criterion == "average" else F(0)
        q = [[self.r[s][a] - less + self.g * self.ahead(s, a, v) for a in self.A] for s in self.S]
        return v, q, [[x - y for x in row] for row, y in both(q, v)]

    @cached_property
    def abar(self):
        """The mean of Q - temperature log new - V."""
        own = [self.heat * sum((p * log(p) for p in row if p), F(0)) if self.heat else F(0) for row in self.new]
        return [dot(*x) - h for *x, h in zip(self.new, self.adv, own, strict=True)]

    @cached_property
    def rise(self):
        return self.eta(self.new) - self.eta(self.old)

    @cached_property
    def p(self):
        return self.share(self.rho)

    def share(self, visits):
        """The law of states: visits over their sum."""
        total = sum(visits) if self.setting != NONE else self.h
        return [x / total for x in visits]

    @cached_property
    def rho_new(self):
        return self.solved(self.new, self.start, True)
