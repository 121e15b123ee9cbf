"""The oracle of witnesses: every refuted claim's slack, from a witness file alone, written from the text of the catalogue.

Fractions with an elimination of its own; mpmath at 60 digits where logarithms, roots and exponentials enter. It imports
nothing of the package, and no ball library.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import witness_literature as literature

MP = mpmath.mp.clone()
MP.dps = 60


def number(x: Any) -> Fraction:
    """A number of a witness file: an integer, or a rational or decimal as text. Floats are refused."""
    if isinstance(x, bool) or not isinstance(x, (int, str)):
        raise TypeError(f"{x!r} in a witness")
    return Fraction(x)


def numbers(x: Any) -> Any:
    return [numbers(entry) for entry in x] if isinstance(x, list) else number(x)


def real(x: Any) -> Any:
    """In 60 digits."""
    return MP.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else MP.mpf(x)


def reals(x: Any) -> Any:
    return [reals(entry) for entry in x] if isinstance(x, list) else real(x)


def dot(x: Any, y: Any) -> Any:
    return sum(a * b for a, b in zip(x, y, strict=True))


def solve(matrix: Any, b: Any) -> list[Any]:
    """The x with matrix · x = b, by elimination, over rationals or over 60 digits."""
    n = len(b)
    rows = [[*row, entry] for row, entry in zip(matrix, b, strict=True)]
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(rows[i][k]))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [entry / rows[k][k] for entry in rows[k]]
        for i in range(n):
            if i != k:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[n] for row in rows]


class Chain:
    """One policy on one MDP: V, Q, A, ρ, d and η. All fields are of one kind, rationals or 60 digits."""

    def __init__(self, transition: Any, reward: Any, gamma: Any, initial: Any, policy: Any) -> None:
        self.transition, self.reward, self.gamma, self.initial = transition, reward, gamma, initial
        self.policy, self.states = policy, range(len(policy))
        self.move = [[dot(policy[s], [p[t] for p in transition[s]]) for t in self.states] for s in self.states]
        self.value = self.resolve([dot(policy[s], reward[s]) for s in self.states])
        self.q = [
            [r + gamma * dot(p, self.value) for r, p in zip(reward[s], transition[s], strict=True)] for s in self.states
        ]
        self.advantage = [[q - self.value[s] for q in self.q[s]] for s in self.states]
        self.eta = dot(initial, self.value)
        self.visits = solve([list(column) for column in zip(*self.matrix(), strict=True)], initial)
        self.occupancy = [(1 - gamma) * visit for visit in self.visits]

    def matrix(self) -> Any:
        return [[(s == t) - self.gamma * self.move[s][t] for t in self.states] for s in self.states]

    def resolve(self, b: Any) -> list[Any]:
        """(I − γ P_π)⁻¹ b."""
        return solve(self.matrix(), b)

    def expanded(self, direction: Any) -> tuple[Any, Any]:
        """The coefficients of t and t² in η(π + t direction), from (I − γ P₀ − γ t P₁)(V₀ + t V₁ + t² V₂) = r₀ + t r₁."""
        zero = 0 * self.gamma
        pushed = [
            [zero + dot(direction[s], [p[t] for p in self.transition[s]]) for t in self.states] for s in self.states
        ]
        gained = [dot(direction[s], self.reward[s]) for s in self.states]
        first = self.resolve([gained[s] + self.gamma * dot(pushed[s], self.value) for s in self.states])
        second = self.resolve([self.gamma * dot(pushed[s], first) for s in self.states])
        return dot(self.initial, first), dot(self.initial, second)


class Case:
    """A witness file: the instance, the step that the claim makes of it; words: docs/theory.md, "Setting and notation"."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields, self.claim = fields, fields["claim"]
        self.transition, self.reward = numbers(fields["transition"]), numbers(fields["reward"])
        self.gamma, self.initial = number(fields["gamma"]), numbers(fields["initial"])
        self.old_policy, self.size = numbers(fields["old"]), number(fields.get("size", 1))
        self.states, self.actions = range(len(self.old_policy)), range(len(self.old_policy[0]))
        self.reference_policy = numbers(fields["reference"]) if "reference" in fields else self.old_policy
        zero = [[Fraction(0) for _ in self.actions] for _ in self.states]
        self.noise = numbers(fields["noise"]) if "noise" in fields else zero
        self.model = numbers(fields["model"]) if "model" in fields else self.transition
        self.references, self.weights = (numbers(fields.get(name, [])) for name in ("references", "weights"))
        self.groups = fields.get("groups", list(self.states))
        self.old = self.chain(self.old_policy)
        step = STEPS.get(self.claim)
        self.new_policy = numbers(fields["new"]) if step is None else step(self)
        self.new = self.chain(self.new_policy)

    def chain(self, policy: Any) -> Chain:
        parts = self.transition, self.reward, self.gamma, self.initial
        exact = all(isinstance(entry, Fraction) for row in policy for entry in row)
        return Chain(*(parts if exact else [reals(part) for part in parts]), policy)

    def in_model(self, policy: Any) -> Chain:
        """A policy with the second transition."""
        return Chain(self.model, self.reward, self.gamma, self.initial, policy)

    def parts(self) -> tuple[Any, ...]:
        """What the formulas are made of, in the numbers of new."""
        kind = (lambda x: x) if isinstance(self.new_policy[0][0], Fraction) else reals
        return tuple(kind(x) for x in (self.gamma, self.old.advantage, self.old.visits, self.old_policy))

    @property
    def expected(self) -> list[Any]:
        """Ā(s)."""
        return [dot(new, a) for new, a in zip(self.new_policy, self.parts()[1], strict=True)]

    @property
    def gain(self) -> Any:
        """L − η(old)."""
        return dot(self.parts()[2], self.expected)

    @property
    def gap(self) -> Any:
        """η(new) − L, with η(new) from new's own value."""
        return self.new.eta - (self.eta + self.gain)

    @property
    def eta(self) -> Any:
        return dot(self.parts()[2], [dot(o, r) for o, r in zip(self.old_policy, self.reward, strict=True)])

    @property
    def rise(self) -> Any:
        """η(new) − η(old)."""
        return self.new.eta - self.eta

    @property
    def largest(self) -> Any:
        """ε = max |A_old|."""
        return max(abs(a) for row in self.parts()[1] for a in row)

    @property
    def largest_expected(self) -> Any:
        """ε' = max |Ā|."""
        return max(abs(a) for a in self.expected)

    @property
    def rows(self) -> list[tuple[Any, Any]]:
        return list(zip(self.parts()[3], self.new_policy, strict=True))

    @property
    def max_tv(self) -> Any:
        return max(tv(p, q) for p, q in self.rows)

    @property
    def max_kl(self) -> Any:
        return max(kl(p, q) for p, q in self.rows)

    @property
    def mean_tv(self) -> Any:
        return dot(self.old.occupancy, [tv(p, q) for p, q in self.rows])

    @property
    def mixture(self) -> Any:
        """The least x with new = (1 − x) old + x target for some policy target."""
        return max(1 - q / p for row in self.rows for p, q in zip(*row, strict=True) if p > 0)

    def mean(self, divergence: Any) -> Any:
        """Over d_old; a state that is not visited does not count."""
        weighted = zip(self.old.occupancy, self.rows, strict=True)
        return sum(real(d) * divergence(p, q) for d, (p, q) in weighted if d)

    def horizon(self) -> Any:
        """γ/(1 − γ)²."""
        return self.parts()[0] / (1 - self.parts()[0]) ** 2

    def mates(self, s: int) -> list[int]:
        return [t for t in self.states if self.groups[t] == self.groups[s]]


