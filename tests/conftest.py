"""Shared set-up: run-time checks of the annotated shapes, and two Hypothesis profiles, `ci` (the default) and `deep`.

pytest --hypothesis-profile=deep
"""

from __future__ import annotations

import compileall
import contextlib
import gc
import importlib
import inspect
import os
import sys
import typing
from collections import Counter
from pathlib import Path

import pytest
from cheap import is_whole
from hypothesis import HealthCheck, Phase, settings

# Two workers are there for two cores. Threads of a linear algebra library wait for each other by spinning: a fifth more time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
from jaxtyping import install_import_hook  # imports NumPy, which reads that once

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "trpo_theory"

WITHOUT_BYTECODE = sys.dont_write_bytecode
sys.dont_write_bytecode = False  # while tests are collected: rewriting their assertions takes half of that, ten seconds

os.environ.pop("COLUMNS", None)  # which pytest-xdist sets to its own terminal's: tables in tests are those of a pipe


def _modules_with_shapes() -> list[str]:
    """The modules that name shapes: checking the other nine tenths too costs each process two seconds."""
    with_shapes = (path for path in PACKAGE.rglob("*.py") if "model.shapes import" in path.read_text(encoding="utf-8"))
    parts = (path.relative_to(PACKAGE.parent).with_suffix("").parts for path in with_shapes)
    return [".".join(names[:-1] if names[-1] == "__init__" else names) for names in parts]


# Before anything imports the package: from here on every annotated shape is checked by beartype.
CHECKED = _modules_with_shapes()
install_import_hook(CHECKED, "typechecking.check")


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Of several workers each imports its share of the files first: the others find their assertions rewritten.

    In a fresh checkout that is two thirds of the time in which tests are collected. What fails here fails again there."""
    worker, workers = os.environ.get("PYTEST_XDIST_WORKER", ""), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if worker and [Path(given).resolve() for given in session.config.args] == [TESTS]:
        for path in sorted(TESTS.glob("*/test_*.py"))[int(worker.removeprefix("gw")) :: workers]:
            if str(path.parent) not in sys.path:
                sys.path.insert(0, str(path.parent))
            with contextlib.suppress(Exception, pytest.skip.Exception):
                importlib.import_module(path.stem)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `whole` are left out of an ordinary run.

    In a run of several workers the files with most slow tests come first: of the last ones, for which a worker may have to
    wait alone, each takes seconds."""
    if not is_whole():
        left = [item for item in items if item.get_closest_marker("whole")]
        items[:] = [item for item in items if not item.get_closest_marker("whole")]
        config.hook.pytest_deselected(items=left)
    if "PYTEST_XDIST_WORKER" in os.environ:
        slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
        items.sort(key=lambda item: -slow[item.path])


def pytest_collection_finish() -> None:
    """What is collected and imported stays: the garbage collector need not go through it again and again.

    Functions all of whose annotations are `Any`, as formulas in any arithmetic are, have nothing to check: they are called as
    they are. Binding their arguments was a tenth of what some tests take."""
    modules = [sys.modules[name] for name in CHECKED if name in sys.modules]
    classes = [one for module in modules for one in vars(module).values() if inspect.isclass(one)]
    for member in [member for owner in (*modules, *classes) for member in vars(owner).values()]:
        function = inspect.unwrap(getattr(member, "func", getattr(member, "fget", member)))
        if inspect.isfunction(function) and function.__module__ in CHECKED:
            try:
                hints = typing.get_type_hints(function).values()
            except NameError:  # a name that only type checkers import
                continue
            if all(hint is typing.Any for hint in hints):
                function.__no_type_check__ = True  # which jaxtyping asks for in every call
    sys.dont_write_bytecode = WITHOUT_BYTECODE
    gc.collect()
    gc.freeze()


# Tests start a hundred processes; where Python may write no bytecode, each compiled the package: 0.3 of its 0.8 seconds.
if WITHOUT_BYTECODE and "PYTEST_XDIST_WORKER" not in os.environ:
    compileall.compile_dir(PACKAGE, quiet=2)

_SLOW_IS_FINE = [HealthCheck.too_slow]
settings.register_profile("deep", deadline=None, max_examples=2000, suppress_health_check=_SLOW_IS_FINE)
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=60 if is_whole() else 40,
    database=None,
    suppress_health_check=_SLOW_IS_FINE,
    # Which parts of a failing example matter: it is traced, line by line, for each `find` and each failure that is expected.
    phases=set(Phase) - {Phase.explain},
)
settings.load_profile("ci")  # the option --hypothesis-profile is read after this file, and wins
