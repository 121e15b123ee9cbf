"""Chains on which the likelihood ratio is the state: they attain the bounds in chi-square, in the limit or exactly.

X_t = Π_{i<t} new/old,  x_t = X_t − 1;  c = χ²(new‖old), the same in every state.

Each has two actions, and in every state the same row of either policy: for c ≤ 1, old = (½, ½) and new/old = 1 ∓ √c; for c > 1,
old = (c/(1+c), 1/(1+c)) and new/old = 0 or 1 + c. At the times t = 0..n−1 the state is the number of times that the second
action was taken, which X_t is a function of; then comes an absorbing end. That makes n(n + 1)/2 + 1 states, and a sparse
transition from n = 45 on.

Source: docs/theory.md, "Named worst cases". c and γ may be arrays: the instance is then a batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trpo_theory._checks import discount
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import RealLike
from trpo_theory.zoo._instance import Instance, numbers, positive, scalar_or_batch, whole
from trpo_theory.zoo._moves import transition_of

_MOST_TIMES = 2_000
"""The most times before the end; chosen: two million states, about 100 MB."""

_LARGEST_LOG_RATIO = 300.0
"""The largest log X_t; chosen: exp(600), which its square and the second moments stay below, is a float."""


@dataclass(frozen=True)
class _Chain:
    """The chain without its reward.

    Attributes:
        gamma, c: of shape (*batch,).
        n: the times before the end.
        time, ups: t and the number of second actions taken, (S − 1,).
        old: its row, (*batch, 2).
        tilt: l − 1 = new/old − 1, (*batch, 2).
        second: E x_t²/c = ((1+c)ᵗ − 1)/c for t = 0..n, (n + 1, *batch).
    """

    gamma: np.ndarray
    c: np.ndarray
    n: int
    time: np.ndarray
    ups: np.ndarray
    old: np.ndarray
    tilt: np.ndarray
    second: np.ndarray

    def excess(self, time: np.ndarray, ups: np.ndarray) -> np.ndarray:
        """x = X − 1 after `time` steps, `ups` of them with the second action: (*batch, len(time))."""
        with np.errstate(divide="ignore", invalid="ignore"):
            log_down, log_up = np.log1p(self.tilt)[..., None, 0], np.log1p(self.tilt)[..., None, 1]
            return np.expm1(ups * log_up + np.where(time == ups, 0.0, (time - ups) * log_down))

    def discounted(self, terms: np.ndarray) -> np.ndarray:
        """Σ_t γᵗ terms_t, of terms (times, *batch): (*batch,)."""
        total = np.zeros(self.gamma.shape)
        for term in terms[::-1]:  # Horner's scheme
            total = total * self.gamma + term
        return total

    def share(self, terms: np.ndarray, over: np.ndarray) -> np.ndarray:
        """√((1 − γ(1 + c)) over Σ_{t≥1} γᵗ⁻¹ terms_t): the ratio to a bound in all times; 0 where the bound is infinite."""
        left = np.maximum(1 - self.gamma * (1 + self.c), 0.0)
        return np.sqrt(left * over * self.discounted(terms[1:]))

    def with_expected_advantage(
        self, expected: np.ndarray, *, gap: np.ndarray, bound: str, ratio: np.ndarray
    ) -> Instance:
        """The instance with Ā = `expected`, (*batch, S): A = Ā (l − 1)/c, whose mean under old is 0."""
        reward = expected[..., None] * (self.tilt / self.c[..., None])[..., None, :]
        return self.with_reward(reward, gap=gap, bound=bound, ratio=ratio)

    def with_reward(self, reward: np.ndarray, *, gap: np.ndarray, bound: str, ratio: np.ndarray) -> Instance:
        """The instance with that reward, (*batch, S, 2)."""
        states = len(self.time) + 1
        later = (self.time + 1) * (self.time + 2) // 2 + self.ups
        moves = [
            (up, np.append(np.where(self.time + 1 < self.n, later + up, states - 1), states - 1), 1.0) for up in (0, 1)
        ]
        transition, batch = transition_of(states, 2, moves), self.gamma.shape
        if batch:
            if not isinstance(transition, np.ndarray):
                raise InvalidInput(
                    got=f"arrays of parameters with n = {self.n}, {states} states",
                    wanted="a batch of at most 1,000 states, as transitions are sparse beyond",
                    fix="pass n of at most 44, or one instance at a time",
                )
            transition = np.broadcast_to(transition, (*batch, *transition.shape))
        mdp = FiniteMDP(
            transition,
            reward,
            scalar_or_batch(self.gamma),
            np.arange(states) == 0,
            state_labels=[*(f"{j} of {t}" for t, j in zip(self.time, self.ups, strict=True)), "end"],
            action_labels=("down", "up"),
        )
        shape = (*batch, states, 2)
        old = np.broadcast_to(self.old[..., None, :], shape)
        new = np.broadcast_to((self.old * (1 + self.tilt))[..., None, :], shape)
        new = new / new.sum(-1, keepdims=True)
        return Instance(mdp, old, new, scalar_or_batch(gap), bound, scalar_or_batch(ratio))


def _chain(gamma: RealLike, c: RealLike, n: float) -> _Chain:
    n = whole(n, "times before the end", least=2, most=_MOST_TIMES, fix="pass n=20")
    gamma, c = numbers(gamma=gamma, c=c)
    gamma = np.array(discount(gamma, gamma.shape))
    positive("c", c)
    root = np.sqrt(c)
    down, up = np.where(c <= 1, -root, -1.0), np.where(c <= 1, root, c)
    if (n * np.log1p(up) > _LARGEST_LOG_RATIO).any():
        raise InvalidInput(
            got=f"c = {c}, n = {n}", wanted=f"likelihood ratios up to exp({_LARGEST_LOG_RATIO:g})", fix="lower c or n"
        )
    first = np.where(c <= 1, 0.5, c / (1 + c))
    second = [np.zeros(c.shape)]
    for _ in range(n):
        second.append(second[-1] * (1 + c) + 1)
    time = np.repeat(np.arange(n), np.arange(1, n + 1))
    ups = np.arange(len(time)) - time * (time + 1) // 2
    old, tilt = np.stack([first, 1 - first], axis=-1), np.stack([down, up], axis=-1)
    return _Chain(gamma, c, n, time, ups, old, tilt, np.array(second))


def _with_end(values: np.ndarray, end: np.ndarray | float = 0.0) -> np.ndarray:
    """The values of the states and that of the absorbing end, as the last."""
    last = np.broadcast_to(np.asarray(end)[..., None], (*values.shape[:-1], 1))
    return np.concatenate([values, last], axis=-1)


def chi2_advantage_tight(*, gamma: RealLike = 0.5, c: RealLike = 0.1, n: float = 20) -> Instance:
    """Its ratio to the bound `chi2/advantage` tends to 1 as n grows, for every γ and c with γ(1 + c) < 1.

    gap = −c S_n,  S_n = Σ_{t<n} γᵗ((1+c)ᵗ − 1);  ratio² = S_n/S_∞ = 1 − γⁿ − (1−γ) γⁿ⁻¹ ((1+c)ⁿ − 1)/c.

    A = −x (l − 1) on the chain of this module, 0 at the end, so that Ā = −c x and V_old = 0; rms(A)² = (1−γ) c S_n.

    Args:
        gamma: the discount γ.
        c: χ²(new‖old) in every state, positive.
        n: the times before the end, 2 or more.
    """
    chain = _chain(gamma, c, n)
    x = chain.excess(chain.time, chain.ups)
    return chain.with_expected_advantage(
        _with_end(-chain.c[..., None] * x),
        gap=-(chain.c**2) * chain.discounted(chain.second[:-1]),
        bound="chi2/advantage",
        ratio=chain.share(chain.second[:-1], 1 - chain.gamma),
    )


def chi2_reward_tight(*, gamma: RealLike = 0.5, c: RealLike = 0.1, n: float = 20) -> Instance:
    """Its ratio to the bound `chi2/reward` tends to 1 as n grows, for every γ and c with γ(1 + c) < 1.

    gap = −W_n,  W_n = Σ_{t<n} γᵗ ((1+c)ᵗ⁺¹ − 1 − (t+1)c),  ratio² = W_n/W_∞,  W_∞ = γc²/((1−γ)²(1 − γ(1+c))).

    On the chain of this module r_t = −Z_{t+1} with Z_t = x_t − Σ_{i<t}(l_i − 1), a function of the next state; 0 at the
    end. Under old, E Z_t = 0 and E Z_t² = (1+c)ᵗ − 1 − tc, so that r has mean 0 and variance (1−γ) W_n.

    Args:
        gamma: the discount γ.
        c: χ²(new‖old) in every state, positive.
        n: the times before the end, 2 or more.
    """
    chain = _chain(gamma, c, n)
    down, up = chain.tilt[..., 0, None], chain.tilt[..., 1, None]
    rewards: list[np.ndarray] = []
    for action in (0, 1):
        time, ups = chain.time + 1, chain.ups + action
        rewards.append(_with_end(ups * up + (time - ups) * down - chain.excess(time, ups)))
    moments = np.cumsum(chain.second, axis=0)[:-1]  # E Z_{t+1}²/c²
    return chain.with_reward(
        np.stack(rewards, axis=-1),
        gap=-(chain.c**2) * chain.discounted(moments),
        bound="chi2/reward",
        ratio=chain.share(moments, (1 - chain.gamma) ** 2),
    )


def chi2_time_resolved_tight(
    *, gamma: RealLike = 0.9, c: RealLike = 0.1, n: float = 20, mean: RealLike = 0.0, spread: RealLike = 1.0
) -> Instance:
    """Attains the bound `chi2/time-resolved` exactly, for every profile of means and standard deviations of Ā by time.

    gap = −Σ_{t<n} γᵗ σ_t √((1+c)ᵗ − 1).

    Ā = μ_t − σ_t x_t/√((1+c)ᵗ − 1) on the chain of this module (μ₀ at the start, 0 at the end), so that Ā(s_t) has mean μ_t
    and, for t ≥ 1, standard deviation σ_t under old; A = Ā (l − 1)/c and V_old = 0.

    Args:
        gamma: the discount γ.
        c: χ²(new‖old) in every state, positive; γ(1 + c) may be above 1.
        n: the times before the end, 2 or more.
        mean: μ, in discounted reward: one number, or one for each time, (n,).
        spread: σ ≥ 0, likewise; the one at time 0 is not used.
    """
    chain = _chain(gamma, c, n)
    mu, sigma = (_by_time(value, name, chain.n) for value, name in ((mean, "mean"), (spread, "spread")))
    if (sigma < 0).any():
        raise InvalidInput(got=f"spread = {sigma.min():g}", wanted="standard deviations, >= 0", fix="change spread")
    deviation = np.sqrt(chain.c * chain.second[:-1])  # of x_t, (n, *batch)
    scale = sigma[1:] / np.moveaxis(deviation, 0, -1)[..., 1:]
    scale = np.concatenate([np.zeros((*scale.shape[:-1], 1)), scale], axis=-1)
    x = chain.excess(chain.time, chain.ups)
    return chain.with_expected_advantage(
        _with_end(mu[chain.time] - scale[..., chain.time] * x),
        gap=-chain.discounted(sigma.reshape(-1, *[1] * chain.c.ndim) * deviation),
        bound="chi2/time-resolved",
        ratio=np.ones(chain.gamma.shape),
    )


def _by_time(value: RealLike, name: str, n: int) -> np.ndarray:
    (array,) = numbers(**{name: value})
    if array.shape not in ((), (n,)) or not np.isfinite(array).all():
        raise InvalidInput(
            got=f"{name} of shape {array.shape}",
            wanted=f"one finite number, or {n}, one for each time",
            fix=f"change {name}",
        )
    return np.broadcast_to(array, (n,))


def cv_certificate_tight(
    *, gamma: RealLike = 0.5, c: RealLike = 0.1, n: float = 20, mean: RealLike = 1.0, slope: RealLike = 1.0
) -> Instance:
    """The claim `update/cv-certificate` cannot be widened: with CV = sd(Ā)/E Ā, the gain changes sign where it ends.

    η(new) − η(old) = (μ − β κ_n²)/(1−γ),  κ_n² = (1−γ) Σ_{t<n} γᵗ((1+c)ᵗ − 1) → κ² = γc/(1 − γ(1+c));  CV = β κ_n/μ;
    gap = −β κ_n²/(1−γ),  ratio to `chi2/expected-advantage`: κ_n/κ → 1 as n grows.

    The claim's hypothesis, c < (1−γ)/(γ(1 + CV²)), is κ CV < 1, and the gain is positive where κ_n CV < 1. On the chain of this
    module Ā = μ − β x, and μ at the end; A = Ā (l − 1)/c and V_old = 0.

    Args:
        gamma: the discount γ.
        c: χ²(new‖old) in every state, positive.
        n: the times before the end, 2 or more.
        mean: μ, the mean of Ā under d_old, in discounted reward.
        slope: β, in discounted reward; positive.
    """
    gamma, c, mean, slope = numbers(gamma=gamma, c=c, mean=mean, slope=slope)
    positive("slope", slope)
    chain = _chain(gamma, c, n)
    expected = mean[..., None] - slope[..., None] * chain.excess(chain.time, chain.ups)
    return chain.with_expected_advantage(
        _with_end(expected, mean),
        gap=-slope * chain.c * chain.discounted(chain.second[:-1]),
        bound="chi2/expected-advantage",
        ratio=chain.share(chain.second[:-1], 1 - chain.gamma),
    )
