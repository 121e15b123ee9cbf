"""Claims of one's own, from the FILE.py that the command line names: read without the package, run on a record of their own.

The file is run with a module that stands for `trpo_theory`, with `claim` and `bounds.Bound` alone. Its formulas get a record
with the quantities below, of the step of a proof file, in fractions and intervals.
"""

import hashlib
import importlib.util
import math
import sys
import types
from pathlib import Path

import proof_claims
from proof_divergences import NEVER_A_MEAN, ROWS
from proof_numbers import F, Rejected, largest, polylog, want
from proof_penalties import PENALTIES
from proof_real import INF, Array, Real


class Own:
    """A claim of one's own: id, formula (its slack, of a bound its penalty), statement, given, relation, is_bound; its file."""

    def __init__(self, id, formula, statement="", source="", given=None, *, relation=">=", is_bound=False, **details):
        self.id, self.formula, self.statement, self.source, self.given = id, formula, statement, source, given
        self.relation, self.is_bound, self.details = relation, is_bound, details
        self.file = self.sha = ""

    def slack(self, record):
        value = self.formula(record)
        return value + record.surrogate_gap if self.is_bound else value


def _stand_in(made):
    def claim(id, *, statement, **details):
        def decorate(formula):
            made.append(Own(id, formula, statement, **details))
            return made[-1]

        return decorate

    def bound(id, formula, statement="", source="", given=None, **details):
        made.append(Own(id, formula, statement, source, given, is_bound=True, **details))
        return made[-1]

    module, bounds = types.ModuleType("trpo_theory"), types.ModuleType("trpo_theory.bounds")
    module.claim, module.bounds, bounds.Bound = claim, bounds, bound
    return {"trpo_theory": module, "trpo_theory.bounds": bounds}


def _of_numbers():
    """`math`, whose functions take `Real`s, too."""
    module = types.ModuleType("math")
    vars(module).update(vars(math))

    def lifted(name):
        return lambda x, *more: getattr(math, name)(x) if not hasattr(x, name) else getattr(x, name)()

    for name in ("sqrt", "log", "exp", "expm1", "log1p"):
        setattr(module, name, lifted(name))
    module.fabs, module.pow = abs, lambda x, y: x**y
    return module


def read(path):
    """The claims of a file by id; the file is run, as its author's."""
    made, text = [], Path(path).read_bytes()
    spec = importlib.util.spec_from_file_location(f"_own_{hashlib.sha256(text).hexdigest()[:8]}", path)
    module = importlib.util.module_from_spec(spec)
    hidden = {name: sys.modules.pop(name) for name in [*sys.modules] if name.split(".")[0] in ("trpo_theory", "math")}
    sys.modules |= {**_stand_in(made), "math": _of_numbers()}
    try:
        spec.loader.exec_module(module)
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] in ("trpo_theory", "math")]:
            del sys.modules[name]
        sys.modules |= hidden
    for one in made:
        one.file, one.sha = Path(path).name, hashlib.sha256(text).hexdigest()
    want(len({one.id for one in made}) == len(made), "one id twice")
    return {one.id: one for one in made}


def named(d, given, field="claim"):
    """The claim of one's own that a file is about; None for one of the catalogue, whose ids are reserved."""
    name, known = d[field], {**proof_claims.CLAIMS, **proof_claims.STEPS, **PENALTIES}
    want(name not in known or not ("file" in d or "file_sha256" in d), "an id of the catalogue, with a file")
    if name in known or not given or name not in given:
        return None
    one = given[name]
    want(d.get("file_sha256", one.sha) == one.sha, "another file of claims")
    want("file_sha256" in d or d.get("file", one.file) == one.file, "another file of claims")
    want(
        d.get("statement", one.statement) == one.statement and d.get("relation", one.relation) == one.relation, "words"
    )
    return one


