"""A supersolution with its proof: lifted, where the floats that found it are a rounding error too low."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from typing import Any, TypeVar, cast

from trpo_theory.errors import NotSolved
from trpo_theory.sharp.horizon import HorizonSupersolution
from trpo_theory.sharp.prove_upper import KIND, check_supersolution
from trpo_theory.sharp.supersolution import Supersolution

_Found = TypeVar("_Found", bound=Supersolution | HorizonSupersolution)

_LIFTS = (0.0, 1e-11, 1e-9, 1e-7, 1e-5)
"""Tried in turn on a supersolution that ball arithmetic does not prove as it is, as shares of its bound. Chosen: from rounding to
what is still far below the distance of the two bounds."""

_SPARE = 0.5
"""Of what lifting gains, for slopes. Chosen: both get as much."""


def proof_fields(found: Supersolution | HorizonSupersolution) -> dict[str, Any]:
    """The proof object of the upper bound, which `check_supersolution` checks by itself."""
    setting = found.setting
    head = {
        "kind": KIND,
        "divergence": setting.divergence.name,
        "mean": setting.mean,
        "normaliser": setting.normaliser.value,
        "gamma": setting.proved_gamma,
        "radius": setting.proved_radius,
        "bound": found.bound,
    }
    if isinstance(found, HorizonSupersolution):
        return head | {"horizon": len(found.steps), "steps": [_numbers(step) for step in found.steps]}
    return head | _numbers(found)


def _numbers(found: Supersolution) -> dict[str, Any]:
    arrays = {"nodes": found.nodes, "w": found.w, "price": found.multiplier, "mu": found.mu, "nu": found.nu}
    return {"slope": float(found.slope)} | {name: array.tolist() for name, array in arrays.items()}


def proved_supersolution(found: _Found) -> tuple[_Found, Fraction]:
    """A supersolution that the checker accepts, found itself or lifted by up to 1e-5 of its bound, and the proved bound.

    Raises:
        NotSolved: if the proof fails with the largest lift, too.
    """
    *smaller, largest = (
        cast(_Found, found.lifted(share * found.bound / found.setting.factor, _SPARE)) for share in _LIFTS
    )
    for candidate in smaller:
        with contextlib.suppress(NotSolved):
            return candidate, check_supersolution(proof_fields(candidate)).bound
    try:
        return largest, check_supersolution(proof_fields(largest)).bound
    except NotSolved as error:
        raise NotSolved(
            f"got an upper end that is not proved, nor with {_LIFTS[-1]:g} of itself added ({error.args[0].split('; ')[0]}); "
            "wanted it proved; fix: leave out the proof, for ends in floats, or pass another width"
        ) from None
