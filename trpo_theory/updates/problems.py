"""The update problems as values: what is maximised, and which divergence is held down in which reduction.

A constrained problem is a `RowDivergence` and a `Reduction`; its name and everything else follow. To add one, write a class
of `TrustRegion` here, and its divergence in rows/ where that is new.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from trpo_theory import _checks
from trpo_theory.bounds import Bound
from trpo_theory.errors import InvalidInput
from trpo_theory.updates.certified import Certified
from trpo_theory.updates.penalty_reads import SPREAD, is_proportional, quantities_read, refused
from trpo_theory.updates.reduction import MAX, MEAN, Reduction
from trpo_theory.updates.rows.divergence import RowDivergence
from trpo_theory.updates.rows.forward_kl import FORWARD_KL
from trpo_theory.updates.rows.reverse_chi2 import REVERSE_CHI2
from trpo_theory.updates.rows.reverse_kl import REVERSE_KL
from trpo_theory.updates.rows.total_variation import TOTAL_VARIATION
from trpo_theory.updates.sharp_penalty import bound_named

if TYPE_CHECKING:
    Size = float
    Radius = float | Certified
    Limits = Mapping[str, float]
    BoundOrId = Bound | str
else:  # what callers pass is checked below, with a message, also where the tests check types at run time
    Size = Radius = BoundOrId = Limits = object


class Problem:
    """An update problem: maximise L_old(new), and hold a divergence from old down by a penalty or by a radius.

    Attributes:
        name: as the command line and JSON spell it.
        divergence: between a row of old and the same row of new.
        reduction: over the rows.
    """

    name: ClassVar[str]
    divergence: RowDivergence
    reduction: Reduction

    @property
    def field(self) -> str:
        """The field of `Quantities` and of `UpdateSolution` that is held down: "max_kl"."""
        return self.divergence.field(self.reduction)


@dataclass(frozen=True, repr=False)
class TrustRegion(Problem):
    """Maximise L_old(new) subject to divergence ≤ delta, in the divergence's unit.

    delta is a number, or `Certified(bound)`: the largest radius whose own step that bound certifies, found for each old.
    costs are limits by the name of a cost: L_c(new) = J_c(old) + Σ_s ρ_old(s) Ā_c(s) ≤ limit, as in CPO; then delta is a number.

    A problem is a class of it: `class MaxKL(TrustRegion, divergence=FORWARD_KL, reduction=MAX)`.
    """

    name: ClassVar[str]
    delta: Radius
    costs: Limits | None = dataclasses.field(default=None, hash=False)

    def __init_subclass__(cls, *, divergence: RowDivergence, reduction: Reduction) -> None:
        of_class = {"divergence": divergence, "reduction": reduction, "name": divergence.problem_name(reduction)}
        for name, value in of_class.items():  # not fields: their types are those of `Problem`
            setattr(cls, name, value)

    def __post_init__(self) -> None:
        if self.costs is not None:
            object.__setattr__(self, "costs", _limits(self.costs))
        if isinstance(self.delta, Certified):
            if self.costs is not None:
                raise InvalidInput(
                    got=f"{self.delta!r} with limits on costs",
                    wanted="a radius that is a number",
                    fix="pass delta=0.01",
                )
            return
        delta = _checks.scalar(self.delta, "delta")
        if not _is_size(delta):
            raise InvalidInput(
                got=f"delta = {_checks.shown(delta)} for {self.name}",
                wanted=f"a radius of 0 or more, in {self.divergence.unit}, or Certified(bound)",
                fix="pass delta=0.01",
            )
        object.__setattr__(self, "delta", float(delta))

    @property
    def radius(self) -> float:
        """The radius that is solved for.

        Raises:
            InvalidInput: for a certified one, which is known only when the step is.
        """
        return number_of(self.delta, self.name)

    def __repr__(self) -> str:
        costs = "" if self.costs is None else f", costs={self.costs!r}"
        return f"{type(self).__name__}(delta={self.delta!r}{costs})"


class MaxKL(TrustRegion, divergence=FORWARD_KL, reduction=MAX):
    """Problem (12): maximise L_old(new) subject to max_s KL(old_s‖new_s) ≤ delta nats."""


class MeanKL(TrustRegion, divergence=FORWARD_KL, reduction=MEAN):
    """Problem (13): maximise L_old(new) subject to Σ_s d_old(s) KL(old_s‖new_s) ≤ delta nats."""


class ReverseMaxKL(TrustRegion, divergence=REVERSE_KL, reduction=MAX):
    """The sibling of (12) that code often solves: max_s KL(new_s‖old_s) ≤ delta nats."""


class ReverseMeanKL(TrustRegion, divergence=REVERSE_KL, reduction=MEAN):
    """The sibling of (13) that code often solves: Σ_s d_old(s) KL(new_s‖old_s) ≤ delta nats."""


class MaxTV(TrustRegion, divergence=TOTAL_VARIATION, reduction=MAX):
    """Maximise L_old(new) subject to max_s TV(old_s, new_s) ≤ delta."""


class ReverseMaxChi2(TrustRegion, divergence=REVERSE_CHI2, reduction=MAX):
    """Maximise L_old(new) subject to max_s χ²(new_s‖old_s) ≤ delta, the divergence of the second-order theorems."""


class ReverseMeanChi2(TrustRegion, divergence=REVERSE_CHI2, reduction=MEAN):
    """Maximise L_old(new) subject to Σ_s d_old(s) χ²(new_s‖old_s) ≤ delta."""


@dataclass(frozen=True)
class Penalty(Problem):
    """Problem (11): maximise L_old(new) − C max_s KL(old_s‖new_s), in nats, or less the penalty of a bound.

    Args:
        coefficient: C, at least 0; or
        bound: a bound of the catalogue (its id) or of one's own that depends on new through max_kl only, or through the
            divergence of any other problem only, such as reverse_max_chi2 or mean_kl; its penalty
            is subtracted, so that the step is provably monotone, equation (10), where the bound is true. "sharp/max-kl" is
            the best that any bound of max_kl can be, ε G(γ, max-KL), proved where it is needed in some seconds for each γ,
            and likewise "sharp/max-tv", "sharp/reverse-max-kl", "sharp/reverse-max-chi2" and the means: see
            `updates.SHARP`. An id is replaced by the `Bound` that it names.

    Attributes:
        divergence, reduction: those whose value the penalty is a function of, found from what the bound reads.
        coupled: whether the penalty is that function times the spread of Ā over states, as that of chi2/expected-advantage.

    Raises:
        InvalidInput: for not one of the two, or a bound that reads something else.
    """

    name = "penalty"

    coefficient: Size | None = None
    bound: BoundOrId | None = None
    divergence: RowDivergence = dataclasses.field(init=False, repr=False, compare=False, default=FORWARD_KL)
    reduction: Reduction = dataclasses.field(init=False, repr=False, compare=False, default=MAX)
    coupled: bool = dataclasses.field(init=False, repr=False, compare=False, default=False)

    def __post_init__(self) -> None:
        if (self.coefficient is None) == (self.bound is None):
            raise InvalidInput(
                got=f"coefficient = {self.coefficient!r} and bound = {self.bound!r}",
                wanted="one of the two",
                fix='write Penalty(2.0) or Penalty(bound="chain-rule/kl")',
            )
        if self.coefficient is not None:
            coefficient = _checks.scalar(self.coefficient, "coefficient")
            if not _is_size(coefficient):
                raise InvalidInput(
                    got=f"coefficient = {_checks.shown(coefficient)}",
                    wanted="a number, 0 or more",
                    fix="pass coefficient=1.0",
                )
            object.__setattr__(self, "coefficient", float(coefficient))
        elif isinstance(self.bound, str):
            object.__setattr__(self, "bound", bound_named(self.bound))
        elif not isinstance(self.bound, Bound):
            raise InvalidInput(
                got=f"bound = {self.bound!r}",
                wanted="the id of a bound, or a Bound",
                fix='write bound="chain-rule/kl"',
            )
        if isinstance(self.bound, Bound):
            divergence, reduction, coupled = _held_down(self.bound)
            object.__setattr__(self, "divergence", divergence)
            object.__setattr__(self, "reduction", reduction)
            object.__setattr__(self, "coupled", coupled)


def _held_down(bound: Bound) -> tuple[RowDivergence, Reduction, bool]:
    """The divergence and reduction that a bound's penalty is a function of, max-KL for one that reads none, and `coupled`."""
    kinds = {kind.divergence.field(kind.reduction): kind for kind in trust_regions().values()}
    read = quantities_read(bound, {*kinds, SPREAD})
    fields = sorted(read - {SPREAD})
    kind = kinds[fields[0]] if fields else MaxKL
    coupled = SPREAD in read
    fits = kind.reduction is MAX and len(fields) == 1
    if len(fields) > 1 or (coupled and not (fits and is_proportional(bound, fields[0]))):
        raise refused(bound, " and ".join(sorted(read)), kinds)
    return kind.divergence, kind.reduction, coupled