# --- divergences of two rows -----------------------------------------------------------------------------------


def tv(p: Any, q: Any) -> Any:
    return sum(abs(x - y) for x, y in zip(p, q, strict=True)) / 2


def kl(p: Any, q: Any) -> Any:
    """KL(p‖q) in nats."""
    pairs = [(real(x), real(y)) for x, y in zip(p, q, strict=True) if x != 0]
    return MP.inf if any(y == 0 for _, y in pairs) else MP.fsum(x * MP.log(x / y) for x, y in pairs)


def jeffreys(p: Any, q: Any) -> Any:
    return kl(p, q) + kl(q, p)


def chi2(p: Any, q: Any) -> Any:
    pairs = [(real(x), real(y)) for x, y in zip(p, q, strict=True) if x != 0 or y != 0]
    return MP.inf if any(y == 0 for _, y in pairs) else MP.fsum((x - y) ** 2 / y for x, y in pairs)


def jensen_shannon(p: Any, q: Any) -> Any:
    middle = [(x + y) / 2 for x, y in zip(p, q, strict=True)]
    return (kl(p, middle) + kl(q, middle)) / 2


def affinity(p: Any, q: Any) -> Any:
    """BC = Σ √(p q)."""
    return MP.fsum(MP.sqrt(real(x) * real(y)) for x, y in zip(p, q, strict=True))


