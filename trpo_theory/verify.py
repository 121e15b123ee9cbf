"""`verify`: verdicts on claims. A battery and a directed search in floats, a proof in balls, the smallest witness."""

from __future__ import annotations

import contextlib
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trpo_theory import _checks, claims
from trpo_theory.bounds import Bound
from trpo_theory.claims.claim import Claim, claim_of
from trpo_theory.claims.from_file import read_claims
from trpo_theory.errors import InvalidInput
from trpo_theory.search.battery import battery
from trpo_theory.search.hunt import Batch, Hunt, hunt
from trpo_theory.search.shrink import shrink
from trpo_theory.search.solved import hunt_solved
from trpo_theory.search.witness import Witness

if TYPE_CHECKING:
    import pandas as pd

INSTANCES = 20_000
REFUTED, UNREFUTED, UNDECIDED = "refuted", "unrefuted", "undecided"


@dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    Attributes:
        id, expected: of the claim.
        verdict: "refuted" (a witness is proved), "unrefuted" (none found: not the same as true), or "undecided".
        instances: how many were tried.
        effective: how many of them met the hypotheses.
        min_slack: the least slack among those; one within rounding of 0 counts as 0.
        min_ratio: the least slack over |η(new) − L|.
        near: instances within rounding of 0 that balls were not asked about.
        witness: the proved counterexample, shrunk.
        note: what a reader should know.
    """

    id: str
    expected: Any
    verdict: str
    instances: int
    effective: int
    min_slack: float
    min_ratio: float
    near: int
    witness: Witness | None = None
    note: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether a true claim stands and a false one is refuted; an open one may come out either way."""
        if self.verdict == UNDECIDED:
            return False
        return self.expected == "open" or (self.verdict == UNREFUTED) == self.expected

    def to_fields(self) -> dict[str, Any]:
        """For JSON: the witness as the content of its file, or None."""
        names = ("id", "verdict", "expected", "instances", "effective", "min_slack", "min_ratio", "near", "note")
        return {name: getattr(self, name) for name in names} | {
            "witness": self.witness.to_fields() if self.witness else None
        }


@dataclass(frozen=True, repr=False)
class Verification:
    """What `verify` returns: a verdict for each claim."""

    verdicts: tuple[Verdict, ...]

    def __iter__(self) -> Any:
        return iter(self.verdicts)

    def __len__(self) -> int:
        return len(self.verdicts)

    def __getitem__(self, claim_id: str) -> Verdict:
        for verdict in self.verdicts:
            if verdict.id == claim_id:
                return verdict
        raise _checks.unknown_name("claim of this verification", claim_id, [verdict.id for verdict in self.verdicts])

    @property
    def as_expected(self) -> bool:
        """Whether every claim came out as expected."""
        return all(verdict.as_expected for verdict in self.verdicts)

    def to_frame(self) -> pd.DataFrame:
        """One row a claim; the witness by its size."""
        import pandas as pd

        rows = [verdict.to_fields() for verdict in self.verdicts]
        for row, verdict in zip(rows, self.verdicts, strict=True):
            row["witness"] = verdict.witness.size_text if verdict.witness else ""
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        counts = {name: sum(v.verdict == name for v in self.verdicts) for name in (REFUTED, UNREFUTED, UNDECIDED)}
        shown = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        return f"Verification({shown}; {'all' if self.as_expected else 'not all'} as expected)"


