"""Files of kind "implication" by the method "implied": a claim's penalty is at least that of bounds that are theorems on paper.

The claim's formula, of the catalogue or of one's own, is run on symbols (proof_symbols.py) over boxes of gamma and of the
divergences that it reads; in each box it is proved to be at least one of the premises that the file names. What a premise reads
and the claim does not is replaced by what it is at most: a premise increases in all it reads.
docs/theory.md, "Divergences of a row" proves the inequalities.
"""

import math
from itertools import combinations

from proof_divergences import ROWS
from proof_numbers import F, Rejected, want
from proof_own_claims import reduced
from proof_premises import BOTH_WAYS, BY_THE_MAXIMUM, ENDS, EPS, FROM, OF_EPSILON, OWN, PREMISES, SMALLER, TEXTS
from proof_sums import Box, nonnegative, positive, variable
from proof_symbols import Sym, every_way

RETURNS = ("surrogate_gap", "expected_return_old", "surrogate_gain")
MOST_BOXES = 400


class Symbols:
    """The record that formulas are run on: gamma, both epsilons, divergences and returns, nothing else."""

    def __init__(self, box, values=None):
        Sym.box, self._box, self._read, self._values = box, box, set(), values or {}

    def __getattr__(self, name):
        self._read.add(name)
        if name in self._values:
            return self._values[name]
        if name in ("surrogate", "expected_return_new"):
            known = Sym(variable("expected_return_old")) + Sym(variable("surrogate_gain"))
            return known + (Sym(variable("surrogate_gap")) if name == "expected_return_new" else 0)
        if name not in ("gamma", EPS, OWN, *RETURNS):
            reduced(name)
        low, high = self._box.range(name)
        return Sym({frozenset(): low} if low else {}) if low == high else Sym(variable(name))

    def sqrt(self, x):
        return Sym.of(x).sqrt() if not _infinite(x) else x

    def exp(self, x):
        return Sym.of(x).exp() if not _infinite(x) else Sym.of(math.exp(x))

    def polylog(self, order, x):
        known = isinstance(x, Sym) and (x.above, x.below) == (self.gamma.above, self.gamma.below)
        want(order == -0.5 and known, "a polylogarithm of something else")
        return Sym({frozenset({(("li", F(-1, 2)), F(1))}): F(1)})

    def minimum(self, x, y):
        return x if Sym.of(x) <= y else y

    def maximum(self, x, y):
        return y if Sym.of(x) <= y else x


def _infinite(x):
    return isinstance(x, float) and math.isinf(x)


def penalty(own, q):
    """What is subtracted from L: of a slack a gap + b, a > 0, it is b/a."""
    value = Sym.of(own.formula(q))
    if own.is_bound or not isinstance(value, Sym):
        return value
    a, b = {}, {}
    for m, c in value.above.items():
        returns = [(atom, power) for atom, power in m if atom in RETURNS]
        want(not returns or returns == [("surrogate_gap", 1)], "a slack that is not affine in eta(new) - L")
        (a if returns else b)[m - {*returns}] = c
    want(positive(a, q._box), "a slack that does not increase with eta(new) - L")
    want(not any(atom in RETURNS for m in value.below for atom, _ in m), "a quotient by a return")
    return Sym(b, a)


def ceiling(q, name, known, texts):
    """What a quantity that the claim does not read is at most, by inequalities that the file names."""
    if name in known:
        return getattr(q, name)
    if name == OWN:
        for text, with_tv in OF_EPSILON.items():
            if text in texts and EPS in known:
                return 2 * ceiling(q, "max_tv", known, texts) * q.max_abs_advantage if with_tv else q.max_abs_advantage
    reverse, reduction, kind = reduced(name)
    row = reverse + kind
    if BOTH_WAYS in texts and row == "tv" and {"max_kl", "reverse_max_kl"} <= known:
        return q.sqrt(q.max_kl + q.reverse_max_kl) / 2
    steps = [(row, lambda q, x: x), *((b, f) for t in texts for a, b, f in SMALLER.get(t, ()) if a == row)]
    for larger, f in steps:
        base = larger.removeprefix("reverse_")
        ways = [reduction, *(["max"] if reduction == "mean" and BY_THE_MAXIMUM in texts else [])]
        for way in ways:
            field = f"{'reverse_' * larger.startswith('reverse_')}{way}_{base}"
            if field in known:
                return f(q, getattr(q, field))
    raise Rejected(f"no inequality for {name}")


def parsed(by):
    """ "implied by A with X and Y and, elsewhere, B": premises with the texts of their inequalities."""
    want(by.startswith("implied by "), "by")
    for part in by.removeprefix("implied by ").split(" and, elsewhere, "):
        name, _, rest = part.partition(" with ")
        texts = []
        while rest:
            text = max((t for t in TEXTS if rest == t or rest.startswith(t + " and ")), key=len, default=None)
            want(text is not None, f"the inequality {rest!r} is not known here")
            texts.append(text)
            rest = rest[len(text) + 5 :]
        want(name in PREMISES, f"the premise {name} is no theorem that is known here")
        yield name, tuple(texts)


