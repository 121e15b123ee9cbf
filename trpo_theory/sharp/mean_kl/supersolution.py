"""A bound linear in mean-KL for an interval of discounts: the checker of a piecewise linear supersolution.

With a = γ/(1 − γ), f(l) = l − 1 − log l and m = |x − 1|, the statement
    L_old(new) − η(new) ≤ K ε γ/(1 − γ)² Σ_s d_old(s) KL(old_s ‖ new_s)
holds at γ if some W ≥ 0 of linear growth has W(1) = 0 and, for all x ≥ 0 and all laws of (l, A) with E l = 1, E A = 0, |A| ≤ 1,
    m E (l − 1) A + a (E W(x l) − K E f(l)) ≤ (1 + a) W(x).                                                             (∗)
It is affine in a: one W that does at both ends of an interval of discounts does in between. Here W is the broken line through
the nodes, of slope 1 beyond the last, but C (x − 1)² for m ≤ h, where 1 − h and 1 + h are nodes. docs/theory.md, "The least
linear constant", shows that (∗) follows from the inequalities that are checked here:
* the broken line is convex, and at a node x ≤ 1 − h or x ≥ 1 + h, with numbers μ and ν, for all l ≥ 0 and A = ±1
      m (l − 1) A + a (W(x l) − K f(l)) − μ (l − 1) − ν A ≤ (1 + a) W(x);
* for m ≤ h and |l − 1| ≤ r: W(y) ≤ C' (y − 1)² wherever x l may be, and
      4 ((1 + a) C − a C') (a K F(r) − a C' (1 + h)²) ≥ (1 + 2 a C' h)²,     F(z) = (z − log(1 + z))/z²;
* for m ≤ h and |l − 1| ≥ r, at x = 1 − h, 1, 1 + h:  m |l − 1| + a (W(x l) − K f(l)) − 2 a C' (x − 1) (l − 1) ≤ 0.
For each line of W what depends on l is c l − a K f(l), whose largest value is closed: every comparison is of exact rationals and
one logarithm in ball arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.io.evidence_files import (
    Fields,
    ReadFields,
    checked_evidence_path,
    evidence_fields,
    number_text,
    sentence_text,
    write_evidence,
)
from trpo_theory.model.types import PathLike
from trpo_theory.numerics.ball import rationals
from trpo_theory.numerics.ball.raw import arb, fmpq, precision, raw

KIND = "theorem-interval"
"""Of the evidence file."""
SOURCE = 'docs/theory.md, "The least linear constant"'
_STATEMENT = (
    r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{K\epsilon\gamma}{(1-\gamma)^2}\,"
    r"\mathbb{E}_{s\sim d^\pi} D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s),\quad \gamma_0\le\gamma\le\gamma_1"
)
_BITS = 96
"""Of the balls. Chosen: W is found in floats, with 1e-6 of m² or more to spare, and nothing cancels as much as half of these."""
_LARGEST = 10**12
"""Of the numbers of a file, and of their denominators' digits: chosen, far beyond what is found."""
_SIGNS = (1, -1)


class Line(NamedTuple):
    """y ↦ slope y + offset, with the two nodes that it runs through (the last node twice, for the last line)."""

    slope: fmpq
    offset: fmpq
    start: fmpq
    end: fmpq


@dataclass(frozen=True)
class Multipliers:
    """At one discount: μ and ν of each node but those within h of 1.

    Attributes:
        gamma: γ.
        mu, nu: a number a node.
    """

    gamma: Fraction
    mu: tuple[Fraction, ...]
    nu: tuple[Fraction, ...]


