"""`sharp_gap`: how bad (L − η(new))/ε can be over all finite MDPs at a radius: an upper bound, a lower bound, and the MDP."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from trpo_theory import _checks, bounds
from trpo_theory._outward import Toward, float_toward
from trpo_theory.bounds.record import Bound
from trpo_theory.entries.kinds import TRUTH, expect
from trpo_theory.errors import InvalidInput, NotKnown
from trpo_theory.io import write_mdp
from trpo_theory.io.evidence_files import checked_evidence_path, write_evidence
from trpo_theory.model.decimals import as_written
from trpo_theory.model.types import RealLike
from trpo_theory.numerics.ball import rationals
from trpo_theory.numerics.ball.balls import Balls
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.numerics.ball.raw import precision
from trpo_theory.sharp.divergences import DIVERGENCES
from trpo_theory.sharp.evidence import lower_evidence, upper_evidence, witness_ratio
from trpo_theory.sharp.horizon import HorizonSupersolution
from trpo_theory.sharp.normaliser import Normaliser
from trpo_theory.sharp.proved import proof_fields, proved_supersolution
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.solving import both_ends
from trpo_theory.sharp.supersolution import Supersolution
from trpo_theory.sharp.witness import SharpWitness
from trpo_theory.sharp.witness_fields import witness_arrays
from trpo_theory.step.partial import KnownQuantities

if TYPE_CHECKING:
    import pandas as pd

LEAST_GAMMA, LARGEST_GAMMA = 1e-3, 0.9999  # outside these the program's numbers differ too much in size. Chosen
_LONGEST = 1000
"""Steps of a horizon. Chosen: a minute's work."""
_LEAST_RADIUS = 1e-10
"""Below it, likewise. Chosen."""
_LEAST_NODES = 10
"""A side, at least: with fewer the bounds are too far apart to be of use. Chosen."""
_WIDTH, _WIDTH_MEAN = 1e-3, 5e-3
"""That are aimed at if none is given: a second's work, or a few for a mean."""
LEAST_WIDTH, _LARGEST_WIDTH = 1e-5, 1.0
"""Below it, floats have too few digits left, and the number of nodes grows beyond use. Chosen."""
_SHARE_BITS = 128
"""Of the penalties that lower is divided by: chosen, more than twice a float's."""


class BoundAtRadius(TypedDict):
    """A bound at ε = 1: its penalty, and lower/penalty."""

    id: str
    penalty: float
    ratio: float


