"""Shrinking: fewer states and actions, then simpler rationals, each change kept only if the refutation is proved again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed
from trpo_theory.proofs.decide import Decision
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.settle import settle
from trpo_theory.search.screen import Screen
from trpo_theory.search.simple_numbers import normalised, number_at, row_at, total_cost
from trpo_theory.search.smaller import smaller
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.instances import Instances

_DENOMINATORS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 32, 50, 64, 100, 128, 200, 256, 500, 999, 10**4, 10**5, 10**6)
"""Those that rows and numbers are rounded to, the simplest first. Chosen."""
_ROW_FIELDS = ("transition", "initial", "old", "new", "reference")
_NUMBER_FIELDS = ("reward", "noise", "gamma", "size")
_PROOFS = 400
"""At most so many proofs are tried for one witness. Chosen: a second or two."""
_BYTES = 32_000_000
"""Of the transitions of a batch of edited instances. Chosen: with what is computed from them, below 200 MB."""
_FEW = 6
"""From more states on merges are searched in floats, and a row is simplified where it is large only. Chosen."""
_TRIES = 12
"""Of the promising candidates of one round, at most so many are tried. Chosen."""

Fields = dict[str, Any]
Edit = tuple[str, tuple[int, ...], Any]
"""A field, where in it (a row, or an entry), and what shall stand there."""


def shrink(
    claim: Claim, instance: ExactInstance, decision: Decision, *, proofs: int = _PROOFS
) -> tuple[ExactInstance, Decision]:
    """A simpler instance that still refutes the claim, with its proof; at most so many proofs are tried.

    States are merged and actions dropped while that refutes; then whole instances are rounded to one denominator, and rows
    and numbers exchanged for simpler ones, cheapest first, until none can be.
    """
    work = _Work(claim, instance, decision, proofs)
    work.accept_first([*_all_available(instance), *_neutral(instance)])
    while work.accept_first(_smaller(work.instance)):
        pass
    work.accept_first([rounded for rounded in _rounded(work.instance) if _total(rounded) < _total(work.instance)])
    while work.simplify():
        pass
    return work.instance, work.decision


class _Work:
    def __init__(self, claim: Claim, instance: ExactInstance, decision: Decision, proofs: int) -> None:
        self.claim, self.instance, self.decision, self.left = claim, instance, decision, proofs
        self._screen = Screen(claim)

    def refutes(self, candidate: ExactInstance) -> bool:
        """Prove it, and step there; where a step makes new, old stands for it."""
        if self.left <= 0:
            return False
        if self.claim.step is not None:
            candidate = candidate.replace(new=candidate.old)
        self.left -= 1
        try:
            decision = settle(self.claim, candidate)
        except ClaimFailed:  # simple instances are where formulas divide by 0
            return False
        if decision.verdict is not Outcome.REFUTED:
            return False
        self.instance, self.decision = candidate, decision
        return True

    def accept_first(self, candidates: list[ExactInstance]) -> bool:
        """Step to the first candidate that refutes; those whose slack is not negative in floats are skipped."""
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for number, candidate in enumerate(candidates):
            by_shape.setdefault(candidate.old.shape, []).append(number)
        promising: list[int] = []
        for numbers in by_shape.values():
            bad = self._promising(Instances.of_exact([candidates[n] for n in numbers]))
            promising += [n for n, yes in zip(numbers, bad, strict=True) if yes]
        return any(self.refutes(candidates[number]) for number in sorted(promising)[:_TRIES])

    def accept_smaller(self) -> None:
        """Of an instance of many states, step to the smallest that is found in floats and refutes."""
        if self.instance.states <= _FEW:
            return
        try:
            found = list(smaller(self._screen, Instances.of_exact([self.instance])))
        except ClaimFailed:
            return
        any(self.refutes(one.exact(0)) for one in found[: -_TRIES - 1 : -1])

    def _promising(self, instances: Instances) -> np.ndarray:
        """Which of them have a negative slack in floats, (B,); all, where the formula fails on one."""
        try:
            screened = self._screen(instances)
        except ClaimFailed:
            return np.full(len(instances), True)
        return screened.slack < -screened.noise  # whether the hypotheses hold is for the proof to say

    def simplify(self) -> bool:
        """One round over every row and number: the edits that save most are tried first. Whether any was kept."""
        edits = _edits(self.instance, with_new=self.claim.step is None)
        if not edits:
            return False
        each = max(1, _BYTES // (8 * self.instance.transition.size))
        parts = [[edit for _, edit in edits[begin : begin + each]] for begin in range(0, len(edits), each)]
        promising = np.concatenate([self._promising(_edited_floats(self.instance, part)) for part in parts])
        order = sorted((edits[n][0], n) for n in np.flatnonzero(promising))
        kept, touched, tries = False, set(), 0
        for _, n in reversed(order):
            edit = edits[n][1]
            places = {(name, index) for name, index, _ in edit}
            if places & touched or tries >= 3 * _TRIES or self.left <= 0:
                continue
            tries += 1
            if self.refutes(_edited(self.instance, edit)):
                kept, tries = True, 0
                touched |= places
        return kept


def _total(instance: ExactInstance) -> float:
    return sum(total_cost(value) for name, value in _fields(instance).items() if name != "available")


def _fields(instance: ExactInstance) -> Fields:
    """Every field that the instance has, as object arrays; `available` where some action is not."""
    names = ("transition", "reward", "gamma", "initial", "old", "new", "reference", "noise", "size")
    fields = {name: getattr(instance, name) for name in names if getattr(instance, name) is not None}
    return fields if instance.available.all() else {**fields, "available": instance.available}


def _with(instance: ExactInstance, fields: Fields, groups: Any = None) -> ExactInstance:
    groups = instance.groups if groups is None else groups
    return ExactInstance(**fields, groups=groups)


def _neutral(instance: ExactInstance) -> list[ExactInstance]:
    """Without the reference, the noise, the groups and the size that the claim may not need: all four, three, or one."""
    absent: list[Fields] = [{"reference": None}, {"noise": None}, {"groups": None}, {"size": Fraction(1)}]
    together: Fields = {name: value for one in absent for name, value in one.items()}
    threes = [absent[i] | absent[j] | absent[k] for i, j, k in combinations(range(4), 3)]
    return [instance.replace(**changes) for changes in (together, *threes, *absent)]


def _all_available(instance: ExactInstance) -> list[ExactInstance]:
    """With what cannot be taken a copy of the first action that can be."""
    fields = _fields(instance)
    if "available" not in fields:
        return []
    source = np.where(fields.pop("available"), np.arange(instance.actions), instance.available.argmax(1)[:, None])
    every = np.arange(instance.states)[:, None]
    changed = {name: fields[name][every, source] for name in ("transition", "reward", "noise") if name in fields}
    return [_with(instance, fields | changed)]


def _smaller(instance: ExactInstance) -> list[ExactInstance]:
    """One state less, merged into another; or one action less, its mass given to the others."""
    fields, found = _fields(instance), []
    for gone in range(instance.states):
        for heir in range(instance.states):
            if heir != gone:
                found.append(_merged(instance, fields, gone, heir))
    if instance.actions > 1:
        for gone in range(instance.actions):
            kept = [a for a in range(instance.actions) if a != gone]
            able = instance.available[:, kept]
            if not able.any(1).all():
                continue
            cut: Fields = dict(fields)
            for name in ("transition", "reward", "noise", "available"):
                if name in fields:
                    cut[name] = fields[name][:, kept]
            for name in ("old", "new", "reference"):
                if name in fields:
                    rows = [normalised(row[kept], int(a.argmax())) for row, a in zip(fields[name], able, strict=True)]
                    cut[name] = np.array(rows, dtype=object)
            found.append(_with(instance, cut))
    return found


def _merged(instance: ExactInstance, fields: Fields, gone: int, heir: int) -> ExactInstance:
    kept = [s for s in range(instance.states) if s != gone]
    cut: Fields = dict(fields)
    for name in ("reward", "old", "new", "reference", "noise", "available"):
        if name in fields:
            cut[name] = fields[name][kept]
    transition, initial = fields["transition"][kept].copy(), fields["initial"].copy()
    transition[:, :, heir] += transition[:, :, gone]
    initial[heir] += initial[gone]
    cut["transition"], cut["initial"] = transition[:, :, kept], initial[kept]
    groups = None if instance.groups is None else tuple(instance.groups[s] for s in kept)
    return _with(instance, cut, groups)


def _rounded(instance: ExactInstance) -> list[ExactInstance]:
    """The whole instance at one denominator, the smallest first; rewards of any size are scaled to 1 as well."""
    fields, found = _fields(instance), []
    largest = max(abs(entry) for entry in fields["reward"].ravel())
    for denominator in _DENOMINATORS:
        for scale in (Fraction(1), 1 / largest) if largest > 0 else (Fraction(1),):
            cut: Fields = {}
            for name, value in fields.items():
                if name in _ROW_FIELDS:
                    flat = value.reshape(-1, value.shape[-1])
                    rows = [row_at(row, denominator) if any(row) else row for row in flat]
                    cut[name] = np.array(rows, dtype=object).reshape(value.shape)
                elif name in ("reward", "noise"):
                    entries = [number_at(entry * scale, denominator) for entry in value.ravel()]
                    cut[name] = np.array(entries, dtype=object).reshape(value.shape)
                elif name == "available":
                    cut[name] = value
                elif name == "gamma":
                    cut[name] = min(Fraction(value).limit_denominator(max(denominator, 10)), Fraction(999, 1000))
                else:
                    cut[name] = Fraction(value).limit_denominator(max(denominator, 10)) or value
            found.append(_with(instance, cut))
    return found


def _edits(instance: ExactInstance, *, with_new: bool) -> list[tuple[float, list[Edit]]]:
    """What could be exchanged, with what it saves; only what saves."""
    fields, found = _fields(instance), []
    shared = instance.groups is not None and len(set(instance.groups)) == 1
    for name in _ROW_FIELDS:
        if name not in fields or (name == "new" and not with_new):
            continue
        places = [place for place in np.ndindex(fields[name].shape[:-1]) if any(fields[name][place])]
        rows = [fields[name][place] for place in places]
        others = [fields["old"][place] for place in places] if name in ("new", "reference") else []
        for number, place in enumerate(places):
            everywhere = places if shared and name == "old" else [place]
            alike = [*others, *rows] if instance.states <= _FEW else []
            for row in _simpler_rows(rows[number], alike):
                found.append([(name, index, row) for index in everywhere])
        if name != "initial" and len(rows) > 1:
            for row in _simpler_rows(rows[0], list(rows)):
                found.append([(name, place, row) for place in places])
    for name in _NUMBER_FIELDS:
        if name not in fields:
            continue
        array = np.asarray(fields[name], dtype=object)
        for place in np.ndindex(array.shape):
            found += [[(name, place, value)] for value in _simpler_numbers(name, array[place])]
        if array.ndim:
            found.append([(name, place, Fraction(0)) for place in np.ndindex(array.shape)])
    saved = [(_saving(fields, edit), edit) for edit in found if _is_possible(instance, edit)]
    return [(saving, edit) for saving, edit in saved if saving > 1e-9]


def _is_possible(instance: ExactInstance, edit: list[Edit]) -> bool:
    """Whether policies keep to the actions that are available."""
    policies = [(index, row) for name, index, row in edit if name in ("old", "new", "reference")]
    return all(instance.available[index][row != 0].all() for index, row in policies)


def _saving(fields: Fields, edit: list[Edit]) -> float:
    return sum(
        total_cost(np.asarray(fields[name], dtype=object)[index]) - total_cost(value) for name, index, value in edit
    )


def _simpler_rows(row: Any, others: list[Any]) -> Iterator[Any]:
    size = len(row)
    largest = sorted(range(size), key=lambda i: -row[i])[:_FEW]
    for count in range(1, min(size, 3) + 1):
        for support in combinations(sorted(largest), count):
            yield np.array([Fraction(int(i in support), count) for i in range(size)], dtype=object)
    yield from others
    for denominator in _DENOMINATORS:
        yield row_at(row, denominator)


def _simpler_numbers(name: str, value: Any) -> Iterator[Fraction]:
    if name == "gamma":
        yield from (Fraction(p, q) for p, q in ((1, 2), (9, 10), (1, 10), (3, 4), (1, 4), (99, 100), (1, 3), (2, 3)))
    elif name == "size":
        yield from (Fraction(10) ** power for power in (0, 1, 2, -1, -2, -3))
    else:
        yield from (Fraction(0), Fraction(1), Fraction(-1))
    for denominator in _DENOMINATORS:
        rounded = number_at(value, denominator)
        if name in ("reward", "noise") or 0 < rounded < (1 if name == "gamma" else math.inf):
            yield rounded


def _edited(instance: ExactInstance, edit: list[Edit]) -> ExactInstance:
    fields = dict(_fields(instance))
    for name in {name for name, _, _ in edit}:
        fields[name] = np.array(fields[name], dtype=object)
    for name, index, value in edit:
        fields[name][index] = value
    scalars = {name: fields[name].item() for name in ("gamma", "size") if isinstance(fields.get(name), np.ndarray)}
    return _with(instance, fields | scalars)


def _edited_floats(instance: ExactInstance, edits: list[list[Edit]]) -> Instances:
    """The floats of the instance under each edit, as one batch."""
    base = Instances.of_exact([instance])
    batch = base.take(np.zeros(len(edits), dtype=int))
    arrays = batch.arrays()
    for number, edit in enumerate(edits):
        for name, index, value in edit:
            arrays[name][(number, *index)] = np.asarray(value, dtype=float)
    return batch
