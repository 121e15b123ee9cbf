"""The oracle of the witnesses on occupancies, ratios, two models, smoothness and steps: slacks, hypotheses and steps by claim.

Written from the text of the catalogue over `witness_oracle.Case`, which joins them to its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath

MP = mpmath.mp.clone()
MP.dps = 60


def dot(x: Any, y: Any) -> Any:
    return sum(a * b for a, b in zip(x, y, strict=True))


def real(x: Any) -> Any:
    return MP.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else MP.mpf(x)


def tv(p: Any, q: Any) -> Any:
    return sum(abs(x - y) for x, y in zip(p, q, strict=True)) / 2


def kl(p: Any, q: Any) -> Any:
    pairs = [(real(x), real(y)) for x, y in zip(p, q, strict=True) if x != 0]
    return MP.inf if any(y == 0 for _, y in pairs) else MP.fsum(x * MP.log(x / y) for x, y in pairs)


def moved(c: Any) -> Any:
    """‖d_new − d_old‖₁."""
    return sum(abs(x - y) for x, y in zip(c.new.occupancy, c.old.occupancy, strict=True))


def per_horizon(c: Any) -> Any:
    """γ/(1 − γ)."""
    return c.gamma / (1 - c.gamma)


# --- occupancies and critics -----------------------------------------------------------------------------------


def residual(c: Any, policy: Any) -> list[Any]:
    """Σ_a policy (r + γ P f) − f with f = V_old + Σ_a old noise."""
    f = [v + dot(o, n) for v, o, n in zip(c.old.value, c.old_policy, c.noise, strict=True)]
    backed = [[c.reward[s][a] + c.gamma * dot(c.transition[s][a], f) for a in c.actions] for s in c.states]
    return [dot(policy[s], backed[s]) - f[s] for s in c.states]


def beyond_critic(c: Any) -> Any:
    """η(new) − η(old) − Σ ρ_old (the residual of new − that of old)."""
    first = dot(
        c.old.visits, [n - o for n, o in zip(residual(c, c.new_policy), residual(c, c.old_policy), strict=True)]
    )
    return c.rise - first


def critic_cost(c: Any, policy: Any) -> Any:
    return 2 * c.horizon() * max(abs(x) for x in residual(c, policy)) * c.mean_tv


def joint_kl_gamma(c: Any) -> Any:
    joint = [
        [[d * p for d, row in zip(chain.occupancy, policy, strict=True) for p in row]]
        for chain, policy in ((c.new, c.new_policy), (c.old, c.old_policy))
    ]
    weighted = zip(c.new.occupancy, c.rows, strict=True)
    mean = MP.fsum(real(d) * kl(new, old) for d, (old, new) in weighted if d)
    return real(per_horizon(c)) * mean - kl(joint[0][0], joint[1][0])


def geppo_mixture(c: Any) -> Any:
    """η(new) − η(old) − Σ_i weight Σ ρ_i Ā + 2γε'/(1 − γ)² Σ_i weight Σ d_i TV(new, old)."""
    chains = [c.chain([[entry[i] for entry in row] for row in c.references]) for i in range(len(c.weights))]
    seen = dot(c.weights, [dot(chain.visits, c.expected) for chain in chains])
    far = dot(c.weights, [dot(chain.occupancy, [tv(p, q) for p, q in c.rows]) for chain in chains])
    return c.rise - seen + 2 * c.horizon() * c.largest_expected * far


# --- ratios and clips ------------------------------------------------------------------------------------------


def deviation(c: Any) -> Any:
    """max |new/old − 1|, ∞ where new > 0 = old."""
    pairs = [pair for row in c.rows for pair in zip(*row, strict=True)]
    if any(p == 0 < q for p, q in pairs):
        return MP.inf
    return max(abs(q / p - 1) for p, q in pairs if p > 0)


def clip_ratio(c: Any) -> Any:
    clip = c.size / (1 + c.size)
    return min((1 + clip) * p - q for row in c.rows for p, q in zip(*row, strict=True))


def clip_kl(c: Any) -> Any:
    clip = real(c.size / (1 + c.size))
    return MP.exp(-c.max_kl) - MP.sqrt(1 - clip**2)


# --- two models ------------------------------------------------------------------------------------------------