@dataclass(frozen=True)
class LinearOnInterval:
    """A constant K that is enough from one discount to another, with what proves it.

    Attributes:
        constant: K.
        curvature: C, of W next to 1.
        ceiling: C' ≥ C.
        reach: r, of l − 1 about 1.
        inner: offsets 0 < y_1 < ... < y_n < h: 1 ± y_i are nodes at which W is C y_i².
        nodes: 0 = x_0 < x_1 < ..., without those within h of 1; 1 − h and 1 + h are two of them.
        w: W at each; C h² at 1 ± h.
        ends: the multipliers at one discount, or at the two ends of an interval.
    """

    constant: Fraction
    curvature: Fraction
    ceiling: Fraction
    reach: Fraction
    inner: tuple[Fraction, ...]
    nodes: tuple[Fraction, ...]
    w: tuple[Fraction, ...]
    ends: tuple[Multipliers, ...]

    def prove(self) -> int:
        """Prove it.

        Returns:
            How many inequalities, each over all l, it took.

        Raises:
            NotSolved: with the place where an inequality is not proved.
        """
        with precision(_BITS):
            return _Proof(self).run()

    @property
    def gammas(self) -> tuple[Fraction, Fraction]:
        """The ends of the interval of discounts."""
        return self.ends[0].gamma, self.ends[-1].gamma

    @property
    def enclosure(self) -> tuple[Fraction, Fraction]:
        """What the least constant that is enough on the interval lies between, as far as this proof says."""
        return Fraction(0), self.constant

    @property
    def theorem(self) -> str:
        """The sentence."""
        low, high = map(sentence_text, self.gammas)
        where = f"gamma = {low}" if low == high else f"{low} <= gamma <= {high}"
        return (
            f"for every finite MDP with {where}: "
            f"L_old(new) - eta(new) <= {sentence_text(self.constant)} gamma/(1 - gamma)^2 mean-KL(old, new) max|A_old|"
        )

    @property
    def words(self) -> dict[str, str]:
        """The fields of the head that are not numbers."""
        return {"statement": _STATEMENT, "theorem": self.theorem, "source": SOURCE}

    def to_fields(self) -> Fields:
        """The content of its evidence file.

        Raises:
            NotSolved: if it is not proved.
        """
        self.prove()
        return evidence_fields(KIND, **self.words, enclosure=self.enclosure, content=self.content())

    def write(self, path: PathLike) -> None:
        """Write the evidence file, .json.

        Raises:
            NotSolved: if it is not proved.
            InvalidInput: for a place that cannot be written.
        """
        checked_evidence_path(path, "a proof")
        write_evidence(self.to_fields(), path)

    def content(self) -> Fields:
        """What the theorem is proved from, as a file has it."""
        numbers = {name: number_text(getattr(self, name)) for name in _NUMBERS}
        lists = {name: _texts(getattr(self, name)) for name in _LISTS}
        mu, nu = [_texts(end.mu) for end in self.ends], [_texts(end.nu) for end in self.ends]
        return {"gamma": _texts(end.gamma for end in self.ends), **numbers, **lists, "mu": mu, "nu": nu}

    @classmethod
    def from_fields(cls, fields: ReadFields) -> LinearOnInterval:
        """That of an evidence file, not proved.

        Raises:
            InvalidInput: for fields that are no such file, or numbers outside what the proof is written for.
        """
        gammas = _row(fields.get("gamma"), "gamma")
        numbers = {name: rationals.number(fields.get(name), name) for name in _NUMBERS}
        inner, nodes, w = (_row(fields.get(name), name) for name in _LISTS)
        shape = len(gammas), len(nodes)
        mu, nu = (rationals.fractions(fields.get(name), name, shape).tolist() for name in ("mu", "nu"))
        ends = tuple(
            Multipliers(*(gamma, tuple(row), tuple(other))) for gamma, row, other in zip(gammas, mu, nu, strict=True)
        )
        found = cls(**numbers, inner=inner, nodes=nodes, w=w, ends=ends)
        found._check_sound()
        return found

    def _check_sound(self) -> None:
        """Refuse numbers that the proof is not written for.

        Raises:
            InvalidInput: naming the condition.
        """
        h = self.radius
        every = [*self.inner, *self.nodes, *self.w, *(x for end in self.ends for x in (*end.mu, *end.nu))]
        sound = {
            "one gamma, or two that increase": 1 <= len(self.ends) <= 2 and _increase([end.gamma for end in self.ends]),
            "0 < gamma < 1": all(0 < end.gamma < 1 for end in self.ends),
            "constant > 0 and 0 < curvature <= ceiling": self.constant > 0 and 0 < self.curvature <= self.ceiling,
            "0 < reach < 1": 0 < self.reach < 1,
            "a w for each node": len(self.w) == len(self.nodes),
            "nodes 0 = x_0 < x_1 < ...": bool(self.nodes) and self.nodes[0] == 0 and _increase(self.nodes),
            "nodes 1 - h and 1 + h, none between, 0 < h < 1": 0 < h < 1 and 1 - h in self.nodes and 1 + h in self.nodes,
            "inner offsets 0 < y_1 < ... < h": bool(self.inner) and _increase((Fraction(0), *self.inner, h)),
            "w = curvature h^2 at 1 - h and 1 + h": all(
                w == self.curvature * h**2 for x, w in zip(self.nodes, self.w, strict=False) if abs(x - 1) == h
            ),
            "numbers of a reasonable size": max(map(abs, every), default=0) <= _LARGEST,
        }
        for condition, holds in sound.items():
            if not holds:
                raise InvalidInput(got="numbers where that is not so", wanted=condition, fix="correct the file")

    @property
    def radius(self) -> Fraction:
        """h: the distance of 1 from the nearest node."""
        return min((abs(x - 1) for x in self.nodes), default=Fraction(0))


