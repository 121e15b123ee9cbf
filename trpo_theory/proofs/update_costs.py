"""Limits on costs in the proof of an update's gap: prices ν ≥ 0 make of the problem one without limits, for r − Σ ν_c c.

For policies that keep the limits L_r(new) − η_r(old) is at most that of r − Σ ν c, plus Σ ν_c (limit_c − J_c(old)): weak duality.
docs/theory.md, "Costs".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.io.evidence_files import ReadFields, sentence_text
from trpo_theory.numerics.ball import rationals, raw
from trpo_theory.numerics.ball.raw import arb
from trpo_theory.proofs.update_ends import EnclosedRow, ExactProblem, lower_end, upper_end
from trpo_theory.proofs.update_feasible import EnclosedCost
from trpo_theory.proofs.update_rows import BITS, rows_and_return
from trpo_theory.updates.constrained import ConstrainedUpdate
from trpo_theory.updates.solution import UpdateSolution

LIMITS, PRICES = "limits", "prices"
"""The fields of a file: a number for each of its costs."""


def enclosed_costs(
    step: Mapping[str, Any],
    costs: np.ndarray,
    limits: Sequence[Fraction],
    prices: Sequence[Fraction],
    bits: int = BITS,
) -> list[EnclosedCost]:
    """The limits of a problem.

    Args:
        step: what `rows_and_return` takes, with the reward.
        costs: (S, A, K), in the numbers of the reward.
        limits: of each cost.
        prices: ν of each.
        bits: of the balls.
    """
    found: list[EnclosedCost] = []
    for k, (limit, price) in enumerate(zip(limits, prices, strict=True)):
        of_cost, returned = rows_and_return(**{**step, "reward": costs[:, :, k]}, bits=bits)
        with raw.precision(bits):
            moved = sum((row.rho * row.gain for row in of_cost), arb(0))
            advantage = [row.advantage for row in of_cost]
            found.append(EnclosedCost(advantage, returned - arb(raw.raw(limit)), moved, raw.raw(price)))
    return found


def costs_of(
    solution: UpdateSolution, step_of: Callable[[], dict[str, Any]], exact: Mapping[str, Any], bits: int
) -> list[EnclosedCost]:
    """The limits of an update, none where it has none; `step_of` makes what `rows_and_return` takes, but for groups."""
    if not isinstance(solution, ConstrainedUpdate):
        return []
    step, groups = step_of(), solution.surrogate.aggregation
    limited = limited_fields(solution, step, exact)
    step["groups"] = None if groups is None else [int(group) for group in groups.group]
    return enclosed_costs(step, limited["costs"], limited[LIMITS], limited[PRICES], bits)


def limited_ends(
    problem: ExactProblem, rows: Sequence[EnclosedRow], multipliers: Sequence[Any], costs: Sequence[EnclosedCost]
) -> tuple[arb, arb]:
    """What new attains within radius and limits, and what no policy within them exceeds.

    Raises:
        NotSolved: as `lower_end` and `upper_end`.
    """
    priced = [
        replace(
            row,
            advantage=[_less(a, [(c.price, c.advantage[i][j]) for c in costs]) for j, a in enumerate(row.advantage)],
        )
        for i, row in enumerate(rows)
    ]
    upper = upper_end(problem, priced, multipliers)
    for cost in costs:
        upper -= arb(cost.price) * cost.excess
    return lower_end(problem, rows, costs), upper


def _less(a: arb, parts: Sequence[tuple[Any, arb]]) -> arb:
    for price, advantage in parts:
        a = a - arb(price) * advantage
    return a


def limited_fields(solution: UpdateSolution, step: Mapping[str, Any], exact: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a file that say what the limits are, and the prices; none where there are none.

    Args:
        solution: the update.
        step: the MDP as the proof has it, whose transition reduces costs that depend on the next state.
        exact: what is known better than floats: `costs` by name, `limits` by name.
    """
    if not isinstance(solution, ConstrainedUpdate):
        return {}
    assert solution.mdp is not None
    known, limits, names = exact.get("costs") or {}, exact.get(LIMITS) or {}, list(solution.limits)
    if isinstance(known, Mapping) and all(name in known for name in names):
        transition = rationals.fractions(step["transition"], "transition")
        able = np.asarray(step["available"]).astype(int)
        columns = [
            rationals.reward(rationals.fractions(rationals.written(known[name]), name), able, transition)[0]
            for name in names
        ]
    else:
        columns = [solution.mdp.costs[name] for name in names]
    return {
        "costs": np.stack(columns, axis=-1),
        LIMITS: [rationals.number(limits.get(name, solution.limits[name]), f"the limit of {name}") for name in names],
        PRICES: [rationals.number(float(solution.prices[name]), f"the price of {name}") for name in names],
    }


def read_limits(fields: ReadFields, costs: np.ndarray | None) -> tuple[list[Fraction], list[Fraction]]:
    """The limits and prices of a file, one for each of its costs; none where it has no limits.

    Raises:
        InvalidInput: for other numbers of them, or a price below 0.
    """
    if fields.get(LIMITS) is None and fields.get(PRICES) is None:
        return [], []
    count = 0 if costs is None else costs.shape[-1]
    limits, prices = (rationals.fractions(fields.get(name), name, (count,)) for name in (LIMITS, PRICES))
    if (prices < 0).any():
        raise InvalidInput(got="a negative price", wanted="prices of 0 or more", fix="set it to 0")
    return list(limits), [rationals.amount(price, f"{PRICES}[{k}]") for k, price in enumerate(prices)]


def sentence(limits: Sequence[Fraction]) -> str:
    """What a theorem says of the limits."""
    return f" and surrogates L_c(new) of costs <= {', '.join(map(sentence_text, limits))}" if limits else ""
