"""Instances in exact rationals on which false claims fail, in plain Python: A_old is the reward, so that V_old = 0.

Most are docs/theory.md, "Named worst cases", written a second time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction as F
from typing import Any

Row = list[F]
H = F(1, 2)


@dataclass(frozen=True)
class Example:
    """A step on an MDP.

    Attributes:
        gamma: the discount.
        transition: P(s'|s,a), S × A × S.
        reward: r(s,a).
        old, new: the policies.
        initial: the law of the first state.
        available: which actions can be taken; None for all.
        size: of the step of an update rule.
    """

    gamma: F
    transition: Any
    reward: Any
    old: Any
    new: Any
    initial: Row
    available: Any = None
    size: F = F(1)


def to(state: int, states: int) -> Row:
    """A row of P that leads to one state."""
    return [F(int(other == state)) for other in range(states)]


def _start(states: int) -> Row:
    return to(0, states)


def _absorbing(states: int, actions: int, start: int) -> list[list[Row]]:
    return [[to(s, states)] * actions for s in range(start, states)]


def coupling(gamma: F, x: F, *, scale: Any = 1, elsewhere: F = F(0), cut: bool = False) -> Example:
    """F1: L − η(new) = 2 min(2x, 1) γ x e/((1 − γ)(1 − γ(1 − x))), less the share of starts in the absorbing state.

    cut: only the two actions that are taken there are available.
    """
    one = F(scale)
    new_g = [H, H - x, x] if x <= H else [1 - x, F(0), x]
    new_b = [H - x, H + x, F(0)] if x <= H else [F(0), F(1), F(0)]
    return Example(
        gamma,
        [[to(0, 2), to(0, 2), to(1, 2)], [to(1, 2)] * 3],
        [[one, -one, one], [one, -one, F(0) if cut else one]],
        [[H, H, F(0)]] * 2,
        [new_g, new_b],
        [1 - elsewhere, elsewhere],
        [[True] * 3, [True, True, not cut]],
    )


def pinsker(gamma: F, x: F) -> Example:
    """F2: L − η(new) = 4x² γ/(1 − γ)."""
    return Example(
        gamma,
        [[to(1, 3), to(2, 3)], *_absorbing(3, 2, 1)],
        [[F(0), F(0)], [F(1), F(-1)], [F(1), F(-1)]],
        [[H, H]] * 3,
        [[H - x, H + x], [H + x, H - x], [H - x, H + x]],
        _start(3),
    )


def equal_kl(gamma: F, a: F, b: F, y: F) -> Example:
    """F3: new leaves G with a and tilts what stays by b, and tilts by y at B.

    L − η(new) = γ a ((1 − a) 2b + a + 2y)/((1 − γ)(1 − γ(1 − a))).
    """
    first = coupling(gamma, H)
    new = [[(1 - a) * (H + b), (1 - a) * (H - b), a], [H - y, H + y, F(0)]]
    return Example(gamma, first.transition, first.reward, first.old, new, first.initial)


def mixture(gamma: F, x: F, *, sign: int = -1) -> Example:
    """F4: L − η(new) = (1 − sign) γ x²/((1 − γ)(1 − γ(1 − x))), A = 1 at G and sign at B: sign 0 has a greedy target."""
    return Example(
        gamma,
        [[to(0, 2), to(1, 2)], [to(1, 2)] * 2],
        [[F(0), F(1)], [F(0), F(sign)]],
        [[F(1), F(0)]] * 2,
        [[1 - x, x]] * 2,
        _start(2),
    )


def leaving(gamma: F, x: F, scale: F, *, even: bool = False) -> Example:
    """F5: L − η(new) = 2γ x/(1 − γ) at max|Ā| = 1; even: old goes to either state with probability ½, new with ½ ± x."""
    shift = H / scale
    first = [[H, H], [H - x, H + x]] if even else [[F(1), F(0)], [1 - x, x]]
    return Example(
        gamma,
        [[to(1, 3), to(2, 3)], *_absorbing(3, 2, 1)],
        [[F(0), F(0)], [scale, -scale], [scale, -scale]],
        [first[0], [H, H], [H, H]],
        [first[1], [H + shift, H - shift], [H - shift, H + shift]],
        _start(3),
    )


def leak(gamma: F, p: F) -> Example:
    """Old stays at G, new leaves with p for B, which old never sees and where new may take the bad action at no cost in mean-KL.

    L − η(new) = γ p/((1 − γ)(1 − γ(1 − p))), mean-KL = −log(1 − p).
    """
    return Example(
        gamma,
        [[to(0, 2), to(1, 2)], [to(1, 2)] * 2],
        [[F(0), F(0)], [F(1), F(-1)]],
        [[F(1), F(0)], [H, H]],
        [[1 - p, p], [F(0), F(1)]],
        _start(2),
    )


def walk(gamma: F, x: F, n: int) -> Example:
    """The drunkard's walk on −n..n with absorbing ends; state 0 is the start, and s its sites in order from −n."""
    states = 2 * n + 1
    sites = range(-n, n + 1)

    def beside(site: int, step: int) -> Row:
        return to(n + (site if abs(site) == n else site + step), states)

    def sign(site: int) -> F:
        return F((site > 0) - (site < 0))

    return Example(
        gamma,
        [[beside(site, -1), beside(site, 1)] for site in sites],
        [[sign(site), -sign(site)] for site in sites],
        [[H, H]] * states,
        [[H - x, H + x]] * states,
        to(n, states),
    )


def fork(gamma: F, root: F, *, mean: F = F(0), slope: F = F(1)) -> Example:
    """A likelihood ratio 1 ± root at the start, and Ā = mean − slope (X − 1) at the two states that tell it; then an end.

    Ā = mean at the start and at the end. L − η(new) = γ slope root².
    """
    size = (abs(mean) + slope * root) / root
    up, down = mean - slope * root, mean + slope * root

    def tilted(expected: F) -> Row:
        """The step that earns `expected` with A = (size, −size)."""
        return [H + expected / (2 * size), H - expected / (2 * size)]

    end = to(3, 4)
    if not mean:
        reward = [[F(0), F(0)], [size, -size], [size, -size], [F(0), F(0)]]
        first, last = [H + root / 2, H - root / 2], [H, H]
    else:
        level = mean / root
        reward = [[level, -level], [size, -size], [size, -size], [level, -level]]
        first = last = [H + root / 2, H - root / 2]
    return Example(
        gamma,
        [[to(1, 4), to(2, 4)], [end, end], [end, end], [end, end]],
        reward,
        [[H, H]] * 4,
        [first, tilted(up), tilted(down), last],
        _start(4),
    )


def tree(gamma: F, root: F, tilts: list[F]) -> Example:
    """A likelihood ratio that is a state: 1 ± root at first, then 1 ± tilt |X − 1| at each level, A against X − 1; then an end.

    State k has the children 2k + 1 and 2k + 2.
    """
    depth = len(tilts) + 1
    inner = 2**depth - 1
    states, end = inner + 1, inner
    ratio = {0: F(1)}
    transition, reward, new = [], [], []
    for state in range(inner):
        level = (state + 1).bit_length() - 1
        x = ratio[state]
        tilt = root if level == 0 else min(tilts[level - 1] * abs(x - 1), F(99, 100))
        children = (2 * state + 1, 2 * state + 2) if level + 1 < depth else (end, end)
        ratio[children[0]], ratio[children[1]] = x * (1 - tilt), x * (1 + tilt)
        transition.append([to(children[0], states), to(children[1], states)])
        side = F((x < 1) - (x > 1))
        reward.append([-side, side])
        new.append([(1 - tilt) / 2, (1 + tilt) / 2])
    return Example(
        gamma,
        [*transition, [to(end, states)] * 2],
        [*reward, [F(0), F(0)]],
        [[H, H]] * states,
        [*new, [H, H]],
        _start(states),
    )


def gate(gamma: F, leaving: F, size: F) -> Example:
    """Leaving the start is good, and all that is; old leaves rarely, and an exponential step of this size at once."""
    stay = 1 - leaving
    row = [stay, leaving]
    return Example(
        gamma,
        [[to(0, 2), to(1, 2)], [to(1, 2)] * 2],
        [[-leaving / stay, F(1)], [F(0), F(0)]],
        [row, row],
        [row, row],
        _start(2),
        size=size,
    )


def lottery(rewards: Iterable[Any], gamma: F) -> Example:
    """Old ends at once; new takes the path that pays these rewards from the second time on."""
    paid = [F(reward) for reward in rewards]
    states = len(paid) + 2
    end = states - 1
    path = [[to(min(s + 1, end), states)] * 2 for s in range(1, states)]
    reward = [[F(0), F(0)], *([r, r] for r in paid), [F(0), F(0)]]
    row = [F(1), F(0)]
    return Example(
        gamma,
        [[to(end, states), to(1, states)], *path],
        reward,
        [row] * states,
        [[F(0), F(1)], *[row] * (states - 1)],
        _start(states),
    )


def divided(example: Example, parts: int) -> Example:
    """Each action cut into equal ones."""

    def every(entries: Any) -> Any:
        return [[entry for entry in row for _ in range(parts)] for row in entries]

    old, new = ([[entry / parts for entry in row] for row in every(policy)] for policy in (example.old, example.new))
    return Example(example.gamma, every(example.transition), every(example.reward), old, new, example.initial)


def rows(old: Row, new: Row, *, reward: Row | None = None, gamma: F = H) -> Example:
    """One state."""
    return Example(gamma, [[[F(1)]] * len(old)], [reward or [F(0)] * len(old)], [old], [new], [F(1)])
