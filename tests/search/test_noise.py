"""Noise of slacks relative to their own terms: against exact rationals and mpmath on steps down to TV 1e-12."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from tests.oracles.exact import ExactPolicy, ExactStep, nearest, rationals
from trpo_theory import claim
from trpo_theory.search.battery import random_instances
from trpo_theory.search.screen import Screen
from trpo_theory.step.instances import Instances
from trpo_theory.zoo import families


def bound(q: Any, constant: Any, divergence: Any) -> Any:
    return q.surrogate_gap + constant * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * divergence


@claim("noise/tv-3.9", statement="false", given=lambda q: q.max_tv <= 1e-8)
def tiny(q):
    return bound(q, Fraction(39, 10), q.max_tv**2)


def hostile(count: int, seed: int) -> Instances:
    """Steps of TV 1 to 1e-12, discounts to 1 - 1e-6, rewards of size 1e-6 to 1e6, probabilities to 1e-100."""
    rng = np.random.default_rng(seed)
    drawn = random_instances(rng, count, 3, 2)
    old = drawn.old * np.where(rng.random(drawn.old.shape) < 0.3, 10 ** -rng.uniform(0, 100, drawn.old.shape), 1.0)
    old = np.where(old.sum(-1, keepdims=True) > 0, old, drawn.old)
    old /= old.sum(-1, keepdims=True)
    new = old + 10 ** rng.uniform(-12, 0, (count, 1, 1)) * (drawn.new - old)
    return drawn.replace(
        old=old,
        new=new / new.sum(-1, keepdims=True),
        gamma=1 - 10 ** rng.uniform(-6, -0.1, count),
        reward=drawn.reward * 10 ** rng.uniform(-6, 6, (count, 1, 1)),
    )


def exactly(instances: Instances, k: int) -> ExactStep:
    """Rows over their exact sums; γ the decimal that it is written as."""

    def rows(array: np.ndarray) -> np.ndarray:
        numbers = rationals(array)
        return numbers / np.add.reduce(numbers, axis=-1, keepdims=True)

    mdp = rows(instances.transition[k]), rationals(instances.reward[k]), Fraction(repr(float(instances.gamma[k])))
    old, new = (
        ExactPolicy(*mdp, rows(instances.initial[k]), rows(policy[k])) for policy in (instances.old, instances.new)
    )
    return ExactStep(old, new, np.full(instances.old[k].shape, True))


def slack_of(step: ExactStep, constant: Fraction, kind: str) -> Any:
    """gap + constant ε γ/(1 − γ)² D, D = max TV² or max KL, at 80 digits."""
    old, new = step.old.policy, step.new.policy
    gamma = step.old.gamma

    def real(x: Any) -> Any:
        return mpmath.mpf(int(x.p)) / int(x.q)

    eps = max(real(x) if x > 0 else -real(x) for x in step.advantage.ravel())
    if kind == "tv":
        tv = max(sum(real(x) if x > 0 else -real(x) for x in row) / 2 for row in new - old)
        distance = tv**2
    else:
        terms = [
            [real(p) * mpmath.log(real(p) / real(q)) if p != 0 else mpmath.mpf(0) for p, q in zip(*pair, strict=True)]
            for pair in zip(old, new, strict=True)
        ]
        distance = max(mpmath.fsum(row) for row in terms)
    factor = mpmath.mpf(constant.numerator) / constant.denominator
    return real(step.surrogate_gap) + factor * eps * real(gamma) / (1 - real(gamma)) ** 2 * distance


@pytest.mark.parametrize("kind", ["tv", "kl"])
def test_signs_are_right_wherever_the_slack_is_above_the_noise(kind):
    """With constants of either side of the true one, on hostile instances: 80 digits."""
    instances = hostile(80, 3)
    told = within = 0
    for constant in (Fraction(-1), Fraction(1, 1000), Fraction(2)):
        subject = claim(f"noise/{kind}", statement="some")(
            lambda q, c=constant: bound(q, c, q.max_tv**2 if kind == "tv" else q.max_kl)
        )
        screened = Screen(subject)(instances)
        with mpmath.workdps(80):
            for k in range(len(instances)):
                if not np.isfinite(screened.slack[k]):
                    continue
                if kind == "kl" and ((instances.new[k] == 0) & (instances.old[k] > 0)).any():
                    continue
                true = slack_of(exactly(instances, k), constant, kind)
                off = abs(mpmath.mpf(float(screened.slack[k])) - true)
                slack = abs(screened.slack[k])
                far_above = 1e-9 * slack if slack > 1e6 * screened.noise[k] else 0.0
                assert off <= max(screened.noise[k], far_above)
                told += abs(screened.slack[k]) > screened.noise[k]
                within += abs(screened.slack[k]) <= screened.coarse_noise[k]
    assert told > 100
    assert within > 20  # instances that the coarse noise does not tell


@claim("noise/tv-3.9-plain", statement="false", given=lambda q: max(q.tv) <= 1e-8)
def plain(q):
    return bound(q, 3.9, max(q.tv) ** 2)


@pytest.mark.parametrize("subject", [tiny, plain], ids=["of a batch", "of one instance"])
def test_a_false_claim_about_tiny_steps_is_negative_in_floats(subject):
    """F1 attains 4 ε γ α²/(1 − γ)² as α → 0: with 3.9 the slack is −0.025 of the gap, exact rationals say."""
    x = np.array([1e-9, 1e-10, 1e-12])
    made = families.coupling_tight(gamma=np.full(3, 0.9), x=x)
    instances = Instances.of(made.mdp, made.old, made.new)
    screened = Screen(subject)(instances)
    for k in range(3):
        step = exactly(instances, k)
        with mpmath.workdps(80):
            true = slack_of(step, Fraction(39, 10), "tv") / mpmath.mpf(nearest(-step.surrogate_gap))
        assert float(true) == pytest.approx(-0.025, rel=1e-3)
    assert screened.negative.all()
    assert (screened.noise < 1e-2 * np.abs(screened.slack)).all()
    assert (screened.clear_slack < 0).all()


def test_an_identity_is_never_told():
    """0 = 0 in other words, in TV 1e-12: rounding of either sign, and none of it above the noise."""
    subject = claim("noise/identity", statement="=", relation="=")(
        lambda q: q.expected_return_new - q.expected_return_old - q.surrogate_gain - q.surrogate_gap
    )
    screen, instances = Screen(subject), hostile(300, 5)
    assert not screen(instances).negative.any()


def test_a_formula_that_error_bounds_do_not_follow_keeps_the_coarse_noise():
    cast = claim("noise/cast", statement="cast")(lambda q: (0 * q.gamma - q.max_tv).astype(np.float32).astype(float))
    instances = hostile(50, 1)
    screened = Screen(cast)(instances)
    assert (screened.noise == screened.coarse_noise).all()