def renyi(order: Fraction) -> Callable[[Any, Any], Any]:
    """D_a(p‖q) = log Σ pᵃ q¹⁻ᵃ / (a − 1)."""

    def divergence(p: Any, q: Any) -> Any:
        pairs = [(real(x), real(y)) for x, y in zip(p, q, strict=True) if x != 0 and y != 0]
        if not pairs:
            return MP.inf
        a = real(order)
        return MP.log(MP.fsum(MP.power(x, a) * MP.power(y, 1 - a) for x, y in pairs)) / (a - 1)

    return divergence


# --- the rules that make new -----------------------------------------------------------------------------------


def tilted(policy: Any, exponents: Any) -> Any:
    """∝ policy · exp(exponents), in 60 digits; no exponent overflows there."""
    rows = []
    for row, powers in zip(policy, exponents, strict=True):
        weights = [real(p) * MP.exp(real(x)) for p, x in zip(row, powers, strict=True)]
        total = MP.fsum(weights)
        rows.append([weight / total for weight in weights])
    return rows


def pooled_advantage(case: Case, s: int, a: int) -> Fraction:
    """Σ ρ(t) A(t, a) over the states that share the row of s."""
    return sum((case.old.visits[t] * case.old.advantage[t][a] for t in case.mates(s)), Fraction(0))


def softmax_gradient(case: Case) -> Any:
    """θ ← θ + h ∂η/∂θ with one logit a group and action: ∂η/∂θ(g, a) = old(a|g) Σ_{s∈g} ρ(s) A(s, a)."""
    old = case.old_policy
    return tilted(
        old, [[case.size * old[s][a] * pooled_advantage(case, s, a) for a in case.actions] for s in case.states]
    )


def natural_gradient(case: Case) -> Any:
    """∝ old exp(h A_g/(1 − γ)), A_g the mean of A over the group, by visits: the regression on the group's features."""
    exponents = []
    for s in case.states:
        visits = sum(case.old.visits[t] for t in case.mates(s))
        means = [pooled_advantage(case, s, a) / visits if visits else Fraction(0) for a in case.actions]
        exponents.append([case.size * mean / (1 - case.gamma) for mean in means])
    return tilted(case.old_policy, exponents)


def shared_maximiser(case: Case) -> Any:
    """new = λ old/(ν − A_g) with ν = max A_g + size, all states sharing one row; λ makes it sum to one."""
    total = sum(case.old.visits)
    mean = [dot(case.old.visits, [row[a] for row in case.old.advantage]) / total for a in case.actions]
    level = max(mean) + case.size
    weights = [p / (level - m) for p, m in zip(case.old_policy[0], mean, strict=True)]
    return [[weight / sum(weights) for weight in weights] for _ in case.states]


def clipped(case: Case, policy: Any, clip: Fraction) -> Fraction:
    """Σ_s ρ_old Σ_a min(new A, clip(new, (1 − c) old, (1 + c) old) A)."""
    total = Fraction(0)
    for s, a in itertools.product(case.states, case.actions):
        new, old, gain = policy[s][a], case.old_policy[s][a], case.old.advantage[s][a]
        within = min(max(new, (1 - clip) * old), (1 + clip) * old)
        total += case.old.visits[s] * min(new * gain, within * gain)
    return total


