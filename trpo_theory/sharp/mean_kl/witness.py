"""Finite MDPs that need nearly the least linear constant K*(γ): laws whose ratios lead from node to node.

The states are likelihood ratios x, the nodes; an action of ratio l = y/x leads from x to y. At the first and the last node every
action stays: there l = 1 ± e. Reward and advantage are −sign(x − 1) A, and V_old = 0. With f(l) = l − 1 − log l and
a = γ/(1 − γ) the laws are those of
    (1 + a) W(x) = max { E[|x − 1| (l − 1) A + a (W(x l) − K f(l))] : E l = 1, E A = 0, A = ±1 },
by policy iteration, K being the ratio of gap to mean-KL that the laws so far attain. docs/theory.md, "The least linear constant".
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from trpo_theory.errors import NotSolved
from trpo_theory.io.evidence_files import exact_content, exact_rows
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics.ball import rationals
from trpo_theory.numerics.divergence import x_minus_log1p
from trpo_theory.sharp.mean_kl.mesh import Mesh
from trpo_theory.sharp.normaliser import Normaliser
from trpo_theory.sharp.prove_lower import enclosed_gap

_ROUNDS = 100
"""Of policy iteration, at most; the constant of the last one is a lower bound, too. Measured: 20 to 50."""
_HALVINGS = 60
"""Of the interval that μ is in, which ends at a kink: to the last bit."""
_RISE, _PATIENCE = 1e-6, 8
"""K has settled when so many rounds in a row did not raise it by that share. Chosen: far below what the nodes cost; the laws of
K far from its end improve round by round, at the end some rounds go by without a rise."""
_START = 0.8
"""Of the local bound, or of 1: a K that is below K* at every discount to start from. Chosen."""
_NEGLIGIBLE = 1e-12
"""Atoms of less mass are dropped. Chosen: rounding."""
_SIGNS = np.array([1.0, -1.0, 1.0, -1.0])


@dataclass(frozen=True, eq=False)
class LinearWitness:
    """An MDP for which a linear mean-KL bound needs nearly the constant K*(γ).

    Attributes:
        mdp, old, new: the instance.
        constant: gap (1 − γ)²/(ε γ mean-KL), in floats.
        gamma: γ, exactly.
    """

    mdp: FiniteMDP
    old: np.ndarray
    new: np.ndarray
    constant: float
    gamma: Fraction

    def arrays(self) -> dict[str, object]:
        """Transition, reward, initial, old and new as a file has them: rows of probabilities sum to one exactly."""
        used = (self.old > 0) | (self.new > 0)
        rows = {name: exact_rows(getattr(self.mdp, name)) for name in ("initial",)}
        rows |= {"old": exact_rows(self.old), "new": exact_rows(self.new)}
        return {"transition": exact_rows(self.mdp.transition, used), "reward": self.mdp.reward, **rows}

    def enclosure(self) -> tuple[Fraction, Fraction]:
        """Two ends of the constant, from the definitions, in balls: K*(γ) is at least the first one.

        Raises:
            NotSolved: where ε or the divergence is not proved positive.
        """
        exact = {name: rationals.fractions(exact_content(value), name) for name, value in self.arrays().items()}  # type: ignore[arg-type]
        parts = exact["transition"], exact["reward"], self.gamma, exact["initial"], exact["old"], exact["new"]
        step = enclosed_gap(*parts, divergences=["mean-kl"])
        size, spent = step.normalisers[Normaliser.MAX], step.divergences["mean-kl"]
        if not min(size[0], spent[0]) > 0:
            raise NotSolved("got a witness that does not move; wanted a positive divergence; fix: other nodes")
        unit = (1 - self.gamma) ** 2 / self.gamma
        low, high = (-Fraction(end) * unit for end in reversed(step.gap))
        return low / (Fraction(size[1]) * Fraction(spent[1])), high / (Fraction(size[0]) * Fraction(spent[0]))


class _Laws(NamedTuple):
    """Of each node four atoms with signs +, −, +, −: targets and masses, (4, N); and e of the first and the last node."""

    target: np.ndarray
    mass: np.ndarray
    ends: tuple[float, float]


class _Lattice:
    """The program on given nodes."""

    def __init__(self, gamma: float, x: np.ndarray) -> None:
        self.a, self.x, self.m = gamma / (1 - gamma), x, np.abs(x - 1)
        self.one = int(np.searchsorted(x, 1.0))
        self.z = (x[None, :] - x[:, None]) / x[:, None]
        self.spent = x_minus_log1p(self.z)
        self.rows = np.arange(len(x))

    def solve(self, constant: float) -> tuple[float, _Laws]:
        """The largest ratio of gap to divergence found, as a constant, and its laws.

        Raises:
            NotSolved: if no laws attain the constant to start from.
        """
        w, best, idle = self.m**2 / (self.x + 1), None, 0
        for _ in range(_ROUNDS):
            laws = self._laws(w, constant)
            gain, spent = self._evaluate(laws)
            w = gain - constant * spent
            here = gain[self.one] / spent[self.one] if spent[self.one] > 0 else 0.0
            if here > constant * (1 + _RISE):
                constant, best, idle = here, laws, 0
            idle += 1
            if idle > _PATIENCE:
                break
        if best is None:
            raise NotSolved(f"got no laws that need K = {constant:.4g}; wanted some; fix: more nodes")
        return constant, best

    def _laws(self, w: np.ndarray, constant: float) -> _Laws:
        """The best laws against W: μ by halving, where the mean of the two best ratios passes 1."""
        value, z, rows, m = self.a * (w - constant * self.spent), self.z, self.rows, self.m

        def best(s: np.ndarray) -> np.ndarray:
            return (value - s[:, None] * z).argmax(1)

        with np.errstate(divide="ignore", invalid="ignore"):
            slope = (value - value[rows, rows][:, None]) / z
        low = np.where(z < 0, slope, np.inf).min(1) - m - 1
        high = np.where(z > 0, slope, -np.inf).max(1) + m + 1
        low, high = (np.where(np.isfinite(one), one, 0.0) for one in (low, high))
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            rises = z[rows, best(middle - m)] + z[rows, best(middle + m)] > 0
            low, high = np.where(rises, middle, low), np.where(rises, high, middle)
        target = np.stack([best(high - m), best(high + m), best(low - m), best(low + m)])
        few, many = (z[rows, target[i]] + z[rows, target[i + 1]] for i in (0, 2))
        share = np.where(many > few, -few / np.where(many > few, many - few, 1.0), 0.0).clip(0, 1)
        ends = [self._end(i, constant) for i in (0, -1)]
        return _Laws(target, np.stack([1 - share, 1 - share, share, share]) / 2, (ends[0], ends[1]))

    def _end(self, node: int, constant: float) -> float:
        """The e that maximises m e + a K log(1 − e²)/2, as e² + (a K/m) e = 1."""
        k = self.a * constant / self.m[node]
        return float(np.sqrt(k * k / 4 + 1) - k / 2)

    def _evaluate(self, laws: _Laws) -> tuple[np.ndarray, np.ndarray]:
        """Gap and divergence that the laws add up to from each node, in the units of W."""
        matrix, right = np.eye(len(self.x)), np.zeros((len(self.x), 2))
        for target, mass, sign in zip(laws.target, laws.mass, _SIGNS, strict=True):
            np.add.at(matrix, (self.rows, target), -mass * self.a / (1 + self.a))
            right[:, 0] += mass * self.m * self.z[self.rows, target] * sign / (1 + self.a)
            right[:, 1] += mass * self.a * self.spent[self.rows, target] / (1 + self.a)
        for node, e in zip((0, -1), laws.ends, strict=True):
            matrix[node] = np.eye(len(self.x))[node]
            right[node] = self.m[node] * e, -self.a * np.log1p(-e * e) / 2
        gain, spent = np.linalg.solve(matrix, right).T
        return gain, spent


def linear_witness(gamma: Fraction, mesh: Mesh) -> LinearWitness:
    """The MDP of the best laws on the nodes of a mesh (without its inner ones) and 1, over the states that it reaches.

    Raises:
        NotSolved: if the nodes are too few for any laws that need the constant to start from.
    """
    nodes = np.sort(np.append(mesh.outside()[1:], 1.0))
    discount = float(gamma)
    lattice = _Lattice(discount, nodes)
    local = 2 * np.sqrt((1 - discount) / discount)
    constant, laws = lattice.solve(_START * max(1.0, float(local)))
    return _witness(lattice, laws, constant, gamma)


def _witness(lattice: _Lattice, laws: _Laws, constant: float, gamma: Fraction) -> LinearWitness:
    """Breadth first from x = 1; atoms of one state with the same target and sign are one action."""
    last = len(lattice.x) - 1
    order, rows = [lattice.one], []
    for node in order:
        atoms: dict[tuple[int, float], float] = {}
        if node in (0, last):
            e = laws.ends[0 if node == 0 else 1]
            row = [(node, sign, 0.5, 0.5 * (1 + sign * e)) for sign in (1.0, -1.0)]
        else:
            for target, mass, sign in zip(laws.target[:, node], laws.mass[:, node], _SIGNS, strict=True):
                if mass > _NEGLIGIBLE:
                    atoms[int(target), float(sign)] = atoms.get((int(target), float(sign)), 0.0) + float(mass)
            row = [(to, sign, mass, mass * (1 + lattice.z[node, to])) for (to, sign), mass in atoms.items()]
        rows.append(row)
        order += [to for to in dict.fromkeys(one[0] for one in row) if to not in order]
    states, actions = len(order), max(map(len, rows))
    transition = np.zeros((states, actions, states))
    reward, old, new = (np.zeros((states, actions)) for _ in range(3))
    for state, (node, row) in enumerate(zip(order, rows, strict=True)):
        against = -np.sign(lattice.x[node] - 1)
        for action, (to, sign, before, after) in enumerate(row):
            transition[state, action, order.index(to)] = 1.0
            reward[state, action], old[state, action], new[state, action] = against * sign, before, after
        transition[state, len(row) :, state] = 1.0  # padding, which neither policy takes
    mdp = FiniteMDP(transition, reward, float(gamma), np.eye(states)[0])
    return LinearWitness(mdp, old / old.sum(1, keepdims=True), new / new.sum(1, keepdims=True), constant, gamma)
