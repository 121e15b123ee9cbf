"""Decimals, floats and proofs (docs/theory.md): a decimal of a claim is the decimal, a rounded constant an interval."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from cheap import is_deep, is_whole, sampled
from decimal_claims import MEANT, drawn, exact_constants

from trpo_theory import compare, zoo
from trpo_theory.bounds.record import Claim
from trpo_theory.proofs.decide import decide
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.settle import settle
from trpo_theory.search.battery import random_instances
from trpo_theory.search.screen import Screen
from trpo_theory.step.exact import ExactInstance
from trpo_theory.verification.chunk import Chunk
from trpo_theory.verification.judging import judged
from trpo_theory.verification.tally import Tally
from trpo_theory.verification.verdict import Verdict

INSTANCES = 150
NINE_TENTHS = Fraction(9, 10)


def verdicts(claims: list[Claim], seed: int = 0) -> dict[str, Verdict]:
    """As a sweep has them: every negative float slack of a battery is decided in balls."""
    tallies = Chunk(tuple(claims), frozenset(), "", 0, INSTANCES, seed).run()
    return {claim.id: judged(claim, tally, Tally(claim.id)) for claim, tally in zip(claims, tallies, strict=True)}


def verdict_of(formula, **details) -> Verdict:
    claim = Claim("mine/made", formula, "a statement", **details)
    return verdicts([claim])[claim.id]


def one(gamma=0.9, x=0.25) -> ExactInstance:
    step = zoo.coupling_tight(gamma=gamma, x=x)
    return ExactInstance.of(step.mdp, step.old, step.new)


def eps(q):
    return q.max_abs_advantage


TRUE = {
    "0.7 x + 0.3 x = x": (
        lambda q: 0.7 * q.expected_return_old + 0.3 * q.expected_return_old - q.expected_return_old,
        None,
    ),
    "9 D_1/2 >= D_0.9": (lambda q: 9 * q.renyi(0.5) - q.renyi(0.9), None),
    "gamma <= 0.9": (lambda q: 10 * q.max_s(q.max_a(abs(q.reward))) - q.max_s(abs(q.value)), lambda q: q.gamma <= 0.9),
    "gamma >= 0.95": (lambda q: q.sum_s(q.visitation_old) - 20, lambda q: q.gamma >= 0.95),
    "gamma <= 9/10": (
        lambda q: 10 * q.max_s(q.max_a(abs(q.reward))) - q.max_s(abs(q.value)),
        lambda q: q.gamma <= NINE_TENTHS,
    ),
    "10 gamma = 9": (lambda q: q.gamma - 0.9, lambda q: 10 * q.gamma == 9),
    "gamma = 9/10": (lambda q: 0.1 - (1 - q.gamma), lambda q: q.gamma == NINE_TENTHS),
    "float64": (lambda q: np.float64(0.7) * q.max_tv + np.float64(0.3) * q.max_tv - q.max_tv, None),
    "powers": (lambda q: q.max_tv**0.1 * q.max_tv**0.9 - q.max_tv, None),
}


@pytest.mark.parametrize("name", TRUE)
def test_what_is_true_of_decimals_is_not_refuted(name):
    formula, given = TRUE[name]
    verdict = verdict_of(formula, given=given)
    assert verdict.verdict == Outcome.UNREFUTED, verdict.note
    assert verdict.effective > 0
    assert verdict.min_slack >= 0


def test_a_hypothesis_at_a_decimal_holds_there_in_floats_and_in_balls():
    for given in (lambda q: 10 * q.gamma == 9, lambda q: q.gamma == 0.9, lambda q: q.gamma == NINE_TENTHS):
        verdict = verdict_of(lambda q: q.surrogate_gap, given=given, expected=False)
        assert verdict.verdict == Outcome.REFUTED
        assert verdict.witness is not None
        assert verdict.witness.instance.gamma == NINE_TENTHS


def test_a_hypothesis_that_only_floats_meet_supports_nothing():
    """γ + 10⁻¹⁷ = γ in floats, and never in exact numbers."""
    verdict = verdict_of(lambda q: -1 + 0 * q.gamma, given=lambda q: q.gamma + Fraction(1, 10**17) == q.gamma)
    assert verdict.verdict == Outcome.UNDECIDED
    assert "floats only" in verdict.note


@pytest.mark.slow
@sampled("name", MEANT, every=2)
def test_what_depends_on_a_rounded_constant_is_undecided_and_says_which(name):
    constant = MEANT[name]
    claim = Claim("mine/made", lambda q: constant * q.gamma - Fraction(constant) * q.gamma, "x = x", relation="=")
    decision = settle(claim, one())
    assert decision.verdict is Outcome.UNDECIDED
    assert decision.constants == (constant,)
    assert decision.precision <= 256
    verdict = verdict_of(lambda q: constant * q.gamma - 4 * constant * q.gamma / 4 - Fraction(1, 10**17) * q.gamma)
    assert verdict.verdict == Outcome.UNDECIDED
    assert repr(constant) in verdict.note
    assert "Fraction(1, 3)" in verdict.note


def test_a_third_and_two_thirds_are_undecided_and_the_fractions_are_not():
    floats = verdict_of(lambda q: 1 / 3 * q.max_tv + 2 / 3 * q.max_tv - q.max_tv)
    assert floats.verdict == Outcome.UNDECIDED
    assert "0.3333333333333333, 0.6666666666666666" in floats.note
    exact = verdict_of(lambda q: Fraction(1, 3) * q.max_tv + Fraction(2, 3) * q.max_tv - q.max_tv)
    assert exact.verdict == Outcome.UNREFUTED


@sampled("constant", [0.99, 99 / 100 - 1e-3 / 3, np.float64(0.99), np.float32(0.99), Fraction(99, 100)], every=2)
def test_what_is_false_by_a_mile_is_refuted_whatever_the_constant(constant):
    def formula(q):
        alpha = q.max_tv
        worst = 4 * eps(q) * q.gamma * alpha**2 / ((1 - q.gamma) * (1 - q.gamma * (1 - alpha)))
        return q.surrogate_gap + constant * worst

    verdict = verdict_of(formula, expected=False)
    assert verdict.verdict == Outcome.REFUTED
    assert Screen(Claim("mine/made", formula, "s")).batched


def test_a_refutation_has_room_for_what_a_rounded_constant_may_have_meant():
    """π − 3.1415926535897 is 9.3e-14, more than the rounding of π; 2⁻⁵³ is less."""
    clear = decide(lambda q: 0 * q.gamma + 3.1415926535897 - math.pi, one())
    assert clear.verdict is Outcome.REFUTED
    within = decide(lambda q: 0 * q.gamma + Fraction(math.pi) - Fraction(1, 2**53) - math.pi, one())
    assert within.verdict is Outcome.UNDECIDED


FUNCTIONS = {
    "renyi": lambda q, f: q.renyi(f(9, 10)),
    "minimum": lambda q, f: q.minimum(q.max_tv, f(1, 4)),
    "maximum": lambda q, f: q.maximum(f(1, 4), q.max_tv),
    "polylog": lambda q, f: q.polylog(f(-1, 2), q.gamma),
    "sqrt": lambda q, f: q.sqrt(f(1, 4)) * q.gamma,
    "log": lambda q, f: q.log(f(1, 4) + q.gamma),
    "exp": lambda q, f: q.exp(f(1, 4) * q.gamma),
    "power": lambda q, f: q.gamma ** f(1, 4),
    "base": lambda q, f: f(1, 4) ** q.gamma,
    "where": lambda q, f: q.arithmetic.where(q.gamma <= f(9, 10), f(1, 4), q.gamma),
    "close": lambda q, f: q.arithmetic.where(q.close(q.gamma, f(9, 10)), q.gamma, f(1, 4)),
    "sum": lambda q, f: q.sum_s(f(1, 4) * q.visitation_old),
    "max": lambda q, f: q.max_s(q.max_a(abs(f(1, 4) * q.advantage - f(1, 8)))),
    "value": lambda q, f: q.max_s(f(1, 4) * q.value),
    "divide": lambda q, f: f(1, 4) / (1 - q.gamma),
    "integer": lambda q, f: 3 * q.max_kl - 2,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_fractions_work_in_every_function_batched_and_in_balls(name):
    function = FUNCTIONS[name]
    batch = random_instances(np.random.default_rng(1), 6, 3, 2)
    quantities = batch.quantities()
    got, wanted = function(quantities, Fraction), function(quantities, lambda p, q: p / q)
    assert got.dtype == np.float64
    np.testing.assert_array_equal(np.asarray(got), np.asarray(wanted))
    for index in range(6):
        alone = function(batch.one(index), Fraction)
        np.testing.assert_allclose(alone, np.asarray(got)[..., index], rtol=1e-12)
        slack = decide(lambda q: function(q, Fraction), batch.exact(index))
        assert slack.verdict in (Outcome.PROVED, Outcome.REFUTED)
    assert Screen(Claim("mine/made", lambda q: function(q, Fraction), "s")).batched
    step = zoo.coupling_tight(gamma=0.9, x=0.25)
    plain = compare(step.mdp, step.old, step.new)
    assert np.isfinite(np.asarray(function(plain, Fraction), dtype=float)).all()


def test_a_decimal_number_is_exact_as_well():
    batch = random_instances(np.random.default_rng(1), 6, 3, 2)
    assert (Decimal("0.1") * batch.quantities().max_tv).dtype == np.float64
    claim = Claim(
        "mine/made", lambda q: Decimal("0.1") * q.max_tv + Decimal("0.9") * q.max_tv - q.max_tv, "s", relation="="
    )
    assert settle(claim, batch.exact(0)).verdict is Outcome.PROVED


def test_discounts_and_files_are_decimals_and_arrays_are_dyadic():
    instance = one(gamma=0.9, x=0.3)
    assert instance.gamma == NINE_TENTHS
    assert Fraction(0.3) in instance.new.ravel()
    again = ExactInstance.from_fields({**instance.to_fields(), "gamma": 0.9, "new": [[0.7, 0.3, 0], [0.1, 0.9, 0]]})
    assert again.gamma == NINE_TENTHS
    assert list(again.new[0]) == [Fraction(7, 10), Fraction(3, 10), 0]


def draws(count: int, seed: int) -> list[Claim]:
    rng = np.random.default_rng(seed)
    return [drawn(rng, index) for index in range(count)]


@pytest.mark.slow
@pytest.mark.sampled
def test_no_adversarial_true_claim_is_refuted():
    claims = draws(300 if is_deep() else 75 if is_whole() else 12, 0)
    found = verdicts(claims)
    refuted = [name for name, verdict in found.items() if verdict.verdict == Outcome.REFUTED]
    assert refuted == []
    undecided = [name for name, verdict in found.items() if verdict.verdict == Outcome.UNDECIDED]
    assert all("rounded" in name or "difference" in name for name in undecided), undecided


@pytest.mark.slow
@pytest.mark.sampled
def test_nothing_about_fractions_is_undecided():
    rng = np.random.default_rng(1)
    found = verdicts([exact_constants(rng, index) for index in range(60 if is_deep() else 20 if is_whole() else 5)])
    assert {verdict.verdict for verdict in found.values()} == {Outcome.UNREFUTED}
