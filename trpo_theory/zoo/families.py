"""The worst cases in closed form: F1-F6 and the drunkard's walk, each a pair of policies with its exact gap.

gap = η(new) − L_old(new). Parameters may be arrays that broadcast: a family is then a batch. docs/theory.md, "Named worst cases".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from trpo_theory._announced import announced
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP


@announced
@dataclass(frozen=True, eq=False)
class Instance:
    """An MDP with a pair of policies.

    Attributes:
        mdp, old, new: the instance.
        gap: η(new) − L_old(new) in closed form, or None where none is known.
    """

    mdp: FiniteMDP
    old: Float[np.ndarray, "*batch S A"]
    new: Float[np.ndarray, "*batch S A"]
    gap: float | Float[np.ndarray, "*batch"] | None = None


def f1(*, gamma: Any = 0.5, x: Any = 0.25, scale: Any = 1.0) -> Instance:
    """F1, which attains `coupling/tv` exactly: gap = −4 e γ x² / ((1 − γ)(1 − γ(1 − x))), e = scale, x ≤ ½.

    G (start) and B (absorbing); at G only a3 leads to B; A = (1, −1, 1) e in both. For x > ½ the second form of
    docs/theory.md, "Named worst cases", with gap = −2 e γ x / ((1 − γ)(1 − γ(1 − x))).
    """
    gamma, x, scale = _numbers(gamma=gamma, x=x, scale=scale)
    _within("x", x, 0.0, 1.0)
    small = x <= 0.5
    transition = [[[1, 0], [1, 0], [0, 1]], [[0, 1], [0, 1], [0, 1]]]
    new_g = [np.where(small, 0.5, 1 - x), np.where(small, 0.5 - x, 0.0), x]
    new_b = [np.where(small, 0.5 - x, 0.0), np.where(small, 0.5 + x, 1.0), 0.0]
    change = np.where(small, 4 * x**2, 2 * x * np.minimum(2 * x, 1))
    return _instance(
        transition,
        [[scale, -scale, scale]] * 2,
        gamma,
        [1, 0],
        old=[[0.5, 0.5, 0]] * 2,
        new=[new_g, new_b],
        gap=-change * scale * gamma / ((1 - gamma) * (1 - gamma * (1 - x))),
        state_labels=("G", "B"),
    )


def f2(*, gamma: Any = 0.5, x: Any = 0.1, scale: Any = 1.0) -> Instance:
    """F2: gap = −4 x² e γ/(1 − γ) at KL(old‖new) = −½ log(1 − 4x²) in every state, x < ½.

    s0 leads to G or B, both absorbing; old is uniform; new shifts x to B, to +e at G and to −e at B.
    """
    gamma, x, scale = _numbers(gamma=gamma, x=x, scale=scale)
    _within("x", x, 0.0, 0.5)
    half = 0.5
    return _instance(
        [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2],
        [[0, 0], [scale, -scale], [scale, -scale]],
        gamma,
        [1, 0, 0],
        old=[[half, half]] * 3,
        new=[[half - x, half + x], [half + x, half - x], [half - x, half + x]],
        gap=-4 * x**2 * scale * gamma / (1 - gamma),
        state_labels=("s0", "G", "B"),
    )


def f3(*, gamma: Any = 0.5, a: Any = 0.1, b: Any = 0.1, scale: Any = 1.0) -> Instance:
    """F3: F1 with new(G) = ((1−a)(½+b), (1−a)(½−b), a) and B shifted by y until both states have the same KL.

    y = ½ √(1 − (1−a)²(1−4b²)),  gap = −e γ a ((1−a) 2b + a + 2y) / ((1 − γ)(1 − γ(1 − a))).
    """
    gamma, a, b, scale = _numbers(gamma=gamma, a=a, b=b, scale=scale)
    _within("a", a, 0.0, 1.0)
    _within("b", b, 0.0, 0.5)
    y = 0.5 * np.sqrt(1 - (1 - a) ** 2 * (1 - 4 * b**2))
    gain = (1 - a) * 2 * b + a + 2 * y
    return _instance(
        [[[1, 0], [1, 0], [0, 1]], [[0, 1], [0, 1], [0, 1]]],
        [[scale, -scale, scale]] * 2,
        gamma,
        [1, 0],
        old=[[0.5, 0.5, 0]] * 2,
        new=[[(1 - a) * (0.5 + b), (1 - a) * (0.5 - b), a], [0.5 - y, 0.5 + y, 0]],
        gap=-scale * gamma * a * gain / ((1 - gamma) * (1 - gamma * (1 - a))),
        state_labels=("G", "B"),
    )


def f4(*, gamma: Any = 0.5, x: Any = 0.25, scale: Any = 1.0) -> Instance:
    """F4: mixtures attain the Kakade-Langford bound, gap = −2 γ x² e / ((1 − γ)(1 − γ(1 − x))).

    Old plays a1 everywhere (stays, A = 0); the target a2 moves G to B with A = +e, and stays in B with A = −e;
    new = (1 − x) old + x target.
    """
    gamma, x, scale = _numbers(gamma=gamma, x=x, scale=scale)
    _within("x", x, 0.0, 1.0)
    return _instance(
        [[[1, 0], [0, 1]], [[0, 1], [0, 1]]],
        [[0, scale], [0, -scale]],
        gamma,
        [1, 0],
        old=[[1, 0]] * 2,
        new=[[1 - x, x]] * 2,
        gap=-2 * scale * gamma * x**2 / ((1 - gamma) * (1 - gamma * (1 - x))),
        state_labels=("G", "B"),
    )


def f5(*, gamma: Any = 0.5, x: Any = 0.1, scale: Any = 100.0, expected: Any = 1.0) -> Instance:
    """F5: gap = −2 γ e' x/(1 − γ); as M = scale grows its ratio to the CPO bound `cpo/mean-tv` tends to 1.

    s0: old goes to G, new leaks x to B; at G and B, A = ±M and old is uniform; opposite shifts e'/(2M) make Ā = ±e',
    e' = expected.
    """
    gamma, x, scale, expected = _numbers(gamma=gamma, x=x, scale=scale, expected=expected)
    _within("x", x, 0.0, 1.0)
    shift = expected / (2 * scale)
    _within("expected / (2 scale)", shift, 0.0, 0.5)
    half = 0.5
    return _instance(
        [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2],
        [[0, 0], [scale, -scale], [scale, -scale]],
        gamma,
        [1, 0, 0],
        old=[[1, 0], [half, half], [half, half]],
        new=[[1 - x, x], [half + shift, half - shift], [half - shift, half + shift]],
        gap=-2 * gamma * expected * x / (1 - gamma),
        state_labels=("s0", "G", "B"),
    )


def f6(*, gamma: Any = 0.9, p: Any = 0.4, p_new: Any = 0.7) -> Instance:
    """F6, aliased: one shared row (p, 1 − p), η = γ p (1 − p), gap = −γ (p_new − p)².

    s0: a1 leads to s1, a2 ends; s1: a2 pays 1 and ends, a1 ends. `StateAggregation([0, 0, 0])` is its policy class.
    """
    gamma, p, p_new = _numbers(gamma=gamma, p=p, p_new=p_new)
    _within("p", p, 0.0, 1.0)
    _within("p_new", p_new, 0.0, 1.0)
    return _instance(
        [[[0, 1, 0], [0, 0, 1]], [[0, 0, 1]] * 2, [[0, 0, 1]] * 2],
        [[0, 0], [0, 1], [0, 0]],
        gamma,
        [1, 0, 0],
        old=[[p, 1 - p]] * 3,
        new=[[p_new, 1 - p_new]] * 3,
        gap=-gamma * (p_new - p) ** 2,
        state_labels=("s0", "s1", "end"),
    )


def walk(*, gamma: Any = 0.9, x: Any = 0.01, n: float = 60, scale: Any = 1.0) -> Instance:
    """The drunkard's walk on −n..n, the worst case known for max-KL; its ends absorb.

    Left or right, start 0, old = (½, ½), new = (½ − x, ½ + x), A = −sign(s) e on right and +sign(s) e on left.
    gap = −2 x e h(0), h(s) = E_new[Σ γᵗ sign(s_t) | s_0 = s]. With r1 < 1 < r2 the roots of γ(½+x) r² − r + γ(½−x) = 0,
    t = (r1/r2)ⁿ, u = (r1 − r2 t)/(1 − t) and w = (1 − (r1/r2)ⁿ⁻¹)/r2/(1 − t):
        h(0) = γ/(1 − γ) ((½+x)(1 − u) − (½−x)(1 − w)) / (1 − γ(½+x) u − γ(½−x) w).
    """
    if isinstance(n, bool) or int(n) != n or n < 1:
        raise InvalidInput(got=f"n = {n!r}", wanted="a whole number of states on each side, 1 or more", fix="pass n=60")
    n = int(n)
    gamma, x, scale = _numbers(gamma=gamma, x=x, scale=scale)
    _within("x", x, 0.0, 0.5)
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
    return _instance(
        transition.tolist(),
        [[s * scale, -s * scale] for s in sign],
        gamma,
        (sites == 0).astype(float).tolist(),
        old=old,
        new=new,
        gap=gap,
        state_labels=tuple(f"{s:+d}" if s else "0" for s in sites),
    )


FAMILIES = {"f1": f1, "f2": f2, "f3": f3, "f4": f4, "f5": f5, "f6": f6, "walk": walk}


def _instance(
    transition: Any,
    reward: Any,
    gamma: Any,
    initial: Any,
    *,
    old: Any,
    new: Any,
    gap: Any,
    state_labels: tuple[str, ...],
) -> Instance:
    """Build the instance; entries of reward and of the policies may be arrays, which makes a batch of their shape."""
    batch = np.shape(gap)
    mdp = FiniteMDP(
        np.broadcast_to(np.asarray(transition, dtype=np.float64), (*batch, *np.shape(transition))),
        _stacked(reward, batch),
        gamma,
        initial,
        state_labels=state_labels,
    )
    return Instance(mdp, _stacked(old, batch), _stacked(new, batch), gap if batch else float(gap))


def _stacked(rows: Any, batch: tuple[int, ...]) -> np.ndarray:
    flat = [np.broadcast_to(np.asarray(entry, dtype=np.float64), batch) for row in rows for entry in row]
    return np.stack(flat, axis=-1).reshape(*batch, len(rows), len(rows[0]))


def _numbers(**parameters: Any) -> list[np.ndarray]:
    try:
        arrays = [np.asarray(value, dtype=np.float64) for value in parameters.values()]
        return [array.copy() for array in np.broadcast_arrays(*arrays)]
    except (TypeError, ValueError):
        raise InvalidInput(
            got=", ".join(f"{name} = {value!r}" for name, value in parameters.items()),
            wanted="numbers, or arrays that broadcast against each other",
            fix="check the parameters of the family",
        ) from None


def _within(name: str, value: Any, low: float, high: float) -> None:
    if not ((value >= low) & (value <= high)).all():
        raise InvalidInput(got=f"{name} = {value}", wanted=f"{low:g} <= {name} <= {high:g}", fix=f"change {name}")