def difference(c: Any, value: Any) -> Any:
    """Σ_s' (P̂ − P) value."""
    return [[dot(c.model[s][a], value) - dot(c.transition[s][a], value) for a in c.actions] for s in c.states]


def distance(c: Any) -> Any:
    return [[2 * tv(c.model[s][a], c.transition[s][a]) for a in c.actions] for s in c.states]


def under(policy: Any, x: Any) -> list[Any]:
    return [dot(p, y) for p, y in zip(policy, x, strict=True)]


def model_error(c: Any, policy: Any) -> Any:
    return c.in_model(policy).eta - c.chain(policy).eta


def one_model(c: Any) -> Any:
    wrong = c.gamma * dot(c.old.visits, under(c.old_policy, difference(c, c.old.value)))
    return model_error(c, c.old_policy) - wrong


def simulation(constant: int, power: int) -> Callable[[Any], Any]:
    def slack(c: Any) -> Any:
        largest = max(x for row in distance(c) for x in row)
        return c.gamma / (constant * (1 - c.gamma) ** power) * largest - abs(model_error(c, c.old_policy))

    return slack


def mbpo_no_shift(c: Any) -> Any:
    error = max(under(c.old_policy, distance(c))) / 2
    largest = max(abs(r) for row in c.reward for r in row)
    return 2 * c.horizon() * largest * error - model_error(c, c.new_policy)


def slbo_no_shift(c: Any) -> Any:
    found = difference(c, c.in_model(c.new_policy).value)
    seen = dot(c.old.occupancy, under(c.new_policy, [[abs(x) for x in row] for row in found]))
    return per_horizon(c) * seen - abs(model_error(c, c.new_policy))


def joint_advantage(c: Any) -> list[Any]:
    backed = [[c.reward[s][a] + c.gamma * dot(c.model[s][a], c.old.value) for a in c.actions] for s in c.states]
    return [x - v for x, v in zip(under(c.new_policy, backed), c.old.value, strict=True)]


def joint_one_model(c: Any) -> Any:
    return c.in_model(c.new_policy).eta - c.eta - dot(c.new.visits, joint_advantage(c))


def joint_policy(c: Any) -> Any:
    b = joint_advantage(c)
    cost = c.horizon() * max(abs(x) for x in b) * 2 * c.mean_tv
    return c.in_model(c.new_policy).eta - c.eta - dot(c.old.visits, b) + cost


# --- smoothness ------------------------------------------------------------------------------------------------


def squares(x: Any) -> Any:
    return sum(y * y for row in x for y in row)


def change(c: Any) -> Any:
    return [[q - p for p, q in zip(*row, strict=True)] for row in c.rows]


