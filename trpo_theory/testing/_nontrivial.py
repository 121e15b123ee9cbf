"""Draws that put a claim to the test: what makes new = old, or the gap 0, is changed, and nothing is thrown away.

With δ = ρ_new − ρ_old the gap η(new) − L = Σ_s δ(s) Σ_a (new − old) A_old is linear in the rewards: Σ_{s,a} g(s,a) r(s,a) with

    w = δ (new − old),   u = γ (I − γ P_oldᵀ)⁻¹ Pᵀ w,   g = w + old u,

(in another setting, with its K and κ for P and γ, and over a horizon summed over the steps; a temperature is left aside),
and g = 0 only where w = 0 (as Σ_a w = 0, g = 0 gives u = 0). So there are two things to change: what makes w = 0, which is a
row of new or of P; and then, if the gap is 0 all the same, one reward where g ≠ 0, by the least step that rewards have.
Both are decided in integers modulo a prime: what is not 0 there is not 0, and what is 0 there but for once in 2·10⁹ is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.testing._repairs import repaired
from trpo_theory.testing._repairs import unit as _unit_row
from trpo_theory.testing._settings import Setting

_PRIME = 2**31 - 1
"""The largest prime whose products of two residues are int64."""

Fields = dict[str, Any]
"""Of a draw, as `_draws.instance` makes them."""


def with_a_gap(fields: Fields, target: np.ndarray, weight: Fraction | None, options: Any) -> Fields:
    """The fields with new = (1 − weight) old + weight target, changed so that new ≠ old and η(new) ≠ L where that is possible.

    It is possible but where there is one state, one action in every state, γ = 0, weight = 0, one value for all rewards, or one
    row for all policies.
    """
    start = _start(fields, options.setting)
    _mix(fields, target, weight)
    repaired(fields, options.setting)
    if start is None:
        return fields
    if (fields["new"] == fields["old"]).all():
        _move(fields, target, start, options)
        _mix(fields, target, weight)
    repaired(fields, options.setting)
    if len(fields["initial"]) > 1 and fields["gamma"] and (fields["new"] != fields["old"]).any():
        _change_what_makes_it_0(fields, target, weight, start, options)
    return fields


def _start(fields: Fields, setting: Setting) -> int | None:
    """A state with two actions, where an episode may begin if there is one such, and that is no end."""
    several = fields["available"].sum(1) > 1
    if setting.is_episodic:
        several[-1] = False
    begins = several & (fields["initial"] > 0)
    return int(np.argmax(begins if begins.any() else several)) if several.any() else None


def _mix(fields: Fields, target: np.ndarray, weight: Fraction | None) -> None:
    fields["new"] = target if weight is None else (1 - weight) * fields["old"] + weight * target


def _move(fields: Fields, target: np.ndarray, state: int, options: Any) -> None:
    """Another row of the target for the group of a state, of the kind that the options ask of new: the simplest one."""
    taken = np.flatnonzero(fields["available"][state])
    rows = [_unit_row(len(target[state]), int(action)) for action in (taken[1], taken[0])]
    if "new" in options.full_support:
        weights = fields["available"][state].astype(int)
        uneven = weights.copy()
        if options.setting.agents:  # what the first agent does first, whatever the others do: a product
            uneven.reshape(options.setting.agents)[0] = min(options.weights, 2)
        else:
            uneven[taken[0]] = min(options.weights, 2)
        rows = [row * Fraction(1, int(row.sum())) for row in (weights, uneven)]
    for row in rows:
        if (row != fields["old"][state]).any():
            target[fields["groups"] == fields["groups"][state]] = row
            return


def _change_what_makes_it_0(fields: Fields, target: np.ndarray, weight: Any, start: int, options: Any) -> None:
    """The first of the changes after which w ≠ 0, and then a reward if need be."""
    for change in _changes(fields, target, weight, start, options):
        change()
        repaired(fields, options.setting)
        slope = _slope(fields, options.setting)
        if slope.any():
            break
    else:
        return
    reward = fields["reward"]
    if int((slope * _residues(reward) % _PRIME).sum()) % _PRIME == 0:
        least, most = options.reward
        entry = tuple(int(index) for index in np.argwhere(slope)[0])
        up = reward[entry] * options.denominator < most
        if least < most:
            reward[entry] += Fraction(1 if up else -1, options.denominator)


def _changes(fields: Fields, target: np.ndarray, weight: Any, start: int, options: Any) -> Iterator[Callable[[], None]]:
    """From none at all, by rows, to a chain of which w ≠ 0 is known; each is done on top of those before."""
    yield lambda: None

    def move() -> None:
        if (fields["new"][start] == fields["old"][start]).all():
            _move(fields, target, start, options)
            _mix(fields, target, weight)

    yield move
    raised = np.flatnonzero(fields["new"][start] > fields["old"][start])
    if not raised.size:
        return
    transition, states = fields["transition"], len(fields["initial"])
    row = start, int(raised[0])
    away = _unit_row(states, states - 1 if options.setting.is_episodic else 1 if start == 0 else 0)

    def leave() -> None:
        transition[row] = away

    def stay() -> None:
        transition[row] = _unit_row(states, start)

    def plant() -> None:
        """The action leaves the state and every other one leads to it: ρ(state) falls as the action gets likelier."""
        transition[fields["available"]] = _unit_row(states, start)
        transition[row] = away

    def begin() -> None:
        fields["initial"] = _unit_row(states, start)

    yield from (leave, stay, plant, begin)


def _slope(fields: Fields, setting: Setting) -> np.ndarray:
    """g modulo the prime, (S, A); all 0 where it is so for all rewards."""
    transition, gamma, initial, steps = _kernel(fields, setting)
    old, new = (np.tile(_residues(fields[name]), (steps, 1)) for name in ("old", "new"))
    slope = _slope_in(transition, gamma, initial, old, new)
    return slope.reshape(steps, -1, slope.shape[1]).sum(0) % _PRIME


def _kernel(fields: Fields, setting: Setting) -> tuple[np.ndarray, int, np.ndarray, int]:
    """K, κ and the start of a setting modulo the prime, as of `solve.criteria`, and how many layers of states there are."""
    transition, initial = _residues(fields["transition"]), _residues(fields["initial"])
    gamma, states = int(_residues(np.array([fields["gamma"]], dtype=object))[0]), len(initial)
    if setting.is_episodic:
        goes_on = np.arange(states) < states - 1
        transition, initial = transition * goes_on, initial * goes_on
    elif setting.is_average:
        share = pow(states, -1, _PRIME)
        transition, gamma, initial = (transition - share) % _PRIME, 1, np.full(states, share)
    steps = fields.get("horizon", 1)
    if "horizon" in fields:
        blocks = np.einsum("tu,sax->tsaux", np.eye(steps, k=1, dtype=np.int64), transition)
        transition = blocks.reshape(steps * states, transition.shape[1], steps * states)
        initial = np.concatenate([initial, np.zeros((steps - 1) * states, dtype=np.int64)])
    return transition, gamma, initial, steps


def _slope_in(transition: np.ndarray, gamma: int, initial: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    chains = [_sum(transition * policy[:, :, None], 1) * gamma % _PRIME for policy in (old, new)]
    visitation = [_solved(chain.T, initial) for chain in chains]
    weight = (visitation[1] - visitation[0])[:, None] % _PRIME * ((new - old) % _PRIME) % _PRIME
    if not weight.any():
        return weight
    pushed = _sum((transition * weight[:, :, None] % _PRIME).reshape(-1, len(initial)), 0) * gamma % _PRIME
    return (weight + old * _solved(chains[0].T, pushed)[:, None]) % _PRIME


def _sum(terms: np.ndarray, axis: int) -> np.ndarray:
    return (terms % _PRIME).sum(axis) % _PRIME


def _solved(chain: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(I − chain) x = right modulo the prime, by elimination; a chain that is singular there gives 0."""
    size = len(right)
    table = np.concatenate([(np.eye(size, dtype=np.int64) - chain) % _PRIME, right[:, None]], axis=1)
    for column in range(size):
        pivots = np.flatnonzero(table[column:, column])
        if not pivots.size:
            return np.zeros_like(right)
        pivot = column + int(pivots[0])
        if pivot != column:
            table[[column, pivot]] = table[[pivot, column]]
        table[column] = table[column] * pow(int(table[column, column]), -1, _PRIME) % _PRIME
        factors = table[:, column].copy()
        factors[column] = 0
        table = (table - factors[:, None] * table[column]) % _PRIME
    return table[:, -1]


def _residues(exact: np.ndarray) -> np.ndarray:
    """Fractions modulo the prime, int64."""
    inverses: dict[int, int] = {}

    def residue(number: Fraction) -> int:
        if not number:
            return 0
        below = number.denominator
        if below not in inverses:
            inverses[below] = pow(below, -1, _PRIME) if below % _PRIME else 0
        return number.numerator % _PRIME * inverses[below] % _PRIME

    return np.array([residue(number) for number in exact.flat], dtype=np.int64).reshape(exact.shape)
