"""One side of a comparison in a process of its own, of this checkout or of an older one, so that sides share no caches."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trpo_theory as tt

ROOT = Path(__file__).resolve().parents[2]
"""This checkout."""

_REPEATED_BELOW = 3.0
"""Seconds above which the first call of a piece of work counts. Chosen: imports and compilers take a third of it."""
_LONG = 10.0
"""Seconds above which a command runs once: chosen."""
_PROGRAM = (
    "import math, resource, sys; limit = math.ceil(float(sys.argv[3])); "
    "resource.setrlimit(resource.RLIMIT_CPU, (limit, limit)); "
    "sys.path.insert(0, sys.argv[1]); import trpo_theory; sys.path[0] = sys.argv[2]; "
    "import pathlib; assert pathlib.Path(trpo_theory.__file__).parents[1].samefile(sys.argv[1]), trpo_theory.__file__; "
    "import importlib, json; one = importlib.import_module('experiments.benchmarks.' + sys.argv[4]).one; "
    "print(json.dumps(one(*json.loads(sys.argv[5]))))"
)


def checkout_at(path: str) -> Path:
    """The folder of an older checkout, for `argparse`: from anywhere else this one would be timed in its place."""
    found = Path(path).resolve()
    if not (found / "trpo_theory" / "__init__.py").is_file():
        raise argparse.ArgumentTypeError(f"got {path}; wanted a checkout; fix: name the folder that trpo_theory/ is in")
    return found


def in_process(benchmark: str, arguments: list[Any], checkout: Path = ROOT, limit: float = 3600.0) -> Any:
    """What the function `one` of a benchmark returns, with the package of a checkout; {} beyond the limit, or where it fails.

    Args:
        benchmark: its file's name in this folder.
        arguments: of `one`; they and what it returns are numbers, words, lists and dicts of those.
        checkout: whose package is imported.
        limit: CPU seconds.
    """
    command = [sys.executable, "-c", _PROGRAM, str(checkout), str(ROOT), repr(limit), benchmark, json.dumps(arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
    except (IndexError, ValueError):
        return {}


def cpu(work: Callable[[], Any], rounds: int = 5, least: float = 0.3) -> float:
    """CPU seconds of a call: the least of some rounds, each of as many calls as take `least` seconds, as clocks may be coarse."""
    taken = _seconds(work, 1)
    if taken > _REPEATED_BELOW:
        return taken
    calls = 1  # the first call has imported, and compiled
    while (taken := _seconds(work, calls)) < least:
        calls *= 2
    return min(taken, *(_seconds(work, calls) for _ in range(rounds - 1))) / calls


def _seconds(work: Callable[[], Any], calls: int) -> float:
    begin = time.process_time()
    for _ in range(calls):
        work()
    return time.process_time() - begin


def command(*words: str) -> float:
    """CPU seconds of a command of the package that is imported here, its start included: the least of three.

    Raises:
        RuntimeError: where it ends with another status than 0.
    """
    place = {**os.environ, "PYTHONPATH": str(Path(str(tt.__file__)).parents[1]), "PYTHONDONTWRITEBYTECODE": ""}
    times = []
    for _ in range(3):
        begin = _of_children()
        done = subprocess.run([sys.executable, *words], env=place, capture_output=True, text=True, cwd="/")
        if done.returncode != 0:  # Python's own faults, such as a missing module, are status 1, and soon over
            raise RuntimeError(f"{' '.join(words)}: {done.stderr}")
        times.append(_of_children() - begin)
        if times[-1] > _LONG:
            break
    return min(times)


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
