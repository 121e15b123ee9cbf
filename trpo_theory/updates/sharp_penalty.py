"""`SteppedBound` and `SHARP`: sharp gaps as penalties, each the best that any theorem of its form can have."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NoReturn

import numpy as np

from trpo_theory import bounds
from trpo_theory._catalogue import Catalogue
from trpo_theory._outward import Toward, float_toward
from trpo_theory.bounds import Bound
from trpo_theory.bounds.formulas import Formula, Numbers
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.sharp.divergence import Reduced
from trpo_theory.sharp.divergences import DIVERGENCES
from trpo_theory.step.partial import KnownQuantities
from trpo_theory.step.quantities import Quantities

STEPS_AN_OCTAVE = 4
"""Radii at which G is computed, a factor 2^(1/4) = 1.19 apart. Chosen: a penalty is at most 19 % too large, at a program
for each step."""
LEAST_RADIUS = 1e-7
"""Below it rounding spoils the program's numbers: the penalty there is the envelope's, as wherever nothing is proved."""
LARGEST_RADIUS = 20.0
"""The largest that `sharp_gap` takes, of any divergence."""
_GAMMAS = (1e-3, 0.9999)
"""The discounts that `sharp_gap` takes; the envelope is the penalty at others."""
_PER_STEP_MEAN = 4.0
"""Likewise of a mean, for which a radius takes some ten such programs: a few seconds."""
_PER_STEP = 8.0
"""Nodes in a step of the program. Chosen: a fifth of a second a radius for gamma <= 0.9, measured 0.2 % above G."""
_FURTHER = STEPS_AN_OCTAVE
"""Larger radii whose value is taken where a step's own is not proved. Chosen: up to twice the radius."""
_SMALLER_KL = {
    "max_chi2": "max_kl",
    "max_jeffreys": "max_kl",
    "reverse_max_chi2": "reverse_max_kl",
    "mean_chi2": "mean_kl",
    "mean_jeffreys": "mean_kl",
}
"""The KL that is never larger, as KL <= log(1 + chi2) by Jensen, and Jeffreys's divergence is a sum of two KL."""
_PUBLISHED = {
    "max_kl": "chain-rule/kl",
    "reverse_max_kl": "chain-rule/reverse-kl",
    "mean_kl": "mean-kl/linear-4",
}
"""The bound of the catalogue that is linear in a divergence, and the least of these that hold for small gamma."""


@dataclass(frozen=True, eq=False, repr=False)
class SteppedBound(Bound):
    """A bound whose penalty is computed at the radii 2^(k/4), holds below each of them, and is expensive to compute.

    Attributes:
        envelope: a bound that always holds, and is the penalty wherever the steps are above it: linear in the divergence,
            or the same at all values of it but 0.
    """

    envelope: Bound = field(kw_only=True)

    def expect_searched(self) -> NoReturn:
        """A search for counterexamples or worst cases evaluates a penalty thousands of times.

        Raises:
            InvalidInput: always.
        """
        name = self.id.partition("/")[2]
        raise InvalidInput(
            got=f"a search of {self.id}, whose penalty is a program for each radius",
            wanted="a claim that is quick to evaluate",
            fix=f"`trpo-theory show {self.id}` says how it is proved; `trpo-theory sharp --divergence {name} --gamma G "
            "--radius D` has the worst case",
        )


def radius_of(step: int) -> float:
    """2^(step/4), in the divergence's unit."""
    return 2.0 ** (step / STEPS_AN_OCTAVE)


def step_above(radius: float) -> int:
    """The first step whose radius is not below this one."""
    step = int(np.floor(STEPS_AN_OCTAVE * np.log2(radius)))
    return step if radius_of(step) >= radius else step + 1


@functools.lru_cache(maxsize=4096)
def largest_gap(gamma: float, step: int, name: str = "max-kl") -> float:
    """A proved upper bound on G(γ, radius_of(step)): of a supersolution that the checker accepts; ∞ where it accepts none.

    Args:
        gamma: the decimal that it is written as.
        step: its radius is the divergence's largest, where that is smaller: G does not grow beyond it.
        name: of `DIVERGENCES`.
    """
    from trpo_theory.sharp.iteration import solved
    from trpo_theory.sharp.mean import solved_for_mean
    from trpo_theory.sharp.proved import proved_supersolution
    from trpo_theory.sharp.setting import Setting
    from trpo_theory.sharp.solving import space_of
    from trpo_theory.sharp.supersolution import supersolution

    divergence, reduction = DIVERGENCES[name]
    radius = min(radius_of(step), divergence.largest_radius)
    exact = Fraction(radius)
    setting = Setting(divergence.at(exact), gamma, radius, reduction.mean, exact_radius=exact)
    space = space_of(setting, _PER_STEP_MEAN if reduction.mean else _PER_STEP)
    try:
        found = solved_for_mean(setting, space)[0] if reduction.mean else solved(setting, space)
        _, bound = proved_supersolution(supersolution(found))
    except (NotSolved, np.linalg.LinAlgError):
        return np.inf
    return float_toward(bound, Toward.UP)


