"""`verify`: verdicts on claims. A battery and a directed search in floats, a proof in balls, the smallest witness."""

from __future__ import annotations

import contextlib
import functools
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trpo_theory import _checks, claims
from trpo_theory.bounds import Bound, all_bounds
from trpo_theory.certified.decide import Verdict as Decided
from trpo_theory.certified.instance import ExactInstance
from trpo_theory.claims.claim import Claim, claim_of
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.search.battery import battery
from trpo_theory.search.hunt import Batch, hunt, settle
from trpo_theory.search.shrink import shrink
from trpo_theory.search.solved import hunt_solved
from trpo_theory.search.witness import Witness
from trpo_theory.sweep.chunk import CHUNK, SOLVED_SHARE, chunks
from trpo_theory.sweep.execute import execute
from trpo_theory.sweep.named import Named, fingerprint, named, resolved, slug
from trpo_theory.sweep.run_directory import RunDirectory
from trpo_theory.sweep.tally import Tally, merged
from trpo_theory.sweep.thorough import Keeping

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
    """What `verify` returns: a verdict for each claim.

    Attributes:
        verdicts: in the order of the claims.
        notes: what was wrong with the directory that it went on with.
    """

    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()

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
    states: int | None = None,
    actions: int | None = None,
    dask: str | None = None,
    out: Any = None,
    resume: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> Verification:
    """Put claims to the test.

    Every claim is run on the same battery of random, sparse, near and worst-case instances, and on those that a directed
    search finds by descending on its slack. What floats call false is decided in ball arithmetic, and shrunk. More instances
    than one battery come in chunks, each with a seed of its own, so that memory does not grow with their number.

    Args:
        which: ids of the catalogue, claims and bounds of one's own, or one of these; all of the catalogue if left out.
        instances: the size of the battery.
        seed: the same seed gives the same verdicts, wherever it runs.
        jobs: processes.
        states: so many `instances` of this size alone, beside the searches; 5 if only actions are given.
        actions: likewise; 3 if only states are given.
        dask: the address of a Dask scheduler, tcp://host:port, whose workers run the tasks.
        out: a directory for what each task finds out, as it is done (`sweep.read_run` reads it).
        resume: go on with what is there.
        advance: called as tasks of the `plan` are done, one for each claim at least, for a progress bar.

    Returns:
        A `Verification`; "unrefuted" says that no counterexample was found, not that there is none.

    Raises:
        InvalidInput: for an unknown id, with its near matches; for a directory that cannot be written, or is of another run.
        ClaimFailed: if a claim's own code raises an exception.

    >>> verify(["trpo/tv-2"], instances=2000)["trpo/tv-2"].verdict
    'refuted'
    """
    chosen = _chosen(which)
    tasks = plan(chosen, instances=instances, seed=seed, states=states, actions=actions)
    _checks.integer(jobs, "jobs", least=1)
    directory = None
    if out is not None:
        settings = {
            "claims": [fingerprint(claim) for claim in chosen],
            **{"instances": instances, "seed": seed, "states": states, "actions": actions, "chunk": CHUNK},
        }
        directory = RunDirectory(out, settings, resume=resume)
    elif resume:
        raise InvalidInput(
            got="resume without a directory", wanted="the directory of the run", mend="add --out DIR (out=...)"
        )
    verdicts = _run(chosen, tasks, jobs=jobs, dask=dask, directory=directory, advance=advance)
    damaged = directory.damaged if directory is not None else []
    return Verification(tuple(verdicts), tuple(f"{name} was damaged: it was computed again" for name in damaged))


def plan(
    which: Any = None,
    *,
    instances: int = INSTANCES,
    seed: int = 0,
    states: int | None = None,
    actions: int | None = None,
) -> list[Any]:
    """The tasks that `verify` runs: a directed search for each claim, and chunks of instances for what it does not try.

    Raises:
        InvalidInput: as `verify` does.
    """
    chosen = _chosen(which)
    _checks.integer(instances, "instances", least=1)
    _checks.integer(seed, "seed", least=0)
    shape = None
    if states is not None or actions is not None:
        shape = (
            _checks.integer(5 if states is None else states, "states", least=1),
            _checks.integer(3 if actions is None else actions, "actions", least=1),
        )
    searches: list[Any] = [Search(claim, min(instances, CHUNK), seed) for claim in chosen]
    return searches + chunks(chosen, instances, seed, shape=shape, searched=CHUNK)


def _run(
    chosen: list[Claim],
    tasks: list[Any],
    *,
    jobs: int = 1,
    dask: str | None = None,
    directory: RunDirectory | None = None,
    advance: Callable[[], None] = lambda: None,
) -> list[Verdict]:
    """The tasks, and what they say together of each claim."""
    searched: dict[str, Tally] = {}
    tallies: dict[str, Tally] = {}
    try:
        for task, found in execute(tasks, jobs=jobs, dask=dask, directory=directory, advance=advance):
            tallies = merged([*tallies.values(), *found])
            if isinstance(task, Search):
                searched |= {tally.claim: tally for tally in found}
    finally:
        _batteries.cache_clear()
    return [_judged(claim, tallies[claim.id], searched[claim.id]) for claim in chosen]


