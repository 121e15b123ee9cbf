"""`update --cost`: a trust-region update under limits on costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from trpo_theory.cli.options import OK, UNDECIDED
from trpo_theory.cli.output import digits, literal, new_console, print_fields, print_json
from trpo_theory.errors import InvalidInput

if TYPE_CHECKING:
    from trpo_theory.updates import ConstrainedUpdate


def limits_of(texts: list[str]) -> dict[str, float]:
    """The limits in NAME:LIMIT, by name.

    Raises:
        InvalidInput: for a text without a colon, a limit that is no number, or one name twice.
    """
    from trpo_theory.loading.reader import number

    found: dict[str, float] = {}
    for text in texts:
        name, colon, limit = text.rpartition(":")
        if not colon or name in found:
            raise InvalidInput(got=f"--cost {text}", wanted="NAME:LIMIT, each cost once", fix="write --cost fuel:3.5")
        found[name] = number(limit, f"the limit of {name}")
    return found


def expect_alone(**others: Any) -> None:
    """Refuse options that an update under limits does not take."""
    given = [f"--{name}" for name, value in others.items() if value]
    if given:
        raise InvalidInput(
            got=f"--cost with {' and '.join(given)}",
            wanted="--cost NAME:LIMIT with --problem and --delta D",
            fix=f"drop {' and '.join(given)}",
        )


def _fields(solution: ConstrainedUpdate) -> dict[str, Any]:
    """What is printed of it, by the names of `update`; upper_bound and gap are null for a recovery step."""
    q = solution.quantities
    proved = math.isfinite(solution.upper_bound)
    names = ("surrogate_gain", "expected_return_old", "expected_return_new", "max_kl", "mean_kl", "reverse_max_chi2")
    fields = {
        "objective": solution.objective,
        "upper_bound": solution.upper_bound if proved else None,
        "gap": solution.gap if proved else None,
        **{name: getattr(q, name) for name in names},
    }
    costs = {
        name: {
            "limit": limit,
            "surrogate": solution.cost_surrogates[name],
            "expected_return": solution.costs_new[name],
            "price": solution.prices[name],
        }
        for name, limit in solution.limits.items()
    }
    return {**fields, "costs": costs, "status": str(solution.status), "policy": solution.policy}


def print_constrained(
    mdp: str, source: Any, start: Any, problem: str, value: Any, cost: list[str], out: str | None, as_json: bool
) -> int:
    """An update under limits on costs, printed."""
    from trpo_theory import io, updates

    solution = updates.constrained_update(source.mdp, start, value, limits_of(cost))
    fields: dict[str, Any] = {"problem": problem, **_fields(solution)}
    if out is not None:
        io.write_fields({"policy": solution.policy, "old": start}, out)
    status = OK if solution.status.solved else UNDECIDED
    if as_json:
        print_json(fields)
        return status
    console = new_console()
    console.print(f"{literal(mdp)}: {problem} under limits on costs, gamma {digits(source.mdp.gamma)}")
    shown = {name: number for name, number in fields.items() if name not in ("policy", "costs") and number is not None}
    for name, row in fields["costs"].items():
        shown |= {f"{name}: {what}": number for what, number in row.items()}
    print_fields(console, shown)
    return status
