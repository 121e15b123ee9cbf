"""The sharp gap as a linear program: the worst case over all finite MDPs, a dynamic program in the likelihood ratio x.

With l = new/old of an action, x the likelihood ratio of the path so far and f the divergence's generator, the
program (*) of docs/theory.md, "The program", is
    v(x) = sup { E[|x − 1| (l − 1) A + γ v(x l)] : E l = 1, E A = 0, A = ±1, E f(l) ≤ D },    G = v(1).
Its dual: the least w(1) with multipliers λ, μ, ν such that for every x, l ≥ 0 and A = ±1
    w(x) ≥ |x − 1| (l − 1) A + γ w(x l) + λ (D − f(l)) − μ (l − 1) − ν A.
Here w is piecewise linear, on nodes, with w(0), and a slope s beyond the last node. Normalised by max|Ā| the bracket is
|x − 1| alone and A is not needed. For a mean divergence λ is one number for all x, and λ D/(1 − γ) is paid once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

from trpo_theory.errors import NotSolved

_WEIGHT = 1e4
"""Of w(1), for a mean: the solver's tolerance is absolute, and the laws of states that are hardly visited count."""
_DEAR = 1e9
_DEAR_FOR_MAX = 1e4
_WIDER = 1.6
_WIDEST = 30.0
"""Of the finer part, in log x: beyond it v is a line to more digits than are asked for, and exp would overflow."""
_USUAL = np.linspace(0.7, 1.3, 25)
"""Where the best l is, unless a law splits: at 1 ± the largest E[(l − 1) A], in units of that."""


@dataclass(frozen=True)
class Divergence:
    """A divergence E_old f(l) of a state's rows, l = new/old.

    Attributes:
        name: in the catalogue's words.
        generator: f, convex, f(1) = 0.
        at_zero: f(0): what an action costs that new gives up; ∞ if it may not.
        at_infinity: lim f(l)/l: what a unit of new's mass costs on actions that old never takes; ∞ if it may have none.
        peak: the l that maximises c l − λ f(l), for c and λ > 0: of the concave pieces between nodes.
        largest: the largest E[(l − 1) A] at radius D.
        centred: f(l) + tilt (l − 1), whose least value is 0 at 1; as E l = 1, it may stand for f and is small where f is.
        tilt: of that.
    """

    name: str
    generator: Callable[[Any], Any]
    at_zero: float
    at_infinity: float
    peak: Callable[[Any, Any], Any]
    largest: Callable[[float], float]
    centred: Callable[[Any], Any]
    tilt: float = 0.0


def _kl_peak(c: Any, price: Any) -> Any:
    return np.where(c < 0, price / np.where(c < 0, -c, 1.0), np.inf)


def _reverse_kl(ratio: Any) -> Any:
    return np.where(ratio > 0, ratio * np.log(np.where(ratio > 0, ratio, 1.0)) - ratio + 1, 1.0)


def _chi2_peak(c: Any, price: Any) -> Any:
    return np.where(c < price, np.sqrt(price / np.where(c < price, price - c, 1.0)), np.inf)


def _tv_peak(c: Any, price: Any) -> Any:
    """|l − 1| has its corner at 1, which is a node's own place; elsewhere the piece is linear."""
    return np.where(c + price / 2 <= 0, 0.0, np.where(c - price / 2 >= 0, np.inf, 1.0))


def _tv(ratio: Any) -> Any:
    return np.abs(ratio - 1) / 2


def _chi2(ratio: Any) -> Any:
    return (ratio - 1) ** 2 / ratio


KL = Divergence(
    "kl",
    lambda ratio: -np.log(ratio),
    np.inf,
    0.0,
    _kl_peak,
    lambda radius: float(np.sqrt(-np.expm1(-2 * radius))),
    lambda ratio: ratio - 1 - np.where(ratio > 0.5, np.log1p(np.maximum(ratio, 0.5) - 1), np.log(ratio)),
    tilt=1.0,
)
TV = Divergence("tv", _tv, 0.5, 0.5, _tv_peak, lambda radius: min(2 * radius, 1.0), _tv)
REVERSE_KL = Divergence(
    "reverse-kl",
    _reverse_kl,
    1.0,
    np.inf,
    lambda c, price: np.exp(np.minimum(c / price, 700.0)),
    lambda radius: min(1.0, float(np.sqrt(2 * radius))),
    _reverse_kl,
)
CHI2 = Divergence(
    "chi2",
    _chi2,
    np.inf,
    1.0,
    _chi2_peak,
    lambda radius: float(np.sqrt(radius / (1 + radius))),
    _chi2,
)


