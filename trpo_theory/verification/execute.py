"""`execute`: the tasks of a run that are not done yet, and the results of all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from trpo_theory.errors import InvalidInput
from trpo_theory.verification.backends import WorkersDied, alone, beside, run
from trpo_theory.verification.tally import Tally

if TYPE_CHECKING:
    from trpo_theory.verification.run_directory import RunDirectory

_ENDED = "the process that ran it ended without a result, twice: os._exit, a crash, or no memory"


@runtime_checkable
class Task(Protocol):
    """What is run by itself: its result depends on nothing else, and is known by its name."""

    @property
    def name(self) -> str:
        """Of its file."""
        ...

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the claims that it is about, in the order of its tallies."""
        ...

    @property
    def runs_files(self) -> bool:
        """Whether the code of a file of the user's is run, which may end the process that it runs in."""
        ...

    def only(self, ids: Collection[str]) -> Task:
        """The same for some of its claims: the same tallies."""
        ...

    def shipped(self) -> Task:
        """For another process."""
        ...

    def run(self) -> list[Tally]:
        """What it found out."""
        ...


def execute(
    tasks: Sequence[Task],
    *,
    jobs: int = 1,
    dask: str | None = None,
    directory: RunDirectory | None = None,
    advance: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Task, list[Tally]]]:
    """Each task with what it found out: first those that the directory has, then the others as they are done, and are in it.

    Of a task some of whose claims the directory has, the others alone are run.

    Raises:
        InvalidInput: if the directory cannot be written, or a worker has another version of this package.
    """
    left: list[tuple[Task, Task, dict[str, Tally]]] = []
    for task in tasks:
        known = directory.load(task.name, task.ids) if directory is not None else {}
        missing = [id for id in task.ids if id not in known]
        if missing:
            left.append((task.only(missing) if known else task, task, known))
            continue
        advance()
        yield task, [known[id] for id in task.ids]
    for index, tallies in _results([part for part, _, _ in left], jobs, dask):
        _, task, known = left[index]
        found = known | {tally.claim: tally for tally in tallies}
        every = [found[id] for id in task.ids]
        if directory is not None:
            directory.save(task.name, every)
        advance()
        yield task, every


def _results(tasks: Sequence[Task], jobs: int, dask: str | None) -> Iterator[tuple[int, list[Tally]]]:
    """The index and the tallies of each task, as they are done; in this process only if all the code is the toolkit's own."""
    left = dict(enumerate(tasks))
    if dask is None and (jobs == 1 or len(tasks) == 1):
        for index, task in enumerate(tasks):
            if not task.runs_files:
                yield index, left.pop(index).run()
    else:
        sent = [(_version(), task.shipped()) for task in tasks]
        try:
            for index, tallies in run(_there if dask is None else _on_a_worker, sent, jobs=jobs, dask=dask):
                del left[index]
                yield index, tallies
        except WorkersDied:
            pass  # what is left is run one by one, to find the claim that ends its process
    places = list(left)
    if not places:
        return
    for place, tallies in enumerate(_one_by_one([left[index] for index in places])):
        yield places[place], tallies


def _one_by_one(tasks: Sequence[Task]) -> Iterator[list[Tally]]:
    """The tallies of each task from a process beside this one; an error of the claim that ends it."""
    for index, tallies in alone(_there, [(_version(), task.shipped()) for task in tasks]):
        ids = tasks[index].ids
        if tallies is None and len(ids) > 1:
            tallies = [tally for part in _one_by_one([tasks[index].only([id]) for id in ids]) for tally in part]
        yield [Tally(id, error=_ENDED) for id in ids] if tallies is None else tallies


def _on_a_worker(sent: tuple[str, Any]) -> list[Tally]:
    """The tallies of a task on a worker of a cluster, which must outlive claims of files: those are run beside it."""
    version, task = sent
    if not task.runs_files:
        return _there(sent)
    tallies = beside(_there, sent)
    if tallies is None and len(task.ids) > 1:
        return [tally for id in task.ids for tally in _on_a_worker((version, task.only([id])))]
    return [Tally(id, error=_ENDED) for id in task.ids] if tallies is None else tallies


def _there(sent: tuple[str, Any]) -> list[Tally]:
    version, task = sent
    if version != _version():
        raise InvalidInput(
            got=f"a worker with trpo-theory {_version()}",
            wanted=f"trpo-theory {version}, as where the run was started",
            fix="install that version on every worker",
        )
    return task.run()


def _version() -> str:
    import importlib.metadata  # which takes as long as a small search

    return importlib.metadata.version("trpo-theory")