def verify(
    which: Any = None,
    *,
    instances: int = INSTANCES,
    seed: int = 0,
    jobs: int = 1,
    advance: Callable[[], None] = lambda: None,
) -> Verification:
    """Put claims to the test.

    Every claim is run on the same battery of random, sparse, near and worst-case instances, and on those that a directed
    search finds by descending on its slack. What floats call false is decided in ball arithmetic, and shrunk.

    Args:
        which: ids of the catalogue, claims and bounds of one's own, or one of these; all of the catalogue if left out.
        instances: the size of the battery.
        seed: the same seed gives the same verdicts, whatever jobs is.
        jobs: processes.
        advance: called as claims are done, for a progress bar.

    Returns:
        A `Verification`; "unrefuted" says that no counterexample was found, not that there is none.

    Raises:
        InvalidInput: for an unknown id, with its near matches.
        ClaimFailed: if a claim's own code raises an exception.

    >>> verify(["trpo/tv-2"], instances=2000)["trpo/tv-2"].verdict
    'refuted'
    """
    chosen = _chosen(which)
    _checks.integer(instances, "instances", least=1)
    _checks.integer(seed, "seed", least=0)
    if _checks.integer(jobs, "jobs", least=1) == 1 or len(chosen) == 1:
        batteries: Batteries = {}
        verdicts = []
        for claim in chosen:
            verdicts.append(_verdict(claim, instances, seed, batteries))
            advance()
        return Verification(tuple(verdicts))
    return Verification(tuple(_in_parallel(chosen, instances, seed, jobs, advance)))


Batteries = dict[frozenset[str], list[Batch]]


def _in_parallel(
    chosen: list[Claim], instances: int, seed: int, jobs: int, advance: Callable[[], None]
) -> list[Verdict]:
    """One task a claim; one of the catalogue goes by its id, one of a file by the file, which the process runs for itself.

    Their functions belong to modules, and are found there.
    """
    from joblib import Parallel, delayed

    catalogue = claims.catalogue
    named = [
        claim.id if catalogue.get(claim.id) is claim else (claim.origin, claim.id) if claim.origin else claim
        for claim in chosen
    ]
    verdicts = []
    for verdict in Parallel(n_jobs=jobs, return_as="generator")(
        delayed(_task)(name, instances, seed) for name in named
    ):
        verdicts.append(verdict)
        advance()
    return verdicts


_OF_THIS_PROCESS: dict[tuple[int, int], Batteries] = {}


def _task(named: Any, instances: int, seed: int) -> Verdict:
    """A verdict in a process of its own, whose stdout is everybody's: what a claim prints goes to stderr."""
    batteries = _OF_THIS_PROCESS.setdefault((instances, seed), {})
    with contextlib.redirect_stdout(sys.stderr):
        claim = claims.get(named) if isinstance(named, str) else named
        if isinstance(named, tuple):
            claim = next(one for one in read_claims(named[0]) if one.id == named[1])
        return _verdict(claim, instances, seed, batteries)


