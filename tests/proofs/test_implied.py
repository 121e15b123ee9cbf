"""Claims that follow from a proved bound, for all discounts and radii. The oracles are mpmath and thresholds in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from cheap import sampled

import trpo_theory as tt
from trpo_theory import bounds, claim
from trpo_theory.bounds.record import Claim
from trpo_theory.proofs.method import Attempt
from trpo_theory.proofs.methods.implied import METHOD
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.penalties import polynomial as p
from trpo_theory.proofs.penalties.arithmetic import BoxArithmetic
from trpo_theory.proofs.penalties.cell import Cell, rational
from trpo_theory.proofs.penalties.comparing import is_increasing
from trpo_theory.proofs.penalties.range import Range
from trpo_theory.proofs.penalties.reading import Penalty, quantities_on
from trpo_theory.proofs.penalties.relations import INEQUALITIES
from trpo_theory.proofs.proving import prove
from trpo_theory.proofs.region import EVERYTHING, Interval, Region

STATEMENT = r"\eta(\tilde\pi) \ge L - \ldots"


def _claim(penalty: Callable[[Any], Any], **details: Any) -> Claim:
    return claim("mine/bound", statement=STATEMENT, **details)(lambda q: q.surrogate_gap + penalty(q))


def _scaled(q: Any) -> Any:
    return q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2


def _attempt(one: Claim, gamma: tuple[float, float] | None = None) -> Attempt:
    region = EVERYTHING if gamma is None else Region(gamma=Interval.of_discounts(*gamma))
    found = METHOD.attempt(one, region)
    assert found is not None
    return found


def _sum_of_roots(gamma: float) -> float:
    """Σ √t γᵗ, summed: for γ ≤ .999 what is left is below 1e-10."""
    t = np.arange(1, 40_000)
    return float((np.sqrt(t) * gamma**t).sum())


WHOLE = {
    "pinsker/kl": (lambda q: 2.1 * _scaled(q) * q.max_kl, lambda g, d: 2 * g / (1 - g) ** 2 * d),
    "trpo/kl": (lambda q: 4 * _scaled(q) * q.max_kl, lambda g, d: 4 * g / (1 - g) ** 2 * d),
    "bh/kl": (
        lambda q: 4 * _scaled(q) * min(q.max_kl, 1),
        lambda g, d: 4 * g / (1 - g) ** 2 * -mpmath.expm1(-d),
    ),
    "chain-rule/kl": (
        lambda q: 2.01 * q.max_abs_advantage * q.polylog(-0.5, q.gamma) * q.max_kl,
        lambda g, d: 2 * _sum_of_roots(float(g)) * d,
    ),
    "coupling/tv": (
        lambda q: (
            4 * q.max_abs_advantage * q.gamma * q.max_tv**2 / ((1 - q.gamma) * (1 - q.gamma + q.gamma * q.max_tv))
        ),
        lambda g, d: 4 * g * min(d, 1) ** 2 / ((1 - g) * (1 - g * (1 - min(d, 1)))),
    ),
}
"""Claims that follow from the bound of that id for every γ and radius, and that bound once more in mpmath."""


@pytest.mark.parametrize("id", WHOLE)
def test_follows_for_all_discounts_and_radii(id: str) -> None:
    penalty, premise = WHOLE[id]
    one = _claim(penalty)
    found = _attempt(one)
    assert found.proof is not None
    assert found.proof.by == f"implied by {id}"
    assert found.proof.region.is_whole
    assert not found.left
    rng = np.random.default_rng(5)
    with mpmath.workdps(40):
        for _ in range(25):
            gamma = 1 - 10 ** rng.uniform(-3, 0)
            radius = 10 ** rng.uniform(-9, 2 if "kl" in id else 0)
            ours = Penalty.of(one).at(gamma=gamma, max_kl=radius, max_tv=radius, max_abs_advantage=1.0)  # type: ignore[union-attr]
            assert ours >= float(premise(mpmath.mpf(gamma), mpmath.mpf(radius))) * (1 - 1e-9)


FORMS: dict[str, Callable[[Any], Any]] = {
    "returns": lambda q: q.expected_return_new - q.surrogate + 2 * _scaled(q) * q.max_kl,
    "twice": lambda q: (
        2 * (q.expected_return_new - q.expected_return_old - q.surrogate_gain) + 8 * _scaled(q) * q.max_kl
    ),
    "multiplied out": lambda q: (
        (1 - q.gamma) * q.expected_return_new
        - (1 - q.gamma) * q.surrogate
        + 2 * q.max_abs_advantage * q.gamma / (1 - q.gamma) * q.max_kl
    ),
    "math.sqrt": lambda q: q.surrogate_gap + 4 * _scaled(q) * math.sqrt(q.max_kl / 2) ** 2,
    "numpy": lambda q: q.surrogate_gap + 4 * _scaled(q) * np.minimum(q.max_kl, np.float64(1)),
    "a third": lambda q: q.surrogate_gap + 7 * (1 / 3) * _scaled(q) * q.max_kl,
    "chi-square": lambda q: q.surrogate_gap + _scaled(q) * q.reverse_max_chi2,
    "both directions": lambda q: q.surrogate_gap + _scaled(q) * (q.max_kl + q.reverse_max_kl),
    "the smaller of two": lambda q: q.surrogate_gap + _scaled(q) * q.minimum(2 * q.max_kl, 4),
    "the larger of two": lambda q: q.surrogate_gap + _scaled(q) * max(4 * q.max_tv**2, q.max_kl),
    "a logarithm": lambda q: q.surrogate_gap + 4 * _scaled(q) * np.log1p(q.max_kl),
    "a root of 1 - gamma^2": lambda q: (
        q.surrogate_gap + 3 * q.max_abs_advantage * q.gamma / ((1 - q.gamma) * q.sqrt(1 - q.gamma**2)) * q.max_kl
    ),
    "expected advantage": lambda q: (
        q.surrogate_gap + 2 * q.max_abs_expected_advantage * q.gamma / (1 - q.gamma) ** 2 * q.sqrt(q.max_kl / 2)
    ),
}
"""True slacks in many forms, all of which hold for every γ and radius."""


@sampled("name", FORMS, every=2)
def test_any_form_of_a_formula_is_followed(name: str) -> None:
    found = _attempt(claim("mine/form", statement=STATEMENT)(FORMS[name]))
    assert found.proof is not None
    assert found.proof.region.is_whole


def _threshold(gamma: float) -> float:
    """The least c with c γ/(1 − γ)² ≥ 2 Li_{−1/2}(γ) from that γ on: the quotient decreases."""
    return float(2 * mpmath.polylog(-0.5, gamma) * (1 - gamma) ** 2 / gamma)


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
@pytest.mark.parametrize(("factor", "proved"), [(1.001, True), (0.999, False)])
def test_threshold_in_closed_form(gamma: float, factor: float, proved: bool) -> None:
    constant = factor * _threshold(gamma)
    one = _claim(lambda q: constant * _scaled(q) * q.max_kl)
    assert (_attempt(one, gamma=(gamma, 0.9999)).proof is not None) is proved


def test_hypotheses_on_gamma_narrow_the_region() -> None:
    constant = 1.01 * _threshold(0.9)
    found = _attempt(_claim(lambda q: constant * _scaled(q) * q.max_kl, given=lambda q: q.gamma >= 0.9))
    assert found.proof is not None
    assert found.proof.by == "implied by chain-rule/kl"


def test_where_everything_is_false_a_region_is_still_proved() -> None:
    """1.5 for 2 in equation (9): true by the chain rule from γ = .394 on."""
    one = _claim(lambda q: 1.5 * _scaled(q) * q.max_kl)
    everything, part = prove(one, methods=[METHOD]), prove(one, gamma=(0.5, 0.99), radius=(0.001, 1), methods=[METHOD])
    assert everything.verdict is Outcome.UNDECIDED
    assert everything.left
    assert everything.proof is not None
    assert everything.proof.region.gamma is not None
    crossing = mpmath.findroot(
        lambda g: 1.5 * g / (1 - g) ** 2 - 2 * mpmath.polylog(-0.5, g), (0.1, 0.5), solver="anderson"
    )
    assert float(crossing) < everything.proof.region.gamma.low < float(crossing) + 0.05
    assert part.verdict is Outcome.PROVED
    assert part.proof is not None
    assert part.proof.region.gamma == Interval(Fraction(1, 2), Fraction(99, 100))
    assert part.proof.region.divergence == "max_kl"


@pytest.mark.parametrize(
    "id", [one.id for one in bounds.folklore.values() if one.expected is False and not one.setting]
)
def test_false_bounds_are_not_proved(id: str) -> None:
    found = METHOD.attempt(bounds.get(id), EVERYTHING)
    assert found is None or found.proof is None or not found.proof.region.is_whole


TRAPS: dict[str, Callable[[Any], Any]] = {
    "false at one radius": lambda q: q.arithmetic.where(q.max_kl == 1, -1.0, 4 * _scaled(q) * q.max_kl),
    "false without a step": lambda q: 4 * _scaled(q) * q.max_kl - q.arithmetic.where(q.max_kl > 0, 0.0, 1.0),
    "false at gamma 0": lambda q: 4 * _scaled(q) * q.max_kl - q.arithmetic.where(q.gamma > 0, 0.0, 1.0),
    "false at an infinite divergence": lambda q: (
        4 * _scaled(q) * q.arithmetic.where(q.max_kl < math.inf, q.max_kl, 0.0)
    ),
    "false without advantages": lambda q: (
        4 * _scaled(q) * q.max_kl - q.arithmetic.where(q.max_abs_advantage > 0, 0.0, 1.0)
    ),
    "false for large advantages": lambda q: 4 * _scaled(q) * q.max_kl / q.maximum(1, q.max_abs_advantage / 1000),
    "of degree two": lambda q: 4 * _scaled(q) * q.max_abs_advantage * q.max_kl,
    "the gap again": lambda q: 4 * _scaled(q) * q.max_kl - 2 * q.surrogate_gap,
    "the gap squared": lambda q: 4 * _scaled(q) * q.max_kl - q.surrogate_gap**2,
    "the return": lambda q: 4 * _scaled(q) * q.max_kl + q.expected_return_old,
    "the larger of the gap and 0": lambda q: 4 * _scaled(q) * q.max_kl + 3 * q.minimum(q.surrogate_gap, 0),
    "a false premise of a comparison": lambda q: q.minimum(_scaled(q) * q.max_kl, 4 * _scaled(q) * q.max_tv**2),
}
"""Penalties that are those of trpo/kl almost everywhere."""


@pytest.mark.slow
@sampled("name", TRAPS, every=6)
def test_exceptions_at_single_points_are_not_overlooked(name: str) -> None:
    found = METHOD.attempt(_claim(TRAPS[name]), EVERYTHING)
    assert found is None or found.proof is None or not found.proof.region.is_whole


def test_of_other_quantities_it_says_nothing() -> None:
    assert METHOD.attempt(bounds.get("span/tv"), EVERYTHING) is None
    assert METHOD.attempt(bounds.get("kakade-langford"), EVERYTHING) is None


def test_a_penalty_that_decreases_with_a_divergence_is_no_premise_for_a_larger_one() -> None:
    def formula(q: Any) -> Any:
        return q.max_abs_advantage * q.gamma / (1 + q.max_tv)

    falling = Penalty.of(_claim(formula))
    rising = Penalty.of(bounds.get("coupling/tv"))
    assert falling is not None
    assert rising is not None
    assert not is_increasing(falling, "max_tv")
    assert is_increasing(rising, "max_tv")


@pytest.mark.parametrize("order", [-0.5, -0.25, -2, -1, 0])
@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 0.1), (0.4, 0.6), (0.99, 1), (0.999999, 1)])
def test_polylogarithm_over_an_interval(order: float, low: float, high: float) -> None:
    """γ (1 − γ)^(order − 1) times a symbol, whose range has the values of mpmath in it and no more."""
    ends = Range(rational(Fraction(str(low))), rational(Fraction(str(high))))
    q = quantities_on(Cell({"gamma": ends}))
    assert isinstance(q.arithmetic, BoxArithmetic)
    q.polylog(order, q.gamma)
    found = q.arithmetic.ranges[("polylog", Fraction(str(order)))]
    with mpmath.workdps(30):
        for gamma in np.linspace(low, high, 12):
            x = mpmath.mpf(min(max(float(gamma), 1e-9), 1 - 1e-12))
            value = mpmath.polylog(order, x) * (1 - x) ** (1 - mpmath.mpf(order)) / x
            assert float(Range.of(float(value)).low) > 0
            assert _float(found.low) - 1e-8 <= value <= _float(found.high) + 1e-8
        at = [mpmath.mpf(1) if end == 0 else mpmath.gamma(1 - order) if end == 1 else None for end in (low, high)]
        for value in at:
            if value is not None:
                assert min(abs(_float(end) - value) for end in (found.low, found.high)) < 1e-9


def _float(end: Any) -> float:
    return float(int(end.p) / int(end.q))


def test_one_minus_gamma_keeps_its_digits() -> None:
    """1 − γ(1 − α) is δ + γα: no term has a minus sign."""
    whole = Range(rational(Fraction(0)), rational(Fraction(1)))
    q = quantities_on(Cell({"gamma": whole, "max_tv": whole}))
    value = 1 - q.gamma * (1 - q.max_tv)
    assert len(value.numerator) == 2
    assert all(coefficient.low == 1 for coefficient in value.numerator.values())
    assert p.is_positive(value.numerator, value.ranges)


def test_a_hypothesis_at_a_single_discount_is_not_overlooked() -> None:
    one = _claim(lambda q: 0.1 * _scaled(q) * q.max_kl, given=lambda q: q.gamma == 0.5)
    found = _attempt(one)
    assert found.proof is None
    assert _attempt(_claim(lambda q: 2 * _scaled(q) * q.max_kl, given=lambda q: q.gamma == 0.5)).proof is not None


@pytest.mark.parametrize(
    "function", [lambda q: np.tanh(q.max_kl), lambda q: math.erf(q.max_kl), lambda q: q.max_kl.clip(0, 1)]
)
def test_functions_that_are_not_followed_are_no_fault_of_the_claim(function: Callable[[Any], Any]) -> None:
    found = prove(_claim(lambda q: 4 * _scaled(q) * function(q)), methods=[METHOD])
    assert found.verdict is Outcome.UNDECIDED


def test_inequalities_between_rows_hold_on_random_rows() -> None:
    """Each inequality that is used, with the divergences of `compare` on 2,000 random rows."""
    rng = np.random.default_rng(2)
    old, new = rng.dirichlet([0.3, 1, 1], (2000, 1)), rng.dirichlet([0.3, 1, 1], (2000, 1))
    far = rng.uniform(0, 1, (2000, 1, 1))
    mdp = tt.FiniteMDP(np.ones((1, 3, 1)), np.zeros((1, 3)), 0.5, [1])
    q = tt.compare(mdp, old, (1 - far) * old + far * new)
    for one in INEQUALITIES:
        smaller, larger = getattr(q, one.smaller), getattr(q, one.larger)
        assert (smaller <= one.function(q, larger) * (1 + 1e-9)).all(), one.text
    assert {one.smaller for one in INEQUALITIES} <= {"tv", "kl", "reverse_kl"}