@dataclass(frozen=True)
class Search:
    """A task: a battery and a directed search for a counterexample to one claim, which is shrunk.

    Attributes:
        claim: the claim, or what finds it.
        instances: the size of the battery.
        seed: of the run.
        hard: search wider and longer.
    """

    claim: Named
    instances: int
    seed: int
    hard: bool = False

    @property
    def name(self) -> str:
        """Of its file."""
        return f"search-{slug(resolved(self.claim).id)}"

    def shipped(self) -> Search:
        """For another process."""
        return replace(self, claim=named(self.claim))

    def run(self) -> list[Tally]:
        """What it found out."""
        claim = resolved(self.claim)
        generator = np.random.default_rng([self.seed, zlib.crc32(claim.id.encode())])
        if claim.problem is not None and claim.step is None:
            found = hunt_solved(claim, generator, self.instances // SOLVED_SHARE)
        else:
            found = hunt(
                claim,
                self._batches(claim),
                generator,
                hard=self.hard or claim.expected == "open",
                found=Keeping(claim.relation),
            )
        refuted = None if found.refuted is None else shrink(claim, *found.refuted)[0]
        return [Tally.of_hunt(claim.id, found, refuted)]

    def _batches(self, claim: Claim) -> list[Batch]:
        """The battery depends on the seed and on what is needed only, so that claims run on the same instances."""
        batteries = _batteries(self.instances, self.seed)
        if claim.needs not in batteries:
            fresh = np.random.default_rng([self.seed, zlib.crc32(" ".join(sorted(claim.needs)).encode())])
            batteries[claim.needs] = [(part, part.quantities()) for part in battery(fresh, self.instances, claim.needs)]
        if claims.catalogue.get(claim.id) is claim:
            return batteries[claim.needs]
        # a formula that writes into its arrays is to hurt no other claim
        return [(part, None) for part, _ in batteries[claim.needs]]


@functools.lru_cache(maxsize=1)
def _batteries(instances: int, seed: int) -> dict[frozenset[str], list[Batch]]:
    """Where the searches of one process keep what they share; those of earlier settings are dropped."""
    return {}


def _verdict(claim: Claim, instances: int, seed: int, *, hard: bool = False) -> Verdict:
    searches = [Search(claim, min(instances, CHUNK), seed, hard)]
    return _run([claim], [*searches, *chunks([claim], instances, seed, searched=CHUNK)])[0]


def _judged(claim: Claim, found: Tally, searched: Tally) -> Verdict:
    """The verdict on all that was found; what the search refuted is shrunk already."""
    witness, verdict, note = None, UNREFUTED, claim.note
    if found.refuted is not None:
        witness, verdict = _witness(claim, found.refuted, searched.refuted), REFUTED
    elif found.undecided or found.unasked:
        left = found.undecided + found.unasked
        note = _sentence(f"{left} instances that neither floats nor balls decide", found.note, note)
        verdict = UNDECIDED
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
        instances=found.instances,
        effective=found.effective,
        min_slack=found.least_slack,
        min_ratio=found.least_ratio,
        near=found.near,
        witness=witness,
        note=note,
    )


def _witness(claim: Claim, refuted: ExactInstance, shrunk: ExactInstance | None) -> Witness:
    """Proved again, so that nothing is believed because a file says so."""
    instance = refuted if shrunk is None else shrunk
    with contextlib.redirect_stdout(sys.stderr):  # as where it was found
        decision = settle(claim, instance)
    if decision.verdict is not Decided.REFUTED:
        raise NotSolved(
            f"got a counterexample to {claim.id} in the run directory that is not proved; wanted the one that was found; "
            "to mend it: begin the run again in another directory"
        )
    return Witness(claim, *((instance, decision) if shrunk is not None else shrink(claim, instance, decision)))


def _sentence(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _chosen(which: Any) -> list[Claim]:
    """The claims meant: of the catalogue, or one's own."""
    if which is None:
        return list(claims.catalogue.values())
    if isinstance(which, (str, Claim, Bound)):
        which = [which]
    chosen = [as_claim(one) for one in dict.fromkeys(which)]
    if not chosen:
        raise InvalidInput(got="no claims", wanted="one or more", mend="leave them out for the whole catalogue")
    if len({claim.id for claim in chosen}) < len(chosen):
        raise InvalidInput(
            got=f"two claims of one id among {', '.join(claim.id for claim in chosen)}",
            wanted="an id for each",
            mend="rename one",
        )
    return chosen


def as_claim(one: Any) -> Claim:
    """The claim that an id, a Claim or a Bound stands for; ids of the catalogue are the catalogue's."""
    if isinstance(one, str):
        return claims.get(one)
    if isinstance(one, Bound):
        of_catalogue = all_bounds.get(one.id) is one
        return claims.get(one.id) if of_catalogue else claims.checked_own([claim_of(one)])[0]
    if not isinstance(one, Claim):
        raise InvalidInput(
            got=f"a {type(one).__name__} as a claim",
            wanted="the id of a claim, a Claim (see @claim) or a Bound",
            mend='decorate the function with @claim("mine/lemma-3", statement="...")',
        )
    return claims.checked_own([one])[0]


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
        verdicts.append(_verdict(one, INSTANCES, seed + attempt, hard=attempt > 0))
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
    verdict = _verdict(as_claim(claim), instances, _checks.integer(seed, "seed", least=0))
    if verdict.witness is not None:
        raise AssertionError(
            f"{verdict.id} is refuted, proved in ball arithmetic ({verdict.witness.size_text}):\n{verdict.witness.text}"
        )
    if verdict.verdict == UNDECIDED:
        raise AssertionError(f"{verdict.id} is undecided: {verdict.note}")
    return verdict
