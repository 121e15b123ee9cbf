"""A bound linear in mean-KL in the place of max-KL: a theorem, and the part of its proof that is done in ball arithmetic.

For every finite MDP of discount γ ≥ γ_0 and all policies old, new, with ε = max|A_old|,
    η(new) ≥ L_old(new) − K ε γ/(1 − γ)² Σ_s d_old(s) KL(old_s ‖ new_s),      (γ_0, K) = (1/4, 4) or (4/5, 2).
The whole proof, and why K ≥ 2 √((1 − γ)/γ) is necessary: docs/theory.md, "The linear mean-KL theorems". With l = new/old,
x the likelihood ratio of the path so far, z = l − 1, m = |x − 1|, a = γ/(1 − γ) and f(l) = l − 1 − log l, what remains to be
checked is g ≥ 0 and, at γ_0, H ≥ 0 for all x, l ≥ 0:
    H = a g + k m²/(x + 1) + m (M z − |z + N|),      g = K f(l) − 4 k x² z²/((x + 1)² (xl + 1)),
    M = A m/(m + B),  N = m²/(m² + C),  both 0 for m ≤ 1/20;      f = z² F, F(z) = ∫₀¹ t/(1 + z t) dt decreasing.
* Boxes: l ≤ 30 and x ≤ X, halved until the sign is decided in ball arithmetic. Close to x = 1,
  H ≥ α z² − m |z| + β m² with α = a g/z², β = k/(x + 1), and 4 α β ≥ 1 or α |z| ≥ m is enough;
* l ≥ 30: g ≥ (K − k) z − K log l, and H with this in place of g increases with l;
* x ≥ X: H/m without its term a g is concave in z, so it is enough to check the ends: z = −1, and z → ∞, where M ≥ 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

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

KIND = "theorem-cover"
"""Of the evidence file."""
_SOURCE = 'docs/theory.md, "The linear mean-KL theorems"'
_STATEMENT = (
    r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{K\epsilon\gamma}{(1-\gamma)^2}\,"
    r"\mathbb{E}_{s\sim d^\pi} D_{\mathrm{KL}}(\pi_s\|\tilde\pi_s),\quad \gamma \ge \gamma_0"
)
_NUMBERS = ("gamma", "constant", "k", "shift")
_BITS = 64
"""Of the balls. Chosen: a machine word, enough for H, which does not cancel in a box that is decided."""
_FINER_BITS = 192
"""Of z − log(1 + z), which cancels twice the digits by which z is below 1: boxes stop at 2⁻²⁴, so 64 + 48 and more."""
_LONGEST = 30
"""l up to which boxes are checked: the third part of the proof holds from there on. Of the theorem."""
_NEAR = fmpq(1, 20)
"""m up to which M = N = 0. Of the theorem."""
_BOXES = 200_000
"""At most so many. Measured: the two theorems take 21,897 and 83,141."""
_SMALLEST = fmpq(1, 2**24)
"""A box of this width that is not decided ends the proof: H is probably negative in it. Chosen, far below what is needed."""
Box = tuple[fmpq, fmpq, fmpq, fmpq]
"""x or u from, to; l from, to."""


@dataclass(frozen=True)
class LinearMeanKL:
    """A case of the theorem, with the constants of its proof.

    Attributes:
        gamma: γ_0, the least discount.
        constant: K.
        k: of w(x) = k/(1 − γ) (x − 1)²/(x + 1), the supersolution.
        tilt: A and B of M.
        shift: C of N.
        largest: X, up to which boxes are checked.
    """

    gamma: Fraction
    constant: Fraction
    k: Fraction
    tilt: tuple[Fraction, Fraction]
    shift: Fraction
    largest: int = 12

    def prove(self) -> int:
        """Prove it.

        Returns:
            How many boxes it took.

        Raises:
            NotSolved: with the place where an inequality is not proved.
        """
        with precision(_BITS):
            return _Proof(self).run()

    @property
    def enclosure(self) -> tuple[Fraction, Fraction]:
        """What the least constant that is enough for γ ≥ γ_0 lies between, as far as this proof says."""
        return Fraction(0), self.constant

    @property
    def theorem(self) -> str:
        """The sentence."""
        gamma, constant = sentence_text(self.gamma), sentence_text(self.constant)
        return (
            f"for every finite MDP with gamma >= {gamma}: "
            f"L_old(new) - eta(new) <= {constant} gamma/(1 - gamma)^2 mean-KL(old, new) max|A_old|"
        )

    @property
    def words(self) -> dict[str, str]:
        """The fields of the head that are not numbers."""
        return {"statement": _STATEMENT, "theorem": self.theorem, "source": _SOURCE}

    def to_fields(self) -> Fields:
        """The content of its evidence file: the constants, from which `certify` covers the inequalities again.

        Raises:
            NotSolved: if it is not proved.
        """
        self.prove()
        content = {name: number_text(getattr(self, name)) for name in _NUMBERS}
        content |= {"tilt": [number_text(one) for one in self.tilt], "largest": self.largest}
        return evidence_fields(KIND, **self.words, enclosure=self.enclosure, content=content)

    def write(self, path: PathLike) -> None:
        """Write the evidence file, .json.

        Raises:
            NotSolved: if it is not proved.
            InvalidInput: for a place that cannot be written.
        """
        checked_evidence_path(path, "a proof")
        write_evidence(self.to_fields(), path)

    @classmethod
    def from_fields(cls, fields: ReadFields) -> LinearMeanKL:
        """The case of an evidence file, not proved.

        Raises:
            InvalidInput: for fields that are no such file, or constants outside what the proof is written for.
        """
        numbers = {name: rationals.number(fields.get(name), name) for name in (*_NUMBERS, "largest")}
        height, width = rationals.fractions(fields.get("tilt"), "tilt", (2,))
        gamma, constant, k, shift, largest = numbers.values()
        sound = {
            "0 < gamma < 1": 0 < gamma < 1,
            "constant > 0 and k > 0": min(constant, k) > 0,
            "tilt >= 0, its second number and shift > 0": height >= 0 and min(width, shift) > 0,
            "largest an integer, 2 or more": largest >= 2 and largest.denominator == 1,
        }
        for condition, holds in sound.items():
            if not holds:
                raise InvalidInput(got="constants where that is not so", wanted=condition, fix="change the constants")
        return cls(gamma, constant, k, (height, width), shift, int(largest))


FROM_A_QUARTER = LinearMeanKL(
    Fraction(1, 4), Fraction(4), Fraction(2), (Fraction(13, 10), Fraction(7, 10)), Fraction(9, 10)
)
"""mean-kl/linear-4; its last three arguments are those of the table in docs/theory.md, "The linear mean-KL theorems"."""
FROM_FOUR_FIFTHS = LinearMeanKL(
    Fraction(4, 5), Fraction(2), Fraction(31, 20), (Fraction(11, 10), Fraction(1, 5)), Fraction(6, 5)
)
"""mean-kl/linear-2; likewise."""


class _Proof:
    """The constants of a case as exact rationals, and how many boxes were checked."""

    def __init__(self, case: LinearMeanKL) -> None:
        self.a = raw(case.gamma / (1 - case.gamma))
        self.constant, self.k = raw(case.constant), raw(case.k)
        (self.height, self.width), self.square = map(raw, case.tilt), raw(case.shift)
        self.largest = fmpq(case.largest)
        self.boxes = 0

    def run(self) -> int:
        """All parts of the proof."""
        zero, longest, end = fmpq(0), fmpq(_LONGEST), self.largest
        self._check(self._gain_is_positive, (zero, fmpq(1), zero, longest), "g")
        for low, high, holds in (
            (zero, 1 - _NEAR, self._away),
            (1 - _NEAR, 1 + _NEAR, self._near),
            (1 + _NEAR, end, self._away),
        ):
            self._check(holds, (low, high, zero, longest), "H")
        self._check(self._long, (zero, end - 1, zero, zero), "H beyond l = 30")
        self._check_far()
        return self.boxes

    def _check(self, holds: Callable[[Box], bool], box: Box, what: str) -> None:
        """Halve the box until it holds in every part."""
        stack = [box]
        while stack:
            x0, x1, l0, l1 = one = stack.pop()
            self.boxes += 1
            if holds(one):
                continue
            if self.boxes > _BOXES or max(x1 - x0, l1 - l0) < _SMALLEST:
                place = f"x = {float(x0.p) / float(x0.q):.4g}, l = {float(l0.p) / float(l0.q):.4g}"
                raise NotSolved(
                    f"got {what} not proved to be at least 0 near {place}; wanted a proof in {_BOXES} boxes, none below 2^-24; "
                    "fix: a larger gamma or constant, or other multipliers"
                )
            if (x1 - x0) * (1 + l0) > (l1 - l0) * (1 + x0):
                middle = (x0 + x1) / 2
                stack += [(x0, middle, l0, l1), (middle, x1, l0, l1)]
            else:
                middle = (l0 + l1) / 2
                stack += [(x0, x1, l0, middle), (x0, x1, middle, l1)]

    def _gain_is_positive(self, box: Box) -> bool:
        """g/z² ≥ 0, with u = 1/(1 + x) in place of x: K F ≥ 4 k (1 − u)² u/((1 − u) l + u)."""
        u0, u1, l0, l1 = box
        return bool(self.constant * _curvature(l1) >= 4 * self.k * (1 - u0) ** 2 * u1 / ((1 - u1) * l0 + u1))

    def _factor(self, box: Box) -> arb:
        """A lower bound on g/z² in the box."""
        x0, x1, l0, l1 = box
        return self.constant * _curvature(l1) - 4 * self.k * (x1 / (x1 + 1)) ** 2 / (x0 * l0 + 1)

    def _near(self, box: Box) -> bool:
        """α z² − m |z| + β m² ≥ 0."""
        x0, x1, l0, l1 = box
        alpha, beta = self.a * self._factor(box), self.k / (x1 + 1)
        if not alpha > 0:
            return False
        least = fmpq(0) if l0 <= 1 <= l1 else min(abs(l0 - 1), abs(l1 - 1))
        return bool(4 * alpha * beta >= 1) or bool(alpha * least >= max(abs(x0 - 1), abs(x1 - 1)))

    def _away(self, box: Box) -> bool:
        """H ≥ 0 for both signs of z + N, each in one ball."""
        x0, x1, l0, l1 = box
        x, z = _hull(x0, x1), _hull(l0 - 1, l1 - 1)
        low, high = sorted((abs(x0 - 1), abs(x1 - 1)))
        m, tilt, shift = _hull(low, high), _hull(*map(self._tilt, (low, high))), _hull(*map(self._shift, (low, high)))
        squared = z**2 if not z.contains(0) else _hull(fmpq(0), max((l0 - 1) ** 2, (l1 - 1) ** 2))
        rest = self.a * squared * self._factor(box) + self.k * m**2 / (x + 1)
        return all(bool(rest + m * (tilt * z - sign * (z + shift)) >= 0) for sign in (1, -1))

    def _long(self, box: Box) -> bool:
        """l ≥ 30: (a (K − k) − m (1 − M)) z − a K log l − m N, which increases with l if it does at 30, is at least 0 there."""
        low, high, *_ = box
        tilt, shift = self._tilt(low) if low >= _NEAR else fmpq(0), self._shift(high)
        climb = self.a * (self.constant - self.k) - high * max(fmpq(0), 1 - tilt)
        loss = self.a * self.constant
        left = climb * (_LONGEST - 1) - loss * arb(_LONGEST).log() - high * shift
        return bool(climb * _LONGEST >= loss) and bool(left >= 0)

    def _check_far(self) -> None:
        """H/m ≥ 0 beyond X at both ends of z, for the least m: M, N and m/(m + 2) increase."""
        m = self.largest - 1
        if self._tilt(m) < 1 or self.k * m / (m + 2) + self._shift(m) < 1 + self.height:
            raise NotSolved(
                f"got multipliers that do not prove x beyond {self.largest}; wanted M >= 1 and k m/(m + 2) + N >= 1 + A there; "
                "fix: a larger X, or other multipliers"
            )

    def _tilt(self, m: fmpq) -> fmpq:
        """M."""
        return self.height * m / (m + self.width)

    def _shift(self, m: fmpq) -> fmpq:
        """N."""
        return m**2 / (m**2 + self.square)


def _curvature(ratio: fmpq) -> arb:
    """F(l − 1) = f(l)/(l − 1)²; ∞ at l = 0."""
    z = ratio - 1
    if z == 0:
        return arb(fmpq(1, 2))
    if ratio == 0:
        return arb("inf")
    with precision(_FINER_BITS):
        return (z - arb(ratio).log()) / z**2


def _hull(low: fmpq, high: fmpq) -> arb:
    """The ball from one to the other."""
    return arb(low).union(arb(high))
