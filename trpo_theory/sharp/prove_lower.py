"""The sharp gap's lower bound, proved: the gap of one witness MDP of some hundred states, enclosed in balls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.ball.raw import Undecided, arb, arb_mat, float_ends, fmpq, precision, raw

Enclosure = tuple[float, float]
"""(lower, upper): floats that the number is between, ends included; both infinite where it is."""


@dataclass(frozen=True)
class EnclosedGap:
    """The gap of one step, and what bounds are made of, each between two floats; names as in `Quantities`.

    Attributes:
        gap: η(new) − L_old(new).
        max_abs_advantage: max |A_old(s,a)| over the actions that old or new takes.
        max_abs_expected_advantage: max_s |Ā(s)|.
        max_kl, mean_kl, reverse_max_kl: in nats.
        max_tv, mean_tv: with the ½.
        max_chi2: max_s Σ_a (old − new)²/new.
        precision: bits of the balls.
    """

    gap: Enclosure
    max_abs_advantage: Enclosure
    max_abs_expected_advantage: Enclosure
    max_kl: Enclosure
    mean_kl: Enclosure
    reverse_max_kl: Enclosure
    max_tv: Enclosure
    mean_tv: Enclosure
    max_chi2: Enclosure
    precision: int


def enclosed_gap(
    transition: Any, reward: Any, gamma: Any, initial: Any, old: Any, new: Any, *, bits: int = 192
) -> EnclosedGap:
    """Enclose η(new) − L_old(new) of one dense MDP, from the definitions: ρ₀·(V_new − V_old) − ρ_old·Ā.

    Floats are the dyadic rationals that they are; each row of probabilities is divided by its exact sum. Zeros cost
    nothing, and the linear systems are solved in balls. Actions that neither policy takes are padding: ignored.

    Args:
        transition: P(s'|s,a), (S, A, S); rows of padding may be anything.
        reward: r(s,a), (S, A).
        gamma: γ in [0, 1).
        initial: ρ₀, (S,).
        old: the policy that we stand at, (S, A).
        new: the candidate, (S, A).
        bits: of the balls.

    Raises:
        InvalidInput: for what is no such instance.
        Undecided: if so many bits do not suffice for the linear systems.
    """
    old, new = _checks.real_array(old, "old"), _checks.real_array(new, "new")
    if old.ndim != 2 or 0 in old.shape:
        raise InvalidInput(got=f"old of shape {old.shape}", wanted="shape (S, A)", fix="pass one policy, of one MDP")
    states, actions = old.shape
    arrays = {
        name: _checks.real_array(value, name)
        for name, value in {"transition": transition, "reward": reward, "initial": initial, "new": new}.items()
    }
    shapes = {"transition": (states, actions, states), "reward": old.shape, "initial": (states,), "new": old.shape}
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise InvalidInput(got=f"{name} of shape {arrays[name].shape}", wanted=f"{shape}", fix=f"reshape {name}")
    with precision(bits):
        return _Step(arrays | {"old": old}, raw(float(_checks.discount(gamma)))).enclosed(bits)


class _Step:
    """The instance in exact rationals, its zeros left out: each row a list of (index, probability)."""

    def __init__(self, arrays: dict[str, np.ndarray], gamma: Any) -> None:
        self.gamma, self.reward = gamma, arrays["reward"]
        self.states = range(len(arrays["old"]))
        self.initial = _row(arrays["initial"], "initial")
        self.old, self.new = ([_row(arrays[name][s], f"{name}[{s}]") for s in self.states] for name in ("old", "new"))
        self.used = [sorted(old.keys() | new.keys()) for old, new in zip(self.old, self.new, strict=True)]
        self.moves = [
            {a: _balls(_row(arrays["transition"][s, a], f"transition[{s}, {a}]")) for a in self.used[s]}
            for s in self.states
        ]

    def enclosed(self, bits: int) -> EnclosedGap:
        """Everything, at the precision in force."""
        value_old, value_new = (self.value(policy) for policy in (self.old, self.new))
        visits = self.visitation_old()
        advantage = [{a: self.ahead(s, a, value_old) - value_old[s] for a in used} for s, used in enumerate(self.used)]
        expected = [sum((advantage[s][a] * p for a, p in row.items()), arb(0)) for s, row in enumerate(self.new)]
        gap = sum(((value_new[s] - value_old[s]) * p for s, p in self.initial.items()), arb(0))
        gap -= sum((rho * abar for rho, abar in zip(visits, expected, strict=True)), arb(0))
        rows = list(zip(self.old, self.new, strict=True))
        kl, tv = [_kl(p, q) for p, q in rows], [_tv(p, q) for p, q in rows]
        occupancy = [(1 - self.gamma) * rho for rho in visits]
        reached = self.reached_by_old()
        return EnclosedGap(
            gap=float_ends(gap),
            max_abs_advantage=float_ends(_largest(abs(entry) for row in advantage for entry in row.values())),
            max_abs_expected_advantage=float_ends(_largest(abs(entry) for entry in expected)),
            max_kl=float_ends(_largest(kl)),
            mean_kl=float_ends(sum((occupancy[s] * kl[s] for s in reached), arb(0))),
            reverse_max_kl=float_ends(_largest(_kl(q, p) for p, q in rows)),
            max_tv=float_ends(_largest(tv)),
            mean_tv=float_ends(sum((occupancy[s] * tv[s] for s in reached), arb(0))),
            max_chi2=float_ends(_largest(_chi2(p, q) for p, q in rows)),
            precision=bits,
        )

    def ahead(self, s: int, a: int, value: list[Any]) -> Any:
        """r(s,a) + γ Σ P(s'|s,a) value(s')."""
        return raw(self.reward[s, a]) + self.gamma * sum((p * value[t] for t, p in self.moves[s][a].items()), arb(0))

    def value(self, policy: list[Any]) -> list[Any]:
        """V = (I − γ P_π)⁻¹ r_π."""
        mean = [sum((raw(self.reward[s, a]) * p for a, p in row.items()), fmpq(0)) for s, row in enumerate(policy)]
        return self._solve(self._matrix(policy), mean)

    def visitation_old(self) -> list[Any]:
        """ρ_old = (I − γ P_oldᵀ)⁻¹ ρ₀."""
        return self._solve(self._matrix(self.old).transpose(), [self.initial.get(s, fmpq(0)) for s in self.states])

    def _matrix(self, policy: list[Any]) -> arb_mat:
        size = len(self.states)
        matrix = arb_mat(size, size)
        for s, row in enumerate(policy):
            entries = {s: arb(1)}
            for a, share in row.items():
                weight = self.gamma * share
                for t, p in self.moves[s][a].items():
                    entries[t] = entries.get(t, arb(0)) - weight * p
            for t, entry in entries.items():
                matrix[s, t] = entry
        return matrix

    def _solve(self, matrix: arb_mat, right: list[Any]) -> list[Any]:
        try:
            return arb_mat.solve(
                matrix, arb_mat(len(right), 1, [arb(entry) for entry in right]), algorithm="lu"
            ).entries()
        except ZeroDivisionError:
            raise Undecided("a linear system in balls could not be solved: raise the precision") from None

    def reached_by_old(self) -> list[int]:
        """The states where ρ_old > 0."""
        found, ahead = set(self.initial), list(self.initial)
        while ahead and self.gamma > 0:
            s = ahead.pop()
            fresh = {t for a in self.old[s] for t in self.moves[s][a]} - found
            found |= fresh
            ahead += fresh
        return sorted(found)


def _row(entries: np.ndarray, name: str) -> dict[int, Any]:
    """The positive entries of a row of probabilities, over their exact sum."""
    found = {int(i): raw(entries[i]) for i in np.flatnonzero(entries)}
    total = sum(found.values(), fmpq(0))
    if any(entry < 0 for entry in found.values()) or abs(float(entries.sum()) - 1) > _checks.ROW_SUM_ATOL:
        raise InvalidInput(
            got=f"{name} = {entries[:6].tolist()}{'...' * (len(entries) > 6)} that sums to {float(entries.sum()):.10g}",
            wanted="probabilities that sum to 1",
            fix="check where it was computed",
        )
    return found if total == 1 else {i: entry / total for i, entry in found.items()}


def _balls(row: dict[int, Any]) -> dict[int, Any]:
    return {i: arb(entry) for i, entry in row.items()}


def _kl(p: dict[int, Any], q: dict[int, Any]) -> Any:
    """KL(p‖q) = Σ p log(p/q), each term with q − p so that it is not negative: both sum to one."""
    if p.keys() - q.keys():
        return arb("inf")
    terms = [q[a] - p[a] + p[a] * arb(p[a] / q[a]).log() for a in p if p[a] != q[a]]
    return sum(terms, arb(0)) + sum((q[a] for a in q if a not in p), fmpq(0))


def _tv(p: dict[int, Any], q: dict[int, Any]) -> Any:
    return sum((abs(p.get(a, fmpq(0)) - q.get(a, fmpq(0))) for a in p.keys() | q.keys()), fmpq(0)) / 2


def _chi2(p: dict[int, Any], q: dict[int, Any]) -> Any:
    """χ²(p‖q) = Σ (p − q)²/q."""
    if p.keys() - q.keys():
        return arb("inf")
    return sum(((p.get(a, fmpq(0)) - share) ** 2 / share for a, share in q.items()), fmpq(0))


def _largest(numbers: Any) -> Any:
    worst: Any = arb(0)
    for number in numbers:
        worst = worst.max(arb(number))
    return worst
