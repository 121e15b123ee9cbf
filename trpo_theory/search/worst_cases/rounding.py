"""What a search found, rounded to rationals of one denominator after another."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.bounds.record import Bound
from trpo_theory.numerics.ball import rationals
from trpo_theory.search.forms import REWARDS, formed
from trpo_theory.search.simple_numbers import number_at, row_at
from trpo_theory.search.worst_cases.evolve import Found
from trpo_theory.search.worst_reward import Visits
from trpo_theory.solve.criteria import EPISODIC
from trpo_theory.step.agents import projected
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.instances import Instances

# Tried in turn; chosen: small ones, and then numbers with many divisors.
_DENOMINATORS = (*range(2, 33), 36, 40, 48, 50, 60, 64, 72, 80, 90, 96, 100, 120, 128, 150, 180, 200, 240, 250, 256)
_DENOMINATORS += (300, 360, 400, 420, 500, 512, 600, 720, 840, 900, 1000, 10**4, 10**6)
_ROWS = ("transition", "initial", "old", "reference", "model", "references", "weights")
"""The fields whose rows are laws, beside new."""
_AMOUNTS = ("reward", "temperature", "costs")
"""The fields in units of reward: rounded over the largest reward."""
_FINER = (1, 10, 100, 10**4)
"""New is rounded to a grid finer by one of these factors than the rest: its step may be small. Chosen."""


def rounded(
    found: Found, number: int, gamma: Fraction, bound: Bound, visits: Visits | None
) -> list[tuple[ExactInstance, int]]:
    """One champion at each denominator, with its reward rounded, or made anew in closed form; and that denominator."""
    one, out = found.instances.take([number]), []
    rows = [name for name in _ROWS if getattr(one, name) is not None and (name != "reference" or _differs(one))]
    amounts = [name for name in _AMOUNTS if getattr(one, name) is not None]
    fields: dict[str, Any] = {
        name: rationals.fractions(np.asarray(getattr(one, name)[0]), name) for name in (*rows, *amounts, "new", "noise")
    }
    largest = max(abs(entry) for entry in fields["reward"].flat) or Fraction(1)
    longest = _longest_step(fields["old"], fields["new"])
    for denominator in _DENOMINATORS:
        coarse: dict[str, Any] = {name: _policies_at(name, fields[name], denominator) for name in rows}
        coarse |= {name: _numbers_at(fields[name] / largest, denominator) for name in amounts}
        coarse |= {"noise": _numbers_at(fields["noise"], denominator)} if one.noise.any() else {}
        steps = [(_rows_at(fields["new"], denominator * finer), denominator * finer) for finer in _FINER]
        steps.append((_rows_at(longest, denominator), denominator))
        made = _built(one, coarse | {"new": steps[0][0]}, gamma, bound)  # what they have in common is checked once
        out += [(made.replace(**{"new": new, **_products(coarse["old"], new, bound)}), of) for new, of in steps]
    form = found.forms[number] % len(REWARDS)
    if not form:
        return out
    each = Instances.of_exact([instance for instance, _ in out])
    rewards = formed(each, np.full(len(out), form), visits).reward
    remade = []
    for (instance, denominator), reward in zip(out, rewards, strict=True):
        near = [Fraction(float(x)).limit_denominator(100 * denominator) for x in reward.ravel()]
        exact = np.array(near, dtype=object).reshape(reward.shape)
        if bound.criterion == EPISODIC.name:
            exact[-1] = Fraction(0)  # of the end
        made = instance.replace(reward=exact)
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


def _built(one: Instances, fields: dict[str, Any], gamma: Fraction, bound: Bound) -> ExactInstance:
    if one.horizon is not None:
        fields = fields | {"horizon": int(one.horizon[0])}
    fields = fields | _products(fields["old"], fields["new"], bound)
    size = Fraction(float(one.size[0])).limit_denominator(1000) or Fraction(float(one.size[0]))
    return ExactInstance(**fields, gamma=gamma, size=size, groups=one.groups[0].tolist()).plain()


def exactly(found: Found, number: int, gamma: Fraction, bound: Bound) -> ExactInstance:
    """One of the instances as its floats are, gamma the rational that is meant."""
    one = found.instances.exact(number).replace(gamma=gamma)
    return one.replace(**_products(one.old, one.new, bound))


def _products(old: Any, new: Any, bound: Bound) -> dict[str, Any]:
    """Of several agents: policies that are products to the last digit."""
    return {name: projected(rows, bound.agents) for name, rows in (("old", old), ("new", new)) if bound.agents}


def _policies_at(name: str, rows: Any, denominator: int) -> Any:
    """As `_rows_at`, of a field whose laws may lie along another axis than the last."""
    if name != "references":
        return _rows_at(rows, denominator)
    return np.moveaxis(_rows_at(np.moveaxis(rows, 1, -1), denominator), -1, 1)


def _rows_at(rows: Any, denominator: int) -> Any:
    flat = [row_at(row, denominator) for row in rows.reshape(-1, rows.shape[-1])]
    return np.array(flat, dtype=object).reshape(rows.shape)


def _numbers_at(array: Any, denominator: int) -> Any:
    entries = [number_at(entry, denominator) for entry in np.ravel(array)]
    return np.array(entries, dtype=object).reshape(np.shape(array))[()]
