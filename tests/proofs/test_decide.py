"""`decide`: closed forms of the zoo exactly, every bound on them, near equalities by precision, and nothing guessed."""

from __future__ import annotations

import decimal
import time
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from cheap import is_whole

from trpo_theory import bounds
from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.proofs.decide import decide
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.quantities import Quantities

F = Fraction
half = F(1, 2)


def one(transition, reward, gamma, initial, old, new) -> ExactInstance:
    return ExactInstance(transition=transition, reward=reward, gamma=gamma, initial=initial, old=old, new=new)


# --- the named worst cases with rational parameters, written out, each with its gap ----------------------------------


def f1(gamma="1/2", x="1/4", e=1):
    gamma, x, e = map(F, (gamma, x, e))
    new = [[half, half - x, x], [half - x, half + x, 0]]
    gap = -4 * e * gamma * x**2 / ((1 - gamma) * (1 - gamma * (1 - x)))
    moves = [[[1, 0], [1, 0], [0, 1]], [[0, 1]] * 3]
    return one(moves, [[e, -e, e]] * 2, gamma, [1, 0], [[half, half, 0]] * 2, new), gap


def f1_far(gamma="1/2", x="3/4", e=1):
    gamma, x, e = map(F, (gamma, x, e))
    gap = -2 * e * gamma * x / ((1 - gamma) * (1 - gamma * (1 - x)))
    moves = [[[1, 0], [1, 0], [0, 1]], [[0, 1]] * 3]
    new = [[1 - x, 0, x], [0, 1, 0]]
    return one(moves, [[e, -e, e]] * 2, gamma, [1, 0], [[half, half, 0]] * 2, new), gap


def f2(gamma="1/3", x="1/10", e=1):
    gamma, x, e = map(F, (gamma, x, e))
    moves = [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2]
    new = [[half - x, half + x], [half + x, half - x], [half - x, half + x]]
    return one(moves, [[0, 0], [e, -e], [e, -e]], gamma, [1, 0, 0], [[half] * 2] * 3, new), -4 * x**2 * e * gamma / (
        1 - gamma
    )


def f3(gamma="2/3", e=1):
    """a = 1/5 and b = 0, so that y = ½ √(1 − (1−a)²(1−4b²)) = ½ · 3/5 is rational."""
    gamma, e = map(F, (gamma, e))
    a, b, y = F(1, 5), F(0), F(3, 10)
    gain = (1 - a) * 2 * b + a + 2 * y
    moves = [[[1, 0], [1, 0], [0, 1]], [[0, 1]] * 3]
    new = [[(1 - a) * (half + b), (1 - a) * (half - b), a], [half - y, half + y, 0]]
    gap = -e * gamma * a * gain / ((1 - gamma) * (1 - gamma * (1 - a)))
    return one(moves, [[e, -e, e]] * 2, gamma, [1, 0], [[half, half, 0]] * 2, new), gap


def f4(gamma="9/10", x="1/7", e=2):
    gamma, x, e = map(F, (gamma, x, e))
    moves = [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]
    gap = -2 * e * gamma * x**2 / ((1 - gamma) * (1 - gamma * (1 - x)))
    return one(moves, [[0, e], [0, -e]], gamma, [1, 0], [[1, 0]] * 2, [[1 - x, x]] * 2), gap


def f5(gamma="1/2", x="1/10", scale=100, expected=1):
    gamma, x, scale, expected = map(F, (gamma, x, scale, expected))
    shift = expected / (2 * scale)
    moves = [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2]
    old = [[1, 0], [half, half], [half, half]]
    new = [[1 - x, x], [half + shift, half - shift], [half - shift, half + shift]]
    reward = [[0, 0], [scale, -scale], [scale, -scale]]
    return one(moves, reward, gamma, [1, 0, 0], old, new), -2 * gamma * expected * x / (1 - gamma)


