"""`verify`: verdicts on claims. A battery and a directed search in floats, a proof in balls, the smallest witness."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from trpo_theory import _checks, claims
from trpo_theory.bounds.record import Claim
from trpo_theory.entries.kinds import FUNCTION, SERIES, TRUTH, expect, expect_type
from trpo_theory.errors import InvalidInput
from trpo_theory.proofs.methods import theorem
from trpo_theory.verification.attempts import with_proofs
from trpo_theory.verification.chunk import CHUNK, chunks
from trpo_theory.verification.execute import execute
from trpo_theory.verification.judging import judged, with_power
from trpo_theory.verification.search_task import Search, batteries_of
from trpo_theory.verification.stepped import is_searched, unsearched
from trpo_theory.verification.tally import Tally, merged
from trpo_theory.verification.verdict import Verdict, Verification

if TYPE_CHECKING:
    from trpo_theory.verification.run_directory import RunDirectory

INSTANCES = 20_000
"""In a battery, if no number is given. Chosen: some seconds for the whole catalogue."""


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
    proofs: bool = True,
    advance: Callable[[], None] = lambda: None,
) -> Verification:
    """Put claims to the test.

    Every claim is run on the same battery of random, sparse, near and worst-case instances, and, unless the catalogue names a
    proof of it and the battery puts it to the test, on those that a directed search finds by descending on its slack (with
    proofs=False and in `falsify` always). An instance with a negative float slack is decided in ball arithmetic, and
    shrunk. More instances than one battery come in chunks, each with a seed of its own, so that memory does not grow with
    their number. What stands is proved where the catalogue names a theorem, or a method of proof that takes seconds has it.

    Claims read from a file are run in a process beside this one, so that one which ends its process (`os._exit`, a crash) is an
    error like any other; those made in this process are run in it where jobs is 1.

    Args:
        which: ids of the catalogue or patterns of them such as "trpo/*", claims and bounds of one's own, or one of these;
            the whole catalogue if left out.
        instances: the size of the battery.
        seed: the same seed gives the same verdicts, wherever it runs.
        jobs: processes.
        states: so many `instances` of this size alone, beside the searches; 5 if only actions are given.
        actions: likewise; 3 if only states are given.
        dask: the address of a Dask scheduler, tcp://host:port, whose workers run the tasks.
        out: a directory for the result of each task, as it is done (`verification.read_run` reads it).
        resume: go on with the run there.
        proofs: prove what stands, where that takes seconds; False for what the search alone says.
        advance: called as tasks of the `plan` are done, one for each claim at least, for a progress bar.

    Returns:
        A `Verification`; "proved" says how, for all that the claim is about; "unrefuted", that no counterexample was found, not
        that there is none; "error", that the claim's own code failed: the other claims are judged all the same.

    Raises:
        InvalidInput: for an unknown id, with its near matches; for a directory that cannot be written, or is of another run.

    >>> verify(["trpo/tv-2"], instances=2000)["trpo/tv-2"].verdict
    'refuted'
    """
    expect(TRUTH, resume=resume, proofs=proofs)
    expect(FUNCTION, advance=advance)
    chosen = _chosen(which)
    searched = [claim for claim in chosen if is_searched(claim)]
    tasks = plan(chosen, instances=instances, seed=seed, states=states, actions=actions, proofs=proofs)
    _checks.integer(jobs, "jobs", least=1)
    settings = {"instances": instances, "seed": seed, "states": states, "actions": actions, "chunk": CHUNK}
    directory = _directory(out, chosen, settings, resume=resume)
    with directory or contextlib.nullcontext():
        verdicts = run_tasks(searched, tasks, jobs=jobs, dask=dask, directory=directory, advance=advance)
    if proofs:
        verdicts = with_proofs(searched, verdicts, jobs=jobs, dask=dask)
    return _verification(chosen, dict(zip(searched, verdicts, strict=True)), instances, directory)


def _verification(
    chosen: list[Claim], verdicts: dict[Claim, Verdict], instances: int, directory: RunDirectory | None
) -> Verification:
    """The verdicts in the order of the claims, with the search's power, and those that no search is for."""
    if instances >= INSTANCES:  # what the power was measured with, or more
        verdicts = {claim: with_power(claim, verdict) for claim, verdict in verdicts.items()}
    every = tuple(verdicts[claim] if claim in verdicts else unsearched(claim) for claim in chosen)
    damaged = directory.damaged if directory is not None else []
    return Verification(every, tuple(f"{name} was damaged: it was computed again" for name in damaged))