def clip_maximiser(case: Case) -> Any:
    """Of the maximisers in the class (two actions, one row a group) the nearest to old, from the corners of each row.

    The objective is concave and piecewise linear in a row's one free number p, with corners at 0, 1 and (1 ± c) old of
    either action: so its maximisers are an interval between corners, or corner, and the nearest to old is one or old.
    """
    clip = case.size / (1 + case.size)
    policy = [list(row) for row in case.old_policy]
    for group in sorted(set(case.groups)):
        members = [s for s in case.states if case.groups[s] == group]
        old = case.old_policy[members[0]]
        corners = {Fraction(0), Fraction(1), old[0]}
        corners |= {(1 + sign * clip) * old[0] for sign in (1, -1)} | {
            1 - (1 + sign * clip) * old[1] for sign in (1, -1)
        }

        def row(p: Fraction, members: list[int] = members) -> Any:
            return [[p, 1 - p] if s in members else case.old_policy[s] for s in case.states]

        inside = [p for p in corners if 0 <= p <= 1]
        best = max(clipped(case, row(p), clip) for p in inside)
        chosen = min((p for p in inside if clipped(case, row(p), clip) == best), key=lambda p: abs(p - old[0]))
        for s in members:
            policy[s] = [chosen, 1 - chosen]
    return policy


STEPS: dict[str, Callable[[Case], Any]] = {
    "update/softmax-gradient-aggregated": softmax_gradient,
    "update/npg-aggregated": natural_gradient,
    "update/ppo-clip-aggregated": clip_maximiser,
    "update/max-kl-monotone-aggregated": shared_maximiser,
    "update/mean-kl-monotone-aggregated": shared_maximiser,
    "update/coefficient-needed-aggregated": shared_maximiser,
    "ppo/clip-ratio": clip_maximiser,
    "ppo/clip-kl": clip_maximiser,
    **literature.STEPS,
}
"""Claims whose new is made by a rule: the `new` of their files is not read."""


# --- the slacks ------------------------------------------------------------------------------------------------


def from_surrogate(penalty: Callable[[Case], Any]) -> Callable[[Case], Any]:
    """η(new) ≥ L − penalty."""
    return lambda case: real(case.gap) + real(penalty(case))


def at_most(ceiling: Callable[[Any, Any], Any]) -> Callable[[Case], Any]:
    """TV² ≤ ceiling in every state."""
    return lambda case: min(ceiling(p, q) - real(tv(p, q)) ** 2 for p, q in case.rows)


def raw_partials(case: Case) -> Any:
    """∂η/∂π(a|s) − ∂L/∂π(a|s), the one furthest from 0; L = η(old) + Σ ρ π̃ A, so its partial is ρ A."""
    found = []
    for s, a in itertools.product(case.states, case.actions):
        unit = [[Fraction((t, b) == (s, a)) for b in case.actions] for t in case.states]
        found.append(case.old.expanded(unit)[0] - case.old.visits[s] * case.old.advantage[s][a])
    return max(found, key=abs)


def second_order(case: Case) -> Any:
    """L has none, so that all of d²η/dt² is left."""
    direction = [[q - p for p, q in zip(*row, strict=True)] for row in case.rows]
    return 2 * case.old.expanded(direction)[1]


def importance(case: Case) -> Any:
    """(14): what an expectation over a ~ old cannot see is what old never plays."""
    seen = [
        sum(p * (q / p) * a for p, q, a in zip(*row, advantage, strict=True) if p > 0)
        for row, advantage in zip(case.rows, case.old.advantage, strict=True)
    ]
    return case.gain - dot(case.old.visits, seen)


def eta_with_advantage(case: Case) -> Any:
    """E_old Σ γᵗ A_old − η(old)."""
    sums = case.old.resolve([dot(p, a) for p, a in zip(case.old_policy, case.old.advantage, strict=True)])
    return dot(case.initial, sums) - case.eta


def target_advantage(case: Case) -> Any:
    """max_s |Σ_a target(a|s) A(s, a)|, target = old + (new − old)/x."""
    x = case.mixture
    targets = [[p + (q - p) / x for p, q in zip(*row, strict=True)] for row in case.rows]
    assert all(min(row) >= 0 and sum(row) == 1 for row in targets)
    return max(abs(dot(row, a)) for row, a in zip(targets, case.old.advantage, strict=True))


