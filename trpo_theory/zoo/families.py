"""Families of worst cases in closed form: an MDP, two policies on it, and the exact gap between return and surrogate.

gap = η(new) − L_old(new), in discounted reward; docs/theory.md, "Named worst cases". A family's name says what
is tight in it; the earlier ids (f1 to f6, walk) remain as aliases. Parameters may be arrays that broadcast against each
other: the instance is then a batch.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trpo_theory.model.types import RealLike
from trpo_theory.zoo._instance import Instance, instance, numbers, whole, within
from trpo_theory.zoo.chi_square import certificate_ladder, kl_for_chi2
from trpo_theory.zoo.chi_square_chains import (
    chi2_advantage_tight,
    chi2_reward_tight,
    chi2_time_resolved_tight,
    cv_certificate_tight,
)


def coupling_tight(*, gamma: RealLike = 0.5, x: RealLike = 0.25, scale: RealLike = 1.0) -> Instance:
    """F1: attains the bound `coupling/tv` exactly.

    gap = −4 e γ x² / ((1 − γ)(1 − γ(1 − x))) for x ≤ ½,   −2 e γ x / ((1 − γ)(1 − γ(1 − x))) for x > ½.

    Two states, G (the start) and B (absorbing); at G only the third action leads to B. A_old = (1, −1, 1) e in both states,
    and old = (½, ½, 0). In both states new is at total variation x from old.

    Args:
        gamma: the discount γ.
        x: the total variation between old and new, in [0, 1].
        scale: e = max |A_old|, in discounted reward.
    """
    gamma, x, scale = numbers(gamma=gamma, x=x, scale=scale)
    within("x", x, 0.0, 1.0)
    small = x <= 0.5
    transition = [[[1, 0], [1, 0], [0, 1]], [[0, 1], [0, 1], [0, 1]]]
    new_g = [np.where(small, 0.5, 1 - x), np.where(small, 0.5 - x, 0.0), x]
    new_b = [np.where(small, 0.5 - x, 0.0), np.where(small, 0.5 + x, 1.0), 0.0]
    change = np.where(small, 4 * x**2, 2 * x * np.minimum(2 * x, 1))
    return instance(
        transition,
        [[scale, -scale, scale]] * 2,
        gamma,
        [1, 0],
        old=[[0.5, 0.5, 0]] * 2,
        new=[new_g, new_b],
        gap=-change * scale * gamma / ((1 - gamma) * (1 - gamma * (1 - x))),
        state_labels=("G", "B"),
    )


def pinsker_tight(*, gamma: RealLike = 0.5, x: RealLike = 0.1, scale: RealLike = 1.0) -> Instance:
    """F2: the ratio of its gap to the bound `pinsker/kl` tends to 1 as γ and x tend to 0.

    gap = −4 x² e γ/(1 − γ)  at  KL(old‖new) = −½ log(1 − 4x²) ≈ 2x² in every state.

    s0 leads to G or B, both absorbing; old is uniform; A_old = 0 at s0 and (e, −e) at G and B. New shifts probability x at
    s0 towards B, at G towards +e, at B towards −e.

    Args:
        gamma: the discount γ.
        x: the probability shifted in every state, in [0, ½].
        scale: e = max |A_old|, in discounted reward.
    """
    gamma, x, scale = numbers(gamma=gamma, x=x, scale=scale)
    within("x", x, 0.0, 0.5)
    half = 0.5
    return instance(
        [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2],
        [[0, 0], [scale, -scale], [scale, -scale]],
        gamma,
        [1, 0, 0],
        old=[[half, half]] * 3,
        new=[[half - x, half + x], [half + x, half - x], [half - x, half + x]],
        gap=-4 * x**2 * scale * gamma / (1 - gamma),
        state_labels=("s0", "G", "B"),
    )


def equal_kl(*, gamma: RealLike = 0.5, a: RealLike = 0.1, b: RealLike = 0.1, scale: RealLike = 1.0) -> Instance:
    """F3: the MDP of `coupling_tight` with a step whose KL is the same in both states, so that max-KL is tight in each.

    y = ½ √(1 − (1−a)²(1−4b²)),  gap = −e γ a ((1−a) 2b + a + 2y) / ((1 − γ)(1 − γ(1 − a))).

    new(G) = ((1−a)(½+b), (1−a)(½−b), a) and new(B) = (½−y, ½+y, 0); old is (½, ½, 0) in both.

    Args:
        gamma: the discount γ.
        a: the probability with which new leaves G for B, in [0, 1].
        b: the tilt of new between the two actions that stay in G, in [0, ½].
        scale: e = max |A_old|, in discounted reward.
    """
    gamma, a, b, scale = numbers(gamma=gamma, a=a, b=b, scale=scale)
    within("a", a, 0.0, 1.0)
    within("b", b, 0.0, 0.5)
    y = 0.5 * np.sqrt(1 - (1 - a) ** 2 * (1 - 4 * b**2))
    gain = (1 - a) * 2 * b + a + 2 * y
    return instance(
        [[[1, 0], [1, 0], [0, 1]], [[0, 1], [0, 1], [0, 1]]],
        [[scale, -scale, scale]] * 2,
        gamma,
        [1, 0],
        old=[[0.5, 0.5, 0]] * 2,
        new=[[(1 - a) * (0.5 + b), (1 - a) * (0.5 - b), a], [0.5 - y, 0.5 + y, 0]],
        gap=-scale * gamma * a * gain / ((1 - gamma) * (1 - gamma * (1 - a))),
        state_labels=("G", "B"),
    )


def kakade_langford_tight(*, gamma: RealLike = 0.5, x: RealLike = 0.25, scale: RealLike = 1.0) -> Instance:
    """F4: a mixture that attains the bound `kakade-langford` exactly.

    gap = −2 γ x² e / ((1 − γ)(1 − γ(1 − x))).

    Old plays the first action everywhere (it stays, A_old = 0); the target policy plays the second, which moves G to B with
    A_old = +e and stays in B with A_old = −e; new = (1 − x) old + x target.

    Args:
        gamma: the discount γ.
        x: the weight of the target in the mixture, in [0, 1].
        scale: e = max |A_old|, in discounted reward.
    """
    gamma, x, scale = numbers(gamma=gamma, x=x, scale=scale)
    within("x", x, 0.0, 1.0)
    return instance(
        [[[1, 0], [0, 1]], [[0, 1], [0, 1]]],
        [[0, scale], [0, -scale]],
        gamma,
        [1, 0],
        old=[[1, 0]] * 2,
        new=[[1 - x, x]] * 2,
        gap=-2 * scale * gamma * x**2 / ((1 - gamma) * (1 - gamma * (1 - x))),
        state_labels=("G", "B"),
    )


def cpo_tight(
    *, gamma: RealLike = 0.5, x: RealLike = 0.1, scale: RealLike = 100.0, expected: RealLike = 1.0
) -> Instance:
    """F5: the ratio of its gap to the bound `cpo/mean-tv` tends to 1 as the scale M of the advantages grows.

    gap = −2 γ e' x/(1 − γ).

    At s0 old goes to G and new goes to B with probability x. At G and B, both absorbing, A_old = (M, −M) and old is uniform;
    new shifts probability e'/(2M) towards +M at G and towards −M at B, so that Ā = ±e'.

    Args:
        gamma: the discount γ.
        x: the probability with which new goes to B, in [0, 1].
        scale: M = max |A_old|, in discounted reward.
        expected: e' = max |Ā|, in discounted reward; at most M.
    """
    gamma, x, scale, expected = numbers(gamma=gamma, x=x, scale=scale, expected=expected)
    within("x", x, 0.0, 1.0)
    shift = expected / (2 * scale)
    within("expected / (2 scale)", shift, 0.0, 0.5)
    half = 0.5
    return instance(
        [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2],
        [[0, 0], [scale, -scale], [scale, -scale]],
        gamma,
        [1, 0, 0],
        old=[[1, 0], [half, half], [half, half]],
        new=[[1 - x, x], [half + shift, half - shift], [half - shift, half + shift]],
        gap=-2 * gamma * expected * x / (1 - gamma),
        state_labels=("s0", "G", "B"),
    )


def aliased(*, gamma: RealLike = 0.9, p: RealLike = 0.4, p_new: RealLike = 0.7) -> Instance:
    """F6: two states that a policy cannot tell apart, where a step that raises the surrogate may lower the return.

    η = γ p (1 − p),  gap = −γ (p_new − p)².

    At s0 the first action leads to s1 and the second ends; at s1 the second pays 1 and ends, the first ends. All states share
    the row (p, 1 − p): the class of policies is `StateAggregation([0, 0, 0])`.

    Args:
        gamma: the discount γ.
        p: probability of the first action under old, in [0, 1].
        p_new: the same under new.
    """
    gamma, p, p_new = numbers(gamma=gamma, p=p, p_new=p_new)
    within("p", p, 0.0, 1.0)
    within("p_new", p_new, 0.0, 1.0)
    return instance(
        [[[0, 1, 0], [0, 0, 1]], [[0, 0, 1]] * 2, [[0, 0, 1]] * 2],
        [[0, 0], [0, 1], [0, 0]],
        gamma,
        [1, 0, 0],
        old=[[p, 1 - p]] * 3,
        new=[[p_new, 1 - p_new]] * 3,
        gap=-gamma * (p_new - p) ** 2,
        state_labels=("s0", "s1", "end"),
    )


_MOST_SITES = 2_000
"""States on each side of the drunkard's start, at most; chosen: its transition, which is dense, has 256 MB."""


