"""What a claim is as a function of γ, ε and divergences: `Penalty`, which the slack η(new) − L + penalty ≥ 0 subtracts."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, cast

import numpy as np

from trpo_theory.bounds.record import Bound, Claim
from trpo_theory.errors import NotKnown
from trpo_theory.numerics.arithmetic import Arithmetic
from trpo_theory.numerics.ball.raw import Undecided
from trpo_theory.proofs.penalties import polynomial as p
from trpo_theory.proofs.penalties.arithmetic import BoxArithmetic
from trpo_theory.proofs.penalties.cell import GAMMA, UNBOUNDED, Cell, symbol_of
from trpo_theory.proofs.penalties.number import Number
from trpo_theory.proofs.penalties.python import rewired
from trpo_theory.proofs.penalties.quotient import Ranges
from trpo_theory.proofs.penalties.range import Range
from trpo_theory.proofs.penalties.relations import divergences
from trpo_theory.step.partial import KnownQuantities

_GAP, _OLD, _GAIN = (symbol_of(name) for name in ("surrogate_gap", "expected_return_old", "surrogate_gain"))
RETURNS = frozenset({"surrogate_gap", "expected_return_old", "expected_return_new", "surrogate", "surrogate_gain"})
"""What a slack is compared with: sums of η(old), L − η(old) and η(new) − L, which are of either sign."""
_SAMPLE = (0.3, 0.6, 0.9)
"""Values at which a formula is run to see what it reads. Chosen: in [0, 1], as discounts and total variations are."""


class NotAPenalty(Undecided):
    """A claim that is not of the form η(new) − L + ε f(γ, divergences) ≥ 0."""


class _Recorded(KnownQuantities):
    """Quantities that note what is read of them."""

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name in vars(self)["_known"]:
            vars(self)["_read"].add(name)
        return super().__getattribute__(name)


@functools.lru_cache(maxsize=512)
def fields_of(claim: Claim) -> frozenset[str] | None:
    """The quantities that a claim reads, if they are among γ, ε, divergences and, of a slack, returns; else None.

    It is run in floats: what a formula reads only for other numbers is noticed later, as not known.
    """
    if claim.relation != ">=" or claim.step is not None or claim.problem is not None:
        return None
    if isinstance(claim, Bound) and (claim.shift is not None or claim.residual is not None):
        return None
    return read_by(claim.formula, frozenset() if isinstance(claim, Bound) else RETURNS)


def read_by(function: Callable[[Any], Any], more: frozenset[str] = frozenset()) -> frozenset[str] | None:
    """What a claim's function reads beside γ, if that is among ε, divergences and `more`; else None."""
    names = [GAMMA, *UNBOUNDED, *divergences(), *sorted(more)]
    read: set[str] = set()
    for value in _SAMPLE:
        q = _Recorded(None, **dict.fromkeys(names, np.float64(value)))
        vars(q)["_read"] = read
        try:
            function(q)
        except Exception:  # it reads more; or it fails, which is for those to say that run it on an MDP
            return None
    return frozenset(read) - {GAMMA}


def radii_of(fields: frozenset[str]) -> tuple[str, ...]:
    """The divergences among them."""
    return tuple(name for name in divergences() if name in fields)