def greedy_any(case: Case) -> Any:
    x, g = case.mixture, case.gamma
    return g * x**2 / ((1 - g) * (1 - g * (1 - x))) * target_advantage(case)


def geppo_old_tv(case: Case) -> Any:
    """η(old) + Σ ρ_ref Ā − 2γε'/(1 − γ)² E_{d_ref} TV(new, old)."""
    reference = case.chain(case.reference_policy)
    apart = dot(reference.occupancy, [tv(p, q) for p, q in case.rows])
    return case.rise - dot(reference.visits, case.expected) + 2 * case.horizon() * case.largest_expected * apart


def eps_hat(case: Case) -> Any:
    """η(new) ≥ L̂ − x/(1 − γ) − 4 ε̂ γ α²/((1 − γ)(1 − γ(1 − α))), L̂ = η(old) + Σ ρ_old Σ new Â."""
    g, far = case.gamma, case.max_tv
    pairs = zip(case.old.advantage, case.noise, strict=True)
    estimate = [[a + e for a, e in zip(*row, strict=True)] for row in pairs]
    error = max(abs(e) for row in case.noise for e in row)
    largest = max(abs(a) for row in estimate for a in row)
    surrogate = case.eta + dot(case.old.visits, [dot(q, a) for q, a in zip(case.new_policy, estimate, strict=True)])
    penalty = 4 * largest * g * far**2 / ((1 - g) * (1 - g * (1 - far)))
    return case.new.eta - surrogate + error / (1 - g) + penalty


def npg_sharper(case: Case) -> Any:
    """log|A|/(hT) + 1/((1 − γ)T) − (η(new) − η_T), the least over T = 1, 2, 4, 8; the iterates at 60 digits."""
    policy, returns = reals(case.old_policy), []
    for _ in range(9):
        at = case.chain(policy)
        returns.append(at.eta)
        policy = tilted(policy, [[real(case.size) * a / (1 - at.gamma) for a in row] for row in at.advantage])
    start = MP.log(len(case.actions)) / real(case.size) + 1 / (1 - real(case.gamma))
    return min(start / t - (real(case.new.eta) - returns[t]) for t in (1, 2, 4, 8))


def most(case: Case, s: int, radius: Any) -> Any:
    """max_p Σ_a p A over KL(old_s‖p) ≤ radius, two actions: as much mass on the better one as the radius allows."""
    old, advantage = reals(case.old_policy[s]), reals(case.old.advantage[s])
    better = advantage.index(max(advantage))

    def row(mass: Any) -> Any:
        return [mass if a == better else 1 - mass for a in case.actions]

    low, high = old[better], MP.mpf(1)
    if kl(old, row(high)) <= radius:
        return max(advantage)
    for _ in range(210):
        middle = (low + high) / 2
        low, high = (middle, high) if kl(old, row(middle)) <= radius else (low, middle)
    return dot(row(low), advantage)


def max_kl_hard(case: Case) -> Any:
    """What a better point of (12) at new's own radius would gain over new, less a millionth of new's gain."""
    radius, visits = case.max_kl, reals(case.old.visits)
    gain = real(case.gain)
    return MP.fsum(visits[s] * most(case, s, radius) for s in case.states) - gain - gain / 10**6


# --- bounds in chi-square of new from old ----------------------------------------------------------------------


def reverse_chi2(case: Case) -> list[Any]:
    """χ²(new_s‖old_s) by states, 0 where old never goes."""
    far = [chi2(new, old) for old, new in case.rows]
    return [x if visit else MP.mpf(0) for x, visit in zip(far, case.old.visits, strict=True)]


def moments(law: Any, f: Any) -> tuple[Any, Any]:
    """Mean and variance of f under a law."""
    mean = MP.fsum(real(p) * real(x) for p, x in zip(law, f, strict=True))
    return mean, MP.fsum(real(p) * (real(x) - mean) ** 2 for p, x in zip(law, f, strict=True))


def squared_ratios(case: Case, c: Any) -> Any:
    """γc/((1 − γ)(1 − γ(1 + c))) = Σ_t γᵗ ((1 + c)ᵗ − 1)."""
    gamma = real(case.gamma)
    return gamma * c / ((1 - gamma) * (1 - gamma * (1 + c))) if gamma * (1 + c) < 1 else MP.inf