_NUMBERS = ("constant", "curvature", "ceiling", "reach")
_LISTS = ("inner", "nodes", "w")


class _Proof:
    """The broken line in exact rationals, and how many inequalities were checked."""

    def __init__(self, case: LinearOnInterval) -> None:
        case._check_sound()
        self.case = case
        self.constant, self.curvature, self.ceiling, self.reach = (raw(getattr(case, name)) for name in _NUMBERS)
        self.h = raw(case.radius)
        self.nodes, self.w = [raw(x) for x in case.nodes], [raw(w) for w in case.w]
        self.lines = self._lines()
        self.balls = [(arb(line.slope), arb(line.offset)) for line in self.lines]
        self.checks = 0

    def _lines(self) -> list[Line]:
        """Through neighbouring nodes, those within h included, and the last one, of slope 1."""
        offsets = [raw(y) for y in self.case.inner]
        points = [*zip(self.nodes, self.w, strict=True), (fmpq(1), fmpq(0))]
        points += [(1 + s * y, self.curvature * y**2) for s in _SIGNS for y in offsets]
        points.sort(key=lambda point: point[0])
        slopes = [((v - u) / (y - x), x, y, u) for (x, u), (y, v) in pairwise(points)]
        slopes.append((fmpq(1), points[-1][0], points[-1][0], points[-1][1]))
        return [Line(slope, value - slope * start, start, end) for slope, start, end, value in slopes]

    def run(self) -> int:
        """All parts of the proof."""
        self._want(min(self.w) >= 0, "W >= 0")
        self._want(
            all(low.slope <= high.slope for low, high in pairwise(self.lines)), "that W is convex, with slopes up to 1"
        )
        self._check_ceiling()
        for end in self.case.ends:
            gamma = raw(end.gamma)
            a = gamma / (1 - gamma)
            self._check_next_to_one(a)
            self._check_leaps(a)
            self._check_nodes(a, end)
        return self.checks

    def _want(self, holds: bool, what: str) -> None:
        self.checks += 1
        if not holds:
            raise NotSolved(
                f"got {what} not proved; wanted every inequality proved; fix: a larger constant, or more nodes"
            )

    def _check_ceiling(self) -> None:
        """W ≤ C' (y − 1)² wherever x l may be, |y − 1| ≤ (1 + h)(1 + r) − 1: on a line by its discriminant, for all y."""
        farthest = (1 + self.h) * (1 + self.reach) - 1
        for line in self.lines:
            outside = line.end <= 1 - self.h or line.start >= 1 + self.h
            if outside and line.end >= 1 - farthest and line.start <= 1 + farthest:
                height = line.slope + line.offset  # at y = 1
                self._want(
                    line.slope**2 + 4 * self.ceiling * height <= 0, f"W below its ceiling at {_shown(line.start)}"
                )

    def _check_next_to_one(self, a: fmpq) -> None:
        """|l − 1| ≤ r: a quadratic form in x − 1 and l − 1."""
        z, h = self.reach, self.h
        own = (1 + a) * self.curvature - a * self.ceiling
        step = a * self.constant * (z - arb(1 + z).log()) / z**2 - a * self.ceiling * (1 + h) ** 2
        holds = own > 0 and bool(4 * own * step >= (1 + 2 * a * self.ceiling * h) ** 2)
        self._want(holds, "the quadratic form next to x = 1, l = 1")

    def _check_leaps(self, a: fmpq) -> None:
        """|l − 1| ≥ r, at x = 1 and 1 ± h."""
        price = arb(a * self.constant)
        for x in (1 - self.h, fmpq(1), 1 + self.h):
            mu, m = 2 * a * self.ceiling * (x - 1), abs(x - 1)
            for side in _SIGNS:  # |l − 1| is l − 1 to the right of 1, 1 − l to its left
                end, climb, base = arb(1 + side * self.reach), arb(a * x), arb(a)
                rest = arb(side * m - mu)
                for slope, offset in self.balls:
                    holds = _at_most(price, climb * slope + rest, rest - base * offset, end, side)
                    self._want(holds, f"leaps from x = {_shown(x)} by |l - 1| >= {_shown(self.reach)}")

    def _check_nodes(self, a: fmpq, end: Multipliers) -> None:
        """Every node but those within h of 1, and both signs of A."""
        price, share = arb(a * self.constant), arb(a)
        for x, w, mu, nu in zip(self.nodes, self.w, map(raw, end.mu), map(raw, end.nu), strict=True):
            m, climb = abs(x - 1), arb(a * x)
            lines = self.balls if x > 0 else [(arb(0), arb(self.w[0]))]
            for sign in _SIGNS:
                rest, room = arb(m * sign - mu), arb((1 + a) * w + m * sign - mu + nu * sign)
                for slope, offset in lines:
                    holds = _at_most(price, climb * slope + rest, room - share * offset)
                    self._want(holds, f"the inequality at node x = {_shown(x)}, A = {sign:+d}")