@dataclasses.dataclass(frozen=True)
class Penalty:
    """ε f(γ, divergences) on a cell.

    Args:
        claim: whose it is.
        fields: what it reads beside γ, of `fields_of`.
    """

    claim: Claim
    fields: frozenset[str]

    @classmethod
    def of(cls, claim: Claim) -> Penalty | None:
        """Of a claim of discounted returns that reads γ, ε, divergences and returns alone; else None."""
        if claim.setting:
            return None
        fields = fields_of(claim)
        return None if fields is None or not fields & set(UNBOUNDED) else cls(claim, fields - RETURNS)

    @property
    def radii(self) -> tuple[str, ...]:
        """The divergences that it reads."""
        return radii_of(self.fields)

    def on(self, quantities: KnownQuantities) -> Number:
        """Its value: of a claim's slack a gap + b, b/a.

        Raises:
            NotAPenalty: where the slack is not of that form, by structure.
            Undecided: where a comparison in the formula, or the sign of a, is open.
        """
        value = self.slack(quantities)
        if value.infinity > 0:
            return value
        if isinstance(self.claim, Bound):
            return value
        slope, rest = _in_gap(value)
        if slope.sign() <= 0:
            raise NotAPenalty("the slack does not increase with eta(new) - L")
        return rest * slope.inverse()

    def slack(self, quantities: KnownQuantities) -> Number:
        """The slack itself; of a bound its penalty, the slack where the gap is 0.

        Raises:
            Undecided: where a comparison in the formula is open, or the formula calls what is not known of such numbers.
        """
        try:
            value = self._formula(quantities)
            return value if isinstance(value, Number) else _made(quantities, value)
        except (Undecided, NotKnown):
            raise
        except Exception as error:  # a function that such numbers do not have: in floats the formula runs
            raise Undecided(f"the formula is not followed: {error}") from error

    def applies(self, quantities: KnownQuantities) -> bool | None:
        """Whether its hypotheses hold on the cell, or are false there; None where that is open, or they read more."""
        if self.claim.given is None:
            return True
        try:
            return bool(self._given(quantities))
        except Exception:  # open, reads more, or has a function that such numbers do not have
            return None

    def at(self, **quantities: float) -> float:
        """Its value at a point, in floats: to look at, no proof rests on it."""
        return _value_at(
            self.claim, tuple(sorted((name, float(x)) for name, x in quantities.items() if name in self.reads))
        )

    @property
    def reads(self) -> frozenset[str]:
        """γ and what it reads beside."""
        return self.fields | {GAMMA}

    @property
    def seems_homogeneous(self) -> bool:
        """Whether twice the ε give twice the penalty at one point, in floats: else no bound of the catalogue implies it."""
        point = {GAMMA: _SAMPLE[0], **dict.fromkeys(self.radii, _SAMPLE[0])}
        once, twice = (self.at(**point, **dict.fromkeys(UNBOUNDED, size)) for size in (1.0, 2.0))
        return bool(np.isclose(twice, 2 * once, rtol=1e-6, atol=0)) or not np.isfinite(once)

    @property
    def is_affine(self) -> bool:
        """Whether its slack is affine in η(new) − L, by structure, at one point."""
        half = Range.of(Fraction(1, 2))
        try:
            self.on(quantities_on(Cell(dict.fromkeys((GAMMA, *self.radii), half))))
        except NotAPenalty:
            return False
        except (Undecided, NotKnown):
            pass
        return True

    def seems_to_apply_at(self, **quantities: float) -> bool:
        """Whether its hypotheses hold at a point, in floats; true where they read more."""
        if self.claim.given is None:
            return True
        try:
            return bool(self.claim.given(KnownQuantities(None, **{**dict.fromkeys(UNBOUNDED, 1.0), **quantities})))
        except NotKnown:
            return True

    @functools.cached_property
    def _formula(self) -> Any:
        return rewired(self.claim.formula)

    @functools.cached_property
    def _given(self) -> Any:
        assert self.claim.given is not None
        return rewired(self.claim.given)


@functools.lru_cache(maxsize=4096)
def _value_at(claim: Claim, point: tuple[tuple[str, float], ...]) -> float:
    quantities = {name: np.float64(value) for name, value in point}
    with np.errstate(all="ignore"):
        if isinstance(claim, Bound):
            return float(cast(float, claim.formula(KnownQuantities(None, **quantities))))
        zero = {name: np.float64(0) if name in UNBOUNDED else value for name, value in quantities.items()}
        value = claim.formula(KnownQuantities(None, **quantities, **_returns_at(0.0)))
        # the slope in the gap at ε = 0, where it is seen without cancellation
        slope = [claim.formula(KnownQuantities(None, **zero, **_returns_at(gap))) for gap in (0.0, 1.0)]
        return float(cast(float, np.divide(value, slope[1] - slope[0])))


