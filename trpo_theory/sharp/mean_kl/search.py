"""A piecewise linear supersolution for a linear mean-KL bound, in floats, by policy iteration; then rounded and proved.

In the notation of `supersolution`: with P(s) = max over l of a (W(x l) − K f(l)) − s (l − 1), the best law at x gives
    (T W)(x) = min over μ of [P(μ − m) + P(μ + m)]/(2 (1 + a)),
since ν, which makes the two signs of A equal, may be eliminated. The maximum over l is closed on each segment of W, the minimum
is where the mean of the two best ratios is 1. Each round finds the best law at every node and solves for the W of these laws.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from trpo_theory.errors import NotSolved
from trpo_theory.numerics.ball.raw import raw
from trpo_theory.numerics.divergence import x_minus_log1p
from trpo_theory.sharp.mean_kl.mesh import Mesh
from trpo_theory.sharp.mean_kl.near_one import NextToOne
from trpo_theory.sharp.mean_kl.supersolution import LinearOnInterval, Multipliers

_ROUNDS = 40
"""Of policy iteration, at most. Measured: 5 to 12."""
_SPARE = 1e-4
"""Times m² near 1, and ten far away, is what W has to spare in every inequality over 1 + a, for rounding. Chosen, far below what
the nodes cost; more far away would make W steeper than 1 there."""
_HALVINGS = 44
"""Of the interval that μ is in: its last digits are rounding."""
_BEND = 1e-6
"""Times the square of the distance, is added to lines that W is to be above, so that W stays convex when rounded. Chosen."""
_SHARES = (0.99, 0.95, 0.85, 0.6)
"""Of the interval of C, tried in this order. Measured: W comes down to C h² at 1 ± h more easily if C is large."""
_REACHES = (0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
"""Tried for r."""
_TIGHT = 1e-9
"""A discriminant below this is 0 but for rounding: K is the local bound itself."""
_DIGITS = 13
"""Of the numbers of a proof: more than `_SPARE` needs next to x = 1."""
_LEAST = 1e-300
"""In the place of a denominator that is 0, where the quotient is not used. Chosen: far below what occurs."""


class _Law(NamedTuple):
    """Of each node: ratios, signs and masses of four atoms, (4, N), and the mass of new on ratios beyond all bounds, (N,)."""

    ratio: np.ndarray
    sign: np.ndarray
    mass: np.ndarray
    infinite: np.ndarray


class _Backup(NamedTuple):
    """(T W)(x), the law that attains it, and its multipliers, a number a node."""

    value: np.ndarray
    law: _Law
    mu: np.ndarray
    nu: np.ndarray


@dataclass
class Search:
    """W for given discounts, K and C.

    Attributes:
        gammas: one discount, or two.
        constant: K.
        curvature: C.
        mesh: the nodes.
        bend: B.
    """

    gammas: tuple[float, ...]
    constant: float
    curvature: float
    mesh: Mesh = field(default_factory=Mesh)
    bend: float = 0.0

    def __post_init__(self) -> None:
        outside, inside = self.mesh.outside(), self.mesh.inside()
        self.x: np.ndarray = np.sort(np.concatenate([outside, 1 - inside, 1 + inside, [1.0]]))
        self.m: np.ndarray = np.abs(self.x - 1)
        self.h: float = self.mesh.radius
        self.fixed: np.ndarray = self.m <= self.h * (1 + 1e-9)
        self.edges: np.ndarray = np.flatnonzero(self.fixed)[[0, -1]]
        self.size: np.ndarray = self.m**2 / ((self.x + 1) * (self.x / 10 + 1))
        self.within: np.ndarray = self.curvature * self.m**2 - self.bend * np.where(self.fixed, self.m, 0.0) ** 3
        self.least: np.ndarray = self._tangents()

    def _tangents(self) -> np.ndarray:
        """W is convex across 1 ± h if it is above the lines through the outermost chords within h."""
        lines = []
        for edge, inner in zip(self.edges, self.edges + np.array([1, -1]), strict=True):
            slope = (self.within[edge] - self.within[inner]) / (self.x[edge] - self.x[inner])
            away = self.x - self.x[edge]
            lines.append(self.within[edge] + slope * away + _BEND * away**2)
        return np.maximum(*lines)

    def solve(self) -> np.ndarray:
        """W at the nodes.

        Raises:
            NotSolved: if policy iteration does not settle.
        """
        w = np.where(self.fixed, self.within, 2 * self.within / (self.x + 1))
        for _ in range(_ROUNDS):
            backups = [self._backup(w, gamma / (1 - gamma)) for gamma in self.gammas]
            values = np.stack([*(b.value + _SPARE * self.size for b in backups), self.least])
            if (values.max(0) <= w + _SPARE / 2 * self.size)[~self.fixed].all():
                return w
            w = self._evaluate([b.law for b in backups], values.argmax(0))
        raise NotSolved(
            f"got no supersolution for K = {self.constant:.6g} in {_ROUNDS} rounds; wanted one; fix: a larger constant"
        )

    def _backup(self, w: np.ndarray, a: float) -> _Backup:
        x, count, price = self.x, len(self.x), a * self.constant
        slope = np.append(np.diff(w) / np.diff(x), 1.0)
        climb, base = a * slope * x[:, None], np.broadcast_to(a * (w - slope * x), (count, count))
        positive, apart = x[:, None] > 0, np.where(x > 0, x, 1.0)[:, None]
        start = np.where(positive, x / apart, 0.0)
        stop = np.where(positive, np.append(x[1:], np.inf) / apart, np.inf)
        stop[0, 1:] = 0.0  # at x = 0 there is one segment
        rows = np.arange(count)

        def peak(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            """P(s), and the ratio that attains it."""
            down = price - climb + s[:, None]
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = np.minimum(
                    np.maximum(np.where(down > 0, price / np.maximum(down, _LEAST), np.inf), start), stop
                )
                value = base + s[:, None] + price + price * np.log(ratio) - down * ratio
            value[~(ratio > 0)] = -np.inf
            value[np.isinf(ratio)] = np.inf
            best = value.argmax(1)
            return value[rows, best], ratio[rows, best]

        low, high = climb[:, -1] - price + self.m, climb.max(1) + self.m
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            above = peak(middle - self.m)[1] + peak(middle + self.m)[1] > 2
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        (up, up_ratio), (down, down_ratio) = peak(high - self.m), peak(high + self.m)
        more = [peak(low - self.m)[1], peak(low + self.m)[1]]
        return _Backup(
            (up + down) / (2 * (1 + a)), _mixed((up_ratio, down_ratio), (more[0], more[1])), high, (up - down) / 2
        )

    def _evaluate(self, laws: list[_Law], choice: np.ndarray) -> np.ndarray:
        """The W of the chosen laws, or of the tangents where those are the choice."""
        x, last = self.x, len(self.x) - 1
        tangent = choice == len(laws)
        law = _Law(
            *(np.choose(np.where(tangent, 0, choice), [getattr(one, name) for one in laws]) for name in _Law._fields)
        )
        a = np.array([gamma / (1 - gamma) for gamma in self.gammas])[np.where(tangent, 0, choice)]
        matrix = np.eye(len(x))
        right = _SPARE * self.size + law.infinite * (self.m + a * (x - self.constant)) / (1 + a)
        rows = np.arange(len(x))
        for ratio, sign, mass in zip(law.ratio, law.sign, law.mass, strict=True):
            target = x * ratio
            left = np.clip(np.searchsorted(x, target, side="right") - 1, 0, last - 1)
            share = np.minimum((target - x[left]) / (x[left + 1] - x[left]), 1.0)
            ahead = mass * a / (1 + a)
            np.add.at(matrix, (rows, left), -ahead * (1 - share))
            np.add.at(matrix, (rows, left + 1), -ahead * share)
            spent = np.where(mass > 0, x_minus_log1p(np.where(mass > 0, ratio, 1.0) - 1), 0.0)
            right += mass * (self.m * (ratio - 1) * sign - a * self.constant * spent) / (1 + a)
            right += ahead * np.maximum(target - x[last], 0.0)
        for where, values in ((tangent, self.least), (self.fixed, self.within)):
            matrix[where] = np.eye(len(x))[where]
            right[where] = values[where]
        return np.linalg.solve(matrix, right)

    def rounded(self, w: np.ndarray, constant: Fraction) -> LinearOnInterval:
        """W and its multipliers as decimals, not proved.

        Raises:
            NotSolved: if W next to 1 cannot be bounded as the proof wants it.
        """
        outside = np.flatnonzero(~self.fixed | np.isin(np.arange(len(self.x)), self.edges))
        curvature, bend, h = map(_decimal, (self.curvature, self.bend, self.h))
        values = [curvature * h**2 - bend * h**3 if i in self.edges else _decimal(w[i]) for i in outside]
        ends = []
        for gamma in self.gammas:
            backup = self._backup(w, gamma / (1 - gamma))
            pairs = ([_decimal(one[i]) for i in outside] for one in (backup.mu, backup.nu))
            ends.append(Multipliers(_decimal(gamma), *map(tuple, pairs)))
        outer, reach = self._next_to_one(w, constant)
        x, inner = [_decimal(one) for one in self.x[outside]], [_decimal(y) for y in self.mesh.inside()]
        return LinearOnInterval(
            constant, curvature, bend, outer, reach, tuple(inner), tuple(x), tuple(values), tuple(ends)
        )

    def _next_to_one(self, w: np.ndarray, constant: Fraction) -> tuple[Fraction, Fraction]:
        """B' and r: in the middle of the r tried that will do."""
        found = []
        for reach in _REACHES:
            outer = self._outer_bend(w, (1 + self.h) * (1 + reach) - 1)
            if outer <= self.bend and self._leaps(w, reach) and self._form(constant, _decimal(outer), _decimal(reach)):
                found.append((_decimal(outer), _decimal(reach)))
        if not found:
            raise NotSolved(
                "got no reach for x next to 1; wanted one; fix: a larger constant, another curvature or bend, or more nodes"
            )
        return found[len(found) // 2]

    def _form(self, constant: Fraction, outer: Fraction, reach: Fraction) -> bool:
        """Whether the inequality next to 1 is proved at each discount."""
        own = map(_decimal, (self.curvature, self.bend))
        numbers = [raw(x) for x in (constant, *own, outer, _decimal(self.h), reach)]
        gammas = [raw(_decimal(gamma)) for gamma in self.gammas]
        return all(NextToOne(gamma / (1 - gamma), *numbers).holds() for gamma in gammas)

    def _outer_bend(self, w: np.ndarray, farthest: float) -> float:
        """The largest B' with W ≤ C s² − B' s³ on the segments with h ≤ s = |y − 1| ≤ `farthest`, less a little.

        On one of slope b and height c at s = 0, (C s² − b s − c)/s³ is least at an end or where C s² − 2 b s − 3 c = 0.
        """
        outside = ~(self.fixed[:-1] & self.fixed[1:])
        near = outside & (np.minimum(self.m[:-1], self.m[1:]) < farthest)
        side = np.where(self.x[:-1] >= 1, 1.0, -1.0)[near]
        slope = (np.diff(w) / np.diff(self.x))[near]
        height = w[:-1][near] + slope * (1 - self.x[:-1][near])
        low, high = np.sort([self.m[:-1][near], np.minimum(self.m[1:][near], self.m[1:][near])], axis=0)
        root = np.sqrt(np.maximum(slope**2 + 3 * height * self.curvature, 0.0))
        tried = np.stack([low, high, *((side * slope + sign * root) / self.curvature for sign in (1, -1))])
        s = np.clip(tried, low, np.minimum(high, max(farthest, self.h)))
        least = ((self.curvature * s**2 - side * slope * s - height) / s**3).min()
        return float(least - 1e-9 * (1 + abs(least)))

    def _leaps(self, w: np.ndarray, reach: float) -> bool:
        """Whether no law profits from |l − 1| ≥ reach at x = 1 and 1 ± h."""
        slope = np.append(np.diff(w) / np.diff(self.x), 1.0)
        offset = w - slope * self.x
        for a in (gamma / (1 - gamma) for gamma in self.gammas):
            price = a * self.constant
            for x in (1 - self.h, 1.0, 1 + self.h):
                mu, m = 2 * a * self.curvature * (x - 1), abs(x - 1)
                for side in (1, -1):
                    c, b, end = a * slope * x - mu + side * m, a * offset + mu - side * m, 1 + side * reach
                    with np.errstate(divide="ignore"):
                        ratio = np.where(c < price, price / np.maximum(price - c, _LEAST), np.inf)
                    ratio = np.maximum(ratio, end) if side > 0 else np.minimum(ratio, end)
                    if np.isinf(ratio).any() or (c * ratio + b > price * x_minus_log1p(ratio - 1)).any():
                        return False
        return True


def _mixed(few: tuple[np.ndarray, np.ndarray], many: tuple[np.ndarray, np.ndarray]) -> _Law:
    """Half of the mass on each sign, and of both multipliers about the best one the mixture of mean ratio 1."""
    least, most = (few[0] + few[1]) / 2, (many[0] + many[1]) / 2
    finite = np.isfinite(most)
    share = np.where(finite & (most > least), (1 - least) / np.maximum(most - least, _LEAST), 0.0).clip(0, 1)
    ratios = np.stack([*few, *(np.where(np.isfinite(one), one, 1.0) for one in many)])
    signs = np.broadcast_to(np.array([1.0, -1.0, 1.0, -1.0])[:, None], ratios.shape)
    return _Law(
        ratios,
        signs,
        np.stack([1 - share, 1 - share, share, share]) / 2,
        np.where(finite, 0.0, np.maximum(1 - least, 0.0)),
    )


def supersolution(gammas: tuple[Fraction, ...], constant: Fraction, mesh: Mesh, bend: float = 0.0) -> LinearOnInterval:
    """A proved K for one discount, or for all from the first to the second.

    Several C are tried, of those for which the leading form next to x = 1, l = 1 is at least 0.

    Raises:
        NotSolved: if no supersolution is found, or none is proved.
    """
    discounts, price = tuple(map(float, gammas)), float(constant)
    failed = NotSolved(f"got no quadratic form next to x = 1 for K = {price:.6g}; wanted one; fix: a larger constant")
    for curvature in _curvatures(discounts, price):
        search = Search(discounts, price, curvature, mesh, bend)
        try:
            found = search.rounded(search.solve(), constant)
            found.prove()
        except NotSolved as error:
            failed = error
        else:
            return found
    raise failed


def _curvatures(gammas: tuple[float, ...], constant: float) -> list[float]:
    """At some shares of the interval of those with 4 a C (K/2 − C) ≥ 1 at the least discount; K/4 if that is all of it."""
    room = constant**2 / 16 - (1 - gammas[0]) / (4 * gammas[0])
    if room < _TIGHT:
        return [constant / 4] if room > -_TIGHT else []
    return [float(f"{constant / 4 + (2 * share - 1) * np.sqrt(room):.5g}") for share in _SHARES]


def _decimal(x: float) -> Fraction:
    return Fraction(f"{x:.{_DIGITS}g}")
