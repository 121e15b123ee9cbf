"""`execute`: the tasks of a run that are not done yet, and the results of all."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from trpo_theory.errors import InvalidInput
from trpo_theory.verification.backends import run
from trpo_theory.verification.run_directory import RunDirectory
from trpo_theory.verification.tally import Tally


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
    left: list[Task] = []
    whole: list[tuple[Task, dict[str, Tally]]] = []
    for task in tasks:
        known = directory.load(task.name, task.ids) if directory is not None else {}
        missing = [id for id in task.ids if id not in known]
        if missing:
            left.append(task.only(missing) if known else task)
            whole.append((task, known))
            continue
        advance()
        yield task, [known[id] for id in task.ids]
    here = dask is None and (jobs == 1 or len(left) == 1)
    sent = left if here else [(_version(), task.shipped()) for task in left]
    for index, tallies in run(_here if here else _there, sent, jobs=jobs, dask=dask):
        task, known = whole[index]
        found = known | {tally.claim: tally for tally in tallies}
        every = [found[id] for id in task.ids]
        if directory is not None:
            directory.save(task.name, every)
        advance()
        yield task, every


def _here(task: Task) -> list[Tally]:
    return task.run()


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
    return importlib.metadata.version("trpo-theory")
