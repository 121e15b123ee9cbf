"""Formulas that ask for sizes, or raise exceptions on some instances: what a screen says of a batch is what they say of each."""

import itertools

import numpy as np
import pytest

from trpo_theory.bounds.record import Claim
from trpo_theory.search.apart.probe import probe
from trpo_theory.search.battery import random_instances
from trpo_theory.search.instruments import mutation
from trpo_theory.search.noise import with_error_bounds
from trpo_theory.search.screen import Screen
from trpo_theory.search.violation import graded_quantities
from trpo_theory.verification.verifying import verify


def made(formula, **details):
    return Claim("mine/made", formula, "a statement", **details)


# --- formulas that ask for sizes, and formulas that raise exceptions on some instances -------------------------


def asks_for_actions(q):
    return 1 - q.max_tv if q.actions == 2 else 0.9 - np.min(q.tv)


def asks_for_four(q):
    c = 3.9 if q.actions == 4 and q.gamma > 0.5 else 4
    return c * q.gamma - q.max_tv


def asks_for_seven(q):
    return 0.9 - np.min(q.tv) if len(q.tv) == 7 else 1 - q.max_tv


def by_its_shape(q):
    return np.sum(q.tv) if q.old.shape[:2] == (3, 5) else q.sum_s(q.tv)


def a_helper_asks(q):
    return asks_for_actions(q) + 0 * q.gamma


@pytest.mark.parametrize("formula", [asks_for_actions, asks_for_four, asks_for_seven, by_its_shape, a_helper_asks])
def test_a_formula_that_asks_for_sizes_says_of_a_batch_what_it_says_of_each(formula):
    screen = Screen(made(formula))
    for states, actions in itertools.product((1, 2, 3, 7, 8), (2, 3, 4, 5, 6)):
        instances = probe(5, states, actions, seed=states + 10 * actions)
        each = [np.min(formula(instances.one(index))) for index in range(5)]
        np.testing.assert_allclose(screen(instances).slack, each, rtol=1e-12)
    assert not screen.complaint


def far(q):
    if q.gamma > 0.9:
        raise ValueError("far")
    return 0.5 - q.max_tv


def far_as_arrays(q):
    if np.any(q.gamma > 0.9):
        raise ValueError("far")
    return 0.5 - q.max_tv


@pytest.mark.parametrize("formula", [far, far_as_arrays])
@pytest.mark.parametrize("size", [(2, 3), (3, 2), (7, 4)])
def test_instances_on_which_a_formula_raises_an_exception_are_left_out_and_the_others_told(formula, size):
    instances = probe(60, *size)
    assert 0 < (instances.gamma > 0.9).sum() < 10
    screen = Screen(made(formula))
    assert not screen.complaint
    screened = screen(instances)
    np.testing.assert_array_equal(screened.met, instances.gamma <= 0.9)
    tv = 0.5 * np.abs(instances.new - instances.old).sum(-1).max(-1)
    np.testing.assert_allclose(screened.slack[screened.met], (0.5 - tv)[screened.met], atol=1e-14)
    assert not screened.tests[~screened.met].any()
    assert "ValueError: far" in screen.complaint


def test_an_exception_where_the_hypotheses_do_not_hold_is_none_of_the_claims():
    instances = probe(60, 3, 2)
    for formula in (far, far_as_arrays):
        screen = Screen(made(formula, given=lambda q: q.gamma <= 0.9))
        np.testing.assert_array_equal(screen(instances).met, instances.gamma <= 0.9)
        assert not screen.complaint


def test_of_a_formula_that_no_batch_can_be_made_of_those_that_fail_are_left_out_as_well():
    def by_text(q):
        if "0.9" in str(q.gamma):
            raise ValueError("far")
        return 0.5 - float(repr(float(q.max_tv)))

    screen, instances = Screen(made(by_text)), probe(60, 3, 2)
    assert not screen.batched
    screened = screen(instances)
    assert screened.met.tolist() == ["0.9" not in str(float(gamma)) for gamma in instances.gamma]
    assert "far" in screen.complaint


def test_a_claim_whose_code_fails_on_some_instances_is_judged_by_the_others(monkeypatch):
    """The total variation reaches 1: 0.5 − TV is refuted, and 1 − TV stands where it can be computed."""
    monkeypatch.setattr(mutation, "GENERATIONS", 2)
    (refuted,) = verify(made(far, expected=False), instances=300)
    assert refuted.verdict == "refuted"
    assert "on other instances its own code fails: ValueError: far" in refuted.note
    (failed,) = verify(made(lambda q: far(q) + 0.5), instances=300)
    assert failed.verdict == "error"
    assert "on some instances that meet its hypotheses: ValueError: far" in failed.note
    assert failed.instances > failed.effective > 300
    (stands,) = verify(made(lambda q: far(q) + 0.5, given=lambda q: q.gamma < 0.5), instances=300)
    assert stands.verdict == "unrefuted"
    assert "fail" not in stands.note


def test_a_false_claim_that_asks_for_the_number_of_actions_is_refuted():
    (verdict,) = verify(made(asks_for_actions, expected=False), instances=300)
    assert verdict.verdict == "refuted"
    assert verdict.witness.instance.actions == 3


def prints(q):
    print(f"hello {q.gamma:.2f}", q.tv)  # noqa: T201
    return 1 - max(q.tv)


def test_a_formula_that_prints_runs_on_batches_and_does_not_print_every_instance(capsys):
    screen, instances = Screen(made(prints)), probe(60, 3, 2)
    assert 0 < capsys.readouterr().out.count("hello") < 20
    assert screen.batched
    np.testing.assert_allclose(screen(instances).slack, 1 - np.abs(instances.new - instances.old).sum(-1).max(-1) / 2)
    assert not capsys.readouterr().out


def test_available_has_its_shape_in_every_arithmetic():
    instances = random_instances(np.random.default_rng(0), 5, 3, 2)
    batches = instances.quantities(), with_error_bounds(instances), graded_quantities(instances)
    singles = instances.one(0), with_error_bounds(instances, 0), graded_quantities(instances, 0)
    assert [q.available.shape for q in batches] == [(3, 2, 5)] * 3
    assert [q.available.shape for q in (*singles, instances.exact(0).quantities())] == [(3, 2)] * 4
    for given in (lambda q: ~q.available.all((0, 1)), lambda q: not q.available[0, 0], lambda q: not q.available.all()):
        assert not Screen(made(lambda q: q.max_tv, given=given))(instances).met.any()


def test_an_exception_of_any_kind_is_the_claims():
    def formula(q):
        if q.gamma > 0.9:
            raise GeneratorExit
        return 0.5 - q.max_tv

    screen, instances = Screen(made(formula)), probe(60, 3, 2)
    np.testing.assert_array_equal(screen(instances).met, instances.gamma <= 0.9)
    assert "GeneratorExit" in screen.complaint
