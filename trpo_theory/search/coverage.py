"""`Coverage`: what a search covered, in sizes and ranges; `Counts`: how many instances put a claim to the test."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from trpo_theory._outward import Toward, decimal_toward
from trpo_theory.numerics.floats import Floats
from trpo_theory.search.distinct import known_among, places_of_distinct
from trpo_theory.search.draws.rows import along_rows
from trpo_theory.search.screened import Screened
from trpo_theory.step.fields import GIVEN
from trpo_theory.step.instances import Instances
from trpo_theory.step.quantities import Quantities

RANGES = {"gamma": "gamma", "one_minus_gamma": "", "tv": "TV", "kl": "KL", "reward": "max |r|"}
"""What a range is kept of, and its name in a sentence; of gamma and 1 - gamma it is one, of both."""
_OF_STEPS = ("tv", "kl")
_IDENTITY = frozenset({"transition", "reward", "gamma", "initial", "available", "old"})
"""Fields by which two instances always differ."""
_CLOSE_TO_ONE = 0.99
"""A discount above it is written 1 - x. Chosen."""
_DIGITS = 2
"""Significant digits of the ends of a range in a sentence. Chosen."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Coverage:
    """What a search covered.

    Attributes:
        sizes: (S, A) of the effective instances, in order.
        ranges: of the effective instances, by the names of `RANGES`: the least and the largest γ, 1 − γ, max-TV and max-KL of
            the step (of claims that read new as it was drawn), and max |r|.
        tried: how many instances of each instrument were tried, effective or not.
    """

    sizes: tuple[tuple[int, int], ...] = ()
    ranges: Mapping[str, Range] = field(default_factory=dict)
    tried: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Coverage) -> Coverage:
        """Of both searches; in whatever order they are added up."""
        ranges = {
            name: (min(low for low, _ in found), max(high for _, high in found))
            for name in RANGES
            if (found := [one.ranges[name] for one in (self, other) if name in one.ranges])
        }
        names = sorted({*self.tried, *other.tried})
        tried = {name: self.tried.get(name, 0) + other.tried.get(name, 0) for name in names}
        return Coverage(tuple(sorted({*self.sizes, *other.sizes})), ranges, tried)

    def to_fields(self) -> dict[str, Any]:
        """For JSON: sizes [[S, A], ...], ranges [least, largest] of states, actions and the `RANGES`, instances by instrument.

        A range that no effective instance has is None; an infinite end is "inf".
        """
        each: dict[str, Any] = {"sizes": [list(size) for size in self.sizes]}
        for axis, name in enumerate(("states", "actions")):
            lengths = [size[axis] for size in self.sizes]
            each[name] = [min(lengths), max(lengths)] if lengths else None
        ranges: dict[str, Any] = dict.fromkeys(RANGES)
        ranges |= {name: [x if np.isfinite(x) else str(x) for x in ends] for name, ends in self.ranges.items()}
        return each | ranges | {"instances": dict(self.tried)}

    @classmethod
    def of_fields(cls, fields: Mapping[str, Any]) -> Coverage:
        """What `to_fields` made these of."""
        ranges = {name: (float(fields[name][0]), float(fields[name][1])) for name in RANGES if fields[name] is not None}
        return cls(tuple((states, actions) for states, actions in fields["sizes"]), ranges, dict(fields["instances"]))

    @property
    def text(self) -> str:
        """In one line: "1-5 states, 2-4 actions, gamma 0 .. 1-1e-6, TV 1e-12 .. 1; random instances 52,000, mutation 90,000".

        Ends are rounded inward, so that no more is said than was covered.
        """
        fields = self.to_fields()
        parts = [_whole(fields[name], name) for name in ("states", "actions") if fields[name] is not None]
        if "gamma" in self.ranges:
            ends = zip(
                self.ranges["gamma"], reversed(self.ranges["one_minus_gamma"]), (Toward.UP, Toward.DOWN), strict=True
            )
            parts.append(f"gamma {' .. '.join(_discount(*end) for end in ends)}")
        parts += [
            f"{word} {_end(self.ranges[name][0], Toward.UP)} .. {_end(self.ranges[name][1], Toward.DOWN)}"
            for name, word in RANGES.items()
            if name in self.ranges and "gamma" not in name
        ]
        counts = ", ".join(f"{name} {count:,}" for name, count in self.tried.items())
        return "; ".join(part for part in (", ".join(parts), counts) if part)


