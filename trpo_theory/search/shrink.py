"""Shrinking: fewer states and actions, then simpler rationals, each change kept only if the refutation is proved again."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed
from trpo_theory.proofs.decide import Decision
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.settle import settle
from trpo_theory.search.edits import (
    FEW,
    ROW_FIELDS,
    Edit,
    Fields,
    denominators_for,
    edited,
    edited_floats,
    edits_of,
    fields_of,
    with_fields,
)
from trpo_theory.search.screen import Screen
from trpo_theory.search.simple_numbers import normalised, number_at, rows_at, total_cost
from trpo_theory.search.smaller import smaller
from trpo_theory.step.agents import projected
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.fields import AXES, POLICIES
from trpo_theory.step.instances import Instances

_PROOFS = 400
"""At most so many proofs are tried for one witness. Chosen: a second or two."""
_BYTES = 32_000_000
"""Of the transitions of a batch of edited instances. Chosen: with what is computed from them, below 200 MB."""
_SHARES = (1, 0.7, 0.5, 0.3, 0.1, 0)
"""Of the edits of an instance of many states, the first so many are tried at once. Chosen."""
_TRIES = 12
"""Of the promising candidates of one round, at most so many are tried. Chosen."""


def shrink(
    claim: Claim,
    instance: ExactInstance,
    decision: Decision,
    *,
    proofs: int = _PROOFS,
    screen: Screen | None = None,
) -> tuple[ExactInstance, Decision]:
    """A simpler instance that still refutes the claim, with its proof; at most so many proofs are tried.

    States are merged and actions dropped while that refutes; then whole instances are rounded to one denominator, and rows
    and numbers exchanged for simpler ones, cheapest first, until none can be. `screen` is the claim's, if there is one.
    """
    work = _Work(claim, instance, decision, proofs, Screen(claim) if screen is None else screen.fresh())
    work.accept_first([*_all_available(instance), *_neutral(instance)])
    work.accept_smaller()
    while work.instance.states <= FEW and work.accept_first(_smaller(work.instance, actions=not claim.agents)):
        pass
    total = _total(work.instance)
    work.accept_first([rounded for rounded in _rounded(work.instance) if _total(rounded) < total])
    while work.simplify() if work.instance.states <= FEW else work.simplify_at_once():
        pass
    work.accept_product()
    if work.instance is not instance:
        work.instance = replace(work.instance)  # with the checks that edits went without
    return work.instance, work.decision


class _Work:
    def __init__(self, claim: Claim, instance: ExactInstance, decision: Decision, proofs: int, screen: Screen) -> None:
        self.claim, self.instance, self.decision, self.left = claim, instance, decision, proofs
        self._screen = screen

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
        """Step to the first candidate that refutes; those whose slack is not negative in floats are skipped.

        Those that meet the hypotheses in floats come first; of the others the proof may still say that they do.
        """
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for number, candidate in enumerate(candidates):
            by_shape.setdefault(candidate.old.shape, []).append(number)
        promising: list[tuple[bool, int]] = []
        for numbers in by_shape.values():
            negative, met = self._promising(Instances.of_exact([candidates[n] for n in numbers]))
            promising += [(not met[place], numbers[place]) for place in np.flatnonzero(negative)]
        return any(self.refutes(candidates[number]) for _, number in sorted(promising)[:_TRIES])

    def accept_smaller(self) -> None:
        """Of an instance of many states, step to the smallest that is found in floats and refutes."""
        if self.instance.states <= FEW:
            return
        try:
            found = list(smaller(self._screen, Instances.of_exact([self.instance])))
        except ClaimFailed:
            return
        any(self.refutes(one.exact(0)) for one in found[: -_TRIES - 1 : -1])

    def accept_product(self) -> None:
        """Write policies of several agents as the products that they are read as."""
        if self.claim.agents:
            rows = {name: getattr(self.instance, name) for name in ("old", "new")}
            self.refutes(
                self.instance.replace(**{name: projected(row, self.claim.agents) for name, row in rows.items()})
            )

    def _promising(self, instances: Instances) -> tuple[np.ndarray, np.ndarray]:
        """Which of them have a negative slack in floats, and which meet the hypotheses, (B,); all, where the formula fails."""
        try:
            screened = self._screen(instances)
        except ClaimFailed:
            return np.full(len(instances), True), np.full(len(instances), True)
        return screened.slack < -screened.noise, screened.met

    def simplify(self) -> bool:
        """One round over every row and number: the edits that save most are tried first, of those that meet the hypotheses.

        Returns:
            Whether any was kept.
        """
        kept, touched, tries = False, set(), 0
        for edit in self._promising_edits():
            places = {(name, index) for name, index, _ in edit}
            if places & touched or tries >= 3 * _TRIES or self.left <= 0:
                continue
            tries += 1
            if self.refutes(edited(self.instance, edit)):
                kept, tries = True, 0
                touched |= places
        return kept

    def simplify_at_once(self) -> bool:
        """Such a round for many states, where a proof takes long: as many of the edits at once as refute it in floats.

        Returns:
            Whether any was kept.
        """
        apart: list[list[Edit]] = []
        touched: set[tuple[str, tuple[int, ...]]] = set()
        for edit in self._promising_edits():
            places = {(name, index) for name, index, _ in edit}
            if not places & touched:
                apart.append(edit)
                touched |= places
        kept = False
        while apart and self.left > 0:
            counts = sorted({max(1, round(len(apart) * share)) for share in _SHARES})
            together = [[one for edit in apart[:count] for one in edit] for count in counts]
            negative, met = self._in_parts(together)
            good = [place for place in range(len(counts)) if negative[place] and met[place]]
            done = bool(good) and self.refutes(edited(self.instance, together[good[-1]]))
            kept |= done
            apart = apart[counts[good[-1]] if good else 1 :]
        return kept

    def _promising_edits(self) -> list[list[Edit]]:
        """The edits after which floats refute: those that save most first, of those that meet the hypotheses."""
        edits = edits_of(self.instance, with_new=self.claim.step is None)
        if not edits:
            return []
        negative, met = self._in_parts([edit for _, edit in edits])
        order = sorted((bool(met[n]), edits[n][0], n) for n in np.flatnonzero(negative))
        return [edits[n][1] for *_, n in reversed(order)]

    def _in_parts(self, edits: list[list[Edit]]) -> tuple[np.ndarray, np.ndarray]:
        """`_promising` of the instance under each edit, as many at a time as memory bears."""
        each = max(1, _BYTES // (8 * self.instance.transition.size))
        parts = [edits[begin : begin + each] for begin in range(0, len(edits), each)]
        found = [self._promising(edited_floats(self.instance, part)) for part in parts]
        negative, met = (np.concatenate(each) for each in zip(*found, strict=True))
        return negative, met


def _total(instance: ExactInstance) -> float:
    return sum(total_cost(value) for name, value in fields_of(instance).items() if name != "available")


def _neutral(instance: ExactInstance) -> list[ExactInstance]:
    """Without the reference, the noise, the groups and the size that the claim may not need: all four, three, or one."""
    absent: list[Fields] = [{"reference": None}, {"noise": None}, {"groups": None}, {"size": Fraction(1)}]
    together: Fields = {name: value for one in absent for name, value in one.items()}
    threes = [absent[i] | absent[j] | absent[k] for i, j, k in combinations(range(4), 3)]
    return [instance.replace(**changes) for changes in (together, *threes, *absent)]


def _all_available(instance: ExactInstance) -> list[ExactInstance]:
    """With what cannot be taken a copy of the first action that can be."""
    fields = fields_of(instance)
    if "available" not in fields:
        return []
    source = np.where(fields.pop("available"), np.arange(instance.actions), instance.available.argmax(1)[:, None])
    every = np.arange(instance.states)[:, None]
    changed = {name: fields[name][every, source] for name in ("transition", "reward", "noise") if name in fields}
    return [with_fields(instance, fields | changed)]


def _smaller(instance: ExactInstance, *, actions: bool) -> list[ExactInstance]:
    """One state less, merged into another; or one action less, its mass given to the others."""
    fields, found = fields_of(instance), []
    for gone in range(instance.states):
        for heir in range(instance.states):
            if heir != gone:
                found.append(_merged(instance, fields, gone, heir))
    if actions and instance.actions > 1:
        for gone in range(instance.actions):
            kept = [a for a in range(instance.actions) if a != gone]
            able = instance.available[:, kept]
            if not able.any(1).all():
                continue
            cut: Fields = dict(fields)
            for name in (name for name in fields if AXES[name][:2] == "sa"):
                cut[name] = fields[name][:, kept]
            for name in (name for name in POLICIES if name in fields):
                cut[name] = _normalised_rows(cut[name], able)
            found.append(with_fields(instance, cut))
    return found


def _normalised_rows(policy: np.ndarray, able: np.ndarray) -> np.ndarray:
    """Rows over their sums, (S, A) or (S, A, J); one without mass takes its first action that can be taken."""
    each = policy[..., None] if policy.ndim == 2 else policy
    layers = [
        [normalised(row, int(a.argmax())) for row, a in zip(each[..., j], able, strict=True)]
        for j in range(each.shape[-1])
    ]
    stacked = np.stack([np.array(layer, dtype=object) for layer in layers], axis=-1)
    return stacked[..., 0] if policy.ndim == 2 else stacked


def _merged(instance: ExactInstance, fields: Fields, gone: int, heir: int) -> ExactInstance:
    kept = [s for s in range(instance.states) if s != gone]
    cut: Fields = dict(fields)
    for name in (name for name in fields if AXES[name][:2] == "sa"):
        cut[name] = fields[name][kept]
    initial = fields["initial"].copy()
    initial[heir] += initial[gone]
    cut["initial"] = initial[kept]
    for name in (name for name in fields if AXES[name] == "sas"):
        moves = cut[name].copy()
        moves[:, :, heir] += moves[:, :, gone]
        cut[name] = moves[:, :, kept]
    groups = None if instance.groups is None else tuple(instance.groups[s] for s in kept)
    return with_fields(instance, cut, groups)


def _rounded(instance: ExactInstance) -> list[ExactInstance]:
    """The whole instance at one denominator, the smallest first; rewards of any size are scaled to 1 as well."""
    fields, found = fields_of(instance), []
    largest = max(abs(entry) for entry in fields["reward"].ravel())
    denominators = denominators_for(instance.states)
    rows = {name: _rounded_rows(value, denominators) for name, value in fields.items() if name in ROW_FIELDS}
    for place, denominator in enumerate(denominators):
        for scale in (Fraction(1), 1 / largest) if largest > 0 else (Fraction(1),):
            cut: Fields = {}
            for name, value in fields.items():
                if name in ROW_FIELDS:
                    cut[name] = rows[name][place]
                elif name in ("references", "horizon", "available") or (name == "gamma" and value == 1):
                    cut[name] = value
                elif name in ("reward", "noise", "costs"):
                    entries = [number_at(entry * scale, denominator) for entry in value.ravel()]
                    cut[name] = np.array(entries, dtype=object).reshape(value.shape)
                elif name == "gamma":
                    cut[name] = min(Fraction(value).limit_denominator(max(denominator, 10)), Fraction(999, 1000))
                else:
                    cut[name] = Fraction(value).limit_denominator(max(denominator, 10)) or value
            found.append(with_fields(instance, cut))
    return found


def _rounded_rows(rows: np.ndarray, denominators: tuple[int, ...]) -> list[np.ndarray]:
    """Rows along the last axis at each of the denominators; those of nothing stay."""
    flat = rows.reshape(-1, rows.shape[-1])
    each = [rows_at(row, denominators) if any(row) else [row] * len(denominators) for row in flat]
    return [np.array(at_one, dtype=object).reshape(rows.shape) for at_one in zip(*each, strict=True)]