@dataclass(frozen=True, eq=False)
class SharpGap:
    """The sharp gap G(γ, radius), between two bounds.

    Attributes:
        divergence, normaliser, gamma, radius: the arguments of `sharp_gap`, in floats; `setting` has what proofs are about.
        lower: (L − η(new))/ε of the witness.
        upper: no finite MDP has more; in floats, unless certified.
        certified: whether both were proved in ball arithmetic.
        witness: the MDP that attains lower, with old and new.
        supersolution: what proves upper.
        aim: the width that was asked for, upper/lower − 1; None where a number of nodes was given.
    """

    divergence: str
    normaliser: str
    gamma: float
    radius: float
    lower: float
    upper: float
    certified: bool
    witness: SharpWitness
    supersolution: Supersolution | HorizonSupersolution
    aim: float | None = None

    @property
    def width(self) -> float:
        """upper/lower − 1."""
        return self.upper / self.lower - 1 if self.lower > 0 else np.inf

    @property
    def horizon(self) -> int | None:
        """T; None where a path never ends."""
        return self.setting.horizon

    @property
    def setting(self) -> Setting:
        """The arguments as the program and the proofs have them: γ and the radius in floats, and exactly."""
        return self.supersolution.setting

    @property
    def bounds(self) -> list[BoundAtRadius]:
        """Each bound of the catalogue that is a function of γ, T, ε and this divergence: its penalty at ε = 1, and lower/penalty.

        Where both ends are proved, the quotient is, too: rounded down.
        """
        known = self._known(self.gamma, self.radius)
        rows: list[BoundAtRadius] = []
        for bound in bounds.plain().values() if self.horizon is None else bounds.over_horizon().values():
            try:
                penalty = float(bound.penalty(KnownQuantities(**known)))
            except NotKnown:
                continue
            if np.isfinite(penalty):  # else its hypotheses exclude this discount
                ratio = self._proved_share(bound) if self.certified else self.lower / penalty
                rows.append({"id": bound.id, "penalty": penalty, "ratio": ratio})
        return rows

    def _known(self, gamma: Any, radius: Any) -> dict[str, Any]:
        """What a function of γ, T, ε and this divergence reads, at ε = 1."""
        field = DIVERGENCES[self.divergence].reduction.field
        known = {"gamma": gamma, Normaliser(self.normaliser).field: 1} | ({} if field is None else {field: radius})
        return known if self.horizon is None else known | {"horizon": self.horizon}

    def _proved_share(self, bound: Bound) -> float:
        """A float at or below lower/penalty, the penalty in balls."""
        with precision(_SHARE_BITS):
            exact = self._known(self.setting.proved_gamma, self.setting.proved_radius)
            known = {name: x if name == "horizon" else Ball(x) for name, x in exact.items()}
            penalty = Ball(bound.penalty(KnownQuantities(Balls(), **known)))
        return float_toward(Fraction(self.lower) / penalty.upper, Toward.DOWN)

    def to_frame(self) -> pd.DataFrame:
        """One row a bound."""
        import pandas as pd

        return pd.DataFrame(self.bounds)

    def proof(self) -> dict[str, Any]:
        """The proof object of the upper bound, which `check_supersolution` (and `trpo-theory certify`) checks by itself."""
        return proof_fields(self.supersolution)

    def write(self, path: str | Path) -> None:
        """Write the witness, an MDP with old and new: `trpo-theory bound FILE --old old --new new` evaluates it again.

        A .json file is evidence of the lower bound, which `trpo-theory certify` proves again.

        Raises:
            NotSolved: for evidence of a witness that is not proved to be within the radius.
        """
        if Path(path).suffix == ".json":
            write_evidence(lower_evidence(*_exactly(self), self.witness, self.horizon), path)
        else:
            write_mdp(self.witness.mdp, path, old=self.witness.old, new=self.witness.new)

    def write_proof(self, path: str | Path) -> None:
        """Write the evidence of the upper bound, .json.

        Raises:
            NotSolved: if it is not proved.
        """
        checked_evidence_path(path, "a proof")
        proved = self if self.certified else _with_proof(self)[0]
        write_evidence(upper_evidence(self.divergence, self.normaliser, proved.proof()), path)

    def __repr__(self) -> str:
        kind = "proved" if self.certified else "in floats"
        return (
            f"SharpGap({self.divergence}, {self.normaliser}, gamma={self.gamma:.10g}, radius={self.radius:.10g}: "
            f"{self.lower:.8g} .. {self.upper:.8g}, {kind}; {self.witness.mdp.states} states)"
        )


def sharp_gap(
    divergence: str,
    gamma: RealLike,
    radius: RealLike,
    normaliser: str = "max",
    *,
    certify: bool = False,
    width: float | None = None,
    nodes: int | None = None,
    horizon: int | None = None,
) -> SharpGap:
    """The worst (L − η(new))/ε over all finite MDPs and pairs of policies within a radius, from both sides.

    A dynamic program in the likelihood ratio of a path, solved by policy iteration; the upper bound is a supersolution, the
    lower one an MDP made of the optimal laws. docs/theory.md, "The sharp gap".

    Args:
        divergence: a name of `DIVERGENCES`, such as "max-kl", "mean-tv" or "reverse-max-kl".
        gamma: the discount; the rational that it is, or the decimal of a float, in proofs.
        radius: likewise, of the divergence, in its unit: nats, total variation, χ².
        normaliser: ε is "max" |A_old|, the "expected" one, max_s |Ā(s)|, or "sd", max_s √(Σ_a old A_old²), which is for
            "reverse-max-chi2" and "max-ratio-deviation": for others the worst case is infinite.
        certify: prove both bounds in ball arithmetic.
        width: that is aimed at, upper/lower − 1; 0.1 % if none is given, 0.5 % for a mean.
        nodes: on each side of 1, in place of a width; the distance between the bounds falls with their square.
        horizon: T: the worst case over all finite MDPs that end after T steps, and gamma may be 1; for a largest divergence.

    Returns:
        A `SharpGap`.

    Raises:
        InvalidInput: for an unknown name, or numbers outside gamma in (0, 1), 0 < radius, horizon from 2 to 1000.
        NotSolved: if policy iteration fails, or a proof.
    """
    expect(TRUTH, certify=certify)
    setting = _setting(divergence, gamma, radius, normaliser, horizon)
    if nodes is not None:
        nodes = _checks.integer(nodes, "nodes", least=_LEAST_NODES)
    usual = _WIDTH_MEAN if setting.mean else _WIDTH
    aim = usual if width is None else _checks.number_between(width, "width", LEAST_WIDTH, _LARGEST_WIDTH)
    upper, witness = both_ends(setting, aim, nodes)
    ends = witness.gap, upper.bound, False, witness, upper
    found = SharpGap(divergence, normaliser, setting.gamma, setting.radius, *ends, aim if nodes is None else None)
    return _proved(found) if certify else found