def drunkards_walk(*, gamma: RealLike = 0.9, x: RealLike = 0.01, n: float = 60, scale: RealLike = 1.0) -> Instance:
    """The drunkard's walk on the integers −n..n, with absorbing ends: the worst case known for max-KL.

    gap = −2 x e h(0),  h(s) = E_new[Σ γᵗ sign(s_t) | s_0 = s]. With r1 < 1 < r2 the roots of γ(½+x) r² − r + γ(½−x) = 0,
    t = (r1/r2)ⁿ, u = (r1 − r2 t)/(1 − t) and w = (1 − (r1/r2)ⁿ⁻¹)/r2/(1 − t):
        h(0) = γ/(1 − γ) ((½+x)(1 − u) − (½−x)(1 − w)) / (1 − γ(½+x) u − γ(½−x) w).

    The actions are left and right; the start is 0; old = (½, ½) and new = (½ − x, ½ + x) in every state;
    A_old = −sign(s) e for right and +sign(s) e for left.

    Args:
        gamma: the discount γ.
        x: the tilt of new to the right, in [0, ½].
        n: states on each side of the start, 1 or more.
        scale: e = max |A_old|, in discounted reward.
    """
    n = whole(n, "states on each side", least=1, most=_MOST_SITES, fix="pass n=60")
    gamma, x, scale = numbers(gamma=gamma, x=x, scale=scale)
    within("x", x, 0.0, 0.5)
    sites = np.arange(-n, n + 1)
    transition = np.zeros((2 * n + 1, 2, 2 * n + 1))
    for action, step in enumerate((-1, 1)):
        target = np.where(abs(sites) == n, sites, sites + step)
        transition[sites + n, action, target + n] = 1
    sign = np.sign(sites)
    old, new = [[0.5, 0.5]] * len(sites), [[0.5 - x, 0.5 + x]] * len(sites)
    right, left = gamma * (0.5 + x), gamma * (0.5 - x)
    root = np.sqrt(1 - 4 * right * left)
    with np.errstate(divide="ignore", invalid="ignore"):
        small, large = 2 * left / (1 + root), (1 + root) / (2 * right)
        t = (small / large) ** n
        u, w = (small - large * t) / (1 - t), (1 - (small / large) ** (n - 1)) / large / (1 - t)
        tilt = (0.5 + x) * (1 - u) - (0.5 - x) * (1 - w)
        start = gamma / (1 - gamma) * tilt / (1 - right * u - left * w)
    gap = np.where(gamma == 0, 0.0, -2 * x * scale * start)
    return instance(
        transition.tolist(),
        [[s * scale, -s * scale] for s in sign],
        gamma,
        (sites == 0).astype(float).tolist(),
        old=old,
        new=new,
        gap=gap,
        state_labels=tuple(f"{s:+d}" if s else "0" for s in sites),
    )


_NAMED: dict[str, Callable[..., Instance]] = {
    "coupling-tight": coupling_tight,
    "pinsker-tight": pinsker_tight,
    "equal-kl": equal_kl,
    "kakade-langford-tight": kakade_langford_tight,
    "cpo-tight": cpo_tight,
    "aliased": aliased,
    "drunkards-walk": drunkards_walk,
    "chi2-advantage-tight": chi2_advantage_tight,
    "chi2-reward-tight": chi2_reward_tight,
    "chi2-time-resolved-tight": chi2_time_resolved_tight,
    "cv-certificate-tight": cv_certificate_tight,
    "kl-for-chi2": kl_for_chi2,
    "certificate-ladder": certificate_ladder,
}

ALIASES = {**{f"f{number}": name for number, name in enumerate([*_NAMED][:6], 1)}, "walk": "drunkards-walk"}
"""The earlier ids of the families, still read wherever a name is."""

FAMILIES = {**_NAMED, **{old: _NAMED[name] for old, name in ALIASES.items()}}
"""The families by name, and by earlier id."""
