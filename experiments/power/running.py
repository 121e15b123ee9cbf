"""Runs `verify` with its default settings on each claim of the set, with a clock in the claim's own formula."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd

import trpo_theory as tt
from experiments.power.case import Case
from experiments.power.cases import CASES
from trpo_theory.bounds.record import Bound

NAME = "power"
BEFORE = Path(__file__).parent.parent / "results" / "power-before.csv"
"""The same measurement with the search as it was before it was one: revision 63c707d."""


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Attributes:
        seeds: of `verify`, each with every claim.
        some: every so many claims only.
    """

    seeds: tuple[int, ...] = (0, 1, 2)
    some: int = 1


def quick(settings: Settings) -> Settings:
    """One seed, a few of the claims."""
    return replace(settings, seeds=(0,), some=60)


def total(settings: Settings) -> int:
    """Verifications."""
    return len(settings.seeds) * len(CASES[:: settings.some])


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> dict[str, pd.DataFrame]:
    """One row a claim and seed; times apart; and the rows of the earlier search."""
    found = measured(CASES[:: settings.some], settings.seeds, advance)
    times = ["id", "seed", "seconds", "total"]
    return {
        "": found.drop(columns=times[2:]),
        "timing": pd.DataFrame(found[times]),
        "before-timing": earlier(found),
    }


def earlier(found: Any) -> pd.DataFrame:
    """The rows of the earlier search with the same claims and seeds."""
    return found[["id", "seed"]].merge(pd.read_csv(BEFORE), on=["id", "seed"])


def measured(cases: Sequence[Case], seeds: Sequence[int], advance: Callable[[], None] = lambda: None) -> pd.DataFrame:
    """One row a claim and seed: verdict, CPU seconds until the counterexample is proved (nan), and of the whole verification."""
    rows: list[dict[str, Any]] = []
    for seed in seeds:
        for case in cases:
            clock = Clock(case)
            began = process_time()
            verdict = tt.verify([clock.claim], seed=seed, proofs=False)[case.id]
            ended = process_time()
            refuted = verdict.verdict == "refuted"
            until = (ended if clock.struck is None else clock.struck) - began
            rows.append(
                {
                    **{
                        "id": case.id,
                        "family": case.family,
                        "region": case.region,
                        "margin": case.margin,
                        "seed": seed,
                    },
                    **{
                        "verdict": str(verdict.verdict),
                        "states": verdict.witness.instance.states if verdict.witness else 0,
                    },
                    **{"seconds": round(until, 3) if refuted else np.nan, "total": round(ended - began, 3)},
                }
            )
            advance()
    return pd.DataFrame(rows)


class Clock:
    """A claim whose formula writes down when it is first negative in balls, where its hypotheses hold: when it is refuted.

    Attributes:
        claim: the case's claim, with the clock in its formula.
        struck: the CPU time then, in seconds; None before.
    """

    def __init__(self, case: Case) -> None:
        self.case, self.struck = case, None
        formula = case.claim.formula

        @functools.wraps(formula)
        def timed(q: Any) -> Any:
            value = formula(q)
            if self.struck is None and q.arithmetic.name == "balls" and self._is_false(q, value):
                self.struck = process_time()
            return value

        self.claim = dataclasses.replace(case.claim, formula=timed)

    def _is_false(self, q: Any, value: Any) -> bool:
        claim = self.case.claim
        try:
            slack = np.ravel(q.surrogate_gap + value if isinstance(claim, Bound) else value)
            wrong = [entry != 0 if claim.relation == "=" else entry < 0 for entry in slack]
            return any(map(bool, wrong)) and (claim.given is None or bool(np.all(claim.given(q))))
        except tt.TrpoTheoryError:  # balls cannot tell
            return False
