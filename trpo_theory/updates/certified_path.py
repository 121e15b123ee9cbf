"""`certified_step`: how far a bound certifies steps along a given direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from trpo_theory import _checks
from trpo_theory.bounds import Bound
from trpo_theory.entries.kinds import expect_word
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP, expect_mdp
from trpo_theory.solve.words import policy_or_named
from trpo_theory.step.quantities import Quantities, quantities_of
from trpo_theory.updates.certified import MIX, Aim, checked_aim, checked_mix, trusted
from trpo_theory.updates.largest import RETREATS, Steps, largest_certified

Path = Literal["line", "exponential"]
"""(1 − t) old + t new; or new ∝ old exp(t x)."""

if TYPE_CHECKING:
    BoundOrId = Bound | str
    PathName = Path
    AimName = Aim
else:  # what callers pass is checked below, with a message, also where the tests check types at run time
    BoundOrId = PathName = AimName = object

_LEAST = 1e-9
"""The least t of a scan of a line, and the least t · max|x − mean| of an exponential one: steps keep half of a float's digits."""

_LARGEST = 600.0
"""The largest t · max|x − mean|: e^-600 is left of the worst action."""

_PER_DECADE = 4
"""Points of a scan: as for radii."""


@dataclass(frozen=True, eq=False, repr=False)
class CertifiedStep:
    """The longest certified step along a path; old, with t = 0, where none is certified.

    Attributes:
        bound: which certifies it.
        t: where on the path it lies.
        policy: (S, A).
        promise: the lower bound on η(new) − η(old), 0 where no step is certified.
        promise_rounding: its float error, which it exceeds.
        q: `Quantities` of the step.
    """

    bound: Bound
    t: float
    policy: np.ndarray
    promise: float
    promise_rounding: float
    q: Quantities

    @property
    def certified(self) -> bool:
        """Whether the bound, evaluated in floats at this very step, promises more than its rounding."""
        return self.promise > self.promise_rounding

    @property
    def improvement(self) -> float:
        """η(new) − η(old), evaluated: at least the promise."""
        return float(self.q.surrogate_gap + self.q.surrogate_gain)

    def __repr__(self) -> str:
        return (
            f"CertifiedStep({self.bound.id!r}, t={self.t:.6g}, promise={self.promise:.6g}, "
            f"improvement={self.improvement:.6g}, certified={self.certified})"
        )


def certified_step(
    mdp: FiniteMDP,
    old: Any,
    direction: Any,
    *,
    bound: BoundOrId,
    path: PathName = "line",
    mix: float = MIX,
    aim: AimName = "radius",
) -> CertifiedStep:
    """A certified line search: the largest t on a path from old such that all steps up to it are certified by a bound.

    "line":         new(t) = (1 − t) old + t direction, 0 < t ≤ 1 − mix, direction a policy, such as a TRPO step;
    "exponential":  new(t) = mix · old + (1 − mix) · old exp(t x)/Σ old exp(t x), t > 0, x = direction: the natural gradient's
                    path where x is the advantage.
    Both stay in a class of policies that share rows, where old and direction are of it. Certified: the lower bound on η(new(t))
    that the bound gives at this very step is above η(old); so η does not fall. docs/theory.md, "Certified radii".

    Args:
        mdp: one MDP.
        old: (S, A), or "uniform" or "optimal".
        direction: a policy, likewise, or real numbers (S, A).
        bound: its id, or a `Bound`; one that is false, or open, certifies nothing.
        path: as above.
        mix: the share of old in the longest step.
        aim: "radius", the largest t; or "promise", of the certified t the one at which the bound promises most.

    Returns:
        A `CertifiedStep`.

    Raises:
        InvalidInput: for a batch, a direction that does not fit the path, or a bound that is not true.
    """
    chosen, mix = trusted(bound), checked_mix(mix)
    checked_aim(aim)
    expect_word(get_args(Path), path=path)
    expect_mdp(mdp)
    if mdp.batch_shape:
        raise InvalidInput(got=f"a batch {mdp.batch_shape} of MDPs", wanted="one MDP", fix="loop over them")
    old = policy_or_named(old, mdp, "old policy")
    direction = policy_or_named(direction, mdp, "direction") if path == "line" else direction
    old = _checks.policy_rows(old, mdp.available, "old policy")
    _checks.expect_shape(old, "old policy", mdp.states, mdp.actions)
    family = _family(old, direction, mdp, path, mix)
    here = quantities_of(mdp, old, old)
    steps = Steps(here, mdp, chosen)
    found = largest_certified(lambda ts: steps.each(family.policies(ts)), family.grid, aim)
    for retreat in () if found is None else RETREATS:
        t = retreat * (found or 0.0)
        policy = family.policies(np.array([t]))[0]
        promise = steps.one(policy)
        if promise.certified:
            value, rounding = float(promise.value), float(promise.rounding)
            return CertifiedStep(chosen, t, policy, value, rounding, here.with_new(policy))
    return CertifiedStep(chosen, 0.0, old, 0.0, 0.0, here)


@dataclass(frozen=True, eq=False)
class _Path:
    """Policies old + change(t), by t, and the t of a scan."""

    old: np.ndarray
    change: np.ndarray
    exponential: bool
    mix: float
    grid: np.ndarray

    def policies(self, t: np.ndarray) -> np.ndarray:
        """(K, S, A)."""
        if not self.exponential:
            return self.old + t[:, None, None] * self.change
        power = t[:, None, None] * self.change
        weight = self.old * np.exp(power - power.max(-1, keepdims=True))
        return self.mix * self.old + (1 - self.mix) * weight / weight.sum(-1, keepdims=True)


def _family(old: np.ndarray, direction: Any, mdp: FiniteMDP, path: PathName, mix: float) -> _Path:
    if path == "line":
        new = _checks.policy_rows(direction, mdp.available, "direction")
        _checks.expect_shape(new, "direction", mdp.states, mdp.actions)
        return _Path(old, new - old, False, mix, _grid(_LEAST, 1 - mix))
    x = _checks.real_array(direction, "direction")
    _checks.expect_shape(x, "direction", mdp.states, mdp.actions)
    played = old > 0
    top = np.where(played, x, -np.inf).max(1, keepdims=True)
    below = np.where(played, x - top, 0.0)
    size = float(-below.min()) or 1.0
    return _Path(old, below, True, mix, _grid(_LEAST / size, _LARGEST / size))


def _grid(low: float, high: float) -> np.ndarray:
    return np.geomspace(low, high, int(_PER_DECADE * np.log10(high / low)) + 2)
