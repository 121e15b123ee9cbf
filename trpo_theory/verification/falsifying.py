"""`falsify` searches one claim hard; `check` is for a test of one's own."""

from __future__ import annotations

import functools
import operator
from dataclasses import replace
from typing import Any

from trpo_theory import _checks
from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.updates.sharp_penalty import SteppedBound
from trpo_theory.verification.attempts import with_proofs
from trpo_theory.verification.chunk import CHUNK, chunks
from trpo_theory.verification.search_task import Search
from trpo_theory.verification.verdict import Verdict
from trpo_theory.verification.verifying import INSTANCES, as_claim, run_tasks

_COUNTS = ("instances", "effective", "trivial", "near")
_LEAST = ("min_slack", "min_ratio", "min_share")


def falsify(claim: object, *, seed: int = 0, effort: int = 4) -> Verdict:
    """Search hard for a counterexample to one claim, then shrink it: fewest states and actions, then simplest rationals.

    Args:
        claim: the id of a claim, a Claim, or a Bound.
        seed: of the search.
        effort: how many searches, each on a fresh battery, before it is given up: one as verify does, then harder ones.

    Returns:
        A `Verdict`, with the witness if there is one; the counts are over all searches.
    """
    one = _searched(claim)
    _checks.integer(seed, "seed", least=0)
    verdicts: list[Verdict] = []
    for attempt in range(_checks.integer(effort, "effort", least=1)):
        verdicts.append(_verdict(one, INSTANCES, seed + attempt, hard=attempt > 0))
        if verdicts[-1].witness is not None or verdicts[-1].verdict == Outcome.ERROR:
            break
    counts: Any = {name: sum(getattr(verdict, name) for verdict in verdicts) for name in _COUNTS}
    least: Any = {name: min(getattr(verdict, name) for verdict in verdicts) for name in _LEAST}
    searched = functools.reduce(operator.add, (verdict.searched for verdict in verdicts))
    found = replace(max(verdicts, key=_weight), **counts, **least, searched=searched)
    return with_proofs([one], [found])[0]


def _searched(claim: object) -> Claim:
    """The claim meant, if it is one that is searched.

    Raises:
        InvalidInput: for a sharp penalty.
    """
    one = as_claim(claim)
    if isinstance(one, SteppedBound):
        one.expect_searched()
    return one


def _weight(verdict: Verdict) -> tuple[bool, bool, bool]:
    """Which of several searches speaks for all: one that refutes, else one that met what it cannot decide."""
    met = verdict.effective > 0
    return verdict.verdict in (Outcome.REFUTED, Outcome.ERROR), verdict.verdict == Outcome.UNDECIDED and met, met


def check(claim: object, *, instances: int = 5000, seed: int = 0) -> Verdict:
    """Assert that no counterexample to a claim is found: for a test of one's own.

    Raises:
        AssertionError: with the shrunk, proved witness, if the claim is refuted; or if it is undecided.
        ClaimFailed: if the claim's own code raises an exception.

    >>> _ = check("coupling/tv", instances=500)
    """
    _checks.integer(instances, "instances", least=1)
    one = _searched(claim)
    found = _verdict(one, instances, _checks.integer(seed, "seed", least=0))
    verdict = with_proofs([one], [found], seconds=0)[0]  # a theorem costs nothing; a test is not to wait for the others
    if verdict.witness is not None:
        raise AssertionError(
            f"{verdict.id} is refuted, proved in ball arithmetic ({verdict.witness.size_text}):\n{verdict.witness.text}"
        )
    if verdict.verdict == Outcome.ERROR:
        raise ClaimFailed(verdict.id, verdict.note)
    if verdict.verdict == Outcome.UNDECIDED:
        raise AssertionError(f"{verdict.id} is undecided: {verdict.note}")
    return verdict


def _verdict(claim: Claim, instances: int, seed: int, *, hard: bool = False) -> Verdict:
    searches = [Search(claim, min(instances, CHUNK), seed, hard)]
    return run_tasks([claim], [*searches, *chunks([claim], instances, seed, searched=CHUNK)])[0]
