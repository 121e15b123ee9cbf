"""A bound linear in mean-KL for an interval of discounts, with the piecewise linear supersolution that proves it.

With a = γ/(1 − γ), f(l) = l − 1 − log l and m = |x − 1|, the statement
    L_old(new) − η(new) ≤ K ε γ/(1 − γ)² Σ_s d_old(s) KL(old_s ‖ new_s)
holds at γ if some W ≥ 0 of linear growth has W(1) = 0 and, for all x ≥ 0 and all laws of (l, A) with E l = 1, E A = 0, |A| ≤ 1,
    m E (l − 1) A + a (E W(x l) − K E f(l)) ≤ (1 + a) W(x).                                                             (∗)
It is affine in a: one W that does at both ends of an interval of discounts does in between. Here W is the broken line through
the nodes, of slope 1 beyond the last, but C m² − B m³ for m ≤ h, where 1 − h and 1 + h are nodes. docs/theory.md, "The least
linear constant", shows that (∗) follows from the inequalities that `checking` and `near_one` prove:
* the broken line is convex, and at a node x ≤ 1 − h or x ≥ 1 + h, with numbers μ and ν, for all l ≥ 0 and A = ±1
      m (l − 1) A + a (W(x l) − K f(l)) − μ (l − 1) − ν A ≤ (1 + a) W(x);
* for m ≤ h and |l − 1| ≤ r: W(y) ≤ C |y − 1|² − B' |y − 1|³ wherever x l may be, and with that in the place of W(x l) the same
  inequality with μ = 2 a C (x − 1) and some ν, in boxes;
* for m ≤ h and |l − 1| ≥ r, at x = 1 − h, 1, 1 + h:  m |l − 1| + a (W(x l) − K f(l)) − 2 a C (x − 1) (l − 1) ≤ 0.
For each line of W what depends on l is c l − a K f(l), whose largest value is closed: every comparison is of exact rationals and
one logarithm in ball arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from trpo_theory.errors import InvalidInput
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
from trpo_theory.sharp.mean_kl.checking import prove_interval

KIND = "theorem-interval"
"""Of the evidence file."""
SOURCE = 'docs/theory.md, "The least linear constant"'
_STATEMENT = (
    r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{K\epsilon\gamma}{(1-\gamma)^2}\,"
    r"\mathbb{E}_{s\sim d^\pi} D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s),\quad \gamma_0\le\gamma\le\gamma_1"
)
_LARGEST = 10**12
"""Of the numbers of a file: chosen, far beyond what is found."""


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
        curvature, bend: C and B, of W next to 1.
        outer_bend: B'.
        reach: r, of l − 1 about 1.
        inner: offsets 0 < y_1 < ... < y_n < h: 1 ± y_i are nodes, too.
        nodes: 0 = x_0 < x_1 < ..., without those within h of 1; 1 − h and 1 + h are two of them.
        w: W at each; C h² − B h³ at 1 ± h.
        ends: the multipliers at one discount, or at the two ends of an interval.
    """

    constant: Fraction
    curvature: Fraction
    bend: Fraction
    outer_bend: Fraction
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
        self.check_sound()
        return prove_interval(self)

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
        found.check_sound()
        return found

    def check_sound(self) -> None:
        """Refuse numbers that the proof is not written for.

        Raises:
            InvalidInput: naming the condition.
        """
        h = self.radius
        every = [
            self.bend,
            self.outer_bend,
            *self.inner,
            *self.nodes,
            *self.w,
            *(x for end in self.ends for x in (*end.mu, *end.nu)),
        ]
        sound = {
            "one gamma, or two that increase": 1 <= len(self.ends) <= 2 and _increase([end.gamma for end in self.ends]),
            "0 < gamma < 1": all(0 < end.gamma < 1 for end in self.ends),
            "constant > 0, curvature > 0 and outer_bend <= bend": min(self.constant, self.curvature) > 0
            and self.outer_bend <= self.bend,
            "3 h bend <= curvature, so that W is convex next to 1": 3 * h * self.bend <= self.curvature,
            "0 < reach < 1": 0 < self.reach < 1,
            "a w for each node": len(self.w) == len(self.nodes),
            "nodes 0 = x_0 < x_1 < ...": bool(self.nodes) and self.nodes[0] == 0 and _increase(self.nodes),
            "nodes 1 - h and 1 + h, none between, 0 < h < 1": 0 < h < 1 and 1 - h in self.nodes and 1 + h in self.nodes,
            "inner offsets 0 < y_1 < ... < h": bool(self.inner) and _increase((Fraction(0), *self.inner, h)),
            "w = curvature h^2 - bend h^3 at 1 - h and 1 + h": all(
                w == self.curvature * h**2 - self.bend * h**3
                for x, w in zip(self.nodes, self.w, strict=False)
                if abs(x - 1) == h
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


_NUMBERS = ("constant", "curvature", "bend", "outer_bend", "reach")
_LISTS = ("inner", "nodes", "w")


def _increase(numbers: list[Fraction] | tuple[Fraction, ...]) -> bool:
    return all(low < high for low, high in pairwise(numbers))


def _texts(numbers: object) -> list[str]:
    return [number_text(x) for x in numbers]  # type: ignore[attr-defined]


def _row(value: object, name: str) -> tuple[Fraction, ...]:
    entries = rationals.fractions(value, name)  # type: ignore[arg-type]
    if entries.ndim != 1:
        raise InvalidInput(got=f"{name} of shape {entries.shape}", wanted="a list of numbers", fix=f"correct {name}")
    return tuple(entries.tolist())
