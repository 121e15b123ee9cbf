"""False bounds whose penalty reads max |A| and a divergence of policies: constants below the least true one."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

from experiments.power import examples
from experiments.power.case import Case, weakened
from trpo_theory import Quantities

TV, KL = "max_tv, max_abs_advantage", "max_kl, max_abs_advantage"
REVERSE_KL, MEAN_KL = "reverse_max_kl, max_abs_advantage", "mean_kl, max_abs_advantage"
CHI2, REVERSE_CHI2 = "max_chi2, max_abs_advantage", "reverse_max_chi2, max_abs_advantage"
OTHER = "another divergence, max_abs_advantage"

LIMIT_09, LIMIT_099, LIMIT_0999 = 0.8185, 0.8011, 0.7978
"""Of chain-rule/kl, the share that some MDP uses as D → 0 at γ = 0.9, 0.99, 0.999, rounded: h(0)/Li_{−1/2}(γ), with h(0) at
least 21.0430 and 704.51 (docs/theory.md, "The sharp gap", in floats), and the walk's, γ/((1 − γ)√(1 − γ²))."""


def one_step(q: Quantities) -> Any:
    """ε γ/(1 − γ)²."""
    return q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2


def coupling(q: Quantities) -> Any:
    """4εγα²/((1 − γ)(1 − γ(1 − α))), which F1 attains for α ≤ ½."""
    return 4 * q.max_abs_advantage * q.gamma * q.max_tv**2 / ((1 - q.gamma) * (1 - q.gamma * (1 - q.max_tv)))


def trpo_tv(q: Quantities) -> Any:
    """4εγα²/(1 − γ)²: F1 uses (1 − γ)/(1 − γ(1 − α)) of it."""
    return 4 * one_step(q) * q.max_tv**2


def mixed_tv(q: Quantities) -> Any:
    """4εγ α mean-TV/(1 − γ)²."""
    return 4 * one_step(q) * q.max_tv * q.mean_tv


def mixing_tv(q: Quantities) -> Any:
    """4εγ τ α²/(1 − γ), which is coupling's on F1."""
    return 4 * q.max_abs_advantage * q.gamma * q.mixing_new / (1 - q.gamma) * q.max_tv**2


def pinsker(q: Quantities) -> Any:
    """2εγD/(1 − γ)²."""
    return 2 * one_step(q) * q.max_kl


def reverse_pinsker(q: Quantities) -> Any:
    """2εγ max-KL(new‖old)/(1 − γ)²."""
    return 2 * one_step(q) * q.reverse_max_kl


def chain_rule(q: Quantities) -> Any:
    """2ε Li_{−1/2}(γ) D."""
    return 2 * q.max_abs_advantage * q.polylog(-0.5, q.gamma) * q.max_kl


def reverse_chain_rule(q: Quantities) -> Any:
    """2ε Li_{−1/2}(γ) max-KL(new‖old)."""
    return 2 * q.max_abs_advantage * q.polylog(-0.5, q.gamma) * q.reverse_max_kl


def bretagnolle_huber(q: Quantities) -> Any:
    """2εγ(1 − e^−D)/(1 − γ)²: half of bh/kl, as TV² ≤ KL/2 for small steps."""
    return 2 * one_step(q) * (1 - q.exp(-q.max_kl))


def local_mean_kl(q: Quantities) -> Any:
    """2ε √(γ/(1 − γ)³) mean-KL: no smaller multiple of mean-KL is true at any γ."""
    return 2 * q.max_abs_advantage * q.sqrt(q.gamma / (1 - q.gamma) ** 3) * q.mean_kl


def _limit(share: float, penalty: Any) -> Any:
    return lambda q: share * penalty(q)


def _small_kl() -> examples.Example:
    return examples.pinsker(F(1, 10**4), F(1, 200))


def _long_walk() -> examples.Example:
    return examples.walk(F(9, 10), F(1, 10**6), 16)


def _longer_walk() -> examples.Example:
    return examples.walk(F(99, 100), F(1, 10**6), 40)


_F1 = "F1 attains it"
_F2 = "F2 comes as close as one likes as γ and its step go to 0"
_WALK = "the drunkard's walk, as its length grows"
_TREE = 'a tree of likelihood ratios: docs/theory.md, "The linear mean-KL theorems"'


def _tv() -> list[Case]:
    small, thin = F(1, 10**5), F(1, 10**7)
    return [
        *weakened(
            "coupling-tv",
            TV,
            coupling,
            (0.5, 0.9, 0.99, 0.999),
            lambda: examples.coupling(F(1, 2), F(1, 4)),
            _F1,
            twin=True,
        ),
        *weakened(
            *("trpo-tv-long", TV, trpo_tv, (0.9, 0.99, 0.999), lambda: examples.coupling(F(99, 100), small / 100), _F1),
            region="gamma >= 0.99",
            twin=True,
        ),
        *weakened(
            *("trpo-tv-longer", TV, trpo_tv, (0.9,), lambda: examples.coupling(F(9999, 10**4), thin), _F1),
            region="gamma >= 0.999",
        ),
        *weakened(
            *("trpo-tv-short", TV, trpo_tv, (0.9, 0.99), lambda: examples.coupling(F(1, 100), F(1, 10)), _F1),
            region="gamma <= 0.01",
        ),
        *weakened(
            "mixed-tv",
            TV + ", mean_tv",
            mixed_tv,
            (0.9, 0.99),
            lambda: examples.coupling(F(1, 2), F(1, 1000)),
            _F1,
            twin=True,
        ),
        *weakened(
            "mixing-tv",
            TV + ", mixing_new",
            mixing_tv,
            (0.9, 0.99),
            lambda: examples.coupling(F(1, 2), F(1, 4)),
            _F1,
            twin=True,
        ),
    ]