def holds_on(own, box, premises, known):
    """Whether the claim's penalty is at least one of the premises' on a box, or its hypotheses fail there."""

    def one_way():
        q = Symbols(box)
        if own.given is not None and not own.given(q):
            return True
        value = penalty(own, q)
        if not isinstance(value, Sym):
            return value > 0
        return any(_at_least(value, *one) for one in premises)

    def _at_least(value, name, texts):
        low, _ = box.range("gamma")
        if low < FROM.get(name, F(0)):
            return False
        q = Symbols(box)
        try:
            PREMISES[name](reading := Symbols(box))
            q = Symbols(
                box,
                {field: ceiling(q, field, known, texts) for field in reading._read - {"gamma"} if hasattr(q, field)},
            )
            other = PREMISES[name](q)
        except Rejected:
            return False
        if not isinstance(other, Sym):
            return False
        below = nonnegative(value.below, box) and nonnegative(other.below, box)
        return below and nonnegative((value - other).above, box)

    return every_way(one_way)


def implied(own, by, gamma, radius, divergence):
    """The claim, in a region: ranges of gamma and of the divergence that it reads, None for all."""
    premises = [*parsed(by)]
    want(own.id not in [name for name, _ in premises], "a claim that is its own premise")
    ranges, known = region_of(own, gamma, radius, divergence)
    cover([Box(ranges)], lambda box: holds_on(own, box, premises, known))
    _where_the_gap_is_0(own, ranges)
    _at_infinity(own, ranges, premises, known)


def region_of(own, gamma, radius, divergence):
    """The box of a region, and the quantities that the claim reads."""
    q = Symbols(Box({"gamma": (F(0), F(1))}))
    try:
        every_way(lambda: penalty(own, q) is not None)
    finally:
        known = {*q._read} & {EPS, OWN, *(name for name in q._read if _is_divergence(name))}
    radii = [name for name in known if name not in (EPS, OWN)]
    ranges = {"gamma": gamma or (F(0), F(1))}
    for name in radii:
        reverse, _, kind = reduced(name)
        ranges[name] = (F(0), ENDS.get(reverse + kind))
    if radius is not None:
        want(radii == [divergence], "a radius of another divergence")
        most = ranges[divergence][1]
        ranges[divergence] = tuple(x if most is None else min(x, most) for x in radius)
    else:
        want(divergence is None, "a divergence without a radius")
    return ranges, known


def _is_divergence(name):
    try:
        return reduced(name)[2] in ROWS or True
    except Rejected:
        return False


def _where_the_gap_is_0(own, ranges):
    """Where gamma, a divergence or an epsilon is 0, or several of them, what is subtracted is not negative."""
    zeros = [{name: Sym({})} for name, (low, _) in ranges.items() if low == 0]
    zeros += [{OWN: Sym({})}, {OWN: Sym({}), EPS: Sym({})}]
    infinite = [{name: math.inf} for name, (_, high) in ranges.items() if high is None]
    for size in range(1, len(zeros) + 1):
        for some in combinations(zeros, size):
            for beyond in [{}, *infinite]:
                values = {name: x for one in (beyond, *some) for name, x in one.items()}
                want(
                    every_way(lambda values=values: _is_nonnegative(own, ranges, values)),
                    f"the claim where the gap is 0: {[*values]}",
                )


def _is_nonnegative(own, ranges, values):
    box = Box(
        {
            name: (F(0), F(0)) if values.get(name) is not None and name not in (EPS, OWN) else ends
            for name, ends in ranges.items()
        }
    )
    q = Symbols(box, values)
    if own.given is not None and not own.given(q):
        return True
    value = penalty(own, q)
    return nonnegative(value.above, box) and nonnegative(value.below, box) if isinstance(value, Sym) else value > 0


def _at_infinity(own, ranges, premises, known):
    """Where a divergence is infinite: the penalty is, or is still at least a premise's."""
    ends = [name for name, (_, high) in ranges.items() if high is None]
    for name in ends:
        box = Box({**ranges, **{one: (F(1), None) for one in ends if one != name}})

        def one_way(box=box, name=name):
            q = Symbols(box, {name: math.inf})
            if own.given is not None and not own.given(q):
                return True
            value = penalty(own, q)
            if not isinstance(value, Sym):
                return value > 0
            for premise, texts in premises:
                filled = {
                    field: ceiling(q, field, known, texts) for field in (EPS, OWN, "max_tv", "max_kl") if field in known
                }
                other = PREMISES[premise](
                    Symbols(box, {**filled, name: math.inf, "max_tv": Sym.of(1), "mean_tv": Sym.of(1)})
                )
                if isinstance(other, Sym) and nonnegative((value - other).above, box):
                    return True
            return False

        want(every_way(one_way), f"the claim where {name} is infinite")


def cover(boxes, holds):
    """Halve boxes until it holds in all of them."""
    ahead, count = [*boxes], 0
    while ahead:
        box, count = ahead.pop(), count + 1
        want(count <= MOST_BOXES, f"not proved in {len(ahead) + 1} boxes, such as {box.ranges}")
        if not holds(box):
            sides = [name for name, (low, high) in box.ranges.items() if low != high]
            want(sides, f"not proved at {box.ranges}")
            widths = {name: _width(*box.ranges[name]) for name in sides}
            ahead += box.halves(max(sides, key=widths.get))


def _width(low, high):
    return 8.0 if high is None else float(high - low) if low < 1 else math.log(high / low)