def _setting(divergence: str, gamma: RealLike, radius: RealLike, normaliser: str, horizon: int | None) -> Setting:
    """The arguments of `sharp_gap` but for how close its ends shall be, checked."""
    if not isinstance(divergence, str):
        raise InvalidInput(
            got=f"the divergence {divergence!r}",
            wanted="a name first, then the discount and the radius",
            fix='write sharp_gap("max-kl", gamma, radius)',
        )
    _checks.known_name("divergence", divergence, DIVERGENCES)
    _checks.known_name("normaliser", normaliser, (one.value for one in Normaliser))
    reduced = DIVERGENCES[divergence]
    Normaliser(normaliser).check(reduced.divergence, mean=reduced.reduction.mean)
    if horizon is not None:
        horizon = _checks.integer(horizon, "horizon", least=2)
        _checks.number_between(horizon, "horizon", 2, _LONGEST)
        if reduced.reduction.mean:
            raise InvalidInput(
                got=f"{divergence} with a horizon",
                wanted="a largest divergence",
                fix="use max-kl, or leave out the horizon",
            )
    size, exact_radius = _size(divergence, radius), rationals.number(radius, "radius")
    return Setting(
        reduced.divergence.at(exact_radius),
        _checks.number_between(gamma, "gamma", LEAST_GAMMA, LARGEST_GAMMA if horizon is None else 1.0),
        size,
        reduced.reduction.mean,
        Normaliser(normaliser),
        rationals.number(gamma, "gamma"),
        exact_radius,
        horizon,
    )


def _size(divergence: str, radius: RealLike) -> float:
    """The radius as a float, at most the largest value of the divergence."""
    found = DIVERGENCES[divergence].divergence
    largest = found.largest_radius
    size = _checks.number_between(radius, "radius", _LEAST_RADIUS, np.inf if np.isfinite(found.largest) else largest)
    if size > largest:
        written = radius if isinstance(radius, float) else rationals.short(rationals.number(radius, "radius"))
        raise InvalidInput(
            got=f"radius = {written}",
            wanted=f"a number in [{_LEAST_RADIUS:g}, {largest:g}], whose end is the largest value of {divergence}",
            fix=f"pass {largest!r}: beyond it the gap is the same",
        )
    return size


def _proved(found: SharpGap) -> SharpGap:
    """With both bounds proved, rounded outward.

    Raises:
        NotSolved: if a proof fails.
    """
    found, upper = _with_proof(found)
    lower, _ = witness_ratio(*_exactly(found), witness_arrays(found.witness))
    return replace(found, lower=float_toward(lower, Toward.DOWN), upper=upper, certified=True)


def _exactly(found: SharpGap) -> tuple[str, str, Fraction, Fraction]:
    """Of which gap a proof is."""
    gamma = found.setting.proved_gamma
    return (
        found.divergence,
        found.normaliser,
        gamma if gamma < 1 else as_written(found.witness.gamma),
        found.setting.proved_radius,
    )


def _with_proof(found: SharpGap) -> tuple[SharpGap, float]:
    """With a supersolution that is proved, and its bound: lifted, where it is a little too low by the floats' rounding.

    Raises:
        NotSolved: if the proof fails with the largest lift, too.
    """
    supersolution, bound = proved_supersolution(found.supersolution)
    return replace(found, supersolution=supersolution), float_toward(bound, Toward.UP)
