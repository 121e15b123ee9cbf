"""False bounds whose penalty reads the expected advantage, a mixture's weight, or second moments."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

import trpo_theory as tt
from experiments.power import examples
from experiments.power.case import Case, Formula, weakened
from trpo_theory import Quantities

MEAN_TV, MAX_TV = "mean_tv, max_abs_expected_advantage", "max_tv, max_abs_expected_advantage"
MEAN_KL, SPAN = "mean_kl, max_abs_expected_advantage", "max_tv, span of expected_advantage"
MIXTURE = "mixture_weight, max_abs_target_advantage"
BY_TIME = "chi2 and moments, time by time"


def mean_tv(q: Quantities) -> Any:
    """2γε' mean-TV/(1 − γ)², which F5 attains as its advantages grow."""
    return 2 * q.gamma * q.max_abs_expected_advantage / (1 - q.gamma) ** 2 * q.mean_tv


def max_tv_coupled(q: Quantities) -> Any:
    """2γε'α/((1 − γ)(1 − γ(1 − α))), which F4 attains."""
    return 2 * q.gamma * q.max_abs_expected_advantage * q.max_tv / ((1 - q.gamma) * (1 - q.gamma * (1 - q.max_tv)))


def max_tv(q: Quantities) -> Any:
    """2γε'α/(1 − γ)²."""
    return 2 * q.gamma * q.max_abs_expected_advantage / (1 - q.gamma) ** 2 * q.max_tv


def span(q: Quantities) -> Any:
    """max_s Ā − min_s Ā, times γα/(1 − γ)²."""
    return q.gamma / (1 - q.gamma) ** 2 * q.max_tv * (q.max_s(q.expected_advantage) - q.min_s(q.expected_advantage))


def cpo_mean_kl(q: Quantities) -> Any:
    """2γε' √(mean-KL/2)/(1 − γ)²."""
    return 2 * q.gamma * q.max_abs_expected_advantage / (1 - q.gamma) ** 2 * q.sqrt(q.mean_kl / 2)


def chain_mean_kl(q: Quantities) -> Any:
    """ε' √(2γ mean-KL/(1 − γ))/(1 − γ)."""
    return q.max_abs_expected_advantage / (1 - q.gamma) * q.sqrt(2 * q.gamma / (1 - q.gamma) * q.mean_kl)


def greedy(q: Quantities) -> Any:
    """γx² max|E_target A|/((1 − γ)(1 − γ(1 − x)))."""
    x = q.mixture_weight
    return q.gamma * x**2 * q.max_abs_target_advantage / ((1 - q.gamma) * (1 - q.gamma * (1 - x)))


def kakade_langford(q: Quantities) -> Any:
    """Twice that, which F4 attains."""
    return 2 * greedy(q)


def trpo_form(q: Quantities) -> Any:
    """2γx² max|E_target A|/(1 − γ)²."""
    return 2 * q.gamma * q.mixture_weight**2 * q.max_abs_target_advantage / (1 - q.gamma) ** 2


def _target_is_greedy(q: Quantities) -> Any:
    best = q.max_a(q.advantage)
    return q.close(q.max_abs_advantage + q.max_s(best - q.sum_a(q.target * q.advantage)), q.max_abs_advantage)


