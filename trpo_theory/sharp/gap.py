"""`sharp_gap`: how bad (L − η(new))/ε can be over all finite MDPs at a radius: an upper bound, a lower bound, and the MDP."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trpo_theory import _checks, bounds
from trpo_theory.errors import InvalidInput, NotKnown, NotSolved
from trpo_theory.io import write_fields, write_mdp
from trpo_theory.sharp.program import CHI2, KL, REVERSE_KL, TV, Divergence, Program, grid
from trpo_theory.sharp.prove_lower import enclosed_gap
from trpo_theory.sharp.prove_upper import check_supersolution
from trpo_theory.sharp.supersolution import Supersolution, least_supersolution, lifted
from trpo_theory.sharp.witness import SharpWitness, family_witness, sharp_witness
from trpo_theory.step.partial import KnownQuantities

if TYPE_CHECKING:
    import pandas as pd

DIVERGENCES: Mapping[str, tuple[Divergence, bool, str]] = {
    "max-kl": (KL, False, "max_kl"),
    "max-tv": (TV, False, "max_tv"),
    "mean-kl": (KL, True, "mean_kl"),
    "mean-tv": (TV, True, "mean_tv"),
    "reverse-max-kl": (REVERSE_KL, False, "reverse_max_kl"),
    "max-chi2": (CHI2, False, "max_chi2"),
}
"""The name: the divergence of a state, whether it is meant in the mean under d_old, and the field of `Quantities`."""

NORMALISERS = {"max": "max_abs_advantage", "expected": "max_abs_expected_advantage"}
_LIFTS = (0.0, 1e-11, 1e-9, 1e-7, 1e-5)
"""Of the bound."""
_NODES_OF_TV = 20
"""Its optimal laws have few atoms, on a few lines: more nodes tell nothing more."""


@dataclass(frozen=True, eq=False)
class SharpGap:
    """The sharp gap G(γ, radius), between two bounds.

    Attributes:
        divergence, normaliser, gamma, radius: what was asked.
        lower: (L − η(new))/ε of the witness.
        upper: of no MDP can it be more; in floats, unless certified.
        certified: whether both were proved in balls.
        witness: the MDP that attains lower, with old and new.
        supersolution: what proves upper.
    """

    divergence: str
    normaliser: str
    gamma: float
    radius: float
    lower: float
    upper: float
    certified: bool
    witness: SharpWitness
    supersolution: Supersolution

    @property
    def bounds(self) -> list[dict[str, Any]]:
        """Each bound of the catalogue that is a function of this divergence: its penalty at ε = 1, and lower/penalty."""
        known = {
            "gamma": self.gamma,
            DIVERGENCES[self.divergence][2]: self.radius,
            NORMALISERS[self.normaliser]: 1.0,
        }
        rows = []
        for bound in bounds.catalogue.values():
            try:
                penalty = float(bound.penalty(KnownQuantities(**known)))
            except NotKnown:  # it depends on more than this divergence
                continue
            if np.isinf(penalty):  # of another discount
                continue
            rows.append({"id": bound.id, "penalty": penalty, "ratio": self.lower / penalty})
        return rows

    def to_frame(self) -> pd.DataFrame:
        """One row a bound."""
        import pandas as pd

        return pd.DataFrame(self.bounds)

    def proof(self) -> dict[str, Any]:
        """The proof object of the upper bound, which `check_supersolution` (and `trpo-theory certify`) checks by itself."""
        told = self.supersolution
        numbers = {name: getattr(told, name) for name in ("nodes", "w", "price", "mu", "nu")}
        return {
            "kind": "sharp-gap/supersolution",
            "divergence": told.divergence.name,
            "mean": told.mean,
            "expected": told.expected,
            "gamma": told.gamma,
            "radius": told.radius,
            "slope": told.slope,
            "bound": told.bound,
            **{name: array.tolist() for name, array in numbers.items()},
        }

    def write(self, path: Any) -> None:
        """Write the witness, an MDP with old and new: `trpo-theory bound FILE --old old --new new` evaluates it again."""
        write_mdp(self.witness.mdp, path, old=self.witness.old, new=self.witness.new)

    def write_proof(self, path: Any) -> None:
        """Write the proof object, .json."""
        if Path(path).suffix != ".json":
            raise InvalidInput(got=f"{str(path)!r} for a proof", wanted="a name that ends in .json", fix="rename it")
        write_fields(self.proof(), path)

    def __repr__(self) -> str:
        kind = "proved" if self.certified else "in floats"
        return (
            f"SharpGap({self.divergence}, {self.normaliser}, gamma={self.gamma:.10g}, radius={self.radius:.10g}: "
            f"{self.lower:.8g} .. {self.upper:.8g}, {kind}; {self.witness.mdp.states} states)"
        )


def sharp_gap(
    divergence: str,
    gamma: float,
    radius: float,
    normaliser: str = "max",
    *,
    certify: bool = False,
    nodes: int = 100,
) -> SharpGap:
    """The worst (L − η(new))/ε over all finite MDPs and pairs of policies within a radius, from both sides.

    A dynamic program in the likelihood ratio of a path, solved as a linear program; the upper bound is a supersolution, the
    lower one an MDP made of the optimal laws. Source: docs/theory.md, "The sharp gap".

    Args:
        divergence: "max-kl", "max-tv", "mean-kl", "mean-tv", "reverse-max-kl" or "max-chi2".
        gamma: the discount.
        radius: of the divergence: nats, total variation, or χ².
        normaliser: ε is "max" |A_old| or the "expected" one, max_s |Ā(s)|.
        certify: prove both bounds in balls.
        nodes: on each side of 1: what is between the bounds falls with their square.

    Returns:
        A `SharpGap`.

    Raises:
        InvalidInput: for an unknown name, or numbers outside gamma in (0, 1), 0 < radius.
        NotSolved: if the linear program fails, or the proof does not go through.
    """
    if divergence not in DIVERGENCES:
        raise _checks.unknown_name("divergence", divergence, DIVERGENCES)
    if normaliser not in NORMALISERS:
        raise _checks.unknown_name("normaliser", normaliser, NORMALISERS)
    gamma = _checks.number_between(gamma, "gamma", 1e-3, 0.9999)
    kind, mean, _ = DIVERGENCES[divergence]
    largest = 1.0 if kind is TV else 20.0
    radius = _checks.number_between(radius, "radius", 1e-10, largest)
    nodes = _checks.integer(nodes, "nodes", least=10)
    nodes = min(nodes, _NODES_OF_TV) if kind is TV else nodes // (2 if mean else 1)
    expected = normaliser == "expected"
    options = {"mean": mean, "expected": expected}
    nodes_of = functools.partial(grid, gamma, radius, kind, nodes)
    if mean:
        lower = Program(kind, gamma, radius, nodes_of(per_step=16.0, reach=6.0), lattice=True, **options).solve()
        price = float(lower.multipliers()["price"][0])
        upper = least_supersolution(Program(kind, gamma, radius, nodes_of(reach=6.0), price=price, **options))
    else:
        lower = Program(kind, gamma, radius, nodes_of(), **options)
        upper = least_supersolution(lower)
    witness = sharp_witness(lower)
    family = family_witness(divergence, expected, gamma, radius)
    if family is not None and family.gap > witness.gap:
        witness = family
    told = SharpGap(divergence, normaliser, gamma, radius, witness.gap, upper.bound, False, witness, upper)
    return _proved(told) if certify else told


def _proved(told: SharpGap) -> SharpGap:
    told, upper = _with_proof(told)
    mdp = told.witness.mdp
    step = enclosed_gap(mdp.transition, mdp.reward, mdp.gamma, mdp.initial, told.witness.old, told.witness.new)
    size = step.max_abs_expected_advantage if told.normaliser == "expected" else step.max_abs_advantage
    spent = getattr(step, DIVERGENCES[told.divergence][2])
    if spent[1] > told.radius:
        raise NotSolved(
            f"got a witness whose {told.divergence} is at most {spent[1]:.17g}; wanted {told.radius:.17g}; "
            "fix: use another number of nodes"
        )
    return replace(told, lower=np.nextafter(-step.gap[1] / size[1], 0.0), upper=upper, certified=True)


def _with_proof(told: SharpGap) -> tuple[SharpGap, float]:
    """With a supersolution that balls prove, and its bound: lifted, where floats made it a little too low.

    Raises:
        NotSolved: if the proof does not go through with the highest lift, either.
    """
    solution = told.supersolution
    *lower, highest = (replace(told, supersolution=lifted(solution, share * solution.bound)) for share in _LIFTS)
    for one in lower:
        with contextlib.suppress(NotSolved):
            return one, float(check_supersolution(one.proof()).bound)
    return highest, float(check_supersolution(highest.proof()).bound)