def by_advantage(c: Callable[[Case], Any]) -> Callable[[Case], Any]:
    """rms(A) √c √(Σ_t γᵗ ((1 + c)ᵗ − 1)/(1 − γ))."""

    def penalty(case: Case) -> Any:
        squares = (
            d * p * a**2
            for d, row, advantages in zip(case.old.occupancy, case.old_policy, case.old.advantage, strict=True)
            for p, a in zip(row, advantages, strict=True)
        )
        return MP.sqrt(real(sum(squares)) * c(case) * squared_ratios(case, c(case)) / (1 - real(case.gamma)))

    return penalty


def by_time(
    far: Callable[[Case], Any],
    variance_at: Callable[[Any, Any, Any], Any] = lambda t, c, means: (1 + c) ** t - 1,
    *,
    pooled: bool = False,
) -> Callable[[Case], Any]:
    """Σ_{t<32} γᵗ min{sd_t(Ā) √v_t, span(Ā)} + γ³²/(1 − γ) span(Ā), v_t of t, c and the means of χ² before t."""

    def penalty(case: Case) -> Any:
        gamma, expected, chi = real(case.gamma), case.expected, far(case)
        inside = [real(a) for a, visit in zip(expected, case.old.visits, strict=True) if visit]
        span, law, means, total = max(inside) - min(inside), case.initial, [], MP.mpf(0)
        for t in range(32):
            variance = moments(case.old.occupancy if pooled else law, expected)[1]
            total += gamma**t * min(MP.sqrt(variance * variance_at(t, max(chi), means)), span)
            means.append(moments(law, chi)[0])
            law = [dot(law, [row[s] for row in case.old.move]) for s in case.states]
        return total + gamma**32 / (1 - gamma) * span

    return penalty


def product(means: Any) -> Any:
    return MP.fprod(1 + mean for mean in means)


def covered(case: Case) -> bool:
    """new ≪ old."""
    return all(p > 0 or q == 0 for row in case.rows for p, q in zip(*row, strict=True))


def certified(spread: int, factor: Fraction) -> Callable[[Case], bool]:
    """E_d Ā > 0 and c < factor (1 − γ)/(γ (spread + CV²)), in rationals."""

    def met(case: Case) -> bool:
        weight, expected = case.old.occupancy, case.expected
        mean = dot(weight, expected)
        variance = dot(weight, [(a - mean) ** 2 for a in expected])
        largest = max(
            sum(((q - p) ** 2 / p for p, q in zip(*row, strict=True) if p), Fraction(0))
            for row, visit in zip(case.rows, case.old.visits, strict=True)
            if visit
        )
        return mean > 0 and largest < factor * (1 - case.gamma) / (case.gamma * (spread + variance / mean**2))

    return met


def rise(case: Case) -> Any:
    return case.rise


H_UPPER = {
    ".1": ".1119133",
    ".3": ".4555311",
    ".5": "1.184995",
    ".7": "3.366039",
    ".8": "6.847494",
    ".9": "21.04388",
    ".95": "61.60602",
    ".99": "704.5457",
    ".999": "22363.88",
}
"""Discounts, and what h(0) is at most there."""


def small_radius(gamma: Fraction) -> Fraction:
    """The entry of the next larger discount."""
    return next(Fraction(h) for at, h in H_UPPER.items() if gamma <= Fraction(at))