@dataclass
class Counts:
    """How many instances a search tried, and how many of them put the claim to the test.

    Attributes:
        reads: the fields of an instance that the claim reads, as `Screen.reads` has them.
        instances: how many were tried.
        effective: those that put the claim to the test (`Screened.tests`) and were not tried before: two instances are the
            same if they agree in the MDP, in old, and in new, reference, noise, groups and size where the claim reads them.
        trivial: the others of those that met the hypotheses.
        coverage: what the effective ones covered.
    """

    reads: frozenset[str] = frozenset(GIVEN)
    instances: int = 0
    effective: int = 0
    trivial: int = 0
    coverage: Coverage = field(default_factory=Coverage)
    _known: dict[tuple[int, int], np.ndarray | set[int]] = field(default_factory=dict)

    def add(self, instrument: str, instances: Instances, screened: Screened) -> np.ndarray:
        """Count a batch of an instrument; which of it are effective, (B,)."""
        described = _described(instances)
        effective = screened.tests
        if effective.any():
            effective = effective & self._unseen(described, instances.shape, effective)
        count = int(effective.sum())
        self.instances += len(instances)
        self.effective += count
        self.trivial += int(screened.met.sum()) - count
        names = [name for name in RANGES if name not in _OF_STEPS or "new" in self.reads]
        found = {name: described.range(name, effective) for name in names} if count else {}
        self.coverage += Coverage((instances.shape,) * bool(count), found, {instrument: len(instances)})
        return effective

    def _unseen(self, described: _Described, shape: tuple[int, int], candidates: np.ndarray) -> np.ndarray:
        """Which of the candidates are the first of those that are equal, now and before; they are known from now on.

        As long as each batch of a size is larger than those before together they are sorted; of smaller ones a set is made.
        """
        hashes = described.hashes(self.reads)
        known = self._known.get(shape, hashes[:0])
        if isinstance(known, np.ndarray) and len(known) < len(hashes):
            first = described.first(self.reads) if candidates.all() else _first(hashes, candidates)
            first = first & ~known_among(hashes, known)
            self._known[shape] = np.concatenate([known, hashes[first]])
            return first
        if isinstance(known, np.ndarray):
            known = self._known[shape] = set(known.tolist())
        unseen = np.zeros(len(hashes), dtype=bool)
        places = np.flatnonzero(candidates)
        for place, one in zip(places.tolist(), hashes[places].tolist(), strict=True):
            if one not in known:
                known.add(one)
                unseen[place] = True
        return unseen