def slack(q, own):
    """Of a claim whose hypotheses hold: the least entry, of an identity that furthest from 0; None for minus infinity."""
    want(not own.details.keys() & {"step", "problem", "shift", "residual"}, "a claim about an update")
    record = Record(q)
    met = own.given is None or own.given(record)
    want(all(met.entries()) if isinstance(met, Array) else met, "the hypotheses do not hold")
    value = own.slack(record)
    entries = value.entries() if isinstance(value, Array) else [value]
    want(
        entries and all(isinstance(x, Real | int | float | F) and not isinstance(x, bool) for x in entries), "no number"
    )
    entries = [Real(x) for x in entries]
    if any(x.raw == -INF for x in entries if isinstance(x.raw, float)):
        return None
    finite = [x for x in entries if not isinstance(x.raw, float)]
    want(finite, "no finite slack")
    if own.relation == "=":
        return (
            max(finite, key=lambda x: abs(x.raw) if isinstance(x.raw, F) else F(0)).raw
            if len(finite) > 1
            else finite[0].raw
        )
    return min(finite).raw if len(finite) > 1 else finite[0].raw


FIELDS = {  # of `Quantities`, by the quantities of proof_step.py
    **{
        "gamma": "g",
        "initial": "start",
        "reward": "r",
        "old": "old",
        "new": "new",
        "reference": "ref",
        "noise": "noise",
    },
    **{"size": "size", "value": "v", "q_value": "q", "advantage": "adv", "visitation_old": "rho", "occupancy_old": "p"},
    **{
        "expected_advantage": "abar",
        "max_abs_advantage": "eps",
        "max_abs_expected_advantage": "own",
        "mixing_new": "tau",
    },
    **{"surrogate_gain": "gain", "surrogate_gap": "gap", "mixture_weight": "x", "visitation_reference": "to"},
    **{"mean_expected_advantage": "m", "value_new": "v_new", "second_order_residual": "second"},
    **{"expected_advantage_value": "u", "max_abs_target_advantage": "target", "squared_ratio_sum": "squares"},
    "q_value_new": lambda q: q.all_new[1],
    "advantage_new": lambda q: q.all_new[2],
    "expected_return_old": lambda q: q.eta(q.old),
    "expected_return_new": lambda q: q.eta(q.new),
    "surrogate": lambda q: q.eta(q.old) + q.gain,
    "visitation_new": lambda q: q.solved(q.new, q.start, flip=True),
    "occupancy_new": lambda q: q.share(q.solved(q.new, q.start, flip=True)),
    "horizon": lambda q: F(q.n),
    "temperature": "heat",
    "weights": "weights",
    "references": "references",
    "model": lambda q: [[[row.get(t, F(0)) for t in q.S] for row in rows] for rows in q.model],
    "estimate": lambda q: [[x + e for x, e in zip(*rows, strict=True)] for rows in zip(q.adv, q.noise, strict=True)],
    "transition_old": lambda q: [[row.get(t, F(0)) for t in q.S] for row in q.P_old],
    "transition_new": lambda q: [[row.get(t, F(0)) for t in q.S] for row in q.P_new],
    "transition": lambda q: [[[row.get(t, F(0)) for t in q.S] for row in rows] for rows in q.P],
    "second_order_gain": "dot(rho, second)",
}
ROOTS = {
    "rms_advantage": "ms",
    "expected_advantage_sd": "var",
    "rms_expected_advantage": "dot(p, [x**2 for x in abar])",
}
ROOTS["reward_sd"] = "variance(flat, rewards)"


def _as_row(q, name, s):
    try:
        return ROWS[name](q.old[s], q.new[s])
    except (ZeroDivisionError, Rejected):  # p log(p/0), or a ratio to 0
        return INF