SLACKS: dict[str, Callable[[Case], Any]] = {
    "id/raw-partials": raw_partials,
    "id/second-order": second_order,
    "id/importance-any": importance,
    "errata/eta-with-advantage": eta_with_advantage,
    "order/upper": lambda c: -c.gap,
    "order/surrogate-up": rise,
    "kakade-langford/own-mixture": from_surrogate(lambda c: 2 * c.horizon() * c.mixture**2 * c.largest_expected),
    "kakade-langford/greedy-any": from_surrogate(greedy_any),
    "trpo/tv-2": from_surrogate(lambda c: 2 * c.largest * c.horizon() * c.max_tv**2),
    "pinsker/kl-1": from_surrogate(lambda c: real(c.largest * c.horizon()) * c.max_kl),
    "blog/own-advantage-kl": from_surrogate(lambda c: real(2 * c.largest_expected * c.horizon()) * c.max_kl),
    "blog/own-advantage-tv2": from_surrogate(lambda c: 2 * c.largest_expected * c.horizon() * c.max_tv**2),
    "blog/no-surrogate": lambda c: real(c.rise) + real(4 * c.largest * c.horizon()) * c.mean(kl),
    "divergence/pinsker-half": at_most(lambda p, q: kl(p, q) / 2 / 2),
    "divergence/jeffreys-half": at_most(lambda p, q: jeffreys(p, q) / 4 / 2),
    "divergence/chi2-half": at_most(lambda p, q: chi2(p, q) / 4 / 2),
    "divergence/jensen-shannon-half": at_most(lambda p, q: 2 * jensen_shannon(p, q) / 2),
    "divergence/hellinger-half": at_most(lambda p, q: (1 - affinity(p, q) ** 2) / 2),
    "divergence/renyi-0.1-half": at_most(lambda p, q: renyi(Fraction(1, 10))(p, q) / (2 * real(Fraction(1, 10))) / 2),
    "divergence/renyi-0.5-half": at_most(lambda p, q: renyi(Fraction(1, 2))(p, q) / 1 / 2),
    "divergence/renyi-0.9-half": at_most(lambda p, q: renyi(Fraction(9, 10))(p, q) / (2 * real(Fraction(9, 10))) / 2),
    "cpo/mean-tv-1": from_surrogate(lambda c: c.horizon() * c.largest_expected * c.mean_tv),
    "pirotta/q-signed": from_surrogate(
        lambda c: c.horizon() / 2 * (2 * c.max_tv) ** 2 * max(abs(x) for row in c.old.q for x in row)
    ),
    "geppo/old-tv": geppo_old_tv,
    "chi2/expected-advantage-mean": from_surrogate(
        lambda c: MP.sqrt(
            moments(c.old.occupancy, c.expected)[1]
            * squared_ratios(c, moments(c.old.occupancy, reverse_chi2(c))[0])
            / (1 - real(c.gamma))
        )
    ),
    "chi2/advantage-mean": from_surrogate(by_advantage(lambda c: moments(c.old.occupancy, reverse_chi2(c))[0])),
    "chi2/advantage-half": from_surrogate(lambda c: by_advantage(lambda c: max(reverse_chi2(c)))(c) / 2),
    "chi2/advantage-kl": from_surrogate(by_advantage(lambda c: 2 * c.max_kl)),
    "chi2/advantage-forward": from_surrogate(by_advantage(lambda c: max(chi2(p, q) for p, q in c.rows))),
    "chi2/time-resolved-linear": from_surrogate(by_time(reverse_chi2, lambda t, c, means: c * t)),
    "chi2/time-resolved-pooled": from_surrogate(by_time(reverse_chi2, pooled=True)),
    "chi2/time-resolved-mean": from_surrogate(by_time(reverse_chi2, lambda t, c, means: product(means) - 1)),
    "chi2/time-resolved-kl": from_surrogate(by_time(lambda c: [2 * kl(p, q) for p, q in c.rows])),
    "chi2/time-resolved-forward": from_surrogate(by_time(lambda c: [chi2(p, q) for p, q in c.rows])),
    "update/cv-certificate-cv2": rise,
    "update/cv-certificate-wider": rise,
    "small-radius/chi2": from_surrogate(
        lambda c: real(c.largest * small_radius(c.gamma)) * max(chi2(p, q) for p, q in c.rows)
    ),
    "small-radius/reverse-chi2": from_surrogate(
        lambda c: real(c.largest * small_radius(c.gamma)) * max(chi2(q, p) for p, q in c.rows)
    ),
    "mean-kl/linear": from_surrogate(lambda c: real(4 * c.largest * c.horizon()) * c.mean(kl)),
    "mean-kl/linear-1": from_surrogate(lambda c: real(c.largest * c.horizon()) * c.mean(kl)),
    "mean-kl/linear-2-half": from_surrogate(lambda c: real(2 * c.largest * c.horizon()) * c.mean(kl)),
    "mean-kl/linear-open": from_surrogate(lambda c: real(4 * c.largest * c.horizon()) * c.mean(kl)),
    "update/max-kl-monotone-aggregated": rise,
    "update/mean-kl-monotone-aggregated": rise,
    "update/coefficient-needed-aggregated": rise,
    "update/softmax-gradient-aggregated": rise,
    "update/npg-aggregated": rise,
    "update/ppo-clip-aggregated": rise,
    "update/clip-gain": rise,
    "update/max-kl-hard": max_kl_hard,
    "rate/npg-sharper": npg_sharper,
    "error/eps-hat": eps_hat,
    **literature.SLACKS,
}
IDENTITIES = {"id/raw-partials", "id/second-order", "id/importance-any", "errata/eta-with-advantage"}
IDENTITIES |= literature.IDENTITIES