def _gap_above(gamma: float, step: int, name: str) -> float:
    """That of the step, or of the next larger one that is proved."""
    for further in range(_FURTHER + 1):
        gap = largest_gap(gamma, step + further, name)
        if np.isfinite(gap):
            return gap
    return np.inf


def _sharp(name: str, of: str, envelope: Bound) -> Formula:
    """ε min(G at the next step, the envelope's); the envelope alone where no bound on G is proved."""
    largest = min(LARGEST_RADIUS, DIVERGENCES[name].divergence.largest_radius)

    def penalty(q: Quantities) -> Numbers:
        arrays = map(np.asarray, (q.gamma, getattr(q, of), q.max_abs_advantage, envelope.formula(q)))
        gamma, radius, size, least = np.broadcast_arrays(*arrays)
        known = (radius > 0) & (radius <= largest) & (gamma >= _GAMMAS[0]) & (gamma <= _GAMMAS[1])
        # Below, where none is published, the least step's: G does not fall.
        known &= (radius >= LEAST_RADIUS) | (least >= _any(q))
        gaps = np.full(radius.shape, np.inf)
        for index in np.argwhere(known):  # each is a program, whose result is cached
            at = tuple(index)
            gaps[at] = _gap_above(float(gamma[at]), step_above(max(float(radius[at]), LEAST_RADIUS)), name)
        with np.errstate(invalid="ignore"):
            return np.where(known, np.minimum(size * gaps, least), least)

    return penalty


def _any(q: Quantities) -> Numbers:
    """2εγ/(1 − γ), coupling/tv at TV = 1: |Ā| ≤ ε, and ρ moves by at most 2γ/(1 − γ)."""
    return 2 * q.max_abs_advantage * q.gamma / (1 - q.gamma)


def _envelope(of: str) -> Bound:
    """The bound of `_PUBLISHED` for a field, or for the KL that is never larger; elsewhere `_any`, and 0 where new is old."""
    kl = _SMALLER_KL.get(of, of)
    published = bounds.get(_PUBLISHED[kl]) if kl in _PUBLISHED else None
    if published is not None and published.given is None and kl == of:
        return published

    def formula(q: Quantities) -> Numbers:
        largest = q.arithmetic.where(getattr(q, of) > 0, _any(q), 0 * _any(q))
        if published is None:
            return largest
        known = {"gamma": q.gamma, "max_abs_advantage": q.max_abs_advantage, kl: getattr(q, of)}
        one = KnownQuantities(q.arithmetic, **known)
        if published.given is None:
            return published.formula(one)
        return q.arithmetic.where(published.given(one), published.formula(one), largest)

    return Bound(f"envelope of {of}", formula, r"\eta \ge L - \epsilon\, \overline{G}", "a bound that always holds")


def _bounds() -> Iterator[Bound]:
    for name, reduced in DIVERGENCES.items():
        if reduced.reduction.field is not None:
            yield _bound(name, reduced, reduced.reduction.field)


def _bound(name: str, reduced: Reduced, of: str) -> Bound:
    over = r"\mathbb{E}_{s\sim d_\pi}" if reduced.reduction.mean else r"\max_s"
    statement = (
        rf"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \epsilon\, G(\gamma, {over} \mathrm{{{reduced.divergence.name}}}_s)"
    )
    if name == "max-tv":  # in closed form up to 1/2; beyond, coupling/tv stays convex, and is at most twice G
        source = 'the worst case over all finite MDPs, docs/theory.md, "Total variation in closed form"'
        proof = Theorem(follows=("coupling/tv",), because="it is the same penalty")
        return Bound("sharp/max-tv", bounds.get("coupling/tv").formula, statement, source, proof=proof)
    envelope = _envelope(of)
    source = (
        f"the worst case over all finite MDPs in {reduced.divergence.notation}: "
        'docs/theory.md, "The sharp gap"; proved here step by step, rounded up'
    )
    proof = Theorem("The sharp gap", formal="sharp_gap.sharp_gap_max", formal_for="what a supersolution proves")
    return SteppedBound(f"sharp/{name}", _sharp(name, of, envelope), statement, source, proof=proof, envelope=envelope)


SHARP: Catalogue[Bound] = Catalogue.of("sharp bound", _bounds(), "`trpo-theory claims 'sharp/*'` lists them")
"""sharp/NAME for each NAME of `DIVERGENCES`, the penalty ε G(γ, D): the least that a bound of γ, ε and D can have.

A step's radius is at most 19 % above D, its G at most some 0.3 % too large. Below 1e-7, above the largest radius of
`sharp_gap`, for γ outside [0.001, 0.9999], and where no supersolution is proved it is the envelope: a bound of the catalogue,
if there is one in this divergence or a smaller one; else 2εγ/(1 − γ), or below 1e-7 the least step's.
"""
SHARP_MAX_KL = SHARP["sharp/max-kl"]


def bound_named(id: str) -> Bound:
    """The bound of that id, of `SHARP` or of `bounds`, true or not.

    Raises:
        InvalidInput: for an unknown id, with its near matches.
    """
    return SHARP[id] if id.startswith("sharp/") else bounds.get(id)
