"""Where tasks run: this process, processes of this machine (joblib), or a cluster (joblib's Dask backend)."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from trpo_theory.errors import InvalidInput, NotSolved

_RETRIES = 3
"""How often a run goes on after one of its processes was killed. Chosen."""
_WAIT = 30
"""Seconds for a scheduler and its first worker to answer. Chosen."""
_AHEAD = 4
"""Tasks that wait at each worker: few, so that memory does not grow with their number and workers that join find some. Chosen."""


class WorkersDied(NotSolved):
    """Processes of a run ended again and again, before they had returned a result."""


def run(
    work: Callable[[Any], Any], tasks: Sequence[Any], *, jobs: int = 1, dask: str | None = None
) -> Iterator[tuple[int, Any]]:
    """The index and the result of each task, as they are done.

    A process of this machine that dies is replaced, and its task is run again; a Dask scheduler does the same for its workers.

    Args:
        work: a function of a module, of one task.
        tasks: what can be pickled.
        jobs: processes.
        dask: the address of a scheduler, tcp://host:port; jobs is then ignored.

    Raises:
        InvalidInput: if there is no such scheduler, or it has no workers.
        WorkersDied: if processes die again and again.
    """
    if dask is not None:
        with _cluster(dask):
            yield from _parallel(work, list(enumerate(tasks)), -1)
    elif jobs == 1 or len(tasks) == 1:
        for index, task in enumerate(tasks):
            yield index, work(task)
    else:
        yield from _on_this_machine(work, tasks, jobs)


def _on_this_machine(work: Callable[[Any], Any], tasks: Sequence[Any], jobs: int) -> Iterator[tuple[int, Any]]:
    from joblib.externals.loky.process_executor import BrokenProcessPool

    _start_tracker()
    left = dict(enumerate(tasks))
    for _ in range(_RETRIES):
        try:
            for index, result in _parallel(work, list(left.items()), jobs):
                del left[index]
                yield index, result
        except BrokenProcessPool:
            continue
        return
    raise WorkersDied(
        f"got processes that were killed {_RETRIES} times, {len(left)} of {len(tasks)} tasks left; wanted them to live, which "
        "takes memory; fix: fewer --jobs (jobs=1), and --resume (resume=True) where results are kept"
    )


def alone(work: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """The index and the result of each task, one after the other in one process beside this one, which it may end.

    The result of a task that ends its process, twice, is None: then it is known which of them does.
    """
    from joblib.externals.loky.process_executor import BrokenProcessPool, ProcessPoolExecutor

    _start_tracker()
    executor: Any = None
    try:
        for index, task in enumerate(tasks):
            result = None
            for _ in range(2):
                executor = executor or ProcessPoolExecutor(max_workers=1)
                try:
                    with _quiet():
                        _, result = executor.submit(_numbered, work, index, task).result()
                    break
                except BrokenProcessPool:
                    executor = _ended(executor)
            yield index, result
    finally:
        _ended(executor)


def beside(work: Callable[[Any], Any], task: Any) -> Any:
    """The result of a task from an interpreter of its own, for a process that must live on, such as a cluster's worker.

    None where it ends without a result, twice. What it raises is raised here.
    """
    from cloudpickle import dumps  # which Dask needs, and so each of its workers has

    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", _BESIDE], input=dumps((work, task)), stdout=subprocess.PIPE)
        if done.returncode == 0 and done.stdout:
            raised, found = pickle.loads(done.stdout)
            if raised:
                raise found
            return found
    return None


_BESIDE = "from trpo_theory.verification.backends import _answer; _answer()"


def _answer() -> None:
    """Read a task, run it, and write its result: in the interpreter of `beside`, whose stdout is for nothing else."""
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(2, 1)
        work, task = pickle.loads(sys.stdin.buffer.read())
        try:
            found = False, work(task)
        except Exception as error:
            found = True, error
        answer.write(pickle.dumps(found))


def _ended(executor: Any) -> None:
    """No executor any more, and none of its processes."""
    if executor is not None:
        with _quiet():
            executor.shutdown(wait=True, kill_workers=True)


def _start_tracker() -> None:
    """loky's process that cleans up after killed ones, without its warnings of what it finds gone after a Ctrl-C."""
    from joblib.externals.loky.backend import resource_tracker

    known = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [known, "ignore:resource_tracker:UserWarning"]))
    try:
        resource_tracker.ensure_running()
    finally:
        if known is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = known


def _parallel(work: Callable[[Any], Any], numbered: list[tuple[int, Any]], jobs: int) -> Iterator[tuple[int, Any]]:
    from joblib import Parallel, delayed

    options: Any = {"return_as": "generator_unordered", "batch_size": 1, "pre_dispatch": f"{_AHEAD} * n_jobs"}
    results: Any = Parallel(n_jobs=jobs, **options)(delayed(_numbered)(work, index, task) for index, task in numbered)
    try:
        while True:
            with _quiet():
                try:
                    found = next(results)
                except StopIteration:
                    return
            yield found
    finally:
        with _quiet():
            results.close()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Where a run is interrupted, joblib warns of the tasks that it ends, and a thread of loky's trips over them.

    loky warns, too, where it replaces a process.
    """
    hook = threading.excepthook

    def report(failure: threading.ExceptHookArgs) -> None:
        if getattr(failure.thread, "name", "") != "ExecutorManagerThread":
            hook(failure)

    threading.excepthook = report
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*tasks have been successfully executed")
            warnings.filterwarnings("ignore", message=".*tasks which were still being processed")
            # loky replaces a process that has grown by 300 MB, between two tasks
            warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given to the executor")
            yield
    finally:
        threading.excepthook = hook


def _numbered(work: Callable[[Any], Any], index: int, task: Any) -> tuple[int, Any]:
    """In a process of its own, whose stdout is everybody's: what a claim prints goes to stderr."""
    with contextlib.redirect_stdout(sys.stderr):
        return index, work(task)


@contextlib.contextmanager
def _cluster(address: str) -> Iterator[None]:
    """joblib's work goes to that scheduler while the block runs."""
    try:
        from distributed import Client
    except ImportError:
        raise InvalidInput(
            got=f"a cluster, {address!r}, without the library for it",
            wanted="Dask's distributed",
            fix="python -m pip install '.[dask]' in a checkout, here and on the workers",
        ) from None
    import joblib

    try:
        client = Client(address, timeout=_WAIT, set_as_default=False)
    except (OSError, ValueError, TypeError, TimeoutError) as error:
        raise InvalidInput(
            got=f"no Dask scheduler at {address!r} ({str(error).splitlines()[0] if str(error) else type(error).__name__})",
            wanted="the address that dask scheduler prints, such as tcp://127.0.0.1:8786",
            fix="start one, or leave dask out and pass jobs=2 (--jobs 2)",
        ) from None
    try:
        try:
            client.wait_for_workers(1, timeout=_WAIT)
        except TimeoutError:
            raise InvalidInput(
                got=f"the Dask scheduler at {address!r}, which has no workers",
                wanted="one or more",
                fix=f"start them: dask worker {address}",
            ) from None
        with joblib.parallel_config(backend="dask", client=client):
            yield
    finally:
        client.close(timeout=1)