class Record:
    """What a formula may read and call: `Quantities`, as far as it is written here."""

    def __init__(self, q):
        self._q = q
        self.states, self.actions = len(q.S), len(q.A)
        self._actions = Array([[(s, a) in {*q.pairs} for a in q.A] for s in q.S])

    def __getattr__(self, name):
        value = self._computed(name)
        self.__dict__[name] = found = value if isinstance(value, Real | Array) else _wrapped(value)
        return found

    def _computed(self, name):
        q = self._q
        if name in FIELDS:
            formula = FIELDS[name]
            return getattr(q, formula) if isinstance(formula, str) and formula.isidentifier() else q.value(formula)
        if name in ROOTS:
            return Real._of(q.value(ROOTS[name])).sqrt()
        if name == "available":
            return self._actions
        if name in ROWS:
            return [_as_row(q, name, s) for s in q.S]
        reverse, reduction, kind = reduced(name)
        rows = [Real(_as_row(q, reverse + kind, s)) for s in q.S]
        if reduction == "max":
            return max(rows) if any(isinstance(x.raw, float) for x in rows) else _max(rows)
        return sum((Real._of(q.p[s]) * rows[s] for s in q.seen), Real(0))

    sqrt, log, exp = (staticmethod(lambda x, n=n: _each(x, n)) for n in ("sqrt", "log", "exp"))

    def polylog(self, order, x):
        want(order == -0.5, "another order of the polylogarithm")
        return Real._of(polylog(Real(x).raw))

    def minimum(self, x, y):
        return -self.maximum(-x, -y)

    def maximum(self, x, y):
        if isinstance(x, Array) or isinstance(y, Array):
            return (x if isinstance(x, Array) else y)._with(y if isinstance(x, Array) else x, lambda a, b: _max([a, b]))
        return _max([Real(x), Real(y)])

    def cost(self, name):
        return Record(self._q.cost(name))

    def sum_t(self, term):
        return sum(map(term, range(self._q.n)), Real(0))

    def sum_s(self, x, *, where=None):
        return _over_s(x, where, lambda xs: sum(xs, Real(0)))

    def max_s(self, x, *, where=None):
        return _over_s(x, where, _max)

    def min_s(self, x, *, where=None):
        return -self.max_s(-x, where=where)

    def sum_a(self, x, *, where=None):
        return _over_a(x, self._taken(where), lambda xs: sum(xs, Real(0)))

    def max_a(self, x, *, where=None):
        return _over_a(x, self._taken(where), _max)

    def min_a(self, x, *, where=None):
        return -self.max_a(-x, where=where)

    def _taken(self, where):
        return self._actions if where is None else self._actions & where

    def close(self, x, y):
        return x == y


def reduced(name):
    """ "reverse_max_kl" is ("reverse_", "max", "kl")."""
    reverse = "reverse_" if name.startswith("reverse_") else ""
    reduction, _, kind = name.removeprefix(reverse).partition("_")
    fine = (
        reduction in ("max", "mean") and reverse + kind in ROWS and not (reduction == "mean" and kind in NEVER_A_MEAN)
    )
    want(fine and kind != "samson", f"the quantity {name} is not known here")
    return reverse, reduction, kind


def _wrapped(value):
    return Array([_wrapped(x) for x in value]) if isinstance(value, list) else Real._of(value)


def _each(x, name):
    return x.map(lambda y: getattr(Real(y), name)()) if isinstance(x, Array) else getattr(Real(x), name)()


def _max(xs):
    """The largest; of intervals that overlap, from the largest lower end to the largest upper end."""
    xs = [Real(x) for x in xs]
    if any(isinstance(x.raw, float) for x in xs):
        return Real(INF) if any(x.raw == INF for x in xs if isinstance(x.raw, float)) else max(xs)
    return Real._of(largest(x.raw for x in xs))


def _over_s(x, where, f):
    if isinstance(x.rows[0], Array):
        return Array([_over_s(Array([*column]), None, f) for column in zip(*(row.rows for row in x.rows), strict=True)])
    return f([y for s, y in enumerate(x.rows) if where is None or where[s]])


def _over_a(x, where, f):
    return Array(
        [
            f([y for y, yes in zip(row.rows, can.rows, strict=True) if yes])
            for row, can in zip(x.rows, where.rows, strict=True)
        ]
    )