# --- the hypotheses --------------------------------------------------------------------------------------------


def one_row(case: Case) -> bool:
    return all(row == case.old_policy[0] for row in case.old_policy)


def shared_rows(case: Case) -> bool:
    """Old is the same in all states of a group, and the step goes forward."""
    return case.size > 0 and all(case.old_policy[t] == case.old_policy[s] for s in case.states for t in case.mates(s))


def unit_reward_and_uniform(case: Case) -> bool:
    unit = all(0 <= r <= 1 for row in case.reward for r in row)
    return unit and all(p == Fraction(1, len(row)) for row in case.old_policy for p in row)


GIVEN: dict[str, Callable[[Case], bool]] = {
    "order/surrogate-up": lambda c: c.gain > 0 and c.max_tv <= Fraction(1, 100),
    "mean-kl/linear-1": lambda c: c.gamma >= Fraction(9, 10),
    "mean-kl/linear-2-half": lambda c: c.gamma >= Fraction(1, 2),
    "small-radius/chi2": lambda c: c.gamma <= Fraction(999, 1000),
    "small-radius/reverse-chi2": lambda c: c.gamma <= Fraction(999, 1000),
    "mean-kl/linear-open": lambda c: c.gamma >= Fraction(1, 10),
    "chi2/advantage-kl": covered,
    "chi2/advantage-forward": covered,
    "chi2/time-resolved-kl": covered,
    "chi2/time-resolved-forward": covered,
    "update/cv-certificate-cv2": certified(0, Fraction(1)),
    "update/cv-certificate-wider": certified(1, Fraction(11, 10)),
    "update/max-kl-monotone-aggregated": one_row,
    "update/mean-kl-monotone-aggregated": one_row,
    "update/coefficient-needed-aggregated": one_row,
    "update/softmax-gradient-aggregated": shared_rows,
    "update/npg-aggregated": shared_rows,
    "update/ppo-clip-aggregated": shared_rows,
    "update/clip-gain": lambda c: clipped(c, c.new_policy, Fraction(1, 5)) > 0,
    "update/max-kl-hard": lambda c: c.gain > 0,
    "rate/npg-sharper": lambda c: unit_reward_and_uniform(c) and c.size > 0,
    **literature.GIVEN,
}


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def slack(fields: dict[str, Any]) -> Any:
    """In 60 digits."""
    case = Case(fields)
    return real(SLACKS[case.claim](case))


def hypothesis(fields: dict[str, Any]) -> bool:
    case = Case(fields)
    return GIVEN.get(case.claim, lambda c: True)(case)


def shown(fields: dict[str, Any]) -> dict[str, Any]:
    """What a certificate shows of an instance, by the same names, in 60 digits."""
    case = Case(fields)
    rows = case.rows
    values = {
        "expected_return_old": case.eta,
        "expected_return_new": case.new.eta,
        "surrogate": case.eta + case.gain,
        "surrogate_gap": case.gap,
        "max_kl": case.max_kl,
        "reverse_max_kl": max(kl(q, p) for p, q in rows),
        "mean_kl": case.mean(kl),
        "max_tv": case.max_tv,
        "mean_tv": case.mean(lambda p, q: real(tv(p, q))),
        "max_abs_advantage": case.largest,
        "max_abs_expected_advantage": case.largest_expected,
    }
    return {name: real(value) for name, value in values.items()}
