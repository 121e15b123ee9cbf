"""Claims that are not in the catalogue, as a user would write them: exactly the false ones must be refuted.

Each is decided here by a line of mathematics, not by running it. F1, F2 and F5 are the families of the catalogue's text.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cheap import is_whole, long, sample, two_instruments

import trpo_theory as tt
from trpo_theory import claim
from trpo_theory.search.instruments import mutation
from trpo_theory.step.quantities import Quantities

INSTANCES = 500
TRUE, FALSE, UNTOLD = {}, {}, {}


def holds(why, **details):
    """A true claim, and why it is."""
    return _named(TRUE, why, details)


def fails(why, **details):
    """A false claim, and what breaks it."""
    return _named(FALSE, why, details)


def cannot_be_told(why, **details):
    """One that must stay undecided, and why."""
    return _named(UNTOLD, why, details)


def _named(table, why, details):
    def decorate(formula):
        name = formula.__name__.replace("_", "-")
        table[name] = claim(f"mine/{name}", statement=why, **details)(formula)
        return formula

    return decorate


def horizon(q):
    return q.gamma / (1 - q.gamma) ** 2


def coupled(q):
    """4 ε γ α²/((1 − γ)(1 − γ(1 − α)))."""
    return 4 * q.max_abs_advantage * q.gamma * q.max_tv**2 / ((1 - q.gamma) * (1 - q.gamma * (1 - q.max_tv)))


def risen(q):
    return q.expected_return_new - q.expected_return_old


# --- constants -------------------------------------------------------------------------------------------------


@fails("F1 attains coupling/tv, so 5 % less is too little")
def coupling_five_percent_less(q):
    return q.surrogate_gap + 0.95 * coupled(q)


@holds("coupling/tv for the reward and for its negative")
def coupling_both_ways(q):
    return coupled(q) - abs(q.surrogate_gap)


@fails("F1 as x tends to 0")
def tv_39(q):
    return q.surrogate_gap + 3.9 * q.max_abs_advantage * horizon(q) * q.max_tv**2


@fails("F2: gap/KL is 2 e γ/(1 − γ) as x tends to 0, so that 1.9 is too little below γ = 0.05")
def pinsker_19(q):
    return q.surrogate_gap + 1.9 * q.max_abs_advantage * horizon(q) * q.max_kl


@holds("L − η(old) = Σ ρ Ā and |Ā| ≤ 2 α ε")
def gain_ceiling(q):
    return 2 * q.max_abs_advantage * q.max_tv / (1 - q.gamma) - q.surrogate_gain


@fails("A = (1, −1): Ā = 2 α ε is attained")
def gain_ceiling_halved(q):
    return q.max_abs_advantage * q.max_tv / (1 - q.gamma) - q.surrogate_gain


# --- which advantage -------------------------------------------------------------------------------------------


@fails("new may reach a state that old never visits, where A is large")
def advantage_where_old_goes(q):
    largest = q.max_s(q.max_a(abs(q.advantage)), where=q.visitation_old > 0)
    return q.surrogate_gap + 4 * largest * horizon(q) * q.max_tv**2


@fails("new = (1, 0), old = (1 − x, x): Ā = A(a₁), of first order in x against x²")
def advantage_where_new_plays(q):
    largest = q.max_s(q.max_a(abs(q.advantage), where=q.new > 0))
    return q.surrogate_gap + 4 * largest * horizon(q) * q.max_tv**2


@fails("A = (0, −1) under old = (1, 0): the maximum is 0")
def advantage_without_bars(q):
    return q.surrogate_gap + 4 * q.max_s(q.max_a(q.advantage)) * horizon(q) * q.max_tv**2


@holds("|Ā| ≤ α span A, with a factor 2 to spare")
def span_without_the_half(q):
    span = q.max_s(q.max_a(q.advantage) - q.min_a(q.advantage))
    return q.surrogate_gap + 4 * span * horizon(q) * q.max_tv**2


@fails("half of the half span: F1 has A = ±e")
def span_with_a_quarter(q):
    span = q.max_s(q.max_a(q.advantage) - q.min_a(q.advantage))
    return q.surrogate_gap + span * horizon(q) * q.max_tv**2


# --- distances -------------------------------------------------------------------------------------------------


@fails("F1 as x tends to 0: x³ against x²")
def tv_cubed(q):
    return q.surrogate_gap + 4 * q.max_abs_advantage * horizon(q) * q.max_tv**3


@fails("F1: 1/(1 − γ(1 − x)) is above 1")
def one_power_of_the_horizon(q):
    return q.surrogate_gap + 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) * q.max_tv**2


@fails("F1 at γ below 1/2")
def gamma_squared(q):
    return q.surrogate_gap + 4 * q.max_abs_advantage * q.gamma**2 / (1 - q.gamma) ** 2 * q.max_tv**2


@fails("F5: the state that new changes most is hardly visited; first order in x against x²")
def mean_tv_squared(q):
    return q.surrogate_gap + 4 * q.max_abs_advantage * horizon(q) * q.mean_tv**2


@fails("one state in which new = old makes it 0")
def least_tv(q):
    return q.surrogate_gap + 4 * q.max_abs_advantage * horizon(q) * q.min_s(q.tv) ** 2


@holds("‖ρ_new − ρ_old‖₁ ≤ 2γ/(1 − γ)² E_{d_new} TV as well, by exchanging the two")
def mean_tv_of_new(q):
    mean = q.sum_s(q.occupancy_new * q.tv)
    return q.surrogate_gap + 4 * q.max_abs_advantage * horizon(q) * q.max_tv * mean


@fails("‖(x, −x)‖₂/2 is TV/√2, half the constant")
def two_norm(q):
    squared = q.max_s(q.sum_a((q.new - q.old) ** 2)) / 4
    return q.surrogate_gap + 4 * q.max_abs_advantage * horizon(q) * squared


@holds("Cauchy-Schwarz: ‖x‖₁² ≤ |A| ‖x‖₂²")
def two_norm_with_actions(q):
    squared = q.old.shape[1] * q.max_s(q.sum_a((q.new - q.old) ** 2)) / 4
    return q.surrogate_gap + 4 * q.max_abs_advantage * horizon(q) * squared


@fails("new may never visit where old does: the left side is then infinite, KL(new‖old) is not")
def occupancy_by_the_other_kl(q):
    moved = q.sum_s(q.arithmetic.kl_div(q.occupancy_old, q.occupancy_new))
    return q.gamma / (1 - q.gamma) * q.sum_s(q.occupancy_old * q.reverse_kl) - moved


@holds("Pinsker, an array over states")
def kl_above_tv(q):
    return q.kl - 2 * q.tv**2


@fails("KL ~ x² against TV = x")
def kl_above_tv_itself(q):
    return q.kl - q.tv


# --- visits ----------------------------------------------------------------------------------------------------


@holds("the change of visits sums to 0, so one state has at most half of its 1-norm")
def visits_by_state(q):
    ceiling = q.gamma * q.max_tv / ((1 - q.gamma) * (1 - q.gamma * (1 - q.max_tv)))
    return ceiling - abs(q.visitation_new - q.visitation_old)


@fails("a leak of x to an absorbing state attains it")
def visits_by_state_five_percent_less(q):
    ceiling = 0.95 * q.gamma * q.max_tv / ((1 - q.gamma) * (1 - q.gamma * (1 - q.max_tv)))
    return ceiling - abs(q.visitation_new - q.visitation_old)


@fails("visits sum to 1/(1 − γ), their squares to nothing in particular", relation="=")
def visits_squared_sum(q):
    return q.sum_s(q.visitation_new**2) - q.sum_s(q.visitation_old**2)


# --- identities ------------------------------------------------------------------------------------------------


@holds("with new's visits there is nothing to subtract: equation (6), slack 0 everywhere")
def visits_of_new(q):
    return q.expected_return_new - q.expected_return_old - q.sum_s(q.visitation_new * q.expected_advantage)


@fails("with old's visits there is", relation="=")
def visits_of_old(q):
    return q.expected_return_new - q.expected_return_old - q.sum_s(q.visitation_old * q.expected_advantage)


@holds("equation (2) of new", relation="=")
def return_of_new(q):
    return q.discounted_sum_new(q.reward) - q.expected_return_new


@fails("old does not earn new's return", relation="=")
def return_of_new_by_old(q):
    return q.discounted_sum_old(q.reward) - q.expected_return_new


def turned_round(q):
    """The step from new to old: its `advantage` is A_new."""
    fields = {
        name: getattr(q, name) for name in ("gamma", "transition", "reward", "initial", "available", "batch_shape")
    }
    return Quantities(q.arithmetic, old=q.new, new=q.old, **fields)


@holds("the performance difference of the way back", relation="=")
def the_way_back(q):
    return risen(q) + q.sum_s(q.visitation_old * q.sum_a(q.old * turned_round(q).advantage))


@fails("new's own advantage has mean 0 under new: the sum tells nothing of the rise", relation="=")
def own_advantage(q):
    return risen(q) - q.sum_s(q.visitation_new * q.sum_a(q.new * turned_round(q).advantage))


# --- hypotheses ------------------------------------------------------------------------------------------------


@holds("performance difference", given=lambda q: (q.expected_advantage >= 0).all(0))
def rises_where_all_gain(q):
    return q.sum_s(q.visitation_new * q.expected_advantage)


@fails(
    "new may go where old does not",
    given=lambda q: ((q.expected_advantage >= 0) | (q.visitation_old == 0)).all(0),
)
def rises_where_visited_states_gain(q):
    return risen(q)


@fails("a gain of L may be a loss of η", given=lambda q: q.surrogate_gain > 0)
def rises_with_the_surrogate(q):
    return risen(q)


@holds("monotone improvement: equation (10)", given=lambda q: q.surrogate_gain > coupled(q))
def rises_with_the_minoriser(q):
    return risen(q)


@fails("V ≥ 0 does not bound span A by max|Q|", given=lambda q: q.min_s(q.value) >= 0)
def pirotta_with_v(q):
    largest = q.max_s(q.max_a(abs(q.q_value)))
    return q.surrogate_gap + 2 * largest * horizon(q) * q.max_tv**2


@holds("an average of equal numbers", relation="=", given=lambda q: q.close(q.tv, q.tv[:1]).all(0))
def equal_distances(q):
    return q.max_tv - q.mean_tv


@fails("F1 moves equally far in both states", given=lambda q: q.close(q.tv, q.tv[:1]).all(0))
def equal_distances_five_percent_less(q):
    return q.surrogate_gap + 0.95 * coupled(q)


@fails("L does not feel states that old never visits", given=lambda q: q.close(q.surrogate_gain, 0 * q.gamma))
def rises_where_the_surrogate_stays(q):
    return risen(q)


@fails("any leak, however small, to a bad state", given=lambda q: q.max_tv < 0.001)
def tiny_steps_beat_the_surrogate(q):
    return q.surrogate_gap


# --- written clumsily ------------------------------------------------------------------------------------------


@holds("coupling/tv, of one instance")
def clumsy_max(q):
    largest, far = abs(q.advantage).max(), q.tv.max()
    return q.surrogate_gap + 4 * largest * q.gamma * far**2 / ((1 - q.gamma) * (1 - q.gamma * (1 - far)))


@fails("max A in place of max|A|, of one instance")
def clumsy_max_without_bars(q):
    return q.surrogate_gap + 4 * q.advantage.max() * horizon(q) * q.tv.max() ** 2


@fails("the branch says nothing of small steps", given=lambda q: q.surrogate_gain > 0)
def clumsy_branch(q):
    if q.max_kl > 1:
        return 1
    return risen(q)


@holds("trpo/kl; where KL is infinite it says nothing")
def clumsy_finite(q):
    return np.where(np.isfinite(q.max_kl), q.surrogate_gap + 4 * q.max_abs_advantage * horizon(q) * q.max_kl, 0)


@fails("F5: cpo/mean-kl without its 2, below γ = 3/4")
def clumsy_root(q):
    return q.surrogate_gap + q.max_abs_expected_advantage * horizon(q) * np.sqrt(q.mean_kl / 2)


@holds("cpo/mean-kl, in NumPy's words")
def clumsy_root_in_full(q):
    return q.surrogate_gap + 2 * np.abs(q.expected_advantage).max(axis=0) * horizon(q) * np.sqrt(q.mean_kl / 2)


@fails("ρ · Ā is L's gain, not η's", given=lambda q: q.visitation_old @ q.expected_advantage >= 0)
def clumsy_product(q):
    return risen(q)


@holds("equation (7)", relation="=")
def clumsy_product_in_full(q):
    return q.surrogate - q.expected_return_old - q.visitation_old @ q.expected_advantage


@fails("min(KL, TV²) is below TV²: half of it, F1")
def clumsy_least(q):
    return q.surrogate_gap + 2 * q.max_abs_advantage * horizon(q) * np.minimum(q.max_kl, q.max_tv**2)


@holds("trpo/tv with 5 % to spare, in floats throughout")
def clumsy_floats(q):
    return float(q.surrogate_gap) + 4.2 * float(q.max_abs_advantage) * horizon(q) * math.pow(q.max_tv, 2)


@fails("as clumsy_root is")
def clumsy_root_of_floats(q):
    return q.surrogate_gap + q.max_abs_expected_advantage * horizon(q) * math.sqrt(q.mean_kl / 2)


@fails("L may be above η(new)")
def clumsy_float(q):
    return float(q.surrogate_gap)


@cannot_be_told("false, as erf(x) is of the order of x; but balls have no math.erf")
def clumsy_error_function(q):
    return q.surrogate_gap + q.max_abs_expected_advantage * math.erf(q.mean_kl)


@cannot_be_told("false, as L may be above η(new); but balls have no math.ldexp")
def clumsy_float_format(q):
    return math.ldexp(q.surrogate_gap, 1)


@cannot_be_told("no instance has TV above 1", given=lambda q: q.max_tv > 2)
def far_apart(q):
    return q.surrogate_gap


@cannot_be_told("never a number")
def nothing(q):
    return q.surrogate_gap * math.nan


@cannot_be_told("never finite")
def infinite(q):
    return 1 / (q.gamma - q.gamma)


# --- the verdicts ----------------------------------------------------------------------------------------------


SOME_UNTOLD = {*UNTOLD} - (set() if is_whole() else {"clumsy-error-function"})
SOME_TRUE, SOME_FALSE = sample(TRUE, 6), sample(FALSE, 6, start=3)


def in_a_process(*arguments):
    """What the tests read, of claims judged in a process without the checks of shapes."""
    helpers = os.pathsep.join([str(Path(__file__).parents[1] / "helpers"), *sys.path])
    call = [sys.executable, __file__, *arguments]
    run = subprocess.run(call, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": helpers})
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def verdicts():
    """Of those that can be told, on one battery."""
    return in_a_process(*SOME_TRUE, *SOME_FALSE)


@pytest.fixture(scope="module")
def undecided():
    """Of those that no instrument could tell."""
    return in_a_process()


def told(every, instances=INSTANCES):
    """What the tests read: of each, its verdict, and whether its witness is certified."""
    verified = tt.verify(every.values(), instances=instances)
    out = {}
    for name, one in every.items():
        verdict = verified[one.id]
        certified = verdict.witness is not None and tt.certify(verdict.witness, claims=[one]).certified
        out[name] = {"verdict": verdict.verdict, "effective": verdict.effective, "note": verdict.note}
        out[name]["certified"] = certified
    return out


def test_none_of_them_is_in_the_catalogue():
    every = [*TRUE.values(), *FALSE.values(), *UNTOLD.values()]
    assert len({one.id for one in every}) == len(every)
    assert not {one.id for one in every} & set(tt.claims)


@pytest.mark.slow
@pytest.mark.sampled
@pytest.mark.parametrize("name", SOME_TRUE)
def test_a_true_claim_is_not_refuted(name, verdicts):
    assert verdicts[name]["verdict"] in ("unrefuted", "proved"), verdicts[name]["note"]
    assert verdicts[name]["effective"] > 0


@pytest.mark.slow
@pytest.mark.sampled
@pytest.mark.parametrize("name", SOME_FALSE)
def test_a_false_claim_is_refuted(name, verdicts):
    assert verdicts[name]["verdict"] == "refuted", verdicts[name]["note"]
    assert verdicts[name]["certified"]


@pytest.mark.slow
def test_a_clumsy_formula_is_run_on_batches(verdicts):
    batched = {"clumsy-max", "clumsy-max-without-bars", "clumsy-branch", "clumsy-float", "clumsy-root-of-floats"}
    assert len(batched & verdicts.keys()) > 1
    for name in batched & verdicts.keys():
        assert "one instance at a time" not in verdicts[name]["note"]


# --- what balls cannot compute, and what is no slack -----------------------------------------------------------


@pytest.mark.parametrize("name", [name if name in SOME_UNTOLD else long(name) for name in UNTOLD])
def test_what_cannot_be_told_is_undecided(name, undecided):
    assert undecided[name]["verdict"] == "undecided"
    assert not undecided[name]["certified"]


@pytest.mark.parametrize("name", [long("clumsy-error-function"), "clumsy-float-format"])
def test_the_note_says_what_balls_cannot_compute(name, undecided):
    assert all(
        words in undecided[name]["note"] for words in ("TypeError", "math.sqrt", "q.sqrt", "one instance at a time")
    )


def test_the_note_says_that_no_hypothesis_was_met(undecided):
    assert undecided["far-apart"]["effective"] == 0
    assert "hypothes" in undecided["far-apart"]["note"]


def judged(formula, **details):
    return tt.verify(claim("mine/x", statement="x", **details)(formula), instances=500)["mine/x"]


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        (lambda q: q.surrogate_gap + coupled(q) >= 0, "not a number"),
        (lambda q: bool(np.all(q.surrogate_gap >= 0)), "not a number"),
        (lambda q: None, "not a number"),
        (lambda q: q.max_k1, "max_k1"),
    ],
)
def test_what_is_no_slack_is_an_error_that_says_so(formula, words):
    verdict = judged(formula)
    assert verdict.verdict == "error"
    assert words in verdict.note


def test_a_hypothesis_that_forgets_to_return_is_an_error():
    verdict = judged(lambda q: q.surrogate_gap, given=lambda q: None)
    assert verdict.verdict == "error"
    assert "`given`" in verdict.note


if __name__ == "__main__":
    mutation.GENERATIONS = 10 if sys.argv[1:] else 2
    if names := sys.argv[1:]:
        sys.stdout.write(json.dumps(told({name: (TRUE | FALSE)[name] for name in names})))
    else:
        with pytest.MonkeyPatch.context() as every_other_instrument_away:
            two_instruments(every_other_instrument_away)
            sys.stdout.write(
                json.dumps(told({name: one for name, one in UNTOLD.items() if name in SOME_UNTOLD}, instances=40))
            )