def quantities_on(cell: Cell, *, zero: frozenset[str] = frozenset(), inside: bool = False) -> KnownQuantities:
    """The quantities of a cell: γ, each ε, the cell's radii, and returns.

    Args:
        cell: whose.
        zero: those that are 0, such as an ε, and with it the gap.
        inside: only of the inside of the cell, without its ends.
    """
    ranges = cell.ranges(inside=inside)
    known: dict[str, Any] = {name: cell.number(name, ranges) for name in (*cell.sides, *UNBOUNDED)}
    known |= {name: Number(ranges, {}) for name in zero & known.keys()}
    known |= _returns(ranges, "surrogate_gap" in zero)
    return KnownQuantities(cast(Arithmetic, BoxArithmetic(ranges)), **known)


def with_ceilings(q: KnownQuantities, values: Mapping[str, Any]) -> KnownQuantities:
    """The same with further quantities."""
    known = {name: getattr(q, name) for name in vars(q)["_known"]}
    return KnownQuantities(q.arithmetic, **{**known, **values})


def _returns(ranges: Ranges, no_gap: bool) -> dict[str, Number]:
    gap, old, gain = (Number(ranges, p.variable(symbol)) for symbol in (_GAP, _OLD, _GAIN))
    gap = Number(ranges, {}) if no_gap else gap
    return {
        "surrogate_gap": gap,
        "expected_return_old": old,
        "surrogate_gain": gain,
        "surrogate": old + gain,
        "expected_return_new": old + gain + gap,
    }


def _returns_at(gap: float) -> dict[str, float]:
    return {**dict.fromkeys(RETURNS, 0.0), "surrogate_gap": gap, "expected_return_new": gap}


def _made(q: KnownQuantities, value: Any) -> Number:
    return cast(BoxArithmetic, q.arithmetic).enclosed(value)


def _in_gap(value: Number) -> tuple[Number, Number]:
    """a and b of a slack a gap + b: by structure, and in no other return."""
    slope, rest = {}, {}
    for monomial, coefficient in value.numerator.items():
        returns = [(symbol, exponent) for symbol, exponent in monomial if symbol in (_GAP, _OLD, _GAIN)]
        if not returns:
            rest[monomial] = coefficient
        elif returns == [(_GAP, 1)]:
            slope[p.times(monomial, p.power_of(_GAP, Fraction(-1)))] = coefficient
        else:
            raise NotAPenalty("the slack is not affine in eta(new) - L, or depends on more of the returns")
    for monomial in value.denominator or {}:
        if any(symbol in (_GAP, _OLD, _GAIN) for symbol, _ in monomial):
            raise NotAPenalty("the slack is not affine in eta(new) - L")
    return Number(value.ranges, slope, value.denominator), Number(value.ranges, rest, value.denominator)


def per_epsilon(value: Number, name: str) -> Number:
    """A penalty divided by ε, if it is ε times what does not depend on it.

    Raises:
        NotAPenalty: where it is not.
    """
    epsilon = Number(value.ranges, p.variable(symbol_of(name)))
    quotient = value / epsilon
    for part in (quotient.numerator, quotient.denominator or {}):
        for monomial in part:
            if any(mentions(symbol, symbol_of(one)) for one in UNBOUNDED for symbol, _ in monomial):
                raise NotAPenalty("the penalty is not of degree one in the advantage")
    return quotient


def mentions(key: Any, symbol: Any) -> bool:
    """Whether a symbol, a product, or the argument of a function has a symbol in it; of γ, what is written with 1 − γ is not."""
    if key == symbol:
        return True
    return isinstance(key, tuple | frozenset) and any(mentions(part, symbol) for part in key)
