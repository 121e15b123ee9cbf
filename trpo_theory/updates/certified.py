"""`Certified(bound)`: a radius that a bound chooses, the largest whose own step it certifies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from trpo_theory import _checks
from trpo_theory.bounds import Bound
from trpo_theory.entries.kinds import expect_word
from trpo_theory.errors import InvalidInput
from trpo_theory.updates.sharp_penalty import bound_named

Aim = Literal["radius", "promise"]
"""What is sought among the certified steps: the largest radius, or the largest promise."""

if TYPE_CHECKING:
    BoundOrId = Bound | str
    AimName = Aim
else:  # what callers pass is checked below, with a message, also where the tests check types at run time
    BoundOrId = AimName = object

MIX = 0.02
"""The share of old in a certified step: as docs/theory.md, "Certified radii", has it. It keeps every action of old's support at
0.02 of its probability at least, costs 2 % of the surrogate gain, and χ² (1 − 0.02)² of what it was."""


@dataclass(frozen=True, repr=False)
class Certified:
    """The largest radius whose own step a bound certifies: a value for the delta of any trust-region problem.

    With π^r the solution at radius r, of which a share `mix` is old, a step is certified if
        L(π^r) + shift − penalty > η(old),
    the lower bound on η(π^r) that the bound gives at this very step. The radius is the largest r such that all radii up to r
    of a scan are certified; the step is evaluated again, and not taken unless it is certified by itself: whatever the scan
    missed, η does not fall. docs/theory.md, "Certified radii".

    Args:
        bound: its id, such as "chi2/expected-advantage", or a `Bound`; one that is false, or open, certifies nothing.
        mix: the share of old in the step, in [0, 1). Without it, large certified radii take actions to 0 that later steps need,
            and no chi-square of (new, old) brings them back.
        aim: "radius", the largest certified radius; or "promise", of the certified radii the one at which the bound promises
            most, a smaller step.

    Raises:
        InvalidInput: for an unknown bound, one that is not expected to be true, or another value than those.

    >>> Certified("chi2/expected-advantage")
    Certified('chi2/expected-advantage')
    """

    bound: BoundOrId
    mix: float = MIX
    aim: AimName = "radius"

    def __post_init__(self) -> None:
        object.__setattr__(self, "bound", trusted(self.bound))
        object.__setattr__(self, "mix", checked_mix(self.mix))
        checked_aim(self.aim)

    @property
    def id(self) -> str:
        """That of the bound."""
        return self.bound.id if isinstance(self.bound, Bound) else self.bound

    def __repr__(self) -> str:
        mix = "" if self.mix == MIX else f", mix={self.mix:g}"
        aim = "" if self.aim == "radius" else f", aim={self.aim!r}"
        return f"Certified({self.id!r}{mix}{aim})"


def trusted(bound: BoundOrId) -> Bound:
    """The bound of that id, or the bound itself, if it is expected to be true.

    Raises:
        InvalidInput: for any other.
    """
    if isinstance(bound, str):
        bound = bound_named(bound)
    if not isinstance(bound, Bound):  # pyright: ignore[reportUnnecessaryIsInstance] - callers need not be typed
        raise InvalidInput(
            got=f"bound = {bound!r}", wanted="the id of a bound, or a Bound", fix='write "chi2/expected-advantage"'
        )
    if bound.expected is not True:
        word = "false" if bound.expected is False else "open"
        raise InvalidInput(
            got=f"the bound {bound.id!r}, which is {word}",
            wanted="a bound that is true: a step that another one certifies may lower the return",
            fix="take one that trpo_theory.bounds lists, such as chi2/expected-advantage",
        )
    return bound


def checked_mix(mix: float) -> float:
    """A share of old below 1."""
    mix = _checks.number_between(mix, "mix", 0.0, 1.0)
    if mix == 1.0:
        raise InvalidInput(got="mix = 1", wanted="a share of old in [0, 1)", fix=f"leave it out, for {MIX}")
    return mix


def checked_aim(aim: AimName) -> None:
    """One of the aims."""
    expect_word(get_args(Aim), aim=aim)