def number_of(delta: Radius, name: str) -> float:
    """A radius that is a number."""
    if isinstance(delta, Certified):
        raise InvalidInput(
            got=f"delta = {delta!r} for {name}, where no MDP is known that a step could be evaluated on",
            wanted="a radius that is a number",
            fix="use update(mdp, old, problem) or improve",
        )
    return delta


def _limits(costs: Any) -> dict[str, float]:
    """Limits on costs, checked but for their names."""
    if not isinstance(costs, Mapping) or not costs:
        raise InvalidInput(got=f"limits = {costs!r}", wanted="a limit a cost", fix='write costs={"fuel": 3.0}')
    named: Mapping[Any, Any] = costs  # pyright: ignore[reportUnknownVariableType]
    limits = {name: _checks.scalar(limit, f"the limit of {name!r}") for name, limit in named.items()}
    for name, limit in limits.items():
        if not math.isfinite(_checks.as_float(limit)):
            got = f"the limit {_checks.shown(limit)} of {name!r}"
            raise InvalidInput(got=got, wanted="a finite number", fix="write 3.0")
    return {name: float(limit) for name, limit in limits.items()}


def _is_size(value: Any) -> bool:
    """Whether it is a real number, finite and at least 0."""
    return 0 <= _checks.as_float(value) < math.inf


def trust_regions() -> dict[str, type[TrustRegion]]:
    """The constrained problems by name, in the order in which they are defined."""
    return {kind.name: kind for kind in TrustRegion.__subclasses__()}
