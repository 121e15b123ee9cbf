"""What a search found, rounded to rationals of one denominator after another."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.numerics.ball import rationals
from trpo_theory.search.forms import REWARDS, formed
from trpo_theory.search.simple_numbers import number_at, row_at
from trpo_theory.search.worst_cases.evolve import Found
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.instances import Instances

# Tried in turn; chosen: small ones, and then numbers with many divisors.
_DENOMINATORS = (*range(2, 33), 36, 40, 48, 50, 60, 64, 72, 80, 90, 96, 100, 120, 128, 150, 180, 200, 240, 250, 256)
_DENOMINATORS += (300, 360, 400, 420, 500, 512, 600, 720, 840, 900, 1000, 10**4, 10**6)
_FINER = (1, 10, 100, 10**4)
"""New is rounded to a grid finer by one of these factors than the rest: its step may be small. Chosen."""


def rounded(found: Found, number: int, gamma: Fraction) -> list[tuple[ExactInstance, int]]:
    """One champion at each denominator, with its reward rounded, or made anew in closed form; and that denominator."""
    one, out = found.instances.take([number]), []
    rows = [name for name in ("transition", "initial", "old", "reference") if name != "reference" or _differs(one)]
    fields: dict[str, Any] = {
        name: rationals.fractions(getattr(one, name)[0], name) for name in (*rows, "new", "reward", "noise")
    }
    largest = max(abs(entry) for entry in fields["reward"].ravel()) or Fraction(1)
    for denominator in _DENOMINATORS:
        coarse: dict[str, Any] = {name: _rows_at(fields[name], denominator) for name in rows}
        coarse["reward"] = _numbers_at(fields["reward"] / largest, denominator)
        coarse |= {"noise": _numbers_at(fields["noise"], denominator)} if one.noise.any() else {}
        for finer in _FINER:
            new = _rows_at(fields["new"], denominator * finer)
            out.append((_built(one, coarse | {"new": new}, gamma), denominator * finer))
        longest = _rows_at(_longest_step(fields["old"], fields["new"]), denominator)
        out.append((_built(one, coarse | {"new": longest}, gamma), denominator))
    form = found.forms[number] % len(REWARDS)
    if not form:
        return out
    rewards = formed(Instances.of_exact([instance for instance, _ in out]), np.full(len(out), form)).reward
    remade = []
    for (instance, denominator), reward in zip(out, rewards, strict=True):
        near = [Fraction(float(x)).limit_denominator(100 * denominator) for x in reward.ravel()]
        made = instance.replace(reward=np.array(near, dtype=object).reshape(reward.shape))
        remade.append((made, denominator))
    return out + remade


def _longest_step(old: Any, new: Any) -> Any:
    """New as far from old as rows stay rows: where nothing depends on the length of a step, a long one has few digits."""
    shrinking = [(x, y) for x, y in zip(old.ravel(), new.ravel(), strict=True) if y < x]
    length = min((x / (x - y) for x, y in shrinking), default=Fraction(1))
    longest = old + length * (new - old)
    return longest / longest.sum(1, keepdims=True)


def _differs(one: Instances) -> bool:
    return bool((one.reference != one.old).any())


def _built(one: Instances, fields: dict[str, Any], gamma: Fraction) -> ExactInstance:
    size = Fraction(float(one.size[0])).limit_denominator(1000) or Fraction(float(one.size[0]))
    return ExactInstance(**fields, gamma=gamma, size=size, groups=one.groups[0].tolist()).plain()


def _rows_at(rows: Any, denominator: int) -> Any:
    flat = [row_at(row, denominator) for row in rows.reshape(-1, rows.shape[-1])]
    return np.array(flat, dtype=object).reshape(rows.shape)


def _numbers_at(array: Any, denominator: int) -> Any:
    entries = [number_at(entry, denominator) for entry in array.ravel()]
    return np.array(entries, dtype=object).reshape(array.shape)