def grid(
    gamma: float, radius: float, divergence: Divergence, half: int, *, per_step: float = 8.0, reach: float = 3.0
) -> np.ndarray:
    """Ratios about 1: half on each side, even in log x near 1, so many to a step, then ever wider; and a few far ones.

    v bends within some m/√(1 − γ) of 1 in log x, m the largest step; chords over-estimate it, and splits lose, by about a share
    (spacing/m)²/8 of it.
    """
    step = float(np.log1p(divergence.largest(radius)))
    bent = min(max(6 * divergence.largest(radius) / np.sqrt(1 - gamma), 8 * step), _WIDEST)
    k = np.arange(half + 1) / half
    fine = step / per_step * half / bent
    if fine >= 1:
        core = bent * k
    else:
        low, high = 1e-6, 20.0
        for _ in range(60):
            bend = (low + high) / 2
            low, high = (bend, high) if bend / np.sinh(bend) > fine else (low, bend)
        core = bent * np.sinh(low * k) / np.sinh(low)
    far = bent * 1.35 ** np.arange(1, 60)
    side = np.concatenate([core, far[far < reach + 0.35 * bent]])
    return np.exp(np.concatenate([-side[:0:-1], side]))


@dataclass
class Program:
    """The dual as a linear program over the nodes 0, x_1 .. x_N, ∞, and its solution.

    Attributes:
        divergence, gamma, radius: of (*).
        nodes: x_1 .. x_N; their places are 0 .. N−1, that of x = 0 is N, that of ∞ (the slope) N+1.
        mean: whether the divergence is meant in the mean under d_old.
        expected: whether the gap is normalised by max|Ā| instead of max|A|.
        lattice: whether laws lead from node to node only: what they gain, a finite MDP gains; the value is below G.
        price: for a mean, the λ that is used; left out, it is chosen, and w is the least at 1 only, not at every node.
    """

    divergence: Divergence
    gamma: float
    radius: float
    nodes: np.ndarray
    mean: bool = False
    expected: bool = False
    lattice: bool = False
    price: float | None = None
    _rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list, init=False)
    solution: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        count = len(self.nodes)
        largest = self.divergence.largest(self.radius)
        # of what a bounded gap is made, in units of which the program is solved
        self.unit = 1.0 if self.mean or self.expected else largest
        window = max(8 * largest, 1.0) if self.mean else 2 * largest
        place, target = (part.ravel() for part in np.meshgrid(np.arange(count), np.arange(count), indexing="ij"))
        ratio = self.nodes[target] / self.nodes[place]
        near = np.abs(np.log(ratio)) <= (np.inf if self.lattice else window)
        self.add(place[near], ratio[near])
        every = np.arange(count + 2)
        steps = 1 + largest * np.linspace(-1, 1, 81)
        ladder = np.unique(np.concatenate([np.exp(np.linspace(-8, 8, 161)), steps[steps > 0]]))
        for end in (count, count + 1):
            self.add(np.full(len(ladder), end), ladder)
        if not self.lattice:
            far = np.arange(1, 200) / 16 if self.mean else window * _WIDER ** np.arange(1, 100)
            far = far[far < 2 * np.log(self.nodes[-1]) + 10]
            usual = 1 + largest * np.concatenate([-_USUAL[_USUAL * largest < 1], _USUAL])
            anywhere = np.concatenate([np.exp(-far), np.exp(far), usual])
            self.add(np.repeat(every, len(anywhere)), np.tile(anywhere, count + 2))
        if np.isfinite(self.divergence.at_zero):
            self.add(every, np.zeros(count + 2))
        if np.isfinite(self.divergence.at_infinity):
            self.add(every, np.full(count + 2, np.inf))

    def add(self, place: np.ndarray, ratio: np.ndarray, sign: np.ndarray | None = None) -> None:
        """Constraints at these places for these l, for both signs of A where none is given.

        Of the first ones, what costs very many radii is left out: it spoils the numbers, and a cut brings what is needed.
        """
        if sign is None:
            at = np.where(np.isfinite(ratio) & (ratio > 0), ratio, 1.0)
            dear = (_DEAR if self.mean else _DEAR_FOR_MAX) * self.radius
            affordable = self.divergence.generator(at) <= dear * np.maximum(1.0, at)
            place, ratio = place[affordable], ratio[affordable]
        signs = [sign] if sign is not None else [np.full(len(place), s) for s in ((1,) if self.expected else (1, -1))]
        self._rows += [(place, ratio, one) for one in signs]

    def scale(self, place: Any) -> Any:
        """1 + x: w(x) is at most that times a constant."""
        return np.where(place == len(self.nodes) + 1, 1.0, 1 + np.append(self.nodes, [0.0, 0.0])[place])

    def rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Places, ratios and signs of all constraints."""
        place, ratio, sign = (np.concatenate(part) for part in zip(*self._rows, strict=True))
        return place, ratio, sign

    def matrix(self) -> tuple[sp.csr_array, np.ndarray]:
        """A and b: A z ≥ b, z = (ω, λ', μ', the one λ, ν') in scaled units."""
        place, ratio, sign = self.rows()
        count, size = len(self.nodes), len(place)
        kinds = count + 2
        x = np.append(self.nodes, [0.0, np.nan])[place]
        scale, infinite = self.scale(place), np.isinf(ratio)
        finite = np.where(infinite, 1.0, ratio)
        own = np.where(infinite, 0.0, 1.0)  # an action that old never takes has no share in w(x), D and E A
        excess = np.where(infinite, 1.0, finite - 1)
        kind = self.divergence
        cost = np.where(finite > 0, kind.centred(np.where(finite > 0, finite, 1.0)), kind.at_zero - kind.tilt)
        cost = np.where(infinite, kind.at_infinity + kind.tilt, cost)
        cost = np.where(np.isfinite(cost), cost, 0.0)
        weight = np.where(place == count + 1, 1.0, np.abs(x - 1))
        entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

        def put(column: Any, value: Any, where: Any = True) -> None:
            at = np.flatnonzero(np.broadcast_to(where, (size,)))
            columns, values = (np.broadcast_to(part, (size,))[at] for part in (column, value))
            entries.append((at, columns, values / scale[at]))

        put(place, own * scale)
        self._put_continuation(put, place, np.where(infinite, np.inf, finite), x)
        if self.mean:
            put(3 * kinds, np.where(place == count + 1, 0.0, cost) / self.unit)
        else:
            put(kinds + place, (cost - own * self.radius) / self.radius * scale)
        put(2 * kinds + place, excess / self.unit * scale)
        if not self.expected:
            put(3 * kinds + 1 + place, sign * own * scale)
        right = (own * weight if self.expected else sign * weight * excess) / self.unit / scale
        factor = scale / self._size_of_row(place, ratio)
        at, columns, values = (np.concatenate(part) for part in zip(*entries, strict=True))
        matrix = sp.csr_array((values * factor[at], (at, columns)), shape=(size, 4 * kinds + 1))
        return matrix, right * factor

    def _put_continuation(self, put: Any, place: Any, ratio: Any, x: Any) -> None:
        """−γ w(x l), w interpolated between the nodes about x l; from ∞, −γ l s."""
        count = len(self.nodes)
        finite = np.isfinite(ratio) & (place < count)
        target = np.where(finite, np.where(finite, ratio, 0) * np.where(finite, x, 0), 0.0)
        knots = np.append(0.0, self.nodes)
        segment = np.clip(np.searchsorted(knots, target, side="right") - 1, 0, count)
        beyond = finite & (segment == count) & (target > knots[-1])
        inside = finite & ~beyond
        left = np.minimum(segment, count - 1)
        share = np.where(inside, (target - knots[left]) / (knots[left + 1] - knots[left]), 0.0)
        at_left, at_right = (np.where(knot == 0, count, knot - 1) for knot in (left, left + 1))
        put(at_left, -self.gamma * (1 - share) * self.scale(at_left), inside & (share < 1))
        put(at_right, -self.gamma * share * self.scale(at_right), inside & (share > 0))
        put(count - 1, -self.gamma * self.scale(count - 1), beyond)
        put(count + 1, -self.gamma * (target - knots[-1]), beyond)
        put(count, -self.gamma, np.isfinite(ratio) & (place == count))
        put(count + 1, -self.gamma * np.where(np.isfinite(ratio), ratio, 1.0), place == count + 1)
        put(count + 1, -self.gamma * np.where(place < count, x, 0.0), ~np.isfinite(ratio) & (place < count))

    def solve(self) -> Program:
        """Minimise w(1) by HiGHS.

        Raises:
            NotSolved: if it does not end well.
        """
        from scipy.optimize import linprog

        matrix, right = self.matrix()
        kinds = len(self.nodes) + 2
        start = len(self.nodes) // 2
        objective = np.zeros(4 * kinds + 1)
        free, positive = (None, None), (0, None)
        chosen = self.mean and self.price is None
        if chosen:
            objective[start] = _WEIGHT * self.scale(start)
            objective[3 * kinds] = _WEIGHT * self.radius / (1 - self.gamma) / self.unit
        else:
            objective[:kinds] = 1.0
            objective[start] += self.scale(start)
        price = positive if chosen or not self.mean else (self.price, self.price)
        bounds = [free if chosen else positive] * kinds + [positive] * kinds + [free] * kinds + [price] + [free] * kinds
        options = {"dual_feasibility_tolerance": 1e-10} if chosen else {}
        for presolve in (True, False):  # the one may end well where the other does not
            found = linprog(
                objective,
                A_ub=-matrix,
                b_ub=-right,
                bounds=bounds,
                method="highs-ipm",
                options={**options, "presolve": presolve},
            )
            if found.status == 0:
                self.solution = found
                return self
        raise NotSolved(
            f"got no solution of the sharp gap's program ({found.message.strip()}); wanted an optimum; "
            "fix: use fewer nodes, or a radius and gamma further from their limits"
        )

    @property
    def value(self) -> float:
        """w(1) (with λ D/(1 − γ), for a mean): G of the discretised program."""
        start, kinds = len(self.nodes) // 2, len(self.nodes) + 2
        paid = self.solution.x[3 * kinds] * self.radius / (1 - self.gamma) if self.mean else 0.0
        return float(self.solution.x[start] * self.scale(start) * self.unit + paid)

    def multipliers(self) -> dict[str, np.ndarray]:
        """w, λ, μ, ν by place, in the units of rewards."""
        kinds = len(self.nodes) + 2
        scale = self.scale(np.arange(kinds))
        z = self.solution.x
        prices = z[3 * kinds] * np.ones(kinds) if self.mean else z[kinds : 2 * kinds] * scale * self.unit / self.radius
        prices = np.maximum(prices, 0.0)  # the program's own tolerance
        charged = prices * ~(
            self.mean & (np.arange(kinds) == kinds - 1)
        )  # old never comes to ∞: a mean costs nothing there
        return {
            "w": z[:kinds] * scale * self.unit,
            "price": prices,
            "mu": z[2 * kinds : 3 * kinds] * scale + self.divergence.tilt * charged,
            "nu": z[3 * kinds + 1 :] * scale * self.unit,
        }

    def laws(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The optimal laws: places, ratios, signs, and the weights, up to a factor a place (its occupation)."""
        weight = np.maximum(-self.solution.ineqlin.marginals, 0.0)
        place, ratio, sign = (part[: len(weight)] for part in self.rows())  # rows added since then have none
        return place, ratio, sign, weight / self._size_of_row(place, ratio)

    def _size_of_row(self, place: np.ndarray, ratio: np.ndarray) -> np.ndarray:
        return self.scale(place) * np.maximum(1.0, np.where(np.isinf(ratio), 1.0, ratio))
