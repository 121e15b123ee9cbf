"""Rare hypotheses are reached by search; what is found meets them by definitions that are written out here."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from trpo_theory import claim
from trpo_theory.search.battery import random_instances
from trpo_theory.search.hypotheses import Fitting
from trpo_theory.search.screen import Screen
from trpo_theory.step.instances import Instances
from trpo_theory.verification.verifying import verify


def tv(one: Instances) -> np.ndarray:
    return np.abs(one.new - one.old).sum(2) / 2


def visits(one: Instances) -> np.ndarray:
    """ρ_old by its series."""
    chain = np.einsum("bsa,bsat->bst", one.old, one.transition)
    total = law = one.initial
    for _ in range(4000):
        law = one.gamma[:, None] * np.einsum("bs,bst->bt", law, chain)
        total = total + law
    return total


def kl(one: Instances) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.where(one.old > 0, one.old * np.log(one.old / one.new), 0.0).sum(2)


RARE: dict[str, tuple[Callable[[Any], Any], Callable[[Instances], np.ndarray]]] = {
    "tv in [1e-9, 1e-8]": (
        lambda q: (q.max_tv >= 1e-9) & (q.max_tv <= 1e-8),
        lambda one: (tv(one).max(1) > 0.999e-9) & (tv(one).max(1) < 1.001e-8),
    ),
    "moved where old never goes": (
        lambda q: (q.mean_kl == 0) & (q.max_kl > 0) & (q.gamma < 0.9),
        lambda one: ((visits(one) == 0) | (tv(one) == 0)).all(1) & (tv(one) > 0).any(1),
    ),
    "a small range of gamma": (
        lambda q: (q.gamma > Fraction(8999, 10000)) & (q.gamma < Fraction(9001, 10000)) & (q.max_tv > 0.9),
        lambda one: (one.gamma > 0.8999) & (one.gamma < 0.9001) & (tv(one).max(1) > 0.9),
    ),
    "unit rewards, one start": (
        lambda q: q.unit_rewards & (q.initial[0] == 1) & (q.max_s(q.reward[:, 0]) == 1),
        lambda one: (one.reward >= 0).all((1, 2)) & (one.reward <= 1).all((1, 2)) & (one.initial[:, 0] == 1),
    ),
    "kl above 20, finite": (
        lambda q: (q.max_kl > 20) & (q.max_kl < float("inf")),
        lambda one: (kl(one).max(1) > 19.9) & np.isfinite(kl(one)).all(1),
    ),
    "deterministic to full support": (
        lambda q: q.is_deterministic_old & (q.new > 0).all((0, 1)) & (q.gamma > 0.99),
        lambda one: (one.old.max(2) == 1).all(1) & (one.new > 0).all((1, 2)) & (one.gamma > 0.99),
    ),
    "visited everywhere": (
        lambda q: (q.visitation_old >= Fraction(1, 2)).all(0) & (q.gamma < Fraction(1, 2)),
        lambda one: (visits(one) > 0.4999).all(1) & (one.gamma < 0.5),
    ),
    "an equality": (
        lambda q: q.close(q.max_tv, Fraction(1, 4)),
        lambda one: np.abs(tv(one).max(1) - 0.25) < 1e-9,
    ),
}


def of(given: Callable[[Any], Any]) -> Screen:
    return Screen(claim("rare", statement="some", given=given)(lambda q: q.max_tv + 0 * q.gamma))


@pytest.mark.parametrize("name", RARE)
def test_rare_hypotheses_are_reached(name):
    given, met = RARE[name]
    screen, generator = of(given), np.random.default_rng(1)
    drawn = random_instances(generator, 400, 2, 3)
    np.testing.assert_array_equal(screen.violation(drawn) == 0, screen(drawn).met)
    assert screen(drawn).met.mean() < 0.1
    found = Fitting(screen, generator).reach(drawn, 40, 64)
    assert len(found) >= 64
    assert met(found).all()
    for rows in (found.old, found.new, found.transition, found.initial):
        assert (rows >= 0).all()
        assert np.abs(rows.sum(-1) - 1).max() < 1e-12


def test_opaque_conditions_and_formulas_of_one_instance_have_a_violation():
    drawn = random_instances(np.random.default_rng(0), 30, 2, 2)
    opaque = of(lambda q: np.asarray(q.gamma) > 0.5)
    np.testing.assert_array_equal(opaque.violation(drawn), (drawn.gamma <= 0.5) * 1.0)
    chained = of(lambda q: 0.5 < q.gamma < 0.6)
    assert chained.written_for_one
    missed = chained.violation(drawn)
    np.testing.assert_array_equal(missed == 0, (drawn.gamma > 0.5) & (drawn.gamma < 0.6))
    above = drawn.gamma >= 0.6
    assert (np.diff(missed[above][np.argsort(drawn.gamma[above])]) >= 0).all()
    largest = of(lambda q: max(q.tv) <= 1e-8 and q.gamma > 0)
    missed = largest.violation(drawn)
    assert len(np.unique(missed)) > 10
    np.testing.assert_array_equal(missed == 0, (tv(drawn).max(1) <= 1e-8) & (drawn.gamma > 0))
    unconditional = Screen(claim("free", statement="some")(lambda q: q.max_tv))
    assert (unconditional.violation(drawn) == 0).all()


@pytest.mark.slow
def test_verify_refutes_false_claims_with_rare_hypotheses():
    """At TV below 1e-8 F1 needs the constant 4; a KL above 5 leaves room for a TV below 0.1."""

    @claim("rare/tiny", statement="false", expected=False, given=lambda q: q.max_tv <= 1e-8)
    def tiny(q):
        constant = Fraction(39, 10) * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2
        return q.surrogate_gap + constant * q.max_tv**2

    @claim("rare/kl", statement="false", expected=False, given=lambda q: (q.max_kl > 5) & (q.max_kl < float("inf")))
    def far(q):
        return q.max_tv - 0.1

    for one in (tiny, far):
        (verdict,) = verify([one]).verdicts
        assert verdict.verdict == "refuted"