def _at_most(price: arb, c: arb, room: arb, end: arb | None = None, side: int = 0) -> bool:
    """Whether it is proved that c l − price f(l) ≤ room for all l ≥ 0, or for those on one side of `end`.

    It is concave in l and largest, price log l, at l = price/(price − c); beyond `end` at `end`, if that peak is not beyond it.
    """
    if end is not None and (_peak_below(price, c, end) if side > 0 else _peak_above(price, c, end)):
        return bool(c * end - price * (end - 1 - end.log()) <= room)
    left = price - c
    return bool(left > 0) and bool(price * (price / left).log() <= room)


def _peak_below(price: arb, c: arb, end: arb) -> bool:
    """Whether the peak is proved to be below `end`: price < (price − c) end."""
    return bool(price < (price - c) * end)


def _peak_above(price: arb, c: arb, end: arb) -> bool:
    """Whether it is proved to be above: price > (price − c) end, which says so for c ≥ price, too."""
    return bool(price > (price - c) * end)


def _increase(numbers: list[Fraction] | tuple[Fraction, ...]) -> bool:
    return all(low < high for low, high in pairwise(numbers))


def _texts(numbers: object) -> list[str]:
    return [number_text(x) for x in numbers]  # type: ignore[attr-defined]


def _row(value: object, name: str) -> tuple[Fraction, ...]:
    entries = rationals.fractions(value, name)  # type: ignore[arg-type]
    if entries.ndim != 1:
        raise InvalidInput(got=f"{name} of shape {entries.shape}", wanted="a list of numbers", fix=f"correct {name}")
    return tuple(entries.tolist())


def _shown(x: fmpq) -> str:
    return f"{float(x.p) / float(x.q):.4g}"
