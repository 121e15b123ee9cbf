"""The update problem that options say, and what update and improve print alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trpo_theory.errors import InvalidInput

if TYPE_CHECKING:
    from trpo_theory.updates import Problem, TRPOStep

CERTIFIED = "certified"
"""In the place of a radius: the largest whose own step --bound certifies."""

_LEAST_GAP = 1e-12
"""The relative gap below which the table says no more than that: where rounding begins to make gaps of nothing."""


def problem_of(
    name: str, delta: str | None, coefficient: str | None, bound: str | None, cost: list[str] | None = None
) -> Problem | TRPOStep:
    """The problem that the options say; the ones that do not belong to it are refused."""
    from trpo_theory import updates
    from trpo_theory._checks import known_name
    from trpo_theory.loading.reader import number

    with_radius = updates.with_radius()
    if cost:
        return _limited(name, delta, coefficient, bound, cost)
    if name == updates.Penalty.name:
        if delta is not None:
            raise InvalidInput(
                got=f"--delta {delta} with --problem penalty",
                wanted="--coefficient C or --bound ID",
                fix="drop --delta, or ask for --problem max-kl",
            )
        return updates.Penalty(None if coefficient is None else number(coefficient, "--coefficient"), bound)
    known_name("problem", name, updates.problem_names())
    if delta == CERTIFIED and bound is not None and coefficient is None:
        return with_radius[name](updates.Certified(bound))
    if delta == CERTIFIED and bound is None:
        raise InvalidInput(
            got=f"--delta {CERTIFIED} without --bound",
            wanted="the bound that certifies the step",
            fix="write --bound chi2/expected-advantage, or another id of: trpo-theory claims",
        )
    if coefficient is not None or bound is not None or delta is None:
        raise InvalidInput(
            got=f"--problem {name} with"
            + ("out --delta" if delta is None else f" --delta {delta} and --coefficient or --bound"),
            wanted=f"--delta D, and nothing else, or --delta {CERTIFIED} --bound ID",
            fix="write --delta 0.01"
            if delta is None
            else f"drop it, ask for --problem penalty, or write --delta {CERTIFIED} --bound {bound or 'chi2/mean-max'}",
        )
    return with_radius[name](number(delta, "--delta"))


def _limited(
    name: str, delta: str | None, coefficient: str | None, bound: str | None, cost: list[str]
) -> Problem | TRPOStep:
    """A trust region with limits on costs."""
    from trpo_theory import updates
    from trpo_theory.loading.reader import number

    kinds = updates.trust_regions()
    given = [f"--{word}" for word, value in (("coefficient", coefficient), ("bound", bound)) if value is not None]
    if given or name not in kinds or delta is None or delta == CERTIFIED:
        others = f"--problem {name}" + "".join(f" and {word}" for word in given)
        radius = "" if delta is None else f" and --delta {delta}"
        raise InvalidInput(
            got=f"--cost with {others}{radius}",
            wanted=f"--cost NAME:LIMIT with --delta D and a problem of {', '.join(kinds)}",
            fix="write --problem max-kl --delta 0.01" + "".join(f", and drop {word}" for word in given),
        )
    return kinds[name](
        number(delta, "--delta"), costs={name: float(limit) for name, limit in exact_limits(cost).items()}
    )


def exact_limits(texts: list[str]) -> dict[str, Any]:
    """The limits in NAME:LIMIT, by name, as they are written.

    Raises:
        InvalidInput: for a text without a colon, a limit that is no number, or one name twice.
    """
    from trpo_theory.loading.reader import rational

    found: dict[str, Any] = {}
    for text in texts:
        name, colon, limit = text.rpartition(":")
        if not colon or name in found:
            raise InvalidInput(got=f"--cost {text}", wanted="NAME:LIMIT, each cost once", fix="write --cost fuel:3.5")
        found[name] = rational(limit, f"the limit of {name}")
    return found


def relative(gap: float, objective: float) -> str:
    """The relative gap to one digit; what rounding makes of a gap of nothing is not shown."""
    if abs(gap) <= _LEAST_GAP * abs(objective):
        return f"< {_LEAST_GAP:.0e}"
    return f"{gap / abs(objective):.0e}" if objective else f"gap {gap:.0e}"
