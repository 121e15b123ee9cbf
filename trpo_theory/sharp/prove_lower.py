"""The sharp gap's lower bound, proved: the gap of one witness MDP of some hundred states, enclosed in ball arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trpo_theory import _checks
from trpo_theory.errors import InvalidInput
from trpo_theory.model.decimals import as_written, nearest_float
from trpo_theory.numerics.ball import rationals
from trpo_theory.numerics.ball.raw import arb, datum, float_ends, fmpq, nonnegative, precision, raw
from trpo_theory.numerics.ball.verified import of_values, of_visits, refined
from trpo_theory.sharp.divergence import Divergence
from trpo_theory.sharp.divergences import BY_NAME
from trpo_theory.sharp.normaliser import Normaliser
from trpo_theory.sharp.sparse_rows import SparseRows

Enclosure = tuple[float, float]
"""(lower, upper): floats that the number is between, ends included; both infinite where it is."""
Row = dict[int, fmpq]
"""The positive probabilities of a row, by index."""


@dataclass(frozen=True)
class EnclosedGap:
    """The gap of one step, and what bounds are made of, each between two floats.

    Attributes:
        gap: η(new) − L_old(new).
        normalisers: each ε; max |A_old(s,a)| over the actions that old or new takes.
        divergences: by the name on the command line, such as "max-kl": each that was asked for.
        precision: bits of the balls.
    """

    gap: Enclosure
    normalisers: Mapping[Normaliser, Enclosure]
    divergences: Mapping[str, Enclosure]
    precision: int


def enclosed_gap(
    transition: ArrayLike | SparseRows,
    reward: ArrayLike,
    gamma: float | Fraction,
    initial: ArrayLike,
    old: ArrayLike,
    new: ArrayLike,
    *,
    divergences: Collection[str] | None = None,
    bits: int = 192,
) -> EnclosedGap:
    """Enclose η(new) − L_old(new) of one dense MDP, from the definitions: ρ₀·(V_new − V_old) − ρ_old·Ā.

    A float stands for the dyadic rational that it is, a `Fraction` for itself; each row of probabilities is divided by its
    exact sum. Zeros cost nothing, and the linear systems are solved in ball arithmetic. Actions that neither policy takes are
    padding, and ignored.

    Args:
        transition: P(s'|s,a), (S, A, S), or sparse; rows of padding may be anything.
        reward: r(s,a), (S, A).
        gamma: γ in [0, 1); a Fraction is taken exactly.
        initial: ρ₀, (S,).
        old: the old policy, (S, A).
        new: the new one, (S, A).
        divergences: by name, those that are wanted; all.
        bits: of the balls; 192 leave 140 beyond a float's for the linear systems' loss.

    Returns:
        An `EnclosedGap`.

    Raises:
        InvalidInput: for wrong shapes, probabilities or gamma.
        NotSolved: where floats do not get near a solution: γ within some 1e-15 of 1.
    """
    old, new = _array(old, "old"), _array(new, "new")
    if old.ndim != 2 or 0 in old.shape:
        raise InvalidInput(got=f"old of shape {old.shape}", wanted="shape (S, A)", fix="pass one policy, of one MDP")
    states, actions = old.shape
    arrays: dict[str, Any] = {
        name: _array(value, name) for name, value in {"reward": reward, "initial": initial, "new": new}.items()
    }
    arrays["transition"] = transition if isinstance(transition, SparseRows) else _array(transition, "transition")
    whole = (states * actions, states) if isinstance(transition, SparseRows) else (states, actions, states)
    shapes = {"transition": whole, "reward": old.shape, "initial": (states,), "new": old.shape}
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise InvalidInput(got=f"{name} of shape {arrays[name].shape}", wanted=f"{shape}", fix=f"reshape {name}")
    with precision(bits):
        return _Step(arrays | {"old": old}, _exact_discount(gamma)).enclosed(bits, divergences)


def _array(value: ArrayLike, name: str) -> np.ndarray:
    """Of floats, or of `Fraction` where it is an array of objects."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        return rationals.fractions(value, name)
    return _checks.real_array(value, name)


def _exact_discount(gamma: float | Fraction) -> Any:
    """γ as a rational; a float is the decimal that it is written as."""
    if isinstance(gamma, Fraction):
        return raw(rationals.discount(gamma))
    _checks.discount(float(gamma))
    return raw(as_written(float(gamma)))


class _Step:
    """The instance in exact rationals, sparse: each row of probabilities is a `Row`."""

    def __init__(self, arrays: dict[str, Any], gamma: Any) -> None:
        self.gamma, self.reward = gamma, arrays["reward"]
        self.states = range(len(arrays["old"]))
        self.initial = _row(arrays["initial"], "initial")
        self.old, self.new = ([_row(arrays[name][s], f"{name}[{s}]") for s in self.states] for name in ("old", "new"))
        self.used = [sorted(old.keys() | new.keys()) for old, new in zip(self.old, self.new, strict=True)]
        self.moves = [{a: _balls(self._move(arrays["transition"], s, a)) for a in self.used[s]} for s in self.states]

    def _move(self, transition: np.ndarray | SparseRows, s: int, a: int) -> Row:
        """P(·|s,a)."""
        name = f"transition[{s}, {a}]"
        if isinstance(transition, SparseRows):
            row = s * self.reward.shape[1] + a
            part = slice(transition.indptr[row], transition.indptr[row + 1])
            return _row(transition.data[part], name, transition.indices[part])
        return _row(transition[s, a], name)

    def enclosed(self, bits: int, divergences: Collection[str] | None) -> EnclosedGap:
        """Everything, at the precision in force."""
        value_old, value_new = (self.value(policy) for policy in (self.old, self.new))
        visits = self.visitation_old()
        advantage = [{a: self.ahead(s, a, value_old) - value_old[s] for a in used} for s, used in enumerate(self.used)]
        expected = [sum((advantage[s][a] * p for a, p in row.items()), arb(0)) for s, row in enumerate(self.new)]
        variance = [
            sum((advantage[s][a] * advantage[s][a] * p for a, p in row.items()), arb(0))
            for s, row in enumerate(self.old)
        ]
        gap = sum(((value_new[s] - value_old[s]) * p for s, p in self.initial.items()), arb(0))
        gap -= sum((rho * abar for rho, abar in zip(visits, expected, strict=True)), arb(0))
        return EnclosedGap(
            gap=float_ends(gap),
            normalisers={
                Normaliser.MAX: float_ends(_largest(abs(entry) for row in advantage for entry in row.values())),
                Normaliser.EXPECTED: float_ends(_largest(abs(entry) for entry in expected)),
                Normaliser.SD: float_ends(nonnegative(_largest(variance)).sqrt()),
            },
            divergences=self.divergences(visits, divergences),
            precision=bits,
        )

    def divergences(self, visits: list[arb], wanted: Collection[str] | None) -> dict[str, Enclosure]:
        """Each divergence, its largest or its mean under d_old: a state that old never reaches does not count in a mean."""
        reached = self.reached_by_old()
        found = {}
        for divergence in BY_NAME.values():
            reductions = [one for one in divergence.reductions if wanted is None or one.name in wanted]
            if not reductions:
                continue
            rows = [_divergence(divergence, p, q) for p, q in zip(self.old, self.new, strict=True)]
            for reduction in reductions:
                if reduction.mean and any(not arb(rows[s]).is_finite() for s in reached):
                    reduced = arb("inf")
                elif reduction.mean:
                    reduced = sum(((1 - self.gamma) * visits[s] * rows[s] for s in reached), arb(0))
                else:
                    reduced = _largest(rows)
                found[reduction.name] = float_ends(reduced)
        return found

    def ahead(self, s: int, a: int, value: list[Any]) -> Any:
        """r(s,a) + γ Σ P(s'|s,a) value(s')."""
        return datum(self.reward[s, a]) + self.gamma * sum((p * value[t] for t, p in self.moves[s][a].items()), arb(0))

    def value(self, policy: list[Row]) -> list[arb]:
        """V = (I − γ P_π)⁻¹ r_π."""
        earned = [sum((datum(self.reward[s, a]) * p for a, p in row.items()), fmpq(0)) for s, row in enumerate(policy)]
        rows, solve = self._system(policy)

        def residual(x: list[arb]) -> list[arb]:
            return [
                b + sum((p * x[t] for t, p in row.items()), arb(0)) - v
                for b, row, v in zip(earned, rows, x, strict=True)
            ]

        return of_values(*refined(residual, lambda right: solve(right, "N"), len(rows), self._discount), self._discount)

    def visitation_old(self) -> list[arb]:
        """ρ_old = (I − γ P_oldᵀ)⁻¹ ρ₀."""
        initial = [arb(self.initial.get(s, fmpq(0))) for s in self.states]
        rows, solve = self._system(self.old)

        def residual(y: list[arb]) -> list[arb]:
            left = [b - v for b, v in zip(initial, y, strict=True)]
            for row, v in zip(rows, y, strict=True):
                for t, p in row.items():
                    left[t] += p * v
            return left

        return of_visits(*refined(residual, lambda right: solve(right, "T"), len(rows), self._discount), self._discount)

    @property
    def _discount(self) -> arb:
        return arb(self.gamma)

    def _system(self, policy: list[Row]) -> tuple[list[dict[int, arb]], Callable[[np.ndarray, str], np.ndarray]]:
        """The rows of γ P_π in balls, and the inverse of I − γ P_π in floats."""
        from scipy.sparse import coo_array, eye_array
        from scipy.sparse.linalg import splu

        rows: list[dict[int, arb]] = []
        for s, row in enumerate(policy):
            entries: dict[int, arb] = {}
            for a, share in row.items():
                weight = self.gamma * share
                for t, p in self.moves[s][a].items():
                    entries[t] = entries.get(t, arb(0)) + weight * p
            rows.append(entries)
        places = [(s, t, float(p)) for s, row in enumerate(rows) for t, p in row.items()]
        left, right, values = zip(*places, strict=True) if places else ((), (), ())
        matrix = coo_array((values, (left, right)), shape=(len(rows), len(rows)))
        return rows, splu((eye_array(len(rows)) - matrix).tocsc()).solve

    def reached_by_old(self) -> list[int]:
        """The states where ρ_old > 0."""
        found, ahead = set(self.initial), list(self.initial)
        while ahead and self.gamma > 0:
            s = ahead.pop()
            fresh = {t for a in self.old[s] for t in self.moves[s][a]} - found
            found |= fresh
            ahead += fresh
        return sorted(found)


def _row(entries: np.ndarray, name: str, at: np.ndarray | None = None) -> Row:
    """The positive entries of a row of probabilities, over their exact sum.

    Args:
        entries: of the row, all of them or those of some columns.
        name: for messages.
        at: the columns; all.
    """
    columns = range(len(entries)) if at is None else at.tolist()
    found: Row = {}
    for i, entry in zip(columns, entries, strict=True):
        if entry:
            found[i] = found.get(i, fmpq(0)) + datum(entry)
    total = sum(found.values(), fmpq(0))
    if any(entry < 0 for entry in found.values()) or abs(nearest_float(entries.sum()) - 1) > _checks.ROW_SUM_ATOL:
        shown = ", ".join(str(nearest_float(entry)) for entry in entries[:6])
        raise InvalidInput(
            got=f"{name} = [{shown}{', ...' * (len(entries) > 6)}] that sums to {nearest_float(entries.sum()):.10g}",
            wanted="probabilities that sum to 1",
            fix="check where it was computed",
        )
    return found if total == 1 else {i: entry / total for i, entry in found.items()}


def _balls(row: Row) -> dict[int, arb]:
    return {i: arb(entry) for i, entry in row.items()}


def _divergence(divergence: Divergence, p: Row, q: Row) -> Any:
    """Σ p f(q/p), f centred, so that no term is negative, or what the divergence makes of it; both rows sum to one."""
    if divergence.of_worst:
        return arb("inf") if q.keys() - p.keys() else _largest(divergence.enclosed(q.get(a, fmpq(0)) / p[a]) for a in p)
    total = sum((p[a] * divergence.enclosed(q[a] / p[a]) for a in p if a in q and p[a] != q[a]), arb(0))
    for row, other, cost in zip((p, q), (q, p), divergence.ends(), strict=True):
        if alone := [row[a] for a in row if a not in other]:
            total += cost * sum(alone, fmpq(0))
    return divergence.enclosed_of_mean(arb(total)) if divergence.enclosed_of_mean else total


def _largest(numbers: Iterable[Any]) -> Any:
    worst: Any = arb(0)
    for number in numbers:
        worst = worst.max(arb(number))
    return worst