def _verdict(claim: Claim, instances: int, seed: int, batteries: Batteries, *, hard: bool = False) -> Verdict:
    generator = np.random.default_rng([seed, zlib.crc32(claim.id.encode())])
    if claim.problem is not None and claim.step is None:
        return _judged(claim, hunt_solved(claim, generator, instances // 10))
    if claim.needs not in batteries:
        # the battery depends on the seed and on what is needed only, so that claims run on the same instances
        fresh = np.random.default_rng([seed, zlib.crc32(" ".join(sorted(claim.needs)).encode())])
        batteries[claim.needs] = [(part, part.quantities()) for part in battery(fresh, instances, claim.needs)]
    batches: list[Batch] = batteries[claim.needs]
    if claims.catalogue.get(claim.id) is not claim:  # a formula that writes into its arrays is to hurt no other claim
        batches = [(part, None) for part, _ in batches]
    return _judged(claim, hunt(claim, batches, generator, hard=hard or claim.expected == "open"))


def _judged(claim: Claim, found: Hunt) -> Verdict:
    witness, verdict, note = None, UNREFUTED, claim.note
    if found.refuted is not None:
        witness, verdict = Witness(claim, *shrink(claim, *found.refuted)), REFUTED
    elif found.undecided:
        verdict, note = (
            UNDECIDED,
            _sentence(f"{found.undecided} instances that neither floats nor balls decide", found.note, note),
        )
    elif found.ties:
        note = _sentence(f"{found.ties} instances where it is an equality to 300 digits", note)
    if not found.effective:
        verdict, note = UNDECIDED, _sentence("no instance met the hypotheses", note)
    elif found.least_slack == np.inf:
        verdict, note = UNDECIDED, _sentence("its slack is nowhere a finite number", note)
    if verdict == UNREFUTED and found.least_slack < 0:
        note = _sentence("floats call it false where balls prove it true: they lose digits in its formula", note)
    if not found.batched:
        note = _sentence("run one instance at a time: its formula cannot be batched", note)
    return Verdict(
        id=claim.id,
        expected=claim.expected,
        verdict=verdict,
        instances=found.tried,
        effective=found.effective,
        min_slack=found.least_slack,
        min_ratio=found.least_scaled,
        near=found.near,
        witness=witness,
        note=note,
    )


def _sentence(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _chosen(which: Any) -> list[Claim]:
    """The claims meant: of the catalogue, or one's own."""
    if which is None:
        return list(claims.catalogue.values())
    if isinstance(which, (str, Claim, Bound)):
        which = [which]
    chosen = [as_claim(one) for one in which]
    if not chosen:
        raise InvalidInput(got="no claims", wanted="one or more", mend="leave them out for the whole catalogue")
    return chosen


def as_claim(one: Any) -> Claim:
    """The claim that an id, a Claim or a Bound stands for."""
    if isinstance(one, str):
        return claims.get(one)
    if isinstance(one, Bound):
        return claim_of(one)
    if not isinstance(one, Claim):
        raise InvalidInput(
            got=f"a {type(one).__name__} as a claim",
            wanted="the id of a claim, a Claim (see @claim) or a Bound",
            mend='decorate the function with @claim("mine/lemma-3", statement="...")',
        )
    return one


def falsify(claim: Any, *, seed: int = 0, effort: int = 4) -> Verdict:
    """Search hard for a counterexample to one claim, then shrink it: fewest states and actions, then simplest rationals.

    Args:
        claim: the id of a claim, a Claim, or a Bound.
        seed: of the search.
        effort: how many searches, each on a fresh battery, before it is given up: one as verify does, then harder ones.

    Returns:
        A `Verdict`, with the witness if there is one; the counts are over all searches.
    """
    one = as_claim(claim)
    _checks.integer(seed, "seed", least=0)
    verdicts: list[Verdict] = []
    for attempt in range(_checks.integer(effort, "effort", least=1)):
        verdicts.append(_verdict(one, INSTANCES, seed + attempt, {}, hard=attempt > 0))
        if verdicts[-1].witness is not None:
            break
    return replace(
        max(verdicts, key=_weight),
        instances=sum(verdict.instances for verdict in verdicts),
        effective=sum(verdict.effective for verdict in verdicts),
        near=sum(verdict.near for verdict in verdicts),
        min_slack=min(verdict.min_slack for verdict in verdicts),
        min_ratio=min(verdict.min_ratio for verdict in verdicts),
    )


def _weight(verdict: Verdict) -> tuple[bool, bool, bool]:
    """Of several searches one that refutes is told of, else one that met what it cannot decide."""
    return verdict.verdict == REFUTED, verdict.verdict == UNDECIDED and verdict.effective > 0, verdict.effective > 0


def check(claim: Any, *, instances: int = 5000, seed: int = 0) -> Verdict:
    """Assert that no counterexample to a claim is found: for a test of one's own.

    Raises:
        AssertionError: with the shrunk, proved witness, if the claim is refuted; or if it is undecided.

    >>> _ = check("coupling/tv", instances=500)
    """
    _checks.integer(instances, "instances", least=1)
    verdict = _verdict(as_claim(claim), instances, _checks.integer(seed, "seed", least=0), {})
    if verdict.witness is not None:
        raise AssertionError(
            f"{verdict.id} is refuted, proved in ball arithmetic ({verdict.witness.size_text}):\n{verdict.witness.text}"
        )
    if verdict.verdict == UNDECIDED:
        raise AssertionError(f"{verdict.id} is undecided: {verdict.note}")
    return verdict
