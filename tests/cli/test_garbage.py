"""A command looks for cyclic garbage rarely, and leaves the process as it was."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from trpo_theory import cli
from trpo_theory.cli.garbage import collected_rarely


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    known = gc.get_threshold()
    yield
    gc.set_threshold(*known)


def test_cycles_of_a_few_thousand_objects_are_looked_for_after_the_block_only() -> None:
    gc.set_threshold(700, 10, 10)
    looks: list[str] = []
    gc.callbacks.append(lambda phase, info: looks.append(phase))
    try:
        with collected_rarely():
            gc.collect()
            looks.clear()
            within = [[] for _ in range(5_000)]
            assert not looks
        after = [[] for _ in range(5_000)]
        assert looks
    finally:
        gc.callbacks.pop()
    assert len(within) == len(after)


@pytest.mark.parametrize("threshold", [(0, 10, 10), (10**6, 5, 5), (700, 10, 10)])
def test_a_command_leaves_the_thresholds_as_they_were(
    threshold: tuple[int, int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    gc.set_threshold(*threshold)
    assert cli.main(["show", "no-such-claim"]) == 2
    assert gc.get_threshold() == threshold
    assert "got" in capsys.readouterr().err


def test_at_its_end_a_process_looks_for_no_cycles_in_what_a_command_left() -> None:
    """Python's own look at the end leaves out what `gc.freeze` has set aside, which `gc.get_freeze_count` counts."""
    program = (
        "import atexit, gc; from trpo_theory import cli; "
        "atexit.register(lambda: print(gc.get_freeze_count() > 10_000)); "
        "print(gc.get_freeze_count()); cli.main(['show', 'no-such-claim'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["0", "True"]