def _expected() -> list[Case]:
    gamma, long, short = F(1, 2), F(99, 100), F(1, 10**4)

    def far(at: F, x: F = F(1, 4), *, even: bool = False) -> Any:
        return lambda: examples.leaving(at, x, F(10**9), even=even)

    f5, f4 = "F5, as its advantages grow", "F4 attains it"
    steps = "F5 with an even old policy, as its advantages grow and its step falls, and γ → 0 or γ → 1"
    return [
        *weakened("cpo-mean-tv", MEAN_TV, mean_tv, (0.5, 0.9, 0.99, 0.999), far(gamma), f5, twin=True),
        *weakened("cpo-mean-tv-long", MEAN_TV, mean_tv, (0.9, 0.99), far(long), f5, region="gamma >= 0.99", twin=True),
        *weakened("cpo-mean-tv-short", MEAN_TV, mean_tv, (0.99,), far(F(1, 100)), f5, region="gamma <= 0.01"),
        *weakened(
            "mixing-mean-tv",
            MEAN_TV + ", mixing_new",
            _of("mixing/mean-tv"),
            (0.9, 0.99),
            far(gamma),
            f5,
            of="mixing/mean-tv",
        ),
        *weakened("geppo", MEAN_TV, mean_tv, (0.9,), far(gamma), f5),
        *weakened(
            "max-tv-coupled",
            MAX_TV,
            max_tv_coupled,
            (0.5, 0.9, 0.99),
            lambda: examples.mixture(gamma, F(1, 4)),
            f4,
            twin=True,
        ),
        *weakened(
            "max-tv-long",
            MAX_TV,
            max_tv,
            (0.9, 0.99),
            lambda: examples.mixture(long, F(1, 10**5)),
            f4,
            region="gamma >= 0.99",
        ),
        *weakened("span", SPAN, span, (0.9, 0.99), lambda: examples.mixture(gamma, F(1, 1000)), f4, twin=True),
        *weakened(
            "cpo-mean-kl", MEAN_KL, cpo_mean_kl, (0.5, 0.9, 0.99), far(short, F(1, 200), even=True), steps, twin=True
        ),
        *weakened(
            "chain-mean-kl",
            MEAN_KL,
            chain_mean_kl,
            (0.5, 0.9),
            far(F(999, 1000), F(1, 200), even=True),
            steps,
            twin=True,
        ),
        *weakened(
            *(
                "chain-mean-kl-long",
                MEAN_KL,
                chain_mean_kl,
                (0.9, 0.99),
                far(F(9999, 10**4), F(1, 200), even=True),
                steps,
            ),
            region="gamma >= 0.99",
        ),
    ]


def _mixtures() -> list[Case]:
    gamma, why = F(1, 2), "F4 attains it"
    return [
        *weakened(
            "kakade-langford",
            MIXTURE,
            kakade_langford,
            (0.9, 0.99, 0.999),
            lambda: examples.mixture(gamma, F(1, 4)),
            why,
            twin=True,
        ),
        *weakened(
            "kakade-langford-long",
            MIXTURE,
            trpo_form,
            (0.9, 0.99),
            lambda: examples.mixture(F(99, 100), F(1, 10**5)),
            why,
            region="gamma >= 0.99",
        ),
        *weakened(
            *("kakade-langford-greedy", MIXTURE, greedy, (0.9, 0.99), lambda: examples.mixture(gamma, F(1, 4), sign=0)),
            "F4 with A = 0 in its second state attains it",
            given=_target_is_greedy,
            twin=True,
        ),
    ]


def _of(bound: str) -> Formula:
    """The penalty of a bound of the catalogue."""
    return lambda q: tt.bounds.get(bound).penalty(q)


def _moments() -> list[Case]:
    early = F(1, 10**4)
    fork = "one step of a likelihood ratio, and Ā against it: attained as γ → 0"
    exact = "one step of a likelihood ratio, and Ā against it, then an end: attained"

    def of(id: str, family: str, shares: tuple[float, ...], gamma: F, why: str, **details: Any) -> list[Case]:
        name = id.replace("/", "-")
        return weakened(name, family, _of(id), shares, lambda: examples.fork(gamma, F(1, 10)), why, of=id, **details)

    half = F(1, 2)
    return [
        *of("chi2/expected-advantage", "reverse_max_chi2, expected_advantage_sd", (0.9, 0.99), early, fork, twin=True),
        *of("chi2/advantage", "reverse_max_chi2, rms_advantage", (0.9, 0.99), early, fork, twin=True),
        *of("chi2/reward", "reverse_max_chi2, reward_sd", (0.9, 0.99), early, fork, twin=True),
        *of("chi2/instance", BY_TIME, (0.9, 0.99), early, fork),
        *of("chi2/time-resolved", BY_TIME, (0.5, 0.9, 0.999), half, exact, twin=True),
        *of("chi2/mean-max", BY_TIME, (0.9, 0.99), half, exact, twin=True),
        *of("transition/time-resolved", BY_TIME, (0.9, 0.99), half, exact, twin=True),
        *of("transition/mean-max", BY_TIME, (0.9,), half, exact),
        *of("chi2/floor", BY_TIME, (0.9,), half, exact),
    ]


CASES = [*_expected(), *_mixtures(), *_moments()]