def direct(constant: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """constant γ/(1 − γ)³ ‖new − old‖² − |d²η/dt²|."""
    return lambda c: (
        constant(c) * c.gamma / (1 - c.gamma) ** 3 * squares(change(c)) - abs(2 * c.old.expanded(change(c))[1])
    )


def scores(c: Any) -> Any:
    return [[n - dot(p, row) for n in row] for p, row in zip(c.old_policy, c.noise, strict=True)]


def logit_bend(c: Any) -> Any:
    """d²η/dt² along old exp(t n): 2 × the t² of η(old + t old c) plus the t of η(old + t old (c² − Σ old c²))."""
    first = [[p * x for p, x in zip(*rows, strict=True)] for rows in zip(c.old_policy, scores(c), strict=True)]
    variance = [dot(p, [x * x for x in row]) for p, row in zip(c.old_policy, scores(c), strict=True)]
    second = [
        [p * (x * x - v) for p, x in zip(*rows, strict=True)]
        for *rows, v in zip(c.old_policy, scores(c), variance, strict=True)
    ]
    return 2 * c.old.expanded(first)[1] + c.old.expanded(second)[0]


def fisher_local(c: Any) -> Any:
    variance = [dot(p, [x * x for x in row]) for p, row in zip(c.old_policy, scores(c), strict=True)]
    return c.largest * dot(c.old.visits, variance) - abs(logit_bend(c))


def gradient(c: Any) -> Any:
    return [[c.old.visits[s] * c.old_policy[s][a] * c.old.advantage[s][a] for a in c.actions] for s in c.states]


def ascent(c: Any) -> Any:
    h = (1 - c.gamma) ** 3 / 8
    return tilted(c.old_policy, [[h * x for x in row] for row in gradient(c)])


def tilted(policy: Any, exponents: Any) -> Any:
    rows = []
    for row, powers in zip(policy, exponents, strict=True):
        weights = [real(p) * MP.exp(real(x)) for p, x in zip(row, powers, strict=True)]
        rows.append([weight / MP.fsum(weights) for weight in weights])
    return rows


def ascent_in_full(c: Any) -> Any:
    return c.rise - real((1 - c.gamma) ** 3 / 8 * squares(gradient(c)))


def lojasiewicz(*, states: bool = True, least: bool = True, mismatch: bool = True) -> Callable[[Any], Any]:
    def slack(c: Any) -> Any:
        factor = MP.mpf(1)
        if states:
            factor /= MP.sqrt(len(c.states))
        if least:
            factor *= real(min(dot(p, q) for p, q in c.rows))
        if mismatch:
            factor /= real(max(x / y for x, y in zip(c.new.visits, c.old.visits, strict=True)))
        return MP.sqrt(real(squares(gradient(c)))) - factor * real(c.rise)

    return slack


# --- steps and the optimum -------------------------------------------------------------------------------------


def mixed_gain(c: Any, share: Any) -> Any:
    policy = [[p + share * (q - p) for p, q in zip(*row, strict=True)] for row in c.rows]
    return c.chain(policy).eta - c.eta


def conservative(c: Any) -> Any:
    advantage, largest = (1 - c.gamma) ** 2 * c.gain, max(r for row in c.reward for r in row)
    gained = mixed_gain(c, (1 - c.gamma) * advantage / (4 * largest))
    return gained - advantage**2 / (4 * (1 - c.gamma) * largest)


def uspi_in_full(c: Any) -> Any:
    cost = c.horizon() * 2 * c.max_tv * (max(c.expected) - min(c.expected))
    share = min(Fraction(1), c.gain / cost) if cost else Fraction(1)
    return mixed_gain(c, share) - share * c.gain


def promise(c: Any) -> Any:
    return dot(c.old.visits, [max(row) for row in c.old.advantage])


def optimum_start_short(c: Any) -> Any:
    ratio = max(x / y for x, y in zip(c.new.occupancy, c.initial, strict=True))
    return ratio * promise(c) - c.rise


def greedy(c: Any) -> Any:
    """The first best action of each state."""
    return [[Fraction(a == row.index(max(row))) for a in c.actions] for row in c.old.q]


def optimal(c: Any) -> Any:
    """By every deterministic policy."""
    choices = itertools.product(c.actions, repeat=len(c.states))
    return max(c.chain([[Fraction(a == b) for a in c.actions] for b in choice]).eta for choice in choices)


def contracts(factor: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda c: factor(c) * (optimal(c) - c.eta) - (optimal(c) - c.new.eta)


def pmd_constant(c: Any) -> Any:
    """The least over k = 1, 2, 4, 8."""
    policy, errors = c.old_policy, []
    for _ in range(9):
        at = c.chain(policy)
        errors.append(real(c.new.eta) - real(at.eta))
        policy = tilted(policy, [[real(c.size) * real(q) for q in row] for row in at.q])
    gamma = real(c.gamma)
    weighted = zip(c.new.occupancy, c.rows, strict=True)
    distance = MP.fsum(real(d) * kl(new, old) for d, (old, new) in weighted if d)
    start = distance / (real(c.size) * (1 - gamma)) + 1 / (1 - gamma)
    return min(start / (k + 1) - errors[k] for k in (1, 2, 4, 8))


def mirror(c: Any) -> Any:
    return tilted(c.old_policy, [[c.size * x for x in row] for row in c.old.advantage])


def kl_old(c: Any) -> Any:
    drift = MP.fsum(real(v) * kl(new, old) for v, (old, new) in zip(c.old.visits, c.rows, strict=True))
    return c.rise - drift / real(c.size)


# --- by claim --------------------------------------------------------------------------------------------------


def unit_reward(c: Any) -> bool:
    return all(0 <= r <= 1 for row in c.reward for r in row)


def everywhere(c: Any) -> bool:
    return all(v > 0 for v in c.old.visits)


def reached(c: Any) -> bool:
    return everywhere(c) and all(sorted(row)[-1] == 1 for row in c.new_policy)


SLACKS: dict[str, Callable[[Any], Any]] = {
    "cpo/any-critic-old": lambda c: beyond_critic(c) + critic_cost(c, c.old_policy),
    "cpo/any-critic-upper-1": lambda c: critic_cost(c, c.new_policy) / 2 - beyond_critic(c),
    "cpo/occupancy-1": lambda c: per_horizon(c) * c.mean_tv - moved(c),
    "occupancy/tv-1": lambda c: c.gap + c.largest_expected * moved(c) / (1 - c.gamma) / 2,
    "occupancy/joint-kl-gamma": joint_kl_gamma,
    "geppo/mixture-old-tv": geppo_mixture,
    "ppo/clip-ratio": clip_ratio,
    "ppo/clip-kl": clip_kl,
    "ratio/kl-square": lambda c: real(deviation(c)) ** 2 / 2 - c.max_kl,
    "ratio/tv-half": lambda c: deviation(c) / 4 - c.max_tv,
    "model/simulation-one-model": one_model,
    "model/simulation-bound-half": simulation(4, 2),
    "model/simulation-bound-linear": simulation(2, 1),
    "mbpo/return-no-shift": mbpo_no_shift,
    "slbo/discrepancy-no-shift": slbo_no_shift,
    "model/joint-difference-one-model": joint_one_model,
    "model/joint-bound-policy": joint_policy,
    "direct/smooth-quarter": direct(lambda c: Fraction(len(c.actions), 4)),
    "direct/smooth-no-actions": direct(lambda c: Fraction(1)),
    "direct/concave": lambda c: -2 * c.old.expanded(change(c))[1],
    "softmax/concave": lambda c: -logit_bend(c),
    "softmax/fisher-local": fisher_local,
    "softmax/ascent-in-full": ascent_in_full,
    "softmax/lojasiewicz-no-states": lojasiewicz(states=False),
    "softmax/lojasiewicz-no-least": lojasiewicz(least=False),
    "softmax/lojasiewicz-no-mismatch": lojasiewicz(mismatch=False),
    "kakade-langford/step-4": conservative,
    "pirotta/uspi-in-full": uspi_in_full,
    "kakade-langford/optimum-no-mismatch": lambda c: promise(c) - c.rise,
    "kakade-langford/optimum-start-short": optimum_start_short,
    "rate/policy-iteration-return": contracts(lambda c: c.gamma),
    "rate/line-search-largest": contracts(lambda c: 1 - (1 - c.gamma) * max(c.initial)),
    "rate/pmd-constant-sharper": pmd_constant,
    "mirror-learning/kl-old": kl_old,
    "mirror-learning/drift-mean": lambda c: c.rise,
}
IDENTITIES = {"model/simulation-one-model", "model/joint-difference-one-model"}

GIVEN: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("ppo/clip-ratio", "ppo/clip-kl", "mirror-learning/kl-old"), lambda c: c.size > 0),
    "ratio/kl-square": lambda c: deviation(c) < 1,
    **dict.fromkeys(("model/simulation-bound-half", "model/simulation-bound-linear"), unit_reward),
    **dict.fromkeys(("direct/smooth-quarter", "direct/smooth-no-actions", "softmax/ascent-in-full"), unit_reward),
    **dict.fromkeys((name for name in SLACKS if name.startswith("softmax/lojasiewicz")), reached),
    "kakade-langford/step-4": lambda c: unit_reward(c) and c.gain > 0,
    "pirotta/uspi-in-full": lambda c: c.gain > 0,
    "kakade-langford/optimum-start-short": lambda c: min(c.initial) > 0,
    "rate/pmd-constant-sharper": lambda c: unit_reward(c) and c.size > 0,
    "mirror-learning/drift-mean": lambda c: c.size >= 0 and c.gain * (1 - c.gamma) >= c.size * c.mean_tv,
}

STEPS: dict[str, Callable[[Any], Any]] = {
    "rate/policy-iteration-return": greedy,
    "rate/line-search-largest": greedy,
    "softmax/ascent-in-full": ascent,
    "mirror-learning/kl-old": mirror,
}
