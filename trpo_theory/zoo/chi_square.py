"""Small instances about the bounds in chi-square: the false twin with KL, and the instance that tells certificates apart.

Source: docs/theory.md, "Named worst cases". Parameters may be arrays that broadcast: the instance is then a batch.
"""

from __future__ import annotations

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.model.types import RealLike
from trpo_theory.zoo._instance import Instance, instance, numbers, within


def kl_for_chi2(*, gamma: RealLike = 0.5, p: RealLike = 0.1, q: RealLike = 1e-4) -> Instance:
    """No multiple of max-KL may stand for c in `chi2/advantage`: as q → 0 its ratio to `chi2/advantage-kl` grows without bound.

    gap = −(2b/√q) γ(p − q)/((1 − γ(1−q))(1 − γ(1−p))),  rms(A)² = γ/(1 − γ(1−q)),
    D = KL(old‖new) = (1−q) log((1−q)/(1−p)) + q log(q/p) in both states,  b = ½√(1 − e⁻²ᴰ);
    ratio = |gap| (1−γ) √(1 − γ(1+2D)) / (rms(A) 2D √γ).

    G is the start, B absorbing; the first two actions stay and the third leads from G to B. old(G) = ((1−q)/2, (1−q)/2, q) and
    new(G) = ((1−p)/2, (1−p)/2, p) with A = 0; old(B) = (½, ½, 0) and new(B) = (½ − b, ½ + b, 0) with A = (1, −1, 0)/√q.

    Args:
        gamma: the discount γ.
        p: the probability with which new leaves G, in (0, 1).
        q: the same under old, in (0, p).
    """
    gamma, p, q = numbers(gamma=gamma, p=p, q=q)
    if not ((q > 0) & (q < p) & (p < 1)).all():
        raise InvalidInput(got=f"p = {p}, q = {q}", wanted="0 < q < p < 1", fix="change p or q")
    kl = (1 - q) * (np.log1p(-q) - np.log1p(-p)) + q * np.log(q / p)
    b, size = 0.5 * np.sqrt(-np.expm1(-2 * kl)), 1 / np.sqrt(q)
    stay_old, stay_new = 1 - gamma * (1 - q), 1 - gamma * (1 - p)
    loss = 2 * b * size * (p - q) / (stay_old * stay_new)  # |gap|/γ
    left = np.maximum(1 - gamma * (1 + 2 * kl), 0.0)
    return instance(
        [[[1, 0], [1, 0], [0, 1]], [[0, 1], [0, 1], [0, 1]]],
        [[0, 0, 0], [size, -size, 0]],
        gamma,
        [1, 0],
        old=[[(1 - q) / 2, (1 - q) / 2, q], [0.5, 0.5, 0]],
        new=[[(1 - p) / 2, (1 - p) / 2, p], [0.5 - b, 0.5 + b, 0]],
        gap=-gamma * loss,
        state_labels=("G", "B"),
        bound="chi2/advantage-kl",
        ratio=loss * (1 - gamma) * np.sqrt(left * stay_old) / (2 * kl),
    )


def certificate_ladder(*, gamma: RealLike = 0.5, x: RealLike = 0.1) -> Instance:
    """Three states on which the certificates in chi-square all differ: each further one is strictly closer to the gain.

    gap = −2γab x²/(D₀²D₁),  η(new) − η(old) = 2γax/(D₀D₁);  a = 4 − γ², b = γ² − 2γ, D₀ = a + b/2, D₁ = D₀ + bx.

    At s0, the start, the first action leads to s1 or the end, the second to s0 or s1, each with probability ½; at s1 the
    first leads to s0 or the end, the second pays 1 and ends. old is uniform; new = (½ − x, ½ + x) at s0 and s1, and old at
    the end.

    Args:
        gamma: the discount γ.
        x: the probability that new moves to the second action, in [−½, ½].
    """
    gamma, x = numbers(gamma=gamma, x=x)
    within("x", x, -0.5, 0.5)
    half = 0.5
    a, b = 4 - gamma**2, gamma**2 - 2 * gamma
    before = a + b / 2
    tilted = [half - x, half + x]
    return instance(
        [[[0, half, half], [half, half, 0]], [[half, 0, half], [0, 0, 1]], [[0, 0, 1]] * 2],
        [[0, 0], [0, 1], [0, 0]],
        gamma,
        [1, 0, 0],
        old=[[half, half]] * 3,
        new=[tilted, tilted, [half, half]],
        gap=-2 * gamma * a * b * x**2 / (before**2 * (before + b * x)),
        state_labels=("s0", "s1", "end"),
    )