def _kl() -> list[Case]:
    return [
        *weakened("pinsker-kl", KL, pinsker, (0.5, 0.9, 0.99, 0.999), _small_kl, _F2, twin=True),
        *weakened("chain-rule-kl", KL, chain_rule, (0.5, 0.9, 0.99, 0.999), _small_kl, _F2, twin=True),
        *weakened(
            *("chain-rule-kl-long", KL, _limit(LIMIT_09, chain_rule), (0.5, 0.9, 0.95), _long_walk, _WALK),
            region="gamma >= 0.9",
        ),
        *weakened(
            *("chain-rule-kl-longer", KL, _limit(LIMIT_099, chain_rule), (0.5, 0.9, 0.99), _longer_walk, _WALK),
            region="gamma >= 0.99",
        ),
        *weakened(
            "chain-rule-kl-longest",
            KL,
            _limit(LIMIT_0999, chain_rule),
            (0.5, 0.9),
            lambda: examples.walk(F(999, 1000), F(1, 10**6), 80),
            _WALK,
            region="gamma >= 0.999",
        ),
        *weakened(
            *("pinsker-kl-long", KL, _limit(0.2338, pinsker), (0.5, 0.9), _long_walk, _WALK), region="gamma >= 0.9"
        ),
        *weakened("bretagnolle-huber", KL, bretagnolle_huber, (0.9,), _small_kl, _F2),
        *weakened("pinsker-reverse-kl", REVERSE_KL, reverse_pinsker, (0.5, 0.9, 0.99), _small_kl, _F2, twin=True),
        *weakened("chain-rule-reverse-kl", REVERSE_KL, reverse_chain_rule, (0.9, 0.99), _small_kl, _F2, twin=True),
        *weakened(
            *("chain-rule-reverse-kl-long", REVERSE_KL, _limit(LIMIT_09, reverse_chain_rule), (0.5, 0.9), _long_walk),
            _WALK,
            region="gamma >= 0.9",
        ),
    ]


def _mean_kl() -> list[Case]:
    return [
        *weakened("mean-kl-short", MEAN_KL, local_mean_kl, (0.25, 0.5, 0.7, 0.9), _tall, _TREE, region="gamma <= 0.3"),
        *weakened(
            "mean-kl-long",
            MEAN_KL,
            lambda q: 1.014 * one_step(q) * q.mean_kl,
            (0.5, 0.9),
            lambda: examples.leak(F(99, 100), F(1, 10**5)),
            "a leak to a state that old never sees attains 1/1.014 of it, and the linear program of the sharp gap all",
            region="gamma >= 0.99",
        ),
    ]


def _tall() -> examples.Example:
    """The tree of seven levels whose tilts are best against 0.9 of the local constant at γ = 1/10, in small rationals."""
    gamma, tilts, c = 0.1, [], 0.0
    multiplier = 2 * 0.9 * (gamma / (1 - gamma)) ** 0.5
    for _ in range(6):
        tilts.append(F(1 / (multiplier - 2 * gamma * c)).limit_denominator(1000))
        c = gamma * c + 1 / (4 * (multiplier / 2 - gamma * c))
    return examples.tree(F(1, 10), F(1, 10**6), tilts[::-1])


def _others() -> list[Case]:
    def largest(divergence: Any, factor: int) -> Any:
        return lambda q: factor * one_step(q) * q.max_s(divergence(q))

    return [
        *weakened("chi2", CHI2, lambda q: one_step(q) * q.max_chi2, (0.9, 0.99), _small_kl, _F2, twin=True),
        *weakened(
            "reverse-chi2",
            REVERSE_CHI2,
            lambda q: one_step(q) * q.reverse_max_chi2,
            (0.5, 0.9, 0.99),
            _small_kl,
            _F2,
            twin=True,
        ),
        *weakened("hellinger2", OTHER, largest(lambda q: q.hellinger2, 8), (0.9,), _small_kl, _F2),
        *weakened("jensen-shannon", OTHER, largest(lambda q: q.jensen_shannon, 8), (0.9,), _small_kl, _F2, twin=True),
        *weakened("renyi-half", OTHER, largest(lambda q: q.renyi(F(1, 2)), 4), (0.9,), _small_kl, _F2, twin=True),
    ]


CASES = [*_tv(), *_kl(), *_mean_kl(), *_others()]