def _directory(out: Any, chosen: list[Claim], settings: dict[str, Any], *, resume: bool) -> RunDirectory | None:
    """The run's directory; None where no results are kept."""
    if out is not None:
        from trpo_theory.verification.fingerprint import fingerprint
        from trpo_theory.verification.run_directory import RunDirectory

        settings = {"claims": [claim.id for claim in chosen], **settings}
        return RunDirectory(out, settings, {claim.id: fingerprint(claim) for claim in chosen}, resume=resume)
    if resume:
        raise InvalidInput(
            got="resume without a directory", wanted="the directory of the run", fix="add --out DIR (out=...)"
        )
    return None


def plan(
    which: Any = None,
    *,
    instances: int = INSTANCES,
    seed: int = 0,
    states: int | None = None,
    actions: int | None = None,
    proofs: bool = True,
) -> list[Any]:
    """The tasks that `verify` runs: a search for each claim, and chunks of instances for what it does not try.

    Raises:
        InvalidInput: as `verify` does.
    """
    chosen = [claim for claim in _chosen(which) if is_searched(claim)]
    _checks.integer(instances, "instances", least=1)
    _checks.integer(seed, "seed", least=0)
    shape = None
    if states is not None or actions is not None:
        shape = (
            _checks.integer(5 if states is None else states, "states", least=1),
            _checks.integer(3 if actions is None else actions, "actions", least=1),
        )
    settings = list(dict.fromkeys(claim.instance_needs for claim in chosen))  # what is shared is not made twice
    searches: list[Any] = [
        Search(claim, min(instances, CHUNK), seed, proved=proofs and theorem.is_proved(claim))
        for claim in sorted(chosen, key=lambda claim: settings.index(claim.instance_needs))
    ]
    return searches + chunks(chosen, instances, seed, shape=shape, searched=CHUNK)


def run_tasks(
    chosen: list[Claim],
    tasks: list[Any],
    *,
    jobs: int = 1,
    dask: str | None = None,
    directory: RunDirectory | None = None,
    advance: Callable[[], None] = lambda: None,
) -> list[Verdict]:
    """The verdict on each claim, from the results of all tasks."""
    searched: dict[str, Tally] = {}
    tallies: dict[str, Tally] = {}
    try:
        for task, found in execute(tasks, jobs=jobs, dask=dask, directory=directory, advance=advance):
            tallies = merged([*tallies.values(), *found])
            if isinstance(task, Search):
                searched |= {tally.claim: tally for tally in found}
    finally:
        batteries_of.cache_clear()
    return [judged(claim, tallies[claim.id], searched[claim.id]) for claim in chosen]


def _chosen(which: Any) -> list[Claim]:
    """The claims meant: of the catalogue, or one's own."""
    if which is None:
        return list(claims.catalogue.values())
    if isinstance(which, (str, Claim)):
        which = [which]
    expect(SERIES, which=which)
    named = (claims.selected([one]) if isinstance(one, str) else [as_claim(one)] for one in which)
    chosen = list({id(claim): claim for found in named for claim in found}.values())
    if not chosen:
        raise InvalidInput(got="no claims", wanted="one or more", fix="leave them out for the whole catalogue")
    if len({claim.id for claim in chosen}) < len(chosen):
        raise InvalidInput(
            got=f"two claims of one id among {', '.join(claim.id for claim in chosen)}",
            wanted="an id for each",
            fix="rename one",
        )
    return chosen


def as_claim(one: object) -> Claim:
    """The claim that an id, a Claim or a Bound stands for; ids of the catalogue are the catalogue's."""
    if isinstance(one, str):
        return claims.get(one)
    fix = 'name an id, or decorate the function with @claim("mine/lemma-3", statement="...")'
    expect_type((Claim, str), one, "a claim", fix)
    return claims.checked_own([cast(Claim, one)])[0]