def f6(gamma="9/10", p="2/5", p_new="7/10"):
    gamma, p, p_new = map(F, (gamma, p, p_new))
    moves = [[[0, 1, 0], [0, 0, 1]], [[0, 0, 1]] * 2, [[0, 0, 1]] * 2]
    rows = [[p, 1 - p]] * 3, [[p_new, 1 - p_new]] * 3
    return one(moves, [[0, 0], [0, 1], [0, 0]], gamma, [1, 0, 0], *rows), -gamma * (p_new - p) ** 2


FAMILIES = {
    "f1": f1(),
    "f1, thirds": f1(F(9, 10), F(1, 3), F(5, 7)),
    "f1, x > 1/2": f1_far(),
    "f2": f2(),
    "f3": f3(),
    "f4": f4(),
    "f5": f5(),
    "f6": f6(),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_gap_is_the_closed_form_exactly(name):
    instance, gap = FAMILIES[name]
    assert instance.quantities().surrogate_gap.fraction == gap
    proof = decide(lambda q: q.expected_return_new - q.surrogate - gap, instance, relation="=")
    assert (proof.verdict, proof.enclosure) == ("proved", "0")


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("bound_id", list(bounds.plain()))
def test_every_bound_of_the_catalogue_is_decided_on_the_families(name, bound_id):
    """They are theorems: each must be proved. The slack is gap + penalty, the gap in closed form."""
    instance, gap = FAMILIES[name]
    bound = bounds.get(bound_id)
    proof = decide(bound.slack, instance)
    assert proof.verdict == "proved", proof
    assert proof.precision <= 256
    q = instance.quantities()
    penalty, shift = bound.penalty(q), 0 if bound.shift is None else bound.shift(q).fraction
    if proof.lower is not None:
        assert float(proof.lower - gap + shift) == pytest.approx(penalty.midpoint, rel=1e-12)
        assert proof.lower >= 0
    else:
        assert proof.enclosure == "inf"


@pytest.mark.parametrize(
    ("gamma", "x"), [(half, F(1, 4)), (F(9, 10), F(1, 3)), (F(1, 3), F(1, 2)), (F(99, 100), F(1, 1000))]
)
def test_coupling_is_attained_on_f1_exactly(gamma, x):
    proof = decide(bounds.get("coupling/tv").slack, f1(gamma, x)[0])
    assert (proof.verdict, proof.lower, proof.upper, proof.enclosure) == ("proved", 0, 0, "0")


def test_trpo_tv_with_two_for_four_is_refuted_on_f1():
    def slack(q: Quantities):
        return q.surrogate_gap + 2 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2

    proof = decide(slack, f1()[0])
    assert (proof.verdict, proof.enclosure, proof.met, proof.precision) == ("refuted", "-3/20", True, 64)
    assert proof.lower == proof.upper == F(-3, 20)


def test_the_own_advantage_kl_bound_of_blogs_is_refuted_on_f2():
    """At γ = .5, x = .1 the gap is −.0400 and the penalty .0163; here by its closed form."""

    def slack(q: Quantities):
        return q.surrogate_gap + 2 * q.max_abs_expected_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_kl

    proof = decide(slack, f2(half, F(1, 10))[0])
    with mpmath.workdps(40):
        truth = mpmath.mpf(-4) / 100 + 2 * mpmath.mpf(2) / 10 * 2 * (-mpmath.log(1 - mpmath.mpf(4) / 100) / 2)
        assert proof.verdict == "refuted"
        low, high = (mpmath.mpf(end.numerator) / end.denominator for end in (proof.lower, proof.upper))
        assert low <= truth <= high < 0
        text = [mpmath.mpf(end) for end in proof.enclosure.strip("[]").split(", ")]
        assert text[0] <= low <= high <= text[1] < 0
        assert text[1] - text[0] < 1e-9 * abs(truth)


# --- what precision decides, and what it does not --------------------------------------------------------------------


@pytest.mark.parametrize("digits", [10, 80, 300])
@pytest.mark.parametrize("sign", [1, -1])
def test_near_equalities_are_decided_by_precision(digits, sign):
    """On F2, max-KL is −½ log(1 − 4x²) = −½ log(24/25): the slack is exactly sign · 10^−digits."""
    instance, _ = f2(half, F(1, 10))
    shift = sign * F(1, 10**digits)
    proof = decide(lambda q: q.max_kl + q.log(F(24, 25)) / 2 + shift, instance)
    assert proof.verdict == ("proved" if sign > 0 else "refuted")
    assert proof.lower <= shift <= proof.upper
    assert proof.precision >= digits * 3.3 or digits == 10
    assert decide(lambda q: q.max_kl + q.log(F(24, 25)) / 2 + shift, instance, relation="=").verdict == "refuted"


@pytest.mark.parametrize("relation", [">=", "="])
def test_a_true_transcendental_equality_is_undecided_and_quickly(relation):
    instance, _ = f2(half, F(1, 10))
    start = time.process_time()
    proof = decide(lambda q: q.max_kl + q.log(F(24, 25)) / 2, instance, relation=relation)
    assert time.process_time() - start < 1
    assert (proof.verdict, proof.precision, proof.met) == ("undecided", 4096, True)
    assert -F(1, 10**1000) < proof.lower < 0 < proof.upper < F(1, 10**1000)
    assert decide(lambda q: q.max_kl + q.log(F(24, 25)) / 2, instance, limit=100).precision == 100


def test_an_indeterminate_ball_is_undecided_never_infinite():
    instance, _ = f2(half, F(1, 10))
    for slack in (
        lambda q: 1 / (q.max_kl + q.log(F(24, 25)) / 2),
        lambda q: q.sqrt(q.max_kl + q.log(F(24, 25)) / 2),
        lambda q: q.log(q.max_kl + q.log(F(24, 25)) / 2),
        lambda q: 1 / (q.max_kl - q.max_kl),
        lambda q: np.inf * (q.max_kl - q.max_kl),
        lambda q: 1 if q.max_kl == q.log(F(25, 24)) / 2 else -1,
    ):
        proof = decide(slack, instance)
        assert (proof.verdict, proof.lower, proof.upper, proof.enclosure) == ("undecided", None, None, "unknown")


def test_infinities_and_nothing():
    instance, _ = f1()  # old never plays a3 and new does: the reverse KL is infinite
    assert decide(lambda q: q.reverse_max_kl - 1, instance).enclosure == "inf"
    assert decide(lambda q: q.reverse_max_kl - 1, instance).verdict == "proved"
    assert decide(lambda q: 1 - q.reverse_max_kl, instance).verdict == "refuted"
    assert decide(lambda q: 1 - q.reverse_max_kl, instance).enclosure == "-inf"
    assert decide(lambda q: q.reverse_max_kl, instance, relation="=").verdict == "refuted"
    for relation in (">=", "="):
        proof = decide(lambda q: q.reverse_max_kl * (q.gamma - half), instance, relation=relation)
        assert (proof.verdict, proof.enclosure, proof.lower) == ("proved", "nothing", None)


def test_a_mistake_such_as_the_root_of_a_negative_number_proves_nothing():
    instance, gap = f1()
    assert gap < 0
    start = time.process_time()
    proof = decide(lambda q: q.sqrt(q.surrogate_gap), instance)
    assert (proof.verdict, proof.enclosure) == ("undecided", "undefined")
    assert time.process_time() - start < 0.2
    # where it is masked out it does no harm
    masked = decide(lambda q: q.arithmetic.where(q.advantage > 0, q.sqrt(q.advantage), 0), instance)
    assert (masked.verdict, masked.enclosure) == ("proved", "0")


# --- hypotheses, arrays, errors -------------------------------------------------------------------------------------


def test_hypotheses():
    instance, gap = f1()

    def refuted(q: Quantities):
        return q.surrogate_gap

    vacuous = decide(refuted, instance, given=lambda q: q.max_tv < half / 4)
    assert (vacuous.verdict, vacuous.met, vacuous.lower) == ("vacuous", False, None)
    for given in (
        lambda q: q.max_tv <= 0.25,
        lambda q: q.tv == 0.25,
        lambda q: True,
        lambda q: np.True_,
        lambda q: q.close(q.tv, 0.25),
        lambda q: (q.max_kl > 0.3) & (q.max_tv > 0),
    ):
        met = decide(refuted, instance, given=given)
        assert (met.verdict, met.met, met.lower) == ("refuted", True, gap)
    assert decide(refuted, instance, given=lambda q: q.advantage > 0).verdict == "vacuous"
    # a slack is not asked for where the hypothesis is false
    assert decide(lambda q: 1 // 0, instance, given=lambda q: False).verdict == "vacuous"


def test_an_open_hypothesis_is_undecided_whatever_the_slack():
    instance, _ = f2(half, F(1, 10))
    proof = decide(lambda q: q.surrogate_gap, instance, given=lambda q: q.max_kl <= -q.log(F(24, 25)) / 2)
    assert (proof.verdict, proof.met, proof.precision) == ("undecided", None, 4096)
    closer = decide(
        lambda q: q.surrogate_gap, instance, given=lambda q: q.max_kl <= -q.log(F(24, 25)) / 2 + F(1, 10**80)
    )
    assert (closer.verdict, closer.met, closer.precision) == ("refuted", True, 512)


def test_of_an_array_every_entry_must_comply():
    instance, _ = f1()
    assert decide(lambda q: q.tv - 0.25, instance).enclosure == "0"
    assert decide(lambda q: q.tv - 0.25, instance, relation="=").verdict == "proved"
    worst = decide(lambda q: q.advantage + half, instance)
    assert (worst.verdict, worst.enclosure) == ("refuted", "-1/2")
    furthest = decide(lambda q: q.advantage * [1, 3, 1], instance, relation="=")
    assert (furthest.verdict, furthest.enclosure) == ("refuted", "-3")
    # one entry proved, one refuted, one open: refuted; without the refuted one, undecided
    log = Ball(2).log
    assert decide(lambda q: [1, -1, log() - log()], instance).verdict == "refuted"
    assert decide(lambda q: [1, 0.5, log() - log()], instance).verdict == "undecided"
    assert decide(lambda q: [1, np.inf, np.nan], instance).enclosure == "1"
    assert decide(lambda q: 0.0, instance, relation="=").verdict == "proved"


def test_errors_of_the_formula_come_through():
    instance, _ = f1()
    for slack, error in (
        (lambda q: q.no_such_field, AttributeError),
        (lambda q: float(q.max_kl), TypeError),
        (lambda q: 1 // 0, ZeroDivisionError),
        (lambda q: "0", TypeError),
    ):
        with pytest.raises(error):
            decide(slack, instance)


@pytest.mark.parametrize("slack", [lambda q: None, lambda q: q.max_tv >= 0, lambda q: q.tv > 0, lambda q: []])
def test_a_slack_that_is_no_number_is_refused(slack):
    """False would count as 0, and be proved."""
    with pytest.raises(InvalidInput, match="larger side minus the smaller"):
        decide(slack, f1()[0])


def test_other_arguments_are_refused():
    with pytest.raises(InvalidInput, match="'>=' or '='"):
        decide(lambda q: 1, f1()[0], relation=">")
    with pytest.raises(InvalidInput, match="None"):
        decide(lambda q: 1, f1()[0], given=lambda q: None)


def test_the_enclosure_is_rounded_outward_and_keeps_the_sign():
    instance, _ = f1()
    for value in (F(-(10**40) - 1, 3 * 10**40), F(1, 3**50), -F(2, 7**60), F(10**30, 7)):
        proof = decide(lambda q, value=value: q.gamma * 0 + value, instance)
        low, high = (F(decimal.Decimal(end)) for end in proof.enclosure.strip("[]").split(", "))
        assert low < value < high
        assert high - low < abs(value) / 10**8
        assert (low > 0) is (value > 0)
        assert (high < 0) is (value < 0)


def test_long_rationals_are_decided_exactly():
    """The slack is −3^−9500: more digits than Python writes out."""
    proof = decide(lambda q: q.gamma - half - F(1, 3) ** 9500, f1()[0])
    assert proof.verdict == "refuted"
    assert proof.lower == proof.upper == -(F(1, 3) ** 9500)
    assert proof.precision == 64


@pytest.mark.slow
@pytest.mark.sampled
def test_a_random_step_is_decided_as_floats_say():
    rng = np.random.default_rng(3)
    for _ in range(10 if is_whole() else 4):
        draw = {
            name: rng.dirichlet(np.ones(3), size=size)
            for name, size in (("transition", (3, 3)), ("old", 3), ("new", 3))
        }
        instance = ExactInstance(**draw, reward=rng.normal(size=(3, 3)), gamma=0.9, initial=rng.dirichlet(np.ones(3)))
        for bound in bounds.plain().values():
            assert decide(bound.slack, instance).verdict == "proved"
        proof = decide(lambda q: q.surrogate_gain, instance)
        old, new = (draw[name] for name in ("old", "new"))
        chain = np.einsum("sa,sat->st", old, draw["transition"])
        value = np.linalg.solve(np.eye(3) - 0.9 * chain, (old * instance.floats()["reward"]).sum(1))
        q_value = instance.floats()["reward"] + 0.9 * draw["transition"] @ value
        visitation = np.linalg.solve(np.eye(3) - 0.9 * chain.T, instance.floats()["initial"])
        gain = visitation @ ((new - old) * q_value).sum(1)
        assert proof.verdict == ("proved" if gain >= 0 else "refuted")
        assert float(proof.lower) == pytest.approx(gain, rel=1e-9, abs=1e-12)


# --- laws over time, which are kept from one formula to the next -------------------------------------------------------


@pytest.mark.parametrize(("sign", "verdict"), [(1, "proved"), (-1, "refuted")])
def test_laws_that_are_kept_are_computed_again_for_more_digits(sign, verdict):
    """From state 0, P(0 -> 0) = 1/3 and P(1 -> 0) = 1/7: p_t(0) = 3/17 + 14/17 (4/21)^t, at t = 300 above 3/17 by 1e-216."""
    moves = [[["1/3", "2/3"]], [["1/7", "6/7"]]]
    instance = one(moves, [[1], [0]], "1/2", [1, 0], [[1]] * 2, [[1]] * 2)
    decision = decide(lambda q: sign * (q.law_block(9, 32)[12][0] - F(3, 17)), instance)
    assert (decision.verdict, decision.precision > 200) == (verdict, True)
    excess = F(14, 17) * F(4, 21) ** 300
    assert abs(decision.lower - sign * excess) < excess / 10


def test_a_timed_bound_that_says_nothing_is_proved_though_its_variances_die_out():
    """New goes where old never does, and old ends with probability 1 - 2^-t: 0 times infinity is not asked for."""
    moves = [[["1/2", "1/2"], [0, 1], ["1/3", "2/3"]], [[0, 1]] * 3]
    old, new = [["1/2", "1/2", 0], [1, 0, 0]], [["1/4", "1/4", "1/2"], [1, 0, 0]]
    instance = one(moves, [[1, 0, "1/3"], [0, 0, 0]], "999999/1000000", [1, 0], old, new)
    for name in ("chi2/time-resolved", "chi2/mean-max"):
        decision = decide(bounds.get(name).signed_slack, instance)
        assert (decision.verdict, decision.enclosure) == ("proved", "inf")