class _Described:
    """Numbers of a batch, found once for all claims that are run on it."""

    quantities: Callable[[], Quantities | None]

    def __init__(self, instances: Instances) -> None:
        self._arrays, self.quantities = instances.arrays(), lambda: None
        self._by_field: dict[str, np.ndarray] = {}
        self._first: dict[frozenset[str], np.ndarray] = {}

    def hashes(self, reads: frozenset[str]) -> np.ndarray:
        """A hash of each instance's numbers in the fields by which instances differ for such a claim, (B,)."""
        total: Any = 0
        for name in self._fields(reads):
            if name not in self._by_field:
                self._by_field[name] = _hashed(name, self._arrays[name])
            total = total + self._by_field[name]
        return total

    def first(self, reads: frozenset[str]) -> np.ndarray:
        """Which of the batch are the first of those that are equal, (B,)."""
        key = frozenset(self._fields(reads))
        if key not in self._first:
            hashes = self.hashes(reads)
            self._first[key] = _first(hashes, np.ones(len(hashes), dtype=bool))
        return self._first[key]

    def _fields(self, reads: frozenset[str]) -> list[str]:
        return [name for name in self._arrays if name in _IDENTITY or name in reads]

    def range(self, name: str, which: np.ndarray) -> Range:
        """The least and the largest of those instances."""
        values = getattr(self, name)[which]
        return float(values.min()), float(values.max())

    @cached_property
    def gamma(self) -> np.ndarray:
        return self._arrays["gamma"]

    @cached_property
    def one_minus_gamma(self) -> np.ndarray:
        return 1 - self._arrays["gamma"]

    @cached_property
    def tv(self) -> np.ndarray:
        if (q := self.quantities()) is not None:
            return np.asarray(q.max_tv)
        return _largest_sum(np.abs(self._arrays["new"] - self._arrays["old"])) / 2

    @cached_property
    def kl(self) -> np.ndarray:
        with np.errstate(all="ignore"):
            if (q := self.quantities()) is not None:
                return np.asarray(q.max_kl)
            return _largest_sum(Floats().kl_div(self._arrays["old"], self._arrays["new"]))

    @cached_property
    def reward(self) -> np.ndarray:
        return np.abs(self._arrays["reward"]).max((1, 2))


_DESCRIBED: weakref.WeakKeyDictionary[Instances, _Described] = weakref.WeakKeyDictionary()
"""What is known of batches, as long as they live."""


def describe(instances: Instances, q: Quantities) -> None:
    """That these are the quantities of a batch: while they live, its steps are not measured again."""
    _described(instances).quantities = weakref.ref(q)


def _described(instances: Instances) -> _Described:
    found = _DESCRIBED.get(instances)
    if found is None:
        found = _DESCRIBED[instances] = _Described(instances)
    return found


def _largest_sum(terms: np.ndarray) -> np.ndarray:
    """The largest of each instance's sums over actions, (B,)."""
    return along_rows(np.maximum, along_rows(np.add, terms)[..., 0])[..., 0]


def _first(hashes: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Which of the candidates are the first of those with one hash, (B,)."""
    places = np.flatnonzero(candidates)
    first = np.zeros(len(hashes), dtype=bool)
    first[places[places_of_distinct(hashes[places])]] = True
    return first


def _hashed(name: str, array: np.ndarray) -> np.ndarray:
    """A fixed random combination of an instance's numbers, modulo 2⁶⁴, (B,); −0 counts as 0.

    Two that differ have the same one with a probability near 2⁻⁴³: the low half of a double of few digits is 0.
    """
    numbers = np.ascontiguousarray(array.reshape(len(array), -1), dtype=np.float64) + 0.0
    bits = numbers.view(np.uint64)
    count = bits.shape[1]
    weights = _weights(name, 1 << max(10, (count - 1).bit_length()))[:count]
    return np.einsum("ij,j->i", bits ^ (bits >> np.uint64(32)), weights)


@functools.lru_cache(maxsize=128)  # chosen: the fields of some ten lengths
def _weights(name: str, count: int) -> np.ndarray:
    """Odd random numbers below 2⁶⁴, always the same ones."""
    generator = np.random.default_rng([*name.encode()])
    return generator.integers(0, 2**63, count, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def _whole(ends: list[int], word: str) -> str:
    low, high = ends
    return f"{low if low == high else f'{low}-{high}'} {word if high > 1 else word[:-1]}"


def _discount(gamma: float, rest: float, toward: Toward) -> str:
    """γ, or 1 − (1 − γ) where it is close to 1."""
    if gamma <= _CLOSE_TO_ONE or gamma == 1:
        return _end(gamma, toward)
    return f"1-{_end(rest, Toward.DOWN if toward is Toward.UP else Toward.UP)}"


def _end(value: float, toward: Toward) -> str:
    """Two digits, rounded inward."""
    return f"{float(decimal_toward(value, _DIGITS, toward)):g}" if np.isfinite(value) else f"{value:g}"
